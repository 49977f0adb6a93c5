package mcp

import (
	"context"
	"net/netip"
	"sync"

	"doorman/server/access"
)

// caller is who stands behind one HTTP request.
type caller struct {
	proof     access.Proof
	ip        netip.Addr
	requestID string
	userAgent string

	mu       sync.Mutex
	snapshot *access.Snapshot // replaced when Odoo says that it is stale
}

func (c *caller) current() *access.Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.snapshot
}

func (c *caller) replace(s *access.Snapshot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.snapshot = s
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
