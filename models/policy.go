package models

import "time"

// Who may do what. Each question takes everything its answer depends on and
// answers nil, or the error that the actor is told. What he may not even see
// is NotFound. The tests print the whole table: role × verb × state.

// CanAdminister: accounts, roles, suspensions, everybody's articles.
func (a Actor) CanAdminister() error { return a.needs(Admin) }

// CanModerate: the queue, the log and decisions.
func (a Actor) CanModerate() error { return a.needs(Moderator, Admin) }

// CanWriteArticles: a desk of one's own.
func (a Actor) CanWriteArticles() error { return a.needs(Author, Admin) }

func (a Actor) needs(roles ...Role) error {
	for _, r := range roles {
		if a.Role == r {
			return nil
		}
	}
	if !a.IsSignedIn() {
		return errSignIn
	}
	return failf(Forbidden, "Your role does not allow this.")
}

// CanSeeArticle: everybody once it is public, and after it was archived if it
// ever was; else its author and admins.
func (a Actor) CanSeeArticle(art *Article, now Timestamp) error {
	switch {
	case art.State == Deleted:
		return errNotFound
	case art.IsPublic(now) || art.State == Archived && art.PublicOnce == 1:
		return nil
	case a.owns(art) || a.Role == Admin:
		return nil
	}
	return errNotFound
}

// CanEditArticle: its author while he has a desk, and admins.
func (a Actor) CanEditArticle(art *Article, now Timestamp) error {
	if err := a.CanSeeArticle(art, now); err != nil {
		return err
	}
	switch {
	case a.Role == Admin || a.owns(art) && a.CanWriteArticles() == nil:
		return nil
	case !a.IsSignedIn():
		return errSignIn
	}
	return failf(Forbidden, "Only the author of this article may change it.")
}

// CanDeleteArticle is the same as editing it.
func (a Actor) CanDeleteArticle(art *Article, now Timestamp) error { return a.CanEditArticle(art, now) }

// CanSeeRevision: a revision that was public when it was saved, by whoever sees
// the article; any other by those who may edit it.
func (a Actor) CanSeeRevision(art *Article, rev *Revision, now Timestamp) error {
	if err := a.CanSeeArticle(art, now); err != nil {
		return err
	}
	if rev.IsPublic() || rev.Number == art.Revision || a.CanEditArticle(art, now) == nil {
		return nil
	}
	return errNotFound
}

func (a Actor) owns(art *Article) bool { return a.IsSignedIn() && a.UserID == art.AuthorID }

// CanComment: everybody who is signed in, while the discussion is open.
func (a Actor) CanComment(art *Article, now Timestamp) error {
	if err := a.CanSeeArticle(art, now); err != nil {
		return err
	}
	if why := art.ClosedWhy(now); why != "" {
		return failf(Forbidden, "%s", why)
	}
	if !a.IsSignedIn() {
		return errSignIn
	}
	return nil
}

// CanReply: as CanComment, to a comment that everybody may read.
func (a Actor) CanReply(parent *Comment, art *Article, now Timestamp) error {
	if err := a.CanReadComment(parent, art, now); err != nil {
		return err
	}
	if parent.State != Approved {
		return failf(Conflict, "This comment cannot be answered: it is not published.")
	}
	return a.CanComment(art, now)
}

// CanReadComment: its text by everybody once it is approved; before that, or
// after it was refused, by whoever wrote it and by moderators. A deleted text is
// for moderators only.
func (a Actor) CanReadComment(c *Comment, art *Article, now Timestamp) error {
	if err := a.CanSeeArticle(art, now); err != nil && (art.State == Deleted || a.CanModerate() != nil) {
		return err
	}
	switch {
	case c.State == Approved || a.CanModerate() == nil:
		return nil
	case c.State != DeletedComment && a.wrote(c):
		return nil
	}
	return errNotFound
}

// CanSeeComment: as CanReadComment, and its tombstone by everybody while it
// keeps replies.
func (a Actor) CanSeeComment(c *Comment, art *Article, now Timestamp) error {
	if c.Shown == 1 && a.CanSeeArticle(art, now) == nil {
		return nil
	}
	return a.CanReadComment(c, art, now)
}

func (a Actor) wrote(c *Comment) bool { return a.IsSignedIn() && a.UserID == c.AuthorID }

// CanEditComment: whoever wrote it, for a while, unless it was refused.
func (a Actor) CanEditComment(c *Comment, art *Article, now Timestamp, window time.Duration) error {
	if err := a.CanSeeComment(c, art, now); err != nil {
		return err
	}
	switch {
	case !a.IsSignedIn():
		return errSignIn
	case !a.wrote(c):
		return failf(Forbidden, "Only its author may change a comment.")
	case c.State != Approved && c.State != Pending:
		return failf(Forbidden, "This comment was %s and cannot be changed any more.", c.State)
	case art.State == Archived:
		return failf(Forbidden, "The article is archived; its discussion cannot be changed any more.")
	case c.CreatedAt.Add(window) <= now:
		return failf(Forbidden, "A comment can be changed for %s after it was posted.", humanDuration(window))
	}
	return nil
}

// CanDeleteComment: whoever wrote it, unless it was refused.
func (a Actor) CanDeleteComment(c *Comment, art *Article, now Timestamp) error {
	if err := a.CanSeeComment(c, art, now); err != nil {
		return err
	}
	switch {
	case !a.IsSignedIn():
		return errSignIn
	case !a.wrote(c):
		return failf(Forbidden, "Only its author may delete a comment.")
	case c.State != Approved && c.State != Pending:
		return failf(Conflict, "This comment is already %s.", c.State)
	}
	return nil
}

// CanVote: everybody who is signed in, on what others wrote.
func (a Actor) CanVote(c *Comment, art *Article, now Timestamp) error {
	return a.canAnswer(c, art, now, "vote on")
}

// CanReport: as CanVote.
func (a Actor) CanReport(c *Comment, art *Article, now Timestamp) error {
	return a.canAnswer(c, art, now, "report")
}

func (a Actor) canAnswer(c *Comment, art *Article, now Timestamp, deed string) error {
	if err := a.CanSeeComment(c, art, now); err != nil {
		return err
	}
	switch {
	case !a.IsSignedIn():
		return errSignIn
	case c.State != Approved:
		return failf(Conflict, "You cannot %s a comment that is not published.", deed)
	case a.wrote(c):
		return failf(Forbidden, "You cannot %s your own comment.", deed)
	}
	return nil
}

// CanDecide: moderators, except about themselves and about admins; admins about
// everything. What its author deleted is settled.
func (a Actor) CanDecide(c *Comment) error {
	if err := a.CanModerate(); err != nil {
		return err
	}
	switch {
	case c.Article != nil && c.Article.State == Deleted:
		return errNotFound
	case c.State == DeletedComment:
		return failf(Conflict, "Comment %d was deleted by its author; there is nothing to decide.", c.ID)
	case a.Role == Admin:
		return nil
	case a.wrote(c):
		return failf(Forbidden, "Comment %d is your own; another moderator decides about it.", c.ID)
	case c.Author.Role == Admin:
		return failf(Forbidden, "Comment %d is an admin's; only an admin decides about it.", c.ID)
	}
	return nil
}

// CommentCan lists the verbs that the actor has for a comment: what its view
// offers.
func (a Actor) CommentCan(c *Comment, art *Article, now Timestamp, window time.Duration) []string {
	can := []string{}
	for _, verb := range []struct {
		name string
		err  error
	}{
		{"reply", a.CanReply(c, art, now)},
		{"edit", a.CanEditComment(c, art, now, window)},
		{"delete", a.CanDeleteComment(c, art, now)},
		{"vote", a.CanVote(c, art, now)},
		{"report", a.CanReport(c, art, now)},
		{"moderate", a.CanDecide(c)},
	} {
		if verb.err == nil {
			can = append(can, verb.name)
		}
	}
	if c.EditedAt != 0 && a.CanReadComment(c, art, now) == nil {
		can = append(can, "history")
	}
	return can
}

// ArticleCan lists the verbs that the actor has for an article.
func (a Actor) ArticleCan(art *Article, now Timestamp) []string {
	can := []string{}
	if a.CanComment(art, now) == nil {
		can = append(can, "comment")
	}
	if a.CanEditArticle(art, now) == nil {
		can = append(can, "edit")
	}
	if a.CanDeleteArticle(art, now) == nil {
		can = append(can, "delete")
	}
	return can
}

func humanDuration(d time.Duration) string {
	switch {
	case d%time.Hour == 0 && d > time.Hour:
		return formatCount(int64(d/time.Hour), "hour")
	case d%time.Minute == 0:
		return formatCount(int64(d/time.Minute), "minute")
	}
	return d.String()
}
