package handlers

import (
	"fmt"
	"html/template"
	"net/url"
	"strings"

	"postil/anchor"
	"postil/models"
	"postil/templates"
)

// The views of rows: what leaves the program, the same for both faces.

func userView(u models.User) templates.User {
	return templates.User{Username: u.Username, DisplayName: u.DisplayName, Role: string(u.Role)}
}

func (h *Handlers) meView(u models.User, comments int64) templates.Me {
	me := templates.Me{Profile: profileView(u, comments), Email: u.Email, Can: []string{}}
	actor := models.Actor{UserID: u.ID, Role: u.Role}
	if actor.CanWriteArticles() == nil {
		me.Can = append(me.Can, "write")
	}
	if actor.CanModerate() == nil {
		me.Can = append(me.Can, "moderate")
	}
	if actor.CanAdminister() == nil {
		me.Can = append(me.Can, "administer")
	}
	return me
}

func profileView(u models.User, comments int64) templates.Profile {
	return templates.Profile{User: userView(u), Bio: u.Bio, CreatedAt: u.CreatedAt.Pointer(), CommentCount: comments}
}

func (h *Handlers) accountView(actor models.Actor) func(models.User) templates.Account {
	return func(u models.User) templates.Account {
		a := templates.Account{User: userView(u), Email: u.Email, CreatedAt: u.CreatedAt.Pointer(), ApprovedCount: u.ApprovedCount, RejectedCount: u.RejectedCount,
			Can: []string{"set_role"}}
		switch {
		case u.IsSuspended(models.At(h.Now())):
			a.SuspendedUntil, a.SuspensionReason = u.SuspendedUntil.Pointer(), u.SuspensionReason
			a.Can = append(a.Can, "unsuspend")
		case u.ID != actor.UserID:
			a.Can = append(a.Can, "suspend")
		}
		return a
	}
}

func sessionView(actor models.Actor) func(models.Session) templates.Session {
	return func(s models.Session) templates.Session {
		return templates.Session{ID: s.ID, Kind: string(s.Kind), UserAgent: s.UserAgent, Network: s.Network, CreatedAt: s.CreatedAt.Pointer(),
			SeenAt: s.SeenAt.Pointer(), ExpiresAt: s.ExpiresAt.Pointer(), Current: s.ID == actor.SessionID}
	}
}

const wordsPerMinute = 220

func (h *Handlers) articleView(actor models.Actor, a *models.Article) templates.Article {
	now := models.At(h.Now())
	view := templates.Article{
		Slug: a.Slug, Title: a.Title, Standfirst: a.Standfirst, State: string(a.EffectiveState(now)), Revision: a.Revision, Author: userView(a.Author),
		Body: a.Body, HTML: template.HTML(a.HTML), Tags: a.Tags, Words: a.Words, Minutes: (a.Words + wordsPerMinute - 1) / wordsPerMinute,
		CommentPolicy: string(a.Thread.Policy), ClosesAfterDays: a.Thread.ClosesAfterDays, CommentCount: a.Thread.CommentCount,
		CreatedAt: a.CreatedAt.Pointer(), UpdatedAt: a.UpdatedAt.Pointer(), PublishedAt: a.PublishedAt.Pointer(), PublishAt: a.PublishAt.Pointer(),
		URL: h.Site.URL + articleURL(a.Slug), Can: actor.ArticleCan(a, now), CommentClosedWhy: a.ClosedWhy(now),
	}
	view.CommentsOpen = view.CommentClosedWhy == ""
	if view.Tags == nil {
		view.Tags = []string{}
	}
	if a.State == models.Scheduled && a.PublishedAt == 0 && view.State == string(models.Published) {
		view.PublishedAt = view.PublishAt
	}
	if a.HTML != "" {
		for _, heading := range a.HeadingList() {
			view.Headings = append(view.Headings, templates.Heading{Level: heading.Level, ID: heading.ID, Text: heading.Text})
		}
	}
	return view
}

func articleURL(slug string) string { return "/articles/" + url.PathEscape(slug) }

func commentURL(id int64) string { return fmt.Sprintf("/comments/%d", id) }

func revisionView(current int64) func(models.Revision) templates.Revision {
	return func(r models.Revision) templates.Revision {
		return templates.Revision{Number: r.Number, Title: r.Title, State: string(r.State), Message: r.Message, Author: userView(r.Author),
			CreatedAt: r.CreatedAt.Pointer(), Current: r.Number == current, Added: r.WordsAdded, Removed: r.WordsRemoved, Body: r.Body, HTML: template.HTML(r.HTML)}
	}
}

// commentView shows a comment to an actor: whole, or as a tombstone.
func (h *Handlers) commentView(actor models.Actor, c *models.Comment) templates.Comment {
	now := models.At(h.Now())
	view := templates.Comment{
		ID: c.ID, Article: c.Article.Slug, ParentID: c.ParentID, RootID: c.RootID, Depth: c.Depth, State: string(c.State), Revision: c.Revision,
		CreatedAt: c.CreatedAt.Pointer(), ReplyCount: c.ShownReplies, URL: h.Site.URL + commentURL(c.ID), Can: []string{},
	}
	if actor.CanReadComment(c, c.Article, now) != nil {
		if c.State != models.DeletedComment {
			view.State = "removed" // which decision took it away is between its author and the moderators
		}
		return view
	}
	author := userView(c.Author)
	view.Author, view.Body, view.HTML = &author, c.Body, template.HTML(c.HTML)
	view.EditedAt, view.Score, view.Up, view.Down, view.MyVote = c.EditedAt.Pointer(), c.Up-c.Down, c.Up, c.Down, c.MyVote
	view.Can = actor.CommentCan(c, c.Article, now, h.Store.EditWindow())
	if c.State != models.Approved {
		view.Reason = c.Reason
		if view.Reason == "" {
			view.Reason = heldWhy[c.HeldWhy]
		}
	}
	return view
}

// heldWhy words why a comment waits.
var heldWhy = map[string]string{
	"premoderated":  "Every comment here is read by a moderator before it appears.",
	"first_comment": "A first comment is read by a moderator before it appears.",
	"edited":        "It was edited after it had been approved.",
	"imported":      "It was waiting in the system it was imported from.",
}

// policyWords say what happens to a new comment.
var policyWords = map[models.CommentPolicy]string{
	models.PolicyOpen:         "Comments appear at once.",
	models.PolicyPremoderated: "Comments are read by a moderator before they appear.",
	models.PolicyFirstComment: "First comments are read by a moderator before they appear.",
	models.PolicyClosed:       "The discussion is closed.",
}

func (h *Handlers) queueView(actor models.Actor) func(models.QueueItem) templates.QueueItem {
	return func(item models.QueueItem) templates.QueueItem {
		c := item.Comment
		view := templates.QueueItem{Comment: h.commentView(actor, c), ArticleTitle: c.Article.Title, Why: whyQueued(item), Reports: []templates.Report{},
			Standing:     templates.Standing{Approved: c.Author.ApprovedCount, Rejected: c.Author.RejectedCount, Since: c.Author.CreatedAt.Pointer()},
			WaitingSince: c.QueuedAt.Pointer()}
		view.Comment.Reason = c.Reason // Why says what it waits for
		if item.Parent != nil {
			parent := h.commentView(actor, item.Parent)
			view.Parent = &parent
		}
		for _, r := range item.Reports {
			reporter := userView(r.Reporter)
			report := reportView(r)
			report.Reporter = &reporter
			view.Reports = append(view.Reports, report)
		}
		return view
	}
}

func whyQueued(item models.QueueItem) string {
	c := item.Comment
	switch {
	case len(item.Reports) == 1:
		return "Reported by a reader"
	case len(item.Reports) > 1:
		return fmt.Sprintf("Reported by %d readers", len(item.Reports))
	case c.State == models.Pending && c.HeldWhy == "first_comment":
		return "First comment of its author"
	case c.State == models.Pending && c.HeldWhy == "premoderated":
		return "All comments on this article are read first"
	case c.State == models.Pending && c.HeldWhy == "edited":
		return "Edited after it was approved"
	case c.State == models.Pending && c.HeldWhy == "imported":
		return "Waiting when it was imported"
	case c.State == models.Pending:
		return "Put back by an undo"
	case c.State == models.Spam:
		return "Marked as spam"
	case c.State == models.Rejected:
		return "Rejected"
	}
	return "Approved"
}

func reportView(r models.Report) templates.Report {
	return templates.Report{ID: r.ID, CommentID: r.CommentID, Reason: reportWords(r.Reason), Note: r.Note, CreatedAt: r.CreatedAt.Pointer()}
}

// reportWords gives a known reason its sentence; others are shown as they came.
func reportWords(reason string) string {
	for _, r := range models.ReportReasons {
		if r[0] == reason {
			return r[1]
		}
	}
	return reason
}

func (h *Handlers) decisionView(actor models.Actor) func(models.Decision) templates.Decision {
	return func(d models.Decision) templates.Decision {
		view := templates.Decision{ID: d.ID, Decision: string(d.Kind), Reason: d.Reason, CreatedAt: d.CreatedAt.Pointer(), UndoneBy: d.UndoneBy, Undoes: d.UndoesID,
			CommentIDs: []int64{}, Items: []templates.DecisionItem{}, Can: []string{}}
		if d.ActorID != nil {
			moderator := userView(d.Actor)
			view.Moderator = &moderator
		}
		for _, item := range d.Items {
			entry := templates.DecisionItem{CommentID: item.CommentID, Before: string(item.StateBefore), After: string(item.StateAfter)}
			if item.Comment != nil && item.Comment.Article != nil {
				entry.Article, entry.Excerpt = item.Comment.Article.Slug, excerpt(item.Comment.Body, 120)
			}
			view.CommentIDs = append(view.CommentIDs, item.CommentID)
			view.Items = append(view.Items, entry)
		}
		if d.UndoneBy == nil && d.Kind != models.Undo && actor.CanModerate() == nil {
			view.Can = append(view.Can, "undo")
		}
		return view
	}
}

func excerpt(text string, atMost int) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) <= atMost {
		return string(runes)
	}
	return strings.TrimRight(string(runes[:atMost]), " ") + "…"
}

func spanViews(spans []anchor.Span) []templates.DiffSpan {
	names := map[anchor.Op]string{anchor.Equal: "equal", anchor.Insert: "insert", anchor.Delete: "delete"}
	return convert(spans, func(s anchor.Span) templates.DiffSpan { return templates.DiffSpan{Op: names[s.Op], Text: s.Text} })
}

func blockViews(blocks []anchor.Block) []templates.DiffBlock {
	return convert(blocks, func(b anchor.Block) templates.DiffBlock {
		return templates.DiffBlock{Kind: strings.ReplaceAll(b.Kind.String(), " ", "_"), Spans: spanViews(b.Spans), Line: b.Line, Pair: b.Pair}
	})
}
