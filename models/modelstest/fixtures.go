package modelstest

import (
	"context"
	"fmt"

	"postil/models"
)

// User makes an account and signs it in: the actor that comes back has a real
// session of its own.
func (fx *Fixture) User(role models.Role, name string) models.Actor {
	fx.t.Helper()
	_, err := fx.AddUser(context.Background(), models.System(), models.AddUserInput{
		RegisterInput: models.RegisterInput{Username: name, Email: name + "@example.org", Password: Password}, Role: role})
	if err != nil {
		fx.t.Fatalf("add %s %s: %v", role, name, err)
	}
	return fx.SignedIn(name)
}

// SignedIn opens another session for an account of the fixture.
func (fx *Fixture) SignedIn(name string) models.Actor {
	fx.t.Helper()
	asking := models.Actor{Network: Network, UserAgent: "modelstest"}
	_, grant, err := fx.SignIn(context.Background(), asking, models.SignInInput{Login: name, Password: Password}, models.PageSession)
	if err != nil {
		fx.t.Fatalf("sign in %s: %v", name, err)
	}
	actor, err := fx.ActorByCookie(context.Background(), grant.Token)
	if err != nil {
		fx.t.Fatalf("find the actor %s: %v", name, err)
	}
	actor.Network, actor.UserAgent = asking.Network, asking.UserAgent
	return actor
}

// Article saves an article, published and open for comments unless a mod says
// otherwise.
func (fx *Fixture) Article(author models.Actor, mods ...func(*models.ArticleInput)) models.Article {
	fx.t.Helper()
	in := models.ArticleInput{Title: "On margins", Body: "A margin is where the reader writes.", State: models.Published, CommentPolicy: models.PolicyOpen}
	for _, mod := range mods {
		mod(&in)
	}
	art, err := fx.CreateArticle(context.Background(), author, in)
	if err != nil {
		fx.t.Fatalf("create article %q: %v", in.Title, err)
	}
	return art
}

// Policy is a mod for Article.
func Policy(p models.CommentPolicy) func(*models.ArticleInput) {
	return func(in *models.ArticleInput) { in.CommentPolicy = p }
}

// State is a mod for Article.
func State(s models.ArticleState) func(*models.ArticleInput) {
	return func(in *models.ArticleInput) { in.State = s }
}

// Slug is a mod for Article.
func Slug(slug string) func(*models.ArticleInput) {
	return func(in *models.ArticleInput) { in.Slug = slug }
}

// Comment posts a comment, or a reply when parent is not 0.
func (fx *Fixture) Comment(actor models.Actor, slug, body string, parent int64) models.Comment {
	fx.t.Helper()
	c, err := fx.CreateComment(context.Background(), actor, slug, models.CommentInput{Body: body, ParentID: parent})
	if err != nil {
		fx.t.Fatalf("comment on %s: %v", slug, err)
	}
	return c
}

// Reload loads a comment as the operator sees it.
func (fx *Fixture) Reload(id int64) models.Comment {
	fx.t.Helper()
	c, err := fx.Store.Comment(context.Background(), models.System(), id)
	if err != nil {
		fx.t.Fatalf("load comment %d: %v", id, err)
	}
	return c
}

// Approve approves comments.
func (fx *Fixture) Approve(moderator models.Actor, ids ...int64) models.Decision {
	fx.t.Helper()
	return fx.Decide(moderator, models.Approve, "", ids...)
}

// Decide decides about comments.
func (fx *Fixture) Decide(moderator models.Actor, kind models.DecisionKind, reason string, ids ...int64) models.Decision {
	fx.t.Helper()
	d, err := fx.Store.Decide(context.Background(), moderator, models.DecisionInput{CommentIDs: ids, Kind: kind, Reason: reason})
	if err != nil {
		fx.t.Fatalf("%s %s: %v", kind, fmt.Sprint(ids), err)
	}
	return d
}
