// Package anchor finds a quoted passage again in a changed text, and shows in
// words how two texts differ.
//
// It works on plain strings and knows nothing of articles or comments. What
// must stay true:
//
//   - Nothing is lost: the kept and removed parts of a difference spell the old
//     text, the kept and added parts the new one, byte for byte, also when the
//     texts are not valid UTF-8.
//   - The same two texts always give the same answer. Limits count steps and
//     not seconds, so a busy machine changes nothing.
//   - Work is bounded. Two texts that have nothing in common get a coarser
//     answer instead of a slow one.
package anchor
