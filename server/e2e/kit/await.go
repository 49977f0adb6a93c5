package kit

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// patience is how long a test waits for what only a mistake can keep from happening. A test that passes never waits for its
// end, so it is far beyond what a busy machine needs.
const patience = 3 * time.Minute

// Await waits until try returns nil: it has happened. The error of the last try tells what came instead, see Unless.
func Await(t testing.TB, what string, try func() error) {
	t.Helper()
	Within(t, patience, what, try)
}

// Within is Await for what is promised within d: a try that begins after d must succeed. When that one ends does not count,
// since a busy machine may take its time over it.
func Within(t testing.TB, d time.Duration, what string, try func() error) {
	t.Helper()
	deadline := time.Now().Add(d)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		last := time.Now().After(deadline)
		err := try()
		if err == nil {
			return
		}
		if last {
			t.Fatalf("not within %s: %s: %v", d, what, err)
		}
		<-tick.C
	}
}

// Unless is an error that tells what came, unless it is what is waited for.
func Unless(ok bool, came ...any) error {
	if ok {
		return nil
	}
	return errors.New(fmt.Sprint(came...))
}
