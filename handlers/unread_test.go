package handlers

import (
	"fmt"
	"net/url"
	"testing"
)

// TestUnreadTextStaysUnread edits a comment while it waits. What no moderator
// approved must not come out with what he did approve, through the history of
// the comment.
func TestUnreadTextStaysUnread(t *testing.T) {
	s := newServer(t)
	rita, mona := s.user("reader", "rita"), s.user("moderator", "mona")
	slug := s.article(s.user("author", "anna"), having("comment_policy", "premoderated")).Slug
	id := s.comment(rita, slug, "first and unread", 0).ID
	path := fmt.Sprintf("/api/v1/comments/%d", id)
	approve := func() {
		t.Helper()
		mona.post("/api/v1/moderation/decisions", object{"comment_ids": []int64{id}, "decision": "approve"}).is(201)
	}
	rita.patch(path, object{"body": "second and approved"}).is(200)
	approve()
	for _, address := range []string{path, path + "/history", fmt.Sprintf("/comments/%d/history", id), "/articles/" + slug} {
		s.anyone().get(address).is(200).has("second and approved").hasNot("unread")
	}
	rita.patch(path, object{"body": "third and unread"}).is(200)
	s.anyone().get(path).is(404)
	s.anyone().get(path + "/history").is(404)
	rita.patch(path, object{"body": "fourth and approved"}).is(200)
	approve()
	for _, address := range []string{path + "/history", fmt.Sprintf("/comments/%d/history", id)} {
		s.anyone().get(address).is(200).has("fourth and approved", "second and approved").hasNot("unread")
	}
}

// TestPreviewNeedsAComposer asks for the preview of a comment where there is
// none to be written: nothing is rendered, and the text comes back.
func TestPreviewNeedsAComposer(t *testing.T) {
	s := newServer(t)
	anna, rita, otto := s.user("author", "anna"), s.user("reader", "rita"), s.browser("reader", "otto")
	slug := s.article(anna).Slug
	id := s.comment(rita, slug, "A comment.", 0).ID
	preview := url.Values{"body": {"*typed*"}, "action": {"preview"}}
	edit := fmt.Sprintf("/comments/%d/edit", id)
	for _, path := range []string{"/articles/" + slug + "/comments", edit} {
		s.visitor().post(path, preview).is(401).has("*typed*").hasNot("<em>typed</em>")
	}
	otto.post(edit, preview).is(403).has("*typed*").hasNot("<em>typed</em>", "Save</button>")
	otto.post(edit, url.Values{"body": {"typed"}}).is(403).has("typed").hasNot("Save</button>")
	otto.post("/articles/"+slug+"/comments", preview).is(200).has("<em>typed</em>")

	closed := s.article(anna, having("comment_policy", "closed")).Slug
	otto.post("/articles/"+closed+"/comments", preview).is(403).has("*typed*")
	s.visitor().post("/articles/nothing/comments", preview).is(404).has("*typed*")

	reply := url.Values{"body": {"*typed*"}, "action": {"preview"}, "parent_id": {fmt.Sprint(id)}}
	otto.post("/articles/"+slug+"/comments", reply).is(200).has("<em>typed</em>")
	s.visitor().post("/articles/"+slug+"/comments", reply).is(401).has("*typed*")
	mona := s.user("moderator", "mona")
	mona.post("/api/v1/moderation/decisions", object{"comment_ids": []int64{id}, "decision": "reject"}).is(201)
	s.visitor().signInAs("rita").post("/articles/"+slug+"/comments", reply).is(409).has("*typed*")
	noFailures(t, s.log.String())
}

// TestUnknownAddressesReadLittle sends large bodies to addresses that are not
// there, and to those that only show something.
func TestUnknownAddressesReadLittle(t *testing.T) {
	s := newServer(t)
	large := url.Values{"body": {string(make([]byte, 3<<20))}}
	for _, path := range []string{"/nothing", "/", "/static/x", "/api/v1/nothing"} {
		res := s.visitor().post(path, large)
		if res.status != 404 && res.status != 405 || len(res.body) > 64<<10 {
			t.Errorf("%s: %d with %d bytes", res.what, res.status, len(res.body))
		}
		s.visitor().post(path, url.Values{"body": {"a text that was meant for elsewhere"}}) // small ones come back
	}
	s.visitor().post("/nothing", url.Values{"body": {"meant for elsewhere"}}).is(404).has("meant for elsewhere")
}

// TestMorePagesAfterARefusal takes the way on from a page that came back with a
// refused comment.
func TestMorePagesAfterARefusal(t *testing.T) {
	s := newServer(t)
	anna := s.user("author", "anna")
	slug := s.article(anna).Slug
	for i := range 51 {
		s.comment(anna, slug, fmt.Sprintf("Comment %d.", i), 0)
	}
	reader := s.browser("reader", "rita")
	res := reader.post("/articles/"+slug+"/comments", url.Values{"body": {""}}).is(422)
	next := nextPage(t, res)
	if next == "" {
		t.Fatal("there is no way on")
	}
	reader.get(next).is(200).has("Comment ")
}

// TestNewIsNoSlug writes an article called "New": on the desk, that address is
// the empty form.
func TestNewIsNoSlug(t *testing.T) {
	s := newServer(t)
	anna, page := s.user("author", "anna"), s.visitor().signInAs("anna")
	slug := s.article(anna, having("title", "New")).Slug
	page.get("/desk/" + slug).is(200).has("A margin is where the reader writes.")
	if anna.post("/api/v1/articles", object{"title": "x", "body": "x", "slug": "new"}).is(422).field("slug") == "" {
		t.Error("the field is not named")
	}
}

// TestInvisibleNames uses names of characters that show nothing.
func TestInvisibleNames(t *testing.T) {
	s := newServer(t)
	anna := s.user("author", "anna")
	for _, name := range []string{"\u200b", "\u3164\u3164", "\u2800", "\u00ad \u200d"} {
		anna.patch("/api/v1/me", object{"display_name": name}).is(422)
		anna.post("/api/v1/articles", object{"title": name, "body": "x"}).is(422)
	}
}

// TestLongestComment posts a comment of the greatest length in letters that
// take the most room on the way.
func TestLongestComment(t *testing.T) {
	s := newServer(t)
	anna, page := s.user("author", "anna"), s.browser("reader", "rita")
	slug := s.article(anna).Slug
	longest := ""
	for range 10_000 {
		longest += "\U0001F58B"
	}
	page.post("/articles/"+slug+"/comments", url.Values{"body": {longest}}).is(303)
	anna.post("/api/v1/articles/"+slug+"/comments", object{"body": longest}).is(201)
	page.post("/articles/"+slug+"/comments", url.Values{"body": {longest + "x"}}).is(422).has(longest + "x")
}
