package main

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"postil/models"
)

const (
	essay = `Flask leaves most decisions to you.

## Routes

A route is a function with a decorator above it.

## Forms

Forms are another package, which you choose yourself.
`
	essayRevised = `Flask leaves nearly all decisions to you.

## Routes

A route is a function with a decorator above it.

## Forms

Forms are another package, which you choose yourself.

## Tests

A test client comes with it.
`
)

// An author publishes, a reader comments, a moderator decides, another reader
// answers, the author revises.
func TestStoryOfAnArticle(t *testing.T) {
	s := newSite(t, false)
	s.person("anna", "Anna Weiss", models.Author)
	s.person("mira", "Mira Osei", models.Moderator)
	dora := s.person("dora", "Dora Lind", models.Reader)
	stranger := s.visitor()
	var anna, rita, mira, doras *tab

	s.step("the author publishes an article", func() {
		anna = s.signedIn("anna")
		anna.follow(".site-nav a", "Desk")
		anna.sees("Your desk is empty.")
		anna.shot("desk-empty")
		anna.follow("a", "New article")
		anna.fill("#f-title", "Small frameworks")
		anna.fill("#f-standfirst", "What you are left to decide.")
		anna.fill("#body", essay)
		anna.until("the page beside the source", `document.querySelector("#preview h2")?.textContent === "Routes"`)
		anna.sees("Not saved yet. A draft is kept on this device.")
		anna.choose("#f-state", "published")
		if got := anna.value("#f-comment-policy"); got != "first_comment" {
			t.Errorf("a new article begins with the policy %q", got)
		}
		anna.shot("editor-new")
		anna.follow("button.main", "Save")
		anna.sees("Saved as revision 1.")
		if got := anna.path(); got != "/desk/small-frameworks?saved=1" {
			t.Errorf("after saving the browser is at %s", got)
		}
		anna.shot("editor-saved")
	})

	s.step("a reader registers and comments", func() {
		rita = s.visitor()
		rita.open("/")
		rita.follow("h2 a", "Small frameworks")
		rita.sees("Sign in to comment", "First comments are read by a moderator before they appear.")
		rita.follow(".discussion a", "register")
		rita.fill("#f-username", "rita")
		rita.fill("#f-email", "rita@example.org")
		rita.fill("#f-password", "short")
		rita.shot("register")
		rita.fill("#f-password", password)
		rita.follow("button.main", "Register")
		if got := rita.path(); got != "/articles/small-frameworks#composer" {
			t.Errorf("after registering the browser is at %s", got)
		}
		rita.fill("#composer-body", "Which forms package *would you* choose?")
		rita.click("[role=tab]", "Preview")
		rita.until("the preview", `document.querySelector("#composer-panel em")?.textContent === "would you"`)
		rita.shot("composer-preview")
		rita.click("[role=tab]", "Write")
		rita.follow("button.main", "Send to moderators")
		rita.sees("Held", "Only you see this until a moderator has read it.", "A first comment is read by a moderator before it appears.")
		rita.shot("comment-held")
		rita.open("/articles/small-frameworks")
		rita.sees("Yours, not public yet", "Which forms package would you choose?")
		rita.shot("article-with-own-held-comment")
		stranger.open("/articles/small-frameworks")
		stranger.misses("Which forms package")
	})

	s.step("the moderator approves it with a key", func() {
		mira = s.signedIn("mira")
		mira.until("what waits beside the link", `plain(find(".site-nav a", "Queue").textContent) === "Queue , 1 waiting"`)
		mira.follow(".site-nav a", "Queue")
		mira.sees("Which forms package would you choose?", "First comment of its author", "0 comments approved")
		mira.shot("queue-held")
		mira.loading(func() { mira.press("a") })
		mira.sees("Nothing waits. Every comment has been read.")
		mira.present("form.undo")
		mira.shot("queue-done")
		stranger.reload()
		stranger.sees("Which forms package would you choose?", "1 comment")
	})

	s.step("another reader answers below the comment", func() {
		doras = s.signedIn("dora")
		doras.open("/articles/small-frameworks")
		doras.click("a.reply", "Reply to rita")
		doras.until("the composer below the comment", `document.querySelector("#c1 > .composer h2")?.textContent === "Reply to rita"`)
		doras.until("the focus in the composer", `document.activeElement.id === "composer-body"`)
		doras.fill("#composer-body", "WTForms, and I never looked back.")
		doras.shot("reply-in-place")
		doras.follow("button.main", "Send to moderators")
		doras.sees("Only you see this")
	})

	s.step("the moderator approves the answer with the button", func() {
		mira.open("/moderation")
		mira.sees("WTForms, and I never looked back.", "Which forms package would you choose?") // what it answers
		mira.follow("button.approve", "Approve")
		mira.sees("Nothing waits.")
		stranger.reload()
		stranger.sees("2 comments", "WTForms, and I never looked back.")
		if !get[bool](stranger, `document.querySelector("#c1 #c2") !== null`) {
			t.Error("the answer does not stand below what it answers")
		}
	})

	s.step("whoever is known is not held again", func() {
		doras.open("/articles/small-frameworks")
		doras.fill("#composer-body", "And for tests there is a client in the box.")
		doras.follow("button.main", "Post")
		doras.sees("And for tests there is a client in the box.")
		stranger.reload()
		stranger.sees("And for tests there is a client in the box.")
	})

	s.step("readers vote", func() {
		doras.open("/articles/small-frameworks")
		doras.click("#c1 > .comment-actions .up", "")
		doras.until("the score", `document.querySelector("#c1 [data-score]").textContent === "1" && document.querySelector("#c1 .up").getAttribute("aria-pressed") === "true"`)
		eventually(t, "the vote in the database", func() bool {
			c, err := s.store.Comment(context.Background(), dora, 1)
			return err == nil && c.Up == 1 && c.MyVote == 1
		})
		doras.reload()
		doras.until("the vote after a reload", `document.querySelector("#c1 .up").getAttribute("aria-pressed") === "true"`)
		doras.shot("voted")
		doras.click("#c1 > .comment-actions .up", "")
		eventually(t, "the vote taken back", func() bool {
			c, err := s.store.Comment(context.Background(), dora, 1)
			return err == nil && c.Up == 0 && c.MyVote == 0
		})
	})

	s.step("the author revises, and everybody sees what changed", func() {
		anna.open("/desk/small-frameworks")
		anna.until("the page beside the source", `document.querySelectorAll("#preview h2").length === 2`)
		anna.fill("#body", essayRevised)
		anna.until("the new page beside the source", `document.querySelectorAll("#preview h2").length === 3`)
		anna.fill("#f-message", "A word, and a chapter on tests")
		anna.follow("button.main", "Save")
		anna.sees("Saved as revision 2.")
		anna.shot("editor-revision-2")

		stranger.open("/articles/small-frameworks")
		stranger.sees("the article changed since")
		stranger.follow("a", "what changed?")
		stranger.sees("A word, and a chapter on tests")
		stranger.shot("revisions")
		stranger.follow("button.main", "Compare")
		stranger.until("the words that changed", `[...document.querySelectorAll(".diff ins")].some((e) => e.textContent.includes("nearly all"))
			&& [...document.querySelectorAll(".diff del")].some((e) => e.textContent.includes("most"))`)
		stranger.sees("A test client comes with it.")
		stranger.shot("compare")
		stranger.open("/articles/small-frameworks/revisions/1")
		stranger.sees("the text as it was")
		stranger.misses("A test client comes with it.")
		stranger.shot("revision-1")
	})
}

// Two windows, one article: whoever saves second sees both texts.
func TestStaleSaveLosesNothing(t *testing.T) {
	s := newSite(t, false)
	anna := s.person("anna", "Anna Weiss", models.Author)
	s.article(anna, "Two windows", "The first paragraph.\n\nThe second paragraph.\n", models.PolicyOpen)
	first := s.signedIn("anna")
	second := first.another()
	first.open("/desk/two-windows")
	second.open("/desk/two-windows")
	first.fill("#body", "The first paragraph, from the left window.\n\nThe second paragraph.\n")
	first.follow("button.main", "Save")
	first.sees("Saved as revision 2.")

	second.fill("#body", "The first paragraph.\n\nThe second paragraph, from the right window.\n")
	second.fill("#f-standfirst", "A standfirst from the right window.")
	second.follow("button.main", "Save")
	second.answered(412)
	second.sees("saved revision 2 while you were writing", "Your text is below and not saved yet.")
	if got := second.value("#body"); !strings.Contains(got, "from the right window") {
		t.Errorf("the text that was typed is now %q", got)
	}
	if got := second.value("#f-standfirst"); got != "A standfirst from the right window." {
		t.Errorf("the standfirst that was typed is now %q", got)
	}
	if got := second.value("#theirs"); !strings.Contains(got, "from the left window") {
		t.Errorf("the other text is %q", got)
	}
	second.until("both texts in the comparison", `document.querySelector(".conflict .diff ins") && document.querySelector(".conflict .diff del")`)
	second.shot("conflict")
	second.widths("the conflict")

	// Both wishes in one text become the next revision.
	second.fill("#body", "The first paragraph, from the left window.\n\nThe second paragraph, from the right window.\n")
	second.follow("button.main", "Save")
	second.sees("Saved as revision 3.")
	if got, err := s.store.Article(context.Background(), anna, "two-windows"); err != nil || !strings.Contains(got.Body, "left") || !strings.Contains(got.Body, "right") {
		t.Errorf("the article is %q, %v", got.Body, err)
	}
}

// What a moderator decides, and takes back, and what the people hear of it.
func TestDecisionsAndWhatFollows(t *testing.T) {
	s := newSite(t, false)
	anna := s.person("anna", "Anna Weiss", models.Author)
	rita := s.person("rita", "Rita Berg", models.Reader)
	dora := s.person("dora", "Dora Lind", models.Reader)
	s.person("mira", "Mira Osei", models.Moderator)
	art := s.article(anna, "Decisions", "A text.", models.PolicyPremoderated)
	stranger, mira, ritas := s.visitor(), s.signedIn("mira"), s.signedIn("rita")

	s.step("a rejected comment comes back to its author with the reason", func() {
		c := s.comment(rita, art.Slug, 0, "Buy my excellent pencils.")
		mira.open("/moderation")
		mira.sees("All comments on this article are read first")
		mira.press("r")
		mira.until("the focus on the reason", `document.activeElement.id === "reason"`)
		mira.choose("#reason", "Advertising")
		mira.loading(func() { mira.press("r") })
		mira.sees("Nothing waits.")
		ritas.open("/comments/" + id(c))
		ritas.sees("Rejected", "Advertising", "Buy my excellent pencils.")
		ritas.shot("comment-rejected")
		ritas.open("/account")
		ritas.sees("Rejected", "Advertising")
		stranger.open("/articles/" + art.Slug)
		stranger.misses("pencils", "Advertising")
		stranger.open("/comments/" + id(c))
		stranger.answered(404)
	})

	s.step("an undone decision is as if it had not been", func() {
		c := s.comment(rita, art.Slug, 0, "A thought about margins.")
		mira.open("/moderation")
		mira.loading(func() { mira.press("a") })
		mira.sees("A thought about margins.") // in the bar
		mira.follow("form.undo button", "Undo")
		mira.sees("A thought about margins.", "All comments on this article are read first")
		stranger.open("/comments/" + id(c))
		stranger.answered(404)
		mira.loading(func() { mira.press("a") })
		mira.loading(func() { mira.press("u") })
		mira.sees("A thought about margins.")
		mira.loading(func() { mira.press("a") })
		mira.open("/moderation/log")
		mira.sees("Undone", "undone by decision")
		mira.shot("log")
		stranger.reload()
		stranger.sees("A thought about margins.")
	})

	s.step("a deleted comment leaves its answers", func() {
		root := s.comment(rita, art.Slug, 0, "I take this back soon.")
		s.approve(root)
		reply := s.comment(dora, art.Slug, root.ID, "But I have answered it.")
		s.approve(reply)
		ritas.open("/comments/" + id(root))
		ritas.click("#c"+id(root)+" > .comment-actions .more > summary", "More")
		ritas.follow("#c"+id(root)+" > .comment-actions a", "Delete")
		ritas.sees("Delete this comment?", "I take this back soon.")
		ritas.shot("comment-delete")
		ritas.follow("button", "Delete the comment")
		ritas.sees("This comment was deleted by its author.", "But I have answered it.")
		ritas.shot("tombstone")
		stranger.open("/articles/" + art.Slug)
		stranger.sees("This comment was deleted by its author.", "But I have answered it.")
		stranger.misses("I take this back soon.")
	})

	s.step("a report brings a comment to the moderators", func() {
		c := s.comment(dora, art.Slug, 0, "You are all wrong, and your mothers too.")
		s.approve(c)
		ritas.open("/articles/" + art.Slug)
		ritas.click("#c"+id(c)+" > .comment-actions .more > summary", "More")
		ritas.follow("#c"+id(c)+" > .comment-actions a", "Report")
		ritas.click("label[for=reason-0]", "")
		ritas.fill("#f-note", "Mothers were not the subject.")
		ritas.shot("comment-report")
		ritas.follow("button.main", "Send the report")
		ritas.sees("Thank you. A moderator will read your report.")
		mira.open("/moderation?state=reported")
		mira.sees("Reported by a reader", "Mothers were not the subject.", "your mothers too")
		mira.shot("queue-reported")
		mira.follow("button.spam", "Spam")
		mira.sees("No report is open.")
		stranger.open("/articles/" + art.Slug)
		stranger.misses("mothers")
	})

	s.step("many comments are decided about at once", func() {
		for _, text := range []string{"The first of three.", "The second of three.", "The third of three."} {
			s.comment(rita, art.Slug, 0, text)
		}
		mira.open("/moderation")
		mira.present(".queue-list .at")
		mira.press("x")
		mira.loading(func() { mira.press("j") })
		mira.sees("The second of three.")
		mira.loading(func() { mira.press("k") })
		for _, box := range get[[]string](mira, `[...document.querySelectorAll(".queue-list input[type=checkbox]")].filter((e) => !e.checked).map((e) => "#" + e.id)`) {
			mira.click(box, "")
		}
		mira.shot("queue-many")
		mira.follow(".bulk button", "Approve")
		mira.sees("Nothing waits.", "Approved: 3 comments")
		stranger.open("/articles/" + art.Slug + "?sort=newest")
		stranger.sees("The first of three.", "The second of three.", "The third of three.")
	})
}

func (s *site) approve(c models.Comment) {
	s.t.Helper()
	_, err := s.store.Decide(context.Background(), models.System(), models.DecisionInput{CommentIDs: []int64{c.ID}, Kind: models.Approve})
	ok(s.t, err)
}

func id(c models.Comment) string { return strconv.FormatInt(c.ID, 10) }

// A session that is ended elsewhere is over at the next click.
func TestSessionsCanBeEnded(t *testing.T) {
	s := newSite(t, false)
	s.person("rita", "Rita Berg", models.Reader)
	here, library := s.signedIn("rita"), s.signedIn("rita")
	here.open("/account")
	here.sees("Where you are signed in", "here, now")
	here.shot("account")
	here.follow("#sessions form.end button", "Sign out")
	here.until("one session", `document.querySelectorAll("#sessions li").length === 1`)
	library.open("/account")
	library.sees("Sign in", "User name or e-mail address")
	here.reload()
	here.sees("here, now")
	here.follow(".site-nav button", "Sign out")
	here.present(".site-nav a[href^='/login']")
}

// What was typed is there after an accident.
func TestDraftsSurvive(t *testing.T) {
	s := newSite(t, false)
	anna := s.person("anna", "Anna Weiss", models.Author)
	s.person("rita", "Rita Berg", models.Reader)
	art := s.article(anna, "Drafts", "A text.", models.PolicyOpen)

	s.step("of a comment", func() {
		rita := s.signedIn("rita")
		rita.open("/articles/" + art.Slug)
		rita.fill("#composer-body", "A long thought that I would not like to lose.")
		rita.sees("Draft kept on this device.")
		rita.reload()
		if got := rita.value("#composer-body"); got != "A long thought that I would not like to lose." {
			t.Fatalf("after a reload the composer holds %q", got)
		}
		rita.sees("Your draft from")
		rita.shot("draft-restored")
		rita.follow("button.main", "Post")
		rita.sees("A long thought that I would not like to lose.")
		rita.open("/articles/" + art.Slug)
		if got := rita.value("#composer-body"); got != "" {
			t.Errorf("a draft that was posted comes back: %q", got)
		}
	})

	s.step("of an article", func() {
		annas := s.signedIn("anna")
		annas.open("/desk/" + art.Slug)
		annas.fill("#body", "A better text, and a longer one.")
		annas.sees("Not saved yet. A draft is kept on this device.")
		annas.reloadAnyway()
		annas.sees("A draft from", "is kept here")
		annas.shot("editor-draft")
		annas.click("button.link", "Use it")
		if got := annas.value("#body"); got != "A better text, and a longer one." {
			t.Fatalf("the draft is %q", got)
		}
		annas.follow("button.main", "Save")
		annas.sees("Saved as revision 2.")
		annas.reload()
		annas.misses("is kept here")
	})
}

// A reader without a mouse: skip links, Tab and Enter are enough.
func TestKeyboardAlone(t *testing.T) {
	s := newSite(t, false)
	anna := s.person("anna", "Anna Weiss", models.Author)
	s.person("rita", "Rita Berg", models.Reader)
	art := s.article(anna, "Keys", "A text with [a link](https://example.org/).\n\n## A chapter\n\nMore.", models.PolicyOpen)
	root := s.comment(anna, art.Slug, 0, "What is missing?")
	b := s.visitor()

	b.open("/articles/" + art.Slug)
	b.tabTo("a[href^='/login']", "Sign in")
	b.loading(func() { b.press(kb.Enter) })
	b.until("the focus in the page", `document.activeElement === document.body`)
	b.tabTo("#f-login", "")
	b.press("rita")
	b.press(kb.Tab)
	b.press(password)
	b.loading(func() { b.press(kb.Enter) })
	b.present(".site-nav a.me")

	if n := b.tabTo(".skips a", "Skip to the text"); n != 1 {
		t.Errorf("the first skip link takes %d tabs", n)
	}
	b.shot("skip-link")
	b.tabTo(".skips a", "Skip to the discussion")
	b.press(kb.Enter)
	b.until("the focus in the discussion", `document.activeElement.id === "discussion"`)
	b.tabTo("a.reply", "Reply to Anna Weiss")
	b.press(kb.Enter)
	b.until("the focus in the composer", `document.activeElement.id === "composer-body"`)
	b.press("A note on the second half.")
	b.tabTo("button.main", "Post")
	b.loading(func() { b.press(kb.Enter) })
	b.sees("A note on the second half.")
	b.sees("What is missing?") // above it

	b.open("/articles/" + art.Slug)
	b.tabTo(".skips a", "Skip to the composer")
	b.press(kb.Enter)
	b.tabTo("[role=tab]", "Write")
	b.press(kb.ArrowRight)
	b.until("the preview", `document.querySelector("#tab-preview").getAttribute("aria-selected") === "true"`)
	b.press(kb.ArrowLeft)
	b.until("the text", `document.querySelector("#tab-write").getAttribute("aria-selected") === "true"`)
	b.tabTo("#composer-body", "")
	b.press("And another.")
	b.loading(func() { b.press(kb.Enter, chromedp.ModifierCtrl) })
	b.sees("And another.")
	b.open("/comments/" + id(root))
	b.tabTo(".vote .up", "")
	b.press(kb.Enter)
	b.until("the vote", `document.querySelector(".vote .up[aria-pressed=true]")`)
}

// On a telephone nothing that is needed lies under something else.
func TestOnATelephone(t *testing.T) {
	s := newSite(t, false)
	anna := s.person("anna", "Anna Weiss", models.Author)
	rita := s.person("rita", "Rita Berg", models.Reader)
	s.person("mira", "Mira Osei", models.Moderator)
	art := s.article(anna, "In the tram", essayRevised, models.PolicyFirstComment)
	root := s.comment(anna, art.Slug, 0, "What is missing?")
	for range 8 {
		s.comment(rita, art.Slug, root.ID, strings.Repeat("A long thought from the tram. ", 30))
	}
	b := s.visitor()
	b.phone(390, 844)
	b.open("/articles/" + art.Slug)
	b.follow(".discussion a.button", "Sign in")
	b.fill("#f-login", "mira")
	b.fill("#f-password", password)
	b.follow("button.main", "Sign in")
	b.click("a.reply", "Reply")
	b.fill("#composer-body", "Nothing, from here.")
	b.follow("button.main", "Post")
	b.sees("Nothing, from here.")
	b.follow(".site-nav a", "Queue")
	b.sees("A long thought from the tram.")
	for range 2 {
		b.follow("button.approve", "Approve")
		b.present("form.undo")
	}
	b.click(".queue-list li:last-of-type input", "")
	b.follow(".bulk button", "Approve")
	b.sees("Approved")
	if !get[bool](b, `document.documentElement.scrollWidth <= 390`) {
		t.Error("the queue is wider than the telephone")
	}
}
