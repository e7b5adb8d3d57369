package auth

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestHashAndVerify(t *testing.T) {
	long := strings.Repeat("correct horse ", 9) // 126 bytes, beyond bcrypt's 72
	tests := []struct {
		name, set, given string
		want             bool
	}{
		{"same", "green boats paint", "green boats paint", true},
		{"other", "green boats paint", "green boats Paint", false},
		{"empty given", "green boats paint", "", false},
		{"blanks count", "green boats paint", "green boats paint ", false},
		{"composed, then decomposed", "caf\u00e9 caf\u00e9 caf\u00e9", "cafe\u0301 cafe\u0301 cafe\u0301", true},
		{"decomposed, then composed", "cafe\u0301 cafe\u0301 cafe\u0301", "caf\u00e9 caf\u00e9 caf\u00e9", true},
		{"accent missing", "caf\u00e9 caf\u00e9 caf\u00e9", "cafe cafe cafe", false},
		{"wide letters are other letters", "password", "ｐａｓｓｗｏｒｄ", false},
		{"long", long + "x", long + "x", true},
		{"long, other end", long + "x", long + "y", false},
		{"NUL does not end it", "green\x00boats", "green\x00paint", false},
	}
	h := NewTestHasher()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			phc, err := h.Hash(t.Context(), test.set)
			if err != nil {
				t.Fatal(err)
			}
			ok, rehash, err := h.Verify(t.Context(), phc, test.given)
			if ok != test.want || rehash || err != nil {
				t.Errorf("got %v, rehash %v, %v; want %v", ok, rehash, err, test.want)
			}
		})
	}
}

func TestHashFormat(t *testing.T) {
	h := NewHasher(1)
	first, err := h.Hash(t.Context(), "green boats paint")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(first, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("got %s", first)
	}
	second, err := h.Hash(t.Context(), "green boats paint")
	if err != nil || first == second {
		t.Errorf("two hashes are the same: the salt is not random (%v)", err)
	}
}

// TestVerifyKnownHash pins the format to what the reference implementation
// writes, so that hashes can be imported and exported.
func TestVerifyKnownHash(t *testing.T) {
	const phc = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	ok, rehash, err := NewHasher(1).Verify(t.Context(), phc, "password")
	if !ok || !rehash || err != nil {
		t.Errorf("got %v, rehash %v, %v; want true, true, nil", ok, rehash, err)
	}
}

func TestVerifyAsksForRehash(t *testing.T) {
	cheap, dear := newHasher(1, cost{64, 1, 1}), newHasher(1, cost{128, 2, 1})
	phc, err := cheap.Hash(t.Context(), "green boats paint")
	if err != nil {
		t.Fatal(err)
	}
	if ok, rehash, _ := dear.Verify(t.Context(), phc, "green boats paint"); !ok || !rehash {
		t.Errorf("cheap hash, dear hasher: ok %v, rehash %v", ok, rehash)
	}
	if ok, rehash, _ := dear.Verify(t.Context(), phc, "wrong"); ok || rehash {
		t.Errorf("wrong password: ok %v, rehash %v", ok, rehash)
	}
	phc, err = dear.Hash(t.Context(), "green boats paint")
	if err != nil {
		t.Fatal(err)
	}
	if ok, rehash, _ := cheap.Verify(t.Context(), phc, "green boats paint"); !ok || rehash {
		t.Errorf("dear hash, cheap hasher: ok %v, rehash %v", ok, rehash)
	}
}

func TestVerifyWithoutAccount(t *testing.T) {
	h := NewTestHasher()
	for _, password := range []string{"", "anything", strings.Repeat("x", maxInput+1)} {
		ok, rehash, err := h.Verify(t.Context(), "", password)
		if ok || rehash || err != nil {
			t.Errorf("got %v, %v, %v", ok, rehash, err)
		}
	}
}

// TestVerifyTakesAsLongWithoutAccount compares the fastest of several runs,
// which noise can only make slower. Skipping the work would be 1,000 times
// faster; anything near a half is noise.
func TestVerifyTakesAsLongWithoutAccount(t *testing.T) {
	h := NewHasher(1)
	phc, err := h.Hash(t.Context(), "green boats paint")
	if err != nil {
		t.Fatal(err)
	}
	fastest := func(phc string) time.Duration {
		best := time.Hour
		for range 5 {
			start := time.Now()
			if _, _, err := h.Verify(t.Context(), phc, "wrong password"); err != nil {
				t.Fatal(err)
			}
			best = min(best, time.Since(start))
		}
		return best
	}
	with, without := fastest(phc), fastest("")
	if without < with/2 || with < without/2 {
		t.Errorf("%v with an account, %v without", with, without)
	}
}

func TestVerifyRefusesDamagedHashes(t *testing.T) {
	const salt, hash = "c29tZXNhbHQ", "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	tests := map[string]string{
		"no hash at all":     "plain",
		"argon2i":            "$argon2i$v=19$m=256,t=2,p=1$" + salt + "$" + hash,
		"old version":        "$argon2id$v=16$m=256,t=2,p=1$" + salt + "$" + hash,
		"no version":         "$argon2id$m=256,t=2,p=1$" + salt + "$" + hash,
		"bcrypt":             "$2a$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
		"no time":            "$argon2id$v=19$m=256,p=1$" + salt + "$" + hash,
		"zero time":          "$argon2id$v=19$m=256,t=0,p=1$" + salt + "$" + hash,
		"zero threads":       "$argon2id$v=19$m=256,t=2,p=0$" + salt + "$" + hash,
		"too many threads":   "$argon2id$v=19$m=256,t=2,p=300$" + salt + "$" + hash,
		"4 TiB":              "$argon2id$v=19$m=4294967295,t=2,p=1$" + salt + "$" + hash,
		"1 GiB":              "$argon2id$v=19$m=1048576,t=2,p=1$" + salt + "$" + hash,
		"hours":              "$argon2id$v=19$m=256,t=4294967295,p=1$" + salt + "$" + hash,
		"negative":           "$argon2id$v=19$m=-256,t=2,p=1$" + salt + "$" + hash,
		"leading zero":       "$argon2id$v=19$m=0256,t=2,p=1$" + salt + "$" + hash,
		"other order":        "$argon2id$v=19$t=2,m=256,p=1$" + salt + "$" + hash,
		"blank":              "$argon2id$v=19$m=256,t=2,p=1 $" + salt + "$" + hash,
		"empty salt":         "$argon2id$v=19$m=256,t=2,p=1$$" + hash,
		"empty hash":         "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$",
		"short hash":         "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$nf65EA",
		"padding":            "$argon2id$v=19$m=256,t=2,p=1$" + salt + "=$" + hash,
		"line break":         "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + hash + "\n",
		"seventh part":       "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + hash + "$",
		"something in front": "x$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + hash,
		"very long":          "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + strings.Repeat("A", 1<<20),
	}
	h := NewTestHasher()
	for name, phc := range tests {
		t.Run(name, func(t *testing.T) {
			ok, rehash, err := h.Verify(t.Context(), phc, "password")
			if ok || rehash || err == nil {
				t.Fatalf("got %v, %v, %v; want an error", ok, rehash, err)
			}
			if strings.Contains(err.Error(), hash) {
				t.Errorf("the error quotes the hash: %v", err)
			}
		})
	}
}

func TestHashRefusesMegabytes(t *testing.T) {
	h := NewTestHasher()
	if _, err := h.Hash(t.Context(), strings.Repeat("x", 1<<20)); err == nil {
		t.Error("a password of 1 MiB was hashed")
	}
	phc, err := h.Hash(t.Context(), strings.Repeat("x", maxInput))
	if err != nil {
		t.Fatal(err)
	}
	if ok, _, err := h.Verify(t.Context(), phc, strings.Repeat("x", maxInput+1)); ok || err != nil {
		t.Errorf("a longer password was cut to fit: %v, %v", ok, err)
	}
}

func TestHasherBoundsItsWork(t *testing.T) {
	h := newHasher(1, testCost)
	h.slots <- struct{}{} // someone else is at work
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := h.Hash(ctx, "green boats paint"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Hash did not wait for its turn: %v", err)
	}
	if _, _, err := h.Verify(ctx, "", "green boats paint"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Verify did not wait for its turn: %v", err)
	}

	done := make(chan error)
	go func() {
		_, err := h.Hash(t.Context(), "green boats paint")
		done <- err
	}()
	<-h.slots // the other one is finished
	if err := <-done; err != nil {
		t.Errorf("Hash after waiting: %v", err)
	}
	if len(h.slots) != 0 {
		t.Error("a slot was not given back")
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Hash(canceled, "green boats paint"); !errors.Is(err, context.Canceled) {
		t.Errorf("Hash worked for nobody: %v", err)
	}
}

func TestNewToken(t *testing.T) {
	seen := make(map[string]bool)
	for range 1000 {
		token := NewToken("pst_")
		if len(token) != 4+43 || !strings.HasPrefix(token, "pst_") || strings.ContainsAny(token, "+/=") {
			t.Fatalf("got %q", token)
		}
		if seen[token] {
			t.Fatal("the same token twice")
		}
		seen[token] = true
	}
}

func TestHashToken(t *testing.T) {
	// The example of FIPS 180-2.
	const want = "\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23\xb0\x03\x61\xa3\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2\x00\x15\xad"
	if got := HashToken("abc"); string(got) != want {
		t.Errorf("got %x", got)
	}
}

func BenchmarkHash(b *testing.B) {
	h := NewHasher(1)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Hash(b.Context(), "correct horse battery staple"); err != nil {
			b.Fatal(err)
		}
	}
}
