package handlers

import (
	"html/template"
	"net/http"
	"strings"

	"postil/models"
	"postil/templates"
)

// deskPage lists what the author works on.
func (h *Handlers) deskPage(c *call) error {
	page, err := c.paging()
	if err != nil {
		return err
	}
	state := models.ArticleState(c.Query("state"))
	articles, next, err := h.Store.Articles(c.Request.Context(), c.actor, models.ArticleFilter{Mine: true, State: state}, page)
	if err != nil {
		return err
	}
	base, err := c.basePage("Desk")
	if err != nil {
		return err
	}
	return c.page(http.StatusOK, templates.DeskPage{Page: base, Articles: h.articleViews(c.actor, articles), State: string(state),
		All: c.actor.Role == models.Admin, Next: c.nextURL(next, "")})
}

// newArticle is the address of an article that does not exist yet. No article
// can have it for a slug on the desk, where it is listed under its own.
const newArticle = "new"

// editorPage opens an article for editing, or an empty one.
func (h *Handlers) editorPage(c *call) error {
	if c.Param("slug") == newArticle {
		if err := c.actor.CanWriteArticles(); err != nil {
			return err
		}
		page := templates.EditorPage{State: string(models.Draft), CommentPolicy: string(models.PolicyFirstComment)}
		return h.showEditor(c, http.StatusOK, page, nil)
	}
	art, err := h.Store.Article(c.Request.Context(), c.actor, c.Param("slug"))
	if err != nil {
		return err
	}
	if err := c.actor.CanEditArticle(&art, models.At(h.Now())); err != nil {
		return err
	}
	page := templates.EditorPage{Revision: art.Revision, TitleText: art.Title, Standfirst: art.Standfirst, Body: art.Body, Slug: art.Slug, Tags: strings.Join(art.Tags, ", "),
		State: string(art.State), CommentPolicy: string(art.Thread.Policy), ClosesAfterDays: art.Thread.ClosesAfterDays}
	if art.PublishAt != 0 {
		page.PublishAt = art.PublishAt.Time().Format("2006-01-02T15:04")
	}
	if c.Query("saved") != "" {
		page.Notice = "Saved as revision " + c.Query("saved") + "."
	}
	return h.showEditor(c, http.StatusOK, page, &art)
}

func (h *Handlers) showEditor(c *call, status int, page templates.EditorPage, art *models.Article) error {
	kept := page.Page
	base, err := c.basePage("New article")
	if err != nil {
		return err
	}
	if art != nil {
		base.Title = "Editing " + art.Title
		page.Article = h.articleView(c.actor, art)
		page.CanDelete = c.actor.CanDeleteArticle(art, models.At(h.Now())) == nil
	}
	base.Error, base.Fields, base.Notice, base.NoIndex = kept.Error, kept.Fields, kept.Notice, true
	page.Page = base
	return c.page(status, page)
}

// editorForm is the editor's form as it is sent.
type editorForm struct {
	Title           string `json:"title"`
	Standfirst      string `json:"standfirst"`
	Body            string `json:"body"`
	Slug            string `json:"slug"`
	Tags            string `json:"tags"`
	State           string `json:"state"`
	CommentPolicy   string `json:"comment_policy"`
	ClosesAfterDays int    `json:"closes_after_days"`
	PublishAt       string `json:"publish_at"`
	Message         string `json:"message"`
	Revision        int64  `json:"revision"`
	Action          string `json:"action"`
}

func (f editorForm) page() templates.EditorPage {
	return templates.EditorPage{Revision: f.Revision, Message: f.Message, TitleText: f.Title, Standfirst: f.Standfirst, Body: f.Body, Slug: f.Slug, Tags: f.Tags,
		State: f.State, CommentPolicy: f.CommentPolicy, PublishAt: f.PublishAt, ClosesAfterDays: f.ClosesAfterDays}
}

func (f editorForm) change() (models.ArticleChange, error) {
	moment, err := parseMoment("publish_at", f.PublishAt)
	state, policy, tags := models.ArticleState(f.State), models.CommentPolicy(f.CommentPolicy), strings.Split(f.Tags, ",")
	change := models.ArticleChange{Title: &f.Title, Standfirst: &f.Standfirst, Body: &f.Body, Message: f.Message, State: &state, CommentPolicy: &policy,
		ClosesAfterDays: &f.ClosesAfterDays, PublishAt: &moment, Tags: &tags}
	if f.Slug != "" {
		change.Slug = &f.Slug
	}
	return change, err
}

// saveArticle saves the editor's form, shows its preview, or gives it back with
// what is wrong. After somebody else's save it shows both texts.
func (h *Handlers) saveArticle(c *call) error {
	var form editorForm
	if err := c.bind(&form); err != nil {
		return err
	}
	form.Body = strings.ReplaceAll(form.Body, "\r\n", "\n")
	art, err := h.articleToSave(c)
	if err != nil {
		return err
	}
	page := form.page()
	if form.Action == "preview" {
		return h.previewInEditor(c, page, art)
	}
	change, err := form.change()
	var saved models.Article
	if err == nil && art == nil {
		saved, err = h.Store.CreateArticle(c.Request.Context(), c.actor, inputOf(change))
	} else if err == nil {
		saved, err = h.Store.UpdateArticle(c.Request.Context(), c.actor, art.Slug, max(form.Revision, 1), change)
	}
	if err == nil {
		return c.redirect("/desk/" + pathEscape(saved.Slug) + "?saved=" + formatInt(saved.Revision))
	}
	status, ok := c.comeBack(err, &page.Page)
	if !ok {
		return err
	}
	if now := asStale(err); now != nil {
		if page.Conflict, err = h.conflict(c, now, form.Body); err != nil {
			return err
		}
		page.Revision, art = now.Revision, now
	}
	return h.showEditor(c, status, page, art)
}

// articleToSave is the article a form is for; nil for a new one.
func (h *Handlers) articleToSave(c *call) (*models.Article, error) {
	if c.Param("slug") == newArticle {
		return nil, c.actor.CanWriteArticles()
	}
	art, err := h.Store.Article(c.Request.Context(), c.actor, c.Param("slug"))
	if err != nil {
		return nil, err
	}
	return &art, c.actor.CanEditArticle(&art, models.At(h.Now()))
}

func inputOf(change models.ArticleChange) models.ArticleInput {
	return models.ArticleInput{Title: *change.Title, Standfirst: *change.Standfirst, Body: *change.Body, Slug: deref(change.Slug), Message: change.Message,
		State: *change.State, CommentPolicy: *change.CommentPolicy, ClosesAfterDays: *change.ClosesAfterDays, PublishAt: *change.PublishAt, Tags: *change.Tags}
}

func (h *Handlers) previewInEditor(c *call, page templates.EditorPage, art *models.Article) error {
	html, _, err := h.Store.PreviewArticle(c.Request.Context(), page.Body)
	if err != nil {
		status, ok := c.comeBack(err, &page.Page)
		if !ok {
			return err
		}
		return h.showEditor(c, status, page, art)
	}
	page.Preview = template.HTML(html)
	return h.showEditor(c, http.StatusOK, page, art)
}

// conflict shows what somebody else saved beside what was typed.
func (h *Handlers) conflict(c *call, now *models.Article, yours string) (*templates.Conflict, error) {
	_, rev, err := h.Store.Revision(c.Request.Context(), c.actor, now.Slug, now.Revision)
	if err != nil {
		return nil, err
	}
	blocks, err := h.Store.DiffTexts(c.Request.Context(), now.Body, yours)
	return &templates.Conflict{Revision: now.Revision, Author: userView(rev.Author), Title: now.Title, Body: now.Body, Diff: blockViews(blocks)}, err
}
