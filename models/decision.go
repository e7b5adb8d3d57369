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
	AsOf       Timestamp // when the moderator read them; 0: not said
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
			if KindOf(err) == NotFound {
				return &Error{Kind: NotFound, Message: fmt.Sprintf("There is no comment %d. Nothing was decided.", id), Fields: []FieldError{{"comment_ids", fmt.Sprintf("%d does not exist", id)}}}
			}
			if err != nil {
				return err
			}
			if in.AsOf != 0 && c.EditedAt > in.AsOf {
				return failf(Conflict, "Comment %d was edited after you read it. Read it again, then decide. Nothing was decided.", id)
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
// the reports it had settled. It
// refuses if one of them was decided about or deleted since.
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
		return failf(Conflict, "Comment %d was decided about or deleted since. Decide about it anew.", c.ID)
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
	if KindOf(err) == NotFound || err == nil && d.Kind == Undo {
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
