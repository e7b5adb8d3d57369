package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"postil/models"
)

// The documentation says what the program is. What of it can be checked is
// checked here, and its examples are run.

var projectRoot = filepath.Join("..", "..")

// document reads a page of the documentation.
func document(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(projectRoot, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// walkProject visits every file of the project by its slashed path.
func walkProject(t *testing.T, visit func(name string, text []byte)) {
	t.Helper()
	err := filepath.WalkDir(projectRoot, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "dist"):
			return filepath.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(projectRoot, path)
		visit(filepath.ToSlash(relative), text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// pages are the Markdown files of the documentation.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	walkProject(t, func(name string, text []byte) {
		folder, _, _ := strings.Cut(name, "/")
		if strings.HasSuffix(name, ".md") && (folder == name || folder == "docs") {
			all[name] = string(text)
		}
	})
	return all
}

var (
	codeFence = regexp.MustCompile("(?ms)^```.*?^```$")
	codeSpan  = regexp.MustCompile("`[^`\n]*`")
	inlineRef = regexp.MustCompile(`!?\[[^\]]*\]\(([^)\s]+)\)`)
	titleLine = regexp.MustCompile(`(?m)^#{1,6} (.+)$`)
)

// anchorsOf are the fragments of a page's headings, as the usual viewers make them.
func anchorsOf(page string) map[string]bool {
	found := map[string]bool{}
	for _, m := range titleLine.FindAllStringSubmatch(codeFence.ReplaceAllString(page, ""), -1) {
		id := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, m[1])
		found[id] = true
	}
	return found
}

func TestLinksOfTheDocumentationLeadSomewhere(t *testing.T) {
	all := pages(t)
	for name, text := range all {
		text = codeSpan.ReplaceAllString(codeFence.ReplaceAllString(text, ""), "")
		for _, m := range inlineRef.FindAllStringSubmatch(text, -1) {
			if strings.HasPrefix(m[1], "https://") {
				continue
			}
			file, fragment, _ := strings.Cut(m[1], "#")
			target := name
			if file != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(name), file))
			}
			if _, err := os.Stat(filepath.Join(projectRoot, target)); err != nil {
				t.Errorf("%s links to %s, which is not there", name, m[1])
			} else if fragment != "" && !anchorsOf(all[target])[fragment] {
				t.Errorf("%s links to %s; %s has no such heading", name, m[1], target)
			}
		}
	}
}

// table gives the rows of the first table with these headings, without the
// marks of code around cells.
func table(t *testing.T, page string, headings ...string) [][]string {
	t.Helper()
	var rows [][]string
	inside := false
	for line := range strings.Lines(document(t, page)) {
		if !strings.HasPrefix(line, "|") {
			if inside {
				return rows[1:] // without the rule
			}
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.Trim(strings.TrimSpace(line), "|"), " |") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		if inside {
			rows = append(rows, cells)
		}
		inside = inside || slices.Equal(cells, headings)
	}
	t.Fatalf("%s has no table with the headings %q", page, headings)
	return nil
}

func plainCell(cell string) string { return strings.Trim(cell, "`") }

func TestSettingsAreDocumented(t *testing.T) {
	var got, want []string
	for _, row := range table(t, "docs/operate.md", "setting", "default", "what it does") {
		got = append(got, plainCell(row[0])+" = "+plainCell(row[1]))
	}
	for _, s := range settings {
		value := s.value
		if value == "" {
			value = "–"
		}
		want = append(want, s.name+" = "+value)
	}
	compareLists(t, "docs/operate.md", got, "cmd/postil/config.go", want)
}

// compareLists names what one list has and the other lacks.
func compareLists(t *testing.T, gotIn string, got []string, wantIn string, want []string) {
	t.Helper()
	for _, g := range got {
		if !slices.Contains(want, g) {
			t.Errorf("%s has %s; %s does not", gotIn, g, wantIn)
		}
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("%s has %s; %s does not", wantIn, w, gotIn)
		}
	}
}

func TestTheHouseIsDrawnAsItIs(t *testing.T) {
	drawn := map[string]bool{}
	for _, row := range table(t, "ARCHITECTURE.md", "package", "what it is for", "may import of ours") {
		room := plainCell(row[0])
		drawn[room] = true
		var imports []string
		for _, name := range codeSpan.FindAllString(row[2], -1) {
			imports = append(imports, plainCell(name))
		}
		compareLists(t, "ARCHITECTURE.md, "+room, imports, "mayImport", mayImport[room])
	}
	compareLists(t, "ARCHITECTURE.md", slices.Sorted(maps.Keys(drawn)), "mayImport", slices.Sorted(maps.Keys(mayImport)))
}

// eachCommand visits the commands that people call.
func eachCommand(cmd *cobra.Command, visit func(*cobra.Command)) {
	for _, c := range cmd.Commands() {
		if c.Hidden || c.Name() == "help" || c.Name() == "completion" {
			continue
		}
		if !c.HasAvailableSubCommands() {
			visit(c)
		}
		eachCommand(c, visit)
	}
}

func TestCommandsAreDocumented(t *testing.T) {
	var got, want []string
	words := map[string]string{}
	for _, row := range table(t, "docs/operate.md", "command", "what it does") {
		got = append(got, plainCell(row[0]))
		words[plainCell(row[0])] = row[1]
	}
	eachCommand(newRoot(), func(c *cobra.Command) {
		line := strings.TrimSuffix(c.UseLine(), " [flags]")
		want = append(want, line)
		for _, m := range regexp.MustCompile(`(?m)^ +--([a-z-]+)`).FindAllStringSubmatch(c.LocalNonPersistentFlags().FlagUsages(), -1) {
			if m[1] != "help" && !strings.Contains(words[line], "`--"+m[1]+"`") {
				t.Errorf("docs/operate.md does not tell of --%s of %s", m[1], line)
			}
		}
	})
	compareLists(t, "docs/operate.md", got, "the program", want)

	var codes []string
	for _, row := range table(t, "docs/operate.md", "exit code", "meaning") {
		codes = append(codes, row[0]+"  "+row[1])
	}
	compareLists(t, "docs/operate.md", codes, "postil exit-codes", strings.Split(exitCodesTopic().Long, "\n"))
}

var requirement = regexp.MustCompile(`(?m)^(?:require )?\s*(\S+\.\S+/?\S*) v\S+( // indirect)?$`)

// TestDependenciesHaveAReason compares the table with go.mod: direct modules,
// and those that are marked indirect but imported, until go.mod is tidied.
func TestDependenciesHaveAReason(t *testing.T) {
	imported := map[string]bool{}
	walkProject(t, func(name string, text []byte) {
		if strings.HasSuffix(name, ".go") {
			for _, m := range regexp.MustCompile(`(?m)^\s*(?:import )?(?:\w+ )?"([^"\s]+)"$`).FindAllStringSubmatch(string(text), -1) {
				imported[m[1]] = imported[m[1]] || !strings.HasSuffix(name, "_test.go")
			}
		}
	})
	inProgram := func(module string) (used, outsideTests bool) {
		for path, outside := range imported {
			if path == module || strings.HasPrefix(path, module+"/") {
				used, outsideTests = true, outsideTests || outside
			}
		}
		return used, outsideTests
	}
	var got, want []string
	marked := map[string]bool{}
	for _, row := range table(t, "docs/adr/0014-dependencies.md", "module", "what for", "why not our own") {
		got = append(got, plainCell(row[0]))
		marked[plainCell(row[0])] = strings.HasPrefix(row[1], "*tests*")
	}
	for _, m := range requirement.FindAllStringSubmatch(document(t, "go.mod"), -1) {
		if used, _ := inProgram(m[1]); used || m[2] == "" {
			want = append(want, m[1])
		}
	}
	compareLists(t, "docs/adr/0014-dependencies.md", got, "go.mod", want)
	for module, isMarked := range marked {
		if _, outside := inProgram(module); isMarked == outside {
			t.Errorf("docs/adr/0014-dependencies.md: %s is marked for tests: %v; imported outside of tests: %v", module, isMarked, outside)
		}
	}
}

func TestLimitsAreDocumented(t *testing.T) {
	rows := map[string]string{}
	for _, row := range table(t, "SECURITY.md", "what", "at most") {
		rows[row[0]] = row[1]
	}
	for what, limit := range map[string]int{"display name": models.MaxDisplayName, "e-mail address": models.MaxEmail, "about you": models.MaxBio,
		"title": models.MaxTitle, "standfirst": models.MaxStandfirst, "reason of a decision": models.MaxReason, "note of a report": models.MaxNote,
		"comments in one decision": models.MaxBulk, "items on a page of a list": models.MaxPage} {
		if got := strings.ReplaceAll(strings.TrimSuffix(rows[what], " characters"), ",", ""); got != fmt.Sprint(limit) {
			t.Errorf("SECURITY.md says %q for %s; it is %d", rows[what], what, limit)
		}
	}
}

func TestCustomPropertiesAreDocumented(t *testing.T) {
	var got, want []string
	for _, row := range table(t, "docs/customise.md", "property", "what it governs") {
		if !strings.Contains(row[0], " to ") {
			got = append(got, plainCell(row[0]))
		}
	}
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)(--[a-z][a-z0-9-]*):`).FindAllStringSubmatch(document(t, "templates/static/css/1-tokens.css"), -1) {
		if isScale := regexp.MustCompile(`^--s-?\d$`).MatchString(m[1]); !seen[m[1]] && !isScale {
			seen[m[1]] = true
			want = append(want, m[1])
		}
	}
	compareLists(t, "docs/customise.md", got, "1-tokens.css", want)
}

// TestTheProjectSpeaksOfItself finds what belongs to somebody's machine, and what
// was left for later.
func TestTheProjectSpeaksOfItself(t *testing.T) {
	// The words are put together, so that this file may be searched too.
	foreign := regexp.MustCompile(`(?:^|[^\w./-])/(?:home|root|tmp)/[\w.-]|\bTO` + `DO\b|\bFIX` + `ME\b|(?i:to be fil` + `led in)`)
	walkProject(t, func(name string, text []byte) {
		if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 || strings.Contains(name, "testdata/") {
			return
		}
		for i, line := range bytes.Split(text, []byte("\n")) {
			if found := foreign.Find(line); found != nil {
				t.Errorf("%s:%d mentions %q", name, i+1, found)
			}
		}
	})
}

// TestExamplesRun runs the blocks of shell that are marked for it. Each page
// has a folder and a server of its own.
func TestExamplesRun(t *testing.T) {
	marked := regexp.MustCompile("(?s)<!-- run -->\n```sh\n(.*?)\n```")
	for _, page := range slices.Sorted(maps.Keys(pages(t))) {
		blocks := marked.FindAllStringSubmatch(document(t, page), -1)
		if len(blocks) == 0 {
			continue
		}
		t.Run(page, func(t *testing.T) {
			t.Chdir(t.TempDir())
			sh := &shell{t: t, variables: map[string]string{}}
			for _, block := range blocks {
				script := strings.ReplaceAll(block[1], "\\\n", " ")
				for line := range strings.SplitSeq(script, "\n") {
					sh.line(line)
				}
			}
		})
	}
	for _, page := range []string{"docs/api.md", "docs/operate.md", "docs/import.md"} {
		if !marked.MatchString(document(t, page)) {
			t.Errorf("%s has no example that is run", page)
		}
	}
}

// shell understands as much of sh as the examples use: variables, quotes,
// pipes, substitution, one redirection; and of programs postil, curl, jq -r
// .name, printf and sqlite3.
type shell struct {
	t         *testing.T
	variables map[string]string
	server    string // address, once it is needed
	status    int    // of the last curl
	code      int    // of the last postil
}

var (
	expected   = regexp.MustCompile(`\s+# (exit )?(\d+)$`)
	assignment = regexp.MustCompile(`^([A-Z]+)=(.*)$`)
)

// line runs one line and compares its outcome with the number behind it.
func (s *shell) line(line string) {
	s.t.Helper()
	want := expected.FindStringSubmatch(line)
	command := strings.TrimSpace(expected.ReplaceAllString(line, ""))
	if command == "" {
		return
	}
	s.status, s.code = 0, 0
	var out string
	if m := assignment.FindStringSubmatch(command); m == nil {
		out = s.pipeline(command)
	} else if inner, ok := strings.CutPrefix(m[2], "$("); ok {
		out = strings.TrimSpace(s.pipeline(strings.TrimSuffix(inner, ")")))
		s.variables[m[1]] = out
	} else {
		s.variables[m[1]] = strings.Replace(m[2], "http://127.0.0.1:8080", s.base(), 1)
	}
	switch {
	case want == nil && (s.status >= 300 || s.code != 0):
		s.t.Fatalf("%s\nstatus %d, exit code %d:\n%s", line, s.status, s.code, out)
	case want != nil && want[1] == "" && want[2] != fmt.Sprint(s.status), want != nil && want[1] != "" && want[2] != fmt.Sprint(s.code):
		s.t.Fatalf("%s\nstatus %d, exit code %d instead:\n%s", line, s.status, s.code, out)
	}
}

func (s *shell) pipeline(command string) (out string) {
	s.t.Helper()
	var args []string
	for _, w := range append(s.words(command), word{text: "|", bare: true}) {
		switch {
		case !w.bare || w.text != "|":
			args = append(args, w.text)
			continue
		case len(args) > 2 && args[len(args)-2] == ">":
			out = s.run(args[:len(args)-2], out)
			ok(s.t, os.WriteFile(args[len(args)-1], []byte(out), 0o600))
		default:
			out = s.run(args, out)
		}
		args = nil
	}
	return out
}

type word struct {
	text string
	bare bool // without quotes
}

var variable = regexp.MustCompile(`\$[A-Z]+`)

// words splits a command as sh does.
func (s *shell) words(command string) (all []word) {
	expand := func(text string) string {
		return variable.ReplaceAllStringFunc(text, func(name string) string {
			value, known := s.variables[name[1:]]
			if !known {
				s.t.Fatalf("%s is not set in: %s", name, command)
			}
			return value
		})
	}
	var current strings.Builder
	inWord, quoted := false, false
	for rest := command; rest != ""; {
		switch rest[0] {
		case ' ':
			if inWord {
				all = append(all, word{current.String(), !quoted})
			}
			current.Reset()
			inWord, quoted = false, false
			rest = rest[1:]
		case '\'':
			text, after, _ := strings.Cut(rest[1:], "'")
			current.WriteString(text)
			inWord, quoted, rest = true, true, after
		case '"':
			end := 1
			for rest[end] != '"' {
				if rest[end] == '\\' {
					end++
				}
				end++
			}
			current.WriteString(strings.ReplaceAll(expand(rest[1:end]), `\"`, `"`))
			inWord, quoted, rest = true, true, rest[end+1:]
		default:
			end := strings.IndexAny(rest, ` '"`)
			if end < 0 {
				end = len(rest)
			}
			current.WriteString(expand(rest[:end]))
			inWord, rest = true, rest[end:]
		}
	}
	if inWord {
		all = append(all, word{current.String(), !quoted})
	}
	return all
}

func (s *shell) run(args []string, in string) string {
	s.t.Helper()
	switch args[0] {
	case "postil":
		var out, errs bytes.Buffer
		s.code = run(s.t.Context(), args[1:], strings.NewReader(in), &out, &errs)
		return out.String() + errs.String()
	case "curl":
		return s.curl(args[1:])
	case "printf":
		if args[1] == `%s\n` {
			return strings.Join(args[2:], "\n") + "\n"
		}
		return args[2]
	case "jq":
		var value map[string]any
		decoder := json.NewDecoder(strings.NewReader(in))
		decoder.UseNumber()
		ok(s.t, decoder.Decode(&value))
		field, known := value[strings.TrimPrefix(args[2], ".")]
		if !known || field == nil {
			s.t.Fatalf("jq finds no %s in %s", args[2], in)
		}
		return fmt.Sprint(field)
	case "sqlite3":
		db, err := sql.Open("sqlite", args[1])
		ok(s.t, err)
		defer db.Close()
		_, err = db.Exec(args[2])
		ok(s.t, err)
		return ""
	}
	s.t.Fatalf("the examples may not use %s", args[0])
	return ""
}

// curl sends a request; it knows the options that the examples use.
func (s *shell) curl(args []string) string {
	s.t.Helper()
	method, body, address := "", "", ""
	header := http.Header{}
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-X":
			i++
			method = args[i]
		case "-H":
			i++
			name, value, _ := strings.Cut(args[i], ": ")
			header.Set(name, value)
		case "-d":
			i++
			body = args[i]
			if method == "" {
				method = "POST"
			}
			if header.Get("Content-Type") == "" {
				header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
		default:
			address = args[i]
		}
	}
	request, err := http.NewRequestWithContext(s.t.Context(), method, address, strings.NewReader(body))
	ok(s.t, err)
	request.Header = header
	reply, err := http.DefaultClient.Do(request)
	ok(s.t, err)
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	ok(s.t, err)
	s.status = reply.StatusCode
	return string(text)
}

// base is the address of a server with the sample, as postil serve starts it.
func (s *shell) base() string {
	if s.server != "" {
		return s.server
	}
	s.t.Helper()
	ctx := context.Background()
	cfg, err := loadConfig(newRoot().PersistentFlags())
	ok(s.t, err)
	log := newLogger(cfg, io.Discard)
	store, err := openStore(ctx, cfg, log)
	ok(s.t, err)
	s.t.Cleanup(func() { ok(s.t, store.Close()) })
	ok(s.t, offerSample(ctx, cfg, store, log))
	handler, err := newHandler(cfg, store, log)
	ok(s.t, err)
	server := httptest.NewServer(handler)
	s.t.Cleanup(server.Close)
	s.server = server.URL
	return s.server
}
