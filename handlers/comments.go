package handlers

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"

	"postil/markup"
	"postil/models"
	"postil/templates"
)

func pathEscape(s string) string { return url.PathEscape(s) }

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }

// displayDepth is how deep replies nest on a page; deeper ones continue flat.
const displayDepth = 4

// commentBody is a comment as it is sent.
type commentBody struct {
	Body     string `json:"body"`
	ParentID *int64 `json:"parent_id"`
}

type commentForm struct {
	Body     string `json:"body"`
	ParentID int64  `json:"parent_id"`
	Action   string `json:"action"`
}

// createComment posts a comment or a reply.
func (h *Handlers) createComment(c *call) error {
	var form commentForm
	if c.api {
		var body commentBody
		if err := c.bind(&body); err != nil {
			return err
		}
		form.Body, form.ParentID = body.Body, deref(body.ParentID)
		if body.ParentID != nil && *body.ParentID <= 0 {
			return badRequest("parent_id", "must be the id of a comment, or null")
		}
	} else if err := c.bind(&form); err != nil {
		return err
	}
	if form.Action == "preview" {
		html, err := c.previewComment(form.Body)
		return h.composerAgain(c, form, html, err)
	}
	comment, err := h.Store.CreateComment(c.Request.Context(), c.actor, c.Param("slug"), models.CommentInput{Body: form.Body, ParentID: form.ParentID})
	if err != nil && !c.api {
		return h.composerAgain(c, form, "", err)
	}
	if err != nil {
		return err
	}
	c.Writer.Header().Set("Location", apiPrefix+commentURL(comment.ID))
	return c.done(http.StatusCreated, h.commentView(c.actor, &comment), commentURL(comment.ID)+"#c"+formatInt(comment.ID))
}

// composerAgain shows the page a comment was written on with what was typed,
// and its preview or what is wrong with it.
func (h *Handlers) composerAgain(c *call, form commentForm, preview string, cause error) error {
	status := http.StatusOK
	var again templates.Page
	if cause != nil {
		var ok bool
		if status, ok = c.comeBack(cause, &again); !ok {
			return cause
		}
		if again.Fields["body"] != "" {
			again.Error = "The comment " + again.Fields["body"] + "."
		}
	}
	fill := func(composer *templates.Composer) {
		composer.Body, composer.Preview, composer.Error = form.Body, template.HTML(preview), again.Error
	}
	if form.ParentID == 0 {
		page, err := h.articleWithDiscussion(c, models.Best, models.Page{})
		if err != nil {
			return err
		}
		if page.Composer == nil {
			return noComposer(cause, page.Article) // the error page gives the text back
		}
		fill(page.Composer)
		return c.page(status, page)
	}
	page, err := h.threadWithReplies(c, form.ParentID)
	switch {
	case err != nil && cause != nil:
		return cause
	case err != nil:
		return err
	case page.Composer == nil:
		return noComposer(cause, page.Article)
	}
	fill(page.Composer)
	return c.page(status, page)
}

// noComposer is what to answer when there is no form to come back to: what went
// wrong, or why a mere preview has no place here.
func noComposer(cause error, art templates.Article) error {
	switch {
	case cause != nil:
		return cause
	case art.CommentClosedWhy != "":
		return &models.Error{Kind: models.Forbidden, Message: art.CommentClosedWhy}
	}
	return &models.Error{Kind: models.Conflict, Message: "This comment cannot be answered."}
}

// previewComment renders a comment for whoever could post one.
func (c *call) previewComment(body string) (string, error) {
	if !c.actor.IsSignedIn() {
		return "", errPreview
	}
	return c.h.Store.PreviewComment(c.Request.Context(), body)
}

var errPreview = &models.Error{Kind: models.Unauthorized, Message: "Sign in to see a preview."}

func (h *Handlers) articlePage(c *call) error {
	page, err := c.paging()
	if err != nil {
		return err
	}
	view, err := h.articleWithDiscussion(c, models.Sort(c.Query("sort")), page)
	if err != nil {
		return err
	}
	c.Writer.Header().Set("Link", "<"+apiPrefix+articleURL(view.Article.Slug)+`>; rel="alternate"; type="application/json"`)
	return c.page(http.StatusOK, view)
}

func (h *Handlers) articleWithDiscussion(c *call, sort models.Sort, page models.Page) (*templates.ArticlePage, error) {
	if sort == "" {
		sort = models.Best
	}
	d, err := h.Store.Discussion(c.Request.Context(), c.actor, c.Param("slug"), sort, page)
	if err != nil {
		return nil, err
	}
	base, err := c.basePage(d.Article.Title)
	if err != nil {
		return nil, err
	}
	if !c.isRead() {
		base.Path = articleURL(d.Article.Slug)
	}
	view := &templates.ArticlePage{Page: base, Article: h.articleView(c.actor, &d.Article), Sort: string(sort), Policy: policyWords[d.Article.Thread.Policy],
		Next: c.nextOf(articleURL(d.Article.Slug), d.Next, "#discussion"), Revised: d.Article.Revision > 1 && d.Article.UpdatedAt > d.Article.PublishedAt}
	for _, root := range d.Roots {
		view.Comments = append(view.Comments, h.node(c.actor, root, 0))
	}
	for _, own := range d.Own {
		view.Own = append(view.Own, &templates.CommentNode{Comment: h.commentView(c.actor, own)})
	}
	view.Composer = h.composer(c, &d.Article, nil)
	return view, nil
}

// node shows a branch of a discussion, nested to displayDepth and flat below.
func (h *Handlers) node(actor models.Actor, b *models.Branch, level int) *templates.CommentNode {
	n := &templates.CommentNode{Comment: h.commentView(actor, b.Comment), Changed: b.Revision > 0 && b.Revision < b.Article.Revision}
	if b.More > 0 {
		n.MoreURL, n.MoreCount = commentURL(b.ID), b.More
		if b.Next != "" {
			n.MoreURL += "?cursor=" + b.Next
		}
	}
	for _, reply := range b.Replies {
		child := h.node(actor, reply, level+1)
		if level+1 < displayDepth {
			n.Children = append(n.Children, child)
			continue
		}
		grandchildren := child.Children
		child.Children = nil
		if level+1 > displayDepth {
			child.InReplyTo = replyTo(b.Comment)
		}
		n.Children = append(append(n.Children, child), grandchildren...)
	}
	return n
}

// replyTo names the comment that a flattened reply answers.
func replyTo(c *models.Comment) *templates.ReplyTo {
	name := "a removed comment"
	if c.State == models.Approved {
		name = c.Author.DisplayName
	}
	return &templates.ReplyTo{ID: c.ID, Name: name}
}

// composer is the form for a comment, or for a reply to parent; nil when the
// actor may not write one.
func (h *Handlers) composer(c *call, art *models.Article, parent *models.Comment) *templates.Composer {
	now := models.At(h.Now())
	if c.actor.CanComment(art, now) != nil {
		return nil
	}
	composer := &templates.Composer{Action: articleURL(art.Slug) + "/comments", Button: "Post", DraftKey: "comment:" + art.Slug, MaxRunes: markup.MaxCommentRunes}
	if h.Store.WouldHold(c.Request.Context(), c.actor, art) {
		composer.Button = "Send to moderators"
	}
	if parent != nil {
		if c.actor.CanReply(parent, art, now) != nil {
			return nil
		}
		composer.ParentID, composer.ParentName, composer.DraftKey = parent.ID, parent.Author.DisplayName, fmt.Sprintf("reply:%d", parent.ID)
	}
	return composer
}

// threadPage is what a permalink opens.
func (h *Handlers) threadPage(c *call) error {
	id, err := c.id("id")
	if err != nil {
		return err
	}
	page, err := h.threadWithReplies(c, id)
	if err != nil {
		return err
	}
	if c.Query("reported") != "" {
		page.Notice = "Thank you. A moderator will read your report."
	}
	return c.page(http.StatusOK, page)
}

func (h *Handlers) threadWithReplies(c *call, id int64) (*templates.ThreadPage, error) {
	paging, err := c.paging()
	if err != nil {
		return nil, err
	}
	focus, err := h.Store.Focus(c.Request.Context(), c.actor, id, paging)
	if err != nil {
		return nil, err
	}
	title := "A comment on " + focus.Article.Title
	base, err := c.basePage(title)
	if err != nil {
		return nil, err
	}
	page := &templates.ThreadPage{Page: base, HiddenAncestors: focus.Above, Comment: h.node(c.actor, focus.Branch, 0), Next: c.nextOf(commentURL(id), focus.Branch.Next, "")}
	page.Article = h.articleView(c.actor, &focus.Article)
	page.Article.HTML, page.Article.Body = "", ""
	page.Comment.Focus, page.Comment.MoreURL, page.Comment.MoreCount = true, "", 0
	for _, a := range focus.Ancestors {
		page.Ancestors = append(page.Ancestors, h.node(c.actor, &models.Branch{Comment: a}, 0))
	}
	page.Composer = h.composer(c, &focus.Article, focus.Branch.Comment)
	return page, nil
}

// discussionItem is a root of a discussion with its oldest replies, as programs
// read it.
type discussionItem struct {
	templates.Comment
	Replies []templates.Comment `json:"replies"` // the oldest below it, parents before children
}

func (h *Handlers) listComments(c *call) error {
	page, err := c.paging()
	if err != nil {
		return err
	}
	d, err := h.Store.Discussion(c.Request.Context(), c.actor, c.Param("slug"), models.Sort(c.Query("sort")), page)
	if err != nil {
		return err
	}
	items := convert(d.Roots, func(root *models.Branch) discussionItem {
		item := discussionItem{Comment: h.commentView(c.actor, root.Comment), Replies: []templates.Comment{}}
		var add func(*models.Branch)
		add = func(b *models.Branch) {
			for _, reply := range b.Replies {
				item.Replies = append(item.Replies, h.commentView(c.actor, reply.Comment))
				add(reply)
			}
		}
		add(root)
		return item
	})
	return c.json(http.StatusOK, list(items, d.Next))
}

func (h *Handlers) listReplies(c *call) error {
	id, err := c.id("id")
	if err != nil {
		return err
	}
	page, err := c.paging()
	if err != nil {
		return err
	}
	rows, next, err := h.Store.Replies(c.Request.Context(), c.actor, id, page)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, list(convert(rows, c.comment), next))
}

// comment is commentView for the actor of this call.
func (c *call) comment(row *models.Comment) templates.Comment { return c.h.commentView(c.actor, row) }

func (h *Handlers) showComment(c *call) error {
	comment, err := c.loadComment()
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, c.comment(&comment))
}

// loadComment loads the comment that the path names.
func (c *call) loadComment() (models.Comment, error) {
	id, err := c.id("id")
	if err != nil {
		return models.Comment{}, err
	}
	return c.h.Store.Comment(c.Request.Context(), c.actor, id)
}

func (h *Handlers) editCommentPage(c *call) error {
	comment, err := c.loadComment()
	if err != nil {
		return err
	}
	if err := c.actor.CanEditComment(&comment, comment.Article, models.At(h.Now()), h.Store.EditWindow()); err != nil {
		return err
	}
	return h.showCommentEditor(c, http.StatusOK, &comment, templates.Composer{Body: comment.Body})
}

func (h *Handlers) showCommentEditor(c *call, status int, comment *models.Comment, composer templates.Composer) error {
	base, err := c.basePage("Editing your comment")
	if err != nil {
		return err
	}
	base.NoIndex = true
	composer.Action, composer.Button, composer.MaxRunes = commentURL(comment.ID)+"/edit", "Save", markup.MaxCommentRunes
	composer.DraftKey = fmt.Sprintf("edit:%d", comment.ID)
	return c.page(status, templates.CommentEditPage{Page: base, Article: h.articleView(c.actor, comment.Article), Comment: c.comment(comment), Composer: composer,
		Until: comment.CreatedAt.Add(h.Store.EditWindow()).Time().Format("15:04 UTC")})
}

// editComment changes one's own comment.
func (h *Handlers) editComment(c *call) error {
	id, err := c.id("id")
	if err != nil {
		return err
	}
	var form commentForm
	if c.api {
		var in struct {
			Body *string `json:"body"`
		}
		if err := c.bind(&in); err != nil {
			return err
		}
		form.Body = deref(in.Body)
	} else if err := c.bind(&form); err != nil {
		return err
	}
	if form.Action == "preview" {
		html, err := c.previewComment(form.Body)
		return h.editAgain(c, form, html, err)
	}
	comment, err := h.Store.EditComment(c.Request.Context(), c.actor, id, form.Body)
	if err != nil && !c.api {
		return h.editAgain(c, form, "", err)
	}
	if err != nil {
		return err
	}
	return c.done(http.StatusOK, c.comment(&comment), commentURL(id)+"#c"+formatInt(id))
}

func (h *Handlers) editAgain(c *call, form commentForm, preview string, cause error) error {
	status := http.StatusOK
	composer := templates.Composer{Body: form.Body, Preview: template.HTML(preview)}
	if cause != nil {
		var again templates.Page
		var ok bool
		if status, ok = c.comeBack(cause, &again); !ok {
			return cause
		}
		composer.Error = again.Error
		if again.Fields["body"] != "" {
			composer.Error = "The comment " + again.Fields["body"] + "."
		}
	}
	comment, err := c.loadComment()
	if err == nil {
		err = c.actor.CanEditComment(&comment, comment.Article, models.At(h.Now()), h.Store.EditWindow())
	}
	if err != nil {
		return err // not for him to edit: the error page gives the text back
	}
	return h.showCommentEditor(c, status, &comment, composer)
}

func (h *Handlers) deleteCommentPage(c *call) error {
	comment, err := c.loadComment()
	if err != nil {
		return err
	}
	if err := c.actor.CanDeleteComment(&comment, comment.Article, models.At(h.Now())); err != nil {
		return err
	}
	base, err := c.basePage("Delete your comment")
	if err != nil {
		return err
	}
	base.NoIndex = true
	return c.page(http.StatusOK, templates.CommentDeletePage{Page: base, Article: h.articleView(c.actor, comment.Article), Comment: c.comment(&comment)})
}

func (h *Handlers) deleteComment(c *call) error {
	id, err := c.id("id")
	if err != nil {
		return err
	}
	comment, err := h.Store.DeleteComment(c.Request.Context(), c.actor, id)
	if err != nil {
		return err
	}
	if c.api {
		return c.nothing()
	}
	return c.redirect(articleURL(comment.Article.Slug) + "#discussion")
}

func (h *Handlers) historyPage(c *call) error {
	id, err := c.id("id")
	if err != nil {
		return err
	}
	comment, versions, err := h.Store.CommentHistory(c.Request.Context(), c.actor, id)
	if err != nil {
		return err
	}
	base, err := c.basePage("Earlier texts of a comment")
	if err != nil {
		return err
	}
	base.NoIndex = true
	return c.page(http.StatusOK, templates.CommentHistoryPage{Page: base, Article: h.articleView(c.actor, comment.Article), Comment: c.comment(&comment),
		Versions: convert(versions, versionView)})
}

func versionView(v models.Version) templates.Version {
	return templates.Version{Number: int(v.Number), Body: v.Body, HTML: template.HTML(v.HTML), CreatedAt: v.CreatedAt.Pointer()}
}

func (h *Handlers) showHistory(c *call) error {
	id, err := c.id("id")
	if err != nil {
		return err
	}
	_, versions, err := h.Store.CommentHistory(c.Request.Context(), c.actor, id)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, list(convert(versions, versionView), ""))
}

// vote sets or, on a page, takes back a vote.
func (h *Handlers) vote(c *call) error {
	id, err := c.id("id")
	if err != nil {
		return err
	}
	var in struct {
		Value *int `json:"value"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	if in.Value == nil || c.api && *in.Value == 0 {
		return &models.Error{Kind: models.Invalid, Message: "Please correct the field below.", Fields: []models.FieldError{{Field: "value", Message: "must be 1 or -1"}}}
	}
	return h.setVote(c, id, *in.Value)
}

func (h *Handlers) withdrawVote(c *call) error {
	id, err := c.id("id")
	if err != nil {
		return err
	}
	return h.setVote(c, id, 0)
}

func (h *Handlers) setVote(c *call, id int64, value int) error {
	comment, err := h.Store.Vote(c.Request.Context(), c.actor, id, value)
	if err != nil {
		return err
	}
	return c.done(http.StatusOK, c.comment(&comment), commentURL(id)+"#c"+formatInt(id))
}

func (h *Handlers) reportPage(c *call) error {
	comment, err := c.loadComment()
	if err != nil {
		return err
	}
	if err := c.actor.CanReport(&comment, comment.Article, models.At(h.Now())); err != nil {
		return err
	}
	return h.showReport(c, http.StatusOK, &comment, templates.CommentReportPage{})
}

func (h *Handlers) showReport(c *call, status int, comment *models.Comment, page templates.CommentReportPage) error {
	kept := page.Page
	base, err := c.basePage("Report a comment")
	if err != nil {
		return err
	}
	base.Error, base.Fields, base.NoIndex = kept.Error, kept.Fields, true
	page.Page, page.Article, page.Comment, page.Reasons = base, h.articleView(c.actor, comment.Article), c.comment(comment), reportChoices()
	return c.page(status, page)
}

func reportChoices() []templates.Choice {
	return convert(models.ReportReasons, func(r [2]string) templates.Choice { return templates.Choice{Value: r[0], Label: r[1]} })
}

func (h *Handlers) report(c *call) error {
	id, err := c.id("id")
	if err != nil {
		return err
	}
	var in struct {
		Reason string `json:"reason"`
		Note   string `json:"note"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	report, err := h.Store.Report(c.Request.Context(), c.actor, id, models.ReportInput{Reason: in.Reason, Note: in.Note})
	if err != nil && !c.api {
		page := templates.CommentReportPage{Reason: in.Reason, Note: in.Note}
		status, ok := c.comeBack(err, &page.Page)
		comment, missing := c.loadComment()
		if !ok || missing != nil {
			return err
		}
		return h.showReport(c, status, &comment, page)
	}
	if err != nil {
		return err
	}
	view := reportView(report)
	view.Reason = report.Reason
	return c.done(http.StatusCreated, view, commentURL(id)+"?reported=1#c"+formatInt(id))
}

// preview renders a text as it would appear, for the composers' preview tabs.
func (h *Handlers) preview(c *call) error {
	var in struct {
		Body string `json:"body"`
		Kind string `json:"kind"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	if !c.actor.IsSignedIn() {
		return errPreview
	}
	var page templates.PreviewFragment
	var html string
	var err error
	if in.Kind == "article" {
		html, page.Words, err = h.Store.PreviewArticle(c.Request.Context(), in.Body)
	} else {
		html, err = h.Store.PreviewComment(c.Request.Context(), in.Body)
	}
	status := http.StatusOK
	if err != nil {
		p := h.problem(c.Context, err)
		if p.Status != http.StatusUnprocessableEntity {
			return err
		}
		status, page.Error = p.Status, "The text "+p.Fields[0].Message+"."
	}
	page.HTML = template.HTML(html)
	return c.page(status, page)
}
