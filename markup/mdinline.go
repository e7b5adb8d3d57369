package markup

import (
	"regexp"
	"strings"

	"golang.org/x/net/html/atom"
)

// lineStyle says what the surroundings of inline text allow.
type lineStyle int

const (
	lineBreaks  lineStyle = iota // a paragraph
	headingLine                  // one line, in which "#" is special
	tableCell                    // one line, in which "|" is special
)

// piece is a step on the way from tree to Markdown: the inline contents of a
// block as a flat list, in which white space has been settled.
type piece struct {
	kind pieceKind
	tag  atom.Atom // of open and close
	text []byte    // of text, code and raw; the target of a link on close
}

type pieceKind int

const (
	textPiece pieceKind = iota // not yet escaped
	codePiece                  // not yet fenced
	rawPiece                   // finished Markdown
	spacePiece
	breakPiece
	openPiece
	closePiece
)

// pieces builds the list. Space, line breaks and opening marks wait until
// something visible follows them. So none is left over at the end, empty marks
// vanish, and white space always ends up outside of marks, because Markdown
// does not read "** bold **" as bold.
type pieces struct {
	list   []piece
	space  bool
	breaks int
	marks  []piece // waiting to be opened
	open   []atom.Atom
	style  lineStyle
	nl     bool // newlines are breaks
	afterB bool // the last thing was a <br>
}

// inline converts a run of inline nodes to one piece of Markdown.
func (c converter) inline(children []*node, style lineStyle) string {
	p := &pieces{style: style, nl: c.newlines}
	for _, n := range children {
		p.add(n)
	}
	w := inlineWriter{style: style}
	return w.write(p.list)
}

func (p *pieces) add(n *node) {
	switch n.tag {
	case 0:
		if n.text != "" {
			p.text(n.text)
			return
		}
		p.all(n)
	case atom.Br:
		p.lineBreak()
		p.afterB = true
	case atom.B, atom.Strong:
		p.marked(n, atom.Strong, "")
	case atom.I, atom.Em, atom.Cite, atom.Dfn:
		p.marked(n, atom.Em, "")
	case atom.Del, atom.S, atom.Strike:
		p.marked(n, atom.Del, "")
	case atom.A:
		p.link(n, n.attrs["href"])
	case atom.Code, atom.Kbd, atom.Samp, atom.Tt, atom.Pre:
		p.code(textContent(n))
	case atom.Img:
		p.image(n)
	case atom.Iframe, atom.Video, atom.Audio, atom.Embed, atom.Source:
		p.media(n)
	case atom.Q:
		p.text("“")
		p.all(n)
		p.text("”")
	case atom.Input:
		p.checkbox(n)
	default:
		if isBlock[n.tag] {
			p.blank()
			defer p.blank()
		}
		p.all(n)
	}
}

func (p *pieces) all(n *node) {
	for _, c := range n.children {
		p.add(c)
	}
}

// text adds text with its white space squeezed.
func (p *pieces) text(s string) {
	for s != "" {
		i := strings.IndexAny(s, " \t\n\r\f")
		if i != 0 {
			if i < 0 {
				i = len(s)
			}
			p.show(piece{kind: textPiece, text: []byte(s[:i])})
			s = s[i:]
			continue
		}
		rest := strings.TrimLeft(s, " \t\n\r\f")
		if newlines := strings.Count(s[:len(s)-len(rest)], "\n"); p.nl && newlines > 0 {
			if p.afterB {
				newlines--
			}
			for range min(newlines, 2) {
				p.lineBreak()
			}
		}
		p.blank()
		s = rest
	}
}

func (p *pieces) blank() { p.space = len(p.list) > 0 }

func (p *pieces) lineBreak() {
	if p.style != lineBreaks {
		p.blank()
	} else if len(p.list) > 0 {
		p.breaks++
	}
}

// show adds something visible and whatever has been waiting for it.
func (p *pieces) show(v piece) {
	p.afterB = false
	joined := true
	if p.breaks > 0 {
		for range min(p.breaks, 2) {
			p.list = append(p.list, piece{kind: breakPiece})
		}
		joined = false
	} else if p.space {
		p.list = append(p.list, piece{kind: spacePiece})
		joined = false
	}
	p.breaks, p.space = 0, false
	for _, m := range p.marks {
		if last := len(p.list) - 1; joined && last >= 0 && m.tag != atom.A &&
			p.list[last].kind == closePiece && p.list[last].tag == m.tag {
			p.list = p.list[:last] // "**a****b**" would not be two bold words
			continue
		}
		joined = false
		p.list = append(p.list, m)
	}
	p.marks = nil
	if last := len(p.list) - 1; last >= 0 && p.list[last].kind == v.kind && (v.kind == textPiece || v.kind == codePiece) {
		p.list[last].text = append(p.list[last].text, v.text...)
		return
	}
	p.list = append(p.list, v)
}

// marked adds n between marks. A mark inside the same mark adds nothing to see
// and is left out; so are marks beyond the depth that the renderer accepts.
func (p *pieces) marked(n *node, tag atom.Atom, target string) {
	if contains(p.open, tag) || len(p.open) >= 8 {
		p.all(n)
		return
	}
	p.open = append(p.open, tag)
	p.marks = append(p.marks, piece{kind: openPiece, tag: tag})
	p.all(n)
	p.open = p.open[:len(p.open)-1]
	if last := len(p.marks) - 1; last >= 0 {
		p.marks = p.marks[:last] // nothing was shown inside
		return
	}
	p.list = append(p.list, piece{kind: closePiece, tag: tag, text: []byte(target)})
}

// link adds n as a link if it leads somewhere a link may lead.
func (p *pieces) link(n *node, address string) {
	target, ok := linkTarget(promising([]byte(strings.TrimSpace(address))))
	if !ok {
		p.all(n)
		return
	}
	if target == address && textContent(n) == target && plainURL.MatchString(target) && !contains(p.open, atom.A) {
		p.show(piece{kind: rawPiece, text: []byte("<" + target + ">")})
		return
	}
	p.marked(n, atom.A, "("+destination(target)+titleOf(n)+")")
}

// plainURL is an address that "<…>" can hold as it is.
var plainURL = regexp.MustCompile(`^https?://[A-Za-z0-9./_~:?#@!$&'()*+,;=%-]+$`)

func (p *pieces) code(s string) {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' }), " ")
	if strings.Trim(s, " ") != "" {
		p.show(piece{kind: codePiece, text: []byte(s)})
	}
}

func (p *pieces) image(n *node) {
	target, ok := linkTarget(promising([]byte(strings.TrimSpace(n.attrs["src"]))))
	if !ok {
		p.text(n.attrs["alt"])
		return
	}
	alt := strings.Join(strings.Fields(n.attrs["alt"]), " ")
	w := inlineWriter{style: p.style}
	p.show(piece{kind: rawPiece, text: []byte("![" + w.escape(alt, true) + "](" + destination(target) + titleOf(n) + ")")})
}

// media stands a link in for a player or a frame.
func (p *pieces) media(n *node) {
	if target, ok := linkTarget(promising([]byte(n.attrs["src"]))); ok {
		p.blank()
		p.marked(&node{children: []*node{{text: target}}}, atom.A, "("+destination(target)+")")
		p.blank()
	}
	for _, c := range n.children {
		if c.tag != 0 {
			p.add(c)
		}
	}
}

func (p *pieces) checkbox(n *node) {
	if n.attrs["type"] != "checkbox" || len(p.list) > 0 {
		return
	}
	box := "[ ]"
	if _, checked := n.attrs["checked"]; checked {
		box = "[x]"
	}
	p.show(piece{kind: rawPiece, text: []byte(box)})
	p.blank()
}

// destinations are what a link target must not hold bare.
var destinations = strings.NewReplacer(" ", "%20", "<", "%3C", ">", "%3E", "`", "%60", `"`, "%22",
	`\`, "%5C", "|", "%7C", "\n", "", "\t", "", "\r", "", "(", `\(`, ")", `\)`, "&", `\&`)

func destination(target string) string { return destinations.Replace(target) }

var titles = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", "&", `\&`, "<", `\<`, "|", `\|`,
	"[", `\[`, "]", `\]`)

func titleOf(n *node) string {
	title := strings.Join(strings.Fields(n.attrs["title"]), " ")
	if title == "" {
		return ""
	}
	return ` "` + titles.Replace(title) + `"`
}
