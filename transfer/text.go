package transfer

import (
	"bufio"
	"bytes"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// text reads a file as what an XML decoder accepts: valid UTF-8 without control
// characters. It hands out single bytes, so that whoever reads from it always
// knows how far it has come, and it counts lines as an editor does.
type text struct {
	in         io.Reader
	chunk      []byte // read and not yet cleaned: a character that may go on
	clean      []byte // cleaned and not yet handed out
	at         int
	buf        [64 << 10]byte
	err        error // why there is no more
	line       int
	offset     int64 // bytes handed out
	last       [2]byte
	limit      int64 // of offset, before which the reader must say that it gets on
	multi      int64 // characters of several bytes
	invalid    int64 // bytes that are not UTF-8
	controls   int64 // characters dropped
	charset    string
	convertsTo bool
}

var errTokenTooLong = failf(0, "A single text is larger than %d MiB, or a quotation mark or bracket is never closed. Repair the file there or export it again.", maxToken>>20)

// charsets are the encodings that occur besides UTF-8.
var charsets = map[string]encoding.Encoding{
	"iso-8859-1": charmap.Windows1252, "latin1": charmap.Windows1252, "us-ascii": charmap.Windows1252,
	"windows-1252": charmap.Windows1252, "cp1252": charmap.Windows1252, "iso-8859-15": charmap.ISO8859_15,
	"iso-8859-2": charmap.ISO8859_2, "windows-1250": charmap.Windows1250, "windows-1251": charmap.Windows1251, "koi8-r": charmap.KOI8R,
}

var declaration = regexp.MustCompile(`(?i)<\?xml[^>]*?encoding\s*=\s*["']([a-z0-9._-]+)["']`)

// newText finds out the encoding of a file and skips what stands before its
// first tag. latin says that the file claims to be UTF-8 and is not.
func newText(r io.Reader, latin bool) (*text, error) {
	in := bufio.NewReaderSize(r, 4<<10)
	t := &text{line: 1, limit: maxToken}
	start, err := in.Peek(4 << 10)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case len(bytes.TrimSpace(start)) == 0 && err == io.EOF:
		return nil, failf(1, "The file is empty. Export it again.")
	case bytes.HasPrefix(start, []byte("\xff\xfe")) || bytes.HasPrefix(start, []byte("\xfe\xff")):
		t.convertsTo, t.charset = true, "utf-16"
		t.in = unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder().Reader(in)
		return t, t.skipToTag()
	}
	if m := declaration.FindSubmatch(start); m != nil {
		t.charset = strings.ToLower(string(m[1]))
	}
	switch {
	case latin:
		t.charset = "windows-1252"
	case t.charset == "" || t.charset == "utf-8" || t.charset == "utf8":
		t.in = in
		return t, t.skipToTag()
	}
	if charsets[t.charset] == nil {
		return nil, failf(1, "The file says that its encoding is %s, which is not supported. Convert it to UTF-8 and change its first line accordingly.", t.charset)
	}
	t.convertsTo = true
	t.in = charsets[t.charset].NewDecoder().Reader(in)
	return t, t.skipToTag()
}

// skipToTag passes a byte order mark, blank lines and the odd character before
// the first tag.
func (t *text) skipToTag() error {
	for skipped := 0; ; {
		c, err := t.peek()
		if err == io.EOF {
			return failf(t.line, "There is no XML in this file. Choose the file that the export made.")
		}
		if err != nil {
			return err
		}
		if c == '<' {
			return nil
		}
		if c > ' ' && c < 0x80 {
			skipped++
		}
		if skipped > 16 {
			return failf(t.line, "This is not an XML file. Choose the file that the export made.")
		}
		if _, err := t.ReadByte(); err != nil {
			return err
		}
	}
}

func (t *text) peek() (byte, error) {
	for t.at == len(t.clean) {
		if t.err != nil {
			return 0, t.err
		}
		t.fill()
	}
	return t.clean[t.at], nil
}

// ReadByte is io.ByteReader.
func (t *text) ReadByte() (byte, error) {
	c, err := t.peek()
	if err != nil {
		return 0, err
	}
	if t.offset >= t.limit {
		t.err, t.at, t.clean = errTokenTooLong, 0, nil
		return 0, t.err
	}
	t.at++
	t.offset++
	t.last[0], t.last[1] = t.last[1], c
	if c == '\n' {
		t.line++
	}
	return c, nil
}

// Read is io.Reader; the XML decoder asks for one and then reads bytes.
func (t *text) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c, err := t.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = c
	return 1, nil
}

// expect says that a token was complete and how long the next may be.
func (t *text) expect(most int64) { t.limit = t.offset + most }

func (t *text) fill() {
	rest := copy(t.buf[:], t.chunk)
	n, err := 0, error(nil)
	for tries := 0; n == 0 && err == nil; tries++ {
		if n, err = t.in.Read(t.buf[rest:]); tries == 100 {
			err = io.ErrNoProgress
		}
	}
	t.err = err
	in := t.buf[:rest+n]
	t.clean, t.at = t.clean[:0], 0
	for len(in) > 0 {
		if c := in[0]; c < utf8.RuneSelf {
			if c >= ' ' || c == '\t' || c == '\n' || c == '\r' {
				t.clean = append(t.clean, c)
			} else {
				t.controls++
			}
			in = in[1:]
			continue
		}
		if err == nil && !utf8.FullRune(in) {
			break
		}
		r, size := utf8.DecodeRune(in)
		switch {
		case r == utf8.RuneError && size == 1:
			t.invalid++
			t.clean = append(t.clean, "\uFFFD"...)
		case r == 0xFFFE || r == 0xFFFF:
			t.controls++
		default:
			t.multi++
			t.clean = append(t.clean, in[:size]...)
		}
		in = in[size:]
	}
	t.chunk = append(t.chunk[:0], in...)
}
