package markup

import (
	"bytes"
	"unicode/utf8"
)

// errTooLarge answers texts that unfold: a few characters that become many
// tags, or one long address that is referred to again and again.
var errTooLarge = refuse("This text becomes far larger when it is formatted. " +
	"Please use fewer tables, lists, links or empty blocks, or split it.")

// budgetWriter is a buffer with a lid. Once full it keeps nothing more and
// answers every write with errTooLarge, which the node renderers pass on so
// that rendering ends. The error that sticks is also seen by the caller of
// Render, for renderers that do not look.
type budgetWriter struct {
	buf  bytes.Buffer
	left int
	err  error
}

func (w *budgetWriter) take(n int) bool {
	if w.err == nil && n > w.left {
		w.err = errTooLarge
	}
	if w.err != nil {
		return false
	}
	w.left -= n
	return true
}

func (w *budgetWriter) Write(p []byte) (int, error) {
	if !w.take(len(p)) {
		return 0, w.err
	}
	return w.buf.Write(p)
}

func (w *budgetWriter) WriteString(s string) (int, error) {
	if !w.take(len(s)) {
		return 0, w.err
	}
	return w.buf.WriteString(s)
}

func (w *budgetWriter) WriteByte(c byte) error {
	if !w.take(1) {
		return w.err
	}
	return w.buf.WriteByte(c)
}

func (w *budgetWriter) WriteRune(r rune) (int, error) {
	if !w.take(utf8.RuneLen(r)) {
		return 0, w.err
	}
	return w.buf.WriteRune(r)
}

// Available, Buffered and Flush complete the interface that the renderer wants.
func (w *budgetWriter) Available() int { return w.left }
func (w *budgetWriter) Buffered() int  { return 0 }
func (w *budgetWriter) Flush() error   { return w.err }
