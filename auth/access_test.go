package auth

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func testTokens(t testing.TB) Tokens {
	t.Helper()
	return Tokens{Keys: mustKeys(t), Issuer: "https://example.org", Audience: "api", TTL: 10 * time.Minute}
}

func testClaims() Claims {
	return Claims{UserID: 42, SessionID: "s1", Version: 3, IssuedAt: testNow}
}

func issue(t testing.TB, tokens Tokens) string {
	t.Helper()
	token, err := tokens.Issue(testClaims())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestIssueAndParse(t *testing.T) {
	tokens := testTokens(t)
	token := issue(t, tokens)
	want := testClaims()
	want.ExpiresAt = testNow.Add(tokens.TTL)
	for _, now := range []time.Time{
		testNow, testNow.Add(-clockLeeway), testNow.Add(tokens.TTL - time.Nanosecond), testNow.In(time.FixedZone("", 7200)),
	} {
		got, err := tokens.Parse(token, now)
		if err != nil {
			t.Fatalf("at %v: %v", now, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("at %v (-want +got):\n%s", now, diff)
		}
	}
	if other := issue(t, tokens); other == token {
		t.Error("two tokens are the same: no jti")
	}
}

func TestParseAfterRotation(t *testing.T) {
	tokens := testTokens(t)
	token := issue(t, tokens)
	tokens.Keys = tokens.Keys.Rotate()
	if _, err := tokens.Parse(token, testNow); err != nil {
		t.Errorf("a rotation ended the token: %v", err)
	}
	if header, _, _ := strings.Cut(issue(t, tokens), "."); strings.HasPrefix(token, header) {
		t.Error("the old key still signs")
	}
	for range maxKeys {
		tokens.Keys = tokens.Keys.Rotate()
	}
	if _, err := tokens.Parse(token, testNow); !errors.Is(err, ErrToken) || errors.Is(err, ErrExpired) {
		t.Errorf("a dropped key still verifies: %v", err)
	}
}

func TestParseExpired(t *testing.T) {
	tokens := testTokens(t)
	token := issue(t, tokens)
	for _, late := range []time.Duration{0, time.Second, 24 * time.Hour, 100 * 365 * 24 * time.Hour} {
		_, err := tokens.Parse(token, testNow.Add(tokens.TTL+late))
		if !errors.Is(err, ErrExpired) || !errors.Is(err, ErrToken) {
			t.Errorf("%v late: %v", late, err)
		}
	}
	tokens.Audience = "other"
	if _, err := tokens.Parse(token, testNow.Add(tokens.TTL)); errors.Is(err, ErrExpired) {
		t.Error("a token that was never ours is called expired")
	}
}

func TestIssueRefuses(t *testing.T) {
	tests := map[string]func(*Tokens, *Claims){
		"no keys":          func(t *Tokens, _ *Claims) { t.Keys = Keys{} },
		"no issuer":        func(t *Tokens, _ *Claims) { t.Issuer = "" },
		"no audience":      func(t *Tokens, _ *Claims) { t.Audience = "" },
		"no TTL":           func(t *Tokens, _ *Claims) { t.TTL = 0 },
		"no user":          func(_ *Tokens, c *Claims) { c.UserID = 0 },
		"negative user":    func(_ *Tokens, c *Claims) { c.UserID = -1 },
		"no session":       func(_ *Tokens, c *Claims) { c.SessionID = "" },
		"session no text":  func(_ *Tokens, c *Claims) { c.SessionID = "\xff" },
		"endless session":  func(_ *Tokens, c *Claims) { c.SessionID = strings.Repeat("s", maxToken) },
		"no time":          func(_ *Tokens, c *Claims) { c.IssuedAt = time.Time{} },
		"longer than TTL":  func(_ *Tokens, c *Claims) { c.ExpiresAt = testNow.Add(time.Hour) },
		"expires at once":  func(_ *Tokens, c *Claims) { c.ExpiresAt = testNow },
		"expired at birth": func(_ *Tokens, c *Claims) { c.ExpiresAt = testNow.Add(-time.Second) },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			tokens, claims := testTokens(t), testClaims()
			change(&tokens, &claims)
			if token, err := tokens.Issue(claims); err == nil {
				t.Errorf("issued %s", token)
			}
		})
	}
}

func TestIncompleteTokensAcceptNothing(t *testing.T) {
	tokens := testTokens(t)
	token := issue(t, tokens)
	for name, incomplete := range map[string]Tokens{
		"zero":        {},
		"no keys":     {Issuer: tokens.Issuer, Audience: tokens.Audience, TTL: tokens.TTL},
		"no issuer":   {Keys: tokens.Keys, Audience: tokens.Audience, TTL: tokens.TTL},
		"no audience": {Keys: tokens.Keys, Issuer: tokens.Issuer, TTL: tokens.TTL},
		"no TTL":      {Keys: tokens.Keys, Issuer: tokens.Issuer, Audience: tokens.Audience},
	} {
		if _, err := incomplete.Parse(token, testNow); !errors.Is(err, ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestParseRefusesEveryMutation changes, drops and doubles each character.
func TestParseRefusesEveryMutation(t *testing.T) {
	tokens := testTokens(t)
	genuine := issue(t, tokens)
	for i := range genuine {
		for _, mutant := range []string{
			genuine[:i] + "A" + genuine[i+1:], genuine[:i] + "\n" + genuine[i+1:],
			genuine[:i] + genuine[i+1:], genuine[:i] + genuine[i:i+1] + genuine[i:], genuine[:i],
		} {
			if mutant == genuine {
				continue
			}
			if _, err := tokens.Parse(mutant, testNow); !errors.Is(err, ErrToken) {
				t.Fatalf("%q: %v", mutant, err)
			}
		}
	}
}

// FuzzParse tries what nobody thought of: Parse must neither panic nor accept
// anything but the token that was issued, also when the content is signed with
// the right key.
func FuzzParse(f *testing.F) {
	tokens := testTokens(f)
	genuine := issue(f, tokens)
	parts := strings.Split(genuine, ".")
	for _, token := range shapeForgeries(genuine) {
		if len(token) < maxToken {
			f.Add(token, `{"alg":"HS256"}`, `{"sub":"42"}`)
		}
	}
	for _, part := range parts[:2] {
		text, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(genuine, string(text), string(text))
	}
	signer := forge{tokens.Keys.list[0]}
	f.Fuzz(func(t *testing.T, token, header, payload string) {
		if _, err := tokens.Parse(token, testNow); (err == nil) != (token == genuine) {
			t.Fatalf("%q: %v", token, err)
		}
		signed := signer.sign(header, payload)
		claims, err := tokens.Parse(signed, testNow)
		if err != nil {
			return
		}
		if again, err := tokens.Issue(claims); err != nil || len(claims.SessionID) == 0 || claims.UserID <= 0 {
			t.Fatalf("accepted %s.%s as %+v, which Issue refuses: %q, %v", header, payload, claims, again, err)
		}
	})
}

func BenchmarkIssue(b *testing.B) {
	tokens, claims := testTokens(b), testClaims()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tokens.Issue(claims); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	tokens := testTokens(b)
	token := issue(b, tokens)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tokens.Parse(token, testNow); err != nil {
			b.Fatal(err)
		}
	}
}
