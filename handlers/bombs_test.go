package handlers

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"time"

	"postil/markup"
)

// bombs are texts of about n characters that have cost Markdown parsers, diffs
// or sanitisers far more than their length.
func bombs(n int) map[string]string {
	rep := func(text string) string { return strings.Repeat(text, n/len([]rune(text))) }
	half := func(text string) string { return strings.Repeat(text, n/2/len([]rune(text))) }
	random := rand.New(rand.NewPCG(1, 2))
	word := func(letters int) string {
		b := make([]byte, letters)
		for i := range b {
			b[i] = byte('a' + random.IntN(26))
		}
		return string(b)
	}
	var few, distinct strings.Builder
	for few.Len() < n-4 {
		few.WriteString([]string{"a ", "b ", "c "}[random.IntN(3)])
	}
	for distinct.Len() < n-9 {
		distinct.WriteString(word(7) + " ")
	}
	columns := 60
	return map[string]string{
		"a wide table with short rows": "|" + strings.Repeat("a|", n/8) + "\n|" + strings.Repeat("-|", n/8) + "\n" + strings.Repeat("|x\n", n/8),
		"a table at the limit":         "|" + strings.Repeat("a|", columns) + "\n|" + strings.Repeat("-|", columns) + "\n" + strings.Repeat("|\n", n/4),
		"lists in a row":               half("- ") + "x" + half("\n"), "deep lists": half("- ") + "x", "deep quotes": half(">") + "x", "quotes and lists": half("> - ") + "x", "growing lists": growing(n),
		"backticks": growingTicks(n), "backticks and spaces": half("`") + " " + half("`") + "x", "a list of backticks": rep("- `x"), "emphasis": rep("*a _b "), "open emphasis": rep("**a"), "stars": rep("*"), "underscores": rep("_a__"), "alternating": rep("*_"),
		"brackets": rep("["), "images": rep("!["), "links in links": half("[a](") + half(")"), "open links": rep("[a](<b"), "open targets": rep("[a]("), "link titles": rep("[a](b \""), "references": rep("[a]: b\n"), "uses of references": "[a]: " + strings.Repeat("x", n/10) + "\n\n" + half("[a] "),
		"nested references": half("[a][") + half("]"), "footnotes": "[^1]: x\n\n" + half("[^1] "), "many footnotes": rep("[^a]: b\n"), "footnotes in footnotes": rep("[^1]: [^1]: "), "html comments": rep("<!--"), "declarations": rep("<!A "), "instructions": rep("<?"), "cdata": rep("<![CDATA["),
		"tags": rep("<a "), "nested tags": rep("<div>\n"), "attributes": "<a " + rep("x=\"y\" "), "entities": rep("&amp;"), "long entity": "&" + rep("a"), "autolinks": rep("http://a.b "), "colons": rep("a:"), "mail": rep("a@b.c "), "www": rep("www."), "strikes": rep("~~a"), "tasks": rep("- [ ] a\n"),
		"headings": rep("# a\n"), "long heading": "# " + rep("a"), "setext": rep("a\n=\n"), "rules": rep("---\n"), "fences": rep("```\n"), "long fence": rep("`"), "pipes": rep("|"), "escaped pipes": "|a|\n|-|\n" + half("\\|`"), "escapes": rep("\\"), "newlines": half("\n") + "x", "spaces": half(" ") + "x",
		"tabs": half("\t") + "x", "trailing spaces": rep("a  \n"), "numbers": rep("1. "), "dashes": rep("- - "), "zalgo": "e" + rep("\u0301"), "wide": rep("\U0001f469\u200d"), "right to left": rep("\u0627\u064b"), "three words": few.String(), "distinct words": distinct.String(), "one word": rep("a"), "lines": rep("a\n\n"),
		"lines of words": rep("a b\n\n"), "reversed": reversed(few.String()), "periodic": rep("a b c d e f g "),
	}
}

func growing(n int) string {
	var b strings.Builder
	for depth := 0; b.Len() < n-depth*2-8; depth++ {
		b.WriteString(strings.Repeat("  ", depth) + "- a\n")
	}
	return b.String()
}

func growingTicks(n int) string {
	var b strings.Builder
	for i := 1; b.Len() < n-i-2; i++ {
		b.WriteString(strings.Repeat("`", i) + " ")
	}
	return b.String()
}

func reversed(text string) string {
	runes := []rune(text)
	for i, j := 0, len(runes)-1; i < j; i, j = i+1, j-1 {
		runes[i], runes[j] = runes[j], runes[i]
	}
	return strings.TrimSpace(string(runes))
}

// patience is how long one answer may take. A machine that is busy with other
// things gets a second chance and a third.
const patience = time.Second

func quickly(t *testing.T, what string, ask func() *response) *response {
	t.Helper()
	var took time.Duration
	for range 3 {
		start := time.Now()
		res := ask()
		if took = time.Since(start); took < patience {
			return res
		}
	}
	t.Errorf("%s takes %s", what, took)
	return ask()
}

// TestBombs sends texts that explode through every door that renders.
func TestBombs(t *testing.T) {
	s := newServer(t)
	anna, page := s.user("author", "anna"), s.visitor().signInAs("anna")
	slug := s.article(anna).Slug
	size := func(what, sent, html string, extra int) {
		t.Helper()
		if limit := 10*len(sent) + 16<<10 + extra; len(html) > limit {
			t.Errorf("%s of %d bytes becomes %d", what, len(sent), len(html))
		}
	}
	rendered := func(res *response) string {
		if res.status >= 300 {
			return ""
		}
		text, _ := res.at("html").(string)
		return text
	}
	taken := 0
	for name, text := range bombs(markup.MaxCommentRunes) {
		ask := func(what string, ask func() *response) *response {
			t.Helper()
			res := quickly(t, name+" "+what, ask)
			if res.status >= 500 || res.status == 413 {
				t.Errorf("%s %s: %d %s", name, what, res.status, shortened(res.body))
			}
			return res
		}
		res := ask("as a comment", func() *response { return anna.post("/api/v1/articles/"+slug+"/comments", object{"body": text}) })
		size(name, text, rendered(res), 0)
		preview := ask("as the preview of a comment", func() *response { return page.post("/preview", url.Values{"body": {text}}) })
		size(name, text, preview.text(), 0)
		if (res.status == 201) != (preview.status == 200) {
			t.Errorf("%s: the comment answers %d, its preview %d", name, res.status, preview.status)
		}
		composer := ask("in the composer", func() *response {
			return page.post("/articles/"+slug+"/comments", url.Values{"body": {text}, "action": {"preview"}})
		})
		if composer.status != 200 && composer.status != 422 {
			t.Errorf("%s in the composer: %d", name, composer.status)
		}
		if res.status == 201 {
			taken++
			anna.delete(fmt.Sprintf("/api/v1/comments/%v", res.at("id"))).is(204)
		}
	}
	if taken < 10 {
		t.Errorf("only %d texts were taken: the limits refuse everything", taken)
	}
	for name, text := range bombs(markup.MaxArticleRunes) {
		res := quickly(t, name+" as the preview of an article", func() *response { return page.post("/preview", url.Values{"kind": {"article"}, "body": {text}}) })
		if res.status >= 500 {
			t.Errorf("%s: %d %s", name, res.status, shortened(res.body))
		}
		size(name, text, res.text(), 0)
	}
	noFailures(t, s.log.String())
}

// TestDiffBombs saves and compares long texts that have little or too much in
// common. Saving counts words while everybody else's writes wait.
func TestDiffBombs(t *testing.T) {
	s := newServer(t)
	anna, page := s.user("author", "anna"), s.visitor().signInAs("anna")
	texts := bombs(markup.MaxArticleRunes - 20)
	compared := 0
	for _, pair := range [][2]string{{"three words", "reversed"}, {"distinct words", "three words"}, {"periodic", "three words"}, {"lines", "lines of words"}, {"one word", "distinct words"}, {"lines of words", "headings"}, {"zalgo", "wide"}, {"newlines", "lines"}} {
		what := pair[0] + " and " + pair[1]
		made := anna.post("/api/v1/articles", object{"title": what, "state": "published", "body": texts[pair[0]]})
		if made.status == 422 {
			made = anna.post("/api/v1/articles", object{"title": what, "state": "published", "body": strings.Repeat("a b\n\n", 2_000)})
		}
		slug := made.is(201).at("slug").(string)
		start := time.Now()
		saved := anna.with("If-Match", `"1"`).patch("/api/v1/articles/"+slug, object{"body": texts[pair[1]]})
		if took := time.Since(start); took > 3*patience {
			t.Errorf("saving %s takes %s", what, took)
		}
		if saved.status == 422 {
			continue
		}
		compared++
		res := quickly(t, "comparing "+what, func() *response { return page.get("/articles/" + slug + "/compare?from=1&to=2") })
		if res.is(200); len(res.body) > 4<<20 {
			t.Errorf("comparing %s gives %d bytes", what, len(res.body))
		}
		stale := quickly(t, "a stale save of "+what, func() *response {
			return page.post("/desk/"+slug, url.Values{"title": {"x"}, "body": {texts[pair[0]]}, "state": {"published"}, "comment_policy": {"open"}, "revision": {"1"}})
		})
		if stale.status != 412 && stale.status != 422 {
			t.Errorf("a stale save of %s: %d", what, stale.status)
		}
	}
	if compared < 4 {
		t.Errorf("only %d pairs were saved and compared: the limits refuse the others", compared)
	}
	noFailures(t, s.log.String())
}
