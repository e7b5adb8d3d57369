package anchor

import "strings"

// BlockKind says what became of a paragraph.
type BlockKind int8

const (
	Same      BlockKind = iota // unchanged, in its place
	Changed                    // edited, in its place
	Added                      // only in the new text
	Removed                    // only in the old text
	MovedFrom                  // its old place; see Pair
	MovedTo                    // its new place, perhaps with small edits
)

func (k BlockKind) String() string {
	names := [...]string{"same", "changed", "added", "removed", "moved from", "moved to"}
	if k < 0 || int(k) >= len(names) {
		return "unknown"
	}
	return names[k]
}

// A Block is a paragraph of a difference, ready for display. Long runs of Same
// blocks can be folded away.
type Block struct {
	Kind BlockKind

	// Spans is the paragraph without the line break at its end. Same has one
	// Equal span, Added one Insert, Removed one Delete. MovedFrom has the old
	// text as one Equal span; Changed and MovedTo show the edits.
	Spans []Span

	// Pair is the same number, from 1, in the MovedFrom and the MovedTo of one
	// paragraph, and 0 in all other blocks.
	Pair int

	// Line is where the paragraph starts, counted from 1: in the new text, or
	// in the old one for Removed and MovedFrom.
	Line int
}

// DiffBlocks compares two texts paragraph by paragraph, and inside the changed
// ones word by word. Paragraphs are what blank lines separate; how many blank
// lines does not matter.
//
// Blocks come in the order of the new text, removed ones where they used to be.
// Each paragraph of the old text is in one Same, Changed, Removed or MovedFrom
// block, and each of the new text in one Same, Changed, Added or MovedTo block.
func DiffBlocks(a, b string) []Block {
	p := newPaired(a, b)
	p.pairInPlace()
	p.pairMoved()
	return p.blocks()
}

// A paragraph is a run of lines that are not blank.
type paragraph struct {
	tokens
	line  int
	words []int32 // ids of its words, sorted
	whole int32   // id of the text as a whole
	pair  int     // index of its partner in the other text, or alone
	moved int     // number of the move, from 1, when the partner is elsewhere
}

const alone = -1

// splitParagraphs cuts a text at its blank lines.
func splitParagraphs(text string, words, wholes vocabulary) []paragraph {
	var list []paragraph
	line, from, fromLine := 0, -1, 0
	add := func(to int) {
		if from >= 0 {
			body := strings.TrimRight(text[from:to], "\r\n")
			list = append(list, newParagraph(body, fromLine, words, wholes))
		}
		from = -1
	}
	for at := 0; at < len(text); {
		line++
		size := strings.IndexByte(text[at:], '\n') + 1
		if size == 0 {
			size = len(text) - at
		}
		blank := strings.TrimSpace(text[at:at+size]) == ""
		if blank {
			add(at)
		} else if from < 0 {
			from, fromLine = at, line
		}
		at += size
	}
	add(len(text))
	return list
}

// paired is two texts whose paragraphs find their partners step by step.
type paired struct {
	a, b  []paragraph
	depth int // see depthFor
	moves int
}

func newPaired(a, b string) *paired {
	words, wholes := make(vocabulary), make(vocabulary)
	p := &paired{a: splitParagraphs(a, words, wholes), b: splitParagraphs(b, words, wholes)}
	total := 0
	for _, list := range [][]paragraph{p.a, p.b} {
		for _, para := range list {
			total += para.len()
		}
	}
	p.depth = depthFor(total)
	return p
}

// join makes a[i] and b[j] partners.
func (p *paired) join(i, j int) { p.a[i].pair, p.b[j].pair = j, i }

// blocks walks both texts at once. Partners that did not move keep their order,
// so each step can emit what stands alone until both sides reach such a pair.
func (p *paired) blocks() []Block {
	var blocks []Block
	i, j := 0, 0
	for i < len(p.a) || j < len(p.b) {
		switch {
		case i < len(p.a) && !p.a[i].inPlace():
			blocks = append(blocks, goneBlock(p.a[i]))
			i++
		case j < len(p.b) && !p.b[j].inPlace():
			blocks = append(blocks, p.newBlock(p.b[j]))
			j++
		default:
			blocks = append(blocks, p.keptBlock(p.a[i], p.b[j]))
			i++
			j++
		}
	}
	return blocks
}

func (g paragraph) inPlace() bool { return g.pair != alone && g.moved == 0 }

func goneBlock(old paragraph) Block {
	if old.moved == 0 {
		return Block{Kind: Removed, Spans: []Span{{Delete, old.text}}, Line: old.line}
	}
	return Block{Kind: MovedFrom, Spans: []Span{{Equal, old.text}}, Pair: old.moved, Line: old.line}
}

func (p *paired) newBlock(new paragraph) Block {
	if new.moved == 0 {
		return Block{Kind: Added, Spans: []Span{{Insert, new.text}}, Line: new.line}
	}
	spans := pair{p.a[new.pair].tokens, new.tokens}.diff(p.depth)
	return Block{Kind: MovedTo, Spans: spans, Pair: new.moved, Line: new.line}
}

func (p *paired) keptBlock(old, new paragraph) Block {
	if old.whole == new.whole {
		return Block{Kind: Same, Spans: []Span{{Equal, new.text}}, Line: new.line}
	}
	spans := pair{old.tokens, new.tokens}.diff(p.depth)
	return Block{Kind: Changed, Spans: spans, Line: new.line}
}
