package transfer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"postil/models"
)

// Options say how a dump is imported. The zero value imports what is public.
type Options struct {
	DryRun             bool                                  // do everything and undo it
	IncludeUnpublished bool                                  // drafts, private and protected posts, as drafts
	Progress           func(done, total int64, doing string) // in bytes; may be nil
}

// ImportWXR imports a WordPress export: plain, gzip, or a zip with one file in
// it. The file is read once to check it, and only then read again to be
// written, each article with its comments in one transaction. An article that
// the store refuses is in the report; any other error ends the import, and
// running it again completes it. The report is valid with an error, too.
func ImportWXR(ctx context.Context, store *models.Store, actor models.Actor, path string, opts Options) (Report, error) {
	report := Report{DryRun: opts.DryRun}
	if err := actor.CanAdminister(); err != nil {
		return report, err
	}
	src, err := fileSource(path)
	if err != nil {
		return report, err
	}
	p := progress{tell: opts.Progress, total: 2 * src.size, doing: "checking"}
	w := wxrReader{src: src, unpublished: opts.IncludeUnpublished, progress: p.add}
	if err := w.survey(ctx); err != nil {
		return report, err
	}
	p.done, p.doing = src.size, "importing"
	into := importer{store: store, actor: actor, source: w.info.Source(), dryRun: opts.DryRun, report: &report}
	if into.source == "wxr:" {
		into.source += src.name // a site that does not say where it is
	}
	report.Read, err = w.emit(ctx, func(d Record) error { return into.write(ctx, d) })
	if err != nil {
		return report, err
	}
	p.finish()
	return report, nil
}

// importer writes records into the store and accounts for them.
type importer struct {
	store  *models.Store
	actor  models.Actor
	source string
	dryRun bool
	report *Report
	names  map[string]bool // authors that a dry run has counted
}

func (i *importer) write(ctx context.Context, d Record) error {
	if i.dryRun {
		d = i.withNewAuthorsOnly(d)
	}
	result, err := i.store.Import(ctx, i.actor, i.source, d, i.dryRun)
	if whole := d.Article.Body; models.KindOf(err) == models.Invalid {
		d.Article.Body = splitParagraphs(whole)
		result, err = i.store.Import(ctx, i.actor, i.source, d, i.dryRun)
		if err == nil && d.Article.Body != whole {
			result.Notes = append(result.Notes, "“"+d.Article.Title+"” has paragraphs too long to be shown; they are split")
		}
	}
	if models.KindOf(err) == models.Invalid {
		i.report.Refused = append(i.report.Refused, Skip{What: "article “" + d.Article.Title + "” with " + plural(int64(len(d.Comments)), "comment", "comments"), Why: reason(err)})
		return nil
	}
	if err != nil {
		return fmt.Errorf("import %s: %w", d.SourceID, err)
	}
	i.report.Add(result)
	i.report.Discussions = append(i.report.Discussions, Imported{Title: d.Article.Title, Articles: result.Articles, Comments: result.Comments, Unchanged: result.Unchanged})
	return nil
}

func reason(err error) string {
	var e *models.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}

// withNewAuthorsOnly makes a dry run count people once. The store forgets after
// each article of a dry run whom it has just made, so whoever was counted with
// an earlier article is replaced by somebody who is counted with this one.
func (i *importer) withNewAuthorsOnly(d Record) Record {
	if i.names == nil {
		i.names = map[string]bool{}
	}
	authors := []*models.ImportAuthor{&d.Article.Author}
	d.Comments = append([]models.ImportComment(nil), d.Comments...)
	for k := range d.Comments {
		authors = append(authors, &d.Comments[k].Author)
	}
	fresh := map[string]bool{}
	var one models.ImportAuthor
	for _, a := range authors {
		if !i.names[a.SourceID] {
			fresh[a.SourceID], one = true, *a
		}
	}
	for _, a := range authors {
		if len(fresh) > 0 && !fresh[a.SourceID] {
			*a = one
		}
	}
	for id := range fresh {
		i.names[id] = true
	}
	return d
}

// progress tells how far an import is, a few times a second.
type progress struct {
	tell        func(done, total int64, doing string)
	done, total int64
	doing       string
	last        time.Time
}

func (p *progress) add(n int64) {
	p.done += n
	if p.tell != nil && time.Since(p.last) > 100*time.Millisecond {
		p.last = time.Now()
		p.tell(min(p.done, p.total), p.total, p.doing)
	}
}

func (p *progress) finish() {
	if p.tell != nil {
		p.tell(p.total, p.total, "done")
	}
}
