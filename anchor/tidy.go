package anchor

import (
	"strings"
	"unicode"
)

// maxIsland is the most letters that a match may have and still be taken for a
// coincidence between two changes.
const maxIsland = 20

// dropIslands removes matches that are in both texts by coincidence: the blanks
// and the odd "the" in a sentence that was rewritten. Without it such a
// sentence reads as confetti.
//
// Dropping a match makes the changes around it one larger change, next to which
// another match may now look small. The kept ones are therefore a stack whose
// top is judged again after each drop; every match is pushed and dropped at
// most once.
func (p pair) dropIslands(matches []match) []match {
	a, b := p.a.letterSums(), p.b.letterSums()
	gap := func(left, right match) change {
		return change{
			removed: a[right.a] - a[left.a+left.n], added: b[right.b] - b[left.b+left.n],
			empty: left.a+left.n == right.a && left.b+left.n == right.b,
		}
	}
	kept := []match{{}} // an empty match in front of the first token
	for _, next := range append(matches, p.end()) {
		for len(kept) > 1 {
			top := kept[len(kept)-1]
			left, right := gap(kept[len(kept)-2], top), gap(top, next)
			letters := a[top.a+top.n] - a[top.a]
			if !isIsland(letters, left, right) || p.breaksParagraph(top) {
				break
			}
			kept = kept[:len(kept)-1]
		}
		kept = append(kept, next)
	}
	return kept[1 : len(kept)-1]
}

// A change is the size of a gap between two matches, in letters.
type change struct {
	removed, added int
	empty          bool // nothing at all, not even blanks
}

// isIsland reports whether a match of so many letters drowns between two
// changes: it is at most half as long as either, and together they replace
// something. Between two pure additions the match is the old text itself, and
// stays.
func isIsland(letters int, left, right change) bool {
	if left.empty || right.empty || letters > maxIsland {
		return false
	}
	if left.removed+right.removed == 0 || left.added+right.added == 0 {
		return false
	}
	return 2*letters <= max(left.removed, left.added) && 2*letters <= max(right.removed, right.added)
}

// breaksParagraph reports whether a match contains a blank line. Changes are
// not joined across it, for that would join what stands on its own.
func (p pair) breaksParagraph(m match) bool {
	breaks := 0
	for i := m.a; i < m.a+m.n; i++ {
		token := p.a.at(i)
		if token == "\n" {
			breaks++
		} else if !isBlank(token) {
			breaks = 0
		}
		if breaks == 2 {
			return true
		}
	}
	return false
}

// letterSums returns at i the number of runes, white space aside, in the tokens
// before i.
func (t tokens) letterSums() []int {
	sums := make([]int, t.len()+1)
	for i := range t.ids {
		sums[i+1] = sums[i]
		for _, r := range t.at(i) {
			if !unicode.IsSpace(r) {
				sums[i+1]++
			}
		}
	}
	return sums
}

// slide moves each pure addition or removal to where a reader would put it.
// Inserting "very " before "very big" can be seen in several places; sentences
// and words should stay whole. It changes the matches in place: what one of
// them gains at its end the next one loses at its start.
func (p pair) slide(matches []match) {
	for i := 0; i+1 < len(matches); i++ {
		left, right := &matches[i], &matches[i+1]
		var t tokens
		var lo, hi int
		switch {
		case left.a+left.n == right.a:
			t, lo, hi = p.b, left.b+left.n, right.b
		case left.b+left.n == right.b:
			t, lo, hi = p.a, left.a+left.n, right.a
		default:
			continue
		}
		by := t.bestSlide(lo, hi, left.n-1, right.n-1)
		left.n += by
		right.a, right.b, right.n = right.a+by, right.b+by, right.n-by
	}
}

// bestSlide returns by how many tokens to move the stretch from lo to hi so
// that it starts and ends at the best boundaries; negative is to the left. It
// may move only so far each way, and only while the text stays the same: each
// token that leaves at one end must equal the one that enters at the other.
func (t tokens) bestSlide(lo, hi, maxLeft, maxRight int) int {
	best, bestScore := 0, t.boundary(lo)+t.boundary(hi)
	for by := 1; by <= maxRight && t.ids[lo+by-1] == t.ids[hi+by-1]; by++ {
		if score := t.boundary(lo+by) + t.boundary(hi+by); score > bestScore {
			best, bestScore = by, score
		}
	}
	for by := 1; by <= maxLeft && t.ids[lo-by] == t.ids[hi-by]; by++ {
		if score := t.boundary(lo-by) + t.boundary(hi-by); score > bestScore {
			best, bestScore = -by, score
		}
	}
	return best
}

// boundary rates the place before token i as the edge of a change: the start of
// a paragraph is best, then of a line, a sentence, a word.
func (t tokens) boundary(i int) int {
	if i == 0 || i == t.len() {
		return 5
	}
	before := t.at(i - 1)
	switch {
	case before == "\n" && i >= 2 && t.at(i-2) == "\n":
		return 5
	case before == "\n":
		return 4
	case isBlank(before) && i >= 2 && strings.ContainsAny(t.at(i-2), ".!?…。"):
		return 3
	case isBlank(before):
		return 2
	case isBlank(t.at(i)):
		return 1
	}
	return 0
}

// isBlank reports whether a token is white space; its first rune tells.
func isBlank(token string) bool {
	for _, r := range token {
		return unicode.IsSpace(r)
	}
	return true
}
