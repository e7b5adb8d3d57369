package models_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"postil/models"
	"postil/models/modelstest"
)

// oracle is what a discussion must look like, kept in the plainest way.
type oracle struct {
	comments map[int64]*oracleComment
	order    []int64
}

type oracleComment struct {
	parent int64
	author int64
	state  models.CommentState
	votes  map[int64]int
	open   map[int64]bool // who has an open report
}

// shown is the rule itself: approved, or something below it is shown.
func (o *oracle) shown(id int64) bool {
	return o.comments[id].state == models.Approved || o.shownReplies(id) > 0
}

func (o *oracle) shownReplies(id int64) (n int64) {
	for _, r := range o.order {
		if o.comments[r].parent == id && o.shown(r) {
			n++
		}
	}
	return n
}

// discussionMachine does random things to a discussion and keeps the oracle.
type discussionMachine struct {
	*modelstest.Fixture
	art       models.Article
	author    models.Actor
	readers   []models.Actor
	mona      models.Actor
	decisions []models.Decision
	before    map[int64]map[int64]oracleComment // what a decision changed
	oracle    oracle
}

func (m *discussionMachine) anyComment(t *rapid.T) int64 {
	if len(m.oracle.order) == 0 {
		t.Skip("no comments")
	}
	return rapid.SampledFrom(m.oracle.order).Draw(t, "comment")
}

func (m *discussionMachine) reader(t *rapid.T) models.Actor {
	return rapid.SampledFrom(m.readers).Draw(t, "reader")
}

func (m *discussionMachine) Comment(t *rapid.T) {
	parent := int64(0)
	if len(m.oracle.order) > 0 && rapid.IntRange(0, 3).Draw(t, "is reply") > 0 {
		parent = m.anyComment(t)
	}
	who := m.reader(t)
	c, err := m.CreateComment(ctx, who, m.art.Slug, models.CommentInput{Body: "words", ParentID: parent})
	if possible := parent == 0 || m.oracle.comments[parent].state == models.Approved; possible != (err == nil) {
		t.Fatalf("a reply to %d: %v", parent, err)
	}
	if err == nil {
		m.oracle.order = append(m.oracle.order, c.ID)
		m.oracle.comments[c.ID] = &oracleComment{parent: parent, author: who.UserID, state: c.State, votes: map[int64]int{}, open: map[int64]bool{}}
	}
}

func (m *discussionMachine) Decide(t *rapid.T) {
	kind := rapid.SampledFrom([]models.DecisionKind{models.Approve, models.Approve, models.Reject, models.MarkSpam}).Draw(t, "kind")
	ids := []int64{m.anyComment(t)}
	for range rapid.IntRange(0, 3).Draw(t, "more") {
		ids = append(ids, m.anyComment(t))
	}
	d, err := m.Store.Decide(ctx, m.mona, models.DecisionInput{CommentIDs: ids, Kind: kind, Reason: "r"})
	possible := !slices.ContainsFunc(ids, func(id int64) bool { return m.oracle.comments[id].state == models.DeletedComment })
	if possible != (err == nil) {
		t.Fatalf("decide %v: %v", ids, err)
	}
	if err != nil {
		return
	}
	m.decisions = append(m.decisions, d)
	m.before[d.ID] = map[int64]oracleComment{}
	for _, i := range d.Items {
		c := m.oracle.comments[i.CommentID]
		m.before[d.ID][i.CommentID] = *c
		c.state, c.open = i.StateAfter, map[int64]bool{}
	}
}

func (m *discussionMachine) Undo(t *rapid.T) {
	if len(m.decisions) == 0 {
		t.Skip("no decisions")
	}
	d := rapid.SampledFrom(m.decisions[max(0, len(m.decisions)-4):]).Draw(t, "decision")
	if _, err := m.UndoDecision(ctx, m.mona, d.ID); err != nil {
		if models.KindOf(err) != models.Conflict {
			t.Fatal(err)
		}
		return
	}
	for id, was := range m.before[d.ID] {
		c := m.oracle.comments[id]
		c.state = was.state
		for who := range was.open {
			c.open[who] = true
		}
	}
}

func (m *discussionMachine) Delete(t *rapid.T) {
	id := m.anyComment(t)
	c := m.oracle.comments[id]
	_, err := m.DeleteComment(ctx, models.Actor{UserID: c.author, Role: models.Reader}, id)
	if possible := c.state == models.Approved || c.state == models.Pending; possible != (err == nil) {
		t.Fatalf("delete %d, %s: %v", id, c.state, err)
	}
	if err == nil {
		c.state, c.open = models.DeletedComment, map[int64]bool{}
	}
}

func (m *discussionMachine) Edit(t *rapid.T) {
	id := m.anyComment(t)
	c := m.oracle.comments[id]
	edited, err := m.EditComment(ctx, models.Actor{UserID: c.author, Role: models.Reader}, id, fmt.Sprint("words ", rapid.IntRange(0, 2).Draw(t, "words")))
	if err == nil {
		c.state = edited.State
	}
}

func (m *discussionMachine) Vote(t *rapid.T) {
	id, who, value := m.anyComment(t), m.reader(t), rapid.IntRange(-1, 1).Draw(t, "value")
	_, err := m.Store.Vote(ctx, who, id, value)
	c := m.oracle.comments[id]
	if possible := c.state == models.Approved && c.author != who.UserID; possible != (err == nil) {
		t.Fatalf("vote on %d, %s: %v", id, c.state, err)
	}
	if err == nil {
		c.votes[who.UserID] = value
	}
}

func (m *discussionMachine) Report(t *rapid.T) {
	id, who := m.anyComment(t), m.reader(t)
	// One that was answered stays so; TestAnsweredReportStaysAnswered says when.
	if report, err := m.Store.Report(ctx, who, id, models.ReportInput{Reason: "spam"}); err == nil && report.SettledBy == nil {
		m.oracle.comments[id].open[who.UserID] = true
	}
}

func (m *discussionMachine) ChangePolicy(t *rapid.T) {
	policy := rapid.SampledFrom([]models.CommentPolicy{models.PolicyOpen, models.PolicyPremoderated, models.PolicyFirstComment}).Draw(t, "policy")
	if _, err := m.UpdateArticle(ctx, m.author, m.art.Slug, 0, models.ArticleChange{CommentPolicy: &policy}); err != nil {
		t.Fatal(err)
	}
}

func (m *discussionMachine) Wait(t *rapid.T) {
	m.Clock.Advance(time.Duration(rapid.IntRange(1, 20).Draw(t, "minutes")) * time.Minute)
}

// Check compares the store with the oracle and with itself.
func (m *discussionMachine) Check(t *rapid.T) {
	found, err := m.Store.Check(ctx)
	if err != nil || len(found) > 0 {
		t.Fatalf("check: %v, %v", found, err)
	}
	var rows []models.Comment
	if err := m.Reads().Where("thread_id = ?", m.art.ThreadID).Order("id").Find(&rows).Error; err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(m.oracle.order) {
		t.Fatalf("%d comments, want %d", len(rows), len(m.oracle.order))
	}
	approved, standing := int64(0), map[int64][2]int64{}
	for i, c := range rows {
		want := m.oracle.comments[m.oracle.order[i]]
		var up, down int64
		for _, v := range want.votes {
			up, down = up+int64(max(v, 0)), down+int64(max(-v, 0))
		}
		got := fmt.Sprint(c.ID, c.State, c.Shown == 1, c.ShownReplies, c.Up, c.Down, c.OpenReports, c.QueuedAt != 0)
		expected := fmt.Sprint(m.oracle.order[i], want.state, m.oracle.shown(c.ID), m.oracle.shownReplies(c.ID), up, down, int64(len(want.open)), want.state == models.Pending || len(want.open) > 0)
		if got != expected {
			t.Fatalf("comment is %s, want %s", got, expected)
		}
		s := standing[c.AuthorID]
		switch c.State {
		case models.Approved:
			approved++
			s[0]++
		case models.Rejected, models.Spam:
			s[1]++
		}
		standing[c.AuthorID] = s
	}
	var thread models.Thread
	if err := m.Reads().First(&thread, "id = ?", m.art.ThreadID).Error; err != nil || thread.CommentCount != approved {
		t.Fatalf("%d comments are counted, want %d (%v)", thread.CommentCount, approved, err)
	}
	for _, r := range m.readers {
		var user models.User
		if err := m.Reads().First(&user, "id = ?", r.UserID).Error; err != nil || [2]int64{user.ApprovedCount, user.RejectedCount} != standing[r.UserID] {
			t.Fatalf("%s stands at %d and %d, want %v (%v)", r.Username, user.ApprovedCount, user.RejectedCount, standing[r.UserID], err)
		}
	}
}

// Whatever is done in whatever order, all that is kept beside the comments
// agrees with the comments.
func TestDiscussionStaysConsistent(t *testing.T) {
	fx := modelstest.New(t)
	author, mona := fx.User(models.Author, "anna"), fx.User(models.Moderator, "mona")
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		m := &discussionMachine{Fixture: fx, author: author, mona: mona, art: fx.Article(author), before: map[int64]map[int64]oracleComment{}, oracle: oracle{comments: map[int64]*oracleComment{}}}
		for i := range 3 {
			m.readers = append(m.readers, fx.User(models.Reader, fmt.Sprintf("reader-%d-%d", run, i)))
		}
		t.Repeat(rapid.StateMachineActions(m))
	})
}
