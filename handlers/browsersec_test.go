package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"postil/middleware"
	"postil/models"
	"postil/models/modelstest"
)

// fromElsewhere is what is said to a request that another site made a browser
// send.
const fromElsewhere = "came from another site"

// TestCrossSiteMatrix sends every request that changes something as browsers
// send it for other sites, with a cookie, with a token, and with neither.
func TestCrossSiteMatrix(t *testing.T) {
	w := newWorld(t)
	before := w.state()
	origins := map[string]string{"matching": "http://postil.test", "foreign": "https://evil.example", "sibling": "http://blog.postil.test", "port": "http://postil.test:8080", "suffix": "http://evilpostil.test", "null": "null", "absent": ""}
	sites := []string{"same-origin", "same-site", "cross-site", "none", "", "cross-site, same-origin", "unknown"}
	for _, r := range w.everyRoute() {
		if r.method == "GET" {
			continue
		}
		about := w.objects(r.method, r.path)[0]
		body := deeds[r.method+" "+r.path](w, about)
		if both, ok := body.(twoFaced); ok {
			if body = both.form; strings.HasPrefix(r.path, apiPrefix) {
				body = both.json
			}
		}
		full := r.path == "/comments/:id/vote" || r.path == "/login" || r.path == "/api/v1/me"
		for _, site := range sites {
			for _, kind := range sortedNames(origins) {
				origin := origins[kind]
				// Sec-Fetch-Site decides where there is one, else Origin; programs send neither.
				allowed := site == "same-origin" || site == "none" || kind == "matching" || site == "" && kind == "absent"
				if allowed && !full {
					continue
				}
				for _, credential := range []string{"cookie", "nothing"} {
					who := w.people["sten"].page
					if credential == "nothing" {
						who = w.visitor()
					}
					who = who.with("Sec-Fetch-Site", site).with("Origin", origin)
					res := who.do(r.method, w.address(r.path, about, "sten"), body)
					refused := res.status == http.StatusForbidden && strings.Contains(string(res.body), fromElsewhere)
					if refused == allowed {
						t.Errorf("%s with %s, Sec-Fetch-Site %q, Origin %s: %d, refused %v", res.what, credential, site, kind, res.status, refused)
					}
					if refused && len(res.cookies) > 0 {
						t.Errorf("%s is refused and sets cookies", res.what)
					}
					if allowed {
						w.restore()
						w.forget("sten")
					}
				}
			}
		}
		// No site can make a browser send a token, so where it came from does not matter.
		if strings.HasPrefix(r.path, apiPrefix+"/") {
			res := w.people["sten"].api.with("Sec-Fetch-Site", "cross-site").with("Origin", "https://evil.example").with("If-Match", "*").do(r.method, w.address(r.path, about, "sten"), body)
			if strings.Contains(string(res.body), fromElsewhere) {
				t.Errorf("%s with a token: %d %s", res.what, res.status, shortened(res.body))
			}
			w.restore()
		}
	}
	if w.state() != before {
		t.Error("something was changed")
	}
	w.quietLog()
}

// TestProxyMayChangeTheHost posts a form through a proxy that asks for another
// Host than readers do.
func TestProxyMayChangeTheHost(t *testing.T) {
	s := newServer(t, withSite("https://talk.example"))
	rita := s.browser("reader", "rita")
	rita.host = "127.0.0.1:8080"
	rita.with("Sec-Fetch-Site", "").with("Origin", "https://talk.example").post("/account/profile", url.Values{"bio": {"Hello."}}).is(303)
	rita.with("Sec-Fetch-Site", "").with("Origin", "https://evil.example").post("/account/profile", url.Values{"bio": {"Evil."}}).is(403)
}

// TestTokenBeforeCookie sends both: the token counts, even when it is wrong.
func TestTokenBeforeCookie(t *testing.T) {
	w := newWorld(t)
	both := w.people["adam"].page.with("Authorization", "Bearer "+w.people["sten"].api.signed.AccessToken)
	both.get("/api/v1/me").is(200).has(`"username":"sten"`)
	both.get("/admin/users").is(403)
	w.people["adam"].page.with("Authorization", "Bearer x").get("/api/v1/me").is(401)
	w.people["adam"].page.with("Authorization", "Basic eDp5").post("/admin/users/sten/role", url.Values{"role": {"admin"}}).is(401)
}

// TestSecurityHeaders looks at one answer of each kind.
func TestSecurityHeaders(t *testing.T) {
	for _, site := range []string{"http://postil.test", "https://postil.test"} {
		w := newWorld(t, withSite(site))
		renderer := w.config.Renderer
		asset := ""
		for _, link := range links(t, w.visitor().get("/").body) {
			if strings.HasPrefix(link, "/static/") {
				asset = link
			}
		}
		if _, ok := renderer.Asset(strings.TrimPrefix(asset, "/static/")); !ok {
			t.Fatalf("%q is no static file", asset)
		}
		page, api := w.people["adam"].page, w.people["adam"].api
		answers := map[string]*response{
			"page": w.visitor().get("/"), "own page": page.get("/account"), "API": api.get("/api/v1/me"), "API for nobody": w.anyone().get("/api/v1/articles"), "static": w.visitor().get(asset),
			"static 304": w.visitor().with("If-None-Match", w.visitor().get(asset).header.Get("ETag")).get(asset), "no static": w.visitor().get("/static/x"), "404": w.visitor().get("/nothing"), "API 404": api.get("/api/v1/nothing"),
			"401": w.anyone().get("/api/v1/me"), "403": w.people["sten"].page.get("/moderation"), "405": w.visitor().post("/", url.Values{}), "API 405": api.put("/api/v1/me", object{}), "redirect": w.visitor().get("/account"),
			"cross-site": page.with("Sec-Fetch-Site", "cross-site").with("Origin", "").post("/logout", url.Values{}), "422": page.post("/preview", url.Values{"body": {""}}), "health": w.visitor().get("/healthz"), "ready": w.visitor().get("/readyz"),
			"robots": w.visitor().get("/robots.txt"), "description": w.visitor().get("/api/v1/openapi.json"), "docs": w.visitor().get("/api/v1/docs"), "204": api.delete(fmt.Sprintf("/api/v1/comments/%d/vote", w.comments["reply"])),
			"HEAD": w.visitor().do("HEAD", "/", nil), "OPTIONS": w.visitor().options("/"), "413": page.post("/logout", url.Values{"a": {strings.Repeat("a", 5<<20)}}),
		}
		for what, res := range answers {
			isPage := strings.HasPrefix(res.header.Get("Content-Type"), "text/html") && res.status != 303
			want := map[string]string{
				"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
				"Referrer-Policy": "strict-origin-when-cross-origin", "Content-Security-Policy": middleware.DataPolicy, "Strict-Transport-Security": "",
				"Access-Control-Allow-Origin": "", "Access-Control-Allow-Credentials": "", "Server": "", "X-Powered-By": "",
			}
			if isPage {
				want["Content-Security-Policy"] = middleware.PagePolicy
			}
			if site == "https://postil.test" {
				want["Strict-Transport-Security"] = "max-age=31536000"
			}
			for name, value := range want {
				if got := strings.Join(res.header.Values(name), " | "); got != value {
					t.Errorf("%s (%s): %s is %q, not %q", what, res.what, name, got, value)
				}
			}
			if !strings.Contains(res.header.Get("Permissions-Policy"), "camera=()") || len(res.header.Get("X-Request-Id")) < 20 {
				t.Errorf("%s: Permissions-Policy %q, X-Request-Id %q", what, res.header.Get("Permissions-Policy"), res.header.Get("X-Request-Id"))
			}
			if media := res.header.Get("Content-Type"); len(res.body) > 0 && !slices.Contains([]string{"text/html; charset=utf-8", "application/json; charset=utf-8", "application/problem+json", "text/css; charset=utf-8",
				"text/javascript; charset=utf-8", "image/svg+xml", "text/plain; charset=utf-8"}, media) {
				t.Errorf("%s: Content-Type %q", what, media)
			}
		}
	}
	for _, policy := range []string{middleware.PagePolicy, middleware.DataPolicy} {
		for _, bad := range []string{"unsafe", "http:", "https:", "*", "blob:"} {
			if strings.Contains(policy, bad) {
				t.Errorf("the policy %q contains %q", policy, bad)
			}
		}
		for _, good := range []string{"default-src 'none'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, good) {
				t.Errorf("the policy %q lacks %q", policy, good)
			}
		}
	}
}

// TestCaching crawls the site: what was made for one person is stored nowhere,
// and what nobody gets is the same for everybody.
func TestCaching(t *testing.T) {
	w := newWorld(t)
	shared := map[string]bool{"/api/v1/openapi.json": true, "/robots.txt": true, "/healthz": true, "/readyz": true}
	for _, viewer := range []string{"nobody", "rita", "mona"} {
		w.crawl(viewer, func(res *response) {
			path := strings.Split(strings.TrimPrefix(res.what, "GET "), "?")[0]
			if shared[path] || strings.HasPrefix(path, "/static/") {
				return
			}
			if len(res.cookies) > 0 {
				t.Errorf("%s as %s sets cookies", res.what, viewer)
			}
			want := []string{"no-store"}
			if viewer == "nobody" {
				want = append(want, "no-cache")
			}
			if got := res.header.Get("Cache-Control"); !slices.Contains(want, got) {
				t.Errorf("%s as %s: Cache-Control %q", res.what, viewer, got)
			}
			if !strings.Contains(strings.Join(res.header.Values("Vary"), ","), "Cookie") {
				t.Errorf("%s as %s: Vary %q", res.what, viewer, res.header.Values("Vary"))
			}
		})
	}
	for _, path := range []string{"/", "/articles/published-article", "/users/rita", "/login", "/api/v1/articles"} {
		plain := requestID.ReplaceAllString(w.visitor().get(path).text(), "")
		if other := requestID.ReplaceAllString(w.visitor().with("Cookie", "postil=wrong; a=b").with("Accept-Language", "de").with("User-Agent", "x").get(path).text(), ""); other != plain {
			t.Errorf("%s is not the same for two visitors", path)
		}
	}
}

// TestCookies looks at how the session's cookie is set, and that signing out
// takes it back and voids it.
func TestCookies(t *testing.T) {
	for site, name := range map[string]string{"http://postil.test": "postil", "https://postil.test": "__Host-postil"} {
		s := newServer(t, withSite(site))
		username := s.account("reader")
		login := url.Values{"login": {username}, "password": {modelstest.Password}}
		res := s.visitor().post("/login", login).is(303)
		register := s.visitor().post("/register", url.Values{"username": {"fresh"}, "email": {"fresh@example.org"}, "password": {"a quite long new password"}}).is(303)
		for _, set := range []*response{res, register} {
			if len(set.cookies) != 1 {
				t.Fatalf("%s sets %d cookies", set.what, len(set.cookies))
			}
			c := set.cookies[0]
			if c.Name != name || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.Secure != strings.HasPrefix(site, "https") || len(c.Value) < 43 || c.MaxAge <= 0 {
				t.Errorf("%s at %s sets %s", set.what, site, c.Raw)
			}
			if strings.Contains(set.header.Get("Location"), c.Value) {
				t.Errorf("%s puts the token into an address", set.what)
			}
		}
		who := s.anyone().with("Sec-Fetch-Site", "same-origin").with("Cookie", name+"="+res.cookies[0].Value)
		who.get("/account").is(200)
		out := who.post("/logout", url.Values{}).is(303)
		if len(out.cookies) != 1 || out.cookies[0].MaxAge >= 0 || out.cookies[0].Value != "" || out.header.Get("Clear-Site-Data") == "" {
			t.Errorf("signing out sets %v", out.cookies)
		}
		who.get("/account").is(303)

		// A token that was planted before is not the one that opens afterwards.
		planted := "pp_" + strings.Repeat("a", 43)
		again := s.anyone().with("Sec-Fetch-Site", "same-origin").with("Cookie", name+"="+planted).post("/login", login).is(303)
		if again.cookies[0].Value == planted || again.cookies[0].Value == res.cookies[0].Value {
			t.Error("a token outlived a login")
		}
		s.anyone().with("Cookie", name+"="+planted).get("/account").is(303)
	}
}

// TestEndings does everything that ends a session and tries each credential
// afterwards.
func TestEndings(t *testing.T) {
	ended := func(here, elsewhere bool) map[string]bool {
		return map[string]bool{"cookie": here, "another cookie": elsewhere, "token": elsewhere, "refresh": elsewhere}
	}
	for name, c := range map[string]struct {
		deed func(s *server, page *client, admin *client) *response
		ends map[string]bool
	}{
		"sign out": {func(s *server, page, _ *client) *response { return page.post("/logout", url.Values{}) }, ended(true, false)},
		"end others": {func(s *server, page, _ *client) *response {
			return page.post("/account/sessions/end-others", url.Values{})
		}, ended(false, true)},
		"change password": {func(s *server, page, _ *client) *response {
			return page.post("/account/password", url.Values{"current_password": {modelstest.Password}, "new_password": {"eight sharp crayons run away"}})
		}, ended(false, true)},
		"suspend": {func(s *server, _, admin *client) *response {
			return admin.post("/admin/users/rita/suspend", url.Values{"days": {"1"}, "reason": {"Rest."}})
		}, ended(true, true)},
		"suspend and lift it": {func(s *server, _, admin *client) *response {
			admin.post("/admin/users/rita/suspend", url.Values{"days": {"1"}, "reason": {"Rest."}}).is(303)
			return admin.post("/admin/users/rita/unsuspend", url.Values{})
		}, ended(true, true)},
		"new role": {func(s *server, _, admin *client) *response {
			return admin.post("/admin/users/rita/role", url.Values{"role": {"author"}})
		}, ended(false, false)},
		"thirty-one days": {func(s *server, page, _ *client) *response {
			s.clock.Advance(31 * 24 * time.Hour)
			return page.get("/login")
		}, ended(true, true)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			admin, page := s.browser("admin"), s.browser("reader", "rita")
			credentials := map[string]*client{"cookie": page, "another cookie": s.visitor().signInAs("rita"), "token": s.anyone().signInAs("rita")}
			refresh := s.anyone().signInAs("rita").signed.RefreshToken
			if res := c.deed(s, page, admin); res.status >= 400 {
				t.Fatalf("%s: %d %s", res.what, res.status, shortened(res.body))
			}
			for kind, gone := range c.ends {
				var res *response
				if kind == "refresh" {
					res = s.anyone().post("/api/v1/sessions/refresh", object{"refresh_token": refresh})
				} else {
					res = credentials[kind].get("/api/v1/me")
				}
				if (res.status == 401) != gone || res.status != 401 && res.status != 200 {
					t.Errorf("the %s answers %d, ended should be %v", kind, res.status, gone)
				}
			}
		})
	}
}

// TestRightsFollowAtOnce takes a role away from somebody who is signed in.
func TestRightsFollowAtOnce(t *testing.T) {
	s := newServer(t)
	admin, page := s.browser("admin"), s.browser("admin", "second")
	program := s.anyone().signInAs("second")
	page.get("/admin/users").is(200)
	program.get("/api/v1/moderation/queue").is(200)
	admin.post("/admin/users/second/role", url.Values{"role": {"reader"}}).is(303)
	page.get("/admin/users").is(403)
	page.get("/moderation").is(403)
	program.get("/api/v1/moderation/queue").is(403)
	page.post("/admin/users/second/role", url.Values{"role": {"admin"}}).is(403)
}

// TestLoginTellsNothing compares what is said to a name that exists with what is
// said to one that does not, and the memory that hashing took: an answer that
// hashes nothing is quicker.
func TestLoginTellsNothing(t *testing.T) {
	s := newServer(t)
	s.account("reader", "rita")
	attempts := 0
	try := func(login string) (*response, uint64) {
		attempts++
		who := s.anyone().from(fmt.Sprintf("198.51.100.%d", attempts))
		body := object{"login": login, "password": "not the right password"}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		res := who.post("/api/v1/sessions", body)
		runtime.ReadMemStats(&after)
		return res.is(401), after.TotalAlloc - before.TotalAlloc
	}
	try("rita")
	try("nobody")
	median := func(login string) uint64 {
		var sizes []uint64
		for range 9 {
			_, size := try(login)
			sizes = append(sizes, size)
		}
		slices.Sort(sizes)
		return sizes[4]
	}
	known, unknown := median("rita"), median("nobody")
	const oneHash = 64 << 10 // what the hasher of the tests takes
	if known < oneHash || unknown < oneHash || known > unknown+oneHash/2 || unknown > known+oneHash/2 {
		t.Errorf("a known name takes %d bytes of memory, an unknown one %d", known, unknown)
	}
	same := func(a, b *response) {
		t.Helper()
		one, two := requestID.ReplaceAllString(a.text(), ""), requestID.ReplaceAllString(b.text(), "")
		if one != two || a.status != b.status || len(a.cookies) != len(b.cookies) {
			t.Errorf("the answers differ: %d %s and %d %s", a.status, one, b.status, two)
		}
	}
	one, _ := try("rita")
	for _, login := range []string{"nobody", "nobody@example.org", "", "rita\x00", "' OR 1=1 --", strings.Repeat("a", 5_000)} {
		two, _ := try(login)
		same(one, two)
	}
	byMail, _ := try("rita@example.org")
	same(one, byMail)
	page := func(login string) string {
		attempts++
		text := s.visitor().from(fmt.Sprintf("198.51.100.%d", attempts)).post("/login", url.Values{"login": {login}, "password": {"wrong"}}).is(401).text()
		return requestID.ReplaceAllString(strings.ReplaceAll(text, login, "LOGIN"), "")
	}
	if page("rita") != page("nobody") {
		t.Error("the login page tells which name exists")
	}
}

// TestLoginThrottle guesses passwords over HTTP, with headers that claim to be
// somebody else.
func TestLoginThrottle(t *testing.T) {
	s := newServer(t)
	s.account("reader", "rita")
	guess := func(i int, address string) *response {
		return s.anyone().from(address).with("X-Forwarded-For", fmt.Sprintf("10.0.0.%d", i)).with("X-Real-Ip", fmt.Sprintf("10.0.0.%d", i)).with("Forwarded", fmt.Sprintf("for=10.0.0.%d", i)).
			post("/api/v1/sessions", object{"login": "rita", "password": fmt.Sprintf("guess %d", i)})
	}
	checked := 0
	var last *response
	for i := range 30 {
		if last = guess(i, "192.0.2.7"); last.status == 401 {
			checked++
		}
	}
	if last.status != 429 || last.header.Get("Retry-After") == "" || checked > 6 {
		t.Errorf("%d of 30 guesses were checked; the last answer is %d with Retry-After %q", checked, last.status, last.header.Get("Retry-After"))
	}
	// Waiting as long as is asked gives one guess, and each time a longer wait.
	waits := []string{last.header.Get("Retry-After")}
	for i := range 3 {
		var seconds int
		fmt.Sscan(last.header.Get("Retry-After"), &seconds)
		s.clock.Advance(time.Duration(seconds) * time.Second)
		guess(100+i, "192.0.2.7").is(401)
		last = guess(200+i, "192.0.2.7").is(429)
		waits = append(waits, last.header.Get("Retry-After"))
	}
	if waits[3] == waits[0] {
		t.Errorf("the wait does not grow: %v", waits)
	}
	// The owner comes in from elsewhere meanwhile.
	s.anyone().from("198.51.100.9").signInAs("rita")
	// Many names from one network are slowed down too, and so is one name in many spellings.
	checked = 0
	for i := range 120 {
		if s.anyone().from("192.0.2.8").post("/api/v1/sessions", object{"login": fmt.Sprintf("name%d", i), "password": "x"}).status == 401 {
			checked++
		}
	}
	if checked > 60 {
		t.Errorf("%d names were tried from one network", checked)
	}
	checked = 0
	for i, login := range []string{"rita", "RITA", " rita ", "Rita", "rIta", "riTa", "ritA", "rita ", " rita", "RITa", "rItA", "ＲＩＴＡ", "ｒｉｔａ"} {
		if s.anyone().from("192.0.2.9").post("/api/v1/sessions", object{"login": login, "password": fmt.Sprint(i)}).status == 401 {
			checked++
		}
	}
	if checked > 6 {
		t.Errorf("%d spellings of a name were tried", checked)
	}
}

// TestRegistrationLimit makes accounts as fast as it can.
func TestRegistrationLimit(t *testing.T) {
	rates := Rates{Register: middleware.Rate{Burst: 3, Per: time.Hour}}
	n := 0
	register := func(who *client) *response {
		n++
		return who.post("/api/v1/users", object{"username": fmt.Sprintf("new%d", n), "email": fmt.Sprintf("new%d@example.org", n), "password": modelstest.Password})
	}
	s := newServer(t, withRates(rates))
	who := s.anyone().from("192.0.2.7")
	for range 3 {
		register(who).is(201)
	}
	for header, value := range map[string]string{"X-Forwarded-For": "10.9.8.7", "X-Real-Ip": "10.9.8.7", "Forwarded": "for=10.9.8.7", "True-Client-Ip": "10.9.8.7", "Cf-Connecting-Ip": "10.9.8.7", "X-Client-Ip": "10.9.8.7", "Via": "x"} {
		res := register(who.with(header, value)).is(429)
		if res.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	// Not by being one of the accounts just made, nor through the form.
	register(s.anyone().from("192.0.2.7").signInAs("new1")).is(429)
	s.visitor().from("192.0.2.7").signInAs("new2").post("/register", url.Values{"username": {"other"}, "email": {"other@example.org"}, "password": {"a quite long new password"}}).is(429).has("other@example.org")
	register(s.anyone().from("192.0.2.8")).is(201)
	// A network of the new kind is its first 64 bits.
	for i := range 3 {
		register(s.anyone().from(fmt.Sprintf("[2001:db8:1:2::%d]", i))).is(201)
	}
	register(s.anyone().from("[2001:db8:1:2:ffff::1]")).is(429)
	register(s.anyone().from("[2001:db8:1:3::1]")).is(201)

	// Behind a proxy that is trusted, the address that the proxy saw counts, whatever stands before it.
	s = newServer(t, withRates(rates), withProxies("10.0.0.0/8"))
	for i := range 3 {
		register(s.anyone().from("10.0.0.1").with("X-Forwarded-For", fmt.Sprintf("6.6.6.%d, 203.0.113.5", i))).is(201)
	}
	register(s.anyone().from("10.0.0.1").with("X-Forwarded-For", "9.9.9.9, 203.0.113.5")).is(429)
	double := s.anyone().from("10.0.0.1")
	double.header["X-Forwarded-For"] = []string{"9.9.9.9", "203.0.113.5"}
	register(double).is(429)
	register(s.anyone().from("10.0.0.1").with("X-Forwarded-For", "203.0.113.6")).is(201)
	register(s.anyone().from("203.0.113.5").with("X-Forwarded-For", "1.1.1.1")).is(429)
}

// TestWriteLimits spends the allowance of an account.
func TestWriteLimits(t *testing.T) {
	s := newServer(t, withRates(Rates{Write: middleware.Rate{Burst: 3, Per: time.Hour}, Preview: middleware.Rate{Burst: 2, Per: time.Hour}}))
	anna, rita := s.user("author", "anna"), s.browser("reader", "rita")
	slug := s.article(anna).Slug
	for range 2 {
		rita.post("/articles/"+slug+"/comments", url.Values{"body": {"A comment."}}).is(303)
	}
	program := s.anyone().from("198.51.100.77").signInAs("rita") // another session, another network
	program.post("/api/v1/articles/"+slug+"/comments", object{"body": "A comment."}).is(201)
	program.post("/api/v1/articles/"+slug+"/comments", object{"body": "A comment."}).is(429)
	program.patch("/api/v1/me", object{"bio": "x"}).is(429)
	rita.post("/articles/"+slug+"/comments", url.Values{"body": {"What I wrote so long."}}).is(429).has("What I wrote so long.")
	for range 2 {
		rita.post("/preview", url.Values{"body": {"A text."}}).is(200)
	}
	rita.post("/preview", url.Values{"body": {"A text."}}).is(429)
	anna.post("/api/v1/articles/"+slug+"/comments", object{"body": "Somebody else may."}).is(201)
}

// TestInsideIsNotShown breaks the database and reads what is said about it.
func TestInsideIsNotShown(t *testing.T) {
	w := newWorld(t)
	w.exec("ALTER TABLE comments RENAME TO broken")
	defer w.exec("ALTER TABLE broken RENAME TO comments")
	program, page := w.people["sten"].api, w.people["sten"].page
	for _, res := range []*response{
		program.get("/api/v1/articles/published-article/comments"), page.get("/articles/published-article"),
		program.post("/api/v1/articles/published-article/comments", object{"body": "What I wrote."}), page.post("/articles/published-article/comments", url.Values{"body": {"What I wrote."}}),
	} {
		res.is(500).hasNot("SQL", "no such table", "comments_", ".go:", "gorm", "SELECT", w.store.URL)
		id := res.header.Get("X-Request-Id")
		if id == "" || !strings.Contains(res.text(), id) || !strings.Contains(w.log.String(), id) {
			t.Errorf("%s: the answer and the log do not share the number %q", res.what, id)
		}
	}
	if !strings.Contains(w.log.String(), "no such table") {
		t.Error("the log does not say what happened")
	}
	for _, s := range w.secrets {
		if (strings.Contains(s.what, "token") || strings.Contains(s.what, "cookie") || strings.Contains(s.what, "password") || strings.Contains(s.what, "e-mail") || strings.Contains(s.what, "address of")) && strings.Contains(w.log.String(), s.word) {
			t.Errorf("the log holds %s", s.what)
		}
	}
}

// TestSetupLink uses the link from the terminal: once, and never shown again.
func TestSetupLink(t *testing.T) {
	s := newServer(t)
	token, err := s.store.SetupToken(t.Context())
	if err != nil || token == "" {
		t.Fatal(token, err)
	}
	s.visitor().get("/setup").is(404)
	s.visitor().get("/setup?token=setup_wrong").is(404)
	page := s.visitor().get("/setup?token=" + token).is(200)
	if page.header.Get("Referrer-Policy") != "no-referrer" || strings.Count(page.text(), token) != 1 {
		t.Errorf("the token stands %d times on its page, Referrer-Policy %q", strings.Count(page.text(), token), page.header.Get("Referrer-Policy"))
	}
	values := url.Values{"token": {token}, "username": {"root"}, "email": {"root@example.org"}, "password": {"a quite long new password"}}
	wrong := url.Values{"token": {"setup_" + strings.Repeat("A", 43)}, "username": {"root"}, "email": {"root@example.org"}, "password": {"a quite long new password"}}
	s.visitor().post("/setup", wrong).is(404)
	s.visitor().with("Sec-Fetch-Site", "cross-site").post("/setup", values).is(403)
	admin := s.visitor()
	admin.post("/setup", values).is(303)
	admin.get("/admin/users").is(200)
	values.Set("username", "second")
	s.visitor().post("/setup", values).is(404)
	s.visitor().get("/setup?token=" + token).is(404)
	if strings.Contains(s.log.String(), token) {
		t.Error("the log holds the token")
	}
	if role := admin.get("/api/v1/me").at("role"); role != string(models.Admin) {
		t.Errorf("the first account is %v", role)
	}
}
