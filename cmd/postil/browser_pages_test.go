package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"postil/models"
)

// Contents that make a careless page burst.
const (
	longWord = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz"
	longURL  = "https://example.org/a/very/long/address/that/nobody/broke/0123456789012345678901234567890123456789012345678901234567890123456789?query=0123456789012345678901234567890123456789"
	arabic   = "هذا تعليق مكتوب من اليمين إلى اليسار، وفيه كلمة Flask في وسطه."
)

// full is a site with the sample and with contents that nobody planned for.
type full struct {
	*site
	slug                       string // of the sample
	hard                       models.Article
	rita                       models.Actor
	own, deep, tomb, hers, odd models.Comment // rita's own, a deep reply, a tombstone, rita's answered one, one of strange words
}

func newFull(t *testing.T) full {
	s := newSite(t, true)
	f := full{site: s}
	f.rita = s.person("rita", "Rita Berg", models.Reader)
	anna := s.person("anna", "Anna Weiss", models.Author)
	ada := s.person("ada", "Ada Admin", models.Admin)
	mira := s.person("mira", "Mira Osei", models.Moderator)
	odd := s.person("hubert", longWord[:50]+" von und zu Guttenberg-Hohenlohe", models.Reader)
	ctx := context.Background()
	arts, _, err := s.store.Articles(ctx, models.Actor{}, models.ArticleFilter{}, models.Page{})
	ok(t, err)
	f.slug = arts[0].Slug

	f.hard = s.article(anna, "Das "+longWord+" und seine Folgen für den Satzspiegel", hardText(), models.PolicyFirstComment)
	body := hardText() + "\n\nA last paragraph.\n"
	_, err = s.store.UpdateArticle(ctx, anna, f.hard.Slug, 1, models.ArticleChange{Body: &body, Message: "A last paragraph, and a message that goes on for longer than anybody would want to read in a table"})
	ok(t, err)
	for _, in := range []models.ArticleInput{
		{Title: "A draft without an end", Body: "Not finished.", State: models.Draft},
		{Title: "مقالة قصيرة", Body: arabic, State: models.Published, CommentPolicy: models.PolicyClosed, Standfirst: arabic},
		{Title: "Nobody has spoken here", Body: "A text.", State: models.Published, CommentPolicy: models.PolicyOpen},
		{Title: "Archived", Body: "Old.", State: models.Archived, CommentPolicy: models.PolicyOpen},
	} {
		_, err := s.store.CreateArticle(ctx, anna, in)
		ok(t, err)
	}

	parent := s.comment(mira, f.hard.Slug, 0, "The first of a long conversation.")
	for i := range 20 {
		by := mira
		if i%2 == 0 {
			by = anna
		}
		parent = s.comment(by, f.hard.Slug, parent.ID, fmt.Sprintf("Level %d. And %s, to be exact.", i+1, longWord))
	}
	f.deep = parent
	f.odd = s.comment(odd, f.hard.Slug, 0, "See "+longURL+" and\n\n> > nested "+longWord+"\n\n```\n"+strings.Repeat("a long line of code ", 20)+"\n```\n\n1. one\n2. two\n\n**"+longWord+longWord+"**")
	s.comment(odd, f.hard.Slug, 0, arabic)
	for i := range 12 {
		s.comment(odd, f.hard.Slug, f.deep.ID, fmt.Sprintf("Held comment number %d. %s", i+1, strings.Repeat("It goes on. ", i*4)))
	}
	f.own = s.comment(f.rita, f.hard.Slug, 0, "A first comment of mine, which waits.")
	f.hers = s.comment(f.rita, f.slug, 0, "A comment that is answered.")
	s.approve(f.hers)
	s.comment(anna, f.hard.Slug, 0, "To be reported.")
	f.tomb = s.comment(mira, f.hard.Slug, 0, "To be deleted.")
	s.comment(anna, f.hard.Slug, f.tomb.ID, "An answer that stays.")
	_, err = s.store.DeleteComment(ctx, mira, f.tomb.ID)
	ok(t, err)
	_, err = s.store.EditComment(ctx, f.rita, f.hers.ID, "A comment that is answered, and was edited.")
	ok(t, err)
	for _, by := range []models.Actor{ada, f.rita} {
		_, err = s.store.Report(ctx, by, f.deep.ID, models.ReportInput{Reason: models.ReportReasons[0][0], Note: "It says " + longWord + " too often."})
		ok(t, err)
	}
	spam, rejected := s.comment(odd, f.hard.Slug, 0, "Buy now. "+longURL), s.comment(odd, f.hard.Slug, 0, "Off the subject.")
	_, err = s.store.Decide(ctx, mira, models.DecisionInput{CommentIDs: []int64{spam.ID}, Kind: models.MarkSpam})
	ok(t, err)
	_, err = s.store.Decide(ctx, mira, models.DecisionInput{CommentIDs: []int64{rejected.ID}, Kind: models.Reject, Reason: "Off topic"})
	ok(t, err)
	_, err = s.store.Suspend(ctx, ada, "hubert", models.SuspendInput{Days: 7, Reason: "For writing " + longWord})
	ok(t, err)
	return f
}

func hardText() string {
	row, line := "|", "|"
	for i := range 12 {
		row, line = row+fmt.Sprintf(" column %d |", i), line+" --- |"
	}
	return "The first paragraph has a [" + longURL + "](" + longURL + ") in it, and `" + strings.Repeat("code", 60) + "`.\n\n## " + longWord + longWord + "\n\n" +
		row + "\n" + line + "\n" + row + "\n" + row + "\n\n### A third level\n\n```go\n" + strings.Repeat("func veryLong() {} ", 20) + "\n```\n\n> " + longWord + "\n\n## Second\n\n" + arabic + "\n\n- one\n- two\n\n" +
		strings.Repeat("Words as they are in a text of ordinary length, one after another. ", 60)
}

// Every page holds its contents at every width, light and dark; its text can be
// read, its controls have names, and no script complains.
func TestEveryPageFits(t *testing.T) {
	f := newFull(t)
	sample, hard := "/articles/"+f.slug, "/articles/"+url.PathEscape(f.hard.Slug)
	for _, who := range []struct {
		name  string // "" for nobody
		pages [][2]string
	}{
		{"", [][2]string{
			{"home", "/"}, {"home-tag", "/?tag=margins"}, {"home-empty", "/?tag=nothing"}, {"article", sample}, {"article-hard", hard},
			{"article-newest", sample + "?sort=newest"}, {"revisions-sample", sample + "/revisions"}, {"revision-sample", sample + "/revisions/1"},
			{"compare-sample", sample + "/compare?from=1&to=2"}, {"compare-hard", hard + "/compare?from=1&to=2"}, {"thread-deep", "/comments/" + id(f.deep)},
			{"thread-tombstone", "/comments/" + id(f.tomb)}, {"history", "/comments/" + id(f.hers) + "/history"}, {"profile", "/users/anna"},
			{"article-closed", "/articles/nobody-has-spoken-here"}, {"article-rtl", f.rtl()},
			{"login", "/login?next=/account"}, {"api", "/api/v1/docs"}, {"not-found", "/nothing/here"}, {"setup-closed", "/setup?token=x"},
		}},
		{"rita", [][2]string{
			{"article-reader", sample}, {"article-reader-hard", hard}, {"thread-own-held", "/comments/" + id(f.own)}, {"thread-reply", "/comments/" + id(f.hers) + "?reply=1"},
			{"comment-edit", "/comments/" + id(f.hers) + "/edit"}, {"comment-delete", "/comments/" + id(f.hers) + "/delete"},
			{"comment-report", "/comments/" + id(f.deep) + "/report"}, {"account", "/account"}, {"forbidden", "/moderation"},
		}},
		{"mira", [][2]string{
			{"queue", "/moderation"}, {"queue-odd", "/moderation?at=" + id(f.odd)}, {"queue-reported", "/moderation?state=reported"}, {"queue-spam", "/moderation?state=spam"},
			{"queue-rejected", "/moderation?state=rejected"}, {"log", "/moderation/log"}, {"article-moderator", hard},
		}},
		{"ada", [][2]string{
			{"desk", "/desk"}, {"desk-archived", "/desk?state=archived"}, {"editor-new", "/desk/new"}, {"editor-hard", "/desk/" + url.PathEscape(f.hard.Slug)},
			{"users", "/admin/users"}, {"users-none", "/admin/users?q=nobody-at-all"},
		}},
	} {
		b := f.visitor()
		if who.name != "" {
			b.signIn(who.name)
		}
		for _, page := range who.pages {
			f.part(page[0], func() {
				b.open(page[1])
				b.widths(page[0])
				b.readable(page[0])
				b.shot(page[0])
			})
		}
	}
}

// rtl is the address of the article that is written from right to left.
func (f full) rtl() string {
	arts, _, err := f.store.Articles(context.Background(), models.Actor{}, models.ArticleFilter{Author: "anna"}, models.Page{})
	ok(f.t, err)
	for _, a := range arts {
		if a.Standfirst == arabic {
			return "/articles/" + url.PathEscape(a.Slug)
		}
	}
	f.t.Fatal("the article from right to left is not there")
	return ""
}

// readable looks for what keeps people from reading or using a page: text
// without contrast, controls without a name or too small to hit, references
// that lead nowhere.
func (b *tab) readable(name string) {
	b.s.t.Helper()
	for _, problem := range get[[]string](b, faults) {
		b.s.t.Errorf("%s: %s", name, problem)
	}
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		for _, problem := range get[[]string](b, tooFaint) {
			b.s.t.Errorf("%s, %s: %s", name, scheme, problem)
		}
	}
	b.scheme("light")
}

const faults = `(() => {
	const out = [], show = (e) => e.outerHTML.slice(0, 120).replace(/\s+/g, " ");
	const ids = new Map();
	for (const e of document.querySelectorAll("[id]")) ids.set(e.id, (ids.get(e.id) ?? 0) + 1);
	for (const [id, n] of ids) if (n > 1) out.push("the id " + id + " is there " + n + " times");
	for (const name of ["for", "aria-labelledby", "aria-describedby", "aria-controls"])
		for (const e of document.querySelectorAll("[" + name + "]"))
			for (const id of e.getAttribute(name).split(/\s+/)) if (!document.getElementById(id)) out.push(name + " names " + id + ", which is not there: " + show(e));
	for (const e of document.querySelectorAll("a[href^='#']")) if (e.hash && !document.getElementById(decodeURIComponent(e.hash.slice(1)))) out.push("leads nowhere: " + show(e));
	for (const e of document.querySelectorAll("input:not([type=hidden]), select, textarea")) if (visible(e) && !e.labels.length && !e.ariaLabel) out.push("has no label: " + show(e));
	for (const e of document.querySelectorAll("a, button, summary")) if (!plain(e.textContent) && !e.ariaLabel) out.push("has no name: " + show(e));
	for (const e of document.querySelectorAll("button, select, summary, input:not([type=hidden], [type=radio], [type=checkbox])")) {
		const box = e.getBoundingClientRect();
		if (visible(e) && box.height > 0 && box.height < 24) out.push("is only " + box.height + " px high: " + show(e));
	}
	if (document.querySelectorAll("h1").length !== 1) out.push("has " + document.querySelectorAll("h1").length + " main headings");
	if (!document.title.includes("The Margin")) out.push("is called " + document.title);
	return out;
})()`

// tooFaint computes contrast as WCAG does. Colours are read through a canvas,
// which knows every way of writing them.
const tooFaint = `(() => {
	const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
	const seen = new Map();
	const rgb = (text) => {
		if (!seen.has(text)) {
			canvas.clearRect(0, 0, 1, 1);
			canvas.fillStyle = text;
			canvas.fillRect(0, 0, 1, 1);
			seen.set(text, [...canvas.getImageData(0, 0, 1, 1).data]);
		}
		return seen.get(text);
	};
	const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const ground = (e) => {
		for (; e; e = e.parentElement) {
			const c = rgb(getComputedStyle(e).backgroundColor);
			if (c[3] === 255) return c;
		}
		return rgb("white");
	};
	const out = [];
	for (const e of document.querySelectorAll("body *")) {
		if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || !visible(e)) continue;
		const style = getComputedStyle(e), size = parseFloat(style.fontSize);
		const [a, b] = [light(rgb(style.color)), light(ground(e))].sort((x, y) => y - x);
		const ratio = (a + 0.05) / (b + 0.05);
		if (ratio < (size >= 24 ? 3 : 4.5)) out.push(ratio.toFixed(2) + ":1 for " + plain(e.textContent).slice(0, 60));
	}
	return [...new Set(out)];
})()`
