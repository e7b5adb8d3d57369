package markup

import (
	"regexp"

	"github.com/microcosm-cc/bluemonday"
)

// The sanitiser is the second lock. Rendering already yields nothing else than
// what is listed here; the lists make sure that a mistake there stays harmless.
// They are written out and not taken from the library's ready-made policies,
// which let authors set ids and classes of their own.

var (
	auto        = regexp.MustCompile(`^auto$`)
	linkHref    = regexp.MustCompile(`^(?:(?i:https?://|mailto:)|#|/$|/[^/\\])`)
	imageSource = regexp.MustCompile(`^/[^/\\]`)
	listStart   = regexp.MustCompile(`^[0-9]{1,9}$`)
	cellAlign   = regexp.MustCompile(`^(?:left|right|center)$`)
	codeClass   = regexp.MustCompile(`^language-[A-Za-z0-9.][A-Za-z0-9+#._-]{0,31}$`)
	headingID   = regexp.MustCompile(`^s-[\p{L}\p{M}\p{N}-]+$`)
	footnoteID  = regexp.MustCompile(`^s-(?:fn|fnref[0-9]*):[0-9]+$`)
)

// basePolicy lists what both dialects may contain.
func basePolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "blockquote", "ul", "ol", "li", "pre", "code", "em", "strong", "del",
		"table", "thead", "tbody", "tr", "th", "td")
	p.AllowAttrs("dir").Matching(auto).OnElements("p", "li", "blockquote", "th", "td")
	p.AllowAttrs("start").Matching(listStart).OnElements("ol")
	p.AllowAttrs("align").Matching(cellAlign).OnElements("th", "td")
	p.AllowAttrs("class").Matching(codeClass).OnElements("code")

	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(true)
	p.AllowURLSchemes("http", "https", "mailto")
	p.AllowAttrs("href").Matching(linkHref).OnElements("a")
	p.AllowAttrs("title").OnElements("a")
	return p
}

func commentPolicy() *bluemonday.Policy {
	p := basePolicy()
	p.AllowAttrs("rel").Matching(regexp.MustCompile(`^nofollow ugc noopener$`)).OnElements("a")
	p.RequireNoFollowOnLinks(true)
	return p
}

func articlePolicy() *bluemonday.Policy {
	p := basePolicy()
	p.AllowAttrs("rel").Matching(regexp.MustCompile(`^noopener$`)).OnElements("a")

	headings := []string{"h1", "h2", "h3", "h4", "h5", "h6"}
	p.AllowElements(headings...)
	p.AllowAttrs("dir").Matching(auto).OnElements(headings...)
	p.AllowAttrs("id").Matching(headingID).OnElements(headings...)

	p.AllowAttrs("src").Matching(imageSource).OnElements("img")
	p.AllowAttrs("alt", "title").OnElements("img")
	p.AllowAttrs("loading").Matching(regexp.MustCompile(`^lazy$`)).OnElements("img")

	p.AllowElements("sup")
	p.AllowAttrs("id").Matching(footnoteID).OnElements("sup", "li")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^footnotes$`)).OnElements("div")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^footnote-(?:ref|backref)$`)).OnElements("a")
	p.AllowAttrs("role").Matching(regexp.MustCompile(`^doc-(?:endnotes|noteref|backlink)$`)).OnElements("div", "a")

	p.AllowAttrs("type").Matching(regexp.MustCompile(`^checkbox$`)).OnElements("input")
	p.AllowAttrs("checked", "disabled").Matching(regexp.MustCompile(`^$`)).OnElements("input")
	return p
}
