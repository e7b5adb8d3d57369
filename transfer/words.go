package transfer

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"postil/models"
)

// plural counts things: 1 comment, 12,345 comments.
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits + " " + many
}

// oneLine makes a text fit for a title: valid, without control characters and
// invisible marks that turn the direction of writing, single spaces.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), r == '\u061C', r == '\u200E', r == '\u200F', r >= '\u202A' && r <= '\u202E', r >= '\u2066' && r <= '\u2069':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return norm.NFC.String(strings.Join(strings.Fields(s), " "))
}

// unescape decodes the entities that WordPress stores in names and titles.
func unescape(s string) string { return html.UnescapeString(s) }

// shorten cuts a text to at most n characters, the last being an ellipsis.
func shorten(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:n-1])) + "…"
}

var (
	noText = regexp.MustCompile(`(?is)<!--.*?-->|<(script|style)\b.*?</(script|style)>`)
	anyTag = regexp.MustCompile(`(?s)</?[a-zA-Z][^<>]*>`)
)

// plainText is what is left of HTML without its tags.
func plainText(s string) string {
	return strings.TrimSpace(unescape(anyTag.ReplaceAllString(noText.ReplaceAllString(s, " "), " ")))
}

// address is an e-mail address that may be one, trimmed, or "".
func address(s string) string {
	s = strings.TrimSpace(s)
	if at := strings.LastIndexByte(s, '@'); at < 1 || at == len(s)-1 || len(s) > 254 || strings.ContainsFunc(s, unicode.IsSpace) {
		return ""
	}
	return s
}

// validSlug makes an address of words with single hyphens, or "" when too
// little of the name would be left to recognise it.
func validSlug(name string) string {
	name = norm.NFC.String(strings.ToLower(name))
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsMark) {
		return ""
	}
	words := strings.FieldsFunc(name, func(r rune) bool {
		return !unicode.In(r, unicode.Ll, unicode.Lo, unicode.N)
	})
	out := ""
	for _, word := range words {
		next := strings.TrimPrefix(out+"-"+word, "-")
		if len(next) > models.MaxSlug {
			break
		}
		out = next
	}
	return out
}

// splitParagraphs breaks paragraphs that are longer than the renderer takes,
// where there is a space if possible.
func splitParagraphs(md string) string {
	const most = 5000
	var out []string
	for _, p := range strings.Split(md, "\n\n") {
		for rest := []rune(p); ; {
			if len(rest) <= 2*most {
				out = append(out, string(rest))
				break
			}
			at := most
			for at > most/2 && !unicode.IsSpace(rest[at]) {
				at--
			}
			if !unicode.IsSpace(rest[at]) {
				at = most
			}
			out = append(out, string(rest[:at]))
			rest = rest[at:]
		}
	}
	return strings.Join(out, "\n\n")
}
