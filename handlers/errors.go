package handlers

import (
	"context"
	"errors"
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

// httpError is a failure of the request itself, before the Store was asked.
type httpError struct {
	status  int
	message string
	fields  []models.FieldError
}

func (e *httpError) Error() string { return e.message }

var (
	errNoRoute  = &httpError{http.StatusNotFound, "There is nothing at this address, or it is not for you to see.", nil}
	errNoMethod = &httpError{http.StatusMethodNotAllowed, "This address does not answer to that method. The Allow header lists those it does.", nil}
)

// badRequest is a request whose shape is wrong; field "" means the whole.
func badRequest(field, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if field == "" {
		return &httpError{http.StatusBadRequest, text, nil}
	}
	return &httpError{http.StatusBadRequest, "The request could not be understood: " + field + " " + text + ".", []models.FieldError{{Field: field, Message: text}}}
}

// statusOf is the one table from kinds of errors to HTTP statuses.
var statusOf = map[models.Kind]int{
	models.Internal:     http.StatusInternalServerError,
	models.Invalid:      http.StatusUnprocessableEntity,
	models.Unauthorized: http.StatusUnauthorized,
	models.Forbidden:    http.StatusForbidden,
	models.NotFound:     http.StatusNotFound,
	models.Conflict:     http.StatusConflict,
	models.Stale:        http.StatusPreconditionFailed,
	models.TooMany:      http.StatusTooManyRequests,
	models.Unavailable:  http.StatusServiceUnavailable,
}

// problem words an error. What nobody classified shows only the request's id.
func (h *Handlers) problem(c *gin.Context, err error) templates.Problem {
	p := templates.Problem{Type: "about:blank", Instance: c.Request.URL.EscapedPath(), RequestID: middleware.RequestID(c)}
	var fields []models.FieldError
	var known *models.Error
	var shape *httpError
	switch {
	case errors.As(err, &shape):
		p.Status, p.Detail, fields = shape.status, shape.message, shape.fields
	case errors.As(err, &known):
		p.Status, p.Detail, fields = statusOf[known.Kind], known.Message, known.Fields
		if known.Current != nil {
			view := h.articleView(middleware.ActorOf(c), known.Current)
			p.Current = &view
		}
	case errors.Is(err, context.Canceled):
		p.Status, p.Detail = 499, "The request was cancelled." // nobody reads it; the log does
	case errors.Is(err, context.DeadlineExceeded):
		p.Status, p.Detail = http.StatusServiceUnavailable, "The server took too long. Try again in a moment."
	default:
		p.Status = http.StatusInternalServerError
	}
	if p.Status == http.StatusInternalServerError {
		p.Detail = "Something went wrong here. It is not your fault; try again, and tell the operator this number if it stays: " + p.RequestID
	}
	for _, f := range fields {
		p.Fields = append(p.Fields, templates.FieldProblem{Field: f.Field, Message: f.Message})
	}
	p.Title = http.StatusText(p.Status)
	return p
}

// wordErrors is the only writer of failures.
func (h *Handlers) wordErrors(c *gin.Context) {
	c.Next()
	if len(c.Errors) == 0 || c.Writer.Written() {
		return
	}
	err := c.Errors.Last().Err
	p := h.problem(c, err)
	h.errorHeaders(c, err, p.Status)
	if p.Status == http.StatusInternalServerError {
		h.Log.Error("request failed", "id", p.RequestID, "method", c.Request.Method, "route", c.FullPath(), "error", err)
	}
	reply := &call{Context: c, h: h, actor: middleware.ActorOf(c), api: true}
	if isAPIPath(c.Request.URL.Path) {
		var conflict *staleSave
		if errors.As(err, &conflict) {
			p.Yours = &conflict.yours
		}
		if err := reply.jsonAs("application/problem+json", p.Status, p); err != nil {
			h.Log.Error("problem not sent", "id", p.RequestID, "error", err)
		}
		return
	}
	if p.Status == http.StatusUnauthorized && reply.isRead() {
		reply.api = false
		_ = reply.redirect("/login?next=" + url.QueryEscape(c.Request.URL.RequestURI()))
		return
	}
	if err := h.errorPage(reply, p); err != nil {
		h.Log.Error("error page failed", "id", p.RequestID, "error", err)
		c.String(p.Status, "%s", p.Detail)
	}
}

func isAPIPath(path string) bool {
	return strings.HasPrefix(path, apiPrefix+"/") && path != apiPrefix+"/docs" || path == "/healthz" || path == "/readyz"
}

func (h *Handlers) errorHeaders(c *gin.Context, err error, status int) {
	var known *models.Error
	if errors.As(err, &known) && known.RetryAfter > 0 {
		c.Writer.Header().Set("Retry-After", strconv.Itoa(int(known.RetryAfter.Seconds())+1))
	}
	if status == http.StatusUnauthorized {
		c.Writer.Header().Set("WWW-Authenticate", `Bearer realm="postil"`)
	}
	c.Writer.Header().Set("Cache-Control", "no-store")
}

// errorPage says what went wrong, and gives back what a form had sent.
func (h *Handlers) errorPage(c *call, p templates.Problem) error {
	base, err := c.basePage(p.Title)
	if err != nil {
		base = templates.Page{Site: h.Site, Title: p.Title}
	}
	base.NoIndex = true
	page := templates.ErrorPage{Page: base, Status: p.Status, Heading: headings[p.Status], Detail: p.Detail, RequestID: p.RequestID}
	if page.Heading == "" {
		page.Heading = p.Title
	}
	for _, f := range p.Fields {
		page.Detail += " " + strings.ToUpper(f.Field[:1]) + f.Field[1:] + " " + f.Message + "."
	}
	page.Kept = keptFields(c)
	return c.page(p.Status, page)
}

var headings = map[int]string{
	http.StatusNotFound:              "There is nothing here",
	http.StatusForbidden:             "This is not open to you",
	http.StatusUnauthorized:          "Sign in to go on",
	http.StatusInternalServerError:   "Something went wrong here",
	http.StatusTooManyRequests:       "A moment, please",
	http.StatusServiceUnavailable:    "A moment, please",
	http.StatusRequestEntityTooLarge: "That is too long",
	http.StatusMethodNotAllowed:      "This address does not work like that",
}

// keptFields gives back the texts of a refused form, so that nothing typed is
// lost. Secrets are not shown again.
func keptFields(c *call) []templates.KeptField {
	if c.Request.Method != http.MethodPost {
		return nil
	}
	form, err := c.form()
	if err != nil {
		return nil
	}
	var kept []templates.KeptField
	for _, name := range []string{"title", "standfirst", "body", "slug", "tags", "publish_at", "message", "note", "reason", "reason_text", "bio", "display_name", "username", "email", "login"} {
		if text := form.Get(name); strings.TrimSpace(text) != "" {
			kept = append(kept, templates.KeptField{Label: name, Text: strings.ToValidUTF8(text, "\uFFFD")})
		}
	}
	return kept
}

// staleSave is a stale save by a program, with what it had sent.
type staleSave struct {
	cause error
	yours templates.Draft
}

func (e *staleSave) Error() string { return e.cause.Error() }
func (e *staleSave) Unwrap() error { return e.cause }

// comeBack tells whether an error belongs on the form that caused it, and fills
// the page with it. Anything else gets a page of its own.
func (c *call) comeBack(err error, page *templates.Page) (status int, ok bool) {
	p := c.h.problem(c.Context, err)
	switch p.Status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusConflict, http.StatusForbidden, http.StatusUnauthorized,
		http.StatusPreconditionFailed, http.StatusTooManyRequests, http.StatusServiceUnavailable:
	default:
		return 0, false
	}
	page.Error, page.Fields = p.Detail, map[string]string{}
	for _, f := range p.Fields {
		page.Fields[f.Field] = f.Message
	}
	c.h.errorHeaders(c.Context, err, p.Status)
	return p.Status, true
}
