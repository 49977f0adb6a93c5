package audit

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
)

// collect is how many records go in one request: a row is a kilobyte or two, and collectors take 4 MB.
const collect = 500

// otlp sends rows as logs of OpenTelemetry (OTLP/HTTP, opentelemetry.io/docs/specs/otlp).
type otlp struct {
	ctx      context.Context
	exporter *otlploghttp.Exporter
	records  []sdklog.Record
	now      func() time.Time
}

// DialOTLP makes a sink of a collector: otlp+https://host[:4318][/path], or otlp+http:// on a network of one's own; without a
// path it is /v1/logs. Headers, certificates and time limits are those of the OTEL_EXPORTER_OTLP_... variables. A row counts
// as taken once the collector has answered.
func DialOTLP(ctx context.Context, address string) (Sink, error) {
	u, err := url.Parse(strings.TrimPrefix(address, "otlp+"))
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("%q is not an address such as otlp+https://logs.example.com:4318", address)
	}
	if u.Port() == "" {
		u.Host += ":4318"
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/v1/logs"
	}
	exporter, err := otlploghttp.New(ctx, otlploghttp.WithEndpointURL(u.String()))
	if err != nil {
		return nil, err
	}
	return &otlp{ctx: ctx, exporter: exporter, now: time.Now}, nil
}

// Write takes a line over; Flush sends it, or Write itself when enough have come together.
func (o *otlp) Write(line []byte) error {
	var r sdklog.Record
	r.SetEventName("doorman.audit")
	r.SetObservedTimestamp(o.now())
	if at := timeOf(line); !at.IsZero() {
		r.SetTimestamp(at)
	}
	r.SetSeverity(log.SeverityInfo)
	r.SetSeverityText("INFO")
	r.SetBody(attribute.StringValue(string(line)))
	o.records = append(o.records, r)
	if len(o.records) < collect {
		return nil
	}
	return o.Flush()
}

// Flush sends what has been taken over. What fails is sent again by the next Flush.
func (o *otlp) Flush() error {
	if len(o.records) == 0 {
		return nil
	}
	if err := o.exporter.Export(o.ctx, o.records); err != nil {
		return fmt.Errorf("the collector did not take the rows: %w", err)
	}
	o.records = o.records[:0]
	return nil
}

// Close sends the rest, and ends.
func (o *otlp) Close() error {
	return errors.Join(o.Flush(), o.exporter.Shutdown(o.ctx))
}
