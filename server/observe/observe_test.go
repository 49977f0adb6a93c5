package observe_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"doorman/server/observe"
)

// TestNobodyLooks: without a request to note in, and without a span, there is nothing, and it does no harm.
func TestNobodyLooks(t *testing.T) { //nolint:paralleltest // it counts allocations
	ctx := t.Context()
	inCall, call := observe.Start(ctx, observe.Line{}, "x")
	inTrip, trip := observe.Depart(ctx, "call")
	if inCall != ctx || call != nil || inTrip != ctx || trip != nil {
		t.Fatal("something was made")
	}
	header := http.Header{}
	observe.Ask(ctx, header)
	observe.Told(ctx, http.Header{"Server-Timing": {"total;dur=1"}})
	observe.Refused(ctx, observe.Line{})
	call.Outcome("ok", "")
	call.End()
	trip.Shares(nil, 2)
	trip.Arrive("ok")
	if len(header) != 0 {
		t.Errorf("asked for %v", header)
	}
	if n := testing.AllocsPerRun(100, func() {
		_, call := observe.Start(ctx, observe.Line{}, "x")
		_, trip := observe.Depart(ctx, "call")
		trip.Arrive("ok")
		call.End()
	}); n > 0 {
		t.Errorf("%v allocations for nobody", n)
	}
}

// TestTold: what Odoo says of its time, and what it cannot mean.
func TestTold(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		header string
		own    time.Duration
		db     time.Duration
	}{
		{"total;dur=12.5, db;dur=4.25", 12500 * time.Microsecond, 4250 * time.Microsecond},
		{"db;dur=1,total;dur=2", 2 * time.Millisecond, time.Millisecond},
		{"cache;dur=9, total;dur=2", 2 * time.Millisecond, 0},
		{"", 0, 0},
		{"total", 0, 0},
		{"total;dur=", 0, 0},
		{"total;dur=NaN, db;dur=Inf", 0, 0},
		{"total;dur=-1, db;dur=1e300", 0, 0},
		{"total;dur=1;desc=x", 0, 0},
	} {
		r := &observe.Request{}
		ctx, trip := observe.Depart(observe.With(t.Context(), r), "call")
		asked := http.Header{}
		if observe.Ask(ctx, asked); asked.Get(observe.AskHeader) == "" {
			t.Error("not asked")
		}
		observe.Told(ctx, http.Header{"Server-Timing": {row.header}})
		trip.Arrive("ok")
		if _, took := r.Told(); took.Own != row.own || took.Database != row.db || took.Waited <= 0 {
			t.Errorf("%q: %+v", row.header, took)
		}
	}
}

// TestPanic: a call that ends without a word has failed.
func TestPanic(t *testing.T) {
	t.Parallel()
	r := &observe.Request{}
	_, call := observe.Start(observe.With(t.Context(), r), observe.Line{Tool: "x"}, "x")
	call.End()
	if lines, _ := r.Told(); len(lines) != 1 || lines[0].Outcome != "internal" || lines[0].Tool != "x" {
		t.Errorf("%+v", lines)
	}
}

// TestShares: those who share a request know its size and its time, and lead to the one whose trace Odoo got.
func TestShares(t *testing.T) {
	t.Parallel()
	kept := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(kept))
	r := &observe.Request{}
	var trips []*observe.Trip
	var contexts []context.Context
	for range 2 {
		ctx, span := provider.Tracer("test").Start(observe.With(t.Context(), r), "request")
		defer span.End()
		ctx, trip := observe.Depart(ctx, "call")
		contexts, trips = append(contexts, ctx), append(trips, trip)
	}
	observe.Told(contexts[0], http.Header{"Server-Timing": {"total;dur=2, db;dur=1"}})
	for _, trip := range trips {
		trip.Shares(trips[0], 2)
		trip.Arrive("ok")
	}
	if _, took := r.Told(); took.Own != 4*time.Millisecond || took.Database != 2*time.Millisecond {
		t.Errorf("%+v", took)
	}
	spans := kept.GetSpans()
	if len(spans) != 2 || len(spans[0].Links) != 0 || len(spans[1].Links) != 1 || spans[1].Links[0].SpanContext.SpanID() != spans[0].SpanContext.SpanID() {
		t.Fatalf("%+v", spans)
	}
	for _, span := range spans {
		said := map[string]any{}
		for _, a := range span.Attributes {
			said[string(a.Key)] = a.Value.AsInterface()
		}
		if said["doorman.odoo.batch.size"] != int64(2) || said["doorman.odoo.seconds"] != 0.002 || said["doorman.odoo.db_seconds"] != 0.001 {
			t.Errorf("%v", said)
		}
	}
}
