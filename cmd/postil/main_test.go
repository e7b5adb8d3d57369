package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"postil/auth"
	"postil/models"
)

// The tests of this package use the program as people do: a browser on its
// pages, a shell on its commands, a client on its API, and now and then a kill.

const password = "seven blunt pencils walk home"

// deadline is how long a test waits for what has to come.
const deadline = 20 * time.Second

func TestMain(m *testing.M) {
	gin.SetMode(gin.ReleaseMode)
	for _, name := range os.Environ() { // settings of whoever runs the tests
		name, _, _ = strings.Cut(name, "=")
		if setting := strings.TrimPrefix(name, "POSTIL_"); setting != name && isSetting(setting) {
			os.Unsetenv(name)
		}
	}
	code := m.Run()
	closeBrowser()
	if built.folder != "" {
		os.RemoveAll(built.folder)
	}
	os.Exit(code)
}

func isSetting(env string) bool {
	for _, s := range settings {
		if envName(s.name) == env {
			return true
		}
	}
	return env == "CONFIG"
}

// built is the program as go build makes it, once for all tests.
var built struct {
	once         sync.Once
	folder, path string
	output       []byte
	err          error
}

// binary builds the program, without a C compiler.
func binary(t testing.TB) string {
	t.Helper()
	built.once.Do(func() {
		if built.folder, built.err = os.MkdirTemp("", "postil-test-*"); built.err != nil {
			return
		}
		built.path = filepath.Join(built.folder, "postil")
		cmd := exec.Command("go", "build", "-o", built.path, ".")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		built.output, built.err = cmd.CombinedOutput()
	})
	if built.err != nil {
		t.Fatalf("build the program: %v\n%s", built.err, built.output)
	}
	return built.path
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	end := time.Now().Add(deadline)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		if time.Now().After(end) {
			t.Fatalf("waited %s for: %s", deadline, what)
		}
		<-tick.C
	}
}

// buffer collects what several goroutines write.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// site is the whole server in this process, over a database of its own.
type site struct {
	t     *testing.T // the step that runs
	whole *testing.T
	base  string // http://127.0.0.1:PORT
	store *models.Store
	log   *buffer
}

// newSite serves for as long as the test lasts. Its passwords are cheap to
// check.
func newSite(t *testing.T, sample bool) *site {
	t.Helper()
	ctx := context.Background()
	cfg := config{map[string]string{}, map[string]string{}}
	for _, s := range settings {
		cfg.values[s.name] = s.value
	}
	cfg.values["db"] = filepath.Join(t.TempDir(), "postil.db")
	cfg.values["site-name"] = "The Margin"
	s := &site{t: t, whole: t, log: &buffer{}}
	log := slog.New(slog.NewTextHandler(s.log, nil))
	if sample {
		ok(t, putSample(ctx, cfg, log))
	}
	var err error
	s.store, err = models.Open(ctx, cfg.values["db"], models.Config{Log: log, Hasher: auth.NewTestHasher(), EditWindow: cfg.editWindow()})
	ok(t, err)
	handler, err := newHandler(cfg, s.store, log)
	ok(t, err)
	server := httptest.NewServer(handler)
	s.base = server.URL
	t.Cleanup(func() {
		server.Close()
		ok(t, s.store.Close())
		for line := range strings.Lines(s.log.String()) {
			if strings.Contains(line, "level=ERROR") {
				t.Errorf("the server logged: %s", line)
			}
		}
	})
	return s
}

// person makes an account.
func (s *site) person(name, shown string, role models.Role) models.Actor {
	s.t.Helper()
	in := models.AddUserInput{RegisterInput: models.RegisterInput{Username: name, Email: name + "@example.org", Password: password}, DisplayName: shown, Role: role}
	user, err := s.store.AddUser(context.Background(), models.System(), in)
	ok(s.t, err)
	return models.Actor{UserID: user.ID, Username: user.Username, DisplayName: user.DisplayName, Role: user.Role}
}

// article publishes an article.
func (s *site) article(by models.Actor, title, body string, policy models.CommentPolicy) models.Article {
	s.t.Helper()
	art, err := s.store.CreateArticle(context.Background(), by, models.ArticleInput{Title: title, Body: body, State: models.Published, CommentPolicy: policy,
		Standfirst: "A sentence below the title.", Tags: []string{"margins"}})
	ok(s.t, err)
	return art
}

// comment posts a comment, or a reply when parent is not 0.
func (s *site) comment(by models.Actor, slug string, parent int64, body string) models.Comment {
	s.t.Helper()
	c, err := s.store.CreateComment(context.Background(), by, slug, models.CommentInput{Body: body, ParentID: parent})
	ok(s.t, err)
	return c
}

// api sends JSON and reads JSON back.
func api(client *http.Client, method, url, token string, body, into any) (status int, err error) {
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, url, sent)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	reply, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		return 0, err
	}
	if reply.StatusCode >= 300 {
		return reply.StatusCode, fmt.Errorf("%s %s: %d: %s", method, url, reply.StatusCode, text)
	}
	if into != nil {
		err = json.Unmarshal(text, into)
	}
	return reply.StatusCode, err
}

// process is the built program, serving.
type process struct {
	*exec.Cmd
	base     string
	out, log *buffer
	ended    chan struct{} // closed when it has ended and was waited for
	ready    time.Duration // from its start until /readyz said so
}

var listeningOn = regexp.MustCompile(`listening on\s+(http://\S+)`)

// startProcess starts the built program on a free port and waits until it is
// ready.
func startProcess(t testing.TB, args ...string) *process {
	t.Helper()
	p := &process{out: &buffer{}, log: &buffer{}, ended: make(chan struct{})}
	p.Cmd = exec.Command(binary(t), append([]string{"serve", "--addr", "127.0.0.1:0"}, args...)...)
	p.Dir = t.TempDir()
	p.Stdout, p.Stderr = p.out, p.log
	begun := time.Now()
	ok(t, p.Start())
	go func() {
		defer close(p.ended)
		_ = p.Wait() // ProcessState says how it ended
	}()
	t.Cleanup(func() {
		_ = p.Process.Kill() // it may have ended
		<-p.ended
	})
	eventually(t, "the program to be ready", func() bool {
		select {
		case <-p.ended:
			t.Fatalf("the program ended: %s\n%s%s", p.ProcessState, p.out, p.log)
		default:
		}
		if m := listeningOn.FindStringSubmatch(p.out.String()); m != nil {
			p.base = m[1]
			reply, err := http.Get(p.base + "/readyz")
			if err == nil {
				reply.Body.Close()
				return reply.StatusCode == http.StatusOK
			}
		}
		return false
	})
	p.ready = time.Since(begun)
	return p
}

// waitEnd waits until the program has ended and gives its exit code.
func (p *process) waitEnd(t testing.TB) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(deadline):
		t.Fatalf("the program did not end\n%s", p.log)
	}
	return p.ProcessState.ExitCode()
}
