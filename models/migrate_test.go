package models

import (
	"bytes"
	"database/sql"
	"flag"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"postil/auth"
)

func testConfig(log *bytes.Buffer) Config {
	cfg := Config{Log: slog.New(slog.DiscardHandler), Hasher: auth.NewTestHasher()}
	if log != nil {
		cfg.Log = slog.New(slog.NewTextHandler(log, nil))
	}
	return cfg
}

// schema describes a database: every table, index and trigger, with the columns
// of each table.
func schema(t *testing.T, path string) string {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT type, name, coalesce(sql, '') FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type DESC, name")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out strings.Builder
	for rows.Next() {
		var kind, name, text string
		if err := rows.Scan(&kind, &name, &text); err != nil {
			t.Fatal(err)
		}
		for _, l := range strings.Split(text, "\n") {
			l, _, _ = strings.Cut(l, "--")
			if l = strings.Join(strings.Fields(l), " "); l != "" {
				out.WriteString(l + "\n")
			}
		}
		out.WriteString("\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// engineWith is the SQLite engine with migrations of the test's own.
func engineWith(t *testing.T, path string, more map[string]string) *sqliteEngine {
	t.Helper()
	eng, err := newSQLite(path)
	if err != nil {
		t.Fatal(err)
	}
	steps := fstest.MapFS{}
	names, err := fs.Glob(eng.steps, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := fs.ReadFile(eng.steps, name)
		if err != nil {
			t.Fatal(err)
		}
		steps[name] = &fstest.MapFile{Data: data}
	}
	for name, text := range more {
		steps[name] = &fstest.MapFile{Data: []byte(text)}
	}
	eng.steps = steps
	return eng
}

// A database that was upgraded step by step has the schema of a fresh one.
func TestSchema(t *testing.T) {
	fresh := filepath.Join(t.TempDir(), "fresh.db")
	s, err := Open(background, fresh, testConfig(nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/schema.golden")
	got := schema(t, fresh)
	if update := flag.Lookup("update"); update != nil && update.Value.String() == "true" {
		want, err = []byte(got), os.WriteFile("testdata/schema.golden", []byte(got), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the schema changed; if it should, run with -update\n%s", got)
	}

	stepped := filepath.Join(t.TempDir(), "stepped.db")
	all := engineWith(t, stepped, nil)
	names, err := fs.Glob(all.steps, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	for i := range names {
		part := fstest.MapFS{}
		for _, name := range names[:i+1] {
			part[name] = all.steps.(fstest.MapFS)[name]
		}
		if err := (&sqliteEngine{stepped, part}).migrate(background, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatalf("up to %s: %v", names[i], err)
		}
	}
	if upgraded := schema(t, stepped); upgraded != got {
		t.Errorf("an upgraded database has another schema than a fresh one:\n%s", upgraded)
	}
}

func TestUpgradeKeepsACopy(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "postil.db")
	s, err := Open(background, path, testConfig(nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.writer.do(background, put("kept")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before := schema(t, path)
	var log bytes.Buffer
	next := map[string]string{"00099_next.sql": "-- +goose Up\nCREATE TABLE later (id INTEGER PRIMARY KEY);\n"}
	if err := engineWith(t, path, next).migrate(background, testConfig(&log).Log); err != nil {
		t.Fatal(err)
	}
	copies, err := filepath.Glob(path + ".before-1-*")
	if err != nil || len(copies) != 1 {
		t.Fatalf("copies: %v, %v", copies, err)
	}
	if got := schema(t, copies[0]); got != before {
		t.Errorf("the copy is not the database before:\n%s", got)
	}
	if !strings.Contains(log.String(), filepath.Base(copies[0])) {
		t.Errorf("the log does not name the copy: %s", log.String())
	}
	old, err := Open(background, copies[0], testConfig(nil))
	if err != nil {
		t.Fatalf("open the copy: %v", err)
	}
	if !has(t, old, "kept") {
		t.Error("the copy lacks a row")
	}
	if err := old.Close(); err != nil {
		t.Error(err)
	}

	// The program of today does not know the newer schema.
	_, err = Open(background, path, testConfig(nil))
	if KindOf(err) != Conflict || !strings.Contains(err.Error(), "schema 99") || !strings.Contains(err.Error(), path) {
		t.Errorf("a newer schema: %v", err)
	}
	// A second start of the newer one copies nothing.
	if err := engineWith(t, path, next).migrate(background, testConfig(nil).Log); err != nil {
		t.Error(err)
	}
	if copies, _ := filepath.Glob(path + ".before-*"); len(copies) != 1 {
		t.Errorf("copies after a second start: %v", copies)
	}
}

// A step that fails leaves the database as it was, and the next start works.
func TestUpgradeThatFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "postil.db")
	s, err := Open(background, path, testConfig(nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before := schema(t, path)
	broken := map[string]string{"00002_broken.sql": "-- +goose Up\nCREATE TABLE half (id INTEGER);\nINSERT INTO nowhere VALUES (1);\n"}
	if err := engineWith(t, path, broken).migrate(background, testConfig(nil).Log); KindOf(err) != Unavailable {
		t.Errorf("a failing step: %v", err)
	}
	if got := schema(t, path); got != before {
		t.Errorf("a failing step left something behind:\n%s", got)
	}
	if s, err = Open(background, path, testConfig(nil)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	folder := t.TempDir()
	text := filepath.Join(folder, "letter.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("Dear reader, this is no database. ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, url string
		kind      Kind
		says      string
	}{
		{"nothing", "", Invalid, "empty"},
		{"memory", ":memory:", Invalid, "memory"},
		{"memory with scheme", "sqlite::memory:", Invalid, "memory"},
		{"a folder", folder, Invalid, "is a folder"},
		{"PostgreSQL", "postgres://localhost/postil", Invalid, "SQLite"},
		{"another scheme", "mysql://localhost/postil", Invalid, "mysql"},
		{"no database", text, Unavailable, text},
		{"a folder that cannot be made", filepath.Join(text, "postil.db"), Unavailable, "folder"},
		{"a folder that cannot be written", "/proc/postil.db", Unavailable, "/proc/postil.db"},
	} {
		s, err := Open(background, c.url, testConfig(nil))
		if err == nil {
			s.Close()
			t.Errorf("%s: opened", c.name)
			continue
		}
		if KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: kind %d, %v", c.name, KindOf(err), err)
		}
	}
	if left, _ := os.ReadFile(text); !bytes.HasPrefix(left, []byte("Dear reader")) {
		t.Error("the file that is no database was written to")
	}
}

func TestOpenPaths(t *testing.T) {
	for _, name := range []string{"new folder/postil.db", "50% off?.db", "a#b&c=d.db", "ünïcode 文.db"} {
		folder := t.TempDir()
		path := filepath.Join(folder, name)
		for _, url := range []string{path, "sqlite:" + path} {
			s, err := Open(background, url, testConfig(nil))
			if err != nil {
				t.Errorf("%s: %v", url, err)
				continue
			}
			if err := s.Ready(background); err != nil {
				t.Errorf("%s: %v", url, err)
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: %v", url, err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// Options that decide about safety are really on, on every connection.
func TestPragmas(t *testing.T) {
	s := openEmpty(t, Config{})
	for _, c := range []struct {
		pool   string
		pragma string
		want   int
	}{
		{"writes", "synchronous", 2}, {"writes", "foreign_keys", 1}, {"writes", "busy_timeout", 5000},
		{"reads", "foreign_keys", 1}, {"reads", "query_only", 1}, {"reads", "busy_timeout", 5000},
	} {
		db := s.reads
		if c.pool == "writes" {
			db = s.writer.db
		}
		var got int
		if err := db.Raw("PRAGMA " + c.pragma).Scan(&got).Error; err != nil || got != c.want {
			t.Errorf("%s: %s is %d (%v), want %d", c.pool, c.pragma, got, err, c.want)
		}
	}
	var mode string
	if err := s.writer.db.Raw("PRAGMA journal_mode").Scan(&mode).Error; err != nil || mode != "wal" {
		t.Errorf("journal_mode is %s (%v)", mode, err)
	}
	if err := s.reads.Exec("DELETE FROM settings").Error; err == nil {
		t.Error("the reading pool writes")
	}
}
