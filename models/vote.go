package models

import (
	"context"
	"math"
)

type vote struct {
	CommentID int64 `gorm:"primaryKey"`
	UserID    int64 `gorm:"primaryKey"`
	Value     int
	CreatedAt Timestamp `gorm:"autoCreateTime:false"`
}

// Vote sets the actor's vote on a comment: 1, -1, or 0 to take it back. Doing
// it twice counts once.
func (s *Store) Vote(ctx context.Context, actor Actor, id int64, value int) (Comment, error) {
	if value < -1 || value > 1 {
		return Comment{}, &Error{Kind: Invalid, Message: "Please correct the field below.", Fields: []FieldError{{"value", "must be 1 or -1"}}}
	}
	may := func(c *Comment, now Timestamp) error { return actor.CanVote(c, c.Article, now) }
	return s.changeComment(ctx, actor, id, may, func(t *tx, c *Comment) error {
		var old int
		if err := t.Raw("SELECT coalesce(max(value), 0) FROM votes WHERE comment_id = ? AND user_id = ?", id, actor.UserID).Scan(&old).Error; err != nil {
			return err
		}
		if old == value {
			return nil
		}
		if err := t.Exec("DELETE FROM votes WHERE comment_id = ? AND user_id = ?", id, actor.UserID).Error; err != nil {
			return err
		}
		if value != 0 {
			if err := t.Create(&vote{id, actor.UserID, value, t.now}).Error; err != nil {
				return err
			}
		}
		c.Up += int64(count(value == 1) - count(old == 1))
		c.Down += int64(count(value == -1) - count(old == -1))
		return t.saveVotes(c)
	})
}

// saveVotes writes a comment's counts and the rank that follows from them.
func (t *tx) saveVotes(c *Comment) error {
	c.Rank = wilson(c.Up, c.Down)
	if err := t.Model(&Comment{}).Where("id = ?", c.ID).Updates(map[string]any{"up": c.Up, "down": c.Down, "rank": c.Rank}).Error; err != nil {
		return err
	}
	if err := t.Exec("UPDATE threads SET version = version + 1 WHERE id = ?", c.ThreadID).Error; err != nil {
		return err
	}
	return t.emit(Event{Kind: "comment.voted", CommentID: &c.ID, ThreadID: &c.ThreadID})
}

// wilson is the lower bound of the 95 % confidence interval for the share of
// upvotes (Wilson 1927): few votes count for little, whichever way they go.
func wilson(up, down int64) float64 {
	n := float64(up + down)
	if n == 0 {
		return 0
	}
	if up == 0 {
		return -wilson(down, 0) // below what nobody voted on
	}
	const z = 1.959964
	p := float64(up) / n
	return (p + z*z/(2*n) - z*math.Sqrt((p*(1-p)+z*z/(4*n))/n)) / (1 + z*z/n)
}

// addVotes sets MyVote of comments to the actor's votes.
func (s *Store) addVotes(ctx context.Context, actor Actor, comments []*Comment) error {
	if !actor.IsSignedIn() || len(comments) == 0 {
		return nil
	}
	var votes []vote
	err := s.read(ctx).Where("user_id = ? AND comment_id IN ?", actor.UserID, ids(comments, func(c *Comment) int64 { return c.ID })).Find(&votes).Error
	byComment := map[int64]int{}
	for _, v := range votes {
		byComment[v.CommentID] = v.Value
	}
	for _, c := range comments {
		c.MyVote = byComment[c.ID]
	}
	return err
}
