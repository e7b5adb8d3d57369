package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
)

// maxKeyFile bounds what is read from a key file, in bytes. A full ring takes
// less than 1 KiB.
const maxKeyFile = 64 << 10

// keyID is what a key may be called: the base64url alphabet, so that an id
// means the same in JSON, in a token and in a log.
var keyID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// keyFile is the JSON a ring is stored as. The first key signs.
type keyFile struct {
	Keys []keyRecord `json:"keys"`
}

type keyRecord struct {
	ID     string `json:"kid"`
	Secret string `json:"secret"` // base64url without padding
}

// LoadKeys reads the key ring from a file, and creates the file with a fresh
// key when there is none. Processes that start together agree: whoever comes
// second reads the first one's key.
//
// It refuses a file that others on the machine may read, and keys that are
// short, repeated or visibly not random. The error says what to do about it and
// never quotes the file.
func LoadKeys(path string) (Keys, error) {
	keys, err := readKeys(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	if err := createKeys(path); err != nil {
		return Keys{}, err
	}
	return readKeys(path)
}

// Save replaces the file at path with this ring, readable by its owner only.
// After a crash the file holds the old ring or the new one, never half of one.
func (k Keys) Save(path string) error {
	temp, err := k.writeTemp(path)
	if err != nil {
		return err
	}
	defer os.Remove(temp) // fails, harmlessly, once it has been renamed
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("save keys: %w", err)
	}
	return syncDir(path)
}

// createKeys puts a fresh ring at path unless something is there already.
//
// A finished file is hard-linked into place: unlike a rename, a link never
// replaces a file, so of two processes that race exactly one wins; and unlike
// opening path itself with O_EXCL, nobody ever sees a file half written.
func createKeys(path string) error {
	fresh, err := NewKeys()
	if err != nil {
		return err
	}
	temp, err := fresh.writeTemp(path)
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	if err := os.Link(temp, path); errors.Is(err, fs.ErrExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("create key file (its file system must support hard links): %w", err)
	}
	return syncDir(path)
}

// writeTemp writes the ring to a new file beside path, safely on disk, and
// returns its name. os.CreateTemp opens with O_EXCL and mode 0600.
func (k Keys) writeTemp(path string) (name string, err error) {
	if len(k.list) == 0 {
		return "", errors.New("save keys: there is no key to save; make one with NewKeys")
	}
	var file keyFile
	for _, key := range k.list {
		secret := base64.RawURLEncoding.EncodeToString(key.secret)
		file.Keys = append(file.Keys, keyRecord{ID: key.id, Secret: secret})
	}
	text, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return "", fmt.Errorf("save keys: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return "", fmt.Errorf("save keys: is the folder there and writable? %w", err)
	}
	_, err = f.Write(append(text, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(f.Name())
		return "", fmt.Errorf("save keys: %w", err)
	}
	return f.Name(), nil
}

// syncDir makes the name of a new file survive a power cut, which syncing the
// file alone does not.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil // a folder cannot be synced there
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("save keys: %w", err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return fmt.Errorf("save keys: %w", err)
	}
	return nil
}

// readKeys reads and checks a key file. It checks the permissions of the file
// it has opened, so that the file cannot be exchanged in between.
func readKeys(path string) (Keys, error) {
	f, err := os.Open(path)
	if err != nil {
		return Keys{}, fmt.Errorf("read keys: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Keys{}, fmt.Errorf("read keys: %w", err)
	}
	if !info.Mode().IsRegular() {
		return Keys{}, fmt.Errorf("read keys: %s is not a file; name one, or a path where one can be made", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return Keys{}, fmt.Errorf("read keys: others may read %s (mode %04o); run: chmod 600 %s", path, mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return Keys{}, fmt.Errorf("read keys: %w", err)
	}
	keys, err := parseKeys(text)
	if err != nil {
		return Keys{}, fmt.Errorf("read keys: %s %w; restore it from a backup, or delete it to start with fresh keys (programs that use the API refresh their tokens once)", path, err)
	}
	return keys, nil
}

// parseKeys reads the content of a key file. Its errors complete a sentence
// that starts with the file's name, and do not wrap those of the JSON decoder,
// which may quote what they read.
func parseKeys(text []byte) (Keys, error) {
	if len(text) > maxKeyFile {
		return Keys{}, fmt.Errorf("is larger than %d bytes", maxKeyFile)
	}
	var file keyFile
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&file) != nil {
		return Keys{}, errors.New("is not valid JSON of a key ring")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return Keys{}, errors.New("holds something after the key ring")
	}
	if n := len(file.Keys); n == 0 || n > maxKeys {
		return Keys{}, fmt.Errorf("holds %d keys instead of 1 to %d", n, maxKeys)
	}
	var keys Keys
	for i, record := range file.Keys {
		key, err := record.key()
		if err != nil {
			return Keys{}, fmt.Errorf("has a bad key, number %d: %w", i+1, err)
		}
		if _, twice := keys.find(key.id); twice {
			return Keys{}, fmt.Errorf("has two keys with one kid, number %d", i+1)
		}
		keys.list = append(keys.list, key)
	}
	return keys, nil
}

func (r keyRecord) key() (key, error) {
	if !keyID.MatchString(r.ID) {
		return key{}, errors.New("kid must be 1 to 64 letters, digits, - or _")
	}
	secret, err := base64.RawURLEncoding.Strict().DecodeString(r.Secret)
	if err != nil {
		return key{}, errors.New("secret is not base64url")
	}
	if len(secret) < secretBytes {
		return key{}, fmt.Errorf("secret is shorter than %d bytes", secretBytes)
	}
	if distinctBytes(secret) < secretBytes/2 {
		return key{}, errors.New("secret is not random")
	}
	return newKey(r.ID, secret)
}

// distinctBytes tells typed or zeroed secrets from random ones: 32 random bytes
// hold 30 different values on average, and fewer than 16 never in practice.
func distinctBytes(b []byte) int {
	seen := make(map[byte]bool)
	for _, c := range b {
		seen[c] = true
	}
	return len(seen)
}
