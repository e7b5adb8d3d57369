package markup

import (
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// commentBlocks are CommonMark's block parsers, those that nest and those that
// read a heading wrapped in a guard. The numbers are the library's priorities.
func commentBlocks() []util.PrioritizedValue {
	return []util.PrioritizedValue{
		util.Prioritized(parser.NewSetextHeadingParser(), 100),
		util.Prioritized(parser.NewThematicBreakParser(), 200),
		util.Prioritized(guardedContainer{parser.NewListParser()}, 300),
		util.Prioritized(parser.NewListItemParser(), 400),
		util.Prioritized(parser.NewCodeBlockParser(), 500),
		util.Prioritized(guardedHeading{parser.NewATXHeadingParser()}, 600),
		util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
		util.Prioritized(guardedContainer{parser.NewBlockquoteParser()}, 800),
		util.Prioritized(parser.NewHTMLBlockParser(), 900),
		util.Prioritized(parser.NewParagraphParser(), 1000),
	}
}

func articleBlocks() []util.PrioritizedValue {
	return append(commentBlocks(),
		util.Prioritized(guardedContainer{extension.NewFootnoteBlockParser()}, 999))
}

// guardedContainer limits how deep blocks nest. It asks the parent chain and
// not the parser's list of open blocks, which still holds the blocks that the
// current line is about to close.
type guardedContainer struct{ parser.BlockParser }

func (c guardedContainer) Open(parent ast.Node, r text.Reader, pc parser.Context) (ast.Node, parser.State) {
	g := guardOf(pc)
	if g.err != nil {
		return nil, parser.NoChildren
	}
	node, state := c.BlockParser.Open(parent, r, pc)
	if node == nil {
		return nil, state
	}
	if depth := containerDepth(parent) + 1; depth > g.depth {
		g.fail("Quotes and lists are nested more than %d deep here. Please nest them less.", g.depth)
		return nil, parser.NoChildren
	}
	if node.Kind() == extast.KindFootnote {
		if g.seenNotes++; g.seenNotes > g.footnotes {
			g.fail("This text has more than %d footnotes. Please use fewer.", g.footnotes)
			return nil, parser.NoChildren
		}
	}
	return node, state
}

func containerDepth(n ast.Node) int {
	depth := 0
	for ; n != nil; n = n.Parent() {
		switch n.Kind() {
		case ast.KindBlockquote, ast.KindList, extast.KindFootnote:
			depth++
		}
	}
	return depth
}

// guardedReference limits footnote marks, each of which is looked up in the
// list of all footnotes and answered by a link back.
type guardedReference struct{ parser.InlineParser }

func (p guardedReference) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	g := guardOf(pc)
	if g.err != nil {
		return nil
	}
	node := p.InlineParser.Parse(parent, block, pc)
	if node == nil {
		return nil
	}
	if g.seenMarks++; g.seenMarks > g.references {
		g.fail("This text refers to footnotes more than %d times. Please do so less often.", g.references)
	}
	return node
}

// guardedHeading applies the limits of a paragraph to a "# heading", which is
// none to the parser.
type guardedHeading struct{ parser.BlockParser }

func (h guardedHeading) Open(parent ast.Node, r text.Reader, pc parser.Context) (ast.Node, parser.State) {
	node, state := h.BlockParser.Open(parent, r, pc)
	if node != nil && !guardOf(pc).admit(node.Lines(), r.Source()) {
		return nil, parser.NoChildren
	}
	return node, state
}

// paragraphGuard sees every paragraph when it ends, before anything in it is
// parsed, and takes the ones that cost too much out of the tree. Tables and
// underlined headings begin their lives as paragraphs, so it sees them too.
type paragraphGuard struct{}

func (paragraphGuard) Transform(node *ast.Paragraph, r text.Reader, pc parser.Context) {
	g := guardOf(pc)
	if g.err == nil && g.admit(node.Lines(), r.Source()) && g.admitTable(node.Lines(), r.Source()) {
		return
	}
	node.Parent().RemoveChild(node.Parent(), node)
}

// inlineParsers are CommonMark's inline parsers, with code spans under guard.
func inlineParsers() []util.PrioritizedValue {
	return []util.PrioritizedValue{
		util.Prioritized(guardedCode{parser.NewCodeSpanParser()}, 100),
		util.Prioritized(parser.NewLinkParser(), 200),
		util.Prioritized(parser.NewAutoLinkParser(), 300),
		util.Prioritized(parser.NewRawHTMLParser(), 400),
		util.Prioritized(parser.NewEmphasisParser(), 500),
	}
}

// guardedCode spares the parser searches that are known to fail. A run of n
// backticks that nothing closes makes it read the paragraph to its end; so will
// every later run of n in the same paragraph, and none of them can succeed.
type guardedCode struct{ parser.InlineParser }

func (c guardedCode) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	g := guardOf(pc)
	if g.codeIn != parent {
		g.codeIn, g.unclosed = parent, map[int]bool{}
	}
	line, segment := block.PeekLine()
	n := 0
	for n < len(line) && line[n] == '`' {
		n++
	}
	if g.unclosed[n] {
		block.Advance(n)
		return ast.NewTextSegment(segment.WithStop(segment.Start + n))
	}
	node := c.InlineParser.Parse(parent, block, pc)
	if node != nil && node.Kind() == ast.KindText {
		g.unclosed[n] = true
	}
	return node
}
