package transfer

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"postil/models"
)

// Report accounts for every record of a dump.
type Report struct {
	models.ImportResult
	Read        WXRInfo
	Refused     []Skip     // articles that the store did not take
	Discussions []Imported // the others, in the order of the file
	DryRun      bool
}

// Imported is what became of one article with its comments.
type Imported struct {
	Title              string
	Articles, Comments int // new ones
	Unchanged          int // records that were there
}

// WriteTo writes the report for people.
func (r Report) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	r.head(&b)
	r.result(&b)
	for _, d := range r.Discussions {
		fmt.Fprintf(&b, "  %s\n", d.line())
	}
	r.dates(&b)
	r.leftOut(&b)
	if notes := append(slices.Clone(r.Read.Notes), r.Notes...); len(notes) > 0 {
		b.WriteString("\nNotes:\n")
		for _, note := range notes {
			fmt.Fprintf(&b, "  %s\n", note)
		}
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

func (r Report) head(b *strings.Builder) {
	info := r.Read
	b.WriteString("WordPress export")
	if info.Version != "" {
		b.WriteString(" (version " + oneLine(shorten(info.Version, 20)) + ")")
	}
	if info.Title != "" {
		b.WriteString(" of “" + info.Title + "”")
	}
	if address := cmp.Or(info.Site, info.Link); address != "" {
		b.WriteString(", " + oneLine(address))
	}
	fmt.Fprintf(b, ": %s; read %s with %s.\n", plural(int64(info.Items), "item", "items"), plural(int64(info.Articles), "article", "articles"), plural(int64(info.Comments), "comment", "comments"))
}

func (r Report) result(b *strings.Builder) {
	does := "Imported"
	if r.DryRun {
		does = "This was a dry run; nothing was changed. It would import"
	}
	fmt.Fprintf(b, "%s %s, %s and %s.", does, plural(int64(r.Articles), "article", "articles"), plural(int64(r.Comments), "comment", "comments"), plural(int64(r.Authors), "author", "authors"))
	if r.Unchanged > 0 {
		fmt.Fprintf(b, " %s there already and stayed unchanged.", plural(int64(r.Unchanged), "record was", "records were"))
	}
	b.WriteString("\n")
}

func (d Imported) line() string {
	var parts []string
	if d.Articles > 0 {
		parts = append(parts, "new")
	}
	if d.Comments > 0 {
		parts = append(parts, plural(int64(d.Comments), "new comment", "new comments"))
	}
	if d.Unchanged > 0 {
		parts = append(parts, plural(int64(d.Unchanged), "record", "records")+" unchanged")
	}
	return fmt.Sprintf("“%s”: %s", d.Title, strings.Join(parts, ", "))
}

func (r Report) dates(b *strings.Builder) {
	if n := r.Read.ZeroDates; n > 0 {
		fmt.Fprintf(b, "\n%s 0000-00-00; %s shown as unknown.\n", plural(int64(n), "date in the file is", "dates in the file are"), itIs(n))
	}
	if n := r.Read.MissingDates; n > 0 {
		fmt.Fprintf(b, "\n%s missing or cannot be read; %s shown as unknown.\n", plural(int64(n), "date in the file is", "dates in the file are"), itIs(n))
	}
}

func itIs(n int) string {
	if n == 1 {
		return "it is"
	}
	return "they are"
}

func (r Report) leftOut(b *strings.Builder) {
	if len(r.Read.Ignored) > 0 {
		var kinds []string
		for _, kind := range slices.Sorted(maps.Keys(r.Read.Ignored)) {
			kinds = append(kinds, fmt.Sprintf("%s ×%d", oneLine(kind), r.Read.Ignored[kind]))
		}
		fmt.Fprintf(b, "\nNot articles, and without comments: %s.\n", strings.Join(kinds, ", "))
	}
	if len(r.Read.Skipped)+len(r.Refused) == 0 {
		return
	}
	b.WriteString("\nLeft out:\n")
	for _, s := range r.Read.Skipped {
		fmt.Fprintf(b, "  line %d: %s: %s\n", s.Line, s.What, s.Why)
	}
	for _, s := range r.Refused {
		fmt.Fprintf(b, "  %s: %s\n", s.What, s.Why)
	}
	if r.Read.SkippedMore > 0 {
		fmt.Fprintf(b, "  and %s more\n", plural(int64(r.Read.SkippedMore), "record", "records"))
	}
}
