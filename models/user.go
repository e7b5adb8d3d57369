package models

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

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

// AddUserInput makes an account with a role. Email may be empty.
type AddUserInput struct {
	RegisterInput
	DisplayName string
	Role        Role
}

// AddUser makes an account with any role, for admins.
func (s *Store) AddUser(ctx context.Context, actor Actor, in AddUserInput) (User, error) {
	if err := actor.CanAdminister(); err != nil {
		return User{}, err
	}
	if !in.Role.IsRole() {
		return User{}, &Error{Kind: Invalid, Message: "Please correct the role.", Fields: []FieldError{notIn("role", string(in.Role), "reader", "author", "moderator", "admin")}}
	}
	user, err := s.newUser(ctx, in.RegisterInput, in.Role, in.Email != "")
	if err != nil {
		return User{}, err
	}
	if in.DisplayName != "" {
		var p problems
		user.DisplayName = line(&p, "display_name", in.DisplayName, 1, MaxDisplayName)
		if err := p.err(); err != nil {
			return User{}, err
		}
	}
	err = s.write(ctx, actor, func(t *tx) error {
		if err := t.insertUser(&user); err != nil {
			return err
		}
		if user.Role == Admin {
			return setSetting(t.DB, settingSetupHash, "") // somebody has the keys now
		}
		return nil
	})
	return user, err
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
	keys := attemptKeys(me.UsernameKey, actor.Network)
	if err := s.reserveAttempt(ctx, keys); err != nil {
		return err
	}
	ok, _, err := s.cfg.Hasher.Verify(ctx, me.PasswordHash, password)
	if err != nil {
		return err
	}
	if !ok {
		return &Error{Kind: Invalid, Message: "Please correct the field below.", Fields: []FieldError{{"current_password", "is not your present password"}}}
	}
	return s.write(ctx, actor, func(t *tx) error { return t.clearAttempts(keys) })
}

// SetRole changes an account's role. The last admin stays one.
func (s *Store) SetRole(ctx context.Context, actor Actor, name string, role Role) (User, error) {
	if !role.IsRole() {
		return User{}, &Error{Kind: Invalid, Message: "Please correct the role.", Fields: []FieldError{notIn("role", string(role), "reader", "author", "moderator", "admin")}}
	}
	return s.changeAccount(ctx, actor, name, func(t *tx, user *User) error {
		if user.Role == Admin && role != Admin {
			if err := t.anotherAdmin(user.ID); err != nil {
				return err
			}
		}
		user.Role = role
		if role == Admin {
			if err := setSetting(t.DB, settingSetupHash, ""); err != nil {
				return err
			}
		}
		if err := t.Model(user).Update("role", role).Error; err != nil {
			return err
		}
		if err := t.touchThreadsOf(user.ID); err != nil {
			return err
		}
		return t.emit(Event{Kind: "user.role", UserID: &user.ID})
	})
}

// SuspendInput takes an account out of use. Days 0 means for good.
type SuspendInput struct {
	Days   int
	Reason string
}

// Suspend ends an account's sessions and keeps it from signing in until the
// suspension ends.
func (s *Store) Suspend(ctx context.Context, actor Actor, name string, in SuspendInput) (User, error) {
	var p problems
	in.Reason = line(&p, "reason", in.Reason, 0, MaxReason)
	if in.Days < 0 || in.Days > 3650 {
		p.add("days", "must be between 0 (for good) and 3650")
	}
	if err := p.err(); err != nil {
		return User{}, err
	}
	return s.changeAccount(ctx, actor, name, func(t *tx, user *User) error {
		if user.ID == actor.UserID {
			return failf(Forbidden, "You cannot suspend your own account.")
		}
		if user.Role == Admin {
			if err := t.anotherAdmin(user.ID); err != nil {
				return err
			}
		}
		user.SuspendedUntil, user.SuspensionReason = forever, in.Reason
		if in.Days > 0 {
			user.SuspendedUntil = t.now.Add(time.Duration(in.Days) * 24 * time.Hour)
		}
		if err := t.Model(user).Updates(map[string]any{"suspended_until": user.SuspendedUntil, "suspension_reason": in.Reason}).Error; err != nil {
			return err
		}
		if err := t.endSessions(user.ID, "", "suspended"); err != nil {
			return err
		}
		return t.emit(Event{Kind: "user.suspended", UserID: &user.ID})
	})
}

// Unsuspend lets an account be used again.
func (s *Store) Unsuspend(ctx context.Context, actor Actor, name string) (User, error) {
	return s.changeAccount(ctx, actor, name, func(t *tx, user *User) error {
		user.SuspendedUntil, user.SuspensionReason = 0, ""
		if err := t.Model(user).Updates(map[string]any{"suspended_until": 0, "suspension_reason": ""}).Error; err != nil {
			return err
		}
		return t.emit(Event{Kind: "user.unsuspended", UserID: &user.ID})
	})
}

// SetPassword gives an account a new password and ends its sessions, for admins.
func (s *Store) SetPassword(ctx context.Context, actor Actor, name, password string) (User, error) {
	if err := actor.CanAdminister(); err != nil {
		return User{}, err
	}
	user, err := s.FindUser(ctx, name)
	if err != nil {
		return User{}, noSuchUser(name, err)
	}
	var p problems
	checkPassword(&p, "password", password, user)
	if err := p.err(); err != nil {
		return User{}, err
	}
	hash, err := s.cfg.Hasher.Hash(ctx, password)
	if err != nil {
		return User{}, err
	}
	return s.changeAccount(ctx, actor, name, func(t *tx, user *User) error {
		if err := t.Model(user).Update("password_hash", hash).Error; err != nil {
			return err
		}
		if err := t.endSessions(user.ID, "", "password changed"); err != nil {
			return err
		}
		return t.emit(Event{Kind: "user.password", UserID: &user.ID})
	})
}

// changeAccount is what the admins' changes to an account have in common.
func (s *Store) changeAccount(ctx context.Context, actor Actor, name string, change func(*tx, *User) error) (User, error) {
	if err := actor.CanAdminister(); err != nil {
		return User{}, err
	}
	var user User
	err := s.write(ctx, actor, func(t *tx) (err error) {
		if user, err = findUser(t.DB, name); err != nil {
			return noSuchUser(name, err)
		}
		return change(t, &user)
	})
	return user, err
}

func noSuchUser(name string, err error) error {
	if KindOf(err) == NotFound {
		return failf(NotFound, "There is no account named %q.", name)
	}
	return err
}

// anotherAdmin refuses what would leave nobody with the keys.
func (t *tx) anotherAdmin(except int64) error {
	var n int64
	err := t.Raw("SELECT count(*) FROM users WHERE role = ? AND id <> ? AND suspended_until <= ? AND password_hash <> ''", Admin, except, t.now).Scan(&n).Error
	if err != nil {
		return err
	}
	if n == 0 {
		return failf(Conflict, "This is the last admin. Make another account an admin first.")
	}
	return nil
}

// touchThreadsOf raises the version of every thread an account speaks in or
// wrote the article of, since its name or role is shown there.
func (t *tx) touchThreadsOf(userID int64) error {
	return t.Exec("UPDATE threads SET version = version + 1 WHERE id IN (SELECT thread_id FROM comments WHERE author_id = ? UNION ALL SELECT thread_id FROM articles WHERE author_id = ? AND state <> 'deleted')", userID, userID).Error
}

// UserFilter chooses accounts for the admins' table.
type UserFilter struct {
	Query string // part of a name or an e-mail address
	Role  Role   // "" for every role
}

// Users lists accounts, newest first, for admins.
func (s *Store) Users(ctx context.Context, actor Actor, filter UserFilter, page Page) ([]User, string, error) {
	if err := actor.CanAdminister(); err != nil {
		return nil, "", err
	}
	after, err := decodeCursor(page.Cursor, "users", 1)
	if err != nil {
		return nil, "", err
	}
	limit := pageSize(page.Limit)
	query := s.read(ctx).Where("username_key <> ''").Order("id DESC").Limit(limit + 1)
	if after != nil {
		query = query.Where("id < ?", after[0])
	}
	if filter.Role != "" {
		query = query.Where("role = ?", filter.Role)
	}
	if q := strings.ToLower(strings.TrimSpace(filter.Query)); q != "" {
		pattern := "%" + strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(q) + "%"
		query = query.Where(`(username_key LIKE ? ESCAPE '\' OR email_key LIKE ? ESCAPE '\' OR lower(display_name) LIKE ? ESCAPE '\')`, pattern, pattern, pattern)
	}
	var users []User
	if err := query.Find(&users).Error; err != nil {
		return nil, "", err
	}
	users, next := cut(users, limit, func(u User) string { return encodeCursor("users", u.ID) })
	return users, next, nil
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
