package toolcall

import (
	"context"
	"time"

	"doorman/server/access"
)

// counted asks Odoo something behind the fence whose answer may hold rows of data, which it counts. Odoo is told how many are
// left of the day. Where another call took them meanwhile, what was read is withheld; what was changed is told all the same.
func (c *Call) counted(ctx context.Context, ask func(access.Fence) (access.Reply, error)) (access.Reply, error) {
	reply, err := c.fenced(ctx, func(f access.Fence) (access.Reply, error) {
		left, rest, failure := c.runner.Door.RowsLeft(ctx, c.who)
		if failure != nil {
			return access.Reply{}, failure
		}
		if left != nil {
			f.RowsLeft = new(max(*left, 0))
		}
		reply, err := ask(f)
		return reply, untilTomorrow(err, rest)
	})
	if err != nil || reply.Rows == 0 {
		return reply, err
	}
	// The rows are in hand: a client that goes away must not get them for nothing.
	left, rest, failure := c.runner.Door.GaveRows(context.WithoutCancel(ctx), c.who, reply.Rows)
	switch {
	case c.tool.Writes:
		return reply, nil
	case failure != nil:
		return access.Reply{}, failure
	case left != nil && *left < 0:
		return access.Reply{}, access.RowsUsedUp(c.who.Snapshot().Connection.Policy.RowsDay, rest)
	}
	return reply, nil
}

// untilTomorrow says when to come back where Odoo says that the day's rows are used up: it counts no days.
func untilTomorrow(err error, rest time.Duration) error {
	if err == nil {
		return nil
	}
	e := access.AsError(err)
	if e.Code != access.CodeRowsUsedUp {
		return err
	}
	told := *e
	told.RetryAfter = rest
	return &told
}
