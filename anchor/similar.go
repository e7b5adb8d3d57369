package anchor

import "slices"

const (
	// pairWork bounds the steps spent on comparing paragraphs with each other
	// in one gap; beyond it they count as removed and added.
	pairWork = 50_000_000

	// pairCells bounds the table of alignSimilar, 4 bytes a cell.
	pairCells = 4_000_000

	// Likeness is in thousandths, see like. Two paragraphs at the same place
	// are one that was edited if two words in five are the same. Far apart, it
	// takes more to believe in a move: seven in ten, of five words or more.
	likeEdited   = 400
	likeMoved    = 700
	minWordsLike = 5
)

func newParagraph(text string, line int, words, wholes vocabulary) paragraph {
	g := paragraph{tokens: words.tokenize(text), line: line, whole: wholes.id(text), pair: alone}
	for i, id := range g.ids {
		if isWord(g.at(i)) {
			g.words = append(g.words, id)
		}
	}
	slices.Sort(g.words)
	return g
}

// like measures how much two paragraphs share: twice the number of common words
// by the number of all words, in thousandths (Dice's coefficient).
func like(a, b paragraph) int {
	all := len(a.words) + len(b.words)
	if all == 0 {
		return 0
	}
	return 2000 * common(a, b) / all
}

// worth is what joining two paragraphs in place is worth: nothing unless they
// are alike, and more the more words they share, so that of two paragraphs that
// changed places the longer one is taken to have stayed. Among equally worthy
// partners an identical one wins.
func worth(a, b paragraph) int32 {
	shared := len(a.words)
	if a.whole == b.whole {
		return int32(2*shared + 2)
	}
	shared = common(a, b)
	if 2000*shared < likeEdited*(len(a.words)+len(b.words)) || shared == 0 {
		return 0
	}
	return int32(2*shared + 1)
}

// common counts the words that two paragraphs share.
func common(a, b paragraph) int {
	shared := 0
	for i, j := 0, 0; i < len(a.words) && j < len(b.words); {
		switch {
		case a.words[i] < b.words[j]:
			i++
		case a.words[i] > b.words[j]:
			j++
		default:
			shared++
			i++
			j++
		}
	}
	return shared
}

// pairInPlace joins the paragraphs that stayed in place, equal or edited. Texts
// of ordinary size are compared each paragraph with each; in very long ones the
// equal paragraphs come first, and only the gaps between them are compared so.
func (p *paired) pairInPlace() {
	a, b := wholes(p.a), wholes(p.b)
	prefix := commonPrefix(a, b)
	suffix := commonSuffix(a[prefix:], b[prefix:])
	endA, endB := len(a)-suffix, len(b)-suffix
	matches := []match{{0, 0, prefix}}
	if !affordable(p.a[prefix:endA], p.b[prefix:endB]) {
		matches = align(a, b, p.depth)
	}
	atA, atB := 0, 0
	for _, m := range append(matches, match{endA, endB, suffix}) {
		p.pairSimilar(atA, m.a, atB, m.b)
		for k := range m.n {
			p.join(m.a+k, m.b+k)
		}
		atA, atB = m.a+m.n, m.b+m.n
	}
}

func wholes(list []paragraph) []int32 {
	ids := make([]int32, len(list))
	for i, g := range list {
		ids[i] = g.whole
	}
	return ids
}

// pairSimilar joins paragraphs of a[loA:hiA] and b[loB:hiB] that are alike, in
// order, so that the sum of their worths is greatest. It is the textbook table of
// best sums, filled from the end and then walked from the start.
func (p *paired) pairSimilar(loA, hiA, loB, hiB int) {
	a, b := p.a[loA:hiA], p.b[loB:hiB]
	if len(a) == 0 || len(b) == 0 || !affordable(a, b) {
		return
	}
	width := len(b) + 1
	best := make([]int32, (len(a)+1)*width)
	worths := make([]int32, len(a)*len(b))
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			sum := max(best[(i+1)*width+j], best[i*width+j+1])
			if w := worth(a[i], b[j]); w > 0 {
				worths[i*len(b)+j] = w
				sum = max(sum, w+best[(i+1)*width+j+1])
			}
			best[i*width+j] = sum
		}
	}
	for i, j := 0, 0; i < len(a) && j < len(b); {
		here, w := best[i*width+j], worths[i*len(b)+j]
		switch {
		case w > 0 && here == w+best[(i+1)*width+j+1]:
			p.join(loA+i, loB+j)
			i++
			j++
		case here == best[(i+1)*width+j]:
			i++
		default:
			j++
		}
	}
}

// affordable reports whether comparing each of a with each of b is within the
// bounds of time and memory.
func affordable(a, b []paragraph) bool {
	wordsA, wordsB := 0, 0
	for _, g := range a {
		wordsA += len(g.words)
	}
	for _, g := range b {
		wordsB += len(g.words)
	}
	cells := len(a) * len(b)
	return cells <= pairCells && cells+len(a)*wordsB+len(b)*wordsA <= pairWork
}

// pairMoved joins paragraphs that stand alone in the old text to equal, or else
// very similar, ones that stand alone elsewhere in the new text. A paragraph
// without a word, such as a rule, is too common to be followed around.
func (p *paired) pairMoved() {
	places := make(map[int32][]int) // of the new text's lone paragraphs
	for j, g := range p.b {
		if g.pair == alone && len(g.words) > 0 {
			places[g.whole] = append(places[g.whole], j)
		}
	}
	for i, g := range p.a {
		if list := places[g.whole]; g.pair == alone && len(list) > 0 {
			places[g.whole] = list[1:]
			p.move(i, list[0])
		}
	}
	p.pairMovedSimilar()
	p.numberMoves()
}

func (p *paired) move(i, j int) {
	p.join(i, j)
	p.moves++
	p.a[i].moved, p.b[j].moved = p.moves, p.moves
}

func (p *paired) pairMovedSimilar() {
	from, to := lone(p.a), lone(p.b)
	if !affordable(pick(p.a, from), pick(p.b, to)) {
		return
	}
	for _, i := range from {
		bestJ, bestLike := alone, likeMoved-1
		for _, j := range to {
			if p.b[j].pair != alone {
				continue
			}
			if l := like(p.a[i], p.b[j]); l > bestLike {
				bestJ, bestLike = j, l
			}
		}
		if bestJ != alone {
			p.move(i, bestJ)
		}
	}
}

// numberMoves gives the moves their numbers in the order of the old text.
func (p *paired) numberMoves() {
	n := 0
	for i := range p.a {
		if g := &p.a[i]; g.moved > 0 {
			n++
			g.moved, p.b[g.pair].moved = n, n
		}
	}
}

// lone lists the paragraphs without a partner that have enough words to be
// recognised by likeness.
func lone(list []paragraph) []int {
	var found []int
	for i, g := range list {
		if g.pair == alone && len(g.words) >= minWordsLike {
			found = append(found, i)
		}
	}
	return found
}

func pick(list []paragraph, indexes []int) []paragraph {
	picked := make([]paragraph, len(indexes))
	for k, i := range indexes {
		picked[k] = list[i]
	}
	return picked
}
