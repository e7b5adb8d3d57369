package handlers

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"postil/models/modelstest"
)

// atOnce asks n times at the same moment and counts the statuses.
func atOnce(n int, ask func(i int) *response) map[int]int {
	answers := make([]*response, n)
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			<-start
			answers[i] = ask(i)
		})
	}
	close(start)
	group.Wait()
	statuses := map[int]int{}
	for _, res := range answers {
		statuses[res.status]++
	}
	return statuses
}

func equalCounts(t *testing.T, what string, got, want map[int]int) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: statuses %v, want %v", what, got, want)
	}
}

// TestVotesAtOnce votes fifty times with one account, by page and program.
func TestVotesAtOnce(t *testing.T) {
	s := newServer(t)
	anna, rita, page := s.user("author", "anna"), s.user("reader", "rita"), s.visitor()
	page = page.signInAs("rita")
	id := s.comment(anna, s.article(anna).Slug, "Vote on this.", 0).ID
	equalCounts(t, "votes", atOnce(50, func(int) *response { return rita.put(fmt.Sprintf("/api/v1/comments/%d/vote", id), object{"value": 1}) }), map[int]int{200: 50})
	equalCounts(t, "forms", atOnce(20, func(int) *response {
		return page.post(fmt.Sprintf("/comments/%d/vote", id), url.Values{"value": {"1"}})
	}), map[int]int{303: 20})
	if got := anna.get(fmt.Sprintf("/api/v1/comments/%d", id)).at("up"); got != 1.0 {
		t.Errorf("one account's votes count %v", got)
	}
	atOnce(50, func(i int) *response {
		if i%2 == 0 {
			return rita.delete(fmt.Sprintf("/api/v1/comments/%d/vote", id))
		}
		return rita.put(fmt.Sprintf("/api/v1/comments/%d/vote", id), object{"value": i%4 - 2})
	})
	c := rita.get(fmt.Sprintf("/api/v1/comments/%d", id)).json()
	if up, down, mine := c["up"].(float64), c["down"].(float64), c["my_vote"].(float64); up+down > 1 || up-down != mine {
		t.Errorf("after many changes of mind: up %v, down %v, mine %v", up, down, mine)
	}
}

// TestRefreshesAtOnce presents one refresh token fifty times: a copy was used,
// so the first answer is the last that this session gets.
func TestRefreshesAtOnce(t *testing.T) {
	s := newServer(t)
	rita := s.user("reader", "rita")
	var winner response
	var mu sync.Mutex
	got := atOnce(50, func(int) *response {
		res := s.anyone().post("/api/v1/sessions/refresh", object{"refresh_token": rita.signed.RefreshToken})
		if res.status == 200 {
			mu.Lock()
			winner = *res
			mu.Unlock()
		}
		return res
	})
	equalCounts(t, "refreshes", got, map[int]int{200: 1, 401: 49})
	rita.get("/api/v1/me").is(401)
	s.anyone().post("/api/v1/sessions/refresh", object{"refresh_token": winner.at("refresh_token")}).is(401)
	s.anyone().with("Authorization", "Bearer "+winner.at("access_token").(string)).get("/api/v1/me").is(401)
}

// TestPatchesAtOnce saves over one revision twenty times.
func TestPatchesAtOnce(t *testing.T) {
	s := newServer(t)
	anna := s.user("author", "anna")
	slug := s.article(anna).Slug
	got := atOnce(20, func(i int) *response {
		return anna.with("If-Match", `"1"`).patch("/api/v1/articles/"+slug, object{"body": fmt.Sprintf("The text of writer %d.", i)})
	})
	equalCounts(t, "saves", got, map[int]int{200: 1, 412: 19})
	if revision := anna.get("/api/v1/articles/" + slug).at("revision"); revision != 2.0 {
		t.Errorf("the article has revision %v", revision)
	}
}

// TestDecisionsAtOnce has two moderators decide about the same comments, and
// undo, at the same moment: the log tells one story.
func TestDecisionsAtOnce(t *testing.T) {
	s := newServer(t)
	anna, rita, one, two := s.user("author", "anna"), s.user("reader", "rita"), s.user("moderator", "mona"), s.user("moderator", "max")
	slug := s.article(anna, having("comment_policy", "premoderated")).Slug
	var ids []int64
	for i := range 10 {
		ids = append(ids, s.comment(rita, slug, fmt.Sprintf("Comment %d.", i), 0).ID)
	}
	decide := func(i int) *response {
		who, kind := one, "approve"
		if i%2 == 1 {
			who, kind = two, "reject"
		}
		return who.post("/api/v1/moderation/decisions", object{"comment_ids": ids, "decision": kind})
	}
	equalCounts(t, "decisions", atOnce(20, decide), map[int]int{201: 20})
	last := one.get("/api/v1/moderation/log?limit=1").at("items.0").(object)
	undo := fmt.Sprintf("/api/v1/moderation/decisions/%v/undo", last["id"])
	equalCounts(t, "undos", atOnce(20, func(i int) *response {
		if i%2 == 0 {
			return one.post(undo, nil)
		}
		return two.post(undo, nil)
	}), map[int]int{201: 1, 409: 19})
	// The counters agree with what is there, which the fixture checks as well.
	shown := len(anna.get("/api/v1/articles/" + slug + "/comments?limit=100").at("items").([]any))
	if count := anna.get("/api/v1/articles/" + slug).at("comment_count"); count != float64(shown) {
		t.Errorf("%d comments are shown and %v counted", shown, count)
	}
}

// TestNamesAtOnce registers one name thirty times, and uses one set-up link.
func TestNamesAtOnce(t *testing.T) {
	s := newServer(t)
	token, err := s.store.SetupToken(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := atOnce(20, func(i int) *response {
		return s.visitor().post("/setup", url.Values{"token": {token}, "username": {fmt.Sprintf("root%d", i)}, "email": {fmt.Sprintf("root%d@example.org", i)}, "password": {modelstest.Password}})
	})
	equalCounts(t, "set-ups", got, map[int]int{303: 1, 404: 19})
	got = atOnce(30, func(i int) *response {
		name := []string{"rita", "RITA", "Rita"}[i%3]
		return s.anyone().post("/api/v1/users", object{"username": name, "email": fmt.Sprintf("rita%d@example.org", i), "password": modelstest.Password})
	})
	equalCounts(t, "registrations", got, map[int]int{201: 1, 409: 29})
	got = atOnce(30, func(i int) *response {
		return s.anyone().post("/api/v1/users", object{"username": fmt.Sprintf("other%d", i), "email": strings.ToUpper("o") + "ther@example.org", "password": modelstest.Password})
	})
	equalCounts(t, "registrations with one address", got, map[int]int{201: 1, 409: 29})
}

// TestGuessesAtOnce tries sixty passwords at the same moment: they are counted
// before they are checked.
func TestGuessesAtOnce(t *testing.T) {
	s := newServer(t)
	s.account("reader", "rita")
	got := atOnce(60, func(i int) *response {
		return s.anyone().post("/api/v1/sessions", object{"login": "rita", "password": fmt.Sprintf("guess %d", i)})
	})
	if got[401] > 6 || got[401]+got[429] != 60 {
		t.Errorf("statuses %v: too many guesses were checked", got)
	}
}

// TestSuspensionAgainstWriting suspends somebody who is writing: what was taken
// before stays, and nothing is taken after.
func TestSuspensionAgainstWriting(t *testing.T) {
	s := newServer(t)
	anna, rita, adam := s.user("author", "anna"), s.user("reader", "rita"), s.browser("admin", "adam")
	slug := s.article(anna).Slug
	got := atOnce(30, func(i int) *response {
		if i == 15 {
			return adam.post("/admin/users/rita/suspend", url.Values{"days": {"1"}, "reason": {"Rest."}})
		}
		return rita.post("/api/v1/articles/"+slug+"/comments", object{"body": fmt.Sprintf("Comment %d.", i)})
	})
	if got[303] != 1 || got[201]+got[401] != 29 {
		t.Errorf("statuses %v", got)
	}
	if n := anna.get("/api/v1/articles/" + slug).at("comment_count"); n != float64(got[201]) {
		t.Errorf("%d comments were taken, %v are there", got[201], n)
	}
}

// TestReportsAtOnce reports one comment thirty times with one account.
func TestReportsAtOnce(t *testing.T) {
	s := newServer(t)
	anna, rita, mona := s.user("author", "anna"), s.user("reader", "rita"), s.user("moderator", "mona")
	id := s.comment(anna, s.article(anna).Slug, "Report this.", 0).ID
	equalCounts(t, "reports", atOnce(30, func(int) *response {
		return rita.post(fmt.Sprintf("/api/v1/comments/%d/reports", id), object{"reason": "spam"})
	}), map[int]int{201: 30})
	if n := len(mona.get("/api/v1/moderation/queue?state=reported").at("items.0.reports").([]any)); n != 1 {
		t.Errorf("one account made %d reports", n)
	}
}
