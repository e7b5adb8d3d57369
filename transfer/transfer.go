// Package transfer reads other systems' exports as a stream of discussions and
// writes them into the store.
//
// What stays true:
//   - Nothing is lost in silence. Every record of a file is imported, was there
//     already, or is in the report with the reason why not.
//   - A file that cannot be read to its end changes nothing: it is read once to
//     check it and again to write it. The error names the line.
//   - A repeated import adds only what is new, because every record has an id
//     that is the same in every export of its site. An import that was
//     interrupted is completed by running it again.
//   - What a file does not say is not made up: a date that is missing stays
//     unknown, and people who merely have one name are not the same person.
//   - Memory is bounded by the largest article with its discussion, not by the
//     file, and a hostile file meets a limit before it meets the end of memory.
//     Names inside archives are never used as paths.
package transfer

import (
	"fmt"

	"postil/models"
)

// Record is one article with its whole discussion.
type Record = models.ImportDiscussion

// Error is a file that cannot be imported. Reason is a sentence or two: what is
// wrong, and what to do about it.
type Error struct {
	File   string // name without its folder; may be empty
	Line   int    // from 1; 0 when the whole file is meant
	Reason string
}

func (e *Error) Error() string {
	switch {
	case e.Line > 0 && e.File != "":
		return fmt.Sprintf("%s, line %d: %s", e.File, e.Line, e.Reason)
	case e.Line > 0:
		return fmt.Sprintf("line %d: %s", e.Line, e.Reason)
	case e.File != "":
		return fmt.Sprintf("%s: %s", e.File, e.Reason)
	}
	return e.Reason
}

func failf(line int, format string, args ...any) *Error {
	return &Error{Line: line, Reason: fmt.Sprintf(format, args...)}
}

// Skip is a record that was left out.
type Skip struct {
	Line int
	What string // as its reader knows it: post 12 “Title”
	Why  string
}

// Limits of what is read. They are far above what real sites have.
const (
	maxUnpacked  = 4 << 30  // bytes that an archive may hold
	maxRatio     = 200      // how much smaller than its content an archive may be,
	ratioFrom    = 64 << 20 // once it has yielded this much
	maxToken     = 32 << 20 // bytes of one text
	maxTag       = 1 << 20  // bytes of one tag; each attribute costs far more memory than it is long
	maxItem      = 512 << 20
	maxMarkdown  = 8 << 20
	maxSkipLines = 100_000 // records left out that are listed one by one
)
