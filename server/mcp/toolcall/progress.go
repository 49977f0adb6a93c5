package toolcall

import (
	"context"
	"fmt"
	"sync"
	"time"

	"doorman/server/mcp/caller"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// quietFor is how long a call may take before anything is said about it. A stream that has begun has no HTTP status left to
// say that the credential is dead, and most calls are over by then.
const quietFor = time.Second

// progress tells a client, from the moment when Odoo is asked until it answers, that it is still being worked on. There
// is no saying how far Odoo is: the numbers are seconds. A nil progress tells nobody.
type progress struct {
	tell  func(seconds float64, message string)
	every time.Duration

	mu      sync.Mutex
	ended   chan struct{} // closed by stop; nil = not started
	stopped bool
	workers sync.WaitGroup
}

// progressOf returns what tells the client of a request, or nil if it did not ask for that.
func (r *Runner) progressOf(ctx context.Context, who *caller.Caller, from Origin) *progress {
	if !who.Streams || from.Session == nil || from.Params == nil {
		return nil
	}
	token := from.Params.GetProgressToken()
	if token == nil {
		return nil
	}
	return &progress{every: r.Progress, tell: func(seconds float64, message string) {
		// A client that is gone needs to be told nothing.
		_ = from.Session.NotifyProgress(ctx, &sdk.ProgressNotificationParams{ProgressToken: token, Progress: seconds, Message: message})
	}}
}

// start says that Odoo was asked, unless it answers soon, and goes on saying so. Once is enough for a call that asks twice.
func (p *progress) start() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended != nil || p.stopped {
		return
	}
	p.ended = make(chan struct{})
	p.workers.Go(p.goOn)
}

func (p *progress) goOn() {
	first := min(p.every, quietFor)
	select {
	case <-p.ended:
		return
	case <-time.After(first):
		p.tell(first.Seconds(), "Asked Odoo.")
	}
	ticker := time.NewTicker(p.every)
	defer ticker.Stop()
	for n := 1; ; n++ {
		select {
		case <-p.ended:
			return
		case <-ticker.C:
			waited := first + time.Duration(n)*p.every
			p.tell(waited.Seconds(), fmt.Sprintf("Still waiting for Odoo, %s.", waited))
		}
	}
}

// stop returns once nothing more is told: after the answer there must be nothing.
func (p *progress) stop() {
	if p == nil {
		return
	}
	p.mu.Lock()
	if p.ended != nil && !p.stopped {
		close(p.ended)
	}
	p.stopped = true
	p.mu.Unlock()
	p.workers.Wait()
}
