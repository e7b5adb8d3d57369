package handlers

import (
	"context"
	"database/sql"
	"fmt"
	"hash/fnv"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // for looking at the database from outside

	"postil/models"
	"postil/models/modelstest"
)

// A world is a server with somebody in every role and something in every state,
// in which every text that is not for everybody carries a word of its own.
type world struct {
	*server
	people   map[string]*person
	articles map[string]string // state → slug; all are anna's
	comments map[string]int64  // state → id; all are rita's, on the published article
	decision int64             // about the rejected comment
	secrets  []secret
	db       *sql.DB
}

// person is one account with a browser and a program, or nobody at all.
type person struct {
	name    string
	page    *client
	api     *client
	session string         // of the program
	cookie  []*http.Cookie // of the browser
}

// secret is a word and the people who may read it.
type secret struct {
	what, word string
	readers    []string
}

// The people of a world: rita wrote the comments, anna the articles.
var company = []struct {
	name string
	role models.Role
}{
	{"rita", models.Reader}, {"sten", models.Reader}, {"anna", models.Author}, {"olaf", models.Author},
	{"mona", models.Moderator}, {"adam", models.Admin}, {"zoe", models.Reader},
}

// viewers are those who walk: the company, and nobody. Zoe is suspended.
var viewers = []string{"nobody", "rita", "sten", "anna", "olaf", "mona", "adam", "zoe"}

// newWorld builds a world. It takes some fifty writes, so tests that change it
// put it back with restore instead of building another.
func newWorld(t *testing.T, opts ...serverOption) *world {
	t.Helper()
	w := &world{server: newServer(t, opts...), people: map[string]*person{}, articles: map[string]string{}, comments: map[string]int64{}}
	w.people["nobody"] = &person{name: "nobody", page: w.visitor(), api: w.anyone()}
	for i, who := range company {
		w.join(i, who.name, who.role)
	}
	w.writeArticles()
	w.writeComments()
	w.withdraw()
	w.people["adam"].page.post("/admin/users/zoe/suspend", url.Values{"days": {"7"}, "reason": {w.secret("a suspension's reason", "adam")}}).is(303)
	w.open()
	return w
}

// secret makes a word that only these people may read.
func (w *world) secret(what string, readers ...string) string {
	word := fmt.Sprintf("xq%03dqx", len(w.secrets)+100)
	w.secrets = append(w.secrets, secret{what, word, readers})
	return word
}

// known notes a word that the server made.
func (w *world) known(what, word string, readers ...string) {
	w.secrets = append(w.secrets, secret{what, word, readers})
}

func (w *world) join(i int, name string, role models.Role) {
	w.t.Helper()
	email := w.secret("the e-mail address of "+name, name, "adam") + "@example.org"
	_, err := w.store.AddUser(context.Background(), models.System(), models.AddUserInput{Role: role,
		RegisterInput: models.RegisterInput{Username: name, Email: email, Password: modelstest.Password}})
	if err != nil {
		w.t.Fatal(err)
	}
	address := fmt.Sprintf("203.0.113.%d", 50+i)
	agent := w.secret("the user agent of "+name, name)
	w.known("the whole address of "+name, address) // its network is shown to its owner
	p := &person{name: name}
	p.page = w.visitor().from(address).with("User-Agent", agent).signInAs(name)
	p.api = w.anyone().from(address).with("User-Agent", agent).signInAs(name)
	p.session, p.cookie = p.api.signed.SessionID, p.page.jar.Cookies(w.site())
	w.known("the program's session of "+name, p.session, name)
	w.known("the access token of "+name, p.api.signed.AccessToken)
	w.known("the refresh token of "+name, p.api.signed.RefreshToken)
	for _, cookie := range p.cookie {
		w.known("the cookie of "+name, cookie.Value)
	}
	w.people[name] = p
}

func (w *world) writeArticles() {
	anna := w.people["anna"]
	desk := []string{"anna", "adam"}
	text := func(what string, readers ...string) object {
		return object{"title": "Title " + w.secret("the title of "+what, readers...), "standfirst": w.secret("the standfirst of "+what, readers...),
			"body": "## " + w.secret("a heading of "+what, readers...) + "\n\n" + w.secret("the body of "+what, readers...), "tags": []string{w.secret("the tag of "+what, readers...)},
			"message": w.secret("the message of "+what, readers...)}
	}
	write := func(state string, body object) string {
		var art struct{ Slug string }
		body["slug"] = state + "-article"
		anna.api.post("/api/v1/articles", body).is(201).into(&art)
		w.articles[state] = art.Slug
		return art.Slug
	}
	change := func(slug, revision string, body object) {
		anna.api.with("If-Match", `"`+revision+`"`).patch("/api/v1/articles/"+slug, body).is(200)
	}
	write("draft", text("a draft", desk...))
	scheduled := text("a scheduled article", desk...)
	scheduled["state"], scheduled["publish_at"] = "scheduled", w.clock.Now().Add(30*24*time.Hour).Format(time.RFC3339)
	write("scheduled", scheduled)

	slug := write("deleted", text("a deleted article"))
	change(slug, "1", object{"state": "published"})
	w.comments["orphan"] = w.comment(anna.api, slug, w.secret("a comment on a deleted article"), 0).ID
	anna.api.delete("/api/v1/articles/" + slug).is(204)

	slug = write("archived", object{"title": "On the archive", "body": "Kept.", "state": "published"})
	change(slug, "1", object{"state": "archived"})

	slug = write("published", text("the first draft of a published article", desk...))
	change(slug, "1", object{"title": "On margins", "standfirst": "A standfirst.", "body": "A margin is where the reader writes.", "tags": []string{"margins"}, "state": "published",
		"comment_policy": "premoderated", "message": "first print"})
	change(slug, "2", object{"body": "A margin is where the reader writes. Wide ones are better.", "message": "second print"})
	withdrawn := text("a withdrawn revision of a published article", desk...)
	withdrawn["state"] = "draft"
	change(slug, "3", withdrawn)
	change(slug, "4", object{"title": "On margins", "standfirst": "A standfirst.", "body": "A margin is where the reader writes. Wide ones are best.", "tags": []string{"margins"},
		"state": "published", "message": "third print"})
}

func (w *world) writeComments() {
	slug, rita, sten, mona := w.articles["published"], w.people["rita"].api, w.people["sten"].api, w.people["mona"].api
	decide := func(kind, reason string, ids ...int64) int64 {
		var d struct{ ID int64 }
		mona.post("/api/v1/moderation/decisions", object{"comment_ids": ids, "decision": kind, "reason": reason}).is(201).into(&d)
		return d.ID
	}
	w.comments["approved"] = w.comment(rita, slug, "An approved comment.", 0).ID
	w.comments["deleted"] = w.comment(rita, slug, w.secret("a deleted comment under a reply", "mona", "adam"), 0).ID
	decide("approve", "", w.comments["approved"], w.comments["deleted"])
	reply := w.comment(sten, slug, "A reply to what is deleted later.", w.comments["deleted"]).ID
	hidden := w.comment(sten, slug, w.secret("a pending reply to an approved comment", "sten", "mona", "adam"), w.comments["approved"]).ID
	decide("approve", "", reply)
	rita.delete(fmt.Sprintf("/api/v1/comments/%d", w.comments["deleted"])).is(204)
	w.comments["reply"], w.comments["hidden"] = reply, hidden

	for state, kind := range map[string]string{"pending": "", "rejected": "reject", "spam": "spam"} {
		id := w.comment(rita, slug, w.secret("the "+state+" comment", "rita", "mona", "adam"), 0).ID
		w.comments[state] = id
		if kind != "" {
			w.decision = decide(kind, w.secret("the reason of a "+state+" comment", "rita", "mona", "adam"), id)
		}
	}
	w.comments["gone"] = w.comment(rita, slug, w.secret("a deleted comment without replies", "mona", "adam"), 0).ID
	rita.delete(fmt.Sprintf("/api/v1/comments/%d", w.comments["gone"])).is(204)
	w.comments["admin's"] = w.comment(w.people["adam"].api, slug, "A comment by the admin.", 0).ID
	sten.post(fmt.Sprintf("/api/v1/comments/%d/reports", w.comments["approved"]),
		object{"reason": w.secret("the reason of a report", "mona", "adam"), "note": w.secret("the note of a report", "mona", "adam")}).is(201)
}

// withdraw takes an article back to the desk after its discussion had begun.
func (w *world) withdraw() {
	anna, rita, sten := w.people["anna"].api, w.people["rita"].api, w.people["sten"].api
	desk := []string{"anna", "adam"}
	slug := w.article(anna, having("slug", "withdrawn-article"), having("title", "On second thoughts"), having("comment_policy", "open")).Slug
	w.articles["withdrawn"] = slug
	w.comments["withdrawn"] = w.comment(rita, slug, w.secret("a comment on a withdrawn article", "mona", "adam", "anna"), 0).ID
	anna.with("If-Match", `"1"`).patch("/api/v1/articles/"+slug, object{"comment_policy": "premoderated"}).is(200)
	w.comment(sten, slug, w.secret("a pending comment on a withdrawn article", "mona", "adam"), 0)
	// The moderators have to know what a comment is about, so they see the title.
	anna.with("If-Match", `"2"`).patch("/api/v1/articles/"+slug, object{"state": "draft", "title": w.secret("the title of a withdrawn article", "anna", "adam", "mona"),
		"standfirst": w.secret("the standfirst of a withdrawn article", desk...), "tags": []string{w.secret("the tag of a withdrawn article", desk...)},
		"body": "## " + w.secret("the heading of a withdrawn article", desk...) + "\n\n" + w.secret("the body of a withdrawn article", desk...)}).is(200)
}

// open connects to the database behind the server's back and keeps a copy.
func (w *world) open() {
	w.t.Helper()
	db, err := sql.Open("sqlite", "file:"+w.store.URL+"?_pragma=busy_timeout(5000)&_pragma=synchronous(OFF)")
	if err != nil {
		w.t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	w.t.Cleanup(func() { _ = db.Close() })
	w.db = db
	w.exec("ATTACH ? AS kept", w.t.TempDir()+"/kept.db")
	for _, table := range w.tables() {
		w.exec("CREATE TABLE kept." + table + " AS SELECT * FROM main." + table)
	}
	w.rows("SELECT 'the password hash of ' || username, password_hash FROM users", func(row []any) { w.known(row[0].(string), row[1].(string)) })
	w.rows("SELECT 'a browser''s session of ' || u.username, s.id, u.username FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.kind = 'page'",
		func(row []any) { w.known(row[0].(string), row[1].(string), row[2].(string)) })
}

func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	if _, err := w.db.Exec(query, args...); err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
}

// rows visits the rows of a query.
func (w *world) rows(query string, visit func([]any)) {
	w.t.Helper()
	rows, err := w.db.Query(query)
	if err != nil {
		w.t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		w.t.Fatal(err)
	}
	for rows.Next() {
		row, into := make([]any, len(names)), make([]any, len(names))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			w.t.Fatal(err)
		}
		visit(row)
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
}

// tables lists what holds state; guesses of passwords are not part of it.
func (w *world) tables() []string {
	var names []string
	w.rows("SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%' AND name <> 'login_attempts' ORDER BY name",
		func(row []any) { names = append(names, row[0].(string)) })
	return names
}

// restore puts everything back as it was when the world was made.
func (w *world) restore() {
	w.t.Helper()
	w.exec("BEGIN IMMEDIATE")
	for _, table := range w.tables() {
		w.exec("DELETE FROM main." + table)
		w.exec("INSERT INTO main." + table + " SELECT * FROM kept." + table)
	}
	w.exec("DELETE FROM main.login_attempts")
	w.exec("COMMIT")
}

// state sums up every row of every table, without when sessions were last used.
func (w *world) state() uint64 {
	w.t.Helper()
	sum := fnv.New64a()
	for _, table := range w.tables() {
		columns := "*"
		if table == "sessions" {
			columns = "id, user_id, kind, user_agent, network, created_at, expires_at, ended_at, end_reason"
		}
		w.rows("SELECT "+columns+" FROM main."+table+" ORDER BY 1, 2", func(row []any) { fmt.Fprintln(sum, table, row) })
	}
	return sum.Sum64()
}

// writes is a number that rises when anything is written to the database.
func (w *world) writes() (n int64) {
	w.rows("PRAGMA main.data_version", func(row []any) { n = row[0].(int64) })
	return n
}

// as is how a person asks: with a browser for pages, with a program otherwise.
func (w *world) as(name, path string) *client {
	if strings.HasPrefix(path, "/api/") && path != "/api/v1/docs" {
		return w.people[name].api
	}
	return w.people[name].page
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func (w *world) site() *url.URL {
	u, _ := url.Parse(w.config.Site.URL)
	return u
}
