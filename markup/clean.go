package markup

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean makes src fit for the parser: valid UTF-8, "\n" for every line ending,
// and none of the characters that dropped names.
func clean(src string) string {
	src = strings.ToValidUTF8(src, string(utf8.RuneError))
	if strings.ContainsRune(src, '\r') {
		src = strings.ReplaceAll(src, "\r\n", "\n")
		src = strings.ReplaceAll(src, "\r", "\n")
	}
	return strings.Map(keep, src)
}

// dropControls is clean's second look. Markdown resolves character references
// such as &#8238; while it renders, so unwanted characters can be back.
func dropControls(html []byte) []byte { return bytes.Map(keep, html) }

func keep(r rune) rune {
	if dropped(r) {
		return -1
	}
	return r
}

// dropped reports whether r never belongs into a text. Control characters have
// no meaning in one. The bidi embeddings, overrides and isolates reorder what
// comes after them, so one comment could make the next appear to say something
// else; right-to-left scripts do not need them, because every block carries
// dir="auto". The three innocent marks U+200E, U+200F and U+061C stay.
func dropped(r rune) bool {
	switch {
	case r == '\t' || r == '\n' || r == '\r':
		return false
	case r < 0x20 || r == 0x7f:
		return true
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return true
	}
	return false
}

// countWords counts the words of a plain text. A field without any letter or
// digit, such as a dash, is none.
func countWords(text string) int {
	words, inWord := 0, false
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
			words++
			inWord = false
		case unicode.IsLetter(r) || unicode.IsNumber(r):
			if !inWord {
				words++
			}
			inWord = true
		case unicode.IsSpace(r):
			inWord = false
		}
	}
	return words
}
