package auth

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// maxToken bounds an access token, in bytes, before anything looks inside.
	// Ours are about 400.
	maxToken = 4096

	// accessType is the "typ" header of RFC 9068. It keeps any other JWT signed
	// with the same key from passing as an access token.
	accessType = "at+jwt"

	// clockLeeway is how far in the future a token may have been issued: the
	// clocks of two servers differ a little.
	clockLeeway = 5 * time.Second
)

var (
	// ErrToken is every reason to refuse an access token. There is one error
	// for all, because a forger must not learn how far he came.
	ErrToken = errors.New("access token is not valid")

	// ErrExpired is the [ErrToken] of a genuine token whose time is over: the
	// client should refresh it rather than log in again.
	ErrExpired = fmt.Errorf("%w: expired", ErrToken)
)

// Claims is what an access token says: who asks, in which session, and for how
// long to believe it. It says nothing about rights, which may change within
// the token's life and are looked up.
type Claims struct {
	UserID    int64     // > 0
	SessionID string    // names the session, so that ending it ends the token
	Version   int64     // of the account's credentials; a password change raises it
	IssuedAt  time.Time // whole seconds
	ExpiresAt time.Time // whole seconds
}

// Tokens issues and reads access tokens: short-lived JWTs, signed with
// HMAC-SHA256. The server is both their issuer and their only reader, so it
// accepts only what it would have written itself. All fields are required; a
// Tokens that lacks one issues nothing and accepts nothing.
type Tokens struct {
	Keys     Keys
	Issuer   string        // "iss", the server's public URL
	Audience string        // "aud", what the token is for
	TTL      time.Duration // the longest life of a token, at least 1 s
}

// payload is the middle part of the JWT.
type payload struct {
	jwt.RegisteredClaims
	SessionID string `json:"sid"`
	Version   int64  `json:"ver"`
}

// Issue signs an access token with the newest key. c.IssuedAt is the current
// time; a zero c.ExpiresAt means TTL after that. Times are cut to whole
// seconds. It fails only when the caller errs: a field is missing, or the life
// is longer than TTL.
func (t Tokens) Issue(c Claims) (string, error) {
	if c.ExpiresAt.IsZero() && !c.IssuedAt.IsZero() {
		c.ExpiresAt = c.IssuedAt.Truncate(time.Second).Add(t.TTL)
	}
	if err := t.check(c); err != nil {
		return "", fmt.Errorf("issue access token: %w", err)
	}
	token, err := sign(t.Keys.list[0], payload{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    t.Issuer,
			Subject:   strconv.FormatInt(c.UserID, 10),
			Audience:  jwt.ClaimStrings{t.Audience},
			ExpiresAt: jwt.NewNumericDate(c.ExpiresAt),
			IssuedAt:  jwt.NewNumericDate(c.IssuedAt),
			ID:        randomText(16),
		},
		SessionID: c.SessionID,
		Version:   c.Version,
	})
	if err != nil {
		return "", fmt.Errorf("issue access token: %w", err)
	}
	if len(token) > maxToken {
		return "", errors.New("issue access token: too long; are issuer and session id short?")
	}
	return token, nil
}

// check is the rule both sides keep: Issue before signing, Parse after.
func (t Tokens) check(c Claims) error {
	life := c.ExpiresAt.Truncate(time.Second).Sub(c.IssuedAt.Truncate(time.Second))
	switch {
	case len(t.Keys.list) == 0 || t.Issuer == "" || t.Audience == "":
		return errors.New("keys, issuer and audience must be set")
	case c.UserID <= 0:
		return errors.New("user id must be positive")
	case c.SessionID == "" || !utf8.ValidString(c.SessionID):
		return errors.New("session id must be text and not empty")
	case c.IssuedAt.IsZero():
		return errors.New("time of issue must be set")
	case life < time.Second || life > t.TTL:
		return errors.New("life must be at least a second and at most TTL")
	}
	return nil
}

// Parse reads an access token at the time now. It returns [ErrExpired] for a
// genuine token past its time and [ErrToken] for everything else it refuses;
// ErrExpired is an ErrToken too.
//
// HS256 is the only algorithm, keys come from the ring by exact id, and headers
// that bring their own key are refused. On top of the usual checks the content
// is signed again and must give the very same text. So there is one spelling
// per token: no reordered or repeated members, no numbers as text, no unknown
// claims or headers, no stray line breaks, and nothing for two JSON readers to
// disagree about.
func (t Tokens) Parse(token string, now time.Time) (Claims, error) {
	if len(token) > maxToken {
		return Claims{}, ErrToken
	}
	var p payload
	var signer key
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithStrictDecoding(),
		jwt.WithoutClaimsValidation(), // all claims are checked below
	)
	_, err := parser.ParseWithClaims(token, &p, func(unverified *jwt.Token) (any, error) {
		id, _ := unverified.Header["kid"].(string)
		found, ok := t.Keys.find(id)
		if !ok {
			return nil, ErrToken
		}
		signer = found
		return signer.access, nil
	})
	if err != nil {
		return Claims{}, ErrToken
	}
	again, err := sign(signer, p)
	if err != nil || subtle.ConstantTimeCompare([]byte(again), []byte(token)) != 1 {
		return Claims{}, ErrToken
	}
	return t.accept(p, now)
}

// accept judges the claims of a payload whose signature and spelling are good.
// Expiry comes last, so that only an otherwise valid token is called expired.
func (t Tokens) accept(p payload, now time.Time) (Claims, error) {
	if p.Issuer != t.Issuer || len(p.Audience) != 1 || p.Audience[0] != t.Audience {
		return Claims{}, ErrToken
	}
	if p.ID == "" || p.NotBefore != nil || p.IssuedAt == nil || p.ExpiresAt == nil {
		return Claims{}, ErrToken
	}
	user, err := strconv.ParseInt(p.Subject, 10, 64)
	if err != nil || strconv.FormatInt(user, 10) != p.Subject {
		return Claims{}, ErrToken // "+7" and "007" are not how we write 7
	}
	c := Claims{
		UserID:    user,
		SessionID: p.SessionID,
		Version:   p.Version,
		IssuedAt:  p.IssuedAt.UTC(),
		ExpiresAt: p.ExpiresAt.UTC(),
	}
	if t.check(c) != nil || c.IssuedAt.After(now.Add(clockLeeway)) {
		return Claims{}, ErrToken
	}
	if !now.Before(c.ExpiresAt) {
		return Claims{}, ErrExpired
	}
	return c, nil
}

// sign writes a payload as a JWT. JSON members come out in a fixed order, so
// the same payload and key always give the same token.
func sign(k key, p payload) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, p)
	token.Header["typ"] = accessType
	token.Header["kid"] = k.id
	return token.SignedString(k.access)
}
