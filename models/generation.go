package models

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Staleness is how old a page may be that is shown to somebody who is not
// signed in. Whoever writes is signed in, and always sees what he wrote.
const Staleness = 100 * time.Millisecond

// generation counts the changes of the database, so that a cache can tell in
// no time that nothing happened. Commits of this process count at once, those
// of other processes within Staleness.
type generation struct {
	count atomic.Uint64

	mu       sync.Mutex
	conn     *sql.Conn // one connection, since SQLite tells changes per connection
	polledAt time.Time
	seen     int64
}

// Generation is a number that differs once anything was committed.
func (s *Store) Generation(ctx context.Context) (uint64, error) {
	g := &s.generation
	if !g.mu.TryLock() {
		return g.count.Load(), nil // somebody is looking right now
	}
	defer g.mu.Unlock()
	now := time.Now() // how much time passed, not what time it is
	if now.Sub(g.polledAt) < Staleness {
		return g.count.Load(), nil
	}
	version, err := s.dataVersion(ctx)
	if err != nil {
		return 0, fmt.Errorf("ask whether the database changed: %w", err)
	}
	if version != g.seen {
		g.seen = version
		g.count.Add(1)
	}
	g.polledAt = now
	return g.count.Load(), nil
}

// dataVersion asks SQLite for a number that changes when any other connection,
// of whatever process, has committed.
func (s *Store) dataVersion(ctx context.Context) (version int64, err error) {
	g := &s.generation
	if g.conn == nil {
		pool, err := s.reads.DB()
		if err != nil {
			return 0, err
		}
		if g.conn, err = pool.Conn(context.WithoutCancel(ctx)); err != nil {
			return 0, err
		}
	}
	err = g.conn.QueryRowContext(context.WithoutCancel(ctx), "PRAGMA data_version").Scan(&version)
	if err != nil {
		_ = g.conn.Close() // the next question takes another connection
		g.conn = nil
	}
	return version, err
}

func (g *generation) close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.conn == nil {
		return nil
	}
	err := g.conn.Close()
	g.conn = nil
	return err
}

// Stamp is a text that differs whenever anything changed that everybody may see
// of an article or its discussion, by a commit or by the time of day. An article
// that is not public has none.
func (s *Store) Stamp(ctx context.Context, slug string) (string, error) {
	var rows []struct {
		ThreadID, Version, Revision, ClosesAfterDays int64
		State                                        ArticleState
		Policy                                       CommentPolicy
		PublishAt, PublishedAt                       Timestamp
		PublicOnce                                   int
	}
	err := s.read(ctx).Raw(`SELECT t.id AS thread_id, t.version, t.policy, t.closes_after_days, a.revision, a.state, a.publish_at, a.published_at, a.public_once
		FROM articles a JOIN threads t ON t.id = a.thread_id WHERE a.slug = ? AND a.state <> 'deleted'`, slug).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return "", err
	}
	r, now := rows[0], s.now()
	art := Article{State: r.State, PublishAt: r.PublishAt, PublishedAt: r.PublishedAt, PublicOnce: r.PublicOnce, Thread: Thread{Policy: r.Policy, ClosesAfterDays: int(r.ClosesAfterDays)}}
	if (Actor{}).CanSeeArticle(&art, now) != nil {
		return "", nil
	}
	return fmt.Sprintf("%d.%d.%d.%s.%t", r.ThreadID, r.Version, r.Revision, art.EffectiveState(now), art.ClosedWhy(now) == ""), nil
}
