package markup

import (
	"bytes"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// limits are the sizes above which a text is refused. The parser has none of
// its own, and several of its steps cost the square of what they read, or the
// product of two things that the author controls. Each limit bounds one such
// factor. The checks sit inside the parser, where it is known what a character
// means, so code blocks may hold anything.
type limits struct {
	runes      int // whole text
	lines      int // whole text; per line the parser pays for every open container
	depth      int // quotes, lists and footnotes inside each other
	paragraph  int // runes in one paragraph or heading; inline parsing is quadratic in it
	brackets   int // "[" open at the same time within a paragraph
	targets    int // bytes read while looking for the ends of link targets
	inline     int // emphasis, links and the like inside each other
	columns    int // of one table
	cells      int // of all tables; short rows are padded to full width
	pipes      int // escaped "|" in tables, each compared with each piece of code
	footnotes  int // definitions
	references int // footnote marks
}

var commentLimits = limits{
	runes:     MaxCommentRunes,
	lines:     2_000,
	depth:     16,
	paragraph: MaxCommentRunes,
	brackets:  32,
	targets:   5_000_000,
	inline:    32,
	columns:   64,
	cells:     2_000,
	pipes:     500,
}

var articleLimits = limits{
	runes:      MaxArticleRunes,
	lines:      20_000,
	depth:      16,
	paragraph:  10_000,
	brackets:   32,
	targets:    5_000_000,
	inline:     32,
	columns:    64,
	cells:      20_000,
	pipes:      500,
	footnotes:  500,
	references: 2_000,
}

// guard is the state of one parse: what has been counted, and the first limit
// that was passed. The parser has no way to stop half way, so after that the
// guarded steps do nothing and the rest runs out quickly.
type guard struct {
	limits
	err         *LimitError
	seenTargets int
	seenCells   int
	seenPipes   int
	seenNotes   int
	seenMarks   int

	// codeIn and unclosed belong to guardedCode: the block it works on, and the
	// lengths of backtick runs that are known not to be closed in it.
	codeIn   ast.Node
	unclosed map[int]bool
}

var guardKey = parser.NewContextKey()

func guardOf(pc parser.Context) *guard { return pc.Get(guardKey).(*guard) }

func (g *guard) fail(format string, args ...any) {
	if g.err == nil {
		g.err = refuse(format, args...)
	}
}

func (l limits) checkLines(source []byte) error {
	if n := bytes.Count(source, []byte{'\n'}); n > l.lines {
		return refuse("This text has %d lines; the limit is %d. Please remove empty lines or split it.", n, l.lines)
	}
	return nil
}

// admit checks the length, the open brackets and the link targets of one run of
// inline text.
func (g *guard) admit(lines *text.Segments, source []byte) bool {
	runes, open := 0, 0
	for i := range lines.Len() {
		segment := lines.At(i)
		line := segment.Value(source)
		runes += utf8.RuneCount(line)
		for j := 0; j < len(line); j++ {
			switch line[j] {
			case '\\':
				j++
			case '[':
				open++
			case ']':
				open = max(0, open-1)
				g.countTarget(line[j+1:])
			}
			if open > g.brackets {
				g.fail("More than %d square brackets are open at once in a paragraph. "+
					"Please close them, or put them into a code block.", g.brackets)
			}
			if g.err != nil {
				return false
			}
		}
	}
	if runes > g.paragraph {
		g.fail("A paragraph has more than %d characters. Please split it with an empty line.", g.paragraph)
		return false
	}
	return true
}

// countTarget reads the target of a link, "(…", as the parser will: up to the
// parenthesis or angle bracket that closes it, or to the first space. Where
// none comes, that is the whole line, once for every "](" in it.
func (g *guard) countTarget(rest []byte) {
	if len(rest) == 0 || rest[0] != '(' {
		return
	}
	opened, i := 0, 1
	angle := len(rest) > 1 && rest[1] == '<'
	for ; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '\\':
			i++
		case angle && c != '>':
		case angle, c == ' ', c == '\t', c == '\n', c == ')' && opened == 0:
			g.seenTargets += i
			return
		case c == '(':
			opened++
		case c == ')':
			opened--
		}
		if g.seenTargets+i > g.targets {
			g.fail("Too many links begin with \"](\" and do not end. Please close them, or put them into a code block.")
			return
		}
	}
	g.seenTargets += i
}

// admitTable looks for the row of dashes that makes a paragraph a table and
// counts the cells it would get.
func (g *guard) admitTable(lines *text.Segments, source []byte) bool {
	for i := 1; i < lines.Len(); i++ {
		segment := lines.At(i)
		columns := delimiterColumns(segment.Value(source))
		if columns == 0 {
			continue
		}
		if columns > g.columns {
			g.fail("A table has more than %d columns. Please use fewer.", g.columns)
			return false
		}
		for j := i - 1; j < lines.Len(); j++ {
			segment := lines.At(j)
			g.seenPipes += bytes.Count(segment.Value(source), []byte(`\|`))
		}
		if g.seenCells += columns * (lines.Len() - i); g.seenCells > g.cells {
			g.fail("The tables have more than %d cells in all. Please split or shorten them.", g.cells)
			return false
		}
		if g.seenPipes > g.pipes {
			g.fail(`The tables hold "\|" more than %d times. Please use it less.`, g.pipes)
			return false
		}
		return true
	}
	return true
}

// delimiterColumns says how many columns the line would give a table if it is
// made of dashes, colons, pipes and spaces only, and 0 if it is not.
func delimiterColumns(line []byte) int {
	line = bytes.TrimSpace(line)
	if len(line) == 0 || len(bytes.Trim(line, "-:| \t")) != 0 || bytes.IndexByte(line, '-') < 0 {
		return 0
	}
	return bytes.Count(bytes.Trim(line, "|"), []byte{'|'}) + 1
}
