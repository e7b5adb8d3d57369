package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/spf13/cobra"

	"postil/auth"
	"postil/models"
)

// The benchmark compares: every figure stands beside a reference taken in the
// same run, turn by turn, since what a busy machine does in one second says
// little about the next. The load comes from a process of its own.

// scenario is one comparison.
type scenario struct {
	name, reference string
	subject, base   func(context.Context) (float64, error) // operations a second
}

func benchCommand() *cobra.Command {
	var rounds int
	var seconds float64
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure this machine: pages and writes against bare references",
		Long: `Fills a throw-away database with an article and 100 comments and measures, in
turns, what the server does against what a bare handler or raw SQLite does with
the same bytes. The ratio of the medians is what carries over to other machines.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, args []string) error {
			gin.SetMode(gin.ReleaseMode)
			folder, err := os.MkdirTemp("", "postil-bench-*")
			if err != nil {
				return err
			}
			defer os.RemoveAll(folder)
			b, err := newBench(cmd.Context(), folder, time.Duration(seconds*float64(time.Second)))
			if err != nil {
				return err
			}
			defer b.close()
			return b.run(cmd, rounds)
		},
	}
	cmd.Flags().IntVar(&rounds, "rounds", 5, "how often each scenario and its reference take turns")
	cmd.Flags().Float64Var(&seconds, "seconds", 2, "how long each turn lasts")
	cmd.AddCommand(loadCommand())
	return cmd
}

type bench struct {
	folder  string
	turn    time.Duration
	store   *models.Store
	servers []*http.Server
	app     string // address of the whole server
	bare    string // address of a handler that writes ready bytes
	token   string
	bodies  map[string][]byte // what the bare handler writes, by path
}

const benchSlug = "bench"

func newBench(ctx context.Context, folder string, turn time.Duration) (*bench, error) {
	b := &bench{folder: folder, turn: turn, bodies: map[string][]byte{}}
	cfg := config{map[string]string{"db": filepath.Join(folder, "bench.db"), "site-name": "Postil", "unlimited": "127.0.0.0/8", "edit-window": "30m"}, map[string]string{}}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	var err error
	if b.store, err = models.Open(ctx, cfg.values["db"], models.Config{Log: log, Hasher: auth.NewTestHasher()}); err != nil {
		return nil, err
	}
	if err := b.fill(ctx); err != nil {
		return nil, err
	}
	handler, err := newHandler(cfg, b.store, log)
	if err != nil {
		return nil, err
	}
	if b.app, err = b.listen(handler); err != nil {
		return nil, err
	}
	if b.bare, err = b.listen(b.bareHandler()); err != nil {
		return nil, err
	}
	return b, b.signIn()
}

func (b *bench) close() {
	for _, s := range b.servers {
		_ = s.Close()
	}
	_ = b.store.Close()
}

const benchPassword = "a passphrase for the benchmark"

// fill writes an article with 100 comments, a quarter of them replies.
func (b *bench) fill(ctx context.Context) error {
	for name, role := range map[string]models.Role{"writer": models.Author, "speaker": models.Moderator} {
		in := models.AddUserInput{RegisterInput: models.RegisterInput{Username: name, Password: benchPassword}, Role: role}
		if _, err := b.store.AddUser(ctx, models.System(), in); err != nil {
			return err
		}
	}
	writer, err := b.store.FindUser(ctx, "writer")
	if err != nil {
		return err
	}
	actor := models.Actor{UserID: writer.ID, Role: writer.Role}
	paragraph := "A paragraph of **ordinary** length, with a [link](https://example.org/) and `code`, as people write them. "
	_, err = b.store.CreateArticle(ctx, actor, models.ArticleInput{Title: "Bench", Slug: benchSlug, Body: strings.Repeat(paragraph+"\n\n", 40), State: models.Published, CommentPolicy: models.PolicyOpen})
	if err != nil {
		return err
	}
	var parent int64
	for i := range 100 {
		in := models.CommentInput{Body: fmt.Sprintf("Comment %d. %s", i, strings.Repeat(paragraph, 1+i%5))}
		if i%4 == 3 {
			in.ParentID = parent
		}
		c, err := b.store.CreateComment(ctx, actor, benchSlug, in)
		if err != nil {
			return err
		}
		if in.ParentID == 0 {
			parent = c.ID
		}
	}
	return nil
}

func (b *bench) listen(handler http.Handler) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	b.servers = append(b.servers, server)
	go func() { _ = server.Serve(listener) }() // ends when close closes it
	return "http://" + listener.Addr().String(), nil
}

// bareHandler writes ready bytes for any path: what the router and the network
// cost without us.
func (b *bench) bareHandler() http.Handler {
	router := gin.New()
	router.NoRoute(func(c *gin.Context) {
		body := b.bodies[c.Request.URL.RequestURI()]
		c.Data(http.StatusOK, "text/html; charset=utf-8", body)
	})
	return router
}

func (b *bench) signIn() error {
	body, err := json.Marshal(map[string]string{"login": "speaker", "password": benchPassword})
	if err != nil {
		return err
	}
	reply, err := http.Post(b.app+"/api/v1/sessions", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	var signed struct {
		AccessToken string `json:"access_token"`
	}
	err = json.NewDecoder(reply.Body).Decode(&signed)
	b.token = signed.AccessToken
	return err
}

func (b *bench) run(cmd *cobra.Command, rounds int) error {
	page, comments := "/articles/"+benchSlug, "/api/v1/articles/"+benchSlug+"/comments?limit=100"
	for _, path := range []string{page, comments} {
		reply, err := http.Get(b.app + path)
		if err != nil {
			return err
		}
		b.bodies[path], err = io.ReadAll(reply.Body)
		if err = closeAfter(reply.Body, err); err != nil {
			return err
		}
	}
	scenarios := []scenario{
		{"article page, HTML, 100 comments", "bare Gin handler, the same bytes", b.get(b.app, page), b.get(b.bare, page)},
		{"comment list, JSON, 100 comments", "bare Gin handler, the same bytes", b.get(b.app, comments), b.get(b.bare, comments)},
		{"comment posted by 32 clients, durable", "raw SQLite, one commit per insert, durable", b.post(), b.rawInserts},
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SCENARIO\tPER SECOND\tREFERENCE\tPER SECOND\tRATIO")
	for _, s := range scenarios {
		var ours, theirs []float64
		for range rounds {
			n, err := s.subject(cmd.Context())
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			m, err := s.base(cmd.Context())
			if err != nil {
				return fmt.Errorf("%s: %w", s.reference, err)
			}
			ours, theirs = append(ours, n), append(theirs, m)
		}
		fmt.Fprintf(w, "%s\t%.0f\t%s\t%.0f\t%.3f\n", s.name, median(ours), s.reference, median(theirs), median(ours)/median(theirs))
	}
	return w.Flush()
}

func closeAfter(c io.Closer, err error) error {
	if closing := c.Close(); err == nil {
		err = closing
	}
	return err
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func (b *bench) get(base, path string) func(context.Context) (float64, error) {
	return func(ctx context.Context) (float64, error) { return b.load(ctx, "GET", base+path, "") }
}

func (b *bench) post() func(context.Context) (float64, error) {
	return func(ctx context.Context) (float64, error) {
		return b.load(ctx, "POST", b.app+"/api/v1/articles/"+benchSlug+"/comments", `{"body":"A comment of ordinary length, with **stress** and a second sentence, written for the benchmark."}`)
	}
}

// load runs the load generator in a process of its own.
func (b *bench) load(ctx context.Context, method, url, body string) (float64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, self, "bench", "load", method, url, "--body", body, "--for", b.turn.String())
	cmd.Env = append(os.Environ(), "POSTIL_BENCH_TOKEN="+b.token)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, err
	}
	var result loadResult
	if err := json.Unmarshal(out, &result); err != nil {
		return 0, err
	}
	if result.Failed > 0 {
		return 0, fmt.Errorf("%d of %d requests failed, the first with %s", result.Failed, result.Failed+result.Done, result.Why)
	}
	return float64(result.Done) / result.Seconds, nil
}

// rawInserts writes comment rows, each in a commit of its own, over one
// connection.
func (b *bench) rawInserts(ctx context.Context) (float64, error) {
	path := filepath.Join(b.folder, fmt.Sprintf("raw-%d.db", time.Now().UnixNano()))
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "CREATE TABLE comments (id INTEGER PRIMARY KEY, thread_id INTEGER, author_id INTEGER, state TEXT, body TEXT, html TEXT, created_at INTEGER)"); err != nil {
		return 0, err
	}
	insert, err := db.PrepareContext(ctx, "INSERT INTO comments (thread_id, author_id, state, body, html, created_at) VALUES (1, 2, 'approved', ?, ?, ?)")
	if err != nil {
		return 0, err
	}
	defer insert.Close()
	body := "A comment of ordinary length, with **stress** and a second sentence, written for the benchmark."
	start, n := time.Now(), 0
	for ; time.Since(start) < b.turn; n++ {
		if _, err := insert.ExecContext(ctx, body, "<p>"+body+"</p>", n); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(start).Seconds(), nil
}

type loadResult struct {
	Done, Failed int
	Seconds      float64
	Why          string
}

// loadCommand is the load generator: a number of clients, each sending its next
// request when it has read the answer to the last.
func loadCommand() *cobra.Command {
	var body string
	var lasting time.Duration
	var clients int
	cmd := &cobra.Command{
		Use:    "load METHOD URL",
		Short:  "Send requests to a loopback address for a while and print what came of it",
		Hidden: true,
		Args:   exactly("METHOD", "URL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !strings.HasPrefix(args[1], "http://127.0.0.1:") {
				return usageError{fmt.Errorf("load is sent to 127.0.0.1 only")}
			}
			return json.NewEncoder(cmd.OutOrStdout()).Encode(generate(args[0], args[1], body, lasting, clients))
		},
	}
	cmd.Flags().StringVar(&body, "body", "", "body of each request")
	cmd.Flags().DurationVar(&lasting, "for", time.Second, "how long")
	cmd.Flags().IntVar(&clients, "clients", 32, "how many clients")
	return cmd
}

func generate(method, url, body string, lasting time.Duration, clients int) loadResult {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients, DisableCompression: true}}
	var mu sync.Mutex
	var total loadResult
	var wg sync.WaitGroup
	start := time.Now()
	for range clients {
		wg.Go(func() {
			var mine loadResult
			for time.Since(start) < lasting {
				if err := once(client, method, url, body); err != nil {
					mine.Failed++
					mine.Why = err.Error()
					continue
				}
				mine.Done++
			}
			mu.Lock()
			defer mu.Unlock()
			total.Done, total.Failed = total.Done+mine.Done, total.Failed+mine.Failed
			if mine.Why != "" {
				total.Why = mine.Why
			}
		})
	}
	wg.Wait()
	total.Seconds = time.Since(start).Seconds()
	return total
}

func once(client *http.Client, method, url, body string) error {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer "+os.Getenv("POSTIL_BENCH_TOKEN"))
	}
	reply, err := client.Do(request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, reply.Body)
	if err = closeAfter(reply.Body, err); err != nil {
		return err
	}
	if reply.StatusCode >= 300 {
		return fmt.Errorf("status %d", reply.StatusCode)
	}
	return nil
}
