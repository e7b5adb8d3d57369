package middleware

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"postil/auth"
	"postil/models"
)

// Identify finds the actor of a request: by a Bearer token for programs, by the
// session cookie for pages. A bad token is an error, so that a program learns
// of it; a bad cookie is just nobody, so that public pages stay readable.
type Identify struct {
	Store  *models.Store
	Tokens auth.Tokens
	Cookie string // name of the session cookie
	Now    func() time.Time
}

// Handle is the middleware.
func (i Identify) Handle(c *gin.Context) {
	actor, err := i.actor(c)
	if err != nil {
		Fail(c, err)
		return
	}
	actor.Network = Network(c.ClientIP())
	actor.UserAgent = shorten(c.Request.UserAgent(), 200)
	c.Set(actorKey, actor)
	c.Next()
}

func (i Identify) actor(c *gin.Context) (models.Actor, error) {
	ctx := c.Request.Context()
	if header := c.Request.Header.Get("Authorization"); header != "" {
		c.Set(bearerKey, true)
		scheme, token, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return models.Actor{}, &models.Error{Kind: models.Unauthorized, Message: "The Authorization header must be: Bearer, a space, an access token."}
		}
		claims, err := i.Tokens.Parse(token, i.Now())
		if err != nil {
			return models.Actor{}, &models.Error{Kind: models.Unauthorized, Message: "The access token is not valid or has expired. Use the refresh token, or sign in again.", Cause: err}
		}
		return i.Store.ActorByAccess(ctx, claims.SessionID, claims.UserID, claims.Version)
	}
	cookie, err := c.Request.Cookie(i.Cookie)
	if err != nil || cookie.Value == "" {
		return models.Actor{}, nil
	}
	actor, err := i.Store.ActorByCookie(ctx, cookie.Value)
	if models.KindOf(err) == models.Unauthorized {
		return models.Actor{}, nil
	}
	return actor, err
}

// Network is the part of an address that one household or machine has: an IPv4
// address, or the first 64 bits of an IPv6 one.
func Network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return "unknown"
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	prefix, err := ip.Prefix(64)
	if err != nil {
		return "unknown"
	}
	return prefix.String()
}

func shorten(text string, atMost int) string {
	text = strings.ToValidUTF8(text, "")
	text = strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, text)
	if len(text) <= atMost {
		return text
	}
	return strings.ToValidUTF8(text[:atMost], "")
}

// SameOrigin refuses what another site made a browser send. It reads the
// headers that browsers set themselves (Sec-Fetch-Site, else Origin), so forms
// need no token and stay valid however long they lie open.
func SameOrigin(trusted ...string) (gin.HandlerFunc, error) {
	protection := http.NewCrossOriginProtection()
	for _, origin := range trusted {
		if err := protection.AddTrustedOrigin(origin); err != nil {
			return nil, err
		}
	}
	return func(c *gin.Context) {
		if !IsBearer(c) && protection.Check(c.Request) != nil {
			Fail(c, &models.Error{Kind: models.Forbidden, Message: "This request came from another site. Open the page here and send the form again."})
			return
		}
		c.Next()
	}, nil
}
