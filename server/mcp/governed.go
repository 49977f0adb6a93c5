package mcp

import (
	"context"
	"fmt"
	"time"

	"doorman/server/access"
)

// governed is one tool call that was allowed: the only way for a tool to reach Odoo.
type governed struct {
	server *Server
	caller *caller
	tool   access.Tool
	model  string
	rate   access.Rate // of this call, taken once
	audit  access.Audit
	done   bool // Odoo wrote an audit row for this call
}

// decide takes the decision.
func (g *governed) decide(ctx context.Context) *access.Error {
	return g.server.decide(ctx, g.caller, func(s *access.Snapshot) *access.Error {
		d := access.Decide(g.server.now(), s, access.Call{Tool: g.tool, Model: g.model, IP: g.caller.ip, Rate: g.rate})
		if by, asks := d.NeedsApproval(); asks {
			return g.askPerson(by)
		}
		return d.Err()
	})
}

// askPerson is where a call is put before the person who must approve it. Nothing can do that yet, so nothing is done.
func (g *governed) askPerson(by string) *access.Error {
	return access.NewError(access.NotAllowed,
		fmt.Sprintf("%s needs the approval of a person (%s), which this version of Doorman cannot ask for yet.", g.tool.Name, by),
		"Use another tool, or ask an MCP administrator.")
}

// call runs one ORM call in Odoo. If the decision turns out to rest on an old snapshot, nothing was done there; it is
// taken anew on the fresh one, once.
func (g *governed) call(ctx context.Context, r access.Request) (access.Reply, error) {
	r.Audit = g.audit
	r.Timeout = g.server.timeout
	if deadline, ok := ctx.Deadline(); ok {
		r.Timeout = min(r.Timeout, time.Until(deadline))
	}
	return g.fenced(ctx, func(f access.Fence) (access.Reply, error) {
		g.done = true // also where the answer is lost: a second row would be a lie
		return g.server.gateway.Call(ctx, f, r)
	})
}

// fields asks Odoo for the metadata of a model.
func (g *governed) fields(ctx context.Context, model, lang string) (access.Reply, error) {
	return g.fenced(ctx, func(f access.Fence) (access.Reply, error) { return g.server.gateway.Fields(ctx, f, model, lang) })
}

func (g *governed) fenced(ctx context.Context, ask func(access.Fence) (access.Reply, error)) (access.Reply, error) {
	for range 2 {
		reply, err := ask(access.FenceOf(g.caller.proof, g.caller.current()))
		if err != nil {
			g.forgetIfDead(err)
			return reply, err
		}
		if reply.Stale == nil {
			return reply, nil
		}
		g.done = false
		g.caller.replace(reply.Stale)
		g.server.resolver.put(g.caller.proof, reply.Stale)
		if refusal := g.decide(ctx); refusal != nil {
			return access.Reply{}, refusal
		}
	}
	return access.Reply{}, &access.Error{
		Kind: access.Conflict, Message: "The connection is being changed right now; nothing was done.",
		Hint: "Try again.", RetryAfter: time.Second,
	}
}

// forgetIfDead drops what is remembered of a credential that Odoo just refused: the next request gets its 401, and many
// at once do not all ask again.
func (g *governed) forgetIfDead(err error) {
	switch e := access.AsError(err); e.Kind {
	case access.Unauthenticated:
		g.server.resolver.refuse(g.caller.proof, e)
	case access.Forbidden:
		g.server.resolver.forget(g.caller.proof)
	}
}
