// Package handlers reads a request, calls the Store, and replies:
// pages for people, JSON for programs. What may be done, and to what, is the
// Store's business; a handler checks shape and size only.
//
// The address chooses the format: everything under /api/v1 is JSON, everything
// else is HTML or a file. A form and its JSON endpoint are two lines of one
// table that name the same function.
package handlers

import (
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"postil/auth"
	"postil/middleware"
	"postil/models"
	"postil/templates"
)

// Config is what the handlers need from outside.
type Config struct {
	Store     *models.Store
	Renderer  *templates.Renderer
	Tokens    auth.Tokens
	Site      templates.Site
	Log       *slog.Logger
	Now       func() time.Time
	Proxies   []string       // networks whose X-Forwarded-For is believed; none by default
	Unlimited []netip.Prefix // networks whose direct connections are not rate limited
	Rates     Rates
	Version   string // of the program, for the API's description
}

// Rates are the limits of what accounts and networks may do.
type Rates struct {
	Register middleware.Rate // new accounts of a network
	Write    middleware.Rate // comments, votes, reports and articles of an account
	Preview  middleware.Rate
}

// DefaultRates suit a public site.
var DefaultRates = Rates{
	Register: middleware.Rate{Burst: 20, Per: time.Hour},
	Write:    middleware.Rate{Burst: 60, Per: time.Minute},
	Preview:  middleware.Rate{Burst: 60, Per: time.Minute},
}

// Handlers answers requests.
type Handlers struct {
	Config
	overTLS bool
	cookie  string
	docs    templates.DocsPage
	cache   *cache
}

// New builds the router.
func New(cfg Config) (http.Handler, error) {
	h := &Handlers{Config: cfg, overTLS: strings.HasPrefix(cfg.Site.URL, "https://"), cookie: "postil"}
	if h.overTLS {
		h.cookie = "__Host-postil" // browsers accept it over TLS only, and from no other host
	}
	var err error
	if h.docs, err = describeAPI(openAPI, cfg.Version); err != nil {
		return nil, err
	}
	if h.cache, err = newCache(cfg.Store, cfg.Now); err != nil {
		return nil, err
	}
	router := gin.New()
	router.HandleMethodNotAllowed = true
	router.RedirectTrailingSlash = false // a redirect built from X-Forwarded-Prefix could lead elsewhere
	router.MaxMultipartMemory = 1 << 20
	router.UseRawPath = true // an escaped slash is part of a name, not of the path
	router.UnescapePathValues = true
	if err := router.SetTrustedProxies(cfg.Proxies); err != nil {
		return nil, err
	}
	limiter, err := middleware.NewLimiter(cfg.Unlimited)
	if err != nil {
		return nil, err
	}
	sameOrigin, err := middleware.SameOrigin(h.trustedOrigins()...)
	if err != nil {
		return nil, err
	}
	identify := middleware.Identify{Store: cfg.Store, Tokens: cfg.Tokens, Cookie: h.cookie, Now: cfg.Now}
	router.Use(middleware.Observe(cfg.Log), middleware.Headers(h.overTLS), h.wordErrors, middleware.Recover)
	h.routes(router, limiter, identify.Handle, sameOrigin)
	return router, nil
}

// trustedOrigins lets forms work behind a proxy that changes the Host header:
// the public address is this site too.
func (h *Handlers) trustedOrigins() []string {
	u, err := url.Parse(h.Site.URL)
	if err != nil || u.Host == "" {
		return nil
	}
	return []string{u.Scheme + "://" + u.Host}
}
