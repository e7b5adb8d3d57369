package handlers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"postil/middleware"
	"postil/models"
	"postil/templates"
)

// call is one request on its way: who asks, on which face, and how to answer.
type call struct {
	*gin.Context
	h     *Handlers
	actor models.Actor
	api   bool // JSON in and out; otherwise forms and pages

	capture *answer // takes the answer instead of the client, while it is made for the cache
}

// face adapts a handler to gin. Whatever it returns as an error is worded in
// one place.
func (h *Handlers) face(isAPI bool, handle func(*call) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := checkAddress(c.Request.URL); err != nil {
			middleware.Fail(c, err)
			return
		}
		if err := handle(&call{Context: c, h: h, actor: middleware.ActorOf(c), api: isAPI}); err != nil {
			middleware.Fail(c, err)
		}
	}
}

// json answers with a value as JSON.
func (c *call) json(status int, value any) error {
	return c.jsonAs("application/json; charset=utf-8", status, value)
}

func (c *call) jsonAs(mediaType string, status int, value any) error {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // the type is exact and nosniff is set
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	c.answer(status, mediaType, body.Bytes())
	return nil
}

// answer writes an answer made for this request, or hands it to the cache.
func (c *call) answer(status int, mediaType string, body []byte) {
	if c.capture != nil {
		h := c.Writer.Header()
		c.capture.mediaType, c.capture.body = mediaType, body
		c.capture.policy, c.capture.link = h.Get("Content-Security-Policy"), h.Get("Link")
		return
	}
	c.private()
	c.Data(status, mediaType, body)
}

// page answers with a page.
func (c *call) page(status int, page any) error {
	var body bytes.Buffer
	if err := c.h.Renderer.Render(&body, page); err != nil {
		return err
	}
	c.Writer.Header().Set("Content-Security-Policy", middleware.PagePolicy)
	c.answer(status, "text/html; charset=utf-8", body.Bytes())
	return nil
}

// private keeps what was made for one person out of shared caches.
func (c *call) private() {
	h := c.Writer.Header()
	h.Add("Vary", "Cookie")
	if c.actor.IsSignedIn() || !c.isRead() {
		h.Set("Cache-Control", "no-store")
		return
	}
	h.Set("Cache-Control", "no-cache")
}

// done answers a form with a redirect and a program with JSON.
func (c *call) done(status int, value any, to string) error {
	if c.api {
		return c.json(status, value)
	}
	return c.redirect(to)
}

// redirect answers a form: see the result there. The address is always one of
// this site.
func (c *call) redirect(to string) error {
	c.private()
	c.Redirect(http.StatusSeeOther, local(to))
	return nil
}

// local makes sure that an address leads to this site.
func local(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") {
		return "/"
	}
	return to
}

// isRead tells whether the request only looks: HEAD is GET without the body.
func (c *call) isRead() bool {
	return c.Request.Method == http.MethodGet || c.Request.Method == http.MethodHead
}

// basePage fills what every page carries.
func (c *call) basePage(title string) (templates.Page, error) {
	p := templates.Page{Site: c.h.Site, Title: title, Path: c.Request.URL.RequestURI()}
	if !c.isRead() {
		p.Path = ""
	}
	if !c.actor.IsSignedIn() {
		return p, nil
	}
	p.Viewer = &templates.Viewer{
		User:          templates.User{Username: c.actor.Username, DisplayName: c.actor.DisplayName, Role: string(c.actor.Role)},
		CanWrite:      c.actor.CanWriteArticles() == nil,
		CanModerate:   c.actor.CanModerate() == nil,
		CanAdminister: c.actor.CanAdminister() == nil,
	}
	if p.Viewer.CanModerate {
		counts, err := c.h.Store.QueueCounts(c.Request.Context(), c.actor, 100)
		if err != nil {
			return p, err
		}
		p.Viewer.Waiting = counts[models.QueuePending] + counts[models.QueueReported]
	}
	return p, nil
}

// id reads a number from the path. What is not a number names nothing.
func (c *call) id(name string) (int64, error) {
	text := c.Param(name)
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 || strconv.FormatInt(id, 10) != text {
		return 0, errNoRoute
	}
	return id, nil
}

// paging reads limit and cursor from the query.
func (c *call) paging() (models.Page, error) {
	page := models.Page{Cursor: c.Query("cursor")}
	if text := c.Query("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 {
			return page, badRequest("limit", "must be a number between 1 and %d", models.MaxPage)
		}
		page.Limit = limit
	}
	return page, nil
}

// nextURL is this address with another cursor; "" when there is no next page.
func (c *call) nextURL(cursor, fragment string) string {
	return c.nextOf(c.Request.URL.Path, cursor, fragment)
}

// nextOf is nextURL for a list whose page is at path, also when it is shown in
// answer to a form.
func (c *call) nextOf(path, cursor, fragment string) string {
	if cursor == "" {
		return ""
	}
	query := url.Values{}
	if c.isRead() {
		query = c.Request.URL.Query()
	}
	query.Set("cursor", cursor)
	return path + "?" + query.Encode() + fragment
}

// list makes one page of a list.
func list[T any](items []T, next string) templates.List[T] {
	if items == nil {
		items = []T{}
	}
	l := templates.List[T]{Items: items}
	if next != "" {
		l.NextCursor = &next
	}
	return l
}

// convert makes a view of each row.
func convert[T, V any](rows []T, view func(T) V) []V {
	out := make([]V, 0, len(rows))
	for _, r := range rows {
		out = append(out, view(r))
	}
	return out
}
