package templates

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1k", 1249: "1.2k", 9999: "9.9k", 12_345: "12k", -3: "−3", -1500: "−1.5k"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
	if got := plural(1, "reply", "replies"); got != "1 reply" {
		t.Error(got)
	}
	if got := plural(uint8(2), "reply", "replies"); got != "2 replies" {
		t.Error(got)
	}
}

func TestTimeTag(t *testing.T) {
	berlin := time.FixedZone("CEST", 2*3600)
	at := time.Date(2026, 5, 3, 16, 5, 0, 0, berlin)
	want := `<time datetime="2026-05-03T14:05:00Z" title="3 May 2026, 14:05 UTC" data-ago>3 May 2026, 14:05 UTC</time>`
	if got := timeTag(&at, "2 January 2006, 15:04 UTC", "ago"); string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, none := range []*time.Time{nil, new(time.Time)} {
		if got := timeTag(none, "2 January 2006", ""); !strings.Contains(string(got), "date unknown") {
			t.Errorf("%v: %s", none, got)
		}
	}
}

func TestExcerpt(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int
		want string
	}{
		{"", 5, ""},
		{"  short\n text ", 20, "short text"},
		{"a sentence that is cut", 14, "a sentence…"},
		{"Donaudampfschiff", 5, "Donau…"},
		{"äöüäöü", 3, "äöü…"},
	} {
		if got := excerpt(c.text, c.n); got != c.want {
			t.Errorf("excerpt(%q, %d) = %q, want %q", c.text, c.n, got, c.want)
		}
	}
}

func TestGatherKeepsEveryBlockInOrder(t *testing.T) {
	for _, kinds := range []string{"", "s", "ssss", "c", "ssssc", "cssssc", "cssssssssc", "csc", "cssssss"} {
		var blocks []DiffBlock
		for i, k := range kinds {
			blocks = append(blocks, DiffBlock{Kind: map[rune]string{'s': "same", 'c': "changed"}[k], Line: i})
		}
		next := 0
		for _, run := range gather(blocks) {
			for _, b := range run.Blocks {
				if b.Line != next {
					t.Errorf("%s: block %d where %d belongs", kinds, b.Line, next)
				}
				if run.Folded && b.Kind != "same" {
					t.Errorf("%s: block %d is folded away, and it changed", kinds, b.Line)
				}
				next++
			}
		}
		if next != len(blocks) {
			t.Errorf("%s: %d of %d blocks", kinds, next, len(blocks))
		}
	}
}

// Right-to-left pages mirror by themselves only while no rule names a side.
func TestStylesNameNoSide(t *testing.T) {
	r := renderer(t)
	sheet, ok := r.Asset(r.assets.names["postil.css"])
	if !ok {
		t.Fatal("no style sheet")
	}
	side := regexp.MustCompile(`(?m)[;{\s](?:(?:margin|padding|border|inset|scroll-margin)-(?:left|right|top|bottom)|left|right|top|bottom|(?:min-|max-)?(?:width|height)|float|text-align)\s*:\s*([^;}]+)`)
	media := regexp.MustCompile(`@media[^{]*`)
	text := media.ReplaceAllString(string(sheet.Body), "@media ")
	for _, m := range side.FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(strings.TrimSpace(m[0][1:]), "text-align") || strings.Contains(m[1], "left") || strings.Contains(m[1], "right") {
			t.Errorf("a physical side: %s", strings.TrimSpace(m[0]))
		}
	}
	if strings.Contains(text, "url(") {
		t.Error("the sheet fetches something")
	}
}

func BenchmarkArticle(b *testing.B) {
	r, err := New(nil)
	if err != nil {
		b.Fatal(err)
	}
	page := richPages()[1].(*ArticlePage)
	for len(page.Comments) < 100 {
		page.Comments = append(page.Comments, comment(int64(1000+len(page.Comments)), &bea, "A text.", day))
	}
	for b.Loop() {
		if err := r.Render(discard{}, page); err != nil {
			b.Fatal(err)
		}
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func TestDevice(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                                   "Chrome on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":           "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 14_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15":                      "Safari on macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1": "Safari on iPhone",
		"Mozilla/5.0 (Android 15; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0":                                                                    "Firefox on Android",
		"curl/8.10.1": "curl/8.10.1",
		"":            "",
	} {
		if got := device(agent); got != want {
			t.Errorf("device(%q) is %q, not %q", agent, got, want)
		}
	}
}
