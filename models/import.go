package models

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html"
	"slices"
	"strings"

	"postil/markup"
)

// ImportDiscussion is an article with its discussion as another system had it.
// Texts are Markdown; a zero time is unknown and stays unknown.
type ImportDiscussion struct {
	SourceID string // of the article, unique in its source
	Article  ImportArticle
	Comments []ImportComment // in any order
}

// ImportArticle is the article of an ImportDiscussion.
type ImportArticle struct {
	Title, Standfirst, Slug, Body string
	Author                        ImportAuthor
	State                         ArticleState
	CommentPolicy                 CommentPolicy
	Tags                          []string
	CreatedAt                     Timestamp
	Message                       string // of its revision: where it came from
}

// ImportAuthor is somebody who wrote. He becomes an unclaimed name: nobody can
// sign in with it, and it merges with no account, whatever its e-mail address.
type ImportAuthor struct {
	SourceID string // what tells him from others in his source; people are not merged by name
	Name     string // "" becomes Anonymous
	Email    string // kept so that he can claim his comments; may be empty
}

// ImportComment is one comment of an ImportDiscussion.
type ImportComment struct {
	SourceID       string
	ParentSourceID string // "" for a root
	Author         ImportAuthor
	Body           string
	State          CommentState
	CreatedAt      Timestamp
	Where          string // line of the dump, for notes
}

// ImportResult accounts for every record of one or many discussions.
type ImportResult struct {
	Articles, Comments, Authors int // new ones
	Unchanged                   int // records that were there from an earlier run
	Notes                       []string
}

// Add adds up results.
func (r *ImportResult) Add(other ImportResult) {
	r.Articles += other.Articles
	r.Comments += other.Comments
	r.Authors += other.Authors
	r.Unchanged += other.Unchanged
	r.Notes = append(r.Notes, other.Notes...)
}

func (r *ImportResult) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// errDryRun rolls a dry run back.
var errDryRun = errors.New("dry run")

// Import writes an article with its discussion, all of it or nothing. source
// names where it comes from; records of that source which are there already are
// left as they are, so a second run adds only what is new. A dry run does
// everything and undoes it.
func (s *Store) Import(ctx context.Context, actor Actor, source string, d ImportDiscussion, dryRun bool) (ImportResult, error) {
	if err := actor.CanAdminister(); err != nil {
		return ImportResult{}, err
	}
	in, err := s.prepareImport(ctx, source, d)
	if err != nil {
		return ImportResult{}, err
	}
	err = s.write(ctx, actor, func(t *tx) error {
		in.tx = t
		if err := in.run(d); err != nil {
			return err
		}
		if dryRun {
			return errDryRun
		}
		return nil
	})
	if err != nil && !errors.Is(err, errDryRun) {
		return ImportResult{}, err
	}
	return in.result, nil
}

// importing is an import on its way: what was rendered before the transaction,
// and what was found inside it.
type importing struct {
	*tx
	source   string
	article  Article
	comments []ImportComment   // parents before children, else oldest first
	html     map[string]string // by source id of the comment
	authors  map[string]int64
	result   ImportResult
}

func (s *Store) prepareImport(ctx context.Context, source string, d ImportDiscussion) (*importing, error) {
	in := &importing{source: source, html: map[string]string{}, authors: map[string]int64{}}
	var p problems
	a := d.Article
	in.article = Article{Title: line(&p, "title", a.Title, 1, 10*MaxTitle), Standfirst: a.Standfirst, State: a.State, CreatedAt: a.CreatedAt, UpdatedAt: a.CreatedAt,
		Body: prose(&p, "body", a.Body, 0, markup.MaxArticleRunes), Tags: checkTags(&problems{}, a.Tags)}
	in.article.Thread.Policy = cmp.Or(a.CommentPolicy, PolicyFirstComment)
	in.article.Slug = strings.ToLower(strings.TrimSpace(a.Slug))
	if !slugShape.MatchString(in.article.Slug) || len(in.article.Slug) > MaxSlug {
		in.article.Slug = ""
	}
	if len(p) == 0 {
		if err := s.renderArticle(ctx, &p, &in.article); err != nil {
			return nil, err
		}
	}
	if len(p) > 0 {
		return nil, failf(Invalid, "The article %q cannot be imported: its %s %s.", a.Title, p[0].Field, strings.TrimSuffix(p[0].Message, "."))
	}
	in.comments = in.inOrder(d.Comments)
	for _, c := range in.comments {
		err := s.rendering(ctx, func() error {
			out, err := markup.Comment(c.Body)
			var limit *markup.LimitError
			if errors.As(err, &limit) {
				in.result.note("%s: comment %s is kept as plain text: %s", c.Where, c.SourceID, limit.Message)
				out.HTML, err = plainHTML(c.Body), nil
			}
			in.html[c.SourceID] = out.HTML
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return in, nil
}

// plainHTML shows a text as it is, line by line.
func plainHTML(text string) string {
	return "<p>" + strings.ReplaceAll(html.EscapeString(strings.ToValidUTF8(text, "\uFFFD")), "\n", "<br>\n") + "</p>\n"
}

// inOrder sorts comments by age with every parent before its replies. A parent
// that is missing, or that answers its own answer, is noted and dropped: its
// reply becomes a root.
func (in *importing) inOrder(comments []ImportComment) []ImportComment {
	byID := make(map[string]*ImportComment, len(comments))
	sorted := make([]*ImportComment, 0, len(comments))
	for i := range comments {
		c := comments[i]
		if byID[c.SourceID] != nil {
			in.result.note("%s: a second comment with the id %s is left out", c.Where, c.SourceID)
			continue
		}
		byID[c.SourceID] = &c
		sorted = append(sorted, &c)
	}
	slices.SortStableFunc(sorted, func(a, b *ImportComment) int { return cmp.Compare(a.CreatedAt, b.CreatedAt) })
	out := make([]ImportComment, 0, len(sorted))
	const walking, placed = 1, 2
	state := map[string]int{}
	for _, c := range sorted {
		var chain []*ImportComment
		for c != nil && state[c.SourceID] == 0 {
			state[c.SourceID] = walking
			chain = append(chain, c)
			if c.ParentSourceID == "" {
				break
			}
			parent := byID[c.ParentSourceID]
			switch {
			case parent == nil:
				in.result.note("%s: comment %s answers %s, which is not in the file; it becomes a comment of its own", c.Where, c.SourceID, c.ParentSourceID)
				c.ParentSourceID = ""
			case state[parent.SourceID] == walking:
				in.result.note("%s: comment %s answers itself in a circle; it becomes a comment of its own", c.Where, c.SourceID)
				c.ParentSourceID = ""
			}
			c = parent
		}
		for _, c := range slices.Backward(chain) {
			state[c.SourceID] = placed
			out = append(out, *c)
		}
	}
	return out
}

func (in *importing) run(d ImportDiscussion) error {
	if err := in.importArticle(d); err != nil {
		return err
	}
	for _, c := range in.comments {
		if err := in.importComment(c); err != nil {
			return fmt.Errorf("comment %s: %w", c.SourceID, err)
		}
	}
	return nil
}

// found looks up what a record became in an earlier run; 0 when it is new.
func (in *importing) found(kind, sourceID string) (int64, error) {
	var id int64
	err := in.Raw("SELECT target_id FROM imported WHERE source = ? AND kind = ? AND source_id = ?", in.source, kind, sourceID).Scan(&id).Error
	return id, err
}

func (in *importing) remember(kind, sourceID string, id int64) error {
	return in.Exec("INSERT INTO imported (source, kind, source_id, target_id) VALUES (?, ?, ?, ?)", in.source, kind, sourceID, id).Error
}

func (in *importing) importArticle(d ImportDiscussion) error {
	id, err := in.found("article", d.SourceID)
	if err != nil {
		return err
	}
	if id != 0 {
		in.result.Unchanged++
		in.article, err = lightArticle(in.DB, "id = ?", id)
		return err
	}
	art := &in.article
	if art.AuthorID, err = in.author(d.Article.Author); err != nil {
		return err
	}
	if art.Slug, err = in.importedSlug(art); err != nil {
		return err
	}
	if err := in.Create(&art.Thread).Error; err != nil {
		return err
	}
	art.ThreadID, art.Revision = art.Thread.ID, 1
	if art.State == Published {
		art.PublishedAt, art.PublicOnce = art.CreatedAt, 1
	}
	art.SortAt = cmp.Or(art.CreatedAt, in.now)
	if err := in.Create(art).Error; err != nil {
		return err
	}
	if err := in.saveTags(art); err != nil {
		return err
	}
	rev := Revision{ArticleID: art.ID, Number: 1, State: art.State, AuthorID: art.AuthorID, Message: d.Article.Message, Title: art.Title, Standfirst: art.Standfirst,
		Body: art.Body, HTML: art.HTML, Renderer: art.Renderer, WordsAdded: art.Words, CreatedAt: art.CreatedAt}
	if err := in.Create(&rev).Error; err != nil {
		return err
	}
	in.result.Articles++
	if err := in.emit(Event{Kind: "article.imported", ArticleID: &art.ID, ThreadID: &art.ThreadID}); err != nil {
		return err
	}
	return in.remember("article", d.SourceID, art.ID)
}

// importedSlug keeps the address an article had, if it is free here.
func (in *importing) importedSlug(art *Article) (string, error) {
	if art.Slug == "" {
		return in.freeSlug(art.Title)
	}
	taken, err := in.slugTaken(art.Slug, 0)
	if err != nil || !taken {
		return art.Slug, err
	}
	slug, err := in.freeSlug(art.Slug)
	in.result.note("the address %s is taken by another article; the imported one is at %s", art.Slug, slug)
	return slug, err
}

// author finds or makes the unclaimed name of an imported author.
func (in *importing) author(a ImportAuthor) (int64, error) {
	if id := in.authors[a.SourceID]; id != 0 {
		return id, nil
	}
	id, err := in.found("user", a.SourceID)
	if err != nil {
		return 0, err
	}
	if id == 0 {
		var p problems
		name := line(&p, "name", strings.ToValidUTF8(a.Name, "\uFFFD"), 1, 1000)
		if len(p) > 0 {
			name = "Anonymous"
		}
		if runes := []rune(name); len(runes) > MaxDisplayName {
			name = string(runes[:MaxDisplayName-1]) + "…"
		}
		user := User{DisplayName: name, Email: a.Email, Role: Reader, Version: 1, CreatedAt: in.now}
		if err := in.Create(&user).Error; err != nil {
			return 0, err
		}
		if err := in.remember("user", a.SourceID, user.ID); err != nil {
			return 0, err
		}
		in.result.Authors++
		id = user.ID
	}
	in.authors[a.SourceID] = id
	return id, nil
}

func (in *importing) importComment(c ImportComment) error {
	id, err := in.found("comment", c.SourceID)
	if err != nil {
		return err
	}
	if id != 0 {
		in.result.Unchanged++
		return nil
	}
	row := Comment{ThreadID: in.article.ThreadID, Revision: in.article.Revision, State: Pending, Body: c.Body, HTML: in.html[c.SourceID],
		Renderer: markup.Version, CreatedAt: c.CreatedAt}
	if row.AuthorID, err = in.author(c.Author); err != nil {
		return err
	}
	if c.ParentSourceID != "" {
		parentID, err := in.found("comment", c.ParentSourceID)
		if err != nil {
			return err
		}
		parent, err := first[Comment](in.Select("id, root_id, depth"), "id = ?", parentID)
		if err != nil {
			return err
		}
		row.ParentID, row.RootID, row.Depth = &parent.ID, parent.RootID, parent.Depth+1
	}
	if c.State == Pending {
		row.HeldWhy, row.QueuedAt = "imported", in.now
	}
	if err := in.Create(&row).Error; err != nil {
		return err
	}
	if row.ParentID == nil {
		if err := in.Exec("UPDATE comments SET root_id = id WHERE id = ?", row.ID).Error; err != nil {
			return err
		}
	}
	if c.State != Pending {
		if err := in.setState(&row, c.State, ""); err != nil {
			return err
		}
	}
	in.result.Comments++
	return in.remember("comment", c.SourceID, row.ID)
}
