//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package models

import (
	"os"
	"syscall"
)

// lockFolder makes programs that bring the schema of one database up to date
// wait for each other. Where the file system knows no locks there is none. The
// lock is on the folder, since SQLite keeps its own locks on its files.
func lockFolder(path string) (unlock func()) {
	folder, err := os.Open(path)
	if err != nil {
		return func() {}
	}
	_ = syscall.Flock(int(folder.Fd()), syscall.LOCK_EX)
	return func() { folder.Close() }
}
