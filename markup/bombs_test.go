package markup

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A bomb is a text that is cheap to type and, for a parser without limits,
// expensive to read or huge to show. make builds one of at most n runes.
type bomb struct {
	name string
	make func(n int) string
}

func repeat(unit string) func(int) string {
	return func(n int) string { return strings.Repeat(unit, n/len([]rune(unit))) }
}

// paragraphs fills n runes with paragraphs of nearly the permitted length.
func paragraphs(fill func(int) string) func(int) string {
	return func(n int) string {
		size := min(n, 9_900)
		return strings.Repeat(fill(size-2)+"\n\n", n/size)
	}
}

var bombs = []bomb{
	{"wide table, short rows", func(n int) string {
		columns := n/6 - 1
		return strings.Repeat("|a", columns) + "|\n" + strings.Repeat("|-", columns) + "|\n" + strings.Repeat("|\n", n/6)
	}},
	{"permitted table, short rows", func(n int) string {
		return strings.Repeat("|a", 64) + "|\n" + strings.Repeat("|-", 64) + "|\n" + strings.Repeat("|\n", (n-260)/2)
	}},
	{"many small tables", repeat("|a|b|c|\n|-|-|-|\n|\n|\n|\n\n")},
	{"table of pipes in code", func(n int) string { return "|a|\n|-|\n" + strings.Repeat("`\\|`", n/4-4) }},
	{"table without pipes", func(n int) string { return "a\n:-\n" + strings.Repeat("b\n", n/2-4) }},
	{"rows of dashes", repeat(":|:-\n")},

	{"list in list in list, then blank lines", func(n int) string {
		return strings.Repeat("- ", n/4) + "x" + strings.Repeat("\n", n/2-4)
	}},
	{"permitted nesting, then blank lines", func(n int) string {
		return strings.Repeat("- ", 15) + "x" + strings.Repeat("\n", n-40)
	}},
	{"permitted nesting, then lines", func(n int) string {
		return strings.Repeat("- ", 15) + "x\n" + strings.Repeat(strings.Repeat(" ", 30)+"y\n\n", n/33-2)
	}},
	{"only list markers", repeat("- ")},
	{"numbered in numbered", repeat("1. ")},
	{"only quote markers", repeat(">")},
	{"quotes and lists mixed", repeat("> - ")},
	{"mixed, line by line", repeat("> - > -\n")},
	{"empty items", repeat("-\n")},
	{"items under items", func(n int) string {
		var b strings.Builder
		for depth := 0; b.Len()+2*depth+3 < n; depth++ {
			b.WriteString(strings.Repeat(" ", 2*depth) + "- a\n")
		}
		return b.String()
	}},
	{"blank lines", repeat("\n")},
	{"blanks and breaks", repeat("\n \n***")},
	{"tabs", repeat("\t")},
	{"tabbed items", repeat("-\t")},
	{"spaces", repeat(" ")},

	{"open brackets", repeat("[")},
	{"brackets opened and closed", func(n int) string {
		return strings.Repeat("[", n/2) + strings.Repeat("]", n/2)
	}},
	{"nested images", func(n int) string {
		return strings.Repeat("![", n/8) + strings.Repeat("](a)", n/8)
	}},
	{"links without end", paragraphs(repeat("[]("))},
	{"titles without end", paragraphs(repeat("[a](b ("))},
	{"titles without end, in lines", paragraphs(repeat("[a](b '\nc"))},
	{"angle targets without end", paragraphs(repeat("[a](<b"))},
	{"references to nothing", paragraphs(repeat("[a][b]"))},
	{"nested references to nothing", paragraphs(repeat(strings.Repeat("[", 32) + strings.Repeat("a", 300) + strings.Repeat("]", 32)))},
	{"one definition, many uses", func(n int) string {
		return "[a]: http://x/" + strings.Repeat("y", n/4) + "\n\n" + paragraphs(repeat("[a]"))(n*3/4-20)
	}},
	{"long title, many uses", func(n int) string {
		return "[a]: /x '" + strings.Repeat("y", min(n/4, 9_000)) + "'\n\n" + paragraphs(repeat("[a]"))(n*3/4-20)
	}},
	{"refused target, many uses", func(n int) string {
		return "[a]: x:" + strings.Repeat("y", 2_000) + "\n\n" + paragraphs(repeat("[a]"))(n-2_100)
	}},
	{"definitions in one paragraph", paragraphs(repeat("[a]:b\n"))},
	{"definitions that fail", paragraphs(repeat("[a]: b '\n"))},
	{"labels that never close", paragraphs(repeat("[a\n"))},

	{"stars", paragraphs(repeat("*"))},
	{"emphasis opened", paragraphs(repeat("*a "))},
	{"emphasis opened and closed", paragraphs(func(n int) string {
		return strings.Repeat("*a ", n/6) + strings.Repeat("a* ", n/6)
	})},
	{"delimiters that do not match", paragraphs(repeat("*a_ "))},
	{"delimiters in threes", paragraphs(repeat("a**b" + "c* "))},
	{"emphasis across links", paragraphs(repeat("*[_a](/b)"))},
	{"strikes", paragraphs(repeat("~~a ~"))},
	{"growing backticks", paragraphs(func(n int) string {
		var b strings.Builder
		for i := 1; b.Len()+i+2 < n; i++ {
			b.WriteString(strings.Repeat("`", i) + "a\n")
		}
		return b.String()
	})},
	{"growing backticks, then lines", paragraphs(func(n int) string {
		var b strings.Builder
		for i := 1; b.Len()+i+2 < n/2; i++ {
			b.WriteString(strings.Repeat("`", i) + "a")
		}
		return b.String() + strings.Repeat("\na", n/4)
	})},

	{"backticks behind backslashes", paragraphs(func(n int) string {
		return strings.Repeat("\\``", n/6) + strings.Repeat("\na", n/4)
	})},

	{"angle brackets", paragraphs(repeat("<"))},
	{"tags without end", paragraphs(repeat("<a b='"))},
	{"tags of many lines", paragraphs(repeat("<a\nb"))},
	{"attributes without end", paragraphs(func(n int) string { return "<a" + strings.Repeat(" b", n/2-2) })},
	{"comments without end", paragraphs(repeat("<!-- "))},
	{"instructions without end", paragraphs(repeat("<?"))},
	{"sections without end", paragraphs(repeat("a <![CDATA["))},
	{"html blocks", repeat("<div>\n\n")},

	{"bare links", paragraphs(repeat("http://a.b "))},
	{"bare mail addresses", paragraphs(repeat("a@b.c "))},
	{"half mail addresses", paragraphs(repeat("aaaaaaaa "))},
	{"mail address of dots", paragraphs(func(n int) string { return "a@" + strings.Repeat("b.", n/2-2) })},
	{"parentheses after a link", paragraphs(func(n int) string { return "http://a.b/" + strings.Repeat(")", n-20) })},

	{"footnotes", func(n int) string {
		var b strings.Builder
		for i := 0; b.Len() < n-40; i++ {
			id := strconv.Itoa(i)
			b.WriteString("[^" + id + "]\n\n[^" + id + "]: x\n\n")
		}
		return b.String()
	}},
	{"one footnote, many marks", func(n int) string { return "[^a]: x\n\n" + paragraphs(repeat("[^a]"))(n-20) }},
	{"footnote in footnote", repeat("[^a]: ")},
	{"many footnotes, no mark fits", func(n int) string {
		var b strings.Builder
		for i := range 499 {
			b.WriteString("[^" + strconv.Itoa(i) + "]: x\n\n")
		}
		return b.String()[:min(b.Len(), n/2)] + "\n\n" + paragraphs(repeat("[^a]"))(n/2-10)
	}},

	{"same heading again", repeat("# a\n")},
	{"headings that look numbered", func(n int) string {
		var b strings.Builder
		for i := 0; b.Len() < n-16; i++ {
			b.WriteString("# a\n# a-" + strconv.Itoa(i) + "\n")
		}
		return b.String()
	}},
	{"one long heading", func(n int) string { return "# " + strings.Repeat("[](", n/3-2) }},
	{"underlined lines", repeat("a\n=\n")},
	{"entities", paragraphs(repeat("&ngE;"))},
	{"ampersands", paragraphs(repeat("&"))},
	{"quotation marks", paragraphs(repeat(`"`))},
	{"backslashes", paragraphs(repeat(`\`))},
	{"fences", repeat("```\n")},
	{"wide runes", paragraphs(repeat("[](𝒳"))},
}

func TestBombsAreRefusedOrCheap(t *testing.T) {
	for _, dialect := range []struct {
		name   string
		render func(string) (Rendered, error)
		runes  int
	}{
		{"comment", Comment, MaxCommentRunes},
		{"article", Article, MaxArticleRunes},
	} {
		for _, b := range bombs {
			t.Run(dialect.name+"/"+b.name, func(t *testing.T) {
				src := b.make(dialect.runes)
				if n := len([]rune(src)); n > dialect.runes || n < dialect.runes*3/4 && b.name != "many footnotes, no mark fits" {
					t.Fatalf("the bomb has %d runes, want nearly %d", n, dialect.runes)
				}
				begin := time.Now()
				out, err := dialect.render(src)
				took := time.Since(begin)
				t.Logf("%v, %d bytes in, %d out, %v", took.Round(time.Millisecond), len(src), len(out.HTML), err)
				checkBounded(t, src, out, err, took)
			})
		}
	}
}

// checkBounded asserts what must hold for any input. The deadline is generous:
// it tells a blow-up from a busy machine, the benchmark tells the real time.
func checkBounded(t *testing.T, src string, out Rendered, err error, took time.Duration) {
	t.Helper()
	var limit *LimitError
	if err != nil && (!errors.As(err, &limit) || !strings.Contains(limit.Message, "Please")) {
		t.Errorf("error = %v, want none or a LimitError that says what to do", err)
	}
	if budget := 10*len(src) + 16<<10; len(out.HTML) > budget {
		t.Errorf("%d bytes of HTML from %d bytes, want at most %d", len(out.HTML), len(src), budget)
	}
	if took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

// Reading the rest of a paragraph allocates for each of its lines. If it were
// read for every one of these backticks, that would be some millions.
func TestUnclosedCodeIsLookedForOnce(t *testing.T) {
	src := strings.Repeat("\\``", 1_600) + strings.Repeat("\na", 1_900)
	if allocs := testing.AllocsPerRun(1, func() { _, _ = Comment(src) }); allocs > 100_000 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestBudgetWriterKeepsNothingBeyondItsLimit(t *testing.T) {
	w := &budgetWriter{left: 4}
	_, _ = w.WriteString("ab")
	_ = w.WriteByte('c')
	_, first := w.Write([]byte("de"))
	_, second := w.WriteRune('f')
	if got := w.buf.String(); got != "abc" || first == nil || second == nil || w.Flush() == nil {
		t.Errorf("kept %q, errors %v, %v", got, first, second)
	}
}
