package templates

import (
	"fmt"
	"html/template"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// funcs are what templates may call.
func (r *Renderer) funcs() template.FuncMap {
	return template.FuncMap{
		"asset":    r.assets.url,
		"has":      func(what string, can []string) bool { return slices.Contains(can, what) },
		"time":     func(t *time.Time) template.HTML { return timeTag(t, "2 January 2006, 15:04 UTC", "ago") },
		"date":     func(t *time.Time) template.HTML { return timeTag(t, "2 January 2006", "") },
		"moment":   func(t *time.Time) template.HTML { return timeTag(t, "2 January 2006, 15:04 UTC", "") },
		"count":    func(n any) string { return count(number(n)) },
		"plural":   plural,
		"sum":      func(a, b any) int64 { return number(a) + number(b) },
		"words":    words,
		"roleMark": roleMark,
		"excerpt":  excerpt,
		"device":   device,
		"join":     strings.Join,
		"field":    newField,
		"thread":   newThread,
		"composer": newComposer,
		"link":     func(url, text string) pageLink { return pageLink{url, text} },
		"toc":      contents,
		"ref":      func(c Composer) *Composer { return &c },
		"length":   func(n int) string { return "min=" + strconv.Itoa(n) },
		"lengthHint": func(n int) string {
			if n == 0 {
				return "hint="
			}
			return fmt.Sprintf("hint=At least %d characters. A sentence is easy to remember.", n)
		},
		"diff":    gather,
		"choices": func(id string, all []Choice) choiceArgs { return choiceArgs{id, all} },
	}
}

// timeTag writes a time. Pages are kept for many readers and for a while, so
// the words are absolute; the script turns those marked "ago" into relative
// ones and leaves the exact time in the title.
func timeTag(t *time.Time, layout, mark string) template.HTML {
	if t == nil || t.IsZero() {
		return `<span class="unknown">date unknown</span>`
	}
	u := t.UTC()
	if mark != "" {
		mark = ` data-` + mark
	}
	return template.HTML(fmt.Sprintf(`<time datetime="%s" title="%s"%s>%s</time>`,
		u.Format(time.RFC3339), u.Format("2 January 2006, 15:04 UTC"), mark, u.Format(layout)))
}

// number reads any of the integer kinds that views count with.
func number(n any) int64 {
	v := reflect.ValueOf(n)
	switch {
	case !v.IsValid():
		return 0
	case v.CanInt():
		return v.Int()
	case v.CanUint():
		return int64(v.Uint())
	}
	return 0
}

// count is exact up to 999, then in thousands.
func count(n int64) string {
	if n > -1000 && n < 1000 {
		return strings.Replace(strconv.FormatInt(n, 10), "-", "−", 1)
	}
	if n < 10_000 && n > -10_000 {
		return strings.Replace(strconv.FormatFloat(float64(n/100)/10, 'f', -1, 64), "-", "−", 1) + "k"
	}
	return strings.Replace(strconv.FormatInt(n/1000, 10), "-", "−", 1) + "k"
}

// plural is "1 reply", "4 replies".
func plural(n any, one, many string) string {
	if number(n) == 1 {
		return "1 " + one
	}
	return count(number(n)) + " " + many
}

// codes are the program's words and the reader's.
var codes = map[string]string{
	"pending": "Held", "approved": "Approved", "rejected": "Rejected", "spam": "Spam", "deleted": "Deleted",
	"reported": "Reported",
	"draft":    "Draft", "published": "Published", "scheduled": "Scheduled", "archived": "Archived",
	"reader": "Reader", "author": "Author", "moderator": "Moderator", "admin": "Administrator",
	"approve": "Approved", "reject": "Rejected", "undo": "Undone",
	"open": "Open to everybody signed in", "premoderated": "Every comment is read first",
	"first_comment": "First comments are read first", "closed": "Closed",
	"best": "Best", "newest": "Newest", "oldest": "Oldest",
	"page": "Browser", "api": "Program",
}

// words says a code in plain words, and an unknown one as it is.
func words(code string) string {
	if w, ok := codes[code]; ok {
		return w
	}
	return strings.ReplaceAll(code, "_", " ")
}

// roleMark is the mark beside a name: the author of this text, or an office.
func roleMark(u User, articleAuthor string) string {
	if u.Username != "" && u.Username == articleAuthor {
		return "author"
	}
	switch u.Role {
	case "moderator":
		return "moderator"
	case "admin":
		return "administrator"
	}
	return ""
}

// excerpt cuts at a word and says that it did.
func excerpt(text string, runes int) string {
	text = strings.Join(strings.Fields(text), " ")
	r := []rune(text)
	if len(r) <= runes {
		return text
	}
	cut := string(r[:runes])
	if i := strings.LastIndexByte(cut, ' '); i > len(cut)/2 {
		cut = cut[:i]
	}
	return cut + "…"
}

// contents are the headings of the first two levels in use, when they are
// enough to be worth a table.
func contents(all []Heading) []Heading {
	top := 7
	for _, h := range all {
		top = min(top, h.Level)
	}
	var out []Heading
	for _, h := range all {
		if h.Level == top && h.ID != "" {
			out = append(out, h)
		}
	}
	if len(out) < 3 {
		return nil
	}
	return out
}

// device says in a few words what a browser calls itself at length. A program's
// name stays as it is.
func device(agent string) string {
	browser := firstOf(agent, "Edg", "Edge", "OPR/", "Opera", "SamsungBrowser/", "Samsung Internet", "Firefox/", "Firefox", "FxiOS/", "Firefox",
		"CriOS/", "Chrome", "Chrome/", "Chrome", "Safari/", "Safari")
	if browser == "" {
		return agent
	}
	system := firstOf(agent, "Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Windows", "Windows", "Mac OS X", "macOS", "CrOS", "ChromeOS", "Linux", "Linux")
	if system == "" {
		return browser
	}
	return browser + " on " + system
}

// firstOf is the name beside the first mark that a text contains.
func firstOf(text string, marksAndNames ...string) string {
	for i := 0; i < len(marksAndNames); i += 2 {
		if strings.Contains(text, marksAndNames[i]) {
			return marksAndNames[i+1]
		}
	}
	return ""
}
