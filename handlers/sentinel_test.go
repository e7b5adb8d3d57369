package handlers

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// seeds lists every address that answers to GET, about every object and with
// every filter there is; the crawl follows the links from there.
func (w *world) seeds(viewer string) []string {
	var list []string
	for _, r := range w.everyRoute() {
		if r.method != "GET" {
			continue
		}
		for _, about := range append(w.objects(r.method, r.path), "withdrawn") {
			list = append(list, w.address(r.path, about, viewer))
		}
	}
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	for _, state := range []string{"", "draft", "published", "scheduled", "archived", "deleted"} {
		add("/desk?state=%s", state)
		add("/api/v1/articles?state=%s", state)
		add("/api/v1/articles?mine=true&state=%s", state)
	}
	for _, state := range []string{"pending", "reported", "spam", "rejected"} {
		add("/moderation?state=%s", state)
		add("/api/v1/moderation/queue?state=%s&limit=2", state)
	}
	for _, sort := range []string{"best", "newest", "oldest"} {
		add("/articles/published-article?sort=%s&limit=1", sort)
		add("/api/v1/articles/published-article/comments?sort=%s", sort)
	}
	for name := range w.people {
		add("/users/%s", name)
		add("/api/v1/users/%s", name)
		add("/api/v1/articles?author=%s", name)
	}
	for _, id := range w.comments {
		add("/moderation?at=%d", id)
		add("/comments/%d", id)
		add("/comments/%d/history", id)
		add("/api/v1/comments/%d/replies", id)
	}
	for from := 1; from <= 6; from++ {
		add("/articles/published-article/revisions/%d", from)
		add("/api/v1/articles/published-article/revisions/%d", from)
		for to := 1; to <= 6; to++ {
			add("/articles/published-article/compare?from=%d&to=%d", from, to)
		}
	}
	for _, path := range []string{"/?tag=margins", "/?limit=1", "/api/v1/articles?limit=1", "/admin/users?q=a", "/admin/users?role=reader", "/admin/users?limit=2", "/login?next=/account",
		"/robots.txt", "/sitemap.xml", "/feed", "/.git/config", "/debug/pprof/", "/metrics", "/healthz", "/readyz", "/static/", "/static/../postil.db", "/account?saved=1", "/setup?token=x"} {
		add("%s", path)
	}
	return list
}

var requestID = regexp.MustCompile(`[A-Z2-7]{26}`)

// links lists where a page leads: what a person could click on, and what the
// browser loads by itself.
func links(t *testing.T, page []byte) []string {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			isLink := a.Key == "href" || a.Key == "src" || a.Key == "action" && n.Data == "form" && attribute(n, "method") == "get"
			if isLink && strings.HasPrefix(a.Val, "/") {
				path, _, _ := strings.Cut(a.Val, "#")
				list = append(list, path)
			}
		}
	}
	return list
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// crawl fetches every address a person can think of or is led to, and shows
// each answer. What a page links to must be there for its reader.
func (w *world) crawl(viewer string, visit func(*response)) {
	w.t.Helper()
	type step struct{ address, from string }
	var queue []step
	for _, address := range w.seeds(viewer) {
		queue = append(queue, step{address: address})
	}
	seen := map[string]int{}
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		who, key := w.as(viewer, strings.Split(next.address, "?")[0]), next.address
		if next.from != "" && who == w.people[viewer].api {
			who, key = w.people[viewer].page, "click "+next.address
		}
		if status := seen[key]; status != 0 {
			w.mayLink(viewer, next.from, next.address, status)
			continue
		}
		res := who.get(next.address)
		if seen[key] = res.status; len(seen) > 3000 {
			w.t.Fatalf("%s is led in circles: %s", viewer, next.address)
		}
		visit(res)
		w.mayLink(viewer, next.from, next.address, res.status)
		if strings.HasPrefix(res.header.Get("Content-Type"), "text/html") && res.status < 400 {
			for _, address := range links(w.t, res.body) {
				queue = append(queue, step{address, next.address})
			}
		}
	}
	if len(seen) < 150 {
		w.t.Errorf("%s saw only %d addresses", viewer, len(seen))
	}
}

// mayLink checks that a page links only to what its reader can open. Moderators
// read comments on articles that were withdrawn, which they cannot open.
func (w *world) mayLink(viewer, from, to string, status int) {
	w.t.Helper()
	if from == "" || status < 400 || viewer == "mona" && (strings.HasPrefix(to, "/articles/withdrawn-article") || strings.HasPrefix(to, "/articles/deleted-article")) {
		return
	}
	w.t.Errorf("%s finds a link to %s on %s, which answers %d", viewer, to, from, status)
}

// TestSentinels reads everything as everybody. Each private text holds a word
// of its own, which must not be found by anybody who may not read it.
func TestSentinels(t *testing.T) {
	w := newWorld(t)
	before, writes := w.state(), w.writes()
	found := map[string]bool{}
	for _, viewer := range viewers {
		w.crawl(viewer, func(res *response) {
			answer := string(res.body) + fmt.Sprint(res.header)
			for _, s := range w.secrets {
				if !strings.Contains(answer, s.word) {
					continue
				}
				found[s.what] = true
				if !slices.Contains(s.readers, viewer) {
					at := strings.Index(answer, s.word)
					t.Errorf("%s as %s shows %s: …%s…", res.what, viewer, s.what, answer[max(0, at-80):at+len(s.word)])
				}
			}
			if res.status >= 500 {
				t.Errorf("%s as %s: %d", res.what, viewer, res.status)
			}
		})
	}
	// A word that nobody ever sees proves nothing; these are kept and not shown.
	unseen := map[string]bool{
		"the standfirst of the first draft of a published article": true, "the tag of the first draft of a published article": true,
		"the standfirst of a withdrawn revision of a published article": true, "the tag of a withdrawn revision of a published article": true,
		"the heading of the first draft of a published article": true, "the user agent of zoe": true,
		"the program's session of zoe": true, "a browser's session of zoe": true,
	}
	for _, s := range w.secrets {
		if len(s.readers) > 0 && !found[s.what] && !unseen[s.what] {
			t.Errorf("nobody saw %s, not even %v: the crawl misses something", s.what, s.readers)
		}
	}
	if w.writes() != writes && w.state() != before {
		t.Error("reading changed something")
	}
	w.quietLog()
}

// TestCountsHideWhatIsHidden looks at every number that readers see.
func TestCountsHideWhatIsHidden(t *testing.T) {
	w := newWorld(t)
	number := func(viewer, path, field string) float64 {
		t.Helper()
		n, _ := w.people[viewer].api.get(path).is(200).at(field).(float64)
		return n
	}
	approved := fmt.Sprintf("/api/v1/comments/%d", w.comments["approved"])
	for _, viewer := range []string{"nobody", "rita", "sten", "anna", "mona", "adam"} {
		for _, c := range []struct {
			path, field string
			want        float64
		}{
			{"/api/v1/users/rita", "comment_count", 1},
			{"/api/v1/users/sten", "comment_count", 1},
			{"/api/v1/articles/published-article", "comment_count", 3},
			{approved, "reply_count", 0},
		} {
			if got := number(viewer, c.path, c.field); got != c.want {
				t.Errorf("%s as %s: %s is %v, not %v", c.path, viewer, c.field, got, c.want)
			}
		}
		if n := len(w.people[viewer].api.get("/api/v1/articles/published-article/comments").is(200).at("items").([]any)); n != 3 {
			t.Errorf("%s sees %d roots, not 3", viewer, n)
		}
	}
	for _, viewer := range []string{"nobody", "rita", "sten", "anna"} {
		w.people[viewer].page.get("/").is(200).hasNot("tally", "/moderation")
	}
	for _, viewer := range []string{"mona", "adam"} {
		w.people[viewer].page.get("/").is(200).has("tally")
	}
}

// TestHiddenLooksMissing compares what a stranger is told about something that
// is hidden from him with what he is told about nothing at all.
func TestHiddenLooksMissing(t *testing.T) {
	w := newWorld(t)
	blank := func(res *response, address string) string {
		text := requestID.ReplaceAllString(string(res.body), "ID")
		for _, form := range []string{address, url.QueryEscape(address), strings.ReplaceAll(url.QueryEscape(address), "%2F", "%2f"), strings.TrimPrefix(address, apiPrefix)} {
			if form != "" {
				text = strings.ReplaceAll(text, form, "ADDRESS")
			}
		}
		return fmt.Sprint(res.status, res.header.Get("Allow"), res.header.Get("WWW-Authenticate"), text)
	}
	for _, r := range w.everyRoute() {
		hidden := []string{"draft", "scheduled", "deleted"}
		switch {
		case strings.Contains(r.path, "/comments/:id"):
			hidden = []string{"pending", "rejected", "spam", "gone", "withdrawn"}
		case !strings.Contains(r.path, ":slug"):
			continue
		}
		for _, viewer := range []string{"nobody", "sten", "olaf"} {
			missing := blank(w.send(r, "missing", viewer), w.address(r.path, "missing", viewer))
			for _, about := range hidden {
				if got := blank(w.send(r, about, viewer), w.address(r.path, about, viewer)); got != missing {
					t.Errorf("%s %s as %s tells what is %s from what is missing:\n%.1500s\nmissing:\n%.1500s", r.method, r.path, viewer, about, got, missing)
				}
			}
		}
	}
	for _, about := range []string{"pending", "rejected", "spam", "gone", "deleted"} {
		reply := func(id int64) string {
			res := w.people["sten"].api.post("/api/v1/articles/published-article/comments", object{"body": "A reply.", "parent_id": id})
			return blank(res, "")
		}
		if got, missing := reply(w.comments[about]), reply(987654321); got != missing {
			t.Errorf("a reply to what is %s: %s, to what is missing: %s", about, got, missing)
		}
	}
}
