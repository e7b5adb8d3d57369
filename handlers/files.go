package handlers

import (
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"postil/middleware"
)

// static serves the files beside the pages. Their names carry a hash of what is
// in them, so a browser never asks twice.
func (h *Handlers) static(c *gin.Context) {
	asset, ok := h.Renderer.Asset(strings.TrimPrefix(c.Param("name"), "/"))
	if !ok {
		middleware.Fail(c, errNoRoute)
		return
	}
	header := c.Writer.Header()
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	header.Set("ETag", asset.ETag)
	header.Set("Vary", "Accept-Encoding")
	if c.Request.Header.Get("If-None-Match") == asset.ETag {
		c.Status(http.StatusNotModified)
		return
	}
	body := asset.Body
	if len(asset.Gzip) > 0 && strings.Contains(c.Request.Header.Get("Accept-Encoding"), "gzip") {
		header.Set("Content-Encoding", "gzip")
		body = asset.Gzip
	}
	c.Data(http.StatusOK, asset.Type, body)
}

func (h *Handlers) robots(c *gin.Context) {
	c.String(http.StatusOK, "User-agent: *\nDisallow: /login\nDisallow: /register\nDisallow: /account\nDisallow: /desk\nDisallow: /moderation\nDisallow: /admin\n")
}

// healthy tells that the process lives.
func (h *Handlers) healthy(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, gin.H{"status": "ok"})
}

// ready tells that requests can be served: the database answers and writes.
func (h *Handlers) ready(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	if err := h.Store.Ready(c.Request.Context()); err != nil {
		h.Log.Error("not ready", "error", err)
		c.JSON(http.StatusServiceUnavailable, gin.H{"status": "the database does not answer", "time": h.Now().UTC().Format(time.RFC3339)})
		return
	}
	c.JSON(http.StatusOK, gin.H{"status": "ready"})
}
