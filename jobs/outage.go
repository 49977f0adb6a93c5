package jobs

import (
	"sync"
	"time"

	"doorman/server/access"
)

// tellAgain is how long an outage goes on before it is logged again: every job fails in it, some every other second.
const tellAgain = time.Minute

// outage is the state in which every job fails for the same outside reason. It is safe for concurrent use.
type outage struct {
	mu    sync.Mutex
	kind  access.Kind // "" = there is none
	since time.Time
	told  time.Time
}

// news reports whether a failure is worth a line of the log: one of a job's own always is, an outage when it begins, when it
// becomes another, and once in tellAgain.
func (o *outage) news(e *access.Error, now time.Time) bool {
	if !e.Kind.Outage() || e.Kind == access.Internal {
		return true
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.kind == "" {
		o.since = now
	}
	if o.kind == e.Kind && now.Sub(o.told) < tellAgain {
		return false
	}
	o.kind, o.told = e.Kind, now
	return true
}

// over takes note of a job that succeeded, and returns how long the outage before it went on; 0 = there was none.
func (o *outage) over(now time.Time) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.kind == "" {
		return 0
	}
	after := now.Sub(o.since)
	o.kind = ""
	return max(after, time.Nanosecond)
}
