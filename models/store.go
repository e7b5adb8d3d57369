package models

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"gorm.io/gorm"

	"postil/auth"
)

// Store keeps the discussion. It is safe for concurrent use. Open makes one;
// Close waits for what was accepted.
type Store struct {
	reads       *gorm.DB // a pool that cannot write
	writer      *writer
	closeWrites func() error
	engine      engine
	cfg         Config
	render      chan struct{} // bounds how much text is rendered at once

	turnstile  *turnstile // for guesses at passwords
	generation generation // what caches ask whether anything changed
}

// Config is what a Store needs from outside. The zero value serves.
type Config struct {
	Now        func() time.Time // clock; time.Now when nil
	Log        *slog.Logger     // slog.Default() when nil
	Hasher     *auth.Hasher     // auth.NewHasher(0) when nil
	EditWindow time.Duration    // how long authors of comments may edit them; 30 minutes when 0
	QueueSize  int              // writes that may wait before new ones are refused; 1024 when 0
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Hasher == nil {
		c.Hasher = auth.NewHasher(0)
	}
	if c.EditWindow == 0 {
		c.EditWindow = 30 * time.Minute
	}
	if c.QueueSize == 0 {
		c.QueueSize = 1024
	}
	return c
}

// Open opens the database at url (a file path or sqlite:PATH),
// creates it when it is missing and brings its schema up to date. It refuses a
// schema newer than this program knows.
func Open(ctx context.Context, url string, cfg Config) (*Store, error) {
	cfg = cfg.withDefaults()
	eng, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	if err := eng.migrate(ctx, cfg.Log); err != nil {
		return nil, err
	}
	reads, err := eng.openReads()
	if err != nil {
		return nil, err
	}
	writes, closeWrites, err := eng.openWrites()
	if err != nil {
		return nil, errors.Join(err, closeDB(reads))
	}
	s := &Store{reads: reads, engine: eng, cfg: cfg, render: make(chan struct{}, 2*runtime.GOMAXPROCS(0)), turnstile: newTurnstile()}
	s.closeWrites = closeWrites
	s.writer = newWriter(writes, cfg.QueueSize, cfg.Log, func() { s.generation.count.Add(1) })
	return s, nil
}

// Close refuses new writes, commits those that were accepted and closes the
// database.
func (s *Store) Close() error {
	s.writer.close()
	return errors.Join(s.generation.close(), s.closeWrites(), closeDB(s.reads))
}

// Ready tells whether the database answers: what a load balancer asks.
func (s *Store) Ready(ctx context.Context) error {
	if err := s.writer.health(); err != nil {
		return err
	}
	return s.read(ctx).Exec("SELECT 1").Error
}

func (s *Store) now() Timestamp { return At(s.cfg.Now()) }

// read is a session on the reading pool; it sees every committed write.
func (s *Store) read(ctx context.Context) *gorm.DB { return s.reads.WithContext(ctx) }

// tx is a use case's transaction. Its embedded *gorm.DB runs inside it.
type tx struct {
	*gorm.DB
	now   Timestamp
	actor Actor
}

// write runs fn in a transaction of its own and returns when what it did has
// reached the disk, or when it failed and nothing of it remains. An error from
// fn rolls back and comes back unchanged.
func (s *Store) write(ctx context.Context, actor Actor, fn func(*tx) error) error {
	return s.writer.do(ctx, func(db *gorm.DB) error {
		return fn(&tx{DB: db, now: s.now(), actor: actor})
	})
}

// Event is an entry of the log that followers read. It carries ids only.
type Event struct {
	ID        int64
	Kind      string
	ActorID   *int64
	ThreadID  *int64
	ArticleID *int64
	CommentID *int64
	UserID    *int64
	CreatedAt Timestamp `gorm:"autoCreateTime:false"`
}

// emit adds an event to the log. It is committed with the change it tells of.
func (t *tx) emit(e Event) error {
	e.ActorID, e.CreatedAt = t.actor.id(), t.now
	return t.Create(&e).Error
}

// rendering runs fn while a slot for rendering is free, so that many large
// texts at once cannot take the whole machine.
func (s *Store) rendering(ctx context.Context, fn func() error) error {
	select {
	case s.render <- struct{}{}:
		defer func() { <-s.render }()
		return fn()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// setting reads a value that the store keeps for itself; "" when unset.
func setting(db *gorm.DB, key string) (string, error) {
	var value string
	err := db.Raw("SELECT value FROM settings WHERE key = ?", key).Scan(&value).Error
	return value, err
}

func setSetting(db *gorm.DB, key, value string) error {
	return db.Exec("INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value).Error
}

// Settings that the store keeps.
const (
	settingSetupHash = "setup_token_hash" // of the link that makes the first admin
	settingSample    = "sample"           // set once the sample was put in, so that it never comes back
)

// first loads one row and turns its absence into NotFound.
func first[T any](db *gorm.DB, query string, args ...any) (T, error) {
	var rows []T
	if err := db.Where(query, args...).Limit(1).Find(&rows).Error; err != nil {
		return *new(T), fmt.Errorf("load %T: %w", *new(T), err)
	}
	if len(rows) == 0 {
		return *new(T), errNotFound
	}
	return rows[0], nil
}

func closeDB(db *gorm.DB) error {
	pool, err := db.DB()
	if err != nil {
		return err
	}
	return pool.Close()
}
