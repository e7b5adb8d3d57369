package transfer

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"postil/markup"
	"postil/models"
)

// wxrItem is an <item> as the file has it. Texts but the bodies are trimmed.
type wxrItem struct {
	line                             int
	title, link, guid, creator       string
	content, excerpt                 string
	postID, threadID, name           string
	postType, status, password, open string
	dates                            wxrDates
	tags                             []string
	comments                         []wxrComment
}

func (it *wxrItem) set(name, text string, attrs []xml.Attr) {
	if field := it.field(name); field != nil {
		*field = strings.TrimSpace(text)
		return
	}
	switch name {
	case "content:encoded":
		it.content = text
	case "excerpt:encoded":
		it.excerpt = text
	case "category":
		if domain := attr(attrs, "domain"); domain == "category" || domain == "post_tag" || domain == "tag" {
			it.tags = append(it.tags, text)
		}
	}
}

func (it *wxrItem) field(name string) *string {
	switch name {
	case "title":
		return &it.title
	case "link":
		return &it.link
	case "guid":
		return &it.guid
	case "dc:creator":
		return &it.creator
	case "wp:post_id":
		return &it.postID
	case "wp:post_type":
		return &it.postType
	case "wp:status":
		return &it.status
	case "wp:post_name":
		return &it.name
	case "wp:post_password":
		return &it.password
	case "wp:comment_status":
		return &it.open
	case "dsq:thread_identifier":
		return &it.threadID
	case "pubDate":
		return &it.dates.published
	case "wp:post_date":
		return &it.dates.local
	case "wp:post_date_gmt":
		return &it.dates.utc
	}
	return nil
}

// key identifies the article in every export of its site. Items with one key
// are pieces of one article: converters write one item per comment.
func (it *wxrItem) key() string {
	switch {
	case it.postID != "" && it.postID != "0":
		return "post:" + it.postID
	case it.threadID != "":
		return "thread:" + it.threadID
	case it.link != "":
		return "link:" + it.link
	case it.guid != "":
		return "guid:" + it.guid
	}
	return ""
}

// add joins another piece of the same article. A text of its own that the piece
// has besides its comments has no place any more.
func (it *wxrItem) add(other *wxrItem, info *WXRInfo) {
	info.Joined++
	if other.content != "" && it.content != "" && other.content != it.content || other.title != "" && it.title != "" && other.title != it.title {
		info.Notes = append(info.Notes, fmt.Sprintf("line %d: %s has the id of the item on line %d; its comments are joined to that one, its own text is left out", other.line, other.label(), it.line))
	}
	it.title = cmp.Or(it.title, other.title)
	it.content = cmp.Or(it.content, other.content)
	it.excerpt = cmp.Or(it.excerpt, other.excerpt)
	it.creator = cmp.Or(it.creator, other.creator)
	it.name = cmp.Or(it.name, other.name)
	it.password = cmp.Or(it.password, other.password)
	if !it.dates.known() {
		it.dates = other.dates
	}
	it.tags = append(it.tags, other.tags...)
	it.comments = append(it.comments, other.comments...)
}

// label names the item for its reader.
func (it *wxrItem) label() string {
	out := cmp.Or(it.postType, "item")
	if it.postID != "" {
		out += " " + it.postID
	}
	if title := oneLine(it.title); title != "" {
		out += " “" + shorten(title, 60) + "”"
	} else if it.link != "" {
		out += " " + it.link
	}
	if n := len(it.comments); n > 0 {
		out += " with " + plural(int64(n), "comment", "comments")
	}
	return out
}

// state decides whether an item is imported and as what; why is the reason when
// it is not. An empty reason with no state is an item that nobody misses.
func (it *wxrItem) state(unpublished bool) (state models.ArticleState, why string) {
	switch {
	case it.postType == "attachment" && len(it.comments) == 0:
		return "", ""
	case it.postType != "" && it.postType != "post" && it.postType != "page" && it.postType != "attachment":
		if len(it.comments) == 0 {
			return "", ""
		}
		return "", "only posts, pages and attachments are imported"
	case it.postType == "" && strings.TrimSpace(it.content) == "" && len(it.comments) == 0:
		return "", "it has neither text nor comments"
	case it.key() == "":
		return "", "it has neither an id nor an address, so a second import could not recognise it"
	case it.status == "trash" || it.status == "auto-draft":
		return "", "it is in the trash or was never saved (" + it.status + ")"
	}
	switch it.status {
	case "", "publish", "inherit":
		if it.password == "" {
			return models.Published, ""
		}
		why = "it is protected by a password, which Postil does not have"
	default:
		why = "it is not published (" + it.status + ")"
	}
	if unpublished {
		return models.Draft, ""
	}
	return "", why
}

// discussion turns an item into a record; ok is false when it was left out.
func (w *wxrReader) discussion(info *WXRInfo, it *wxrItem, key string) (d Record, ok bool) {
	state, why := it.state(w.unpublished)
	if state == "" {
		if why == "" {
			info.Ignored[it.postType]++
		} else {
			info.skip(it.line, it.label(), why)
		}
		return d, false
	}
	d = Record{SourceID: key, Article: models.ImportArticle{
		Title:      title(it),
		Standfirst: shorten(oneLine(plainText(it.excerpt)), models.MaxStandfirst),
		Slug:       it.slug(),
		Body:       toMarkdown(it.content),
		Author:     w.articleAuthor(it, key),
		State:      state,
		Tags:       w.tags(info, it),
		CreatedAt:  info.moment(w.offset, it.dates),
		Message:    it.message(),
	}}
	if it.open == "closed" {
		d.Article.CommentPolicy = models.PolicyClosed
	}
	d.Comments = w.commentsOf(info, it, key)
	if it.postType == "attachment" && len(d.Comments) == 0 {
		info.Ignored[it.postType]++
		return d, false
	}
	return d, true
}

func (it *wxrItem) message() string {
	if it.link == "" {
		return "Imported from WordPress"
	}
	return "Imported from " + shorten(it.link, 150)
}

func (w *wxrReader) articleAuthor(it *wxrItem, key string) models.ImportAuthor {
	if it.creator == "" {
		return models.ImportAuthor{SourceID: "author of " + key}
	}
	a := w.logins[it.creator]
	return models.ImportAuthor{SourceID: "login:" + it.creator, Name: oneLine(cmp.Or(a.name, it.creator)), Email: address(a.email)}
}

// toMarkdown never fails: a text that cannot be converted stays as its words.
func toMarkdown(html string) string {
	md, err := markup.FromWordPress(html)
	if err != nil {
		return plainText(html)
	}
	return md
}

var inlineTag = regexp.MustCompile(`(?i)</?(?:em|strong|i|b|code|span|br|sup|sub|small|a|del|u|q|font)(?:\s[^<>]*)?/?>`)

// title never is empty; WordPress allows posts without one.
func title(it *wxrItem) string {
	text := oneLine(unescape(inlineTag.ReplaceAllString(it.title, "")))
	if text == "" {
		text = shorten(oneLine(plainText(it.content)), 60)
	}
	if text == "" {
		text = strings.ReplaceAll(it.slug(), "-", " ")
	}
	return cmp.Or(shorten(text, models.MaxTitle), "Untitled")
}

// tags are the article's categories and tags as Postil can keep them.
func (w *wxrReader) tags(info *WXRInfo, it *wxrItem) []string {
	var out []string
	seen := map[string]bool{"": true, "uncategorized": true}
	for _, tag := range it.tags {
		tag = strings.Map(func(r rune) rune {
			if strings.ContainsRune(",/?#", r) {
				return ' '
			}
			return r
		}, unescape(tag))
		tag = strings.ToLower(shorten(oneLine(tag), models.MaxTag))
		if !seen[tag] {
			seen[tag] = true
			out = append(out, tag)
		}
	}
	if len(out) > models.MaxTags {
		info.Notes = append(info.Notes, fmt.Sprintf("line %d: %s has %d tags; the first %d are kept", it.line, it.label(), len(out), models.MaxTags))
		out = out[:models.MaxTags]
	}
	return out
}

// slug is the last part of the article's address, or "" when it has none that
// could be kept.
func (it *wxrItem) slug() string {
	name := it.name
	if name == "" {
		u, err := url.Parse(it.link)
		if err != nil {
			return ""
		}
		name = strings.Trim(u.EscapedPath(), "/")
		name = name[strings.LastIndex(name, "/")+1:]
		for _, ext := range []string{".html", ".htm", ".php", ".aspx"} {
			name = strings.TrimSuffix(name, ext)
		}
	}
	if plain, err := url.PathUnescape(name); err == nil {
		name = plain
	}
	return validSlug(name)
}
