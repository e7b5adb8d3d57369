package models_test

import (
	"testing"
	"time"

	"postil/models"
	"postil/models/modelstest"
)

func scheduled(at time.Time) func(*models.ArticleInput) {
	return func(in *models.ArticleInput) { in.State, in.PublishAt = models.Scheduled, at }
}

func TestScheduleComesDue(t *testing.T) {
	fx := modelstest.New(t)
	anna, rita := fx.User(models.Author, "anna"), fx.User(models.Reader, "rita")
	due := modelstest.Start.Add(24 * time.Hour)
	older := fx.Article(anna, modelstest.Slug("older"))
	art := fx.Article(anna, scheduled(due), func(in *models.ArticleInput) { in.ClosesAfterDays = 7 })
	listed := func() []string {
		list, _, err := fx.Articles(ctx, anonymous, models.ArticleFilter{}, models.Page{})
		ok(t, err)
		slugs := []string{}
		for _, a := range list {
			slugs = append(slugs, a.Slug)
		}
		return slugs
	}
	fx.Clock.Advance(24*time.Hour - time.Microsecond)
	_, err := fx.Store.Article(ctx, rita, art.Slug)
	wantKind(t, err, models.NotFound)
	_, err = fx.CreateComment(ctx, rita, art.Slug, models.CommentInput{Body: "early"})
	wantKind(t, err, models.NotFound)
	_, err = fx.CreateComment(ctx, anna, art.Slug, models.CommentInput{Body: "early"})
	wantKind(t, err, models.Forbidden)
	equal(t, "listed before", listed(), []string{older.Slug})
	_, err = update1(fx, anna, art.Slug, 0, models.ArticleChange{Slug: ref("another-address")})
	ok(t, err)

	fx.Clock.Advance(time.Microsecond)
	_, err = fx.Store.Article(ctx, rita, "another-address")
	ok(t, err)
	equal(t, "listed after", listed(), []string{"another-address", older.Slug})
	fx.Comment(rita, "another-address", "in time", 0)

	// From now on it is a published article, whatever its row says.
	_, err = update1(fx, anna, "another-address", 0, models.ArticleChange{Slug: ref("third-address")})
	wantKind(t, err, models.Invalid)
	fx.Clock.Advance(time.Hour)
	last := lastEvent(t, fx)
	saved, err := update1(fx, anna, "another-address", 0, models.ArticleChange{Body: ref("Corrected.")})
	ok(t, err)
	equal(t, "published since", []any{saved.State, saved.PublishedAt, saved.SortAt}, []any{models.Published, models.At(due), models.At(due)})
	equal(t, "events", eventsAfter(t, fx, last), []string{"article.saved"})
	saved, err = update1(fx, anna, "another-address", 0, models.ArticleChange{Body: ref("Corrected again.")})
	ok(t, err)
	_, revs, _, err := fx.Revisions(ctx, rita, saved.Slug, models.Page{})
	ok(t, err)
	equal(t, "revisions that readers see", len(revs), 2) // both made after publication

	fx.Clock.Advance(7*24*time.Hour - time.Hour - time.Microsecond)
	fx.Comment(rita, saved.Slug, "still open", 0)
	fx.Clock.Advance(time.Microsecond)
	_, err = fx.CreateComment(ctx, rita, saved.Slug, models.CommentInput{Body: "late"})
	wantKind(t, err, models.Forbidden)
}

// However a due article leaves its schedule, it was published when it came due.
func TestDueScheduleKeepsItsMoment(t *testing.T) {
	for _, state := range []models.ArticleState{models.Published, models.Archived, models.Draft} {
		fx := modelstest.New(t)
		anna := fx.User(models.Author, "anna")
		due := modelstest.Start.Add(time.Hour)
		art := fx.Article(anna, scheduled(due))
		fx.Clock.Advance(2 * time.Hour)
		saved, err := update1(fx, anna, art.Slug, 0, models.ArticleChange{State: &state})
		ok(t, err)
		equal(t, string(state), []any{saved.State, saved.PublishedAt}, []any{state, models.At(due)})
	}
}

func TestScheduledForThePast(t *testing.T) {
	fx := modelstest.New(t)
	anna := fx.User(models.Author, "anna")
	last := lastEvent(t, fx)
	past := modelstest.Start.Add(-time.Hour)
	art := fx.Article(anna, scheduled(past))
	equal(t, "published at once", []any{art.State, art.PublishedAt}, []any{models.Published, models.At(past)})
	equal(t, "events", eventsAfter(t, fx, last), []string{"article.published"})
}
