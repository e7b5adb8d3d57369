package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Guessing passwords. Wrong passwords are counted per account and network, so
// that a stranger's guesses do not keep the owner out, and per network alone.
const (
	freeAttempts    = 5 // of an account and network, before waiting begins at a second and doubles
	maxAttemptDelay = 15 * time.Minute
	networkAttempts = 50 // of a network in five minutes, whatever the account
	attemptMemory   = time.Hour
	networkMemory   = 5 * time.Minute
)

type loginAttempt struct {
	Key          string `gorm:"primaryKey"`
	Failures     int
	FirstAt      Timestamp
	BlockedUntil Timestamp
}

// guess is somebody trying a password: what it is counted under.
type guess struct{ account, network string }

func newGuess(account, network string) guess {
	hash := func(parts ...string) string {
		sum := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
		return hex.EncodeToString(sum[:16])
	}
	return guess{account: hash("account", account, network), network: hash("network", network)}
}

// turnstile lets the guesses at one account from one network through one at a
// time, so that each is counted before the next is looked at, however many
// come at once. Accounts share its gates by chance, which costs them a moment.
type turnstile [64]chan struct{}

func newTurnstile() *turnstile {
	var t turnstile
	for i := range t {
		t[i] = make(chan struct{}, 1)
	}
	return &t
}

// pass waits for the gate of a key; leave opens it for the next.
func (t *turnstile) pass(ctx context.Context, key string) (leave func(), err error) {
	sum := sha256.Sum256([]byte(key))
	gate := t[int(sum[0])%len(t)]
	select {
	case gate <- struct{}{}:
		return func() { <-gate }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// tryPassword compares a password with a stored hash, "" for an account that
// does not exist, which takes as long. A wrong one is counted; wrong tells the
// caller's words for it.
func (s *Store) tryPassword(ctx context.Context, g guess, phc, password string, wrong error) (rehash bool, err error) {
	leave, err := s.turnstile.pass(ctx, g.account)
	if err != nil {
		return false, err
	}
	defer leave()
	if err := s.mayGuess(ctx, g); err != nil {
		return false, err
	}
	ok, rehash, err := s.cfg.Hasher.Verify(ctx, phc, password)
	if err != nil || ok && phc != "" {
		return rehash, err
	}
	err = s.write(ctx, Actor{}, func(t *tx) error { return t.countFailure(g) })
	if err != nil {
		return false, err
	}
	return false, wrong
}

// mayGuess refuses while the account and network, or the network, have to wait.
func (s *Store) mayGuess(ctx context.Context, g guess) error {
	var until Timestamp
	err := s.read(ctx).Raw("SELECT coalesce(max(blocked_until), 0) FROM login_attempts WHERE key IN (?, ?)", g.account, g.network).Scan(&until).Error
	if err != nil {
		return err
	}
	now := s.now()
	if until <= now {
		return nil
	}
	wait := time.Duration(until-now) * time.Microsecond
	return &Error{Kind: TooMany, RetryAfter: wait,
		Message: fmt.Sprintf("Too many attempts with a wrong password. Try again in %s.", wait.Truncate(time.Second)+time.Second)}
}

func (t *tx) countFailure(g guess) error {
	account, err := t.attempts(g.account, attemptMemory)
	if err != nil {
		return err
	}
	if account.Failures++; account.Failures >= freeAttempts {
		delay := min(time.Second<<min(account.Failures-freeAttempts, 20), maxAttemptDelay)
		account.FirstAt, account.BlockedUntil = t.now, t.now.Add(delay)
	}
	network, err := t.attempts(g.network, networkMemory)
	if err != nil {
		return err
	}
	if network.Failures++; network.Failures >= networkAttempts {
		network.BlockedUntil = network.FirstAt.Add(networkMemory)
	}
	for _, row := range []loginAttempt{account, network} {
		if err := t.Save(&row).Error; err != nil {
			return err
		}
	}
	return nil
}

// attempts loads a counter; one that is older than its memory begins anew.
func (t *tx) attempts(key string, memory time.Duration) (loginAttempt, error) {
	row, err := first[loginAttempt](t.DB, "key = ?", key)
	if err != nil && KindOf(err) != NotFound {
		return row, err
	}
	if row.FirstAt.Add(memory) < t.now {
		row = loginAttempt{FirstAt: t.now}
	}
	row.Key = key
	return row, nil
}

// forgetFailures clears the count of an account that proved its password.
// Others' guesses from the same network stay counted.
func (t *tx) forgetFailures(g guess) error {
	return t.Exec("DELETE FROM login_attempts WHERE key = ?", g.account).Error
}
