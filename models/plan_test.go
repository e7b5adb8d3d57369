package models_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"postil/models"
	"postil/models/modelstest"
)

// Every statement of every use case that people wait for has to find its rows
// by an index: its cost must follow what is shown, not what is stored.
func TestPlans(t *testing.T) {
	fx := modelstest.New(t)
	admin, author, reader, other := fx.User(models.Admin, "ada"), fx.User(models.Author, "anna"), fx.User(models.Reader, "rita"), fx.User(models.Reader, "otto")
	art := fx.Article(author, func(in *models.ArticleInput) { in.Tags = []string{"paper"} })
	held := fx.Article(author, modelstest.Policy(models.PolicyPremoderated))
	root := fx.Comment(reader, art.Slug, "root", 0)
	reply := fx.Comment(other, art.Slug, "reply", root.ID)
	pending := fx.Comment(reader, held.Slug, "waits", 0)
	for range 3 { // so that there is a second page of each list
		fx.Comment(reader, held.Slug, "waits too", 0)
		fx.Comment(reader, art.Slug, "root too", 0)
		fx.Comment(reader, art.Slug, "reply too", root.ID)
		fx.Article(author)
	}

	var mu sync.Mutex
	var seen []string
	fx.Watch(func(sql string) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, sql)
	})
	small := models.Page{Limit: 1}
	// list walks to the second page.
	list := func(load func(models.Page) (string, error)) func() error {
		return func() error {
			next, err := load(small)
			if err != nil || next == "" {
				return fmt.Errorf("the first page has no second (%w)", err)
			}
			_, err = load(models.Page{Limit: 1, Cursor: next})
			return err
		}
	}
	discussion := func(sort models.Sort) func() error {
		return list(func(page models.Page) (string, error) {
			d, err := fx.Discussion(ctx, reader, art.Slug, sort, page)
			return d.Next, err
		})
	}
	articles := func(actor models.Actor, filter models.ArticleFilter) func() error {
		return list(func(page models.Page) (string, error) {
			_, next, err := fx.Articles(ctx, actor, filter, page)
			return next, err
		})
	}
	queue := func(state models.QueueState) func() error {
		return func() error {
			_, next, err := fx.Queue(ctx, admin, state, small)
			if err == nil && next != "" {
				_, _, err = fx.Queue(ctx, admin, state, models.Page{Limit: 1, Cursor: next})
			}
			return err
		}
	}
	var decision models.Decision
	cases := []struct {
		name string
		run  func() error
	}{
		{"Articles", articles(anonymous, models.ArticleFilter{})},
		{"Articles by author", articles(anonymous, models.ArticleFilter{Author: "anna"})},
		{"Articles mine", articles(author, models.ArticleFilter{Mine: true})},
		{"Articles of an admin", articles(admin, models.ArticleFilter{Mine: true})},
		{"Articles by tag", func() error {
			_, _, err := fx.Articles(ctx, anonymous, models.ArticleFilter{Tag: "paper"}, small)
			return err
		}},
		{"Article", func() error { _, err := fx.Store.Article(ctx, reader, art.Slug); return err }},
		{"Revisions", func() error { _, _, _, err := fx.Revisions(ctx, reader, art.Slug, small); return err }},
		{"Discussion best", discussion(models.Best)},
		{"Discussion newest", discussion(models.Newest)},
		{"Discussion oldest", discussion(models.Oldest)},
		{"Focus", func() error { _, err := fx.Focus(ctx, reader, reply.ID, small); return err }},
		{"Focus root", func() error { _, err := fx.Focus(ctx, reader, root.ID, small); return err }},
		{"Replies", list(func(page models.Page) (string, error) {
			_, next, err := fx.Replies(ctx, reader, root.ID, page)
			return next, err
		})},
		{"CommentsBy", list(func(page models.Page) (string, error) {
			_, next, err := fx.CommentsBy(ctx, anonymous, reader.UserID, page)
			return next, err
		})},
		{"CommentsBy oneself", list(func(page models.Page) (string, error) {
			_, next, err := fx.CommentsBy(ctx, reader, reader.UserID, page)
			return next, err
		})},
		{"CountCommentsBy", func() error { _, err := fx.CountCommentsBy(ctx, reader.UserID); return err }},
		{"Queue pending", queue(models.QueuePending)},
		{"Queue reported", queue(models.QueueReported)},
		{"Queue spam", queue(models.QueueSpam)},
		{"Queue rejected", queue(models.QueueRejected)},
		{"QueueCounts", func() error { _, err := fx.QueueCounts(ctx, admin, 100); return err }},
		{"QueueItem", func() error { _, err := fx.QueueItem(ctx, admin, pending.ID); return err }},
		{"FindUser", func() error { _, err := fx.FindUser(ctx, "rita"); return err }},
		{"SignIn", func() error { fx.SignedIn("rita"); return nil }},
		{"Sessions", func() error { _, err := fx.Sessions(ctx, reader); return err }},
		{"EndOtherSessions", func() error { return fx.EndOtherSessions(ctx, reader) }},
		{"CreateComment", func() error { fx.Comment(reader, art.Slug, "more", root.ID); return nil }},
		{"EditComment", func() error { _, err := fx.EditComment(ctx, reader, root.ID, "changed"); return err }},
		{"CommentHistory", func() error { _, _, err := fx.CommentHistory(ctx, reader, root.ID); return err }},
		{"Vote", func() error { _, err := fx.Vote(ctx, reader, reply.ID, 1); return err }},
		{"Report", func() error {
			_, err := fx.Report(ctx, reader, reply.ID, models.ReportInput{Reason: "spam"})
			return err
		}},
		{"Decide", func() (err error) { decision = fx.Decide(admin, models.Reject, "no", reply.ID, pending.ID); return nil }},
		{"UndoDecision", func() error { _, err := fx.UndoDecision(ctx, admin, decision.ID); return err }},
		{"Log", list(func(page models.Page) (string, error) { _, next, err := fx.Log(ctx, admin, page); return next, err })},
		{"DeleteComment", func() error { _, err := fx.DeleteComment(ctx, reader, root.ID); return err }},
		{"UpdateArticle", func() error {
			_, err := fx.UpdateArticle(ctx, author, art.Slug, 0, models.ArticleChange{Body: ref("New words.")})
			return err
		}},
		{"UpdateMe", func() error {
			_, err := fx.UpdateMe(ctx, reader, models.ProfileInput{DisplayName: ref("Rita R.")})
			return err
		}},
		{"Users", list(func(page models.Page) (string, error) {
			_, next, err := fx.Users(ctx, admin, models.UserFilter{}, page)
			return next, err
		})},
		{"Users by role", func() error {
			_, _, err := fx.Users(ctx, admin, models.UserFilter{Role: models.Reader}, small)
			return err
		}},
		{"DeleteArticle", func() error { return fx.DeleteArticle(ctx, author, art.Slug, 0) }},
		{"Sweep", func() error { fx.Clock.Advance(100 * 24 * time.Hour); _, err := fx.Sweep(ctx); return err }},
	}
	for _, c := range cases {
		mu.Lock()
		seen = nil
		mu.Unlock()
		if err := c.run(); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if len(seen) == 0 {
			t.Errorf("%s ran no statement", c.name)
		}
		for _, sql := range seen {
			checkPlan(t, fx, c.name, sql)
		}
		if c.name == "Discussion best" && !slices.ContainsFunc(seen, func(sql string) bool {
			return slices.ContainsFunc(planOf(t, fx, sql), func(step string) bool { return strings.Contains(step, "(thread_id=? AND rank<?)") })
		}) {
			t.Error("the second page by rank begins at the first root")
		}
	}
}

// planOf explains how a statement finds its rows.
func planOf(t *testing.T, fx *modelstest.Fixture, sql string) []string {
	t.Helper()
	var plan []struct{ Detail string }
	if err := fx.Reads().Raw("EXPLAIN QUERY PLAN " + sql).Scan(&plan).Error; err != nil {
		t.Fatalf("explain %s: %v", sql, err)
	}
	steps := make([]string, len(plan))
	for i, p := range plan {
		steps[i] = p.Detail
	}
	return steps
}

// accepted are the statements whose plan looks worse than it is, each with the
// step that is meant.
var accepted = []struct{ why, statement, step string }{
	{"at most 10 replies of 100 roots, 20 of 300 replies", `^SELECT c\.\* FROM comments r JOIN comments c ON c\.id IN`, "TEMP B-TREE"},
	{"at most 5 ancestors", `^WITH RECURSIVE above`, "TEMP B-TREE|SCAN a$"},
	{"the items of a page", `^SELECT \* FROM .(article_tags|decision_items|reports). WHERE \w+ IN`, "TEMP B-TREE"},
	{"the sessions of one account", `^SELECT \* FROM .sessions. WHERE user_id = `, "TEMP B-TREE FOR LAST TERM"},
	{"the articles of one tag", `IN \(SELECT article_id FROM article_tags WHERE tag = `, "TEMP B-TREE"},
	{"read in order of the key, up to the limit", `^SELECT \* FROM .(decisions|users). (WHERE username_key <> '' )?ORDER BY id DESC LIMIT`, "^SCAN (decisions|users)$"},
	{"looks for replies only while a foreign key is broken", `^INSERT INTO .comments.`, "^SCAN comments$"},
	{"what a subquery gathered", `^SELECT count\(\*\) FROM \(SELECT 1`, `^SCAN \(`},
}

func isAccepted(sql, step string) bool {
	for _, a := range accepted {
		if regexp.MustCompile(a.statement).MatchString(sql) && regexp.MustCompile(a.step).MatchString(step) {
			return true
		}
	}
	return false
}

// checkPlan fails the test if a statement reads a whole table, or sorts rows
// that are not few.
func checkPlan(t *testing.T, fx *modelstest.Fixture, name, sql string) {
	t.Helper()
	verb, _, _ := strings.Cut(sql, " ")
	switch verb {
	case "SELECT", "UPDATE", "DELETE", "INSERT", "WITH":
	default:
		return
	}
	plan := planOf(t, fx, sql)
	for _, step := range plan {
		scan := strings.HasPrefix(step, "SCAN ") && !strings.Contains(step, " USING ") && !strings.Contains(step, "CONSTANT ROW")
		sorts := strings.Contains(step, "TEMP B-TREE")
		if (scan || sorts) && !isAccepted(sql, step) {
			t.Errorf("%s: %s\n    %s", name, sql, strings.Join(plan, "\n    "))
			return
		}
	}
}
