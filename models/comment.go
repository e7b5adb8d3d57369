package models

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"

	"postil/markup"
)

// CommentState is what became of a comment.
type CommentState string

// Only an approved comment is there for everybody.
const (
	Pending        CommentState = "pending"  // waits for a moderator
	Approved       CommentState = "approved" // everybody reads it
	Rejected       CommentState = "rejected" // refused, with a reason for its author
	Spam           CommentState = "spam"     // refused as spam
	DeletedComment CommentState = "deleted"  // taken back by its author
)

// Comment is one contribution to a discussion.
type Comment struct {
	ID           int64
	ThreadID     int64
	ParentID     *int64
	RootID       int64
	Depth        int // 0 for a root
	AuthorID     int64
	Revision     int64 // of the article, that it answered
	State        CommentState
	Shown        int    // 1 when everybody finds it in the discussion: approved, or a tombstone over replies
	HeldWhy      string // premoderated, first_comment, edited
	Reason       string // of the last decision against it
	Body         string
	HTML         string
	Renderer     int
	Up           int64
	Down         int64
	Rank         float64 // lower bound of the share of upvotes
	ShownReplies int64   // direct replies that are shown
	OpenReports  int64
	CreatedAt    Timestamp `gorm:"autoCreateTime:false"`
	EditedAt     Timestamp
	QueuedAt     Timestamp

	Author  User     `gorm:"-"`
	Article *Article `gorm:"-"` // without its text
	MyVote  int      `gorm:"-"` // of the actor it was loaded for
}

// MaxDepth bounds how deep replies nest in storage; pages show far fewer levels
// and continue flat.
const MaxDepth = 100_000

// CommentInput is a new comment. ParentID 0 makes a root.
type CommentInput struct {
	Body     string
	ParentID int64
}

// renderedComment is a body that was checked and rendered.
type renderedComment struct{ body, html string }

// renderComment validates and renders a comment's text, before any transaction.
func (s *Store) renderComment(ctx context.Context, body string) (renderedComment, error) {
	var p problems
	out := renderedComment{body: prose(&p, "body", body, 1, markup.MaxCommentRunes)}
	if err := p.err(); err != nil {
		return out, err
	}
	err := s.rendering(ctx, func() error {
		rendered, err := markup.Comment(out.body)
		var limit *markup.LimitError
		if errors.As(err, &limit) {
			p.add("body", "%s", limit.Message)
			return p.err()
		}
		out.html = rendered.HTML
		return err
	})
	return out, err
}

// PreviewComment renders a comment as it would appear; it is what CreateComment
// would store.
func (s *Store) PreviewComment(ctx context.Context, body string) (string, error) {
	out, err := s.renderComment(ctx, body)
	return out.html, err
}

// PreviewArticle renders an article's text as it would appear, with its length
// in words.
func (s *Store) PreviewArticle(ctx context.Context, body string) (html string, words int, err error) {
	var p problems
	art := Article{Body: prose(&p, "body", body, 1, markup.MaxArticleRunes)}
	if len(p) == 0 {
		if err := s.renderArticle(ctx, &p, &art); err != nil {
			return "", 0, err
		}
	}
	return art.HTML, art.Words, p.err()
}

// CreateComment posts a comment, or a reply, on an article. Whether it appears
// at once is the article's comment policy's business; State tells.
func (s *Store) CreateComment(ctx context.Context, actor Actor, slug string, in CommentInput) (Comment, error) {
	if !actor.IsSignedIn() {
		if _, err := s.Article(ctx, actor, slug); err != nil {
			return Comment{}, err
		}
		return Comment{}, errSignIn
	}
	text, err := s.renderComment(ctx, in.Body)
	if err != nil {
		return Comment{}, err
	}
	var c Comment
	err = s.write(ctx, actor, func(t *tx) error {
		art, err := lightArticle(t.DB, "slug = ? AND state <> 'deleted'", slug)
		if err != nil {
			return err
		}
		if err := actor.CanComment(&art, t.now); err != nil {
			return err
		}
		c = Comment{ThreadID: art.ThreadID, AuthorID: actor.UserID, Revision: art.Revision, State: Pending,
			Body: text.body, HTML: text.html, Renderer: markup.Version, CreatedAt: t.now, Article: &art}
		if in.ParentID != 0 {
			if err := t.placeBelow(&c, in.ParentID, &art); err != nil {
				return err
			}
		}
		author, err := first[User](t.DB, "id = ?", actor.UserID)
		if err != nil {
			return err
		}
		c.Author = author
		c.HeldWhy = heldWhy(&art, &author)
		return t.insertComment(&c)
	})
	return c, err
}

// placeBelow makes c a reply.
func (t *tx) placeBelow(c *Comment, parentID int64, art *Article) error {
	parent, err := first[Comment](t.DB.Omit("body", "html"), "id = ? AND thread_id = ?", parentID, art.ThreadID)
	if err == nil {
		err = t.actor.CanReply(&parent, art, t.now)
	}
	if KindOf(err) == NotFound {
		return &Error{Kind: Invalid, Message: "Please correct the field below.", Fields: []FieldError{{"parent_id", "names no comment of this discussion that can be answered"}}}
	}
	if err != nil {
		return err
	}
	if parent.Depth >= MaxDepth {
		return failf(Conflict, "This branch of the discussion is too deep. Answer one of the comments above.")
	}
	c.ParentID, c.RootID, c.Depth = &parent.ID, parent.RootID, parent.Depth+1
	return nil
}

// heldWhy is why a new comment has to wait for a moderator, or "".
func heldWhy(art *Article, author *User) string {
	trusted := author.Role == Admin || author.Role == Moderator || author.ID == art.AuthorID
	switch {
	case trusted || art.Thread.Policy == PolicyOpen:
		return ""
	case art.Thread.Policy == PolicyFirstComment && author.ApprovedCount > 0:
		return ""
	}
	return string(art.Thread.Policy)
}

// insertComment writes a new comment and brings it into its first state.
func (t *tx) insertComment(c *Comment) error {
	if c.HeldWhy != "" {
		c.QueuedAt = t.now
	}
	if err := t.Create(c).Error; err != nil {
		return fmt.Errorf("insert comment: %w", err)
	}
	if c.ParentID == nil {
		c.RootID = c.ID
		if err := t.Exec("UPDATE comments SET root_id = id WHERE id = ?", c.ID).Error; err != nil {
			return err
		}
	}
	if err := t.emit(Event{Kind: "comment.created", CommentID: &c.ID, ThreadID: &c.ThreadID}); err != nil {
		return err
	}
	if c.HeldWhy != "" {
		return nil
	}
	return t.setState(c, Approved, "")
}

// setState moves a comment to another state and keeps everything that follows
// from it: its author's standing, the thread's count and version, and which
// comments are shown.
func (t *tx) setState(c *Comment, to CommentState, reason string) error {
	from := c.State
	c.State, c.Reason = to, reason
	if to != Pending {
		c.HeldWhy = ""
		if c.OpenReports == 0 {
			c.QueuedAt = 0
		}
	}
	err := t.Model(&Comment{}).Where("id = ?", c.ID).
		Updates(map[string]any{"state": c.State, "reason": c.Reason, "held_why": c.HeldWhy, "queued_at": c.QueuedAt}).Error
	if err != nil {
		return err
	}
	approved := count(to == Approved) - count(from == Approved)
	refused := count(isRefused(to)) - count(isRefused(from))
	if approved != 0 || refused != 0 {
		if err := t.Exec("UPDATE users SET approved_count = approved_count + ?, rejected_count = rejected_count + ? WHERE id = ?", approved, refused, c.AuthorID).Error; err != nil {
			return err
		}
	}
	if err := t.Exec("UPDATE threads SET comment_count = comment_count + ?, version = version + 1 WHERE id = ?", approved, c.ThreadID).Error; err != nil {
		return err
	}
	return t.settleShown(c)
}

func isRefused(s CommentState) bool { return s == Rejected || s == Spam }

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// settleShown keeps the rule that a comment is shown when it is approved or has
// shown replies, from this comment upwards as far as the rule changes anything.
func (t *tx) settleShown(c *Comment) error {
	for {
		shown := count(c.State == Approved || c.ShownReplies > 0)
		if shown == c.Shown {
			return nil
		}
		delta := shown - c.Shown
		c.Shown = shown
		if err := t.Exec("UPDATE comments SET shown = ? WHERE id = ?", shown, c.ID).Error; err != nil {
			return err
		}
		if c.ParentID == nil {
			return nil
		}
		if err := t.Exec("UPDATE comments SET shown_replies = shown_replies + ? WHERE id = ?", delta, *c.ParentID).Error; err != nil {
			return err
		}
		parent, err := first[Comment](t.DB.Select("id, parent_id, state, shown, shown_replies"), "id = ?", *c.ParentID)
		if err != nil {
			return err
		}
		c = &parent
	}
}

// lightArticle loads an article without its text, with its thread.
func lightArticle(db *gorm.DB, where string, args ...any) (Article, error) {
	art, err := first[Article](db.Omit("body", "html", "headings"), where, args...)
	if err != nil {
		return Article{}, err
	}
	art.Thread, err = first[Thread](db, "id = ?", art.ThreadID)
	return art, err
}

// Comment loads one comment with its author and its article, without the
// article's text.
func (s *Store) Comment(ctx context.Context, actor Actor, id int64) (Comment, error) {
	c, err := loadComment(s.read(ctx), id)
	if err != nil {
		return Comment{}, err
	}
	if err := actor.CanSeeComment(&c, c.Article, s.now()); err != nil {
		return Comment{}, err
	}
	return c, s.addVotes(ctx, actor, []*Comment{&c})
}

func loadComment(db *gorm.DB, id int64) (Comment, error) {
	c, err := first[Comment](db, "id = ?", id)
	if err != nil {
		return Comment{}, err
	}
	art, err := lightArticle(db, "thread_id = ?", c.ThreadID)
	if err != nil {
		return Comment{}, err
	}
	c.Article = &art
	authors, err := usersByID(db, []int64{c.AuthorID, art.AuthorID})
	c.Author, art.Author = authors[c.AuthorID], authors[art.AuthorID]
	return c, err
}

// changeComment is what changes to one comment have in common: load, ask,
// change.
func (s *Store) changeComment(ctx context.Context, actor Actor, id int64, may func(*Comment, Timestamp) error, change func(*tx, *Comment) error) (Comment, error) {
	var c Comment
	err := s.write(ctx, actor, func(t *tx) (err error) {
		if c, err = loadComment(t.DB, id); err != nil {
			return err
		}
		if err := may(&c, t.now); err != nil {
			return err
		}
		return change(t, &c)
	})
	if err != nil {
		return Comment{}, err
	}
	return c, s.addVotes(ctx, actor, []*Comment{&c})
}

// EditComment changes the text of one's own comment for a while. The earlier
// text stays readable in its history. Where every comment is read first, an
// edited one waits again.
func (s *Store) EditComment(ctx context.Context, actor Actor, id int64, body string) (Comment, error) {
	may := func(c *Comment, now Timestamp) error {
		return actor.CanEditComment(c, c.Article, now, s.cfg.EditWindow)
	}
	c, err := s.Comment(ctx, actor, id)
	if err != nil {
		return Comment{}, err
	}
	if err := may(&c, s.now()); err != nil {
		return Comment{}, err
	}
	text, err := s.renderComment(ctx, body)
	if err != nil {
		return Comment{}, err
	}
	return s.changeComment(ctx, actor, id, may, func(t *tx, c *Comment) error {
		if c.Body == text.body {
			return nil
		}
		if err := t.keepVersion(c, text); err != nil {
			return err
		}
		c.Body, c.HTML, c.EditedAt = text.body, text.html, t.now
		err := t.Model(&Comment{}).Where("id = ?", id).
			Updates(map[string]any{"body": c.Body, "html": c.HTML, "renderer": markup.Version, "edited_at": c.EditedAt}).Error
		if err != nil {
			return err
		}
		if err := t.emit(Event{Kind: "comment.edited", CommentID: &c.ID, ThreadID: &c.ThreadID}); err != nil {
			return err
		}
		to := c.State
		if c.State == Approved && c.Article.Thread.Policy == PolicyPremoderated && heldWhy(c.Article, &c.Author) != "" {
			to, c.HeldWhy, c.QueuedAt = Pending, "edited", t.now
		}
		return t.setState(c, to, c.Reason)
	})
}

type commentVersion struct {
	CommentID int64 `gorm:"primaryKey"`
	Number    int64 `gorm:"primaryKey"`
	Body      string
	HTML      string
	CreatedAt Timestamp `gorm:"autoCreateTime:false"`
}

// keepVersion adds the new text to the comment's history, and before the first
// edit the original too. A text that is replaced while it waits for a moderator
// leaves no trace: approving the next one must not publish it.
func (t *tx) keepVersion(c *Comment, text renderedComment) error {
	var last int64
	if err := t.Raw("SELECT coalesce(max(number), 0) FROM comment_versions WHERE comment_id = ?", c.ID).Scan(&last).Error; err != nil {
		return err
	}
	if c.State == Pending {
		return t.Exec("UPDATE comment_versions SET body = ?, html = ?, created_at = ? WHERE comment_id = ? AND number = ?", text.body, text.html, t.now, c.ID, last).Error
	}
	if last == 0 {
		last = 1
		if err := t.Create(&commentVersion{c.ID, 1, c.Body, c.HTML, c.CreatedAt}).Error; err != nil {
			return err
		}
	}
	if last >= 100 {
		return failf(Conflict, "This comment was edited 100 times, which has to be enough.")
	}
	return t.Create(&commentVersion{c.ID, last + 1, text.body, text.html, t.now}).Error
}

// Version is a text that a comment had, or has.
type Version struct {
	Number    int64
	Body      string
	HTML      string
	CreatedAt Timestamp
}

// CommentHistory lists a comment's texts, newest first, for whoever may read it.
func (s *Store) CommentHistory(ctx context.Context, actor Actor, id int64) (Comment, []Version, error) {
	c, err := s.Comment(ctx, actor, id)
	if err != nil {
		return Comment{}, nil, err
	}
	if err := actor.CanReadComment(&c, c.Article, s.now()); err != nil {
		return Comment{}, nil, err
	}
	var versions []Version
	err = s.read(ctx).Table("comment_versions").Where("comment_id = ?", id).Order("number DESC").Find(&versions).Error
	if len(versions) == 0 {
		versions = []Version{{1, c.Body, c.HTML, c.CreatedAt}}
	}
	return c, versions, err
}

// DeleteComment takes back one's own comment. Replies stay, below a tombstone.
func (s *Store) DeleteComment(ctx context.Context, actor Actor, id int64) (Comment, error) {
	may := func(c *Comment, now Timestamp) error { return actor.CanDeleteComment(c, c.Article, now) }
	return s.changeComment(ctx, actor, id, may, func(t *tx, c *Comment) error {
		if err := t.settleReports(c, nil); err != nil {
			return err
		}
		if err := t.setState(c, DeletedComment, ""); err != nil {
			return err
		}
		return t.emit(Event{Kind: "comment.deleted", CommentID: &c.ID, ThreadID: &c.ThreadID})
	})
}

// EditWindow is how long whoever wrote a comment may change it.
func (s *Store) EditWindow() time.Duration { return s.cfg.EditWindow }

// WouldHold tells whether a comment that the actor posts now would wait for a
// moderator: what the button of the form promises.
func (s *Store) WouldHold(ctx context.Context, actor Actor, art *Article) bool {
	author, err := first[User](s.read(ctx), "id = ?", actor.UserID)
	return err != nil || heldWhy(art, &author) != ""
}
