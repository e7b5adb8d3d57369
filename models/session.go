package models

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"time"

	"postil/auth"
)

// SessionKind is what a session is used with.
type SessionKind string

// A page session lives in a cookie and keeps its token; an API session answers
// with short access tokens and a refresh token that changes at every use.
const (
	PageSession SessionKind = "page"
	APISession  SessionKind = "api"
)

// How long sessions last, whether used or not, and how long a page session may
// lie unused.
const (
	SessionLife = 30 * 24 * time.Hour
	SessionIdle = 7 * 24 * time.Hour
	seenEvery   = time.Hour // how exactly the last use is recorded
)

// Session is one place where an account is signed in.
type Session struct {
	ID        string
	UserID    int64
	Kind      SessionKind
	UserAgent string
	Network   string
	CreatedAt Timestamp `gorm:"autoCreateTime:false"`
	SeenAt    Timestamp
	ExpiresAt Timestamp
	EndedAt   Timestamp
	EndReason string
}

type sessionToken struct {
	Hash      []byte `gorm:"primaryKey"`
	SessionID string
	CreatedAt Timestamp `gorm:"autoCreateTime:false"`
	UsedAt    Timestamp
}

// Grant is a session with the one token that opens it. The token is shown once
// and stored only as a hash.
type Grant struct {
	Session Session
	Version int64 // of the account, for access tokens
	Token   string
}

// SignInInput names an account by its user name or e-mail address.
type SignInInput struct{ Login, Password string }

// SignIn checks a password and opens a session. Guessing is slowed down per
// account and network, so a stranger's guesses do not keep the owner out.
func (s *Store) SignIn(ctx context.Context, actor Actor, in SignInInput, kind SessionKind) (User, Grant, error) {
	wrong := failf(Unauthorized, "The name or the password is wrong.")
	key := loginKey(in.Login)
	if len(in.Login) > 4*MaxEmail || len(in.Password) > 4*128 {
		return User{}, Grant{}, wrong
	}
	user, err := s.userByLogin(ctx, key)
	if err != nil && KindOf(err) != NotFound {
		return User{}, Grant{}, err
	}
	guess := newGuess(cmp.Or(user.UsernameKey, key), actor.Network)
	rehash, err := s.tryPassword(ctx, guess, user.PasswordHash, in.Password, wrong)
	if err != nil {
		return User{}, Grant{}, err
	}
	if user.IsSuspended(s.now()) {
		return User{}, Grant{}, suspended(user)
	}
	var better string
	if rehash {
		if better, err = s.cfg.Hasher.Hash(ctx, in.Password); err != nil {
			return User{}, Grant{}, err
		}
	}
	var grant Grant
	err = s.write(ctx, actor, func(t *tx) error {
		now, err := first[User](t.DB, "id = ?", user.ID)
		if err != nil {
			return err
		}
		if now.PasswordHash != user.PasswordHash || now.IsSuspended(t.now) {
			return wrong // it was changed while we checked
		}
		if better != "" {
			if err := t.Model(&now).Update("password_hash", better).Error; err != nil {
				return err
			}
		}
		if err := t.forgetFailures(guess); err != nil {
			return err
		}
		user = now
		grant, err = t.grant(now, kind)
		return err
	})
	return user, grant, err
}

func suspended(u User) error {
	text := "This account is suspended"
	if u.SuspendedUntil != forever {
		text += " until " + u.SuspendedUntil.Time().Format("2 January 2006, 15:04 UTC")
	}
	if u.SuspensionReason != "" {
		text += ": " + u.SuspensionReason
	}
	return failf(Forbidden, "%s.", text)
}

func (s *Store) userByLogin(ctx context.Context, key string) (User, error) {
	if key == "" {
		return User{}, errNotFound
	}
	return first[User](s.read(ctx), "((username_key = ? AND username_key <> '') OR (email_key = ? AND email_key <> '')) AND password_hash <> ''", key, key)
}

// grant opens a session for an account.
func (t *tx) grant(user User, kind SessionKind) (Grant, error) {
	session := Session{ID: auth.NewToken("ses_")[:26], UserID: user.ID, Kind: kind, UserAgent: t.actor.UserAgent, Network: coarse(t.actor.Network),
		CreatedAt: t.now, SeenAt: t.now, ExpiresAt: t.now.Add(SessionLife)}
	if err := t.Create(&session).Error; err != nil {
		return Grant{}, fmt.Errorf("open session: %w", err)
	}
	token, err := t.newToken(session.ID, kind)
	return Grant{Session: session, Version: user.Version, Token: token}, err
}

// coarse leaves out the last part of an IPv4 address: enough to recognise one's
// own sessions by, too little to name a household.
func coarse(network string) string {
	ip, err := netip.ParseAddr(network)
	if err != nil || !ip.Is4() {
		return network // an IPv6 network is shortened already
	}
	prefix, err := ip.Prefix(24)
	if err != nil {
		return ""
	}
	return prefix.String()
}

func (t *tx) newToken(sessionID string, kind SessionKind) (string, error) {
	prefix := "pr_"
	if kind == PageSession {
		prefix = "pp_"
	}
	token := auth.NewToken(prefix)
	return token, t.Create(&sessionToken{Hash: auth.HashToken(token), SessionID: sessionID, CreatedAt: t.now}).Error
}

// Refresh exchanges a refresh token for a new one. A token that was used
// before has been stolen or copied: its whole session ends.
func (s *Store) Refresh(ctx context.Context, actor Actor, token string) (User, Grant, error) {
	invalid := failf(Unauthorized, "This refresh token is not valid any more. Sign in again.")
	var user User
	var grant Grant
	reused := false
	err := s.write(ctx, actor, func(t *tx) error {
		row, err := first[sessionToken](t.DB, "hash = ?", auth.HashToken(token))
		if err != nil {
			return orUnauthorized(err, invalid)
		}
		session, err := first[Session](t.DB, "id = ?", row.SessionID)
		if err != nil {
			return err
		}
		if session.Kind != APISession || session.EndedAt != 0 || session.ExpiresAt <= t.now {
			return invalid
		}
		if row.UsedAt != 0 {
			reused = true
			return t.endSession(session.ID, "a used refresh token came back")
		}
		if user, err = first[User](t.DB, "id = ?", session.UserID); err != nil {
			return err
		}
		if err := t.Model(&sessionToken{}).Where("hash = ?", row.Hash).Update("used_at", t.now).Error; err != nil {
			return err
		}
		if err := t.Model(&Session{}).Where("id = ?", session.ID).Update("seen_at", t.now).Error; err != nil {
			return err
		}
		grant = Grant{Session: session, Version: user.Version}
		grant.Token, err = t.newToken(session.ID, APISession)
		return err
	})
	if err == nil && reused {
		err = invalid
	}
	return user, grant, err
}

func orUnauthorized(err error, unauthorized error) error {
	if KindOf(err) == NotFound {
		return unauthorized
	}
	return err
}

// sessionUser is a session with its account, in one row.
type sessionUser struct {
	SessionID      string
	Kind           SessionKind
	SeenAt         Timestamp
	ExpiresAt      Timestamp
	EndedAt        Timestamp
	UserID         int64
	Username       string
	DisplayName    string
	Role           Role
	Version        int64
	SuspendedUntil Timestamp
}

const selectSessionUser = `SELECT s.id AS session_id, s.kind, s.seen_at, s.expires_at, s.ended_at,
	u.id AS user_id, u.username, u.display_name, u.role, u.version, u.suspended_until
	FROM sessions s JOIN users u ON u.id = s.user_id `

// ActorByCookie finds who a page session's token belongs to. It is asked at
// every request, so that a changed role, password or suspension counts at once.
func (s *Store) ActorByCookie(ctx context.Context, token string) (Actor, error) {
	var rows []sessionUser
	err := s.read(ctx).Raw(selectSessionUser+"JOIN session_tokens t ON t.session_id = s.id WHERE t.hash = ? AND s.kind = 'page'", auth.HashToken(token)).Scan(&rows).Error
	if err != nil {
		return Actor{}, err
	}
	return s.actorOf(ctx, rows)
}

// ActorByAccess finds who an access token belongs to, and whether its session
// is still open.
func (s *Store) ActorByAccess(ctx context.Context, sessionID string, userID, version int64) (Actor, error) {
	var rows []sessionUser
	err := s.read(ctx).Raw(selectSessionUser+"WHERE s.id = ? AND u.id = ? AND u.version = ? AND s.kind = 'api'", sessionID, userID, version).Scan(&rows).Error
	if err != nil {
		return Actor{}, err
	}
	return s.actorOf(ctx, rows)
}

func (s *Store) actorOf(ctx context.Context, rows []sessionUser) (Actor, error) {
	now := s.now()
	if len(rows) == 0 || rows[0].EndedAt != 0 || rows[0].ExpiresAt <= now || rows[0].SuspendedUntil > now ||
		rows[0].Kind == PageSession && rows[0].SeenAt.Add(SessionIdle) <= now {
		return Actor{}, failf(Unauthorized, "This session has ended. Sign in again.")
	}
	r := rows[0]
	actor := Actor{UserID: r.UserID, Username: r.Username, DisplayName: r.DisplayName, Role: r.Role, SessionID: r.SessionID}
	if r.SeenAt.Add(seenEvery) > now {
		return actor, nil
	}
	// Reading goes on while nothing can be written.
	if err := s.write(ctx, actor, func(t *tx) error {
		return t.Model(&Session{}).Where("id = ?", r.SessionID).Update("seen_at", t.now).Error
	}); err != nil {
		s.cfg.Log.Warn("the use of a session was not recorded", "error", err)
	}
	return actor, nil
}

// Sessions lists where the actor is signed in, newest first.
func (s *Store) Sessions(ctx context.Context, actor Actor) ([]Session, error) {
	if !actor.IsSignedIn() {
		return nil, errSignIn
	}
	var sessions []Session
	now := s.now()
	err := s.read(ctx).Where("user_id = ? AND ended_at = 0 AND expires_at > ? AND (kind <> 'page' OR seen_at > ?)", actor.UserID, now, now.Add(-SessionIdle)).
		Order("created_at DESC, id").Limit(MaxPage).Find(&sessions).Error
	return sessions, err
}

// EndSession signs the actor out in one place; the id "current" is here.
func (s *Store) EndSession(ctx context.Context, actor Actor, id string) error {
	if !actor.IsSignedIn() {
		return errSignIn
	}
	if id == "current" {
		id = actor.SessionID
	}
	return s.write(ctx, actor, func(t *tx) error {
		session, err := first[Session](t.DB, "id = ? AND user_id = ? AND ended_at = 0", id, actor.UserID)
		if err != nil {
			return err
		}
		return t.endSession(session.ID, "signed out")
	})
}

// EndOtherSessions signs the actor out everywhere but here.
func (s *Store) EndOtherSessions(ctx context.Context, actor Actor) error {
	if !actor.IsSignedIn() {
		return errSignIn
	}
	return s.write(ctx, actor, func(t *tx) error { return t.endSessions(actor.UserID, actor.SessionID, "signed out elsewhere") })
}

func (t *tx) endSession(id, reason string) error {
	return t.Model(&Session{}).Where("id = ? AND ended_at = 0", id).Updates(map[string]any{"ended_at": t.now, "end_reason": reason}).Error
}

// endSessions ends an account's sessions, all but the one named.
func (t *tx) endSessions(userID int64, except, reason string) error {
	return t.Model(&Session{}).Where("user_id = ? AND id <> ? AND ended_at = 0", userID, except).
		Updates(map[string]any{"ended_at": t.now, "end_reason": reason}).Error
}

// Sweep removes sessions, tokens and attempts that nothing needs any more, a
// bounded number at a time. It returns how many rows went.
func (s *Store) Sweep(ctx context.Context) (int64, error) {
	var removed int64
	err := s.write(ctx, System(), func(t *tx) error {
		for sql, before := range map[string]Timestamp{
			"DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < ? LIMIT 500)":             t.now.Add(-SessionLife),
			"DELETE FROM login_attempts WHERE key IN (SELECT key FROM login_attempts WHERE first_at < ? LIMIT 500)": t.now.Add(-24 * time.Hour),
		} {
			result := t.Exec(sql, before)
			if result.Error != nil {
				return result.Error
			}
			removed += result.RowsAffected
		}
		return nil
	})
	return removed, err
}
