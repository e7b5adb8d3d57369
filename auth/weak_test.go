package auth

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCheckPassword(t *testing.T) {
	context := []string{"maximilian", "Max.Mustermann@example.org", "The Daily Margin"}
	tests := []struct {
		name     string
		password string
		ok       bool
	}{
		{"famous but long", "correct horse battery staple", true},
		{"famous, no spaces", "correcthorsebatterystaple", true},
		{"famous, capitals", "Correct-Horse-Battery-Staple", true},
		{"ordinary passphrase", "my neighbour paints green boats", true},
		{"German passphrase", "drei blaue Kühe tanzen Walzer", true},
		{"passphrase of common words", "dragon coffee london freedom", true},
		{"random letters", "xkqjvbwmzpfhdtr", true},
		{"random digits", "830275916402851", true},
		{"random mixed", "f7K!q2Zr9#xLm4Wd", true},
		{"Chinese", "春眠不觉晓处处闻啼鸟夜来风雨声", true},
		{"emoji count as one", "🦊🌍🎈🍕🚲🎻🧩🔑🌵🐙🛶🧲🪁🥝🪗", true},
		{"one word of it is the user's", "maximilian eats eleven radishes", true},
		{"fifteen", "grobnavilthurex", true},
		{"128", strings.Repeat("vlumpt krazno wib ", 8)[:120] + "qjxofbyd", true},

		{"empty", "", false},
		{"fourteen", "grobnavilthure", false},
		{"fifteen bytes, fewer characters", "ümläüt-ßxy", false},
		{"129", strings.Repeat("a1B!c", 25) + "wxyz", false},
		{"not text", "grobnavilthurex\xff", false},
		{"one letter", strings.Repeat("a", 20), false},
		{"two letters", strings.Repeat("ab", 10), false},
		{"four digits", "123412341234123412341", false},
		{"doubled word", "passwordpassword", false},
		{"doubled, separated", "Password-Password", false},
		{"unit", "abcabcabcabcabcabc", false},
		{"longer unit", "x7k!qx7k!qx7k!qx7k!q", false},
		{"alphabet", "abcdefghijklmnopqrst", false},
		{"alphabet backwards", "zyxwvutsrqponmlkjih", false},
		{"digits", "12345678901234567890", false},
		{"digits backwards", "98765432109876543210", false},
		{"qwerty rows", "qwertyuiopasdfghjkl", false},
		{"qwertz rows", "QWERTZUIOPasdfghjkl", false},
		{"azerty rows", "azertyuiopqsdfghjklm", false},
		{"row backwards", "poiuytrewqlkjhgfdsa", false},
		{"columns", "1qaz2wsx3edc4rfv", false},
		{"zigzag", "1q2w3e4r5t6y7u8i9o", false},
		{"shifted digits", "!@#$%^&*()!@#$%^&*()", false},
		{"pi", "3.14159265358979323", false},
		{"word and run", "Password1234567!", false},
		{"word and any digits", "Password82736451", false},
		{"word and date", "sunshine-31.12.1999", false},
		{"word, year, marks", "Welcome2024!!!!!", false},
		{"look-alikes", "P@ssw0rdP@ssw0rd1", false},
		{"two words and digits", "AdminPassword7391", false},
		{"wide letters", "ｐａｓｓｗｏｒｄｐａｓｓｗｏｒｄ", false},
		{"German", "Passwort12345678", false},
		{"phrase", "maytheforcebewithyou", false},
		{"phrase, padded", "iloveyou-iloveyou-1", false},
		{"user name", "maximilian12345", false},
		{"user name twice", "maximilianMaximilian", false},
		{"user name, other digits", "maximilian 8302759", false},
		{"e-mail local part", "max.mustermann.1990", false},
		{"site name", "thedailymargin2024", false},
		{"site name, spaced", "the daily margin 1!", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := CheckPassword(test.password, context...)
			var weak *WeakError
			if test.ok && err != nil {
				t.Fatalf("refused: %v", err)
			}
			if !test.ok && (!errors.As(err, &weak) || weak.Message == "") {
				t.Fatalf("got %v, want a WeakError with a message", err)
			}
			if err != nil && test.password != "" && strings.Contains(err.Error(), test.password) {
				t.Errorf("the message quotes the password: %v", err)
			}
		})
	}
}

func TestCheckPasswordCountsNormalised(t *testing.T) {
	decomposed := "gro\u0308bnavilthure" // 15 code points, 14 characters
	if CheckPassword(decomposed) == nil {
		t.Error("an accent of its own was counted as a character")
	}
	if err := CheckPassword("gröbnavilthurex"); err != nil {
		t.Errorf("15 characters refused: %v", err)
	}
}

// TestCheckPasswordAcceptsRandom holds the filter to fewer than one false alarm
// in ten thousand. The seed is fixed, so the result never changes by itself.
func TestCheckPasswordAcceptsRandom(t *testing.T) {
	alphabets := []struct {
		name, letters string
		length        int
	}{
		// One 15-digit number in 5,000 has four different digits or fewer.
		{"digits", "0123456789", 20},
		{"hex", "0123456789abcdef", 15},
		{"lower", "abcdefghijklmnopqrstuvwxyz", 15},
		{"base64url", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 15},
	}
	const rounds = 10_000
	for _, alphabet := range alphabets {
		t.Run(alphabet.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			refused := 0
			for range rounds {
				password := make([]byte, alphabet.length)
				for i := range password {
					password[i] = alphabet.letters[random.IntN(len(alphabet.letters))]
				}
				if err := CheckPassword(string(password), "alice", "alice@example.org"); err != nil {
					refused++
					t.Logf("refused %q: %v", password, err)
				}
			}
			if refused > 1 {
				t.Errorf("refused %d of %d random passwords", refused, rounds)
			}
		})
	}
}

func TestCheckPasswordNeverPanics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		password := rapid.String().Draw(t, "password")
		context := rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "context")
		err := CheckPassword(password, context...)
		var weak *WeakError
		if err != nil && !errors.As(err, &weak) {
			t.Fatalf("unexpected error %v", err)
		}
	})
}

func BenchmarkCheckPassword(b *testing.B) {
	for b.Loop() {
		CheckPassword("my neighbour paints green boats", "alice", "The Daily Margin")
	}
}
