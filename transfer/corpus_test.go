package transfer

import (
	"cmp"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// corpus is the folder with real exports, which are not part of this project.
func corpus(t *testing.T) string {
	dir := os.Getenv("POSTIL_CORPUS")
	if dir == "" && os.Getenv("CI") != "" {
		t.Fatal("POSTIL_CORPUS names no folder with real exports, and in CI nothing is left out")
	}
	if dir == "" {
		t.Skip("set POSTIL_CORPUS to the folder that holds seed/ and imports/ to test with real exports")
	}
	return dir
}

// leftOut lists where an import brings in fewer comments than a file has, not
// counting pingbacks and trackbacks, which are never imported.
var leftOut = map[string]struct {
	comments int
	why      string
}{
	"dedy-purwanto.xml":               {54, "they belong to private posts"},
	"themeunittestdata.wordpress.xml": {1, "it belongs to a post with a password"},
}

// ownSums are comments that have text outside their CDATA section, which the
// golden sums do not cover; these are the sums of the whole text.
var ownSums = map[string]string{"6319972864447480578": "06af9a78620b", "6319973386923557634": "c3b49072d188", "6347624911107785473": "1ff6cd862cba"}

// refused lists the files that are no exports.
var refused = map[string]string{
	"wpimporter-malformed.xml":               "<notachanneltag>",
	"comentario-wordpress-bad-two-files.zip": "2 files",
}

type expectation struct {
	Comments int
	Replies  int
	MaxDepth int `json:"max_depth"`
	Types    map[string]int
}

func TestCorpus(t *testing.T) {
	dir := filepath.Join(corpus(t), "imports")
	files, err := filepath.Glob(filepath.Join(dir, "wxr", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no exports in %s: %v", dir, err)
	}
	expected := map[string]expectation{}
	raw, err := os.ReadFile(filepath.Join(dir, "golden", "expected.json"))
	if err == nil {
		err = json.Unmarshal(raw, &expected)
	}
	if err != nil {
		t.Fatal(err)
	}
	for name := range expected {
		if file, ok := strings.CutPrefix(name, "wxr/"); ok && !slices.Contains(files, filepath.Join(dir, "wxr", file)) {
			t.Errorf("%s is missing", name)
		}
	}
	for _, path := range files {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			want, known := expected["wxr/"+name]
			switch {
			case refused[name] != "":
				testRefused(t, path, refused[name])
			case known:
				golden := readGolden(t, filepath.Join(dir, "golden", "wxr__"+name+".tsv"))
				testRawRows(t, path, golden)
				testImported(t, path, want, golden)
			default:
				newDatabase(t).mustImport(t, path, Options{})
			}
		})
	}
}

func testRefused(t *testing.T, path, reason string) {
	db := newDatabase(t)
	before := db.counts(t)
	_, err := db.importFile(t, path, Options{})
	if e := asError(t, err); !strings.Contains(e.Reason, reason) {
		t.Errorf("the reason is %q, without %q", e.Reason, reason)
	}
	if diff := gocmp.Diff(before, db.counts(t)); diff != "" {
		t.Errorf("the database changed: %s", diff)
	}
}

// goldenRow is a comment as an independent reader saw it.
type goldenRow struct{ post, link, id, parent, date, approved, typ, author, sum string }

func readGolden(t *testing.T, path string) []goldenRow {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var rows []goldenRow
	for line := range strings.Lines(string(raw)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 9 {
			t.Fatalf("golden row %q has %d columns", line, len(f))
		}
		rows = append(rows, goldenRow{f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], cmp.Or(ownSums[f[2]], f[8])})
	}
	return rows[1:]
}

// testRawRows compares what is read before any rule of ours applies.
func testRawRows(t *testing.T, path string, golden []goldenRow) {
	src, err := fileSource(path)
	if err != nil {
		t.Fatal(err)
	}
	w := wxrReader{src: src, progress: func(int64) {}}
	got := []goldenRow{}
	_, err = w.parse(context.Background(), wxrHandler{info: &WXRInfo{}, author: func(wxrAuthor) {}, item: func(it *wxrItem) error {
		for _, c := range it.comments {
			row := goldenRow{it.postID, it.link, c.id, cmp.Or(c.parent, "0"), c.dates.utc, c.approved, c.typ, c.author, digest(c.content)}
			for _, end := range []string{"\r\n", "\r\r\n"} { // the golden sums were taken before XML's rule for line ends
				if n := len(got); n < len(golden) && golden[n].sum == digest(strings.ReplaceAll(c.content, "\n", end)) {
					row.sum = golden[n].sum
				}
			}
			row.author = strings.NewReplacer("\t", " ", "\n", " ").Replace(row.author)
			got = append(got, row)
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(golden, got, gocmp.AllowUnexported(goldenRow{})); diff != "" {
		t.Errorf("comments as read (-golden +read):\n%.3000s", diff)
	}
}

func digest(content string) string {
	sum := sha1.Sum([]byte(strings.TrimSpace(content)))
	return hex.EncodeToString(sum[:])[:12]
}

// testImported compares what arrives in the database with the golden rows that
// our rules let in.
func testImported(t *testing.T, path string, want expectation, golden []goldenRow) {
	db := newDatabase(t)
	report := db.mustImport(t, path, Options{})
	account(t, report)
	imported := map[string]bool{}
	for _, id := range db.rows(t, "SELECT source_id FROM imported WHERE kind = 'comment'") {
		imported[id] = true
	}
	links := want.Types["pingback"] + want.Types["trackback"]
	if got, should := len(imported), want.Comments-links-leftOut[filepath.Base(path)].comments; got != should || report.Comments != got || report.Read.Comments != got {
		t.Errorf("%d comments arrived, the report says %d of %d; expected %d of %d", got, report.Comments, report.Read.Comments, should, want.Comments)
	}
	if lost := db.rows(t, "SELECT * FROM users WHERE display_name = '' OR username <> '' OR password_hash <> ''"); len(lost) > 0 {
		t.Errorf("imported people who can sign in or have no name: %v", lost)
	}
	if diff := gocmp.Diff(expectedShape(golden, imported), shape(t, db)); diff != "" {
		t.Errorf("shape of the discussions (-golden +imported): %s", diff)
	}
	if problems, err := db.Check(context.Background()); err != nil || len(problems) > 0 {
		t.Errorf("the database is not sound: %v %v", problems, err)
	}
	before := db.counts(t)
	again := db.mustImport(t, path, Options{})
	if again.Articles+again.Comments+again.Authors != 0 || again.Unchanged != report.Articles+report.Comments {
		t.Errorf("the second run made %d articles, %d comments, %d authors and left %d of %d as they were", again.Articles, again.Comments, again.Authors, again.Unchanged, report.Articles+report.Comments)
	}
	if diff := gocmp.Diff(before, db.counts(t)); diff != "" {
		t.Errorf("the second run changed the database: %s", diff)
	}
	t.Logf("%d of %d comments, %d articles, %d authors, %d left out", report.Comments, want.Comments, report.Articles, report.Authors, len(report.Read.Skipped))
}

// account checks that every item of a file is somewhere in the report.
func account(t *testing.T, r Report) {
	t.Helper()
	items := r.Read.Articles + r.Read.Joined
	for _, n := range r.Read.Ignored {
		items += n
	}
	for _, s := range r.Read.Skipped {
		if !strings.HasPrefix(s.What, "comment ") {
			items++
		}
	}
	if items != r.Read.Items || len(r.Refused) > 0 {
		t.Errorf("the report accounts for %d of %d items and the store refused %v", items, r.Read.Items, r.Refused)
	}
}

// discussionShape is what must survive of the discussions of a site.
type discussionShape struct {
	Replies, Depth int
	First, Last    string
	Pending        int
}

func expectedShape(golden []goldenRow, imported map[string]bool) discussionShape {
	var out discussionShape
	parents := map[string]string{}
	key := func(g goldenRow, id string) string { return g.post + g.link + "/" + id }
	for _, g := range golden {
		if in := g.typ == "" || g.typ == "comment"; in {
			parents[key(g, g.id)] = key(g, g.parent[strings.LastIndexByte(g.parent, ',')+1:])
		}
	}
	for _, g := range golden {
		in := imported["post:"+g.post+"/"+g.id]
		for id := range imported {
			if in || g.post != "" {
				break
			}
			in = strings.HasSuffix(id, "/"+g.id)
		}
		if !in || parents[key(g, g.id)] == "" {
			continue
		}
		depth := -1
		for id := key(g, g.id); parents[id] != ""; id = parents[id] {
			depth++
		}
		if depth > 0 {
			out.Replies++
		}
		out.Depth = max(out.Depth, depth)
		if out.First == "" || g.date < out.First {
			out.First = g.date
		}
		out.Last = max(out.Last, g.date)
		if g.approved == "0" {
			out.Pending++
		}
	}
	return out
}

func shape(t *testing.T, db database) discussionShape {
	t.Helper()
	row := db.rows(t, "SELECT sum(parent_id IS NOT NULL), max(depth), min(created_at), max(created_at), sum(state = 'pending') FROM comments")[0]
	var out discussionShape
	var first, last int64
	fmt.Sscanf(strings.ReplaceAll(row, "|", ""), "%d %d %d %d %d", &out.Replies, &out.Depth, &first, &last, &out.Pending)
	if last != 0 {
		out.First, out.Last = time.UnixMicro(first).UTC().Format(wxrLayout), time.UnixMicro(last).UTC().Format(wxrLayout)
	}
	return out
}

// TestSeed imports the article that the project begins with.
func TestSeed(t *testing.T) {
	path := filepath.Join(corpus(t), "seed", "flask-vs-django.wxr.xml")
	db := newDatabase(t)
	testRefusedWhenCut(t, db, path, 1<<10)
	before := db.counts(t)
	dry := db.mustImport(t, path, Options{DryRun: true})
	if diff := gocmp.Diff(before, db.counts(t)); diff != "" {
		t.Errorf("the dry run changed the database: %s", diff)
	}
	report := db.mustImport(t, path, Options{})
	for _, r := range []Report{dry, report} {
		if r.Articles != 1 || r.Comments != 2 || r.Authors != 3 || r.Unchanged != 0 {
			t.Errorf("imported %d articles, %d comments, %d authors; %d unchanged", r.Articles, r.Comments, r.Authors, r.Unchanged)
		}
		if !strings.Contains(written(r), "3 dates in the file are 0000-00-00; they are shown as unknown.") {
			t.Errorf("the report does not tell of the dates:\n%s", written(r))
		}
	}
	want := []string{"Editor |  | Abiola Olaleye | approved | 0 | ", "Editor |  | xy | approved | 0 | "}
	got := db.rows(t, `SELECT a.display_name, a.username, c.display_name, comments.state, comments.created_at, comments.parent_id
		FROM comments JOIN users c ON c.id = comments.author_id JOIN articles ON articles.thread_id = comments.thread_id JOIN users a ON a.id = articles.author_id ORDER BY comments.id`)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := gocmp.Diff([]string{"flask-vs-django | published | 0 | 0"}, db.rows(t, "SELECT slug, state, created_at, published_at FROM articles")); diff != "" {
		t.Error(diff)
	}
	if diff := gocmp.Diff([]string{"django", "flask", "python"}, db.rows(t, "SELECT tag FROM article_tags ORDER BY tag")); diff != "" {
		t.Error(diff)
	}
	again := db.mustImport(t, path, Options{})
	if again.Unchanged != 3 || again.Articles+again.Comments+again.Authors != 0 {
		t.Errorf("the second run: %+v", again.ImportResult)
	}
	seed, err := os.Open(strings.TrimSuffix(path, ".wxr.xml") + ".md")
	if err != nil {
		t.Fatal(err)
	}
	defer seed.Close()
	article, _, err := ReadMarkdown(seed.Name(), seed)
	if err != nil || article.Slug != "flask-vs-django" || !strings.HasPrefix(article.Title, "Flask vs Django") || !strings.HasPrefix(article.Body, "Django vs Flask") {
		t.Errorf("the Markdown file: %v, %.100q", err, fmt.Sprint(article))
	}
}
