package handlers

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"postil/models"
	"postil/templates"
)

func (h *Handlers) listQueue(c *call) error {
	page, err := c.paging()
	if err != nil {
		return err
	}
	items, next, err := h.Store.Queue(c.Request.Context(), c.actor, models.QueueState(c.Query("state")), page)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, list(convert(items, h.queueView(c.actor)), next))
}

// decisionReasons are the reasons that the queue offers; any other may be typed.
var decisionReasons = []templates.Choice{
	{Value: "Off topic", Label: "Off topic"},
	{Value: "Insulting or hostile", Label: "Insulting or hostile"},
	{Value: "Advertising", Label: "Advertising"},
	{Value: "Shows personal data", Label: "Shows personal data"},
	{Value: "Says nothing that is not said already", Label: "Says nothing that is not said already"},
}

// queuePage shows what waits, and one comment of it with what is needed to
// decide.
func (h *Handlers) queuePage(c *call) error {
	page, err := c.paging()
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	state := models.QueueState(c.Query("state"))
	if state == "" {
		state = models.QueuePending
	}
	read := h.Now().UTC() // before the queue is: what is edited after this was not read
	items, next, err := h.Store.Queue(ctx, c.actor, state, page)
	if err != nil {
		return err
	}
	counts, err := h.Store.QueueCounts(ctx, c.actor, 1000)
	if err != nil {
		return err
	}
	last, err := h.Store.LastDecision(ctx, c.actor)
	if err != nil {
		return err
	}
	base, err := c.basePage("Queue")
	if err != nil {
		return err
	}
	base.NoIndex = true
	view := templates.QueuePage{Page: base, State: string(state), Counts: map[string]int64{}, Items: convert(items, h.queueView(c.actor)),
		Next: c.nextURL(next, ""), Reasons: decisionReasons, AsOf: read.Format(time.RFC3339Nano)}
	for s, n := range counts {
		view.Counts[string(s)] = n
	}
	if last != nil {
		undo := h.decisionView(c.actor)(*last)
		view.Undo = &undo
	}
	if view.Selected, err = h.selected(c, view.Items); err != nil {
		return err
	}
	return c.page(http.StatusOK, view)
}

// selected is the comment that the address names, else the first.
func (h *Handlers) selected(c *call, items []templates.QueueItem) (*templates.QueueItem, error) {
	at, err := strconv.ParseInt(c.Query("at"), 10, 64)
	if err != nil {
		if len(items) == 0 {
			return nil, nil
		}
		return &items[0], nil
	}
	for i := range items {
		if items[i].Comment.ID == at {
			return &items[i], nil
		}
	}
	item, err := h.Store.QueueItem(c.Request.Context(), c.actor, at)
	if err != nil {
		return nil, err
	}
	view := h.queueView(c.actor)(item)
	return &view, nil
}

// decide decides about one or many comments.
func (h *Handlers) decide(c *call) error {
	var in struct {
		CommentIDs []int64 `json:"comment_ids"`
		Decision   string  `json:"decision"`
		Reason     string  `json:"reason"`
		AsOf       string  `json:"as_of"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	asOf, err := parseMoment("as_of", in.AsOf)
	if err != nil {
		return err
	}
	to := "/moderation"
	if !c.api {
		form, err := c.form()
		if err != nil {
			return err
		}
		if text := strings.TrimSpace(form.Get("reason_text")); text != "" {
			in.Reason = text
		}
		if in.Decision == string(models.Approve) {
			in.Reason = ""
		}
		to += "?state=" + pathEscape(form.Get("return_state"))
	}
	decision, err := h.Store.Decide(c.Request.Context(), c.actor, models.DecisionInput{CommentIDs: in.CommentIDs, Kind: models.DecisionKind(in.Decision), Reason: in.Reason, AsOf: models.At(asOf)})
	if err != nil {
		return err
	}
	return c.done(http.StatusCreated, h.decisionView(c.actor)(decision), to)
}

func (h *Handlers) undoDecision(c *call) error {
	id, err := c.id("id")
	if err != nil {
		return err
	}
	decision, err := h.Store.UndoDecision(c.Request.Context(), c.actor, id)
	if err != nil {
		return err
	}
	return c.done(http.StatusCreated, h.decisionView(c.actor)(decision), "/moderation")
}

func (h *Handlers) listLog(c *call) error {
	page, err := c.paging()
	if err != nil {
		return err
	}
	decisions, next, err := h.Store.Log(c.Request.Context(), c.actor, page)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, list(convert(decisions, h.decisionView(c.actor)), next))
}

func (h *Handlers) logPage(c *call) error {
	page, err := c.paging()
	if err != nil {
		return err
	}
	decisions, next, err := h.Store.Log(c.Request.Context(), c.actor, page)
	if err != nil {
		return err
	}
	base, err := c.basePage("Decisions")
	if err != nil {
		return err
	}
	base.NoIndex = true
	return c.page(http.StatusOK, templates.LogPage{Page: base, Decisions: convert(decisions, h.decisionView(c.actor)), Next: c.nextURL(next, "")})
}

func (h *Handlers) usersPage(c *call) error {
	return h.showUsers(c, http.StatusOK, templates.Page{})
}

func (h *Handlers) showUsers(c *call, status int, kept templates.Page) error {
	page, err := c.paging()
	if err != nil {
		return err
	}
	if utf8.RuneCountInString(c.Query("q")) > models.MaxEmail {
		return badRequest("q", "must have at most %d characters", models.MaxEmail)
	}
	filter := models.UserFilter{Query: c.Query("q"), Role: models.Role(c.Query("role"))}
	users, next, err := h.Store.Users(c.Request.Context(), c.actor, filter, page)
	if err != nil {
		return err
	}
	base, err := c.formPage("Users", kept)
	if err != nil {
		return err
	}
	roles := convert(models.Roles, func(r models.Role) templates.Choice { return templates.Choice{Value: string(r), Label: string(r)} })
	return c.page(status, templates.UsersPage{Page: base, Accounts: convert(users, h.accountView(c.actor)), Query: filter.Query, Role: string(filter.Role),
		Next: c.nextURL(next, ""), Roles: roles})
}

// accountChanged answers an admin's form about an account.
func (h *Handlers) accountChanged(c *call, err error) error {
	if err == nil {
		return c.redirect("/admin/users")
	}
	var page templates.Page
	var known *models.Error
	status, ok := c.comeBack(err, &page)
	if !ok || errors.As(err, &known) && (known.Kind == models.Unauthorized || c.actor.CanAdminister() != nil) {
		return err
	}
	for field, text := range page.Fields {
		page.Error += " " + field + " " + text + "."
	}
	return h.showUsers(c, status, page)
}

func (h *Handlers) setRole(c *call) error {
	var in struct {
		Role string `json:"role"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	_, err := h.Store.SetRole(c.Request.Context(), c.actor, c.Param("username"), models.Role(in.Role))
	return h.accountChanged(c, err)
}

func (h *Handlers) suspend(c *call) error {
	var in struct {
		Days   int    `json:"days"`
		Reason string `json:"reason"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	_, err := h.Store.Suspend(c.Request.Context(), c.actor, c.Param("username"), models.SuspendInput(in))
	if err != nil && in.Reason != "" {
		return err // the error page gives the reason back, which the table has no place for
	}
	return h.accountChanged(c, err)
}

func (h *Handlers) unsuspend(c *call) error {
	_, err := h.Store.Unsuspend(c.Request.Context(), c.actor, c.Param("username"))
	return h.accountChanged(c, err)
}
