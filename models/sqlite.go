package models

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/pressly/goose/v3"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	sqlite3 "modernc.org/sqlite"
)

//go:embed migrations/sqlite/*.sql
var sqliteMigrations embed.FS

// sqliteEngine keeps the discussion in one file. The driver is pure Go, so no C
// compiler is needed to build or run.
type sqliteEngine struct {
	path  string
	steps fs.FS // of the schema; migrations/sqlite
}

func newSQLite(path string) (*sqliteEngine, error) {
	switch {
	case path == "" || path == ":memory:":
		return nil, failf(Invalid, "Postil keeps its data in a file, not in memory. Give a path such as postil.db.")
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, failf(Invalid, "%s is a folder. Give the path of a file in it, such as %s.", path, filepath.Join(path, "postil.db"))
	}
	steps, err := fs.Sub(sqliteMigrations, "migrations/sqlite")
	return &sqliteEngine{path, steps}, err
}

func (e *sqliteEngine) describe() string { return "SQLite file " + e.path }

// dsn builds the driver's address. Options that decide about safety:
// synchronous=FULL makes a commit reach the disk before it is acknowledged;
// immediate transactions take the write lock at once instead of failing when
// they upgrade.
func (e *sqliteEngine) dsn(pragmas ...string) string {
	query := url.Values{"_time_format": {"sqlite"}, "_timezone": {"UTC"}, "_txlock": {"immediate"}}
	for _, p := range append([]string{"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)"}, pragmas...) {
		query.Add("_pragma", p)
	}
	return "file:" + (&url.URL{Path: e.path}).EscapedPath() + "?" + query.Encode()
}

func (e *sqliteEngine) openReads() (*gorm.DB, error) {
	db, err := gorm.Open(dialector{sqlite.Dialector{DriverName: "sqlite", DSN: e.dsn("foreign_keys(1)", "query_only(1)", "cache_size(-16000)", "mmap_size(268435456)")}}, gormConfig())
	if err != nil {
		return nil, e.explain("open", err)
	}
	pool, err := db.DB()
	if err != nil {
		return nil, err
	}
	connections := max(4, 2*runtime.GOMAXPROCS(0))
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return db, nil
}

func (e *sqliteEngine) openWrites() (*gorm.DB, func() error, error) {
	pool, err := sql.Open("sqlite", e.dsn("foreign_keys(1)", "cache_size(-16000)"))
	if err != nil {
		return nil, nil, e.explain("open", err)
	}
	conn, err := newPreparedConn(context.Background(), pool)
	if err != nil {
		return nil, nil, e.explain("open", errors.Join(err, pool.Close()))
	}
	cfg := gormConfig()
	cfg.PrepareStmt = false // the connection does it
	db, err := gorm.Open(dialector{sqlite.Dialector{Conn: conn}}, cfg)
	if err != nil {
		return nil, nil, e.explain("open", errors.Join(err, conn.Close()))
	}
	return db, conn.Close, nil
}

func gormConfig() *gorm.Config {
	return &gorm.Config{
		PrepareStmt:            true,
		PrepareStmtMaxSize:     500, // every length of an IN list is a statement of its own
		SkipDefaultTransaction: true,
		TranslateError:         true,
		Logger:                 logger.Discard, // errors are returned, and handled once
		NowFunc:                func() time.Time { return time.Now().UTC() },
	}
}

func (e *sqliteEngine) explain(deed string, err error) error {
	return &Error{Kind: Unavailable, Message: fmt.Sprintf("Could not %s the database %s. Check that its folder exists and may be written, and that the file is an SQLite database.", deed, e.path), Cause: err}
}

// migrate brings the schema up to date, one transaction per step. A database
// that exists is copied aside before the first step, since going back needs it.
func (e *sqliteEngine) migrate(ctx context.Context, log *slog.Logger) error {
	folder := filepath.Dir(e.path)
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return e.explain("create the folder of", err)
	}
	defer lockFolder(folder)()
	// A new database is for its owner's eyes: it holds addresses and hashes. The
	// files that SQLite puts beside it take over its permissions.
	if f, err := os.OpenFile(e.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err == nil {
		if err := f.Close(); err != nil {
			return e.explain("create", err)
		}
	}
	// Foreign keys are off while tables may be rebuilt, and checked after.
	db, err := sql.Open("sqlite", e.dsn("foreign_keys(0)"))
	if err != nil {
		return e.explain("open", err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)

	provider, err := goose.NewProvider(goose.DialectSQLite3, db, e.steps)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	have, want, err := provider.GetVersions(ctx)
	switch {
	case err != nil:
		return e.explain("read", err)
	case have > want:
		return failf(Conflict, "The database %s has schema %d; this program knows only up to %d. Run the newer Postil that wrote it, or restore the copy made before that upgrade.", e.path, have, want)
	case have == want:
		return nil
	case have > 0:
		if err := e.copyAside(ctx, db, have, log); err != nil {
			return err
		}
	}
	if _, err := provider.Up(ctx); err != nil {
		return e.explain("upgrade", err)
	}
	return foreignKeysHold(ctx, db)
}

func (e *sqliteEngine) copyAside(ctx context.Context, db *sql.DB, version int64, log *slog.Logger) error {
	backup := fmt.Sprintf("%s.before-%d-%s", e.path, version, time.Now().UTC().Format("20060102-150405"))
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", backup); err != nil {
		return e.explain("copy aside", err)
	}
	log.Info("copied the database before its upgrade", "copy", backup)
	return nil
}

func foreignKeysHold(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return err
	}
	defer rows.Close()
	if rows.Next() {
		return errors.New("the upgraded database has rows that point nowhere")
	}
	return rows.Err()
}

func (e *sqliteEngine) check(db *gorm.DB) ([]string, error) {
	var found []string
	if err := db.Raw("PRAGMA integrity_check").Scan(&found).Error; err != nil {
		return nil, err
	}
	if len(found) == 1 && found[0] == "ok" {
		found = nil
	}
	var dangling []struct{ Table, Parent string }
	if err := db.Raw("PRAGMA foreign_key_check").Scan(&dangling).Error; err != nil {
		return nil, err
	}
	for _, d := range dangling {
		found = append(found, fmt.Sprintf("a row of %s points to a row of %s that is not there", d.Table, d.Parent))
	}
	return found, nil
}

// dialector is GORM's SQLite dialect with the pure Go driver's error codes put
// into GORM's own words.
type dialector struct{ sqlite.Dialector }

// Codes of https://www.sqlite.org/rescode.html.
const (
	sqliteConstraintPrimaryKey = 1555
	sqliteConstraintUnique     = 2067
	sqliteConstraintForeignKey = 787
	sqliteConstraintCheck      = 275
)

func (d dialector) Translate(err error) error {
	var e *sqlite3.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() {
	case sqliteConstraintPrimaryKey, sqliteConstraintUnique:
		return errors.Join(gorm.ErrDuplicatedKey, err)
	case sqliteConstraintForeignKey:
		return errors.Join(gorm.ErrForeignKeyViolated, err)
	case sqliteConstraintCheck:
		return errors.Join(gorm.ErrCheckConstraintViolated, err)
	}
	return err
}
