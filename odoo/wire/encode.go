package wire

import (
	"time"

	"doorman/server/access"
)

// EncodeHello tells Odoo which service asks (its version, and which of its processes) and where AI tools reach it (its MCP
// endpoint): the addon's settings page shows it, with the time. The process is in the version's build metadata (semver.org,
// item 10): an addon of before has no argument for it, and has to understand hello to say that it is old.
func EncodeHello(version, endpoint, replica string) map[string]any {
	if version != "" {
		version += "+" + replica
	}
	return map[string]any{"version": version, "url": endpoint}
}

// EncodeAudit is the part of a request that only the audit reads.
func EncodeAudit(a access.Audit) map[string]any {
	return map[string]any{
		"request_id": a.RequestID, "ip": a.IP, "client": a.Client, "method": a.Method, "tool": a.Tool,
	}
}

// EncodeFence writes what Odoo checks once more inside the transaction. It holds the proof: it goes to Odoo and nowhere
// else.
func EncodeFence(f access.Fence) map[string]any {
	w := map[string]any{
		"proof": f.Proof.Hex(), "connection": f.Connection, "version": f.Version,
		"settings_version": f.SettingsVersion, "groups": f.Groups, "registry": f.Registry,
	}
	if f.RowsLeft != nil {
		w["rows_left"] = *f.RowsLeft
	}
	return w
}

// EncodeRequest writes one ORM call. Without ids the call is on the model: an empty list would be a call on no record.
func EncodeRequest(r access.Request) map[string]any {
	w := map[string]any{
		"model": r.Model, "method": r.Method, "kwargs": Object(r.Kwargs), "context": Object(r.Context),
		"timeout_ms": r.Timeout.Milliseconds(), "audit": EncodeAudit(r.Audit),
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
	if !isNull(r.Arguments) {
		w["arguments"] = r.Arguments
	}
	if r.AskNobody {
		w["ask"] = false
	}
	if r.Spare {
		w["spare"] = true
	}
	if len(r.Tell) > 0 {
		w["tell"] = r.Tell
	}
	return w
}

// Object writes a missing map as {}: the addon unpacks it.
func Object(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// EncodeEvents writes refusals, and what the service served by itself, for the audit; an event counts at least once.
func EncodeEvents(events []access.Event) []map[string]any {
	out := make([]map[string]any, len(events))
	for i, e := range events {
		outcome := "refused"
		if e.Served {
			outcome = "ok"
		}
		proof := ""
		if e.Connection != 0 {
			proof = e.Proof.Hex()
		}
		out[i] = map[string]any{
			"proof": proof,
			"time":  e.Time.UTC().Format(time.RFC3339), "connection": e.Connection, "model": e.Model, "outcome": outcome,
			"reason": string(e.Reason), "message": e.Message, "count": max(e.Count, 1), "audit": EncodeAudit(e.Audit),
		}
	}
	return out
}
