package handlers

import (
	"net/http"
	"strings"

	"postil/auth"
	"postil/models"
	"postil/templates"
)

// minPassword is what registration forms say; auth.CheckPassword decides.
const minPassword = 15

// kind is the kind of session that this face opens.
func (c *call) kind() models.SessionKind {
	if c.api {
		return models.APISession
	}
	return models.PageSession
}

// signedIn answers with a new session: a cookie for pages, tokens for programs.
func (c *call) signedIn(status int, user models.User, grant models.Grant, to string) error {
	if !c.api {
		c.setCookie(grant.Token, int(models.SessionLife.Seconds()))
		return c.redirect(to)
	}
	now := c.h.Now()
	access, err := c.h.Tokens.Issue(auth.Claims{UserID: user.ID, SessionID: grant.Session.ID, Version: grant.Version, IssuedAt: now, ExpiresAt: now.Add(c.h.Tokens.TTL)})
	if err != nil {
		return err
	}
	comments, err := c.h.Store.CountCommentsBy(c.Request.Context(), user.ID)
	if err != nil {
		return err
	}
	return c.json(status, templates.Signed{User: c.h.meView(user, comments), AccessToken: access, RefreshToken: grant.Token,
		ExpiresIn: int(c.h.Tokens.TTL.Seconds()), TokenType: "Bearer", SessionID: grant.Session.ID})
}

func (c *call) setCookie(token string, maxAge int) {
	http.SetCookie(c.Writer, &http.Cookie{Name: c.h.cookie, Value: token, Path: "/", MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: c.h.overTLS || c.Request.TLS != nil})
}

// register makes a reader's account and signs it in.
func (h *Handlers) register(c *call) error {
	var in struct {
		Username string `json:"username"`
		Email    string `json:"email"`
		Password string `json:"password"`
	}
	next := ""
	if !c.api {
		form, err := c.form()
		if err != nil {
			return err
		}
		next = form.Get("next")
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	user, grant, err := h.Store.Register(c.Request.Context(), c.actor, models.RegisterInput(in), c.kind())
	if err != nil && !c.api {
		page := templates.RegisterPage{Username: in.Username, Email: in.Email, NextPath: next}
		status, ok := c.comeBack(err, &page.Page)
		if !ok {
			return err
		}
		return h.showRegister(c, status, page)
	}
	if err != nil {
		return err
	}
	return c.signedIn(http.StatusCreated, user, grant, next)
}

func (h *Handlers) registerPage(c *call) error {
	if c.actor.IsSignedIn() {
		return c.redirect("/account")
	}
	return h.showRegister(c, http.StatusOK, templates.RegisterPage{NextPath: local(c.Query("next"))})
}

func (h *Handlers) showRegister(c *call, status int, page templates.RegisterPage) error {
	base, err := c.formPage("Register", page.Page)
	if err != nil {
		return err
	}
	page.Page, page.MinPassword = base, minPassword
	page.Path = local(page.NextPath) // its own address as the next would nest without end
	return c.page(status, page)
}

// formPage is basePage with what a form's earlier attempt left.
func (c *call) formPage(title string, kept templates.Page) (templates.Page, error) {
	base, err := c.basePage(title)
	base.Error, base.Fields, base.Notice, base.NoIndex = kept.Error, kept.Fields, kept.Notice, true
	return base, err
}

// signIn opens a session for a name and a password.
func (h *Handlers) signIn(c *call) error {
	var in struct {
		Login    string `json:"login"`
		Password string `json:"password"`
	}
	next := ""
	if !c.api {
		form, err := c.form()
		if err != nil {
			return err
		}
		next = form.Get("next")
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	user, grant, err := h.Store.SignIn(c.Request.Context(), c.actor, models.SignInInput(in), c.kind())
	if err != nil && !c.api {
		page := templates.LoginPage{Login: in.Login, Next: next}
		status, ok := c.comeBack(err, &page.Page)
		if !ok {
			return err
		}
		return h.showLogin(c, status, page)
	}
	if err != nil {
		return err
	}
	return c.signedIn(http.StatusCreated, user, grant, next)
}

func (h *Handlers) loginPage(c *call) error {
	next := local(c.Query("next"))
	if c.actor.IsSignedIn() {
		return c.redirect(next)
	}
	return h.showLogin(c, http.StatusOK, templates.LoginPage{Next: next})
}

func (h *Handlers) showLogin(c *call, status int, page templates.LoginPage) error {
	base, err := c.formPage("Sign in", page.Page)
	if err != nil {
		return err
	}
	page.Page = base
	page.Path = local(page.Next)
	return c.page(status, page)
}

// refresh exchanges a refresh token for a new pair.
func (h *Handlers) refresh(c *call) error {
	var in struct {
		RefreshToken string `json:"refresh_token"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	user, grant, err := h.Store.Refresh(c.Request.Context(), c.actor, in.RefreshToken)
	if err != nil {
		return err
	}
	return c.signedIn(http.StatusOK, user, grant, "")
}

// signOut ends the session of this browser.
func (h *Handlers) signOut(c *call) error {
	err := h.Store.EndSession(c.Request.Context(), c.actor, "current")
	if kind := models.KindOf(err); err != nil && kind != models.Unauthorized && kind != models.NotFound {
		return err
	}
	c.setCookie("", -1)
	c.Writer.Header().Set("Clear-Site-Data", `"cache"`)
	return c.redirect("/")
}

func (h *Handlers) listSessions(c *call) error {
	sessions, err := h.Store.Sessions(c.Request.Context(), c.actor)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, list(convert(sessions, sessionView(c.actor)), ""))
}

func (h *Handlers) endSession(c *call) error {
	if err := h.Store.EndSession(c.Request.Context(), c.actor, c.Param("id")); err != nil {
		return err
	}
	if c.api {
		return c.nothing()
	}
	return c.redirect("/account#sessions")
}

func (h *Handlers) endOtherSessions(c *call) error {
	if err := h.Store.EndOtherSessions(c.Request.Context(), c.actor); err != nil {
		return err
	}
	return c.redirect("/account#sessions")
}

func (h *Handlers) setupPage(c *call) error {
	token := c.Query("token")
	if err := h.Store.CheckSetup(c.Request.Context(), token); err != nil {
		return err
	}
	return h.showSetup(c, http.StatusOK, templates.SetupPage{Token: token})
}

func (h *Handlers) showSetup(c *call, status int, page templates.SetupPage) error {
	base, err := c.formPage("Make the first admin", page.Page)
	if err != nil {
		return err
	}
	base.Path = "" // the token in the address is for nobody else's links
	page.Page, page.MinPassword = base, minPassword
	c.Writer.Header().Set("Referrer-Policy", "no-referrer") // the token is in the address
	return c.page(status, page)
}

// setup makes the first admin with the token from the terminal.
func (h *Handlers) setup(c *call) error {
	var in struct {
		Token    string `json:"token"`
		Username string `json:"username"`
		Email    string `json:"email"`
		Password string `json:"password"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	input := models.SetupInput{RegisterInput: models.RegisterInput{Username: in.Username, Email: in.Email, Password: in.Password}, Token: in.Token}
	user, grant, err := h.Store.Setup(c.Request.Context(), c.actor, input)
	if err != nil {
		page := templates.SetupPage{Token: in.Token, Username: in.Username, Email: in.Email}
		status, ok := c.comeBack(err, &page.Page)
		if !ok {
			return err
		}
		return h.showSetup(c, status, page)
	}
	return c.signedIn(http.StatusCreated, user, grant, "/moderation")
}

func (h *Handlers) showMe(c *call) error {
	me, err := c.me()
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, me)
}

// me is the actor's own account.
func (c *call) me() (templates.Me, error) {
	user, err := c.h.Store.Me(c.Request.Context(), c.actor)
	if err != nil {
		return templates.Me{}, err
	}
	comments, err := c.h.Store.CountCommentsBy(c.Request.Context(), user.ID)
	return c.h.meView(user, comments), err
}

// updateMe changes the actor's own account; what is absent stays as it is.
func (h *Handlers) updateMe(c *call) error {
	var in struct {
		DisplayName     *string `json:"display_name"`
		Bio             *string `json:"bio"`
		Email           *string `json:"email"`
		NewPassword     *string `json:"new_password"`
		CurrentPassword string  `json:"current_password"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	if _, err := h.Store.UpdateMe(c.Request.Context(), c.actor, models.ProfileInput(in)); err != nil {
		return err
	}
	return h.showMe(c)
}

func (h *Handlers) updateProfile(c *call) error {
	var in struct {
		DisplayName     *string `json:"display_name"`
		Bio             *string `json:"bio"`
		Email           *string `json:"email"`
		CurrentPassword string  `json:"current_password"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	change := models.ProfileInput{DisplayName: in.DisplayName, Bio: in.Bio, Email: in.Email, CurrentPassword: in.CurrentPassword}
	return h.changeAccount(c, change, func(me *templates.Me) {
		me.DisplayName, me.Bio, me.Email = or(in.DisplayName, me.DisplayName), or(in.Bio, me.Bio), or(in.Email, me.Email)
	})
}

func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

func (h *Handlers) updatePassword(c *call) error {
	var in struct {
		CurrentPassword string `json:"current_password"`
		NewPassword     string `json:"new_password"`
	}
	if err := c.bind(&in); err != nil {
		return err
	}
	return h.changeAccount(c, models.ProfileInput{NewPassword: &in.NewPassword, CurrentPassword: in.CurrentPassword}, func(*templates.Me) {})
}

// changeAccount changes the actor's own account from a page, which comes back
// with what was typed when something is wrong with it.
func (h *Handlers) changeAccount(c *call, change models.ProfileInput, typed func(*templates.Me)) error {
	_, err := h.Store.UpdateMe(c.Request.Context(), c.actor, change)
	if err == nil {
		return c.redirect("/account?saved=1")
	}
	var page templates.AccountPage
	status, ok := c.comeBack(err, &page.Page)
	if !ok || !c.actor.IsSignedIn() {
		return err
	}
	return h.showAccount(c, status, page, typed)
}

func (h *Handlers) accountPage(c *call) error {
	var page templates.AccountPage
	if c.Query("saved") != "" {
		page.Notice = "Saved."
	}
	return h.showAccount(c, http.StatusOK, page, func(*templates.Me) {})
}

func (h *Handlers) showAccount(c *call, status int, page templates.AccountPage, typed func(*templates.Me)) error {
	me, err := c.me()
	if err != nil {
		return err
	}
	sessions, err := h.Store.Sessions(c.Request.Context(), c.actor)
	if err != nil {
		return err
	}
	paging, err := c.paging()
	if err != nil {
		return err
	}
	paging.Limit = 20
	comments, next, err := h.Store.CommentsBy(c.Request.Context(), c.actor, c.actor.UserID, paging)
	if err != nil {
		return err
	}
	if page.Page, err = c.formPage("Your account", page.Page); err != nil {
		return err
	}
	typed(&me)
	page.Me, page.Sessions, page.MinPassword = me, convert(sessions, sessionView(c.actor)), minPassword
	page.Comments, page.Next = c.profileComments(comments), c.nextURL(next, "#comments")
	return c.page(status, page)
}

func (c *call) profileComments(rows []*models.Comment) []templates.ProfileComment {
	return convert(rows, func(row *models.Comment) templates.ProfileComment {
		return templates.ProfileComment{Comment: c.comment(row), ArticleTitle: row.Article.Title}
	})
}

// profilePage is an account's public page.
func (h *Handlers) profilePage(c *call) error {
	profile, user, err := c.profile()
	if err != nil {
		return err
	}
	paging, err := c.paging()
	if err != nil {
		return err
	}
	paging.Limit = 20
	// The page shows what everybody may read, to its owner too.
	comments, next, err := h.Store.CommentsBy(c.Request.Context(), models.Actor{}, user.ID, paging)
	if err != nil {
		return err
	}
	articles, _, err := h.Store.Articles(c.Request.Context(), models.Actor{}, models.ArticleFilter{Author: user.Username}, models.Page{Limit: 20})
	if err != nil {
		return err
	}
	base, err := c.basePage(profile.DisplayName)
	if err != nil {
		return err
	}
	return c.page(http.StatusOK, templates.ProfilePage{Page: base, Profile: profile, Articles: h.articleViews(c.actor, articles),
		Comments: c.profileComments(comments), Next: c.nextURL(next, "")})
}

func (c *call) profile() (templates.Profile, models.User, error) {
	user, err := c.h.Store.FindUser(c.Request.Context(), strings.TrimPrefix(c.Param("username"), "@"))
	if err != nil {
		return templates.Profile{}, user, err
	}
	comments, err := c.h.Store.CountCommentsBy(c.Request.Context(), user.ID)
	return profileView(user, comments), user, err
}

func (h *Handlers) showUser(c *call) error {
	profile, _, err := c.profile()
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, profile)
}
