package localodoo

import (
	"context"
	"fmt"
	"os"
	"time"
)

// fileLock is an advisory lock that the kernel drops when its holder dies, by
// whatever death: a killed run can never leave the cache locked.
type fileLock struct{ f *os.File }

// tick is how often something is looked at that cannot tell us when it is ready.
const tick = 25 * time.Millisecond

// tryLock takes the lock on path if nobody holds it in a conflicting way, and
// returns nil, nil if somebody does.
func tryLock(path string, exclusive bool) (*fileLock, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, fmt.Errorf("lock file: %w", err)
		}
		got, err := flock(f, exclusive, false)
		if err != nil || !got {
			f.Close()
			if err != nil {
				err = fmt.Errorf("lock file %s: %w", path, err)
			}
			return nil, err
		}
		// The file may have been removed between open and lock: a lock on a file
		// that has no name any more would exclude nobody.
		held, err1 := f.Stat()
		named, err2 := os.Stat(path)
		if err1 == nil && err2 == nil && os.SameFile(held, named) {
			return &fileLock{f}, nil
		}
		f.Close()
	}
}

// waitLock takes the lock, and calls waiting once if that takes a while.
func waitLock(ctx context.Context, path string, exclusive bool, waiting func()) (*fileLock, error) {
	for told := false; ; {
		l, err := tryLock(path, exclusive)
		if l != nil || err != nil {
			return l, err
		}
		if !told {
			told = true
			waiting()
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(4 * tick):
		}
	}
}

// release drops the lock.
func (l *fileLock) release() {
	if l != nil && l.f != nil {
		l.f.Close()
		l.f = nil
	}
}
