package auth

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Lengths count Unicode code points after normalisation, not bytes.
const (
	minPassword = 15
	maxPassword = 128
)

const (
	minDistinct = 5 // different characters
	minEffort   = 8 // see effort
	minWords    = 3 // common words, when all else is digits and punctuation
	minLetters  = 4 // below this it is digits and punctuation, and not words
)

// WeakError says why a password is refused.
type WeakError struct {
	Message string // a sentence or two for the person who chose the password
}

func (e *WeakError) Error() string { return e.Message }

// CheckPassword returns a [*WeakError] if a new password is too easy to guess,
// and otherwise nil. Use it when a password is chosen, never at login.
//
// Length is what counts: at least 15 characters, at most 128, of any kind. Nobody
// is made to mix in digits or capitals, which makes passwords harder to
// remember and hardly harder to guess. What is long but trivial is refused:
// "passwordpassword", "qwertyuiopasdfgh", "Welcome2024!!!!", and what consists
// mostly of a context word. Context is what an attacker tries first: the
// person's user name and e-mail address, the name of the site.
func CheckPassword(password string, context ...string) error {
	if !utf8.ValidString(password) {
		return &WeakError{"This password contains bytes that are not text."}
	}
	length := utf8.RuneCountInString(norm.NFC.String(password))
	if length < minPassword {
		return &WeakError{fmt.Sprintf("Use at least %d characters, for instance four or five unrelated words. This has %d.", minPassword, length)}
	}
	if length > maxPassword {
		return &WeakError{fmt.Sprintf("Use at most %d characters. This has %d.", maxPassword, length)}
	}
	text := foldPassword(password)
	if distinctRunes(text) < minDistinct {
		return &WeakError{"This password repeats a few characters. Use four or five unrelated words instead."}
	}
	words, whole := effort(text, contextWords(context))
	if whole < minEffort {
		return &WeakError{"This password is easy to guess: common words, names, sequences or repeats are most of it. Use four or five unrelated words instead."}
	}
	if words < minWords*wordEffort && countLetters(text) >= minLetters {
		return &WeakError{"This password is a common word or two with digits or punctuation around. Use four or five unrelated words instead."}
	}
	return nil
}

// foldPassword removes differences that do not make guessing harder: case and
// the width of letters.
func foldPassword(password string) []rune {
	return []rune(strings.ToLower(norm.NFKC.String(password)))
}

func distinctRunes(text []rune) int {
	seen := make(map[rune]bool)
	for _, r := range text {
		seen[r] = true
	}
	return len(seen)
}

// contextWords cuts names and addresses into the words that may not make up a
// password. Shorter ones than three letters occur in anything.
func contextWords(context []string) []string {
	var words []string
	for _, name := range context {
		folded := string(foldPassword(name))
		parts := strings.FieldsFunc(folded, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsNumber(r)
		})
		for _, word := range append(parts, strings.Join(parts, "")) {
			if utf8.RuneCountInString(word) >= 3 {
				words = append(words, word)
			}
		}
	}
	return words
}

// What the pieces of a password cost a guesser, see effort.
const (
	wordEffort     = 2
	contextEffort  = 1
	sequenceEffort = 2
	yearEffort     = 2
	repeatEffort   = 1
	singleEffort   = 1
)

// effort estimates how many choices a guesser has to get right. Every character
// costs 1 by itself; a common word, a year or a run along the alphabet or the
// keyboard costs 2 as a whole, and a repetition or a context word 1. Of all the
// ways to cut the text into such pieces it takes the cheapest.
//
// "password1234567!" costs 5 on the whole: a word, a run, one character. For
// words, digits and punctuation are free, because they are mere padding, and a
// letter outside any word costs more than the limit: here that is 2, one word.
func effort(text []rune, context []string) (words, whole int) {
	type cost struct{ words, whole int }
	best := make([]cost, len(text)+1) // cheapest ways to write text[:i]
	for i := range best[1:] {
		best[i+1] = cost{maxPassword * minEffort, maxPassword * minEffort}
	}
	for i, r := range text {
		reach := func(length, words, whole int) {
			to := &best[i+length]
			to.words = min(to.words, best[i].words+words)
			to.whole = min(to.whole, best[i].whole+whole)
		}
		if unicode.IsLetter(r) {
			reach(1, minEffort, singleEffort)
		} else {
			reach(1, 0, singleEffort)
		}
		for _, word := range commonWords {
			if n := matchWord(text[i:], word); n > 0 {
				reach(n, wordEffort, wordEffort)
			}
		}
		for _, word := range context {
			if n := matchWord(text[i:], word); n > 0 {
				reach(n, contextEffort, contextEffort)
			}
		}
		for n := matchSequence(text[i:]); n >= 3; n-- {
			reach(n, sequenceEffort, sequenceEffort)
		}
		for n := matchEarlier(text, i); n >= 3; n-- {
			reach(n, repeatEffort, repeatEffort)
		}
		if matchYear(text[i:]) {
			reach(4, yearEffort, yearEffort)
		}
	}
	return best[len(text)].words, best[len(text)].whole
}

func countLetters(text []rune) int {
	n := 0
	for _, r := range text {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n
}

// matchWord returns the length of word in runes if text starts with it, plain
// or with look-alikes such as "p@ssw0rd", and otherwise 0.
func matchWord(text []rune, word string) int {
	n := 0
	for _, want := range word {
		if n == len(text) || text[n] != want && !looksLike(text[n], want) {
			return 0
		}
		n++
	}
	return n
}

// looksLike reports whether people write r for a letter to satisfy rules about
// digits and symbols, which is therefore what crackers try.
func looksLike(r, letter rune) bool {
	switch r {
	case '4', '@':
		return letter == 'a'
	case '8':
		return letter == 'b'
	case '3', '€':
		return letter == 'e'
	case '9':
		return letter == 'g'
	case '1', '!', '|':
		return letter == 'i' || letter == 'l'
	case '0':
		return letter == 'o'
	case '5', '$':
		return letter == 's'
	case '7', '+':
		return letter == 't'
	}
	return false
}

// matchSequence returns the length of the longest run along one of the
// sequences, in either direction, that text starts with.
func matchSequence(text []rune) int {
	longest := 0
	for _, sequence := range sequences {
		for at := range sequence {
			forward, backward := 0, 0
			for forward < len(text) && at+forward < len(sequence) && text[forward] == rune(sequence[at+forward]) {
				forward++
			}
			for backward < len(text) && at-backward >= 0 && text[backward] == rune(sequence[at-backward]) {
				backward++
			}
			longest = max(longest, forward, backward)
		}
	}
	return longest
}

// matchEarlier returns the length of the longest piece at i that also starts
// somewhere before i, as in "abcabcabc" or "aaaa".
func matchEarlier(text []rune, i int) int {
	longest := 0
	for start := range i {
		n := 0
		for i+n < len(text) && text[start+n] == text[i+n] {
			n++
		}
		longest = max(longest, n)
	}
	return longest
}

// matchYear reports whether text starts with a year that someone alive might
// care about.
func matchYear(text []rune) bool {
	if len(text) < 4 {
		return false
	}
	century := string(text[:2])
	return (century == "19" || century == "20") && unicode.IsDigit(text[2]) && unicode.IsDigit(text[3])
}
