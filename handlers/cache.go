package handlers

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/maypok86/otter/v2"

	"postil/models"
)

// answer is a finished answer: its bytes, the same compressed, and its ETag.
type answer struct {
	mediaType string
	policy    string // Content-Security-Policy
	link      string
	etag      string
	body      []byte
	gzip      []byte

	stamp  string      // of what it shows, "" for a list over everything
	recent []time.Time // when it and its latest forerunners were made

	mu         sync.Mutex
	generation uint64    // of the store, at which it was last known to be right
	checkedAt  time.Time // by the site's clock; what depends on the time of day is checked again
}

// cache keeps the finished answers that are the same for everybody who is not
// signed in. What is made for one person is never in it.
//
// An answer is right while nothing was committed anywhere, or nothing that it
// shows. Else it is made anew, by one request while the others that came for it
// wait. A thread in which people write all the time would be made anew for every
// reader: after a few times within models.Staleness its last answer is served
// until the first of them is that old.
type cache struct {
	store   *models.Store
	now     func() time.Time
	answers *otter.Cache[string, *answer]
}

const (
	cacheBytes = 64 << 20    // of all answers together
	checkEvery = time.Second // for what becomes public or closes by itself
	maxKey     = 512         // bytes of an address; longer ones are nobody's links
	maxRebuilt = 3           // times within models.Staleness
)

func newCache(store *models.Store, now func() time.Time) (*cache, error) {
	answers, err := otter.New(&otter.Options[string, *answer]{
		MaximumWeight: cacheBytes,
		Weigher:       func(key string, a *answer) uint32 { return uint32(len(key) + len(a.body) + len(a.gzip) + 512) },
	})
	return &cache{store, now, answers}, err
}

// shared serves a handler's answer from the cache to whoever is not signed in.
// stamp tells when what the answer shows has changed; nil when only the whole
// store can tell.
func (h *Handlers) shared(stamp func(*call) (string, error), handle func(*call) error) func(*call) error {
	return func(c *call) error {
		key, ok := c.cacheKey()
		if !ok {
			return handle(c)
		}
		a, err := h.cache.get(c, key, stamp, handle)
		if err != nil {
			return err
		}
		return c.send(a)
	}
}

// articleStamp tells when an article or its discussion has changed.
func (h *Handlers) articleStamp(c *call) (string, error) {
	return h.Store.Stamp(c.Request.Context(), c.Param("slug"))
}

// cachedParameters may be in the address of an answer that is kept. Invented
// ones must not fill the cache.
var cachedParameters = []string{"sort", "cursor", "limit", "tag"}

// cacheKey names an answer that is the same for everybody.
func (c *call) cacheKey() (string, bool) {
	key := c.Request.URL.RequestURI()
	if c.actor.IsSignedIn() || !c.isRead() || len(key) > maxKey {
		return "", false
	}
	if c.Request.URL.RawQuery == "" {
		return key, true
	}
	query, err := url.ParseQuery(c.Request.URL.RawQuery)
	for name, values := range query {
		known := slices.Contains(cachedParameters, name) && len(values) == 1
		if !known {
			return "", false
		}
	}
	return key, err == nil
}

func (k *cache) get(c *call, key string, stamp func(*call) (string, error), handle func(*call) error) (*answer, error) {
	old, found := k.answers.GetIfPresent(key)
	if found {
		fresh, err := k.isRight(c, old, stamp)
		if err != nil || fresh {
			return old, err
		}
		// Only the answer that was found wrong goes: another request may have put
		// a new one there meanwhile.
		k.answers.ComputeIfPresent(key, func(present *answer) (*answer, otter.ComputeOp) {
			if present == old {
				return nil, otter.InvalidateOp
			}
			return present, otter.CancelOp
		})
	}
	return k.answers.Get(c.Request.Context(), key, otter.LoaderFunc[string, *answer](func(context.Context, string) (*answer, error) {
		return k.build(c, old, stamp, handle)
	}))
}

// isRight tells whether an answer may be served.
func (k *cache) isRight(c *call, a *answer, stamp func(*call) (string, error)) (bool, error) {
	generation, err := k.store.Generation(c.Request.Context())
	if err != nil {
		return false, err
	}
	now := k.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if generation == a.generation && now.Sub(a.checkedAt) < checkEvery {
		return true, nil
	}
	if stamp != nil {
		current, err := stamp(c)
		if err != nil {
			return false, err
		}
		if current == a.stamp && current != "" {
			a.generation, a.checkedAt = generation, now
			return true, nil
		}
	}
	// It is wrong. How long ago was the first of its latest few forerunners made?
	return len(a.recent) >= maxRebuilt && time.Since(a.recent[0]) < models.Staleness, nil
}

// build makes an answer. What tells whether it is right is asked first, so that
// a change meanwhile makes it wrong rather than missed.
func (k *cache) build(c *call, old *answer, stamp func(*call) (string, error), handle func(*call) error) (*answer, error) {
	generation, err := k.store.Generation(c.Request.Context())
	if err != nil {
		return nil, err
	}
	a := &answer{generation: generation, checkedAt: k.now()}
	if old != nil {
		a.recent = append(a.recent, old.recent[max(0, len(old.recent)-maxRebuilt+1):]...)
	}
	a.recent = append(a.recent, time.Now())
	if stamp != nil {
		if a.stamp, err = stamp(c); err != nil {
			return nil, err
		}
	}
	// Others wait for this answer: it is made even if who asked first has gone.
	c.Request = c.Request.WithContext(context.WithoutCancel(c.Request.Context()))
	c.capture = a
	err = handle(c)
	c.capture = nil
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(a.body)
	a.etag = `W/"` + hex.EncodeToString(sum[:12]) + `"` // weak: the compressed form has the same
	a.gzip, err = compressed(a.body)
	return a, err
}

func compressed(body []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.DefaultCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// send writes a finished answer, or that the client has it already.
func (c *call) send(a *answer) error {
	h := c.Writer.Header()
	h["Cache-Control"], h["Vary"] = noCache, varyShared
	h.Set("ETag", a.etag)
	if a.policy != "" {
		h.Set("Content-Security-Policy", a.policy)
	}
	if a.link != "" {
		h.Set("Link", a.link)
	}
	if strings.Contains(c.Request.Header.Get("If-None-Match"), a.etag) {
		c.Status(http.StatusNotModified)
		c.Writer.WriteHeaderNow()
		return nil
	}
	body := a.body
	if acceptsGzip(c.Context) {
		h.Set("Content-Encoding", "gzip")
		body = a.gzip
	}
	c.Data(http.StatusOK, a.mediaType, body)
	return nil
}

var (
	noCache    = []string{"no-cache"}
	varyShared = []string{"Cookie, Authorization, Accept-Encoding"}
)

// acceptsGzip reads Accept-Encoding (RFC 9110, 12.5.3): gzip is named, and not
// with the weight 0.
func acceptsGzip(c *gin.Context) bool {
	for part := range strings.SplitSeq(c.Request.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			value, _ := strings.CutPrefix(strings.TrimSpace(weight), "q=")
			return strings.Trim(value, "0.") != "" || value == ""
		}
	}
	return false
}
