package models

import (
	"context"
	"fmt"
	"slices"

	"postil/anchor"
)

// Revision is one save of an article. Revisions are numbered from 1 and never
// change.
type Revision struct {
	ID           int64
	ArticleID    int64
	Number       int64
	State        ArticleState // of the article after this save
	AuthorID     int64
	Message      string
	Title        string
	Standfirst   string
	Body         string
	HTML         string
	Renderer     int
	WordsAdded   int
	WordsRemoved int
	CreatedAt    Timestamp `gorm:"autoCreateTime:false"`

	Author User `gorm:"-"`
}

// IsPublic tells whether the revision was published when it was saved.
func (r *Revision) IsPublic() bool { return r.State == Published || r.State == Archived }

// Revisions lists an article's revisions, newest first, without their texts.
// Readers see those that were public.
func (s *Store) Revisions(ctx context.Context, actor Actor, slug string, page Page) (Article, []Revision, string, error) {
	art, err := s.Article(ctx, actor, slug)
	if err != nil {
		return Article{}, nil, "", err
	}
	after, err := decodeCursor(page.Cursor, "revisions", 1)
	if err != nil {
		return Article{}, nil, "", err
	}
	query := s.read(ctx).Omit("body", "html").Where("article_id = ?", art.ID)
	if actor.CanEditArticle(&art, s.now()) != nil {
		query = query.Where("(state IN ('published', 'archived') OR number = ?)", art.Revision)
	}
	if after != nil {
		query = query.Where("number < ?", after[0])
	}
	limit := pageSize(page.Limit)
	var list []Revision
	if err := query.Order("number DESC").Limit(limit + 1).Find(&list).Error; err != nil {
		return Article{}, nil, "", err
	}
	list, next := cut(list, limit, func(r Revision) string { return encodeCursor("revisions", r.Number) })
	authors, err := usersByID(s.read(ctx), ids(list, func(r Revision) int64 { return r.AuthorID }))
	for i := range list {
		list[i].Author = authors[list[i].AuthorID]
	}
	return art, list, next, err
}

// Revision loads one revision with its text.
func (s *Store) Revision(ctx context.Context, actor Actor, slug string, number int64) (Article, Revision, error) {
	art, err := s.Article(ctx, actor, slug)
	if err != nil {
		return Article{}, Revision{}, err
	}
	rev, err := s.revisionOf(ctx, actor, &art, number)
	return art, rev, err
}

func (s *Store) revisionOf(ctx context.Context, actor Actor, art *Article, number int64) (Revision, error) {
	rev, err := first[Revision](s.read(ctx), "article_id = ? AND number = ?", art.ID, number)
	if err != nil {
		return Revision{}, err
	}
	if err := actor.CanSeeRevision(art, &rev, s.now()); err != nil {
		return Revision{}, err
	}
	authors, err := usersByID(s.read(ctx), []int64{rev.AuthorID})
	rev.Author = authors[rev.AuthorID]
	return rev, err
}

// Comparison is what changed between two revisions.
type Comparison struct {
	Article  Article
	From, To Revision
	Blocks   []anchor.Block
	Title    []anchor.Span // nil when the title is the same
	Stats    anchor.Stats
}

// Compare shows in words what changed between two revisions of an article.
func (s *Store) Compare(ctx context.Context, actor Actor, slug string, from, to int64) (Comparison, error) {
	var c Comparison
	var err error
	if c.Article, c.From, err = s.Revision(ctx, actor, slug, from); err != nil {
		return Comparison{}, err
	}
	if c.To, err = s.revisionOf(ctx, actor, &c.Article, to); err != nil {
		return Comparison{}, err
	}
	err = s.rendering(ctx, func() error {
		c.Blocks = anchor.DiffBlocks(c.From.Body, c.To.Body)
		c.Stats = anchor.Summary(c.From.Body, c.To.Body)
		if c.From.Title != c.To.Title {
			c.Title = anchor.Diff(c.From.Title, c.To.Title)
		}
		return nil
	})
	return c, err
}

// DiffTexts compares two texts that are not revisions: a stale save.
func (s *Store) DiffTexts(ctx context.Context, from, to string) ([]anchor.Block, error) {
	var blocks []anchor.Block
	err := s.rendering(ctx, func() error {
		blocks = anchor.DiffBlocks(from, to)
		return nil
	})
	return blocks, err
}

// RestoreRevision saves an earlier text again, as a new revision.
func (s *Store) RestoreRevision(ctx context.Context, actor Actor, slug string, number, ifRevision int64) (Article, error) {
	art, rev, err := s.Revision(ctx, actor, slug, number)
	if err != nil {
		return Article{}, err
	}
	if err := actor.CanEditArticle(&art, s.now()); err != nil {
		return Article{}, err
	}
	if number == art.Revision {
		return art, nil
	}
	if ifRevision == 0 {
		ifRevision = art.Revision
	}
	return s.UpdateArticle(ctx, actor, slug, ifRevision, ArticleChange{Title: &rev.Title, Standfirst: &rev.Standfirst, Body: &rev.Body,
		Message: fmt.Sprintf("Restored revision %d", number)})
}

// Neighbours tells which revisions come before and after a number, among those
// the actor may see; 0 means none.
func (s *Store) Neighbours(ctx context.Context, actor Actor, art *Article, number int64) (before, after int64, err error) {
	var numbers []int64
	query := s.read(ctx).Model(&Revision{}).Where("article_id = ? AND number BETWEEN ? AND ?", art.ID, number-200, number+200)
	if actor.CanEditArticle(art, s.now()) != nil {
		query = query.Where("(state IN ('published', 'archived') OR number = ?)", art.Revision)
	}
	if err := query.Order("number").Pluck("number", &numbers).Error; err != nil {
		return 0, 0, err
	}
	at, found := slices.BinarySearch(numbers, number)
	if at > 0 {
		before = numbers[at-1]
	}
	if found {
		at++
	}
	if at < len(numbers) {
		after = numbers[at]
	}
	return before, after, nil
}
