package odoo

import (
	"encoding/json"
	"time"

	"doorman/server/access"
)

// helloParams tells Odoo which service asks, and where AI tools reach it: its settings page shows it, with the time.
func helloParams(c Config) map[string]any {
	return map[string]any{"version": c.Version, "url": c.Endpoint}
}

// auditWire is the part of a request that only the audit reads.
func auditWire(a access.Audit) map[string]any {
	return map[string]any{
		"request_id": a.RequestID, "ip": a.IP, "client": a.Client, "method": a.Method, "tool": a.Tool,
	}
}

// fenceWire writes what Odoo checks once more inside the transaction. It holds the proof: it goes to Odoo and nowhere
// else.
func fenceWire(f access.Fence) map[string]any {
	return map[string]any{
		"proof": f.Proof.Hex(), "connection": f.Connection, "version": f.Version,
		"settings_version": f.SettingsVersion, "groups": f.Groups, "registry": f.Registry,
	}
}

// requestWire writes one ORM call. Without ids the call is on the model: an empty list would be a call on no record.
func requestWire(r access.Request) map[string]any {
	w := map[string]any{
		"model": r.Model, "method": r.Method, "kwargs": object(r.Kwargs), "context": object(r.Context),
		"timeout_ms": r.Timeout.Milliseconds(), "audit": auditWire(r.Audit),
	}
	if r.IDs != nil {
		w["ids"] = r.IDs
	}
	if r.DryRun {
		w["dry_run"] = true
	}
	if r.IdempotencyKey != "" {
		w["idempotency_key"] = r.IdempotencyKey
	}
	return w
}

// askedWire writes a request that a person is asked about: with the tool's own arguments, which no call needs.
func askedWire(r access.Request) map[string]any {
	w := requestWire(r)
	w["arguments"] = json.RawMessage("{}")
	if !isNull(r.Arguments) {
		w["arguments"] = r.Arguments
	}
	return w
}

// object writes a missing map as {}: the addon unpacks it.
func object(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

func eventsWire(events []access.Event) []map[string]any {
	out := make([]map[string]any, len(events))
	for i, e := range events {
		outcome := "refused"
		if e.Served {
			outcome = "ok"
		}
		out[i] = map[string]any{
			"time": e.Time.UTC().Format(time.RFC3339), "connection": e.Connection, "model": e.Model, "outcome": outcome,
			"reason": string(e.Reason), "message": e.Message, "count": max(e.Count, 1), "audit": auditWire(e.Audit),
		}
	}
	return out
}
