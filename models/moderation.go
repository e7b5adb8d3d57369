package models

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gorm.io/gorm"
)

// DecisionKind is what a moderator decided.
type DecisionKind string

// Undo is a decision too: nothing in the log is ever changed.
const (
	Approve  DecisionKind = "approve"
	Reject   DecisionKind = "reject"
	MarkSpam DecisionKind = "spam"
	Undo     DecisionKind = "undo"
)

var stateAfter = map[DecisionKind]CommentState{Approve: Approved, Reject: Rejected, MarkSpam: Spam}

// Decision is what a moderator decided about one or many comments.
type Decision struct {
	ID        int64
	Kind      DecisionKind
	Reason    string
	ActorID   *int64
	UndoesID  *int64
	CreatedAt Timestamp `gorm:"autoCreateTime:false"`

	Actor    User           `gorm:"-"`
	Items    []DecisionItem `gorm:"-"`
	UndoneBy *int64         `gorm:"-"`
}

// DecisionItem is what a decision did to one comment.
type DecisionItem struct {
	DecisionID   int64 `gorm:"primaryKey"`
	CommentID    int64 `gorm:"primaryKey"`
	StateBefore  CommentState
	StateAfter   CommentState
	ReasonBefore string
	ReasonAfter  string
	HeldBefore   string    // Comment.HeldWhy
	QueuedBefore Timestamp // Comment.QueuedAt

	Comment *Comment `gorm:"-"` // for the log; without votes
}

// DecisionInput decides about comments. The reason is told to their authors.
type DecisionInput struct {
	CommentIDs []int64
	Kind       DecisionKind
	Reason     string
}

// Decide decides about all the comments or, if that fails for one, about none.
func (s *Store) Decide(ctx context.Context, actor Actor, in DecisionInput) (Decision, error) {
	if err := actor.CanModerate(); err != nil {
		return Decision{}, err
	}
	var p problems
	in.Reason = line(&p, "reason", in.Reason, 0, MaxReason)
	if _, known := stateAfter[in.Kind]; !known {
		p = append(p, notIn("decision", string(in.Kind), "approve", "reject", "spam"))
	}
	in.CommentIDs = slices.Compact(slices.Sorted(slices.Values(in.CommentIDs)))
	switch n := len(in.CommentIDs); {
	case n == 0:
		p.add("comment_ids", "must name at least one comment")
	case n > MaxBulk:
		p.add("comment_ids", "may name at most %d comments; there are %d", MaxBulk, n)
	}
	if err := p.err(); err != nil {
		return Decision{}, err
	}
	decision := Decision{Kind: in.Kind, Reason: in.Reason, ActorID: actor.id()}
	err := s.write(ctx, actor, func(t *tx) error {
		if err := t.addDecision(&decision); err != nil {
			return err
		}
		for _, id := range in.CommentIDs {
			c, err := loadComment(t.DB, id)
			if KindOf(err) == NotFound && err != nil {
				return &Error{Kind: NotFound, Message: fmt.Sprintf("There is no comment %d. Nothing was decided.", id), Fields: []FieldError{{"comment_ids", fmt.Sprintf("%d does not exist", id)}}}
			}
			if err != nil {
				return err
			}
			if err := t.decide(&decision, &c); err != nil {
				return err
			}
		}
		return t.emit(Event{Kind: "moderation.decided"})
	})
	if err != nil {
		return Decision{}, err
	}
	return s.decision(ctx, decision.ID)
}

func (t *tx) addDecision(d *Decision) error {
	d.CreatedAt = t.now
	if err := t.Create(d).Error; err != nil {
		return fmt.Errorf("record decision: %w", err)
	}
	return nil
}

func (t *tx) decide(d *Decision, c *Comment) error {
	if err := t.actor.CanDecide(c); err != nil {
		return err
	}
	after, reason := stateAfter[d.Kind], d.Reason
	if after == Approved {
		reason = ""
	}
	if err := t.settleReports(c, &d.ID); err != nil {
		return err
	}
	return t.record(d, c, after, reason)
}

// record moves a comment as a decision says and writes down what was before.
func (t *tx) record(d *Decision, c *Comment, after CommentState, reason string) error {
	item := DecisionItem{DecisionID: d.ID, CommentID: c.ID, StateBefore: c.State, StateAfter: after, ReasonBefore: c.Reason, ReasonAfter: reason,
		HeldBefore: c.HeldWhy, QueuedBefore: c.QueuedAt}
	if err := t.setState(c, after, reason); err != nil {
		return err
	}
	if err := t.Create(&item).Error; err != nil {
		return err
	}
	return t.emit(Event{Kind: "comment." + string(after), CommentID: &c.ID, ThreadID: &c.ThreadID})
}

// UndoDecision puts every comment of a decision back to how it was and opens
// the reports it had settled. It refuses if one of them changed since.
func (s *Store) UndoDecision(ctx context.Context, actor Actor, id int64) (Decision, error) {
	if err := actor.CanModerate(); err != nil {
		return Decision{}, err
	}
	undo := Decision{Kind: Undo, ActorID: actor.id(), UndoesID: &id}
	err := s.write(ctx, actor, func(t *tx) error {
		old, err := first[Decision](t.DB, "id = ?", id)
		if err != nil {
			return err
		}
		if old.Kind == Undo {
			return failf(Conflict, "An undo cannot be undone. Decide again instead.")
		}
		if err := t.addDecision(&undo); err != nil {
			if errors.Is(err, gorm.ErrDuplicatedKey) {
				return failf(Conflict, "This decision was undone already.")
			}
			return err
		}
		var items []DecisionItem
		if err := t.Where("decision_id = ?", id).Order("comment_id").Find(&items).Error; err != nil {
			return err
		}
		for _, item := range items {
			if err := t.undo(&undo, item); err != nil {
				return err
			}
		}
		return t.emit(Event{Kind: "moderation.undone"})
	})
	if err != nil {
		return Decision{}, err
	}
	return s.decision(ctx, undo.ID)
}

func (t *tx) undo(undo *Decision, item DecisionItem) error {
	c, err := loadComment(t.DB, item.CommentID)
	if err != nil {
		return err
	}
	if err := t.actor.CanDecide(&c); err != nil {
		return err
	}
	latest, err := first[DecisionItem](t.DB.Order("decision_id DESC"), "comment_id = ?", c.ID)
	if err != nil {
		return err
	}
	if c.State != item.StateAfter || latest.DecisionID != item.DecisionID {
		return failf(Conflict, "Comment %d has changed since that decision. Decide about it anew.", c.ID)
	}
	c.HeldWhy, c.QueuedAt = item.HeldBefore, item.QueuedBefore
	if err := t.record(undo, &c, item.StateBefore, item.ReasonBefore); err != nil {
		return err
	}
	c.QueuedAt = item.QueuedBefore // of its reports, when it does not wait
	if err := t.Exec("UPDATE reports SET settled_by = NULL WHERE settled_by = ? AND comment_id = ?", item.DecisionID, c.ID).Error; err != nil {
		return err
	}
	return t.recountReports(&c)
}

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

// Log lists decisions, newest first.
func (s *Store) Log(ctx context.Context, actor Actor, page Page) ([]Decision, string, error) {
	if err := actor.CanModerate(); err != nil {
		return nil, "", err
	}
	after, err := decodeCursor(page.Cursor, "log", 1)
	if err != nil {
		return nil, "", err
	}
	limit := pageSize(page.Limit)
	query := s.read(ctx).Order("id DESC").Limit(limit + 1)
	if after != nil {
		query = query.Where("id < ?", after[0])
	}
	var rows []Decision
	if err := query.Find(&rows).Error; err != nil {
		return nil, "", err
	}
	rows, next := cut(rows, limit, func(d Decision) string { return encodeCursor("log", d.ID) })
	return rows, next, s.completeDecisions(ctx, rows)
}

// LastDecision is the actor's latest decision that is not undone, if it is
// recent enough to be offered for undoing.
func (s *Store) LastDecision(ctx context.Context, actor Actor) (*Decision, error) {
	if err := actor.CanModerate(); err != nil {
		return nil, err
	}
	d, err := first[Decision](s.read(ctx).Order("id DESC"), "actor_id = ?", actor.UserID)
	if KindOf(err) == NotFound && err != nil || err == nil && d.Kind == Undo {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows := []Decision{d}
	if err := s.completeDecisions(ctx, rows); err != nil || rows[0].UndoneBy != nil {
		return nil, err
	}
	return &rows[0], nil
}

func (s *Store) decision(ctx context.Context, id int64) (Decision, error) {
	d, err := first[Decision](s.read(ctx), "id = ?", id)
	if err != nil {
		return Decision{}, err
	}
	rows := []Decision{d}
	err = s.completeDecisions(ctx, rows)
	return rows[0], err
}

// completeDecisions adds who decided, what was done to which comment, and what
// undid it.
func (s *Store) completeDecisions(ctx context.Context, rows []Decision) error {
	if len(rows) == 0 {
		return nil
	}
	db := s.read(ctx)
	decided := ids(rows, func(d Decision) int64 { return d.ID })
	var items []DecisionItem
	if err := db.Where("decision_id IN ?", decided).Order("decision_id, comment_id").Find(&items).Error; err != nil {
		return err
	}
	var comments []*Comment
	if err := db.Omit("html").Where("id IN ?", ids(items, func(i DecisionItem) int64 { return i.CommentID })).Find(&comments).Error; err != nil {
		return err
	}
	if err := addArticles(db, comments); err != nil {
		return err
	}
	var undos []Decision
	if err := db.Where("undoes_id IN ?", decided).Find(&undos).Error; err != nil {
		return err
	}
	actors, err := usersByID(db, ids(rows, func(d Decision) int64 {
		if d.ActorID == nil {
			return 0
		}
		return *d.ActorID
	}))
	if err != nil {
		return err
	}
	for i := range rows {
		d := &rows[i]
		if d.ActorID != nil {
			d.Actor = actors[*d.ActorID]
		}
		for _, item := range items {
			if item.DecisionID == d.ID {
				at := slices.IndexFunc(comments, func(c *Comment) bool { return c.ID == item.CommentID })
				if at >= 0 {
					item.Comment = comments[at]
				}
				d.Items = append(d.Items, item)
			}
		}
		for _, u := range undos {
			if *u.UndoesID == d.ID {
				d.UndoneBy = &u.ID
			}
		}
	}
	return nil
}
