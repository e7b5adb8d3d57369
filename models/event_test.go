package models_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"postil/models"
	"postil/models/modelstest"
)

// Each use case that changes something leaves its events, which name whom and
// what by id and hold nothing else; one that is refused leaves none.
func TestEvents(t *testing.T) {
	b := newBench(t, models.PolicyPremoderated)
	var c models.Comment
	var d models.Decision
	var err error
	for _, step := range []struct {
		name string
		want string
		run  func() error
	}{
		{"register", "user.registered", func() error { _, _, err := register(b.Fixture, "new", "new@example.org"); return err }},
		{"register the same", "", func() error { _, _, err := register(b.Fixture, "new", "new@example.org"); return notNil(err) }},
		{"comment", "comment.created by rita on it", func() error { c = b.Comment(b.rita, b.art.Slug, "words", 0); return nil }},
		{"edit", "comment.edited by rita on it", func() error { _, err = b.EditComment(ctx, b.rita, c.ID, "other words"); return err }},
		{"edit nothing", "", func() error { _, err = b.EditComment(ctx, b.rita, c.ID, "other words"); return err }},
		{"approve", "comment.approved by mona on it, moderation.decided by mona", func() error { d = b.Approve(b.mona, c.ID); return nil }},
		{"undo", "comment.pending by mona on it, moderation.undone by mona", func() error { _, err = b.UndoDecision(ctx, b.mona, d.ID); return err }},
		{"undo again", "", func() error { _, err = b.UndoDecision(ctx, b.mona, d.ID); return notNil(err) }},
		{"reject", "comment.rejected by mona on it, moderation.decided by mona", func() error { b.Decide(b.mona, models.Reject, "", c.ID); return nil }},
		{"spam by the operator", "comment.spam by nobody on it, moderation.decided by nobody", func() error { b.Decide(models.System(), models.MarkSpam, "", c.ID); return nil }},
		{"approve again", "comment.approved by root on it, moderation.decided by root", func() error { b.Approve(b.root, c.ID); return nil }},
		{"vote", "comment.voted by otto on it", func() error { _, err = b.Vote(ctx, b.otto, c.ID, 1); return err }},
		{"vote the same", "", func() error { _, err = b.Vote(ctx, b.otto, c.ID, 1); return err }},
		{"own vote", "", func() error { _, err = b.Vote(ctx, b.rita, c.ID, 1); return notNil(err) }},
		{"report", "comment.reported by otto on it", func() error { b.report(t, b.otto, c.ID, "spam"); return nil }},
		{"delete", "comment.deleted by rita on it", func() error { _, err = b.DeleteComment(ctx, b.rita, c.ID); return err }},
		{"save", "article.saved by anna on it", func() error {
			_, err = b.UpdateArticle(ctx, b.SignedIn("anna"), b.art.Slug, 0, models.ArticleChange{Body: ref("New.")})
			return err
		}},
		{"withdraw", "article.saved by root on it", func() error {
			_, err = b.UpdateArticle(ctx, b.root, b.art.Slug, 0, models.ArticleChange{State: ref(models.Draft)})
			return err
		}},
		{"publish", "article.published by root on it", func() error {
			_, err = b.UpdateArticle(ctx, b.root, b.art.Slug, 0, models.ArticleChange{State: ref(models.Published)})
			return err
		}},
		{"role", "user.role by root", func() error { _, err = b.SetRole(ctx, b.root, "new", models.Author); return err }},
		{"suspend", "user.suspended by root", func() error { _, err = b.Suspend(ctx, b.root, "new", models.SuspendInput{Days: 1}); return err }},
		{"password", "user.password by root", func() error { _, err = b.SetPassword(ctx, b.root, "new", "another long and odd sentence"); return err }},
		{"delete the article", "article.deleted by root on it", func() error { return b.DeleteArticle(ctx, b.root, b.art.Slug, 0) }},
	} {
		last := lastEvent(t, b.Fixture)
		version := threadOf(t, b.Fixture, b.art).Version
		ok(t, step.run())
		var events []models.Event
		ok(t, b.Reads().Where("id > ?", last).Order("id").Find(&events).Error)
		var told []string
		for _, e := range events {
			line := e.Kind
			if !strings.HasPrefix(step.name, "register") {
				line += " by " + b.nameOf(t, e.ActorID)
			}
			if e.ThreadID != nil && *e.ThreadID == b.art.ThreadID {
				line += " on it"
			}
			told = append(told, line)
			if e.CreatedAt != models.At(b.Clock.Now()) {
				t.Errorf("%s: the event is of %d", step.name, e.CreatedAt)
			}
			if strings.HasPrefix(e.Kind, "comment.") && (e.CommentID == nil || *e.CommentID != c.ID) {
				t.Errorf("%s: the event names comment %v", step.name, e.CommentID)
			}
		}
		equal(t, step.name, strings.Join(told, ", "), step.want)
		if step.want == "" && threadOf(t, b.Fixture, b.art).Version != version {
			t.Errorf("%s: nothing changed, and yet the thread has a new version", step.name)
		}
	}
}

func (b bench) nameOf(t *testing.T, id *int64) string {
	t.Helper()
	if id == nil {
		return "nobody"
	}
	var user models.User
	ok(t, b.Reads().First(&user, "id = ?", *id).Error)
	return user.Username
}

// notNil turns an error that is wanted into none.
func notNil(err error) error {
	if err == nil {
		return fmt.Errorf("it was let through")
	}
	return nil
}

// Whatever anybody sees differently afterwards raises the thread's version.
func TestThreadVersionRises(t *testing.T) {
	b := newBench(t, models.PolicyOpen)
	c := b.Comment(b.rita, b.art.Slug, "words", 0)
	version := threadOf(t, b.Fixture, b.art).Version
	for _, change := range []struct {
		name string
		do   func() error
	}{
		{"comment", func() error { b.Comment(b.rita, b.art.Slug, "words", 0); return nil }},
		{"edit", func() error { _, err := b.EditComment(ctx, b.rita, c.ID, fmt.Sprint("words ", version)); return err }},
		{"vote", func() error { _, err := b.Vote(ctx, b.otto, c.ID, 1); return err }},
		{"reject", func() error {
			b.Decide(b.mona, models.Reject, "", b.Comment(b.rita, b.art.Slug, "bad", 0).ID)
			return nil
		}},
		{"name", func() error {
			_, err := b.UpdateMe(ctx, b.rita, models.ProfileInput{DisplayName: ref("Rita R.")})
			return err
		}},
		{"role", func() error { _, err := b.SetRole(ctx, b.root, "rita", models.Author); return err }},
		{"save", func() error {
			_, err := b.UpdateArticle(ctx, b.root, b.art.Slug, 0, models.ArticleChange{Title: ref("New")})
			return err
		}},
		{"policy", func() error {
			_, err := b.UpdateArticle(ctx, b.root, b.art.Slug, 0, models.ArticleChange{CommentPolicy: ref(models.PolicyPremoderated)})
			return err
		}},
	} {
		ok(t, change.do())
		now := threadOf(t, b.Fixture, b.art).Version
		if now <= version {
			t.Errorf("%s: version %d after %d", change.name, now, version)
		}
		version = now
	}
}

func TestSampleIsPutInOnce(t *testing.T) {
	fx := modelstest.New(t)
	has := func() bool {
		yes, err := fx.HasArticles(ctx)
		ok(t, err)
		return yes
	}
	equal(t, "a fresh store", has(), false)
	ok(t, fx.MarkSample(ctx))
	equal(t, "once it was put in", has(), true)
	other := modelstest.New(t)
	anna := other.User(models.Author, "anna")
	art := other.Article(anna)
	ok(t, other.DeleteArticle(ctx, anna, art.Slug, 0))
	yes, err := other.HasArticles(ctx)
	ok(t, err)
	equal(t, "after the only article was deleted", yes, true)
}

// A cache learns of every commit at once, of another program's soon, and of
// nothing when nothing happened.
func TestGeneration(t *testing.T) {
	fx := modelstest.New(t)
	anna := fx.User(models.Author, "anna")
	generation := func() uint64 {
		n, err := fx.Generation(ctx)
		ok(t, err)
		return n
	}
	generation()
	fx.Article(anna)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	settled := func() uint64 { // what this store's own commits do to the file is noticed once more
		n := generation()
		for deadline := time.Now().Add(3 * models.Staleness); time.Now().Before(deadline); <-tick.C {
			n = generation()
		}
		return n
	}
	before := settled()
	_, err := fx.Discussion(ctx, anonymous, "on-margins", models.Best, models.Page{})
	ok(t, err)
	equal(t, "after reading", settled(), before)
	fx.Article(anna)
	if generation() == before {
		t.Error("a commit was not noticed at once")
	}
	before = settled()
	other, err := models.Open(ctx, fx.URL, fx.Config())
	ok(t, err)
	ok(t, other.MarkSample(ctx))
	ok(t, other.Close())
	for deadline := time.Now().Add(10 * time.Second); generation() == before; <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("another program's commit was not noticed")
		}
	}
}

func TestStamp(t *testing.T) {
	b := newBench(t, models.PolicyOpen)
	stamp := func(slug string) string {
		s, err := b.Stamp(ctx, slug)
		ok(t, err)
		return s
	}
	before := stamp(b.art.Slug)
	equal(t, "asked twice", stamp(b.art.Slug), before)
	b.Comment(b.rita, b.art.Slug, "words", 0)
	if before == "" || stamp(b.art.Slug) == before {
		t.Errorf("%q after %q", stamp(b.art.Slug), before)
	}
	draft := b.Article(b.root, modelstest.State(models.Draft))
	equal(t, "of a draft", stamp(draft.Slug), "")
	equal(t, "of nothing", stamp("nowhere"), "")
	due := b.Article(b.root, scheduled(b.Clock.Now().Add(time.Hour)))
	equal(t, "before it is due", stamp(due.Slug), "")
	b.Clock.Advance(time.Hour)
	if stamp(due.Slug) == "" {
		t.Error("a due article has no stamp")
	}
}
