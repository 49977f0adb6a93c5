package mcp

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"

	"doorman/server/access"
)

// caller is who stands behind one HTTP request.
type caller struct {
	proof     access.Proof
	ip        netip.Addr
	requestID string
	userAgent string

	// refusal is the answer to every call while nobody can tell whose it is: Doorman is being updated. Then there is no
	// snapshot.
	refusal *access.Error

	hungUp    context.Context // ends when the client's connection does; nil = never
	withdrawn context.Context // ends when the client takes the request back; nil = never
	streams   bool            // the answer is a stream, so there is room for progress before it

	// counted says that authenticate has counted a request that is no tool call; guard, which sees what the SDK made of
	// the body, takes it for the first one and counts the others.
	counted atomic.Bool

	mu       sync.Mutex
	snapshot *access.Snapshot // replaced when Odoo says that it is stale
	asked    bool             // Odoo said what holds while this request ran: a refusal need not ask again
}

func (c *caller) current() *access.Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.snapshot
}

func (c *caller) replace(s *access.Snapshot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.snapshot, c.asked = s, true
}

func (c *caller) hasAsked() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

type callerKey struct{}

func withCaller(ctx context.Context, c *caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// callerOf returns the caller of a request. There is none only where Authenticate was not passed, and then there is
// nobody to act as: the error refuses.
func callerOf(ctx context.Context) (*caller, *access.Error) {
	if c, ok := ctx.Value(callerKey{}).(*caller); ok && c != nil {
		return c, nil
	}
	return nil, access.Invalid()
}
