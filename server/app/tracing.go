package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"doorman/server/observe"
)

// Tracing is configured by OpenTelemetry's own variables, which an operator of many services sets for all of them:
// https://opentelemetry.io/docs/specs/otel/protocol/exporter/. Here it is decided whether there are traces and where they go;
// headers, certificates, time limits, sampling, batches and the resource are read by OpenTelemetry's SDK.
const (
	otelEndpoint       = "OTEL_EXPORTER_OTLP_ENDPOINT"
	otelTracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	otelProtocol       = "OTEL_EXPORTER_OTLP_PROTOCOL"
	otelTracesProtocol = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
	otelExporter       = "OTEL_TRACES_EXPORTER"
	otelDisabled       = "OTEL_SDK_DISABLED"
)

const (
	// flushWithin is how long the end of the service waits for a collector to take the last spans.
	flushWithin = 3 * time.Second
	// warnEvery is how often the log says that a collector takes nothing.
	warnEvery = time.Minute
)

// tracesURL says where spans go; "" = nowhere. variables are OpenTelemetry's, without those that are empty.
func tracesURL(variables map[string]string) (string, []error) {
	if strings.EqualFold(variables[otelDisabled], "true") || variables[otelExporter] == "none" {
		return "", nil
	}
	name, address := otelTracesEndpoint, variables[otelTracesEndpoint]
	if address == "" {
		if name, address = otelEndpoint, variables[otelEndpoint]; address == "" {
			return "", nil
		}
		address = strings.TrimSuffix(address, "/") + "/v1/traces"
	}
	var problems []error
	if u, err := url.Parse(address); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		problems = append(problems, fmt.Errorf("%s must look like http://127.0.0.1:4318", name))
	}
	if e := variables[otelExporter]; e != "" && e != "otlp" {
		problems = append(problems, fmt.Errorf("%s is %q: use otlp or none", otelExporter, e))
	}
	for _, name := range []string{otelTracesProtocol, otelProtocol} {
		if p := variables[name]; p == "http/protobuf" {
			break
		} else if p != "" {
			problems = append(problems, fmt.Errorf("%s is %q: Doorman sends http/protobuf, which collectors take at port 4318", name, p))
			break
		}
	}
	return address, problems
}

// tracing makes spans of requests. A nil tracing makes none, and takes over a client's trace all the same.
type tracing struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

// newTracing builds what sends spans to c.tracesURL. It talks to nobody yet.
func newTracing(ctx context.Context, c *Config, log zerolog.Logger) (*tracing, error) {
	if c.tracesURL == "" {
		return nil, nil //nolint:nilnil // see tracing
	}
	client := otlptracehttp.NewClient(otlptracehttp.WithEndpointURL(c.tracesURL))
	exporter := otlptrace.NewUnstarted(client)
	if err := exporter.Start(ctx); err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	// What the environment says of the service comes last: it may call it something else.
	about, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", "doorman"), attribute.String("service.version", version()),
		attribute.String("service.instance.id", uuid.NewString()),
	), resource.WithFromEnv())
	if err != nil && about == nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithResource(about), sdktrace.WithBatcher(&warningExporter{SpanExporter: exporter, log: log}),
	)
	return &tracing{provider: provider, tracer: provider.Tracer(observe.Scope)}, nil
}

// stop sends what is left, bounded in time.
func (t *tracing) stop() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushWithin)
	defer cancel()
	_ = t.provider.Shutdown(ctx) // the exporter has said what was wrong
}

// incoming is the trace that a client says its request belongs to (W3C Trace Context).
func incoming(r *http.Request) context.Context {
	if len(r.Header.Values("Traceparent")) != 1 { // several could mean one thing here and another one behind us
		return r.Context()
	}
	return propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
}

// methods are those that a span is named by. Anything may be sent as one.
var methods = map[string]bool{
	http.MethodGet: true, http.MethodHead: true, http.MethodPost: true, http.MethodPut: true, http.MethodPatch: true,
	http.MethodDelete: true, http.MethodOptions: true, http.MethodConnect: true, http.MethodTrace: true,
}

// start begins the span of a request to a route, which is "" for a path that is not served. The path itself is not told: it may
// hold a token.
func (t *tracing) start(ctx context.Context, method, route, requestID string) (context.Context, trace.Span) {
	if t == nil {
		return ctx, nil
	}
	name := "HTTP"
	if methods[method] {
		name = method
	} else {
		method = "_OTHER"
	}
	about := []attribute.KeyValue{
		attribute.String("http.request.method", method), attribute.String("doorman.request.id", requestID),
	}
	if route != "" {
		name += " " + route
		about = append(about, attribute.String("http.route", route))
	}
	return t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(about...))
}

// watchJob implements jobs.Watch: its metrics, and a trace of its own for each run.
func (s *service) watchJob(ctx context.Context, job string) (context.Context, func(outcome string)) {
	start := time.Now()
	ctx, span := s.tracing.startJob(ctx, job)
	return ctx, func(outcome string) {
		if outcome != "" {
			s.metrics.job(job, outcome, time.Since(start))
		}
		endJob(span, outcome)
	}
}

// startJob begins the span of a job's run. The names of jobs come from a list, ours or Odoo's.
func (t *tracing) startJob(ctx context.Context, job string) (context.Context, trace.Span) {
	if t == nil {
		return ctx, nil
	}
	return t.tracer.Start(ctx, "job "+job, trace.WithNewRoot(), trace.WithAttributes(attribute.String("doorman.job.name", job)))
}

// endJob ends the span of a job's run; outcome is as jobs.Watch has it.
func endJob(span trace.Span, outcome string) {
	switch {
	case span == nil:
		return
	case outcome == "":
		outcome = "stopped"
	case outcome != "ok":
		span.SetStatus(codes.Error, "")
		span.SetAttributes(observe.ErrorType.String(outcome))
	}
	span.SetAttributes(attribute.String("doorman.outcome", outcome))
	span.End()
}

// endSpan ends the span of a request that was answered. Below 500 it is the client's error, and not ours.
func endSpan(span trace.Span, answer *echo.Response) {
	if span == nil {
		return
	}
	span.SetAttributes(attribute.Int("http.response.status_code", answer.Status), attribute.Int64("http.response.body.size", answer.Size))
	if answer.Status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
		span.SetAttributes(observe.ErrorType.String(strconv.Itoa(answer.Status)))
	}
	span.End()
}

// warningExporter says in our own log that spans are not taken, and not with every batch of them.
type warningExporter struct {
	sdktrace.SpanExporter
	log zerolog.Logger

	mu     sync.Mutex
	warned time.Time
}

// ExportSpans implements trace.SpanExporter.
func (e *warningExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if now := time.Now(); now.Sub(e.warned) >= warnEvery {
		e.warned = now
		e.log.Warn().Str("error", exportError(err)).Msg("the OpenTelemetry collector does not take spans: they are dropped")
	}
	return nil // it is said
}

// exportError leaves the address out, which may hold a password.
func exportError(err error) string {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return err.Error()
}
