package odoo

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"doorman/odoo/transport"
	"doorman/odoo/wire"
	"doorman/server/access"
	"doorman/server/observe"
)

// Client implements access.Gateway. It is safe for concurrent use; every error is an *access.Error.
type Client struct {
	link     *transport.Link
	breaker  *breaker
	inFlight *inFlight
	timeout  time.Duration
	observe  func(method, outcome string, d time.Duration)
	flying   func(delta float64)
	hello    map[string]any
	maxBody  int64
}

var _ access.Gateway = (*Client)(nil)

// New builds a client. It does not talk to Odoo, so it succeeds while Odoo is down; the error says what is wrong with
// the configuration, without the key.
func New(c Config) (*Client, error) {
	c, base, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	options := c.transport(base)
	link, err := transport.New(options)
	if err != nil {
		return nil, err
	}
	return &Client{
		link: link, breaker: newBreaker(link, options.Hello),
		inFlight: newInFlight(c.MaxInFlight, c.Timeout/3),
		timeout:  c.Timeout, observe: c.Observe, flying: c.InFlight, hello: options.Hello, maxBody: c.MaxBody,
	}, nil
}

// Close drops the idle connections. Calls in flight go on; the client stays usable.
func (c *Client) Close() { c.link.Close() }

// Transport names the way in use: for "auto" also the one it picked, e.g. "auto/json2".
func (c *Client) Transport() string { return c.link.Name() }

// Hello implements access.Gateway. Of an addon that does not fit, the error is of kind Updating; of a copied database, and
// of another one than before, OdooUnavailable.
func (c *Client) Hello(ctx context.Context) (h access.Hello, err error) {
	err = c.do(ctx, job{method: "hello", params: c.hello}, func(raw json.RawMessage) (err error) {
		if h, err = wire.DecodeHello(raw); err != nil {
			return err
		}
		if misfit := c.link.Misfit(); misfit != nil { // what one hello alone does not say: that it is another database
			return c.errorOf(transport.AsFailure(misfit), job{method: "hello"})
		}
		return nil
	})
	return h, err
}

// Resolve implements access.Gateway.
func (c *Client) Resolve(ctx context.Context, p access.Proof) (r access.Resolution, err error) {
	params := map[string]any{"proof": p.Hex()}
	err = c.do(ctx, job{method: "resolve", params: params}, func(raw json.RawMessage) (err error) {
		r, err = wire.DecodeResolve(raw)
		return err
	})
	return r, err
}

// Call implements access.Gateway. It is sent once; where the answer is lost, the error says that it may have been done.
// Of a call that waits for a person it then says the same: nobody knows by then, and the same call again while it waits is
// the same request.
// A Request.Timeout beyond Config.Timeout prolongs the call's deadline to a little more than itself.
func (c *Client) Call(ctx context.Context, f access.Fence, r access.Request) (access.Reply, error) {
	j := job{method: "call", params: map[string]any{"request": wire.EncodeRequest(r)}, harmless: r.Reads || r.DryRun, keyed: r.IdempotencyKey != ""}
	return c.fenced(ctx, f, j, r.Timeout, wire.DecodeCall)
}

// ApprovalStatus implements access.Gateway.
func (c *Client) ApprovalStatus(ctx context.Context, f access.Fence, requestID int64, a access.Audit) (access.Reply, error) {
	params := map[string]any{"request_id": requestID, "audit": wire.EncodeAudit(a)}
	return c.fenced(ctx, f, job{method: "approval_status", params: params, harmless: true}, 0, wire.DecodeStatus)
}

// Fields implements access.Gateway.
func (c *Client) Fields(ctx context.Context, f access.Fence, model, lang string) (access.Reply, error) {
	j := job{method: "fields", params: map[string]any{"model": model, "lang": lang}}
	return c.fenced(ctx, f, j, 0, wire.DecodeReply)
}

// fenced asks a method that checks the fence first. A timeout of 0 is the client's own.
func (c *Client) fenced(
	ctx context.Context, f access.Fence, j job, timeout time.Duration, decode func(json.RawMessage) (access.Reply, error),
) (reply access.Reply, err error) {
	j.params["fence"], j.connection = wire.EncodeFence(f), f.Connection
	if timeout > 0 {
		j.atLeast = timeout + 2*time.Second
	}
	err = c.do(ctx, j, func(raw json.RawMessage) (err error) {
		reply, err = decode(raw)
		return err
	})
	return reply, err
}

// Record implements access.Gateway. No events means no request.
func (c *Client) Record(ctx context.Context, events []access.Event) error {
	if len(events) == 0 {
		return nil
	}
	return c.do(ctx, job{method: "record", params: map[string]any{"events": wire.EncodeEvents(events)}}, wire.DecodeObject)
}

// SyncCatalog implements access.Gateway.
func (c *Client) SyncCatalog(ctx context.Context, tools []access.CatalogTool) error {
	if tools == nil {
		tools = []access.CatalogTool{} // null would not be a list
	}
	return c.do(ctx, job{method: "sync_catalog", params: map[string]any{"tools": tools}}, wire.DecodeObject)
}

// Upkeep implements access.Upkeep. It is counted under the job's own name.
func (c *Client) Upkeep(ctx context.Context, name string) (p access.Progress, err error) {
	j := job{method: "run_job", counted: name, params: map[string]any{"name": name}}
	err = c.do(ctx, j, func(raw json.RawMessage) (err error) {
		p, err = wire.DecodeProgress(raw)
		return err
	})
	return p, err
}

// job is one call on its way through the client.
type job struct {
	method     string
	counted    string // under which name Config.Observe is told of it; "" = method
	params     map[string]any
	connection int64         // whose turn it is in the queue; 0 = the service's own
	atLeast    time.Duration // deadline, if longer than the client's
	harmless   bool          // it touches no record of anybody's: where the answer is lost, it may be asked again
	keyed      bool          // the addon knows it again by its idempotency key
}

// do runs j and hands the result to decode. It is the one place where a failure becomes an error and a call is counted.
func (c *Client) do(ctx context.Context, j job, decode func(json.RawMessage) error) error {
	start := time.Now()
	ctx, trip := observe.Depart(ctx, j.method)
	raw, err := c.run(ctx, j)
	if err == nil {
		err = decode(raw)
	} else {
		err = c.errorOf(transport.AsFailure(err), j)
	}
	outcome := "ok"
	if err != nil {
		outcome = string(access.AsError(err).Kind)
	}
	trip.Arrive(outcome)
	c.observe(cmp.Or(j.counted, j.method), outcome, time.Since(start))
	return err
}

// run takes j past the breaker and the queue to the transport.
func (c *Client) run(ctx context.Context, j job) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, max(c.timeout, j.atLeast))
	defer cancel()
	if c.breaker.open() { // asked before the queue too: nobody has to wait for a refusal
		return nil, &transport.Failure{Class: transport.Open, Reason: "Odoo was not reachable a moment ago"}
	}
	if err := c.inFlight.enter(ctx, j.connection); err != nil {
		return nil, err
	}
	defer c.inFlight.leave(j.connection)
	c.flying(1)
	defer c.flying(-1)
	return c.breaker.do(ctx, j.method, j.params)
}
