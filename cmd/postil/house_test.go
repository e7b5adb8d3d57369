package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mayImport is the house: which of our packages may import which. Arrows point
// downward only; ARCHITECTURE.md argues for each room.
var mayImport = map[string][]string{
	"cmd/postil":        {"handlers", "middleware", "models", "templates", "transfer", "auth", "markup", "anchor"},
	"handlers":          {"middleware", "models", "templates", "auth", "markup", "anchor"},
	"middleware":        {"models", "auth"},
	"transfer":          {"models", "markup"},
	"templates":         {},
	"models":            {"markup", "anchor", "auth"},
	"models/modelstest": {"models", "auth"},
	"markup":            {},
	"anchor":            {},
	"auth":              {},
}

// onlyIn names packages that one room alone may import.
var onlyIn = map[string][]string{
	"gorm.io/gorm":                       {"models"},
	"database/sql":                       {"models", "cmd/postil"}, // in cmd: what the benchmark compares with
	"github.com/yuin/goldmark":           {"markup"},
	"github.com/microcosm-cc/bluemonday": {"markup"},
	"os/exec":                            {"cmd/postil"}, // the benchmark's load generator
	"text/template":                      {},
}

func TestArrowsPointDownward(t *testing.T) {
	rooms := map[string]bool{}
	walkSources(t, func(room, file string, imports []string) {
		rooms[room] = true
		allowed, known := mayImport[room]
		if !known {
			t.Fatalf("%s: the folder %s is not a room of the house; add it to mayImport and to ARCHITECTURE.md", file, room)
		}
		for _, path := range imports {
			if target, ours := strings.CutPrefix(path, "postil/"); ours && !slices.Contains(allowed, target) {
				t.Errorf("%s: %s must not import %s", file, room, target)
			}
			for name, homes := range onlyIn {
				if (path == name || strings.HasPrefix(path, name+"/")) && !slices.Contains(homes, room) {
					t.Errorf("%s: %s must not import %s; only %v may", file, room, path, homes)
				}
			}
		}
	})
	for room := range mayImport {
		if !rooms[room] {
			t.Errorf("mayImport has a room %s that is not there", room)
		}
	}
}

// walkSources visits every Go file of the program, tests left out, with what it
// imports.
func walkSources(t *testing.T, visit func(room, file string, imports []string)) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && strings.HasPrefix(entry.Name(), "."), entry.IsDir() && entry.Name() == "testdata":
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.ImportsOnly)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		var imports []string
		for _, spec := range file.Imports {
			imports = append(imports, strings.Trim(spec.Path.Value, `"`))
		}
		visit(filepath.ToSlash(filepath.Dir(relative)), relative, imports)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
