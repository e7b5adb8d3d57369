package markup

import (
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html/atom"
)

// converter writes a tree of HTML as Markdown.
type converter struct {
	newlines bool // newlines in the text mean something, as in WordPress
}

// mdBlock is one finished block: its lines, without the marks of the quotes and
// lists it will stand in.
type mdBlock struct {
	kind blockKind
	text string
}

type blockKind int

const (
	paragraphBlock blockKind = iota
	listBlock
	quoteBlock
	tableBlock
	solidBlock // code, a heading, a line: ends by itself
)

// blankLine is what ends a paragraph where newlines mean something.
var blankLine = regexp.MustCompile(`\n[ \t]*\n\s*`)

// flow converts the contents of a block. depth counts the quotes and lists
// around it; beyond what the renderer accepts, further ones are left out and
// their contents kept.
func (c converter) flow(children []*node, depth int) []mdBlock {
	var out []mdBlock
	var run []*node
	lastList := byte(0)
	flush := func() {
		if text := c.inline(run, lineBreaks); text != "" {
			out = append(out, mdBlock{paragraphBlock, text})
			lastList = 0
		}
		run = nil
	}
	for _, n := range children {
		switch {
		case n.block:
			flush()
			blocks := c.block(n, depth, &lastList)
			out = append(out, blocks...)
		case c.newlines && n.tag == 0 && n.text != "":
			for i, part := range blankLine.Split(n.text, -1) {
				if i > 0 {
					flush()
				}
				run = append(run, &node{text: part})
			}
		default:
			run = append(run, n)
		}
	}
	flush()
	return out
}

// block converts one block. lastList is the mark of the list right before, so
// that the next list can take another and is not read as its continuation.
func (c converter) block(n *node, depth int, lastList *byte) []mdBlock {
	previous := *lastList
	*lastList = 0
	switch n.tag {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		text := c.inline(n.children, headingLine)
		if text == "" {
			return nil
		}
		level := int(n.tag.String()[1] - '0')
		return []mdBlock{{solidBlock, strings.Repeat("#", level) + " " + text}}
	case atom.Hr:
		return []mdBlock{{solidBlock, "___"}}
	case atom.Pre:
		return codeBlock(n)
	case atom.Blockquote:
		if depth < articleLimits.depth {
			return c.quote(n, depth)
		}
	case atom.Ul, atom.Ol:
		if depth < articleLimits.depth {
			return c.list(n, depth, previous, lastList)
		}
	case atom.Table:
		if table := c.table(n); table != "" {
			return append(c.flow(captions(n), depth), mdBlock{tableBlock, table})
		}
	}
	if isMark[n.tag] {
		return c.flow(distribute(n), depth)
	}
	return c.flow(n.children, depth)
}

func (c converter) quote(n *node, depth int) []mdBlock {
	inner := c.flow(n.children, depth+1)
	if len(inner) == 0 {
		return nil
	}
	return []mdBlock{{quoteBlock, indent(joinBlocks(inner, "\n\n"), "> ", "> ")}}
}

// list writes one item per <li>; anything else between the items counts as one.
func (c converter) list(n *node, depth int, previous byte, mark *byte) []mdBlock {
	number, ordered := 1, n.tag == atom.Ol
	*mark = '-'
	if ordered {
		*mark = '.'
		if start, err := strconv.Atoi(n.attrs["start"]); err == nil && start >= 0 && start < 1e9-1e6 {
			number = start
		}
	}
	if previous == *mark {
		*mark = map[byte]byte{'-': '*', '.': ')'}[*mark]
	}
	var items []string
	between := "\n"
	if isLoose(n) {
		between = "\n\n"
	}
	for _, child := range n.children {
		if child.tag == 0 && strings.TrimSpace(child.text) == "" {
			continue
		}
		contents := []*node{child}
		if child.tag == atom.Li {
			contents = child.children
		}
		marker := string(*mark) + " "
		if ordered {
			marker = strconv.Itoa(number) + marker
			number++
		}
		text := joinBlocks(c.flow(contents, depth+1), between)
		items = append(items, strings.TrimRight(indent(text, marker, strings.Repeat(" ", len(marker))), " "))
	}
	if len(items) == 0 {
		return nil
	}
	return []mdBlock{{listBlock, strings.Join(items, between)}}
}

// isLoose reports whether the items of a list are set as paragraphs.
func isLoose(list *node) bool {
	for _, item := range list.children {
		for _, n := range item.children {
			if n.tag == atom.P {
				return true
			}
		}
	}
	return false
}

// joinBlocks joins blocks with tight where a line break is enough to tell them
// apart, and with an empty line elsewhere. An empty line in an item would set
// the whole list as paragraphs.
func joinBlocks(blocks []mdBlock, tight string) string {
	var b strings.Builder
	for i, block := range blocks {
		switch {
		case i == 0:
		case touches(blocks[i-1], block):
			b.WriteString(tight)
		default:
			b.WriteString("\n\n")
		}
		b.WriteString(block.text)
	}
	return b.String()
}

func touches(a, b mdBlock) bool {
	switch {
	case a.kind == solidBlock, b.kind == solidBlock:
		return true
	case b.kind == listBlock:
		return interrupts(b.text)
	case b.kind == quoteBlock:
		return a.kind != quoteBlock
	}
	return false
}

// interrupts reports whether a list may stand right below a paragraph: a
// numbered one only if it begins with 1, and none whose first item is empty.
func interrupts(list string) bool {
	first, _, _ := strings.Cut(list, "\n")
	marker, rest, _ := strings.Cut(first, " ")
	return rest != "" && (len(marker) == 1 || marker == "1." || marker == "1)")
}

// indent puts first before the first line of text and others before the rest.
func indent(text, first, others string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		prefix := others
		if i == 0 {
			prefix = first
		}
		lines[i] = prefix + line
		if i > 0 && line == "" {
			lines[i] = strings.TrimRight(prefix, " ")
		}
	}
	return strings.Join(lines, "\n")
}

var codeLanguage = regexp.MustCompile(`(?:language-|lang-|brush: ?)([A-Za-z0-9.][A-Za-z0-9+#._-]{0,31})`)

// codeBlock writes a fence that is longer than any run of backticks inside.
func codeBlock(n *node) []mdBlock {
	text := strings.TrimSuffix(textContent(n), "\n")
	if len(n.children) > 0 && n.children[0].tag == 0 {
		text = strings.TrimPrefix(text, "\n") // the one that HTML ignores too
	}
	class := n.attrs["class"]
	for _, child := range n.children {
		if child.tag == atom.Code {
			class += " " + child.attrs["class"]
		}
	}
	name := ""
	if m := codeLanguage.FindStringSubmatch(class); m != nil {
		name = m[1]
	}
	fence := strings.Repeat("`", max(3, longestRun(text, '`')+1))
	if text != "" {
		text += "\n"
	}
	return []mdBlock{{solidBlock, fence + name + "\n" + text + fence}}
}

// textContent is all text inside n, as it stands.
func textContent(n *node) string {
	var b strings.Builder
	var walk func(*node)
	walk = func(n *node) {
		b.WriteString(n.text)
		if n.tag == atom.Br {
			b.WriteByte('\n')
		}
		for _, c := range n.children {
			walk(c)
		}
	}
	walk(n)
	return b.String()
}

func longestRun(s string, c byte) int {
	longest, run := 0, 0
	for i := range len(s) {
		if s[i] != c {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// table writes a table whose first row is the head. Tables beyond the
// renderer's limits give "" and are read as plain blocks.
func (c converter) table(n *node) string {
	rows := c.rows(n, nil)
	columns := 0
	for _, row := range rows {
		columns = max(columns, len(row))
	}
	if columns == 0 || columns > commentLimits.columns || columns*len(rows) > commentLimits.cells {
		return ""
	}
	var b strings.Builder
	for i, row := range rows {
		for len(row) < columns {
			row = append(row, "")
		}
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			b.WriteString("|" + strings.Repeat(" --- |", columns) + "\n")
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// captions are the children of a table that are not rows.
func captions(n *node) []*node {
	var out []*node
	for _, child := range n.children {
		if child.tag == atom.Caption {
			out = append(out, child)
		}
	}
	return out
}

func (c converter) rows(n *node, rows [][]string) [][]string {
	for _, child := range n.children {
		switch child.tag {
		case atom.Tr:
			var row []string
			for _, cell := range child.children {
				if cell.tag == atom.Td || cell.tag == atom.Th {
					row = append(row, c.inline(cell.children, tableCell))
				}
			}
			rows = append(rows, row)
		case atom.Thead, atom.Tbody, atom.Tfoot:
			rows = c.rows(child, rows)
		}
	}
	return rows
}
