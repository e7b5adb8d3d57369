package models

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

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
	PublicOnce  int       // 1 when everybody could read it at some time; only then does archiving leave it readable
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
		switch now := s.now(); filter.State {
		case "":
		case Published:
			query = query.Where("(state = 'published' OR (state = 'scheduled' AND publish_at <= ?))", now)
		case Scheduled:
			query = query.Where("state = 'scheduled' AND publish_at > ?", now)
		case Draft, Archived:
			query = query.Where("state = ?", filter.State)
		default:
			return nil, "", &Error{Kind: Invalid, Message: "Please correct the state.", Fields: []FieldError{notIn("state", string(filter.State), "draft", "published", "scheduled", "archived")}}
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
