package auth

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
)

const (
	secretBytes = 32

	// maxKeys is how many keys are kept: the one that signs and three older
	// ones. Access tokens live minutes, but a signed link in a mail should
	// survive a rotation or two.
	maxKeys = 4
)

// Keys is the server's key ring: one key signs, and older ones still verify, so
// that a rotation logs nobody out. It is immutable; [Keys.Rotate] returns
// another ring. The zero Keys signs nothing and verifies nothing.
type Keys struct {
	list []key // the first one signs
}

// A key is 32 random bytes and the name by which a token refers to them.
type key struct {
	id     string // "kid"
	secret []byte
	access []byte // derived from secret, signs access tokens
}

// NewKeys makes a ring with one fresh key.
func NewKeys() (Keys, error) {
	return Keys{}.grow()
}

// Rotate returns a ring that signs with a fresh key and still verifies with the
// newest three of the others. Save it and restart, or hand it to whoever signs.
//
// After a leak rotation alone is not enough, because the old key still
// verifies: delete the key file instead, which ends every access token and
// every signed link at once.
func (k Keys) Rotate() Keys {
	rotated, err := k.grow()
	if err != nil {
		panic("auth: " + err.Error()) // HKDF fails only for absurd lengths
	}
	return rotated
}

func (k Keys) grow() (Keys, error) {
	fresh, err := newKey(randomText(9), randomBytes(secretBytes))
	if err != nil {
		return Keys{}, fmt.Errorf("new key: %w", err)
	}
	list := append([]key{fresh}, k.list...)
	return Keys{list: list[:min(len(list), maxKeys)]}, nil
}

// newKey derives the key for access tokens from the secret. Each use has a
// derived key of its own, so that a signature made for one can never be
// presented as another.
func newKey(id string, secret []byte) (key, error) {
	access, err := hkdf.Expand(sha256.New, secret, "postil access token", sha256.Size)
	if err != nil {
		return key{}, err
	}
	return key{id: id, secret: secret, access: access}, nil
}

// find returns the key with the given id. Ids are compared and never used as a
// path, a query or anything else.
func (k Keys) find(id string) (key, bool) {
	for _, candidate := range k.list {
		if candidate.id == id {
			return candidate, true
		}
	}
	return key{}, false
}

// Sign returns an authentication code for data: 43 base64url characters
// (HMAC-SHA256) that nobody without the keys can make. Use it for links that
// must work without an account or a table, such as "unsubscribe".
//
// The purpose separates the uses: a code made for "unsubscribe" proves nothing
// for "confirm". Data must be unambiguous: "1"+"23" and "12"+"3" are the same
// bytes, so put a separator between fields, and put the expiry in if there is
// one. It returns "" for the zero Keys.
func (k Keys) Sign(purpose string, data []byte) string {
	if len(k.list) == 0 {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(k.list[0].mac(purpose, data))
}

// Verify reports whether mac is what [Keys.Sign] returned for this purpose and
// data under any key of the ring. It takes the same time whatever mac is.
func (k Keys) Verify(purpose, mac string, data []byte) bool {
	ok := false
	for _, candidate := range k.list {
		want := base64.RawURLEncoding.EncodeToString(candidate.mac(purpose, data))
		if hmac.Equal([]byte(want), []byte(mac)) {
			ok = true
		}
	}
	return ok
}

func (k key) mac(purpose string, data []byte) []byte {
	derived, err := hkdf.Expand(sha256.New, k.secret, "postil signature for "+purpose, sha256.Size)
	if err != nil {
		panic("auth: " + err.Error()) // HKDF fails only for absurd lengths
	}
	h := hmac.New(sha256.New, derived)
	h.Write(data)
	return h.Sum(nil)
}

// String names the ring by its signing key's id and size, so that printing or
// logging a Keys by mistake shows no secret.
func (k Keys) String() string {
	if len(k.list) == 0 {
		return "auth.Keys(none)"
	}
	return fmt.Sprintf("auth.Keys(%s and %d older)", k.list[0].id, len(k.list)-1)
}

// Format prints what String returns whatever the verb, for %d or %#v would
// otherwise walk through the fields.
func (k Keys) Format(f fmt.State, _ rune) { io.WriteString(f, k.String()) }
