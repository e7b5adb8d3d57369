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
	"gorm.io/gorm"

	"postil/anchor"
	"postil/markup"
)

// ArticleState is where an article is in its life.
type ArticleState string

// A draft is its author's. A scheduled article becomes public by itself when
// its time comes. An archived one stays readable at its address, leaves the
// lists and takes no comments.
const (
	Draft     ArticleState = "draft"
	Published ArticleState = "published"
	Scheduled ArticleState = "scheduled"
	Archived  ArticleState = "archived"
	Deleted   ArticleState = "deleted" // gone for everybody; kept in the database
)

// CommentPolicy says what happens to new comments.
type CommentPolicy string

// Comments by an article's author, by moderators and by admins are never held.
const (
	PolicyOpen         CommentPolicy = "open"          // they appear at once
	PolicyPremoderated CommentPolicy = "premoderated"  // each is read by a moderator first
	PolicyFirstComment CommentPolicy = "first_comment" // until one of an author's was approved
	PolicyClosed       CommentPolicy = "closed"        // there are none
)

// Article is a text with its discussion. In lists Body and HTML are empty.
type Article struct {
	ID          int64
	ThreadID    int64
	Slug        string
	State       ArticleState
	AuthorID    int64
	Revision    int64
	Title       string
	Standfirst  string
	Body        string
	HTML        string
	Headings    string // JSON list of markup.Heading
	Words       int
	Renderer    int
	PublishAt   Timestamp
	PublishedAt Timestamp
	CreatedAt   Timestamp `gorm:"autoCreateTime:false"`
	UpdatedAt   Timestamp `gorm:"autoUpdateTime:false"`
	SortAt      Timestamp

	Thread Thread   `gorm:"-"`
	Author User     `gorm:"-"`
	Tags   []string `gorm:"-"`
}

// Thread is a discussion. Its version rises with every change that anybody may
// see.
type Thread struct {
	ID              int64
	Policy          CommentPolicy
	ClosesAfterDays int
	Version         int64
	CommentCount    int64 // approved comments
}

type articleTag struct {
	ArticleID int64
	Tag       string
}

// IsPublic tells whether everybody may read the article and find it in lists.
func (a *Article) IsPublic(now Timestamp) bool {
	return a.State == Published || a.State == Scheduled && a.PublishAt <= now
}

// EffectiveState is the state as readers see it: a scheduled article whose time
// has come is published.
func (a *Article) EffectiveState(now Timestamp) ArticleState {
	if a.State == Scheduled && a.PublishAt <= now {
		return Published
	}
	return a.State
}

// ClosedWhy says in a sentence why nobody may comment, or "" when one may.
func (a *Article) ClosedWhy(now Timestamp) string {
	switch {
	case a.State == Archived:
		return "This article is archived; its discussion is closed."
	case !a.IsPublic(now):
		return "This article is not published yet; its discussion opens when it is."
	case a.Thread.Policy == PolicyClosed:
		return "The discussion of this article is closed."
	case a.Thread.ClosesAfterDays > 0 && a.openedAt() != 0 && a.openedAt().Add(time.Duration(a.Thread.ClosesAfterDays)*24*time.Hour) <= now:
		return fmt.Sprintf("The discussion of this article closed %s after publication.", formatCount(int64(a.Thread.ClosesAfterDays), "day"))
	}
	return ""
}

func (a *Article) openedAt() Timestamp {
	if a.State == Scheduled {
		return a.PublishAt
	}
	return a.PublishedAt
}

// HeadingList is the article's table of contents.
func (a *Article) HeadingList() []markup.Heading {
	var list []markup.Heading
	if json.Unmarshal([]byte(a.Headings), &list) != nil {
		return nil
	}
	return list
}

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
		return t.saveRevision(&next, Article{}, in.Message)
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
		return t.saveRevision(&next, now, change.Message)
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
func (t *tx) saveRevision(art *Article, old Article, message string) error {
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
	changed := anchor.Summary(old.Body, art.Body)
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

// Article loads one article with its thread, author and tags.
func (s *Store) Article(ctx context.Context, actor Actor, slug string) (Article, error) {
	art, err := loadArticle(s.read(ctx), "slug = ? AND state <> 'deleted'", slug)
	if err != nil {
		return Article{}, err
	}
	if err := actor.CanSeeArticle(&art, s.now()); err != nil {
		return Article{}, err
	}
	return art, nil
}

func (t *tx) loadArticle(where string, args ...any) (Article, error) {
	return loadArticle(t.DB, where, args...)
}

func loadArticle(db *gorm.DB, where string, args ...any) (Article, error) {
	art, err := first[Article](db, where, args...)
	if err != nil {
		return Article{}, err
	}
	list := []Article{art}
	if err := completeArticles(db, list); err != nil {
		return Article{}, err
	}
	return list[0], nil
}

// completeArticles adds threads, authors and tags to loaded rows.
func completeArticles(db *gorm.DB, list []Article) error {
	if len(list) == 0 {
		return nil
	}
	var threads []Thread
	if err := db.Where("id IN ?", ids(list, func(a Article) int64 { return a.ThreadID })).Find(&threads).Error; err != nil {
		return err
	}
	threadByID := map[int64]Thread{}
	for _, t := range threads {
		threadByID[t.ID] = t
	}
	authors, err := usersByID(db, ids(list, func(a Article) int64 { return a.AuthorID }))
	if err != nil {
		return err
	}
	var tags []articleTag
	if err := db.Where("article_id IN ?", ids(list, func(a Article) int64 { return a.ID })).Order("article_id, tag").Find(&tags).Error; err != nil {
		return err
	}
	for i := range list {
		a := &list[i]
		a.Thread, a.Author, a.Tags = threadByID[a.ThreadID], authors[a.AuthorID], []string{}
		for _, t := range tags {
			if t.ArticleID == a.ID {
				a.Tags = append(a.Tags, t.Tag)
			}
		}
	}
	return nil
}

// ArticleFilter chooses articles for a list.
type ArticleFilter struct {
	Tag    string
	Author string       // user name
	Mine   bool         // the actor's own desk: every state, his own (an admin: everybody's)
	State  ArticleState // on a desk only
}

// Articles lists articles, newest first, without their texts. Without Mine only
// public ones are in it, whoever asks.
func (s *Store) Articles(ctx context.Context, actor Actor, filter ArticleFilter, page Page) ([]Article, string, error) {
	after, err := decodeCursor(page.Cursor, "articles", 2)
	if err != nil {
		return nil, "", err
	}
	query := s.read(ctx).Omit("body", "html", "headings")
	if filter.Mine {
		if err := actor.CanWriteArticles(); err != nil {
			return nil, "", err
		}
		query = query.Where("state <> 'deleted'")
		if actor.Role != Admin {
			query = query.Where("author_id = ?", actor.UserID)
		}
		if filter.State != "" {
			query = query.Where("state = ?", filter.State)
		}
	} else {
		query = query.Where("state <> 'deleted' AND (state = 'published' OR (state = 'scheduled' AND publish_at <= ?))", s.now())
	}
	if filter.Author != "" {
		author, err := s.FindUser(ctx, filter.Author)
		if err != nil {
			return nil, "", err
		}
		query = query.Where("author_id = ?", author.ID)
	}
	if filter.Tag != "" {
		query = query.Where("id IN (SELECT article_id FROM article_tags WHERE tag = ?)", strings.ToLower(filter.Tag))
	}
	if after != nil {
		query = query.Where("(sort_at, id) < (?, ?)", after[0], after[1])
	}
	limit := pageSize(page.Limit)
	var list []Article
	if err := query.Order("sort_at DESC, id DESC").Limit(limit + 1).Find(&list).Error; err != nil {
		return nil, "", err
	}
	list, next := cut(list, limit, func(a Article) string { return encodeCursor("articles", int64(a.SortAt), a.ID) })
	return list, next, completeArticles(s.read(ctx), list)
}

func formatCount(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
