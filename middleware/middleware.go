// Package middleware finds out who is asking, how often and from where, and
// brings every failure to one place.
//
// It decides who, never may: permissions are the Store's. It never writes an
// error itself; it hands it to gin with Fail, and handlers words it for the
// face it happened on.
package middleware

import (
	"github.com/gin-gonic/gin"

	"postil/models"
)

const (
	actorKey   = "postil.actor"
	requestKey = "postil.request"
	bearerKey  = "postil.bearer"
)

// Fail ends a request with an error.
func Fail(c *gin.Context, err error) {
	_ = c.Error(err) // gin keeps it; its return value is the same error again
	c.Abort()
}

// ActorOf is who asks; the zero Actor when nobody is signed in.
func ActorOf(c *gin.Context) models.Actor {
	actor, _ := c.Value(actorKey).(models.Actor)
	return actor
}

// RequestID names the request in the log and in what an error shows.
func RequestID(c *gin.Context) string { return c.GetString(requestKey) }

// IsBearer tells whether the actor was found by an Authorization header, which
// no other site can make a browser send.
func IsBearer(c *gin.Context) bool { return c.GetBool(bearerKey) }
