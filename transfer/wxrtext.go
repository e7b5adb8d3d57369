package transfer

import (
	"bytes"
	"encoding/xml"
	"strings"
)

// leafText is the text of one element, byte by byte.
type leafText struct {
	buf     []byte
	opens   []int // where the content of each CDATA section begins
	closes  []int // and where it ends, its ]]> included
	inCDATA bool
	end     int // of the text in buf, when it is complete
}

const cdata = "<![CDATA["

// add takes the next byte and tells whether it ended the element.
func (t *leafText) add(c byte, raw string) bool {
	t.buf = append(t.buf, c)
	switch {
	case c == '[' && !t.inCDATA && bytes.HasSuffix(t.buf, []byte(cdata)):
		t.inCDATA = true
		t.opens = append(t.opens, len(t.buf))
	case c == '>' && t.inCDATA && bytes.HasSuffix(t.buf[t.opens[len(t.opens)-1]:], []byte("]]>")):
		t.inCDATA = false
		t.closes = append(t.closes, len(t.buf))
	case c == '>' && !t.inCDATA:
		return t.isEndTag(raw)
	}
	return false
}

func (t *leafText) isEndTag(raw string) bool {
	from := max(0, len(t.buf)-len(raw)-8) // </name> with a little space
	i := bytes.LastIndex(t.buf[from:], []byte("</"))
	if i < 0 || string(bytes.TrimSpace(t.buf[from+i+2:len(t.buf)-1])) != raw {
		return false
	}
	t.end = from + i
	return true
}

// outside is what stands outside CDATA sections.
func (t *leafText) outside() []byte {
	if len(t.opens) == 0 {
		return t.buf[:t.end]
	}
	var out []byte
	from := 0
	for i, open := range t.opens {
		out = append(out, t.buf[from:open-len(cdata)]...)
		from = t.closes[i]
	}
	return append(out, t.buf[from:t.end]...)
}

// value is the text itself. repaired says that a ]]> inside the text had ended
// its section early: then everything up to the last ]]> belongs to it.
func (t *leafText) value() (text string, repaired bool) {
	if len(t.opens) == 0 {
		return newlines(decode(string(t.buf[:t.end]))), false
	}
	rest := bytes.TrimSpace(t.buf[t.closes[len(t.closes)-1]:t.end])
	if bytes.HasSuffix(rest, []byte("]]>")) {
		whole := t.buf[t.opens[0]:t.end]
		whole = whole[:bytes.LastIndex(whole, []byte("]]>"))]
		return newlines(strings.ReplaceAll(string(whole), "]]]]>"+cdata+">", "]]>")), true
	}
	var out strings.Builder
	from := 0
	for i, open := range t.opens {
		out.WriteString(decode(string(t.buf[from : open-len(cdata)])))
		from = t.closes[i]
		out.Write(t.buf[open : from-len("]]>")])
	}
	out.WriteString(decode(string(t.buf[from:t.end])))
	return newlines(out.String()), false
}

// decode replaces the entities of a text. A text with tags is HTML that nobody
// escaped; its entities are its own.
func decode(s string) string {
	if !strings.Contains(s, "&") || strings.Contains(s, "<") {
		return s
	}
	d := xml.NewDecoder(strings.NewReader(s))
	d.Strict = false
	d.Entity = xml.HTMLEntity
	token, err := d.RawToken()
	if text, ok := token.(xml.CharData); ok && err == nil {
		return string(text)
	}
	return s
}

// newlines makes every line end with a single newline, as XML wants it, also
// those that were turned into Windows' line ends twice.
func newlines(s string) string {
	if !strings.Contains(s, "\r") {
		return s
	}
	return lineEnds.Replace(s)
}

var lineEnds = strings.NewReplacer("\r\r\n", "\n", "\r\n", "\n", "\r", "\n")
