package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// chrome is the browser that all tests share. Each person has a profile of
// their own in it.
var chrome struct {
	once sync.Once
	ctx  context.Context
	stop func()
	err  error
	none bool // there is no browser on this machine
}

func startBrowser() {
	path := os.Getenv("POSTIL_BROWSER")
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path == "" {
			path, _ = exec.LookPath(name)
		}
	}
	if path == "" {
		chrome.none = true
		return
	}
	profile, err := os.MkdirTemp("", "postil-browser-*")
	if err != nil {
		chrome.err = err
		return
	}
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.NoDefaultBrowserCheck, chromedp.UserDataDir(profile)}
	for _, flag := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "disable-extensions",
		"disable-default-apps", "disable-dev-shm-usage", "metrics-recording-only", "disable-background-timer-throttling", "disable-renderer-backgrounding",
		"disable-backgrounding-occluded-windows", "hide-scrollbars"} {
		options = append(options, chromedp.Flag(flag, true))
	}
	options = append(options, chromedp.Flag("force-color-profile", "srgb"), chromedp.Flag("password-store", "basic"))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	chrome.ctx = ctx
	chrome.stop = func() {
		cancel()
		stop()
		os.RemoveAll(profile)
	}
	chrome.err = chromedp.Do(ctx)
}

func closeBrowser() {
	if chrome.stop != nil {
		chrome.stop()
	}
}

// tab is a window of somebody's browser. It ends the test when what it is asked
// for does not come in time.
type tab struct {
	s     *site
	ctx   context.Context
	plain bool // scripts are switched off

	mu       sync.Mutex
	loads    int
	status   int64         // of the last page
	problems []string      // errors on a page, and requests to other hosts
	warned   chan struct{} // a page asked whether it may be left; nil when none should
}

// visitor opens a browser with a profile of its own: nobody is signed in.
func (s *site) visitor() *tab {
	s.t.Helper()
	if testing.Short() && os.Getenv("CI") == "" {
		s.t.Skip("Browser tests are left out of short runs.")
	}
	chrome.once.Do(startBrowser)
	switch {
	case chrome.none && os.Getenv("CI") != "":
		s.t.Fatal("There is no browser to test with. Install chromium, or name one in POSTIL_BROWSER.")
	case chrome.none:
		s.t.Skip("There is no browser to test with. Install chromium, or name one in POSTIL_BROWSER.")
	case chrome.err != nil:
		s.t.Fatalf("start the browser: %v", chrome.err)
	}
	return s.open(chrome.ctx, chromedp.WithNewBrowserContext())
}

// another opens another window of the same profile.
func (b *tab) another() *tab {
	b.s.t.Helper()
	return b.s.open(b.ctx)
}

// signedIn is a visitor who signs in through the form.
func (s *site) signedIn(name string) *tab {
	s.t.Helper()
	b := s.visitor()
	b.signIn(name)
	return b
}

func (b *tab) signIn(name string) {
	b.s.t.Helper()
	b.open("/login")
	b.fill("#f-login", name)
	b.fill("#f-password", password)
	b.follow("button.main", "Sign in")
	b.present(".site-nav a.me")
}

func (s *site) open(parent context.Context, options ...chromedp.ContextOption) *tab {
	s.t.Helper()
	ctx, cancel := chromedp.NewContext(parent, options...)
	b := &tab{s: s, ctx: ctx}
	s.whole.Cleanup(func() {
		cancel()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, p := range b.problems {
			s.whole.Errorf("the browser says: %s", p)
		}
	})
	ok(s.t, chromedp.Do(ctx))
	ok(s.t, chromedp.Listen(ctx, b.listen))
	b.size(1280, 900)
	b.scheme("light")
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `addEventListener("securitypolicyviolation", (e) => console.error("policy", e.violatedDirective, e.blockedURI, e.sourceFile, e.sample))`})
	return b
}

// call runs one command of the browser.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.s.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, deadline)
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		b.s.t.Fatalf("%s: %v", command.Method, err)
	}
	return result
}

// listen notes what a page must not do.
func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	problem := func(format string, args ...any) { b.problems = append(b.problems, fmt.Sprintf(format, args...)) }
	switch e := event.(type) {
	case *page.EventLoadEventFired:
		b.loads++
	case *network.EventRequestWillBeSent:
		if u := e.Request.URL; !strings.HasPrefix(u, b.s.base+"/") && !strings.HasPrefix(u, "data:") {
			problem("a request to another host: %s", u)
		}
	case *network.EventResponseReceived:
		if e.Type == network.ResourceTypeDocument {
			b.status = e.Response.Status
		} else if e.Response.Status >= 400 {
			problem("%d for %s", e.Response.Status, e.Response.URL)
		}
	case *runtime.EventExceptionThrown:
		problem("exception: %s %v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			var words []string
			for _, a := range e.Args {
				words = append(words, string(a.Value), a.Description)
			}
			problem("console: %s", strings.Join(words, " "))
		}
	case *log.EventEntryAdded:
		// The status of an answer is looked at above.
		if (e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning) && e.Entry.Source != log.EntrySourceNetwork {
			problem("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *page.EventJavascriptDialogOpening:
		if e.Type == page.DialogTypeBeforeunload && b.warned != nil {
			close(b.warned)
			b.warned = nil
			return
		}
		problem("a dialog opened: %s %s", e.Type, e.Message)
	}
}

// withoutScripts switches scripts off, as some readers do.
func (b *tab) withoutScripts() *tab {
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.plain = true
	return b
}

// size sets the window's size in CSS pixels.
func (b *tab) size(width, height int64) {
	b.s.t.Helper()
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
}

// phone makes the window a telephone's, which is touched and not pointed at.
func (b *tab) phone(width, height int64) {
	b.s.t.Helper()
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: true})
}

// scheme chooses light or dark.
func (b *tab) scheme(scheme string) {
	b.s.t.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
}

// eval asks the page, by the debugger, which works without scripts too. It
// fails while one page gives way to the next.
func eval[T any](b *tab, script string, args ...any) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, deadline)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression(script, args...)))
}

// expression is a script with its arguments as JSON in the place of $1, $2 …
func expression(script string, args ...any) string {
	for i, a := range args {
		text, err := json.Marshal(a)
		if err != nil {
			panic(err)
		}
		script = strings.ReplaceAll(script, "$"+strconv.Itoa(i+1), string(text))
	}
	return library + script + "})()"
}

// library is what scripts of the tests may use. plain finds text as it is read;
// find gives the first visible element that matches a selector and has a text.
const library = `(() => {
	const plain = (s) => s.replace(/\s+/g, " ").trim();
	const visible = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true });
	const find = (selector, text) => [...document.querySelectorAll(selector)].find((e) => visible(e) && (!text || plain(e.textContent).includes(text)));
	return `

// get asks the page for a value that has to be there.
func get[T any](b *tab, script string, args ...any) T {
	b.s.t.Helper()
	value, err := eval[T](b, script, args...)
	if err != nil {
		b.fatalf("%s: %v", script, err)
	}
	return value
}

// until waits for a script to say true.
func (b *tab) until(what, script string, args ...any) {
	b.s.t.Helper()
	if !b.within(deadline, script, args...) {
		b.fatalf("waited %s for %s", deadline, what)
	}
}

func (b *tab) within(limit time.Duration, script string, args ...any) bool {
	end := time.Now().Add(limit)
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	for {
		if yes, err := eval[bool](b, "!!("+script+")", args...); err == nil && yes {
			return true
		}
		if time.Now().After(end) {
			return false
		}
		<-tick.C
	}
}

// fatalf ends the test and tells what stood on the page.
func (b *tab) fatalf(format string, args ...any) {
	b.s.t.Helper()
	text, _ := eval[string](b, `location.href + "\n" + (document.querySelector("main") ?? document.body).innerText`)
	if folder := os.Getenv("POSTIL_SCREENSHOTS"); folder != "" {
		b.shotTo(filepath.Join(folder, "failed.png"))
	}
	b.s.t.Fatalf(format+"\nThe page: %s", append(args, text)...)
}

// loading does what opens another page and waits for that page.
func (b *tab) loading(do func()) {
	b.s.t.Helper()
	b.mu.Lock()
	before := b.loads
	b.mu.Unlock()
	do()
	eventually(b.s.t, "the next page", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.loads > before
	})
	b.settled()
}

// settled waits until the page's scripts have done their part.
func (b *tab) settled() {
	b.s.t.Helper()
	b.until("the page to load", `document.readyState === "complete"`)
	if !b.plain {
		b.until("the composer", `!document.querySelector("[data-composer]") || document.querySelector("[data-composer] [role=tablist]")`)
		b.until("the editor", `!document.querySelector("[data-editor]") || document.querySelector("[data-editor] [role=toolbar]")`)
	}
}

// open goes to an address of the site.
func (b *tab) open(path string) {
	b.s.t.Helper()
	b.loading(func() {
		result := call(b, page.Navigate, page.NavigateParams{URL: b.s.base + path})
		if result.ErrorText != "" {
			b.s.t.Fatalf("open %s: %s", path, result.ErrorText)
		}
	})
}

func (b *tab) reload() {
	b.s.t.Helper()
	b.loading(func() { call(b, page.Reload, page.ReloadParams{}) })
}

// path is where the browser is, with the query and the fragment.
func (b *tab) path() string {
	b.s.t.Helper()
	u, err := url.Parse(get[string](b, `location.href`))
	ok(b.s.t, err)
	u.Scheme, u.Host = "", ""
	return u.String()
}

// answered is the status that the last page came with.
func (b *tab) answered(want int64) {
	b.s.t.Helper()
	b.mu.Lock()
	got := b.status
	b.mu.Unlock()
	if got != want {
		b.fatalf("the page came with %d, not %d", got, want)
	}
}

// reloadAnyway reloads a page that warns of what would be lost, and says yes.
func (b *tab) reloadAnyway() {
	b.s.t.Helper()
	warned := make(chan struct{})
	b.mu.Lock()
	b.warned = warned
	b.mu.Unlock()
	b.loading(func() {
		call(b, runtime.Evaluate, runtime.EvaluateParams{Expression: "setTimeout(() => location.reload())"})
		select {
		case <-warned:
		case <-time.After(deadline):
			b.s.t.Fatal("the page may be left without a warning")
		}
		call(b, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
	})
}

// present waits for an element that can be seen.
func (b *tab) present(selector string) {
	b.s.t.Helper()
	b.until(selector, `find($1)`, selector)
}

// sees waits for a text on the page.
func (b *tab) sees(texts ...string) {
	b.s.t.Helper()
	for _, text := range texts {
		b.until(strconv.Quote(text), `plain(document.body.innerText).toLowerCase().includes($1.toLowerCase())`, text)
	}
}

// misses makes sure that texts do not stand on the page, not even hidden.
func (b *tab) misses(texts ...string) {
	b.s.t.Helper()
	for _, text := range texts {
		if get[bool](b, `document.documentElement.outerHTML.includes($1)`, text) {
			b.fatalf("the page has %q, which it should not", text)
		}
	}
}

// value is what a field holds.
func (b *tab) value(selector string) string {
	b.s.t.Helper()
	return get[string](b, `document.querySelector($1).value`, selector)
}

// click clicks the first visible element that matches a selector and has a
// text. It clicks with the mouse, so that what covers the element gets it.
func (b *tab) click(selector, text string) {
	b.s.t.Helper()
	b.until(fmt.Sprintf("%s with %q", selector, text), `find($1, $2)`, selector, text)
	type point struct {
		X, Y float64
		Hit  bool
		By   string
	}
	at := get[point](b, `(() => {
		const e = find($1, $2);
		e.scrollIntoView({ block: "center", behavior: "instant" });
		const box = [...e.getClientRects()].find((r) => r.width > 0 && r.height > 0);
		const x = box.x + box.width / 2, y = box.y + box.height / 2;
		const hit = document.elementFromPoint(x, y);
		return { x, y, hit: e.contains(hit) || hit?.contains(e) && hit.localName === "label", by: hit?.outerHTML.slice(0, 120) ?? "nothing" };
	})()`, selector, text)
	if !at.Hit {
		b.fatalf("%s with %q cannot be clicked; in its place is %s", selector, text, at.By)
	}
	for _, kind := range []input.DispatchMouseEventType{input.DispatchMouseEventTypeMouseMoved, input.DispatchMouseEventTypeMousePressed, input.DispatchMouseEventTypeMouseReleased} {
		params := input.DispatchMouseEventParams{Type: kind, X: at.X, Y: at.Y}
		if kind != input.DispatchMouseEventTypeMouseMoved {
			params.Button, params.ClickCount = input.MouseButtonLeft, 1
		}
		call(b, input.DispatchMouseEvent, params)
	}
}

// follow clicks what leads to another page.
func (b *tab) follow(selector, text string) {
	b.s.t.Helper()
	b.loading(func() { b.click(selector, text) })
}

// fill replaces what stands in a field, as typing would.
func (b *tab) fill(selector, text string) {
	b.s.t.Helper()
	b.click(selector, "")
	b.until("the focus in "+selector, `document.activeElement.matches($1)`, selector)
	call(b, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: "a", Code: "KeyA", Modifiers: 2, Commands: []string{"selectAll"}})
	call(b, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: "a", Code: "KeyA", Modifiers: 2})
	if text == "" {
		b.press(kb.Backspace)
	} else {
		call(b, input.InsertText, input.InsertTextParams{Text: text})
	}
	if got := b.value(selector); got != text {
		b.fatalf("%s holds %q after %q was typed", selector, got, text)
	}
}

// choose sets a list to a value.
func (b *tab) choose(selector, value string) {
	b.s.t.Helper()
	b.present(selector)
	got := get[string](b, `(() => {
		const e = find($1);
		e.value = $2;
		for (const type of ["input", "change"]) e.dispatchEvent(new Event(type, { bubbles: true }));
		return e.value;
	})()`, selector, value)
	if got != value {
		b.fatalf("%s has no choice %q", selector, value)
	}
}

// press presses keys, one after another.
func (b *tab) press(keys string, with ...chromedp.Modifier) {
	b.s.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, deadline)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.KeyEvent(keys, chromedp.KeyModifiers(with...))); err != nil {
		b.fatalf("press %q: %v", keys, err)
	}
}

// tabTo presses Tab until the focus is where it should be, as somebody without
// a mouse does, and says how often.
func (b *tab) tabTo(selector, text string) int {
	b.s.t.Helper()
	for n := 1; n <= 200; n++ {
		b.press(kb.Tab)
		if get[bool](b, `document.activeElement.matches($1) && plain(document.activeElement.textContent).includes($2)`, selector, text) {
			if !get[bool](b, `(() => {
				const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
				return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1 && box.bottom > 0 && box.top < innerHeight;
			})()`) {
				b.fatalf("%s has the focus, and it cannot be seen", selector)
			}
			return n
		}
	}
	b.fatalf("%s with %q cannot be reached with Tab", selector, text)
	return 0
}

// widths makes sure that nothing on the page is wider than the window.
func (b *tab) widths(name string) {
	b.s.t.Helper()
	for _, width := range []int64{360, 390, 768, 1280, 1600} {
		b.size(width, 800)
		for _, scheme := range []string{"light", "dark"} {
			b.scheme(scheme)
			too := get[string](b, `(() => {
				const wide = document.documentElement.scrollWidth;
				if (wide <= innerWidth) return "";
				const out = [...document.querySelectorAll("body *")].filter((e) => visible(e) && e.getBoundingClientRect().right > innerWidth + 1);
				return wide + " px: " + (out.at(-1)?.outerHTML.slice(0, 200) ?? "");
			})()`)
			if too != "" {
				b.s.t.Errorf("%s is too wide at %d px, %s: %s", name, width, scheme, too)
			}
		}
	}
	b.size(1280, 900)
	b.scheme("light")
}

// shot keeps pictures of a step, narrow and wide, light and dark, in the folder
// that POSTIL_SCREENSHOTS names.
func (b *tab) shot(name string) {
	b.s.t.Helper()
	folder := os.Getenv("POSTIL_SCREENSHOTS")
	if folder == "" {
		return
	}
	ok(b.s.t, os.MkdirAll(folder, 0o755))
	for _, scheme := range []string{"light", "dark"} {
		b.scheme(scheme)
		for _, width := range []int64{390, 1280} {
			b.size(width, 844)
			// On a picture of the whole page nothing sticks to the window.
			get[int](b, `[...document.querySelectorAll("body *")].filter((e) => getComputedStyle(e).position === "sticky").map((e) => e.style.setProperty("position", "static", "important")).length`)
			b.shotTo(filepath.Join(folder, fmt.Sprintf("%s-%d-%s.png", name, width, scheme)))
			get[int](b, `[...document.querySelectorAll("[style*=position]")].map((e) => e.style.removeProperty("position")).length`)
		}
	}
	b.size(1280, 900)
	b.scheme("light")
}

func (b *tab) shotTo(path string) {
	b.s.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, deadline)
	defer cancel()
	if !b.plain { // what has changed is on the screen after two frames
		_, _ = chromedp.Run(ctx, chromedp.Evaluate[bool](`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`, chromedp.EvalAwaitPromise))
	}
	whole := true
	shot, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &whole})
	if err == nil {
		err = os.WriteFile(path, shot.Data, 0o644)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		b.s.t.Errorf("picture %s: %v", path, err)
	}
}

// step runs a part of a story. When it fails the story ends.
func (s *site) step(name string, do func()) {
	s.t.Helper()
	if !s.part(name, do) {
		s.whole.FailNow()
	}
}

// part runs a part of a test that does not depend on the others.
func (s *site) part(name string, do func()) bool {
	s.t.Helper()
	defer func() { s.t = s.whole }()
	return s.whole.Run(name, func(t *testing.T) {
		s.t = t
		do()
	})
}
