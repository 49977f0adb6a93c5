package toolcall

import (
	"context"
	"encoding/json"
	"time"

	"doorman/server/access"
	"doorman/server/mcp/caller"
	"doorman/server/observe"
)

// Call is one call of a tool: the only way for a tool to reach Odoo.
type Call struct {
	runner   *Runner
	who      *caller.Caller
	tool     access.Tool
	args     json.RawMessage // as they came
	model    string
	rate     access.Rate // of this call, taken once
	patience time.Duration
	audit    access.Audit
	recorded bool             // Odoo wrote an audit row for this call
	kept     json.RawMessage  // what Odoo answered when a person approved it: told again instead of called again
	nobody   bool             // nobody made it on purpose: no person is asked to approve it
	decided  *access.Snapshot // that the decision to go on rests on; nil = there is none
	seen     *observe.Call    // for log and trace; nil = nobody looks
	progress *progress        // tells the client that Odoo is still at work; nil = it did not ask
}

// Caller is who made the call.
func (c *Call) Caller() *caller.Caller { return c.who }

// Catalog is every tool.
func (c *Call) Catalog() *Catalog { return c.runner.Catalog }

// Ended notes how the call ended, in one word: ok, or the kind of an error. NoteFailure does it of errors.
func (c *Call) Ended(outcome string) { c.seen.Outcome(outcome, "") }

// Now is the time of the service.
func (c *Call) Now() time.Time { return c.runner.Now() }

// Begin is what every tool calls before anything reaches Odoo: it names the model, "" for none, and takes the decision.
func (c *Call) Begin(ctx context.Context, model string) error {
	c.model, c.decided = model, nil
	if refusal := c.decide(ctx); refusal != nil {
		return refusal
	}
	return nil
}

// decide takes the decision, unless it was taken already on what holds now.
func (c *Call) decide(ctx context.Context) *access.Error {
	known := c.who.Snapshot()
	if c.decided != nil && c.decided == known {
		return nil
	}
	c.decided = nil
	if c.kept != nil {
		c.decided = known // it was decided on, and done: its answer must not get lost with a right that was taken since
		return nil
	}
	return c.runner.Door.Decide(ctx, c.who, func(s *access.Snapshot) *access.Error {
		refusal := access.Decide(c.runner.Now(), s, access.Call{Tool: c.tool, Model: c.model, IP: c.who.IP, Rate: c.rate}).Err()
		if refusal == nil {
			c.decided = s
		}
		return refusal
	})
}

// Do runs one ORM call in Odoo. If the decision turns out to rest on an old snapshot, nothing was done there; it is taken
// anew on the fresh one, once. A call that Odoo has put before a person is not done, and an error, see Waits.
func (c *Call) Do(ctx context.Context, r access.Request) (access.Reply, error) {
	if c.kept != nil {
		return access.Reply{Value: c.kept}, nil
	}
	r.Audit, r.AskNobody, r.Reads = c.audit, c.nobody, !c.tool.Writes
	r.Timeout = c.patience
	if deadline, ok := ctx.Deadline(); ok {
		r.Timeout = min(r.Timeout, time.Until(deadline))
	}
	reply, err := c.counted(ctx, func(f access.Fence) (access.Reply, error) {
		c.progress.start()
		c.recorded = true // also where the answer is lost: a second row would be a lie
		r.Arguments = c.toKeep(r)
		return c.send(ctx, f, r)
	})
	if err == nil && reply.Pending != nil {
		err = &waiting{*reply.Pending}
	}
	return reply, err
}

// send asks Odoo once.
func (c *Call) send(ctx context.Context, f access.Fence, r access.Request) (access.Reply, error) {
	reply, err := c.runner.Gateway.Call(ctx, f, r)
	if err != nil && access.AsError(err).Kind == access.RateLimited && access.AsError(err).Code == "" {
		c.recorded = false // it waits for Odoo with too many others, and never got there
	}
	return reply, err
}

// fenced asks Odoo something behind the fence: with the versions that the decision rests on. Where they are old, Odoo does
// nothing and sends what holds now.
func (c *Call) fenced(ctx context.Context, ask func(access.Fence) (access.Reply, error)) (access.Reply, error) {
	for tries := 0; ; tries++ {
		if refusal := c.decide(ctx); refusal != nil {
			return access.Reply{}, refusal
		}
		if tries == 2 {
			return access.Reply{}, &access.Error{
				Kind: access.Conflict, Message: "The connection is being changed right now; nothing was done.",
				Hint: "Try again.", RetryAfter: time.Second,
			}
		}
		reply, err := ask(access.FenceOf(c.who.Proof, c.decided))
		if err != nil {
			c.runner.Door.Failed(c.who, err)
			return reply, err
		}
		if reply.Stale == nil {
			return reply, nil
		}
		c.recorded = false
		c.runner.Door.Learn(c.who, reply.Stale)
	}
}
