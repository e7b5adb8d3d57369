package middleware

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"
)

// PagePolicy is the content security policy of pages: everything from here,
// nothing inline, no page inside another.
const PagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// DataPolicy is that of everything that is not a page.
const DataPolicy = "default-src 'none'; sandbox; frame-ancestors 'none'"

// Headers sets what every answer carries. overTLS adds HSTS.
func Headers(overTLS bool) gin.HandlerFunc {
	return func(c *gin.Context) {
		h := c.Writer.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Content-Security-Policy", DataPolicy)
		if overTLS {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		c.Next()
	}
}

// Observe names the request, logs it when it is done, and turns a panic into an
// error. The log holds no query, no token and no address.
func Observe(log *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		start := time.Now()
		c.Set(requestKey, rand.Text())
		c.Writer.Header().Set("X-Request-Id", RequestID(c))
		c.Next()
		level := slog.LevelDebug
		if c.Writer.Status() >= 500 {
			level = slog.LevelError
		}
		if log.Enabled(c.Request.Context(), level) {
			log.Log(c.Request.Context(), level, "request", "id", RequestID(c), "method", c.Request.Method, "route", c.FullPath(),
				"status", c.Writer.Status(), "bytes", c.Writer.Size(), "took", time.Since(start), "actor", ActorOf(c).UserID, "error", c.Errors.String())
		}
	}
}

// Recover turns a panic into an error that is worded like any other.
func Recover(c *gin.Context) {
	defer func() {
		if p := recover(); p != nil {
			Fail(c, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	c.Next()
}
