package transfer

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"postil/models"
)

// wxrComment is a <wp:comment> as the file has it.
type wxrComment struct {
	line                                           int
	id, parent, author, email, user, approved, typ string
	content                                        string
	dates                                          wxrDates

	fate fate
}

// fate is what becomes of a comment.
type fate int

const (
	kept      fate = iota
	trashed        // removed by its site; left out unless somebody answered it
	tombstone      // removed, and kept without its text because of its replies
	foreign        // not a comment by a person: a pingback, a plugin's record
	repeated       // the same comment once more
)

func (c *wxrComment) set(name, text string) {
	if name == "wp:comment_content" {
		c.content = text
	} else if field := c.field(name); field != nil {
		*field = strings.TrimSpace(text)
	}
}

func (c *wxrComment) field(name string) *string {
	switch name {
	case "wp:comment_id":
		return &c.id
	case "wp:comment_parent":
		return &c.parent
	case "wp:comment_author":
		return &c.author
	case "wp:comment_author_email":
		return &c.email
	case "wp:comment_user_id":
		return &c.user
	case "wp:comment_approved":
		return &c.approved
	case "wp:comment_type":
		return &c.typ
	case "wp:comment_date":
		return &c.dates.local
	case "wp:comment_date_gmt":
		return &c.dates.utc
	}
	return nil
}

// digest tells comments apart that have no id of their own.
func (c *wxrComment) digest() string {
	sum := sha256.Sum256([]byte(c.author + "\x00" + c.email + "\x00" + c.dates.utc + "\x00" + c.dates.local + "\x00" + c.content))
	return hex.EncodeToString(sum[:6])
}

func (c *wxrComment) label() string {
	out := "comment " + cmp.Or(c.id, "without id")
	if author := oneLine(c.author); author != "" {
		out += " by " + shorten(unescape(author), 40)
	}
	return out
}

// commentsOf turns the comments of an item into records and accounts for those
// that it leaves out.
func (w *wxrReader) commentsOf(info *WXRInfo, it *wxrItem, key string) []models.ImportComment {
	byID := index(it.comments)
	for i := range it.comments {
		if c := &it.comments[i]; c.fate == kept {
			settle(byID, c)
		}
	}
	var out []models.ImportComment
	for i := range it.comments {
		c := &it.comments[i]
		if why := c.whyNot(); why != "" {
			info.skip(c.line, c.label(), why)
			continue
		}
		if c.fate == tombstone {
			info.Notes = append(info.Notes, fmt.Sprintf("line %d: %s was removed; it is kept without its text because it has replies", c.line, c.label()))
		}
		out = append(out, w.comment(info, c, key))
	}
	return out
}

// index gives every comment an id and decides what becomes of it.
func index(comments []wxrComment) map[string]*wxrComment {
	byID := make(map[string]*wxrComment, len(comments))
	for i := range comments {
		c := &comments[i]
		c.fate = c.ownFate()
		c.parent = c.parent[strings.LastIndexByte(c.parent, ',')+1:] // some converters write the whole way down from the root
		if c.id == "" || c.id == "0" {
			c.id = "~" + c.digest()
		}
		if first := byID[c.id]; first != nil {
			if first.digest() != c.digest() {
				c.id += "~" + c.digest()
			}
			if byID[c.id] != nil {
				c.fate = repeated
				continue
			}
		}
		byID[c.id] = c
	}
	return byID
}

func (c *wxrComment) ownFate() fate {
	switch {
	case c.typ != "" && c.typ != "comment":
		return foreign
	case c.approved == "trash" || c.approved == "post-trashed":
		return trashed
	}
	return kept
}

func (c *wxrComment) whyNot() string {
	switch {
	case c.fate == foreign && (c.typ == "pingback" || c.typ == "trackback"):
		return "it is a " + c.typ + ", a notice that another site links here"
	case c.fate == foreign:
		return "it is not a comment but a record of the type " + shorten(oneLine(c.typ), 40)
	case c.fate == trashed:
		return "it is in the trash"
	case c.fate == repeated:
		return "it is in the file twice"
	}
	return ""
}

// settle gives a comment that is kept its place: below the nearest comment
// above it that a person wrote. If that one was removed it stays as a tombstone,
// and needs a place itself.
func settle(byID map[string]*wxrComment, c *wxrComment) {
	for {
		c.parent = nearest(byID, c.parent)
		p := byID[c.parent]
		if p == nil || p.fate != trashed {
			return
		}
		p.fate = tombstone
		c = p
	}
}

// nearest follows parents past everything foreign. It returns an id that is not
// in the file as it is, so that it is reported, and "" for none. What it passed
// points there afterwards, so that a long way is gone once only.
func nearest(byID map[string]*wxrComment, id string) string {
	var passed []*wxrComment
	for p := byID[id]; p != nil && p.fate == foreign; p = byID[id] {
		passed = append(passed, p)
		if id = p.parent; len(passed) > len(byID) { // in a circle
			id = ""
		}
	}
	if id == "0" {
		id = ""
	}
	for _, p := range passed {
		p.parent = id
	}
	return id
}

func (w *wxrReader) comment(info *WXRInfo, c *wxrComment, key string) models.ImportComment {
	out := models.ImportComment{
		SourceID:  key + "/" + c.id,
		CreatedAt: info.moment(w.offset, c.dates),
		Where:     fmt.Sprintf("line %d", c.line),
	}
	if c.parent != "" {
		out.ParentSourceID = key + "/" + c.parent
	}
	if c.fate == tombstone {
		out.State, out.Author.SourceID = models.DeletedComment, "removed"
		return out
	}
	out.Author = w.commentAuthor(c, out.SourceID)
	out.Body = toMarkdown(c.content)
	switch c.approved {
	case "1", "approve", "approved":
		out.State = models.Approved
	case "spam":
		out.State = models.Spam
	default:
		out.State = models.Pending
	}
	return out
}

// commentAuthor tells who wrote a comment: an account of the site, else whoever
// has that e-mail address, else nobody but the author of this one comment.
func (w *wxrReader) commentAuthor(c *wxrComment, sourceID string) models.ImportAuthor {
	name, email := oneLine(unescape(c.author)), address(c.email)
	if a, ok := w.userIDs[c.user]; ok && a.login != "" {
		return models.ImportAuthor{SourceID: "login:" + a.login, Name: oneLine(cmp.Or(a.name, name, a.login)), Email: address(cmp.Or(a.email, email))}
	}
	switch {
	case c.user != "" && c.user != "0":
		return models.ImportAuthor{SourceID: "user:" + c.user, Name: name, Email: email}
	case email != "":
		sum := sha256.Sum256([]byte(strings.ToLower(email)))
		return models.ImportAuthor{SourceID: "email:" + hex.EncodeToString(sum[:]), Name: name, Email: email}
	}
	return models.ImportAuthor{SourceID: "author of " + sourceID, Name: name}
}
