// Package modelstest opens throw-away stores and fills them, as net/http/httptest
// does for servers.
//
// What stays true: a fixture is a real migrated database with real sessions, a
// clock that stands still until it is moved, and passwords that are cheap to
// check. Nothing in it is a stand-in for the store. Every fixture is checked for
// damage when its test ends.
package modelstest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"postil/auth"
	"postil/models"
)

// Password is what every account of a fixture signs in with.
const Password = "seven blunt pencils walk home"

// Network is where the accounts of a fixture sign in from.
const Network = "192.0.2.0/24"

// Fixture is an open store with a clock. Its helpers end the test when they
// fail.
type Fixture struct {
	*models.Store
	Clock *Clock
	URL   string // what Open takes, for a test that opens the database again

	t      testing.TB
	config models.Config
	sound  bool // check the database when the test ends
}

// Option changes how a fixture opens its store.
type Option func(*Fixture)

// EditWindow sets how long a comment may be edited.
func EditWindow(d time.Duration) Option {
	return func(fx *Fixture) { fx.config.EditWindow = d }
}

// QueueSize sets how many writes may wait.
func QueueSize(n int) Option {
	return func(fx *Fixture) { fx.config.QueueSize = n }
}

// Damaged says that the test breaks its database on purpose.
func Damaged() Option {
	return func(fx *Fixture) { fx.sound = false }
}

// New opens a fresh store that lasts as long as the test. The environment
// variable POSTIL_TEST_DATABASE chooses the database engine; see fresh.
func New(t testing.TB, opts ...Option) *Fixture {
	t.Helper()
	fx := &Fixture{Clock: NewClock(), t: t, sound: true}
	fx.config = models.Config{Now: fx.Clock.Now, Log: slog.New(slog.DiscardHandler), Hasher: auth.NewTestHasher()}
	for _, o := range opts {
		o(fx)
	}
	fx.URL = fresh(t)
	fx.open()
	t.Cleanup(func() {
		if fx.sound && !t.Failed() {
			fx.MustBeSound()
		}
		if err := fx.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return fx
}

func (fx *Fixture) open() {
	fx.t.Helper()
	store, err := models.Open(context.Background(), fx.URL, fx.config)
	if err != nil {
		fx.t.Fatalf("open the store: %v", err)
	}
	fx.Store = store
}

// Reopen closes the store and opens the same database again, as a restart of
// the program does.
func (fx *Fixture) Reopen() {
	fx.t.Helper()
	if err := fx.Close(); err != nil {
		fx.t.Fatalf("close the store: %v", err)
	}
	fx.open()
}

// Config is how the store was opened, for a test that opens a second one.
func (fx *Fixture) Config() models.Config { return fx.config }

// MustBeSound fails the test if the store finds anything wrong with itself.
func (fx *Fixture) MustBeSound() {
	fx.t.Helper()
	found, err := fx.Check(context.Background())
	if err != nil {
		fx.t.Fatalf("check: %v", err)
	}
	for _, sentence := range found {
		fx.t.Errorf("check: %s", sentence)
	}
}

// Must ends the test if err is not nil.
func (fx *Fixture) Must(err error) {
	fx.t.Helper()
	if err != nil {
		fx.t.Fatal(err)
	}
}
