package markup

import (
	"bytes"
	"html"
	"strconv"
	"strings"
	"unicode"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

// finish settles what can only be known from the whole tree: that inline markup
// does not nest too deep, which way a block reads, and the ids of headings.
func (d *dialect) finish(doc ast.Node, source []byte) error {
	ids := headingIDs{used: map[string]int{}}
	inline := 0
	return ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if n.Type() == ast.TypeInline {
			if !entering {
				inline--
				return ast.WalkContinue, nil
			}
			if inline++; inline > d.limits.inline {
				return ast.WalkStop, refuse("Emphasis or links are nested more than %d deep here. "+
					"Please nest them less.", d.limits.inline)
			}
			return ast.WalkContinue, nil
		}
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n.Kind() {
		case ast.KindHeading:
			if d.ids {
				n.SetAttributeString("id", ids.next(nodeText(n, source)))
			}
			fallthrough
		case ast.KindParagraph, ast.KindListItem, ast.KindBlockquote, extast.KindTableCell, extast.KindFootnote:
			n.SetAttributeString("dir", "auto")
		}
		return ast.WalkContinue, nil
	})
}

// headingIDs hands out ids that are unique within one article. They start with
// "s-" so that no heading can take a name that the page uses for itself.
type headingIDs struct {
	used map[string]int // id -> the last number tried behind it
}

func (h headingIDs) next(title string) string {
	base := "s-" + slug(title)
	id := base
	for {
		if _, taken := h.used[id]; !taken {
			h.used[id] = 0
			return id
		}
		h.used[base]++
		id = base + "-" + strconv.Itoa(h.used[base])
	}
}

// maxSlug is the length in runes at which a slug is cut.
const maxSlug = 60

// slug keeps letters, marks and numbers of every script, in lower case, and
// puts one dash in place of whatever lies between them.
func slug(title string) string {
	var b strings.Builder
	runes, gap := 0, false
	for _, r := range strings.ToLower(title) {
		if !unicode.In(r, unicode.L, unicode.M, unicode.N) {
			gap = runes > 0
			continue
		}
		if gap {
			b.WriteByte('-')
			runes++
			gap = false
		}
		b.WriteRune(r)
		if runes++; runes >= maxSlug {
			break
		}
	}
	if runes == 0 {
		return "section"
	}
	return b.String()
}

// nodeText is the plain text inside n.
func nodeText(n ast.Node, source []byte) string {
	w := &budgetWriter{left: 64 << 10}
	writeText(w, source, n)
	return html.UnescapeString(string(bytes.TrimSpace(w.buf.Bytes())))
}
