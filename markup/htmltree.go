package markup

import (
	"errors"
	"io"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// node is an element or, without a tag and with text, a piece of text.
type node struct {
	tag      atom.Atom
	text     string
	attrs    map[string]string
	children []*node
	block    bool // this is a block or has one inside
}

// maxTree is how deep elements nest before further tags are ignored and their
// contents join the element that is open.
const maxTree = 50

// parseHTML builds a tree in one pass over the tokens. The standard algorithm
// is not used: it repairs misnested tags by copying open elements into each
// following block, and a page can be written so that the copies number
// thousands of millions. This one never makes more nodes than there are tokens.
func parseHTML(src string) (*node, error) {
	root := &node{tag: atom.Div, block: true}
	open := []*node{root}
	var skipping atom.Atom
	z := html.NewTokenizer(strings.NewReader(src))
	for {
		kind := z.Next()
		switch kind {
		case html.ErrorToken:
			if err := z.Err(); !errors.Is(err, io.EOF) {
				return nil, err
			}
			markBlocks(root)
			return root, nil
		case html.TextToken:
			if skipping == 0 {
				top := open[len(open)-1]
				top.children = append(top.children, &node{text: string(z.Text())})
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			n := readTag(z)
			switch {
			case skipping != 0:
			case isSkipped[n.tag]:
				if kind == html.StartTagToken {
					skipping = n.tag
				}
			default:
				open = closeImplied(open, n.tag)
				top := open[len(open)-1]
				top.children = append(top.children, n)
				if !isVoid[n.tag] && len(open) < maxTree {
					open = append(open, n)
				}
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			tag := atom.Lookup(name)
			if skipping != 0 {
				if tag == skipping {
					skipping = 0
				}
				continue
			}
			open = closeTag(open, tag)
		}
	}
}

func readTag(z *html.Tokenizer) *node {
	name, more := z.TagName()
	n := &node{tag: atom.Lookup(name)}
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		switch string(key) {
		case "href", "src", "alt", "title", "class", "start", "type", "checked":
			if n.attrs == nil {
				n.attrs = map[string]string{}
			}
			n.attrs[string(key)] = string(value)
		}
	}
	return n
}

// closeImplied ends the elements that the start of tag ends without saying so:
// a block ends the paragraph before it, an item the item before it.
func closeImplied(open []*node, tag atom.Atom) []*node {
	var ended, within []atom.Atom
	switch {
	case tag == atom.Li:
		ended, within = []atom.Atom{atom.Li}, []atom.Atom{atom.Ul, atom.Ol}
	case tag == atom.Td || tag == atom.Th:
		ended, within = []atom.Atom{atom.Td, atom.Th}, []atom.Atom{atom.Table}
	case tag == atom.Tr:
		ended, within = []atom.Atom{atom.Tr}, []atom.Atom{atom.Table}
	case isBlock[tag]:
		ended = []atom.Atom{atom.P}
		within = []atom.Atom{atom.Li, atom.Td, atom.Th, atom.Blockquote, atom.Div}
	default:
		return open
	}
	for i := len(open) - 1; i > 0; i-- {
		if contains(ended, open[i].tag) {
			return open[:i]
		}
		if contains(within, open[i].tag) {
			break
		}
	}
	return open
}

func contains(tags []atom.Atom, tag atom.Atom) bool {
	for _, t := range tags {
		if t == tag {
			return true
		}
	}
	return false
}

// closeTag ends the innermost open element of that name, and with it whatever
// was left open inside. An end that fits nothing is ignored.
func closeTag(open []*node, tag atom.Atom) []*node {
	for i := len(open) - 1; i > 0; i-- {
		if open[i].tag == tag {
			return open[:i]
		}
	}
	return open
}

// markBlocks notes for every node whether there is a block in it.
func markBlocks(n *node) bool {
	n.block = n.block || isBlock[n.tag]
	for _, c := range n.children {
		if markBlocks(c) {
			n.block = true
		}
	}
	return n.block
}

// distribute turns an inline element around blocks inside out, so that
// <b><p>x</p></b> becomes <p><b>x</b></p>. What it returns is either without
// blocks or a block itself.
func distribute(n *node) []*node {
	var children, out, run []*node
	for _, c := range n.children {
		if c.block && !isBlock[c.tag] {
			children = append(children, distribute(c)...)
		} else {
			children = append(children, c)
		}
	}
	flush := func() {
		if strings.TrimSpace(textContent(&node{children: run})) == "" && !shows(run) {
			out = append(out, run...)
		} else {
			out = append(out, &node{tag: n.tag, attrs: n.attrs, children: run})
		}
		run = nil
	}
	for _, c := range children {
		if !c.block {
			run = append(run, c)
			continue
		}
		flush()
		inner := &node{tag: n.tag, attrs: n.attrs, children: c.children}
		for _, grandchild := range c.children {
			inner.block = inner.block || grandchild.block
		}
		within := []*node{inner}
		if isFrame[c.tag] {
			within = distribute(inner) // its children, not it, have text inside
		}
		out = append(out, &node{tag: c.tag, attrs: c.attrs, children: within, block: true})
	}
	flush()
	return out
}

// shows reports whether a run without text has anything to see in it.
func shows(run []*node) bool {
	for _, n := range run {
		if n.tag == atom.Img || shows(n.children) {
			return true
		}
	}
	return false
}

func setOf(tags ...atom.Atom) map[atom.Atom]bool {
	set := make(map[atom.Atom]bool, len(tags))
	for _, t := range tags {
		set[t] = true
	}
	return set
}

var (
	isVoid = setOf(atom.Br, atom.Hr, atom.Img, atom.Input, atom.Area, atom.Base, atom.Col, atom.Embed,
		atom.Link, atom.Meta, atom.Param, atom.Source, atom.Track, atom.Wbr)
	isSkipped = setOf(atom.Script, atom.Style, atom.Template, atom.Title, atom.Textarea, atom.Select,
		atom.Button, atom.Svg, atom.Math, atom.Object, atom.Noscript, atom.Noembed, atom.Noframes)
	isFrame = setOf(atom.Ul, atom.Ol, atom.Dl, atom.Table, atom.Thead, atom.Tbody, atom.Tfoot, atom.Tr)
	isMark  = setOf(atom.B, atom.Strong, atom.I, atom.Em, atom.Cite, atom.Dfn, atom.Del, atom.S, atom.Strike, atom.A)
	isBlock = setOf(atom.P, atom.Div, atom.Blockquote, atom.Ul, atom.Ol, atom.Li, atom.Pre, atom.Hr,
		atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Table, atom.Caption, atom.Thead,
		atom.Tbody, atom.Tfoot, atom.Tr, atom.Td, atom.Th, atom.Dl, atom.Dt, atom.Dd, atom.Figure,
		atom.Figcaption, atom.Section, atom.Article, atom.Aside, atom.Header, atom.Footer, atom.Main,
		atom.Nav, atom.Address, atom.Center, atom.Details, atom.Summary, atom.Fieldset, atom.Form)
)
