package templates

import "html/template"

// Site is what every page knows of the place it is served from.
type Site struct {
	Name string
	URL  string // public address without a trailing slash, "" when unknown
}

// Viewer is who looks at a page; nil on a page means nobody is signed in.
type Viewer struct {
	User
	CanWrite      bool // has a desk
	CanModerate   bool
	CanAdminister bool
	Waiting       int64 // comments held or reported, for moderators; capped at 100
}

// Page is what every page carries. Each page struct embeds it and is named
// after its template file: ArticlePage is drawn by article.html.
type Page struct {
	Site    Site
	Viewer  *Viewer
	Title   string
	Path    string            // of this request with its query, for "come back here" links
	Notice  string            // what just happened, in a sentence; "" mostly
	Fields  map[string]string // field name → what is wrong with it, on a form that came back
	Error   string            // why a form came back, in a sentence
	NoIndex bool
}

// HomePage lists the published articles.
type HomePage struct {
	Page
	Tag      string // the list is of this tag only
	Articles []Article
	Next     string // address of the next page, "" on the last
}

// CommentNode is a comment with the replies shown below it. Replies nest to
// depth 4 and continue flat, then InReplyTo says whom they answer.
type CommentNode struct {
	Comment
	InReplyTo *ReplyTo
	Children  []*CommentNode
	MoreURL   string // further replies below this comment are behind this address; "" when all are shown
	MoreCount int64  // how many at least, 0 when unknown
	Focus     bool   // the comment a permalink points at
	Changed   bool   // the article was revised after the revision it answered
}

// ReplyTo names the comment that a flattened reply answers.
type ReplyTo struct {
	ID   int64
	Name string
}

// Composer is the form that posts or edits a comment.
type Composer struct {
	Action     string // where it posts
	Body       string // what was typed before it came back
	ParentID   int64  // 0 for a root
	ParentName string
	Button     string        // says what will happen: "Post", "Send to moderators"
	Preview    template.HTML // set when "Preview" was pressed without JavaScript
	DraftKey   string        // key of the draft kept in the browser
	MaxRunes   int
	Error      string
}

// ArticlePage is the article with its discussion.
type ArticlePage struct {
	Page
	Article  Article
	Sort     string // best, newest, oldest
	Policy   string // the comment policy in a sentence
	Comments []*CommentNode
	Own      []*CommentNode // the viewer's comments on this article that wait or were refused
	Next     string         // address of the next page of roots, "" on the last
	Composer *Composer      // nil: the viewer may not comment, Article.CommentClosedWhy says why (or sign in)
	Revised  bool           // it was revised after publication
}

// ThreadPage is one comment with what it answers and what answers it: what a
// permalink opens, and where a reply is written without JavaScript.
type ThreadPage struct {
	Page
	Article         Article
	Ancestors       []*CommentNode // from the root down, without children; at most 5, the nearest
	HiddenAncestors int64          // how many are left out above them
	Comment         *CommentNode
	Next            string // further replies
	Composer        *Composer
}

// CommentEditPage edits a comment in place of its permalink page.
type CommentEditPage struct {
	Page
	Article  Article
	Comment  Comment
	Composer Composer
	Until    string // "14:32", the end of the edit window, or ""
}

// CommentReportPage is the form that reports a comment.
type CommentReportPage struct {
	Page
	Article Article
	Comment Comment
	Reasons []Choice
	Reason  string
	Note    string
}

// Choice is one option of a form: a code and its words.
type Choice struct{ Value, Label string }

// CommentDeletePage asks before a comment is deleted.
type CommentDeletePage struct {
	Page
	Article Article
	Comment Comment
}

// CommentHistoryPage shows a comment's earlier texts.
type CommentHistoryPage struct {
	Page
	Article  Article
	Comment  Comment
	Versions []Version // newest first
}

// PreviewFragment is the rendered text of a composer or an editor, without a page around it.
type PreviewFragment struct {
	HTML  template.HTML
	Words int
	Error string
}

// ProfilePage is an account's public page.
type ProfilePage struct {
	Page
	Profile  Profile
	Articles []Article
	Comments []ProfileComment
	Next     string
}

// ProfileComment is a comment away from its discussion.
type ProfileComment struct {
	Comment
	ArticleTitle string
}

// LoginPage, RegisterPage and SetupPage are the doors.
type LoginPage struct {
	Page
	Login string
	Next  string // where to go afterwards, a path of this site
}

// RegisterPage makes an account.
type RegisterPage struct {
	Page
	Username    string
	Email       string
	NextPath    string
	MinPassword int
}

// SetupPage makes the first admin; Token comes from the terminal.
type SetupPage struct {
	Page
	Token       string
	Username    string
	Email       string
	MinPassword int
}

// AccountPage is where one looks after one's own account.
type AccountPage struct {
	Page
	Me          Me
	Sessions    []Session
	Comments    []ProfileComment // own comments, newest first, with state and reason
	Next        string
	MinPassword int
}

// DeskPage lists the articles an author (or, for admins, anybody) works on.
type DeskPage struct {
	Page
	Articles []Article
	State    string // filter: "", draft, published, scheduled, archived
	All      bool   // an admin sees everybody's
	Next     string
}

// EditorPage writes an article. Conflict is set after a stale save: the text
// as it is now beside what was typed, and the form carries the new revision.
type EditorPage struct {
	Page
	Article                                 Article // Slug is "" for a new one
	Revision                                int64   // the revision the edit started from
	Message                                 string
	TitleText, Standfirst, Body, Slug, Tags string
	State, CommentPolicy                    string
	PublishAt                               string // datetime-local, UTC
	ClosesAfterDays                         int
	Preview                                 template.HTML
	Conflict                                *Conflict
	CanDelete                               bool
}

// Conflict is a stale save.
type Conflict struct {
	Revision int64 // as it is now
	Author   User
	Title    string
	Body     string
	Diff     []DiffBlock // from theirs to yours
}

// DiffBlock is a paragraph of a comparison.
type DiffBlock struct {
	Kind  string // same, changed, added, removed, moved_from, moved_to
	Spans []DiffSpan
	Line  int
	Pair  int
}

// DiffSpan is a run of words.
type DiffSpan struct {
	Op   string // equal, insert, delete
	Text string
}

// RevisionsPage lists an article's revisions.
type RevisionsPage struct {
	Page
	Article   Article
	Revisions []Revision
	Next      string
}

// RevisionPage shows the text as it was.
type RevisionPage struct {
	Page
	Article    Article
	Revision   Revision
	Previous   int64 // 0: none
	NextNumber int64 // 0: none
	CanRestore bool
}

// ComparePage shows what changed between two revisions.
type ComparePage struct {
	Page
	Article        Article
	From, To       Revision
	Blocks         []DiffBlock
	TitleDiff      []DiffSpan // nil: the title did not change
	Added, Removed int
	CanRestore     bool
}

// QueuePage is the moderators' queue.
type QueuePage struct {
	Page
	State    string           // pending, reported, spam, rejected
	Counts   map[string]int64 // per state, capped at 1000
	Items    []QueueItem
	Selected *QueueItem // shown on the right; the first when none is chosen
	Next     string
	Undo     *Decision // the viewer's last decision, offered for undo
	Reasons  []Choice
	AsOf     string // when the comments were read, sent back with a decision
}

// LogPage is the log of decisions.
type LogPage struct {
	Page
	Decisions []Decision
	Next      string
}

// UsersPage is the admins' table of accounts.
type UsersPage struct {
	Page
	Accounts []Account
	Query    string
	Role     string
	Next     string
	Roles    []Choice
}

// DocsPage is the readable form of the API's description.
type DocsPage struct {
	Page
	Version string
	Intro   string
	Groups  []DocsGroup
}

// DocsGroup is one chapter of the API.
type DocsGroup struct {
	Name       string
	Operations []DocsOperation
}

// DocsOperation is one route.
type DocsOperation struct {
	Method, Path, Summary, Description string
	Anchor                             string
	Auth                               string // who may
	Params                             []DocsField
	Body                               []DocsField
	Responses                          []DocsField
	Example                            string
}

// DocsField is a parameter, a body field or a response.
type DocsField struct {
	Name, Type, Text string
	Required         bool
}

// ErrorPage says what went wrong and what to do. Kept is what a form had sent.
type ErrorPage struct {
	Page
	Status    int
	Heading   string
	Detail    string
	RequestID string
	Kept      []KeptField
}

// KeptField is a text that a refused form had sent, given back.
type KeptField struct{ Label, Text string }
