package models_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"postil/models"
	"postil/models/modelstest"
)

// population is a store with articles and comments in every state, and all of
// them as their rows say.
type population struct {
	*modelstest.Fixture
	actors   []models.Actor
	articles []models.Article
	comments []models.Comment
}

// populate fills a store: two authors, an article of each in every state, and on
// each article comments by everybody in every state, some with replies.
func populate(t *testing.T) population {
	t.Helper()
	fx := modelstest.New(t)
	anna, berta := fx.User(models.Author, "anna"), fx.User(models.Author, "berta")
	rita, mona, root := fx.User(models.Reader, "rita"), fx.User(models.Moderator, "mona"), fx.User(models.Admin, "root")
	p := population{Fixture: fx, actors: []models.Actor{anonymous, rita, fx.User(models.Reader, "otto"), anna, berta, mona, root, models.System()}}
	random := rand.New(rand.NewPCG(1, 2))
	due := fx.Clock.Now().Add(24 * time.Hour)
	for _, author := range []models.Actor{anna, berta} {
		for _, life := range []struct {
			first, last models.ArticleState
			publishAt   time.Time
		}{
			{models.Draft, "", time.Time{}}, {models.Scheduled, "", due.Add(time.Hour)}, {models.Scheduled, "", due},
			{models.Published, "", time.Time{}}, {models.Published, models.Draft, time.Time{}}, {models.Published, models.Archived, time.Time{}},
			{models.Published, models.Scheduled, due.Add(time.Hour)}, {models.Published, models.Scheduled, due}, {models.Published, models.Deleted, time.Time{}},
		} {
			fx.Clock.Advance(time.Second)
			art := fx.Article(author, func(in *models.ArticleInput) {
				in.State, in.PublishAt, in.CommentPolicy = life.first, life.publishAt, models.PolicyPremoderated
			})
			if life.first == models.Published {
				_, err := fx.UpdateArticle(ctx, author, art.Slug, 0, models.ArticleChange{Body: ref("Another text.")})
				ok(t, err)
				p.discuss(t, art, random, rita, mona, root)
			}
			switch life.last {
			case "":
			case models.Deleted:
				ok(t, fx.DeleteArticle(ctx, author, art.Slug, 0))
			default:
				_, err := fx.UpdateArticle(ctx, author, art.Slug, 0, models.ArticleChange{State: ref(life.last), PublishAt: ref(life.publishAt)})
				ok(t, err)
			}
		}
	}
	fx.Clock.Advance(24 * time.Hour)
	var ids []int64
	ok(t, fx.Reads().Raw("SELECT id FROM articles ORDER BY id").Scan(&ids).Error)
	for _, id := range ids {
		art, err := fx.LoadArticleByID(ctx, id)
		ok(t, err)
		p.articles = append(p.articles, art)
	}
	ids = nil
	ok(t, fx.Reads().Raw("SELECT id FROM comments ORDER BY id").Scan(&ids).Error)
	for _, id := range ids {
		c, err := fx.LoadForPolicy(ctx, id)
		ok(t, err)
		p.comments = append(p.comments, c)
	}
	return p
}

// discuss posts comments on an article and brings each into some state.
func (p *population) discuss(t *testing.T, art models.Article, random *rand.Rand, rita, mona, root models.Actor) {
	t.Helper()
	writers := p.actors[1:7]
	parents := []int64{0}
	authors := map[int64]models.Actor{}
	var all []int64
	for i := range 24 {
		who := writers[i%len(writers)]
		c, err := p.CreateComment(ctx, who, art.Slug, models.CommentInput{Body: fmt.Sprintf("comment %d", i), ParentID: parents[random.IntN(len(parents))]})
		ok(t, err)
		all, authors[c.ID] = append(all, c.ID), who
		if random.IntN(3) > 0 {
			p.Approve(root, c.ID)
			parents = append(parents, c.ID)
		}
		if random.IntN(3) == 0 && who.UserID != rita.UserID && c.State == models.Approved {
			_, err := p.Vote(ctx, rita, c.ID, 1-2*random.IntN(2))
			ok(t, err)
		}
	}
	for i, id := range all {
		switch i % 5 {
		case 1:
			p.Decide(root, models.Reject, "no", id)
		case 2:
			p.Decide(root, models.MarkSpam, "", id)
		case 3:
			if c := p.Reload(id); c.State == models.Approved || c.State == models.Pending {
				_, err := p.DeleteComment(ctx, authors[id], id)
				ok(t, err)
			}
		}
	}
}

// everybody is the actor for lists that hold only what everybody may see.
var everybody = models.Actor{}

// walk gathers all pages of a list.
func walk(t *testing.T, load func(models.Page) ([]int64, string, error)) []int64 {
	t.Helper()
	all := []int64{}
	page := models.Page{Limit: 3}
	for range 1000 {
		ids, next, err := load(page)
		ok(t, err)
		all = append(all, ids...)
		if next == "" {
			return all
		}
		if len(ids) != page.Limit {
			t.Fatalf("a page of %d has %d items and yet a next one", page.Limit, len(ids))
		}
		page.Cursor = next
	}
	t.Fatal("the list does not end")
	return nil
}

// Lists are made by SQL, single things are shown by the policy; both must agree
// for every actor over a whole population.
func TestListsAgreeWithThePolicy(t *testing.T) {
	p := populate(t)
	now := models.At(p.Clock.Now())
	seen := map[string]bool{}
	for _, a := range p.articles {
		seen[string(a.State)] = true
	}
	for _, c := range p.comments {
		seen[fmt.Sprint(c.State, " ", c.Shown, " on ", c.Article.State)] = true
	}
	if len(seen) < 5+7*5 {
		t.Errorf("the population is too small: %d kinds", len(seen))
	}
	for _, who := range p.actors {
		t.Run(who.DisplayName+"/"+who.Username, func(t *testing.T) {
			p.articlesAgree(t, who, now)
			p.commentsAgree(t, who, now)
			p.accountsAgree(t, who, now)
			p.queueAgrees(t, who, now)
		})
	}
}

func (p population) articlesAgree(t *testing.T, who models.Actor, now models.Timestamp) {
	var public, desk []int64
	for _, a := range p.articles {
		if a.IsPublic(now) {
			public = append(public, a.ID)
		}
		if a.State != models.Deleted && (a.AuthorID == who.UserID || who.CanAdminister() == nil) {
			desk = append(desk, a.ID)
		}
		err := error(nil)
		if a.State != models.Deleted { // else its address is another's
			_, err = p.Store.Article(ctx, who, a.Slug)
		}
		if want := who.CanSeeArticle(&a, now); a.State != models.Deleted && verdict(err) != verdict(want) {
			t.Errorf("article %d (%s): %v, the policy says %v", a.ID, a.State, err, want)
		}
		if err != nil || a.State == models.Deleted {
			continue
		}
		p.revisionsAgree(t, who, a, now)
	}
	list := func(filter models.ArticleFilter) func(models.Page) ([]int64, string, error) {
		return func(page models.Page) ([]int64, string, error) {
			list, next, err := p.Articles(ctx, who, filter, page)
			var ids []int64
			for _, a := range list {
				ids = append(ids, a.ID)
			}
			return ids, next, err
		}
	}
	got := walk(t, list(models.ArticleFilter{}))
	equal(t, "public articles", sorted(got), public)
	bySort := func(a, b int64) int {
		x, y := p.article(a), p.article(b)
		if x.SortAt != y.SortAt {
			return int(y.SortAt - x.SortAt)
		}
		return int(b - a)
	}
	if !slices.IsSortedFunc(got, bySort) {
		t.Errorf("articles are out of order: %v", got)
	}
	if who.CanWriteArticles() == nil {
		equal(t, "desk", sorted(walk(t, list(models.ArticleFilter{Mine: true}))), desk)
		return
	}
	_, _, err := p.Articles(ctx, who, models.ArticleFilter{Mine: true}, models.Page{})
	equal(t, "desk", verdict(err), verdict(who.CanWriteArticles()))
}

func (p population) article(id int64) models.Article {
	return p.articles[slices.IndexFunc(p.articles, func(a models.Article) bool { return a.ID == id })]
}

func (p population) revisionsAgree(t *testing.T, who models.Actor, a models.Article, now models.Timestamp) {
	var all []models.Revision
	ok(t, p.Reads().Where("article_id = ?", a.ID).Order("number DESC").Find(&all).Error)
	want := []int64{}
	for _, r := range all {
		may := who.CanSeeRevision(&a, &r, now)
		if may == nil {
			want = append(want, r.Number)
		}
		if _, _, err := p.Revision(ctx, who, a.Slug, r.Number); verdict(err) != verdict(may) {
			t.Errorf("revision %d of article %d: %v, the policy says %v", r.Number, a.ID, err, may)
		}
	}
	got := walk(t, func(page models.Page) ([]int64, string, error) {
		_, list, next, err := p.Revisions(ctx, who, a.Slug, page)
		var numbers []int64
		for _, r := range list {
			numbers = append(numbers, r.Number)
		}
		return numbers, next, err
	})
	equal(t, fmt.Sprintf("revisions of article %d", a.ID), got, want)
	for i, n := range want {
		before, after, err := p.Neighbours(ctx, who, &a, n)
		ok(t, err)
		wantBefore, wantAfter := int64(0), int64(0)
		if i+1 < len(want) {
			wantBefore = want[i+1]
		}
		if i > 0 {
			wantAfter = want[i-1]
		}
		equal(t, "neighbours", []int64{before, after}, []int64{wantBefore, wantAfter})
	}
}

func (p population) commentsAgree(t *testing.T, who models.Actor, now models.Timestamp) {
	for _, c := range p.comments {
		may := who.CanSeeComment(&c, c.Article, now)
		if _, err := p.Store.Comment(ctx, who, c.ID); verdict(err) != verdict(may) {
			t.Errorf("comment %d: %v, the policy says %v", c.ID, err, may)
		}
		if _, _, err := p.CommentHistory(ctx, who, c.ID); verdict(err) != verdict(who.CanReadComment(&c, c.Article, now)) {
			t.Errorf("history of comment %d: %v", c.ID, err)
		}
		_, _, err := p.Replies(ctx, who, c.ID, models.Page{})
		_, focus := p.Focus(ctx, who, c.ID, models.Page{})
		if verdict(err) != verdict(may) || verdict(focus) != verdict(may) {
			t.Errorf("replies of comment %d: %v; focus: %v; the policy says %v", c.ID, err, focus, may)
		}
		if may != nil || everybody.CanSeeArticle(c.Article, now) != nil {
			continue
		}
		want := []int64{}
		for _, r := range p.comments {
			if r.ParentID != nil && *r.ParentID == c.ID && everybody.CanSeeComment(&r, r.Article, now) == nil {
				want = append(want, r.ID)
			}
		}
		got := walk(t, func(page models.Page) ([]int64, string, error) {
			list, next, err := p.Replies(ctx, who, c.ID, page)
			return commentIDs(list), next, err
		})
		equal(t, fmt.Sprintf("replies of comment %d", c.ID), got, want)
	}
	for _, a := range p.articles {
		if a.State == models.Deleted || who.CanSeeArticle(&a, now) != nil {
			continue
		}
		roots, own := []int64{}, []int64{}
		for _, c := range p.comments {
			if c.ThreadID != a.ThreadID {
				continue
			}
			if c.ParentID == nil && c.Shown == 1 && who.CanSeeComment(&c, &a, now) == nil {
				roots = append(roots, c.ID)
			}
			if who.IsSignedIn() && c.AuthorID == who.UserID && who.CanReadComment(&c, &a, now) == nil && c.State != models.Approved && c.State != models.DeletedComment {
				own = append(own, c.ID)
			}
		}
		for _, sort := range models.Sorts {
			got := walk(t, func(page models.Page) ([]int64, string, error) {
				d, err := p.Discussion(ctx, who, a.Slug, sort, page)
				if err == nil {
					equal(t, "own", commentIDs(d.Own), own)
				}
				var ids []int64
				for _, b := range d.Roots {
					ids = append(ids, b.ID)
				}
				return ids, d.Next, err
			})
			equal(t, fmt.Sprintf("roots of article %d by %s", a.ID, sort), sorted(got), roots)
		}
	}
}

func (p population) accountsAgree(t *testing.T, who models.Actor, now models.Timestamp) {
	for _, account := range p.actors[1:7] {
		want, count := []int64{}, int64(0)
		for _, c := range slices.Backward(p.comments) {
			if c.AuthorID != account.UserID {
				continue
			}
			byEverybody := everybody.CanReadComment(&c, c.Article, now) == nil
			mine := who.UserID == account.UserID && c.State != models.DeletedComment && c.Article.State != models.Deleted && who.CanReadComment(&c, c.Article, now) == nil
			if byEverybody {
				count++
			}
			if byEverybody || mine {
				want = append(want, c.ID)
			}
		}
		got := walk(t, func(page models.Page) ([]int64, string, error) {
			list, next, err := p.CommentsBy(ctx, who, account.UserID, page)
			for _, c := range list {
				if c.Article == nil || c.Author.ID != account.UserID {
					t.Errorf("comment %d comes without its article or author", c.ID)
				}
			}
			return commentIDs(list), next, err
		})
		equal(t, "comments by "+account.Username, got, want)
		n, err := p.CountCommentsBy(ctx, account.UserID)
		ok(t, err)
		equal(t, "count of comments by "+account.Username, n, count)
	}
}

func (p population) queueAgrees(t *testing.T, who models.Actor, now models.Timestamp) {
	for state, of := range map[models.QueueState]models.CommentState{models.QueuePending: models.Pending, models.QueueSpam: models.Spam, models.QueueRejected: models.Rejected} {
		if err := who.CanModerate(); err != nil {
			_, _, got := p.Queue(ctx, who, state, models.Page{})
			equal(t, "queue", verdict(got), verdict(err))
			continue
		}
		want := []int64{}
		for _, c := range p.comments {
			if c.State == of && c.Article.State != models.Deleted && who.CanReadComment(&c, c.Article, now) == nil {
				want = append(want, c.ID)
			}
		}
		got := walk(t, func(page models.Page) ([]int64, string, error) {
			items, next, err := p.Queue(ctx, who, state, page)
			var ids []int64
			for _, i := range items {
				ids = append(ids, i.Comment.ID)
				if verdict(who.CanDecide(i.Comment)) != verdict(who.CanDecide(ref(p.comment(i.Comment.ID)))) {
					t.Errorf("comment %d comes from the queue without what the policy asks about", i.Comment.ID)
				}
			}
			return ids, next, err
		})
		equal(t, "queue "+string(state), sorted(got), want)
	}
}

func (p population) comment(id int64) models.Comment {
	return p.comments[slices.IndexFunc(p.comments, func(c models.Comment) bool { return c.ID == id })]
}
