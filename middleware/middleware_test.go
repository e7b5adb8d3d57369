package middleware

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"postil/models"
)

func init() { gin.SetMode(gin.TestMode) }

func TestNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:2::": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
		"": "unknown", "x": "unknown", "192.0.2.7:80": "unknown", "192.0.2.7, 10.0.0.1": "unknown",
	} {
		if got := Network(address); got != want {
			t.Errorf("Network(%q) is %q, not %q", address, got, want)
		}
	}
}

func FuzzShorten(f *testing.F) {
	for _, text := range []string{"", "Mozilla/5.0", "a\r\nb\x00c", "\xff\xfe", strings.Repeat("\U0001d49c", 100), strings.Repeat("a", 199) + "é"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		short := shorten(text, 200)
		if len(short) > 200 || !utf8.ValidString(short) || strings.ContainsAny(short, "\x00\r\n\t\x1b") {
			t.Errorf("shorten(%q) is %q", text, short)
		}
	})
}

// asked runs a request through handlers and returns the errors they failed with
// and whether the last of them, the deed, was reached.
func asked(req *http.Request, actor models.Actor, chain ...gin.HandlerFunc) (errs []error, reached bool) {
	router := gin.New()
	_ = router.SetTrustedProxies(nil)
	chain = append(append([]gin.HandlerFunc{Recover, func(c *gin.Context) { c.Set(actorKey, actor); c.Next() }}, chain...), func(*gin.Context) { reached = true })
	router.Use(func(c *gin.Context) {
		c.Next()
		for _, e := range c.Errors {
			errs = append(errs, e.Err)
		}
	})
	router.Any("/*path", chain...)
	router.ServeHTTP(httptest.NewRecorder(), req)
	return errs, reached
}

func from(address string) *http.Request {
	req := httptest.NewRequest("POST", "/", nil)
	req.RemoteAddr = address
	return req
}

func TestLimiter(t *testing.T) {
	limiter, err := NewLimiter([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")})
	if err != nil {
		t.Fatal(err)
	}
	rate := Rate{Burst: 2, Per: time.Hour}
	guest, user, other := models.Actor{Network: "192.0.2.7"}, models.Actor{UserID: 1, Network: "192.0.2.7"}, models.Actor{UserID: 2, Network: "192.0.2.7"}
	try := func(what string, req *http.Request, actor models.Actor, deed string, rate Rate, times, want int) {
		t.Helper()
		done := 0
		for range times {
			errs, reached := asked(req, actor, limiter.Handle(deed, rate))
			var refused *models.Error
			switch {
			case reached:
				done++
			case len(errs) != 1 || !errors.As(errs[0], &refused) || refused.Kind != models.TooMany || refused.RetryAfter < time.Second:
				t.Errorf("%s: refused with %v", what, errs)
			}
		}
		if done != want {
			t.Errorf("%s: %d of %d were let through, not %d", what, done, times, want)
		}
	}
	away := from("192.0.2.7:1")
	try("a guest", away, guest, "write", rate, 5, 2)
	try("another deed", away, guest, "preview", rate, 5, 2)
	try("an account there", away, user, "write", rate, 5, 2)
	try("another account there", away, other, "write", rate, 5, 2)
	try("the account elsewhere", away, models.Actor{UserID: 1, Network: "198.51.100.1"}, "write", rate, 5, 0)
	byNetwork := Rate{Burst: 2, Per: time.Hour, ByNetwork: true}
	try("accounts counted by network", away, user, "register", byNetwork, 2, 2)
	try("another account counted by network", away, other, "register", byNetwork, 2, 0)
	try("no limit", away, guest, "none", Rate{}, 9, 9)
	local := models.Actor{Network: "127.0.0.1"}
	try("the machine itself", from("127.0.0.1:1"), local, "local", rate, 9, 9)
	try("the machine itself, mapped", from("[::ffff:127.0.0.1]:1"), local, "local", rate, 9, 9)
	for i, header := range []string{"X-Forwarded-For", "Forwarded"} {
		passed := from("127.0.0.1:1")
		passed.Header.Set(header, "127.0.0.1")
		try("passed on by a proxy on the machine", passed, local, fmt.Sprint("passed", i), rate, 5, 2)
	}
	claims := from("192.0.2.7:1")
	claims.Header.Set("X-Forwarded-For", "127.0.0.1")
	try("who claims to be the machine", claims, models.Actor{Network: "192.0.2.7"}, "claims", rate, 5, 2)
	try("no address", from("garbage"), models.Actor{Network: "unknown"}, "garbage", rate, 5, 2)
}

func TestBodyLimit(t *testing.T) {
	for size, want := range map[int]bool{0: true, 99: true, 100: true, 101: false, 1 << 20: false} {
		req := httptest.NewRequest("POST", "/", bytes.NewReader(make([]byte, size)))
		var err error
		asked(req, models.Actor{}, BodyLimit(100), func(c *gin.Context) { _, err = io.ReadAll(c.Request.Body) })
		if (err == nil) != want {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestRecover(t *testing.T) {
	for _, cause := range []any{"text", errors.New("an error"), 7, nil} {
		errs, reached := asked(from("192.0.2.7:1"), models.Actor{}, func(*gin.Context) { panic(cause) })
		if reached || len(errs) != 1 || !strings.Contains(errs[0].Error(), "panic") || models.KindOf(errs[0]) != models.Internal {
			t.Errorf("panic(%v) became %v", cause, errs)
		}
	}
}

// The log names a request and holds nothing that a person sent or that opens a
// session.
func TestObserve(t *testing.T) {
	var log bytes.Buffer
	router := gin.New()
	router.Use(Observe(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	router.POST("/things/:id", func(c *gin.Context) { c.Status(http.StatusTeapot) })
	req := httptest.NewRequest("POST", "/things/private-path?token=private-query", strings.NewReader("private-body"))
	req.RemoteAddr = "203.0.113.77:1"
	for _, name := range []string{"Authorization", "Cookie", "User-Agent", "Referer", "X-Request-Id", "X-Forwarded-For"} {
		req.Header.Set(name, "private-"+name)
	}
	res := httptest.NewRecorder()
	router.ServeHTTP(res, req)
	id := res.Header().Get("X-Request-Id")
	if len(id) < 20 || !strings.Contains(log.String(), "id="+id) || !strings.Contains(log.String(), "route=/things/:id") {
		t.Errorf("the log says %q of request %q", log.String(), id)
	}
	for _, private := range []string{"private", "203.0.113.77"} {
		if strings.Contains(log.String(), private) {
			t.Errorf("the log holds %q: %s", private, log.String())
		}
	}
}

func TestTrustedOriginsMustBeOrigins(t *testing.T) {
	for _, origin := range []string{"talk.example", "https://talk.example/path", "//talk.example", "*", "null"} {
		if _, err := SameOrigin(origin); err == nil {
			t.Errorf("%q was taken for an origin", origin)
		}
	}
}
