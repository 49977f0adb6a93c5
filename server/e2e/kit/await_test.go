package kit

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// failing is a test that may fail.
type failing struct {
	testing.TB
	said string
}

func (*failing) Helper() {}

func (f *failing) Fatalf(format string, args ...any) {
	f.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// TestWithin: what counts is when a try begins, and not how long it takes.
func TestWithin(t *testing.T) {
	for _, row := range []struct {
		name          string
		takes, begins time.Duration // of each try; from when on they succeed
		said          string        // "" = it does not fail
	}{
		{"at once", 0, 0, ""},
		{"in time", time.Second, 3 * time.Second, ""},
		{"tries take longer than is promised", 20 * time.Second, 0, ""},
		{"one that began in time ended too late", 4 * time.Second, 5 * time.Second, ""},
		{"too late", time.Second, 7 * time.Second, "not within 5s: it happens: not after 6s"},
		{"never", time.Minute, time.Hour, "not within 5s: it happens: not after 1m0s"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, start := &failing{TB: t}, time.Now()
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					Within(f, 5*time.Second, "it happens", func() error {
						began := time.Since(start)
						time.Sleep(row.takes)
						if began >= row.begins {
							return nil
						}
						return errors.New("not after " + began.String())
					})
				}()
				<-ended
				if (row.said == "") != (f.said == "") || !strings.HasPrefix(f.said, row.said) {
					t.Errorf("said %q, want %q", f.said, row.said)
				}
			})
		})
	}
}
