package mcp

import (
	"context"
	"time"

	"doorman/server/access"
)

// governed is one tool call that was allowed: the only way for a tool to reach Odoo.
type governed struct {
	server *Server
	caller *caller
	tool   access.Tool
	model  string
	audit  access.Audit
	done   bool // Odoo wrote an audit row for this call
}

// decide takes the decision on the snapshot at hand.
func (g *governed) decide() *access.Error {
	return access.Decide(g.server.now(), g.caller.current(), access.Call{
		Tool: g.tool, Model: g.model, IP: g.caller.ip,
	}).Err()
}

// call runs one ORM call in Odoo. If the decision turns out to rest on an old snapshot, nothing was done there; it is
// taken anew on the fresh one, once.
func (g *governed) call(ctx context.Context, r access.Request) (access.Reply, error) {
	r.Audit = g.audit
	r.Timeout = g.server.timeout
	if deadline, ok := ctx.Deadline(); ok {
		r.Timeout = min(r.Timeout, time.Until(deadline))
	}
	return g.fenced(func(f access.Fence) (access.Reply, error) {
		g.done = true // also where the answer is lost: a second row would be a lie
		return g.server.gateway.Call(ctx, f, r)
	})
}

// fields asks Odoo for the metadata of a model.
func (g *governed) fields(ctx context.Context, model, lang string) (access.Reply, error) {
	return g.fenced(func(f access.Fence) (access.Reply, error) { return g.server.gateway.Fields(ctx, f, model, lang) })
}

func (g *governed) fenced(ask func(access.Fence) (access.Reply, error)) (access.Reply, error) {
	for range 2 {
		snapshot := g.caller.current()
		reply, err := ask(access.FenceOf(g.caller.proof, snapshot))
		if err != nil {
			g.forgetIfDead(err)
			return reply, err
		}
		if reply.Stale == nil {
			g.noteRegistry(snapshot, reply.Registry)
			return reply, nil
		}
		g.done = false
		g.caller.replace(reply.Stale)
		g.server.resolver.put(g.caller.proof, reply.Stale)
		if refusal := g.decide(); refusal != nil {
			return access.Reply{}, refusal
		}
	}
	return access.Reply{}, &access.Error{
		Kind: access.Conflict, Message: "The connection is being changed right now; nothing was done.",
		Hint: "Try again.", RetryAfter: time.Second,
	}
}

// forgetIfDead drops what is remembered of a credential that Odoo just refused: the next request gets its 401.
func (g *governed) forgetIfDead(err error) {
	switch access.AsError(err).Kind {
	case access.Unauthenticated, access.Forbidden:
		g.server.resolver.forget(g.caller.proof)
	}
}

// noteRegistry remembers that Odoo's models changed: what is known of their fields no longer holds.
func (g *governed) noteRegistry(s *access.Snapshot, registry string) {
	if registry == "" || registry == s.Registry {
		return
	}
	fresh := *s
	fresh.Registry = registry
	g.caller.replace(&fresh)
	g.server.resolver.put(g.caller.proof, &fresh)
}
