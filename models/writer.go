package models

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"gorm.io/gorm"
)

// writer is the only one who writes. SQLite has one writer at a time whatever
// its clients do, so instead of fighting for the lock all writes queue here and
// everything that waits is committed together: each use case in a savepoint of
// its own, one commit and one fsync for all, answers after that. A lone write
// waits for nobody; under load the group grows by itself, since requests gather
// while the disk is busy with the group before.
type writer struct {
	db    *gorm.DB
	log   *slog.Logger
	queue chan *job
	done  chan struct{} // closed when the loop has ended

	committed func() // called after each commit, before anybody is answered

	mu     sync.RWMutex // guards closed against sends on queue
	closed bool

	sick   sync.Mutex
	sickBy error // why the last commit failed, nil after one that worked
}

// job is one use case on its way through the writer.
type job struct {
	ctx    context.Context
	fn     func(*gorm.DB) error
	err    error
	answer chan error
}

// maxGroup bounds how many use cases share a commit, so that the first of them
// does not wait for an endless stream of others.
const maxGroup = 256

func newWriter(db *gorm.DB, queueSize int, log *slog.Logger, committed func()) *writer {
	w := &writer{db: db, log: log, queue: make(chan *job, queueSize), done: make(chan struct{}), committed: committed}
	go w.run()
	return w
}

// do hands fn to the writer and waits until it is on disk or undone. A context
// that ends before fn began cancels it; once begun it runs to its end, for
// otherwise nobody could say whether it happened.
func (w *writer) do(ctx context.Context, fn func(*gorm.DB) error) error {
	j := &job{ctx: ctx, fn: fn, answer: make(chan error, 1)}
	if err := w.enqueue(j); err != nil {
		return err
	}
	return <-j.answer
}

func (w *writer) enqueue(j *job) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return &Error{Kind: Unavailable, Message: "The server is shutting down. Try again in a moment.", RetryAfter: 5 * time.Second}
	}
	select {
	case w.queue <- j:
		return nil
	default:
		return &Error{Kind: Unavailable, Message: "More is being written than the disk can take. Try again in a moment.", RetryAfter: time.Second}
	}
}

func (w *writer) close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.done
}

// health is why writes fail at present, or nil.
func (w *writer) health() error {
	w.sick.Lock()
	defer w.sick.Unlock()
	return w.sickBy
}

func (w *writer) run() {
	defer close(w.done)
	for j := range w.queue {
		group := w.commit(j)
		for _, j := range group {
			j.answer <- j.err
		}
	}
}

// commit runs first and everything that waits behind it in one transaction and
// returns them all, each with its outcome.
func (w *writer) commit(first *job) (group []*job) {
	group = append(group, first)
	tx := w.db
	err := tx.Exec("BEGIN IMMEDIATE").Error
	if err != nil {
		// Whoever waits has waited for the lock too; trying once for each of
		// them would keep the last one waiting for minutes.
		err = w.failed("begin", err)
		w.rollback() // if a transaction was left open, the next group must not find it
	} else {
		first.err = runInSavepoint(tx, first)
	}
collect:
	for len(group) < maxGroup && !errors.Is(group[len(group)-1].err, errGone) {
		select {
		case j, open := <-w.queue:
			if !open {
				break collect
			}
			if err == nil {
				j.err = runInSavepoint(tx, j)
			}
			group = append(group, j)
		default:
			break collect
		}
	}
	switch {
	case err != nil:
	case errors.Is(group[len(group)-1].err, errGone):
		w.rollback()
		err = w.failed("write", group[len(group)-1].err)
	default:
		if err = tx.Exec("COMMIT").Error; err != nil {
			w.rollback()
			err = w.failed("commit", err)
		}
	}
	if err != nil {
		for _, j := range group {
			if j.err == nil {
				j.err = err
			}
		}
		return group
	}
	w.sick.Lock()
	w.sickBy = nil
	w.sick.Unlock()
	w.committed()
	return group
}

// rollback undoes a group's transaction, if the database has not done so itself.
func (w *writer) rollback() {
	if err := w.db.Exec("ROLLBACK").Error; err != nil {
		w.log.Debug("nothing to roll back", "error", err)
	}
}

// failed notes why nothing could be committed and words it for the caller.
func (w *writer) failed(deed string, cause error) error {
	w.log.Error("write failed", "deed", deed, "error", cause)
	err := &Error{Kind: Unavailable, Message: "The database cannot be written at present. Nothing was saved; try again in a moment.",
		RetryAfter: 5 * time.Second, Cause: fmt.Errorf("%s: %w", deed, cause)}
	w.sick.Lock()
	w.sickBy = err
	w.sick.Unlock()
	return err
}

// errGone says that the database gave up the transaction of the whole group, as
// it may when the disk is full.
var errGone = errors.New("the transaction is gone")

// runInSavepoint runs one job so that its failure, or its panic, undoes it and
// nothing else.
func runInSavepoint(tx *gorm.DB, j *job) (err error) {
	if err := j.ctx.Err(); err != nil {
		return err
	}
	// A client that goes away must not interrupt a statement half-way: the
	// connection is shared by the whole group.
	db := tx.WithContext(context.WithoutCancel(j.ctx))
	if err := db.Exec("SAVEPOINT usecase").Error; err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a write: %v\n%s", p, debug.Stack())
		}
		if err != nil {
			if rollback := db.Exec("ROLLBACK TO usecase").Error; rollback != nil {
				err = fmt.Errorf("%w (%w: %v)", err, errGone, rollback)
				return
			}
		}
		if release := db.Exec("RELEASE usecase").Error; release != nil {
			err = errors.Join(err, fmt.Errorf("%w: %w", errGone, release))
		}
	}()
	return j.fn(db)
}
