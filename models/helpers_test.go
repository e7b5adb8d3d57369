package models_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gorm.io/gorm"

	"postil/models"
	"postil/models/modelstest"
)

var update = flag.Bool("update", false, "write the golden files anew")

var ctx = context.Background()

// anonymous is a visitor from a network of his own.
var anonymous = models.Actor{Network: "198.51.100.0/24"}

// wantKind fails the test unless err is an error of that kind.
func wantKind(t testing.TB, err error, want models.Kind) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want kind %d", want)
	}
	if got := models.KindOf(err); got != want {
		t.Fatalf("error of kind %d, want %d: %v", got, want, err)
	}
}

// wantField fails the test unless err complains about that field.
func wantField(t testing.TB, err error, field string) {
	t.Helper()
	e, ok := err.(*models.Error)
	if !ok {
		t.Fatalf("error %v; want one about the field %s", err, field)
	}
	for _, f := range e.Fields {
		if f.Field == field {
			return
		}
	}
	t.Fatalf("error %v does not name the field %s", err, field)
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// golden compares a text with a file of testdata, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at it, then run with -update\n%s", path, cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")))
	}
}

// parallel runs fn n times at once and returns the errors.
func parallel(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			<-start
			errs[i] = fn(i)
		})
	}
	close(start)
	group.Wait()
	return errs
}

// inOrder starts use cases one after the other while nothing is written, so that
// each has read what was there before the first of them; then it lets them write.
func inOrder(t testing.TB, fx *modelstest.Fixture, fns ...func() error) []error {
	t.Helper()
	busy, free := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		if err := fx.Write(ctx, func(*gorm.DB) error { close(busy); <-free; return nil }); err != nil {
			t.Error(err)
		}
	})
	<-busy
	errs := make([]error, len(fns))
	for i, fn := range fns {
		all.Go(func() { errs[i] = fn() })
		again, deadline := time.NewTicker(100*time.Microsecond), time.After(10*time.Second)
		for fx.Waiting() <= i {
			select {
			case <-again.C:
			case <-deadline:
				t.Fatalf("%d writes wait, want %d", fx.Waiting(), i+1)
			}
		}
		again.Stop()
	}
	close(free)
	all.Wait()
	return errs
}

// succeeded counts the errors that are nil.
func succeeded(errs []error) int {
	n := 0
	for _, err := range errs {
		if err == nil {
			n++
		}
	}
	return n
}

func ref[T any](v T) *T { return &v }

func commentIDs(list []*models.Comment) []int64 {
	ids := []int64{}
	for _, c := range list {
		ids = append(ids, c.ID)
	}
	return ids
}

// rowsOf counts rows of the database.
func rowsOf(t testing.TB, fx *modelstest.Fixture, query string, args ...any) int64 {
	t.Helper()
	var n int64
	if err := fx.Reads().Raw("SELECT count(*) FROM "+query, args...).Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

// eventsAfter lists the kinds of the events after one.
func eventsAfter(t testing.TB, fx *modelstest.Fixture, id int64) []string {
	t.Helper()
	kinds := []string{}
	if err := fx.Reads().Raw("SELECT kind FROM events WHERE id > ? ORDER BY id", id).Scan(&kinds).Error; err != nil {
		t.Fatal(err)
	}
	return kinds
}

func lastEvent(t testing.TB, fx *modelstest.Fixture) int64 {
	t.Helper()
	var id int64
	if err := fx.Reads().Raw("SELECT coalesce(max(id), 0) FROM events").Scan(&id).Error; err != nil {
		t.Fatal(err)
	}
	return id
}

// threadOf loads a thread as it is now.
func threadOf(t testing.TB, fx *modelstest.Fixture, art models.Article) models.Thread {
	t.Helper()
	now, err := fx.LoadArticleByID(ctx, art.ID)
	ok(t, err)
	return now.Thread
}

func sorted(ids []int64) []int64 {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return ids
}
