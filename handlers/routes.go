package handlers

import (
	"github.com/gin-gonic/gin"

	"postil/middleware"
)

// Sizes of request bodies. A comment of the greatest length, every character
// of it escaped in JSON or a form, fits into the medium one; an article into the
// large one.
const (
	small  = 64 << 10
	medium = 128 << 10
	large  = 4 << 20
)

// route is one line of the table of everything this server answers to.
type route struct {
	method, path string
	handle       func(*call) error
	size         int64           // of the body, at most; 0: there is none to read
	deed         string          // what its rate limit counts
	rate         middleware.Rate // zero: no limit
}

// table lists the pages and forms, and the JSON endpoints below /api/v1.
func (h *Handlers) table() (pages, api []route) {
	register, write, preview := h.Rates.Register, h.Rates.Write, h.Rates.Preview
	register.ByNetwork = true // else every new account could make as many again
	pages = []route{
		{method: "GET", path: "/", handle: h.shared(nil, h.home)},
		{method: "GET", path: "/articles/:slug", handle: h.shared(h.articleStamp, h.articlePage)},
		{method: "POST", path: "/articles/:slug/comments", handle: h.createComment, size: medium, deed: "write", rate: write},
		{method: "GET", path: "/articles/:slug/revisions", handle: h.revisionsPage},
		{method: "GET", path: "/articles/:slug/revisions/:number", handle: h.revisionPage},
		{method: "POST", path: "/articles/:slug/revisions/:number/restore", handle: h.restoreRevision, size: small, deed: "write", rate: write},
		{method: "GET", path: "/articles/:slug/compare", handle: h.comparePage},
		{method: "GET", path: "/comments/:id", handle: h.threadPage},
		{method: "GET", path: "/comments/:id/edit", handle: h.editCommentPage},
		{method: "POST", path: "/comments/:id/edit", handle: h.editComment, size: medium, deed: "write", rate: write},
		{method: "GET", path: "/comments/:id/delete", handle: h.deleteCommentPage},
		{method: "POST", path: "/comments/:id/delete", handle: h.deleteComment, size: small, deed: "write", rate: write},
		{method: "GET", path: "/comments/:id/report", handle: h.reportPage},
		{method: "POST", path: "/comments/:id/report", handle: h.report, size: small, deed: "write", rate: write},
		{method: "POST", path: "/comments/:id/vote", handle: h.vote, size: small, deed: "write", rate: write},
		{method: "GET", path: "/comments/:id/history", handle: h.historyPage},
		{method: "POST", path: "/preview", handle: h.preview, size: large, deed: "preview", rate: preview},

		{method: "GET", path: "/users/:username", handle: h.profilePage},
		{method: "GET", path: "/register", handle: h.registerPage},
		{method: "POST", path: "/register", handle: h.register, size: small, deed: "register", rate: register},
		{method: "GET", path: "/login", handle: h.loginPage},
		{method: "POST", path: "/login", handle: h.signIn, size: small},
		{method: "POST", path: "/logout", handle: h.signOut, size: small},
		{method: "GET", path: "/setup", handle: h.setupPage},
		{method: "POST", path: "/setup", handle: h.setup, size: small},
		{method: "GET", path: "/account", handle: h.accountPage},
		{method: "POST", path: "/account/profile", handle: h.updateProfile, size: small, deed: "write", rate: write},
		{method: "POST", path: "/account/password", handle: h.updatePassword, size: small, deed: "write", rate: write},
		{method: "POST", path: "/account/sessions/end-others", handle: h.endOtherSessions, size: small},
		{method: "POST", path: "/account/sessions/:id/end", handle: h.endSession, size: small},

		{method: "GET", path: "/desk", handle: h.deskPage},
		{method: "GET", path: "/desk/:slug", handle: h.editorPage}, // "new" for a new article
		{method: "POST", path: "/desk/:slug", handle: h.saveArticle, size: large, deed: "write", rate: write},
		{method: "POST", path: "/desk/:slug/delete", handle: h.deleteArticle, size: small, deed: "write", rate: write},

		{method: "GET", path: "/moderation", handle: h.queuePage},
		{method: "POST", path: "/moderation/decisions", handle: h.decide, size: small},
		{method: "POST", path: "/moderation/decisions/:id/undo", handle: h.undoDecision, size: small},
		{method: "GET", path: "/moderation/log", handle: h.logPage},

		{method: "GET", path: "/admin/users", handle: h.usersPage},
		{method: "POST", path: "/admin/users/:username/role", handle: h.setRole, size: small},
		{method: "POST", path: "/admin/users/:username/suspend", handle: h.suspend, size: small},
		{method: "POST", path: "/admin/users/:username/unsuspend", handle: h.unsuspend, size: small},

		{method: "GET", path: "/api/v1/docs", handle: h.docsPage},
	}
	api = []route{
		{method: "POST", path: "/users", handle: h.register, size: small, deed: "register", rate: register},
		{method: "GET", path: "/users/:username", handle: h.showUser},
		{method: "POST", path: "/sessions", handle: h.signIn, size: small},
		{method: "POST", path: "/sessions/refresh", handle: h.refresh, size: small},
		{method: "GET", path: "/sessions", handle: h.listSessions},
		{method: "DELETE", path: "/sessions/:id", handle: h.endSession}, // "current" for this one
		{method: "GET", path: "/me", handle: h.showMe},
		{method: "PATCH", path: "/me", handle: h.updateMe, size: small, deed: "write", rate: write},

		{method: "GET", path: "/articles", handle: h.listArticles},
		{method: "POST", path: "/articles", handle: h.createArticle, size: large, deed: "write", rate: write},
		{method: "GET", path: "/articles/:slug", handle: h.showArticle},
		{method: "PATCH", path: "/articles/:slug", handle: h.patchArticle, size: large, deed: "write", rate: write},
		{method: "DELETE", path: "/articles/:slug", handle: h.deleteArticle, deed: "write", rate: write},
		{method: "GET", path: "/articles/:slug/revisions", handle: h.listRevisions},
		{method: "GET", path: "/articles/:slug/revisions/:number", handle: h.showRevision},
		{method: "POST", path: "/articles/:slug/revisions/:number/restore", handle: h.restoreRevision, size: small, deed: "write", rate: write},

		{method: "GET", path: "/articles/:slug/comments", handle: h.shared(h.articleStamp, h.listComments)},
		{method: "POST", path: "/articles/:slug/comments", handle: h.createComment, size: medium, deed: "write", rate: write},
		{method: "GET", path: "/comments/:id", handle: h.showComment},
		{method: "PATCH", path: "/comments/:id", handle: h.editComment, size: medium, deed: "write", rate: write},
		{method: "DELETE", path: "/comments/:id", handle: h.deleteComment, deed: "write", rate: write},
		{method: "GET", path: "/comments/:id/replies", handle: h.listReplies},
		{method: "GET", path: "/comments/:id/history", handle: h.showHistory},
		{method: "PUT", path: "/comments/:id/vote", handle: h.vote, size: small, deed: "write", rate: write},
		{method: "DELETE", path: "/comments/:id/vote", handle: h.withdrawVote, deed: "write", rate: write},
		{method: "POST", path: "/comments/:id/reports", handle: h.report, size: small, deed: "write", rate: write},

		{method: "GET", path: "/moderation/queue", handle: h.listQueue},
		{method: "POST", path: "/moderation/decisions", handle: h.decide, size: small},
		{method: "POST", path: "/moderation/decisions/:id/undo", handle: h.undoDecision, size: small},
		{method: "GET", path: "/moderation/log", handle: h.listLog},

		{method: "GET", path: "/openapi.json", handle: h.openAPI},
	}
	return pages, api
}

// apiPrefix is where the JSON endpoints live.
const apiPrefix = "/api/v1"

// routes puts the table on the router, each line behind what it needs: who is
// asking, whether the request is this site's own, how often, how large.
func (h *Handlers) routes(router *gin.Engine, limiter *middleware.Limiter, identify, sameOrigin gin.HandlerFunc) {
	pages, api := h.table()
	for _, r := range pages {
		h.add(router, r, r.path, false, limiter, identify, sameOrigin)
	}
	for _, r := range api {
		h.add(router, r, apiPrefix+r.path, true, limiter, identify, sameOrigin)
	}
	for _, method := range []string{"GET", "HEAD"} {
		router.Handle(method, "/healthz", h.healthy)
		router.Handle(method, "/readyz", h.ready)
		router.Handle(method, "/static/*name", h.static)
		router.Handle(method, "/robots.txt", h.robots)
	}
	router.NoRoute(middleware.BodyLimit(small), identify, func(c *gin.Context) { middleware.Fail(c, errNoRoute) })
	router.NoMethod(middleware.BodyLimit(small), identify, func(c *gin.Context) { middleware.Fail(c, errNoMethod) })
}

func (h *Handlers) add(router *gin.Engine, r route, path string, isAPI bool, limiter *middleware.Limiter, identify, sameOrigin gin.HandlerFunc) {
	chain := []gin.HandlerFunc{middleware.BodyLimit(r.size), identify, sameOrigin, limiter.Handle(r.deed, r.rate), h.face(isAPI, r.handle)}
	router.Handle(r.method, path, chain...)
	if r.method == "GET" {
		router.Handle("HEAD", path, chain...)
	}
}
