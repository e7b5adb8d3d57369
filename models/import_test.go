package models_test

import (
	"fmt"
	"strings"
	"testing"

	"postil/models"
	"postil/models/modelstest"
)

func dump() models.ImportDiscussion {
	by := func(name string) models.ImportAuthor {
		return models.ImportAuthor{SourceID: name, Name: name, Email: name + "@example.org"}
	}
	return models.ImportDiscussion{SourceID: "a1", Article: models.ImportArticle{Title: "Old", Slug: "old", Author: by("anna"), State: models.Published, Tags: []string{"b", "a"}},
		Comments: []models.ImportComment{
			{SourceID: "3", ParentSourceID: "2", Author: by("otto"), Body: "third", State: models.Approved, CreatedAt: 3},
			{SourceID: "1", Author: by("rita"), Body: "first", State: models.Approved},
			{SourceID: "2", ParentSourceID: "1", Author: by("rita"), Body: "second", State: models.DeletedComment, CreatedAt: 5},
			{SourceID: "4", ParentSourceID: "lost", Author: by("otto"), Body: "orphan", State: models.Pending, CreatedAt: 4},
			{SourceID: "5", ParentSourceID: "6", Author: by(""), Body: "circle", State: models.Spam, CreatedAt: 6},
			{SourceID: "6", ParentSourceID: "5", Author: by("otto"), Body: "circle", State: models.Approved, CreatedAt: 7},
			{SourceID: "6", Author: by("otto"), Body: "the same id", State: models.Approved, CreatedAt: 8},
		}}
}

func TestImport(t *testing.T) {
	fx := modelstest.New(t)
	fx.User(models.Reader, "rita") // imported names never merge with accounts
	for _, who := range []models.Actor{anonymous, fx.SignedIn("rita"), fx.User(models.Moderator, "mona")} {
		if _, err := fx.Import(ctx, who, "s", dump(), false); err == nil {
			t.Errorf("%s imports", who.Username)
		}
	}
	dry, err := fx.Import(ctx, models.System(), "s", dump(), true)
	ok(t, err)
	equal(t, "comments after a dry run", rowsOf(t, fx, "comments"), int64(0))
	first, err := fx.Import(ctx, models.System(), "s", dump(), false)
	ok(t, err)
	equal(t, "what the dry run said", dry, first)
	equal(t, "new", []int{first.Articles, first.Comments, first.Authors, first.Unchanged, len(first.Notes)}, []int{1, 6, 4, 0, 3})
	fx.MustBeSound()

	var told []string
	var rows []models.Comment
	ok(t, fx.Reads().Order("created_at, id").Find(&rows).Error)
	bodies := map[int64]string{}
	for _, c := range rows {
		bodies[c.ID] = c.Body
	}
	for _, c := range rows {
		parent := "-"
		if c.ParentID != nil {
			parent = bodies[*c.ParentID]
		}
		told = append(told, fmt.Sprintf("%s below %s, %s, shown %d, at %d", c.Body, parent, c.State, c.Shown, c.CreatedAt))
	}
	equal(t, "comments", told, []string{"first below -, approved, shown 1, at 0", "third below second, approved, shown 1, at 3", "orphan below -, pending, shown 0, at 4",
		"second below first, deleted, shown 1, at 5", "circle below circle, spam, shown 0, at 6", "circle below -, approved, shown 1, at 7"})
	art, err := fx.Store.Article(ctx, anonymous, "old")
	ok(t, err)
	equal(t, "an unknown moment stays unknown", []models.Timestamp{art.CreatedAt, art.UpdatedAt, art.PublishedAt}, []models.Timestamp{0, 0, 0})
	if signIn(fx, "n", "otto@example.org", modelstest.Password) == nil {
		t.Error("an imported name signs in")
	}
	if _, _, err := register(fx, "otto", "otto@example.org"); err != nil {
		t.Errorf("an imported address keeps its owner from registering: %v", err)
	}

	again, err := fx.Import(ctx, models.System(), "s", dump(), false)
	ok(t, err)
	equal(t, "a second run", []int{again.Articles, again.Comments, again.Authors, again.Unchanged}, []int{0, 0, 0, 7})
	more := dump()
	more.Comments = append(more.Comments, models.ImportComment{SourceID: "9", ParentSourceID: "3", Author: models.ImportAuthor{SourceID: "rita"}, Body: "later", State: models.Approved})
	third, err := fx.Import(ctx, models.System(), "s", more, false)
	ok(t, err)
	equal(t, "a run with one more", []int{third.Comments, third.Authors}, []int{1, 0})
	other, err := fx.Import(ctx, models.System(), "another source", dump(), false)
	ok(t, err)
	equal(t, "another source", []int{other.Articles, other.Comments}, []int{1, 6})
	if !strings.Contains(strings.Join(other.Notes, "\n"), "old-2") {
		t.Errorf("the notes do not tell the new address: %v", other.Notes)
	}

	// An article without a text, as other systems export them, can be changed.
	changed, err := fx.UpdateArticle(ctx, models.System(), "old", 0, models.ArticleChange{CommentPolicy: ref(models.PolicyClosed)})
	ok(t, err)
	equal(t, "policy", changed.Thread.Policy, models.PolicyClosed)
}

func TestImportIsAllOrNothing(t *testing.T) {
	fx := modelstest.New(t)
	d := dump()
	d.Comments[0].State = "lost"
	if _, err := fx.Import(ctx, models.System(), "s", d, false); err == nil {
		t.Error("a state that is none was imported")
	}
	for _, table := range []string{"articles", "comments", "users", "imported", "threads", "events"} {
		equal(t, table, rowsOf(t, fx, table), int64(0))
	}
}
