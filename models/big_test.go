package models_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"postil/models"
	"postil/models/modelstest"
)

// fill puts n approved comments into a thread at once; place puts each where it
// belongs, a root without it.
func fill(t *testing.T, fx *modelstest.Fixture, art models.Article, author int64, n int, place func(i int, c *models.Comment)) (first int64) {
	t.Helper()
	ok(t, fx.Reads().Raw("SELECT coalesce(max(id), 0) + 1 FROM comments").Scan(&first).Error)
	ok(t, fx.Write(ctx, func(db *gorm.DB) error {
		rows := make([]models.Comment, n)
		for i := range rows {
			c := &rows[i]
			*c = models.Comment{ID: first + int64(i), RootID: first, ThreadID: art.ThreadID, AuthorID: author, State: models.Approved, Shown: 1, Body: "words", HTML: "<p>words</p>", CreatedAt: models.At(modelstest.Start)}
			place(i, c)
		}
		if err := db.CreateInBatches(rows, 1000).Error; err != nil {
			return err
		}
		for _, sql := range []string{
			"UPDATE comments SET shown_replies = (SELECT count(*) FROM comments c WHERE c.parent_id = comments.id AND c.shown = 1 AND c.parent_id IS NOT NULL)",
			"UPDATE threads SET comment_count = (SELECT count(*) FROM comments c WHERE c.thread_id = threads.id AND state = 'approved')",
			"UPDATE users SET approved_count = (SELECT count(*) FROM comments c WHERE c.author_id = users.id AND state = 'approved')",
		} {
			if err := db.Exec(sql).Error; err != nil {
				return err
			}
		}
		return nil
	}))
	return first
}

// below, beside and alone are places: a chain of replies, replies of one root,
// and roots.
func below(i int, c *models.Comment) {
	if i > 0 {
		c.ParentID, c.Depth = ref(c.ID-1), i
	}
}

func beside(i int, c *models.Comment) {
	if i > 0 {
		c.ParentID, c.Depth = ref(c.RootID), 1
	}
}

func alone(_ int, c *models.Comment) { c.RootID = c.ID }

// A page costs the same whatever the discussion is like: 10,000 replies below
// each other, 20,000 beside each other, and 20,000 roots.
func TestHugeDiscussions(t *testing.T) {
	fx := modelstest.New(t)
	anna := fx.User(models.Author, "anna")
	rita := fx.User(models.Reader, "rita")
	chain, fan, roots := fx.Article(anna), fx.Article(anna), fx.Article(anna)
	const deep, wide = 10_000, 20_000
	chainFirst := fill(t, fx, chain, rita.UserID, deep, below)
	fanFirst := fill(t, fx, fan, rita.UserID, wide, beside)
	rootsFirst := fill(t, fx, roots, rita.UserID, wide, alone)
	fx.MustBeSound()

	var mu sync.Mutex
	var seen []string
	fx.Watch(func(sql string) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, sql)
	})
	// rows counts what the statements since then give back.
	rows := func() (n int64) {
		mu.Lock()
		asked := seen
		mu.Unlock()
		for _, sql := range asked {
			if strings.HasPrefix(sql, "SELECT") || strings.HasPrefix(sql, "WITH") {
				n += rowsOf(t, fx, "("+sql+")")
			}
		}
		return n
	}
	var best models.Discussion
	for _, c := range []struct {
		name string
		most int64
		run  func() error
	}{
		{"a page of the chain", 40, func() (err error) {
			_, err = fx.Discussion(ctx, rita, chain.Slug, models.Best, models.Page{})
			return err
		}},
		{"a page of the fan", 40, func() (err error) {
			_, err = fx.Discussion(ctx, rita, fan.Slug, models.Best, models.Page{})
			return err
		}},
		{"a page of the roots", 150, func() (err error) {
			best, err = fx.Discussion(ctx, rita, roots.Slug, models.Best, models.Page{})
			return err
		}},
		{"the second page of the roots", 150, func() (err error) {
			best, err = fx.Discussion(ctx, rita, roots.Slug, models.Best, models.Page{Cursor: best.Next})
			return err
		}},
		{"the top of the chain", 60, func() (err error) { _, err = fx.Focus(ctx, rita, chainFirst, models.Page{}); return err }},
		{"the middle of the chain", 60, func() (err error) { _, err = fx.Focus(ctx, rita, chainFirst+deep/2, models.Page{}); return err }},
		{"the end of the chain", 60, func() (err error) { _, err = fx.Focus(ctx, rita, chainFirst+deep-1, models.Page{}); return err }},
		{"the top of the fan", 150, func() (err error) { _, err = fx.Focus(ctx, rita, fanFirst, models.Page{}); return err }},
		{"replies of the fan", 150, func() error { _, _, err := fx.Replies(ctx, rita, fanFirst, models.Page{}); return err }},
		{"the last of an account", 350, func() error { _, _, err := fx.CommentsBy(ctx, anonymous, rita.UserID, models.Page{}); return err }},
		{"a reply to the end of the chain", 40, func() error {
			_, err := fx.CreateComment(ctx, rita, chain.Slug, models.CommentInput{Body: "deeper", ParentID: chainFirst + deep - 1})
			return err
		}},
		{"a vote", 40, func() error { _, err := fx.Vote(ctx, anna, rootsFirst+7, 1); return err }},
		{"a deletion in the chain", 40, func() error { _, err := fx.DeleteComment(ctx, rita, chainFirst+deep/2); return err }},
	} {
		mu.Lock()
		seen = nil
		mu.Unlock()
		begun := time.Now()
		ok(t, c.run())
		took := time.Since(begun)
		if n := rows(); n > c.most || took > 2*time.Second {
			t.Errorf("%s loads %d rows, want at most %d, and takes %s", c.name, n, c.most, took)
		} else {
			t.Logf("%s: %d rows, %s", c.name, n, took)
		}
	}
	equal(t, "above the end of the chain", fx.Reload(chainFirst+deep-1).Depth, deep-1)
	f, err := fx.Focus(ctx, rita, chainFirst+100, models.Page{})
	ok(t, err)
	equal(t, "ancestors", commentIDs(f.Ancestors), []int64{chainFirst + 95, chainFirst + 96, chainFirst + 97, chainFirst + 98, chainFirst + 99})
	equal(t, "further above", f.Above, int64(95))
	depth := 0
	for b := f.Branch; len(b.Replies) > 0; b = b.Replies[0] {
		depth++
	}
	if depth == 0 || depth > 10 {
		t.Errorf("%d levels in focus", depth)
	}
}

// A chain of tombstones stands on its last comment, and goes with it.
func TestHugeChainOfTombstones(t *testing.T) {
	fx := modelstest.New(t)
	rita := fx.User(models.Reader, "rita")
	art := fx.Article(fx.User(models.Author, "anna"))
	const deep = 3_000
	first := fill(t, fx, art, rita.UserID, deep, func(i int, c *models.Comment) {
		if below(i, c); i < deep-1 {
			c.State = models.DeletedComment
		}
	})
	fx.MustBeSound()
	_, err := fx.Store.Comment(ctx, anonymous, first)
	ok(t, err)
	_, err = fx.DeleteComment(ctx, rita, first+deep-1)
	ok(t, err)
	_, err = fx.Store.Comment(ctx, anonymous, first)
	wantKind(t, err, models.NotFound)
	equal(t, "shown", rowsOf(t, fx, "comments WHERE shown = 1"), int64(0))
}
