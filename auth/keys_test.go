package auth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mustKeys(t testing.TB) Keys {
	t.Helper()
	keys, err := NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// equalKeys compares rings by what they hold.
func equalKeys(a, b Keys) bool {
	return cmp.Equal(a, b, cmp.AllowUnexported(Keys{}, key{}))
}

func TestSign(t *testing.T) {
	keys := mustKeys(t)
	mac := keys.Sign("unsubscribe", []byte("7|news"))
	if len(mac) != 43 {
		t.Errorf("mac has %d characters: %s", len(mac), mac)
	}
	tests := []struct {
		name         string
		keys         Keys
		purpose, mac string
		data         string
		want         bool
	}{
		{"genuine", keys, "unsubscribe", mac, "7|news", true},
		{"after a rotation", keys.Rotate(), "unsubscribe", mac, "7|news", true},
		{"after three", keys.Rotate().Rotate().Rotate(), "unsubscribe", mac, "7|news", true},
		{"after four", keys.Rotate().Rotate().Rotate().Rotate(), "unsubscribe", mac, "7|news", false},
		{"other data", keys, "unsubscribe", mac, "8|news", false},
		{"other purpose", keys, "confirm", mac, "7|news", false},
		{"purpose moved into data", keys, "unsub", mac, "scribe7|news", false},
		{"empty mac", keys, "unsubscribe", "", "7|news", false},
		{"cut", keys, "unsubscribe", mac[:42], "7|news", false},
		{"longer", keys, "unsubscribe", mac + "A", "7|news", false},
		{"padding", keys, "unsubscribe", mac + "=", "7|news", false},
		{"line break", keys, "unsubscribe", mac + "\n", "7|news", false},
		{"other ring", mustKeys(t), "unsubscribe", mac, "7|news", false},
		{"no ring", Keys{}, "unsubscribe", mac, "7|news", false},
		{"no ring, no mac", Keys{}, "unsubscribe", "", "7|news", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.keys.Verify(test.purpose, test.mac, []byte(test.data)); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
	if got := (Keys{}).Sign("unsubscribe", nil); got != "" {
		t.Errorf("the zero Keys signed: %s", got)
	}
}

func TestSignDoesNotMakeAccessTokens(t *testing.T) {
	tokens := testTokens(t)
	genuine := issue(t, tokens)
	signed := genuine[:strings.LastIndex(genuine, ".")]
	for _, purpose := range []string{"", "access token", "postil access token"} {
		forged := signed + "." + tokens.Keys.Sign(purpose, []byte(signed))
		if _, err := tokens.Parse(forged, testNow); !errors.Is(err, ErrToken) {
			t.Errorf("purpose %q makes access tokens: %v", purpose, err)
		}
	}
}

func TestRotateLeavesTheOldRingAlone(t *testing.T) {
	keys := mustKeys(t)
	before := keys.String()
	first, second := keys.Rotate(), keys.Rotate()
	if keys.String() != before || equalKeys(first, second) {
		t.Error("rotations of one ring share state")
	}
	for range 10 {
		first = first.Rotate()
	}
	if len(first.list) != maxKeys {
		t.Errorf("the ring has grown to %d keys", len(first.list))
	}
}

func TestKeysAreNotPrinted(t *testing.T) {
	keys := mustKeys(t).Rotate()
	secret := keys.list[0].secret
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		printed := fmt.Sprintf(format, keys) + fmt.Sprintf(format, Tokens{Keys: keys})
		for _, leak := range []string{
			string(secret), fmt.Sprintf("%x", secret), fmt.Sprint(secret)[1:20], fmt.Sprintf("%#v", secret)[8:40],
			base64.RawURLEncoding.EncodeToString(secret),
		} {
			if strings.Contains(printed, leak) {
				t.Errorf("%s prints a secret: %s", format, printed)
			}
		}
	}
}

func TestLoadKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	made, err := LoadKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	again, err := LoadKeys(path)
	if err != nil || !equalKeys(made, again) {
		t.Errorf("a second call reads another ring: %v", err)
	}

	rotated := made.Rotate()
	if err := rotated.Save(path); err != nil {
		t.Fatal(err)
	}
	loaded, err := LoadKeys(path)
	if err != nil || !equalKeys(rotated, loaded) {
		t.Errorf("saved and loaded rings differ: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("after Save: mode %v, %v; want 0600", info.Mode(), err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("something was left beside the file: %v, %v", entries, err)
	}
}

func TestSaveRefusesNoKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := (Keys{}).Save(path); err == nil {
		t.Error("an empty ring was saved")
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was made: %v", err)
	}
}

func TestLoadKeysRefuses(t *testing.T) {
	random := base64.RawURLEncoding.EncodeToString(randomBytes(32))
	one := func(id, secret string) string {
		return fmt.Sprintf(`{"keys":[{"kid":%q,"secret":%q}]}`, id, secret)
	}
	record := fmt.Sprintf(`{"kid":"a","secret":%q}`, random)
	tests := []struct {
		name, content string
		mode          os.FileMode
		want          string // in the error
	}{
		{"group may read", one("a", random), 0o640, "chmod 600"},
		{"world may read", one("a", random), 0o604, "chmod 600"},
		{"group may write", one("a", random), 0o620, "chmod 600"},
		{"empty", "", 0o600, "not valid JSON"},
		{"not JSON", "keys: " + random, 0o600, "not valid JSON"},
		{"cut off", one("a", random)[:60], 0o600, "not valid JSON"},
		{"unknown field", `{"keys":[` + record + `],"extra":1}`, 0o600, "not valid JSON"},
		{"two rings", one("a", random) + one("b", random), 0o600, "after the key ring"},
		{"no keys", `{"keys":[]}`, 0o600, "0 keys"},
		{"null", `null`, 0o600, "0 keys"},
		{"too many keys", `{"keys":[` + strings.Repeat(record+",", 4) + record + `]}`, 0o600, "5 keys"},
		{"kid twice", `{"keys":[` + record + "," + record + `]}`, 0o600, "one kid"},
		{"kid empty", one("", random), 0o600, "kid must"},
		{"kid a path", one("../a", random), 0o600, "kid must"},
		{"kid with line break", one("a\n", random), 0o600, "kid must"},
		{"short", one("a", random[:40]), 0o600, "shorter than 32"},
		{"no secret", one("a", ""), 0o600, "shorter than 32"},
		{"not base64url", one("a", strings.Repeat("+", 43)), 0o600, "not base64url"},
		{"zeros", one("a", strings.Repeat("A", 43)), 0o600, "not random"},
		{"a repeated word", one("a", base64.RawURLEncoding.EncodeToString([]byte("secretsecretsecretsecretsecretse"))), 0o600, "not random"},
		{"huge", one("a", strings.Repeat("A", maxKeyFile)), 0o600, "larger than"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keys.json")
			if err := os.WriteFile(path, []byte(test.content), test.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, test.mode); err != nil { // whatever the umask
				t.Fatal(err)
			}
			_, err := LoadKeys(path)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Fatalf("got %v, want the path and %q", err, test.want)
			}
			if strings.Contains(err.Error(), random) {
				t.Errorf("the error quotes the key: %v", err)
			}
			if content, err := os.ReadFile(path); err != nil || string(content) != test.content {
				t.Errorf("the file was changed (%v)", err)
			}
		})
	}
	if _, err := LoadKeys(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a file") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := LoadKeys(filepath.Join(t.TempDir(), "missing", "keys.json")); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Errorf("a missing folder: %v", err)
	}
}

// TestLoadKeysRace lets many goroutines and a second process create one file:
// all must come out with the same ring.
func TestLoadKeysRace(t *testing.T) {
	if path := os.Getenv("POSTIL_TEST_KEYS"); path != "" {
		keys, err := LoadKeys(path)
		fmt.Println("ring:", keys, err)
		return
	}
	for range 5 {
		path := filepath.Join(t.TempDir(), "keys.json")
		other := exec.Command(os.Args[0], "-test.run=^TestLoadKeysRace$")
		other.Env = append(os.Environ(), "POSTIL_TEST_KEYS="+path)
		var output strings.Builder
		other.Stdout = &output
		if err := other.Start(); err != nil {
			t.Fatal(err)
		}
		rings := make([]Keys, 16)
		var group sync.WaitGroup
		for i := range rings {
			group.Go(func() {
				keys, err := LoadKeys(path)
				if err != nil {
					t.Error(err)
				}
				rings[i] = keys
			})
		}
		group.Wait()
		if err := other.Wait(); err != nil {
			t.Fatal(err)
		}
		for i, ring := range rings {
			if !equalKeys(ring, rings[0]) {
				t.Errorf("rings 0 and %d differ", i)
			}
		}
		if want := fmt.Sprintln("ring:", rings[0], nil); !strings.Contains(output.String(), want) {
			t.Errorf("the other process has %q, want %q", output.String(), want)
		}
		entries, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(entries) != 1 {
			t.Errorf("something was left beside the file: %v, %v", entries, err)
		}
	}
}
