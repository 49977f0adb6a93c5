package caller

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/rs/zerolog"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
	"doorman/server/observe"
)

// Identify tells who sends a request, as the layers in front found it.
type Identify func(*http.Request) (ip netip.Addr, requestID string)

// Config is what the door needs. All of it is required but the log.
type Config struct {
	Gateway  access.Gateway
	Limiter  Limiter
	Identify Identify
	Audit    *AuditBatch
	Log      zerolog.Logger
	// Resource is the URL of this endpoint, as tokens are made for it (RFC 8707).
	Resource string
	// ResourceMetadata is the URL of the RFC 9728 document, for WWW-Authenticate.
	ResourceMetadata string
	MaxBody          int64 // largest request body in bytes
	Now              func() time.Time
	Observe          func(tool, outcome string, d time.Duration)
	CountRefusal     func(kind access.Kind)
	// ToolOf returns the tool that a request of a method with these parameters is a call of; nil if it is of none.
	ToolOf func(c *Caller, method string, params map[string]json.RawMessage) *access.Tool
}

// Door lets requests in, and knows what holds for those who sent them. It keeps caches and nothing else.
type Door struct {
	identify         Identify
	resolver         *resolver
	rates            *rates
	audit            *AuditBatch
	inFlight         *inFlight
	resource         string
	resourceMetadata string
	maxBody          int64
	now              func() time.Time
	observe          func(tool, outcome string, d time.Duration)
	countRefusal     func(kind access.Kind)
	toolOf           func(c *Caller, method string, params map[string]json.RawMessage) *access.Tool
}

// NewDoor builds a door.
func NewDoor(c Config) *Door {
	limits := &rates{limiter: c.Limiter, now: c.Now, warn: func(err error) {
		c.Log.Warn().Err(err).Msg("the rate limits cannot be checked: requests are refused until they can")
	}}
	return &Door{
		identify: c.Identify, resolver: newResolver(c.Gateway, limits, c.Now), rates: limits, audit: c.Audit, inFlight: newInFlight(),
		resource: c.Resource, resourceMetadata: c.ResourceMetadata, maxBody: c.MaxBody,
		now: c.Now, observe: c.Observe, countRefusal: c.CountRefusal, toolOf: c.ToolOf,
	}
}

// Decide takes a decision on the snapshot at hand. If that refuses, it is taken once more on what holds now: what an
// administrator has just allowed works at once.
func (d *Door) Decide(ctx context.Context, c *Caller, on func(*access.Snapshot) *access.Error) *access.Error {
	known := c.Snapshot()
	refusal := on(known)
	if refusal == nil || refusal.Kind == access.RateLimited || c.hasAsked() {
		return refusal
	}
	fresh, err := d.resolver.renew(ctx, c.Proof)
	if err != nil {
		if e := access.AsError(err); e.Kind == access.Unauthenticated {
			return e
		}
		return refusal // an outage: what is known still refuses
	}
	if fresh == known {
		return refusal
	}
	c.replace(fresh)
	return on(fresh)
}

// admit decides whether the caller may ask for anything at all.
func (d *Door) admit(ctx context.Context, c *Caller) *access.Error {
	return d.Decide(ctx, c, func(snapshot *access.Snapshot) *access.Error {
		return access.Admit(d.now(), snapshot, c.IP).Err()
	})
}

// AdmitCall decides whether the caller may make a call now, whatever it is, and counts it. The rate is for the decision on
// the call itself.
func (d *Door) AdmitCall(ctx context.Context, c *Caller) (access.Rate, *access.Error) {
	if refusal := d.admit(ctx, c); refusal != nil {
		return access.Rate{}, refusal
	}
	rate, refusal := d.rates.call(ctx, c.Snapshot())
	if refusal == nil {
		refusal = access.Limit(rate).Err()
	}
	return rate, refusal
}

// AdmitOther decides whether the caller may ask for what is not a call, and counts it; except for the first time after
// Authenticate, which has counted what it read in the body. The SDK may have found more there.
func (d *Door) AdmitOther(ctx context.Context, c *Caller) *access.Error {
	if refusal := d.admit(ctx, c); refusal != nil {
		return refusal
	}
	if c.counted.CompareAndSwap(true, false) {
		return nil
	}
	return d.rates.other(ctx, c.Snapshot())
}

// RowsLeft tells how many rows of data the caller may still get today; nil = any number. rest is how long today lasts.
func (d *Door) RowsLeft(ctx context.Context, c *Caller) (left *int, rest time.Duration, failure *access.Error) {
	return d.GaveRows(ctx, c, 0)
}

// GaveRows counts rows of data that the caller is given, and tells what is left then: less than 0 if that is too many,
// since other calls were given theirs meanwhile.
func (d *Door) GaveRows(ctx context.Context, c *Caller, n int) (left *int, rest time.Duration, failure *access.Error) {
	s := c.Snapshot()
	if s.Connection.Policy.RowsDay == 0 {
		return nil, 0, nil
	}
	many, rest, failure := d.rates.rows(ctx, s, n)
	return &many, rest, failure
}

// Learn takes the snapshot that came with an answer of Odoo's: the one at hand was stale.
func (d *Door) Learn(c *Caller, fresh *access.Snapshot) {
	c.replace(fresh)
	d.resolver.put(c.Proof, fresh)
}

// Caches are those of the door, to be watched.
func (d *Door) Caches() []observe.Cache {
	return []observe.Cache{observe.CacheOf("snapshots", d.resolver.cache)}
}

// ForgetClient drops what is remembered of an OAuth client's tokens: it has just given one back.
func (d *Door) ForgetClient(id string) { d.resolver.forgetClient(id) }

// Failed looks at the error of a call: what is remembered of a credential that Odoo just refused is dropped. The next
// request gets its 401, and many at once do not all ask again.
func (d *Door) Failed(c *Caller, err error) {
	switch e := access.AsError(err); e.Kind {
	case access.Unauthenticated:
		c.dead.Store(e)
		d.resolver.refuse(c.Proof, e)
	case access.Forbidden:
		d.resolver.forget(c.Proof)
	}
}

// CameToNothing looks at how a counted call failed: one that was not even begun, since what it needs is away, does not use up
// the day.
func (d *Door) CameToNothing(ctx context.Context, c *Caller, err error) {
	switch access.AsError(err).Kind {
	case access.OdooUnavailable, access.Unavailable, access.Updating:
		if snapshot := c.Snapshot(); snapshot != nil {
			d.rates.giveBack(ctx, snapshot)
		}
	}
}

// TurnAway is Refused for a request that did not get as far as a call: for the log and the trace, too. They get the tool if it is
// known: another name is the client's invention, and may hold anything.
func (d *Door) TurnAway(ctx context.Context, c *Caller, method, tool string, known bool, e *access.Error) {
	line := c.Line(c.Audit(nil, method, ""))
	if known {
		line.Tool = tool
	}
	line.Outcome, line.Code = string(e.Kind), e.Code
	observe.Refused(ctx, line)
	d.Refused(c, method, tool, "", e)
}

// Refused notes a refusal that Odoo does not know of; tool and model are "" where there are none.
func (d *Door) Refused(c *Caller, method, tool, model string, e *access.Error) {
	d.countRefusal(e.Kind)
	if e.Kind == access.Unauthenticated {
		c.dead.Store(e)
	}
	if e.Kind.Outage() {
		return // nobody refused it
	}
	d.audit.add(d.event(c, access.Event{
		Model: mcperr.Clip(model, 64), Reason: e.Kind, Message: e.Message, Audit: c.Audit(nil, method, tool),
	}))
}

// Served notes a request that was answered without Odoo: it shows that the connection is in use. A ping shows only that
// a program is still running, and a notification asks for nothing.
func (d *Door) Served(c *Caller, session *sdk.ServerSession, method string) {
	if method == "ping" || strings.HasPrefix(method, "notifications/") {
		return
	}
	d.audit.add(d.event(c, access.Event{Served: true, Audit: c.Audit(session, method, "")}))
}

// event completes e with when it was, and whose connection.
func (d *Door) event(c *Caller, e access.Event) access.Event {
	e.Time = d.now().UTC().Truncate(time.Second)
	if snapshot := c.Snapshot(); snapshot != nil {
		e.Connection, e.Proof = snapshot.Connection.ID, c.Proof
	}
	return e
}
