package toolcall

import (
	"context"
	"encoding/json"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/rs/zerolog"

	"doorman/server/access"
	"doorman/server/mcp/caller"
	"doorman/server/observe"
)

// Config is what calls need. All of it is required but the log.
type Config struct {
	Gateway access.Gateway
	Door    *caller.Door
	Catalog *Catalog
	Log     zerolog.Logger
	// FilesURL is what the token of a link to a file is put behind, with a slash at its end.
	FilesURL string
	Timeout  time.Duration // deadline of one call
	Progress time.Duration // how often a client that asked for it is told that Odoo is still at work
	Now      func() time.Time
	Observe  func(tool, outcome string, d time.Duration)
}

// Runner makes calls of tools. It keeps a cache of what is known of models, and nothing else.
type Runner struct {
	Config
	models *modelCache
}

// NewRunner builds a runner.
func NewRunner(c Config) *Runner { return &Runner{Config: c, models: newModelCache()} }

// Caches are those of the calls, to be watched.
func (r *Runner) Caches() []observe.Cache {
	return []observe.Cache{observe.CacheOf("models", r.models.cache)}
}

// Origin is the request of the protocol that a call is for.
type Origin struct {
	Method  string // tools/call, or another one that is a call of a tool too
	Session *sdk.ServerSession
	Params  sdk.RequestParams // where a client asks for progress; nil = it cannot
}

// Start begins a call that was admitted and counted (caller.WithRate). It has a deadline, and ends early where its client
// does not want it any more; end follows when its answer is there.
func (r *Runner) Start(ctx context.Context, who *caller.Caller, t *Tool, arguments json.RawMessage, from Origin) (_ context.Context, c *Call, end func()) {
	patience := max(r.Timeout, t.Patience)
	ctx, cancel := context.WithTimeout(ctx, patience)
	stop := who.EndEarly(cancel, t.Writes)
	c = &Call{
		runner: r, who: who, tool: t.Tool, args: arguments, rate: caller.RateOf(ctx), patience: patience,
		audit: who.Audit(from.Session, from.Method, t.Name), progress: r.progressOf(ctx, who, from),
	}
	ctx, c.seen = observe.Start(ctx, who.Line(c.audit), r.Catalog.MetricName(t.Name))
	return ctx, c, func() {
		c.seen.End()
		c.progress.stop()
		stop()
		cancel()
	}
}

// Lookup begins a call that nobody made on purpose: what it reads is for a list that people pick from. The request that it
// is for was counted as what it is, and may go away, since others wait for the same answer. Nobody is asked to approve it.
func (r *Runner) Lookup(ctx context.Context, who *caller.Caller, t *Tool, from Origin) (_ context.Context, c *Call, end func()) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.Timeout)
	return ctx, &Call{
		runner: r, who: who, tool: t.Tool, rate: access.Rate{Allowed: true}, patience: r.Timeout,
		audit: who.Audit(from.Session, from.Method, t.Name), nobody: true,
	}, cancel
}

// Handler is what the SDK calls for a tool. It never returns a Go error: the SDK would turn it into a protocol error that
// no model reads.
func (r *Runner) Handler(t *Tool) sdk.ToolHandler {
	return func(ctx context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		start := r.Now()
		who, refusal := caller.Of(ctx)
		if refusal != nil {
			return ErrorResult(refusal), nil
		}
		ctx, c, end := r.Start(ctx, who, t, req.Params.Arguments, Origin{caller.MethodCall, req.Session, req.Params})
		defer end()
		var value any
		var err error
		if state := req.Params.RequestState; state != "" {
			value, err = c.resume(ctx, state)
		} else {
			value, err = t.Run(ctx, c, c.args)
		}
		if err != nil {
			r.Door.CameToNothing(ctx, who, err)
		}
		result, outcome := c.result(req, value, err)
		r.Observe(t.Name, outcome, r.Now().Sub(start))
		return result, nil
	}
}
