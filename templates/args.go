package templates

import "strings"

// formField is a labelled field with what is wrong with it.
type formField struct {
	ID, Name, Label, Value, Type, Hint, Problem string
	Autocomplete, MinLength, InputMode          string
	Required, Long, LTR                         bool
	Rows                                        string
}

// DescribedBy lists the ids of the notes beside the field.
func (f formField) DescribedBy() string {
	var ids []string
	if f.Problem != "" {
		ids = append(ids, f.ID+"-problem")
	}
	if f.Hint != "" {
		ids = append(ids, f.ID+"-hint")
	}
	return strings.Join(ids, " ")
}

// newField makes a field out of a page's problems and options such as
// "type=email", "hint=We never show it", "required", "long".
func newField(problems map[string]string, name, label, value string, options ...string) formField {
	f := formField{ID: "f-" + strings.ReplaceAll(name, "_", "-"), Name: name, Label: label, Value: value,
		Type: "text", Problem: problems[name], Rows: "4"}
	for _, option := range options {
		key, val, _ := strings.Cut(option, "=")
		switch key {
		case "id":
			f.ID = "f-" + val
		case "type":
			f.Type = val
		case "hint":
			f.Hint = val
		case "autocomplete":
			f.Autocomplete = val
		case "min":
			if val != "0" {
				f.MinLength = val
			}
		case "mode":
			f.InputMode = val
		case "rows":
			f.Rows = val
		case "required":
			f.Required = true
		case "long":
			f.Long = true
		case "ltr":
			f.LTR = true
		}
	}
	return f
}

// threadArgs is a comment with what it needs to know of its page. Its parts
// are laid out flat, because a page may draw hundreds of them and promoted
// fields are slow to find by name.
type threadArgs struct {
	Node   *CommentNode
	C      *Comment // of Node
	May    allowed
	Name   string // of the comment's author, "" on a tombstone
	Viewer *Viewer
	Author string // username of the article's author
	Slug   string
	Open   bool
}

// allowed says which actions stand below a comment.
type allowed struct{ Reply, Edit, Delete, Vote, Report, History, Moderate bool }

func newThread(node *CommentNode, viewer *Viewer, article Article) threadArgs {
	a := threadArgs{Viewer: viewer, Author: article.Author.Username, Slug: article.Slug, Open: article.CommentsOpen}
	return a.Child(node)
}

// Child is the same for a reply.
func (a threadArgs) Child(node *CommentNode) threadArgs {
	a.Node, a.C, a.May, a.Name = node, &node.Comment, allowed{}, ""
	if node.Author != nil {
		a.Name = node.Author.DisplayName
		if a.Name == "" {
			a.Name = node.Author.Username
		}
	}
	for _, action := range node.Can {
		switch action {
		case "reply":
			a.May.Reply = true
		case "edit":
			a.May.Edit = true
		case "delete":
			a.May.Delete = true
		case "vote":
			a.May.Vote = true
		case "report":
			a.May.Report = true
		case "history":
			a.May.History = true
		case "moderate":
			a.May.Moderate = true
		}
	}
	return a
}

// More says whether any of the rarer actions is there.
func (m allowed) More() bool { return m.Delete || m.Report || m.Moderate }

// Replies are how many direct replies there are, shown or not.
func (a threadArgs) Replies() int64 {
	return max(a.Node.ReplyCount, int64(len(a.Node.Children)), a.Node.MoreCount)
}

// composerArgs is a composer with the words around it.
type composerArgs struct {
	Composer
	Kind   string // post or save: what the main button sends
	Cancel string // where "Cancel" leads, "" for none
	Path   string
}

func newComposer(c *Composer, kind, cancel string) composerArgs {
	return composerArgs{Composer: *c, Kind: kind, Cancel: cancel}
}

// diffRun is a stretch of a comparison: unchanged paragraphs that are folded
// away, or a single paragraph.
type diffRun struct {
	Folded bool
	Blocks []DiffBlock
}

// gather folds stretches of more than four unchanged paragraphs and leaves one
// on each side as context.
func gather(blocks []DiffBlock) []diffRun {
	var runs []diffRun
	for i := 0; i < len(blocks); {
		j := i
		for j < len(blocks) && blocks[j].Kind == "same" {
			j++
		}
		if j == i {
			runs = append(runs, diffRun{Blocks: blocks[i : i+1]})
			i++
			continue
		}
		from, to := i, j
		if i > 0 {
			from++
		}
		if j < len(blocks) {
			to--
		}
		if to-from < 3 {
			runs = append(runs, diffRun{Blocks: blocks[i:j]})
			i = j
			continue
		}
		if from > i {
			runs = append(runs, diffRun{Blocks: blocks[i:from]})
		}
		runs = append(runs, diffRun{Folded: true, Blocks: blocks[from:to]})
		if to < j {
			runs = append(runs, diffRun{Blocks: blocks[to:j]})
		}
		i = j
	}
	return runs
}

// pageLink leads to the next page of a list; an empty address draws nothing.
type pageLink struct{ URL, Text string }

// choiceArgs is a list to choose from and the id of its control.
type choiceArgs struct {
	ID      string
	Choices []Choice
}
