package templates

import (
	"fmt"
	"html/template"
	"strings"
	"time"
)

// The pages of these tests: everything a page can show, with the texts that
// break layouts.

var now = time.Date(2026, 5, 3, 14, 5, 0, 0, time.UTC)

func ago(d time.Duration) *time.Time { t := now.Add(-d); return &t }

const day = 24 * time.Hour

var (
	ada     = User{Username: "ada", DisplayName: "Ada Lindqvist", Role: "author"}
	bea     = User{Username: "bea", DisplayName: "Beate Wörishofer", Role: "reader"}
	cem     = User{Username: "cem", DisplayName: "Cem", Role: "moderator"}
	dana    = User{Username: "dana", DisplayName: "دانا", Role: "reader"}
	emil    = User{DisplayName: "Emil (imported)", Role: "reader"}
	longOne = User{Username: "maximiliane-konstantinopolitanska", DisplayName: "Maximiliane Konstantinopolitanska-Oberhuber", Role: "admin"}
)

func viewer(u User) *Viewer {
	return &Viewer{User: u, CanWrite: true, CanModerate: true, CanAdminister: true, Waiting: 12}
}

func pageFor(v *Viewer, title, path string) Page {
	return Page{Site: Site{Name: "The Marginal Review", URL: "https://example.org"}, Viewer: v, Title: title, Path: path}
}

func article() Article {
	a := Article{Slug: "one-file-or-many", Title: "One file or many: where a small web framework stops being small",
		Standfirst: "Two frameworks answer the same question, what to leave out, in opposite ways. A comparison over twelve parameters, and what each costs after the third year.",
		State:      "published", Revision: 7, Author: ada, Tags: []string{"frameworks", "python", "maintenance"},
		Words: 3120, Minutes: 14, CommentPolicy: "first_comment", CommentsOpen: true, CommentCount: 37,
		CreatedAt: ago(40 * day), UpdatedAt: ago(3 * day), PublishedAt: ago(30 * day), URL: "/articles/one-file-or-many",
		Can: []string{"edit", "delete", "comment", "see_revisions"}}
	var b strings.Builder
	titles := []string{"What they are for", "How a project is laid out", "Databases", "Room to move", "Templates", "The object-relational mapper",
		"Batteries", "Monolith or many parts", "Documentation", "The admin interface", "Getting started", "What twelve rows do not say"}
	for i, t := range titles {
		id := fmt.Sprintf("s%d", i+1)
		a.Headings = append(a.Headings, Heading{Level: 2, ID: id, Text: t})
		fmt.Fprintf(&b, `<h2 id="%s">%s</h2>`, id, t)
		section := sections[i%len(sections)]
		if i > 0 {
			section = strings.Replace(section, ` id="fnref1"`, "", 1)
		}
		b.WriteString(section)
	}
	a.HTML = template.HTML(b.String())
	return a
}

var sections = []string{
	`<p>A framework is a set of decisions somebody else has made for you, and the argument about frameworks is an argument about which decisions you would rather make yourself. The small one decides how a request becomes a function call and how a function’s answer becomes a response; nearly everything else is yours. The large one has an opinion on where the models live, how the schema changes, who may sign in and what the screen behind the site looks like.</p><p>Neither is wrong. A service of four routes that answers JSON to another service gains nothing from a user table. A newspaper with thirty editors gains nothing from choosing, for the eleventh time, a library that hashes passwords.<sup><a href="#fn1" id="fnref1">1</a></sup></p>`,
	`<p>The difference shows on the first afternoon and then again in the third year. On the first afternoon, one file is a joy:</p><pre><code>from flask import Flask

app = Flask(__name__)

@app.get("/articles/&lt;slug&gt;")
def article(slug):
    return render("article.html", article=find(slug))  # a line that is quite long, so that it has to scroll
</code></pre><p>In the third year there are <em>forty</em> files, and their arrangement is whatever the second developer thought of. See <a href="https://example.org/a/very/long/path/without-any-breaks/that-goes-on-and-on">the layout we ended with</a>.</p><ul><li>One application object, made by a factory.</li><li>One folder per concern, each with its own routes, forms and queries, which is to say the thing the other framework had on day one.</li><li>A <code>settings</code> module that three people are afraid of.</li></ul>`,
	`<blockquote><p>You can always add a piece later. You can rarely add it everywhere at once.</p></blockquote><p>This is the <strong>Aufmerksamkeitsdefizithyperaktivitätsstörung</strong> of architectures, and the Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft of tables:</p><table><thead><tr><th>Parameter</th><th>Small</th><th>Large</th></tr></thead><tbody><tr><td>Schema changes</td><td>a library, chosen</td><td>built in</td></tr><tr><td>Administration</td><td>written by hand</td><td>built in, and looks it</td></tr><tr><td>First page served</td><td>5 lines</td><td>5 files</td></tr></tbody></table><h3>A subordinate remark</h3><p>Figures are from a machine with four cores; the method is described in the appendix, and the numbers 1,234 and 56,789 are set in old-style figures where the font has them.</p>`,
}

func comment(id int64, by *User, body string, age time.Duration) *CommentNode {
	return &CommentNode{Comment: Comment{ID: id, Article: "one-file-or-many", Author: by, State: "approved", Body: body,
		HTML: template.HTML("<p>" + body + "</p>"), Revision: 6, CreatedAt: ago(age), Score: id % 17,
		URL: fmt.Sprintf("/comments/%d", id), Can: []string{"reply", "vote", "report"}}}
}

func discussion() []*CommentNode {
	first := comment(101, &bea, "The row on administration is where I would have begun. We ran the small one for six years, and by the end we had written an admin interface, twice, and neither was as good as the one we had refused to take.", 26*day)
	first.MyVote, first.Score, first.EditedAt = 1, 18, ago(25*day)
	first.Can = append(first.Can, "history")
	reply := comment(102, &ada, "That is fair, and it is the strongest argument in the whole table. I have put it first in the last section.", 25*day)
	reply.HTML += `<blockquote><p>neither was as good</p></blockquote><p>How many people used yours in the end? See https://example.org/a-forty-character-address-without-any-break-at-all/that-must-wrap/somewhere and <code>manage.py createsuperuser --username=administrator</code>.</p>`
	reply.Changed = true
	gone := &CommentNode{Comment: Comment{ID: 103, State: "deleted", CreatedAt: ago(24 * day)}}
	gone.Children = []*CommentNode{comment(104, &cem, "Please keep to the text. The comparison above is about frameworks, not about people who use them.", 23*day)}
	rtl := comment(105, &dana, "أعتقد أن المقارنة ناقصة: لا أحد يذكر كم من الوقت يحتاج المرء حتى يفهم ما اختاره الإطار نيابة عنه.", 3*time.Hour)
	rtl.Score = -3
	first.Children = []*CommentNode{reply, gone}
	own := comment(107, &longOne, "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz is the longest word I was ever paid to print. Does the column hold it?", 40*time.Minute)
	own.Can = []string{"reply", "edit", "delete", "moderate"}
	top := comment(120, &emil, "Level 1 of a thread that goes on for twenty.", 20*day)
	at := top
	for i := int64(2); i <= 20; i++ {
		next := comment(120+i, &bea, fmt.Sprintf("Level %d. Each of us answers the one before and nobody answers the text.", i), 19*day)
		if i > 5 {
			next.InReplyTo = &ReplyTo{ID: 119 + i, Name: "Beate Wörishofer"}
			at.Children = append(at.Children, next)
			continue
		}
		at.Children = append(at.Children, next)
		at = next
	}
	at.MoreURL, at.MoreCount = "/comments/124", 12
	return []*CommentNode{first, rtl, own, top}
}

func held() *CommentNode {
	n := comment(110, &bea, "One more thing about migrations: the order matters, and nobody writes the order down.", 2*time.Minute)
	n.State, n.Reason, n.Can, n.Score = "pending", "It is your first comment here.", []string{"edit", "delete"}, 0
	return n
}

func newComposerView() *Composer {
	return &Composer{Action: "/articles/one-file-or-many/comments", Button: "Send to moderators", DraftKey: "a1", MaxRunes: 10000}
}

func decision() Decision {
	three := int64(3)
	return Decision{ID: 9, Decision: "reject", Reason: "Off the subject", Moderator: &cem, CreatedAt: ago(4 * time.Minute), CommentIDs: []int64{5},
		Items:    []DecisionItem{{CommentID: 5, Article: "one-file-or-many", Excerpt: "Buy the cheap watches at the address below, they are real", Before: "pending", After: "rejected"}},
		UndoneBy: &three, Undoes: &three, Can: []string{"undo"}}
}

func queueItems() []QueueItem {
	why := []string{"First comment here", "Two links in a short text", "Reported by 2 readers", "A word on the site’s list: casino"}
	var items []QueueItem
	parent := comment(60, &ada, "Which version did you measure?", 2*day)
	for i := range 14 {
		c := comment(int64(200+i), []*User{&bea, &dana, &longOne, &emil}[i%4], "The fourth figure cannot be right. On my machine the large one serves its first page in 80 ms, cold, and I have repeated it often enough to be sure; the log is at https://example.org/a-forty-character-address-without-any-break-at-all.", time.Duration(i+1)*time.Hour)
		c.State = "pending"
		it := QueueItem{Comment: c.Comment, ArticleTitle: article().Title, Why: why[i%4], WaitingSince: ago(time.Duration(i+1) * time.Hour),
			Standing: Standing{Approved: int64(i * 3), Rejected: int64(i % 3), Since: ago(90 * day)}}
		if i%2 == 0 {
			it.Parent = &parent.Comment
			it.Reports = []Report{{ID: 1, Reason: "Advertising", Note: "Third time today, same address.", Reporter: &cem, CreatedAt: ago(time.Hour)}, {ID: 2, Reason: "Off the subject", CreatedAt: ago(2 * time.Hour)}}
		}
		items = append(items, it)
	}
	return items
}

func revisions() []Revision {
	var all []Revision
	for n := int64(7); n > 0; n-- {
		r := Revision{Number: n, Title: "One file or many", State: "published", Message: "Put the administration row first; credit to Beate", Author: ada, CreatedAt: ago(time.Duration(8-n) * 3 * day), Current: n == 7, Added: int(n) * 41, Removed: int(n) * 3}
		if n == 3 {
			r.Message = ""
		}
		all = append(all, r)
	}
	return all
}

func diffBlocks() []DiffBlock {
	same := func(n int) DiffBlock {
		return DiffBlock{Kind: "same", Line: n, Spans: []DiffSpan{{"equal", "Neither is wrong. A service of four routes that answers JSON to another service gains nothing from a user table."}}}
	}
	return []DiffBlock{same(1), same(2), same(3), same(4), same(5),
		{Kind: "changed", Spans: []DiffSpan{{"equal", "On the first afternoon, "}, {"delete", "a single file"}, {"insert", "one file"}, {"equal", " is a joy; in the third year it is "}, {"delete", "a burden."}, {"insert", "whatever the second developer thought of."}}},
		{Kind: "moved_from", Pair: 1, Spans: []DiffSpan{{"delete", "The admin interface comes last."}}},
		same(8),
		{Kind: "added", Spans: []DiffSpan{{"insert", "We ran the small one for six years, and by the end we had written an admin interface, twice."}}},
		{Kind: "removed", Spans: []DiffSpan{{"delete", "It does not matter much."}}},
		same(11), same(12), same(13), same(14),
		{Kind: "moved_to", Pair: 1, Spans: []DiffSpan{{"insert", "The admin interface comes "}, {"insert", "first."}}},
		same(15), same(16)}
}
