package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"postil/auth"
	"postil/models"
	"postil/models/modelstest"
	"postil/templates"
)

// The tests of this package talk to the whole router, in this process: a real
// store, real tokens, real forms, and a clock that is moved by hand.

func init() { gin.SetMode(gin.TestMode) }

// server is a router over a fresh store.
type server struct {
	http.Handler
	t       *testing.T
	store   *modelstest.Fixture
	clock   *modelstest.Clock
	config  Config
	log     *logBuffer                     // what the server logged, from Debug up
	observe func(*http.Request, *response) // sees every request and its answer; may be nil
	people  int
}

// serverOption changes how a server is set up.
type serverOption func(*setup)

type setup struct {
	Config
	store func(*models.Config) // changes how the store is opened; nil: nothing to change
}

// withRates sets limits, of which a test server has none.
func withRates(r Rates) serverOption { return func(c *setup) { c.Rates = r } }

// withSite sets the public address, http://postil.test else.
func withSite(url string) serverOption { return func(c *setup) { c.Site.URL = url } }

// withProxies sets whose X-Forwarded-For is believed.
func withProxies(networks ...string) serverOption {
	return func(c *setup) { c.Proxies = networks }
}

// withTokenLife sets how long access tokens live: ten minutes else.
func withTokenLife(d time.Duration) serverOption {
	return func(c *setup) { c.Tokens.TTL = d }
}

// withStore changes how the store is opened.
func withStore(change func(*models.Config)) serverOption {
	return func(c *setup) { c.store = change }
}

var testRenderer = sync.OnceValues(func() (*templates.Renderer, error) { return templates.New(nil) })

// newServer makes a server that lasts as long as the test.
func newServer(t *testing.T, opts ...serverOption) *server {
	t.Helper()
	renderer, err := testRenderer()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := auth.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	fx := modelstest.New(t)
	s := &server{t: t, store: fx, clock: fx.Clock, log: &logBuffer{}}
	set := &setup{Config: Config{
		Store: fx.Store, Renderer: renderer, Now: fx.Clock.Now, Version: "test",
		Log:    slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Tokens: auth.Tokens{Keys: keys, Issuer: "postil", Audience: "postil-api", TTL: 10 * time.Minute},
		Site:   templates.Site{Name: "The Test Review", URL: "http://postil.test"},
	}}
	for _, o := range opts {
		o(set)
	}
	if set.store != nil {
		storeConfig := fx.Config()
		set.store(&storeConfig)
		if err := fx.Close(); err != nil {
			t.Fatal(err)
		}
		if fx.Store, err = models.Open(context.Background(), fx.URL, storeConfig); err != nil {
			t.Fatal(err)
		}
		set.Store = fx.Store
	}
	s.config = set.Config
	if s.Handler, err = New(s.config); err != nil {
		t.Fatal(err)
	}
	return s
}

// client sends requests as one visitor. It is a value in disguise: with and
// from give changed copies.
type client struct {
	s        *server
	username string
	password string
	header   http.Header
	jar      http.CookieJar // nil: no browser
	remote   string
	host     string           // of the Host header, when it is not the site's
	signed   templates.Signed // what a program got when it signed in
}

// anyone is a program that has not signed in.
func (s *server) anyone() *client {
	return &client{s: s, header: http.Header{}, remote: "192.0.2.1:1234"}
}

// visitor is a browser that has not signed in.
func (s *server) visitor() *client {
	c := s.anyone()
	c.jar, _ = cookiejar.New(nil)
	c.header.Set("Accept", "text/html")
	c.header.Set("Sec-Fetch-Site", "same-origin")
	return c
}

// user makes an account with a role and signs a program in with it. Without a
// name it is called after its role: reader1, moderator2.
func (s *server) user(role models.Role, name ...string) *client {
	s.t.Helper()
	return s.anyone().signInAs(s.account(role, name...))
}

// browser makes an account with a role and signs a browser in through the form.
func (s *server) browser(role models.Role, name ...string) *client {
	s.t.Helper()
	return s.visitor().signInAs(s.account(role, name...))
}

// account makes an account whose password is modelstest.Password.
func (s *server) account(role models.Role, name ...string) string {
	s.t.Helper()
	s.people++
	username := fmt.Sprintf("%s%d", role, s.people)
	if len(name) > 0 {
		username = name[0]
	}
	_, err := s.store.AddUser(context.Background(), models.System(), models.AddUserInput{Role: role,
		RegisterInput: models.RegisterInput{Username: username, Email: username + "@example.org", Password: modelstest.Password}})
	if err != nil {
		s.t.Fatalf("add %s: %v", username, err)
	}
	return username
}

// signInAs opens another session for an account of the server: a browser's
// through the form, a program's through the API.
func (c *client) signInAs(username string) *client {
	c.s.t.Helper()
	c = c.copy()
	c.username, c.password = username, modelstest.Password
	if c.jar != nil {
		c.post("/login", url.Values{"login": {username}, "password": {c.password}}).is(http.StatusSeeOther)
		return c
	}
	c.post("/api/v1/sessions", object{"login": username, "password": c.password}).is(http.StatusCreated).into(&c.signed)
	return c.with("Authorization", "Bearer "+c.signed.AccessToken)
}

func (c *client) copy() *client {
	next := *c
	next.header = c.header.Clone()
	return &next
}

// with gives a copy that sends a header, or does not send it when it is "".
func (c *client) with(name, value string) *client {
	next := c.copy()
	next.header.Set(name, value)
	if value == "" {
		next.header.Del(name)
	}
	return next
}

// from gives a copy that connects from another address.
func (c *client) from(address string) *client {
	next := c.copy()
	next.remote = address + ":1234"
	return next
}

// object is a JSON object.
type object = map[string]any

func (c *client) get(path string) *response             { return c.do("GET", path, nil) }
func (c *client) post(path string, body any) *response  { return c.do("POST", path, body) }
func (c *client) put(path string, body any) *response   { return c.do("PUT", path, body) }
func (c *client) patch(path string, body any) *response { return c.do("PATCH", path, body) }
func (c *client) delete(path string) *response          { return c.do("DELETE", path, nil) }
func (c *client) options(path string) *response         { return c.do("OPTIONS", path, nil) }

// do sends a request. The body is a form (url.Values), raw text (string or
// []byte; JSON unless the client sends a Content-Type), nothing (nil), or
// anything else as JSON.
func (c *client) do(method, path string, body any) *response {
	c.s.t.Helper()
	content, mediaType := c.encode(body)
	base := c.s.config.Site.URL
	if base == "" {
		base = "http://postil.test"
	}
	req := httptest.NewRequest(method, base+path, bytes.NewReader(content))
	req.RemoteAddr = c.remote
	if c.host != "" {
		req.Host = c.host
	}
	if mediaType != "" {
		req.Header.Set("Content-Type", mediaType)
	}
	for name, values := range c.header {
		req.Header[name] = values
	}
	if c.jar != nil {
		if method != "GET" && method != "HEAD" && c.header.Get("Origin") == "" && c.header.Get("Sec-Fetch-Site") == "same-origin" {
			req.Header.Set("Origin", base)
		}
		for _, cookie := range c.jar.Cookies(req.URL) {
			req.AddCookie(cookie)
		}
	}
	recorder := httptest.NewRecorder()
	c.s.ServeHTTP(recorder, req)
	result := recorder.Result()
	if c.jar != nil {
		c.jar.SetCookies(req.URL, result.Cookies())
	}
	res := &response{t: c.s.t, what: method + " " + path, sent: content, status: result.StatusCode, header: result.Header, cookies: result.Cookies()}
	res.body, _ = io.ReadAll(result.Body)
	if c.s.observe != nil {
		c.s.observe(req, res)
	}
	return res
}

func (c *client) encode(body any) (content []byte, mediaType string) {
	switch b := body.(type) {
	case nil:
		return nil, ""
	case url.Values:
		return []byte(b.Encode()), "application/x-www-form-urlencoded"
	case string:
		return []byte(b), "application/json"
	case []byte:
		return b, "application/json"
	}
	content, err := json.Marshal(body)
	if err != nil {
		c.s.t.Fatal(err)
	}
	return content, "application/json"
}

// response is an answer.
type response struct {
	t       *testing.T
	what    string // method and path of the request
	sent    []byte
	status  int
	header  http.Header
	cookies []*http.Cookie
	body    []byte
}

// is ends the test unless the status is the one expected.
func (r *response) is(status int) *response {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("%s: %d, not %d\nsent %s\ngot  %s", r.what, r.status, status, shortened(r.sent), shortened(r.body))
	}
	return r
}

func shortened(text []byte) string {
	if len(text) > 1500 {
		return string(text[:1500]) + "…"
	}
	return string(text)
}

// into decodes the JSON of the answer.
func (r *response) into(v any) *response {
	r.t.Helper()
	if err := json.Unmarshal(r.body, v); err != nil {
		r.t.Fatalf("%s: %v in %s", r.what, err, shortened(r.body))
	}
	return r
}

// json is the answer as a JSON object.
func (r *response) json() object {
	r.t.Helper()
	var o object
	r.into(&o)
	return o
}

// at is a value in the answer's JSON, such as "items.0.author.username". It
// ends the test when there is nothing; null is nil.
func (r *response) at(path string) any {
	r.t.Helper()
	var value any
	r.into(&value)
	found, ok := lookUp(value, path)
	if !ok {
		r.t.Fatalf("%s: nothing at %s in %s", r.what, path, shortened(r.body))
	}
	return found
}

// lookUp follows a dotted path through decoded JSON.
func lookUp(value any, path string) (any, bool) {
	for _, step := range strings.Split(path, ".") {
		switch v := value.(type) {
		case object:
			next, ok := v[step]
			if !ok {
				return nil, false
			}
			value = next
		case []any:
			var i int
			if _, err := fmt.Sscanf(step, "%d", &i); err != nil || i < 0 || i >= len(v) {
				return nil, false
			}
			value = v[i]
		default:
			return nil, false
		}
	}
	return value, true
}

// problem is the answer as an error, which it must be.
func (r *response) problem() templates.Problem {
	r.t.Helper()
	var p templates.Problem
	if got := r.header.Get("Content-Type"); got != "application/problem+json" {
		r.t.Fatalf("%s: %d with Content-Type %q is no problem: %s", r.what, r.status, got, shortened(r.body))
	}
	r.into(&p)
	if p.Status != r.status {
		r.t.Errorf("%s: status %d says %d of itself", r.what, r.status, p.Status)
	}
	return p
}

// field is what the answer says is wrong with a field; "" if nothing.
func (r *response) field(name string) string {
	r.t.Helper()
	for _, f := range r.problem().Fields {
		if f.Field == name {
			return f.Message
		}
	}
	return ""
}

func (r *response) text() string { return string(r.body) }

// has fails the test for each text that the answer does not contain.
func (r *response) has(texts ...string) *response {
	r.t.Helper()
	for _, text := range texts {
		if !bytes.Contains(r.body, []byte(text)) {
			r.t.Errorf("%s: there is no %q in %s", r.what, text, shortened(r.body))
		}
	}
	return r
}

// hasNot fails the test for each text that the answer contains.
func (r *response) hasNot(texts ...string) *response {
	r.t.Helper()
	for _, text := range texts {
		if bytes.Contains(r.body, []byte(text)) {
			r.t.Errorf("%s: there is %q in %s", r.what, text, shortened(r.body))
		}
	}
	return r
}

// article publishes an article, open for comments, through the API. A mod
// changes what is sent.
func (s *server) article(author *client, mods ...func(object)) templates.Article {
	s.t.Helper()
	body := object{"title": "On margins", "body": "A margin is where the reader writes.", "state": "published", "comment_policy": "open"}
	for _, mod := range mods {
		mod(body)
	}
	var art templates.Article
	author.post("/api/v1/articles", body).is(http.StatusCreated).into(&art)
	return art
}

// having is a mod of article that sets one field.
func having(field string, value any) func(object) {
	return func(o object) { o[field] = value }
}

// comment posts a comment, or a reply when parent is not 0, through the API.
func (s *server) comment(by *client, slug, body string, parent int64) templates.Comment {
	s.t.Helper()
	sent := object{"body": body}
	if parent != 0 {
		sent["parent_id"] = parent
	}
	var comment templates.Comment
	by.post("/api/v1/articles/"+slug+"/comments", sent).is(http.StatusCreated).into(&comment)
	return comment
}

// logBuffer collects a log that many goroutines write.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
