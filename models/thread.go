package models

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gorm.io/gorm"
)

// Sort is the order of a discussion's roots. Replies always run from the oldest.
type Sort string

// Best is by the lower bound of the share of upvotes, so that two votes do not
// beat two hundred.
const (
	Best   Sort = "best"
	Newest Sort = "newest"
	Oldest Sort = "oldest"
)

// Sorts lists every order, the default first.
var Sorts = []Sort{Best, Newest, Oldest}

// RepliesShown is how many replies of a root come with it: its oldest. Further
// ones are behind the root's own page.
const RepliesShown = 10

// Discussion is a page of a thread: roots in order, and below each its oldest
// replies. Everything in it anybody may see, but for Own.
type Discussion struct {
	Article Article
	Roots   []*Branch
	Own     []*Comment // the actor's comments that wait or were refused
	Next    string
}

// Branch is a comment with the replies that were loaded below it.
type Branch struct {
	*Comment
	Replies []*Branch
	More    int64  // direct replies that were not loaded
	Next    string // cursor of the next direct replies
}

// Discussion loads a page of an article's discussion, at most MaxPage roots.
func (s *Store) Discussion(ctx context.Context, actor Actor, slug string, sort Sort, page Page) (Discussion, error) {
	art, err := s.Article(ctx, actor, slug)
	if err != nil {
		return Discussion{}, err
	}
	roots, next, err := s.roots(ctx, art.ThreadID, sort, page)
	if err != nil {
		return Discussion{}, err
	}
	replies, err := s.oldestReplies(ctx, roots)
	if err != nil {
		return Discussion{}, err
	}
	own, err := s.unsettled(ctx, actor, art.ThreadID)
	if err != nil {
		return Discussion{}, err
	}
	if err := s.complete(ctx, actor, &art, slices.Concat(roots, replies, own)); err != nil {
		return Discussion{}, err
	}
	return Discussion{Article: art, Roots: assemble(roots, replies), Own: own, Next: next}, nil
}

// roots loads a page of a thread's roots by keyset: the cost does not depend on
// how many there are.
func (s *Store) roots(ctx context.Context, threadID int64, sort Sort, page Page) ([]*Comment, string, error) {
	limit := pageSize(page.Limit)
	query := s.read(ctx).Where("thread_id = ? AND parent_id IS NULL AND shown = 1", threadID).Limit(limit + 1)
	var cursor func(*Comment) string
	switch sort {
	case Best, "":
		after, err := decodeCursor(page.Cursor, "best", 2)
		if err != nil {
			return nil, "", err
		}
		if after != nil {
			rank := math.Float64frombits(uint64(after[0]))
			query = query.Where("rank <= ? AND (rank < ? OR id > ?)", rank, rank, after[1])
		}
		query = query.Order("rank DESC, id")
		cursor = func(c *Comment) string { return encodeCursor("best", int64(math.Float64bits(c.Rank)), c.ID) }
	case Newest, Oldest:
		after, err := decodeCursor(page.Cursor, string(sort), 1)
		if err != nil {
			return nil, "", err
		}
		comparison, order := "id > ?", "id"
		if sort == Newest {
			comparison, order = "id < ?", "id DESC"
		}
		if after != nil {
			query = query.Where(comparison, after[0])
		}
		query = query.Order(order)
		cursor = func(c *Comment) string { return encodeCursor(string(sort), c.ID) }
	default:
		return nil, "", &Error{Kind: Invalid, Message: "Please correct the order.", Fields: []FieldError{notIn("sort", string(sort), "best", "newest", "oldest")}}
	}
	var rows []*Comment
	if err := query.Find(&rows).Error; err != nil {
		return nil, "", fmt.Errorf("load roots: %w", err)
	}
	rows, next := cut(rows, limit, cursor)
	return rows, next, nil
}

// oldestReplies loads the first RepliesShown comments below each root. A parent
// is always older than its replies, so whatever comes first in age is connected
// to the root.
func (s *Store) oldestReplies(ctx context.Context, roots []*Comment) ([]*Comment, error) {
	withReplies := ids(roots, func(c *Comment) int64 {
		if c.ShownReplies == 0 {
			return 0
		}
		return c.ID
	})
	withReplies = slices.DeleteFunc(withReplies, func(id int64) bool { return id == 0 })
	if len(withReplies) == 0 {
		return nil, nil
	}
	var rows []*Comment
	err := s.read(ctx).Raw(`SELECT c.* FROM comments r JOIN comments c ON c.id IN
		(SELECT x.id FROM comments x WHERE x.root_id = r.id AND x.parent_id IS NOT NULL AND x.shown = 1 ORDER BY x.id LIMIT ?)
		WHERE r.id IN ? ORDER BY c.id`, RepliesShown, withReplies).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("load replies: %w", err)
	}
	return rows, nil
}

// unsettled loads the actor's own comments on a thread that nobody else sees.
func (s *Store) unsettled(ctx context.Context, actor Actor, threadID int64) ([]*Comment, error) {
	if !actor.IsSignedIn() {
		return nil, nil
	}
	var rows []*Comment
	err := s.read(ctx).Where("author_id = ? AND thread_id = ? AND state IN ('pending', 'rejected', 'spam')", actor.UserID, threadID).
		Order("id DESC").Limit(DefaultPage).Find(&rows).Error
	slices.Reverse(rows)
	return rows, err
}

// complete adds authors, the article and the actor's votes to loaded comments.
func (s *Store) complete(ctx context.Context, actor Actor, art *Article, comments []*Comment) error {
	authors, err := usersByID(s.read(ctx), ids(comments, func(c *Comment) int64 { return c.AuthorID }))
	if err != nil {
		return err
	}
	for _, c := range comments {
		c.Author = authors[c.AuthorID]
		if art != nil {
			c.Article = art
		}
		if c.Article != nil && actor.CanReadComment(c, c.Article, s.now()) != nil {
			c.Body, c.HTML = "", "" // a tombstone; whoever shows it cannot slip
		}
	}
	return s.addVotes(ctx, actor, comments)
}

// assemble builds trees from roots and their replies, which come parents first.
func assemble(roots, replies []*Comment) []*Branch {
	branches := make([]*Branch, len(roots))
	byID := make(map[int64]*Branch, len(roots)+len(replies))
	for i, c := range roots {
		branches[i] = &Branch{Comment: c}
		byID[c.ID] = branches[i]
	}
	for _, c := range replies {
		b := &Branch{Comment: c}
		byID[c.ID] = b
		if parent := byID[*c.ParentID]; parent != nil {
			parent.Replies = append(parent.Replies, b)
		}
	}
	for _, b := range byID {
		b.countMore()
	}
	return branches
}

// countMore notes how many direct replies were not loaded, and where they begin.
func (b *Branch) countMore() {
	b.More = max(0, b.ShownReplies-int64(len(b.Replies))) // a reply may have come between two reads
	if b.More > 0 && len(b.Replies) > 0 {
		b.Next = encodeCursor("replies", b.Replies[len(b.Replies)-1].ID)
	}
}

// Focus is one comment in its place: what it answers, and what answers it.
type Focus struct {
	Article   Article
	Ancestors []*Comment // from the top down, at most maxAncestors, the nearest
	Above     int64      // how many more are above those
	Branch    *Branch
}

const (
	maxAncestors  = 5
	focusLevels   = 6   // levels of replies below the comment
	focusBudget   = 300 // comments below it in all
	focusPerReply = 20  // replies of each reply
)

// Focus loads a comment with what it answers and a page of what answers it.
func (s *Store) Focus(ctx context.Context, actor Actor, id int64, page Page) (Focus, error) {
	c, err := s.Comment(ctx, actor, id)
	if err != nil {
		return Focus{}, err
	}
	art, err := loadArticle(s.read(ctx), "thread_id = ?", c.ThreadID)
	if err != nil {
		return Focus{}, err
	}
	f := Focus{Article: art}
	if f.Ancestors, err = s.ancestors(ctx, &c); err != nil {
		return Focus{}, err
	}
	f.Above = int64(c.Depth - len(f.Ancestors))
	if f.Branch, err = s.below(ctx, &c, page); err != nil {
		return Focus{}, err
	}
	all := append([]*Comment{}, f.Ancestors...)
	f.Branch.each(func(b *Branch) { all = append(all, b.Comment) })
	return f, s.complete(ctx, actor, &f.Article, all)
}

func (b *Branch) each(visit func(*Branch)) {
	visit(b)
	for _, r := range b.Replies {
		r.each(visit) // at most focusLevels deep
	}
}

// ancestors loads the nearest comments above c, from the top down.
func (s *Store) ancestors(ctx context.Context, c *Comment) ([]*Comment, error) {
	if c.ParentID == nil {
		return nil, nil
	}
	var rows []*Comment
	err := s.read(ctx).Raw(`WITH RECURSIVE above (id, parent_id, distance) AS (
			SELECT id, parent_id, 1 FROM comments WHERE id = ?
			UNION ALL
			SELECT c.id, c.parent_id, a.distance + 1 FROM comments c JOIN above a ON c.id = a.parent_id WHERE a.distance < ?)
		SELECT c.* FROM comments c JOIN above a ON a.id = c.id ORDER BY c.depth`, *c.ParentID, maxAncestors).Scan(&rows).Error
	return rows, err
}

// below loads a page of the direct replies of c and some levels below each.
func (s *Store) below(ctx context.Context, c *Comment, page Page) (*Branch, error) {
	top := &Branch{Comment: c}
	direct, next, err := s.directReplies(ctx, c.ID, page)
	if err != nil {
		return nil, err
	}
	top.Next = next
	level := top.adopt(direct)
	loaded := len(direct)
	for depth := 1; depth < focusLevels && loaded < focusBudget && len(level) > 0; depth++ {
		rows, err := s.repliesOf(ctx, level, focusBudget-loaded)
		if err != nil {
			return nil, err
		}
		loaded += len(rows)
		byID := map[int64]*Branch{}
		for _, b := range level {
			byID[b.ID] = b
		}
		level = nil
		for _, r := range rows {
			level = append(level, byID[*r.ParentID].adopt([]*Comment{r})...)
		}
	}
	top.each(func(b *Branch) {
		if b != top {
			b.countMore()
		}
	})
	return top, nil
}

func (b *Branch) adopt(replies []*Comment) []*Branch {
	var added []*Branch
	for _, r := range replies {
		added = append(added, &Branch{Comment: r})
	}
	b.Replies = append(b.Replies, added...)
	return added
}

func (s *Store) directReplies(ctx context.Context, parentID int64, page Page) ([]*Comment, string, error) {
	after, err := decodeCursor(page.Cursor, "replies", 1)
	if err != nil {
		return nil, "", err
	}
	limit := pageSize(page.Limit)
	query := s.read(ctx).Where("parent_id = ? AND shown = 1", parentID).Order("id").Limit(limit + 1)
	if after != nil {
		query = query.Where("id > ?", after[0])
	}
	var rows []*Comment
	if err := query.Find(&rows).Error; err != nil {
		return nil, "", fmt.Errorf("load replies: %w", err)
	}
	rows, next := cut(rows, limit, func(c *Comment) string { return encodeCursor("replies", c.ID) })
	return rows, next, nil
}

// repliesOf loads the oldest replies of each of some comments.
func (s *Store) repliesOf(ctx context.Context, parents []*Branch, atMost int) ([]*Comment, error) {
	var asked []int64
	for _, b := range parents {
		if b.ShownReplies > 0 {
			asked = append(asked, b.ID)
		}
	}
	if len(asked) == 0 {
		return nil, nil
	}
	var rows []*Comment
	err := s.read(ctx).Raw(`SELECT c.* FROM comments r JOIN comments c ON c.id IN
		(SELECT x.id FROM comments x WHERE x.parent_id = r.id AND x.shown = 1 ORDER BY x.id LIMIT ?)
		WHERE r.id IN ? ORDER BY c.id LIMIT ?`, focusPerReply, asked, atMost).Scan(&rows).Error
	return rows, err
}

// Replies lists the direct replies of a comment, oldest first.
func (s *Store) Replies(ctx context.Context, actor Actor, id int64, page Page) ([]*Comment, string, error) {
	c, err := s.Comment(ctx, actor, id)
	if err != nil {
		return nil, "", err
	}
	rows, next, err := s.directReplies(ctx, id, page)
	if err != nil {
		return nil, "", err
	}
	return rows, next, s.complete(ctx, actor, c.Article, rows)
}

// CommentsBy lists an account's comments, newest first. Others see those that
// everybody may read; the account itself sees all but what it deleted.
func (s *Store) CommentsBy(ctx context.Context, actor Actor, userID int64, page Page) ([]*Comment, string, error) {
	after, err := decodeCursor(page.Cursor, "by", 1)
	if err != nil {
		return nil, "", err
	}
	limit := pageSize(page.Limit)
	query := s.read(ctx).Select("comments.*").Joins("JOIN articles ON articles.thread_id = comments.thread_id").
		Where("comments.author_id = ?", userID).Order("comments.id DESC").Limit(limit + 1)
	own := actor.IsSignedIn() && actor.UserID == userID
	query = query.Where("(comments.state = 'approved' OR (? AND comments.state <> 'deleted')) AND articles.state <> 'deleted'", own)
	if !own || actor.CanModerate() != nil {
		query = query.Where("(articles.state IN ('published', 'archived') OR (articles.state = 'scheduled' AND articles.publish_at <= ?) OR (? AND articles.author_id = ?))",
			s.now(), own, actor.UserID)
	}
	if after != nil {
		query = query.Where("comments.id < ?", after[0])
	}
	var rows []*Comment
	if err := query.Find(&rows).Error; err != nil {
		return nil, "", err
	}
	rows, next := cut(rows, limit, func(c *Comment) string { return encodeCursor("by", c.ID) })
	if err := addArticles(s.read(ctx), rows); err != nil {
		return nil, "", err
	}
	return rows, next, s.complete(ctx, actor, nil, rows)
}

// CountCommentsBy counts an account's comments that everybody may read.
func (s *Store) CountCommentsBy(ctx context.Context, userID int64) (int64, error) {
	var n int64
	err := s.read(ctx).Raw(`SELECT count(*) FROM comments c JOIN articles a ON a.thread_id = c.thread_id
		WHERE c.author_id = ? AND c.state = 'approved' AND (a.state IN ('published', 'archived') OR (a.state = 'scheduled' AND a.publish_at <= ?))`, userID, s.now()).Scan(&n).Error
	return n, err
}

// addArticles adds to comments the articles they are on, without their texts.
func addArticles(db *gorm.DB, comments []*Comment) error {
	if len(comments) == 0 {
		return nil
	}
	var list []Article
	if err := db.Omit("body", "html", "headings").Where("thread_id IN ?", ids(comments, func(c *Comment) int64 { return c.ThreadID })).Find(&list).Error; err != nil {
		return err
	}
	if err := completeArticles(db, list); err != nil {
		return err
	}
	byThread := map[int64]*Article{}
	for i := range list {
		byThread[list[i].ThreadID] = &list[i]
	}
	for _, c := range comments {
		c.Article = byThread[c.ThreadID]
	}
	return nil
}
