package handlers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// handmade are texts that have run as scripts on somebody's page.
var handmade = []string{
	`<script>alert(1)</script>`, `<SCRIPT SRC=//evil.example/x.js></SCRIPT>`, `<scr<script>ipt>alert(1)</scr</script>ipt>`, `<script/x>alert(1)</script>`, "<script\x0c>alert(1)</script>", `<script>alert(1)`, `<<script>alert(1);//<</script>`,
	`<img src=x onerror=alert(1)>`, `<img/src=x/onerror=alert(1)>`, `<img src="x" onerror="alert(1)"`, "<img src=`x`onerror=alert(1)>", `<IMG """><SCRIPT>alert(1)</SCRIPT>">`, `<img src=x:alert(alt) onerror=eval(src) alt=0>`, `<image src=x onerror=alert(1)>`,
	`<svg onload=alert(1)>`, `<svg/onload=alert(1)//`, `<svg><script>alert(1)</script></svg>`, `<svg><animate onbegin=alert(1) attributeName=x>`, `<svg><a xlink:href="javascript:alert(1)"><text x=20 y=20>x</text></a></svg>`, `<svg><use href="data:image/svg+xml,<svg id='x'/>#x"/></svg>`,
	`<svg><foreignObject><iframe srcdoc="<script>alert(1)</script>"></iframe></foreignObject></svg>`, `<svg><style><img src=x onerror=alert(1)></style></svg>`, `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`,
	`<math><a xlink:href="javascript:alert(1)">x</a></math>`, `<math href="javascript:alert(1)">x</math>`, `<iframe src="javascript:alert(1)"></iframe>`, `<iframe srcdoc="<script>alert(1)</script>">`, `<object data="javascript:alert(1)">`, `<embed src="javascript:alert(1)">`,
	`<applet code=x>`, `<base href="//evil.example/">`, `<link rel=stylesheet href=//evil.example/x.css>`, `<meta http-equiv=refresh content="0;url=//evil.example">`, `<meta http-equiv="Content-Security-Policy" content="">`, `<style>@import '//evil.example/x.css';</style>`,
	`<style>*{background:url(//evil.example)}</style>`, `<div style="position:fixed;inset:0">cover</div>`, `<p style=behavior:url(x)>x</p>`, `<body onload=alert(1)>`, `<html onmouseover=alert(1)>`, `<frameset onload=alert(1)>`, `<table background="javascript:alert(1)">`,
	`<input autofocus onfocus=alert(1)>`, `<select autofocus onfocus=alert(1)>`, `<textarea autofocus onfocus=alert(1)>`, `<keygen autofocus onfocus=alert(1)>`, `<details open ontoggle=alert(1)>`, `<video><source onerror=alert(1)>`, `<video src=x onerror=alert(1)>`,
	`<audio src=x onerror=alert(1)>`, `<marquee onstart=alert(1)>`, `<isindex type=image src=1 onerror=alert(1)>`, `<form action="javascript:alert(1)"><input type=submit>`, `<form id=composer><input name=action>`, `<button formaction="javascript:alert(1)">x</button>`,
	`<button form="bulk" name="decision" value="approve">x</button>`, `<input form=bulk name=decision value=approve>`, `<a href="javascript:alert(1)">x</a>`, `<a href="jav&#x09;ascript:alert(1)">x</a>`, `<a href="&#14;javascript:alert(1)">x</a>`, `<a href="java&NewLine;script:alert(1)">x</a>`,
	`<a href="javascript&colon;alert(1)">x</a>`, `<a href=" javascript:alert(1)">x</a>`, `<a href="data:text/html,<script>alert(1)</script>">x</a>`, `<a href="vbscript:msgbox(1)">x</a>`, `<a href=x onclick=alert(1)>x</a>`, `<a target=_blank href=//evil.example>x</a>`, `<a ping=//evil.example href=/>x</a>`,
	`<a id=location>`, `<a name=cookie>`, `<img name=body>`, `<form name=querySelector>`, `<a id=main><a id=main name=x>`, `<h1 id=composer>x</h1>`, `<template><script>alert(1)</script></template>`, `<noscript><p title="</noscript><img src=x onerror=alert(1)>">`, `<xmp><p title="</xmp><img src=x onerror=alert(1)>">`,
	`<plaintext>`, `<textarea></textarea><script>alert(1)</script>`, `<title></title><script>alert(1)</script>`, `</textarea><script>alert(1)</script>`, `</title><script>alert(1)</script>`, `</script><script>alert(1)</script>`, `</style><script>alert(1)</script>`, `--><script>alert(1)</script>`,
	`<!--><script>alert(1)</script>-->`, `<!-- --!><script>alert(1)</script>`, `<!--[if gte IE 4]><script>alert(1)</script><![endif]-->`, `<![CDATA[<script>alert(1)</script>]]>`, `<?xml version="1.0"?><script>alert(1)</script>`, `<!DOCTYPE html><script>alert(1)</script>`, `<%<script>alert(1)</script>`,
	`</article></div></main><h1>escaped</h1>`, `</li></ol></section></main></body></html><script>alert(1)</script>`, `</p></blockquote></td></tr></table>`, `<div><p><b><i><u>`, `"><script>alert(1)</script>`, `'><script>alert(1)</script>`, `" onmouseover="alert(1)`, `' onmouseover='alert(1)`,
	"` onmouseover=`alert(1)", `" autofocus onfocus=alert(1) x="`, `x" style="x:expression(alert(1))`, `&lt;script&gt;alert(1)&lt;/script&gt;`, `&#60;script&#62;alert(1)&#60;/script&#62;`, `&amp;lt;script&amp;gt;`, `\u003cscript\u003ealert(1)`, `%3Cscript%3Ealert(1)%3C/script%3E`, `+ADw-script+AD4-alert(1)+ADw-/script+AD4-`,
	`{{constructor.constructor('alert(1)')()}}`, `{{.Site.URL}}{{template "layout.html"}}`, `${alert(1)}`, `#{7*7}`, `<%= 7*7 %>`, `[[${7*7}]]`, "\u2028<script>alert(1)</script>", "\u202e<script>alert(1)</script>", "＜script＞alert(1)＜/script＞", "<\u200bscript>alert(1)</script>", "<ſcript>alert(1)</ſcript>", "<ımg src=x onerror=alert(1)>",
	"# heading {onclick=alert(1)}", "# heading {#composer .button style=color:red}", "[x](javascript:alert(1))", "[x](javascript:alert(1) \"title\")", "[x](/ \"\\\" onmouseover=alert(1) x=\\\"\")", "![x](x \"onerror=alert(1)\")", "![x\" onerror=alert(1) y=\"](x)", "![](javascript:alert(1))", "![](data:image/svg+xml;base64,PHN2Zz4=)",
	"[x][1]\n\n[1]: javascript:alert(1)", "[x]: <javascript:alert(1)>\n\n[x]", "<javascript:alert(1)>", "<data:text/html,x>", "<https://evil.example/\"onmouseover=alert(1)>", "https://evil.example/<script>alert(1)</script>", "www.evil.example/\"onmouseover=alert(1)//", "```<script>\nx\n```", "```js\" onload=\"alert(1)\nx\n```", "~~~html onclick=alert(1)\n<script>alert(1)</script>\n~~~",
	"`<script>alert(1)</script>`", "> <script>alert(1)</script>", "- <img src=x onerror=alert(1)>", "1. </li></ol><script>alert(1)</script>", "| <script>alert(1)</script> | x |\n|---|---|\n| <img src=x onerror=alert(1)> | </td> |", "x[^1]\n\n[^1]: <script>alert(1)</script>", "x[^\"onclick=alert(1)]\n\n[^\"onclick=alert(1)]: y", "- [x] <script>alert(1)</script>",
	"*<b onclick=alert(1)>*", "**[x](javascript&#58;alert(1))**", "[x](&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A;alert(1))", "[x](\\javascript:alert(1))", "[x](//evil.example)", "[x](/\\evil.example)", "[x](#c1)", "[\u202etxt](https://evil.example)", "<a@evil.example\"onclick=alert(1)>", "<!-- -->\n<script>alert(1)</script>", "<div\n onclick=alert(1)>x</div>", "<a\thref\t=\tjavascript:alert(1)>x</a>",
}

// payloads are the handmade ones and every hostile scheme in every kind of link.
func payloads() []string {
	list := slices.Clone(handmade)
	for _, address := range []string{"javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "\x01javascript:alert(1)", "javascript\u200b:alert(1)", "&#106;avascript:alert(1)", "&Tab;javascript:alert(1)", "javascript://%0aalert(1)", "vbscript:x", "data:text/html;base64,PHNjcmlwdD4=",
		"data:image/svg+xml,<svg onload=alert(1)>", "blob:https://x/y", "file:///etc/passwd", "intent://x#Intent;end", "ms-msdt:/id", "view-source:javascript:alert(1)", "feed:javascript:alert(1)", "jar:javascript:alert(1)", "livescript:x", "mocha:x"} {
		for _, link := range []string{"[x](%s)", "[x](<%s>)", "![x](%s)", "<%s>", "[x][r]\n\n[r]: %s"} {
			list = append(list, fmt.Sprintf(link, address))
		}
	}
	return list
}

var (
	noElements   = strings.Fields("iframe object embed applet frame frameset style base math template noscript marquee video audio source track isindex keygen canvas image picture portal plaintext xmp listing bgsound layer foreignobject animate use")
	noAttributes = strings.Fields("style srcdoc formaction background ping xlink:href autofocus http-equiv srcset poster data dynsrc lowsrc manifest contenteditable is slot form-action")
	prose        = strings.Fields("p br hr blockquote ul ol li pre code em strong del table thead tbody tr th td a h1 h2 h3 h4 h5 h6 img sup div input")
	safeScheme   = regexp.MustCompile(`^(?i:https?:|mailto:)`)
	anyScheme    = regexp.MustCompile(`^[^/?#]*:`)
	stripped     = regexp.MustCompile(`[\x00-\x20\x{200b}]`)
)

// mustBeHarmless parses a page as browsers do, and looks for anything in it that
// the page would not have by itself.
func mustBeHarmless(t *testing.T, what string, page []byte) {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	complain := func(n *html.Node, format string, args ...any) {
		t.Helper()
		var text bytes.Buffer
		_ = html.Render(&text, n)
		t.Errorf("%s: %s in %.300s", what, fmt.Sprintf(format, args...), text.String())
	}
	mains := 0
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			if n.Type == html.CommentNode {
				complain(n, "a comment")
			}
			continue
		}
		typed := within(n, func(n *html.Node) bool {
			class := " " + attribute(n, "class") + " "
			return strings.Contains(class, " comment-text ") || strings.Contains(class, " prose ")
		})
		switch {
		case slices.Contains(noElements, n.Data):
			complain(n, "<%s>", n.Data)
		case typed && !slices.Contains(prose, n.Data) && attribute(n, "class") != "empty":
			complain(n, "<%s> in a text", n.Data)
		case n.Data == "script" && (!strings.HasPrefix(attribute(n, "src"), "/static/") || n.FirstChild != nil || !in(n, "head")):
			complain(n, "a script that is not ours")
		case n.Data == "link" && (!in(n, "head") || !slices.Contains([]string{"icon", "stylesheet", "modulepreload", "canonical"}, attribute(n, "rel"))):
			complain(n, "a link element that is not ours")
		case n.Data == "meta" && (!in(n, "head") || attribute(n, "charset") == "" && !slices.Contains([]string{"viewport", "color-scheme", "robots", "description"}, attribute(n, "name"))):
			complain(n, "a meta element that is not ours")
		case n.Data == "svg" && attribute(n, "class") != "icon":
			complain(n, "an image that is not ours")
		case n.Data == "main":
			if mains++; n.Parent.Data != "body" || mains > 1 {
				complain(n.Parent, "a main that is not where it was")
			}
		case (n.Data == "footer" && attribute(n, "class") == "colophon") && n.Parent.Data != "body":
			complain(n.Parent, "the page's end stands within something")
		case n.Data == "form" && in(n, "form"):
			complain(n, "a form in a form")
		}
		for _, a := range n.Attr {
			switch {
			case strings.HasPrefix(a.Key, "on") || slices.Contains(noAttributes, a.Key) || strings.ContainsAny(a.Key, "<>\"'`"):
				complain(n, "the attribute %s", a.Key)
			case typed && n.Data != "a" && (a.Key == "name" || a.Key == "form"):
				complain(n, "the attribute %s in a text", a.Key)
			case typed && a.Key == "id" && !strings.HasPrefix(a.Val, "s-"):
				if class := attribute(n, "class"); !strings.Contains(class, "prose") && !strings.Contains(class, "comment-text") {
					complain(n, "the id %q in a text", a.Val)
				}
			case slices.Contains([]string{"href", "src", "action", "cite"}, a.Key):
				bare := stripped.ReplaceAllString(a.Val, "")
				if anyScheme.MatchString(bare) && !safeScheme.MatchString(bare) {
					complain(n, "the address %q", a.Val)
				}
				if (n.Data == "form" || n.Data == "script") && (!strings.HasPrefix(a.Val, "/") || strings.HasPrefix(a.Val, "//")) {
					complain(n, "a form or script that leads to %q", a.Val)
				}
			case a.Key == "target" && !strings.Contains(attribute(n, "rel"), "noopener"):
				complain(n, "a target without noopener")
			}
		}
	}
}

func within(n *html.Node, is func(*html.Node) bool) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Type == html.ElementNode && is(p) {
			return true
		}
	}
	return false
}

func in(n *html.Node, element string) bool {
	return within(n, func(p *html.Node) bool { return p.Data == element })
}

// htmlIn collects the HTML in a JSON answer.
func htmlIn(value any, visit func(string)) {
	switch v := value.(type) {
	case object:
		for name, inner := range v {
			if text, ok := inner.(string); ok && name == "html" {
				visit(text)
			}
			htmlIn(inner, visit)
		}
	case []any:
		for _, inner := range v {
			htmlIn(inner, visit)
		}
	}
}

// harmless checks a page, or the HTML within a JSON answer.
func harmless(t *testing.T, res *response, about string) {
	t.Helper()
	what := fmt.Sprintf("%.120s with %.80q", res.what, about)
	switch media := res.header.Get("Content-Type"); {
	case strings.HasPrefix(media, "text/html"):
		mustBeHarmless(t, what, res.body)
	case strings.HasPrefix(media, "application/json"), media == "application/problem+json":
		var value any
		if err := json.Unmarshal(res.body, &value); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		htmlIn(value, func(text string) {
			mustBeHarmless(t, what, []byte(`<!doctype html><body><div class="comment-text">`+text+`</div></body>`))
		})
	case res.status >= 500:
		t.Errorf("%s: %d %s", what, res.status, media)
	}
}

// TestScriptsStayText puts every payload into every field that takes text, and
// parses every page and answer on which it appears.
func TestScriptsStayText(t *testing.T) {
	s := newServer(t)
	all := payloads()
	if len(all) < 150 {
		t.Fatalf("only %d payloads", len(all))
	}
	anna, annaPage := s.user("author", "anna"), s.visitor().signInAs("anna")
	rita, ritaPage := s.user("reader", "rita"), s.visitor().signInAs("rita")
	adam, adamPage := s.user("admin", "adam"), s.visitor().signInAs("adam")
	slug := s.article(anna, having("title", "The victim")).Slug
	var ids []int64
	for _, p := range all {
		// Names may not be spelled like that at all.
		for _, res := range []*response{
			adam.post("/api/v1/users", object{"username": p, "email": "a@example.org", "password": "a quite long new password"}),
			anna.post("/api/v1/articles", object{"title": "x", "body": "x", "slug": p}),
		} {
			if res.status != 422 {
				t.Errorf("%s took the name %q: %d", res.what, p, res.status)
			}
		}
		harmless(t, annaPage.post("/preview", url.Values{"kind": {"article"}, "body": {p}}), p)
		harmless(t, annaPage.post("/preview", url.Values{"kind": {"article"}, "body": {"text\n\n> " + p + "\n\ntext"}}), p)
		harmless(t, ritaPage.post("/preview", url.Values{"body": {p}}), p)
		res := rita.post("/api/v1/articles/"+slug+"/comments", object{"body": p})
		harmless(t, res, p)
		if res.status == 201 {
			id := int64(res.at("id").(float64))
			ids = append(ids, id)
			report := anna.post(fmt.Sprintf("/api/v1/comments/%d/reports", id), object{"reason": clip(p, 100), "note": p})
			if report.status == 422 { // a control character
				anna.post(fmt.Sprintf("/api/v1/comments/%d/reports", id), object{"reason": "x", "note": p})
			}
		}
		made := anna.post("/api/v1/articles", object{"title": clip(p, 200), "standfirst": p, "body": p, "message": clip(p, 200), "tags": []string{clip(p, 40)}, "state": "published"})
		if made.status == 422 {
			made = anna.post("/api/v1/articles", object{"title": "x", "body": p, "state": "published"})
		}
		harmless(t, made, p)
	}
	if len(ids) < 150 {
		t.Fatalf("only %d comments were taken", len(ids))
	}
	// Everything on every list.
	follow := func(who *client, path string) {
		for path != "" {
			res := who.get(path).is(200)
			harmless(t, res, "everything")
			path = nextPage(t, res)
		}
	}
	for _, who := range []*client{s.visitor(), ritaPage, annaPage, adamPage} {
		follow(who, "/?limit=100")
		follow(who, "/articles/"+slug+"?limit=100&sort=oldest")
		follow(who, "/users/anna")
		follow(who, "/users/rita")
	}
	follow(annaPage, "/desk?limit=100")
	follow(ritaPage, "/account")
	follow(adamPage, "/moderation?state=reported&limit=100")
	follow(adamPage, "/admin/users")
	for i, id := range ids {
		p := all[i%len(all)]
		harmless(t, adamPage.get(fmt.Sprintf("/moderation?state=reported&at=%d", id)), p)
		decided := adam.post("/api/v1/moderation/decisions", object{"comment_ids": []int64{id}, "decision": "reject", "reason": p})
		if decided.status == 422 {
			decided = adam.post("/api/v1/moderation/decisions", object{"comment_ids": []int64{id}, "decision": "reject"})
		}
		harmless(t, decided.is(201), p)
		for _, path := range []string{"", "/report", "/history", "/edit"} {
			harmless(t, ritaPage.get(fmt.Sprintf("/comments/%d%s", id, path)), p)
		}
	}
	follow(adamPage, "/moderation/log?limit=100")
	follow(adamPage, "/moderation?state=rejected&limit=100")
	follow(ritaPage, "/articles/"+slug)
	follow(ritaPage, "/account")
	noFailures(t, s.log.String())
}

// TestScriptsStayTextInNames is the same for what stands on every page, and for
// what a request brings along.
func TestScriptsStayTextInNames(t *testing.T) {
	s := newServer(t)
	anna, adam := s.browser("author", "anna"), s.browser("admin", "adam")
	program := s.anyone().signInAs("anna")
	slug := s.article(program).Slug
	id := s.comment(program, slug, "A comment.", 0).ID
	reply := s.comment(s.anyone().signInAs("adam"), slug, "A reply.", id).ID
	// Each payload goes to some of the addresses, so that each address gets many.
	some := func(i int, paths ...string) []string {
		slices.Sort(paths)
		return []string{paths[i%len(paths)], paths[(i+3)%len(paths)], paths[(i/2+7)%len(paths)]}
	}
	for i, p := range payloads() {
		if program.patch("/api/v1/me", object{"display_name": clip(p, 80), "bio": p}).status == 422 {
			program.patch("/api/v1/me", object{"bio": strings.Map(printable, p)})
		}
		for _, path := range some(i, "/", "/articles/"+slug, fmt.Sprintf("/comments/%d", reply), "/users/anna", "/account", "/desk/"+slug, "/articles/"+slug+"/revisions") {
			harmless(t, anna.get(path), p)
		}
		harmless(t, adam.get(fmt.Sprintf("/moderation?at=%d", id)), p)
		harmless(t, adam.get("/admin/users"), p)
		typed := url.Values{}
		for _, field := range []string{"title", "standfirst", "body", "slug", "tags", "publish_at", "message", "note", "reason", "reason_text", "bio", "display_name", "username", "email", "login", "next", "token", "state", "comment_policy", "decision", "return_state", "role", "value", "action"} {
			typed.Set(field, p)
		}
		for _, path := range some(i, "/desk/new", "/desk/"+slug, fmt.Sprintf("/comments/%d/report", reply), fmt.Sprintf("/comments/%d/edit", id), "/account/profile", "/register", "/login", "/setup", "/moderation/decisions",
			"/admin/users/anna/suspend", "/admin/users/anna/role", "/articles/nothing/comments", "/nothing") {
			who := anna
			if strings.HasPrefix(path, "/admin") || strings.HasPrefix(path, "/moderation") {
				who = adam
			}
			harmless(t, who.from("198.51.100.1").post(path, typed), p)
			harmless(t, s.visitor().post(path, typed), p)
		}
		query := url.QueryEscape(p)
		for _, path := range some(i, "/?tag="+query, "/?cursor="+query, "/?limit="+query, "/login?next="+query, "/login?next=/"+query, "/register?next=/"+query, "/setup?token="+query, "/nothing?a="+query, "/articles/"+slug+"?sort="+query,
			"/articles/"+slug+"?a="+query, "/articles/"+slug+"/compare?from="+query, "/nothing/"+url.PathEscape(p), "/users/"+url.PathEscape(p), "/articles/"+url.PathEscape(p), "/api/v1/articles/"+url.PathEscape(p), "/api/v1/articles?author="+query) {
			harmless(t, s.visitor().get(path), p)
		}
		for _, path := range some(i, "/admin/users?q="+query+"&role="+query, "/moderation?state="+query, "/moderation?at="+query, "/desk?state="+query, "/desk/"+slug+"?saved="+query) {
			harmless(t, adam.get(path), p)
		}
		agent := s.visitor().from("203.0.113.99").with("User-Agent", strings.Map(printable, p)).signInAs("adam")
		harmless(t, agent.get("/account"), p)
		agent.post("/logout", url.Values{})
	}
	noFailures(t, s.log.String())
}

func printable(r rune) rune {
	if r < ' ' {
		return -1
	}
	return r
}

// clip shortens a text to so many characters.
func clip(text string, atMost int) string {
	if utf8.RuneCountInString(text) <= atMost {
		return text
	}
	return string([]rune(text)[:atMost])
}

// nextPage is where "older" on a page leads, "" on the last.
func nextPage(t *testing.T, res *response) string {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(res.body))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Data == "a" && attribute(n, "rel") == "next" {
			path, _, _ := strings.Cut(attribute(n, "href"), "#")
			return path
		}
	}
	return ""
}
