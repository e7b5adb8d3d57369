package middleware

import (
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"

	"postil/models"
)

// Rate is how often something may be done: a burst at once, refilled evenly
// over a time. The zero Rate is no limit.
type Rate struct {
	Burst     int
	Per       time.Duration // the time in which the whole burst is refilled
	ByNetwork bool          // counted by network for signed-in people too
}

// Limiter counts what accounts and networks do. It keeps no more than a bounded
// number of counters and forgets those that are full again.
type Limiter struct {
	exempt   []netip.Prefix
	counters *otter.Cache[string, *rate.Limiter]
}

// NewLimiter makes a limiter that does not count direct connections from the
// exempt networks: the operator's own machine, by default.
func NewLimiter(exempt []netip.Prefix) (*Limiter, error) {
	counters, err := otter.New(&otter.Options[string, *rate.Limiter]{
		MaximumSize:      100_000,
		ExpiryCalculator: otter.ExpiryAccessing[string, *rate.Limiter](time.Hour),
	})
	return &Limiter{exempt, counters}, err
}

// Handle is the middleware for one kind of deed. Signed-in people are counted
// by account, others by network.
func (l *Limiter) Handle(deed string, r Rate) gin.HandlerFunc {
	return func(c *gin.Context) {
		if r.Burst == 0 || l.isExempt(c) {
			c.Next()
			return
		}
		actor := ActorOf(c)
		key := deed + " from " + actor.Network
		if actor.IsSignedIn() && !r.ByNetwork {
			key = deed + " by " + strconv.FormatInt(actor.UserID, 10)
		}
		counter, _ := l.counters.ComputeIfAbsent(key, func() (*rate.Limiter, bool) {
			return rate.NewLimiter(rate.Limit(float64(r.Burst)/r.Per.Seconds()), r.Burst), false
		})
		if !counter.Allow() {
			Fail(c, &models.Error{Kind: models.TooMany, Message: "That is too often. Wait a moment and try again; nothing you typed is lost.",
				RetryAfter: time.Duration(float64(r.Per) / float64(r.Burst)).Round(time.Second)})
			return
		}
		c.Next()
	}
}

// isExempt tells whether the connection itself comes from an exempt network. A
// request that was passed on by a proxy is not the proxy's own.
func (l *Limiter) isExempt(c *gin.Context) bool {
	if c.Request.Header.Get("X-Forwarded-For") != "" || c.Request.Header.Get("Forwarded") != "" {
		return false
	}
	ip, err := netip.ParseAddrPort(c.Request.RemoteAddr)
	if err != nil {
		return false
	}
	for _, prefix := range l.exempt {
		if prefix.Contains(ip.Addr().Unmap()) {
			return true
		}
	}
	return false
}

// BodyLimit refuses to read more than a number of bytes of a request.
func BodyLimit(bytes int64) gin.HandlerFunc {
	return func(c *gin.Context) {
		if c.Request.Body != nil {
			c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, bytes)
		}
		c.Next()
	}
}
