package observe

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// AskHeader asks the addon to tell in Server-Timing how long a request took in Odoo (addon/doorman/controllers/gateway.py).
// One that does not know it tells nothing.
const AskHeader = "X-Doorman-Timing"

// Trip is one call of Odoo under way. It is safe for concurrent use: its caller may have left while others, who share its
// request, still wait. A nil Trip notes nothing.
type Trip struct {
	request *Request
	span    trace.Span
	start   time.Time

	mu   sync.Mutex
	time Time
}

type tripKey struct{}

// Depart notes that a gateway method of Odoo's is about to be called. The context is for the call; Arrive has to follow.
func Depart(ctx context.Context, method string) (context.Context, *Trip) {
	request, outer := requestOf(ctx), trace.SpanFromContext(ctx)
	if request == nil && !outer.IsRecording() {
		return ctx, nil
	}
	t := &Trip{request: request, start: time.Now()}
	if outer.IsRecording() {
		ctx, t.span = outer.TracerProvider().Tracer(Scope).Start(ctx, "doorman.gateway/"+method,
			trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
				attribute.String("rpc.system.name", "jsonrpc"),
				attribute.String("rpc.method", "doorman.gateway/"+method),
			))
	}
	return context.WithValue(ctx, tripKey{}, t), t
}

// TripOf is the trip that ctx is the context of; nil if it is of none.
func TripOf(ctx context.Context) *Trip {
	t, _ := ctx.Value(tripKey{}).(*Trip)
	return t
}

// Arrive notes how the call ended: ok, or the kind of an error.
func (t *Trip) Arrive(outcome string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.time.Waited = time.Since(t.start)
	t.request.took(t.time)
	if t.span == nil {
		return
	}
	if t.time.Own > 0 {
		t.span.SetAttributes(
			attribute.Float64("doorman.odoo.seconds", t.time.Own.Seconds()),
			attribute.Float64("doorman.odoo.db_seconds", t.time.Database.Seconds()),
		)
	}
	if outcome != "ok" {
		t.span.SetStatus(codes.Error, "")
		t.span.SetAttributes(ErrorType.String(outcome))
	}
	t.span.End()
}

// Shares notes that t's call shares the request of lead with others, size calls in all, once its answer is there.
func (t *Trip) Shares(lead *Trip, size int) {
	if t == nil {
		return
	}
	if t.span != nil {
		t.span.SetAttributes(attribute.Int("doorman.odoo.batch.size", size))
		if lead != nil && lead != t && lead.span != nil {
			// The request carries the trace of the first: this leads from the others to what Odoo says of it.
			t.span.AddLink(trace.Link{SpanContext: lead.span.SpanContext()})
		}
	}
	if lead != nil && lead != t {
		lead.mu.Lock()
		took := lead.time
		lead.mu.Unlock()
		t.took(took)
	}
}

func (t *Trip) took(took Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.time.Own += took.Own
	t.time.Database += took.Database
}

// Ask puts into the header of a request to Odoo what ctx says: the trace that it belongs to (W3C Trace Context), and, if it is of
// a trip, the question for its time.
func Ask(ctx context.Context, header http.Header) {
	if trace.SpanContextFromContext(ctx).IsValid() {
		propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(header))
	}
	if TripOf(ctx) != nil {
		header.Set(AskHeader, "1")
	}
}

// Told takes the answer to Ask from the header of Odoo's answer.
func Told(ctx context.Context, header http.Header) {
	t := TripOf(ctx)
	if t == nil {
		return
	}
	var took Time
	for entry := range strings.SplitSeq(header.Get("Server-Timing"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(entry), ";dur=")
		ms, err := strconv.ParseFloat(value, 64)
		if err != nil || !(ms >= 0 && ms < maxMilliseconds) {
			continue
		}
		switch d := time.Duration(ms * float64(time.Millisecond)); name {
		case "total":
			took.Own = d
		case "db":
			took.Database = d
		}
	}
	t.took(took)
}

// maxMilliseconds is longer than any call may take: a larger number does not come from the addon.
const maxMilliseconds = 24 * 60 * 60 * 1000
