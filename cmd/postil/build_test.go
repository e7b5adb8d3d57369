package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The program builds with Go alone: no C compiler in the path, and nobody says
// CGO_ENABLED=0.
func TestBuildsWithoutCCompiler(t *testing.T) {
	if testing.Short() && os.Getenv("CI") == "" {
		t.Skip("Building is left out of short runs.")
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	ok(t, err)
	path := t.TempDir()
	tool := filepath.Join(strings.TrimSpace(string(root)), "bin", "go")
	ok(t, os.Symlink(tool, filepath.Join(path, "go")))
	output := filepath.Join(t.TempDir(), "postil")
	cmd := exec.Command(filepath.Join(path, "go"), "build", "-o", output, ".")
	for _, setting := range os.Environ() {
		switch name, _, _ := strings.Cut(setting, "="); name {
		case "PATH", "CGO_ENABLED", "CC", "CXX", "GOROOT":
		default:
			cmd.Env = append(cmd.Env, setting)
		}
	}
	cmd.Env = append(cmd.Env, "PATH="+path, "GOROOT="+strings.TrimSpace(string(root)))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(output)
	ok(t, err)
	said, err := exec.Command(output, "version").Output()
	if err != nil || !strings.HasPrefix(string(said), "postil ") {
		t.Errorf("the built program says %q, %v", said, err)
	}
	t.Logf("%.1f MiB, %s", float64(info.Size())/(1<<20), strings.TrimSpace(string(said)))
}
