package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// NewToken makes an opaque secret for a session cookie, a refresh token, an
// API token or a mailed link: 256 random bits as 43 base64url characters, after
// the given prefix.
//
// The prefix is taken as it stands ("pst_" gives "pst_9JX…"). It adds no
// security; it lets people and secret scanners recognise a leaked token for
// what it is. Give the token to its owner once, and store only [HashToken].
func NewToken(prefix string) string {
	return prefix + randomText(32)
}

// HashToken returns the 32 bytes by which the database knows a token, so that
// a stolen database holds nothing one could log in with.
//
// A plain SHA-256 is enough here, unlike for passwords: no one can guess 256
// random bits, so there is nothing that a slow hash would slow down. Look the
// token up by this value; the database's comparison need not take constant
// time because an attacker cannot steer a hash byte by byte.
func HashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// randomText returns n random bytes in base64url without padding.
func randomText(n int) string {
	return base64.RawURLEncoding.EncodeToString(randomBytes(n))
}

// randomBytes cannot fail: since Go 1.24 crypto/rand ends the program rather
// than return bytes that are not random.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
