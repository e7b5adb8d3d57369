package templates

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode"
)

//go:embed html static
var embedded embed.FS

// fragments are drawn without the layout around them.
var fragments = map[string]bool{"preview_fragment.html": true}

// Renderer draws pages. It is made once, never changes, and may be used by
// many goroutines at a time.
type Renderer struct {
	pages  map[string]*template.Template
	assets assets
	pool   sync.Pool
}

// New parses every page once. overrides may be nil, or a folder of the
// operator whose files replace ours: article.html, layout.html,
// partials/comment.html, static/icon.svg and so on. A replacement that does
// not parse, or that names a field its page does not have, is an error here
// and not when the first reader comes.
func New(overrides fs.FS) (*Renderer, error) {
	pages, err := layered("html", "", overrides)
	if err != nil {
		return nil, err
	}
	static, err := layered("static", "static", overrides)
	if err != nil {
		return nil, err
	}
	r := &Renderer{pages: make(map[string]*template.Template)}
	r.pool.New = func() any { return new(bytes.Buffer) }
	if r.assets, err = newAssets(static); err != nil {
		return nil, err
	}
	if err := r.parse(pages); err != nil {
		return nil, err
	}
	if overrides == nil {
		return r, nil
	}
	for _, page := range everyPage() {
		if err := r.Render(io.Discard, page); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// parse makes one template set per page: the layout and the partials are
// common, the blocks are the page's own.
func (r *Renderer) parse(files map[string][]byte) error {
	base := template.New("").Option("missingkey=error").Funcs(r.funcs())
	for _, name := range commonFiles(files) {
		if _, err := base.New(name).Parse(string(files[name])); err != nil {
			return fmt.Errorf("parse %s: %w", name, err)
		}
	}
	for name, text := range files {
		if strings.Contains(name, "/") || name == "layout.html" {
			continue
		}
		page, err := base.Clone()
		if err != nil {
			return fmt.Errorf("clone layout for %s: %w", name, err)
		}
		if _, err := page.New(name).Parse(string(text)); err != nil {
			return fmt.Errorf("parse %s: %w", name, err)
		}
		r.pages[name] = page
	}
	return nil
}

// commonFiles are the layout and the partials in order: ours first, so that a
// partial which the operator adds may define anew what ours define.
func commonFiles(files map[string][]byte) []string {
	var ours, theirs []string
	for name := range files {
		if name != "layout.html" && !strings.HasPrefix(name, "partials/") {
			continue
		}
		if _, err := fs.Stat(embedded, "html/"+name); err == nil {
			ours = append(ours, name)
		} else {
			theirs = append(theirs, name)
		}
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	return append(ours, theirs...)
}

// Render writes page, one of the page structs or a pointer to one, as HTML.
// Nothing is written when drawing fails.
func (r *Renderer) Render(w io.Writer, page any) error {
	file := fileName(page)
	set, ok := r.pages[file]
	if !ok {
		return fmt.Errorf("render %T: there is no template %s", page, file)
	}
	entry := "layout.html"
	if fragments[file] {
		entry = file
	}
	buf := r.pool.Get().(*bytes.Buffer)
	defer r.pool.Put(buf)
	buf.Reset()
	if err := set.ExecuteTemplate(buf, entry, page); err != nil {
		return fmt.Errorf("render %s: %w", file, err)
	}
	if _, err := w.Write(buf.Bytes()); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}

// fileName is the template of a page: CommentEditPage is drawn by comment_edit.html.
func fileName(page any) string {
	t := reflect.TypeOf(page)
	if t == nil {
		return "nil.html"
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var b strings.Builder
	for i, c := range strings.TrimSuffix(t.Name(), "Page") {
		if i > 0 && unicode.IsUpper(c) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String() + ".html"
}

// layered reads the embedded folder dir and lets the files of overrides, below
// its folder sub, replace ours.
func layered(dir, sub string, overrides fs.FS) (map[string][]byte, error) {
	files := make(map[string][]byte)
	if err := readAll(embedded, dir, files, nil); err != nil {
		return nil, err
	}
	if overrides == nil {
		return files, nil
	}
	root := "."
	if sub != "" {
		root = sub
	}
	keep := func(name string) bool { return sub != "" || path.Ext(name) == ".html" }
	if err := readAll(overrides, root, files, keep); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return files, nil
}

// readAll reads every file below root into files, named relative to root.
func readAll(fsys fs.FS, root string, files map[string][]byte, keep func(string) bool) error {
	return fs.WalkDir(fsys, root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("read templates: %w", err)
		}
		rel := strings.TrimPrefix(strings.TrimPrefix(name, root), "/")
		if entry.IsDir() || keep != nil && !keep(rel) {
			return nil
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return fmt.Errorf("read templates: %w", err)
		}
		files[rel] = text
		return nil
	})
}

// everyPage is an empty value of each thing that can be rendered.
func everyPage() []any {
	return []any{
		HomePage{}, ArticlePage{}, ThreadPage{}, CommentEditPage{}, CommentReportPage{},
		CommentDeletePage{}, CommentHistoryPage{}, PreviewFragment{}, ProfilePage{}, LoginPage{},
		RegisterPage{}, SetupPage{}, AccountPage{}, DeskPage{}, EditorPage{}, RevisionsPage{},
		RevisionPage{}, ComparePage{}, QueuePage{}, LogPage{}, UsersPage{}, DocsPage{}, ErrorPage{},
	}
}
