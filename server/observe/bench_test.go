package observe_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"doorman/server/observe"
)

// oneCall is what a call does to package observe, with one trip to Odoo.
func oneCall(b *testing.B, provider *sdktrace.TracerProvider, noted bool) {
	told := http.Header{"Server-Timing": {"total;dur=2.50, db;dur=1.25"}}
	b.ReportAllocs()
	for b.Loop() {
		ctx := b.Context()
		if noted {
			ctx = observe.With(ctx, &observe.Request{})
		}
		end := func() {}
		if provider != nil {
			outer, span := provider.Tracer(observe.Scope).Start(ctx, "POST /mcp")
			ctx, end = outer, func() { span.End() }
		}
		ctx, call := observe.Start(ctx, observe.Line{Connection: 1, User: 2, Client: "kit", Method: "tools/call", Tool: "search_records"}, "search_records")
		ctx, trip := observe.Depart(ctx, "call")
		header := http.Header{}
		observe.Ask(ctx, header)
		observe.Told(ctx, told)
		trip.Arrive("ok")
		call.Outcome("ok", "")
		call.End()
		end()
	}
}

// BenchmarkNobody is a call that nobody looks at.
func BenchmarkNobody(b *testing.B) { oneCall(b, nil, false) }

// BenchmarkNoted is one that gets a line in the log, without writing it.
func BenchmarkNoted(b *testing.B) { oneCall(b, nil, true) }

// BenchmarkSpans is one with three spans, which are sent, by OTLP.
func BenchmarkSpans(b *testing.B) {
	to := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer to.Close()
	exporter, err := otlptracehttp.New(b.Context(), otlptracehttp.WithEndpointURL(to.URL+"/v1/traces"))
	if err != nil {
		b.Fatal(err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter, sdktrace.WithBlocking()))
	defer func() { _ = provider.Shutdown(b.Context()) }()
	oneCall(b, provider, true)
}
