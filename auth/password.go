package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

const (
	saltBytes = 16
	hashBytes = 32

	// maxInput bounds the bytes of a password that are worth hashing. It is far
	// above what [CheckPassword] lets in (128 code points), so no real
	// password is cut or refused by it.
	maxInput = 4096
)

// cost is what one argon2id computation takes.
type cost struct {
	memory  uint32 // KiB
	time    uint32 // passes over the memory
	threads uint8
}

// The first of these is the smallest setting that OWASP recommends for
// argon2id; the second is for tests.
var (
	standardCost = cost{memory: 19 * 1024, time: 2, threads: 1}
	testCost     = cost{memory: 64, time: 1, threads: 1}
)

// A Hasher hashes and verifies passwords with argon2id.
//
// Every hash takes 19 MiB of memory and a few hundredths of a second, which is
// the point: it makes guessing dear. It also means that a flood of logins could
// exhaust the machine, so a Hasher works on only so many at a time and lets the
// others wait. Share one Hasher per process; it is safe for concurrent use.
type Hasher struct {
	cost  cost
	slots chan struct{}
	dummy digest
}

// NewHasher makes a Hasher that works on at most parallel passwords at once.
// With parallel <= 0 it is twice the number of processors Go uses.
func NewHasher(parallel int) *Hasher {
	return newHasher(parallel, standardCost)
}

// NewTestHasher makes a Hasher for tests: the same format and rules, at a cost
// so low that its hashes protect nobody. Never use it for real accounts. Its
// hashes verify with a real Hasher, which then asks for a rehash.
func NewTestHasher() *Hasher {
	return newHasher(0, testCost)
}

func newHasher(parallel int, c cost) *Hasher {
	if parallel <= 0 {
		parallel = 2 * runtime.GOMAXPROCS(0)
	}
	dummy := digest{cost: c, salt: randomBytes(saltBytes), hash: randomBytes(hashBytes)}
	return &Hasher{cost: c, slots: make(chan struct{}, parallel), dummy: dummy}
}

// Hash returns the text to store for a password, in the PHC format
// "$argon2id$v=19$m=19456,t=2,p=1$salt$hash". The salt is new each time, so
// two people with one password have different hashes.
//
// The password is brought to Unicode form NFC first: "é" may arrive as one code
// point or as two, depending on the keyboard, and must be the same password.
// Beyond that every character counts, to the last of a long passphrase.
//
// Hash does not judge the password; that is [CheckPassword]. It fails with the
// error of ctx when that ends before its turn has come, and on input of more
// than 4 KiB.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if len(password) > maxInput {
		return "", fmt.Errorf("hash password: longer than %d bytes", maxInput)
	}
	d := digest{cost: h.cost, salt: randomBytes(saltBytes)}
	hash, err := h.compute(ctx, d, password)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	d.hash = hash
	return d.String(), nil
}

// Verify reports whether password is the one behind the stored hash phc, and
// whether that hash should be replaced by a fresh [Hasher.Hash] because it was
// made at a lower cost than today's. It asks for a rehash only when ok, for
// only then is the password known.
//
// With phc == "" — no such account, or one without a password — it does the
// same work for a hash that nothing matches, so that the time it takes does not
// tell whether an account exists. An error means that the stored hash is
// unreadable or that ctx ended; a wrong password is no error.
func (h *Hasher) Verify(ctx context.Context, phc, password string) (ok, rehash bool, err error) {
	d := h.dummy
	if phc != "" {
		d, err = parseDigest(phc)
		if err != nil {
			return false, false, fmt.Errorf("verify password: %w", err)
		}
	}
	possible := phc != "" && len(password) <= maxInput
	if !possible {
		password = password[:min(len(password), maxInput)]
	}
	hash, err := h.compute(ctx, d, password)
	if err != nil {
		return false, false, fmt.Errorf("verify password: %w", err)
	}
	equal := subtle.ConstantTimeCompare(hash, d.hash) == 1
	if !equal || !possible {
		return false, false, nil
	}
	return true, d.weakerThan(h.cost), nil
}

// compute waits for a slot and hashes the password with the salt and cost of d.
func (h *Hasher) compute(ctx context.Context, d digest, password string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	size := uint32(hashBytes)
	if d.hash != nil {
		size = uint32(len(d.hash))
	}
	input := norm.NFC.Bytes([]byte(password))
	return argon2.IDKey(input, d.salt, d.cost.time, d.cost.memory, d.cost.threads, size), nil
}

// A digest is a stored password hash, taken apart.
type digest struct {
	cost       cost
	salt, hash []byte
}

// String writes the digest in the PHC format.
func (d digest) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		d.cost.memory, d.cost.time, d.cost.threads,
		b64.EncodeToString(d.salt), b64.EncodeToString(d.hash))
}

// weakerThan reports whether a hash made today at cost c would be harder to
// guess. A hash that is dearer than c, perhaps imported, stays as it is.
func (d digest) weakerThan(c cost) bool {
	return d.cost.memory < c.memory || d.cost.time < c.time ||
		len(d.salt) < saltBytes || len(d.hash) < hashBytes
}

// errDigest says that a stored hash is not one this package wrote. It does not
// quote the hash, because errors end up in logs.
var errDigest = errors.New("stored hash is not a valid argon2id string")

// parseDigest reads the PHC format strictly: what it accepts, String writes
// back the same. The limits keep a damaged or imported row from demanding
// gigabytes or hours.
func parseDigest(phc string) (digest, error) {
	if len(phc) > 512 {
		return digest{}, errDigest
	}
	parts := strings.Split(phc, "$")
	if len(parts) != 6 {
		return digest{}, errDigest
	}
	var d digest
	_, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &d.cost.memory, &d.cost.time, &d.cost.threads)
	if err != nil {
		return digest{}, errDigest
	}
	b64 := base64.RawStdEncoding.Strict()
	if d.salt, err = b64.DecodeString(parts[4]); err != nil {
		return digest{}, errDigest
	}
	if d.hash, err = b64.DecodeString(parts[5]); err != nil {
		return digest{}, errDigest
	}
	if d.String() != phc || !d.reasonable() {
		return digest{}, errDigest
	}
	return d, nil
}

func (d digest) reasonable() bool {
	c := d.cost
	return c.threads >= 1 && c.threads <= 16 &&
		c.time >= 1 && c.time <= 16 &&
		c.memory >= 8*uint32(c.threads) && c.memory <= 256*1024 &&
		len(d.salt) >= 8 && len(d.salt) <= 64 &&
		len(d.hash) >= 16 && len(d.hash) <= 64
}
