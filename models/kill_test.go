package models_test

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"postil/auth"
	"postil/models"
	"postil/models/modelstest"
)

// TestMain lets the test binary be a second program: POSTIL_TEST_CHILD names
// what it does instead of testing.
func TestMain(m *testing.M) {
	switch os.Getenv("POSTIL_TEST_CHILD") {
	case "":
		flag.Parse()
		checks := "20" // of each property; go test -rapid.checks=1000 looks longer
		flag.Visit(func(f *flag.Flag) {
			if f.Name == "rapid.checks" {
				checks = f.Value.String()
			}
		})
		for name, value := range map[string]string{"rapid.checks": checks, "rapid.nofailfile": "true"} {
			if err := flag.Set(name, value); err != nil {
				panic(err)
			}
		}
		os.Exit(m.Run())
	case "open":
		childOpen()
	case "write":
		childWrite()
	}
}

func childStore() *models.Store {
	store, err := models.Open(ctx, os.Getenv("POSTIL_TEST_URL"), models.Config{Log: slog.New(slog.DiscardHandler), Hasher: auth.NewTestHasher()})
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	return store
}

// child is the test binary as another program on the same database.
func child(deed, url string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "POSTIL_TEST_CHILD="+deed, "POSTIL_TEST_URL="+url)
	cmd.Stderr = os.Stderr
	return cmd
}

// childOpen waits for a line, so that all begin at once, opens and closes.
func childOpen() {
	fmt.Println("ready")
	bufio.NewReader(os.Stdin).ReadString('\n')
	store := childStore()
	if err := store.Close(); err != nil {
		fmt.Println("close:", err)
		os.Exit(1)
	}
	fmt.Println("opened")
}

func TestManyProgramsOpenAFreshDatabase(t *testing.T) {
	for range 3 {
		url := filepath.Join(t.TempDir(), "postil.db")
		var inputs []io.WriteCloser
		var outputs []*bufio.Reader
		var children []*exec.Cmd
		for range 5 {
			cmd := child("open", url)
			in, err := cmd.StdinPipe()
			ok(t, err)
			out, err := cmd.StdoutPipe()
			ok(t, err)
			ok(t, cmd.Start())
			reader := bufio.NewReader(out)
			_, err = reader.ReadString('\n')
			ok(t, err)
			inputs, outputs, children = append(inputs, in), append(outputs, reader), append(children, cmd)
		}
		for _, in := range inputs {
			fmt.Fprintln(in, "go")
		}
		for i, cmd := range children {
			said, _ := io.ReadAll(outputs[i])
			if err := cmd.Wait(); err != nil || string(said) != "opened\n" {
				t.Errorf("program %d: %v: %s", i, err, said)
			}
		}
		if copies, _ := filepath.Glob(url + ".before-*"); len(copies) > 0 {
			t.Errorf("copies of a fresh database: %v", copies)
		}
	}
}

// childWrite posts comments from 32 sides until it is killed, and says each id
// after it was acknowledged.
func childWrite() {
	store := childStore()
	user, err := store.FindUser(ctx, "rita")
	if err != nil {
		fmt.Println("find:", err)
		os.Exit(1)
	}
	actor := models.Actor{UserID: user.ID, Role: user.Role}
	var mu sync.Mutex
	parents := []int64{0}
	for w := range 32 {
		go func() {
			for i := 0; ; i++ {
				body := fmt.Sprintf("words %d of writer %d in %d", i, w, os.Getpid())
				mu.Lock()
				parent := parents[rand.IntN(len(parents))]
				mu.Unlock()
				c, err := store.CreateComment(ctx, actor, os.Getenv("POSTIL_TEST_SLUG"), models.CommentInput{Body: body, ParentID: parent})
				if err != nil {
					os.Stdout.WriteString("error " + err.Error() + "\n")
					continue
				}
				os.Stdout.WriteString(fmt.Sprintf("%d %s\n", c.ID, body)) // one write, unbuffered
				mu.Lock()
				parents = append(parents, c.ID)
				mu.Unlock()
			}
		}()
	}
	select {}
}

// A program that is killed while 32 sides write has lost nothing it had
// acknowledged.
func TestKilledProgramLosesNothing(t *testing.T) {
	rounds := 3
	if text := os.Getenv("POSTIL_KILL_ROUNDS"); text != "" {
		n, err := strconv.Atoi(text)
		ok(t, err)
		rounds = n
	}
	fx := modelstest.New(t)
	art := fx.Article(fx.User(models.Author, "anna"))
	fx.User(models.Reader, "rita")
	t.Setenv("POSTIL_TEST_SLUG", art.Slug)
	acknowledged := map[int64]string{}
	for round := range rounds {
		ok(t, fx.Close())
		said := killWhileWriting(t, fx.URL, 100+rand.IntN(900))
		for id, body := range said {
			acknowledged[id] = body
		}
		begun := time.Now()
		fx.Reopen()
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("recovery took %s", took)
		}
		var rows []models.Comment
		ok(t, fx.Reads().Find(&rows).Error)
		bodies := map[int64]string{}
		for _, c := range rows {
			bodies[c.ID] = c.Body
		}
		for id, body := range acknowledged {
			if bodies[id] != body {
				t.Fatalf("round %d: comment %d was acknowledged as %q and is %q", round, id, body, bodies[id])
			}
		}
		fx.MustBeSound()
		t.Logf("round %d: %d acknowledged, %d there", round, len(acknowledged), len(rows))
	}
}

// killWhileWriting runs a writing program until it acknowledged so many
// comments, kills it, and returns all that it acknowledged.
func killWhileWriting(t *testing.T, url string, after int) map[int64]string {
	t.Helper()
	cmd := child("write", url)
	out, err := cmd.StdoutPipe()
	ok(t, err)
	ok(t, cmd.Start())
	guard := time.AfterFunc(60*time.Second, func() { cmd.Process.Kill() })
	defer guard.Stop()
	said := map[int64]string{}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		number, body, _ := strings.Cut(lines.Text(), " ")
		id, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			t.Errorf("the program says %q", lines.Text())
			continue
		}
		said[id] = body
		if len(said) == after {
			ok(t, cmd.Process.Kill())
		}
	}
	_ = cmd.Wait() // it was killed
	if len(said) < after {
		t.Fatalf("the program acknowledged %d comments and ended", len(said))
	}
	return said
}
