//go:build unix

package kit

import (
	"os"
	"syscall"
)

// lockFile waits for an exclusive lock that the kernel drops with its holder, however that dies.
func lockFile(path string) (release func(), err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}
