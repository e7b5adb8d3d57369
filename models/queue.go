package models

import (
	"context"
	"slices"

	"gorm.io/gorm"
)

// QueueState chooses a view of the queue.
type QueueState string

// The views of the queue.
const (
	QueuePending  QueueState = "pending"
	QueueReported QueueState = "reported"
	QueueSpam     QueueState = "spam"
	QueueRejected QueueState = "rejected"
)

// QueueStates lists the views, the default first.
var QueueStates = []QueueState{QueuePending, QueueReported, QueueSpam, QueueRejected}

// QueueItem is a comment in the queue with what is needed to decide about it.
type QueueItem struct {
	Comment *Comment
	Parent  *Comment // what it answers; nil for a root
	Reports []Report
}

// queueCondition is which comments a view of the queue shows. It repeats the
// condition of the index that serves it, else the index is not used.
func queueCondition(state QueueState) (string, error) {
	switch state {
	case QueuePending, "":
		return "comments.state = 'pending' AND comments.state IN ('pending', 'rejected', 'spam')", nil
	case QueueReported:
		return "comments.open_reports > 0", nil
	case QueueSpam:
		return "comments.state = 'spam' AND comments.state IN ('pending', 'rejected', 'spam')", nil
	case QueueRejected:
		return "comments.state = 'rejected' AND comments.state IN ('pending', 'rejected', 'spam')", nil
	}
	return "", &Error{Kind: Invalid, Message: "Please correct the state.", Fields: []FieldError{notIn("state", string(state), "pending", "reported", "spam", "rejected")}}
}

// Queue lists what waits for a moderator, or what was refused. What waits comes
// oldest first, what was refused newest first.
func (s *Store) Queue(ctx context.Context, actor Actor, state QueueState, page Page) ([]QueueItem, string, error) {
	if err := actor.CanModerate(); err != nil {
		return nil, "", err
	}
	condition, err := queueCondition(state)
	if err != nil {
		return nil, "", err
	}
	after, err := decodeCursor(page.Cursor, "queue", 1)
	if err != nil {
		return nil, "", err
	}
	comparison, order := "comments.id > ?", "comments.id"
	if state == QueueSpam || state == QueueRejected {
		comparison, order = "comments.id < ?", "comments.id DESC"
	}
	limit := pageSize(page.Limit)
	query := s.read(ctx).Where(condition).Where("EXISTS (SELECT 1 FROM articles a WHERE a.thread_id = comments.thread_id AND a.state <> 'deleted')").Order(order).Limit(limit + 1)
	if after != nil {
		query = query.Where(comparison, after[0])
	}
	var rows []*Comment
	if err := query.Find(&rows).Error; err != nil {
		return nil, "", err
	}
	rows, next := cut(rows, limit, func(c *Comment) string { return encodeCursor("queue", c.ID) })
	items, err := s.queueItems(ctx, actor, rows)
	return items, next, err
}

// QueueItem loads one comment as the queue shows it, in whatever state it is.
func (s *Store) QueueItem(ctx context.Context, actor Actor, id int64) (QueueItem, error) {
	if err := actor.CanModerate(); err != nil {
		return QueueItem{}, err
	}
	c, err := first[Comment](s.read(ctx), "id = ?", id)
	if err != nil {
		return QueueItem{}, err
	}
	items, err := s.queueItems(ctx, actor, []*Comment{&c})
	if err != nil {
		return QueueItem{}, err
	}
	return items[0], actor.CanReadComment(&c, c.Article, s.now())
}

func (s *Store) queueItems(ctx context.Context, actor Actor, rows []*Comment) ([]QueueItem, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	db := s.read(ctx)
	var parents []*Comment
	parentIDs := ids(rows, func(c *Comment) int64 {
		if c.ParentID == nil {
			return 0
		}
		return *c.ParentID
	})
	if err := db.Where("id IN ?", parentIDs).Find(&parents).Error; err != nil {
		return nil, err
	}
	var reports []Report
	if err := db.Where("comment_id IN ? AND settled_by IS NULL", ids(rows, func(c *Comment) int64 { return c.ID })).Order("id").Find(&reports).Error; err != nil {
		return nil, err
	}
	all := slices.Concat(rows, parents)
	if err := addArticles(db, all); err != nil {
		return nil, err
	}
	people, err := standings(db, append(ids(all, func(c *Comment) int64 { return c.AuthorID }), ids(reports, func(r Report) int64 { return r.UserID })...))
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		c.Author = people[c.AuthorID]
	}
	items := make([]QueueItem, len(rows))
	for i, c := range rows {
		items[i] = QueueItem{Comment: c}
		for _, parent := range parents {
			if c.ParentID != nil && parent.ID == *c.ParentID {
				items[i].Parent = parent
			}
		}
		for _, r := range reports {
			if r.CommentID == c.ID {
				r.Reporter = people[r.UserID]
				items[i].Reports = append(items[i].Reports, r)
			}
		}
	}
	return items, nil
}

// standings loads accounts with the counts that moderators see.
func standings(db *gorm.DB, ids []int64) (map[int64]User, error) {
	var users []User
	err := db.Select("id, username, display_name, role, approved_count, rejected_count, created_at").Where("id IN ?", ids).Find(&users).Error
	byID := map[int64]User{}
	for _, u := range users {
		byID[u.ID] = u
	}
	return byID, err
}

// QueueCounts counts each view of the queue, at most limit in each, so that a
// long queue does not make every page slow.
func (s *Store) QueueCounts(ctx context.Context, actor Actor, limit int) (map[QueueState]int64, error) {
	if err := actor.CanModerate(); err != nil {
		return nil, err
	}
	counts := map[QueueState]int64{}
	for _, state := range QueueStates {
		condition, err := queueCondition(state)
		if err != nil {
			return nil, err
		}
		var n int64
		if err := s.read(ctx).Raw("SELECT count(*) FROM (SELECT 1 FROM comments WHERE "+condition+
			" AND EXISTS (SELECT 1 FROM articles a WHERE a.thread_id = comments.thread_id AND a.state <> 'deleted') LIMIT ?)", limit).Scan(&n).Error; err != nil {
			return nil, err
		}
		counts[state] = n
	}
	return counts, nil
}
