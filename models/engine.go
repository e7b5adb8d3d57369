package models

import (
	"context"
	"log/slog"
	"strings"

	"gorm.io/gorm"
)

// engine is one kind of database: how to open it and how to bring its schema
// up to date. Everything else in this package is the same for all of them.
type engine interface {
	migrate(ctx context.Context, log *slog.Logger) error
	openReads() (*gorm.DB, error)
	// openWrites opens the writer's one connection. It is not a pool, so that
	// statements stay prepared from one transaction to the next.
	openWrites() (db *gorm.DB, close func() error, err error)
	// check looks for damage; it returns what it found, nothing when sound.
	check(db *gorm.DB) ([]string, error)
	describe() string
}

// parseURL chooses the engine: a file path or sqlite:PATH is SQLite.
func parseURL(url string) (engine, error) {
	scheme, rest, found := strings.Cut(url, ":")
	switch {
	case url == "":
		return nil, failf(Invalid, "The database URL is empty. Give a file path such as postil.db.")
	case found && (scheme == "postgres" || scheme == "postgresql"):
		return nil, failf(Invalid, "This release keeps its data in SQLite. Give a file path such as postil.db; PostgreSQL comes with a later release.")
	case found && scheme == "sqlite":
		return newSQLite(strings.TrimPrefix(rest, "//"))
	case strings.Contains(url, "://"):
		return nil, failf(Invalid, "The database URL has the scheme %q, which Postil does not know. Give a file path or sqlite:PATH.", scheme)
	}
	return newSQLite(url)
}
