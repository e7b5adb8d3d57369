package anchor

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// show writes blocks one a line: kind, line, number of the move, text.
func show(blocks []Block) []string {
	var lines []string
	for _, b := range blocks {
		pair := ""
		if b.Pair > 0 {
			pair = fmt.Sprintf(" #%d", b.Pair)
		}
		lines = append(lines, fmt.Sprintf("%s@%d%s: %s", b.Kind, b.Line, pair, marks(b.Spans)))
	}
	return lines
}

func TestDiffBlocks(t *testing.T) {
	tests := []struct {
		name, a, b string
		want       []string
	}{
		{"both empty", "", "", nil},
		{"blank lines only", "\n \n", "\n", nil},
		{"same", "one\n\ntwo\n", "one\n\n\n\ntwo", []string{"same@1: one", "same@5: two"}},
		{"first text", "", "one\n\ntwo\n", []string{"added@1: {+one+}", "added@3: {+two+}"}},
		{"all gone", "one\n\ntwo\n", "", []string{"removed@1: [-one-]", "removed@3: [-two-]"}},
		{
			"edited in place", "# Title\n\nThe cat sat on the mat.\n\nEnd.", "# Title\n\nThe cat sat on the sofa.\n\nEnd.",
			[]string{"same@1: # Title", "changed@3: The cat sat on the [-mat-]{+sofa+}.", "same@5: End."},
		},
		{
			"added between", "one a\n\nthree c", "one a\n\ntwo b\n\nthree c",
			[]string{"same@1: one a", "added@3: {+two b+}", "same@5: three c"},
		},
		{
			"removed between", "one a\n\ntwo b\n\nthree c", "one a\n\nthree c",
			[]string{"same@1: one a", "removed@3: [-two b-]", "same@3: three c"},
		},
		{
			"replaced by something else", "one a\n\ntwo b\n\nthree c", "one a\n\nutterly different\n\nthree c",
			[]string{"same@1: one a", "removed@3: [-two b-]", "added@3: {+utterly different+}", "same@5: three c"},
		},
		{
			"moved to the end", "first thing said\n\nsecond is longer than it\n\nthird one", "second is longer than it\n\nthird one\n\nfirst thing said",
			[]string{"moved from@1 #1: first thing said", "same@1: second is longer than it", "same@3: third one", "moved to@5 #1: first thing said"},
		},
		{
			"moved and edited", "we begin with a few words here\n\nthe middle part of this text is rather long and stays",
			"the middle part of this text is rather long and stays\n\nwe begin with a few lines here",
			[]string{
				"moved from@1 #1: we begin with a few words here",
				"same@1: the middle part of this text is rather long and stays",
				"moved to@3 #1: we begin with a few [-words-]{+lines+} here",
			},
		},
		{
			"two moves", "alpha\n\nbeta\n\na long paragraph that will stay in its place", "a long paragraph that will stay in its place\n\nbeta\n\nalpha",
			[]string{
				"moved from@1 #1: alpha", "moved from@3 #2: beta",
				"same@1: a long paragraph that will stay in its place",
				"moved to@3 #2: beta", "moved to@5 #1: alpha",
			},
		},
		{
			"moves are numbered from the top, edited or not", "we begin with a few words here\n\nalpha\n\na long paragraph that will stay in its place",
			"a long paragraph that will stay in its place\n\nalpha\n\nwe begin with a few lines here",
			[]string{
				"moved from@1 #1: we begin with a few words here", "moved from@3 #2: alpha",
				"same@1: a long paragraph that will stay in its place",
				"moved to@3 #2: alpha", "moved to@5 #1: we begin with a few [-words-]{+lines+} here",
			},
		},
		{
			"an identical partner before an equally good one", "one two three.\n\nold end", "one two three!\n\none two three.\n\nnew",
			[]string{"added@1: {+one two three!+}", "same@3: one two three.", "removed@3: [-old end-]", "added@5: {+new+}"},
		},
		{
			"a rule is not followed around", "---\n\nsome words", "some words\n\n---",
			[]string{"removed@1: [-----]", "same@1: some words", "added@3: {+---+}"},
		},
		{"lines of one paragraph", "one\ntwo\nthree", "one\n2\nthree", []string{"changed@1: one\n[-two-]{+2+}\nthree"}},
		{"Windows line breaks", "one\r\n\r\ntwo\r\n", "one\r\n\r\ntwo 2\r\n", []string{"same@1: one", "changed@3: two{+ 2+}"}},
		{
			"twins keep their order", "same words\n\nother\n\nsame words", "same words\n\nsame words",
			[]string{"same@1: same words", "removed@3: [-other-]", "same@3: same words"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			blocks := DiffBlocks(test.a, test.b)
			if diff := cmp.Diff(test.want, show(blocks)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			checkBlocks(t, test.a, test.b, blocks)
		})
	}
}

// TestDiffBlocksInLongTexts has too many paragraphs to compare each with each.
func TestDiffBlocksInLongTexts(t *testing.T) {
	const paragraphs = 3000
	var old, new []string
	for i := range paragraphs {
		text := fmt.Sprintf("paragraph %d with the words %d and %d", i, i*7, i*11)
		old = append(old, text)
		if i%100 == 0 {
			text += " and more"
		}
		new = append(new, text)
	}
	a, b := strings.Join(old, "\n\n"), strings.Join(new, "\n\n")+"\n\nthe end"
	blocks := DiffBlocks(a, b)
	checkBlocks(t, a, b, blocks)
	kinds := make(map[BlockKind]int)
	for _, block := range blocks {
		kinds[block.Kind]++
	}
	want := map[BlockKind]int{Same: paragraphs - 30, Changed: 30, Added: 1}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// checkBlocks asserts what must hold for any two texts: every paragraph is
// shown once, in order, on its line, and moves come in twos.
func checkBlocks(t interface{ Fatalf(string, ...any) }, a, b string, blocks []Block) {
	old, new := paragraphsOf(a), paragraphsOf(b)
	from, to := make(map[int]string), make(map[int]string)
	for _, block := range blocks {
		before, after := sides(block.Spans)
		switch block.Kind {
		case Removed, MovedFrom:
			old = takeFirst(t, old, block.Line, before)
		case Added, MovedTo:
			new = takeFirst(t, new, block.Line, after)
		default:
			old = takeFirst(t, old, 0, before)
			new = takeFirst(t, new, block.Line, after)
		}
		switch block.Kind {
		case MovedFrom:
			from[block.Pair] = before
		case MovedTo:
			to[block.Pair] = before
		default:
			if block.Pair != 0 {
				t.Fatalf("%v has a pair", block)
			}
		}
		if (block.Kind == Same) != (before == after) && (block.Kind == Same || block.Kind == Changed) {
			t.Fatalf("%v is not %v", block, block.Kind)
		}
	}
	if len(old) > 0 || len(new) > 0 {
		t.Fatalf("not shown: %d old and %d new paragraphs", len(old), len(new))
	}
	if diff := cmp.Diff(from, to); diff != "" || from[0] != "" {
		t.Fatalf("moves do not come in twos:\n%s", diff)
	}
}

func sides(spans []Span) (before, after string) {
	var b, a strings.Builder
	for _, s := range spans {
		if s.Op != Insert {
			b.WriteString(s.Text)
		}
		if s.Op != Delete {
			a.WriteString(s.Text)
		}
	}
	return b.String(), a.String()
}

type located struct {
	line int
	text string
}

// takeFirst checks that the first of the paragraphs is the given one and
// returns the others. Line 0 is any.
func takeFirst(t interface{ Fatalf(string, ...any) }, list []located, line int, text string) []located {
	if len(list) == 0 {
		t.Fatalf("%q is shown but not in the text, or out of order", text)
	}
	if list[0].text != text || line != 0 && list[0].line != line {
		t.Fatalf("line %d %q is shown where line %d %q should be", line, text, list[0].line, list[0].text)
	}
	return list[1:]
}

// paragraphsOf is a second, plainer way to split a text.
func paragraphsOf(text string) []located {
	var list []located
	open := false
	for i, line := range strings.SplitAfter(text, "\n") {
		blank := strings.TrimSpace(line) == ""
		switch {
		case blank:
		case open:
			list[len(list)-1].text += line
		default:
			list = append(list, located{i + 1, line})
		}
		open = !blank
	}
	for i := range list {
		list[i].text = strings.TrimRight(list[i].text, "\r\n")
	}
	return list
}

func TestDiffBlocksShowsEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		paragraph := rapid.OneOf(anyText(), rapid.SampledFrom([]string{
			"one two three four five six", "one two three four five seven", "# Head", "---", "x", "one two",
		}))
		text := rapid.Map(rapid.SliceOfN(paragraph, 0, 8), func(list []string) string { return strings.Join(list, "\n\n") })
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		blocks := DiffBlocks(a, b)
		checkBlocks(t, a, b, blocks)
		if diff := cmp.Diff(blocks, DiffBlocks(a, b)); diff != "" {
			t.Fatalf("a second call answers differently:\n%s", diff)
		}
		for _, block := range DiffBlocks(a, a) {
			if block.Kind != Same {
				t.Fatalf("DiffBlocks(a, a) has %v", block)
			}
		}
	})
}

func BenchmarkDiffBlocks(b *testing.B) {
	for name, texts := range hardTexts() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				DiffBlocks(texts[0], texts[1])
			}
		})
	}
}
