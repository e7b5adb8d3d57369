package markup

import (
	"fmt"
	"strings"
)

// MaxImportBytes is the longest HTML that FromHTML and FromWordPress read.
const MaxImportBytes = 1 << 20

// FromHTML turns imported HTML into Markdown that renders to the same thing in
// both dialects: paragraphs, headings, quotes, lists, code, tables, links,
// images, bold, italics and strikethrough. Characters that Markdown would read
// as markup are escaped and so stay what they are. Scripts, styles, forms and
// everything else without a counterpart are dropped; embedded media become
// links. The HTML may be as broken as it likes.
func FromHTML(html string) (string, error) { return convert(html, false) }

// FromWordPress is FromHTML for posts and comments as WordPress stores them,
// where white space means something: an empty line ends a paragraph and a
// single newline breaks the line, except in code and between blocks. Posts
// written in the block editor are spelled out in full and read as plain HTML;
// their block comments give them away.
func FromWordPress(html string) (string, error) {
	return convert(html, !strings.Contains(html, "<!-- wp:"))
}

func convert(html string, newlines bool) (string, error) {
	if len(html) > MaxImportBytes {
		return "", refuse("This page has %d bytes of HTML; the limit is %d. Please split it.", len(html), MaxImportBytes)
	}
	root, err := parseHTML(clean(html))
	if err != nil {
		return "", fmt.Errorf("markup: reading HTML: %w", err)
	}
	c := converter{newlines: newlines}
	return joinBlocks(c.flow(root.children, 0), "\n\n"), nil
}
