package app

import (
	"context"
	"time"

	"github.com/labstack/echo/v4"
	"go.opentelemetry.io/otel/trace"

	"doorman/server/observe"
)

// logCalls writes a line for each call of a request to the MCP endpoint, and for one that was refused before it was known for what:
// whose it was, what came of it, how long it took, and nothing of its content. The old protocols allow several calls in a request:
// time and bytes are then those of all. A nil seen is a request that nobody looks at.
func (s *service) logCalls(ctx context.Context, who request, seen *observe.Request, c echo.Context, start time.Time) {
	if seen == nil {
		return
	}
	lines, odoo := seen.Told()
	for _, l := range lines {
		event := s.log.Info().Str("request_id", who.id)
		if span := trace.SpanContextFromContext(ctx); span.IsValid() {
			event.Stringer("trace_id", span.TraceID())
		}
		event.Stringer("ip", who.ip).Int64("connection", l.Connection).Int64("user", l.User).Str("client", l.Client).
			Str("method", l.Method).Str("tool", l.Tool).Str("outcome", l.Outcome).Str("reason", l.Code).
			Int("status", c.Response().Status).Float64("ms", milliseconds(time.Since(start))).
			Float64("odoo_wait_ms", milliseconds(odoo.Waited)).Float64("odoo_ms", milliseconds(odoo.Own)).Float64("db_ms", milliseconds(odoo.Database)).
			Int64("bytes_in", max(c.Request().ContentLength, 0)).Int64("bytes_out", c.Response().Size).Msg("call")
	}
}

// milliseconds is d in milliseconds, to the microsecond.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
