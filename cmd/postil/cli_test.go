package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"postil/models"
)

// cli runs commands in a folder of its own, as somebody at a shell would.
type cli struct {
	t  *testing.T
	in string // standard input of the next commands
}

func newCLI(t *testing.T) *cli {
	t.Helper()
	t.Chdir(t.TempDir())
	return &cli{t: t}
}

// typing is the same shell with something on standard input.
func (c *cli) typing(in string) *cli { return &cli{c.t, in} }

// result is what a command said.
type result struct {
	t         *testing.T
	args      []string
	code      int
	out, errs string
}

func (c *cli) run(args ...string) result {
	c.t.Helper()
	var out, errs bytes.Buffer
	code := run(context.Background(), args, strings.NewReader(c.in), &out, &errs)
	return result{c.t, args, code, out.String(), errs.String()}
}

// ends checks the exit code, and that a failure was worded and a success was
// silent about errors.
func (r result) ends(code int) result {
	r.t.Helper()
	if r.code != code {
		r.t.Fatalf("postil %s ends with %d, not %d\n%s%s", strings.Join(r.args, " "), r.code, code, r.out, r.errs)
	}
	switch {
	case code == exitOK && strings.Contains(r.errs, "postil:"):
		r.t.Errorf("postil %s succeeds and says %s", strings.Join(r.args, " "), r.errs)
	case code != exitOK && !strings.HasPrefix(r.errs, "postil: "):
		r.t.Errorf("postil %s fails without a word: %q", strings.Join(r.args, " "), r.errs)
	}
	return r
}

// says checks that all of these were said, wherever.
func (r result) says(texts ...string) result {
	r.t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.out+r.errs, text) {
			r.t.Errorf("postil %s does not say %q:\n%s%s", strings.Join(r.args, " "), text, r.out, r.errs)
		}
	}
	return r
}

// hides checks that none of these was said.
func (r result) hides(texts ...string) result {
	r.t.Helper()
	for _, text := range texts {
		if strings.Contains(r.out+r.errs, text) {
			r.t.Errorf("postil %s says %q:\n%s%s", strings.Join(r.args, " "), text, r.out, r.errs)
		}
	}
	return r
}

// value is what config prints for a setting, and its source.
func (r result) value(name string) (value, source string) {
	r.t.Helper()
	for line := range strings.Lines(r.out) {
		if words := strings.Fields(line); len(words) > 2 && words[0] == name {
			return words[1], strings.Join(words[2:], " ")
		}
	}
	r.t.Fatalf("%s is not printed:\n%s", name, r.out)
	return "", ""
}

func write(t *testing.T, name, text string) {
	t.Helper()
	ok(t, os.WriteFile(name, []byte(text), 0o600))
}

// store opens a database to look into it.
func (c *cli) store(path string) *models.Store {
	c.t.Helper()
	store, err := models.Open(context.Background(), path, models.Config{})
	ok(c.t, err)
	c.t.Cleanup(func() { ok(c.t, store.Close()) })
	return store
}

func TestEveryCommandHasHelp(t *testing.T) {
	c := newCLI(t)
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		path := strings.Fields(cmd.CommandPath())[1:]
		help := c.run(append(path, "--help")...).ends(exitOK)
		if cmd.Short == "" || !strings.Contains(help.out, strings.SplitN(cmd.Long+"\n", "\n", 2)[0]) || len(help.out) < 100 {
			t.Errorf("the help of %s is %q", cmd.CommandPath(), help.out)
		}
		for _, flag := range []string{"--help", "--db"} {
			if cmd.Runnable() && !strings.Contains(help.out, flag) {
				t.Errorf("the help of %s does not mention %s", cmd.CommandPath(), flag)
			}
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(newRoot())
	if files, _ := os.ReadDir("."); len(files) > 0 {
		t.Errorf("help left %v behind", files)
	}
}

func TestWrongCommandLines(t *testing.T) {
	for _, test := range []struct {
		line string
		says string
	}{
		{"nothing", `"nothing" is not a command of postil`},
		{"sevre", "Did you mean: postil serve"},
		{"--nothing", "unknown flag: --nothing"},
		{"serve --nothing", "See: postil serve --help"},
		{"serve extra", `"extra" is one argument too many`},
		{"user nothing", `"nothing" is not a command of postil user`},
		{"user add", "NAME is missing"},
		{"user add a b", `"b" is one argument too many`},
		{"user role ada", "ROLE is missing"},
		{"user suspend ada --days many", "invalid argument"},
		{"import nothing", `"nothing" is not a command of postil import`},
		{"import wxr", "FILE is missing"},
		{"import wxr nowhere.xml", "nowhere.xml cannot be read"},
		{"import markdown nowhere.md", "nowhere.md cannot be read"},
		{"config --edit-window soon", "give a duration above zero, such as 30m or 2h"},
		{"config --log-level loud", "it may be debug, info, warn or error"},
		{"config --log-format xml", "it may be text or json"},
		{"config --sample perhaps", "it may be true or false"},
		{"config --public-url talk.example.org", "it must be http:// or https:// and a host"},
		{"config --public-url https://example.org/talk", "without a path"},
		{"config --trusted-proxies everybody", "is not a network such as 10.0.0.0/8"},
		{"config --addr 8080", "give HOST:PORT"},
		{"config --config nowhere.toml", "nowhere.toml cannot be read"},
		{"serve --db postgres://postil:geheim@db/postil", "PostgreSQL comes with a later release"},
		{"serve --db mysql://db/postil", `the scheme "mysql"`},
		{"serve --db :memory:", "in a file, not in memory"},
		{"serve --db .", "is a folder"},
	} {
		t.Run(test.line, func(t *testing.T) {
			newCLI(t).run(strings.Fields(test.line)...).ends(exitUsage).says(test.says).hides("geheim", "goroutine")
			if files, _ := filepath.Glob("*.db"); len(files) > 0 {
				t.Errorf("a wrong command line left %v behind", files)
			}
		})
	}
}

// What scripts rely on, word for word.
func TestContract(t *testing.T) {
	c := newCLI(t)
	for _, url := range []string{"plain.db", "sqlite:prefixed.db", "sqlite://" + filepath.Join(t.TempDir(), "absolute.db"), "folder/that/is/new/postil.db"} {
		c.typing(password+"\n").run("user", "add", "NAME", "--email", "name@example.org", "--role", "author", "--password-stdin", "--db", url).
			ends(exitOK).says("NAME is now an author.").hides(password)
		c.run("user", "list", "--db", url).ends(exitOK).says("NAME", "author", "name@example.org")
		write(t, "export.xml", wxr)
		c.run("import", "wxr", "export.xml", "--db", url).ends(exitOK).says("Imported 2 articles")
		server := serveHere(t, "--addr", "127.0.0.1:0", "--db", url, "--sample=false")
		if !strings.HasPrefix(server.base, "http://127.0.0.1:") {
			t.Errorf("%s is served at %q", url, server.base)
		}
		server.stop(t)
		path := strings.TrimPrefix(strings.TrimPrefix(url, "sqlite:"), "//")
		for _, name := range []string{path, path + ".keys"} {
			if info, err := os.Stat(name); err != nil || info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s: %v, %v", name, info, err)
			}
		}
	}
	t.Setenv("POSTIL_DB", "plain.db")
	t.Setenv("POSTIL_ADDR", "127.0.0.1:0")
	c.run("user", "list").ends(exitOK).says("name@example.org")
	server := serveHere(t)
	if !strings.Contains(server.out.String(), "plain.db") {
		t.Errorf("POSTIL_DB is not used: %s", server.out)
	}
	server.stop(t)
}

// A flag beats the environment, which beats the file, which beats the default.
func TestWhereSettingsComeFrom(t *testing.T) {
	c := newCLI(t)
	expect := func(r result, name, value, source string) {
		t.Helper()
		if v, s := r.ends(exitOK).value(name); v != value || s != source {
			t.Errorf("%s is %s from %q; it should be %s from %q", name, v, s, value, source)
		}
	}
	expect(c.run("config"), "site-name", "Postil", "default")
	write(t, "postil.toml", "site-name = \"File\"\nsample = false\n")
	expect(c.run("config"), "site-name", "File", "file postil.toml")
	expect(c.run("config"), "sample", "false", "file postil.toml")
	t.Setenv("POSTIL_SITE_NAME", "Environment")
	expect(c.run("config"), "site-name", "Environment", "environment POSTIL_SITE_NAME")
	expect(c.run("config", "--site-name", "Flag"), "site-name", "Flag", "flag --site-name")
	write(t, "other.toml", "edit-window = \"2h\"\n")
	expect(c.run("config", "--config", "other.toml"), "edit-window", "2h", "file other.toml")
	t.Setenv("POSTIL_CONFIG", "other.toml")
	expect(c.run("config"), "edit-window", "2h", "file other.toml")
	expect(c.run("config", "--db", "elsewhere/x.db"), "keys", "elsewhere/x.db.keys", "default")
	for _, s := range settings {
		c.run("config").value(s.name)
	}

	c.run("config", "--db", "postgres://postil:geheim@db.example.org/postil").ends(exitOK).says("postgres://postil:xxxxx@db.example.org/postil").hides("geheim")

	for name, text := range map[string]string{
		"unknown.toml": "site_name = \"x\"\n",
		"nested.toml":  "[db]\nurl = \"x\"\n",
		"broken.toml":  "site-name = \n",
	} {
		write(t, name, text)
		c.run("config", "--config", name).ends(exitUsage).says(name)
	}
	c.run("config", "--config", "unknown.toml").says(`"site_name", which is not a setting`)
}

func TestAccountsFromTheCommandLine(t *testing.T) {
	c := newCLI(t)
	c.run("user", "add", "ada", "--role", "admin").ends(exitOK).says("ada is now an admin.", "password: ")
	for name, in := range map[string]string{
		"with-newline": password + "\n", "without": password, "windows": password + "\r\n", "spaces": "  " + password + "  \n", "two-lines": password + "\nand another line\n",
	} {
		c.typing(in).run("user", "add", name, "--password-stdin").ends(exitOK).hides("pencils", "password:")
	}
	for _, test := range []struct {
		name, password string
		works          bool
	}{
		{"with-newline", password, true}, {"without", password, true}, {"windows", password, true}, {"two-lines", password, true},
		{"spaces", "  " + password + "  ", true}, {"spaces", password, false}, {"two-lines", password + "\nand another line", false},
	} {
		_, _, err := c.store("postil.db").SignIn(context.Background(), models.Actor{Network: "192.0.2.0/24"}, models.SignInInput{Login: test.name, Password: test.password}, models.APISession)
		if (err == nil) != test.works {
			t.Errorf("%s with %q: %v", test.name, test.password, err)
		}
	}

	c.typing("short\n").run("user", "add", "weak", "--password-stdin").ends(exitUsage).says("password Use at least 15 characters").hides("short")
	c.typing("").run("user", "add", "weak", "--password-stdin").ends(exitUsage).says("password")
	c.typing("aaaaaaaaaaaaaaaaaaaa\n").run("user", "add", "weak", "--password-stdin").ends(exitUsage).says("password")
	c.run("user", "add", "spaces").ends(exitConflict).says("username is taken")
	c.run("user", "add", "no spaces").ends(exitUsage).says("username")
	c.run("user", "add", "king", "--role", "king").ends(exitUsage).says(`role is "king"; it may be reader, author, moderator, admin`)
	c.run("user", "add", "mailer", "--email", "nobody").ends(exitUsage).says("email")
	c.run("user", "add", "lena", "--display-name", "Lena Maß", "--email", "lena@example.org", "--role", "moderator").ends(exitOK).says("lena is now a moderator.")

	c.run("user", "list").ends(exitOK).says("lena@example.org", "spaces", "NAME").hides("king", "weak", "no spaces")
	c.run("user", "list", "--role", "moderator").ends(exitOK).says("lena").hides("ada")
	c.run("user", "list", "--query", "maß").ends(exitOK).says("lena").hides("ada")

	c.run("user", "role", "lena", "author").ends(exitOK).says("lena is now an author.")
	c.run("user", "role", "LENA", "king").ends(exitUsage).says(`role is "king"`)
	c.run("user", "role", "nobody", "author").ends(exitNotFound).says(`no account named "nobody"`)
	c.run("user", "role", "ada", "reader").ends(exitConflict).says("the last admin")

	c.run("user", "suspend", "lena", "--days", "3", "--reason", "For a test").ends(exitOK).says("lena is suspended: until ")
	c.run("user", "list", "--query", "lena").says("until 2")
	c.run("user", "suspend", "lena").ends(exitOK).says("lena is suspended: for good.")
	c.run("user", "list", "--query", "lena").says("for good").hides("9999")
	c.run("user", "suspend", "lena", "--lift").ends(exitOK).says("lena may sign in again.")
	c.run("user", "list", "--query", "lena").hides("for good")
	c.run("user", "suspend", "lena", "--days", "-1").ends(exitUsage).says("days must be between 0")
	c.run("user", "suspend", "ada").ends(exitConflict).says("the last admin")
	c.run("user", "suspend", "nobody").ends(exitNotFound)

	said := c.run("user", "password", "lena").ends(exitOK).says("signed out everywhere", "password: ").out
	_, made, _ := strings.Cut(said, "password: ")
	if _, _, err := c.store("postil.db").SignIn(context.Background(), models.Actor{Network: "192.0.2.0/24"}, models.SignInInput{Login: "lena@example.org", Password: strings.TrimSpace(made)}, models.APISession); err != nil {
		t.Errorf("the password that was printed does not work: %v", err)
	}
	c.typing("short").run("user", "password", "lena", "--password-stdin").ends(exitUsage)
	c.run("user", "password", "nobody").ends(exitNotFound)
}

// wxr is an export of a small site: a post with a short discussion, a page
// without a date, a draft, and an attachment.
const wxr = `<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">
<channel>
<title>The Bicycle Shed</title><link>https://shed.example</link><wp:wxr_version>1.2</wp:wxr_version>
<wp:base_site_url>https://shed.example</wp:base_site_url><wp:base_blog_url>https://shed.example</wp:base_blog_url>
<wp:author><wp:author_id>1</wp:author_id><wp:author_login>bea</wp:author_login><wp:author_email>bea@shed.example</wp:author_email><wp:author_display_name>Bea</wp:author_display_name></wp:author>
<item><title>Which colour?</title><link>https://shed.example/colour/</link><dc:creator>bea</dc:creator>
<content:encoded><![CDATA[<p>Red, or <em>green</em>?</p>]]></content:encoded>
<wp:post_id>7</wp:post_id><wp:post_date>2019-05-04 12:00:00</wp:post_date><wp:post_date_gmt>2019-05-04 10:00:00</wp:post_date_gmt>
<wp:comment_status>open</wp:comment_status><wp:post_name>colour</wp:post_name><wp:status>publish</wp:status><wp:post_type>post</wp:post_type>
<wp:comment><wp:comment_id>1</wp:comment_id><wp:comment_author>Kim</wp:comment_author><wp:comment_author_email>kim@example.org</wp:comment_author_email><wp:comment_date>2019-05-05 12:00:00</wp:comment_date><wp:comment_date_gmt>2019-05-05 10:00:00</wp:comment_date_gmt><wp:comment_content>Blue.</wp:comment_content><wp:comment_approved>1</wp:comment_approved><wp:comment_parent>0</wp:comment_parent></wp:comment>
<wp:comment><wp:comment_id>2</wp:comment_id><wp:comment_author>Bea</wp:comment_author><wp:comment_date>0000-00-00 00:00:00</wp:comment_date><wp:comment_date_gmt>0000-00-00 00:00:00</wp:comment_date_gmt><wp:comment_content>Why not.</wp:comment_content><wp:comment_approved>1</wp:comment_approved><wp:comment_parent>1</wp:comment_parent><wp:comment_user_id>1</wp:comment_user_id></wp:comment>
</item>
<item><title>About</title><dc:creator>bea</dc:creator><content:encoded><![CDATA[<p>We paint.</p>]]></content:encoded>
<wp:post_id>2</wp:post_id><wp:post_date>0000-00-00 00:00:00</wp:post_date><wp:post_date_gmt>0000-00-00 00:00:00</wp:post_date_gmt><wp:post_name>about</wp:post_name><wp:status>publish</wp:status><wp:post_type>page</wp:post_type></item>
<item><title>Not yet</title><dc:creator>bea</dc:creator><content:encoded>Secret plans.</content:encoded><wp:post_id>9</wp:post_id><wp:post_date>2019-06-01 12:00:00</wp:post_date><wp:status>draft</wp:status><wp:post_type>post</wp:post_type></item>
<item><title>shed.jpg</title><wp:post_id>8</wp:post_id><wp:status>inherit</wp:status><wp:post_type>attachment</wp:post_type></item>
</channel></rss>
`

// contents prints everything that a reader finds in a database.
func (c *cli) contents(path string) string {
	c.t.Helper()
	store, err := models.Open(context.Background(), path, models.Config{})
	ok(c.t, err)
	defer store.Close()
	var b strings.Builder
	articles, _, err := store.Articles(context.Background(), models.System(), models.ArticleFilter{Mine: true}, models.Page{Limit: models.MaxPage})
	ok(c.t, err)
	for _, light := range articles {
		a, err := store.Article(context.Background(), models.System(), light.Slug)
		ok(c.t, err)
		fmt.Fprintf(&b, "%s %s %d %d %q\n", a.Slug, a.State, a.Revision, a.PublishedAt, a.Body)
		d, err := store.Discussion(context.Background(), models.Actor{}, a.Slug, models.Oldest, models.Page{Limit: models.MaxPage})
		if models.KindOf(err) == models.NotFound && err != nil {
			continue
		}
		ok(c.t, err)
		var walk func(*models.Branch)
		walk = func(branch *models.Branch) {
			fmt.Fprintf(&b, "  %d %s (%s) %d %q\n", branch.Depth, branch.Author.DisplayName, branch.Author.Username, branch.CreatedAt, branch.Body)
			for _, reply := range branch.Replies {
				walk(reply)
			}
		}
		for _, root := range d.Roots {
			walk(root)
		}
	}
	return b.String()
}

func TestImportWXR(t *testing.T) {
	c := newCLI(t)
	write(t, "export.xml", wxr)
	c.run("migrate").ends(exitOK).says("up to date")
	empty := c.contents("postil.db")

	c.run("import", "wxr", "export.xml", "--dry-run").ends(exitOK).says("dry run; nothing was changed", "It would import 2 articles, 2 comments")
	if got := c.contents("postil.db"); got != empty {
		t.Errorf("a dry run changed the database to\n%s", got)
	}
	write(t, "cut.xml", wxr[:strings.Index(wxr, "We paint.")])
	c.run("import", "wxr", "cut.xml").ends(exitUsage).says("cut.xml, line ", "cut off")
	if got := c.contents("postil.db"); got != empty {
		t.Errorf("a broken file changed the database to\n%s", got)
	}
	write(t, "feed.xml", `<?xml version="1.0"?><rss version="2.0"><channel><title>News</title><item><title>x</title></item></channel></rss>`)
	c.run("import", "wxr", "feed.xml").ends(exitUsage).says("feed.xml", "it may be a news feed")

	c.run("import", "wxr", "export.xml").ends(exitOK).says("Imported 2 articles, 2 comments and 2 authors.", "2 dates in the file are 0000-00-00; they are shown as unknown.", "“Which colour?”", "Not yet")
	first := c.contents("postil.db")
	for _, text := range []string{"colour published 1", "about published 1 0 ", `0 Kim () `, `"Blue."`, `1 Bea () 0 "Why not."`} {
		if !strings.Contains(first, text) {
			t.Errorf("after the import there is no %q in\n%s", text, first)
		}
	}
	if strings.Contains(first, "Secret plans.") || strings.Contains(first, "shed.jpg") {
		t.Errorf("too much was imported:\n%s", first)
	}
	c.run("user", "list").hides("Kim", "Bea", "bea") // nobody has claimed these names

	c.run("import", "wxr", "export.xml").ends(exitOK).says("Imported 0 articles, 0 comments and 0 authors.", "4 records were there already and stayed unchanged.")
	if got := c.contents("postil.db"); got != first {
		t.Errorf("the second import changed\n%s\nto\n%s", first, got)
	}
	c.run("import", "wxr", "export.xml", "--include-unpublished").ends(exitOK).says("Imported 1 article")
	if got := c.contents("postil.db"); !strings.Contains(got, "draft 1") || !strings.Contains(got, "Secret plans.") {
		t.Errorf("the draft is not there:\n%s", got)
	}
}

// The real export that the project began with.
func TestImportTheSeed(t *testing.T) {
	corpus := os.Getenv("POSTIL_CORPUS")
	if corpus == "" && os.Getenv("CI") != "" {
		t.Fatal("POSTIL_CORPUS names no folder with real exports, and in CI nothing is left out.")
	}
	if corpus == "" {
		t.Skip("POSTIL_CORPUS names no folder with real exports.")
	}
	seed := filepath.Join(corpus, "seed", "flask-vs-django.wxr.xml")
	c := newCLI(t)
	c.run("import", "wxr", seed).ends(exitOK).says("Imported 1 article, 2 comments and 3 authors.", "3 dates in the file are 0000-00-00; they are shown as unknown.")
	first := c.contents("postil.db")
	for _, text := range []string{"flask-vs-django published 1 0 ", "Usage on Web", `0 Abiola Olaleye () 0 "Thank you. Very enlightening`, `0 xy () 0 "the main difference is this`} {
		if !strings.Contains(first, text) {
			t.Errorf("there is no %q in\n%s", text, first)
		}
	}
	c.run("import", "wxr", seed).ends(exitOK).says("Imported 0 articles, 0 comments and 0 authors. 3 records were there already")
	if got := c.contents("postil.db"); got != first {
		t.Errorf("the second import changed\n%s\nto\n%s", first, got)
	}
	server := serveHere(t, "--addr", "127.0.0.1:0")
	page := fetch(t, server.base+"/articles/flask-vs-django")
	for _, text := range []string{"date unknown", "Abiola Olaleye", "Thank you. Very enlightening", "2 comments"} {
		if !strings.Contains(page, text) {
			t.Errorf("the page does not have %q", text)
		}
	}
	if strings.Contains(fetch(t, server.base+"/"), "who brings the kitchen") {
		t.Error("the sample was added beside an imported article")
	}
	server.stop(t)
}

func TestImportMarkdown(t *testing.T) {
	c := newCLI(t)
	write(t, "essay.md", "---\ntitle: On margins\nauthor: anna\ntags: [margins, books]\nstate: published\n---\nThe *first* text.\n")
	c.run("import", "markdown", "essay.md").ends(exitNotFound).says(`no account named "anna"`, "postil user add anna --role author")
	c.run("user", "add", "anna", "--role", "author").ends(exitOK)
	c.run("user", "add", "rita").ends(exitOK)
	c.run("import", "markdown", "essay.md", "--author", "rita").ends(exitUsage).says("Your role does not allow this.")

	c.run("import", "markdown", "essay.md", "--dry-run").ends(exitOK).says(`Would add the article "On margins" by anna.`)
	if got := c.contents("postil.db"); got != "" {
		t.Errorf("a dry run wrote\n%s", got)
	}
	c.run("import", "markdown", "essay.md").ends(exitOK).says(`Added "On margins" at /articles/on-margins (published).`)
	write(t, "essay.md", "---\ntitle: On margins\nslug: on-margins\nauthor: anna\n---\nThe *first* text.\n")
	write(t, "tagged.md", "---\ntitle: On margins\nslug: on-margins\nauthor: anna\ntags: [margins, books]\n---\nThe *first* text.\n")
	c.run("import", "markdown", "tagged.md").ends(exitOK).says("on-margins is as it was; nothing was saved.")
	write(t, "second.md", "---\ntitle: On margins\nslug: on-margins\nauthor: anna\ntags: [margins, books]\n---\nThe *second* text.\n")
	c.run("import", "markdown", "second.md", "--dry-run").ends(exitOK).says("as revision 2 of on-margins")
	c.run("import", "markdown", "second.md").ends(exitOK).says("Saved revision 2 of on-margins.")
	if got := c.contents("postil.db"); !strings.Contains(got, "on-margins published 2") || !strings.Contains(got, "second") {
		t.Errorf("after the second import there is\n%s", got)
	}

	write(t, "plain.md", "# A heading\n\nWithout front matter.\n")
	c.run("import", "markdown", "plain.md").ends(exitUsage).says("an article needs an author")
	c.run("import", "markdown", "plain.md", "--author", "anna", "--publish").ends(exitOK).says(`Added "A heading" at /articles/a-heading (published).`)
	write(t, "broken.md", "---\ntitle: [\n---\nText.\n")
	c.run("import", "markdown", "broken.md", "--author", "anna").ends(exitUsage).says("broken.md")
	write(t, "empty.md", "\n")
	c.run("import", "markdown", "empty.md", "--author", "anna").ends(exitUsage).says("The file is empty.")
}

func TestInitAndMigrate(t *testing.T) {
	c := newCLI(t)
	c.run("init").ends(exitOK).says("postil.db", "postil.db.keys", "every line is a comment", "postil user add NAME --role admin")
	text, err := os.ReadFile("postil.toml")
	ok(t, err)
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			t.Errorf("postil.toml sets something: %s", line)
		}
	}
	// Every line works when its # is removed, too.
	var all strings.Builder
	for _, s := range settings {
		for line := range strings.Lines(string(text)) {
			if setting, found := strings.CutPrefix(line, "# "+s.name+" = "); found {
				fmt.Fprintf(&all, "%s = %s", s.name, setting)
			}
		}
	}
	write(t, "all.toml", all.String())
	for _, s := range settings {
		if _, source := c.run("config", "--config", "all.toml").ends(exitOK).value(s.name); s.name != "keys" && source != "file all.toml" {
			t.Errorf("%s comes from %s", s.name, source)
		}
	}

	write(t, "postil.toml", "site-name = \"Mine\"\n")
	c.run("init").ends(exitOK).says("was there and stays as it is")
	if got, _ := os.ReadFile("postil.toml"); string(got) != "site-name = \"Mine\"\n" {
		t.Errorf("init wrote over postil.toml: %s", got)
	}
	c.run("init", "--force").ends(exitOK)
	c.run("migrate").ends(exitOK).says("SQLite file postil.db is up to date.")

	server := serveHere(t, "--addr", "127.0.0.1:0")
	if page := fetch(t, server.base+"/"); !strings.Contains(page, "Nothing is published yet") {
		t.Errorf("after init the sample was added:\n%s", page)
	}
	server.stop(t)

	write(t, "not.db", strings.Repeat("This is not a database. ", 100))
	c.run("migrate", "--db", "not.db").ends(exitUnavailable).says("not.db")
}

func TestDoctor(t *testing.T) {
	c := newCLI(t)
	c.run("doctor").ends(exitUnsound).says("LOOK  database", "there is none", "postil init")
	if _, err := os.Stat("postil.db"); err == nil {
		t.Error("doctor made a database")
	}
	c.run("migrate").ends(exitOK)
	c.run("doctor").ends(exitUnsound).says("LOOK  admin", "postil user add NAME --role admin")
	c.run("user", "add", "ada", "--role", "admin").ends(exitOK)
	c.run("doctor").ends(exitOK).says("ok    database", "is sound", "ok    admin", "will be made at the first start").hides("LOOK")
	c.run("init").ends(exitOK)
	c.run("doctor").ends(exitOK).says("postil.db.keys is there and private")

	for _, test := range []struct {
		name string
		args []string
		says string
	}{
		{"open to the network", []string{"--addr", "0.0.0.0:8080"}, "LOOK  address"},
		{"no TLS", []string{"--addr", "0.0.0.0:8080", "--public-url", "http://talk.example.org"}, "has no TLS"},
		{"proxy not named", []string{"--public-url", "https://talk.example.org"}, "LOOK  proxies"},
		{"everybody is a proxy", []string{"--trusted-proxies", "0.0.0.0/0"}, "believes everybody"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := c.run(append([]string{"doctor"}, test.args...)...)
			r.t = t
			r.ends(exitUnsound).says(test.says, "→ ")
		})
	}
	c.run("doctor", "--addr", "0.0.0.0:8080", "--public-url", "https://talk.example.org", "--trusted-proxies", "10.0.0.0/8").ends(exitOK)

	ok(t, os.Chmod("postil.db.keys", 0o644))
	c.run("doctor").ends(exitUnsound).says("LOOK  keys")
	write(t, "broken.db", strings.Repeat("This is not a database. ", 100))
	c.run("doctor", "--db", "broken.db").ends(exitUnsound).says("LOOK  database")
	ok(t, os.Chmod("postil.db.keys", 0o600))

	// A page in the middle of the file is overwritten.
	file, err := os.OpenFile("postil.db", os.O_RDWR, 0)
	ok(t, err)
	info, err := file.Stat()
	ok(t, err)
	_, err = file.WriteAt(bytes.Repeat([]byte("damage! "), 1024), info.Size()/2/4096*4096)
	ok(t, err)
	ok(t, file.Close())
	c.run("doctor").ends(exitUnsound).says("LOOK  ")
}

func TestVersionAndExitCodes(t *testing.T) {
	c := newCLI(t)
	c.run("version").ends(exitOK).says("postil ", "go1.")
	codes := c.run("exit-codes").ends(exitOK).out
	for code := exitOK; code <= exitUnsound; code++ {
		if !strings.Contains(codes, fmt.Sprintf("%d  ", code)) {
			t.Errorf("exit code %d is not explained:\n%s", code, codes)
		}
	}
	c.run().ends(exitOK).says("Start here:", "postil serve")
	if files, _ := os.ReadDir("."); len(files) > 0 {
		t.Errorf("looking around left %v behind", files)
	}
}

// A command that was interrupted does not look like one that is done.
func TestInterrupted(t *testing.T) {
	t.Chdir(t.TempDir())
	ctx, stop := context.WithCancel(context.Background())
	stop()
	var out, errs bytes.Buffer
	if code := run(ctx, []string{"migrate"}, strings.NewReader(""), &out, &errs); code != exitInterrupted || !strings.Contains(errs.String(), "interrupted") {
		t.Errorf("it ends with %d and says %q", code, errs.String())
	}
}
