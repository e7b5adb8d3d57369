package markup

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/html"
)

// allowed is what may ever appear in the output, written out a second time and
// independently of the policy: tags, their attributes, and what those may hold.
var allowed = map[string]map[string]string{
	"p": {"dir": "auto"}, "li": {"dir": "auto", "id": footnoteRule}, "blockquote": {"dir": "auto"},
	"h1": headingRule, "h2": headingRule, "h3": headingRule, "h4": headingRule, "h5": headingRule, "h6": headingRule,
	"td": cellRule, "th": cellRule, "table": {}, "thead": {}, "tbody": {}, "tr": {},
	"ul": {}, "ol": {"start": `[0-9]+`}, "pre": {}, "code": {"class": `language-\S+`},
	"em": {}, "strong": {}, "del": {}, "br": {}, "hr": {}, "sup": {"id": footnoteRule}, "div": {"class": "footnotes", "role": "doc-endnotes"},
	"a": {"href": `(?i:https?://|mailto:)[^\x00-\x20]*|#[^\x00-\x20]*|/(?:[^/\\\x00-\x20][^\x00-\x20]*)?`, "title": `(?s).*`,
		"rel": `nofollow ugc noopener|noopener`, "class": "footnote-(?:back)?ref", "role": "doc-(?:noteref|backlink)"},
	"img":   {"src": `/[^/\\\x00-\x20][^\x00-\x20]*`, "alt": `(?s).*`, "title": `(?s).*`, "loading": "lazy"},
	"input": {"type": "checkbox", "checked": "", "disabled": ""},
}

var (
	headingRule  = map[string]string{"id": `s-[^\s:"]+`, "dir": "auto"}
	cellRule     = map[string]string{"align": "left|right|center", "dir": "auto"}
	footnoteRule = `s-fn(?:ref[0-9]*)?:[0-9]+`
)

var articleOnly = []string{"h1", "h2", "h3", "h4", "h5", "h6", "img", "input", "sup", "div"}

// checkSafe asserts everything that is promised about any output at all.
func checkSafe(t *testing.T, d *dialect, out Rendered) {
	t.Helper()
	if again := string(d.policy.SanitizeBytes([]byte(out.HTML))); again != out.HTML {
		t.Errorf("sanitising again changes the output\nfirst  %q\nsecond %q", out.HTML, again)
	}
	for _, s := range []string{out.HTML, out.Text} {
		if i := strings.IndexFunc(s, dropped); i >= 0 {
			t.Errorf("a control character is left in %q", s[i:])
		}
	}
	for _, line := range strings.Split(out.Text, "\n") {
		if line != strings.Join(strings.Fields(line), " ") || line == "" && out.Text != "" {
			t.Errorf("white space is left in line %q of the text", line)
		}
	}
	ids := map[string]bool{}
	open := 0
	z := html.NewTokenizer(strings.NewReader(out.HTML))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if open != 0 {
				t.Errorf("%d tags are not closed in %q", open, out.HTML)
			}
			return
		case html.CommentToken, html.DoctypeToken:
			t.Errorf("unexpected token %q", z.Raw())
		case html.EndTagToken:
			open--
		case html.StartTagToken:
			token := z.Token()
			if !slices.Contains([]string{"br", "hr", "img", "input"}, token.Data) {
				open++
			}
			checkTag(t, d, token, ids)
		}
	}
}

func checkTag(t *testing.T, d *dialect, token html.Token, ids map[string]bool) {
	t.Helper()
	attrs, ok := allowed[token.Data]
	if !ok || !d.ids && slices.Contains(articleOnly, token.Data) {
		t.Errorf("forbidden tag %v", token)
	}
	for _, a := range token.Attr {
		pattern, ok := attrs[a.Key]
		if !ok || !regexp.MustCompile(`^(?:`+pattern+`)$`).MatchString(a.Val) {
			t.Errorf("forbidden attribute in %v", token)
		}
		if a.Key == "id" {
			if !d.ids || ids[a.Val] {
				t.Errorf("id %q is forbidden or used twice", a.Val)
			}
			ids[a.Val] = true
		}
	}
	if token.Data == "a" && !d.ids && !strings.Contains(token.String(), `rel="nofollow ugc noopener"`) {
		t.Errorf("link without rel: %v", token)
	}
}

// hostile texts: each tries to bring a tag, an attribute or an address of its
// own onto the page.
var hostile = []string{
	`<script>alert(1)</script>`,
	`<img src=x onerror=alert(1)>`,
	`<svg/onload=alert(1)><math><mtext></p><style><img src onerror=alert(1)>`,
	`<a href="javascript:alert(1)">x</a>`,
	`[x](javascript:alert(1)) [x](JaVaScRiPt:alert(1)) [x]( javascript:alert(1))`,
	`[x](java&#115;cript:alert(1)) [x](&#x6A;avascript&colon;alert(1)) [x](java&Tab;script:alert(1))`,
	`[x](vbscript:a) [x](data:text/html;base64,PHNjcmlwdD4=) [x](file:///etc/passwd) [x](intent://x#Intent;end)`,
	`![x](javascript:alert(1)) ![x](data:image/svg+xml,<svg>) ![x](https://a/"onerror="alert(1))`,
	`[x](https://a.b/"onclick="alert(1)) [x](https://a.b 'a" onclick="alert(1)')`,
	"[x]: javascript:alert(1)\n\n[x] [x][x]",
	`<javascript:alert(1)> <data:text/html,x> <https://a.b/"><img/src=x>`,
	`[x](//evil.example) [x](/\evil.example) [x](\\evil.example) [x](https:/evil.example) [x](http:evil)`,
	`[x](#" id="admin) # " onclick=x` + "\n# <b id=admin>",
	"```\" onclick=alert(1) class=\"x\ncode\n```\n```x<script>\n</code></pre><script>\n```",
	"`</code><script>alert(1)</script>`",
	"&lt;script&gt;alert(1)&lt;/script&gt; &#60;script&#62; &amp;lt;script&gt;",
	"|<script>|\n|-|\n|`</td><script>`|\n",
	"[^<script>]\n\n[^<script>]: </li></ol><script>alert(1)</script>",
	"# a\n# a\n# a-1\n# fn:1\n## \n# constructor\n",
	"<!-- --!><script>alert(1)</script> -->\n<?php x ?>\n<![CDATA[ <script>x</script> ]]>\n<!X <script>>",
	"<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
	"</p></div></article></body><h1>x",
	"&#8238;evil&#8236; \u202eevil\u2066 &#0; \x00\x01\x1b[31m \xff\xfe &#x1b;[31m",
	"- [x] <input onfocus=alert(1) autofocus>\n- [ ] b",
	"[a](/b \"t\" onclick=1) ![a\"onload=1](/x.png \"\" onload=1\")",
	"[![a](/i.png)](javascript:alert(1)) [![a](javascript:x)](/ok) [a [b](/c) d](/e)",
	"www.example.com/\"onclick=alert(1) http://a.b/<script> a@b.c\"><script>",
	"mailto:x [x](mailto:) [x](mailto:a@b.c?subject=x%0aBcc:y) <mailto:a@b.c>",
	"1000000000. x\n\n-1. y\n\n999999999) z",
}

func TestHostileTextIsHarmless(t *testing.T) {
	for _, src := range hostile {
		for _, d := range []*dialect{commentDialect(), articleDialect()} {
			out, err := d.render(src)
			if err != nil {
				t.Errorf("%q: %v", src, err)
			}
			checkSafe(t, d, out)
		}
	}
}

// A broken renderer must be harmless, too: here it writes whatever it likes and
// the policy alone has to stop it.
func TestPolicyAloneIsEnough(t *testing.T) {
	for _, fragment := range append([]string{
		`<p id="x" class="y" style="z" onclick="a" dir="rtl">t</p>`,
		`<a href="//evil">x</a><a href="javascript:x">x</a><a href="intent:x">x</a>`,
		`<img src="http://x/y"><img src="data:x"><iframe src="https://x"></iframe>`,
		`<h1 id="admin">x</h1><h1 id="s-x" class="y">x</h1>`,
		`<code class="language-x y">x</code><input type="text"><form action="/x"></form>`,
		`<a href="/x" rel="opener" target="_blank">x</a>`,
	}, hostile...) {
		for _, d := range []*dialect{commentDialect(), articleDialect()} {
			safe := string(d.policy.SanitizeBytes([]byte(fragment)))
			z := html.NewTokenizer(strings.NewReader(safe))
			for z.Next() != html.ErrorToken {
				token := z.Token()
				if token.Type != html.StartTagToken {
					continue
				}
				if strings.Contains(token.String(), "nofollow") && !d.ids {
					token.Attr = slices.DeleteFunc(token.Attr, func(a html.Attribute) bool { return a.Key == "rel" })
					token.Attr = append(token.Attr, html.Attribute{Key: "rel", Val: "nofollow ugc noopener"})
				}
				checkTag(t, d, token, map[string]bool{})
			}
		}
	}
}

func TestManyGoroutinesGetTheSameAnswer(t *testing.T) {
	type answer struct{ comment, article string }
	want := make([]answer, len(hostile))
	for i, src := range hostile {
		comment, _ := Comment(src)
		article, _ := Article(src)
		want[i] = answer{comment.HTML, article.HTML}
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i, src := range hostile {
				comment, _ := Comment(src)
				article, _ := Article(src)
				if (answer{comment.HTML, article.HTML}) != want[i] {
					t.Errorf("%q renders differently in parallel", src)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzRender(f *testing.F) {
	for _, src := range hostile {
		f.Add(src)
	}
	for _, b := range bombs {
		f.Add(b.make(3_000))
	}
	f.Fuzz(func(t *testing.T, src string) {
		for _, d := range []*dialect{commentDialect(), articleDialect()} {
			out, err := d.render(src)
			var limit *LimitError
			if err != nil && !errors.As(err, &limit) {
				t.Fatalf("%q: %v", src, err)
			}
			checkSafe(t, d, out)
			if budget := 10*len(clean(src)) + 16<<10; len(out.HTML) > budget {
				t.Errorf("%d bytes of HTML from %d", len(out.HTML), len(src))
			}
		}
	})
}
