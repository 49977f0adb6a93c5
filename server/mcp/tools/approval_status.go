package tools

import (
	"context"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
	"doorman/server/mcp/toolcall"
)

func init() {
	add(210, toolcall.Tool{
		Tool:  access.Tool{Name: toolcall.StatusTool, Scope: access.ScopeMetadata, Risk: access.RiskLow, FollowUp: true},
		Title: "Check an approval", Category: "read", Idempotent: true,
		Description: "The status of a call that needs approval, with its result.",
		Output:      outputSchema("status:string", "result:object", "error:object", "next:string"),
	}, approvalStatus)
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

func approvalStatus(ctx context.Context, call *toolcall.Call, args statusArgs) (any, error) {
	if args.RequestID <= 0 || args.RequestID > 1<<31-1 {
		return nil, access.NewError(access.InvalidInput, "The parameter request_id is missing or is not the id of a request.", "The pending reply contains it.")
	}
	a, err := call.ApprovalStatus(ctx, args.RequestID)
	if err != nil {
		return nil, err
	}
	result := &statusResult{
		Status: string(a.State), RequestID: a.RequestID, Tool: a.Tool, Summary: a.Summary,
		DecidedAt: toolcall.Moment(a.DecidedAt), DecidedBy: a.DecidedBy, Reason: a.Reason, Next: toolcall.NextStep(a.State),
	}
	switch a.State {
	case access.ApprovalPending:
		result.Status, result.ExpiresAt, result.URL = string(access.PendingApproval), toolcall.Moment(a.ExpiresAt), a.URL
	case access.ApprovalExecuted:
		if a.Failure == nil {
			result.Result = call.Replay(ctx, a)
		} else {
			result.Next = "It is done: do not call the tool for it again. The error says why the result is not shown."
		}
	}
	if a.Failure != nil {
		failure := mcperr.Body(a.Failure)
		result.Error = &failure
	}
	return result, nil
}
