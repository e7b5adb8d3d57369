package transfer

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// lexer cuts an export into events. It uses the XML decoder for tags, and reads
// the texts between them itself, because exports of old WordPress versions
// contain texts that end their own CDATA section early, and no XML decoder
// finds the way out of those.
type lexer struct {
	src      *text
	dec      *xml.Decoder
	prefixes map[string]string // as declared → as used here
	open     []string          // containers, outermost first
	buf      []byte
	isWXR    bool // an element or a declaration of WordPress was seen
	repaired int  // texts that ended their CDATA section early
}

type eventKind int

const (
	opened eventKind = iota // a container begins
	closed                  // it ends
	leaf                    // an element with its text
	ended                   // the file
)

type event struct {
	kind  eventKind
	name  string // wp:comment_id, whatever the prefix is in the file
	text  string
	attrs []xml.Attr
	line  int // where it begins
}

// containers maps the elements that hold others to where they may stand. All
// the rest is read as one text.
var containers = map[string]string{"rss": "", "channel": "rss", "item": "channel", "wp:author": "channel", "wp:comment": "item"}

func newLexer(src *text) *lexer {
	l := &lexer{src: src, dec: xml.NewDecoder(src), prefixes: map[string]string{}}
	l.dec.Strict = false
	l.dec.Entity = xml.HTMLEntity
	l.dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // text has converted it
	return l
}

func (l *lexer) next() (event, error) {
	for {
		l.src.expect(maxTag)
		line := l.src.line
		token, err := l.dec.RawToken()
		if err != nil {
			return l.failed(line, err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			return l.start(token)
		case xml.EndElement:
			return l.end(token)
		case xml.Directive:
			return event{}, l.directive(token)
		}
	}
}

func (l *lexer) failed(line int, err error) (event, error) {
	if l.src.err != nil && l.src.err != io.EOF {
		return event{}, l.atLine(l.src.err)
	}
	var syntax *xml.SyntaxError
	switch {
	case err == io.EOF && len(l.open) == 0 && l.isWXR:
		return event{kind: ended}, nil
	case l.src.err == io.EOF && l.src.at == len(l.src.clean):
		return event{}, l.cutOff()
	case errors.As(err, &syntax):
		return event{}, failf(l.src.line, "This is not well-formed XML (%s), in markup that begins on line %d. Repair the file or export it again.", syntax.Msg, line)
	}
	return event{}, failf(l.src.line, "This is not well-formed XML (%v). Repair the file or export it again.", err)
}

// atLine adds the line to an Error that has none.
func (l *lexer) atLine(err error) error {
	var e *Error
	if errors.As(err, &e) && e.Line == 0 {
		return failf(l.src.line, "%s", e.Reason)
	}
	return err
}

func (l *lexer) cutOff() error {
	where := "before the export begins"
	if len(l.open) > 0 {
		where = "inside " + map[string]string{"rss": "the export", "channel": "the export", "item": "an article", "wp:author": "an author", "wp:comment": "a comment"}[l.open[len(l.open)-1]]
	}
	return failf(l.src.line, "The file ends %s: it was cut off. Download or export it again.", where)
}

func (l *lexer) directive(d xml.Directive) error {
	if name := strings.ToLower(string(d)); strings.HasPrefix(name, "doctype html") {
		return errWebPage(l.src.line)
	}
	return failf(l.src.line, "The file contains a <!DOCTYPE or <!ENTITY declaration. Exports have none, and they can do harm. Remove it or export the file again.")
}

func errWebPage(line int) error {
	return failf(line, "This is a web page, not an export. Sign in to WordPress, choose Tools, Export, and import the file that it downloads.")
}

// start handles a start tag: a container is entered, anything else read as text.
func (l *lexer) start(tag xml.StartElement) (event, error) {
	line := l.src.line
	if len(l.open) < 2 {
		l.declare(tag.Attr)
	}
	ev := event{kind: leaf, name: l.canonical(tag.Name), attrs: tag.Attr, line: line}
	selfClosing := l.src.last == [2]byte{'/', '>'}
	if selfClosing {
		if _, err := l.dec.RawToken(); err != nil {
			return l.failed(line, err)
		}
	}
	inside := ""
	if len(l.open) > 0 {
		inside = l.open[len(l.open)-1]
	}
	parent, isContainer := containers[ev.name]
	switch {
	case isContainer && parent != inside:
		return event{}, failf(line, "<%s> stands inside <%s>, where it cannot. The file is damaged; export it again.", ev.name, inside)
	case inside == "" && strings.EqualFold(ev.name, "html"):
		return event{}, errWebPage(line)
	case !isContainer && inside == "":
		return event{}, failf(line, "The file begins with <%s>; a WordPress export begins with <rss>. Choose the file that WordPress exported.", ev.name)
	case !isContainer && inside == "rss":
		return event{}, failf(line, "<%s> stands where <channel> should. This is not a WordPress export, or it is damaged; export it again.", ev.name)
	case isContainer && !selfClosing:
		l.open = append(l.open, ev.name)
		ev.kind = opened
		return ev, nil
	case selfClosing:
		return ev, nil
	}
	var err error
	ev.text, err = l.readText(rawName(tag.Name), ev.name, line)
	return ev, err
}

func (l *lexer) end(tag xml.EndElement) (event, error) {
	name := l.canonical(tag.Name)
	if len(l.open) == 0 || l.open[len(l.open)-1] != name {
		return event{}, failf(l.src.line, "</%s> closes an element that is not open. The file is damaged there; repair it or export it again.", rawName(tag.Name))
	}
	l.open = l.open[:len(l.open)-1]
	if name == "rss" {
		return event{kind: ended}, l.drain()
	}
	return event{kind: closed, name: name, line: l.src.line}, nil
}

// drain reads what follows the export, because an archive proves only at its
// end that it is whole. Web servers like to append a message there.
func (l *lexer) drain() error {
	for {
		l.src.expect(1)
		if _, err := l.src.ReadByte(); err == io.EOF {
			return nil
		} else if err != nil {
			return l.atLine(err)
		}
	}
}

// declare notes the prefixes of a tag.
func (l *lexer) declare(attrs []xml.Attr) {
	for _, a := range attrs {
		if a.Name.Space != "xmlns" {
			continue
		}
		switch uri := strings.ToLower(a.Value); {
		case strings.Contains(uri, "wordpress.org/export/") && strings.Contains(uri, "/excerpt"):
			l.prefixes[a.Name.Local] = "excerpt"
		case strings.Contains(uri, "wordpress.org/export/"):
			l.prefixes[a.Name.Local], l.isWXR = "wp", true
		case strings.Contains(uri, "purl.org/rss/1.0/modules/content"):
			l.prefixes[a.Name.Local] = "content"
		case strings.Contains(uri, "purl.org/dc/elements"):
			l.prefixes[a.Name.Local] = "dc"
		case strings.Contains(uri, "disqus.com"):
			l.prefixes[a.Name.Local] = "dsq"
		}
	}
}

func (l *lexer) canonical(name xml.Name) string {
	prefix := name.Space
	if known := l.prefixes[prefix]; known != "" {
		prefix = known
	}
	if prefix == "" {
		return name.Local
	}
	if prefix == "wp" {
		l.isWXR = true
	}
	return prefix + ":" + name.Local
}

func rawName(name xml.Name) string {
	if name.Space == "" {
		return name.Local
	}
	return name.Space + ":" + name.Local
}

// readText reads up to the end tag of an element, which is the first one that
// stands outside a CDATA section.
func (l *lexer) readText(raw, name string, line int) (string, error) {
	l.src.expect(maxToken)
	t := leafText{buf: l.buf[:0]}
	for {
		c, err := l.src.ReadByte()
		if err != nil {
			return "", l.unfinished(&t, raw, name, line, err)
		}
		if t.add(c, raw) {
			break
		}
	}
	if l.buf = t.buf; cap(l.buf) > 1<<20 {
		l.buf = nil
	}
	if err := swallowed(&t, raw, name, line); err != nil {
		return "", err
	}
	value, repaired := t.value()
	if repaired {
		l.repaired++
	}
	return value, nil
}

// unfinished says why a text has no end.
func (l *lexer) unfinished(t *leafText, raw, name string, line int, err error) error {
	if t.inCDATA {
		t.closes = append(t.closes, len(t.buf))
	}
	t.end = len(t.buf)
	if err := swallowed(t, raw, name, line); err != nil {
		return err
	}
	switch {
	case err == io.EOF && line < l.src.line:
		return failf(line, "<%s> has no end: the file was cut off, or it is damaged here. Download or export it again.", raw)
	case err == io.EOF:
		return l.cutOff()
	case err == errTokenTooLong:
		return failf(line, "%s", errTokenTooLong.Reason)
	}
	return l.atLine(err)
}

// swallowed finds what cannot be inside a text and shows that its end is missing.
func swallowed(t *leafText, raw, name string, line int) error {
	outside := t.outside()
	for _, tag := range []string{"<item>", "</item>", "<wp:comment>", "</wp:comment>", "</channel>"} {
		if bytes.Contains(outside, []byte(tag)) {
			return failf(line, "<%s> is not closed; %s follows inside it. Repair the file there or export it again.", raw, tag)
		}
	}
	if strings.HasPrefix(name, "wp:comment_") && bytes.Contains(outside, []byte("<wp:")) {
		return failf(line, "<%s> is not closed. Repair the file there or export it again.", raw)
	}
	return nil
}
