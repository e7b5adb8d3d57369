package models

import (
	"context"
	"fmt"
)

// Check looks for damage: what the database says of itself, and whether the
// counters agree with the rows they count. It returns what is wrong, in
// sentences, nothing when all is well.
func (s *Store) Check(ctx context.Context) ([]string, error) {
	found, err := s.engine.check(s.read(ctx))
	if err != nil {
		return nil, err
	}
	for _, c := range counters {
		var n int64
		if err := s.read(ctx).Raw("SELECT count(*) FROM " + c.wrong).Scan(&n).Error; err != nil {
			return nil, err
		}
		if n > 0 {
			found = append(found, fmt.Sprintf("%s: %d do not agree with the rows they count", c.name, n))
		}
	}
	return found, nil
}

// Describe names the database for people.
func (s *Store) Describe() string { return s.engine.describe() }

// counters are the numbers kept beside the rows they count, each with the rows
// where it is wrong.
var counters = []struct{ name, wrong string }{
	{"comment counts of threads", "threads t LEFT JOIN (SELECT thread_id, count(*) AS n FROM comments WHERE state = 'approved' GROUP BY thread_id) c ON c.thread_id = t.id WHERE t.comment_count <> coalesce(c.n, 0)"},
	{"reply counts of comments", "comments p WHERE shown_replies <> (SELECT count(*) FROM comments c WHERE c.parent_id = p.id AND c.shown = 1)"},
	{"shown comments", "comments WHERE shown <> (CASE WHEN state = 'approved' OR shown_replies > 0 THEN 1 ELSE 0 END)"},
	{"votes of comments", "comments c WHERE up <> (SELECT count(*) FROM votes v WHERE v.comment_id = c.id AND v.value = 1) OR down <> (SELECT count(*) FROM votes v WHERE v.comment_id = c.id AND v.value = -1)"},
	{"open reports of comments", "comments c WHERE open_reports <> (CASE WHEN state = 'deleted' THEN 0 ELSE (SELECT count(*) FROM reports r WHERE r.comment_id = c.id AND r.settled_by IS NULL) END)"},
	{"standings of accounts", "users u WHERE approved_count <> (SELECT count(*) FROM comments c WHERE c.author_id = u.id AND c.state = 'approved') OR rejected_count <> (SELECT count(*) FROM comments c WHERE c.author_id = u.id AND c.state IN ('rejected', 'spam'))"},
	{"revisions of articles", "articles a WHERE revision <> (SELECT coalesce(max(number), 0) FROM revisions r WHERE r.article_id = a.id)"},
	{"roots of comments", "comments c WHERE (c.parent_id IS NULL AND c.root_id <> c.id) OR (c.parent_id IS NOT NULL AND c.root_id <> (SELECT p.root_id FROM comments p WHERE p.id = c.parent_id))"},
}

// HasArticles tells whether any article was ever made, and whether the sample
// was put in: then it is not put in again.
func (s *Store) HasArticles(ctx context.Context) (bool, error) {
	var n int64
	if err := s.read(ctx).Raw("SELECT count(*) FROM (SELECT 1 FROM articles LIMIT 1)").Scan(&n).Error; err != nil || n > 0 {
		return n > 0, err
	}
	mark, err := setting(s.read(ctx), settingSample)
	return mark != "", err
}

// MarkSample remembers that the sample was put in.
func (s *Store) MarkSample(ctx context.Context) error {
	return s.write(ctx, System(), func(t *tx) error { return setSetting(t.DB, settingSample, "yes") })
}
