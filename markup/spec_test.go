package markup

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// specExample is one example of the CommonMark specification.
type specExample struct {
	Markdown string
	HTML     string
	Example  int
	Section  string
}

// specExamples reads the examples from the parser's own copy in the module
// cache. They are not part of this repository because of their licence.
func specExamples(t *testing.T) []specExample {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/yuin/goldmark").Output()
	if err != nil {
		t.Fatalf("asking go for the directory of goldmark: %v", err)
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "_test", "spec.json"))
	if err != nil {
		t.Fatalf("goldmark no longer brings the specification along: %v", err)
	}
	var examples []specExample
	if err := json.Unmarshal(data, &examples); err != nil {
		t.Fatal(err)
	}
	return examples
}

// What is not compared, because it shows something that we do not do. The
// counts are asserted, so that a reason cannot quietly swallow more examples.
var (
	excludedSections = map[string]int{
		"HTML blocks": 44, // raw HTML is shown as text
		"Raw HTML":    20,
	}
	excludedExamples = map[string][]int{
		"raw HTML inside another construct":     {21, 31, 201, 308, 309, 344, 475, 476, 477, 491, 494, 524, 536, 642, 643},
		"a scheme we refuse is shown as typed":  {596, 598, 599, 601},
		"the address is no URL":                 {346},
		"the scheme is written in lower case":   {597},
		"bare links and addresses become links": {608, 611, 612},
	}
)

func TestCommonMark(t *testing.T) {
	compared, skipped := 0, map[string]int{}
	for _, e := range specExamples(t) {
		if excludedSections[e.Section] > 0 {
			skipped[e.Section]++
			continue
		}
		if isExcluded(e.Example) {
			continue
		}
		out, err := Article(e.Markdown)
		if err != nil {
			t.Errorf("example %d: %v", e.Example, err)
			continue
		}
		compared++
		if diff := cmp.Diff(canonical(t, e.HTML), canonical(t, out.HTML)); diff != "" {
			t.Errorf("example %d (%s), %q: -specification +ours\n%s", e.Example, e.Section, e.Markdown, diff)
		}
	}
	if compared != 564 {
		t.Errorf("%d examples were compared, want 564", compared)
	}
	if diff := cmp.Diff(excludedSections, skipped); diff != "" {
		t.Errorf("examples left out by section, -want +got\n%s", diff)
	}
}

// The dialects differ in what a newline means, in headings, images and ids, and
// in nothing else. So the comparison above vouches for comments, too.
func TestCommentsDifferFromArticlesInLineBreaksOnly(t *testing.T) {
	compared := 0
	for _, e := range specExamples(t) {
		comment, err := Comment(e.Markdown)
		if err != nil {
			t.Fatalf("example %d: %v", e.Example, err)
		}
		article, err := Article(e.Markdown)
		if err != nil {
			t.Fatalf("example %d: %v", e.Example, err)
		}
		if len(article.Headings) > 0 || strings.Contains(article.HTML, "<img") {
			continue
		}
		compared++
		flat := func(fragment string) string {
			without := strings.NewReplacer("<br></br>", "", " ", "")
			return without.Replace(strings.Join(canonical(t, fragment), ""))
		}
		if diff := cmp.Diff(flat(article.HTML), flat(comment.HTML)); diff != "" {
			t.Errorf("example %d, %q: -article +comment\n%s", e.Example, e.Markdown, diff)
		}
	}
	if compared < 550 {
		t.Errorf("only %d examples were compared", compared)
	}
}

func isExcluded(example int) bool {
	for _, numbers := range excludedExamples {
		if slices.Contains(numbers, example) {
			return true
		}
	}
	return false
}

// canonical rewrites a fragment so that what we change on purpose looks the
// same on both sides: attributes that we add go, links and images that we do
// not permit become text. It knows the rules from the documentation only and
// shares no code with the renderer. White space outside of <pre> is squeezed.
func canonical(t *testing.T, fragment string) []string {
	t.Helper()
	nodes, err := html.ParseFragment(strings.NewReader(fragment), &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		t.Fatal(err)
	}
	var c canon
	for _, n := range nodes {
		c.node(n, false)
	}
	c.flush()
	return c.lines
}

type canon struct {
	lines []string
	text  string
}

func (c *canon) flush() {
	if text := strings.Join(strings.Fields(c.text), " "); text != "" {
		c.lines = append(c.lines, text)
	}
	c.text = ""
}

func (c *canon) node(n *html.Node, pre bool) {
	switch {
	case n.Type == html.TextNode && pre:
		c.flush()
		c.lines = append(c.lines, fmt.Sprintf("%q", n.Data))
		return
	case n.Type == html.TextNode:
		c.text += n.Data
		return
	case n.Data == "img" && !specImage(attr(n, "src")):
		c.text += attr(n, "alt")
		return
	}
	shown := n.Data != "a" || specLink(attr(n, "href"))
	if shown {
		c.flush()
		c.lines = append(c.lines, openTag(n))
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		c.node(child, pre || n.Data == "pre")
	}
	if shown {
		c.flush()
		c.lines = append(c.lines, "</"+n.Data+">")
	}
}

func openTag(n *html.Node) string {
	tag := "<" + n.Data
	for _, a := range n.Attr {
		switch {
		case a.Key == "dir", a.Key == "rel", a.Key == "loading", a.Key == "id" && n.Data[0] == 'h':
		case a.Key == "class" && !regexp.MustCompile(`^language-[\w+#.-]+$`).MatchString(a.Val):
		case a.Key == "href", a.Key == "src":
			address, _ := url.PathUnescape(a.Val)
			tag += fmt.Sprintf(" %s=%q", a.Key, address)
		default:
			tag += fmt.Sprintf(" %s=%q", a.Key, strings.Join(strings.Fields(a.Val), " "))
		}
	}
	return tag + ">"
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func specLink(href string) bool {
	return regexp.MustCompile(`^(?:(?i:https?)://[^/]|(?i:mailto):.|#|/$|/[^/\\])`).MatchString(href)
}

func specImage(src string) bool {
	return regexp.MustCompile(`^(?:(?i:https)://[^/]|/[^/\\])`).MatchString(src)
}
