package models

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gosimple/slug"

	"postil/anchor"
	"postil/markup"
)

// ArticleInput makes an article. Empty State is draft, empty CommentPolicy
// first_comment; an empty Slug is made from the title.
type ArticleInput struct {
	Title, Standfirst, Body, Slug, Message string
	State                                  ArticleState
	CommentPolicy                          CommentPolicy
	ClosesAfterDays                        int
	PublishAt                              time.Time
	Tags                                   []string
}

// ArticleChange changes an article; nil leaves a field as it is.
type ArticleChange struct {
	Title, Standfirst, Body, Slug *string
	Message                       string
	State                         *ArticleState
	CommentPolicy                 *CommentPolicy
	ClosesAfterDays               *int
	PublishAt                     *time.Time
	Tags                          *[]string
}

// CreateArticle saves the first revision of an article.
func (s *Store) CreateArticle(ctx context.Context, actor Actor, in ArticleInput) (Article, error) {
	if err := actor.CanWriteArticles(); err != nil {
		return Article{}, err
	}
	if !actor.IsSignedIn() {
		return Article{}, failf(Invalid, "An article needs an author: name an account.")
	}
	if in.State == "" {
		in.State = Draft
	}
	if in.CommentPolicy == "" {
		in.CommentPolicy = PolicyFirstComment
	}
	art := Article{AuthorID: actor.UserID}
	change := ArticleChange{Title: &in.Title, Standfirst: &in.Standfirst, Body: &in.Body, Slug: &in.Slug, Message: in.Message, State: &in.State,
		CommentPolicy: &in.CommentPolicy, ClosesAfterDays: &in.ClosesAfterDays, PublishAt: &in.PublishAt, Tags: &in.Tags}
	if in.Slug == "" {
		change.Slug = nil
	}
	next, err := s.prepare(ctx, art, change)
	if err != nil {
		return Article{}, err
	}
	changed := anchor.Summary("", next.Body)
	err = s.write(ctx, actor, func(t *tx) error {
		if next.Slug == "" {
			if next.Slug, err = t.freeSlug(next.Title); err != nil {
				return err
			}
		}
		if err := t.Create(&next.Thread).Error; err != nil {
			return err
		}
		next.ThreadID, next.CreatedAt = next.Thread.ID, t.now
		return t.saveRevision(&next, Article{}, changed, in.Message)
	})
	return next, err
}

// UpdateArticle saves a new revision over the one that the change was made
// from, which ifRevision names; 0 means whatever is there. If the article has
// moved on meanwhile the error is Stale and carries it as it is now. A change
// that changes nothing saves nothing.
func (s *Store) UpdateArticle(ctx context.Context, actor Actor, slug string, ifRevision int64, change ArticleChange) (Article, error) {
	old, err := s.Article(ctx, actor, slug)
	if err != nil {
		return Article{}, err
	}
	if err := actor.CanEditArticle(&old, s.now()); err != nil {
		return Article{}, err
	}
	if ifRevision != 0 && ifRevision != old.Revision {
		return Article{}, stale(old)
	}
	next, err := s.prepare(ctx, old, change)
	if err != nil {
		return Article{}, err
	}
	if sameArticle(&old, &next) {
		return old, nil
	}
	changed := anchor.Summary(old.Body, next.Body)
	err = s.write(ctx, actor, func(t *tx) error {
		now, err := t.loadArticle("articles.id = ?", old.ID)
		if err != nil {
			return err
		}
		if err := actor.CanEditArticle(&now, t.now); err != nil {
			return err // deleted meanwhile
		}
		if now.Revision != old.Revision {
			return stale(now)
		}
		next.Thread = now.Thread.with(next.Thread)
		return t.saveRevision(&next, now, changed, change.Message)
	})
	return next, err
}

func stale(now Article) error {
	return &Error{Kind: Stale, Current: &now,
		Message: fmt.Sprintf("Somebody saved revision %d of this article while you were writing. Nothing of yours is lost: compare the two texts and save again.", now.Revision)}
}

// with takes over the settings of another state of the same thread and keeps
// the counters.
func (t Thread) with(other Thread) Thread {
	t.Policy, t.ClosesAfterDays = other.Policy, other.ClosesAfterDays
	return t
}

func sameArticle(a, b *Article) bool {
	return a.Title == b.Title && a.Standfirst == b.Standfirst && a.Body == b.Body && a.Slug == b.Slug && a.State == b.State &&
		a.PublishAt == b.PublishAt && a.Thread.Policy == b.Thread.Policy && a.Thread.ClosesAfterDays == b.Thread.ClosesAfterDays && slices.Equal(a.Tags, b.Tags)
}

// prepare validates a change and applies it to a copy of the article, rendered.
func (s *Store) prepare(ctx context.Context, art Article, change ArticleChange) (Article, error) {
	var p problems
	if change.Title != nil {
		art.Title = line(&p, "title", *change.Title, 1, MaxTitle)
	}
	if change.Standfirst != nil {
		art.Standfirst = line(&p, "standfirst", *change.Standfirst, 0, MaxStandfirst)
	}
	if change.Slug != nil && *change.Slug != art.Slug {
		if art.PublishedAt != 0 || art.IsPublic(s.now()) {
			p.add("slug", "cannot change after publication: links to the article would break")
		}
		art.Slug = checkSlug(&p, *change.Slug)
	}
	line(&p, "message", change.Message, 0, MaxMessage)
	if change.Tags != nil {
		art.Tags = checkTags(&p, *change.Tags)
	}
	s.prepareState(&p, &art, change)
	if change.Body != nil && *change.Body != art.Body || art.ID == 0 {
		body := art.Body
		if change.Body != nil {
			body = *change.Body
		}
		art.Body = prose(&p, "body", body, 1, markup.MaxArticleRunes)
		if len(p) == 0 {
			if err := s.renderArticle(ctx, &p, &art); err != nil {
				return art, err
			}
		}
	}
	return art, p.err()
}

func (s *Store) prepareState(p *problems, art *Article, change ArticleChange) {
	if change.State != nil {
		art.State = *change.State
		if !slices.Contains([]ArticleState{Draft, Published, Scheduled, Archived}, art.State) {
			*p = append(*p, notIn("state", string(art.State), "draft", "published", "scheduled", "archived"))
		}
	}
	if change.CommentPolicy != nil {
		art.Thread.Policy = *change.CommentPolicy
		if !slices.Contains([]CommentPolicy{PolicyOpen, PolicyPremoderated, PolicyFirstComment, PolicyClosed}, art.Thread.Policy) {
			*p = append(*p, notIn("comment_policy", string(art.Thread.Policy), "open", "premoderated", "first_comment", "closed"))
		}
	}
	if change.ClosesAfterDays != nil {
		art.Thread.ClosesAfterDays = *change.ClosesAfterDays
		if *change.ClosesAfterDays < 0 || *change.ClosesAfterDays > 36500 {
			p.add("closes_after_days", "must be between 0 (never) and 36500")
		}
	}
	if change.PublishAt != nil {
		art.PublishAt = At(*change.PublishAt)
		if y := change.PublishAt.Year(); !change.PublishAt.IsZero() && (y < 1970 || y > 9999) {
			p.add("publish_at", "must be a year between 1970 and 9999")
		}
	}
	if art.State == Scheduled && art.PublishAt == 0 {
		p.add("publish_at", "is needed for a scheduled article: give the moment it becomes public")
	}
}

func (s *Store) renderArticle(ctx context.Context, p *problems, art *Article) error {
	return s.rendering(ctx, func() error {
		out, err := markup.Article(art.Body)
		var limit *markup.LimitError
		if errors.As(err, &limit) {
			p.add("body", "%s", limit.Message)
			return nil
		}
		if err != nil {
			return fmt.Errorf("render article: %w", err)
		}
		headings, err := json.Marshal(out.Headings)
		art.HTML, art.Words, art.Headings, art.Renderer = out.HTML, out.Words, string(headings), markup.Version
		return err
	})
}

func checkTags(p *problems, tags []string) []string {
	out := []string{}
	for _, tag := range tags {
		tag = strings.ToLower(line(p, "tags", strings.TrimSpace(tag), 0, MaxTag))
		if tag != "" && strings.ContainsAny(tag, ",/?#") {
			p.add("tags", "must not contain commas, slashes, question marks or number signs")
		}
		if tag != "" && !slices.Contains(out, tag) {
			out = append(out, tag)
		}
	}
	if len(out) > MaxTags {
		p.add("tags", "may be at most %d", MaxTags)
	}
	slices.Sort(out)
	return out
}

// freeSlug makes an address from a title, numbered if it is taken.
func (t *tx) freeSlug(title string) (string, error) {
	base := slug.Make(strings.ReplaceAll(title, "_", " "))
	if len(base) > MaxSlug-8 {
		base = strings.TrimRight(base[:MaxSlug-8], "-")
	}
	if base == "" {
		base = "article"
	}
	for n := 1; ; n++ {
		name := base
		if n > 1 {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		if name == newSlug {
			continue
		}
		taken, err := t.slugTaken(name, 0)
		if err != nil || !taken {
			return name, err
		}
	}
}

func (t *tx) slugTaken(slug string, except int64) (bool, error) {
	var n int64
	err := t.Raw("SELECT count(*) FROM articles WHERE slug = ? AND state <> 'deleted' AND id <> ?", slug, except).Scan(&n).Error
	return n > 0, err
}

// saveRevision writes the article with its next revision number, its thread's
// settings, its tags and the revision itself.
func (t *tx) saveRevision(art *Article, old Article, changed anchor.Stats, message string) error {
	if taken, err := t.slugTaken(art.Slug, art.ID); err != nil {
		return err
	} else if taken {
		return &Error{Kind: Conflict, Message: "Please correct the field below.", Fields: []FieldError{{"slug", "is the address of another article; choose another"}}}
	}
	wasPublic := old.ID != 0 && old.IsPublic(t.now)
	art.Revision = old.Revision + 1
	art.UpdatedAt = t.now
	if wasPublic && old.State == Scheduled {
		art.PublishedAt = old.PublishAt
	}
	if art.EffectiveState(t.now) == Published && art.PublishedAt == 0 {
		art.PublishedAt = t.now
		if art.State == Scheduled {
			art.PublishedAt = art.PublishAt
		}
	}
	art.State = art.EffectiveState(t.now) // so that its revisions count as public ones
	art.PublicOnce = max(old.PublicOnce, count(art.IsPublic(t.now)), count(wasPublic))
	art.SortAt = sortMoment(art)
	if err := t.Save(art).Error; err != nil { // every column: the article was loaded whole
		return fmt.Errorf("save article: %w", err)
	}
	art.Thread.Version++
	if err := t.Model(&art.Thread).Updates(map[string]any{"policy": art.Thread.Policy, "closes_after_days": art.Thread.ClosesAfterDays, "version": art.Thread.Version}).Error; err != nil {
		return err
	}
	if err := t.saveTags(art); err != nil {
		return err
	}
	rev := Revision{ArticleID: art.ID, Number: art.Revision, State: art.State, AuthorID: art.AuthorID, Message: line(&problems{}, "message", message, 0, MaxMessage), Title: art.Title,
		Standfirst: art.Standfirst, Body: art.Body, HTML: art.HTML, Renderer: art.Renderer, WordsAdded: changed.Added, WordsRemoved: changed.Removed, CreatedAt: t.now}
	if t.actor.IsSignedIn() {
		rev.AuthorID = t.actor.UserID
	}
	if err := t.Create(&rev).Error; err != nil {
		return fmt.Errorf("save revision: %w", err)
	}
	kind := "article.saved"
	if art.IsPublic(t.now) && !wasPublic {
		kind = "article.published"
	}
	return t.emit(Event{Kind: kind, ArticleID: &art.ID, ThreadID: &art.ThreadID})
}

// sortMoment is the moment an article is listed by.
func sortMoment(art *Article) Timestamp {
	switch {
	case art.State == Scheduled:
		return art.PublishAt
	case art.PublishedAt != 0:
		return art.PublishedAt
	case art.CreatedAt != 0:
		return art.CreatedAt
	}
	return art.UpdatedAt
}

func (t *tx) saveTags(art *Article) error {
	if err := t.Exec("DELETE FROM article_tags WHERE article_id = ?", art.ID).Error; err != nil {
		return err
	}
	for _, tag := range art.Tags {
		if err := t.Create(&articleTag{art.ID, tag}).Error; err != nil {
			return err
		}
	}
	return nil
}

// DeleteArticle takes an article and its discussion away for everybody. The
// rows stay in the database.
func (s *Store) DeleteArticle(ctx context.Context, actor Actor, slug string, ifRevision int64) error {
	return s.write(ctx, actor, func(t *tx) error {
		art, err := t.loadArticle("slug = ? AND state <> 'deleted'", slug)
		if err != nil {
			return err
		}
		if err := actor.CanDeleteArticle(&art, t.now); err != nil {
			return err
		}
		if ifRevision != 0 && ifRevision != art.Revision {
			return stale(art)
		}
		if err := t.Model(&Article{}).Where("id = ?", art.ID).Updates(map[string]any{"state": Deleted, "updated_at": t.now}).Error; err != nil {
			return err
		}
		if err := t.Exec("UPDATE threads SET version = version + 1 WHERE id = ?", art.ThreadID).Error; err != nil {
			return err
		}
		return t.emit(Event{Kind: "article.deleted", ArticleID: &art.ID, ThreadID: &art.ThreadID})
	})
}
