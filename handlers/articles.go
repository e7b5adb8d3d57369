package handlers

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"postil/models"
	"postil/templates"
)

// home lists the published articles, all of them or those with a tag.
func (h *Handlers) home(c *call) error {
	page, err := c.paging()
	if err != nil {
		return err
	}
	tag := c.Query("tag")
	articles, next, err := h.Store.Articles(c.Request.Context(), c.actor, models.ArticleFilter{Tag: tag}, page)
	if err != nil {
		return err
	}
	base, err := c.basePage(h.Site.Name)
	if err != nil {
		return err
	}
	if tag != "" {
		base.Title = "Articles about " + tag
	}
	return c.page(http.StatusOK, templates.HomePage{Page: base, Tag: tag, Articles: h.articleViews(c.actor, articles), Next: c.nextURL(next, "")})
}

func (h *Handlers) articleViews(actor models.Actor, rows []models.Article) []templates.Article {
	return convert(rows, func(a models.Article) templates.Article { return h.articleView(actor, &a) })
}

func (h *Handlers) listArticles(c *call) error {
	page, err := c.paging()
	if err != nil {
		return err
	}
	filter := models.ArticleFilter{Tag: c.Query("tag"), Author: c.Query("author"), Mine: c.Query("mine") == "true", State: models.ArticleState(c.Query("state"))}
	articles, next, err := h.Store.Articles(c.Request.Context(), c.actor, filter, page)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, list(h.articleViews(c.actor, articles), next))
}

func (h *Handlers) showArticle(c *call) error {
	art, err := h.Store.Article(c.Request.Context(), c.actor, c.Param("slug"))
	if err != nil {
		return err
	}
	return c.article(http.StatusOK, &art)
}

// article answers with an article as JSON; its ETag is its revision.
func (c *call) article(status int, art *models.Article) error {
	c.Writer.Header().Set("ETag", etag(art.Revision))
	return c.json(status, c.h.articleView(c.actor, art))
}

func etag(revision int64) string { return fmt.Sprintf(`"%d"`, revision) }

// articleBody is an article as programs send it; what is absent stays as it is.
type articleBody struct {
	Title           *string               `json:"title"`
	Standfirst      *string               `json:"standfirst"`
	Body            *string               `json:"body"`
	Slug            *string               `json:"slug"`
	Message         string                `json:"message"`
	State           *models.ArticleState  `json:"state"`
	CommentPolicy   *models.CommentPolicy `json:"comment_policy"`
	ClosesAfterDays *int                  `json:"closes_after_days"`
	PublishAt       *string               `json:"publish_at"`
	Tags            *[]string             `json:"tags"`
}

func (b articleBody) change() (models.ArticleChange, error) {
	change := models.ArticleChange{Title: b.Title, Standfirst: b.Standfirst, Body: b.Body, Slug: b.Slug, Message: b.Message, State: b.State,
		CommentPolicy: b.CommentPolicy, ClosesAfterDays: b.ClosesAfterDays, Tags: b.Tags}
	if b.PublishAt != nil {
		moment, err := parseMoment("publish_at", *b.PublishAt)
		if err != nil {
			return change, err
		}
		change.PublishAt = &moment
	}
	return change, nil
}

// parseMoment reads a moment as RFC 3339 writes it, or as a browser's
// datetime-local field does, which is taken for UTC. "" is no moment.
func parseMoment(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if moment, err := time.Parse(layout, text); err == nil {
			return moment.UTC(), nil
		}
	}
	return time.Time{}, badRequest(field, "must be a moment such as 2027-01-31T09:00:00Z")
}

func (b articleBody) input() (models.ArticleInput, error) {
	change, err := b.change()
	in := models.ArticleInput{Title: deref(b.Title), Standfirst: deref(b.Standfirst), Body: deref(b.Body), Slug: deref(b.Slug), Message: b.Message,
		State: deref(b.State), CommentPolicy: deref(b.CommentPolicy), ClosesAfterDays: deref(b.ClosesAfterDays), PublishAt: deref(change.PublishAt), Tags: deref(b.Tags)}
	return in, err
}

func deref[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}

func (h *Handlers) createArticle(c *call) error {
	var body articleBody
	if err := c.bind(&body); err != nil {
		return err
	}
	in, err := body.input()
	if err != nil {
		return err
	}
	art, err := h.Store.CreateArticle(c.Request.Context(), c.actor, in)
	if err != nil {
		return err
	}
	art.Author = models.User{Username: c.actor.Username, DisplayName: c.actor.DisplayName, Role: c.actor.Role}
	c.Writer.Header().Set("Location", apiPrefix+articleURL(art.Slug))
	return c.article(http.StatusCreated, &art)
}

// patchArticle saves a change over the revision that If-Match names, so that
// nobody overwrites what he has not read.
func (h *Handlers) patchArticle(c *call) error {
	var body articleBody
	if err := c.bind(&body); err != nil {
		return err
	}
	change, err := body.change()
	if err != nil {
		return err
	}
	revision, err := c.ifMatch(true)
	if err != nil {
		// Who may not see or edit the article learns that first.
		if art, missing := h.Store.Article(c.Request.Context(), c.actor, c.Param("slug")); missing != nil {
			return missing
		} else if refused := c.actor.CanEditArticle(&art, models.At(h.Now())); refused != nil {
			return refused
		}
		return err
	}
	art, err := h.Store.UpdateArticle(c.Request.Context(), c.actor, c.Param("slug"), revision, change)
	if models.KindOf(err) == models.Stale {
		return &staleSave{err, templates.Draft{Title: deref(body.Title), Body: deref(body.Body)}}
	}
	if err != nil {
		return err
	}
	return c.article(http.StatusOK, &art)
}

// ifMatch reads the revision that a change was made from; 0 stands for any.
func (c *call) ifMatch(required bool) (int64, error) {
	header := strings.TrimSpace(c.Request.Header.Get("If-Match"))
	switch {
	case header == "" && required:
		return 0, &httpError{http.StatusPreconditionRequired, "Send If-Match with the ETag of the revision that you changed, so that nobody’s work is overwritten.", nil}
	case header == "" || header == "*":
		return 0, nil
	}
	var revision int64
	text := strings.TrimPrefix(header, "W/") // some proxies weaken it when they compress
	if _, err := fmt.Sscanf(text, `"%d"`, &revision); err != nil || etag(revision) != text || revision <= 0 {
		return -1, nil // names no revision, so none matches: stale
	}
	return revision, nil
}

func (h *Handlers) deleteArticle(c *call) error {
	revision, err := c.ifMatch(false)
	if err != nil {
		return err
	}
	if err := h.Store.DeleteArticle(c.Request.Context(), c.actor, c.Param("slug"), revision); err != nil {
		return err
	}
	if c.api {
		return c.nothing()
	}
	return c.redirect("/desk")
}

// nothing answers that it is done and there is nothing to say.
func (c *call) nothing() error {
	c.private()
	c.Status(http.StatusNoContent)
	c.Writer.WriteHeaderNow()
	return nil
}

func (h *Handlers) listRevisions(c *call) error {
	page, err := c.paging()
	if err != nil {
		return err
	}
	art, revisions, next, err := h.Store.Revisions(c.Request.Context(), c.actor, c.Param("slug"), page)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, list(convert(revisions, revisionView(art.Revision)), next))
}

func (h *Handlers) showRevision(c *call) error {
	number, err := c.id("number")
	if err != nil {
		return err
	}
	art, rev, err := h.Store.Revision(c.Request.Context(), c.actor, c.Param("slug"), number)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, revisionView(art.Revision)(rev))
}

func (h *Handlers) restoreRevision(c *call) error {
	number, err := c.id("number")
	if err != nil {
		return err
	}
	revision, err := c.ifMatch(false)
	if err != nil {
		return err
	}
	art, err := h.Store.RestoreRevision(c.Request.Context(), c.actor, c.Param("slug"), number, revision)
	if err != nil {
		return err
	}
	if c.api {
		return c.article(http.StatusCreated, &art)
	}
	return c.redirect(articleURL(art.Slug) + "/revisions")
}

func (h *Handlers) revisionsPage(c *call) error {
	page, err := c.paging()
	if err != nil {
		return err
	}
	art, revisions, next, err := h.Store.Revisions(c.Request.Context(), c.actor, c.Param("slug"), page)
	if err != nil {
		return err
	}
	base, err := c.basePage("Revisions of " + art.Title)
	if err != nil {
		return err
	}
	return c.page(http.StatusOK, templates.RevisionsPage{Page: base, Article: h.articleView(c.actor, &art),
		Revisions: convert(revisions, revisionView(art.Revision)), Next: c.nextURL(next, "")})
}

func (h *Handlers) revisionPage(c *call) error {
	number, err := c.id("number")
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	art, rev, err := h.Store.Revision(ctx, c.actor, c.Param("slug"), number)
	if err != nil {
		return err
	}
	before, after, err := h.Store.Neighbours(ctx, c.actor, &art, number)
	if err != nil {
		return err
	}
	base, err := c.basePage(fmt.Sprintf("Revision %d of %s", number, art.Title))
	if err != nil {
		return err
	}
	return c.page(http.StatusOK, templates.RevisionPage{Page: base, Article: h.articleView(c.actor, &art), Revision: revisionView(art.Revision)(rev),
		Previous: before, NextNumber: after, CanRestore: rev.Number != art.Revision && c.actor.CanEditArticle(&art, models.At(h.Now())) == nil})
}

// comparePage shows what changed; without numbers, what the last save changed.
func (h *Handlers) comparePage(c *call) error {
	ctx := c.Request.Context()
	var in struct{ from, to int64 }
	for name, into := range map[string]*int64{"from": &in.from, "to": &in.to} {
		if text := c.Query(name); text != "" {
			if _, err := fmt.Sscanf(text, "%d", into); err != nil || fmt.Sprint(*into) != text || *into <= 0 {
				return badRequest(name, "must be the number of a revision")
			}
		}
	}
	art, err := h.Store.Article(ctx, c.actor, c.Param("slug"))
	if err != nil {
		return err
	}
	if in.to == 0 {
		in.to = art.Revision
	}
	if in.from == 0 {
		if in.from, _, err = h.Store.Neighbours(ctx, c.actor, &art, in.to); err != nil {
			return err
		}
		if in.from == 0 {
			in.from = in.to
		}
	}
	comparison, err := h.Store.Compare(ctx, c.actor, art.Slug, in.from, in.to)
	if err != nil {
		return err
	}
	base, err := c.basePage("What changed in " + art.Title)
	if err != nil {
		return err
	}
	view := revisionView(art.Revision)
	return c.page(http.StatusOK, templates.ComparePage{Page: base, Article: h.articleView(c.actor, &art), From: view(comparison.From), To: view(comparison.To),
		Blocks: blockViews(comparison.Blocks), TitleDiff: spanViews(comparison.Title), Added: comparison.Stats.Added, Removed: comparison.Stats.Removed,
		CanRestore: in.from != art.Revision && c.actor.CanEditArticle(&art, models.At(h.Now())) == nil})
}

// asStale gives the article as it is now, if that is why a save failed.
func asStale(err error) *models.Article {
	var known *models.Error
	if errors.As(err, &known) && known.Kind == models.Stale {
		return known.Current
	}
	return nil
}
