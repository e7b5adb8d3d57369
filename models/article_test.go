package models_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"postil/models"
	"postil/models/modelstest"
)

func update1(fx *modelstest.Fixture, actor models.Actor, slug string, ifRevision int64, change models.ArticleChange) (models.Article, error) {
	return fx.UpdateArticle(ctx, actor, slug, ifRevision, change)
}

func TestEverySaveIsARevision(t *testing.T) {
	fx := modelstest.New(t)
	anna, admin, rita := fx.User(models.Author, "anna"), fx.User(models.Admin, "root"), fx.User(models.Reader, "rita")
	art := fx.Article(anna, modelstest.State(models.Draft), func(in *models.ArticleInput) { in.Message, in.Body = " First\n try ", "One two three." })
	equal(t, "first", []any{art.Revision, art.State, art.PublishedAt, art.CreatedAt, art.UpdatedAt}, []any{int64(1), models.Draft, models.Timestamp(0), models.At(modelstest.Start), models.At(modelstest.Start)})
	fx.Clock.Advance(time.Hour)
	now := models.At(fx.Clock.Now())
	art, err := update1(fx, anna, art.Slug, 1, models.ArticleChange{Body: ref("One two four.\r\n"), Message: "Counted again"})
	ok(t, err)
	art, err = update1(fx, admin, art.Slug, 2, models.ArticleChange{State: ref(models.Published)})
	ok(t, err)
	equal(t, "third", []any{art.Revision, art.State, art.PublishedAt, art.UpdatedAt, art.Body}, []any{int64(3), models.Published, now, now, "One two four.\n"})

	stored, err := fx.Store.Article(ctx, rita, art.Slug)
	ok(t, err)
	equal(t, "times as stored", []models.Timestamp{stored.CreatedAt, stored.UpdatedAt, stored.PublishedAt}, []models.Timestamp{models.At(modelstest.Start), now, now})
	_, revs, _, err := fx.Revisions(ctx, anna, art.Slug, models.Page{})
	ok(t, err)
	var told []string
	for _, r := range revs {
		told = append(told, fmt.Sprintf("%d %s %s %q +%d -%d", r.Number, r.State, r.Author.Username, r.Message, r.WordsAdded, r.WordsRemoved))
	}
	equal(t, "revisions", told, []string{`3 published root "" +0 -0`, `2 draft anna "Counted again" +1 -1`, `1 draft anna "First try" +3 -0`})
	_, revs, _, err = fx.Revisions(ctx, rita, art.Slug, models.Page{})
	ok(t, err)
	equal(t, "revisions that readers see", len(revs), 1)
	_, _, err = fx.Revision(ctx, rita, art.Slug, 2)
	wantKind(t, err, models.NotFound)
	_, rev, err := fx.Revision(ctx, anna, art.Slug, 1)
	if err != nil || rev.Body != "One two three." || !strings.Contains(rev.HTML, "One two three.") {
		t.Errorf("%+v, %v", rev, err)
	}
	before, after, err := fx.Neighbours(ctx, anna, &art, 2)
	ok(t, err)
	equal(t, "neighbours of 2 for the author", []int64{before, after}, []int64{1, 3})
	before, after, err = fx.Neighbours(ctx, rita, &art, 3)
	ok(t, err)
	equal(t, "neighbours of 3 for a reader", []int64{before, after}, []int64{0, 0})
	equal(t, "events", eventsAfter(t, fx, 3), []string{"article.saved", "article.saved", "article.published"})
}

func TestNothingChangedSavesNothing(t *testing.T) {
	fx := modelstest.New(t)
	anna := fx.User(models.Author, "anna")
	art := fx.Article(anna, func(in *models.ArticleInput) { in.Body, in.Tags = "One\ntwo", []string{"b", "A"} })
	last := lastEvent(t, fx)
	for name, change := range map[string]models.ArticleChange{
		"nothing":         {},
		"a message":       {Message: "Nothing to see"},
		"the same":        {Title: &art.Title, Body: ref("One\r\ntwo"), Tags: ref([]string{"a", "b", "a"}), State: ref(models.Published), Slug: &art.Slug},
		"spaces in title": {Title: ref("  On   margins ")},
	} {
		got, err := update1(fx, anna, art.Slug, 1, change)
		if err != nil || got.Revision != 1 {
			t.Errorf("%s: revision %d, %v", name, got.Revision, err)
		}
	}
	equal(t, "last event", lastEvent(t, fx), last)
}

func TestStaleSave(t *testing.T) {
	fx := modelstest.New(t)
	anna, root := fx.User(models.Author, "anna"), fx.User(models.Admin, "root")
	art := fx.Article(anna)
	_, err := update1(fx, root, art.Slug, 1, models.ArticleChange{Body: ref("Theirs.")})
	ok(t, err)
	_, err = update1(fx, anna, art.Slug, 1, models.ArticleChange{Body: ref("Mine.")})
	wantKind(t, err, models.Stale)
	var e *models.Error
	errors.As(err, &e)
	if e.Current == nil || e.Current.Revision != 2 || e.Current.Body != "Theirs." {
		t.Errorf("the error carries %+v", e.Current)
	}
	wantKind(t, fx.DeleteArticle(ctx, anna, art.Slug, 1), models.Stale)
	got, err := update1(fx, anna, art.Slug, 0, models.ArticleChange{Body: ref("Mine.")})
	if err != nil || got.Revision != 3 {
		t.Errorf("a save over whatever is there: %d, %v", got.Revision, err)
	}
}

func TestSaversAtOnce(t *testing.T) {
	fx := modelstest.New(t)
	anna := fx.User(models.Author, "anna")
	art := fx.Article(anna)
	errs := parallel(10, func(i int) error {
		_, err := update1(fx, anna, art.Slug, 1, models.ArticleChange{Body: ref(fmt.Sprintf("Text %d.", i))})
		return err
	})
	equal(t, "saves", succeeded(errs), 1)
	for i, err := range errs {
		if err == nil {
			now, err := fx.Store.Article(ctx, anna, art.Slug)
			if err != nil || now.Revision != 2 || now.Body != fmt.Sprintf("Text %d.", i) {
				t.Errorf("%+v, %v", now, err)
			}
			continue
		}
		wantKind(t, err, models.Stale)
	}
	// Without a revision to compare with, still no save may swallow another.
	errs = parallel(10, func(i int) error {
		_, err := update1(fx, anna, art.Slug, 0, models.ArticleChange{Body: ref(fmt.Sprintf("More %d.", i))})
		return err
	})
	equal(t, "revisions", rowsOf(t, fx, "revisions"), int64(2+succeeded(errs)))
}

// Comments that come while an article is saved stay counted.
func TestSavingKeepsCounters(t *testing.T) {
	fx := modelstest.New(t)
	anna, rita := fx.User(models.Author, "anna"), fx.User(models.Reader, "rita")
	art := fx.Article(anna)
	errs := parallel(20, func(i int) error {
		if i%2 == 0 {
			_, err := fx.CreateComment(ctx, rita, art.Slug, models.CommentInput{Body: "words"})
			return err
		}
		_, err := update1(fx, anna, art.Slug, 0, models.ArticleChange{ClosesAfterDays: ref(i)})
		if models.KindOf(err) == models.Stale {
			return nil
		}
		return err
	})
	equal(t, "done", succeeded(errs), 20)
	equal(t, "comments", threadOf(t, fx, art).CommentCount, int64(10))
}

// A save that was prepared before a comment came counts its version on from the
// comment's, else a cached page would stay.
func TestSavingKeepsVersions(t *testing.T) {
	fx := modelstest.New(t)
	anna, rita := fx.User(models.Author, "anna"), fx.User(models.Reader, "rita")
	art := fx.Article(anna)
	before := threadOf(t, fx, art).Version
	var saved models.Article
	for _, err := range inOrder(t, fx,
		func() error {
			_, err := fx.CreateComment(ctx, rita, art.Slug, models.CommentInput{Body: "words"})
			return err
		},
		func() (err error) {
			saved, err = update1(fx, anna, art.Slug, 1, models.ArticleChange{CommentPolicy: ref(models.PolicyClosed)})
			return err
		}) {
		ok(t, err)
	}
	now := threadOf(t, fx, art)
	equal(t, "version and policy", []any{now.Version, now.Policy}, []any{before + 2, models.PolicyClosed})
	equal(t, "thread that came back", saved.Thread, now)
}

func TestSlugs(t *testing.T) {
	fx := modelstest.New(t)
	anna := fx.User(models.Author, "anna")
	for _, c := range []struct{ title, want string }{
		{"On margins", "on-margins"}, {"On margins", "on-margins-2"}, {"On, margins!", "on-margins-3"}, {"Ärger & Öl", "arger-and-ol"},
		{"!!!", "article"}, {"snake_case __init__", "snake-case-init"}, {strings.Repeat("long ", 39), strings.TrimRight(strings.Repeat("long-", 19)[:92], "-")},
	} {
		art := fx.Article(anna, func(in *models.ArticleInput) { in.Title = c.title })
		equal(t, "slug of "+c.title, art.Slug, c.want)
	}
	for _, c := range []struct {
		slug string
		kind models.Kind
	}{
		{"A", models.Invalid}, {"a b", models.Invalid}, {"a--b", models.Invalid}, {"-a", models.Invalid}, {"a/b", models.Invalid}, {"a_b", models.Invalid},
		{strings.Repeat("a", 101), models.Invalid}, {"on-margins", models.Conflict}, {"..", models.Invalid},
	} {
		_, err := fx.CreateArticle(ctx, anna, models.ArticleInput{Title: "T", Body: "B", Slug: c.slug})
		wantKind(t, err, c.kind)
		wantField(t, err, "slug")
	}
	draft := fx.Article(anna, modelstest.State(models.Draft), modelstest.Slug("книга-1"))
	moved, err := update1(fx, anna, draft.Slug, 1, models.ArticleChange{Slug: ref("book")})
	ok(t, err)
	equal(t, "moved", moved.Slug, "book")
	_, err = update1(fx, anna, "book", 2, models.ArticleChange{Slug: ref("on-margins")})
	wantKind(t, err, models.Conflict)
	_, err = update1(fx, anna, "book", 2, models.ArticleChange{State: ref(models.Published)})
	ok(t, err)
	_, err = update1(fx, anna, "book", 3, models.ArticleChange{Slug: ref("tome")})
	wantKind(t, err, models.Invalid)
	_, err = update1(fx, anna, "book", 3, models.ArticleChange{State: ref(models.Draft)})
	ok(t, err)
	_, err = update1(fx, anna, "book", 4, models.ArticleChange{Slug: ref("tome")})
	wantKind(t, err, models.Invalid) // it was public once: somebody has the link

	errs := parallel(10, func(int) error {
		_, err := fx.CreateArticle(ctx, anna, models.ArticleInput{Title: "At once", Body: "B"})
		return err
	})
	equal(t, "titles at once", succeeded(errs), 10)
}

func TestArticleFields(t *testing.T) {
	fx := modelstest.New(t)
	anna := fx.User(models.Author, "anna")
	many := []string{}
	for i := range models.MaxTags + 1 {
		many = append(many, fmt.Sprint("tag", i))
	}
	good := models.ArticleInput{Title: "T", Body: "B"}
	for field, breaks := range map[string][]func(*models.ArticleInput){
		"title":             {func(in *models.ArticleInput) { in.Title = " " }, func(in *models.ArticleInput) { in.Title = strings.Repeat("x", models.MaxTitle+1) }, func(in *models.ArticleInput) { in.Title = "a\u202eb" }, func(in *models.ArticleInput) { in.Title = "\xff" }},
		"standfirst":        {func(in *models.ArticleInput) { in.Standfirst = strings.Repeat("x", models.MaxStandfirst+1) }},
		"body":              {func(in *models.ArticleInput) { in.Body = " \u200b\n" }, func(in *models.ArticleInput) { in.Body = "a\x00b" }, func(in *models.ArticleInput) { in.Body = strings.Repeat("x", 200_001) }},
		"message":           {func(in *models.ArticleInput) { in.Message = strings.Repeat("x", models.MaxMessage+1) }},
		"tags":              {func(in *models.ArticleInput) { in.Tags = many }, func(in *models.ArticleInput) { in.Tags = []string{"a,b"} }, func(in *models.ArticleInput) { in.Tags = []string{strings.Repeat("x", models.MaxTag+1)} }},
		"state":             {func(in *models.ArticleInput) { in.State = models.Deleted }, func(in *models.ArticleInput) { in.State = "lost" }},
		"comment_policy":    {func(in *models.ArticleInput) { in.CommentPolicy = "maybe" }},
		"closes_after_days": {func(in *models.ArticleInput) { in.ClosesAfterDays = -1 }, func(in *models.ArticleInput) { in.ClosesAfterDays = 40_000 }},
		"publish_at":        {func(in *models.ArticleInput) { in.State = models.Scheduled }, func(in *models.ArticleInput) { in.PublishAt = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) }},
	} {
		for _, b := range breaks {
			in := good
			b(&in)
			_, err := fx.CreateArticle(ctx, anna, in)
			wantKind(t, err, models.Invalid)
			wantField(t, err, field)
		}
	}
	for _, who := range []models.Actor{anonymous, fx.User(models.Reader, "rita"), fx.User(models.Moderator, "mona"), models.System()} {
		if _, err := fx.CreateArticle(ctx, who, good); err == nil {
			t.Errorf("%s wrote an article", who.DisplayName)
		}
	}
	equal(t, "articles", rowsOf(t, fx, "articles"), int64(0))
	equal(t, "threads", rowsOf(t, fx, "threads"), int64(0))
}

func TestTags(t *testing.T) {
	fx := modelstest.New(t)
	anna := fx.User(models.Author, "anna")
	art := fx.Article(anna, func(in *models.ArticleInput) { in.Tags = []string{" Paper ", "ink", "INK", ""} })
	equal(t, "tags", art.Tags, []string{"ink", "paper"})
	fx.Article(anna, func(in *models.ArticleInput) { in.Tags = []string{"ink"} })
	count := func(tag string) int {
		list, _, err := fx.Articles(ctx, anonymous, models.ArticleFilter{Tag: tag}, models.Page{})
		ok(t, err)
		return len(list)
	}
	equal(t, "articles by tag", []int{count("ink"), count("Paper"), count("wax")}, []int{2, 1, 0})
	_, err := update1(fx, anna, art.Slug, 0, models.ArticleChange{Tags: ref([]string{"wax"})})
	ok(t, err)
	equal(t, "articles by tag", []int{count("ink"), count("paper"), count("wax")}, []int{1, 0, 1})
}

func TestDeletedArticle(t *testing.T) {
	fx := modelstest.New(t)
	anna, rita := fx.User(models.Author, "anna"), fx.User(models.Reader, "rita")
	art := fx.Article(anna)
	c := fx.Comment(rita, art.Slug, "words", 0)
	wantKind(t, fx.DeleteArticle(ctx, rita, art.Slug, 0), models.Forbidden)
	wantKind(t, fx.DeleteArticle(ctx, anonymous, art.Slug, 0), models.Unauthorized)
	last := lastEvent(t, fx)
	ok(t, fx.DeleteArticle(ctx, anna, art.Slug, 1))
	equal(t, "events", eventsAfter(t, fx, last), []string{"article.deleted"})
	wantKind(t, fx.DeleteArticle(ctx, anna, art.Slug, 0), models.NotFound)
	for _, who := range []models.Actor{anonymous, rita, anna, models.System()} {
		_, err := fx.Store.Article(ctx, who, art.Slug)
		wantKind(t, err, models.NotFound)
		_, err = fx.Discussion(ctx, who, art.Slug, models.Best, models.Page{})
		wantKind(t, err, models.NotFound)
	}
	_, err := fx.Store.Comment(ctx, rita, c.ID)
	wantKind(t, err, models.NotFound)
	_, err = fx.CreateComment(ctx, rita, art.Slug, models.CommentInput{Body: "words"})
	wantKind(t, err, models.NotFound)
	again := fx.Article(anna, modelstest.Slug(art.Slug))
	if again.ID == art.ID {
		t.Error("the new article is the old one")
	}
	equal(t, "rows", rowsOf(t, fx, "articles"), int64(2))
}

// A save that was on its way when the article was deleted does not bring it back.
func TestSaveAfterDelete(t *testing.T) {
	fx := modelstest.New(t)
	anna := fx.User(models.Author, "anna")
	art := fx.Article(anna)
	errs := inOrder(t, fx,
		func() error { return fx.DeleteArticle(ctx, anna, art.Slug, 0) },
		func() error {
			_, err := update1(fx, anna, art.Slug, 0, models.ArticleChange{Body: ref("late")})
			return err
		})
	ok(t, errs[0])
	wantKind(t, errs[1], models.NotFound)
	now, err := fx.LoadArticleByID(ctx, art.ID)
	ok(t, err)
	equal(t, "state", now.State, models.Deleted)
}

func TestRestoreAndCompare(t *testing.T) {
	fx := modelstest.New(t)
	anna, rita := fx.User(models.Author, "anna"), fx.User(models.Reader, "rita")
	art := fx.Article(anna, func(in *models.ArticleInput) { in.Body, in.Tags = "The quick fox.", []string{"old"} })
	_, err := update1(fx, anna, art.Slug, 1, models.ArticleChange{Title: ref("Other"), Body: ref("The slow fox."), Tags: ref([]string{"new"})})
	ok(t, err)
	c, err := fx.Compare(ctx, rita, art.Slug, 1, 2)
	ok(t, err)
	equal(t, "words changed", []int{c.Stats.Added, c.Stats.Removed}, []int{1, 1})
	if c.Title == nil || len(c.Blocks) == 0 {
		t.Errorf("%+v", c)
	}
	_, err = fx.Compare(ctx, rita, art.Slug, 1, 3)
	wantKind(t, err, models.NotFound)
	_, err = fx.RestoreRevision(ctx, rita, art.Slug, 1, 0)
	wantKind(t, err, models.Forbidden)
	_, err = fx.RestoreRevision(ctx, anna, art.Slug, 1, 1)
	wantKind(t, err, models.Stale)
	back, err := fx.RestoreRevision(ctx, anna, art.Slug, 1, 2)
	ok(t, err)
	equal(t, "restored", []any{back.Revision, back.Title, back.Body, back.Tags}, []any{int64(3), "On margins", "The quick fox.", []string{"new"}})
	same, err := fx.RestoreRevision(ctx, anna, art.Slug, 3, 3)
	ok(t, err)
	equal(t, "restoring what is there", same.Revision, int64(3))
}

// Who is no author any more has no desk, whatever he owns.
func TestFormerAuthor(t *testing.T) {
	fx := modelstest.New(t)
	anna := fx.User(models.Author, "anna")
	art := fx.Article(anna)
	for _, role := range []models.Role{models.Reader, models.Moderator} {
		_, err := fx.SetRole(ctx, models.System(), "anna", role)
		ok(t, err)
		_, err = update1(fx, fx.SignedIn("anna"), art.Slug, 0, models.ArticleChange{Body: ref("Changed.")})
		wantKind(t, err, models.Forbidden)
	}
}
