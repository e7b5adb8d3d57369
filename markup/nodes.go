package markup

import (
	"bytes"
	"regexp"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// nodes renders those parts of the tree for which we want something else than
// the library does. Everything not registered here is rendered by the library.
type nodes struct {
	comment bool
}

func (r *nodes) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(ast.KindRawHTML, r.rawHTML)
	reg.Register(ast.KindHTMLBlock, r.htmlBlock)
	reg.Register(ast.KindFencedCodeBlock, r.fencedCode)
	reg.Register(ast.KindLink, r.link)
	reg.Register(ast.KindAutoLink, r.autoLink)
	reg.Register(ast.KindImage, r.image)
	reg.Register(ast.KindHeading, r.heading)
}

// heading demotes the headings of comments to bold paragraphs. The outline of
// a page belongs to its article: a reader who moves from heading to heading
// with a screen reader should not have to pass through the discussion.
func (r *nodes) heading(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	before, after := `<p dir="auto"><strong>`, "</strong></p>\n"
	if !r.comment {
		level := string('0' + rune(n.(*ast.Heading).Level))
		id, _ := n.AttributeString("id")
		before = "<h" + level + ` id="` + id.(string) + `" dir="auto">`
		after = "</h" + level + ">\n"
	}
	if entering {
		_, err := w.WriteString(before)
		return ast.WalkContinue, err
	}
	_, err := w.WriteString(after)
	return ast.WalkContinue, err
}

// rawHTML shows inline HTML as the characters that were typed. The library
// would drop it, and with it the "<String>" of "List<String>".
func (r *nodes) rawHTML(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	err := writeSegments(w, source, n.(*ast.RawHTML).Segments)
	return ast.WalkSkipChildren, err
}

func writeSegments(w util.BufWriter, source []byte, segments *text.Segments) error {
	for i := range segments.Len() {
		segment := segments.At(i)
		if _, err := w.Write(util.EscapeHTML(segment.Value(source))); err != nil {
			return err
		}
	}
	return nil
}

// htmlBlock does the same for whole lines of HTML, as a paragraph with the
// line breaks of the source.
func (r *nodes) htmlBlock(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	block := n.(*ast.HTMLBlock)
	lines := make([][]byte, 0, block.Lines().Len()+1)
	for i := range block.Lines().Len() {
		segment := block.Lines().At(i)
		lines = append(lines, segment.Value(source))
	}
	if block.HasClosure() {
		lines = append(lines, block.ClosureLine.Value(source))
	}
	separator := `<p dir="auto">`
	for _, line := range lines {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		_, _ = w.WriteString(separator)
		if _, err := w.Write(util.EscapeHTML(line)); err != nil {
			return ast.WalkStop, err
		}
		separator = "<br>\n"
	}
	_, err := w.WriteString("</p>\n")
	return ast.WalkSkipChildren, err
}

// language is what may follow "language-" in a class: names like c++, c#,
// objective-c and .net, and nothing that could be a second class.
var language = regexp.MustCompile(`^[A-Za-z0-9.][A-Za-z0-9+#._-]{0,31}$`)

func (r *nodes) fencedCode(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		_, err := w.WriteString("</code></pre>\n")
		return ast.WalkContinue, err
	}
	_, _ = w.WriteString("<pre><code")
	name := util.UnescapePunctuations(util.ResolveEntityNames(n.(*ast.FencedCodeBlock).Language(source)))
	if language.Match(name) {
		_, _ = w.WriteString(` class="language-`)
		_, _ = w.Write(name)
		_ = w.WriteByte('"')
	}
	_ = w.WriteByte('>')
	return ast.WalkContinue, writeSegments(w, source, n.Lines())
}

// linkedKey marks, on a link node, that an opening tag was written.
var linkedKey = []byte("linked")

func (r *nodes) link(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*ast.Link)
	if !entering {
		if _, linked := n.Attribute(linkedKey); linked {
			_, err := w.WriteString("</a>")
			return ast.WalkContinue, err
		}
		return ast.WalkContinue, nil
	}
	target, ok := linkTarget(util.URLEscape(promising(n.Destination), true))
	if !ok {
		return ast.WalkContinue, nil
	}
	n.SetAttribute(linkedKey, true)
	return ast.WalkContinue, r.openLink(w, target, n.Title)
}

func (r *nodes) openLink(w util.BufWriter, target string, title []byte) error {
	_, _ = w.WriteString(`<a href="`)
	_, _ = w.Write(util.EscapeHTML([]byte(target)))
	if len(title) > 0 {
		_, _ = w.WriteString(`" title="`)
		html.DefaultWriter.Write(w, title)
	}
	switch {
	case r.comment:
		_, _ = w.WriteString(`" rel="nofollow ugc noopener`)
	case !isOwn(target):
		_, _ = w.WriteString(`" rel="noopener`)
	}
	_, err := w.WriteString(`">`)
	return err
}

// autoLink renders <https://…> and bare addresses. What stands between angle
// brackets but is no link to us, such as <std::string>, is shown as typed.
func (r *nodes) autoLink(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.AutoLink)
	label := n.Label(source)
	url := n.URL(source)
	if n.AutoLinkType == ast.AutoLinkEmail && !bytes.HasPrefix(bytes.ToLower(url), []byte("mailto:")) {
		url = append([]byte("mailto:"), url...)
	}
	target, ok := linkTarget(util.URLEscape(promising(url), false))
	if !ok {
		return ast.WalkContinue, writeTyped(w, source, n, label)
	}
	if err := r.openLink(w, target, nil); err != nil {
		return ast.WalkStop, err
	}
	_, _ = w.Write(util.EscapeHTML(label))
	_, err := w.WriteString("</a>")
	return ast.WalkContinue, err
}

func writeTyped(w util.BufWriter, source []byte, n ast.Node, label []byte) error {
	if pos := n.Pos(); pos >= 0 && pos < len(source) && source[pos] == '<' {
		label = append(append([]byte{'<'}, label...), '>')
	}
	_, err := w.Write(util.EscapeHTML(label))
	return err
}

// image shows an image of this site in an article. Any other, and every image
// in a comment, becomes a link to it, because fetching an image tells a
// stranger's server who reads the page.
func (r *nodes) image(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.Image)
	target, ok := linkTarget(util.URLEscape(promising(n.Destination), true))
	switch {
	case ok && isImageSource(target) && !r.comment:
	case ok && !insideLink(n):
		return ast.WalkSkipChildren, r.imageLink(w, source, n, target)
	default:
		writeText(w, source, n)
		return ast.WalkSkipChildren, nil
	}
	_, _ = w.WriteString(`<img src="`)
	_, _ = w.Write(util.EscapeHTML([]byte(target)))
	_, _ = w.WriteString(`" alt="`)
	writeText(w, source, n)
	if len(n.Title) > 0 {
		_, _ = w.WriteString(`" title="`)
		html.DefaultWriter.Write(w, n.Title)
	}
	_, err := w.WriteString(`" loading="lazy">`)
	return ast.WalkSkipChildren, err
}

func (r *nodes) imageLink(w util.BufWriter, source []byte, n *ast.Image, target string) error {
	if err := r.openLink(w, target, n.Title); err != nil {
		return err
	}
	if nodeText(n, source) == "" {
		_, _ = w.Write(util.EscapeHTML([]byte(target)))
	} else {
		writeText(w, source, n)
	}
	_, err := w.WriteString("</a>")
	return err
}

func insideLink(n ast.Node) bool {
	for p := n.Parent(); p != nil; p = p.Parent() {
		if p.Kind() == ast.KindLink {
			return true
		}
	}
	return false
}

// writeText writes what is readable inside n, escaped for HTML and without any
// tag, as the alt of an image needs it.
func writeText(w util.BufWriter, source []byte, n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			if c.IsRaw() {
				html.DefaultWriter.RawWrite(w, c.Segment.Value(source))
			} else {
				html.DefaultWriter.Write(w, c.Segment.Value(source))
			}
			if c.SoftLineBreak() || c.HardLineBreak() {
				_ = w.WriteByte(' ')
			}
		case *ast.String:
			html.DefaultWriter.Write(w, c.Value)
		case *ast.AutoLink:
			_, _ = w.Write(util.EscapeHTML(c.Label(source)))
		case *ast.RawHTML:
			_ = writeSegments(w, source, c.Segments)
		default:
			writeText(w, source, c)
		}
	}
}
