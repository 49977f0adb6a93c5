package mcp

import (
	"context"
	"encoding/json"
	"time"

	"doorman/server/access"
	"doorman/server/mcp/caller"
)

// governed is one tool call that was allowed: the only way for a tool to reach Odoo.
type governed struct {
	server  *Server
	caller  *caller.Caller
	tool    access.Tool
	args    json.RawMessage // as they came
	model   string
	records int         // known once the request is
	dryRun  bool        // likewise
	rate    access.Rate // of this call, taken once
	audit   access.Audit
	asks    bool            // by the last decision: nothing is missing but a person's approval
	done    bool            // Odoo wrote an audit row for this call
	kept    json.RawMessage // what Odoo answered when a person approved it: told again instead of called again

	progress *progress // tells the client that Odoo is still at work; nil = it did not ask
	noAsking bool      // a call that nobody made on purpose: no person is asked to approve it
}

// decide takes the decision on what is known of the call. That a person must approve it is no refusal here: begin does
// not know yet whether it is a dry run, or of how many records. call does, and is the only one who acts on it.
func (g *governed) decide(ctx context.Context) *access.Error {
	if g.kept != nil {
		return nil // it was decided on, and done: its answer must not get lost with a right that was taken since
	}
	return g.server.door.Decide(ctx, g.caller, func(s *access.Snapshot) *access.Error {
		d := access.Decide(g.server.now(), s, access.Call{
			Tool: g.tool, Model: g.model, IP: g.caller.IP, Rate: g.rate, Records: g.records, DryRun: g.dryRun,
		})
		if _, g.asks = d.NeedsApproval(); g.asks {
			return nil
		}
		return d.Err()
	})
}

// call runs one ORM call in Odoo, or puts it before the person who must approve it. If the decision turns out to rest on
// an old snapshot, nothing was done there; it is taken anew on the fresh one, once.
func (g *governed) call(ctx context.Context, r access.Request) (access.Reply, error) {
	if g.kept != nil {
		return access.Reply{Value: g.kept}, nil
	}
	r.Audit, r.Arguments = g.audit, g.args
	r.Timeout = g.server.timeout
	if deadline, ok := ctx.Deadline(); ok {
		r.Timeout = min(r.Timeout, time.Until(deadline))
	}
	g.records, g.dryRun = recordsOf(r), r.DryRun
	if refusal := g.decide(ctx); refusal != nil {
		return access.Reply{}, refusal
	}
	reply, err := g.fenced(ctx, func(f access.Fence) (access.Reply, error) { return g.ask(ctx, f, r) })
	if err == nil && reply.Pending != nil {
		err = &waiting{*reply.Pending}
	}
	return reply, err
}

// ask asks Odoo once what the decision says. Odoo, which counts more than the service can, has the last word on what
// needs approval.
func (g *governed) ask(ctx context.Context, f access.Fence, r access.Request) (access.Reply, error) {
	g.progress.start()
	g.done = true // also where the answer is lost: a second row would be a lie
	if !g.asks || g.noAsking {
		reply, err := g.server.gateway.Call(ctx, f, r)
		if err != nil && access.AsError(err).Kind == access.RateLimited {
			g.done = false // it waits for Odoo with too many others, and never got there
		}
		if err == nil || g.noAsking || access.AsError(err).Kind != access.PendingApproval {
			return reply, err
		}
	}
	return g.server.gateway.RequestApproval(ctx, f, r)
}

// recordsOf counts the records that a request is about, as far as it shows.
func recordsOf(r access.Request) int {
	if rows, ok := r.Kwargs["vals_list"].([]json.RawMessage); ok {
		return len(rows)
	}
	return len(r.IDs)
}

// fields asks Odoo for the metadata of a model.
func (g *governed) fields(ctx context.Context, model, lang string) (access.Reply, error) {
	return g.fenced(ctx, func(f access.Fence) (access.Reply, error) { return g.server.gateway.Fields(ctx, f, model, lang) })
}

func (g *governed) fenced(ctx context.Context, ask func(access.Fence) (access.Reply, error)) (access.Reply, error) {
	for range 2 {
		reply, err := ask(access.FenceOf(g.caller.Proof, g.caller.Snapshot()))
		if err != nil {
			g.server.door.Failed(g.caller, err)
			return reply, err
		}
		if reply.Stale == nil {
			return reply, nil
		}
		g.done = false
		g.server.door.Learn(g.caller, reply.Stale)
		if refusal := g.decide(ctx); refusal != nil {
			return access.Reply{}, refusal
		}
	}
	return access.Reply{}, &access.Error{
		Kind: access.Conflict, Message: "The connection is being changed right now; nothing was done.",
		Hint: "Try again.", RetryAfter: time.Second,
	}
}
