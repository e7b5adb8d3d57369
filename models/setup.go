package models

import (
	"context"
	"encoding/hex"
	"errors"

	"gorm.io/gorm"

	"postil/auth"
)

// SetupToken makes the one-time link by which the first admin is made. It
// returns "" when there is an admin already.
func (s *Store) SetupToken(ctx context.Context) (string, error) {
	token := ""
	err := s.write(ctx, System(), func(t *tx) error {
		if err := t.anotherAdmin(0); KindOf(err) != Conflict {
			return err
		}
		token = auth.NewToken("setup_")
		return setSetting(t.DB, settingSetupHash, hex.EncodeToString(auth.HashToken(token)))
	})
	return token, err
}

// SetupInput makes the first admin with the token from the terminal.
type SetupInput struct {
	RegisterInput
	Token string
}

var errSetupClosed = failf(NotFound, "This set-up link is used up or was replaced. The server prints a new one when it starts and there is no admin yet; or run: postil user add NAME --role admin")

// CheckSetup tells whether a set-up token would work.
func (s *Store) CheckSetup(ctx context.Context, token string) error {
	return checkSetup(s.read(ctx), token)
}

func checkSetup(db *gorm.DB, token string) error {
	hash, err := setting(db, settingSetupHash)
	if err != nil {
		return err
	}
	if hash == "" || hash != hex.EncodeToString(auth.HashToken(token)) {
		return errSetupClosed
	}
	return nil
}

// Setup makes the first admin, once, and signs him in.
func (s *Store) Setup(ctx context.Context, actor Actor, in SetupInput) (User, Grant, error) {
	if err := s.CheckSetup(ctx, in.Token); err != nil {
		return User{}, Grant{}, err
	}
	user, err := s.newUser(ctx, in.RegisterInput, Admin, true)
	if err != nil {
		return User{}, Grant{}, err
	}
	var grant Grant
	err = s.write(ctx, actor, func(t *tx) error {
		if err := checkSetup(t.DB, in.Token); err != nil {
			return err
		}
		if err := setSetting(t.DB, settingSetupHash, ""); err != nil {
			return err
		}
		if err := t.insertUser(&user); err != nil {
			return err
		}
		grant, err = t.grant(user, PageSession)
		return err
	})
	if errors.Is(err, errSetupClosed) {
		return User{}, Grant{}, errSetupClosed
	}
	return user, grant, err
}
