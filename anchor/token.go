package anchor

import (
	"unicode"
	"unicode/utf8"
)

// tokens is a text cut into the pieces that are compared: words, stretches of
// white space, line breaks, and single marks of punctuation. The pieces cover
// the text without gaps. Equal pieces have equal ids.
type tokens struct {
	text string
	ends []int   // token i is text[ends[i-1]:ends[i]]
	ids  []int32 // one per token
}

// A vocabulary gives each distinct piece a number, so that comparing two pieces
// is comparing two integers. Texts can be compared only if they share one.
type vocabulary map[string]int32

func (v vocabulary) id(piece string) int32 {
	id, known := v[piece]
	if !known {
		id = int32(len(v))
		v[piece] = id
	}
	return id
}

// tokenize cuts a text into tokens.
func (v vocabulary) tokenize(text string) tokens {
	t := tokens{text: text}
	for at := 0; at < len(text); {
		size := tokenSize(text[at:])
		t.ids = append(t.ids, v.id(text[at:at+size]))
		at += size
		t.ends = append(t.ends, at)
	}
	return t
}

func (t tokens) len() int { return len(t.ids) }

// start returns where in the text token i begins; for i == len, its end.
func (t tokens) start(i int) int {
	if i == 0 {
		return 0
	}
	return t.ends[i-1]
}

// slice returns the text of the tokens from lo up to, not including, hi.
func (t tokens) slice(lo, hi int) string {
	return t.text[t.start(lo):t.start(hi)]
}

func (t tokens) at(i int) string { return t.slice(i, i+1) }

// tokenSize returns the length in bytes of the first token of a text that is
// not empty.
func tokenSize(text string) int {
	first, size := utf8.DecodeRuneInString(text)
	switch {
	case first == '\n':
		return size
	case unicode.IsSpace(first):
		return size + spaceSize(text[size:])
	case isWordRune(first) && !isUnspaced(first):
		return wordSize(text)
	}
	return size + trailSize(text[size:])
}

// spaceSize measures the white space at the start of text, up to a line break.
func spaceSize(text string) int {
	for i, r := range text {
		if r == '\n' || !unicode.IsSpace(r) {
			return i
		}
	}
	return len(text)
}

// wordSize measures the word at the start of text. An apostrophe between
// letters and a point or comma between digits belong to the word: "don't",
// "3.14".
func wordSize(text string) int {
	var last rune
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRuneInString(text[at:])
		if isWordRune(r) && !isUnspaced(r) {
			last = r
		} else if next, _ := utf8.DecodeRuneInString(text[at+size:]); !joins(last, r, next) {
			return at
		}
		at += size
	}
	return len(text)
}

// joins reports whether r between two runes of a word is part of that word.
func joins(before, r, after rune) bool {
	switch r {
	case '\'', '’':
		return unicode.IsLetter(before) && unicode.IsLetter(after) && !isUnspaced(after)
	case '.', ',':
		return unicode.IsDigit(before) && unicode.IsDigit(after)
	}
	return false
}

// trailSize measures what stays glued to the rune before text: accents,
// variation selectors, skin tones, and whatever follows a zero-width joiner.
// It keeps 👩🏽‍🚀 in one piece.
func trailSize(text string) int {
	joined := false
	for i, r := range text {
		if r == '\n' || !joined && !isTrailing(r) {
			return i
		}
		joined = r == zeroWidthJoiner
	}
	return len(text)
}

const zeroWidthJoiner = '\u200d'

func isTrailing(r rune) bool {
	return r == zeroWidthJoiner || unicode.IsMark(r) || r >= 0x1F3FB && r <= 0x1F3FF
}

func isWordRune(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r)
}

// isUnspaced reports whether a letter belongs to a script that puts no spaces
// between words. Such text is compared letter by letter: a paragraph of Chinese
// as one word would always be either unchanged or replaced.
func isUnspaced(r rune) bool {
	if r < 0x0E00 {
		return false
	}
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana,
		unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// isWord reports whether a token counts as a word in statistics.
func isWord(token string) bool {
	for _, r := range token {
		return isWordRune(r)
	}
	return false
}
