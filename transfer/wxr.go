package transfer

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// WXRInfo is what a WordPress export says about itself, and what of it was
// left out.
type WXRInfo struct {
	Site    string // its address, wp:base_blog_url; "" when the file has none
	Link    string // of the channel
	Title   string
	Version string // of the format

	Items    int // of every type
	Joined   int // of those that belong to an article which an earlier item began
	Articles int // that were emitted, with
	Comments int // so many comments

	ZeroDates    int            // articles and comments dated 0000-00-00; they are emitted without a date
	MissingDates int            // and those without a readable date
	Ignored      map[string]int // items that are no articles and have no comments, by type
	Skipped      []Skip
	SkippedMore  int // further records left out, when Skipped is full
	Notes        []string

	mainHost string // that most items are on
}

// Source names where the records come from, for Store.Import.
func (i WXRInfo) Source() string {
	for _, address := range []string{i.Site, i.Link, i.mainHost} {
		if address = strings.TrimRight(strings.TrimSpace(address), "/"); address != "" {
			return "wxr:" + address
		}
	}
	return "wxr:"
}

// hostOf is an address without its path.
func hostOf(link string) string {
	scheme, rest, ok := strings.Cut(link, "://")
	if !ok {
		return ""
	}
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

func (i *WXRInfo) skip(line int, what, why string) {
	if len(i.Skipped) >= maxSkipLines {
		i.SkippedMore++
		return
	}
	i.Skipped = append(i.Skipped, Skip{line, what, why})
}

// ReadWXR reads a WordPress export, plain XML of any version, and emits each
// article with its comments. Posts and pages that are published are emitted,
// and attachments that have comments. The file is read twice: r is rewound if
// it is an io.Seeker, else kept in a temporary file. An error from emit ends
// the reading and comes back unchanged; a file that cannot be read is an
// *Error, and then nothing was emitted.
func ReadWXR(r io.Reader, emit func(Record) error) (WXRInfo, error) {
	src, cleanup, err := readerSource(r)
	if err != nil {
		return WXRInfo{}, err
	}
	defer cleanup()
	w := wxrReader{src: src, progress: func(int64) {}}
	if err := w.survey(context.Background()); err != nil {
		return WXRInfo{}, err
	}
	return w.emit(context.Background(), emit)
}

// wxrReader reads one export twice. The survey proves that it can be read to
// its end, and finds what must be known before the first record: who the
// authors are, how far the site's clock is from UTC, and which articles are
// spread over several items.
type wxrReader struct {
	src         source
	unpublished bool
	progress    func(int64)

	latin   bool                 // it claims to be UTF-8 and is not
	info    WXRInfo              // of the channel
	logins  map[string]wxrAuthor // by login
	userIDs map[string]wxrAuthor // by number
	pieces  map[string]int       // articles that consist of several items
	offset  clock
}

type wxrAuthor struct{ id, login, email, name string }

func (w *wxrReader) survey(ctx context.Context) error {
	for {
		w.logins, w.userIDs, w.pieces = map[string]wxrAuthor{}, map[string]wxrAuthor{}, map[string]int{}
		w.offset, w.info = clock{}, WXRInfo{}
		hosts := map[string]int{}
		t, err := w.parse(ctx, wxrHandler{info: &w.info, author: w.addAuthor, item: func(it *wxrItem) error {
			if host := hostOf(it.link); host != "" && len(hosts) < 1000 {
				if hosts[host]++; hosts[host] > hosts[w.info.mainHost] {
					w.info.mainHost = host
				}
			}
			w.pieces[it.key()]++
			w.offset.learn(it)
			return nil
		}})
		if err != nil {
			return err
		}
		if t.invalid > 0 && t.multi == 0 && !w.latin && !t.convertsTo {
			w.latin = true
			continue
		}
		for key, n := range w.pieces {
			if n == 1 {
				delete(w.pieces, key)
			}
		}
		return nil
	}
}

func (w *wxrReader) addAuthor(a wxrAuthor) {
	if a.login != "" {
		w.logins[a.login] = a
	}
	if a.id != "" && a.id != "0" {
		w.userIDs[a.id] = a
	}
}

// emit reads the file again, after the survey, and hands its articles out.
func (w *wxrReader) emit(ctx context.Context, emit func(Record) error) (WXRInfo, error) {
	info := WXRInfo{mainHost: w.info.mainHost, Ignored: map[string]int{}}
	waiting := map[string]*wxrItem{} // articles whose other pieces are still to come
	missing := map[string]int{}
	t, err := w.parse(ctx, wxrHandler{info: &info, author: func(wxrAuthor) {}, item: func(it *wxrItem) error {
		key := it.key()
		if n := w.pieces[key]; n > 1 && key != "" {
			if waiting[key] == nil {
				waiting[key], missing[key] = it, n-1
				return nil
			}
			waiting[key].add(it, &info)
			it = waiting[key]
			if missing[key]--; missing[key] > 0 {
				return nil
			}
			delete(waiting, key)
		}
		d, ok := w.discussion(&info, it, key)
		if !ok {
			return nil
		}
		info.Articles++
		info.Comments += len(d.Comments)
		return emit(d)
	}})
	if err == nil {
		info.tell(t)
	}
	return info, err
}

// tell adds what the file as a whole had wrong with it.
func (i *WXRInfo) tell(t *text) {
	switch {
	case t.charset == "windows-1252":
		i.Notes = append(i.Notes, "The file was read as Windows-1252.")
	case t.charset != "" && t.convertsTo:
		i.Notes = append(i.Notes, "The file was read as "+t.charset+", as it says.")
	}
	if t.invalid > 0 {
		i.Notes = append(i.Notes, plural(t.invalid, "byte was", "bytes were")+" not valid UTF-8 and became the replacement character �.")
	}
	if t.controls > 0 {
		i.Notes = append(i.Notes, plural(t.controls, "control character was", "control characters were")+" removed.")
	}
}

// wxrHandler takes what parse finds.
type wxrHandler struct {
	info   *WXRInfo
	author func(wxrAuthor)
	item   func(*wxrItem) error
}

// parse reads the whole file once.
func (w *wxrReader) parse(ctx context.Context, h wxrHandler) (*text, error) {
	file, err := w.src.open(w.progress)
	if err != nil {
		return nil, w.named(err)
	}
	defer file.Close()
	t, err := newText(cancelled{ctx, file}, w.latin)
	if err != nil {
		return nil, w.named(err)
	}
	l := newLexer(t)
	if err := parseChannel(l, h); err != nil {
		return nil, w.named(err)
	}
	if l.repaired > 0 {
		h.info.Notes = append(h.info.Notes, plural(int64(l.repaired), "text contains", "texts contain")+" the characters ]]>, which end an XML section early; repaired.")
	}
	return t, nil
}

// named adds the file's name to an Error.
func (w *wxrReader) named(err error) error {
	var e *Error
	if errors.As(err, &e) && e.File == "" {
		return &Error{File: w.src.name, Line: e.Line, Reason: e.Reason}
	}
	return err
}

func parseChannel(l *lexer, h wxrHandler) error {
	for {
		ev, err := l.next()
		if err != nil {
			return err
		}
		switch {
		case ev.kind == ended && !l.isWXR:
			return failf(0, "There are no WordPress elements in this file; it may be a news feed. In WordPress choose Tools, Export, and import the file that it downloads.")
		case ev.kind == ended:
			return nil
		case ev.kind == opened && ev.name == "wp:author":
			err = parseAuthor(l, h)
		case ev.kind == opened && ev.name == "item":
			h.info.Items++
			err = parseItem(l, ev.line, h)
		case ev.kind == leaf:
			h.info.set(ev.name, strings.TrimSpace(ev.text))
		}
		if err != nil {
			return err
		}
	}
}

func (i *WXRInfo) set(name, value string) {
	switch name {
	case "title":
		i.Title = oneLine(value)
	case "link":
		i.Link = value
	case "wp:base_blog_url":
		i.Site = value
	case "wp:wxr_version":
		i.Version = value
	}
}

func parseAuthor(l *lexer, h wxrHandler) error {
	var a wxrAuthor
	for {
		ev, err := l.next()
		if err != nil {
			return err
		}
		if ev.kind == closed {
			h.author(a)
			return nil
		}
		value := strings.TrimSpace(ev.text)
		switch ev.name {
		case "wp:author_id":
			a.id = value
		case "wp:author_login":
			a.login = value
		case "wp:author_email":
			a.email = value
		case "wp:author_display_name":
			a.name = value
		}
	}
}

func parseItem(l *lexer, line int, h wxrHandler) error {
	it := &wxrItem{line: line}
	begin := l.src.offset
	for {
		ev, err := l.next()
		if err != nil {
			return err
		}
		if l.src.offset-begin > maxItem {
			return failf(line, "The article that begins here is larger than %d MiB with its comments. The file is damaged; export it again.", maxItem>>20)
		}
		switch {
		case ev.kind == closed && ev.name == "item":
			return h.item(it)
		case ev.kind == opened && ev.name == "wp:comment":
			it.comments = append(it.comments, wxrComment{line: ev.line})
		case ev.kind == closed:
		case len(l.open) > 0 && l.open[len(l.open)-1] == "wp:comment":
			it.comments[len(it.comments)-1].set(ev.name, ev.text)
		default:
			it.set(ev.name, ev.text, ev.attrs)
		}
	}
}

func attr(attrs []xml.Attr, name string) string {
	for _, a := range attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
