package handlers

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// deed is what the walk sends to a route that changes something, about the
// object that the path names.
type deed func(w *world, object string) any

func form(pairs ...string) deed {
	return func(*world, string) any {
		values := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			values.Add(pairs[i], pairs[i+1])
		}
		return values
	}
}

func sends(body object) deed { return func(*world, string) any { return body } }

// deeds lists what is sent to every route that is not GET. A route that is not
// here fails the walk.
var deeds = map[string]deed{
	"POST /articles/:slug/comments":                         form("body", "A comment."),
	"POST /articles/:slug/revisions/:number/restore":        form(),
	"POST /comments/:id/edit":                               form("body", "Another text."),
	"POST /comments/:id/delete":                             form(),
	"POST /comments/:id/report":                             form("reason", "spam", "note", "Look."),
	"POST /comments/:id/vote":                               form("value", "1"),
	"POST /preview":                                         form("body", "A *text*."),
	"POST /register":                                        form("username", "newcomer", "email", "newcomer@example.net", "password", "a quite long new password"),
	"POST /login":                                           form("login", "sten", "password", "seven blunt pencils walk home"),
	"POST /logout":                                          form(),
	"POST /setup":                                           form("token", "setup_wrong", "username", "newcomer", "email", "n@example.net", "password", "a quite long new password"),
	"POST /account/profile":                                 form("bio", "A new bio."),
	"POST /account/password":                                form("current_password", "seven blunt pencils walk home", "new_password", "eight sharp crayons run away"),
	"POST /account/sessions/end-others":                     form(),
	"POST /account/sessions/:id/end":                        form(),
	"POST /desk/:slug":                                      form("title", "A new title", "body", "A new body.", "state", "draft", "comment_policy", "open", "revision", "5", "slug", "", "closes_after_days", "0"),
	"POST /desk/:slug/delete":                               form(),
	"POST /moderation/decisions":                            decides,
	"POST /moderation/decisions/:id/undo":                   form(),
	"POST /admin/users/:username/role":                      form("role", "author"),
	"POST /admin/users/:username/suspend":                   form("days", "1", "reason", "Rest."),
	"POST /admin/users/:username/unsuspend":                 form(),
	"POST /api/v1/users":                                    sends(object{"username": "newcomer", "email": "newcomer@example.net", "password": "a quite long new password"}),
	"POST /api/v1/sessions":                                 sends(object{"login": "sten", "password": "seven blunt pencils walk home"}),
	"POST /api/v1/sessions/refresh":                         sends(object{"refresh_token": "pr_wrong"}),
	"DELETE /api/v1/sessions/:id":                           sends(nil),
	"PATCH /api/v1/me":                                      sends(object{"bio": "A new bio."}),
	"POST /api/v1/articles":                                 sends(object{"title": "A new article", "body": "A body."}),
	"PATCH /api/v1/articles/:slug":                          sends(object{"title": "A new title"}),
	"DELETE /api/v1/articles/:slug":                         sends(nil),
	"POST /api/v1/articles/:slug/revisions/:number/restore": sends(nil),
	"POST /api/v1/articles/:slug/comments":                  sends(object{"body": "A comment."}),
	"PATCH /api/v1/comments/:id":                            sends(object{"body": "Another text."}),
	"DELETE /api/v1/comments/:id":                           sends(nil),
	"PUT /api/v1/comments/:id/vote":                         sends(object{"value": -1}),
	"DELETE /api/v1/comments/:id/vote":                      sends(nil),
	"POST /api/v1/comments/:id/reports":                     sends(object{"reason": "spam"}),
	"POST /api/v1/moderation/decisions":                     decides,
	"POST /api/v1/moderation/decisions/:id/undo":            sends(nil),
}

// decides rejects the comment that is the object.
func decides(w *world, about string) any {
	id := w.comments[about]
	return twoFaced{object{"comment_ids": []int64{id}, "decision": "reject", "reason": "Why not."},
		url.Values{"comment_ids": {fmt.Sprint(id)}, "decision": {"reject"}, "reason": {"Why not."}}}
}

// twoFaced is a body for either face, until it is known which one is asked.
type twoFaced struct {
	json object
	form url.Values
}

// objects lists what a route is asked about, by the parameters of its path.
func (w *world) objects(method, path string) []string {
	var names []string
	switch {
	case strings.Contains(path, ":slug"):
		names = []string{"published", "draft", "scheduled", "archived", "deleted", "missing"}
		if strings.HasPrefix(path, "/desk/") {
			names = append(names, "new")
		}
		if strings.Contains(path, ":number") {
			names = append(names, "first draft")
		}
	case strings.Contains(path, "/comments/:id"):
		names = []string{"approved", "pending", "rejected", "spam", "deleted", "gone", "missing"}
	case strings.HasSuffix(path, "/moderation/decisions"):
		names = []string{"approved", "pending", "deleted", "admin's", "missing"}
	case strings.Contains(path, "sessions/:id"):
		names = []string{"own", "sten's", "missing"}
	case strings.Contains(path, ":id"):
		names = []string{"done", "missing"}
	case strings.Contains(path, ":username"):
		names = []string{"sten", "zoe", "adam", "missing"}
	default:
		names = []string{"-"}
	}
	return names
}

// address fills the parameters of a route's path.
func (w *world) address(path, about, viewer string) string {
	number := "2"
	if about == "first draft" { // of the article that was published since
		about, number = "published", "1"
	}
	slug, known := w.articles[about]
	if !known {
		slug = about
	}
	path = strings.Replace(path, ":slug", slug, 1)
	path = strings.Replace(path, ":number", number, 1)
	path = strings.Replace(path, ":username", about, 1)
	if !strings.Contains(path, ":id") {
		return path
	}
	id := "987654321"
	switch {
	case strings.Contains(path, "sessions/:id") && about == "own" && w.people[viewer].session != "":
		id = w.people[viewer].session
	case strings.Contains(path, "sessions/:id") && about == "sten's":
		id = w.people["sten"].session
	case about == "done":
		id = fmt.Sprint(w.decision)
	case w.comments[about] != 0:
		id = fmt.Sprint(w.comments[about])
	}
	return strings.Replace(path, ":id", id, 1)
}

// everyRoute lists the router's table with full paths.
func (w *world) everyRoute() []route {
	h := &Handlers{Config: w.config}
	pages, api := h.table()
	for _, r := range api {
		r.path = apiPrefix + r.path
		pages = append(pages, r)
	}
	return pages
}

// send asks a route about an object as a viewer.
func (w *world) send(r route, about, viewer string) *response {
	w.t.Helper()
	path := w.address(r.path, about, viewer)
	var body any
	if r.method != "GET" {
		make, known := deeds[r.method+" "+r.path]
		if !known {
			w.t.Fatalf("%s %s is a new route: say in deeds what the walk sends to it", r.method, r.path)
		}
		body = make(w, about)
	}
	isAPI := strings.HasPrefix(r.path, apiPrefix+"/")
	switch b := body.(type) {
	case twoFaced:
		if body = b.form; isAPI {
			body = b.json
		}
	case object:
		if b == nil {
			body = nil
		}
	}
	who := w.as(viewer, r.path)
	if r.method == "PATCH" && strings.Contains(r.path, "/articles/") {
		who = who.with("If-Match", "*")
	}
	return who.do(r.method, path, body)
}

// TestWalk asks every route, as everybody, about something in every state, and
// compares the answers with the written table. Whoever changes a right sees the
// row change, and a new route has no row.
//
// On the way it checks that what is refused, and whatever only looks, writes
// nothing at all.
func TestWalk(t *testing.T) {
	w := newWorld(t)
	before := w.state()
	var out strings.Builder
	fmt.Fprintf(&out, "# Statuses of every route, for every object it may be about, as everybody.\n# rita wrote the comments, anna the articles; zoe is suspended. Checked by TestWalk; -update writes it anew.\n")
	fmt.Fprintf(&out, "%-58s %-10s", "#", "")
	for _, v := range viewers {
		fmt.Fprintf(&out, " %6s", v)
	}
	out.WriteString("\n")
	for _, r := range w.everyRoute() {
		for _, about := range w.objects(r.method, r.path) {
			fmt.Fprintf(&out, "%-58s %-10s", r.method+" "+r.path, about)
			for _, viewer := range viewers {
				writes := w.writes()
				res := w.send(r, about, viewer)
				fmt.Fprintf(&out, " %6d", res.status)
				wrote := w.writes() != writes
				switch {
				case res.status >= 500:
					t.Errorf("%s as %s: %d %s", res.what, viewer, res.status, shortened(res.body))
				case r.method == "GET" && wrote:
					t.Errorf("%s as %s wrote to the database", res.what, viewer)
				case wrote && res.status >= 400 && w.state() != before:
					t.Errorf("%s as %s was refused with %d and changed something", res.what, viewer, res.status)
				}
				if wrote {
					w.restore()
					w.forget(viewer)
				}
				if r.method == "GET" {
					w.sameHead(r, about, viewer, res)
				}
			}
			out.WriteString("\n")
		}
	}
	if w.state() != before {
		t.Error("the world was not put back as it was")
	}
	golden(t, "walk.golden", out.String())
	w.quietLog()
}

// forget undoes what an answer did to the cookies of a browser: everybody's
// session is open again.
func (w *world) forget(viewer string) {
	p := w.people[viewer]
	jar, _ := cookiejar.New(nil)
	jar.SetCookies(w.site(), p.cookie)
	p.page.jar = jar
}

// sameHead checks that HEAD answers as GET does, without a body.
func (w *world) sameHead(r route, about, viewer string, get *response) {
	w.t.Helper()
	head := w.as(viewer, r.path).do("HEAD", w.address(r.path, about, viewer), nil)
	if head.status != get.status {
		w.t.Errorf("%s as %s: GET gives %d, HEAD %d", get.what, viewer, get.status, head.status)
	}
	for _, name := range []string{"Content-Type", "Cache-Control", "Vary", "ETag", "Location", "Content-Security-Policy", "Allow"} {
		if g, h := get.header.Values(name), head.header.Values(name); !slices.Equal(g, h) {
			w.t.Errorf("%s as %s: %s is %q for GET and %q for HEAD", get.what, viewer, name, g, h)
		}
	}
}

// quietLog fails the test if the server had to log a failure or a panic.
func (w *world) quietLog() {
	w.t.Helper()
	noFailures(w.t, w.log.String())
}

func noFailures(t *testing.T, log string) {
	t.Helper()
	for line := range strings.Lines(log) {
		if strings.Contains(line, "level=ERROR") || strings.Contains(line, "panic") {
			t.Errorf("logged: %.600s", line)
		}
	}
}

// golden compares a text with a file of testdata, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at it, then run with -update\n%s", path, cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")))
	}
}

// TestWalkOtherMethods asks every address with the methods it does not have, and
// with a slash behind it: nobody gets anything but a refusal.
func TestWalkOtherMethods(t *testing.T) {
	w := newWorld(t)
	before := w.state()
	has := map[string]map[string]bool{}
	for _, r := range w.everyRoute() {
		if has[r.path] == nil {
			has[r.path] = map[string]bool{}
		}
		has[r.path][r.method] = true
		has[r.path]["HEAD"] = has[r.path]["HEAD"] || r.method == "GET"
	}
	for _, path := range []string{"/healthz", "/readyz", "/robots.txt"} {
		has[path] = map[string]bool{"GET": true, "HEAD": true}
	}
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "BREW"}
	for _, path := range sortedNames(has) {
		about := "published"
		if strings.Contains(path, ":id") {
			about = "approved"
		}
		for _, viewer := range []string{"nobody", "adam"} {
			address := w.address(path, about, viewer)
			for _, method := range methods {
				if has[path][method] || path == "/api/v1/sessions/refresh" && method == "DELETE" { // that one is named like a session
					continue
				}
				res := w.as(viewer, path).do(method, address, nil)
				allow := res.header.Get("Allow")
				if res.status != http.StatusMethodNotAllowed || allow == "" || strings.Contains(allow, method) && method != "get" {
					t.Errorf("%s as %s: %d, Allow %q; want 405 and the methods there are", res.what, viewer, res.status, allow)
				}
			}
			if path == "/" {
				continue
			}
			for method := range has[path] {
				if res := w.as(viewer, path).do(method, address+"/", nil); res.status != http.StatusNotFound && res.status != http.StatusMethodNotAllowed {
					t.Errorf("%s as %s: %d; an address with a slash behind it is another address", res.what, viewer, res.status)
				}
			}
		}
	}
	if w.state() != before {
		t.Error("something was changed")
	}
	w.quietLog()
}
