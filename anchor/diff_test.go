package anchor

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// marks writes spans as text: [-removed-] and {+added+}.
func marks(spans []Span) string {
	var b strings.Builder
	for _, s := range spans {
		switch s.Op {
		case Equal:
			b.WriteString(s.Text)
		case Delete:
			b.WriteString("[-" + s.Text + "-]")
		case Insert:
			b.WriteString("{+" + s.Text + "+}")
		}
	}
	return b.String()
}

func TestDiff(t *testing.T) {
	tests := []struct{ name, a, b, want string }{
		{"both empty", "", "", ""},
		{"from nothing", "", "New text.", "{+New text.+}"},
		{"to nothing", "Old text.", "", "[-Old text.-]"},
		{"same", "No change.", "No change.", "No change."},
		{"a word", "The quick fox", "The slow fox", "The [-quick-]{+slow+} fox"},
		{"two words apart", "The quick brown fox", "The slow brown dog", "The [-quick-]{+slow+} brown [-fox-]{+dog+}"},
		{"part of a word is the word", "walked", "walking", "[-walked-]{+walking+}"},
		{"capital", "the end", "The end", "[-the-]{+The+} end"},
		{"inserted word", "a big house", "a very big house", "a {+very +}big house"},
		{"repeated word", "It is very big.", "It is very, very big.", "It is {+very, +}very big."},
		{"insert here, remove there", "I saw the cat", "I really saw cat", "I {+really +}saw [-the -]cat"},
		{"comma alone", "Yes we can", "Yes, we can", "Yes{+,+} we can"},
		{"full stop", "The end", "The end.", "The end{+.+}"},
		{"sentence removed", "One. Two. Three.", "One. Three.", "One. [-Two. -]Three."},
		{"sentence added at the end", "One.", "One. Two.", "One.{+ Two.+}"},
		{"sentence with a shared word added", "The cat. The dog.", "The cat. The cow. The dog.", "The cat. {+The cow. +}The dog."},
		{"line added", "one\ntwo\n", "one\nnew\ntwo\n", "one\n{+new\n+}two\n"},
		{"paragraph added", "a b\n\na c\n", "a b\n\na x\n\na c\n", "a b\n\n{+a x\n\n+}a c\n"},
		{"line break for a blank", "one two", "one\ntwo", "one[- -]{+\n+}two"},
		{"blanks alone", "one two", "one   two", "one[- -]{+   +}two"},
		{
			"rewritten sentence is one change",
			"The committee decided that the proposal was good.",
			"Nobody on the board thought that this was sensible.",
			"[-The committee decided that the proposal was good-]{+Nobody on the board thought that this was sensible+}.",
		},
		{"old text survives between additions", "Yes.", "Long before. Yes. Long after.", "{+Long before. +}Yes{+. Long after+}."},
		{
			"a long shared part stays",
			"Nothing here remains of what was once written before, as everyone here knows well, and then comes other nonsense that nobody wants.",
			"Completely fresh introduction replacing everything readers knew, as everyone here knows well, yet afterwards follow newly invented phrases without equal.",
			"[-Nothing here remains of what was once written before-]{+Completely fresh introduction replacing everything readers knew+}" +
				", as everyone here knows well, " +
				"[-and then comes other nonsense that nobody wants-]{+yet afterwards follow newly invented phrases without equal+}.",
		},
		{
			"rewritten paragraphs stay apart",
			"Gone and away.\n\nVanished without trace.",
			"Here is something new.\n\nEntirely different material instead.",
			"[-Gone and away-]{+Here is something new+}.\n\n[-Vanished without trace-]{+Entirely different material instead+}.",
		},
		{"contraction", "I don't know", "I do not know", "I [-don't-]{+do not+} know"},
		{"number", "pi is 3.14 here", "pi is 3.15 here", "pi is [-3.14-]{+3.15+} here"},
		{"Chinese by character", "我们今天去学校", "我们明天去学校", "我们[-今-]{+明+}天去学校"},
		{"Russian", "Мама мыла раму", "Мама мыла окно", "Мама мыла [-раму-]{+окно+}"},
		{"emoji in one piece", "Go 👩🏽‍🚀!", "Go 👩🏿‍🚀!", "Go [-👩🏽‍🚀-]{+👩🏿‍🚀+}!"},
		{"accent in one piece", "cafe\u0301 bar", "cafe bar", "[-cafe\u0301-]{+cafe+} bar"},
		{"Markdown", "a *b* c", "a **b** c", "a {+*+}*b*{+*+} c"},
		{"not UTF-8", "a \xff b", "a \xfe b", "a [-\xff-]{+\xfe+} b"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, marks(Diff(test.a, test.b))); diff != "" {
				t.Errorf("Diff(%q, %q) (-want +got):\n%s", test.a, test.b, diff)
			}
		})
	}
}

func TestSummary(t *testing.T) {
	tests := []struct {
		name, a, b string
		want       Stats
	}{
		{"empty", "", "", Stats{Same: true}},
		{"same", "one two", "one two", Stats{Same: true}},
		{"added", "one two", "one more two", Stats{Added: 1}},
		{"removed", "one more two", "one two", Stats{Removed: 1}},
		{"replaced", "one two", "one three", Stats{Added: 1, Removed: 1}},
		{"punctuation is no word", "one two", "one, two!", Stats{}},
		{"shared words of a rewritten sentence are kept", "we saw that the old was good", "they saw why the new is bad", Stats{Added: 5, Removed: 5}},
		{"all new", "", "one two three", Stats{Added: 3}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Summary(test.a, test.b); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// checkDiff asserts what must hold for any two texts.
func checkDiff(t interface{ Fatalf(string, ...any) }, a, b string, spans []Span) {
	var before, after strings.Builder
	for i, s := range spans {
		if s.Text == "" {
			t.Fatalf("span %d is empty: %v", i, spans)
		}
		if i > 0 && spans[i-1].Op == s.Op {
			t.Fatalf("spans %d and %d have the same fate: %v", i-1, i, spans)
		}
		if i > 0 && spans[i-1].Op == Insert && s.Op == Delete {
			t.Fatalf("span %d is removed after what replaces it: %v", i, spans)
		}
		if s.Op != Insert {
			before.WriteString(s.Text)
		}
		if s.Op != Delete {
			after.WriteString(s.Text)
		}
	}
	if before.String() != a {
		t.Fatalf("Equal+Delete of %q is not a = %q", before.String(), a)
	}
	if after.String() != b {
		t.Fatalf("Equal+Insert of %q is not b = %q", after.String(), b)
	}
}

// anyText draws texts that have a lot in common, texts of any runes, and bytes
// that are no text.
func anyText() *rapid.Generator[string] {
	word := rapid.SampledFrom([]string{
		"a", "b", "the", "cat", "Haus", "don't", "3.14", "我", "\u0301", "👩🏽‍🚀", "\xff", "_",
		" ", "  ", "\n", "\n\n", "\r\n", "\t", ".", ",", "*", "'",
	})
	words := rapid.Map(rapid.SliceOf(word), func(list []string) string { return strings.Join(list, "") })
	bytes := rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })
	return rapid.OneOf(words, words, rapid.String(), bytes)
}

func TestDiffKeepsEveryByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyText().Draw(t, "a"), anyText().Draw(t, "b")
		spans := Diff(a, b)
		checkDiff(t, a, b, spans)
		if diff := cmp.Diff(spans, Diff(a, b)); diff != "" {
			t.Fatalf("a second call answers differently:\n%s", diff)
		}
		for i, s := range Diff(a, a) {
			if i > 0 || s != (Span{Equal, a}) {
				t.Fatalf("Diff(a, a) is not one Equal span: %v", s)
			}
		}
	})
}

func TestDiffSplitsNoRune(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		for _, s := range Diff(a, b) {
			if !utf8.ValidString(s.Text) {
				t.Fatalf("%q is cut within a character", s.Text)
			}
		}
	})
}

// TestAlign checks the alignment itself against the textbook table, and that a
// small depth gives a shorter but still correct one.
func TestAlign(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfN(rapid.Int32Range(0, 4), 0, 40)
		a, b := ids.Draw(t, "a"), ids.Draw(t, "b")
		depth := rapid.SampledFrom([]int{1, 2, 5, 1000}).Draw(t, "depth")
		found, lastA, lastB := 0, 0, 0
		for _, m := range align(a, b, depth) {
			if m.a < lastA || m.b < lastB || m.n < 1 {
				t.Fatalf("%v overlaps, is out of order or empty", m)
			}
			for k := range m.n {
				if a[m.a+k] != b[m.b+k] {
					t.Fatalf("%v joins different tokens", m)
				}
			}
			lastA, lastB, found = m.a+m.n, m.b+m.n, found+m.n
		}
		if want := longestCommon(a, b); depth == 1000 && found != want {
			t.Fatalf("aligned %d tokens, want %d", found, want)
		}
	})
}

func longestCommon(a, b []int32) int {
	row := make([]int, len(b)+1)
	for _, x := range a {
		diagonal := 0
		for j, y := range b {
			above := row[j+1]
			if x == y {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(row[j+1], row[j])
			}
			diagonal = above
		}
	}
	return row[len(b)]
}

// TestDiffDistinguishesManyWords has more different words than fit below the
// range U+D800–U+DFFF, where methods that number words by runes go wrong.
func TestDiffDistinguishesManyWords(t *testing.T) {
	var a, b strings.Builder
	for i := range 70_000 {
		fmt.Fprintf(&a, "w%d ", i)
		if i%1000 != 7 {
			fmt.Fprintf(&b, "w%d ", i)
		}
	}
	spans := Diff(a.String(), b.String())
	checkDiff(t, a.String(), b.String(), spans)
	removed := 0
	for _, s := range spans {
		if s.Op != Equal {
			removed++
		}
	}
	if removed != 70 {
		t.Errorf("%d changes, want 70", removed)
	}
}

// hardTexts are pairs of 200,000 runes that leave little or nothing to match.
func hardTexts() map[string][2]string {
	const runes = 200_000
	random := rand.New(rand.NewPCG(3, 4))
	text := func(piece func(int) string) string {
		var b strings.Builder
		for i, n := 0, 0; n < runes; i++ {
			s := piece(i)
			b.WriteString(s)
			n += utf8.RuneCountInString(s)
		}
		return string([]rune(b.String())[:runes])
	}
	pick := func(letters string) func(int) string {
		list := []rune(letters)
		return func(int) string { return string(list[random.IntN(len(list))]) }
	}
	numbered := func(prefix string, every int) func(int) string {
		return func(i int) string {
			if i%every == every-1 {
				return fmt.Sprintf("%s%d\n\n", prefix, i)
			}
			return fmt.Sprintf("%s%d ", prefix, i)
		}
	}
	return map[string][2]string{
		"no word in common":           {text(numbered("a", 50)), text(numbered("b", 50))},
		"few words, shuffled":         {text(pick("a b c d e f \n")), text(pick("a b c d e f \n"))},
		"single marks, shuffled":      {text(pick(".,;:!?*#")), text(pick(".,;:!?*#"))},
		"single marks, none shared":   {text(pick(".,;:")), text(pick("!?*#"))},
		"Chinese, shuffled":           {text(pick("天地玄黄宇宙洪荒日月盈昃辰宿列张")), text(pick("天地玄黄宇宙洪荒日月盈昃辰宿列张"))},
		"one word a paragraph":        {text(numbered("a", 1)), text(numbered("b", 1))},
		"one mark a paragraph":        {strings.Repeat("*\n\n", runes/3), strings.Repeat("#\n\n", runes/3)},
		"same words, other paragraph": {text(pick("abc \n")), text(pick("abc \n"))},
		"one long word":               {strings.Repeat("a", runes), strings.Repeat("b", runes)},
		"accents":                     {strings.Repeat("\u0301", runes), "." + strings.Repeat("\u0301", runes)},
		"joiners":                     {strings.Repeat("*\u200d", runes/2), strings.Repeat("#\u200d", runes/2)},
		"blanks":                      {strings.Repeat(" \n", runes/2), strings.Repeat("\t\n", runes/2)},
		"apostrophes":                 {strings.Repeat("a'", runes/2), strings.Repeat("b'", runes/2)},
	}
}

// TestHardTextsAreBounded allows ten times what a quiet machine takes, so that
// it fails for a wrong order of growth and not for a busy afternoon.
func TestHardTextsAreBounded(t *testing.T) {
	for name, texts := range hardTexts() {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			spans := Diff(texts[0], texts[1])
			words := time.Since(start)
			blocks := DiffBlocks(texts[0], texts[1])
			t.Logf("Diff %v, DiffBlocks %v", words, time.Since(start)-words)
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
			checkDiff(t, texts[0], texts[1], spans)
			checkBlocks(t, texts[0], texts[1], blocks)
		})
	}
}

func BenchmarkDiff(b *testing.B) {
	for name, texts := range hardTexts() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Diff(texts[0], texts[1])
			}
		})
	}
}
