package anchor

// Op says what became of a stretch of text.
type Op int8

const (
	Equal  Op = iota // in both texts
	Insert           // only in the new text
	Delete           // only in the old text
)

func (op Op) String() string {
	switch op {
	case Equal:
		return "equal"
	case Insert:
		return "insert"
	case Delete:
		return "delete"
	}
	return "unknown"
}

// A Span is a stretch of text with one fate. Its text is never empty.
type Span struct {
	Op   Op
	Text string
}

// Diff compares two texts word by word and returns what was kept, removed and
// added, in reading order. Of a replacement the old words come first.
//
// White space and punctuation are compared as well, but on their own, so a new
// comma does not mark the word before it. The texts of the Equal and Delete
// spans put together are a; those of the Equal and Insert spans are b.
//
// The answer is meant for reading: a sentence that was rewritten is shown as
// one replacement, even if an "and" or a blank happens to be in both versions.
func Diff(a, b string) []Span {
	words := make(vocabulary)
	p := pair{words.tokenize(a), words.tokenize(b)}
	return p.diff(depthFor(p.a.len() + p.b.len()))
}

// Stats counts how much two texts differ.
type Stats struct {
	Added, Removed int // words
	Same           bool
}

// Summary counts the words that were added and removed. Unlike [Diff] it counts
// every word that both texts have in the same order as kept. Same means that
// the texts are identical; texts that differ in punctuation or spacing alone
// are not the same and have no word added or removed.
func Summary(a, b string) Stats {
	if a == b {
		return Stats{Same: true}
	}
	words := make(vocabulary)
	p := pair{words.tokenize(a), words.tokenize(b)}
	stats := Stats{Added: p.b.words(0, p.b.len()), Removed: p.a.words(0, p.a.len())}
	for _, m := range p.matches(depthFor(p.a.len() + p.b.len())) {
		kept := p.a.words(m.a, m.a+m.n)
		stats.Added -= kept
		stats.Removed -= kept
	}
	return stats
}

// words counts the words among the tokens from lo up to, not including, hi.
func (t tokens) words(lo, hi int) int {
	n := 0
	for i := lo; i < hi; i++ {
		if isWord(t.at(i)) {
			n++
		}
	}
	return n
}

// A pair is two texts, cut up with one vocabulary, that are being compared.
type pair struct{ a, b tokens }

func (p pair) diff(depth int) []Span {
	matches := p.dropIslands(p.matches(depth))
	p.slide(matches)
	return p.spans(matches)
}

// matches finds what the texts have in common. Words and punctuation are
// aligned first, and white space then follows what it stands next to. Aligned
// along with the words, a blank would weigh as much as a word, and texts have
// more of them than of any word.
func (p pair) matches(depth int) []match {
	solidA, solidB := p.a.solid(), p.b.solid()
	var found matchList
	atA, atB := 0, 0
	fill := func(endA, endB int) {
		a, b := p.a.ids[atA:endA], p.b.ids[atB:endB]
		prefix := commonPrefix(a, b)
		suffix := commonSuffix(a[prefix:], b[prefix:])
		found.add(match{atA, atB, prefix})
		found.add(match{endA - suffix, endB - suffix, suffix})
	}
	for _, m := range align(p.a.pick(solidA), p.b.pick(solidB), depth) {
		for k := range m.n {
			i, j := solidA[m.a+k], solidB[m.b+k]
			fill(i, j)
			found.add(match{i, j, 1})
			atA, atB = i+1, j+1
		}
	}
	fill(p.a.len(), p.b.len())
	return found
}

// solid lists the tokens that are not white space.
func (t tokens) solid() []int {
	var list []int
	for i := range t.ids {
		if !isBlank(t.at(i)) {
			list = append(list, i)
		}
	}
	return list
}

// pick returns the ids of the listed tokens.
func (t tokens) pick(list []int) []int32 {
	ids := make([]int32, len(list))
	for k, i := range list {
		ids[k] = t.ids[i]
	}
	return ids
}

// spans spells out the matches and the gaps between them. Whatever the matches
// are, it covers both texts from start to end; that they really match is all it
// needs for the promise of [Diff].
func (p pair) spans(matches []match) []Span {
	var spans []Span
	add := func(op Op, text string) {
		if text != "" {
			spans = append(spans, Span{op, text})
		}
	}
	atA, atB := 0, 0
	for _, m := range append(matches, p.end()) {
		add(Delete, p.a.slice(atA, m.a))
		add(Insert, p.b.slice(atB, m.b))
		add(Equal, p.a.slice(m.a, m.a+m.n))
		atA, atB = m.a+m.n, m.b+m.n
	}
	return spans
}

// end is an empty match behind the last token, so that loops need no extra step
// for the last gap.
func (p pair) end() match { return match{p.a.len(), p.b.len(), 0} }
