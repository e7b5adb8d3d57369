package models_test

import (
	"fmt"
	"slices"
	"testing"

	"postil/models"
	"postil/models/modelstest"
)

func TestVotes(t *testing.T) {
	fx := modelstest.New(t)
	rita, otto, pia := fx.User(models.Reader, "rita"), fx.User(models.Reader, "otto"), fx.User(models.Reader, "pia")
	art := fx.Article(fx.User(models.Author, "anna"), modelstest.Policy(models.PolicyFirstComment))
	waiting := fx.Comment(rita, art.Slug, "waits", 0)
	c := waiting
	fx.Approve(models.System(), c.ID)
	for _, step := range []struct {
		who      models.Actor
		value    int
		up, down int64
	}{
		{otto, 0, 0, 0}, {otto, 1, 1, 0}, {otto, 1, 1, 0}, {pia, -1, 1, 1}, {otto, -1, 0, 2}, {pia, 0, 0, 1}, {pia, 0, 0, 1}, {otto, 0, 0, 0},
	} {
		got, err := fx.Vote(ctx, step.who, c.ID, step.value)
		ok(t, err)
		stored := fx.Reload(c.ID)
		equal(t, fmt.Sprintf("%s votes %d", step.who.Username, step.value), []any{got.Up, got.Down, got.MyVote, stored.Up, stored.Down, stored.Rank},
			[]any{step.up, step.down, step.value, step.up, step.down, models.Wilson(step.up, step.down)})
	}
	_, err := fx.Vote(ctx, rita, c.ID, 1)
	wantKind(t, err, models.Forbidden)
	_, err = fx.Vote(ctx, anonymous, c.ID, 1)
	wantKind(t, err, models.Unauthorized)
	_, err = fx.Vote(ctx, otto, c.ID, 2)
	wantKind(t, err, models.Invalid)
	_, err = fx.Vote(ctx, otto, 4711, 1)
	wantKind(t, err, models.NotFound)
	fx.Decide(models.System(), models.Reject, "no", c.ID)
	_, err = fx.Vote(ctx, otto, c.ID, 1)
	wantKind(t, err, models.NotFound)
}

func TestVotesAtOnceCountOnce(t *testing.T) {
	fx := modelstest.New(t)
	rita, otto := fx.User(models.Reader, "rita"), fx.User(models.Reader, "otto")
	art := fx.Article(fx.User(models.Author, "anna"))
	c := fx.Comment(rita, art.Slug, "words", 0)
	last := lastEvent(t, fx)
	errs := parallel(50, func(int) error { _, err := fx.Vote(ctx, otto, c.ID, 1); return err })
	equal(t, "votes that were taken", succeeded(errs), 50)
	equal(t, "upvotes", fx.Reload(c.ID).Up, int64(1))
	equal(t, "events", eventsAfter(t, fx, last), []string{"comment.voted"})
}

func TestBestFirst(t *testing.T) {
	for _, c := range [][2][2]int64{ // each pair: the better first
		{{200, 20}, {2, 0}}, {{2, 0}, {1, 0}}, {{10, 1}, {10, 2}}, {{1, 0}, {0, 0}}, {{100, 100}, {1, 1}}, {{5, 5}, {0, 5}}, {{1, 3}, {0, 0}},
	} {
		better, worse := models.Wilson(c[0][0], c[0][1]), models.Wilson(c[1][0], c[1][1])
		if better <= worse {
			t.Errorf("%v has rank %v, not above %v with %v", c[0], better, c[1], worse)
		}
	}
	for down := range int64(1000) { // bad votes never lift a comment above one without any
		if r := models.Wilson(0, down); r > 0 {
			t.Fatalf("0 up, %d down has the rank %v", down, r)
		}
	}
	fx := modelstest.New(t)
	rita := fx.User(models.Reader, "rita")
	art := fx.Article(fx.User(models.Author, "anna"))
	var voters []models.Actor
	for i := range 4 {
		voters = append(voters, fx.User(models.Reader, fmt.Sprintf("voter%d", i)))
	}
	votes := [][]int{{}, {1, 1, -1}, {1, 1, 1, 1}, {1}, {-1, -1}, {}}
	var made []int64
	for _, values := range votes {
		c := fx.Comment(rita, art.Slug, "words", 0)
		made = append(made, c.ID)
		for i, v := range values {
			_, err := fx.Vote(ctx, voters[i], c.ID, v)
			ok(t, err)
		}
	}
	want := []int64{made[2], made[1], made[3], made[0], made[5], made[4]}
	for sort, want := range map[models.Sort][]int64{models.Best: want, "": want, models.Oldest: made, models.Newest: reversed(made)} {
		d, err := fx.Discussion(ctx, anonymous, art.Slug, sort, models.Page{})
		ok(t, err)
		got := []int64{}
		for _, b := range d.Roots {
			got = append(got, b.ID)
		}
		equal(t, "order "+string(sort), got, want)
	}
	_, err := fx.Discussion(ctx, anonymous, art.Slug, "rank", models.Page{})
	wantKind(t, err, models.Invalid)
	wantField(t, err, "sort")
}

func reversed(ids []int64) []int64 {
	ids = slices.Clone(ids)
	slices.Reverse(ids)
	return ids
}
