// Package templates is how the discussion looks from outside: the view types
// that leave the program, the pages made of them, and the static files beside
// the pages. A view is encoded as HTML and as JSON alike, so what one face
// shows the other shows too; rows of the database never leave models.
package templates

import (
	"html/template"
	"time"
)

// User is what anybody may know of an account.
type User struct {
	Username    string `json:"username"` // empty for a name that was imported and not yet claimed
	DisplayName string `json:"display_name"`
	Role        string `json:"role"` // reader, author, moderator, admin
}

// Profile is an account's public page.
type Profile struct {
	User
	Bio          string     `json:"bio"`
	CreatedAt    *time.Time `json:"created_at"`
	CommentCount int64      `json:"comment_count"` // approved comments on public articles
}

// Me is an account as its owner sees it.
type Me struct {
	Profile
	Email string   `json:"email"`
	Can   []string `json:"can"` // write, moderate, administer
}

// Account is a row of the users' table, for admins.
type Account struct {
	User
	Email            string     `json:"email"`
	CreatedAt        *time.Time `json:"created_at"`
	SuspendedUntil   *time.Time `json:"suspended_until"` // nil: not suspended
	SuspensionReason string     `json:"suspension_reason,omitempty"`
	ApprovedCount    int64      `json:"approved_count"`
	RejectedCount    int64      `json:"rejected_count"`
	Can              []string   `json:"can"` // set_role, suspend, unsuspend
}

// Session is one place where an account is signed in.
type Session struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind"`       // page or api
	UserAgent string     `json:"user_agent"` // shortened
	Network   string     `json:"network"`    // truncated address
	CreatedAt *time.Time `json:"created_at"`
	SeenAt    *time.Time `json:"seen_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	Current   bool       `json:"current"`
}

// Article is one article as its reader may see it. In lists Body, HTML and
// Headings are left out.
type Article struct {
	Slug             string        `json:"slug"`
	Title            string        `json:"title"`
	Standfirst       string        `json:"standfirst"`
	State            string        `json:"state"` // draft, published, scheduled, archived
	Revision         int64         `json:"revision"`
	Author           User          `json:"author"`
	Body             string        `json:"body,omitempty"`
	HTML             template.HTML `json:"html,omitempty"`
	Headings         []Heading     `json:"headings,omitempty"`
	Tags             []string      `json:"tags"`
	Words            int           `json:"words"`
	Minutes          int           `json:"reading_minutes"`
	CommentPolicy    string        `json:"comment_policy"` // open, premoderated, first_comment, closed
	ClosesAfterDays  int           `json:"closes_after_days"`
	CommentsOpen     bool          `json:"comments_open"`
	CommentCount     int64         `json:"comment_count"` // approved ones only
	CreatedAt        *time.Time    `json:"created_at"`    // null: unknown, as in some imports
	UpdatedAt        *time.Time    `json:"updated_at"`
	PublishedAt      *time.Time    `json:"published_at"`
	PublishAt        *time.Time    `json:"publish_at"`
	URL              string        `json:"url"`
	Can              []string      `json:"can"` // edit, delete, comment, see_revisions
	CommentClosedWhy string        `json:"comment_closed_why,omitempty"`
}

// Heading is an entry of an article's table of contents.
type Heading struct {
	Level int    `json:"level"`
	ID    string `json:"id"`
	Text  string `json:"text"`
}

// Revision is one save of an article.
type Revision struct {
	Number    int64         `json:"number"`
	Title     string        `json:"title"`
	State     string        `json:"state"` // the article's state after this save
	Message   string        `json:"message"`
	Author    User          `json:"author"`
	CreatedAt *time.Time    `json:"created_at"`
	Current   bool          `json:"current"`
	Added     int           `json:"words_added"`
	Removed   int           `json:"words_removed"`
	Body      string        `json:"body,omitempty"`
	HTML      template.HTML `json:"html,omitempty"`
}

// Comment is one comment as its reader may see it. A tombstone, which keeps
// the replies of a comment that is not to be read any more, has neither
// author nor text.
type Comment struct {
	ID         int64         `json:"id"`
	Article    string        `json:"article"` // slug
	ParentID   *int64        `json:"parent_id"`
	RootID     int64         `json:"root_id"`
	Depth      int           `json:"depth"` // 0 for a root
	Author     *User         `json:"author"`
	State      string        `json:"state"` // pending, approved, rejected, spam, deleted
	Reason     string        `json:"reason,omitempty"`
	Body       string        `json:"body"`
	HTML       template.HTML `json:"html"`
	Revision   int64         `json:"revision"` // the article's revision it answered
	CreatedAt  *time.Time    `json:"created_at"`
	EditedAt   *time.Time    `json:"edited_at"`
	Score      int64         `json:"score"` // up - down
	Up         int64         `json:"up"`
	Down       int64         `json:"down"`
	MyVote     int           `json:"my_vote"`     // -1, 0, 1
	ReplyCount int64         `json:"reply_count"` // direct replies that anybody may see
	URL        string        `json:"url"`
	Can        []string      `json:"can"` // reply, edit, delete, vote, report, history, moderate
}

// Version is a comment's text before an edit, or its present text.
type Version struct {
	Number    int           `json:"number"`
	Body      string        `json:"body"`
	HTML      template.HTML `json:"html"`
	CreatedAt *time.Time    `json:"created_at"`
}

// Report is a reader's report.
type Report struct {
	ID        int64      `json:"id"`
	CommentID int64      `json:"comment_id"`
	Reason    string     `json:"reason"`
	Note      string     `json:"note"`
	Reporter  *User      `json:"reporter,omitempty"` // moderators only
	CreatedAt *time.Time `json:"created_at"`
}

// QueueItem is a comment that waits for a moderator, with what is needed to
// decide about it.
type QueueItem struct {
	Comment      Comment    `json:"comment"`
	ArticleTitle string     `json:"article_title"`
	Why          string     `json:"why"`    // why it is here, in words
	Parent       *Comment   `json:"parent"` // what it answers; nil for a root
	Reports      []Report   `json:"reports"`
	Standing     Standing   `json:"standing"`
	WaitingSince *time.Time `json:"waiting_since"`
}

// Standing is what a moderator knows of a comment's author.
type Standing struct {
	Approved int64      `json:"approved"`
	Rejected int64      `json:"rejected"`
	Since    *time.Time `json:"since"`
}

// Decision is a moderator's decision about one or many comments.
type Decision struct {
	ID         int64          `json:"id"`
	Decision   string         `json:"decision"` // approve, reject, spam, undo
	Reason     string         `json:"reason"`
	Moderator  *User          `json:"moderator"` // nil: the command line
	CreatedAt  *time.Time     `json:"created_at"`
	CommentIDs []int64        `json:"comment_ids"`
	Items      []DecisionItem `json:"items"`
	UndoneBy   *int64         `json:"undone_by"` // id of the decision that undid it
	Undoes     *int64         `json:"undoes"`    // id of the decision that it undid
	Can        []string       `json:"can"`       // undo
}

// DecisionItem is what a decision did to one comment.
type DecisionItem struct {
	CommentID int64  `json:"comment_id"`
	Article   string `json:"article"`
	Excerpt   string `json:"excerpt"`
	Before    string `json:"before"`
	After     string `json:"after"`
}

// List is one page of a list. NextCursor is nil on the last page.
type List[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

// Signed is the answer to a registration, a login or a refresh.
type Signed struct {
	User         Me     `json:"user"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	ExpiresIn    int    `json:"expires_in"` // seconds
	TokenType    string `json:"token_type"` // Bearer
	SessionID    string `json:"session_id"`
}

// Problem is an error as RFC 9457 wants it (application/problem+json).
type Problem struct {
	Type      string         `json:"type"`
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Detail    string         `json:"detail,omitempty"`
	Instance  string         `json:"instance,omitempty"`
	RequestID string         `json:"request_id,omitempty"`
	Fields    []FieldProblem `json:"fields,omitempty"`
	Current   *Article       `json:"current,omitempty"` // 412: the article as it is now
	Yours     *Draft         `json:"yours,omitempty"`   // 412: what was sent
}

// FieldProblem is one field of the input and what is wrong with it.
type FieldProblem struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Draft is an article's text as it was sent and not saved.
type Draft struct {
	Title string `json:"title"`
	Body  string `json:"body"`
}
