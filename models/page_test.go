package models_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"postil/models"
	"postil/models/modelstest"
)

// Walking the pages of a discussion meets every root once, whatever the order
// and however many have the same rank.
func TestPagesMeetEveryRootOnce(t *testing.T) {
	fx := modelstest.New(t)
	rita := fx.User(models.Reader, "rita")
	art := fx.Article(fx.User(models.Author, "anna"))
	var voters []models.Actor
	for i := range 3 {
		voters = append(voters, fx.User(models.Reader, fmt.Sprintf("voter%d", i)))
	}
	random := rand.New(rand.NewPCG(3, 4))
	want := []int64{}
	for range 60 {
		c := fx.Comment(rita, art.Slug, "words", 0)
		want = append(want, c.ID)
		for _, v := range voters {
			if value := random.IntN(5) - 1; value == 1 || value == -1 { // few: so there are ties
				_, err := fx.Vote(ctx, v, c.ID, value)
				ok(t, err)
			}
		}
	}
	for _, sort := range models.Sorts {
		for _, limit := range []int{1, 7, 59, 60, 61} {
			got := []int64{}
			page := models.Page{Limit: limit}
			var ranks []float64
			for {
				d, err := fx.Discussion(ctx, anonymous, art.Slug, sort, page)
				ok(t, err)
				for _, b := range d.Roots {
					got, ranks = append(got, b.ID), append(ranks, b.Rank)
				}
				if page.Cursor = d.Next; d.Next == "" {
					break
				}
				if len(got) == len(want) {
					t.Errorf("%s by %d: after the last root there is another page", sort, limit)
				}
			}
			equal(t, fmt.Sprintf("%s by %d", sort, limit), sorted(got), want)
			switch sort {
			case models.Oldest:
				equal(t, "oldest first", got, want)
			case models.Newest:
				equal(t, "newest first", got, reversed(want))
			default:
				for i := 1; i < len(got); i++ {
					if ranks[i] > ranks[i-1] || ranks[i] == ranks[i-1] && got[i] < got[i-1] {
						t.Errorf("%d with %v comes after %d with %v", got[i], ranks[i], got[i-1], ranks[i-1])
					}
				}
			}
		}
	}
}

func TestPageSizes(t *testing.T) {
	fx := modelstest.New(t)
	anna := fx.User(models.Author, "anna")
	art := fx.Article(anna)
	for range models.MaxPage + 5 {
		fx.Comment(anna, art.Slug, "words", 0)
	}
	for limit, want := range map[int]int{0: models.DefaultPage, -1: models.DefaultPage, 1: 1, 100: 100, 101: 100, 1 << 40: 100} {
		d, err := fx.Discussion(ctx, anonymous, art.Slug, models.Best, models.Page{Limit: limit})
		if err != nil || len(d.Roots) != want || d.Next == "" {
			t.Errorf("limit %d: %d roots, next %q, %v", limit, len(d.Roots), d.Next, err)
		}
	}
}

func TestCursors(t *testing.T) {
	fx := modelstest.New(t)
	admin := fx.User(models.Admin, "root")
	art := fx.Article(admin)
	root := fx.Comment(admin, art.Slug, "words", 0)
	for i := range 3 {
		fx.Comment(admin, art.Slug, "words", 0)
		c := fx.Comment(fx.User(models.Reader, fmt.Sprintf("reader%d", i)), art.Slug, "words", root.ID)
		fx.Decide(admin, models.MarkSpam, "", c.ID)
		fx.Comment(admin, art.Slug, "words", root.ID)
		fx.Article(admin)
		_, err := fx.UpdateArticle(ctx, admin, art.Slug, 0, models.ArticleChange{Body: ref(fmt.Sprint("Text ", i))})
		ok(t, err)
	}
	lists := map[string]func(models.Page) (string, error){
		"best": func(p models.Page) (string, error) {
			d, err := fx.Discussion(ctx, admin, art.Slug, models.Best, p)
			return d.Next, err
		},
		"newest": func(p models.Page) (string, error) {
			d, err := fx.Discussion(ctx, admin, art.Slug, models.Newest, p)
			return d.Next, err
		},
		"oldest": func(p models.Page) (string, error) {
			d, err := fx.Discussion(ctx, admin, art.Slug, models.Oldest, p)
			return d.Next, err
		},
		"replies": func(p models.Page) (string, error) {
			_, next, err := fx.Replies(ctx, admin, root.ID, p)
			return next, err
		},
		"articles": func(p models.Page) (string, error) {
			_, next, err := fx.Articles(ctx, admin, models.ArticleFilter{}, p)
			return next, err
		},
		"by": func(p models.Page) (string, error) {
			_, next, err := fx.CommentsBy(ctx, admin, admin.UserID, p)
			return next, err
		},
		"queue": func(p models.Page) (string, error) {
			_, next, err := fx.Queue(ctx, admin, models.QueueSpam, p)
			return next, err
		},
		"log": func(p models.Page) (string, error) { _, next, err := fx.Log(ctx, admin, p); return next, err },
		"revisions": func(p models.Page) (string, error) {
			_, _, next, err := fx.Revisions(ctx, admin, art.Slug, p)
			return next, err
		},
		"users": func(p models.Page) (string, error) {
			_, next, err := fx.Users(ctx, admin, models.UserFilter{}, p)
			return next, err
		},
	}
	cursors := map[string]string{}
	for name, load := range lists {
		next, err := load(models.Page{Limit: 1})
		ok(t, err)
		if next == "" {
			t.Fatalf("%s has one page", name)
		}
		cursors[name] = next
	}
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for name, load := range lists {
		bad := []string{"x", "!!!", "' OR 1=1 --", encode(name), encode(name + "."), encode(name + ".x.y.z"), encode(name + ".1.2.3"), encode(name + ".+1"), encode(name + ".01"), encode(name + ".zzzzzzzzzzzzzzzzzzzzz"),
			encode("." + name), cursors[name] + "A", cursors[name] + "\n", fmt.Sprintf("%300s", "")}
		for other, cursor := range cursors {
			if other != name {
				bad = append(bad, cursor)
			}
		}
		for _, cursor := range bad {
			_, err := load(models.Page{Cursor: cursor})
			if err == nil || models.KindOf(err) != models.Invalid {
				t.Errorf("%s with the cursor %q: %v", name, cursor, err)
				continue
			}
			wantField(t, err, "cursor")
		}
		if _, err := load(models.Page{Cursor: cursors[name]}); err != nil {
			t.Errorf("%s with its own cursor: %v", name, err)
		}
	}
}

// What comes with a root leads on to exactly the replies that did not.
func TestRepliesContinue(t *testing.T) {
	fx := modelstest.New(t)
	rita := fx.User(models.Reader, "rita")
	art := fx.Article(fx.User(models.Author, "anna"))
	root := fx.Comment(rita, art.Slug, "root", 0)
	var direct, below []int64
	for i := range 25 {
		c := fx.Comment(rita, art.Slug, "reply", root.ID)
		direct = append(direct, c.ID)
		if i < 2 {
			below = append(below, fx.Comment(rita, art.Slug, "below", c.ID).ID)
		}
	}
	d, err := fx.Discussion(ctx, anonymous, art.Slug, models.Best, models.Page{})
	ok(t, err)
	branch := d.Roots[0]
	got, deep := []int64{}, []int64{}
	for _, b := range branch.Replies {
		got = append(got, b.ID)
		for _, r := range b.Replies {
			deep = append(deep, r.ID)
		}
	}
	equal(t, "replies with the root", len(got)+len(deep), models.RepliesShown)
	equal(t, "below them", deep, below)
	equal(t, "more", branch.More, int64(25-len(got)))
	page := models.Page{Limit: 10, Cursor: branch.Next}
	for page.Cursor != "" {
		list, next, err := fx.Replies(ctx, anonymous, root.ID, page)
		ok(t, err)
		got, page.Cursor = append(got, commentIDs(list)...), next
	}
	equal(t, "all replies", got, direct)

	f, err := fx.Focus(ctx, anonymous, root.ID, models.Page{Limit: 20})
	ok(t, err)
	got = got[:0]
	for _, b := range f.Branch.Replies {
		got = append(got, b.ID)
	}
	equal(t, "replies in focus", got, direct[:20])
	if f.Branch.Next == "" || len(f.Branch.Replies[0].Replies) != 1 {
		t.Errorf("focus: next %q, %d below the first", f.Branch.Next, len(f.Branch.Replies[0].Replies))
	}
	if slices.Contains(got, below[0]) {
		t.Error("a reply's reply is listed as a reply")
	}
}
