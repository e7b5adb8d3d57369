package templates

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// palettes reads the colours of the light and the dark palette.
func palettes(t *testing.T) map[string]map[string]string {
	t.Helper()
	sheet, err := embedded.ReadFile("static/css/1-tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	light, dark, ok := strings.Cut(string(sheet), "@media (prefers-color-scheme: dark)")
	if !ok {
		t.Fatal("there is no dark palette")
	}
	token := regexp.MustCompile(`--([a-z0-9-]+):\s*(#[0-9a-f]{6});`)
	all := map[string]map[string]string{"light": {}, "dark": {}}
	for name, text := range map[string]string{"light": light, "dark": dark} {
		for _, m := range token.FindAllStringSubmatch(text, -1) {
			all[name][m[1]] = m[2]
		}
	}
	for name := range all["light"] {
		if all["dark"][name] == "" {
			t.Errorf("--%s has no dark colour of its own", name)
		}
	}
	return all
}

// luminance is the relative luminance that WCAG 2 defines.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(strings.TrimPrefix(hex, "#"), 16, 32)
	if err != nil {
		t.Fatalf("colour %q: %v", hex, err)
	}
	channel := func(shift uint) float64 {
		c := float64(n>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(16) + 0.7152*channel(8) + 0.0722*channel(0)
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestContrast(t *testing.T) {
	// What stands on what. Text needs 4.5:1, the edge of a control 3:1.
	onPaper := []string{"ink", "ink-2", "accent", "held", "approved", "rejected", "spam"}
	type pair struct {
		front, back string
		least       float64
	}
	var pairs []pair
	for _, front := range onPaper {
		for _, back := range []string{"paper", "sheet", "glow"} {
			pairs = append(pairs, pair{front, back, 4.5})
		}
	}
	for _, back := range []string{"added", "removed"} {
		pairs = append(pairs, pair{"ink", back, 4.5}, pair{"ink-2", back, 4.5})
	}
	for _, back := range []string{"approved", "rejected", "spam", "ink"} { // filled buttons under the pointer
		pairs = append(pairs, pair{"paper", back, 4.5})
	}
	pairs = append(pairs, pair{"on-accent", "accent", 4.5})
	for _, back := range []string{"paper", "sheet", "glow"} {
		pairs = append(pairs, pair{"control", back, 3}, pair{"accent", back, 3})
	}
	for name, palette := range palettes(t) {
		for _, p := range pairs {
			t.Run(fmt.Sprintf("%s %s on %s", name, p.front, p.back), func(t *testing.T) {
				front, back := palette[p.front], palette[p.back]
				if front == "" || back == "" {
					t.Fatalf("missing: %q on %q", front, back)
				}
				if got := contrast(t, front, back); got < p.least {
					t.Errorf("%.2f:1, at least %.1f:1", got, p.least)
				}
			})
		}
	}
}
