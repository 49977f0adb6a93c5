package localodoo

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress writes whole lines to one writer, from any goroutine.
type progress struct {
	mu sync.Mutex
	w  io.Writer
}

// say writes one line.
func (p *progress) say(format string, args ...any) {
	if p == nil || p.w == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	// One Write a line: a terminal, a file and a test log all stay readable.
	fmt.Fprint(p.w, fmt.Sprintf(format, args...)+"\n")
}

// step announces something that takes a while; the returned function says how
// long it took. It is not called when the step fails: the error says it then.
func (p *progress) step(format string, args ...any) (done func()) {
	what := fmt.Sprintf(format, args...)
	p.say("%s ...", what)
	begin := time.Now()
	return func() { p.say("  done in %s", roughly(time.Since(begin))) }
}

// roughly rounds a duration the way a person would say it.
func roughly(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	default:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
}
