package transfer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"postil/models"
)

// site is an export with a little of everything.
func site() string {
	return export(
		post("1", comment("1", "0", "")+comment("2", "1", "")+comment("3", "1", "<wp:comment_type>trackback</wp:comment_type>")),
		post("2", "<wp:status>draft</wp:status>"+comment("4", "0", "")),
		post("3", comment("5", "77", "<wp:comment_date_gmt>0000-00-00 00:00:00</wp:comment_date_gmt>")+comment("6", "6", "<wp:comment_author></wp:comment_author>")),
		post("4", "<wp:post_type>attachment</wp:post_type>"),
	)
}

func TestImportAccountsForEveryRecord(t *testing.T) {
	db := newDatabase(t)
	path := inFile(t, "site.xml", site())
	dry := db.mustImport(t, path, Options{DryRun: true})
	if n := db.counts(t)["articles"]; n != 0 {
		t.Errorf("the dry run made %d articles", n)
	}
	var seen []string
	report := db.mustImport(t, path, Options{Progress: func(done, total int64, doing string) {
		if done > total {
			t.Errorf("%d of %d bytes are done", done, total)
		}
		seen = append(seen, doing)
	}})
	if len(seen) == 0 || seen[len(seen)-1] != "done" {
		t.Errorf("progress said %v", seen)
	}
	if diff := gocmp.Diff(dry.ImportResult, report.ImportResult); diff != "" {
		t.Errorf("the dry run foretold something else: %s", diff)
	}
	if report.Articles != 2 || report.Comments != 4 || report.Authors != 5 {
		t.Errorf("imported %d articles, %d comments, %d authors", report.Articles, report.Comments, report.Authors)
	}
	account(t, report)
	text := written(report)
	for _, want := range []string{
		"version 1.2", "“Garden notes”", "Imported 2 articles, 4 comments and 5 authors.", "“Post 1”: new, 2 new comments",
		"1 date in the file is 0000-00-00; it is shown as unknown.", "attachment ×1",
		"line 6: post 2 “Post 2” with 1 comment: it is not published (draft)", "comment 3 by Author 3: it is a trackback",
		"answers post:3/77, which is not in the file", "answers itself",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	if !strings.Contains(written(dry), "dry run; nothing was changed") {
		t.Errorf("the report of the dry run does not say so:\n%s", written(dry))
	}
}

func TestImportAgainChangesNothing(t *testing.T) {
	db := newDatabase(t)
	path := inFile(t, "site.xml", site())
	db.mustImport(t, path, Options{})
	before := db.counts(t)
	again := db.mustImport(t, path, Options{})
	if again.Articles+again.Comments+again.Authors != 0 || again.Unchanged != 6 {
		t.Errorf("the second run: %+v", again.ImportResult)
	}
	if diff := gocmp.Diff(before, db.counts(t)); diff != "" {
		t.Error(diff)
	}
	db.mustImport(t, inFile(t, "other name.xml.gz", gz(strings.NewReader(site()))), Options{})
	if diff := gocmp.Diff(before, db.counts(t)); diff != "" {
		t.Errorf("the same export as an archive was imported again: %s", diff)
	}
	more := db.mustImport(t, path, Options{IncludeUnpublished: true})
	if more.Articles != 1 || more.Comments != 1 || more.Unchanged != 6 {
		t.Errorf("with drafts: %+v", more.ImportResult)
	}
}

// TestImportCompletesAnInterruptedOne stops after some articles, as a killed
// process does, because each is a transaction of its own.
func TestImportCompletesAnInterruptedOne(t *testing.T) {
	whole := newDatabase(t)
	path := inFile(t, "site.xml", site())
	whole.mustImport(t, path, Options{})

	db := newDatabase(t)
	killed := errors.New("killed")
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	n := 0
	_, err = ReadWXR(file, func(d Record) error {
		if n++; n == 2 {
			return killed
		}
		_, err := db.Import(t.Context(), models.System(), "wxr:https://garden.example", d, false)
		return err
	})
	if err != killed {
		t.Fatalf("the error of emit came back as %v", err)
	}
	report := db.mustImport(t, path, Options{})
	if report.Articles != 1 || report.Unchanged != 3 {
		t.Errorf("completed: %+v", report.ImportResult)
	}
	if diff := gocmp.Diff(whole.counts(t), db.counts(t)); diff != "" {
		t.Errorf("an import in one go and one in two differ: %s", diff)
	}
}

func TestImportIsForAdmins(t *testing.T) {
	db := newDatabase(t)
	path := inFile(t, "site.xml", site())
	for _, role := range []models.Role{"", models.Reader, models.Author, models.Moderator} {
		if _, err := ImportWXR(t.Context(), db.Store, models.Actor{UserID: 1, Role: role}, path, Options{}); err == nil {
			t.Errorf("%q may import", role)
		}
	}
	if n := db.counts(t)["articles"]; n != 0 {
		t.Errorf("%d articles were imported", n)
	}
}

func TestImportStopsWhenAsked(t *testing.T) {
	db := newDatabase(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := ImportWXR(ctx, db.Store, models.System(), inFile(t, "site.xml", site()), Options{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if _, err := ImportWXR(t.Context(), db.Store, models.System(), filepath.Join(t.TempDir(), "none.xml"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := db.importFile(t, t.TempDir(), Options{}); asError(t, err).Reason == "" {
		t.Error("a folder is no error")
	}
}

// TestTextsTooLongToShow covers what the store refuses: the article comes in
// with its paragraphs split, or is in the report.
func TestTextsTooLongToShow(t *testing.T) {
	db := newDatabase(t)
	long := func(n int) string {
		return "<content:encoded><![CDATA[" + strings.Repeat("31415926535897932384 ", n) + "]]></content:encoded>"
	}
	report := db.mustImport(t, inFile(t, "long.xml", export(post("1", long(1000)+comment("1", "0", "")), post("2", long(11_000)), post("3", ""))), Options{})
	if report.Articles != 2 || report.Comments != 1 || len(report.Refused) != 1 {
		t.Errorf("imported %d articles, %d comments; refused %v", report.Articles, report.Comments, report.Refused)
	}
	for _, want := range []string{"“Post 1” has paragraphs too long to be shown; they are split", "article “Post 2” with 0 comments: "} {
		if !strings.Contains(written(report), want) {
			t.Errorf("the report lacks %q:\n%s", want, written(report))
		}
	}
}

func TestAnotherSiteWithTheSameIdsIsAnotherSource(t *testing.T) {
	db := newDatabase(t)
	db.mustImport(t, inFile(t, "a.xml", site()), Options{})
	report := db.mustImport(t, inFile(t, "b.xml", strings.ReplaceAll(site(), "garden.example", "meadow.example")), Options{})
	if report.Articles != 2 || report.Unchanged != 0 {
		t.Errorf("the other site: %+v", report.ImportResult)
	}
	if slugs := db.rows(t, "SELECT slug FROM articles ORDER BY id"); len(slugs) != 4 || slugs[0] != "post-1" || slugs[2] == "post-1" {
		t.Errorf("the addresses are %v", slugs)
	}
	if n := len(db.rows(t, "SELECT 1 FROM users WHERE display_name = 'Rosa Thorn'")); n != 2 {
		t.Errorf("there are %d people named Rosa Thorn; each site has one", n)
	}
}
