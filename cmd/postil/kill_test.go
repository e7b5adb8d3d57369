package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"postil/auth"
	"postil/models"
)

// A server that is killed under load has lost nothing that it acknowledged.
// POSTIL_KILL_ROUNDS says how often.
func TestKilledServerLosesNothing(t *testing.T) {
	if testing.Short() && os.Getenv("CI") == "" {
		t.Skip("The kill test is left out of short runs.")
	}
	rounds := 3
	if text := os.Getenv("POSTIL_KILL_ROUNDS"); text != "" {
		n, err := strconv.Atoi(text)
		ok(t, err)
		rounds = n
	}
	k := newKill(t)
	var slowest time.Duration
	lost := 0
	for round := range rounds {
		acknowledged := k.writeUntilKilled()
		k.server = startProcess(t, "--db", k.db)
		slowest = max(slowest, k.server.ready)
		there := k.comments()
		for id, body := range k.acknowledged {
			if got, found := there[id]; !found || got != body {
				lost++
				t.Errorf("round %d: comment %d was acknowledged as %q and is now %q", round, id, body, got)
			}
		}
		for id, body := range there {
			if !k.sent[body] {
				t.Errorf("round %d: comment %d says %q, which nobody has written", round, id, body)
			}
		}
		t.Logf("round %d: %d acknowledged before the kill; of %d altogether all but %d are there, and %d that were not acknowledged; ready again after %s",
			round, acknowledged, len(k.acknowledged), lost, len(there)-len(k.acknowledged)+lost, k.server.ready.Round(time.Millisecond))
		if t.Failed() {
			return
		}
	}
	if acted := len(k.acknowledged); acted < 10*rounds {
		t.Errorf("only %d comments were acknowledged in %d rounds", acted, rounds)
	}
	var out, errs bytes.Buffer
	if code := run(context.Background(), []string{"doctor", "--db", k.db}, nil, &out, &errs); code != exitOK {
		t.Errorf("doctor ends with %d:\n%s%s", code, &out, &errs)
	}
	t.Logf("%d rounds, %d acknowledged, %d lost, slowest recovery %s", rounds, len(k.acknowledged), lost, slowest.Round(time.Millisecond))
}

// kill is a server that 32 people write to until it dies.
type kill struct {
	t      *testing.T
	db     string
	server *process
	tokens []string // of 32 readers
	client *http.Client

	mu           sync.Mutex
	sent         map[string]bool
	acknowledged map[int64]string // body by id
}

const writers = 32

func newKill(t *testing.T) *kill {
	t.Helper()
	ctx := context.Background()
	k := &kill{t: t, db: filepath.Join(t.TempDir(), "postil.db"), sent: map[string]bool{}, acknowledged: map[int64]string{},
		client: &http.Client{Timeout: deadline, Transport: &http.Transport{MaxIdleConnsPerHost: writers}}}
	t.Cleanup(k.client.CloseIdleConnections)
	// With a store of its own, whose passwords are cheap: they are not what is
	// tested here.
	store, err := models.Open(ctx, k.db, models.Config{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Hasher: auth.NewTestHasher()})
	ok(t, err)
	ok(t, store.MarkSample(ctx))
	in := models.AddUserInput{RegisterInput: models.RegisterInput{Username: "ada", Password: password}, Role: models.Admin}
	ada, err := store.AddUser(ctx, models.System(), in)
	ok(t, err)
	_, err = store.CreateArticle(ctx, models.Actor{UserID: ada.ID, Role: ada.Role},
		models.ArticleInput{Title: "Under load", Slug: "load", Body: "A text.", State: models.Published, CommentPolicy: models.PolicyOpen})
	ok(t, err)
	for i := range writers {
		in.Username, in.Role = fmt.Sprintf("writer-%d", i), models.Reader
		_, err := store.AddUser(ctx, models.System(), in)
		ok(t, err)
	}
	ok(t, store.Close())
	k.server = startProcess(t, "--db", k.db)
	for i := range writers {
		var signed struct {
			AccessToken string `json:"access_token"`
		}
		_, err := api(k.client, "POST", k.server.base+"/api/v1/sessions", "", map[string]string{"login": fmt.Sprintf("writer-%d", i), "password": password}, &signed)
		ok(t, err)
		k.tokens = append(k.tokens, signed.AccessToken)
	}
	return k
}

// writeUntilKilled lets everybody write, kills the server at a moment that
// nobody knows beforehand, and says how many comments it had acknowledged.
func (k *kill) writeUntilKilled() int {
	k.t.Helper()
	before := len(k.acknowledged)
	begun, dead := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var everybody sync.WaitGroup
	for w := range writers {
		everybody.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-dead:
					return
				default:
				}
				body := fmt.Sprintf("Writer %d, text %d, %d.", w, n, rand.Uint64())
				k.mu.Lock()
				k.sent[body] = true
				k.mu.Unlock()
				var comment struct {
					ID   int64
					Body string
				}
				status, err := api(k.client, "POST", k.server.base+"/api/v1/articles/load/comments", k.tokens[w], map[string]string{"body": body}, &comment)
				if status >= 400 {
					k.t.Errorf("the server refused a comment: %v", err)
					return
				}
				if err != nil {
					return // it was killed before it could answer
				}
				k.mu.Lock()
				k.acknowledged[comment.ID] = comment.Body
				k.mu.Unlock()
				once.Do(func() { close(begun) })
			}
		})
	}
	select {
	case <-begun:
	case <-time.After(deadline):
		k.t.Error("the server acknowledged nothing")
	}
	time.AfterFunc(time.Duration(rand.IntN(700))*time.Millisecond, func() {
		if err := syscall.Kill(k.server.Process.Pid, syscall.SIGKILL); err != nil {
			k.t.Errorf("kill: %v", err)
		}
		close(dead)
	})
	everybody.Wait()
	<-k.server.ended
	if k.server.ProcessState.Success() {
		k.t.Error("the server ended by itself")
	}
	return len(k.acknowledged) - before
}

// comments reads every comment back through the API.
func (k *kill) comments() map[int64]string {
	k.t.Helper()
	there := map[int64]string{}
	for cursor := ""; ; {
		var list struct {
			Items []struct {
				ID   int64
				Body string
			}
			NextCursor string `json:"next_cursor"`
		}
		_, err := api(k.client, "GET", k.server.base+"/api/v1/articles/load/comments?sort=oldest&limit=100&cursor="+cursor, "", nil, &list)
		ok(k.t, err)
		for _, c := range list.Items {
			there[c.ID] = c.Body
		}
		if cursor = list.NextCursor; cursor == "" {
			return there
		}
	}
}
