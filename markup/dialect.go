package markup

import (
	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// A dialect is everything that differs between comments and articles. It is
// built once and never changes afterwards, which is why it may be shared.
type dialect struct {
	limits   limits
	parser   parser.Parser
	renderer renderer.Renderer
	policy   *bluemonday.Policy
	ids      bool // headings get ids
}

func newCommentDialect() *dialect {
	return &dialect{
		limits:   commentLimits,
		parser:   newParser(commentBlocks(), nil),
		renderer: newRenderer(&nodes{comment: true}, html.WithHardWraps()),
		policy:   commentPolicy(),
	}
}

// newArticleDialect registers footnotes and task lists piece by piece instead
// of by their extensions, because the footnote parser has to run under guard.
// Footnote ids start with "s-" like heading ids; the colon inside them keeps
// the two apart, and comments have no ids that could clash.
func newArticleDialect() *dialect {
	return &dialect{
		limits: articleLimits,
		parser: newParser(articleBlocks(), []util.PrioritizedValue{
			util.Prioritized(extension.NewTaskCheckBoxParser(), 0),
			util.Prioritized(guardedReference{extension.NewFootnoteParser()}, 101),
		}, extension.NewFootnoteASTTransformer()),
		renderer: newRenderer(&nodes{},
			renderer.WithNodeRenderers(
				util.Prioritized(extension.NewFootnoteHTMLRenderer(extension.WithFootnoteIDPrefix("s-")), 500),
				util.Prioritized(extension.NewTaskCheckBoxHTMLRenderer(), 500),
			)),
		policy: articlePolicy(),
		ids:    true,
	}
}

func newParser(blocks, inlines []util.PrioritizedValue, transformers ...parser.ASTTransformer) parser.Parser {
	inlines = append(inlines, inlineParsers()...)
	inlines = append(inlines,
		util.Prioritized(extension.NewStrikethroughParser(), 500),
		util.Prioritized(extension.NewLinkifyParser(
			extension.WithLinkifyAllowedProtocols([]string{"http:", "https:"})), 999),
	)
	finishing := []util.PrioritizedValue{util.Prioritized(extension.NewTableASTTransformer(), 0)}
	for _, t := range transformers {
		finishing = append(finishing, util.Prioritized(t, 999))
	}
	return parser.NewParser(
		parser.WithBlockParsers(blocks...),
		parser.WithInlineParsers(inlines...),
		parser.WithParagraphTransformers(
			util.Prioritized(paragraphGuard{}, 50),
			util.Prioritized(parser.LinkReferenceParagraphTransformer, 100),
			util.Prioritized(extension.NewTableParagraphTransformer(), 200),
		),
		parser.WithASTTransformers(finishing...),
	)
}

// newRenderer puts our own node renderers in front of the library's. WithUnsafe
// is not set here or anywhere else.
func newRenderer(own *nodes, opts ...renderer.Option) renderer.Renderer {
	opts = append(opts, renderer.WithNodeRenderers(
		util.Prioritized(own, 100),
		util.Prioritized(extension.NewStrikethroughHTMLRenderer(), 500),
		util.Prioritized(extension.NewTableHTMLRenderer(
			extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)), 500),
		util.Prioritized(html.NewRenderer(), 1000),
	))
	return renderer.NewRenderer(opts...)
}

// parse builds the tree of source, or says why it will not.
func (d *dialect) parse(source []byte) (ast.Node, error) {
	if err := d.limits.checkLines(source); err != nil {
		return nil, err
	}
	g := &guard{limits: d.limits}
	pc := parser.NewContext()
	pc.Set(guardKey, g)
	doc := d.parser.Parse(text.NewReader(source), parser.WithContext(pc))
	if g.err != nil {
		return nil, g.err
	}
	return doc, nil
}

// toHTML renders doc and stops as soon as more than budget bytes came out.
func (d *dialect) toHTML(doc ast.Node, source []byte, budget int) ([]byte, error) {
	w := &budgetWriter{left: budget}
	if err := d.renderer.Render(w, source, doc); err != nil {
		return nil, err
	}
	return w.buf.Bytes(), w.err
}
