package transfer

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

func TestBrokenFilesNameLineAndReason(t *testing.T) {
	whole := export(post("1", comment("1", "0", "")))
	cut := func(at string) string { return whole[:strings.Index(whole, at)] }
	tests := []struct {
		name, dump string
		line       int
		reason     string
	}{
		{"empty", "", 1, "is empty"},
		{"blank", "\n \n\t", 1, "is empty"},
		{"not XML", "title,text\n1,2\n", 3, "no XML"},
		{"JSON", `{"version": 1, "posts": [{"html": "<p>"}]}`, 1, "not an XML file"},
		{"web page", "<!DOCTYPE html>\n<html><body>Sign in</body></html>", 1, "web page"},
		{"web page without doctype", "\n<HTML>\n</HTML>", 2, "web page"},
		{"another system's export", "<?xml version='1.0'?>\n<disqus></disqus>", 2, "begins with <disqus>"},
		{"news feed", "<rss version='2.0'><channel><item><title>x</title></item></channel></rss>", 0, "no WordPress elements"},
		{"no channel", "<rss xmlns:wp='http://wordpress.org/export/1.2/'>\n<stream></stream></rss>", 2, "<stream> stands where <channel>"},
		{"entities", "<!DOCTYPE r [\n<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>\n" + whole, 2, "<!DOCTYPE"},
		{"cut in a comment", cut("Words 1"), 5, "inside a comment: it was cut off"},
		{"cut in a tag", cut("comment_approved>"), 5, "inside a comment: it was cut off"},
		{"cut between articles", cut("</channel>"), 6, "inside the export: it was cut off"},
		{"cut in the last tag", cut("ss>\n"), 6, "inside the export: it was cut off"},
		{"text that is not closed", strings.Replace(whole, "</wp:comment_author>", "", 1), 5, "<wp:comment_author> is not closed"},
		{"section that is not closed", strings.Replace(whole, "Words 1.]]>", "Words 1.", 1), 5, "<wp:comment_content> has no end"},
		{"article in an article", strings.Replace(whole, "<dc:creator>", "<item><dc:creator>", 1), 5, "<item> stands inside <item>"},
		{"end without a beginning", strings.Replace(whole, "<dc:creator>", "</wp:comment><dc:creator>", 1), 5, "closes an element that is not open"},
		{"unknown encoding", strings.Replace(whole, "UTF-8", "ebcdic", 1), 1, "encoding is ebcdic"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			records, _, err := tryRead(test.dump)
			e := asError(t, err)
			if e.Line != test.line || !strings.Contains(e.Reason, test.reason) {
				t.Errorf("line %d: %s\nexpected line %d and %q", e.Line, e.Reason, test.line, test.reason)
			}
			if len(records) > 0 {
				t.Errorf("%d records were emitted before the error", len(records))
			}
		})
	}
}

func TestDamageThatIsRepaired(t *testing.T) {
	body := func(content string) string {
		return export(post("1", comment("1", "0", "<wp:comment_content>"+content+"</wp:comment_content>")))
	}
	tests := []struct{ name, dump, want string }{
		{"byte order mark and blank lines", "\xef\xbb\xbf\n\n" + body("fine"), "fine"},
		{"a stray character in front", "`" + body("fine"), "fine"},
		{"control characters", body("fi\x01n\x10e\x00"), "fine"},
		{"entities of HTML", body("a&nbsp;&eacute;&unknown;"), "a\u00a0é&unknown;"},
		{"section ended early", body("<![CDATA[if a[b[0]]>1 then <b>x</b> and </p> stop]]>"), "if a[b[0]]>1 then **x** and stop"},
		{"section ended early twice", body("<![CDATA[p[q]]> <![CDATA[ r[s]]> t]]>"), "p[q]]> t"},
		{"end tag inside a section", body("<![CDATA[see </wp:comment_content> there]]>"), "see there"},
		{"invalid bytes in UTF-8", body("caf\xe9 caf\u00e9"), "caf\ufffd café"},
		{"Windows-1252 that claims to be UTF-8", body("caf\xe9 \x93x\x94"), "café “x”"},
		{"Latin-1 that says so", strings.Replace(body("caf\xe9"), "UTF-8", "ISO-8859-1", 1), "café"},
		{"UTF-16", utf16(body("fine é")), "fine é"},
		{"no declaration of the prefix", strings.Replace(body("fine"), ` xmlns:wp="http://wordpress.org/export/1.2/"`, "", 1), "fine"},
		{"no version", strings.Replace(body("fine"), "<wp:wxr_version>1.2</wp:wxr_version>", "", 1), "fine"},
		{"something after the end", body("fine") + "\n<b>Warning</b>: memory & more", "fine"},
		{"Windows' line ends", strings.ReplaceAll(body("one\ntwo"), "\n", "\r\n"), "one\ntwo"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			records, _ := read(t, test.dump)
			got := strings.TrimSpace(records[0].Comments[0].Body)
			if got = strings.NewReplacer(`\`, "", "  ", " ").Replace(got); got != test.want {
				t.Errorf("the comment reads %q, expected %q", got, test.want)
			}
		})
	}
}

func utf16(s string) string {
	out := []byte{0xff, 0xfe}
	for _, r := range s {
		out = append(out, byte(r), byte(r>>8))
	}
	return string(out)
}

// TestCutAnywhere cuts an export off at every kilobyte.
func TestCutAnywhere(t *testing.T) {
	var posts []string
	for _, id := range []string{"1", "2", "3"} {
		posts = append(posts, post(id, comment("1", "0", "<wp:comment_content><![CDATA["+strings.Repeat("Many words. ", 200)+"]]></wp:comment_content>")+comment("2", "1", "")))
	}
	testRefusedWhenCut(t, newDatabase(t), inFile(t, "cut.xml", export(posts...)), 1<<10)
}

func testRefusedWhenCut(t *testing.T, db database, path string, step int) {
	t.Helper()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before := db.counts(t)
	cutPath := filepath.Join(t.TempDir(), "cut.xml")
	for n := 0; n < len(whole)-10; n += step {
		if err := os.WriteFile(cutPath, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := db.importFile(t, cutPath, Options{})
		e := asError(t, err)
		if last := 1 + bytes.Count(whole[:n], []byte("\n")); e.Line < 1 || e.Line > last || e.File != "cut.xml" {
			t.Errorf("cut after %d bytes, on line %d: %v", n, last, e)
		}
		if diff := gocmp.Diff(before, db.counts(t)); diff != "" {
			t.Fatalf("cut after %d bytes, the import changed the database: %s", n, diff)
		}
	}
}

func TestArchives(t *testing.T) {
	whole := export(post("1", comment("1", "0", "")))
	bomb := io.LimitReader(spaces{}, ratioFrom+maxToken)
	tests := []struct {
		name, content string
		reason        string // "" when it is imported
	}{
		{"gzip", gz(strings.NewReader(whole)), ""},
		{"gzip cut off", gz(strings.NewReader(whole))[:200], "damaged or cut off"},
		{"gzip with a wrong sum", flip(gz(strings.NewReader(whole)), -6), "damaged or cut off"},
		{"gzip bomb", gz(io.MultiReader(strings.NewReader(whole), bomb)), "unpacks to more than 200 times"},
		{"zip", zipped("export.xml", whole), ""},
		{"zip with a dangerous name", zipped("../../etc/export.xml", whole), ""},
		{"zip from a Mac", zipped("export.xml", whole, "__MACOSX/._export.xml", "x"), ""},
		{"zip with two files", zipped("a.xml", whole, "b.xml", whole), "holds 2 files"},
		{"zip without files", zipped(), "holds 0 files"},
		{"zip cut off", zipped("export.xml", whole)[:300], "damaged or cut off"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			db := newDatabase(t)
			before := db.counts(t)
			report, err := db.importFile(t, inFile(t, "export", test.content), Options{})
			if test.reason == "" {
				if err != nil || report.Articles != 1 || report.Comments != 1 {
					t.Errorf("%d articles, %d comments, %v", report.Articles, report.Comments, err)
				}
				return
			}
			if e := asError(t, err); !strings.Contains(e.Reason, test.reason) || e.File != "export" {
				t.Errorf("the error is %v, without %q", e, test.reason)
			}
			if diff := gocmp.Diff(before, db.counts(t)); diff != "" {
				t.Errorf("the import changed the database: %s", diff)
			}
		})
	}
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func gz(r io.Reader) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := io.Copy(w, r)
	if err = errors.Join(err, w.Close()); err != nil {
		panic(err)
	}
	return out.String()
}

func flip(s string, at int) string {
	b := []byte(s)
	b[len(b)+at] ^= 0xff
	return string(b)
}

func zipped(namesAndContents ...string) string {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(namesAndContents); i += 2 {
		f, err := w.Create(namesAndContents[i])
		if err == nil {
			_, err = io.WriteString(f, namesAndContents[i+1])
		}
		if err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.String()
}

// loop reads head, then body n times, then tail.
type loop struct {
	head, body, tail string
	n                int64
	at               int64
}

func (l *loop) Read(p []byte) (int, error) {
	head, body := int64(len(l.head)), int64(len(l.body))*l.n
	var from string
	switch at := l.at; {
	case at < head:
		from = l.head[at:]
	case at < head+body:
		from = l.body[(at-head)%int64(len(l.body)):]
	default:
		if at -= head + body; at >= int64(len(l.tail)) {
			return 0, io.EOF
		}
		from = l.tail[l.at-head-body:]
	}
	n := copy(p, from)
	l.at += int64(n)
	return n, nil
}

func (l *loop) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekStart {
		l.at = offset
	}
	return l.at, nil
}

func TestMemoryIsBounded(t *testing.T) {
	head, tail, _ := strings.Cut(export("HERE"), "HERE")
	items := post("1", "<wp:post_type>nav_menu_item</wp:post_type><wp:post_id></wp:post_id><wp:postmeta>"+strings.Repeat("x", 20_000)+"</wp:postmeta>")
	tests := []struct {
		name   string
		dump   *loop
		reason string
	}{
		{"a large export", &loop{head: head, body: items, tail: tail, n: 2000}, ""},
		{"a text without end", &loop{head: head + "<item><title>", body: strings.Repeat("x", 1<<10), tail: tail, n: 1 << 30}, "larger than 32 MiB"},
		{"a section without end", &loop{head: head + "<item><title><![CDATA[", body: strings.Repeat("]]", 1<<10), tail: tail, n: 1 << 30}, "larger than 32 MiB"},
		{"a tag without end", &loop{head: head + "<item", body: strings.Repeat(" a", 1<<10), tail: tail, n: 1 << 30}, "larger than"},
		{"elements without end", &loop{head: head, body: "<item>", tail: tail, n: 1 << 30}, "<item> stands inside <item>"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			_, err := ReadWXR(test.dump, func(Record) error { return nil })
			runtime.GC()
			runtime.ReadMemStats(&after)
			if test.reason == "" && err != nil || test.reason != "" && !strings.Contains(asError(t, err).Reason, test.reason) {
				t.Errorf("the error is %v, expected %q", err, test.reason)
			}
			if grown := int64(after.Sys) - int64(before.Sys); grown > 512<<20 {
				t.Errorf("reading took %d MiB from the system", grown>>20)
			}
		})
	}
}

func FuzzReadWXR(f *testing.F) {
	for _, name := range []string{"garden.wxr.xml", "converter.wxr.xml"} {
		raw, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(export(post("1", comment("1", "2", "")+comment("2", "1", "")))))
	f.Add([]byte("<rss><channel><wp:x/><item><wp:comment><wp:comment_id><![CDATA[1]]> ]]></wp:comment_id></wp:comment></item></channel></rss>"))
	f.Fuzz(func(t *testing.T, dump []byte) {
		articles, comments := 0, 0
		info, err := ReadWXR(bytes.NewReader(dump), func(d Record) error {
			articles++
			comments += len(d.Comments)
			if d.SourceID == "" || d.Article.Title == "" {
				t.Errorf("an article without id or title: %+v", d.Article)
			}
			return nil
		})
		if err != nil {
			if e := asError(t, err); e.Reason == "" || articles > 0 {
				t.Errorf("%d articles were emitted before the error %q", articles, e)
			}
			return
		}
		if info.Articles != articles || info.Comments != comments {
			t.Errorf("%d articles and %d comments were emitted, the info is %+v", articles, comments, info)
		}
		account(t, Report{Read: info})
	})
}
