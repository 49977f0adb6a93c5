//go:build unix

package audit

import (
	"errors"
	"os"
	"syscall"
)

// unlock gives it back at once: closing alone would leave the lock to a child process that is just being started.
func unlock(f *os.File) { _ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }

// lock takes a file for this process alone, until it is closed or the process ends.
func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return errLocked
	case errors.Is(err, syscall.ENOLCK), errors.Is(err, syscall.ENOTSUP):
		return nil // a file system without locks, as some over a network are
	}
	return err
}
