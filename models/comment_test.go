package models_test

import (
	"strings"
	"testing"
	"time"

	"postil/models"
	"postil/models/modelstest"
)

func TestFirstStateOfAComment(t *testing.T) {
	fx := modelstest.New(t)
	anna := fx.User(models.Author, "anna")
	actors := []models.Actor{fx.User(models.Reader, "newcomer"), fx.User(models.Reader, "regular"), fx.User(models.Author, "berta"), anna, fx.User(models.Moderator, "mona"), fx.User(models.Admin, "root")}
	open := fx.Article(anna)
	fx.Comment(actors[1], open.Slug, "approved before", 0)
	const ok, no = "approved ", "refused"
	for policy, want := range map[models.CommentPolicy][]string{
		models.PolicyOpen:         {ok, ok, ok, ok, ok, ok},
		models.PolicyPremoderated: {"pending premoderated", "pending premoderated", "pending premoderated", ok, ok, ok},
		models.PolicyFirstComment: {"pending first_comment", ok, "pending first_comment", ok, ok, ok},
		models.PolicyClosed:       {no, no, no, no, no, no},
	} {
		for i, who := range actors {
			if policy == models.PolicyOpen && i != 1 {
				continue // it would make regulars of them
			}
			art := fx.Article(anna, modelstest.Policy(policy))
			c, err := fx.CreateComment(ctx, who, art.Slug, models.CommentInput{Body: "words"})
			got := string(c.State) + " " + c.HeldWhy
			if err != nil {
				wantKind(t, err, models.Forbidden)
				got = no
			}
			equal(t, who.Username+" where it is "+string(policy), got, want[i])
			if err != nil {
				continue
			}
			stored := fx.Reload(c.ID)
			equal(t, "as stored", string(stored.State)+" "+stored.HeldWhy, want[i])
			equal(t, "in the queue since", stored.QueuedAt != 0, c.State == models.Pending)
			equal(t, "counted", threadOf(t, fx, art).CommentCount, int64(1-min(1, strings.Count(got, "pending"))))
		}
	}
}

func TestFirstCommentApprovedOnce(t *testing.T) {
	fx := modelstest.New(t)
	anna, rita, mona := fx.User(models.Author, "anna"), fx.User(models.Reader, "rita"), fx.User(models.Moderator, "mona")
	art := fx.Article(anna, modelstest.Policy(models.PolicyFirstComment))
	first := fx.Comment(rita, art.Slug, "first", 0)
	equal(t, "second while the first waits", fx.Comment(rita, art.Slug, "second", 0).State, models.Pending)
	fx.Approve(mona, first.ID)
	third := fx.Comment(rita, art.Slug, "third", 0)
	equal(t, "third", third.State, models.Approved)
	fx.Decide(mona, models.Reject, "no", first.ID, third.ID)
	equal(t, "after all were refused", fx.Comment(rita, art.Slug, "fourth", 0).State, models.Pending)
}

func TestCommentInput(t *testing.T) {
	fx := modelstest.New(t)
	rita := fx.User(models.Reader, "rita")
	anna := fx.User(models.Author, "anna")
	art, other, draft := fx.Article(anna), fx.Article(anna), fx.Article(anna, modelstest.State(models.Draft))
	elsewhere := fx.Comment(rita, other.Slug, "elsewhere", 0)
	gone := fx.Comment(rita, art.Slug, "gone", 0)
	_, err := fx.DeleteComment(ctx, rita, gone.ID)
	ok(t, err)
	for _, c := range []struct {
		name  string
		who   models.Actor
		slug  string
		in    models.CommentInput
		kind  models.Kind
		field string
	}{
		{"empty", rita, art.Slug, models.CommentInput{}, models.Invalid, "body"},
		{"nothing to see", rita, art.Slug, models.CommentInput{Body: " \n\u200b\u3164"}, models.Invalid, "body"},
		{"too long", rita, art.Slug, models.CommentInput{Body: strings.Repeat("x", 10_001)}, models.Invalid, "body"},
		{"NUL", rita, art.Slug, models.CommentInput{Body: "a\x00"}, models.Invalid, "body"},
		{"not UTF-8", rita, art.Slug, models.CommentInput{Body: "\xff"}, models.Invalid, "body"},
		{"costly", rita, art.Slug, models.CommentInput{Body: strings.Repeat("> ", 4000) + "x"}, models.Invalid, "body"},
		{"no such parent", rita, art.Slug, models.CommentInput{Body: "x", ParentID: 4711}, models.Invalid, "parent_id"},
		{"parent of another article", rita, art.Slug, models.CommentInput{Body: "x", ParentID: elsewhere.ID}, models.Invalid, "parent_id"},
		{"deleted parent", rita, art.Slug, models.CommentInput{Body: "x", ParentID: gone.ID}, models.Invalid, "parent_id"},
		{"negative parent", rita, art.Slug, models.CommentInput{Body: "x", ParentID: -1}, models.Invalid, "parent_id"},
		{"no such article", rita, "nowhere", models.CommentInput{Body: "x"}, models.NotFound, ""},
		{"a draft", rita, draft.Slug, models.CommentInput{Body: "x"}, models.NotFound, ""},
		{"anonymous", anonymous, art.Slug, models.CommentInput{Body: "x"}, models.Unauthorized, ""},
		{"anonymous on a draft", anonymous, draft.Slug, models.CommentInput{Body: "x"}, models.NotFound, ""},
		{"the operator", models.System(), art.Slug, models.CommentInput{Body: "x"}, models.Unauthorized, ""},
	} {
		_, err := fx.CreateComment(ctx, c.who, c.slug, c.in)
		if err == nil || models.KindOf(err) != c.kind {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if c.field != "" {
			wantField(t, err, c.field)
		}
	}
	equal(t, "comments", rowsOf(t, fx, "comments"), int64(2))
	html, err := fx.PreviewComment(ctx, "*so*\r\nit is")
	ok(t, err)
	c := fx.Comment(rita, art.Slug, "*so*\r\nit is", 0)
	equal(t, "preview", c.HTML, html)
	equal(t, "body", c.Body, "*so*\nit is")
}

func TestPlaceInTheTree(t *testing.T) {
	fx := modelstest.New(t)
	rita, otto, mona := fx.User(models.Reader, "rita"), fx.User(models.Reader, "otto"), fx.User(models.Moderator, "mona")
	art := fx.Article(fx.User(models.Author, "anna"))
	root := fx.Comment(rita, art.Slug, "root", 0)
	reply := fx.Comment(otto, art.Slug, "reply", root.ID)
	deep := fx.Comment(rita, art.Slug, "deep", reply.ID)
	sibling := fx.Comment(otto, art.Slug, "sibling", root.ID)
	second := fx.Comment(otto, art.Slug, "second", 0)
	for _, c := range []struct {
		c           models.Comment
		root        int64
		depth       int
		parent      *int64
		shownBelow  int64
		stateOfRoot models.CommentState
	}{
		{root, root.ID, 0, nil, 2, ""}, {reply, root.ID, 1, &root.ID, 1, ""}, {deep, root.ID, 2, &reply.ID, 0, ""}, {sibling, root.ID, 1, &root.ID, 0, ""}, {second, second.ID, 0, nil, 0, ""},
	} {
		got := fx.Reload(c.c.ID)
		equal(t, got.Body, []any{got.RootID, got.Depth, got.ParentID, got.ShownReplies}, []any{c.root, c.depth, c.parent, c.shownBelow})
	}
	fx.Decide(mona, models.Reject, "no", reply.ID)
	_, err := fx.CreateComment(ctx, rita, art.Slug, models.CommentInput{Body: "x", ParentID: reply.ID})
	wantKind(t, err, models.Invalid) // she sees the tombstone, but there is nothing to answer
	_, err = fx.CreateComment(ctx, otto, art.Slug, models.CommentInput{Body: "x", ParentID: reply.ID})
	wantKind(t, err, models.Conflict)
}

// A tombstone stands while something below it is shown, and no longer.
func TestTombstones(t *testing.T) {
	fx := modelstest.New(t)
	rita, otto, mona := fx.User(models.Reader, "rita"), fx.User(models.Reader, "otto"), fx.User(models.Moderator, "mona")
	art := fx.Article(fx.User(models.Author, "anna"))
	root := fx.Comment(rita, art.Slug, "root", 0)
	middle := fx.Comment(rita, art.Slug, "middle", root.ID)
	leaf := fx.Comment(otto, art.Slug, "leaf", middle.ID)
	shown := func() []int64 {
		d, err := fx.Discussion(ctx, anonymous, art.Slug, models.Oldest, models.Page{})
		ok(t, err)
		ids := []int64{}
		var walk func([]*models.Branch)
		walk = func(list []*models.Branch) {
			for _, b := range list {
				ids = append(ids, b.ID)
				walk(b.Replies)
			}
		}
		walk(d.Roots)
		return ids
	}
	for _, c := range []models.Comment{root, middle} {
		_, err := fx.DeleteComment(ctx, rita, c.ID)
		ok(t, err)
	}
	equal(t, "above a shown reply", shown(), []int64{root.ID, middle.ID, leaf.ID})
	equal(t, "count", threadOf(t, fx, art).CommentCount, int64(1))
	_, err := fx.Store.Comment(ctx, anonymous, middle.ID)
	ok(t, err)
	_, _, err = fx.CommentHistory(ctx, rita, middle.ID)
	wantKind(t, err, models.NotFound) // not even its author reads it again

	d := fx.Decide(mona, models.MarkSpam, "", leaf.ID)
	equal(t, "when the reply went", shown(), []int64{})
	_, err = fx.Store.Comment(ctx, anonymous, middle.ID)
	wantKind(t, err, models.NotFound)
	_, err = fx.UndoDecision(ctx, mona, d.ID)
	ok(t, err)
	equal(t, "when it came back", shown(), []int64{root.ID, middle.ID, leaf.ID})
	_, err = fx.DeleteComment(ctx, otto, leaf.ID)
	ok(t, err)
	equal(t, "when its author deleted it", shown(), []int64{})
}

func TestEditWindow(t *testing.T) {
	fx := modelstest.New(t, modelstest.EditWindow(10*time.Minute))
	rita, otto, mona := fx.User(models.Reader, "rita"), fx.User(models.Reader, "otto"), fx.User(models.Moderator, "mona")
	art := fx.Article(fx.User(models.Author, "anna"))
	c := fx.Comment(rita, art.Slug, "one", 0)
	edit := func(who models.Actor, body string) error {
		_, err := fx.EditComment(ctx, who, c.ID, body)
		return err
	}
	version := threadOf(t, fx, art).Version
	ok(t, edit(rita, "one")) // nothing changed
	equal(t, "history", rowsOf(t, fx, "comment_versions"), int64(0))
	fx.Clock.Advance(5 * time.Minute)
	ok(t, edit(rita, "two"))
	if threadOf(t, fx, art).Version == version {
		t.Error("the page was left as it was")
	}
	fx.Clock.Advance(5*time.Minute - time.Microsecond)
	ok(t, edit(rita, "*three*"))
	wantKind(t, edit(rita, ""), models.Invalid)
	wantKind(t, edit(otto, "x"), models.Forbidden)
	wantKind(t, edit(mona, "x"), models.Forbidden)
	wantKind(t, edit(anonymous, "x"), models.Unauthorized)
	fx.Clock.Advance(time.Microsecond)
	wantKind(t, edit(rita, "x"), models.Forbidden)

	now, versions, err := fx.CommentHistory(ctx, anonymous, c.ID)
	ok(t, err)
	equal(t, "text", []any{now.Body, now.HTML, now.EditedAt}, []any{"*three*", "<p dir=\"auto\"><em>three</em></p>\n", models.At(fx.Clock.Now().Add(-time.Microsecond))})
	var told []string
	for _, v := range versions {
		told = append(told, v.Body)
	}
	equal(t, "history", told, []string{"*three*", "two", "one"})
	equal(t, "first version's moment", versions[2].CreatedAt, models.At(modelstest.Start))
}

// Editing a comment answers no report.
func TestEditedWhileReported(t *testing.T) {
	b := newBench(t, models.PolicyOpen)
	c := b.Comment(b.rita, b.art.Slug, "bad words", 0)
	b.report(t, b.otto, c.ID, "abuse")
	before := b.Reload(c.ID)
	b.Clock.Advance(time.Minute)
	_, err := b.EditComment(ctx, b.rita, c.ID, "good words")
	ok(t, err)
	now := b.Reload(c.ID)
	equal(t, "reports and since when", []any{now.OpenReports, now.QueuedAt}, []any{before.OpenReports, before.QueuedAt})
}

func TestEditedWhereEveryCommentIsReadFirst(t *testing.T) {
	fx := modelstest.New(t)
	anna, rita, mona := fx.User(models.Author, "anna"), fx.User(models.Reader, "rita"), fx.User(models.Moderator, "mona")
	for _, c := range []struct {
		policy models.CommentPolicy
		who    models.Actor
		want   models.CommentState
		why    string
	}{
		{models.PolicyPremoderated, rita, models.Pending, "edited"}, {models.PolicyPremoderated, anna, models.Approved, ""},
		{models.PolicyFirstComment, rita, models.Approved, ""}, {models.PolicyOpen, rita, models.Approved, ""},
	} {
		art := fx.Article(anna, modelstest.Policy(c.policy))
		comment := fx.Comment(c.who, art.Slug, "harmless", 0)
		fx.Approve(mona, comment.ID)
		fx.Clock.Advance(time.Minute)
		edited, err := fx.EditComment(ctx, c.who, comment.ID, "harmful")
		ok(t, err)
		equal(t, string(c.policy)+" "+c.who.Username, []any{edited.State, edited.HeldWhy}, []any{c.want, c.why})
		stored := fx.Reload(comment.ID)
		equal(t, "as stored", []any{stored.State, stored.HeldWhy, stored.QueuedAt != 0, stored.Shown}, []any{c.want, c.why, c.want == models.Pending, 1 - min(1, len(c.why))})
	}
}

func TestDeleteComment(t *testing.T) {
	fx := modelstest.New(t)
	rita, otto, mona := fx.User(models.Reader, "rita"), fx.User(models.Reader, "otto"), fx.User(models.Moderator, "mona")
	art := fx.Article(fx.User(models.Author, "anna"))
	c := fx.Comment(rita, art.Slug, "words", 0)
	for who, kind := range map[*models.Actor]models.Kind{&otto: models.Forbidden, &mona: models.Forbidden, &anonymous: models.Unauthorized} {
		_, err := fx.DeleteComment(ctx, *who, c.ID)
		wantKind(t, err, kind)
	}
	_, err := fx.Report(ctx, otto, c.ID, models.ReportInput{Reason: "spam"})
	ok(t, err)
	last := lastEvent(t, fx)
	_, err = fx.DeleteComment(ctx, rita, c.ID)
	ok(t, err)
	equal(t, "events", eventsAfter(t, fx, last), []string{"comment.deleted"})
	_, err = fx.DeleteComment(ctx, rita, c.ID)
	wantKind(t, err, models.NotFound)
	items, _, err := fx.Queue(ctx, mona, models.QueueReported, models.Page{})
	ok(t, err)
	equal(t, "reported", len(items), 0)
	refused := fx.Comment(rita, art.Slug, "bad words", 0)
	fx.Decide(mona, models.Reject, "no", refused.ID)
	_, err = fx.DeleteComment(ctx, rita, refused.ID) // to clear her record
	wantKind(t, err, models.Conflict)
}
