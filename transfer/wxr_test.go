package transfer

import (
	"fmt"
	"os"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"postil/models"
)

func fixture(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// lines sums a record up, one line for the article and one for each comment.
func lines(records []Record) []string {
	var out []string
	for _, d := range records {
		a := d.Article
		out = append(out, fmt.Sprintf("%s %s %q by %s %q tags %q at %s", d.SourceID, a.State, a.Slug, a.Author.SourceID, a.Author.Name, a.Tags, moment(a.CreatedAt)))
		for _, c := range d.Comments {
			id, _, _ := strings.Cut(c.Author.SourceID, ":")
			out = append(out, fmt.Sprintf("  %s < %q %s by %s %q %q at %s", c.SourceID, c.ParentSourceID, c.State, id, c.Author.Name, strings.ReplaceAll(strings.TrimSpace(c.Body), "\\", ""), moment(c.CreatedAt)))
		}
	}
	return out
}

func moment(t models.Timestamp) string {
	if t == 0 {
		return "unknown"
	}
	return t.Time().Format(wxrLayout)
}

func TestReadWXRKeepsWhatAnExportSays(t *testing.T) {
	records, info := read(t, fixture(t, "garden.wxr.xml"))
	want := []string{
		`post:11 published "café-when-to-prune" by login:rosa "Rosa Thorn" tags ["trees & shrubs" "how to"] at 2020-03-01 10:00:00`,
		`  post:11/3 < "post:11/1" approved by login "Rosa Thorn" "Thank you, all." at 2020-03-02 11:00:00`,
		`  post:11/1 < "" approved by email "Ann & Bob" "One line\nand another, 1 < 2." at 2020-03-02 10:00:00`,
		`  post:11/2 < "" pending by email "ann" "Fish & chips\u00a0here" at 2020-03-02 10:30:00`,
	}
	if diff := gocmp.Diff(want, lines(records)); diff != "" {
		t.Error(diff)
	}
	a, c := records[0].Article, records[0].Comments
	if a.Title != "When to prune – and when not" || a.Standfirst != "A short answer." || a.CommentPolicy != models.PolicyClosed {
		t.Errorf("title %q, standfirst %q, policy %q", a.Title, a.Standfirst, a.CommentPolicy)
	}
	if !strings.Contains(a.Body, "a[b[0]]> 1") || !strings.Contains(a.Body, "**May**") {
		t.Errorf("the body is %q", a.Body)
	}
	if c[1].Author.SourceID != c[2].Author.SourceID || c[1].Author.Email != "Ann@Example.org" || strings.Contains(c[1].Author.SourceID, "@") {
		t.Errorf("one e-mail address became %+v and %+v", c[1].Author, c[2].Author)
	}
	if info.Title != "Garden & shed" || info.Version != "1.1" || info.Source() != "wxr:https://garden.example" || info.Items != 1 || info.Articles != 1 || info.Comments != 3 {
		t.Errorf("info is %+v", info)
	}
}

func TestReadWXRJoinsPiecesOfOneArticle(t *testing.T) {
	records, info := read(t, fixture(t, "converter.wxr.xml"))
	want := []string{
		`thread:other published "other" by author of thread:other "" tags [] at unknown`,
		`  thread:other/901 < "thread:other/17" approved by author of thread "Till" "Same id, other page." at 2019-04-02 09:00:00`,
		`thread:peas published "peas" by author of thread:peas "" tags [] at 2019-04-01 08:00:00`,
		`  thread:peas/902 < "thread:peas/901" approved by author of thread "Till" "A reply before its parent." at 2019-04-02 08:00:00`,
		`  thread:peas/901 < "" approved by author of thread "Ute" "First 😀" at 2019-04-01 09:00:00`,
	}
	if diff := gocmp.Diff(want, lines(records)); diff != "" {
		t.Error(diff)
	}
	if a, b := records[0].Comments[0].Author, records[1].Comments[0].Author; a.SourceID == b.SourceID {
		t.Errorf("two people named Till became one: %s", a.SourceID)
	}
	if info.Items != 4 || info.Articles != 2 || info.Joined != 1 || len(info.Skipped) != 1 || info.Source() != "wxr:http://plot.example" {
		t.Errorf("info is %+v", info)
	}
}

func TestWhichCommentsAreImported(t *testing.T) {
	const trash, ping = "<wp:comment_approved>trash</wp:comment_approved>", "<wp:comment_type>pingback</wp:comment_type>"
	tests := []struct {
		name     string
		comments string
		want     string // id < parent state, …
		skipped  string // line-free reasons
	}{
		{"spam stays spam", comment("1", "0", "<wp:comment_approved>spam</wp:comment_approved>"), "1< spam", ""},
		{"an unknown state waits for a moderator", comment("1", "0", "<wp:comment_approved>maybe</wp:comment_approved>"), "1< pending", ""},
		{"trash without replies goes", comment("1", "0", trash), "", "it is in the trash"},
		{"trash above a reply is a tombstone", comment("1", "0", trash) + comment("2", "1", trash) + comment("3", "2", "") + comment("4", "1", trash), "1< deleted, 2<1 deleted, 3<2 approved", "it is in the trash"},
		{"post-trashed is trash", comment("1", "0", "<wp:comment_approved>post-trashed</wp:comment_approved>"), "", "it is in the trash"},
		{"pingbacks go and their replies move up", comment("1", "0", "") + comment("2", "1", ping) + comment("3", "2", ping) + comment("4", "3", ""), "1< approved, 4<1 approved", "it is a pingback, a notice that another site links here; it is a pingback, a notice that another site links here"},
		{"a reply to a pingback alone is a root", comment("2", "0", ping) + comment("4", "2", ""), "4< approved", "it is a pingback, a notice that another site links here"},
		{"pingbacks in a circle", comment("1", "2", ping) + comment("2", "1", ping) + comment("3", "2", ""), "3< approved", "it is a pingback, a notice that another site links here; it is a pingback, a notice that another site links here"},
		{"private notes of plugins go", comment("1", "0", "<wp:comment_type>order_note</wp:comment_type>"), "", "it is not a comment but a record of the type order_note"},
		{"a missing parent is left for the store to report", comment("1", "99", ""), "1<99 approved", ""},
		{"a parent written as the way to it", comment("1", "0", "") + comment("2", "1", "") + comment("3", "1,2", ""), "1< approved, 2<1 approved, 3<2 approved", ""},
		{"the same comment twice", comment("1", "0", "") + comment("1", "0", ""), "1< approved", "it is in the file twice"},
		{"one id for two comments", comment("1", "0", "") + comment("1", "0", "<wp:comment_content>Else.</wp:comment_content>"), "1< approved, 1~73152edbec6e< approved", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			records, info := read(t, export(post("5", test.comments)))
			var got, skipped []string
			for _, c := range records[0].Comments {
				got = append(got, strings.TrimPrefix(c.SourceID, "post:5/")+"<"+strings.TrimPrefix(c.ParentSourceID, "post:5/")+" "+string(c.State))
				if c.State == models.DeletedComment && (c.Body != "" || c.Author.Name != "") {
					t.Errorf("the tombstone still says %q by %q", c.Body, c.Author.Name)
				}
			}
			for _, s := range info.Skipped {
				skipped = append(skipped, s.Why)
			}
			if diff := gocmp.Diff(test.want, strings.Join(got, ", ")); diff != "" {
				t.Error(diff)
			}
			if diff := gocmp.Diff(test.skipped, strings.Join(skipped, "; ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhichItemsAreImported(t *testing.T) {
	typ := func(s string) string { return "<wp:post_type>" + s + "</wp:post_type>" }
	status := func(s string) string { return "<wp:status>" + s + "</wp:status>" }
	tests := []struct {
		name, more         string
		public, everything models.ArticleState // "" when it is left out
		reported           bool
	}{
		{"post", "", models.Published, models.Published, false},
		{"page", typ("page"), models.Published, models.Published, false},
		{"draft", status("draft"), "", models.Draft, true},
		{"pending", status("pending"), "", models.Draft, true},
		{"private", status("private"), "", models.Draft, true},
		{"future", status("future"), "", models.Draft, true},
		{"trash", status("trash"), "", "", true},
		{"protected", "<wp:post_password>rose</wp:post_password>", "", models.Draft, true},
		{"attachment", typ("attachment") + status("inherit"), "", "", false},
		{"attachment with a comment", typ("attachment") + status("inherit") + comment("1", "0", ""), models.Published, models.Published, false},
		{"menu entry", typ("nav_menu_item"), "", "", false},
		{"product with reviews", typ("product") + comment("1", "0", ""), "", "", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, unpublished := range []bool{false, true} {
				src, _, err := readerSource(strings.NewReader(export(post("5", test.more))))
				if err != nil {
					t.Fatal(err)
				}
				w := wxrReader{src: src, unpublished: unpublished, progress: func(int64) {}}
				if err := w.survey(t.Context()); err != nil {
					t.Fatal(err)
				}
				var got models.ArticleState
				info, err := w.emit(t.Context(), func(d Record) error { got = d.Article.State; return nil })
				want := test.public
				if unpublished {
					want = test.everything
				}
				if err != nil || got != want {
					t.Errorf("unpublished %v: state %q, expected %q (%v)", unpublished, got, want, err)
				}
				if reported := len(info.Skipped) == 1; want == "" && reported != test.reported || want != "" && reported {
					t.Errorf("unpublished %v: skipped is %v", unpublished, info.Skipped)
				}
				if ignored := len(info.Ignored) == 1; want == "" && ignored == test.reported {
					t.Errorf("unpublished %v: ignored is %v", unpublished, info.Ignored)
				}
			}
		})
	}
}

func TestDates(t *testing.T) {
	both := func(local, utc string) string {
		return "<wp:comment_date>" + local + "</wp:comment_date><wp:comment_date_gmt>" + utc + "</wp:comment_date_gmt>"
	}
	tests := []struct{ name, dates, want string }{
		{"UTC", both("2020-07-01 14:00:00", "2020-07-01 12:00:00"), "2020-07-01 12:00:00"},
		{"local only, by the site's clock", both("2020-07-01 14:00:00", "0000-00-00 00:00:00"), "2020-07-01 12:00:00"},
		{"none", both("0000-00-00 00:00:00", "0000-00-00 00:00:00"), "unknown"},
		{"not a date", both("yesterday", ""), "unknown"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			records, info := read(t, export(post("5", comment("1", "0", test.dates))))
			if got := moment(records[0].Comments[0].CreatedAt); got != test.want {
				t.Errorf("the comment is from %s, expected %s", got, test.want)
			}
			if unknown := info.ZeroDates + info.MissingDates; (unknown == 1) != (test.want == "unknown") {
				t.Errorf("%d dates are reported as unknown", unknown)
			}
		})
	}
}

func TestTitlesAndAddressesAreMadeValid(t *testing.T) {
	tests := []struct{ name, more, title, slug string }{
		{"no title", "<title></title>", "Text 5.", "post-5"},
		{"markup in the title", "<title><![CDATA[A &amp; <i>B</i> < C]]></title>", "A & B < C", "post-5"},
		{"control and direction marks", "<title>a&#8238;b&#9;c</title>", "ab c", "post-5"},
		{"odd slug", "<wp:post_name>Über_uns--%E4%B8%AD%E6%96%87!</wp:post_name>", "Post 5", "über-uns-中文"},
		{"slug from the address", "<wp:post_name></wp:post_name><link>https://garden.example/2020/Roses.html?x=1</link>", "Post 5", "roses"},
		{"no slug", "<wp:post_name></wp:post_name><link>https://garden.example/?p=5</link>", "Post 5", ""},
		{"broken percent sign", "<wp:post_name>100%-wool</wp:post_name>", "Post 5", "100-wool"},
		{"long slug", "<wp:post_name>" + strings.Repeat("rose-", 40) + "</wp:post_name>", "Post 5", strings.TrimSuffix(strings.Repeat("rose-", 20), "-")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			records, _ := read(t, export(post("5", test.more)))
			if a := records[0].Article; a.Title != test.title || a.Slug != test.slug {
				t.Errorf("title %q, slug %q; expected %q, %q", a.Title, a.Slug, test.title, test.slug)
			}
		})
	}
}
