package handlers

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
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
	few := fewWords(random, n-4)
	var distinct strings.Builder
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
		"tabs": half("\t") + "x", "trailing spaces": rep("a  \n"), "numbers": rep("1. "), "dashes": rep("- - "), "zalgo": "e" + rep("\u0301"), "wide": rep("\U0001f469\u200d"), "right to left": rep("\u0627\u064b"), "three words": few, "distinct words": distinct.String(), "one word": rep("a"), "lines": rep("a\n\n"),
		"lines of words": rep("a b\n\n"), "reversed": reversed(few), "periodic": rep("a b c d e f g "),
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

// repeated is a text of at most n characters that says one thing in many
// paragraphs.
func repeated(text string, n int) string {
	text = strings.TrimSpace(text) + "\n\n"
	length, lines := len([]rune(text)), strings.Count(text, "\n")
	return strings.Repeat(text, min(n/length, 19_000/lines))
}

// patience is how long one answer may take before it counts as never coming.
// Each of these answers takes well under a second on a machine with nothing
// else to do; a test has to hold on one that is busy, and gives three chances.
const patience = 10 * time.Second

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
	if testing.Short() && os.Getenv("CI") == "" {
		t.Skip("explosive texts take long under the race detector, and show it nothing new")
	}
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
	articles := bombs(markup.MaxArticleRunes)
	for name, text := range bombs(9_000) { // many small ones pass the limits of a paragraph
		articles["many of "+name] = repeated(text, markup.MaxArticleRunes)
	}
	for name, text := range articles {
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
	if testing.Short() && os.Getenv("CI") == "" {
		t.Skip("explosive texts take long under the race detector, and show it nothing new")
	}
	s := newServer(t)
	anna, page := s.user("author", "anna"), s.visitor().signInAs("anna")
	random := rand.New(rand.NewPCG(3, 4))
	paragraphs := func(n int, paragraph func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(paragraph(i) + "\n\n")
		}
		return b.String()
	}
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	texts := map[string]string{
		"few words":       paragraphs(20, func(int) string { return fewWords(random, 4_900) }),
		"more few words":  paragraphs(20, func(int) string { return fewWords(random, 4_900) }),
		"equal blocks":    paragraphs(9_000, func(int) string { return "a b" }),
		"few blocks":      paragraphs(9_000, func(int) string { return pick("a b", "b c", "c a") }),
		"more few blocks": paragraphs(9_000, func(int) string { return pick("a b", "b c", "c a") }),
		"numbers":         paragraphs(9_000, func(i int) string { return fmt.Sprintf("block %d of many", i) }),
		"numbers down":    paragraphs(9_000, func(i int) string { return fmt.Sprintf("block %d of many", 9_000-i) }),
		"similar blocks": paragraphs(2_000, func(i int) string {
			return fmt.Sprintf("%d %s %d", random.IntN(9), strings.Repeat("the same words again ", 4), i)
		}),
		"similar shifted": paragraphs(2_000, func(i int) string {
			return fmt.Sprintf("%d %s %d", i, strings.Repeat("the same words again ", 4), random.IntN(9))
		}),
		"one long word": paragraphs(19, func(int) string { return strings.Repeat("a", 9_900) }),
		"nearly that":   paragraphs(19, func(int) string { return strings.Repeat("a", 9_899) + "b" }),
		"marks":         paragraphs(19, func(int) string { return strings.Repeat("e\u0301 ", 3_300) }),
	}
	for _, pair := range [][2]string{{"few words", "more few words"}, {"few blocks", "more few blocks"}, {"equal blocks", "few blocks"}, {"numbers", "numbers down"}, {"similar blocks", "similar shifted"}, {"one long word", "nearly that"},
		{"few words", "few blocks"}, {"marks", "one long word"}, {"numbers", "similar blocks"}} {
		what := pair[0] + " and " + pair[1]
		slug := anna.post("/api/v1/articles", object{"title": what, "state": "published", "body": texts[pair[0]]}).is(201).at("slug").(string)
		start := time.Now()
		anna.with("If-Match", `"1"`).patch("/api/v1/articles/"+slug, object{"body": texts[pair[1]]}).is(200)
		if took := time.Since(start); took > patience {
			t.Errorf("saving %s takes %s", what, took)
		}
		res := quickly(t, "comparing "+what, func() *response { return page.get("/articles/" + slug + "/compare?from=1&to=2") })
		if res.is(200); len(res.body) > 8<<20 {
			t.Errorf("comparing %s gives %d bytes", what, len(res.body))
		}
		quickly(t, "a stale save of "+what, func() *response {
			return page.post("/desk/"+slug, url.Values{"title": {"x"}, "body": {texts[pair[0]]}, "state": {"published"}, "comment_policy": {"open"}, "revision": {"1"}})
		}).is(412)
	}
	noFailures(t, s.log.String())
}

func fewWords(random *rand.Rand, n int) string {
	var b strings.Builder
	for b.Len() < n {
		b.WriteString([]string{"a ", "b ", "c "}[random.IntN(3)])
	}
	return strings.TrimSpace(b.String())
}
