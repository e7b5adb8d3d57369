package models

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"postil/auth"
)

// User is an account, or the name of an imported author whom nobody has
// claimed yet: then Username is empty and nobody can sign in with it.
type User struct {
	ID               int64
	Username         string
	UsernameKey      string
	Email            string
	EmailKey         string
	DisplayName      string
	Bio              string
	PasswordHash     string
	Role             Role
	Version          int64
	SuspendedUntil   Timestamp
	SuspensionReason string
	ApprovedCount    int64
	RejectedCount    int64
	CreatedAt        Timestamp `gorm:"autoCreateTime:false"`
}

// IsSuspended tells whether the account may not be used at the moment.
func (u *User) IsSuspended(now Timestamp) bool { return u.SuspendedUntil > now }

// RegisterInput makes an account.
type RegisterInput struct{ Username, Email, Password string }

// Register makes a reader's account and signs it in.
func (s *Store) Register(ctx context.Context, actor Actor, in RegisterInput, kind SessionKind) (User, Grant, error) {
	user, err := s.newUser(ctx, in, Reader, true)
	if err != nil {
		return User{}, Grant{}, err
	}
	var grant Grant
	err = s.write(ctx, actor, func(t *tx) error {
		if err := t.insertUser(&user); err != nil {
			return err
		}
		grant, err = t.grant(user, kind)
		return err
	})
	return user, grant, err
}

// newUser validates an account and hashes its password.
func (s *Store) newUser(ctx context.Context, in RegisterInput, role Role, withEmail bool) (User, error) {
	var p problems
	user := User{Role: role, Version: 1}
	user.Username, user.UsernameKey = username(&p, in.Username)
	if withEmail {
		user.Email, user.EmailKey = email(&p, in.Email)
	}
	user.DisplayName = user.Username
	checkPassword(&p, "password", in.Password, user)
	if err := p.err(); err != nil {
		return User{}, err
	}
	hash, err := s.cfg.Hasher.Hash(ctx, in.Password)
	user.PasswordHash = hash
	return user, err
}

func checkPassword(p *problems, field, password string, user User) {
	local, _, _ := strings.Cut(user.Email, "@")
	err := auth.CheckPassword(password, user.Username, local, "postil")
	var weak *auth.WeakError
	switch {
	case errors.As(err, &weak):
		p.add(field, "%s", weak.Message)
	case err != nil:
		p.add(field, "%s", err.Error())
	}
}

func (t *tx) insertUser(user *User) error {
	user.CreatedAt = t.now
	var p problems
	for _, taken := range []struct{ field, column, key string }{{"username", "username_key", user.UsernameKey}, {"email", "email_key", user.EmailKey}} {
		var n int64
		if err := t.Raw("SELECT count(*) FROM users WHERE "+taken.column+" = ? AND "+taken.column+" <> ''", taken.key).Scan(&n).Error; err != nil {
			return err
		}
		if n > 0 {
			p.add(taken.field, "is taken; choose another or sign in")
		}
	}
	if err := p.err(); err != nil {
		var e *Error
		errors.As(err, &e)
		e.Kind = Conflict
		return err
	}
	if err := t.Create(user).Error; err != nil {
		return fmt.Errorf("insert user: %w", err)
	}
	return t.emit(Event{Kind: "user.registered", UserID: &user.ID})
}

// FindUser loads an account by its user name, for whoever asks: what of it may
// be shown is up to the view.
func (s *Store) FindUser(ctx context.Context, name string) (User, error) {
	return findUser(s.read(ctx), name)
}

func findUser(db *gorm.DB, name string) (User, error) {
	key := loginKey(name)
	if key == "" {
		return User{}, errNotFound
	}
	return first[User](db, "username_key = ? AND username_key <> ''", key)
}

// Me loads the actor's own account.
func (s *Store) Me(ctx context.Context, actor Actor) (User, error) {
	if !actor.IsSignedIn() {
		return User{}, errSignIn
	}
	return first[User](s.read(ctx), "id = ?", actor.UserID)
}

// ProfileInput changes the actor's own account; nil leaves a field as it is.
// E-mail and password need the present password.
type ProfileInput struct {
	DisplayName     *string
	Bio             *string
	Email           *string
	NewPassword     *string
	CurrentPassword string
}

// UpdateMe changes the actor's own account. A new password ends every other
// session.
func (s *Store) UpdateMe(ctx context.Context, actor Actor, in ProfileInput) (User, error) {
	me, err := s.Me(ctx, actor)
	if err != nil {
		return User{}, err
	}
	change, err := s.profileChange(ctx, actor, me, in)
	if err != nil {
		return User{}, err
	}
	var user User
	err = s.write(ctx, actor, func(t *tx) error {
		if key, ok := change["email_key"].(string); ok {
			var n int64
			if err := t.Raw("SELECT count(*) FROM users WHERE email_key = ? AND email_key <> '' AND id <> ?", key, me.ID).Scan(&n).Error; err != nil {
				return err
			}
			if n > 0 {
				return &Error{Kind: Conflict, Message: "Please correct the field below.", Fields: []FieldError{{"email", "is used by another account"}}}
			}
		}
		if len(change) > 0 {
			if err := t.Model(&User{}).Where("id = ?", me.ID).Updates(change).Error; err != nil {
				return err
			}
		}
		if in.DisplayName != nil {
			if err := t.touchThreadsOf(me.ID); err != nil {
				return err
			}
		}
		if in.NewPassword != nil {
			if err := t.endSessions(me.ID, actor.SessionID, "password changed"); err != nil {
				return err
			}
			if err := t.emit(Event{Kind: "user.password", UserID: &me.ID}); err != nil {
				return err
			}
		}
		user, err = first[User](t.DB, "id = ?", me.ID)
		return err
	})
	return user, err
}

// profileChange validates a change and gives the columns it sets.
func (s *Store) profileChange(ctx context.Context, actor Actor, me User, in ProfileInput) (map[string]any, error) {
	var p problems
	change := map[string]any{}
	if in.DisplayName != nil {
		change["display_name"] = line(&p, "display_name", *in.DisplayName, 1, MaxDisplayName)
	}
	if in.Bio != nil {
		change["bio"] = prose(&p, "bio", *in.Bio, 0, MaxBio)
	}
	if in.Email != nil && *in.Email != me.Email {
		change["email"], change["email_key"] = email(&p, *in.Email)
	}
	if in.NewPassword != nil {
		checkPassword(&p, "new_password", *in.NewPassword, me)
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	if _, changesEmail := change["email"]; changesEmail || in.NewPassword != nil {
		if err := s.confirmPassword(ctx, actor, me, in.CurrentPassword); err != nil {
			return nil, err
		}
	}
	if in.NewPassword != nil {
		hash, err := s.cfg.Hasher.Hash(ctx, *in.NewPassword)
		if err != nil {
			return nil, err
		}
		change["password_hash"] = hash
	}
	return change, nil
}

// confirmPassword asks for the present password again, with the same brake on
// guessing as a login.
func (s *Store) confirmPassword(ctx context.Context, actor Actor, me User, password string) error {
	guess := newGuess(me.UsernameKey, actor.Network)
	wrong := &Error{Kind: Invalid, Message: "Please correct the field below.", Fields: []FieldError{{"current_password", "is not your present password"}}}
	if _, err := s.tryPassword(ctx, guess, me.PasswordHash, password, wrong); err != nil {
		return err
	}
	return s.write(ctx, actor, func(t *tx) error { return t.forgetFailures(guess) })
}

// usersByID loads the accounts with these ids.
func usersByID(db *gorm.DB, ids []int64) (map[int64]User, error) {
	byID := make(map[int64]User, len(ids))
	if len(ids) == 0 {
		return byID, nil
	}
	var users []User
	if err := db.Select("id, username, display_name, role").Where("id IN ?", ids).Find(&users).Error; err != nil {
		return nil, fmt.Errorf("load users: %w", err)
	}
	for _, u := range users {
		byID[u.ID] = u
	}
	return byID, nil
}
