package models_test

import (
	"errors"
	"testing"
	"time"

	"postil/models"
	"postil/models/modelstest"
)

func signIn(fx *modelstest.Fixture, network, login, password string) error {
	_, _, err := fx.SignIn(ctx, models.Actor{Network: network}, models.SignInInput{Login: login, Password: password}, models.PageSession)
	return err
}

func TestSignInWith(t *testing.T) {
	fx := modelstest.New(t)
	fx.User(models.Reader, "Ada")
	for _, login := range []string{"Ada", "ada", "ADA", " ada ", "ada@example.org", "ADA@EXAMPLE.ORG", "ａｄａ"} {
		if err := signIn(fx, "n", login, modelstest.Password); err != nil {
			t.Errorf("%q: %v", login, err)
		}
	}
	for _, login := range []string{"", "nobody", "nobody@example.org", "ada@example.com", "%", "ada\x00", "' OR 1=1 --"} {
		wantKind(t, signIn(fx, login, login, modelstest.Password), models.Unauthorized)
	}
	wantKind(t, signIn(fx, "n", "ada", modelstest.Password+" "), models.Unauthorized)
	wantKind(t, signIn(fx, "n", "ada", ""), models.Unauthorized)
}

// wantWait fails the test unless err tells to wait about that long.
func wantWait(t *testing.T, err error, wait time.Duration) {
	t.Helper()
	wantKind(t, err, models.TooMany)
	var e *models.Error
	errors.As(err, &e)
	if e.RetryAfter != wait {
		t.Fatalf("told to wait %s, want %s", e.RetryAfter, wait)
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	fx := modelstest.New(t)
	fx.User(models.Reader, "ada")
	fx.User(models.Reader, "eve")
	for range 5 {
		wantKind(t, signIn(fx, "bad", "ada", "wrong"), models.Unauthorized)
	}
	for _, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900} {
		wantWait(t, signIn(fx, "bad", "ada", modelstest.Password), wait*time.Second)
		fx.Clock.Advance(wait*time.Second - time.Microsecond)
		wantWait(t, signIn(fx, "bad", "ada", "wrong"), time.Microsecond)
		ok(t, signIn(fx, "good", "ada", modelstest.Password)) // the owner, from elsewhere
		fx.Clock.Advance(time.Microsecond)
		wantKind(t, signIn(fx, "bad", "ada", "wrong"), models.Unauthorized)
	}
	ok(t, signIn(fx, "bad", "eve", modelstest.Password)) // another account
	fx.Clock.Advance(15 * time.Minute)
	ok(t, signIn(fx, "bad", "ada", modelstest.Password))
	for range 5 { // success forgets the failures
		wantKind(t, signIn(fx, "bad", "ada", "wrong"), models.Unauthorized)
	}
	wantWait(t, signIn(fx, "bad", "ada", "wrong"), time.Second)
	fx.Clock.Advance(time.Hour + time.Second) // and so does time
	for range 4 {
		wantKind(t, signIn(fx, "bad", "ada", "wrong"), models.Unauthorized)
	}
	ok(t, signIn(fx, "bad", "ada", modelstest.Password))
}

func TestGuessingSurvivesARestart(t *testing.T) {
	fx := modelstest.New(t)
	fx.User(models.Reader, "ada")
	for range 5 {
		wantKind(t, signIn(fx, "bad", "ada", "wrong"), models.Unauthorized)
	}
	fx.Reopen()
	wantWait(t, signIn(fx, "bad", "ada", modelstest.Password), time.Second)
}

func TestGuessesAtOnceCount(t *testing.T) {
	fx := modelstest.New(t)
	fx.User(models.Reader, "ada")
	errs := parallel(50, func(int) error { return signIn(fx, "bad", "ada", "wrong") })
	looked := 0
	for _, err := range errs {
		switch models.KindOf(err) {
		case models.Unauthorized:
			looked++
		case models.TooMany:
		default:
			t.Fatal(err)
		}
	}
	equal(t, "guesses that were looked at", looked, 5)
}

func TestGuessingManyAccounts(t *testing.T) {
	fx := modelstest.New(t)
	fx.User(models.Reader, "ada")
	for i := range 50 {
		wantKind(t, signIn(fx, "bad", string(rune('a'+i%26))+"-"+string(rune('a'+i/26)), "wrong"), models.Unauthorized)
	}
	wantWait(t, signIn(fx, "bad", "ada", modelstest.Password), 5*time.Minute)
	ok(t, signIn(fx, "good", "ada", modelstest.Password))
	fx.Clock.Advance(5*time.Minute + time.Second)
	ok(t, signIn(fx, "bad", "ada", modelstest.Password))
}

// One's own successes do not forgive the guesses at others.
func TestSuccessDoesNotCoverGuesses(t *testing.T) {
	fx := modelstest.New(t)
	fx.User(models.Reader, "mallory")
	for i := range 49 {
		wantKind(t, signIn(fx, "bad", "victim"+string(rune('A'+i)), "wrong"), models.Unauthorized)
		ok(t, signIn(fx, "bad", "mallory", modelstest.Password))
	}
	wantKind(t, signIn(fx, "bad", "victim", "wrong"), models.Unauthorized)
	wantKind(t, signIn(fx, "bad", "victim2", "wrong"), models.TooMany)
}

// Asking for the present password is braked like a login.
func TestConfirmingIsSlowedDown(t *testing.T) {
	fx := modelstest.New(t)
	ada := fx.User(models.Reader, "ada")
	try := func() error {
		_, err := fx.UpdateMe(ctx, ada, models.ProfileInput{Email: ref("x@example.org"), CurrentPassword: "wrong"})
		return err
	}
	for range 5 {
		wantKind(t, try(), models.Invalid)
	}
	wantKind(t, try(), models.TooMany)
}

func TestRefresh(t *testing.T) {
	fx := modelstest.New(t)
	user, err := fx.AddUser(ctx, models.System(), models.AddUserInput{Role: models.Reader, RegisterInput: models.RegisterInput{Username: "ada", Password: modelstest.Password}})
	ok(t, err)
	open := func(kind models.SessionKind) models.Grant {
		_, g, err := fx.SignIn(ctx, anonymous, models.SignInInput{Login: "ada", Password: modelstest.Password}, kind)
		ok(t, err)
		return g
	}
	one, other, page := open(models.APISession), open(models.APISession), open(models.PageSession)
	who, two, err := fx.Refresh(ctx, anonymous, one.Token)
	ok(t, err)
	equal(t, "account and session", []any{who.ID, two.Session.ID}, []any{user.ID, one.Session.ID})
	if two.Token == one.Token {
		t.Error("the token was not changed")
	}
	_, three, err := fx.Refresh(ctx, anonymous, two.Token)
	ok(t, err)
	_, err = fx.ActorByAccess(ctx, one.Session.ID, user.ID, one.Version)
	ok(t, err)

	_, _, err = fx.Refresh(ctx, anonymous, one.Token) // stolen, or sent twice
	wantKind(t, err, models.Unauthorized)
	_, _, err = fx.Refresh(ctx, anonymous, three.Token) // and so the newest is void too
	wantKind(t, err, models.Unauthorized)
	_, err = fx.ActorByAccess(ctx, one.Session.ID, user.ID, one.Version)
	wantKind(t, err, models.Unauthorized)
	_, _, err = fx.Refresh(ctx, anonymous, other.Token) // not another session
	ok(t, err)

	for _, wrong := range []string{"", "pr_nothing", page.Token} {
		_, _, err = fx.Refresh(ctx, anonymous, wrong)
		wantKind(t, err, models.Unauthorized)
	}
	_, err = fx.ActorByCookie(ctx, other.Token)
	wantKind(t, err, models.Unauthorized)
	_, err = fx.ActorByAccess(ctx, page.Session.ID, user.ID, page.Version)
	wantKind(t, err, models.Unauthorized)
	_, err = fx.ActorByAccess(ctx, other.Session.ID, user.ID+1, other.Version)
	wantKind(t, err, models.Unauthorized)
	_, err = fx.ActorByAccess(ctx, other.Session.ID, user.ID, other.Version+1)
	wantKind(t, err, models.Unauthorized)
}

func TestRefreshOnceAtATime(t *testing.T) {
	fx := modelstest.New(t)
	ada := fx.User(models.Reader, "ada")
	_, g, err := fx.SignIn(ctx, anonymous, models.SignInInput{Login: "ada", Password: modelstest.Password}, models.APISession)
	ok(t, err)
	errs := parallel(20, func(int) error { _, _, err := fx.Refresh(ctx, anonymous, g.Token); return err })
	equal(t, "refreshes", succeeded(errs), 1)
	_, err = fx.ActorByAccess(ctx, g.Session.ID, ada.UserID, g.Version)
	wantKind(t, err, models.Unauthorized)
}

func TestSessionsEndByTime(t *testing.T) {
	fx := modelstest.New(t)
	ada := fx.User(models.Reader, "ada")
	_, page, err := fx.SignIn(ctx, anonymous, models.SignInInput{Login: "ada", Password: modelstest.Password}, models.PageSession)
	ok(t, err)
	_, api, err := fx.SignIn(ctx, anonymous, models.SignInInput{Login: "ada", Password: modelstest.Password}, models.APISession)
	ok(t, err)
	for range 4 { // used, it lives on
		fx.Clock.Advance(models.SessionIdle - time.Second)
		_, err = fx.ActorByCookie(ctx, page.Token)
		ok(t, err)
	}
	_, api, err = fx.Refresh(ctx, anonymous, api.Token)
	ok(t, err)
	list, err := fx.Sessions(ctx, ada)
	ok(t, err)
	equal(t, "sessions that still open something", len(list), 2) // the fixture's own lay idle
	fx.Clock.Advance(models.SessionLife - 4*(models.SessionIdle-time.Second))
	_, err = fx.ActorByCookie(ctx, page.Token)
	wantKind(t, err, models.Unauthorized)
	_, _, err = fx.Refresh(ctx, anonymous, api.Token)
	wantKind(t, err, models.Unauthorized)

	_, page, err = fx.SignIn(ctx, anonymous, models.SignInInput{Login: "ada", Password: modelstest.Password}, models.PageSession)
	ok(t, err)
	fx.Clock.Advance(models.SessionIdle)
	_, err = fx.ActorByCookie(ctx, page.Token)
	wantKind(t, err, models.Unauthorized)
}

func TestSessionsListAndEnd(t *testing.T) {
	fx := modelstest.New(t)
	here := fx.User(models.Reader, "ada")
	fx.Clock.Advance(time.Second)
	there := fx.SignedIn("ada")
	stranger := fx.User(models.Reader, "eve")
	list, err := fx.Sessions(ctx, here)
	ok(t, err)
	if len(list) != 2 || list[0].ID != there.SessionID || list[1].ID != here.SessionID {
		t.Fatalf("sessions: %+v", list)
	}
	equal(t, "where from", []string{list[0].Network, list[0].UserAgent}, []string{modelstest.Network, "modelstest"})
	wantKind(t, fx.EndSession(ctx, stranger, there.SessionID), models.NotFound)
	wantKind(t, fx.EndSession(ctx, anonymous, there.SessionID), models.Unauthorized)
	ok(t, fx.EndSession(ctx, here, there.SessionID))
	wantKind(t, fx.EndSession(ctx, here, there.SessionID), models.NotFound)
	list, err = fx.Sessions(ctx, here)
	ok(t, err)
	equal(t, "sessions", len(list), 1)

	fx.SignedIn("ada")
	ok(t, fx.EndOtherSessions(ctx, here))
	list, err = fx.Sessions(ctx, here)
	if err != nil || len(list) != 1 || list[0].ID != here.SessionID {
		t.Errorf("sessions after ending the others: %+v, %v", list, err)
	}
	ok(t, fx.EndSession(ctx, here, "current"))
	list, err = fx.Sessions(ctx, here)
	if err != nil || len(list) != 0 {
		t.Errorf("sessions after signing out: %+v, %v", list, err)
	}
	_, err = fx.Sessions(ctx, anonymous)
	wantKind(t, err, models.Unauthorized)
}

// While nothing can be written, whoever is signed in still reads.
func TestSignedInWhileNothingCanBeWritten(t *testing.T) {
	fx := modelstest.New(t)
	fx.User(models.Reader, "ada")
	_, page, err := fx.SignIn(ctx, anonymous, models.SignInInput{Login: "ada", Password: modelstest.Password}, models.PageSession)
	ok(t, err)
	fx.Clock.Advance(2 * time.Hour) // so that its use is due to be recorded
	ok(t, fx.StopWriting())
	actor, err := fx.ActorByCookie(ctx, page.Token)
	if err != nil || actor.Username != "ada" {
		t.Errorf("%+v, %v", actor, err)
	}
}

func TestSweep(t *testing.T) {
	fx := modelstest.New(t)
	fx.User(models.Reader, "ada")
	wantKind(t, signIn(fx, "bad", "ada", "wrong"), models.Unauthorized)
	n, err := fx.Sweep(ctx)
	ok(t, err)
	equal(t, "removed at once", n, int64(0))
	fx.Clock.Advance(2*models.SessionLife + time.Second)
	fx.SignedIn("ada")
	if n, err = fx.Sweep(ctx); err != nil || n == 0 {
		t.Errorf("removed %d, %v", n, err)
	}
	equal(t, "sessions", rowsOf(t, fx, "sessions"), int64(1))
	equal(t, "tokens", rowsOf(t, fx, "session_tokens"), int64(1))
	equal(t, "attempts", rowsOf(t, fx, "login_attempts WHERE first_at < ?", models.At(fx.Clock.Now().Add(-models.SessionLife))), int64(0))
}
