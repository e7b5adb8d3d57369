package models

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"postil/auth"
)

var background = context.Background()

// openEmpty opens a fresh store.
func openEmpty(t *testing.T, cfg Config) *Store {
	t.Helper()
	cfg.Log, cfg.Hasher = slog.New(slog.DiscardHandler), auth.NewTestHasher()
	s, err := Open(background, filepath.Join(t.TempDir(), "postil.db"), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// holdWriter keeps the writer busy until release is called.
func holdWriter(t *testing.T, s *Store) (release func()) {
	t.Helper()
	busy, free := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- s.writer.do(background, func(*gorm.DB) error {
			close(busy)
			<-free
			return nil
		})
	}()
	<-busy
	return func() {
		close(free)
		<-done
	}
}

// waitQueued waits until n writes stand in the queue.
func waitQueued(t *testing.T, s *Store, n int) {
	t.Helper()
	again, deadline := time.NewTicker(100*time.Microsecond), time.After(10*time.Second)
	defer again.Stop()
	for len(s.writer.queue) < n {
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("%d writes wait, want %d", len(s.writer.queue), n)
		}
	}
}

func put(key string) func(*gorm.DB) error {
	return func(db *gorm.DB) error { return setSetting(db, key, "yes") }
}

func has(t *testing.T, s *Store, key string) bool {
	t.Helper()
	value, err := setting(s.read(background), key)
	if err != nil {
		t.Fatal(err)
	}
	return value == "yes"
}

// together runs use cases in one group, in order, and returns their errors.
func together(t *testing.T, s *Store, fns ...func(*gorm.DB) error) []error {
	t.Helper()
	release := holdWriter(t, s)
	errs := make([]error, len(fns))
	var all sync.WaitGroup
	for i, fn := range fns {
		all.Go(func() { errs[i] = s.writer.do(background, fn) })
		waitQueued(t, s, i+1)
	}
	release()
	all.Wait()
	return errs
}

func TestWriterUndoesOnlyWhatFails(t *testing.T) {
	s := openEmpty(t, Config{})
	no := errors.New("no")
	errs := together(t, s,
		put("before"),
		func(db *gorm.DB) error { put("failing")(db); return no },
		put("between"),
		func(db *gorm.DB) error { put("panicking")(db); panic("oh") },
		func(db *gorm.DB) error {
			put("twice")(db)
			return db.Exec("INSERT INTO settings VALUES ('twice', 'no')").Error
		},
		func(db *gorm.DB) error { return db.Exec("no SQL at all").Error },
		put("after"))
	for i, wantError := range []bool{false, true, false, true, true, true, false} {
		if (errs[i] != nil) != wantError {
			t.Errorf("use case %d: %v", i, errs[i])
		}
	}
	if !errors.Is(errs[1], no) {
		t.Errorf("the error came back as %v", errs[1])
	}
	if KindOf(errs[3]) != Internal || !strings.Contains(errs[3].Error(), "oh") {
		t.Errorf("the panic came back as %v", errs[3])
	}
	for key, want := range map[string]bool{"before": true, "failing": false, "between": true, "panicking": false, "twice": false, "after": true} {
		if has(t, s, key) != want {
			t.Errorf("%s is kept: %v, want %v", key, !want, want)
		}
	}
}

// Some errors make SQLite undo the whole transaction by itself. Then nothing of
// the group may be acknowledged, and nothing after it may run outside one.
func TestWriterWhenTheTransactionIsGone(t *testing.T) {
	s := openEmpty(t, Config{})
	errs := together(t, s,
		put("first"),
		func(db *gorm.DB) error { db.Exec("ROLLBACK"); return errors.New("disk full") },
		put("second"))
	for i, key := range []string{"first", "", "second"} {
		if key == "" {
			continue
		}
		if kept := has(t, s, key); kept != (errs[i] == nil) {
			t.Errorf("%s: error %v, but kept: %v", key, errs[i], kept)
		}
	}
	if err := s.writer.do(background, put("later")); err != nil || !has(t, s, "later") {
		t.Errorf("the writer did not recover: %v", err)
	}
}

func TestWriterSurvivesAFailedCommit(t *testing.T) {
	s := openEmpty(t, Config{})
	errs := together(t, s, put("innocent"), func(db *gorm.DB) error {
		db.Exec("PRAGMA defer_foreign_keys = ON")
		return db.Exec("INSERT INTO article_tags VALUES (4711, 'nowhere')").Error
	})
	for i, err := range errs {
		if KindOf(err) != Unavailable {
			t.Errorf("use case %d: %v", i, err)
		}
	}
	if has(t, s, "innocent") {
		t.Error("what was refused is kept")
	}
	if s.Ready(background) == nil {
		t.Error("ready after a failed commit")
	}
	if err := s.writer.do(background, put("later")); err != nil || !has(t, s, "later") {
		t.Errorf("the writer did not recover: %v", err)
	}
	if err := s.Ready(background); err != nil {
		t.Errorf("not ready after recovery: %v", err)
	}
}

func TestWriterContext(t *testing.T) {
	s := openEmpty(t, Config{})
	release := holdWriter(t, s)
	ended, cancel := context.WithCancel(background)
	answer := make(chan error, 1)
	go func() { answer <- s.writer.do(ended, put("cancelled")) }()
	waitQueued(t, s, 1)
	cancel()
	release()
	if err := <-answer; !errors.Is(err, context.Canceled) || has(t, s, "cancelled") {
		t.Errorf("cancelled before it began: %v, kept: %v", err, has(t, s, "cancelled"))
	}

	running, stop := context.WithCancel(background)
	err := s.writer.do(running, func(db *gorm.DB) error {
		stop()
		return put("begun")(db)
	})
	if err != nil || !has(t, s, "begun") {
		t.Errorf("cancelled after it began: %v, kept: %v", err, has(t, s, "begun"))
	}
}

func TestWriterFullQueue(t *testing.T) {
	s := openEmpty(t, Config{QueueSize: 2})
	release := holdWriter(t, s)
	var waiting sync.WaitGroup
	for i := range 2 {
		waiting.Go(func() {
			if err := s.writer.do(background, put(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	waitQueued(t, s, 2)
	var e *Error
	if err := s.writer.do(background, put("too many")); !errors.As(err, &e) || e.Kind != Unavailable || e.RetryAfter <= 0 {
		t.Errorf("a full queue answers %v", err)
	}
	release()
	waiting.Wait()
	if !has(t, s, "0") || !has(t, s, "1") || has(t, s, "too many") {
		t.Error("what waited is not what was kept")
	}
}

func TestWriterCloseDrains(t *testing.T) {
	s := openEmpty(t, Config{})
	release := holdWriter(t, s)
	answers := make(chan error, 10)
	for i := range cap(answers) {
		go func() { answers <- s.writer.do(background, put(fmt.Sprint(i))) }()
	}
	waitQueued(t, s, cap(answers))
	closed := make(chan struct{})
	go func() { s.writer.close(); close(closed) }()
	release()
	<-closed
	for range cap(answers) {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	for i := range cap(answers) {
		if !has(t, s, fmt.Sprint(i)) {
			t.Errorf("write %d was accepted and lost", i)
		}
	}
	if err := s.writer.do(background, put("late")); KindOf(err) != Unavailable {
		t.Errorf("a write after close: %v", err)
	}
	s.writer.close() // a second time does nothing
}

func TestWriterManyAtOnce(t *testing.T) {
	s := openEmpty(t, Config{})
	var writers sync.WaitGroup
	for w := range 32 {
		writers.Go(func() {
			for i := range 50 {
				if err := s.writer.do(background, put(fmt.Sprintf("%d-%d", w, i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	var n int64
	if err := s.read(background).Raw("SELECT count(*) FROM settings WHERE value = 'yes'").Scan(&n).Error; err != nil || n != 32*50 {
		t.Errorf("%d writes are there (%v), want %d", n, err, 32*50)
	}
}

// While another program holds the file, everything that waits is refused after
// one patient try, not after one try each.
func TestWriterRefusesAllWhileLocked(t *testing.T) {
	s := openEmpty(t, Config{})
	if err := s.writer.db.Exec("PRAGMA busy_timeout = 1").Error; err != nil {
		t.Fatal(err)
	}
	other, closeOther, err := s.engine.openWrites()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Exec("BEGIN IMMEDIATE").Error; err != nil {
		t.Fatal(err)
	}
	// A loop that has not begun yet, with 20 jobs in its queue.
	waiting := &writer{db: s.writer.db, log: s.cfg.Log, queue: make(chan *job, 20), done: make(chan struct{}), committed: func() {}}
	var jobs []*job
	for i := range cap(waiting.queue) {
		j := &job{ctx: background, fn: put(fmt.Sprint(i)), answer: make(chan error, 1)}
		jobs = append(jobs, j)
		waiting.queue <- j
	}
	go waiting.run()
	for _, j := range jobs {
		if err := <-j.answer; KindOf(err) != Unavailable {
			t.Errorf("a write to a locked file: %v", err)
		}
	}
	waiting.close()
	if err := s.writer.do(background, put("meanwhile")); KindOf(err) != Unavailable {
		t.Errorf("a write to a locked file: %v", err)
	}
	if err := s.Ready(background); KindOf(err) != Unavailable {
		t.Errorf("ready while locked: %v", err)
	}
	if _, err := s.HasArticles(background); err != nil {
		t.Errorf("reading while locked: %v", err)
	}
	if err := closeOther(); err != nil {
		t.Error(err)
	}
	if err := s.writer.do(background, put("later")); err != nil || s.Ready(background) != nil {
		t.Errorf("the writer did not recover: %v", err)
	}
}

// A transaction that was left open does not stop the writer for ever.
func TestWriterRecoversFromAnOpenTransaction(t *testing.T) {
	s := openEmpty(t, Config{})
	if err := s.writer.db.Exec("BEGIN IMMEDIATE").Error; err != nil {
		t.Fatal(err)
	}
	if err := s.writer.do(background, put("first")); KindOf(err) != Unavailable {
		t.Errorf("a write into an open transaction: %v", err)
	}
	if err := s.writer.do(background, put("second")); err != nil || s.Ready(background) != nil {
		t.Errorf("the writer did not recover: %v", err)
	}
}
