package models_test

import (
	"fmt"
	"testing"

	"postil/models"
	"postil/models/modelstest"
)

func setupInput(token, name string) models.SetupInput {
	return models.SetupInput{Token: token, RegisterInput: models.RegisterInput{Username: name, Email: name + "@example.org", Password: modelstest.Password}}
}

func TestSetup(t *testing.T) {
	fx := modelstest.New(t)
	wantKind(t, fx.CheckSetup(ctx, ""), models.NotFound)
	first, err := fx.SetupToken(ctx)
	ok(t, err)
	token, err := fx.SetupToken(ctx) // the next start prints a new one
	ok(t, err)
	wantKind(t, fx.CheckSetup(ctx, first), models.NotFound)
	wantKind(t, fx.CheckSetup(ctx, token+"x"), models.NotFound)
	ok(t, fx.CheckSetup(ctx, token))

	_, _, err = fx.Setup(ctx, anonymous, setupInput(first, "mallory"))
	wantKind(t, err, models.NotFound)
	weak := setupInput(token, "ada")
	weak.Password = "short"
	_, _, err = fx.Setup(ctx, anonymous, weak)
	wantKind(t, err, models.Invalid)
	ok(t, fx.CheckSetup(ctx, token)) // a mistake does not use it up

	user, grant, err := fx.Setup(ctx, anonymous, setupInput(token, "ada"))
	ok(t, err)
	equal(t, "role", user.Role, models.Admin)
	actor, err := fx.ActorByCookie(ctx, grant.Token)
	ok(t, err)
	ok(t, actor.CanAdminister())
	wantKind(t, fx.CheckSetup(ctx, token), models.NotFound)
	_, _, err = fx.Setup(ctx, anonymous, setupInput(token, "eve"))
	wantKind(t, err, models.NotFound)
	again, err := fx.SetupToken(ctx)
	if err != nil || again != "" {
		t.Errorf("a set-up token with an admin there: %q, %v", again, err)
	}
}

func TestSetupOnceAtATime(t *testing.T) {
	fx := modelstest.New(t)
	token, err := fx.SetupToken(ctx)
	ok(t, err)
	errs := parallel(20, func(i int) error {
		_, _, err := fx.Setup(ctx, anonymous, setupInput(token, fmt.Sprintf("admin%d", i)))
		return err
	})
	equal(t, "set-ups", succeeded(errs), 1)
	for _, err := range errs {
		if err != nil {
			wantKind(t, err, models.NotFound)
		}
	}
	equal(t, "admins", rowsOf(t, fx, "users"), int64(1))
}

// Whoever becomes an admin some other way closes the set-up.
func TestSetupClosesWithAnAdmin(t *testing.T) {
	for name, promote := range map[string]func(*modelstest.Fixture){
		"added": func(fx *modelstest.Fixture) { fx.User(models.Admin, "ada") },
		"promoted": func(fx *modelstest.Fixture) {
			fx.User(models.Reader, "ada")
			_, err := fx.SetRole(ctx, models.System(), "ada", models.Admin)
			fx.Must(err)
		},
	} {
		fx := modelstest.New(t)
		token, err := fx.SetupToken(ctx)
		ok(t, err)
		promote(fx)
		if err := fx.CheckSetup(ctx, token); models.KindOf(err) != models.NotFound || err == nil {
			t.Errorf("%s: the set-up link still works (%v)", name, err)
		}
	}
}

func TestLastAdminStays(t *testing.T) {
	fx := modelstest.New(t)
	ada := fx.User(models.Admin, "ada")
	_, err := fx.SetRole(ctx, ada, "ada", models.Reader)
	wantKind(t, err, models.Conflict)
	_, err = fx.Suspend(ctx, models.System(), "ada", models.SuspendInput{})
	wantKind(t, err, models.Conflict)
	_, err = fx.Suspend(ctx, ada, "ada", models.SuspendInput{})
	wantKind(t, err, models.Forbidden)
	_, err = fx.SetRole(ctx, ada, "ada", models.Admin)
	ok(t, err)

	eve := fx.User(models.Admin, "eve")
	_, err = fx.Suspend(ctx, ada, "eve", models.SuspendInput{Days: 1})
	ok(t, err)
	_, err = fx.SetRole(ctx, ada, "ada", models.Reader) // the other one is locked out
	wantKind(t, err, models.Conflict)
	_, err = fx.Unsuspend(ctx, ada, "eve")
	ok(t, err)

	errs := parallel(2, func(i int) error { // each removes the other
		actor, name := ada, "eve"
		if i == 1 {
			actor, name = eve, "ada"
		}
		_, err := fx.SetRole(ctx, actor, name, models.Reader)
		return err
	})
	equal(t, "removals", succeeded(errs), 1)
	equal(t, "admins left", rowsOf(t, fx, "users WHERE role = 'admin'"), int64(1))
	_, err = fx.SetRole(ctx, models.System(), "nobody", models.Admin)
	wantKind(t, err, models.NotFound)
	_, err = fx.SetRole(ctx, models.System(), "ada", "king")
	wantKind(t, err, models.Invalid)
	_, err = fx.Suspend(ctx, models.System(), "ada", models.SuspendInput{Days: -1})
	wantKind(t, err, models.Invalid)
}
