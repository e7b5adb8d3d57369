package models_test

import (
	"strings"
	"testing"
	"time"

	"postil/models"
	"postil/models/modelstest"
)

func register(fx *modelstest.Fixture, name, email string) (models.User, models.Grant, error) {
	return fx.Register(ctx, anonymous, models.RegisterInput{Username: name, Email: email, Password: modelstest.Password}, models.PageSession)
}

func TestUsernames(t *testing.T) {
	for _, c := range []struct {
		name string
		ok   bool
	}{
		{"ada", true}, {"Ada.Lovelace-1_x", true}, {"zoë", true}, {"アリス", true}, {"алиса", true}, {"Ωmega", false},
		{"a", false}, {"", false}, {"  ", false}, {strings.Repeat("a", 40), true}, {strings.Repeat("a", 41), false},
		{strings.Repeat("ﬃ", 14), false}, // 42 letters once they are taken apart
		{"two words", false}, {"-ada", false}, {".ada", false}, {"_ada", false}, {"ada@example.org", false}, {"a/b", false}, {"a<b", false},
		{"аda", false}, {"pаypal", false}, {"αda", false}, {"ada\u200b", false}, {"ada\u202e", false}, {"ad\x00a", false}, {"\u0301ada", false}, {"ad\xff", false},
		{"me", false}, {"Me", false}, {"ｍｅ", false}, {"anonymous", false}, {"deleted", false}, {"①②", true}, {"👍👍", false},
	} {
		fx := modelstest.New(t)
		_, _, err := register(fx, c.name, "x@example.org")
		if c.ok && err != nil {
			t.Errorf("%q: %v", c.name, err)
		}
		if !c.ok {
			if err == nil {
				t.Errorf("%q was taken", c.name)
				continue
			}
			wantKind(t, err, models.Invalid)
			wantField(t, err, "username")
		}
	}
}

func TestUsernamesThatAreTheSame(t *testing.T) {
	fx := modelstest.New(t)
	user, _, err := register(fx, "Zoë", "zoe@example.org")
	ok(t, err)
	equal(t, "shown as typed", user.Username, "Zoë")
	for _, same := range []string{"Zoë", "zoë", "ZOË", "Zoe\u0308", "Ｚoë", " zoë "} {
		_, _, err := register(fx, same, "other@example.org")
		if err == nil {
			t.Errorf("%q is another name", same)
			continue
		}
		wantKind(t, err, models.Conflict)
		wantField(t, err, "username")
		found, err := fx.FindUser(ctx, same)
		if err != nil || found.ID != user.ID {
			t.Errorf("looking for %q found %d, %v", same, found.ID, err)
		}
	}
	if _, _, err := register(fx, "zoe", "plain@example.org"); err != nil {
		t.Errorf("zoe without the dots is somebody else: %v", err)
	}
	_, err = fx.FindUser(ctx, "nobody")
	wantKind(t, err, models.NotFound)
	_, err = fx.FindUser(ctx, "")
	wantKind(t, err, models.NotFound)
}

func TestEmails(t *testing.T) {
	fx := modelstest.New(t)
	for i, c := range []struct {
		email string
		ok    bool
	}{
		{"ada@example.org", true}, {"Ada+x@Example.org ", true}, {"ада@пример.рф", true},
		{"", false}, {"ada", false}, {"@example.org", false}, {"ada@", false}, {"a b@example.org", false}, {"a@b@c", false},
		{"a\r\nBcc: x@example.org", false}, {"<a@example.org>", false}, {"a,b@example.org", false}, {strings.Repeat("a", 250) + "@x.org", false}, {"a\u202e@example.org", false},
	} {
		_, _, err := register(fx, "user"+string(rune('a'+i)), c.email)
		if c.ok && err != nil {
			t.Errorf("%q: %v", c.email, err)
		}
		if !c.ok {
			if err == nil {
				t.Errorf("%q was taken", c.email)
				continue
			}
			wantKind(t, err, models.Invalid)
			wantField(t, err, "email")
		}
	}
	_, _, err := register(fx, "second", "ADA@EXAMPLE.ORG")
	wantKind(t, err, models.Conflict)
	wantField(t, err, "email")
	equal(t, "accounts", rowsOf(t, fx, "users"), int64(3))
}

func TestPasswords(t *testing.T) {
	fx := modelstest.New(t)
	for _, weak := range []string{"", "short", "aaaaaaaaaaaaaaaaaaaa", "passwordpassword", "lovelace-lovelace", strings.Repeat("correct horse ", 20)} {
		_, _, err := fx.Register(ctx, anonymous, models.RegisterInput{Username: "lovelace", Email: "a@example.org", Password: weak}, models.PageSession)
		if err == nil {
			t.Errorf("%q was taken", weak)
			continue
		}
		wantKind(t, err, models.Invalid)
		wantField(t, err, "password")
	}
}

func TestRegisterOnceAtATime(t *testing.T) {
	fx := modelstest.New(t)
	errs := parallel(20, func(int) error { _, _, err := register(fx, "ada", "ada@example.org"); return err })
	equal(t, "registrations", succeeded(errs), 1)
	equal(t, "accounts", rowsOf(t, fx, "users"), int64(1))
	equal(t, "sessions", rowsOf(t, fx, "sessions"), int64(1))
}

func TestRegisterSignsIn(t *testing.T) {
	fx := modelstest.New(t)
	user, grant, err := register(fx, "ada", "ada@example.org")
	ok(t, err)
	actor, err := fx.ActorByCookie(ctx, grant.Token)
	ok(t, err)
	equal(t, "actor", []any{actor.UserID, actor.Username, actor.Role}, []any{user.ID, "ada", models.Reader})
	equal(t, "the token is stored nowhere", rowsOf(t, fx, "session_tokens WHERE CAST(hash AS TEXT) LIKE ?", "%"+grant.Token+"%"), int64(0))
	equal(t, "events", eventsAfter(t, fx, 0), []string{"user.registered"})
}

func TestProfile(t *testing.T) {
	fx := modelstest.New(t)
	ada, other := fx.User(models.Reader, "ada"), fx.User(models.Reader, "other")
	author := fx.User(models.Author, "anna")
	art, silent := fx.Article(author), fx.Article(author)
	fx.Comment(ada, art.Slug, "words", 0)
	version, quiet := threadOf(t, fx, art).Version, threadOf(t, fx, silent).Version

	me, err := fx.UpdateMe(ctx, ada, models.ProfileInput{DisplayName: ref("  Ada \t L. "), Bio: ref("Line\r\nline")})
	ok(t, err)
	equal(t, "profile", []string{me.DisplayName, me.Bio}, []string{"Ada L.", "Line\nline"})
	if threadOf(t, fx, art).Version == version {
		t.Error("a new name left the page of its comments as it was")
	}
	equal(t, "version of another thread", threadOf(t, fx, silent).Version, quiet)
	_, err = fx.UpdateMe(ctx, author, models.ProfileInput{DisplayName: ref("Anna A.")})
	ok(t, err)
	if threadOf(t, fx, silent).Version == quiet {
		t.Error("a new name left the page of its article as it was")
	}

	for name, in := range map[string]models.ProfileInput{
		"display_name":     {DisplayName: ref(" ")},
		"bio":              {Bio: ref(strings.Repeat("x", models.MaxBio+1))},
		"email":            {Email: ref("nowhere"), CurrentPassword: modelstest.Password},
		"new_password":     {NewPassword: ref("short"), CurrentPassword: modelstest.Password},
		"current_password": {Email: ref("ada2@example.org"), CurrentPassword: "wrong"},
	} {
		_, err := fx.UpdateMe(ctx, ada, in)
		wantKind(t, err, models.Invalid)
		wantField(t, err, name)
	}
	_, err = fx.UpdateMe(ctx, ada, models.ProfileInput{Email: ref("OTHER@example.org"), CurrentPassword: modelstest.Password})
	wantKind(t, err, models.Conflict)
	wantField(t, err, "email")
	me, err = fx.UpdateMe(ctx, ada, models.ProfileInput{Email: ref("ada2@example.org"), CurrentPassword: modelstest.Password})
	ok(t, err)
	equal(t, "email", me.Email, "ada2@example.org")
	_, err = fx.UpdateMe(ctx, anonymous, models.ProfileInput{})
	wantKind(t, err, models.Unauthorized)
	_, err = fx.Me(ctx, anonymous)
	wantKind(t, err, models.Unauthorized)
	_, err = fx.Me(ctx, other)
	ok(t, err)
}

func TestPasswordChangeEndsOtherSessions(t *testing.T) {
	fx := modelstest.New(t)
	here := fx.User(models.Reader, "ada")
	fx.SignedIn("ada")
	_, api, err := fx.SignIn(ctx, here, models.SignInInput{Login: "ada", Password: modelstest.Password}, models.APISession)
	ok(t, err)
	stranger := fx.User(models.Reader, "other")
	_, err = fx.UpdateMe(ctx, here, models.ProfileInput{NewPassword: ref("another long and odd sentence"), CurrentPassword: modelstest.Password})
	ok(t, err)
	sessions, err := fx.Sessions(ctx, here)
	ok(t, err)
	if len(sessions) != 1 || sessions[0].ID != here.SessionID {
		t.Errorf("sessions left: %+v", sessions)
	}
	_, _, err = fx.Refresh(ctx, anonymous, api.Token)
	wantKind(t, err, models.Unauthorized)
	_, err = fx.ActorByAccess(ctx, api.Session.ID, here.UserID, api.Version)
	wantKind(t, err, models.Unauthorized)
	if list, err := fx.Sessions(ctx, stranger); err != nil || len(list) != 1 {
		t.Errorf("another account's sessions: %v, %v", list, err)
	}
	_, _, err = fx.SignIn(ctx, anonymous, models.SignInInput{Login: "ada", Password: modelstest.Password}, models.PageSession)
	wantKind(t, err, models.Unauthorized)
	_, _, err = fx.SignIn(ctx, anonymous, models.SignInInput{Login: "ada", Password: "another long and odd sentence"}, models.PageSession)
	ok(t, err)
}

// An admin's changes to an account count at its next request.
func TestAccountChangesCountAtOnce(t *testing.T) {
	fx := modelstest.New(t)
	admin := fx.User(models.Admin, "root")
	fx.User(models.Reader, "ada")
	_, page, err := fx.SignIn(ctx, anonymous, models.SignInInput{Login: "ADA@example.org", Password: modelstest.Password}, models.PageSession)
	ok(t, err)
	_, api, err := fx.SignIn(ctx, anonymous, models.SignInInput{Login: "ada", Password: modelstest.Password}, models.APISession)
	ok(t, err)
	ask := func() (models.Actor, models.Actor, error) {
		a, err := fx.ActorByCookie(ctx, page.Token)
		b, err2 := fx.ActorByAccess(ctx, api.Session.ID, api.Session.UserID, api.Version)
		if err == nil {
			err = err2
		}
		return a, b, err
	}
	_, err = fx.SetRole(ctx, admin, "Ada", models.Moderator)
	ok(t, err)
	a, b, err := ask()
	ok(t, err)
	equal(t, "roles", []models.Role{a.Role, b.Role}, []models.Role{models.Moderator, models.Moderator})

	user, err := fx.Suspend(ctx, admin, "ada", models.SuspendInput{Days: 2, Reason: "Advertising"})
	ok(t, err)
	equal(t, "until", user.SuspendedUntil, models.At(modelstest.Start.Add(48*time.Hour)))
	_, _, err = ask()
	wantKind(t, err, models.Unauthorized)
	_, _, err = fx.Refresh(ctx, anonymous, api.Token)
	wantKind(t, err, models.Unauthorized)
	_, _, err = fx.SignIn(ctx, anonymous, models.SignInInput{Login: "ada", Password: modelstest.Password}, models.PageSession)
	wantKind(t, err, models.Forbidden)
	if !strings.Contains(err.Error(), "Advertising") || !strings.Contains(err.Error(), "4 March 2026") {
		t.Errorf("the suspended is told %q", err)
	}
	_, _, err = fx.SignIn(ctx, anonymous, models.SignInInput{Login: "ada", Password: "wrong"}, models.PageSession)
	wantKind(t, err, models.Unauthorized)
	fx.Clock.Advance(48 * time.Hour)
	fx.SignedIn("ada")
	_, _, err = ask()
	wantKind(t, err, models.Unauthorized) // the old sessions do not come back

	user, err = fx.Suspend(ctx, admin, "ada", models.SuspendInput{})
	ok(t, err)
	equal(t, "for good", user.SuspendedUntil, models.Forever)
	_, err = fx.Unsuspend(ctx, admin, "ada")
	ok(t, err)
	fx.SignedIn("ada")
	_, page, err = fx.SignIn(ctx, anonymous, models.SignInInput{Login: "ada", Password: modelstest.Password}, models.PageSession)
	ok(t, err)
	_, err = fx.SetPassword(ctx, admin, "ada", "another long and odd sentence")
	ok(t, err)
	_, err = fx.ActorByCookie(ctx, page.Token)
	wantKind(t, err, models.Unauthorized)
	equal(t, "events", eventsAfter(t, fx, 2), []string{"user.role", "user.suspended", "user.suspended", "user.unsuspended", "user.password"})
}

func TestOnlyAdminsChangeAccounts(t *testing.T) {
	fx := modelstest.New(t)
	fx.User(models.Admin, "root")
	actors := []models.Actor{anonymous, fx.User(models.Reader, "reader"), fx.User(models.Author, "author"), fx.User(models.Moderator, "moderator")}
	before := lastEvent(t, fx)
	for _, a := range actors {
		kind := models.Forbidden
		if !a.IsSignedIn() {
			kind = models.Unauthorized
		}
		_, err := fx.SetRole(ctx, a, a.Username, models.Admin)
		wantKind(t, err, kind)
		_, err = fx.Suspend(ctx, a, "root", models.SuspendInput{})
		wantKind(t, err, kind)
		_, err = fx.Unsuspend(ctx, a, "root")
		wantKind(t, err, kind)
		_, err = fx.SetPassword(ctx, a, "root", "another long and odd sentence")
		wantKind(t, err, kind)
		_, err = fx.AddUser(ctx, a, models.AddUserInput{Role: models.Admin})
		wantKind(t, err, kind)
		_, _, err = fx.Users(ctx, a, models.UserFilter{}, models.Page{})
		wantKind(t, err, kind)
	}
	equal(t, "last event", lastEvent(t, fx), before)
}

func TestUsersTable(t *testing.T) {
	fx := modelstest.New(t)
	admin := fx.User(models.Admin, "root")
	for _, name := range []string{"ada", "adam", "eve", "a_b"} {
		fx.User(models.Reader, name)
	}
	for _, c := range []struct {
		filter models.UserFilter
		want   string
	}{
		{models.UserFilter{}, "a_b eve adam ada root"}, {models.UserFilter{Query: " ADA "}, "adam ada"}, {models.UserFilter{Query: "eve@"}, "eve"},
		{models.UserFilter{Query: "_"}, "a_b"}, {models.UserFilter{Query: "%"}, ""}, {models.UserFilter{Query: `\`}, ""}, {models.UserFilter{Role: models.Admin}, "root"},
	} {
		var names []string
		page := models.Page{Limit: 2}
		for {
			users, next, err := fx.Users(ctx, admin, c.filter, page)
			ok(t, err)
			for _, u := range users {
				names = append(names, u.Username)
			}
			if page.Cursor = next; next == "" {
				break
			}
		}
		equal(t, "users of "+c.filter.Query, strings.Join(names, " "), c.want)
	}
}
