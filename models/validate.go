package models

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// Limits of what people may send, in Unicode code points unless said otherwise.
const (
	MaxUsername    = 40
	MaxDisplayName = 80
	MaxEmail       = 254
	MaxBio         = 1_000
	MaxTitle       = 200
	MaxStandfirst  = 500
	MaxSlug        = 100
	MaxTags        = 10
	MaxTag         = 40
	MaxMessage     = 200
	MaxReason      = 500
	MaxNote        = 1_000
	MaxBulk        = 200 // comments in one decision
	MaxPage        = 100 // items on a page of a list
	DefaultPage    = 50
)

// line is a one-line text as it is stored: valid, composed, trimmed, with runs
// of spaces made one.
func line(p *problems, field, text string, atLeast, atMost int) string {
	if !utf8.ValidString(text) {
		p.add(field, "is not valid UTF-8")
		return ""
	}
	text = strings.Join(strings.FieldsFunc(norm.NFC.String(text), unicode.IsSpace), " ")
	for _, r := range text {
		if unicode.IsControl(r) || isBidiControl(r) {
			p.add(field, "must not contain control characters")
			return ""
		}
	}
	if atLeast > 0 && text != "" && strings.TrimFunc(text, isBlank) == "" {
		p.add(field, "must not be empty: it has only characters that show nothing")
		return text
	}
	checkLength(p, field, text, atLeast, atMost)
	return text
}

// prose is a text of many lines as it is stored: valid, with Unix line ends and
// without NUL, otherwise as typed.
func prose(p *problems, field, text string, atLeast, atMost int) string {
	if !utf8.ValidString(text) {
		p.add(field, "is not valid UTF-8")
		return ""
	}
	if strings.ContainsRune(text, 0) {
		p.add(field, "must not contain NUL characters")
		return ""
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	if atLeast > 0 && strings.TrimFunc(text, isBlank) == "" {
		p.add(field, "must not be empty")
		return text
	}
	checkLength(p, field, text, 0, atMost)
	return text
}

func checkLength(p *problems, field, text string, atLeast, atMost int) {
	n := utf8.RuneCountInString(text)
	switch {
	case n == 0 && atLeast > 0:
		p.add(field, "must not be empty")
	case n < atLeast:
		p.add(field, "must have at least %d characters", atLeast)
	case n > atMost:
		p.add(field, "must have at most %d characters; it has %d", atMost, n)
	}
}

// isBlank tells characters that show nothing, zero-width ones included.
func isBlank(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u3164' || r == '\u115F' || r == '\u1160' || r == '\u2800'
}

func isBidiControl(r rune) bool {
	return r == '\u061C' || r == '\u200E' || r == '\u200F' || (r >= '\u202A' && r <= '\u202E') || (r >= '\u2066' && r <= '\u2069')
}

var reservedNames = map[string]bool{"me": true, "anonymous": true, "deleted": true}

// username checks a user name and returns it with the key it is compared by.
func username(p *problems, name string) (shown, key string) {
	shown = line(p, "username", name, 2, MaxUsername)
	if len(*p) > 0 {
		return "", ""
	}
	shown = norm.NFKC.String(shown)
	checkLength(p, "username", shown, 2, MaxUsername) // it may have become longer
	key, err := precis.UsernameCaseMapped.String(shown)
	if err != nil || !validUsername(shown) {
		p.add("username", "may have letters, digits, dots, hyphens and underscores, beginning and ending with a letter or digit, from one alphabet")
		return "", ""
	}
	if reservedNames[key] {
		p.add("username", "is reserved; choose another")
	}
	return shown, key
}

func validUsername(name string) bool {
	for i, r := range name {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r) && i > 0:
		case i > 0 && strings.ContainsRune("._-", r):
		default:
			return false
		}
	}
	return !strings.HasSuffix(name, ".") && !strings.HasSuffix(name, "-") && !strings.HasSuffix(name, "_") && !mixesAlphabets(name)
}

// mixesAlphabets tells whether a name has letters of alphabets whose letters
// look alike: such a name can pose as somebody else's.
func mixesAlphabets(name string) bool {
	seen := 0
	for _, alphabet := range []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee} {
		if strings.ContainsFunc(name, func(r rune) bool { return unicode.Is(alphabet, r) }) {
			seen++
		}
	}
	return seen > 1
}

// loginKey is what a user name or an e-mail address is looked up by.
func loginKey(login string) string {
	login = strings.TrimSpace(login)
	if strings.Contains(login, "@") {
		return strings.ToLower(norm.NFC.String(login))
	}
	key, err := precis.UsernameCaseMapped.String(norm.NFKC.String(login))
	if err != nil {
		return ""
	}
	return key
}

var emailShape = regexp.MustCompile(`^[^\s@<>",;:\\()\[\]]+@[^\s@<>",;:\\()\[\]]+$`)

// email checks an e-mail address and returns it with the key it is compared by.
func email(p *problems, address string) (shown, key string) {
	before := len(*p)
	shown = line(p, "email", address, 1, MaxEmail)
	if len(*p) > before {
		return "", ""
	}
	if !emailShape.MatchString(shown) {
		p.add("email", "must look like name@example.org")
		return "", ""
	}
	return shown, strings.ToLower(shown)
}

var slugShape = regexp.MustCompile(`^[\p{Ll}\p{Lo}\p{N}]+(-[\p{Ll}\p{Lo}\p{N}]+)*$`)

// newSlug is the address on the desk of an article that does not exist yet.
const newSlug = "new"

func checkSlug(p *problems, text string) string {
	before := len(*p)
	text = line(p, "slug", text, 1, MaxSlug)
	if len(*p) == before && !slugShape.MatchString(text) {
		p.add("slug", "may have small letters, digits and single hyphens between them")
	}
	if text == newSlug {
		p.add("slug", "is reserved; choose another")
	}
	return text
}

// pageSize bounds how many items a list returns; 0 asks for the default.
func pageSize(limit int) int {
	switch {
	case limit <= 0:
		return DefaultPage
	case limit > MaxPage:
		return MaxPage
	}
	return limit
}
