package markup

import (
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// plainText reads the text of a sanitised fragment in one pass, and its
// headings by the way. A browser that takes the text of the same elements and
// squeezes white space finds the same words in the same order.
func plainText(fragment string) (string, []Heading) {
	var (
		out      lineWriter
		headings []Heading
		start    = -1 // where the current heading's text began in out
	)
	z := html.NewTokenizer(strings.NewReader(fragment))
	for {
		kind := z.Next()
		switch kind {
		case html.ErrorToken:
			return out.b.String(), headings
		case html.TextToken:
			out.write(string(z.Text()))
			continue
		}
		name, hasAttr := z.TagName()
		tag := atom.Lookup(name)
		switch tag {
		case atom.Pre:
			out.pre = kind == html.StartTagToken
			out.breakLine()
		case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
			out.breakLine()
			if kind == html.StartTagToken {
				start = out.b.Len()
				headings = append(headings, Heading{Level: int(name[1] - '0'), ID: idOf(z, hasAttr)})
			} else if len(headings) > 0 && start >= 0 {
				headings[len(headings)-1].Text = strings.TrimSpace(out.b.String()[start:])
			}
		case atom.P, atom.Br, atom.Hr, atom.Blockquote, atom.Ul, atom.Ol, atom.Li, atom.Div,
			atom.Table, atom.Thead, atom.Tbody, atom.Tr:
			out.breakLine()
		}
	}
}

func idOf(z *html.Tokenizer, more bool) string {
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		if string(key) == "id" {
			return string(value)
		}
	}
	return ""
}

// lineWriter writes words with one space between them and one newline between
// lines. It remembers the gap and writes it only when a word follows, so there
// is none at either end.
type lineWriter struct {
	b   strings.Builder
	gap byte // 0, ' ' or '\n'
	pre bool // newlines count
}

func (w *lineWriter) breakLine() { w.gap = '\n' }

func (w *lineWriter) write(s string) {
	for _, r := range s {
		switch {
		case r == '\n' && w.pre:
			w.gap = '\n'
		case unicode.IsSpace(r):
			if w.gap == 0 {
				w.gap = ' '
			}
		default:
			if w.gap != 0 && w.b.Len() > 0 {
				w.b.WriteByte(w.gap)
			}
			w.gap = 0
			w.b.WriteRune(r)
		}
	}
}
