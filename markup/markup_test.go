package markup

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// renderCase is one text in both dialects. An empty article means: the same as
// the comment.
type renderCase struct {
	name, src, comment, article string
}

func runRenderCases(t *testing.T, cases []renderCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.article == "" {
				c.article = c.comment
			}
			for dialect, want := range map[string]string{"comment": c.comment, "article": c.article} {
				render := map[string]func(string) (Rendered, error){"comment": Comment, "article": Article}[dialect]
				out, err := render(c.src)
				if err != nil {
					t.Fatalf("%s: %v", dialect, err)
				}
				if diff := cmp.Diff(want, strings.TrimSuffix(out.HTML, "\n")); diff != "" {
					t.Errorf("%s: -want +got\n%s", dialect, diff)
				}
			}
		})
	}
}

func p(inner string) string { return `<p dir="auto">` + inner + `</p>` }

const ugc = ` rel="nofollow ugc noopener"`

func TestLinks(t *testing.T) {
	runRenderCases(t, []renderCase{
		{"https", "[a](https://b.c)", p(`<a href="https://b.c"` + ugc + `>a</a>`), p(`<a href="https://b.c" rel="noopener">a</a>`)},
		{"title", `[a](/b "c & \"d\"")`, p(`<a href="/b" title="c &amp; &#34;d&#34;"` + ugc + `>a</a>`), p(`<a href="/b" title="c &amp; &#34;d&#34;">a</a>`)},
		{"own page and place", "[a](/b) [c](#d)", p(`<a href="/b"` + ugc + `>a</a> <a href="#d"` + ugc + `>c</a>`), p(`<a href="/b">a</a> <a href="#d">c</a>`)},
		{"bare", "see https://b.c/d_e_f.", p(`see <a href="https://b.c/d_e_f"` + ugc + `>https://b.c/d_e_f</a>.`), p(`see <a href="https://b.c/d_e_f" rel="noopener">https://b.c/d_e_f</a>.`)},
		{"www", "www.b.cd", p(`<a href="http://www.b.cd"` + ugc + `>www.b.cd</a>`), p(`<a href="http://www.b.cd" rel="noopener">www.b.cd</a>`)},
		{"mail", "a@b.cd", p(`<a href="mailto:a@b.cd"` + ugc + `>a@b.cd</a>`), p(`<a href="mailto:a@b.cd" rel="noopener">a@b.cd</a>`)},
		{"bare ftp", "ftp://b.cd/e", p("ftp://b.cd/e"), ""},
		{"unknown scheme", "[*a*](tel:1) [b](javascript:c)", p("<em>a</em> b"), ""},
		{"other host without scheme", `[a](//b.c) [d](/\b.c) [e](f.html) [g](?h)`, p("a d e g"), ""},
		{"http without host", "[a](http:b) [c](https:///d) [e](mailto:)", p("a c e"), ""},
		{"angle brackets that are no link", "<std::string> and <x-y:z>", p("&lt;std::string&gt; and &lt;x-y:z&gt;"), ""},
		{"too long", "[a](/" + strings.Repeat("b", maxURL) + ")", p("a"), ""},
		{"percent signs", "[a](/b%zz%20c)", p(`<a href="/b%25zz%20c"` + ugc + `>a</a>`), p(`<a href="/b%25zz%20c">a</a>`)},
		{"query", "[a](https://b.c/?d=e&f=g)", p(`<a href="https://b.c/?d=e&amp;f=g"` + ugc + `>a</a>`), p(`<a href="https://b.c/?d=e&amp;f=g" rel="noopener">a</a>`)},
	})
}

func TestImages(t *testing.T) {
	runRenderCases(t, []renderCase{
		{"https", `![a *b*](https://c.d/e.png "f")`, p(`<a href="https://c.d/e.png" title="f"` + ugc + `>a b</a>`), p(`<a href="https://c.d/e.png" title="f" rel="noopener">a b</a>`)},
		{"own", "![a](/b.png)", p(`<a href="/b.png"` + ugc + `>a</a>`), p(`<img src="/b.png" alt="a" loading="lazy">`)},
		{"no alt", "![](/b.png)", p(`<a href="/b.png"` + ugc + `>/b.png</a>`), p(`<img src="/b.png" alt="" loading="lazy">`)},
		{"http", "![a](http://b.c/d.png)", p(`<a href="http://b.c/d.png"` + ugc + `>a</a>`), p(`<a href="http://b.c/d.png" rel="noopener">a</a>`)},
		{"data", "![a](data:image/png;base64,AAAA)", p("a"), ""},
		{"in a link", "[![a](/b.png)](/c)", p(`<a href="/c"` + ugc + `>a</a>`), p(`<a href="/c"><img src="/b.png" alt="a" loading="lazy"></a>`)},
		{"link in alt", "![a [b](/c)](/d.png)", p(`<a href="/d.png"` + ugc + `>a b</a>`), p(`<img src="/d.png" alt="a b" loading="lazy">`)},
	})
}

func TestRawHTMLIsShown(t *testing.T) {
	runRenderCases(t, []renderCase{
		{"generic type", "a List<String> b", p("a List&lt;String&gt; b"), ""},
		{"inline tag", `<b onclick="x">*a*</b>`, p(`&lt;b onclick=&#34;x&#34;&gt;<em>a</em>&lt;/b&gt;`), ""},
		{"block", "<div>\n\n  <p>*a*</p>\n</div>", p("&lt;div&gt;") + "\n" + p("&lt;p&gt;*a*&lt;/p&gt;<br>\n&lt;/div&gt;"), ""},
		{"script", "<script>\na\n</script>\nb", p("&lt;script&gt;<br>\na<br>\n&lt;/script&gt;") + "\n" + p("b"), ""},
		{"comment", "a <!-- b --> c", p("a &lt;!-- b --&gt; c"), ""},
		{"entity", "&lt;b&gt; &amp;lt;", p("&lt;b&gt; &amp;lt;"), ""},
	})
}

func TestBlocks(t *testing.T) {
	runRenderCases(t, []renderCase{
		{"newline", "a\nb", p("a<br>\nb"), p("a\nb")},
		{"hard break", "a\\\nb", p("a<br>\nb"), ""},
		{"line endings", "a\r\nb\rc", p("a<br>\nb<br>\nc"), p("a\nb\nc")},
		{"heading", "# A *b*!\n\nC\n-", p("<strong>A <em>b</em>!</strong>") + "\n" + p("<strong>C</strong>"), `<h1 id="s-a-b" dir="auto">A <em>b</em>!</h1>` + "\n" + `<h2 id="s-c" dir="auto">C</h2>`},
		{"code", "```go\na < b\n```", `<pre><code class="language-go">a &lt; b` + "\n</code></pre>", ""},
		{"odd language", "```a\"b\n```\n\n```c\\+\\+ x\n```", "<pre><code></code></pre>\n<pre><code class=\"language-c++\"></code></pre>", ""},
		{"strike", "~~a~~", p("<del>a</del>"), ""},
		{"numbers", "3. a\n4. b", "<ol start=\"3\">\n<li dir=\"auto\">a</li>\n<li dir=\"auto\">b</li>\n</ol>", ""},
		{"quote", "> a", `<blockquote dir="auto">` + p("a") + "\n</blockquote>", ""},
		{"table", "a|b\n:-|-:\nc|d", "<table>\n<thead>\n<tr>\n" + `<th align="left" dir="auto">a</th>` + "\n" + `<th align="right" dir="auto">b</th>` +
			"\n</tr>\n</thead>\n<tbody>\n<tr>\n" + `<td align="left" dir="auto">c</td>` + "\n" + `<td align="right" dir="auto">d</td>` + "\n</tr>\n</tbody>\n</table>", ""},
		{"tasks", "- [ ] a\n- [x] b", "<ul>\n<li dir=\"auto\">[ ] a</li>\n<li dir=\"auto\">[x] b</li>\n</ul>",
			"<ul>\n" + `<li dir="auto"><input disabled="" type="checkbox"> a</li>` + "\n" + `<li dir="auto"><input checked="" disabled="" type="checkbox"> b</li>` + "\n</ul>"},
		{"footnote", "a[^b]\n\n[^b]: c\n", p("a^b"),
			p(`a<sup id="s-fnref:1"><a href="#s-fn:1" class="footnote-ref" role="doc-noteref">1</a></sup>`) + "\n" +
				"<div class=\"footnotes\" role=\"doc-endnotes\">\n<hr>\n<ol>\n<li id=\"s-fn:1\" dir=\"auto\">\n" +
				p("c\u00a0"+`<a href="#s-fnref:1" class="footnote-backref" role="doc-backlink">↩︎</a>`) + "\n</li>\n</ol>\n</div>"},
		{"empty", "", "", ""},
		{"blank", " \n\t\n", "", ""},
	})
}

func TestCharactersThatAreDropped(t *testing.T) {
	runRenderCases(t, []renderCase{
		{"bidi controls", "a\u202eb\u202c \u2066c\u2069", p("ab c"), ""},
		{"bidi controls as references", "a&#8238;b&#x2067;c `&#8238;`", p("abc <code>&amp;#8238;</code>"), ""},
		{"bidi controls in attributes", "[a](/b\u202e '&#8238;c\u202ed')", p(`<a href="/b" title="cd"` + ugc + `>a</a>`), p(`<a href="/b" title="cd">a</a>`)},
		{"marks and letters stay", "שלום\u200f مرحبا\u200e é", p("שלום\u200f مرحبا\u200e é"), ""},
		{"controls", "a\x00b\x01c\x7fd\x1b[1m&#1;&#27;", p("abcd[1m"), ""},
		{"NUL as a reference", "a&#0;b", p("a\ufffdb"), ""},
		{"bad UTF-8", "a\xffb\xc3", p("a\ufffdb\ufffd"), ""},
	})
}

func TestText(t *testing.T) {
	src := "# A  &  b\n\nc *d*e\nf\\\ng [h](/i) ![j](/k.png)\n\n- l\n  m\n- n\n\n```\n o  p\n\nq\n```\n\n> r\n\ns|t\n-|-\nu|v\n"
	comment, err := Comment(src)
	if err != nil {
		t.Fatal(err)
	}
	article, err := Article(src)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("A & b\nc de\nf\ng h j\nl\nm\nn\no p\nq\nr\ns t\nu v", comment.Text); diff != "" {
		t.Errorf("comment: -want +got\n%s", diff)
	}
	if diff := cmp.Diff("A & b\nc de f\ng h\nl m\nn\no p\nq\nr\ns t\nu v", article.Text); diff != "" {
		t.Errorf("article: -want +got\n%s", diff)
	}
}

func TestWords(t *testing.T) {
	for src, want := range map[string]int{
		"":                       0,
		"one":                    1,
		"one two -- three.":      3,
		"it's well-known":        2,
		"`code` *counts*":        2,
		"日本語 text":               4,
		"مرحبا بالعالم":          2,
		"a&nbsp;b":               2,
		"![not shown](/in.png)":  0,
		"1 2 3":                  3,
		"[shown](https://a.b/c)": 1,
	} {
		out, err := Article(src)
		if err != nil || out.Words != want {
			t.Errorf("%q has %d words, want %d (%v)", src, out.Words, want, err)
		}
	}
}

func TestHeadings(t *testing.T) {
	src := "# Über *uns* & `euch`\n\n## 日本語\n\n### a\n\n### a\n\n### a-1\n\n### a\n\n#### !!!\n\n" +
		"##### <b>\n\n## d-1\n\n## d\n\n## d\n\n###### [x](/y) " + strings.Repeat("long ", 30) + "\n"
	out, err := Article(src)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.TrimSpace("x " + strings.Repeat("long ", 30))
	want := []Heading{
		{1, "s-über-uns-euch", "Über uns & euch"},
		{2, "s-日本語", "日本語"},
		{3, "s-a", "a"},
		{3, "s-a-1", "a"},
		{3, "s-a-1-1", "a-1"},
		{3, "s-a-2", "a"},
		{4, "s-section", "!!!"},
		{5, "s-b", "<b>"},
		{2, "s-d-1", "d-1"},
		{2, "s-d", "d"},
		{2, "s-d-2", "d"},
		{6, "s-x" + strings.Repeat("-long", 11) + "-lon", long},
	}
	if diff := cmp.Diff(want, out.Headings); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for _, h := range want {
		if !strings.Contains(out.HTML, ` id="`+h.ID+`"`) {
			t.Errorf("no element has the id %q", h.ID)
		}
	}
	comment, err := Comment(src)
	if err != nil || comment.Headings != nil || strings.Contains(comment.HTML, "id=") {
		t.Errorf("a comment has headings or ids: %v %q", comment.Headings, comment.HTML)
	}
}

// Every limit is tried from both sides: the largest text that passes, and the
// smallest that does not, with a word from the message.
func TestLimits(t *testing.T) {
	table := func(columns, rows int) string {
		return strings.Repeat("a|", columns) + "\n" + strings.Repeat("-|", columns) + "\n" + strings.Repeat(strings.Repeat("bb|", columns)+"\n", rows)
	}
	nested := func(n int) string { return strings.Repeat("[", n) + "a" + strings.Repeat("]", n) }
	var notes, marks strings.Builder
	for range 501 {
		notes.WriteString("[^a]: b\n\n")
	}
	for range 11 {
		marks.WriteString(strings.Repeat("[^a] ", 200) + "\n\n")
	}
	emphasis := func(n int) string { return strings.Repeat("*a _a ", n/2) + strings.Repeat("b_ b* ", n/2) }
	for _, c := range []struct {
		name      string
		render    func(string) (Rendered, error)
		good, bad string
		message   string
	}{
		{"comment", Comment, strings.Repeat("é", 10_000), strings.Repeat("é", 10_001), "10001 characters; the limit is 10000"},
		{"article", Article, strings.Repeat(strings.Repeat("é", 8_000)+"\n\n", 24), strings.Repeat("é\n\n", 66_667), "200001 characters; the limit is 200000"},
		{"comment lines", Comment, strings.Repeat("\n", 2_000), strings.Repeat("\n", 2_001), "2001 lines"},
		{"article lines", Article, strings.Repeat("\n", 20_000), strings.Repeat("\n", 20_001), "20001 lines"},
		{"article paragraph", Article, strings.Repeat("é", 10_000), strings.Repeat("é", 10_001), "empty line"},
		{"article heading", Article, "# " + strings.Repeat("a", 10_000), "# " + strings.Repeat("a", 10_001), "empty line"},
		{"quotes", Comment, strings.Repeat("> ", 16) + "a", strings.Repeat("> ", 17) + "a", "nested more than 16"},
		{"lists", Comment, strings.Repeat("- ", 16) + "a", strings.Repeat("1. ", 17) + "a", "nested more than 16"},
		{"both", Comment, strings.Repeat("> - ", 8) + "a", strings.Repeat("> - ", 8) + "> a", "nested more than 16"},
		{"siblings do not nest", Comment, strings.Repeat(strings.Repeat("- ", 16)+"a\n"+strings.Repeat("> ", 16)+"b\n\n", 2), strings.Repeat("- > ", 9), "nested more than 16"},
		{"nested footnotes", Article, strings.Repeat("[^a]: ", 16) + "b", strings.Repeat("[^a]: ", 17) + "b", "nested more than 16"},
		{"footnotes", Article, notes.String()[:500*len("[^a]: b\n\n")], notes.String(), "500 footnotes"},
		{"marks", Article, "[^a]: b\n\n" + marks.String()[:marks.Len()*10/11] + strings.Repeat("word\n\n", 9_000), "[^a]: b\n\n" + marks.String(), "2000 times"},
		{"brackets", Comment, nested(32), nested(33), "square brackets"},
		{"brackets in code blocks", Comment, "```\n" + nested(500) + "\n```", nested(500), "square brackets"},
		{"link targets", Comment, strings.Repeat("[a](/b) ", 1_200), strings.Repeat("[](", 3_300), "do not end"},
		{"emphasis", Comment, emphasis(30), emphasis(40), "nested more than 32"},
		{"columns", Comment, table(64, 10), table(65, 1), "64 columns"},
		{"cells of a comment", Comment, table(10, 199), table(10, 200), "2000 cells"},
		{"cells of an article", Article, strings.Repeat(table(10, 199)+"\n", 10), strings.Repeat(table(10, 199)+"\n", 11), "20000 cells"},
		{"pipes", Comment, "|a|\n|-|\n" + strings.Repeat(strings.Repeat(`\|`, 50)+"\n", 10), "|a|\n|-|\n" + strings.Repeat(strings.Repeat(`\|`, 50)+"\n", 11), "more than 500 times"},
		{"size", Comment, strings.Repeat("- - - a\n\n\n", 20), strings.Repeat("- - - - - - - - - - - - - a\n\n", 150), "far larger"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := c.render(c.good); err != nil {
				t.Errorf("refused: %v", err)
			}
			_, err := c.render(c.bad)
			var limit *LimitError
			if !errors.As(err, &limit) || !strings.Contains(limit.Message, c.message) || !strings.Contains(limit.Message, "lease") {
				t.Errorf("error = %v, want one with %q", err, c.message)
			}
		})
	}
}
