package transfer

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"postil/models"
)

// MarkdownInfo is what a Markdown file says beyond its article.
type MarkdownInfo struct {
	Author  string    // as written; "" when the file does not say
	Date    time.Time // zero when the file does not say
	Ignored []string  // front matter that means nothing here
}

// ReadMarkdown reads one Markdown file with optional YAML front matter. A title
// that the front matter lacks is the first heading, which then leaves the body,
// or else made from the file's name. A state that it lacks stays empty.
func ReadMarkdown(name string, r io.Reader) (models.ArticleInput, MarkdownInfo, error) {
	m := markdownFile{name: filepath.Base(name)}
	err := m.read(r)
	return m.article, m.info, err
}

type markdownFile struct {
	name    string
	article models.ArticleInput
	info    MarkdownInfo
}

func (m *markdownFile) failf(line int, format string, args ...any) error {
	return &Error{File: m.name, Line: line, Reason: fmt.Sprintf(format, args...)}
}

func (m *markdownFile) read(r io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(r, maxMarkdown+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", m.name, err)
	}
	content := newlines(strings.TrimPrefix(string(raw), "\uFEFF"))
	valid, _, _ := strings.Cut(strings.ToValidUTF8(content, "\x00"), "\x00")
	switch {
	case len(raw) > maxMarkdown:
		return m.failf(0, "The file is larger than %d MiB. Split it.", maxMarkdown>>20)
	case len(valid) < len(content):
		return m.failf(1+strings.Count(valid, "\n"), "This is not text in UTF-8. Save the file as UTF-8.")
	case strings.TrimSpace(content) == "":
		return m.failf(1, "The file is empty.")
	}
	front, body, err := m.split(content)
	if err != nil {
		return err
	}
	if err := m.frontMatter(front); err != nil {
		return err
	}
	if m.article.Title == "" {
		m.article.Title, body = firstHeading(body)
	}
	m.article.Title = cmp.Or(m.article.Title, titleOf(m.name))
	m.article.Body = strings.Trim(body, "\n") + "\n"
	return nil
}

// split separates the front matter, which stands between two lines of ---.
func (m *markdownFile) split(content string) (front, body string, err error) {
	if strings.HasPrefix(content, "+++\n") {
		return "", "", m.failf(1, "Front matter between +++ is TOML, which is not read. Write it as YAML between ---.")
	}
	rest, ok := strings.CutPrefix(content, "---\n")
	if !ok {
		return "", content, nil
	}
	at := 0
	for line := range strings.Lines(rest) {
		if end := strings.TrimRight(line, " \t\n"); end == "---" || end == "..." {
			return rest[:at], rest[at+len(line):], nil
		}
		at += len(line)
	}
	if first, _, _ := strings.Cut(rest, "\n"); !strings.Contains(first, ":") {
		return "", content, nil // a rule, not front matter
	}
	return "", "", m.failf(1, "The front matter begins with --- and never ends. End it with a line ---.")
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

func (m *markdownFile) frontMatter(front string) error {
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(front), &root); err != nil {
		text, line := strings.TrimPrefix(err.Error(), "yaml: "), 1
		if found := yamlLine.FindStringSubmatch(text); found != nil {
			line, _ = strconv.Atoi(found[1])
			line, text = line+1, strings.Replace(text, found[0], "", 1)
		}
		return m.failf(line, "The front matter is not valid YAML: %s.", oneLine(text))
	}
	if len(root.Content) == 0 {
		return nil
	}
	fields := root.Content[0]
	if fields.Kind != yaml.MappingNode {
		return m.failf(fields.Line+1, "The front matter must be a list of fields like “title: …”.")
	}
	for i := 0; i+1 < len(fields.Content); i += 2 {
		key, value := fields.Content[i], fields.Content[i+1]
		if err := m.field(strings.ToLower(key.Value), value); err != nil {
			return m.failf(value.Line+1, "%s: %v.", key.Value, err)
		}
	}
	if m.article.State == models.Scheduled {
		m.article.PublishAt = m.info.Date
	}
	return nil
}

func (m *markdownFile) field(key string, value *yaml.Node) (err error) {
	switch key {
	case "title":
		m.article.Title, err = scalar(value)
	case "slug":
		m.article.Slug, err = scalar(value)
	case "standfirst", "subtitle", "description", "summary":
		if m.article.Standfirst == "" || key == "standfirst" {
			m.article.Standfirst, err = scalar(value)
		}
	case "author", "authors":
		var names []string
		names, err = list(value, "")
		m.info.Author = strings.Join(names, ", ")
	case "date":
		m.info.Date, err = date(value)
	case "tags", "categories":
		var tags []string
		tags, err = list(value, ",")
		m.article.Tags = append(m.article.Tags, tags...)
	case "state", "status":
		var text string
		text, err = scalar(value)
		m.article.State = models.ArticleState(strings.ToLower(text))
		if err == nil && !slices.Contains([]models.ArticleState{models.Draft, models.Published, models.Scheduled, models.Archived}, m.article.State) {
			err = fmt.Errorf("%q is not a state; use draft, published, scheduled or archived", text)
		}
	case "draft":
		err = m.draft(value)
	case "comment_policy":
		var text string
		text, err = scalar(value)
		m.article.CommentPolicy = models.CommentPolicy(strings.ToLower(text))
		if err == nil && !slices.Contains([]models.CommentPolicy{models.PolicyOpen, models.PolicyPremoderated, models.PolicyFirstComment, models.PolicyClosed}, m.article.CommentPolicy) {
			err = fmt.Errorf("%q is not a policy; use open, premoderated, first_comment or closed", text)
		}
	default:
		m.info.Ignored = append(m.info.Ignored, key)
	}
	return err
}

// draft is the older way to say the state; an explicit state wins.
func (m *markdownFile) draft(value *yaml.Node) error {
	var draft bool
	if value.Decode(&draft) != nil {
		return fmt.Errorf("must be true or false")
	}
	if m.article.State == "" {
		m.article.State = models.Published
		if draft {
			m.article.State = models.Draft
		}
	}
	return nil
}

func scalar(n *yaml.Node) (string, error) {
	if n.Kind != yaml.ScalarNode {
		return "", fmt.Errorf("must be a text")
	}
	if n.Tag == "!!null" {
		return "", nil
	}
	return strings.TrimSpace(n.Value), nil
}

// list reads a list of texts, or of objects with a name, or a single text,
// which separator splits.
func list(n *yaml.Node, separator string) ([]string, error) {
	switch n.Kind {
	case yaml.ScalarNode:
		text, err := scalar(n)
		parts := []string{text}
		if separator != "" {
			parts = strings.Split(text, separator)
		}
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		return slices.DeleteFunc(parts, func(s string) bool { return s == "" }), err
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == "name" {
				return list(n.Content[i+1], "")
			}
		}
	case yaml.SequenceNode:
		var out []string
		for _, item := range n.Content {
			if item.Kind == yaml.SequenceNode {
				return nil, fmt.Errorf("must be a list of texts")
			}
			names, err := list(item, "")
			if err != nil {
				return nil, err
			}
			out = append(out, names...)
		}
		return out, nil
	}
	return nil, fmt.Errorf("must be a text or a list of texts")
}

func date(n *yaml.Node) (time.Time, error) {
	text, err := scalar(n)
	if err != nil || text == "" {
		return time.Time{}, err
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a date; write it like 2024-05-31 or 2024-05-31T18:30:00Z", text)
}

var (
	heading = regexp.MustCompile(`^ {0,3}(#{1,6})[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*$`)
	fence   = regexp.MustCompile("^ {0,3}(```+|~~~+)")
	rule    = regexp.MustCompile(`^ {0,3}=+[ \t]*$`)
	dated   = regexp.MustCompile(`^\d{4}-\d\d-\d\d-`)
)

// firstHeading takes the title out of a body: the heading it begins with, or
// the first one of the highest level.
func firstHeading(body string) (title, rest string) {
	lines := strings.Split(body, "\n")
	begun, open := false, ""
	for i, line := range lines {
		switch f := fence.FindStringSubmatch(line); {
		case f != nil && open == "":
			open = f[1]
		case f != nil && strings.HasPrefix(f[1], open):
			open = ""
		case open != "" || strings.TrimSpace(line) == "":
			continue
		default:
			if m := heading.FindStringSubmatch(line); m != nil && (len(m[1]) == 1 || !begun) {
				return m[2], strings.Join(slices.Delete(lines, i, i+1), "\n")
			}
			if i+1 < len(lines) && rule.MatchString(lines[i+1]) {
				return strings.TrimSpace(line), strings.Join(slices.Delete(lines, i, i+2), "\n")
			}
		}
		begun = true
	}
	return "", body
}

// titleOf makes a title from a file's name.
func titleOf(name string) string {
	name = strings.TrimSuffix(name, filepath.Ext(name))
	name = oneLine(strings.NewReplacer("-", " ", "_", " ").Replace(dated.ReplaceAllString(name, "")))
	first, size := utf8.DecodeRuneInString(name)
	if size == 0 {
		return "Untitled"
	}
	return string(unicode.ToUpper(first)) + name[size:]
}
