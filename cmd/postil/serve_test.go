package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// served is the serve command, running in this process.
type served struct {
	base      string
	out, errs *buffer
	cancel    context.CancelFunc
	code      chan int
}

// serveHere runs serve in this process until it is stopped or the test ends.
func serveHere(t *testing.T, args ...string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &served{out: &buffer{}, errs: &buffer{}, cancel: cancel, code: make(chan int, 1)}
	go func() { s.code <- run(ctx, append([]string{"serve"}, args...), nil, s.out, s.errs) }()
	t.Cleanup(func() {
		cancel()
		select {
		case s.code <- <-s.code: // so that others may ask, too
		case <-time.After(deadline):
			t.Error("the server did not stop")
		}
	})
	eventually(t, "the server to greet", func() bool {
		select {
		case code := <-s.code:
			t.Fatalf("serve ends with %d: %s", code, s.errs)
		default:
		}
		if m := listeningOn.FindStringSubmatch(s.out.String()); m != nil {
			s.base = m[1]
		}
		reply, err := http.Get(s.base + "/readyz")
		if err == nil {
			reply.Body.Close()
		}
		return err == nil && reply.StatusCode == http.StatusOK
	})
	return s
}

// stop ends the server and checks that it ended well.
func (s *served) stop(t *testing.T) {
	t.Helper()
	s.cancel()
	code := <-s.code
	s.code <- code
	if code != exitOK {
		t.Errorf("serve ends with %d: %s", code, s.errs)
	}
}

// setupLink is the link that makes the first admin; "" when none was printed.
func (s *served) setupLink() string {
	return regexp.MustCompile(`http\S+/setup\?token=\S+`).FindString(s.out.String())
}

func fetch(t *testing.T, address string) string {
	t.Helper()
	reply, err := http.Get(address)
	ok(t, err)
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	ok(t, err)
	if reply.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", address, reply.Status)
	}
	return string(text)
}

// The first run: a sample to look at, and a link that makes the first admin.
func TestFirstRun(t *testing.T) {
	t.Chdir(t.TempDir())
	s := serveHere(t, "--addr", "127.0.0.1:0")
	link := s.setupLink()
	if !strings.HasPrefix(link, s.base) {
		t.Fatalf("the first run prints no link:\n%s", s.out)
	}

	// Without an admin a second start replaces the link.
	s.stop(t)
	s = serveHere(t, "--addr", "127.0.0.1:0")
	old, err := url.Parse(link)
	ok(t, err)
	if reply, err := http.Get(s.base + old.RequestURI()); err != nil || reply.StatusCode != http.StatusNotFound {
		t.Errorf("the link of the start before: %v, %v", reply, err)
	}
	link = s.setupLink()

	jar, err := cookiejar.New(nil)
	ok(t, err)
	browser := &http.Client{Jar: jar}
	page := fetch(t, link)
	if !strings.Contains(page, "This makes the first account") {
		t.Errorf("the link opens\n%s", page)
	}
	address, err := url.Parse(link)
	ok(t, err)
	form := url.Values{"token": {address.Query().Get("token")}, "username": {"ada"}, "email": {"ada@example.org"}, "password": {password}}
	setUp := func() *http.Response {
		request, err := http.NewRequest("POST", s.base+"/setup", strings.NewReader(form.Encode()))
		ok(t, err)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", s.base)
		reply, err := browser.Do(request)
		ok(t, err)
		return reply
	}
	reply := setUp()
	text, err := io.ReadAll(reply.Body)
	ok(t, err)
	reply.Body.Close()
	if reply.StatusCode != http.StatusOK || reply.Request.URL.Path != "/moderation" {
		t.Fatalf("setting up leads to %s with %s", reply.Request.URL, reply.Status)
	}
	// The new admin stands before the queue, in which the sample's held comment is.
	if !strings.Contains(string(text), "First comment of its author") || strings.Count(string(text), `name="comment_ids"`) < 1 {
		t.Errorf("the queue of a fresh database is\n%s", text)
	}
	form.Set("username", "eve")
	form.Set("email", "eve@example.org")
	if reply := setUp(); reply.StatusCode != http.StatusNotFound {
		t.Errorf("the link works twice: %s", reply.Status)
	}
	if reply, err := http.Get(link); err != nil || reply.StatusCode != http.StatusNotFound {
		t.Errorf("the link can be opened again: %v, %v", reply, err)
	}

	var articles struct{ Items []struct{ Slug string } }
	ok(t, json.Unmarshal([]byte(fetch(t, s.base+"/api/v1/articles")), &articles))
	if len(articles.Items) != 1 {
		t.Fatalf("a fresh database has %d articles", len(articles.Items))
	}
	var revisions, comments struct{ Items []struct{ Number int } }
	ok(t, json.Unmarshal([]byte(fetch(t, s.base+"/api/v1/articles/"+articles.Items[0].Slug+"/revisions")), &revisions))
	ok(t, json.Unmarshal([]byte(fetch(t, s.base+"/api/v1/articles/"+articles.Items[0].Slug+"/comments")), &comments))
	if len(revisions.Items) != 2 || len(comments.Items) < 3 {
		t.Errorf("the sample has %d revisions and %d comments", len(revisions.Items), len(comments.Items))
	}
	page = fetch(t, s.base+"/articles/"+articles.Items[0].Slug)
	for _, text := range []string{"what changed?", "This comment was deleted by its author.", "Sign in to comment"} {
		if !strings.Contains(page, text) {
			t.Errorf("the sample's page does not have %q", text)
		}
	}

	// With an admin the next start prints no link, and leaves the sample alone.
	s.stop(t)
	s = serveHere(t, "--addr", "127.0.0.1:0")
	if out := s.out.String(); strings.Contains(out, "/setup") || strings.Contains(out, "no admin") {
		t.Errorf("there is an admin, and the start says: %s", out)
	}
	ok(t, json.Unmarshal([]byte(fetch(t, s.base+"/api/v1/articles")), &articles))
	if len(articles.Items) != 1 {
		t.Errorf("after the second start there are %d articles", len(articles.Items))
	}
}

// A deleted sample does not come back.
func TestSampleStaysAway(t *testing.T) {
	t.Chdir(t.TempDir())
	c := &cli{t: t}
	s := serveHere(t, "--addr", "127.0.0.1:0", "--sample=false")
	if page := fetch(t, s.base+"/"); !strings.Contains(page, "Nothing is published yet") {
		t.Error("--sample=false adds the sample")
	}
	s.stop(t)
	c.typing(password).run("user", "add", "ada", "--role", "admin", "--password-stdin").ends(exitOK)
	s = serveHere(t, "--addr", "127.0.0.1:0")
	var signed struct {
		AccessToken string `json:"access_token"`
	}
	_, err := api(http.DefaultClient, "POST", s.base+"/api/v1/sessions", "", map[string]string{"login": "ada", "password": password}, &signed)
	ok(t, err)
	var articles struct{ Items []struct{ Slug string } }
	ok(t, json.Unmarshal([]byte(fetch(t, s.base+"/api/v1/articles")), &articles))
	if len(articles.Items) != 1 {
		t.Fatalf("an empty database gets %d articles", len(articles.Items))
	}
	_, err = api(http.DefaultClient, "DELETE", s.base+"/api/v1/articles/"+articles.Items[0].Slug, signed.AccessToken, nil, nil)
	ok(t, err)
	s.stop(t)
	s = serveHere(t, "--addr", "127.0.0.1:0")
	if page := fetch(t, s.base+"/"); !strings.Contains(page, "Nothing is published yet") {
		t.Error("a deleted sample comes back")
	}
}

func TestPortInUse(t *testing.T) {
	c := newCLI(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	defer listener.Close()
	c.run("serve", "--addr", listener.Addr().String()).ends(exitUnavailable).says("Cannot listen on "+listener.Addr().String(), "choose another with --addr HOST:PORT")
}

// SIGTERM lets a request that has begun come to its end.
func TestTermination(t *testing.T) {
	if testing.Short() && os.Getenv("CI") == "" {
		t.Skip("Tests of the built program are left out of short runs.")
	}
	db := filepath.Join(t.TempDir(), "postil.db")
	p := startProcess(t, "--db", db)
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.base, "http://"))
	ok(t, err)
	defer conn.Close()
	ok(t, conn.SetDeadline(time.Now().Add(deadline)))
	body := `{"username": "rita", "email": "rita@example.org", "password": "` + password + `"}`
	fmt.Fprintf(conn, "POST /api/v1/users HTTP/1.1\r\nHost: postil\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(body))
	reader := bufio.NewReader(conn)
	if line, err := reader.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("the server does not ask for the body: %q, %v", line, err)
	}
	_, err = reader.ReadString('\n')
	ok(t, err)
	_, err = io.WriteString(conn, body[:20]) // half of it is on its way
	ok(t, err)
	ok(t, p.Process.Signal(syscall.SIGTERM))
	eventually(t, "the server to refuse new connections", func() bool {
		late, err := net.Dial("tcp", strings.TrimPrefix(p.base, "http://"))
		if err == nil {
			late.Close()
		}
		return err != nil
	})
	_, err = io.WriteString(conn, body[20:])
	ok(t, err)
	reply, err := http.ReadResponse(reader, nil)
	ok(t, err)
	if reply.StatusCode != http.StatusCreated {
		t.Errorf("the request that had begun is answered with %s", reply.Status)
	}
	if code := p.waitEnd(t); code != 0 {
		t.Errorf("the program ends with %d\n%s", code, p.log)
	}
	newCLI(t).run("user", "list", "--db", db).ends(exitOK).says("rita@example.org")
}

// Two servers on one database file, as for a moment during an upgrade, both
// work: each commits in its turn, and each shows what the other has taken.
func TestTwoServersOnOneDatabase(t *testing.T) {
	if testing.Short() && os.Getenv("CI") == "" {
		t.Skip("Tests of the built program are left out of short runs.")
	}
	db := filepath.Join(t.TempDir(), "postil.db")
	c := newCLI(t)
	c.typing(password).run("user", "add", "ada", "--role", "admin", "--password-stdin", "--db", db).ends(exitOK)
	servers := []*process{startProcess(t, "--db", db), startProcess(t, "--db", db)}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	_, err := api(http.DefaultClient, "POST", servers[0].base+"/api/v1/sessions", "", map[string]string{"login": "ada", "password": password}, &token)
	ok(t, err)
	article := map[string]string{"title": "Two servers", "body": "A text.", "state": "published", "comment_policy": "open"}
	_, err = api(http.DefaultClient, "POST", servers[0].base+"/api/v1/articles", token.AccessToken, article, nil)
	ok(t, err)
	page := "/articles/two-servers"
	for _, s := range servers { // what they might keep of it is now outdated
		fetch(t, s.base+page)
	}

	var mu sync.Mutex
	taken := map[int64]bool{}
	var everybody sync.WaitGroup
	for w := range 16 {
		everybody.Go(func() {
			for n := range 10 {
				var comment struct{ ID int64 }
				_, err := api(http.DefaultClient, "POST", servers[w%2].base+"/api/v1"+page+"/comments", token.AccessToken, map[string]string{"body": fmt.Sprintf("Comment %d of %d.", n, w)}, &comment)
				mu.Lock()
				if err != nil {
					t.Errorf("a write while another server writes: %v", err)
				} else if taken[comment.ID] {
					t.Errorf("both servers gave out the number %d", comment.ID)
				}
				taken[comment.ID] = true
				mu.Unlock()
			}
		})
	}
	everybody.Wait()
	for i, s := range servers {
		var one struct {
			CommentCount int `json:"comment_count"`
		}
		ok(t, json.Unmarshal([]byte(fetch(t, s.base+"/api/v1"+page)), &one))
		if one.CommentCount != len(taken) || len(taken) != 160 {
			t.Errorf("server %d counts %d of %d comments", i, one.CommentCount, len(taken))
		}
		eventually(t, "the page of each server with every comment", func() bool { return strings.Contains(fetch(t, s.base+page), "160 comments") })
	}

	// A comment that one server takes back is gone from the other, too.
	var last int64
	for id := range taken {
		last = max(last, id)
	}
	_, err = api(http.DefaultClient, "DELETE", servers[0].base+"/api/v1/comments/"+strconv.FormatInt(last, 10), token.AccessToken, nil, nil)
	ok(t, err)
	eventually(t, "a deleted comment to go from the other server's page", func() bool { return strings.Contains(fetch(t, servers[1].base+page), "159 comments") })
	c.run("doctor", "--db", db).ends(exitOK).says("is sound")
}

// How long a start takes, and what an idle server needs: printed with -v.
func TestStartUpAndMemory(t *testing.T) {
	if testing.Short() && os.Getenv("CI") == "" {
		t.Skip("Tests of the built program are left out of short runs.")
	}
	db := filepath.Join(t.TempDir(), "postil.db")
	first := startProcess(t, "--db", db)
	t.Logf("first start, with the sample: ready after %s", first.ready.Round(time.Millisecond))
	ok(t, first.Process.Signal(syscall.SIGTERM))
	first.waitEnd(t)
	var times []time.Duration
	var p *process
	for range 5 {
		p = startProcess(t, "--db", db)
		times = append(times, p.ready)
		fetch(t, p.base+"/")
		if len(times) < 5 {
			ok(t, p.Process.Signal(syscall.SIGTERM))
			p.waitEnd(t)
		}
	}
	info, err := os.Stat(binary(t))
	ok(t, err)
	t.Logf("later starts: ready after %v; the program has %.1f MiB", times, float64(info.Size())/(1<<20))
	if first.ready > 10*time.Second {
		t.Errorf("the first start took %s", first.ready)
	}
	if runtime.GOOS != "linux" {
		return
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	ok(t, err)
	for line := range strings.Lines(string(status)) {
		if value, found := strings.CutPrefix(line, "VmRSS:"); found {
			t.Logf("idle memory: %s", strings.TrimSpace(value))
			if kib, err := strconv.Atoi(strings.Fields(value)[0]); err != nil || kib > 256<<10 {
				t.Errorf("an idle server needs %s", strings.TrimSpace(value))
			}
		}
	}
}
