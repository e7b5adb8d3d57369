package markup

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// importCase is imported HTML, the Markdown it becomes, and what that renders
// to as a comment and, if different, as an article. Without a comment only the
// Markdown is compared.
type importCase struct {
	name, html, markdown, comment, article string
}

func runImportCases(t *testing.T, read func(string) (string, error), cases []importCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			markdown, err := read(c.html)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.markdown, markdown); diff != "" {
				t.Errorf("Markdown: -want +got\n%s", diff)
			}
			if c.comment != "" {
				runRenderCases(t, []renderCase{{"render", markdown, c.comment, c.article}})
			}
		})
	}
}

func TestFromHTML(t *testing.T) {
	runImportCases(t, FromHTML, []importCase{
		{"paragraphs", "<p>a\n b</p><p>c</p>d", "a b\n\nc\n\nd", p("a b") + "\n" + p("c") + "\n" + p("d"), ""},
		{"inline", "<b>a</b> <i>b</i> <del>c</del> <code>d</code><br>e", "**a** *b* ~~c~~ `d`\\\ne",
			p("<strong>a</strong> <em>b</em> <del>c</del> <code>d</code><br>\ne"), ""},
		{"link", `<a href="https://a.b/c_d" title="e &quot;f&quot;" rel="follow" onclick="x">g</a>`, `[g](https://a.b/c_d "e \"f\"")`,
			p(`<a href="https://a.b/c_d" title="e &#34;f&#34;"` + ugc + `>g</a>`),
			p(`<a href="https://a.b/c_d" title="e &#34;f&#34;" rel="noopener">g</a>`)},
		{"link to itself", `<a href="https://a.b/(c)_d">https://a.b/(c)_d</a>`, "<https://a.b/(c)_d>",
			p(`<a href="https://a.b/(c)_d"` + ugc + `>https://a.b/(c)_d</a>`), p(`<a href="https://a.b/(c)_d" rel="noopener">https://a.b/(c)_d</a>`)},
		{"bare address", "see http://a.b/c_d_e.", "see <http://a.b/c_d_e>.",
			p(`see <a href="http://a.b/c_d_e"` + ugc + `>http://a.b/c_d_e</a>.`), p(`see <a href="http://a.b/c_d_e" rel="noopener">http://a.b/c_d_e</a>.`)},
		{"bad link", `<a href="javascript:alert(1)">a</a> <a href="b.html">c</a> <a name="d">e</a>`, "a c e", p("a c e"), ""},
		{"image", `<img src="/a.png" alt="b_[c]" title="d" onerror="x">`, `![b\_\[c\]](/a.png "d")`,
			p(`<a href="/a.png" title="d"` + ugc + `>b_[c]</a>`), p(`<img src="/a.png" alt="b_[c]" title="d" loading="lazy">`)},
		{"linked image", `<a href="/a"><img src="/b.png" alt=""></a>`, "[![](/b.png)](/a)",
			p(`<a href="/a"` + ugc + `></a>`), p(`<a href="/a"><img src="/b.png" alt="" loading="lazy"></a>`)},
		{"code", "<pre><code class=\"language-go x\">a &lt; `b`\n\n  c\n</code></pre>", "```go\na < `b`\n\n  c\n```",
			"<pre><code class=\"language-go\">a &lt; `b`\n\n  c\n</code></pre>", ""},
		{"code with fences", "<pre>\n```\na<br>b</pre>", "````\n```\na\nb\n````", "<pre><code>```\na\nb\n</code></pre>", ""},
		{"backticks in code", "<code>`a``</code><code>b </code>", "``` `a``b  ```", p("<code>`a``b </code>"), ""},
		{"nested quotes", "<blockquote>a<blockquote><p>b</p></blockquote></blockquote>c", "> a\n>\n> > b\n\nc",
			`<blockquote dir="auto">` + p("a") + "\n" + `<blockquote dir="auto">` + p("b") + "\n</blockquote>\n</blockquote>\n" + p("c"), ""},
		{"lists", "<ul><li>a<ol start=3><li>b<li>c</ol></li><li><p>d</ul>", "- a\n\n  3. b\n  4. c\n\n- d", "", ""},
		{"two lists", "<ul><li>a</li></ul><ul><li>b</li></ul>", "- a\n\n* b",
			"<ul>\n<li dir=\"auto\">a</li>\n</ul>\n<ul>\n<li dir=\"auto\">b</li>\n</ul>", ""},
		{"quotes in a list", "<ul><li>a<blockquote>b</blockquote><blockquote>c</blockquote></li></ul>", "- a\n  > b\n\n  > c", "", ""},
		{"heading", "<h2 id=x>a # <br>b</h2>", "## a \\# b", p("<strong>a # b</strong>"), `<h2 id="s-a-b" dir="auto">a # b</h2>`},
		{"table", "<table><caption>x</caption><tr><th>a|b<td>c<tr><td><code>d|e</code></table>", "x\n\n| a\\|b | c |\n| --- | --- |\n| `d\\|e` |  |", "", ""},
		{"dropped", "<script>a</script><style>b</style><svg><b>c</b></svg><!-- d --><form>e<input type=text></form><textarea>f</textarea>", "e", p("e"), ""},
		{"player", `<iframe src="https://a.b/c"></iframe>d`, "[https://a.b/c](https://a.b/c) d",
			p(`<a href="https://a.b/c"` + ugc + `>https://a.b/c</a> d`), p(`<a href="https://a.b/c" rel="noopener">https://a.b/c</a> d`)},
		{"entities once", "&amp;lt; &lt;b&gt; &amp; &copy; &amp;copy; AT&amp;T", `\&lt; \<b> \& © \&copy; AT\&T`, p("&amp;lt; &lt;b&gt; &amp; © &amp;copy; AT&amp;T"), ""},
		{"entity in pieces", "&amp;<span>lt;</span>", `\&lt;`, p("&amp;lt;"), ""},
		{"image in pieces", `!<a href="/a">b</a>`, `\![b](/a)`, p(`!<a href="/a"` + ugc + `>b</a>`), p(`!<a href="/a">b</a>`)},
		{"wrong nesting", "<b>a<i>b</b>c</i>d</p><p>e</div>f", "**&#97;_b_**&#99;d\n\nef", p("<strong>a<em>b</em></strong>cd") + "\n" + p("ef"), ""},
		{"blocks in inline", "<b><p>a</p><p>b</p></b><a href='/c'><div>d</div></a><b>e<i><div>f</div>g</i></b>", "**a**\n\n**b**\n\n[d](/c)\n\n**e**\n\n**_f_**\n\n**_g_**", "", ""},
		{"lists in inline", "<font><ul> <li>a</li> <li>b</li> </ul></font><b>c<ol> <li>d</li> <li>e</li> </ol></b>", "- a\n- b\n\n**c**\n\n1. **d**\n2. **e**", "", ""},
		{"empty", "<p></p><b></b><ul></ul><blockquote> </blockquote><pre></pre>", "```\n```", "<pre><code></code></pre>", ""},
	})
}

// Text stays text, whatever it looks like.
func TestFromHTMLKeepsSpecialCharactersLiteral(t *testing.T) {
	for _, text := range []string{
		"*a* **b** _c_ __d__ ~~e~~ `f` ``g``", "# a", "## b #", "1. a", "1) a", "12345. a", "- a", "+ a", "* a", "> a", "---", "***", "===",
		"<b>a</b>", "a < b > c", "[a](b)", "![a](b)", "[a]: b", "[^a]: b", "[^a]", "[ ] a", "a|b", "|-|-|", ":-", "\\a \\* \\", "&lt; &#60; &", "```", "~~~",
		"snake_case_name", "2*3*4", "a_b", "_a", "$x_1$", "a  b", "http:", "a\\", "!", "a! [b]", "\"a\" 'b' (c)", "#a", "日本_語_x", "é*é*é",
	} {
		for _, frame := range []string{"<p>%</p>", "<p>x<br>%</p>", "<p><b>%</b></p>", "<p>x<i>%</i>y</p>", "<p>x<b><i>%</i></b>y</p>", "<ul><li>%</li></ul>",
			"<blockquote><p>%</p></blockquote>", "<p><a href=\"/x\">%</a></p>", "<table><tr><td>%</td></tr></table>"} {
			escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(text)
			markdown, err := FromHTML(strings.ReplaceAll(frame, "%", escaped))
			if err != nil {
				t.Fatal(err)
			}
			for name, render := range map[string]func(string) (Rendered, error){"comment": Comment, "article": Article} {
				out, err := render(markdown)
				if err != nil {
					t.Fatal(err)
				}
				reference, _, _ := strings.Cut(frame, "%")
				want := strings.Join(strings.Fields(text), " ")
				if strings.Contains(reference, "x<br>") {
					want = "x\n" + want
				} else if strings.HasPrefix(reference, "<p>x") {
					want = "x" + want + "y"
				}
				tags := strings.Count(frame, "<b>") + strings.Count(frame, "<i>")
				if out.Text != want || strings.Count(out.HTML, "<strong>")+strings.Count(out.HTML, "<em>") != tags {
					t.Errorf("%s: %q in %q became %q and reads %q in %q", name, text, frame, markdown, out.Text, out.HTML)
				}
			}
		}
	}
}

func TestFromWordPress(t *testing.T) {
	runImportCases(t, FromWordPress, []importCase{
		{"paragraphs", "a\nb\r\n\r\nc\n\n\n\nd", "a\\\nb\n\nc\n\nd", p("a<br>\nb") + "\n" + p("c") + "\n" + p("d"), ""},
		{"breaks once", "a<br />\nb<br>c", "a\\\nb\\\nc", p("a<br>\nb<br>\nc"), ""},
		{"inline", "a <b>b\nc</b>\n\n<i>d</i>\n", "a **b\\\nc**\n\n*d*", p("a <strong>b<br>\nc</strong>") + "\n" + p("<em>d</em>"), ""},
		{"between blocks", "a\n<blockquote>\nb\n\nc\n</blockquote>\nd\n", "a\n\n> b\n>\n> c\n\nd",
			p("a") + "\n" + `<blockquote dir="auto">` + p("b") + "\n" + p("c") + "\n</blockquote>\n" + p("d"), ""},
		{"code", "<pre>a\n\nb</pre>\n\n<code>c\nd</code>", "```\na\n\nb\n```\n\n`c d`", "<pre><code>a\n\nb\n</code></pre>\n" + p("<code>c d</code>"), ""},
		{"lists", "<ul>\n<li>a</li>\n\n<li>b\nc</li>\n</ul>", "- a\n- b\\\n  c",
			"<ul>\n<li dir=\"auto\">a</li>\n<li dir=\"auto\">b<br>\nc</li>\n</ul>", ""},
		{"block editor", "<!-- wp:paragraph -->\n<p>a\nb</p>\n<!-- /wp:paragraph -->", "a b", p("a b"), ""},
		{"plain HTML", "<p>a</p>\n<p>b</p>", "a\n\nb", p("a") + "\n" + p("b"), ""},
	})
}

// Rendering, reading that back and rendering again gives the same page, apart
// from white space. Left out are a mark inside the same mark, which shows
// nothing new, and things of which there is nothing to see.
func TestFromHTMLReadsWhatWeWrite(t *testing.T) {
	same := 0
	for _, e := range specExamples(t) {
		for name, render := range map[string]func(string) (Rendered, error){"comment": Comment, "article": Article} {
			first, err := render(e.Markdown)
			if err != nil {
				t.Fatal(err)
			}
			markdown, err := FromHTML(first.HTML)
			if err != nil {
				t.Fatal(err)
			}
			second, err := render(markdown)
			if err != nil {
				t.Fatalf("%q: %v", markdown, err)
			}
			if first.Text != second.Text && e.Example != 602 {
				t.Errorf("%s %d: %q reads %q, then %q", name, e.Example, e.Markdown, first.Text, second.Text)
			}
			if cmp.Equal(canonical(t, first.HTML), canonical(t, second.HTML)) {
				same++
			}
		}
	}
	if same < 1_240 {
		t.Errorf("%d of 1304 pages came back the same, want at least 1240", same)
	}
}

func TestFromHTMLSurvivesHostilePages(t *testing.T) {
	if _, err := FromHTML(strings.Repeat("a", MaxImportBytes+1)); !errors.As(err, new(*LimitError)) {
		t.Errorf("error = %v, want a LimitError", err)
	}
	for _, unit := range []string{
		"<b>", "<p>", "<div>", "<blockquote>", "<ul><li>", "<a href=/x>", "<table><tr><td>", "<b><p>", "</p>", "</b>", "<b></b>", "<i>a", "<li>", "<td>",
		"a<b>\"</b>", "a<i>b</i>", "<b><i>a</b></i>", "<code>`</code>", "<pre>`</pre>", "<br>", "a\n\n", "*", "_", "&", "<", "<!--", "<svg>", "<script>",
		"http://a", "http://", "<img src=/a alt='[](`'>", "<q>", "<ol><li>1.</ol>", "<tr>", "<caption>", "<hr>", "<iframe src=/a></iframe>", "<b a=b c=d>",
		"<div><b><div><i>", "\\", "`", "<h1>#", "<p><a href='/a'><p>b",
	} {
		for name, read := range map[string]func(string) (string, error){"FromHTML": FromHTML, "FromWordPress": FromWordPress} {
			src := strings.Repeat(unit, MaxImportBytes/8/len(unit)) // the time grows in proportion
			begin := time.Now()
			out, err := read(src)
			took := time.Since(begin)
			if err != nil || took > 10*time.Second || len(out) > 40*len(src) {
				t.Errorf("%s(%q…) took %v, gave %d bytes and %v", name, unit, took, len(out), err)
			}
			if took > 500*time.Millisecond {
				t.Logf("%s(%q…) took %v for %d bytes", name, unit, took.Round(time.Millisecond), len(out))
			}
		}
	}
}

func FuzzFromHTML(f *testing.F) {
	for _, src := range hostile {
		f.Add(src)
	}
	f.Add("<blockquote><ul><li>a<p>b</ul>c<table><tr><td>d</table><pre>e</pre><b>f<i>g</b>h</i>")
	f.Fuzz(func(t *testing.T, src string) {
		for _, newlines := range []bool{false, true} {
			markdown, err := convert(src, newlines)
			if err != nil {
				continue
			}
			for _, d := range []*dialect{commentDialect(), articleDialect()} {
				if out, err := d.render(markdown); err == nil {
					checkSafe(t, d, out)
				} else if !errors.As(err, new(*LimitError)) {
					t.Errorf("%q: %v", markdown, err)
				}
			}
		}
	})
}
