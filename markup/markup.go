// Package markup turns what people type into HTML that is safe to show.
//
// There are two dialects. A comment is written quickly by a stranger, so it
// gets the smaller one: every newline is a line break, there are no images, no
// headings and no ids. An article is written with care by somebody who was
// given the right to publish, so it gets headings with ids, images, footnotes
// and task lists as well. Both are CommonMark with tables, strikethrough and
// bare links on top.
//
// A text passes five stations, always in this order:
//
//	clean     (clean.go)   bad bytes, control and bidi characters go
//	parse     (guard.go)   Markdown becomes a tree; costly texts are refused
//	finish    (finish.go)  ids, text direction and nesting are settled
//	render    (nodes.go)   the tree becomes HTML under a size budget
//	sanitise  (policy.go)  only listed tags and attributes survive
//
// Two things stay true, whatever the input. No author's tag reaches the page:
// raw HTML is shown as the characters that were typed, and the sanitiser would
// remove anything the renderer let slip. And no text costs more than a bounded
// amount of work: one that would is refused with a LimitError, whose message
// tells the author what to change.
//
// Every function may be called from many goroutines at once.
package markup

import (
	"fmt"
	"sync"
	"unicode/utf8"
)

// Version is bumped whenever the same source renders to different HTML, so
// that whoever stores HTML can see that it is stale and render it again.
const Version = 1

// The longest texts that are rendered at all, in runes, after line endings
// have been normalised.
const (
	MaxCommentRunes = 10_000
	MaxArticleRunes = 200_000
)

// Rendered is a text ready to be shown, together with what the rest of the
// program wants to know about it without parsing HTML again.
type Rendered struct {
	// HTML is a sanitised fragment.
	HTML string
	// Text is what a reader sees, without tags: one line per block, per <br>
	// and per line of code, single spaces in between, no empty lines. Anchors,
	// search and diffs work on it.
	Text string
	// Words counts runs of letters and digits; in scripts that do without
	// spaces every character counts.
	Words int
	// Headings lists the headings of an article from top to bottom. It is
	// always nil for a comment.
	Headings []Heading
}

// Heading is one line of an article's table of contents.
type Heading struct {
	Level int    // 1 to 6
	ID    string // the id attribute, without "#"
	Text  string // plain text
}

// LimitError says that a text was refused because rendering it would cost too
// much. Message is a full sentence for its author and says what to change.
type LimitError struct{ Message string }

func (e *LimitError) Error() string { return e.Message }

func refuse(format string, args ...any) *LimitError {
	return &LimitError{Message: fmt.Sprintf(format, args...)}
}

// Comment renders a reader's comment.
func Comment(src string) (Rendered, error) { return commentDialect().render(src) }

// Article renders an article.
func Article(src string) (Rendered, error) { return articleDialect().render(src) }

var (
	commentDialect = sync.OnceValue(newCommentDialect)
	articleDialect = sync.OnceValue(newArticleDialect)
)

// render takes src through the five stations. The deferred recover is a border
// post: the parser is foreign code that reads hostile text, and a bug in it
// must cost one answer, not the process.
func (d *dialect) render(src string) (out Rendered, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, err = Rendered{}, fmt.Errorf("markup: the parser panicked: %v", r)
		}
	}()
	text := clean(src)
	if n := utf8.RuneCountInString(text); n > d.limits.runes {
		return Rendered{}, refuse("This text has %d characters; the limit is %d. Please shorten it.", n, d.limits.runes)
	}
	source := []byte(text)
	doc, err := d.parse(source)
	if err != nil {
		return Rendered{}, err
	}
	if err := d.finish(doc, source); err != nil {
		return Rendered{}, err
	}
	budget := 10*len(source) + 16<<10
	raw, err := d.toHTML(doc, source, budget)
	if err != nil {
		return Rendered{}, err
	}
	safe := d.policy.SanitizeBytes(dropControls(raw))
	if len(safe) > budget {
		return Rendered{}, errTooLarge
	}
	out.HTML = string(safe)
	out.Text, out.Headings = plainText(out.HTML)
	out.Words = countWords(out.Text)
	return out, nil
}
