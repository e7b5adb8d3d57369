package models_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"postil/models"
	"postil/models/modelstest"
)

// The accounts of the policy table.
const (
	theWriter = iota + 1 // wrote the comment
	theOther
	theAuthor // wrote the article
	otherAuthor
	theModerator
	otherModerator
	theAdmin
)

// policyActors are the columns of the table.
var policyActors = []struct {
	name  string
	actor models.Actor
}{
	{"anonymous", models.Actor{}},
	{"writer", models.Actor{UserID: theWriter, Role: models.Reader}},
	{"reader", models.Actor{UserID: theOther, Role: models.Reader}},
	{"author", models.Actor{UserID: theAuthor, Role: models.Author}},
	{"author-2", models.Actor{UserID: otherAuthor, Role: models.Author}},
	{"moderator", models.Actor{UserID: theModerator, Role: models.Moderator}},
	{"admin", models.Actor{UserID: theAdmin, Role: models.Admin}},
	{"system", models.System()},
}

var policyNow = models.At(modelstest.Start)

const policyWindow = 30 * time.Minute

// policyArticles are the states of an article.
var policyArticles = []struct {
	name string
	art  models.Article
}{
	{"draft", models.Article{State: models.Draft}},
	{"scheduled, not yet due", models.Article{State: models.Scheduled, PublishAt: policyNow + 1}},
	{"scheduled, due", models.Article{State: models.Scheduled, PublishAt: policyNow}},
	{"published", models.Article{State: models.Published, PublishedAt: policyNow.Add(-time.Hour)}},
	{"published, comments closed", models.Article{State: models.Published, PublishedAt: policyNow.Add(-time.Hour), Thread: models.Thread{Policy: models.PolicyClosed}}},
	{"published, closes in a moment", models.Article{State: models.Published, PublishedAt: policyNow.Add(-7*24*time.Hour) + 1, Thread: models.Thread{ClosesAfterDays: 7}}},
	{"published, closed after days", models.Article{State: models.Published, PublishedAt: policyNow.Add(-7 * 24 * time.Hour), Thread: models.Thread{ClosesAfterDays: 7}}},
	{"archived", models.Article{State: models.Archived, PublishedAt: policyNow.Add(-time.Hour), PublicOnce: 1}},
	{"archived, never public", models.Article{State: models.Archived}},
	{"deleted", models.Article{State: models.Deleted, PublishedAt: policyNow.Add(-time.Hour)}},
}

func policyArticle(name string) *models.Article {
	for _, a := range policyArticles {
		if a.name == name {
			art := a.art
			art.AuthorID, art.Revision = theAuthor, 3
			if art.Thread.Policy == "" {
				art.Thread.Policy = models.PolicyOpen
			}
			return &art
		}
	}
	panic(name)
}

// policyComments are the states of a comment.
var policyComments = []struct {
	name    string
	comment models.Comment
}{
	{"pending", models.Comment{State: models.Pending}},
	{"approved", models.Comment{State: models.Approved, Shown: 1}},
	{"rejected", models.Comment{State: models.Rejected}},
	{"rejected above shown replies", models.Comment{State: models.Rejected, Shown: 1, ShownReplies: 1}},
	{"spam", models.Comment{State: models.Spam}},
	{"deleted", models.Comment{State: models.DeletedComment}},
	{"deleted above shown replies", models.Comment{State: models.DeletedComment, Shown: 1, ShownReplies: 1}},
}

// verdict is an answer of the policy in a word.
func verdict(err error) string {
	if err == nil {
		return "yes"
	}
	switch models.KindOf(err) {
	case models.NotFound:
		return "hidden"
	case models.Unauthorized:
		return "sign in"
	case models.Forbidden:
		return "no"
	case models.Conflict:
		return "conflict"
	}
	return "BUG: " + err.Error()
}

type policyTable struct{ strings.Builder }

func (p *policyTable) head(format string, args ...any) {
	fmt.Fprintf(p, "\n%s\n%-24s", fmt.Sprintf(format, args...), "")
	for _, a := range policyActors {
		fmt.Fprintf(p, "%-11s", a.name)
	}
	p.end()
}

func (p *policyTable) row(verb string, ask func(models.Actor) error) {
	fmt.Fprintf(p, "  %-22s", verb)
	for _, a := range policyActors {
		fmt.Fprintf(p, "%-11s", verdict(ask(a.actor)))
	}
	p.end()
}

// end ends a line without the spaces before it.
func (p *policyTable) end() {
	text := strings.TrimRight(p.String(), " ")
	p.Reset()
	p.WriteString(text + "\n")
}

func TestPolicyGolden(t *testing.T) {
	var p policyTable
	p.WriteString(`Who may do what. yes: allowed. hidden: it does not exist for him (NotFound).
sign in: Unauthorized. no: Forbidden. conflict: not in this state.
writer wrote the comment, author the article; author-2 is another author.
`)
	p.head("ANYWHERE")
	p.row("moderate", models.Actor.CanModerate)
	p.row("administer", models.Actor.CanAdminister)
	p.row("write articles", models.Actor.CanWriteArticles)

	for _, a := range policyArticles {
		art := policyArticle(a.name)
		p.head("ARTICLE %s", a.name)
		p.row("see", func(who models.Actor) error { return who.CanSeeArticle(art, policyNow) })
		p.row("edit", func(who models.Actor) error { return who.CanEditArticle(art, policyNow) })
		p.row("delete", func(who models.Actor) error { return who.CanDeleteArticle(art, policyNow) })
		p.row("comment", func(who models.Actor) error { return who.CanComment(art, policyNow) })
		for _, rev := range []struct {
			name     string
			revision models.Revision
		}{
			{"see public revision", models.Revision{Number: 2, State: models.Published}},
			{"see private revision", models.Revision{Number: 1, State: models.Draft}},
			{"see current revision", models.Revision{Number: 3, State: art.State}},
		} {
			p.row(rev.name, func(who models.Actor) error { return who.CanSeeRevision(art, &rev.revision, policyNow) })
		}
	}

	for _, articleState := range []string{"published", "published, comments closed", "archived", "draft", "deleted"} {
		art := policyArticle(articleState)
		for _, c := range policyComments {
			comment := c.comment
			comment.AuthorID, comment.Author, comment.CreatedAt = theWriter, models.User{ID: theWriter, Role: models.Reader}, policyNow.Add(-policyWindow)+1
			late := comment
			late.CreatedAt--
			p.head("COMMENT %s, article %s", c.name, articleState)
			p.row("see", func(who models.Actor) error { return who.CanSeeComment(&comment, art, policyNow) })
			p.row("read", func(who models.Actor) error { return who.CanReadComment(&comment, art, policyNow) })
			p.row("reply", func(who models.Actor) error { return who.CanReply(&comment, art, policyNow) })
			p.row("edit in time", func(who models.Actor) error { return who.CanEditComment(&comment, art, policyNow, policyWindow) })
			p.row("edit too late", func(who models.Actor) error { return who.CanEditComment(&late, art, policyNow, policyWindow) })
			p.row("delete", func(who models.Actor) error { return who.CanDeleteComment(&comment, art, policyNow) })
			p.row("vote", func(who models.Actor) error { return who.CanVote(&comment, art, policyNow) })
			p.row("report", func(who models.Actor) error { return who.CanReport(&comment, art, policyNow) })
			p.row("decide", func(who models.Actor) error { return who.CanDecide(&comment) })
		}
	}

	p.head("DECIDE about an approved comment by")
	for _, by := range []struct {
		name string
		user models.User
	}{
		{"another reader", models.User{ID: 99, Role: models.Reader}},
		{"the article's author", models.User{ID: theAuthor, Role: models.Author}},
		{"the moderator", models.User{ID: theModerator, Role: models.Moderator}},
		{"another moderator", models.User{ID: otherModerator, Role: models.Moderator}},
		{"the admin", models.User{ID: theAdmin, Role: models.Admin}},
		{"another admin", models.User{ID: 98, Role: models.Admin}},
	} {
		comment := models.Comment{State: models.Approved, Shown: 1, AuthorID: by.user.ID, Author: by.user}
		p.row(by.name, func(who models.Actor) error { return who.CanDecide(&comment) })
	}
	golden(t, "policy.golden", p.String())
}

// Rules that must hold for every cell of the table, whatever it says.
func TestPolicyRules(t *testing.T) {
	for _, a := range policyArticles {
		art := policyArticle(a.name)
		for _, c := range policyComments {
			comment := c.comment
			comment.AuthorID, comment.Author, comment.CreatedAt = theWriter, models.User{ID: theWriter, Role: models.Reader}, policyNow
			for _, who := range policyActors {
				name := a.name + "/" + c.name + "/" + who.name
				see := who.actor.CanSeeComment(&comment, art, policyNow)
				writes := map[string]error{
					"comment": who.actor.CanComment(art, policyNow), "reply": who.actor.CanReply(&comment, art, policyNow),
					"edit": who.actor.CanEditComment(&comment, art, policyNow, policyWindow), "delete": who.actor.CanDeleteComment(&comment, art, policyNow),
					"vote": who.actor.CanVote(&comment, art, policyNow), "report": who.actor.CanReport(&comment, art, policyNow),
				}
				for verb, err := range writes {
					if !who.actor.IsSignedIn() && err == nil {
						t.Errorf("%s may %s without an account", name, verb)
					}
					if verb != "comment" && see != nil && err == nil {
						t.Errorf("%s may %s what he may not see", name, verb)
					}
				}
				if see != nil && models.KindOf(see) != models.NotFound {
					t.Errorf("%s: what may not be seen must not exist: %v", name, see)
				}
				if read := who.actor.CanReadComment(&comment, art, policyNow); read == nil && see != nil {
					t.Errorf("%s may read what he may not see", name)
				}
				if who.actor.UserID != theWriter && (writes["edit"] == nil || writes["delete"] == nil) {
					t.Errorf("%s may change another's words", name)
				}
				if who.actor.UserID == theWriter && (writes["vote"] == nil || writes["report"] == nil) {
					t.Errorf("%s may vote on his own words", name)
				}
				for _, verb := range who.actor.CommentCan(&comment, art, policyNow, policyWindow) {
					if err, known := writes[verb]; known && err != nil {
						t.Errorf("%s is offered %s: %v", name, verb, err)
					}
				}
			}
		}
	}
}
