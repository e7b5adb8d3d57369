package models

import (
	"context"
	"strings"
	"time"
)

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
	if filter.Role != "" && !filter.Role.IsRole() {
		return nil, "", &Error{Kind: Invalid, Message: "Please correct the role.", Fields: []FieldError{notIn("role", string(filter.Role), "reader", "author", "moderator", "admin")}}
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
