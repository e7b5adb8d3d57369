package main

import (
	"strings"
	"testing"

	"postil/models"
)

// Everything that people do, with scripts switched off: pages, links and forms
// are enough.
func TestWithoutScripts(t *testing.T) {
	s := newSite(t, false)
	admin := s.person("ada", "Ada Admin", models.Admin)
	s.person("anna", "Anna Weiss", models.Author)
	s.person("mira", "Mira Osei", models.Moderator)
	dora := s.person("dora", "Dora Lind", models.Reader)
	signedIn := func(name string) *tab {
		b := s.visitor().withoutScripts()
		b.signIn(name)
		return b
	}
	var anna, rita, mira, doras *tab
	stranger := s.visitor().withoutScripts()

	s.step("publish", func() {
		anna = signedIn("anna")
		anna.follow(".site-nav a", "Desk")
		anna.follow("a", "New article")
		anna.fill("#f-title", "Small frameworks")
		anna.fill("#body", essay)
		anna.follow("button", "Preview")
		anna.until("the preview", `document.querySelector("#preview h2")?.textContent === "Routes"`)
		if got := anna.value("#body"); got != essay {
			t.Errorf("after the preview the text is %q", got)
		}
		anna.choose("#f-state", "published")
		anna.follow("button.main", "Save")
		anna.sees("Saved as revision 1.")
	})

	s.step("register and comment", func() {
		rita = s.visitor().withoutScripts()
		rita.open("/articles/small-frameworks")
		rita.follow(".discussion a", "register")
		rita.fill("#f-username", "Rita")
		rita.fill("#f-email", "rita@example.org")
		rita.fill("#f-password", "postilpostilpostil") // long, and weak
		rita.follow("button.main", "Register")
		rita.answered(422)
		rita.present("#f-password-problem")
		if got := rita.value("#f-email"); got != "rita@example.org" {
			t.Errorf("the form came back with the address %q", got)
		}
		rita.fill("#f-password", password)
		rita.follow("button.main", "Register")
		rita.fill("#composer-body", "What about *forms*?")
		rita.follow("button", "Preview")
		rita.until("the preview", `document.querySelector("#composer-preview em")?.textContent === "forms"`)
		rita.shot("plain-composer-preview")
		rita.follow("button.main", "Send to moderators")
		rita.sees("Held", "Only you see this until a moderator has read it.")
		stranger.open("/articles/small-frameworks")
		stranger.misses("What about")
	})

	s.step("moderate", func() {
		mira = signedIn("mira")
		mira.follow(".site-nav a", "Queue")
		mira.sees("First comment of its author")
		mira.follow("button.approve", "Approve")
		mira.sees("Nothing waits.")
		mira.follow("form.undo button", "Undo")
		mira.sees("What about forms?")
		mira.follow("button.approve", "Approve")
		stranger.reload()
		stranger.sees("What about forms?")
	})

	s.step("answer", func() {
		doras = signedIn("dora")
		doras.open("/articles/small-frameworks")
		doras.follow("a.reply", "Reply")
		doras.sees("Reply to Rita")
		doras.fill("#composer-body", "WTForms.")
		doras.follow("button.main", "Send to moderators")
		mira.open("/moderation")
		mira.sees("WTForms.", "What about forms?")
		mira.choose("#reason", "Off topic")
		mira.follow("button.reject", "Reject")
		mira.sees("Nothing waits.")
		doras.reload()
		doras.sees("Rejected", "Off topic", "WTForms.")
		doras.open("/account")
		doras.sees("Rejected", "Off topic")
		again := s.comment(dora, "small-frameworks", 1, "WTForms, because it is on topic after all.")
		mira.open("/moderation")
		mira.follow("button.approve", "Approve")
		stranger.open("/articles/small-frameworks")
		if !get[bool](stranger, `document.querySelector("#c1 #c`+id(again)+`") !== null`) {
			t.Error("the answer does not stand below what it answers")
		}
	})

	s.step("vote", func() {
		doras.open("/articles/small-frameworks")
		doras.follow("#c1 > .comment-actions .up", "")
		doras.until("the vote", `document.querySelector("#c1 .up").getAttribute("aria-pressed") === "true" && document.querySelector("#c1 [data-score]").textContent === "1"`)
		doras.follow("#c1 > .comment-actions .up", "")
		doras.until("no vote", `document.querySelector("#c1 .up").getAttribute("aria-pressed") === "false"`)
	})

	s.step("edit one's comment", func() {
		rita.open("/comments/1")
		rita.follow("#c1 > .comment-actions a", "Edit")
		rita.fill("#composer-body", "What about *forms*, please?")
		rita.shot("comment-edit")
		rita.follow("button.main", "Save")
		rita.sees("What about forms, please?", "edited")
		rita.follow("a.edited", "edited")
		rita.sees("As it is now", "Version 1", "What about forms?")
		rita.shot("comment-history")
	})

	s.step("report", func() {
		doras.open("/comments/1")
		doras.click("#c1 > .comment-actions .more > summary", "More")
		doras.follow("#c1 > .comment-actions a", "Report")
		doras.click("label[for=reason-1]", "")
		doras.follow("button.main", "Send the report")
		doras.sees("Thank you. A moderator will read your report.")
		mira.open("/moderation?state=reported")
		mira.sees("Reported by a reader")
		mira.follow("button.approve", "Keep")
		mira.sees("No report is open.")
	})

	s.step("delete", func() {
		rita.open("/comments/1")
		rita.click("#c1 > .comment-actions .more > summary", "More")
		rita.follow("#c1 > .comment-actions a", "Delete")
		rita.follow("button", "Delete the comment")
		rita.sees("This comment was deleted by its author.", "WTForms, because")
	})

	s.step("revise, compare, restore", func() {
		anna.open("/desk/small-frameworks")
		anna.fill("#body", essayRevised)
		anna.follow("button.main", "Save")
		anna.sees("Saved as revision 2.")
		stranger.open("/articles/small-frameworks")
		stranger.follow("a", "what changed?")
		stranger.follow("button.main", "Compare")
		stranger.until("the words that changed", `document.querySelector(".diff ins") && document.querySelector(".diff del")`)
		anna.open("/articles/small-frameworks/revisions/1")
		anna.follow("button.main", "Restore revision 1")
		stranger.open("/articles/small-frameworks")
		stranger.sees("Flask leaves most decisions to you.")
		stranger.misses("nearly all")
	})

	s.step("a stale save", func() {
		second := anna.another().withoutScripts()
		second.open("/desk/small-frameworks")
		anna.open("/desk/small-frameworks")
		anna.fill("#body", "From the left window.")
		anna.follow("button.main", "Save")
		second.fill("#body", "From the right window.")
		second.follow("button.main", "Save")
		second.answered(412)
		second.sees("while you were writing")
		if yours, theirs := second.value("#body"), second.value("#theirs"); !strings.Contains(yours, "right") || !strings.Contains(theirs, "left") {
			t.Errorf("after a stale save: yours %q, theirs %q", yours, theirs)
		}
	})

	s.step("an account", func() {
		rita.open("/account")
		rita.fill("#f-bio", "I like forms.")
		rita.follow("button.main", "Save the profile")
		rita.sees("Saved.")
		rita.fill("#f-password-now", "not my password at all")
		rita.fill("#f-new-password", "eight sharp pencils run away")
		rita.follow("button.main", "Change the password")
		rita.answered(422)
		rita.sees("is not your present password")
		rita.fill("#f-password-now", password)
		rita.fill("#f-new-password", "eight sharp pencils run away")
		rita.follow("button.main", "Change the password")
		rita.sees("Saved.")
		stranger.open("/users/rita")
		stranger.sees("I like forms.")
		rita.follow(".site-nav button", "Sign out")
		rita.present(".site-nav a[href^='/login']")
		rita.open("/account")
		rita.sees("User name or e-mail address")
	})

	s.step("administer", func() {
		ada := signedIn(admin.Username)
		ada.follow(".site-nav a", "Users")
		ada.fill("#q", "dora")
		ada.follow("button.main", "Find")
		ada.sees("Dora Lind")
		ada.misses("Mira Osei")
		ada.choose("td select[name=role]", "moderator")
		ada.follow("td button", "Set")
		doras.reload()
		doras.sees("Queue")
		ada.open("/admin/users?q=dora")
		ada.click("details.suspend summary", "Suspend")
		ada.fill("input[name=reason]", "For a test")
		ada.shot("users-suspend")
		ada.follow("button.danger", "Suspend")
		doras.open("/account")
		doras.sees("User name or e-mail address")
		doras.fill("#f-login", "dora")
		doras.fill("#f-password", password)
		doras.follow("button.main", "Sign in")
		doras.sees("This account is suspended until", "For a test")
	})
}
