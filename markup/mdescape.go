package markup

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/util"
	"golang.org/x/net/html/atom"
)

// inlineWriter writes pieces as Markdown.
type inlineWriter struct {
	b         []byte
	style     lineStyle
	lineStart bool
	inLink    bool
	last      rune // last rune of text written, 0 after anything else
	lastEnd   int  // where in b it begins
	encode    bool // the next letter is written as a character reference
}

func (w *inlineWriter) write(list []piece) string {
	w.lineStart = true
	var marks []string
	for i, p := range list {
		switch p.kind {
		case textPiece:
			w.text(string(p.text))
			continue
		case codePiece:
			w.b = append(w.b, codeSpan(string(p.text), w.style)...)
		case rawPiece:
			w.b = append(w.b, p.text...)
		case spacePiece:
			w.b = append(w.b, ' ')
		case breakPiece:
			w.b = append(w.b, "\\\n"...)
		case openPiece:
			mark := markFor(list, i)
			marks = append(marks, mark)
			w.open(mark, list[i+1])
		case closePiece:
			mark := marks[len(marks)-1]
			marks = marks[:len(marks)-1]
			w.close(mark, p, list[i+1:])
			w.lineStart, w.last = false, 0
			continue
		}
		w.lineStart = p.kind == breakPiece
		w.encode, w.last = false, 0
	}
	return string(w.b)
}

// markFor chooses the mark that list[i] opens. Italics are a star, except right
// inside of bold, where three stars would be read the other way round.
func markFor(list []piece, i int) string {
	switch list[i].tag {
	case atom.Strong:
		return "**"
	case atom.Del:
		return "~~"
	case atom.A:
		return "["
	}
	if i > 0 && list[i-1].kind == openPiece && list[i-1].tag == atom.Strong {
		return "_"
	}
	depth := 0
	for j := i; j < len(list); j++ {
		switch list[j].kind {
		case openPiece:
			depth++
		case closePiece:
			depth--
		}
		if depth == 0 {
			if j+1 < len(list) && list[j+1].kind == closePiece && list[j+1].tag == atom.Strong {
				return "_"
			}
			break
		}
	}
	return "*"
}

// open writes an opening mark. Markdown takes it for one only if it does not
// stand between a letter and a sign, as in a**"b"**. Writing the letter as a
// character reference makes it a sign to the parser and leaves the page as is.
func (w *inlineWriter) open(mark string, next piece) {
	if mark == "[" {
		w.inLink = true
	} else if isLetter(w.last) && (mark == "_" || !isLetter(firstRune(next))) {
		w.b = append(w.b[:w.lastEnd], reference(w.last)...)
	}
	w.b = append(w.b, mark...)
}

func (w *inlineWriter) close(mark string, p piece, rest []piece) {
	if mark == "[" {
		w.inLink = false
		w.b = append(append(w.b, ']'), p.text...)
		w.encode = false
		return
	}
	w.encode = false
	if len(rest) > 0 && isLetter(firstRune(rest[0])) {
		w.encode = mark == "_" || !isLetter(w.last)
	}
	w.b = append(w.b, mark...)
}

// firstRune is the first rune of a text and a sign for any other piece.
func firstRune(p piece) rune {
	switch p.kind {
	case textPiece:
		r, _ := utf8.DecodeRune(p.text)
		return r
	case spacePiece, breakPiece:
		return ' '
	}
	return '*'
}

// isLetter reports whether the parser takes r neither for space nor for a sign.
func isLetter(r rune) bool {
	return r != 0 && !util.IsSpaceRune(r) && !util.IsPunctRune(r)
}

func reference(r rune) string { return "&#" + strconv.Itoa(int(r)) + ";" }

// bareURL finds addresses in running text. The renderer makes links of them, so
// they must not be escaped.
var bareURL = regexp.MustCompile(`https?://[A-Za-z0-9./_~:?#@!$&'*+,;=%-]*[A-Za-z0-9/_~#@$&*+=%-]`)

func (w *inlineWriter) text(s string) {
	if w.encode {
		r, size := utf8.DecodeRuneInString(s)
		w.lastEnd = len(w.b)
		w.b = append(w.b, reference(r)...)
		w.encode, w.lineStart, w.last = false, false, 0
		s = s[size:]
	}
	for s != "" && !w.inLink {
		at := bareURL.FindStringIndex(s)
		if at == nil {
			break
		}
		w.escaped(s[:at[0]])
		w.b = append(w.b, ("<" + s[at[0]:at[1]] + ">")...)
		w.last, w.lineStart = 0, false
		s = s[at[1]:]
	}
	w.escaped(s)
}

func (w *inlineWriter) escaped(s string) {
	if s == "" {
		return
	}
	r, size := utf8.DecodeLastRuneInString(s)
	out := w.escape(s, !w.lineStart)
	w.b = append(w.b, out...)
	w.last, w.lastEnd = r, len(w.b)-size
	w.lineStart = false
}

// numbered is the beginning of a line that would be an item of a list.
var numbered = regexp.MustCompile(`^[0-9]{1,9}[.)]`)

// escape puts a backslash before every character that Markdown could take for
// more than itself at that place.
func (w *inlineWriter) escape(s string, inside bool) string {
	var b strings.Builder
	if m := numbered.FindString(s); m != "" && !inside {
		b.WriteString(m[:len(m)-1] + `\`)
		s = s[len(m)-1:]
		b.WriteByte(s[0])
		s, inside = s[1:], true
	}
	for i := 0; i < len(s); i++ {
		if special(s, i, w.style, !inside && i == 0) {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func special(s string, i int, style lineStyle, lineStart bool) bool {
	switch c := s[i]; c {
	case '\\', '`', '*', '[', ']', '<', '|', '~':
		return true
	case '_':
		return i == 0 || i+1 == len(s) || !isWordByte(s[i-1]) || !isWordByte(s[i+1])
	case '&':
		return i+1 == len(s) || s[i+1] == '#' || isWordByte(s[i+1])
	case '!':
		return i+1 == len(s)
	case '#':
		return lineStart || style == headingLine
	case '>', '+', '-', '=', ':':
		return lineStart
	}
	return false
}

func isWordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// codeSpan writes s between backticks, more of them than s has in a row.
func codeSpan(s string, style lineStyle) string {
	fence := strings.Repeat("`", longestRun(s, '`')+1)
	if s[0] == '`' || s[len(s)-1] == '`' || s[0] == ' ' && s[len(s)-1] == ' ' {
		s = " " + s + " "
	}
	if style == tableCell {
		s = strings.ReplaceAll(s, "|", `\|`)
	}
	return fence + s + fence
}
