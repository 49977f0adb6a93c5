package observe

import (
	"context"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Scope is the name of the instrumentation that every span of ours carries.
const Scope = "doorman"

// ErrorType is why something failed, from a closed list: the kind of an access.Error, or an HTTP status.
const ErrorType = attribute.Key("error.type")

// Request is what is noted of one HTTP request while it runs. It is safe for concurrent use; a nil Request notes nothing.
type Request struct {
	mu    sync.Mutex
	calls []Line
	odoo  Time
}

// Line is what the log says of one call.
type Line struct {
	Connection int64 // 0 = not known
	User       int64 // in Odoo; 0 = not known
	Client     string
	Method     string // of MCP; "" = not known
	Tool       string // "" = none, or none of ours
	Outcome    string // ok, or the kind of the error
	Code       string // what exactly was refused, see docs/errors.md; "" = the outcome says it all
}

// Time is what Odoo took.
type Time struct {
	Waited   time.Duration // measured here, with the time in the queue
	Own      time.Duration // as Odoo tells it: of each request, from its start to its answer
	Database time.Duration // as Odoo tells it: in queries, part of Own
}

type requestKey struct{}

// With makes ctx the context of a request that is noted in r.
func With(ctx context.Context, r *Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

func requestOf(ctx context.Context) *Request {
	r, _ := ctx.Value(requestKey{}).(*Request)
	return r
}

// Told is what was noted so far: the calls, in the order in which they ended, and the time that Odoo took for all of them.
func (r *Request) Told() ([]Line, Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls, r.odoo
}

func (r *Request) add(l Line) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, l)
}

func (r *Request) took(t Time) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.odoo.Waited += t.Waited
	r.odoo.Own += t.Own
	r.odoo.Database += t.Database
}

// Call is one call of a tool under way. A nil Call notes nothing. It is for one goroutine.
type Call struct {
	request *Request
	span    trace.Span
	line    Line
}

type remoteKey struct{}

// From takes over the trace that an MCP message says it belongs to, by traceparent and tracestate in its _meta
// (https://modelcontextprotocol.io/seps/414). meta is a message's _meta; anything else in it is left alone.
func From(ctx context.Context, meta map[string]any) context.Context {
	carrier := propagation.MapCarrier{}
	for _, name := range (propagation.TraceContext{}).Fields() {
		if text, ok := meta[name].(string); ok {
			carrier[name] = text
		}
	}
	if carrier["traceparent"] == "" {
		return ctx
	}
	remote := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier))
	if !remote.IsValid() {
		return ctx
	}
	return context.WithValue(ctx, remoteKey{}, remote)
}

// Start notes that a call begins. l says whose call it is and of what, name is the tool's as a span may have it: from a closed
// list. The context is for what the call does; End has to follow. A trace that the message itself names (From) comes before
// that of the HTTP request, whose span is linked then: a proxy on the way may have begun another one.
func Start(ctx context.Context, l Line, name string) (context.Context, *Call) {
	request, outer := requestOf(ctx), trace.SpanFromContext(ctx)
	var links []trace.Link
	if remote, ok := ctx.Value(remoteKey{}).(trace.SpanContext); ok {
		ctx = trace.ContextWithRemoteSpanContext(ctx, remote)
		if outer.SpanContext().IsValid() {
			links = []trace.Link{{SpanContext: outer.SpanContext()}}
		}
	}
	if request == nil && !outer.IsRecording() {
		return ctx, nil
	}
	c := &Call{request: request, line: l}
	if outer.IsRecording() {
		ctx, c.span = outer.TracerProvider().Tracer(Scope).Start(ctx, l.Method+" "+name,
			trace.WithSpanKind(trace.SpanKindServer), trace.WithLinks(links...), trace.WithAttributes(
				attribute.String("mcp.method.name", l.Method),
				attribute.String("gen_ai.operation.name", "execute_tool"),
				attribute.String("gen_ai.tool.name", name),
				attribute.Int64("doorman.connection.id", l.Connection),
				attribute.Int64("doorman.user.id", l.User),
			))
	}
	return ctx, c
}

// Outcome notes how the call ended: ok, or the kind of an error with its code, which may be "". The last word counts.
func (c *Call) Outcome(outcome, code string) {
	if c != nil {
		c.line.Outcome, c.line.Code = outcome, code
	}
}

// End notes that the call is over. Of a call without an outcome, which has panicked, the outcome is "internal".
func (c *Call) End() {
	if c == nil {
		return
	}
	if c.line.Outcome == "" {
		c.line.Outcome = "internal"
	}
	c.request.add(c.line)
	if c.span != nil {
		mark(c.span, c.line)
		c.span.End()
	}
}

// Refused notes a request that did not get as far as a call, with its outcome.
func Refused(ctx context.Context, l Line) {
	requestOf(ctx).add(l)
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		mark(span, l)
	}
}

// mark puts an outcome on a span. Its status has no description: an error's words may quote what was asked.
func mark(span trace.Span, l Line) {
	if l.Outcome == "ok" || l.Outcome == "pending_approval" {
		span.SetAttributes(attribute.String("doorman.outcome", l.Outcome))
		return
	}
	span.SetStatus(codes.Error, "")
	span.SetAttributes(ErrorType.String(l.Outcome))
	if l.Code != "" {
		span.SetAttributes(attribute.String("doorman.reason", l.Code))
	}
}
