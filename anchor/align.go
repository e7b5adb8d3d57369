package anchor

// A match says that the n tokens from a in the old text are the n tokens from b
// in the new one. Lists of matches are in order and do not overlap; the gaps
// between them are what was removed and added.
type match struct{ a, b, n int }

// A matchList grows by add, which leaves out empty matches and joins those that
// touch.
type matchList []match

func (l *matchList) add(m match) {
	if m.n == 0 {
		return
	}
	if i := len(*l) - 1; i >= 0 {
		last := &(*l)[i]
		if last.a+last.n == m.a && last.b+last.n == m.b {
			last.n += m.n
			return
		}
	}
	*l = append(*l, m)
}

const (
	// alignWork bounds the steps spent on one comparison. Measured with the
	// benchmarks of this package: about two nanoseconds a step.
	alignWork = 40_000_000

	// minDepth is the least number of changes looked for before settling for a
	// coarser answer, however long the texts.
	minDepth = 64
)

// depthFor returns how many changes to look for at once in texts of so many
// tokens together. The work is at most their product, give or take a factor of
// two; below some 6,000 tokens nothing is cut short.
func depthFor(tokens int) int {
	return max(minDepth, alignWork/max(1, tokens))
}

// align finds a longest common subsequence of two token lists by the linear
// space method of E. Myers, "An O(ND) Difference Algorithm and Its Variations"
// (1986). Where the texts differ by more than 2×depth tokens it may find a
// shorter one, but always a correct one.
func align(a, b []int32, depth int) []match {
	size := 2*min(depth, (len(a)+len(b)+1)/2) + 3
	al := aligner{depth: depth, forward: make([]int, size), backward: make([]int, size)}
	al.align(a, b, 0, 0)
	return al.found
}

type aligner struct {
	depth             int
	found             matchList
	forward, backward []int // furthest points, see split
}

// align appends the matches of a and b, which start at the given offsets of the
// whole texts. It recurses into the part before each split and loops over the
// part after it, so the stack stays shallow.
func (al *aligner) align(a, b []int32, offsetA, offsetB int) {
	n := commonPrefix(a, b)
	al.found.add(match{offsetA, offsetB, n})
	a, b, offsetA, offsetB = a[n:], b[n:], offsetA+n, offsetB+n
	suffix := commonSuffix(a, b)
	a, b = a[:len(a)-suffix], b[:len(b)-suffix]
	for len(a) > 0 && len(b) > 0 {
		x, y := al.split(a, b)
		al.align(a[:x], b[:y], offsetA, offsetB)
		a, b, offsetA, offsetB = a[x:], b[y:], offsetA+x, offsetB+y
		n := commonPrefix(a, b)
		al.found.add(match{offsetA, offsetB, n})
		a, b, offsetA, offsetB = a[n:], b[n:], offsetA+n, offsetB+n
	}
	al.found.add(match{offsetA + len(a), offsetB + len(b), suffix})
}

// nowhere marks a diagonal that no path has reached, or that has left the grid.
const nowhere = -1 << 40

// split returns a point (x, y) on a good path through the edit grid, at which
// the problem falls into two smaller ones. Neither list is empty, and they
// begin and end differently; the point is never one of the two corners.
//
// Two searches run towards each other, from the start and from the end, each
// noting per diagonal (x-y) the furthest x it reached with d changes. Where
// they meet is the middle of a shortest path. If they do not meet within the
// depth, the furthest point of the forward search will do.
func (al *aligner) split(a, b []int32) (x, y int) {
	delta := len(a) - len(b)
	limit := min(al.depth, (len(a)+len(b)+1)/2)
	center := limit + 1
	for i := 0; i <= 2*center; i++ {
		al.forward[i], al.backward[i] = nowhere, nowhere
	}
	al.forward[center+1], al.backward[center+1] = 0, 0
	for d := 0; d <= limit; d++ {
		for k := -d; k <= d; k += 2 {
			x := furthest(al.forward, center, k, len(a), len(b))
			if x >= 0 {
				for x < len(a) && x-k < len(b) && a[x] == b[x-k] {
					x++
				}
			}
			al.forward[center+k] = x
			other := delta - k
			if delta&1 != 0 && other > -d && other < d && x+al.backward[center+other] >= len(a) {
				return x, x - k
			}
		}
		for k := -d; k <= d; k += 2 {
			x := furthest(al.backward, center, k, len(a), len(b))
			if x >= 0 {
				for x < len(a) && x-k < len(b) && a[len(a)-1-x] == b[len(b)-1-x+k] {
					x++
				}
			}
			al.backward[center+k] = x
			other := delta - k
			if delta&1 == 0 && other >= -d && other <= d && x+al.forward[center+other] >= len(a) {
				return len(a) - x, len(b) - (x - k)
			}
		}
	}
	return al.best(center, limit)
}

// furthest returns where diagonal k starts after one more change: one to the
// right of diagonal k-1 or one below diagonal k+1, whichever is further, or
// nowhere when that is outside the grid.
func furthest(reached []int, center, k, lenA, lenB int) int {
	x := max(reached[center+k-1]+1, reached[center+k+1])
	if x < 0 || x > lenA || x-k < 0 || x-k > lenB {
		return nowhere
	}
	return x
}

// best returns the point of the forward search that has covered most tokens.
func (al *aligner) best(center, limit int) (x, y int) {
	for k := -limit; k <= limit; k += 2 {
		if reached := al.forward[center+k]; 2*reached-k > x+y {
			x, y = reached, reached-k
		}
	}
	return x, y
}

func commonPrefix(a, b []int32) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func commonSuffix(a, b []int32) int {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}
