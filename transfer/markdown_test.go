package transfer

import (
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"postil/models"
)

func TestReadMarkdown(t *testing.T) {
	type in = models.ArticleInput
	day := time.Date(2024, 5, 31, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name, file, content string
		want                in
		info                MarkdownInfo
	}{
		{"all fields", "x.md", "---\ntitle: \"Roses: a primer\"\nslug: roses\nstandfirst: Short.\ndate: 2024-05-31T18:30:00+02:00\nauthor: Rosa Thorn\nstate: Published\ntags: [Roses, how to]\ncomment_policy: open\nlayout: post\n---\n\nBody.\n",
			in{Title: "Roses: a primer", Slug: "roses", Standfirst: "Short.", Body: "Body.\n", State: models.Published, CommentPolicy: models.PolicyOpen, Tags: []string{"Roses", "how to"}},
			MarkdownInfo{Author: "Rosa Thorn", Date: day.Add(16*time.Hour + 30*time.Minute), Ignored: []string{"layout"}}},
		{"no front matter", "x.md", "# Roses #\n\nBody.", in{Title: "Roses", Body: "Body.\n"}, MarkdownInfo{}},
		{"a title in both places stays in both", "x.md", "---\ntitle: T\n---\n# Roses\n", in{Title: "T", Body: "# Roses\n"}, MarkdownInfo{}},
		{"underlined heading", "x.md", "Roses\n=====\n\nBody.", in{Title: "Roses", Body: "Body.\n"}, MarkdownInfo{}},
		{"second-level heading at the start", "x.md", "\n## Roses\nBody.", in{Title: "Roses", Body: "Body.\n"}, MarkdownInfo{}},
		{"heading after code", "x.md", "```sh\n# not this\n```\n\n# Roses\n\nBody.", in{Title: "Roses", Body: "```sh\n# not this\n```\n\n\nBody.\n"}, MarkdownInfo{}},
		{"title from the file's name", "dir/2024-05-31-old_roses-bloom.md", "Body.\n\n## Section\n", in{Title: "Old roses bloom", Body: "Body.\n\n## Section\n"}, MarkdownInfo{}},
		{"empty front matter, Windows line ends, byte order mark", "x.md", "\ufeff---\r\n---\r\n# A\r\nB\r\n", in{Title: "A", Body: "B\n"}, MarkdownInfo{}},
		{"drafts", "x.md", "---\ntitle: T\ndraft: true\n---\nB", in{Title: "T", State: models.Draft, Body: "B\n"}, MarkdownInfo{}},
		{"state wins over draft", "x.md", "---\ntitle: T\nstate: archived\ndraft: true\n---\nB", in{Title: "T", State: models.Archived, Body: "B\n"}, MarkdownInfo{}},
		{"scheduled", "x.md", "---\ntitle: T\ndate: 2024-05-31\nstate: scheduled\n---\nB", in{Title: "T", State: models.Scheduled, PublishAt: day, Body: "B\n"}, MarkdownInfo{Date: day}},
		{"tags and authors in other forms", "x.md", "---\ntitle: 7\ntags: roses, how to\nauthors:\n  - name: Rosa\n  - Till\n---\nB", in{Title: "7", Tags: []string{"roses", "how to"}, Body: "B\n"}, MarkdownInfo{Author: "Rosa, Till"}},
		{"a rule is not front matter", "x.md", "---\nJust text\n", in{Title: "X", Body: "---\nJust text\n"}, MarkdownInfo{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, info, err := ReadMarkdown(test.file, strings.NewReader(test.content))
			if err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := gocmp.Diff(test.info, info); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadMarkdownNamesLineAndReason(t *testing.T) {
	tests := []struct {
		name, content string
		line          int
		reason        string
	}{
		{"empty", " \n", 1, "is empty"},
		{"not text", "one\ntwo \xff\xfe\n", 2, "UTF-8"},
		{"binary", "one\x00", 1, "UTF-8"},
		{"TOML", "+++\ntitle = 'x'\n+++\n", 1, "TOML"},
		{"never ends", "---\ntitle: x\n", 1, "never ends"},
		{"not YAML", "---\ntitle: x\n  slug: : y\n---\n", 3, "not valid YAML"},
		{"not a mapping", "---\n- x\n---\n", 2, "list of fields"},
		{"unknown state", "---\ntitle: x\nstate: hidden\n---\n", 3, "not a state"},
		{"unknown policy", "---\ncomment_policy: never\n---\n", 2, "not a policy"},
		{"not a date", "---\ndate: soon\n---\n", 2, "not a date"},
		{"title is a list", "---\ntitle: [a]\n---\n", 2, "must be a text"},
		{"aliases", "---\na: &a [x]\nb: &b [*a, *a]\ntags: *b\n---\n", 4, "must be a text"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := ReadMarkdown("dir/x.md", strings.NewReader(test.content))
			if e := asError(t, err); e.Line != test.line || e.File != "x.md" || !strings.Contains(e.Reason, test.reason) {
				t.Errorf("the error is %v; expected line %d and %q", e, test.line, test.reason)
			}
		})
	}
}
