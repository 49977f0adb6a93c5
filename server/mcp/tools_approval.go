package mcp

import (
	"context"
	"encoding/json"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
)

const statusName = "approval_status"

// next says what a model should do about a request, by its state.
var next = map[access.ApprovalState]string{
	access.ApprovalPending:   "Not decided yet: tell your user, and ask again in about a minute at the earliest.",
	access.ApprovalExecuted:  "It is done: go on with the result, and do not call the tool for it again.",
	access.ApprovalFailed:    "Nothing was done: see the error. It may be asked for again if it is still wanted.",
	access.ApprovalRejected:  "Tell your user the reason, and do not ask for it again unless your user changes something.",
	access.ApprovalExpired:   "Nobody decided in time and nothing was done. It may be asked for again if it is still wanted.",
	access.ApprovalCancelled: "It was withdrawn and nothing was done. It may be asked for again if it is still wanted.",
}

type statusArgs struct {
	RequestID int64 `json:"request_id"`
}

// statusResult is how a request stands.
type statusResult struct {
	Status    string       `json:"status"`
	RequestID int64        `json:"request_id"`
	Tool      string       `json:"tool"`
	Summary   string       `json:"summary"`
	ExpiresAt string       `json:"expires_at,omitempty"`
	URL       string       `json:"approval_url,omitempty"`
	DecidedAt string       `json:"decided_at,omitempty"`
	DecidedBy string       `json:"decided_by,omitempty"`
	Reason    string       `json:"reason,omitempty"`
	Result    any          `json:"result,omitempty"`
	Error     *mcperr.JSON `json:"error,omitempty"`
	Next      string       `json:"next"`
}

func approvalStatus() *tool {
	return &tool{
		Tool:  access.Tool{Name: statusName, Scope: access.ScopeMetadata, Risk: access.RiskLow, FollowUp: true},
		title: "How an approval stands", category: "read", idempotent: true,
		description: "What became of a call that waits for a person's approval, and its result once it is done.",
		input:       inputSchema[statusArgs](),
		output: outputSchema("status:string", "request_id:integer", "tool:string", "summary:string", "expires_at:string", "approval_url:string",
			"decided_at:string", "decided_by:string", "reason:string", "result:object", "error:object", "next:string"),
		run: runStatus,
	}
}

func runStatus(ctx context.Context, g *governed, raw json.RawMessage) (any, error) {
	args, bad := decodeArgs[statusArgs](raw)
	if bad == nil && (args.RequestID <= 0 || args.RequestID > 1<<31-1) {
		bad = access.NewError(access.InvalidInput, "The parameter request_id is missing, or no number of a request.", "The pending answer names it.")
	}
	if bad != nil {
		return nil, bad
	}
	a, err := g.status(ctx, args.RequestID)
	if err != nil {
		return nil, err
	}
	result := &statusResult{
		Status: string(a.State), RequestID: a.RequestID, Tool: a.Tool, Summary: a.Summary,
		DecidedAt: moment(a.DecidedAt), DecidedBy: a.DecidedBy, Reason: a.Reason, Next: next[a.State],
	}
	switch a.State {
	case access.ApprovalPending:
		result.Status, result.ExpiresAt, result.URL = string(access.PendingApproval), moment(a.ExpiresAt), a.URL
	case access.ApprovalExecuted:
		result.Result = g.replay(ctx, a)
	case access.ApprovalFailed:
		failure := mcperr.Body(a.Failure)
		result.Error = &failure
	}
	return result, nil
}

// status asks how a request stands.
func (g *governed) status(ctx context.Context, requestID int64) (*access.Approval, error) {
	if err := g.begin(ctx, ""); err != nil {
		return nil, err
	}
	reply, err := g.fenced(ctx, func(f access.Fence) (access.Reply, error) {
		g.done = true
		return g.server.gateway.ApprovalStatus(ctx, f, requestID, g.audit)
	})
	return reply.Approval, err
}

// replay tells the answer of a call that a person approved, as the call's own tool tells it. It is done: whatever cannot
// be told of it, such as of a model that may no longer be described, must not look like a failure.
func (g *governed) replay(ctx context.Context, a *access.Approval) any {
	if a.Value == nil {
		return map[string]any{"note": "It is done; Odoo has kept no answer: look at the records."}
	}
	// A tool that follows up asks Odoo by a way of its own, past what is kept.
	if t := g.server.toolOf(g.caller, a.Tool); t != nil && !t.FollowUp {
		again := &governed{
			server: g.server, caller: g.caller, tool: t.Tool, args: a.Arguments, rate: g.rate, audit: g.audit, kept: a.Value,
		}
		if value, err := t.run(ctx, again, a.Arguments); err == nil {
			return value
		}
	}
	if len(a.Value) > access.MaxReply {
		return map[string]any{"note": "It is done; the answer is too long to be told."}
	}
	return map[string]any{"value": a.Value}
}
