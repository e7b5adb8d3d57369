package templates

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/net/html"
)

func renderer(t *testing.T) *Renderer {
	t.Helper()
	r, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func draw(t *testing.T, r *Renderer, page any) string {
	t.Helper()
	var out bytes.Buffer
	if err := r.Render(&out, page); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// allPages is every page empty, on the first day, and full.
func allPages() []any {
	return slices.Concat(everyPage(), emptyPages(), richPages())
}

func TestEveryPageStructHasATemplateAndViceVersa(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "pages.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]bool{}
	for _, decl := range file.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range gen.Specs {
			if ts, ok := spec.(*ast.TypeSpec); ok && ts.Name.Name != "Page" &&
				(strings.HasSuffix(ts.Name.Name, "Page") || strings.HasSuffix(ts.Name.Name, "Fragment")) {
				declared[ts.Name.Name] = true
			}
		}
	}
	listed, rich := map[string]bool{}, map[string]bool{}
	files := map[string]bool{}
	for _, p := range everyPage() {
		listed[reflect.TypeOf(p).Name()] = true
		files[fileName(p)] = true
	}
	for _, p := range richPages() {
		rich[reflect.TypeOf(p).Elem().Name()] = true
	}
	if !reflect.DeepEqual(declared, listed) || !reflect.DeepEqual(declared, rich) {
		t.Errorf("declared %v\nlisted %v\nwith a rich fixture %v", declared, listed, rich)
	}
	entries, err := fs.ReadDir(embedded, "html")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() && e.Name() != "layout.html" && !files[e.Name()] {
			t.Errorf("%s belongs to no page struct", e.Name())
		}
	}
}

func TestEveryPageIsSoundHTML(t *testing.T) {
	r := renderer(t)
	for _, page := range allPages() {
		text := draw(t, r, page)
		name := fileName(page)
		if strings.Contains(text, "ZgotmplZ") {
			t.Errorf("%s: a value was refused by its context", name)
		}
		root, err := html.Parse(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		checkDocument(t, name, root)
		for _, target := range assetLinks(root) {
			if _, ok := r.Asset(strings.TrimPrefix(target, "/static/")); !ok {
				t.Errorf("%s: %s is not served", name, target)
			}
		}
	}
}

func checkDocument(t *testing.T, name string, root *html.Node) {
	t.Helper()
	ids, labels := map[string]bool{}, map[string]bool{}
	var controls []*html.Node
	var refs []string
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if n.Data == "style" || n.Data == "script" && attr(n, "src") == "" {
			t.Errorf("%s: <%s> inside the page", name, n.Data)
		}
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("%s: attribute %s on <%s>", name, a.Key, n.Data)
			}
			if (a.Key == "src" || n.Data == "link" && a.Key == "href" && attr(n, "rel") != "canonical" || a.Key == "action") && !strings.HasPrefix(a.Val, "/") {
				t.Errorf("%s: <%s %s=%q> leaves the site", name, n.Data, a.Key, a.Val)
			}
			if strings.HasPrefix(strings.TrimSpace(strings.ToLower(a.Val)), "javascript:") {
				t.Errorf("%s: a script address in %s", name, a.Key)
			}
			if a.Key == "aria-describedby" || a.Key == "aria-labelledby" {
				refs = append(refs, strings.Fields(a.Val)...)
			}
		}
		if id := attr(n, "id"); id != "" {
			if ids[id] {
				t.Errorf("%s: id %q twice", name, id)
			}
			ids[id] = true
		}
		switch n.Data {
		case "label":
			labels[attr(n, "for")] = true
		case "input", "select", "textarea":
			if attr(n, "type") != "hidden" {
				controls = append(controls, n)
			}
		case "button", "a", "summary":
			if strings.TrimSpace(innerText(n)) == "" {
				t.Errorf("%s: <%s> without a text: %v", name, n.Data, n.Attr)
			}
		}
	}
	for _, c := range controls {
		if id := attr(c, "id"); id == "" || !labels[id] {
			t.Errorf("%s: <%s name=%q> has no label", name, c.Data, attr(c, "name"))
		}
	}
	for _, ref := range refs {
		if !ids[ref] {
			t.Errorf("%s: refers to the missing id %q", name, ref)
		}
	}
	if name != "preview_fragment.html" && !ids["main"] {
		t.Errorf("%s: no main", name)
	}
}

func assetLinks(root *html.Node) []string {
	var all []string
	for n := range root.Descendants() {
		for _, key := range []string{"src", "href"} {
			if v := attr(n, key); strings.HasPrefix(v, "/static/") {
				all = append(all, v)
			}
		}
	}
	return all
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func innerText(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

func TestRenderWritesNothingWhenItFails(t *testing.T) {
	r := renderer(t)
	var out bytes.Buffer
	if err := r.Render(&out, struct{ Title string }{"x"}); err == nil || out.Len() > 0 {
		t.Errorf("error %v, %d bytes written", err, out.Len())
	}
}

func TestTextIsEscaped(t *testing.T) {
	r := renderer(t)
	evil := `"><script>alert(1)</script>`
	page := ArticlePage{Page: pageFor(nil, evil, "/x?"+evil)}
	page.Article = Article{Title: evil, Standfirst: evil, Slug: "x", Tags: []string{evil}, Author: User{Username: "u", DisplayName: evil}}
	if text := draw(t, r, page); strings.Contains(text, "<script>alert") {
		t.Error("a title came through as markup")
	}
}

func TestOverrides(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	r, err := New(fstest.MapFS{
		"login.html":            file(`{{define "main"}}<p>Our own door</p>{{end}}`),
		"partials/signoff.html": file(`{{define "colophon"}}<footer>Imprint</footer>{{end}}`),
		"static/css/9-own.css":  file(`:root{--measure:30rem}`),
		"notes.txt":             file(`not a template`),
	})
	if err != nil {
		t.Fatal(err)
	}
	text := draw(t, r, LoginPage{})
	for _, want := range []string{"Our own door", "Imprint"} {
		if !strings.Contains(text, want) {
			t.Errorf("missing %q", want)
		}
	}
	if sheet, _ := r.Asset(r.assets.names["postil.css"]); !strings.Contains(string(sheet.Body), "--measure:30rem") {
		t.Error("the operator's sheet is not part of postil.css")
	}
	for name, bad := range map[string]fstest.MapFS{
		"does not parse": {"login.html": file(`{{define "main"}}{{if}}`)},
		"unknown field":  {"login.html": file(`{{define "main"}}{{.Nonsense}}{{end}}`)},
		"unknown kind":   {"static/x.exe": file(`MZ`)},
	} {
		if _, err := New(bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAssets(t *testing.T) {
	r := renderer(t)
	for _, plain := range []string{"postil.css", "postil.js", "desk.js", "queue.js", "icon.svg"} {
		name, ok := r.assets.names[plain]
		if !ok {
			t.Errorf("%s is missing", plain)
			continue
		}
		a, ok := r.Asset(name)
		if !ok || a.Type == "" || a.ETag == "" || len(a.Body) == 0 {
			t.Errorf("%s: %v, type %q, etag %q, %d bytes", name, ok, a.Type, a.ETag, len(a.Body))
		}
		if path.Ext(plain) == ".js" {
			for _, sink := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "DOMParser", "document.write", "eval(", "Function(", "http://", "https://", ".style."} {
				if bytes.Contains(a.Body, []byte(sink)) {
					t.Errorf("%s uses %s", plain, sink)
				}
			}
			if len(a.Body) > 20_000 {
				t.Errorf("%s: %d bytes, at most 20,000", plain, len(a.Body))
			}
		}
	}
	if _, ok := r.Asset("postil.css"); ok {
		t.Error("a plain name is served, though it may not be cached")
	}
}

func TestCommentShowsOnlyWhatItsReaderMayDo(t *testing.T) {
	r := renderer(t)
	page := func(v *Viewer, can ...string) string {
		n := comment(101, &bea, "A text.", day)
		n.Can = can
		return draw(t, r, ArticlePage{Page: pageFor(v, "x", "/articles/x"), Article: Article{Slug: "x", Title: "x", CommentsOpen: true}, Comments: []*CommentNode{n}})
	}
	addresses := map[string]string{"reply": `"/comments/101?reply=1#composer"`, "vote": `"/comments/101/vote"`, "edit": `"/comments/101/edit"`,
		"delete": `"/comments/101/delete"`, "report": `"/comments/101/report"`, "moderate": `"/moderation?at=101"`}
	for action := range addresses {
		text := page(viewer(ada), action)
		for other, address := range addresses {
			if got, want := strings.Contains(text, address), other == action; got != want {
				t.Errorf("may %s: %s is there: %v", action, address, got)
			}
		}
	}
	if text := page(nil); !strings.Contains(text, "Sign in to reply") {
		t.Error("nobody signed in, and no way to sign in from a comment")
	}
	if text := page(viewer(ada)); strings.Contains(text, "Sign in to reply") {
		t.Error("somebody is signed in and asked to sign in")
	}
}
