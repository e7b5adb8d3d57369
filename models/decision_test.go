package models_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"postil/models"
	"postil/models/modelstest"
)

// bench is an article with a moderator and readers.
type bench struct {
	*modelstest.Fixture
	art                    models.Article
	rita, otto, mona, root models.Actor
}

func newBench(t *testing.T, policy models.CommentPolicy) bench {
	t.Helper()
	fx := modelstest.New(t)
	b := bench{Fixture: fx, rita: fx.User(models.Reader, "rita"), otto: fx.User(models.Reader, "otto"), mona: fx.User(models.Moderator, "mona"), root: fx.User(models.Admin, "root")}
	b.art = fx.Article(fx.User(models.Author, "anna"), modelstest.Policy(policy))
	return b
}

func (b bench) report(t *testing.T, who models.Actor, id int64, reason string) {
	t.Helper()
	_, err := b.Report(ctx, who, id, models.ReportInput{Reason: reason})
	ok(t, err)
}

func TestBulkDecisionIsAllOrNothing(t *testing.T) {
	b := newBench(t, models.PolicyPremoderated)
	one, two := b.Comment(b.rita, b.art.Slug, "one", 0), b.Comment(b.otto, b.art.Slug, "two", 0)
	gone := b.Comment(b.rita, b.art.Slug, "gone", 0)
	_, err := b.DeleteComment(ctx, b.rita, gone.ID)
	ok(t, err)
	own, admins := b.Comment(b.mona, b.art.Slug, "own", 0), b.Comment(b.root, b.art.Slug, "admin's", 0)
	last := lastEvent(t, b.Fixture)
	for _, c := range []struct {
		name string
		id   int64
		kind models.Kind
	}{{"one that does not exist", 4711, models.NotFound}, {"a deleted one", gone.ID, models.Conflict}, {"her own", own.ID, models.Forbidden}, {"an admin's", admins.ID, models.Forbidden}} {
		_, err := b.Store.Decide(ctx, b.mona, models.DecisionInput{CommentIDs: []int64{one.ID, two.ID, c.id}, Kind: models.Approve})
		if err == nil || models.KindOf(err) != c.kind {
			t.Errorf("with %s: %v", c.name, err)
		}
		equal(t, "states with "+c.name, []models.CommentState{b.Reload(one.ID).State, b.Reload(two.ID).State}, []models.CommentState{models.Pending, models.Pending})
	}
	equal(t, "decisions", rowsOf(t, b.Fixture, "decisions"), int64(0))
	equal(t, "last event", lastEvent(t, b.Fixture), last)

	asked := []int64{two.ID, one.ID, two.ID}
	d := b.Decide(b.mona, models.Approve, "", asked...)
	equal(t, "what was asked stays as it was", asked, []int64{two.ID, one.ID, two.ID})
	equal(t, "items", len(d.Items), 2)
	equal(t, "by", d.Actor.Username, "mona")
	equal(t, "events", eventsAfter(t, b.Fixture, last), []string{"comment.approved", "comment.approved", "moderation.decided"})
	equal(t, "states", []models.CommentState{b.Reload(one.ID).State, b.Reload(two.ID).State}, []models.CommentState{models.Approved, models.Approved})
}

func TestDecisionInput(t *testing.T) {
	b := newBench(t, models.PolicyPremoderated)
	c := b.Comment(b.rita, b.art.Slug, "one", 0)
	many := make([]int64, models.MaxBulk+1)
	for i := range many {
		many[i] = int64(i + 1)
	}
	for field, in := range map[string]models.DecisionInput{
		"comment_ids": {Kind: models.Approve},
		"decision":    {CommentIDs: []int64{c.ID}, Kind: models.Undo},
		"reason":      {CommentIDs: []int64{c.ID}, Kind: models.Reject, Reason: "\x00"},
	} {
		_, err := b.Store.Decide(ctx, b.mona, in)
		wantKind(t, err, models.Invalid)
		wantField(t, err, field)
	}
	_, err := b.Store.Decide(ctx, b.mona, models.DecisionInput{CommentIDs: many, Kind: models.Approve})
	wantKind(t, err, models.Invalid)
	for who, kind := range map[*models.Actor]models.Kind{&anonymous: models.Unauthorized, &b.rita: models.Forbidden} {
		_, err := b.Store.Decide(ctx, *who, models.DecisionInput{CommentIDs: []int64{c.ID}, Kind: models.Approve})
		wantKind(t, err, kind)
		_, err = b.UndoDecision(ctx, *who, 1)
		wantKind(t, err, kind)
		_, _, err = b.Log(ctx, *who, models.Page{})
		wantKind(t, err, kind)
		_, err = b.LastDecision(ctx, *who)
		wantKind(t, err, kind)
	}
}

// Undoing puts back the comment exactly, whatever state it was in, with its
// reason, its place in the queue and its reports.
func TestUndoIsExact(t *testing.T) {
	for _, kind := range []models.DecisionKind{models.Approve, models.Reject, models.MarkSpam} {
		for name, prepare := range map[string]func(*testing.T, bench) models.Comment{
			"held": func(t *testing.T, b bench) models.Comment { return b.Comment(b.rita, b.art.Slug, "held", 0) },
			"edited": func(t *testing.T, b bench) models.Comment {
				c := b.Comment(b.rita, b.art.Slug, "before", 0)
				b.Approve(b.mona, c.ID)
				b.report(t, b.otto, c.ID, "abuse")
				_, err := b.EditComment(ctx, b.rita, c.ID, "after")
				ok(t, err)
				return c
			},
			"reported": func(t *testing.T, b bench) models.Comment {
				c := b.Comment(b.rita, b.art.Slug, "reported", 0)
				b.Approve(b.mona, c.ID)
				b.report(t, b.otto, c.ID, "abuse")
				b.report(t, b.mona, c.ID, "spam")
				return c
			},
			"refused": func(t *testing.T, b bench) models.Comment {
				c := b.Comment(b.rita, b.art.Slug, "refused", 0)
				b.Decide(b.mona, models.Reject, "too loud", c.ID)
				return c
			},
			"spam": func(t *testing.T, b bench) models.Comment {
				c := b.Comment(b.rita, b.art.Slug, "spam", 0)
				b.Decide(b.mona, models.MarkSpam, "pills", c.ID)
				return c
			},
		} {
			t.Run(string(kind)+" of "+name, func(t *testing.T) {
				b := newBench(t, models.PolicyPremoderated)
				c := prepare(t, b)
				before, thread := b.Reload(c.ID), threadOf(t, b.Fixture, b.art)
				var standing models.User
				ok(t, b.Reads().First(&standing, "id = ?", b.rita.UserID).Error)
				reports := rowsOf(t, b.Fixture, "reports WHERE settled_by IS NULL")

				b.Clock.Advance(time.Hour)
				d := b.Decide(b.mona, kind, "because", c.ID)
				equal(t, "open reports", rowsOf(t, b.Fixture, "reports WHERE settled_by IS NULL"), int64(0))
				equal(t, "reports counted", b.Reload(c.ID).OpenReports, int64(0))
				want := "because"
				if kind == models.Approve {
					want = ""
				}
				equal(t, "reason", b.Reload(c.ID).Reason, want)

				b.Clock.Advance(time.Hour)
				last := lastEvent(t, b.Fixture)
				undo, err := b.UndoDecision(ctx, b.root, d.ID)
				ok(t, err)
				equal(t, "undoes", *undo.UndoesID, d.ID)
				if diff := cmp.Diff(before, b.Reload(c.ID), cmpopts.IgnoreFields(models.Comment{}, "Author", "Article")); diff != "" {
					t.Errorf("the comment is not as it was (-was +is):\n%s", diff)
				}
				equal(t, "comments counted", threadOf(t, b.Fixture, b.art).CommentCount, thread.CommentCount)
				var now models.User
				ok(t, b.Reads().First(&now, "id = ?", b.rita.UserID).Error)
				equal(t, "standing", now, standing)
				equal(t, "open reports again", rowsOf(t, b.Fixture, "reports WHERE settled_by IS NULL"), reports)
				equal(t, "events", eventsAfter(t, b.Fixture, last), []string{"comment." + string(before.State), "moderation.undone"})
			})
		}
	}
}

func TestUndoIsRefused(t *testing.T) {
	b := newBench(t, models.PolicyPremoderated)
	c := b.Comment(b.rita, b.art.Slug, "words", 0)
	first := b.Approve(b.mona, c.ID)
	second := b.Decide(b.mona, models.Reject, "no", c.ID)
	_, err := b.UndoDecision(ctx, b.mona, first.ID)
	wantKind(t, err, models.Conflict) // it was decided about again
	undo, err := b.UndoDecision(ctx, b.mona, second.ID)
	ok(t, err)
	for name, id := range map[string]int64{"twice": second.ID, "an undo": undo.ID, "what was before an undo": first.ID} {
		_, err = b.UndoDecision(ctx, b.mona, id)
		if err == nil || models.KindOf(err) != models.Conflict {
			t.Errorf("undoing %s: %v", name, err)
		}
	}
	_, err = b.UndoDecision(ctx, b.mona, 4711)
	wantKind(t, err, models.NotFound)

	edited := b.Comment(b.rita, b.art.Slug, "edited", 0)
	d := b.Approve(b.mona, edited.ID)
	_, err = b.EditComment(ctx, b.rita, edited.ID, "and so held again")
	ok(t, err)
	_, err = b.UndoDecision(ctx, b.mona, d.ID)
	wantKind(t, err, models.Conflict)

	deleted := b.Comment(b.rita, b.art.Slug, "deleted", 0)
	other := b.Comment(b.otto, b.art.Slug, "beside it", 0)
	d = b.Approve(b.mona, deleted.ID, other.ID)
	_, err = b.DeleteComment(ctx, b.rita, deleted.ID)
	ok(t, err)
	_, err = b.UndoDecision(ctx, b.mona, d.ID)
	wantKind(t, err, models.Conflict)
	equal(t, "the comment beside it", b.Reload(other.ID).State, models.Approved)

	admins := b.Comment(b.root, b.art.Slug, "an admin's", 0)
	d = b.Decide(b.root, models.Reject, "mine", admins.ID)
	_, err = b.UndoDecision(ctx, b.mona, d.ID)
	wantKind(t, err, models.Forbidden)
}

// A report that came after a decision is not answered by undoing the decision.
func TestUndoKeepsLaterReports(t *testing.T) {
	b := newBench(t, models.PolicyPremoderated)
	c := b.Comment(b.rita, b.art.Slug, "words", 0)
	d := b.Approve(b.mona, c.ID)
	b.report(t, b.otto, c.ID, "abuse")
	_, err := b.UndoDecision(ctx, b.mona, d.ID)
	ok(t, err)
	equal(t, "open reports", rowsOf(t, b.Fixture, "reports WHERE settled_by IS NULL"), int64(1))
	equal(t, "reports counted", b.Reload(c.ID).OpenReports, int64(1))
}

func TestDecidersAtOnce(t *testing.T) {
	b := newBench(t, models.PolicyPremoderated)
	c := b.Comment(b.rita, b.art.Slug, "words", 0)
	errs := parallel(20, func(int) error {
		_, err := b.Store.Decide(ctx, b.mona, models.DecisionInput{CommentIDs: []int64{c.ID}, Kind: models.Approve})
		return err
	})
	equal(t, "decisions", succeeded(errs), 20)
	equal(t, "comments counted", threadOf(t, b.Fixture, b.art).CommentCount, int64(1))
	d, err := b.LastDecision(ctx, b.mona)
	ok(t, err)
	errs = parallel(20, func(int) error { _, err := b.UndoDecision(ctx, b.mona, d.ID); return err })
	equal(t, "undone", succeeded(errs), 1)
}

func TestLog(t *testing.T) {
	b := newBench(t, models.PolicyPremoderated)
	c, e := b.Comment(b.rita, b.art.Slug, "one", 0), b.Comment(b.otto, b.art.Slug, "two", 0)
	if d, err := b.LastDecision(ctx, b.mona); err != nil || d != nil {
		t.Errorf("before any decision: %+v, %v", d, err)
	}
	first := b.Decide(b.mona, models.Reject, "too loud", c.ID, e.ID)
	_, err := b.UndoDecision(ctx, b.mona, first.ID)
	ok(t, err)
	if d, err := b.LastDecision(ctx, b.mona); err != nil || d != nil {
		t.Errorf("after an undo: %+v, %v", d, err)
	}
	second := b.Decide(models.System(), models.Approve, "", c.ID)
	third := b.Approve(b.mona, e.ID)
	d, err := b.LastDecision(ctx, b.mona)
	if err != nil || d == nil || d.ID != third.ID {
		t.Errorf("last: %+v, %v", d, err)
	}
	var told []string
	page := models.Page{Limit: 3}
	for {
		list, next, err := b.Log(ctx, b.mona, page)
		ok(t, err)
		for _, d := range list {
			line := fmt.Sprintf("%s by %q because %q", d.Kind, d.Actor.Username, d.Reason)
			for _, i := range d.Items {
				line += fmt.Sprintf(", %s %s→%s", i.Comment.Body, i.StateBefore, i.StateAfter)
			}
			if d.UndoneBy != nil {
				line += " undone"
			}
			told = append(told, line)
		}
		if page.Cursor = next; next == "" {
			break
		}
	}
	equal(t, "log", told, []string{`approve by "mona" because "", two pending→approved`, `approve by "" because "", one pending→approved`,
		`undo by "mona" because "", one rejected→pending, two rejected→pending`, `reject by "mona" because "too loud", one pending→rejected, two pending→rejected undone`})
	_ = second
}

// Between reading and deciding its author may have put another text there.
func TestDecisionIsAboutWhatWasRead(t *testing.T) {
	fx := modelstest.New(t)
	rita, mona := fx.User(models.Reader, "rita"), fx.User(models.Moderator, "mona")
	art := fx.Article(fx.User(models.Author, "anna"), modelstest.Policy(models.PolicyPremoderated))
	c := fx.Comment(rita, art.Slug, "harmless", 0)
	read := models.At(fx.Clock.Now())
	fx.Clock.Advance(time.Second)
	_, err := fx.EditComment(ctx, rita, c.ID, "harmful")
	ok(t, err)
	in := models.DecisionInput{CommentIDs: []int64{c.ID}, Kind: models.Approve, AsOf: read}
	_, err = fx.Store.Decide(ctx, mona, in)
	wantKind(t, err, models.Conflict)
	equal(t, "state", fx.Reload(c.ID).State, models.Pending)
	in.AsOf = models.At(fx.Clock.Now())
	_, err = fx.Store.Decide(ctx, mona, in)
	ok(t, err)
	equal(t, "state", fx.Reload(c.ID).State, models.Approved)
}

// A report that was answered stays answered while the comment is as it was.
func TestAnsweredReportStaysAnswered(t *testing.T) {
	fx := modelstest.New(t)
	rita, sten, mona := fx.User(models.Reader, "rita"), fx.User(models.Reader, "sten"), fx.User(models.Moderator, "mona")
	art := fx.Article(fx.User(models.Author, "anna"))
	c := fx.Comment(rita, art.Slug, "words", 0)
	report := func() {
		t.Helper()
		fx.Clock.Advance(time.Second)
		_, err := fx.Report(ctx, sten, c.ID, models.ReportInput{Reason: "spam"})
		ok(t, err)
	}
	report()
	fx.Approve(mona, c.ID)
	report()
	equal(t, "open reports", fx.Reload(c.ID).OpenReports, int64(0))
	fx.Clock.Advance(time.Second)
	_, err := fx.EditComment(ctx, rita, c.ID, "other words")
	ok(t, err)
	report()
	equal(t, "open reports after an edit", fx.Reload(c.ID).OpenReports, int64(1))
}

// What nobody but its author ever read stays his when it is put away.
func TestArchivedDraftStaysPrivate(t *testing.T) {
	fx := modelstest.New(t)
	anna := fx.User(models.Author, "anna")
	archived, published := models.Archived, models.Published
	for _, once := range []bool{false, true} {
		art := fx.Article(anna, modelstest.State(models.Draft))
		if once {
			_, err := fx.UpdateArticle(ctx, anna, art.Slug, 0, models.ArticleChange{State: &published})
			ok(t, err)
		}
		_, err := fx.UpdateArticle(ctx, anna, art.Slug, 0, models.ArticleChange{State: &archived})
		ok(t, err)
		if _, err = fx.Store.Article(ctx, models.Actor{}, art.Slug); (err == nil) != once {
			t.Errorf("archived, public once %t: a stranger gets %v", once, err)
		}
		_, err = fx.Store.Article(ctx, anna, art.Slug)
		ok(t, err)
	}
}
