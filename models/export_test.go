package models

import (
	"context"

	"gorm.io/gorm"
)

// What the tests of this package see besides what everybody sees.

// Reads is the reading pool.
func (s *Store) Reads() *gorm.DB { return s.reads }

// Write runs fn as a use case.
func (s *Store) Write(ctx context.Context, fn func(*gorm.DB) error) error {
	return s.write(ctx, System(), func(t *tx) error { return fn(t.DB) })
}

// Wilson is the rank of a comment with so many votes.
func Wilson(up, down int64) float64 { return wilson(up, down) }

// Forever is the end of a suspension for good.
const Forever = forever

// LoadForPolicy loads a comment with all that the policy asks about, whoever asks.
func (s *Store) LoadForPolicy(ctx context.Context, id int64) (Comment, error) {
	return loadComment(s.read(ctx), id)
}

// LoadArticleByID loads an article whatever its state.
func (s *Store) LoadArticleByID(ctx context.Context, id int64) (Article, error) {
	return loadArticle(s.read(ctx), "id = ?", id)
}

// Watch calls saw with every statement that the store runs from now on, with
// its values put in.
func (s *Store) Watch(saw func(sql string)) {
	for _, db := range []*gorm.DB{s.reads, s.writer.db} {
		note := func(db *gorm.DB) {
			if sql := db.Statement.SQL.String(); sql != "" {
				saw(db.Dialector.Explain(sql, db.Statement.Vars...))
			}
		}
		callbacks := db.Callback()
		for _, err := range []error{
			callbacks.Query().After("gorm:query").Register("watch", note),
			callbacks.Row().After("gorm:row").Register("watch", note),
			callbacks.Raw().After("gorm:raw").Register("watch", note),
			callbacks.Create().After("gorm:create").Register("watch", note),
			callbacks.Update().After("gorm:update").Register("watch", note),
			callbacks.Delete().After("gorm:delete").Register("watch", note),
		} {
			if err != nil {
				panic(err)
			}
		}
	}
}

// StopWriting ends the writer, as a full disk would; reading goes on.
func (s *Store) StopWriting() error {
	s.writer.close()
	return nil
}

// Waiting is how many writes stand in the queue.
func (s *Store) Waiting() int { return len(s.writer.queue) }
