package models

import "context"

// Report is a reader's word to the moderators about a comment.
type Report struct {
	ID        int64
	CommentID int64
	UserID    int64
	Reason    string
	Note      string
	CreatedAt Timestamp `gorm:"autoCreateTime:false"`
	SettledBy *int64    // the decision that answered it; nil while open

	Reporter User `gorm:"-"`
}

// ReportReasons are the reasons that pages offer, with their words. Others may
// be given in a few words.
var ReportReasons = [][2]string{
	{"spam", "It is advertising or spam"},
	{"abuse", "It insults, threatens or harasses somebody"},
	{"personal_data", "It shows somebody’s personal data"},
	{"off_topic", "It has nothing to do with the article"},
	{"illegal", "It is illegal"},
	{"other", "Something else"},
}

// ReportInput reports a comment.
type ReportInput struct{ Reason, Note string }

// Report tells the moderators about a comment. A reader's second report on the
// same comment replaces the first; once a moderator has answered it, it stays
// answered unless the comment was edited since.
func (s *Store) Report(ctx context.Context, actor Actor, id int64, in ReportInput) (Report, error) {
	var p problems
	in.Reason = line(&p, "reason", in.Reason, 1, 100)
	in.Note = prose(&p, "note", in.Note, 0, MaxNote)
	var report Report
	may := func(c *Comment, now Timestamp) error {
		if err := actor.CanReport(c, c.Article, now); err != nil {
			return err
		}
		return p.err()
	}
	_, err := s.changeComment(ctx, actor, id, may, func(t *tx, c *Comment) error {
		old, err := first[Report](t.DB, "comment_id = ? AND user_id = ?", id, actor.UserID)
		if err != nil && KindOf(err) != NotFound {
			return err
		}
		if old.SettledBy != nil && c.EditedAt < old.CreatedAt {
			report = old // it was answered, and the comment is as it was
			return nil
		}
		report = Report{ID: old.ID, CommentID: id, UserID: actor.UserID, Reason: in.Reason, Note: in.Note, CreatedAt: t.now}
		if err := t.Save(&report).Error; err != nil {
			return err
		}
		if err := t.recountReports(c); err != nil {
			return err
		}
		return t.emit(Event{Kind: "comment.reported", CommentID: &c.ID, ThreadID: &c.ThreadID})
	})
	return report, err
}

func (t *tx) recountReports(c *Comment) error {
	if err := t.Raw("SELECT count(*) FROM reports WHERE comment_id = ? AND settled_by IS NULL", c.ID).Scan(&c.OpenReports).Error; err != nil {
		return err
	}
	if c.QueuedAt == 0 && c.OpenReports > 0 {
		c.QueuedAt = t.now
	}
	return t.Model(&Comment{}).Where("id = ?", c.ID).Updates(map[string]any{"open_reports": c.OpenReports, "queued_at": c.QueuedAt}).Error
}

// settleReports closes a comment's open reports as answered by a decision. With
// no decision, because its author deleted it, they are dropped from the queue.
func (t *tx) settleReports(c *Comment, decision *int64) error {
	if c.OpenReports == 0 {
		return nil
	}
	if decision != nil {
		if err := t.Exec("UPDATE reports SET settled_by = ? WHERE comment_id = ? AND settled_by IS NULL", *decision, c.ID).Error; err != nil {
			return err
		}
	}
	c.OpenReports = 0
	return t.Exec("UPDATE comments SET open_reports = 0 WHERE id = ?", c.ID).Error
}
