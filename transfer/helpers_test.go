package transfer

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postil/auth"
	"postil/models"
)

// database is a store in a file of its own, and a second look into that file.
type database struct {
	*models.Store
	sql *sql.DB
}

func newDatabase(t *testing.T) database {
	t.Helper()
	path := filepath.Join(t.TempDir(), "postil.db")
	store, err := models.Open(context.Background(), path, models.Config{Hasher: auth.NewTestHasher(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	look, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(look.Close(), store.Close()); err != nil {
			t.Error(err)
		}
	})
	return database{store, look}
}

// counts is how many rows every table has that an import could touch.
func (db database) counts(t *testing.T) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, table := range []string{"articles", "threads", "revisions", "comments", "users", "events", "imported", "article_tags"} {
		out[table] = len(db.rows(t, "SELECT 1 FROM "+table))
	}
	return out
}

// rows runs a query and joins the columns of each row by " | ".
func (db database) rows(t *testing.T, query string, args ...any) []string {
	t.Helper()
	rows, err := db.sql.Query(query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, _ := rows.Columns()
	var out []string
	for rows.Next() {
		values := make([]sql.NullString, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		texts := make([]string, len(values))
		for i, v := range values {
			texts[i] = v.String
		}
		out = append(out, strings.Join(texts, " | "))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func (db database) importFile(t *testing.T, path string, opts Options) (Report, error) {
	t.Helper()
	return ImportWXR(context.Background(), db.Store, models.System(), path, opts)
}

func (db database) mustImport(t *testing.T, path string, opts Options) Report {
	t.Helper()
	report, err := db.importFile(t, path, opts)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// inFile writes a dump into a file of its own.
func inFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// read collects what a dump holds.
func read(t *testing.T, dump string) ([]Record, WXRInfo) {
	t.Helper()
	records, info, err := tryRead(dump)
	if err != nil {
		t.Fatal(err)
	}
	return records, info
}

func tryRead(dump string) ([]Record, WXRInfo, error) {
	var records []Record
	info, err := ReadWXR(strings.NewReader(dump), func(d Record) error {
		records = append(records, d)
		return nil
	})
	return records, info, err
}

// export wraps items into an export of the usual kind.
func export(items ...string) string {
	return `<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>Garden notes</title><link>https://garden.example</link><wp:wxr_version>1.2</wp:wxr_version><wp:base_blog_url>https://garden.example</wp:base_blog_url>
<wp:author><wp:author_id>7</wp:author_id><wp:author_login>rosa</wp:author_login><wp:author_email>Rosa@garden.example</wp:author_email><wp:author_display_name><![CDATA[Rosa Thorn]]></wp:author_display_name></wp:author>
` + strings.Join(items, "\n") + "\n</channel></rss>\n"
}

// post is a published post; more comes after its usual elements and may repeat
// them to overrule them.
func post(id, more string) string {
	return `<item><title>Post ` + id + `</title><link>https://garden.example/post-` + id + `/</link><dc:creator>rosa</dc:creator><content:encoded><![CDATA[Text ` + id + `.]]></content:encoded>` +
		`<wp:post_id>` + id + `</wp:post_id><wp:post_date>2020-03-01 12:00:00</wp:post_date><wp:post_date_gmt>2020-03-01 10:00:00</wp:post_date_gmt>` +
		`<wp:post_name>post-` + id + `</wp:post_name><wp:status>publish</wp:status><wp:post_type>post</wp:post_type>` + more + `</item>`
}

// comment is an approved comment, changed like a post.
func comment(id, parent, more string) string {
	return "<wp:comment><wp:comment_id>" + id + "</wp:comment_id><wp:comment_author>Author " + id + "</wp:comment_author><wp:comment_date_gmt>2020-03-02 10:00:0" + id[len(id)-1:] +
		"</wp:comment_date_gmt><wp:comment_content><![CDATA[Words " + id + ".]]></wp:comment_content><wp:comment_approved>1</wp:comment_approved><wp:comment_type></wp:comment_type><wp:comment_parent>" +
		parent + "</wp:comment_parent>" + more + "</wp:comment>"
}

func asError(t *testing.T, err error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("the error is %v (%T), not an *Error", err, err)
	}
	return e
}

func written(w interface {
	WriteTo(io.Writer) (int64, error)
}) string {
	var b strings.Builder
	_, _ = w.WriteTo(&b)
	return b.String()
}
