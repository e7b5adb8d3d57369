package handlers

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postil/models"
	"postil/models/modelstest"
)

// step is one request of a scenario and what its answer must be like.
type step struct {
	name   string
	after  time.Duration // the clock moves on before it
	as     string        // who asks: a name of the cast, "" for nobody
	do     string        // method and path below /api/v1; $name stands for what an earlier step kept
	header string        // name: value, one more than the program sends anyway
	body   string        // JSON, with $names too
	status int
	has    []string // texts that the answer must contain
	not    []string // texts that it must not contain
	keep   string   // "name=path.in.answer", or "name=Header:ETag"; several with spaces between
}

// scenario is a story told in steps.
type scenario struct {
	name  string
	steps []step
}

// cast are the people of the scenarios.
var cast = map[string]models.Role{"ada": models.Author, "alf": models.Author, "bea": models.Reader, "eve": models.Reader, "cem": models.Moderator, "dan": models.Admin}

// play tells a scenario on a server of its own.
func (sc scenario) play(t *testing.T, check *checker) {
	s := newServer(t, withTokenLife(30*24*time.Hour)) // the clock is moved
	s.observe = check.observe
	people := map[string]*client{"": s.anyone()}
	for _, st := range sc.steps {
		if people[st.as] == nil {
			people[st.as] = s.user(cast[st.as], st.as)
		}
	}
	kept := map[string]string{}
	fill := func(text string) string {
		return regexp.MustCompile(`\$\w+`).ReplaceAllStringFunc(text, func(name string) string {
			value, ok := kept[name[1:]]
			if !ok {
				t.Fatalf("nothing was kept as %s", name)
			}
			return value
		})
	}
	for _, st := range sc.steps {
		ok := t.Run(st.name, func(t *testing.T) {
			s.clock.Advance(st.after)
			method, path, _ := strings.Cut(fill(st.do), " ")
			by := people[st.as].copy()
			by.s = &server{Handler: s.Handler, t: t, config: s.config, observe: s.observe}
			if name, value, ok := strings.Cut(fill(st.header), ": "); ok {
				by = by.with(name, value)
			}
			var body any
			if st.body != "" {
				body = fill(st.body)
			}
			res := by.do(method, apiPrefix+strings.TrimPrefix(path, apiPrefix), body).is(st.status)
			for _, text := range st.has {
				res.has(fill(text))
			}
			for _, text := range st.not {
				res.hasNot(fill(text))
			}
			for _, pair := range strings.Fields(st.keep) {
				name, where, _ := strings.Cut(pair, "=")
				if header, ok := strings.CutPrefix(where, "Header:"); ok {
					kept[name] = res.header.Get(header)
				} else {
					kept[name] = plain(res.at(where))
				}
			}
		})
		if !ok {
			t.Fatal("the story ends here")
		}
	}
}

// plain is a text or a number as it stands in an address.
func plain(value any) string {
	if n, ok := value.(float64); ok {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}

const password = modelstest.Password

var stories = []scenario{
	{"accounts", []step{
		{name: "register", do: "POST /users", body: `{"username":"Mira","email":"Mira@Example.org","password":"` + password + `"}`, status: 201,
			has: []string{`"username":"Mira"`, `"role":"reader"`, `"email":"Mira@Example.org"`, `"can":[]`, `"expires_in":`, `"token_type":"Bearer"`}, not: []string{"pencils", "argon2"},
			keep: "access=access_token refresh=refresh_token session=session_id"},
		{name: "the name is taken", do: "POST /users", body: `{"username":"mira","email":"other@example.org","password":"` + password + `"}`, status: 409, has: []string{`"field":"username"`, "taken"}, not: []string{`"field":"email"`}},
		{name: "both are taken", do: "POST /users", body: `{"username":"mira","email":"mira@example.ORG","password":"` + password + `"}`, status: 409, has: []string{`"field":"username"`, `"field":"email"`}},
		{name: "everything is wrong", do: "POST /users", body: `{"username":"a b","email":"nowhere","password":"short"}`, status: 422,
			has: []string{`"field":"username"`, `"field":"email"`, `"field":"password"`, "15 characters"}, not: []string{`"short"`}},
		{name: "a password like the name", do: "POST /users", body: `{"username":"quentin","email":"q@example.org","password":"quentinquentinquentin"}`, status: 422, has: []string{`"field":"password"`, "easy to guess"}},
		{name: "the new account works", do: "GET /me", header: "Authorization: Bearer $access", status: 200, has: []string{`"username":"Mira"`, `"comment_count":0`}},
		{name: "sign in by name, in any case", do: "POST /sessions", body: `{"login":"MIRA","password":"` + password + `"}`, status: 201, has: []string{`"username":"Mira"`}, keep: "second=session_id secondtoken=access_token"},
		{name: "sign in by e-mail", do: "POST /sessions", body: `{"login":"mira@example.org","password":"` + password + `"}`, status: 201, has: []string{`"username":"Mira"`}, not: []string{"$session"}, keep: "third=session_id"},
		{name: "a wrong password", do: "POST /sessions", body: `{"login":"mira","password":"wrong"}`, status: 401, has: []string{"The name or the password is wrong"}, not: []string{"access_token", "Mira"}},
		{name: "an unknown name sounds the same", do: "POST /sessions", body: `{"login":"nobody","password":"wrong"}`, status: 401, has: []string{"The name or the password is wrong"}},
		{name: "the sessions", do: "GET /sessions", header: "Authorization: Bearer $access", status: 200, has: []string{`"id":"$session"`, `"id":"$second"`, `"id":"$third"`, `"kind":"api"`, `"current":true`, `"next_cursor":null`}, not: []string{"pr_"}},
		{name: "end another session", do: "DELETE /sessions/$third", header: "Authorization: Bearer $access", status: 204},
		{name: "it is gone", do: "GET /sessions", header: "Authorization: Bearer $access", status: 200, not: []string{"$third"}},
		{name: "it cannot end twice", do: "DELETE /sessions/$third", header: "Authorization: Bearer $access", status: 404},
		{name: "others’ sessions do not exist", as: "bea", do: "DELETE /sessions/$second", status: 404},
		{name: "refresh", do: "POST /sessions/refresh", body: `{"refresh_token":"$refresh"}`, status: 200, has: []string{`"session_id":"$session"`}, not: []string{"$refresh"}, keep: "access2=access_token refresh2=refresh_token"},
		{name: "the new token works", do: "GET /me", header: "Authorization: Bearer $access2", status: 200},
		{name: "a used refresh token ends the session", do: "POST /sessions/refresh", body: `{"refresh_token":"$refresh"}`, status: 401, has: []string{"Sign in again"}, not: []string{"access_token"}},
		{name: "so its access token is dead", do: "GET /me", header: "Authorization: Bearer $access2", status: 401},
		{name: "and so is the newer refresh token", do: "POST /sessions/refresh", body: `{"refresh_token":"$refresh2"}`, status: 401},
		{name: "the other session lives on", do: "GET /me", header: "Authorization: Bearer $secondtoken", status: 200},
		{name: "a refresh token that never was", do: "POST /sessions/refresh", body: `{"refresh_token":"pr_x"}`, status: 401},

		{name: "change what is shown", as: "bea", do: "PATCH /me", body: `{"display_name":"  Bea   B. ","bio":"Reads.\r\nWrites."}`, status: 200, has: []string{`"display_name":"Bea B."`, `"bio":"Reads.\nWrites."`, `"username":"bea"`}},
		{name: "others see it", do: "GET /users/bea", status: 200, has: []string{`"display_name":"Bea B."`}, not: []string{"@example.org", `"can"`}},
		{name: "in any case and with an @", do: "GET /users/@BEA", status: 200, has: []string{`"username":"bea"`}},
		{name: "nobody of that name", do: "GET /users/nobody", status: 404},
		{name: "what is absent stays", as: "bea", do: "PATCH /me", body: `{}`, status: 200, has: []string{`"display_name":"Bea B."`}},
		{name: "an empty name", as: "bea", do: "PATCH /me", body: `{"display_name":" "}`, status: 422, has: []string{`"field":"display_name"`}},
		{name: "the address needs the password", as: "bea", do: "PATCH /me", body: `{"email":"bea@example.net"}`, status: 422, has: []string{`"field":"current_password"`}},
		{name: "a new address", as: "bea", do: "PATCH /me", body: `{"email":"bea@example.net","current_password":"` + password + `"}`, status: 200, has: []string{`"email":"bea@example.net"`}},
		{name: "somebody else’s address", as: "bea", do: "PATCH /me", body: `{"email":"mira@example.org","current_password":"` + password + `"}`, status: 409, has: []string{`"field":"email"`}},
		{name: "elsewhere", do: "POST /sessions", body: `{"login":"bea@example.net","password":"` + password + `"}`, status: 201, keep: "elsewhere=access_token"},
		{name: "a weak password", as: "bea", do: "PATCH /me", body: `{"new_password":"passwordpassword","current_password":"` + password + `"}`, status: 422, has: []string{`"field":"new_password"`}},
		{name: "a new password", as: "bea", do: "PATCH /me", body: `{"new_password":"nine wet umbrellas argue softly","current_password":"` + password + `"}`, status: 200, not: []string{"umbrellas"}},
		{name: "it ended the other session", do: "GET /me", header: "Authorization: Bearer $elsewhere", status: 401},
		{name: "and not this one", as: "bea", do: "GET /sessions", status: 200, has: []string{`"current":true`}, not: []string{`"current":false`}},
		{name: "the old password is no use", do: "POST /sessions", body: `{"login":"bea","password":"` + password + `"}`, status: 401},
		{name: "the new one is", do: "POST /sessions", body: `{"login":"bea","password":"nine wet umbrellas argue softly"}`, status: 201},
		{name: "sign out", as: "bea", do: "DELETE /sessions/current", status: 204},
		{name: "signed out", as: "bea", do: "GET /me", status: 401},

		{name: "guess 1", do: "POST /sessions", body: `{"login":"eve","password":"1"}`, status: 401},
		{name: "guess 2", do: "POST /sessions", body: `{"login":"eve","password":"2"}`, status: 401},
		{name: "guess 3", do: "POST /sessions", body: `{"login":"eve","password":"3"}`, status: 401},
		{name: "guess 4", do: "POST /sessions", body: `{"login":"eve","password":"4"}`, status: 401},
		{name: "guess 5", do: "POST /sessions", body: `{"login":"eve","password":"5"}`, status: 401},
		{name: "guess 6 has to wait", do: "POST /sessions", body: `{"login":"eve","password":"6"}`, status: 429, has: []string{"Too many attempts"}},
		{name: "so has the right password from there", do: "POST /sessions", body: `{"login":"eve","password":"` + password + `"}`, status: 429},
		{name: "and one who confirms with it", as: "eve", do: "PATCH /me", body: `{"email":"new@example.org","current_password":"` + password + `"}`, status: 429},
		{name: "after a second it is let in", after: 2 * time.Second, do: "POST /sessions", body: `{"login":"eve","password":"` + password + `"}`, status: 201},
	}},

	{"articles", []step{
		{name: "readers write none", as: "bea", do: "POST /articles", body: `{"title":"T","body":"B"}`, status: 403},
		{name: "moderators neither", as: "cem", do: "POST /articles", body: `{"title":"T","body":"B"}`, status: 403},
		{name: "a draft", as: "ada", do: "POST /articles", body: `{"title":"On  margins","body":"# One\n\nA *margin*.\n\n## Two\n\n<script>alert(1)</script>","tags":["Paper","reading","paper"]}`, status: 201,
			has: []string{`"slug":"on-margins"`, `"title":"On margins"`, `"state":"draft"`, `"comment_policy":"first_comment"`, `"revision":1`, `"published_at":null`, `"tags":["paper","reading"]`,
				`<em>margin</em>`, `"text":"Two"`, `"can":["edit","delete"]`, `"comments_open":false`, "not published yet", `"username":"ada"`},
			not: []string{`"html":"<script`, `<script>alert(1)</script>"}`}, keep: "etag=Header:ETag where=Header:Location"},
		{name: "nobody else sees it", do: "GET /articles/on-margins", status: 404},
		{name: "not even by its revisions", do: "GET /articles/on-margins/revisions", status: 404},
		{name: "or one of them", as: "bea", do: "GET /articles/on-margins/revisions/1", status: 404},
		{name: "or its discussion", as: "bea", do: "GET /articles/on-margins/comments", status: 404},
		{name: "or by changing it", as: "alf", do: "PATCH /articles/on-margins", body: `{"title":"Mine"}`, status: 404},
		{name: "it is in no list", do: "GET /articles", status: 200, has: []string{`{"items":[],"next_cursor":null}`}},
		{name: "but on its author’s desk", as: "ada", do: "GET /articles?mine=true&state=draft", status: 200, has: []string{`"slug":"on-margins"`}, not: []string{`"body"`, `"html"`, `"headings"`}},
		{name: "and on the admin’s", as: "dan", do: "GET /articles?mine=true", status: 200, has: []string{`"slug":"on-margins"`}},
		{name: "not on another’s", as: "alf", do: "GET /articles?mine=true", status: 200, not: []string{"on-margins"}},
		{name: "readers have no desk", as: "bea", do: "GET /articles?mine=true", status: 403},
		{name: "nobody has none", do: "GET /articles?mine=true", status: 401},
		{name: "its author reads it", as: "ada", do: "GET /articles/on-margins", status: 200, has: []string{`"body":"# One`}, keep: "etag=Header:ETag"},
		{name: "a change needs If-Match", as: "ada", do: "PATCH /articles/on-margins", body: `{"title":"Margins"}`, status: 428, has: []string{"If-Match"}},
		{name: "publish", as: "ada", do: "PATCH /articles/on-margins", header: "If-Match: $etag", body: `{"state":"published","comment_policy":"open","message":"Out"}`, status: 200,
			has: []string{`"revision":2`, `"state":"published"`, `"published_at":"2026-03-02T09:00:00Z"`, `"comments_open":true`}, not: []string{"comment_closed_why"}, keep: "etag2=Header:ETag"},
		{name: "everybody reads it", do: "GET /articles/on-margins", status: 200, has: []string{`"can":[]`, `"revision":2`}},
		{name: "a stale save shows both texts", as: "dan", do: "PATCH /articles/on-margins", header: "If-Match: $etag", body: `{"title":"Edges","body":"Mine."}`, status: 412,
			has: []string{`"current":{`, `"revision":2`, `"body":"# One`, `"yours":{"title":"Edges","body":"Mine."}`, "revision 2"}},
		{name: "a revision that never was is stale too", as: "ada", do: "PATCH /articles/on-margins", header: `If-Match: "x"`, body: `{"title":"Edges"}`, status: 412},
		{name: "others may not change it", as: "alf", do: "PATCH /articles/on-margins", header: "If-Match: $etag2", body: `{"title":"Edges"}`, status: 403},
		{name: "nor learn the revision they lack", as: "bea", do: "PATCH /articles/on-margins", body: `{"title":"Edges"}`, status: 403},
		{name: "nobody neither", do: "PATCH /articles/on-margins", header: "If-Match: $etag2", body: `{"title":"Edges"}`, status: 401},
		{name: "nothing changed, nothing saved", as: "ada", do: "PATCH /articles/on-margins", header: "If-Match: $etag2", body: `{"title":"On margins"}`, status: 200, has: []string{`"revision":2`}},
		{name: "a weak ETag is good enough", as: "ada", do: "PATCH /articles/on-margins", header: "If-Match: W/$etag2", body: `{"body":"A wide margin.","message":"Wider"}`, status: 200, has: []string{`"revision":3`, "A wide margin."}},
		{name: "any revision will do", as: "ada", do: "PATCH /articles/on-margins", header: "If-Match: *", body: `{"standfirst":"On the edge.","closes_after_days":10}`, status: 200, has: []string{`"revision":4`, `"closes_after_days":10`}},
		{name: "the address stays", as: "ada", do: "PATCH /articles/on-margins", header: "If-Match: *", body: `{"slug":"margins"}`, status: 422, has: []string{`"field":"slug"`, "links"}},
		{name: "what is wrong, all at once", as: "ada", do: "PATCH /articles/on-margins", header: "If-Match: *", body: `{"title":"","body":" ","state":"gone","comment_policy":"loud","closes_after_days":-1,"tags":["a/b"]}`, status: 422,
			has: []string{`"field":"title"`, `"field":"body"`, `"field":"state"`, `"field":"comment_policy"`, `"field":"closes_after_days"`, `"field":"tags"`}},
		{name: "the revisions", do: "GET /articles/on-margins/revisions", status: 200, has: []string{`"number":4`, `"number":3`, `"number":2`, `"message":"Wider"`, `"current":true`}, not: []string{`"number":1`, `"body"`}},
		{name: "its author sees the draft as well", as: "ada", do: "GET /articles/on-margins/revisions?limit=3", status: 200, has: []string{`"number":2`}, not: []string{`"number":1`}, keep: "more=next_cursor"},
		{name: "on the next page", as: "ada", do: "GET /articles/on-margins/revisions?limit=3&cursor=$more", status: 200, has: []string{`"number":1`, `"state":"draft"`, `"next_cursor":null`}, not: []string{`"number":2`}},
		{name: "an earlier text", do: "GET /articles/on-margins/revisions/2", status: 200, has: []string{`"body":"# One`, `"current":false`}},
		{name: "a draft is not shown", do: "GET /articles/on-margins/revisions/1", status: 404},
		{name: "no such revision", as: "ada", do: "GET /articles/on-margins/revisions/99", status: 404},
		{name: "no number", as: "ada", do: "GET /articles/on-margins/revisions/02", status: 404},
		{name: "restore", as: "ada", do: "POST /articles/on-margins/revisions/2/restore", status: 201, has: []string{`"revision":5`, `"body":"# One`, `"closes_after_days":10`}},
		{name: "restoring from a stale page", as: "ada", do: "POST /articles/on-margins/revisions/3/restore", header: "If-Match: $etag2", status: 412, has: []string{`"revision":5`}, not: []string{`"yours"`}},
		{name: "others restore nothing", as: "bea", do: "POST /articles/on-margins/revisions/2/restore", status: 403},

		{name: "the address is taken", as: "alf", do: "POST /articles", body: `{"title":"X","body":"B","slug":"on-margins"}`, status: 409, has: []string{`"field":"slug"`}},
		{name: "a title that is taken gets a number", as: "alf", do: "POST /articles", body: `{"title":"On margins","body":"B"}`, status: 201, has: []string{`"slug":"on-margins-2"`}, keep: "etagalf=Header:ETag"},
		{name: "moving to a taken address", as: "alf", do: "PATCH /articles/on-margins-2", header: "If-Match: *", body: `{"slug":"on-margins"}`, status: 409, has: []string{`"field":"slug"`}},
		{name: "a draft may move", as: "alf", do: "PATCH /articles/on-margins-2", header: "If-Match: *", body: `{"slug":"edges"}`, status: 200, has: []string{`"slug":"edges"`}},
		{name: "an article without anything", as: "alf", do: "POST /articles", body: `{}`, status: 422, has: []string{`"field":"title"`, `"field":"body"`}},
		{name: "a schedule needs a moment", as: "alf", do: "POST /articles", body: `{"title":"Later","body":"B","state":"scheduled"}`, status: 422, has: []string{`"field":"publish_at"`}},
		{name: "a moment needs a shape", as: "alf", do: "POST /articles", body: `{"title":"Later","body":"B","state":"scheduled","publish_at":"tomorrow"}`, status: 400, has: []string{`"field":"publish_at"`}},
		{name: "scheduled", as: "alf", do: "POST /articles", body: `{"title":"Later","body":"B","state":"scheduled","publish_at":"2026-03-02T11:00:00+01:00","tags":["time"]}`, status: 201, has: []string{`"state":"scheduled"`, `"publish_at":"2026-03-02T10:00:00Z"`, `"published_at":null`}},
		{name: "not before its time", do: "GET /articles/later", status: 404},
		{name: "nor in the list", do: "GET /articles", status: 200, not: []string{"later"}},
		{name: "at its time it is out", after: time.Hour, do: "GET /articles/later", status: 200, has: []string{`"state":"published"`, `"published_at":"2026-03-02T10:00:00Z"`}},
		{name: "and first in the list", do: "GET /articles?limit=1", status: 200, has: []string{`"slug":"later"`}, not: []string{`"slug":"on-margins"`, `"next_cursor":null`}, keep: "next=next_cursor"},
		{name: "the list goes on", do: "GET /articles?limit=1&cursor=$next", status: 200, has: []string{`"slug":"on-margins"`, `"next_cursor":null`}, not: []string{`"slug":"later"`}},
		{name: "by tag", do: "GET /articles?tag=Paper", status: 200, has: []string{"on-margins"}, not: []string{"later"}},
		{name: "by author", do: "GET /articles?author=alf", status: 200, has: []string{"later"}, not: []string{"on-margins", "edges"}},
		{name: "by nobody", do: "GET /articles?author=nobody", status: 404},
		{name: "a cursor of another list", do: "GET /articles/on-margins/comments?cursor=$next", status: 422, has: []string{`"field":"cursor"`}},
		{name: "archived", as: "alf", do: "PATCH /articles/later", header: "If-Match: *", body: `{"state":"archived"}`, status: 200, has: []string{`"state":"archived"`, `"comments_open":false`, "archived"}},
		{name: "it can be read", do: "GET /articles/later", status: 200},
		{name: "it left the list", do: "GET /articles", status: 200, not: []string{"later"}},
		{name: "deleting from a stale page", as: "ada", do: "DELETE /articles/on-margins", header: `If-Match: "1"`, status: 412, has: []string{`"current":{`}},
		{name: "others delete nothing", as: "alf", do: "DELETE /articles/on-margins", status: 403},
		{name: "delete", as: "ada", do: "DELETE /articles/on-margins", header: `If-Match: "5"`, status: 204},
		{name: "gone for its author too", as: "ada", do: "GET /articles/on-margins", status: 404},
		{name: "and for the admin", as: "dan", do: "GET /articles?mine=true", status: 200, not: []string{`"slug":"on-margins"`}},
		{name: "letters of every alphabet", as: "ada", do: "POST /articles", body: `{"title":"Ränder","body":"B","slug":"ränder","state":"published"}`, status: 201, has: []string{`"slug":"ränder"`}, keep: "where=Header:Location"},
		{name: "have an address", do: "GET $where", status: 200, has: []string{`"slug":"ränder"`}},
		{name: "also in an error", do: "GET /articles/r%C3%A4nder/revisions/7", status: 404, has: []string{`"instance":"/api/v1/articles/r%C3%A4nder/revisions/7"`}},
	}},

	{"comments", []step{
		{name: "an open discussion", as: "ada", do: "POST /articles", body: `{"title":"Open","body":"B","state":"published","comment_policy":"open"}`, status: 201},
		{name: "sign in to comment", do: "POST /articles/open/comments", body: `{"body":"Hello"}`, status: 401},
		{name: "a comment appears at once", as: "bea", do: "POST /articles/open/comments", body: `{"body":"**First** <b onclick=x>bold</b>\r\nline"}`, status: 201,
			has: []string{`"state":"approved"`, `"parent_id":null`, `"depth":0`, `<strong>First</strong>`, `\nline`, `"score":0`, `"edited_at":null`, `"article":"open"`, `"revision":1`, `"can":["reply","edit","delete"]`},
			not: []string{`\r`, `"reason"`}, keep: "first=id where=Header:Location"},
		{name: "its address", do: "GET $where", status: 200, has: []string{`"id":$first`, `"root_id":$first`, `"can":[]`, `"display_name":"bea"`}},
		{name: "an empty comment", as: "bea", do: "POST /articles/open/comments", body: `{"body":" \u200b\n"}`, status: 422, has: []string{`"field":"body"`, "must not be empty"}},
		{name: "a reply", as: "eve", do: "POST /articles/open/comments", body: `{"body":"No.","parent_id":$first}`, status: 201, has: []string{`"parent_id":$first`, `"root_id":$first`, `"depth":1`}, keep: "reply=id"},
		{name: "a reply to the reply", as: "bea", do: "POST /articles/open/comments", body: `{"body":"Yes.","parent_id":$reply}`, status: 201, has: []string{`"depth":2`, `"root_id":$first`}, keep: "deep=id"},
		{name: "a reply to nothing", as: "bea", do: "POST /articles/open/comments", body: `{"body":"?","parent_id":9999}`, status: 422, has: []string{`"field":"parent_id"`}},
		{name: "no id at all", as: "bea", do: "POST /articles/open/comments", body: `{"body":"?","parent_id":0}`, status: 400, has: []string{`"field":"parent_id"`}},
		{name: "no such article", as: "bea", do: "POST /articles/nowhere/comments", body: `{"body":"?"}`, status: 404},
		{name: "another", as: "eve", do: "POST /articles/open/comments", body: `{"body":"Second"}`, status: 201, keep: "second=id"},
		{name: "and a third", as: "eve", do: "POST /articles/open/comments", body: `{"body":"Third"}`, status: 201, keep: "third=id"},

		{name: "vote", as: "eve", do: "PUT /comments/$first/vote", body: `{"value":1}`, status: 200, has: []string{`"score":1`, `"up":1`, `"my_vote":1`}},
		{name: "twice counts once", as: "eve", do: "PUT /comments/$first/vote", body: `{"value":1}`, status: 200, has: []string{`"score":1`}},
		{name: "change one’s mind", as: "eve", do: "PUT /comments/$first/vote", body: `{"value":-1}`, status: 200, has: []string{`"score":-1`, `"up":0`, `"down":1`, `"my_vote":-1`}},
		{name: "take it back", as: "eve", do: "DELETE /comments/$first/vote", status: 200, has: []string{`"score":0`, `"my_vote":0`}},
		{name: "taking back nothing", as: "eve", do: "DELETE /comments/$first/vote", status: 200, has: []string{`"score":0`}},
		{name: "not one’s own", as: "bea", do: "PUT /comments/$first/vote", body: `{"value":1}`, status: 403},
		{name: "nor take it back", as: "bea", do: "DELETE /comments/$first/vote", status: 403},
		{name: "no such vote", as: "eve", do: "PUT /comments/$first/vote", body: `{"value":5}`, status: 422, has: []string{`"field":"value"`}},
		{name: "a vote of nothing", as: "eve", do: "PUT /comments/$first/vote", body: `{"value":0}`, status: 422, has: []string{`"field":"value"`}},
		{name: "no vote at all", as: "eve", do: "PUT /comments/$first/vote", body: `{}`, status: 422, has: []string{`"field":"value"`}},
		{name: "sign in to vote", do: "PUT /comments/$first/vote", body: `{"value":1}`, status: 401},
		{name: "up goes the second", as: "cem", do: "PUT /comments/$second/vote", body: `{"value":1}`, status: 200},

		{name: "best first", do: "GET /articles/open/comments?limit=1", status: 200, has: []string{`"id":$second`, `"replies":[]`, `"my_vote":0`}, not: []string{`"body":"Third"`}, keep: "next=next_cursor"},
		{name: "then by age", do: "GET /articles/open/comments?limit=1&cursor=$next", status: 200, has: []string{"First", `"replies":[{"id":$reply`, `{"id":$deep`}, not: []string{`"body":"Second"`, `"body":"Third"`}, keep: "next=next_cursor"},
		{name: "to the end", do: "GET /articles/open/comments?limit=1&cursor=$next", status: 200, has: []string{`"body":"Third"`, `"next_cursor":null`}, not: []string{"First"}},
		{name: "newest first", as: "cem", do: "GET /articles/open/comments?sort=newest&limit=2", status: 200, has: []string{`{"items":[{"id":$third`, `"my_vote":1`}, not: []string{"First"}, keep: "next=next_cursor"},
		{name: "newest last page", do: "GET /articles/open/comments?sort=newest&limit=2&cursor=$next", status: 200, has: []string{`{"items":[{"id":$first`, `"next_cursor":null`}},
		{name: "a cursor of another order", do: "GET /articles/open/comments?sort=oldest&cursor=$next", status: 422, has: []string{`"field":"cursor"`}},
		{name: "oldest first", do: "GET /articles/open/comments?sort=oldest&limit=1", status: 200, has: []string{`{"items":[{"id":$first`}},
		{name: "no such order", do: "GET /articles/open/comments?sort=loudest", status: 422, has: []string{`"field":"sort"`}},
		{name: "direct replies only", do: "GET /comments/$first/replies", status: 200, has: []string{`"id":$reply`, `"next_cursor":null`}, not: []string{`"id":$deep`}},
		{name: "one more reply", as: "cem", do: "POST /articles/open/comments", body: `{"body":"Perhaps.","parent_id":$first}`, status: 201, keep: "perhaps=id"},
		{name: "replies by page", do: "GET /comments/$first/replies?limit=1", status: 200, has: []string{`"id":$reply`}, not: []string{`"id":$perhaps`}, keep: "next=next_cursor"},
		{name: "the second page of replies", do: "GET /comments/$first/replies?limit=1&cursor=$next", status: 200, has: []string{`"id":$perhaps`, `"next_cursor":null`}, not: []string{`"id":$reply`}},
		{name: "the count", do: "GET /comments/$first", status: 200, has: []string{`"reply_count":2`}},
		{name: "the article counts all", do: "GET /articles/open", status: 200, has: []string{`"comment_count":6`}},

		{name: "edit", after: time.Minute, as: "bea", do: "PATCH /comments/$first", body: `{"body":"First, again"}`, status: 200, has: []string{"First, again", `"edited_at":"2026-03-02T09:01:00Z"`, `"history"`}},
		{name: "the same text is no edit", after: time.Minute, as: "bea", do: "PATCH /comments/$first", body: `{"body":"First, again"}`, status: 200, has: []string{`"edited_at":"2026-03-02T09:01:00Z"`}},
		{name: "to nothing", as: "bea", do: "PATCH /comments/$first", body: `{}`, status: 422, has: []string{`"field":"body"`}},
		{name: "the history", do: "GET /comments/$first/history", status: 200, has: []string{`{"items":[{"number":2,"body":"First, again"`, `"number":1`, "**First**"}},
		{name: "no history, one text", do: "GET /comments/$second/history", status: 200, has: []string{`"number":1`}, not: []string{`"number":2`}},
		{name: "not others’", as: "eve", do: "PATCH /comments/$first", body: `{"body":"Mine"}`, status: 403},
		{name: "not even as a moderator", as: "cem", do: "PATCH /comments/$first", body: `{"body":"Mine"}`, status: 403},
		{name: "too late", after: time.Hour, as: "bea", do: "PATCH /comments/$first", body: `{"body":"Late"}`, status: 403, has: []string{"30 minutes"}},

		{name: "report", as: "eve", do: "POST /comments/$first/reports", body: `{"reason":"spam","note":"Buy!"}`, status: 201, has: []string{`"comment_id":$first`, `"reason":"spam"`, `"note":"Buy!"`}, not: []string{`"reporter"`}},
		{name: "a report needs a reason", as: "eve", do: "POST /comments/$first/reports", body: `{}`, status: 422, has: []string{`"field":"reason"`}},
		{name: "not on oneself", as: "bea", do: "POST /comments/$first/reports", body: `{"reason":"spam"}`, status: 403},

		{name: "others delete nothing", as: "eve", do: "DELETE /comments/$first", status: 403},
		{name: "delete", as: "bea", do: "DELETE /comments/$first", status: 204},
		{name: "a tombstone stays", do: "GET /comments/$first", status: 200, has: []string{`"state":"deleted"`, `"author":null`, `"body":""`, `"html":""`, `"reply_count":2`}, not: []string{"bea", "First", "again", `"reason"`}},
		{name: "also in the discussion", do: "GET /articles/open/comments?sort=oldest", status: 200, has: []string{`"state":"deleted"`, `"body":"No."`}, not: []string{"First, again"}},
		{name: "its history is gone", do: "GET /comments/$first/history", status: 404},
		{name: "for its author too", as: "bea", do: "GET /comments/$first/history", status: 404},
		{name: "it cannot go twice", as: "bea", do: "DELETE /comments/$first", status: 409},
		{name: "nor be voted on", as: "eve", do: "PUT /comments/$first/vote", body: `{"value":1}`, status: 409},
		{name: "nor a vote taken back", as: "eve", do: "DELETE /comments/$first/vote", status: 409},
		{name: "nor be reported", as: "eve", do: "POST /comments/$first/reports", body: `{"reason":"spam"}`, status: 409},
		{name: "nor be answered", as: "eve", do: "POST /articles/open/comments", body: `{"body":"?","parent_id":$first}`, status: 422, has: []string{`"field":"parent_id"`}},
		{name: "a moderator is told why", as: "cem", do: "POST /articles/open/comments", body: `{"body":"?","parent_id":$first}`, status: 409},
		{name: "without replies nothing stays", as: "eve", do: "DELETE /comments/$third", status: 204},
		{name: "it is gone", do: "GET /comments/$third", status: 404},
		{name: "the count fell", do: "GET /articles/open", status: 200, has: []string{`"comment_count":4`}},

		{name: "close it", as: "ada", do: "PATCH /articles/open", header: "If-Match: *", body: `{"comment_policy":"closed"}`, status: 200},
		{name: "closed", as: "eve", do: "POST /articles/open/comments", body: `{"body":"Too late?"}`, status: 403, has: []string{"closed"}},
		{name: "closed says so to everybody", do: "GET /articles/open", status: 200, has: []string{`"comments_open":false`, `"comment_closed_why":"The discussion`}},

		{name: "one that closes", as: "ada", do: "POST /articles", body: `{"title":"Brief","body":"B","state":"published","comment_policy":"open","closes_after_days":1}`, status: 201},
		{name: "in time", after: 23 * time.Hour, as: "eve", do: "POST /articles/brief/comments", body: `{"body":"In time"}`, status: 201},
		{name: "a day later", after: time.Hour, as: "eve", do: "POST /articles/brief/comments", body: `{"body":"Late"}`, status: 403, has: []string{"1 day"}},

		{name: "one that is read first", as: "ada", do: "POST /articles", body: `{"title":"Slow","body":"B","state":"published","comment_policy":"premoderated"}`, status: 201},
		{name: "a comment waits", as: "eve", do: "POST /articles/slow/comments", body: `{"body":"Patience"}`, status: 201, has: []string{`"state":"pending"`, `"reason":"Every comment here is read`, `"can":["edit","delete"]`}, keep: "held=id"},
		{name: "nobody sees it", do: "GET /comments/$held", status: 404},
		{name: "nor in the discussion", as: "bea", do: "GET /articles/slow/comments", status: 200, not: []string{"Patience"}},
		{name: "its author does", as: "eve", do: "GET /comments/$held", status: 200, has: []string{"Patience"}},
		{name: "it cannot be answered, it is not there", as: "bea", do: "POST /articles/slow/comments", body: `{"body":"?","parent_id":$held}`, status: 422, has: []string{`"field":"parent_id"`}},
		{name: "nor by its author", as: "eve", do: "POST /articles/slow/comments", body: `{"body":"?","parent_id":$held}`, status: 409, has: []string{"not published"}},
		{name: "nor voted on by who is blind to it", as: "bea", do: "PUT /comments/$held/vote", body: `{"value":1}`, status: 404},
		{name: "the author of the article does not wait", as: "ada", do: "POST /articles/slow/comments", body: `{"body":"Welcome"}`, status: 201, has: []string{`"state":"approved"`}},
		{name: "nor does a moderator", as: "cem", do: "POST /articles/slow/comments", body: `{"body":"Hm"}`, status: 201, has: []string{`"state":"approved"`}},
	}},

	{"moderation", []step{
		{name: "an article", as: "ada", do: "POST /articles", body: `{"title":"First","body":"B","state":"published","comment_policy":"first_comment"}`, status: 201},
		{name: "a first comment waits", as: "bea", do: "POST /articles/first/comments", body: `{"body":"Hello, all"}`, status: 201, has: []string{`"state":"pending"`, `"reason":"A first comment`}, keep: "one=id"},
		{name: "another waits", as: "eve", do: "POST /articles/first/comments", body: `{"body":"Buy pens"}`, status: 201, keep: "two=id"},
		{name: "and one more", as: "eve", do: "POST /articles/first/comments", body: `{"body":"Buy ink"}`, status: 201, keep: "three=id"},
		{name: "readers have no queue", as: "bea", do: "GET /moderation/queue", status: 403},
		{name: "authors neither", as: "ada", do: "GET /moderation/queue", status: 403},
		{name: "nobody neither", do: "GET /moderation/queue", status: 401},
		{name: "the queue", as: "cem", do: "GET /moderation/queue", status: 200, has: []string{"Hello, all", "Buy pens", `"article_title":"First"`, `"why":"First comment of its author"`, `"parent":null`, `"standing":{"approved":0,"rejected":0`, `"moderate"`}},
		{name: "by page", as: "cem", do: "GET /moderation/queue?state=pending&limit=1", status: 200, has: []string{"Hello, all"}, not: []string{"Buy pens"}, keep: "next=next_cursor"},
		{name: "next page", as: "cem", do: "GET /moderation/queue?state=pending&limit=2&cursor=$next", status: 200, has: []string{"Buy pens", "Buy ink", `"next_cursor":null`}, not: []string{"Hello, all"}},
		{name: "no such view", as: "cem", do: "GET /moderation/queue?state=lost", status: 422, has: []string{`"field":"state"`}},
		{name: "approve", as: "cem", do: "POST /moderation/decisions", body: `{"comment_ids":[$one],"decision":"approve"}`, status: 201,
			has: []string{`"decision":"approve"`, `"comment_ids":[$one]`, `"before":"pending","after":"approved"`, `"moderator":{"username":"cem"`, `"can":["undo"]`, `"excerpt":"Hello, all"`}, keep: "approval=id"},
		{name: "now it is there", do: "GET /comments/$one", status: 200, has: []string{`"state":"approved"`}, not: []string{`"reason"`}},
		{name: "and its author is trusted", as: "bea", do: "POST /articles/first/comments", body: `{"body":"Me again","parent_id":$one}`, status: 201, has: []string{`"state":"approved"`}, keep: "again=id"},
		{name: "two at once are spam", as: "cem", do: "POST /moderation/decisions", body: `{"comment_ids":[$three,$two,$two],"decision":"spam","reason":"Advertising"}`, status: 201, has: []string{`"comment_ids":[$two,$three]`, `"reason":"Advertising"`}, keep: "spam=id"},
		{name: "in the queue’s spam, newest first", as: "cem", do: "GET /moderation/queue?state=spam", status: 200, has: []string{`"state":"spam"`, "Buy pens", `"rejected":2`}},
		{name: "the queue is empty", as: "cem", do: "GET /moderation/queue", status: 200, has: []string{`{"items":[],"next_cursor":null}`}},
		{name: "its author reads why", as: "eve", do: "GET /comments/$two", status: 200, has: []string{`"state":"spam"`, `"reason":"Advertising"`}},
		{name: "and cannot change it", as: "eve", do: "PATCH /comments/$two", body: `{"body":"Sorry"}`, status: 403},
		{name: "or delete it", as: "eve", do: "DELETE /comments/$two", status: 409},
		{name: "nobody else sees it", as: "bea", do: "GET /comments/$two", status: 404},
		{name: "undo", as: "cem", do: "POST /moderation/decisions/$spam/undo", status: 201, has: []string{`"decision":"undo"`, `"undoes":$spam`, `"before":"spam","after":"pending"`, `"can":[]`}, keep: "undo=id"},
		{name: "not twice", as: "cem", do: "POST /moderation/decisions/$spam/undo", status: 409},
		{name: "nor the undo", as: "cem", do: "POST /moderation/decisions/$undo/undo", status: 409},
		{name: "back in the queue", as: "cem", do: "GET /moderation/queue", status: 200, has: []string{"Buy pens", "Buy ink"}},
		{name: "reject one", as: "cem", do: "POST /moderation/decisions", body: `{"comment_ids":[$two],"decision":"reject","reason":"Off topic"}`, status: 201},
		{name: "the rejected", as: "cem", do: "GET /moderation/queue?state=rejected", status: 200, has: []string{"Buy pens", `"why":"Rejected"`}, not: []string{"Buy ink"}},

		{name: "a report", as: "eve", do: "POST /comments/$again/reports", body: `{"reason":"abuse","note":"Rude"}`, status: 201},
		{name: "the reported", as: "cem", do: "GET /moderation/queue?state=reported", status: 200, has: []string{"Me again", `"why":"Reported by a reader"`, `"note":"Rude"`, `"reporter":{"username":"eve"`, `"parent":{"id":$one`}},
		{name: "take it away", as: "cem", do: "POST /moderation/decisions", body: `{"comment_ids":[$again],"decision":"reject","reason":"Insulting or hostile"}`, status: 201, keep: "removal=id"},
		{name: "the report is answered", as: "cem", do: "GET /moderation/queue?state=reported", status: 200, not: []string{"Me again"}},
		{name: "undo opens it again", as: "cem", do: "POST /moderation/decisions/$removal/undo", status: 201},
		{name: "there it is", as: "cem", do: "GET /moderation/queue?state=reported", status: 200, has: []string{"Me again"}},
		{name: "take away what was answered", as: "dan", do: "POST /moderation/decisions", body: `{"comment_ids":[$one],"decision":"reject"}`, status: 201, keep: "last=id"},
		{name: "a tombstone does not say why", do: "GET /comments/$one", status: 200, has: []string{`"state":"removed"`, `"author":null`, `"body":""`}, not: []string{"rejected", "Hello"}},
		{name: "its author still reads it", as: "bea", do: "GET /comments/$one", status: 200, has: []string{`"state":"rejected"`, "Hello, all"}},
		{name: "a decision overtaken", as: "dan", do: "POST /moderation/decisions/$approval/undo", status: 409, has: []string{"was decided about or deleted since"}},

		{name: "a comment of the moderator", as: "cem", do: "POST /articles/first/comments", body: `{"body":"Mine"}`, status: 201, keep: "own=id"},
		{name: "is not his to decide", as: "cem", do: "POST /moderation/decisions", body: `{"comment_ids":[$three,$own],"decision":"spam"}`, status: 403, has: []string{"Comment $own is your own"}},
		{name: "so nothing was decided", as: "cem", do: "GET /moderation/queue", status: 200, has: []string{"Buy ink"}},
		{name: "a comment of the admin", as: "dan", do: "POST /articles/first/comments", body: `{"body":"Boss"}`, status: 201, keep: "boss=id"},
		{name: "is for admins", as: "cem", do: "POST /moderation/decisions", body: `{"comment_ids":[$boss],"decision":"reject"}`, status: 403},
		{name: "what is not there", as: "cem", do: "POST /moderation/decisions", body: `{"comment_ids":[$three,9999],"decision":"spam"}`, status: 404, has: []string{"9999"}},
		{name: "its author takes one back", as: "eve", do: "DELETE /comments/$three", status: 204},
		{name: "so there is nothing to decide", as: "cem", do: "POST /moderation/decisions", body: `{"comment_ids":[$three],"decision":"approve"}`, status: 409},
		{name: "no comments, no decision", as: "cem", do: "POST /moderation/decisions", body: `{"comment_ids":[],"decision":"undo"}`, status: 422, has: []string{`"field":"comment_ids"`, `"field":"decision"`}},
		{name: "readers decide nothing", as: "bea", do: "POST /moderation/decisions", body: `{"comment_ids":[$one],"decision":"approve"}`, status: 403},
		{name: "nor undo", as: "bea", do: "POST /moderation/decisions/$last/undo", status: 403},
		{name: "nor read the log", as: "bea", do: "GET /moderation/log", status: 403},
		{name: "the log", as: "dan", do: "GET /moderation/log", status: 200, has: []string{`{"items":[{"id":$last`, `"undone_by":$undo`, `"undoes":$spam`, `"moderator":{"username":"cem"`}},
		{name: "by page", as: "dan", do: "GET /moderation/log?limit=1", status: 200, has: []string{`"id":$last`}, not: []string{`"id":$removal,`}, keep: "next=next_cursor"},
		{name: "its next page", as: "dan", do: "GET /moderation/log?limit=1&cursor=$next", status: 200, not: []string{`"id":$last,`}},
	}},
}

// TestAPI plays the scenarios and then looks for what they left out.
func TestAPI(t *testing.T) {
	check := newChecker(t)
	complete := true
	run := func(name string, f func(*testing.T)) {
		ran := false
		t.Run(name, func(t *testing.T) {
			ran = true
			f(t)
		})
		complete = complete && ran
	}
	for _, sc := range stories {
		run(sc.name, func(t *testing.T) { sc.play(t, check) })
	}
	run("shapes", func(t *testing.T) { testShapes(t, check) })
	run("tokens", func(t *testing.T) { testTokens(t, check) })
	run("suspended", func(t *testing.T) { testSuspended(t, check) })
	run("a hundred edits", func(t *testing.T) { testHundredEdits(t, check) })
	run("limits", func(t *testing.T) { testLimits(t, check) })
	run("jammed", func(t *testing.T) { testJammed(t, check) })
	run("broken", func(t *testing.T) { testBroken(t, check) })
	run("around", func(t *testing.T) { testAround(t, check) })
	if complete && !t.Failed() {
		check.coverage(t)
	}
}

// set is a server on which every operation has something to work on.
type set struct {
	*server
	admin, reader *client
	paths         *strings.Replacer
}

func stage(t *testing.T, check *checker, opts ...serverOption) *set {
	s := newServer(t, opts...)
	s.observe = check.observe
	admin, reader := s.user(models.Admin), s.user(models.Reader)
	art := s.article(admin)
	admin.with("If-Match", "*").patch(apiPrefix+"/articles/"+art.Slug, object{"body": "A second text."}).is(200)
	comment, refused := s.comment(reader, art.Slug, "Hello", 0), s.comment(reader, art.Slug, "Buy pens", 0)
	decision := admin.post(apiPrefix+"/moderation/decisions", object{"comment_ids": []int64{refused.ID}, "decision": "reject"}).is(201)
	return &set{s, admin, reader, strings.NewReplacer("{slug}", art.Slug, "{username}", admin.username, "{number}", "1", "/sessions/{id}", "/sessions/none",
		"/decisions/{id}", "/decisions/"+plain(decision.at("id")), "{id}", plain(float64(comment.ID)))}
}

// path is the address of an operation, with what there is on the server.
func (s *set) path(op operation) string { return apiPrefix + s.paths.Replace(op.path) }

// isOpen tells whether nobody needs to sign in for an operation.
func (op operation) isOpen() bool { return len(op.object["security"].([]any)[0].(object)) == 0 }

// testShapes asks every operation in every way that it must refuse before it
// does anything.
func testShapes(t *testing.T, check *checker) {
	s := stage(t, check)
	admin := s.admin.with("If-Match", "*")
	nobody, foreign := s.anyone(), s.visitor().with("Sec-Fetch-Site", "cross-site")
	for _, op := range describe(t).operations {
		refused := func(why string, by *client, where string, body any, status int) *response {
			res := by.do(op.method, where, body)
			if res.status != status {
				t.Errorf("%s, %s: %d, not %d: %s", op.id, why, res.status, status, shortened(res.body))
			}
			return res
		}
		at, example := s.path(op), op.example()
		refused("a forged token", nobody.with("Authorization", "Bearer x.y.z"), at, example, 401)
		refused("another scheme", nobody.with("Authorization", "Basic eDp5"), at, example, 401)
		refused("an address that is no text", admin, at+"?x=%ff", example, 400)
		refused("an address with NUL", admin, at+"?x=%00", example, 400)
		if !op.isOpen() {
			refused("nobody", nobody, at, example, 401)
		}
		if op.method != "GET" {
			refused("another site", foreign, at, example, 403).has("another site")
		}
		if example != nil {
			for why, body := range map[string]string{"no body": "", "no JSON": "{", "a list": "[]", "a number": "1", "two values": "{} {}", "an unknown field": `{"nonsense":1}`,
				"a field twice": `{"body":"a","body":"b"}`, "no UTF-8": "{\"body\":\"\xff\"}", "deep nesting": strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40)} {
				refused(why, admin, at, body, 400)
			}
			refused("a form", admin.with("Content-Type", "application/x-www-form-urlencoded"), at, "a=b", 415)
			refused("no type", admin.with("Content-Type", " "), at, example, 415)
			refused("compressed", admin.with("Content-Encoding", "gzip"), at, example, 415)
			refused("too large", admin, at, `{"body":"`+strings.Repeat("x", large)+`"}`, 413)
		}
		missing := strings.NewReplacer("{slug}", "nowhere", "{username}", "nobody", "{number}", "1", "{id}", "9999").Replace(op.path)
		if missing != op.path {
			refused("nothing there", admin, apiPrefix+missing, example, 404)
			for _, odd := range []string{"0", "-1", "x", "1e3", "%2e%2e", "9223372036854775808"} {
				if strings.Contains(op.path, "{id}") {
					refused("odd id", admin, apiPrefix+strings.Replace(op.path, "{id}", odd, 1), example, 404)
				}
			}
		}
		for name := range describe(t).parameters(op) {
			switch name {
			case "limit":
				for _, limit := range []string{"0", "-1", "x", "1.5"} {
					refused("odd limit", admin, at+"?limit="+limit, nil, 400).has(`"field":"limit"`)
				}
				refused("a large limit is a hundred", admin, at+"?limit=100000", nil, 200)
			case "cursor":
				for _, cursor := range []string{"x", "AAAA", "%F0%9F%98%80", strings.Repeat("A", 500)} {
					refused("odd cursor", admin, at+"?cursor="+cursor, nil, 422).has(`"field":"cursor"`)
				}
			}
		}
		if op.method == "GET" {
			head := admin.do("HEAD", at, nil)
			if get := admin.get(at); head.status != get.status || head.header.Get("Content-Type") != get.header.Get("Content-Type") || head.header.Get("ETag") != get.header.Get("ETag") {
				t.Errorf("%s: HEAD %d %v, GET %d %v", op.id, head.status, head.header, get.status, get.header)
			}
		}
	}
}

// testAround asks where no operation is.
func testAround(t *testing.T, check *checker) {
	s := newServer(t)
	s.observe = check.observe
	nobody := s.anyone()
	at := apiPrefix + "/articles/" + s.article(s.user(models.Author)).Slug + "/comments"
	page := nobody.get(at).is(200)
	nobody.with("If-None-Match", page.header.Get("ETag")).get(at).is(304)
	nobody.with("If-None-Match", `W/"0"`).get(at).is(200)
	for _, path := range []string{"/", "/nothing", "/articles/", "/Articles", "/articles/a/b", "/openapi", "/healthz"} {
		nobody.get(apiPrefix + path).is(404).has("There is nothing at this address")
	}
	for path, allow := range map[string]string{"/articles": "GET, HEAD, POST", "/me": "GET, HEAD, PATCH", "/comments/1/vote": "DELETE, PUT", "/sessions/refresh": "POST"} {
		res := nobody.do("OPTIONS", apiPrefix+path, nil).is(405)
		got := strings.Split(res.header.Get("Allow"), ", ")
		slices.Sort(got)
		for _, method := range strings.Split(allow, ", ") {
			if !slices.Contains(got, method) {
				t.Errorf("%s allows %v, not %s", path, got, allow)
			}
		}
	}
	for path, status := range map[string]string{"/healthz": "ok", "/readyz": "ready"} {
		res := nobody.get(path).is(200)
		if res.at("status") != status || res.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %s, %v", path, res.body, res.header)
		}
	}
	res := nobody.get(apiPrefix + "/openapi.json").is(200)
	file, err := os.ReadFile("openapi.json")
	if err != nil || res.text() != string(file) || res.header.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("the description is not sent as it is: %v, %v", err, res.header)
	}
}

// testSuspended keeps an account from signing in, and from what it had.
func testSuspended(t *testing.T, check *checker) {
	s := newServer(t)
	s.observe = check.observe
	bea := s.user(models.Reader, "bea")
	suspend := func(days int, reason string) {
		if _, err := s.store.Suspend(context.Background(), models.System(), "bea", models.SuspendInput{Days: days, Reason: reason}); err != nil {
			t.Fatal(err)
		}
	}
	suspend(2, "Rude")
	bea.get(apiPrefix + "/me").is(401)
	s.anyone().post(apiPrefix+"/sessions/refresh", object{"refresh_token": bea.signed.RefreshToken}).is(401)
	signIn := func(password string) *response {
		return s.anyone().post(apiPrefix+"/sessions", object{"login": "bea", "password": password})
	}
	signIn(bea.password).is(403).has("suspended until 4 March 2026", "Rude")
	signIn("wrong").is(401).hasNot("suspended")
	s.clock.Advance(48 * time.Hour)
	signIn(bea.password).is(201)
	suspend(0, "")
	signIn(bea.password).is(403).has("This account is suspended.").hasNot("until")
}

// testHundredEdits edits a comment until it is enough.
func testHundredEdits(t *testing.T, check *checker) {
	s := newServer(t)
	s.observe = check.observe
	art := s.article(s.user(models.Author))
	bea := s.user(models.Reader)
	at := fmt.Sprintf("%s/comments/%d", apiPrefix, s.comment(bea, art.Slug, "Text 0", 0).ID)
	for n := 1; ; n++ {
		res := bea.patch(at, object{"body": fmt.Sprintf("Text %d", n)})
		if res.status == 409 {
			if n != 100 {
				t.Errorf("refused at edit %d", n)
			}
			break
		}
		res.is(200)
		if n > 200 {
			t.Fatal("there is no end")
		}
	}
	if items := bea.get(at + "/history").is(200).at("items").([]any); len(items) != 100 {
		t.Errorf("there are %d texts", len(items))
	}
}

// testLimits does everything twice where once is allowed.
func testLimits(t *testing.T, check *checker) {
	s := stage(t, check) // without limits, to have something to work on
	s.config.Rates = Rates{Register: DefaultRates.Register, Write: DefaultRates.Write}
	s.config.Rates.Register.Burst, s.config.Rates.Write.Burst = 1, 1
	var err error
	if s.Handler, err = New(s.config); err != nil {
		t.Fatal(err)
	}
	_, table := (&Handlers{Config: s.config}).table()
	for _, op := range describe(t).operations {
		limited := slices.ContainsFunc(table, func(r route) bool {
			return r.rate.Burst > 0 && r.method == op.method && regexp.MustCompile(`:(\w+)`).ReplaceAllString(r.path, "{$1}") == op.path
		})
		if !limited {
			continue
		}
		eve := s.user(models.Author) // each with a count of his own
		if op.id == "register" {
			eve = s.anyone()
		}
		if first := eve.do(op.method, s.path(op), op.example()); first.status == 429 {
			t.Errorf("%s: refused at once", op.id)
		}
		eve.do(op.method, s.path(op), op.example()).is(429).has("too often")
		s.user(models.Reader).get(apiPrefix + "/me").is(200)
	}
}

// testJammed lets every write find that the store takes none, while reading
// goes on.
func testJammed(t *testing.T, check *checker) {
	g := &gate{entered: make(chan struct{}), release: make(chan struct{})}
	s := stage(t, check, withStore(func(c *models.Config) {
		g.now, c.Now, c.QueueSize = c.Now, g.Now, 1
	}))
	var waiting sync.WaitGroup
	var writes atomic.Int32
	refused := make(chan int, 3)
	defer func() {
		close(g.release)
		waiting.Wait()
	}()
	// One write stops halfway; of the next two, one fills the queue and the
	// other is refused, and so is everything from then on.
	write := func() {
		name := "late" + strconv.Itoa(int(writes.Add(1)))
		refused <- s.anyone().post(apiPrefix+"/users", object{"username": name, "email": name + "@example.org", "password": password}).status
	}
	g.isShut.Store(true)
	waiting.Go(write)
	<-g.entered
	waiting.Go(write)
	waiting.Go(write)
	if status := <-refused; status != 503 {
		t.Errorf("with a full queue: %d", status)
	}
	for _, op := range describe(t).operations {
		by, body := s.admin.with("If-Match", "*"), op.example()
		switch {
		case op.isOpen():
			by = s.anyone()
		case op.id == "changeComment":
			by = s.reader
		}
		want := 503
		if op.method == "GET" {
			want = 200
		}
		if res := by.do(op.method, s.path(op), body); res.status != want {
			t.Errorf("%s: %d, not %d: %s", op.id, res.status, want, shortened(res.body))
		}
	}
	s.anyone().get("/healthz").is(200)
}

// gate is a clock that stops whoever asks it first once it is shut.
type gate struct {
	now              func() time.Time
	isShut           atomic.Bool
	entered, release chan struct{}
}

func (g *gate) Now() time.Time {
	if g.isShut.CompareAndSwap(true, false) {
		close(g.entered)
		<-g.release
	}
	return g.now()
}

// testTokens lets access tokens expire and asks with a browser's cookie.
func testTokens(t *testing.T, check *checker) {
	s := newServer(t)
	s.observe = check.observe
	bea := s.user(models.Reader)
	me, refresh := apiPrefix+"/me", apiPrefix+"/sessions/refresh"
	s.clock.Advance(10*time.Minute - time.Second)
	bea.get(me).is(200)
	s.clock.Advance(time.Second)
	bea.get(me).is(401).has("expired")
	bea.get(apiPrefix + "/articles").is(401)
	bea.post(refresh, object{"refresh_token": bea.signed.RefreshToken}).is(401) // with the old token
	renewed := s.anyone().post(refresh, object{"refresh_token": bea.signed.RefreshToken}).is(200)
	bea = bea.with("Authorization", "Bearer "+plain(renewed.at("access_token")))
	bea.get(me).is(200)
	s.clock.Advance(models.SessionLife)
	s.anyone().post(refresh, object{"refresh_token": renewed.at("refresh_token")}).is(401)

	art := s.article(s.user(models.Author))
	browser := s.browser(models.Reader)
	browser.get(me).is(200)
	comments := apiPrefix + "/articles/" + art.Slug + "/comments"
	browser.post(comments, object{"body": "From a page"}).is(201)
	for _, site := range []string{"cross-site", "same-site"} {
		browser.with("Sec-Fetch-Site", site).post(comments, object{"body": "From elsewhere"}).is(403)
	}
	browser.with("Sec-Fetch-Site", "").with("Origin", "http://evil.test").post(comments, object{"body": "From elsewhere"}).is(403)
	browser.with("Sec-Fetch-Site", "cross-site").get(me).is(200)
	s.user(models.Reader).with("Sec-Fetch-Site", "cross-site").post(comments, object{"body": "With a token"}).is(201)
	s.anyone().get(comments).is(200).has("From a page", "With a token").hasNot("From elsewhere")
}

// testBroken lets every operation find that the database is gone.
func testBroken(t *testing.T, check *checker) {
	s := stage(t, check)
	if err := s.store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, op := range describe(t).operations {
		res := s.admin.do(op.method, s.path(op), op.example()).is(500)
		res.has("Something went wrong here", res.header.Get("X-Request-Id")).hasNot("sql", "database", "closed")
	}
	s.anyone().get("/readyz").is(503)
	s.anyone().get("/healthz").is(200)
	s.store.Reopen()
}
