package templates

import (
	"html/template"
	"strings"
	"time"
)

// richPages shows every page with all its parts.
func richPages() []any {
	v := viewer(ada)
	a := article()
	desk := []Article{article(), article(), article(), article()}
	for i, s := range []string{"draft", "published", "scheduled", "archived"} {
		desk[i].State, desk[i].Slug, desk[i].PublishAt = s, s+"-article", ago(-2*day)
	}
	own := []ProfileComment{{Comment: held().Comment, ArticleTitle: a.Title}, {Comment: comment(101, &bea, "The row on administration is where I would have begun.", 26*day).Comment, ArticleTitle: a.Title}}
	focus := comment(130, &bea, "And this is the comment the address points at.", day)
	focus.Focus = true
	focus.Children = []*CommentNode{comment(131, &cem, "An answer to it.", time.Hour)}
	replying := newComposerView()
	replying.ParentID, replying.ParentName, replying.Body, replying.Error = 130, "Beate Wörishofer", "Too long by", "Shorten it by 12 characters."
	replying.Preview = "<p>Too long by</p>"
	editing := Composer{Action: "/comments/101/edit", Body: "The row on *administration* is where I would have begun.", Button: "Save", DraftKey: "c101", MaxRunes: 10000}
	revs := revisions()
	revs[2].HTML = a.HTML
	items := queueItems()
	dec := decision()
	faulty := func(p Page, fields ...string) Page {
		p.Error, p.Fields = "Nothing was saved. Two fields need another look.", map[string]string{}
		for _, f := range fields {
			p.Fields[f] = "This one is needed."
		}
		return p
	}
	roles := []Choice{{"reader", "Reader"}, {"author", "Author"}, {"moderator", "Moderator"}, {"admin", "Administrator"}}
	reasons := []Choice{{"spam", "Advertising or spam"}, {"insult", "Insults somebody"}, {"off", "Off the subject"}, {"other", "Something else"}}
	notice := pageFor(v, "", "/account")
	notice.Notice = "Your profile is saved."
	op := DocsOperation{Method: "POST", Path: "/api/v1/articles/{slug}/comments", Summary: "Post a comment", Description: "Answers 201 with the comment, or 202 when a moderator reads it first.", Anchor: "post-comment", Auth: "Anybody signed in.",
		Params:    []DocsField{{"slug", "string", "The article.", true}},
		Body:      []DocsField{{"body", "string", "Markdown, at most 10,000 characters.", true}, {"parent_id", "integer", "The comment it answers.", false}},
		Responses: []DocsField{{"201", "Comment", "It is public.", false}, {"422", "Problem", "A field is wrong.", false}},
		Example:   "curl -X POST https://example.org/api/v1/articles/one-file-or-many/comments \\\n  -H 'Authorization: Bearer …' -d '{\"body\":\"Which version?\"}'"}
	other := op
	other.Method, other.Anchor, other.Path = "GET", "list-comments", "/api/v1/articles/{slug}/comments"
	return []any{
		&HomePage{Page: pageFor(v, "", "/"), Articles: homeArticles(), Next: "/?after=x"},
		&ArticlePage{Page: pageFor(v, a.Title, "/articles/one-file-or-many"), Article: a, Sort: "best", Policy: "First comments are read by a moderator before they appear.", Comments: discussion(), Own: []*CommentNode{held()}, Next: "/articles/one-file-or-many?after=x", Composer: newComposerView(), Revised: true},
		&ThreadPage{Page: pageFor(v, "", "/comments/130"), Article: a, Ancestors: []*CommentNode{comment(128, &ada, "The one before.", 3*day), comment(129, &dana, "And the one after it.", 2*day)}, HiddenAncestors: 3, Comment: focus, Next: "/comments/130?after=x", Composer: replying},
		&CommentEditPage{Page: pageFor(v, "", "/comments/101/edit"), Article: a, Comment: own[1].Comment, Composer: editing, Until: "14:32 UTC"},
		&CommentReportPage{Page: faulty(pageFor(v, "", "/comments/101/report"), "reason"), Article: a, Comment: own[1].Comment, Reasons: reasons, Reason: "off", Note: "See above."},
		&CommentDeletePage{Page: pageFor(v, "", "/comments/101/delete"), Article: a, Comment: own[1].Comment},
		&CommentHistoryPage{Page: pageFor(v, "", "/comments/101/history"), Article: a, Comment: own[1].Comment, Versions: []Version{{2, "x", "<p>The row on administration is where I would have begun.</p>", ago(day)}, {1, "x", "<p>The row on admin is where I would begin.</p>", nil}}},
		&PreviewFragment{HTML: "<p>Seen.</p>", Words: 1},
		&ProfilePage{Page: pageFor(nil, "", "/users/bea"), Profile: Profile{User: bea, Bio: "Sets type by hand and reads proofs by night.", CreatedAt: ago(400 * day), CommentCount: 1204}, Articles: homeArticles()[:2], Comments: own, Next: "/users/bea?after=x"},
		&LoginPage{Page: faulty(pageFor(nil, "", "/login"), "login", "password"), Login: "ada", Next: "/articles/one-file-or-many"},
		&RegisterPage{Page: faulty(pageFor(nil, "", "/register"), "username", "email"), Username: "Ada L", Email: "ada@", NextPath: "/", MinPassword: 15},
		&SetupPage{Page: pageFor(nil, "", "/setup"), Token: "x7-kq-22", Username: "ada", Email: "ada@example.org", MinPassword: 15},
		&AccountPage{Page: notice, Me: Me{Profile: Profile{User: ada, Bio: "Writes.", CreatedAt: ago(day)}, Email: "ada@example.org"}, Sessions: []Session{{ID: "s1", Kind: "page", UserAgent: "Firefox on Linux", Network: "192.0.2.0/24", CreatedAt: ago(2 * day), SeenAt: ago(time.Minute), Current: true}, {ID: "s2", Kind: "api", UserAgent: "curl", Network: "2001:db8::/48", CreatedAt: ago(9 * day), SeenAt: ago(8 * day)}}, Comments: own, Next: "/account?after=x", MinPassword: 15},
		&DeskPage{Page: pageFor(v, "", "/desk"), Articles: desk, All: true, Next: "/desk?after=x"},
		&EditorPage{Page: faulty(pageFor(v, "", "/desk/one-file-or-many"), "title", "body", "slug", "state"), Article: a, Revision: 7, Message: "Put the administration row first", TitleText: a.Title, Standfirst: a.Standfirst, Body: source, Slug: a.Slug, Tags: "frameworks, python", State: "published", CommentPolicy: "first_comment", PublishAt: "2026-05-03T14:05", ClosesAfterDays: 30, Preview: a.HTML, Conflict: &Conflict{Revision: 8, Author: cem, Title: a.Title, Body: source, Diff: diffBlocks()}, CanDelete: true},
		&RevisionsPage{Page: pageFor(v, "", "/articles/one-file-or-many/revisions"), Article: a, Revisions: revs, Next: "/articles/one-file-or-many/revisions?after=x"},
		&RevisionPage{Page: pageFor(v, "", "/articles/one-file-or-many/revisions/5"), Article: a, Revision: revs[2], Previous: 4, NextNumber: 6, CanRestore: true},
		&ComparePage{Page: pageFor(v, "", "/articles/one-file-or-many/compare?from=1&to=7"), Article: a, From: revs[6], To: revs[0], Blocks: diffBlocks(), TitleDiff: []DiffSpan{{"equal", "One file or "}, {"delete", "several"}, {"insert", "many"}}, Added: 41, Removed: 12, CanRestore: true},
		&QueuePage{Page: pageFor(v, "", "/moderation"), State: "pending", Counts: map[string]int64{"pending": 14, "reported": 3, "spam": 1000, "rejected": 27}, Items: items, Selected: &items[2], Next: "/moderation?after=x", Undo: &dec, Reasons: reasons},
		&LogPage{Page: pageFor(v, "", "/moderation/log"), Decisions: []Decision{dec, {ID: 8, Decision: "approve", CreatedAt: ago(day), CommentIDs: []int64{1, 2}, Items: []DecisionItem{{1, "x", "Which version did you measure?", "pending", "approved"}, {2, "x", "", "spam", "approved"}}}}, Next: "/moderation/log?after=x"},
		&UsersPage{Page: pageFor(v, "", "/admin/users"), Query: "a", Role: "reader", Roles: roles, Next: "/admin/users?after=x", Accounts: []Account{{User: bea, Email: "bea@example.org", CreatedAt: ago(400 * day), ApprovedCount: 1204, RejectedCount: 2, Can: []string{"set_role", "suspend"}}, {User: longOne, Email: "maximiliane@konstantinopolitanska-oberhuber.example", ApprovedCount: 4}, {User: dana, Email: "d@example.org", CreatedAt: ago(day), SuspendedUntil: ago(-7 * day), SuspensionReason: "Advertising, three times", RejectedCount: 3, Can: []string{"set_role", "unsuspend"}}}},
		&DocsPage{Page: pageFor(nil, "API", "/api/v1/docs"), Version: "1.0.0", Intro: "Everything the pages do, as JSON.", Groups: []DocsGroup{{"Articles", nil}, {"Comments", []DocsOperation{op, other}}}},
		&ErrorPage{Page: pageFor(nil, "", "/nowhere"), Status: 409, Heading: "The comment was not posted", Detail: "The article closed for comments while you were writing.", RequestID: "01J9ZK3", Kept: []KeptField{{"Your comment", "It was going to be good."}}},
	}
}

func homeArticles() []Article {
	a, b, c := article(), article(), article()
	b.Slug, b.Title, b.Standfirst = "widows", "Widows, orphans and other lines left alone", "Why a paragraph should not end on a page of its own."
	b.CommentCount, b.PublishedAt, b.Author, b.Minutes = 0, ago(60*day), longOne, 1
	c.Slug, c.Title, c.Standfirst, c.PublishedAt, c.Author = "imported", "Straßenverkehrszulassungsordnungsänderungsverordnung", "", nil, emil
	return []Article{a, b, c}
}

var source = "## What they are for\n\n" + strings.Repeat("A framework is a set of decisions somebody else has made for you, and the argument about frameworks is an argument about which decisions you would rather make yourself.\n\n", 6)

// emptyPages are the pages on a site's first day.
func emptyPages() []any {
	guest := pageFor(nil, "", "/")
	bare := article()
	bare.CommentCount, bare.Headings, bare.Tags, bare.Can, bare.Standfirst = 0, nil, nil, nil, ""
	bare.HTML = template.HTML(sections[0])
	shared := article()
	shared.Can = nil
	public := discussion()
	var strip func([]*CommentNode)
	strip = func(all []*CommentNode) {
		for _, n := range all {
			n.Can, n.MyVote = nil, 0
			strip(n.Children)
		}
	}
	strip(public)
	return []any{
		&HomePage{Page: guest}, &HomePage{Page: pageFor(viewer(ada), "", "/")}, &HomePage{Page: guest, Tag: "python"},
		&ArticlePage{Page: guest, Article: bare, Sort: "best"},
		&ArticlePage{Page: guest, Article: shared, Sort: "best", Comments: public},
		&ProfilePage{Page: guest, Profile: Profile{User: dana}}, &DeskPage{Page: pageFor(viewer(ada), "", "/desk")},
		&EditorPage{Page: pageFor(viewer(ada), "", "/desk/new")},
		&QueuePage{Page: pageFor(viewer(ada), "", "/moderation"), State: "pending"}, &LogPage{Page: guest}, &UsersPage{Page: guest},
		&ErrorPage{Page: guest, Status: 404, Heading: "There is nothing at this address", Detail: "It may have been moved or never existed."},
		&ThreadPage{Page: guest, Article: shared, Comment: public[0]},
		&LoginPage{Page: guest}, &RegisterPage{Page: guest, MinPassword: 15},
		&PreviewFragment{Error: "It is too long."},
	}
}
