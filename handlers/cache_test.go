package handlers

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"postil/models"
)

// What everybody reads is right at once after each change, on both faces.
func TestSharedPagesFollowEveryChange(t *testing.T) {
	s := newServer(t)
	author, moderator, reader, visitor := s.user(models.Author), s.user(models.Moderator), s.user(models.Reader), s.visitor()
	art := s.article(author, having("comment_policy", "open"))
	page, list := "/articles/"+art.Slug, "/api/v1/articles/"+art.Slug+"/comments"
	everywhere := func(text string, shown bool) {
		t.Helper()
		for _, path := range []string{page, list} {
			reply := visitor.get(path).is(http.StatusOK)
			if strings.Contains(reply.text(), text) != shown {
				t.Fatalf("%s: %q shown is %t, want %t", path, text, !shown, shown)
			}
		}
	}
	everywhere("the first word", false)
	comment := s.comment(reader, art.Slug, "the first word", 0)
	everywhere("the first word", true)
	moderator.post("/api/v1/moderation/decisions", object{"comment_ids": []any{comment.ID}, "decision": "reject"}).is(http.StatusCreated)
	everywhere("the first word", false)
	moderator.post("/api/v1/moderation/decisions", object{"comment_ids": []any{comment.ID}, "decision": "approve"}).is(http.StatusCreated)
	everywhereWithin(t, visitor, page, "the first word")
}

// everywhereWithin reads a page until it shows a text, for as long as a page may
// be old.
func everywhereWithin(t *testing.T, c *client, path, text string) {
	t.Helper()
	deadline := time.Now().Add(20 * models.Staleness)
	for !strings.Contains(c.get(path).text(), text) {
		if time.Now().After(deadline) {
			t.Fatalf("%s never showed %q", path, text)
		}
	}
}

// A page that the whole world reads while people write is not made anew for
// every reader, and is never older than Staleness.
func TestBusyThreadIsNotMadeForEveryReader(t *testing.T) {
	s := newServer(t)
	reader, visitor := s.user(models.Reader), s.visitor()
	art := s.article(s.user(models.Author), having("comment_policy", "open"))
	stale := 0
	for i := range 40 {
		text := fmt.Sprintf("word number %d of them", i)
		s.comment(reader, art.Slug, text, 0)
		if !strings.Contains(visitor.get("/articles/"+art.Slug).text(), text) {
			stale++
			everywhereWithin(t, visitor, "/articles/"+art.Slug, text)
		}
		if !strings.Contains(reader.get("/api/v1/articles/"+art.Slug+"/comments?sort=newest&limit=1").text(), text) {
			t.Fatalf("the writer does not see his own comment %d", i)
		}
	}
	t.Logf("%d of 40 reads right after a write were served from before it", stale)
}

// Another process on the same database is noticed.
func TestSharedPagesFollowOtherProcesses(t *testing.T) {
	s := newServer(t)
	visitor, author := s.visitor(), s.user(models.Author)
	art := s.article(author, having("comment_policy", "open"))
	visitor.get("/articles/" + art.Slug).is(http.StatusOK)
	other, err := models.Open(context.Background(), s.store.URL, s.store.Config())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	ines, err := other.FindUser(context.Background(), art.Author.Username)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.CreateComment(context.Background(), models.Actor{UserID: ines.ID, Role: ines.Role}, art.Slug, models.CommentInput{Body: "from next door"}); err != nil {
		t.Fatal(err)
	}
	everywhereWithin(t, visitor, "/articles/"+art.Slug, "from next door")
}

// What happens by the clock alone is noticed too.
func TestSharedPagesFollowTheClock(t *testing.T) {
	s := newServer(t)
	visitor, author := s.visitor(), s.user(models.Author)
	due := s.clock.Now().Add(time.Hour)
	art := s.article(author, having("state", "scheduled"), having("publish_at", due.Format(time.RFC3339)), having("title", "Not before its hour"))
	visitor.get("/").is(http.StatusOK).hasNot("Not before its hour")
	visitor.get("/articles/" + art.Slug).is(http.StatusNotFound)
	s.clock.Advance(time.Hour + time.Second)
	visitor.get("/").is(http.StatusOK).has("Not before its hour")
	visitor.get("/articles/" + art.Slug).is(http.StatusOK)
}

func TestSharedPagesAreNobodysOwn(t *testing.T) {
	s := newServer(t)
	art := s.article(s.user(models.Author), having("comment_policy", "premoderated"))
	reader := s.browser(models.Reader, "rosalind")
	reader.post("/articles/"+art.Slug+"/comments", url.Values{"body": {"only for my eyes"}}).is(http.StatusSeeOther)
	reader.get("/articles/"+art.Slug).is(http.StatusOK).has("only for my eyes", "rosalind")
	first := s.visitor().get("/articles/"+art.Slug).is(http.StatusOK).hasNot("only for my eyes", "rosalind")
	if got := first.header.Get("Vary"); !strings.Contains(got, "Cookie") || !strings.Contains(got, "Authorization") {
		t.Errorf("Vary is %q", got)
	}
	reader.get("/articles/" + art.Slug).has("only for my eyes")
	if got := reader.get("/articles/" + art.Slug).header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("a page made for one person has Cache-Control %q", got)
	}
}

func TestSharedPagesAreSentOnce(t *testing.T) {
	s := newServer(t)
	art := s.article(s.user(models.Author))
	for _, path := range []string{"/", "/articles/" + art.Slug, "/api/v1/articles/" + art.Slug + "/comments"} {
		plain := s.visitor().get(path).is(http.StatusOK)
		etag := plain.header.Get("ETag")
		again := s.visitor().with("If-None-Match", etag).get(path).is(http.StatusNotModified)
		if etag == "" || len(again.body) != 0 || again.header.Get("ETag") != etag {
			t.Errorf("%s: a 304 with %d bytes and ETag %q after %q", path, len(again.body), again.header.Get("ETag"), etag)
		}
		packed := s.visitor().with("Accept-Encoding", "gzip").get(path).is(http.StatusOK)
		if packed.header.Get("Content-Encoding") != "gzip" {
			t.Fatalf("%s is not compressed", path)
		}
		reader, err := gzip.NewReader(strings.NewReader(packed.text()))
		if err != nil {
			t.Fatal(err)
		}
		unpacked, err := io.ReadAll(reader)
		if err != nil || string(unpacked) != plain.text() {
			t.Errorf("%s: compressed and plain differ (%v)", path, err)
		}
		for accepted, want := range map[string]string{"gzip;q=0": "", "gzip; q=0.0": "", "br": "", "*": "", "br, GZIP;q=0.5": "gzip", "gzip ;q=1.0": "gzip"} {
			if got := s.visitor().with("Accept-Encoding", accepted).get(path).header.Get("Content-Encoding"); got != want {
				t.Errorf("%s for whoever accepts %q is encoded as %q", path, accepted, got)
			}
		}
	}
}

// Many who come at once for a page that is not there get the same page.
func TestConcurrentReadersShareOnePage(t *testing.T) {
	s := newServer(t)
	art := s.article(s.user(models.Author))
	var wg sync.WaitGroup
	tags := make([]string, 50)
	for i := range tags {
		wg.Go(func() { tags[i] = s.visitor().get("/articles/" + art.Slug).header.Get("ETag") })
	}
	wg.Wait()
	for i, tag := range tags {
		if tag == "" || tag != tags[0] {
			t.Fatalf("reader %d got the page %q, the first got %q", i, tag, tags[0])
		}
	}
}

// When an answer turns out wrong, one of all who came for it makes the next.
func TestOneReaderMakesTheNextAnswer(t *testing.T) {
	s := newServer(t)
	k, err := newCache(s.store.Store, s.clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	const readers = 50
	var made, version atomic.Int64
	stamp := func(*call) (string, error) {
		return strconv.FormatInt(version.Load(), 10), nil
	}
	handle := func(c *call) error {
		made.Add(1)
		c.answer(http.StatusOK, "text/plain", []byte("words"))
		return nil
	}
	get := func() error {
		c, _ := gin.CreateTestContext(httptest.NewRecorder())
		c.Request = httptest.NewRequest("GET", "/", nil)
		_, err := k.get(&call{Context: c}, "/", stamp, handle)
		return err
	}
	if err := get(); err != nil {
		t.Fatal(err)
	}
	version.Store(1)
	s.user(models.Reader) // something is committed
	var wg sync.WaitGroup
	for range readers {
		wg.Go(func() {
			if err := get(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if made.Load() != 2 {
		t.Errorf("%d answers were made for %d readers, want 1", made.Load()-1, readers)
	}
}
