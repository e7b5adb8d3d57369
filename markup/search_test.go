package markup

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// atoms are what costly texts are made of.
var atoms = []string{"*", "**", "_", "__", "`", "``", "```", "[", "]", "(", ")", "<", ">", "!", "#", "-", "+", "1.",
	"|", "~", "~~", "\\", "&", "&amp;", "&#", ":", "\n", "\n\n", "\t", " ", "    ", "^", "=", "\"", "'", "a", "b", "é",
	"日", "𝒳", "![", "[a]", "](", "(<", "[^a]", "[^a]: ", "[a]: b\n", "[a]:", "<!--", "<?", "<a ", "</a", "<A", "<![CDATA[",
	"=\"", "='", "http://a", "www.a.b", "a@b.c", "> ", "- ", "|-|", "---\n", "~~~", "[ ] ", "\\|", "\\`"}

// randomBomb repeats up to three short fragments until the text has nearly n
// runes. Half of the time the result is cut into paragraphs, each as long as
// the limit permits; a single long one would be refused in most articles.
func randomBomb(rng *rand.Rand, n int) string {
	var b strings.Builder
	size := n
	if rng.IntN(2) == 0 {
		size = min(n, 9_900)
	}
	for parts := 1 + rng.IntN(3); parts > 0; parts-- {
		fragment := ""
		for range 1 + rng.IntN(6) {
			fragment += atoms[rng.IntN(len(atoms))]
		}
		b.WriteString(strings.Repeat(fragment, (size-utf8.RuneCountInString(b.String()))/parts/utf8.RuneCountInString(fragment)))
	}
	text := b.String() + "\n\n"
	return strings.TrimSpace(strings.Repeat(text, max(1, n/utf8.RuneCountInString(text))))
}

// The limits were found by searching for texts that hurt. This repeats a little
// of the search with fixed seeds; -short leaves it out.
func TestSearchForSlowTexts(t *testing.T) {
	if testing.Short() && os.Getenv("CI") == "" {
		t.Skip("searching takes seconds")
	}
	for _, dialect := range []struct {
		name   string
		render func(string) (Rendered, error)
		runes  int
		time   time.Duration
	}{
		{"comment", Comment, MaxCommentRunes, 800 * time.Millisecond},
		{"article", Article, MaxArticleRunes, 1200 * time.Millisecond},
	} {
		t.Run(dialect.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			tried, refused, slowest, text := 0, 0, time.Duration(0), ""
			for end := time.Now().Add(dialect.time); time.Now().Before(end); tried++ {
				src := randomBomb(rng, dialect.runes-10)
				begin := time.Now()
				out, err := dialect.render(src)
				took := time.Since(begin)
				checkBounded(t, src, out, err, took)
				if err != nil {
					refused++
				}
				if took > slowest {
					slowest, text = took, src
				}
			}
			t.Logf("%d texts, %d refused, the slowest took %v: %.60q", tried, refused, slowest.Round(time.Millisecond), text)
		})
	}
}

// BenchmarkBombs prints what the most expensive texts that pass really cost.
func BenchmarkBombs(b *testing.B) {
	for _, name := range []string{"delimiters that do not match", "emphasis across links", "bare mail addresses",
		"angle brackets", "refused target, many uses", "growing backticks, then lines"} {
		for _, bomb := range bombs {
			if bomb.name != name {
				continue
			}
			comment, article := bomb.make(MaxCommentRunes), bomb.make(MaxArticleRunes)
			b.Run("comment/"+name, func(b *testing.B) {
				for b.Loop() {
					_, _ = Comment(comment)
				}
			})
			b.Run("article/"+name, func(b *testing.B) {
				for b.Loop() {
					_, _ = Article(article)
				}
			})
		}
	}
}

// BenchmarkPlain is the ordinary case: a comment of three paragraphs.
func BenchmarkPlain(b *testing.B) {
	src := strings.Repeat("I *agree* with most of [this](https://example.org), but `x < y` is wrong.\n> quoted\n\n", 3)
	for b.Loop() {
		_, _ = Comment(src)
	}
}
