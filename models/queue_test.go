package models_test

import (
	"strings"
	"testing"

	"postil/models"
	"postil/models/modelstest"
)

func TestQueue(t *testing.T) {
	b := newBench(t, models.PolicyPremoderated)
	var made []models.Comment
	for _, body := range []string{"waits", "approved", "rejected", "spam", "reported", "deleted", "waits below"} {
		parent := int64(0)
		if body == "waits below" {
			parent = made[1].ID
		}
		made = append(made, b.Comment(b.rita, b.art.Slug, body, parent))
		switch body {
		case "approved", "reported":
			b.Approve(b.mona, made[len(made)-1].ID)
		case "rejected":
			b.Decide(b.mona, models.Reject, "no", made[2].ID)
		case "spam":
			b.Decide(b.mona, models.MarkSpam, "", made[3].ID)
		}
	}
	_, err := b.DeleteComment(ctx, b.rita, made[5].ID)
	ok(t, err)
	b.report(t, b.otto, made[4].ID, "abuse")
	b.report(t, b.mona, made[4].ID, "off_topic")
	gone := b.Article(b.root, modelstest.Policy(models.PolicyPremoderated))
	b.Comment(b.rita, gone.Slug, "on a deleted article", 0)
	ok(t, b.DeleteArticle(ctx, b.root, gone.Slug, 0))

	for state, want := range map[models.QueueState]string{"": "waits, waits below", models.QueuePending: "waits, waits below", models.QueueReported: "reported", models.QueueSpam: "spam", models.QueueRejected: "rejected"} {
		var got []string
		page := models.Page{Limit: 1}
		for {
			items, next, err := b.Queue(ctx, b.mona, state, page)
			ok(t, err)
			for _, i := range items {
				got = append(got, i.Comment.Body)
				if i.Comment.Author.Username != "rita" || i.Comment.Article.Slug != b.art.Slug {
					t.Errorf("%s comes without its author or article: %+v", i.Comment.Body, i)
				}
				equal(t, i.Comment.Body+" is by somebody with", []int64{i.Comment.Author.ApprovedCount, i.Comment.Author.RejectedCount}, []int64{2, 2})
				if (i.Parent != nil) != (i.Comment.Body == "waits below") {
					t.Errorf("%s answers %+v", i.Comment.Body, i.Parent)
				}
			}
			if page.Cursor = next; next == "" {
				break
			}
		}
		equal(t, "queue "+string(state), strings.Join(got, ", "), want)
	}
	counts, err := b.QueueCounts(ctx, b.mona, 100)
	ok(t, err)
	equal(t, "counts", counts, map[models.QueueState]int64{models.QueuePending: 2, models.QueueReported: 1, models.QueueSpam: 1, models.QueueRejected: 1})
	counts, err = b.QueueCounts(ctx, b.mona, 1)
	ok(t, err)
	equal(t, "counts up to 1", counts[models.QueuePending], int64(1))
	item, err := b.QueueItem(ctx, b.mona, made[4].ID)
	ok(t, err)
	var reports []string
	for _, r := range item.Reports {
		reports = append(reports, r.Reporter.Username+" "+r.Reason)
	}
	equal(t, "reports", reports, []string{"otto abuse", "mona off_topic"})
	_, _, err = b.Queue(ctx, b.mona, "lost", models.Page{})
	wantKind(t, err, models.Invalid)
	_, err = b.QueueItem(ctx, b.mona, 4711)
	wantKind(t, err, models.NotFound)
	for who, kind := range map[*models.Actor]models.Kind{&anonymous: models.Unauthorized, &b.rita: models.Forbidden} {
		_, _, err = b.Queue(ctx, *who, "", models.Page{})
		wantKind(t, err, kind)
		_, err = b.QueueItem(ctx, *who, made[0].ID)
		wantKind(t, err, kind)
		_, err = b.QueueCounts(ctx, *who, 10)
		wantKind(t, err, kind)
	}
}

func TestReports(t *testing.T) {
	b := newBench(t, models.PolicyOpen)
	c := b.Comment(b.rita, b.art.Slug, "words", 0)
	for name, try := range map[string]struct {
		who  models.Actor
		in   models.ReportInput
		kind models.Kind
	}{
		"one's own": {b.rita, models.ReportInput{Reason: "spam"}, models.Forbidden}, "anonymous": {anonymous, models.ReportInput{Reason: "spam"}, models.Unauthorized},
		"no reason": {b.otto, models.ReportInput{}, models.Invalid}, "long note": {b.otto, models.ReportInput{Reason: "other", Note: strings.Repeat("x", models.MaxNote+1)}, models.Invalid},
	} {
		_, err := b.Report(ctx, try.who, c.ID, try.in)
		if err == nil || models.KindOf(err) != try.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
	last := lastEvent(t, b.Fixture)
	errs := parallel(20, func(int) error {
		_, err := b.Report(ctx, b.otto, c.ID, models.ReportInput{Reason: "spam", Note: "It sells pills."})
		return err
	})
	equal(t, "reports taken", succeeded(errs), 20)
	equal(t, "rows", rowsOf(t, b.Fixture, "reports"), int64(1))
	equal(t, "counted", b.Reload(c.ID).OpenReports, int64(1))
	equal(t, "first event", eventsAfter(t, b.Fixture, last)[0], "comment.reported")
	since := b.Reload(c.ID).QueuedAt
	if since == 0 {
		t.Error("a reported comment does not know since when it waits")
	}
	b.report(t, b.mona, c.ID, "abuse")
	equal(t, "counted", b.Reload(c.ID).OpenReports, int64(2))
	b.Approve(b.mona, c.ID) // it stays
	equal(t, "settled", []int64{b.Reload(c.ID).OpenReports, rowsOf(t, b.Fixture, "reports WHERE settled_by IS NOT NULL")}, []int64{0, 2})
	b.report(t, b.otto, c.ID, "abuse") // he insists, and nothing is new
	equal(t, "open again", []int64{b.Reload(c.ID).OpenReports, rowsOf(t, b.Fixture, "reports")}, []int64{0, 2})
	_, err := b.Report(ctx, b.otto, 4711, models.ReportInput{Reason: "spam"})
	wantKind(t, err, models.NotFound)
}
