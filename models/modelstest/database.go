package modelstest

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"postil/models"
)

// fresh makes an empty, migrated database and returns its URL. The environment
// variable POSTIL_TEST_DATABASE names the engine, so that one suite runs on
// each; there is one engine today.
func fresh(t testing.TB) string {
	t.Helper()
	switch engine := os.Getenv("POSTIL_TEST_DATABASE"); engine {
	case "", "sqlite":
		return freshSQLite(t)
	default:
		t.Fatalf("POSTIL_TEST_DATABASE is %q; the tests know sqlite", engine)
		return ""
	}
}

// freshSQLite copies the template, which is far quicker than migrating.
func freshSQLite(t testing.TB) string {
	t.Helper()
	content, err := template()
	if err != nil {
		t.Fatalf("make the template database: %v", err)
	}
	path := filepath.Join(t.TempDir(), "postil.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// template is a migrated SQLite file, made once per process.
var template = sync.OnceValues(func() ([]byte, error) {
	folder, err := os.MkdirTemp("", "postil-template-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "template.db")
	store, err := models.Open(context.Background(), path, models.Config{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	if err := store.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})
