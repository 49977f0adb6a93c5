package mcp

import (
	"context"
	"fmt"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/access"
	"doorman/server/mcp/caller"
)

// waiting is how a call that a person must approve leaves its tool: an error, so that no tool goes on as if it were done.
type waiting struct{ access.Pending }

// Error satisfies error; nobody reads it, see governed.result.
func (*waiting) Error() string { return "waits for the approval of a person" }

// pendingJSON is the pending answer: clients rely on exactly these names (docs/approvals.md).
type pendingJSON struct {
	Status    string `json:"status"`
	RequestID int64  `json:"request_id"`
	ExpiresAt string `json:"expires_at"`
	URL       string `json:"approval_url"`
}

// pendingResult says that a person was asked. It is no error: a model would try to mend it.
func pendingResult(p access.Pending) *sdk.CallToolResult {
	result, err := okResult(pendingJSON{string(access.PendingApproval), p.RequestID, moment(p.ExpiresAt), p.URL})
	if err != nil {
		return errorResult(access.AsError(err))
	}
	result.Content = append(result.Content, &sdk.TextContent{Text: fmt.Sprintf(
		"Nothing was done yet: a person has to approve this at %s. Tell your user. Call approval_status with request_id %d "+
			"later, and do not repeat this call.", p.URL, p.RequestID)})
	return result
}

// elicitResult has the client show its user the page where people decide, and retry the call afterwards. The page is in
// Odoo and wants a log in there: what the client reports of its user decides nothing.
func (g *governed) elicitResult(tool string, p access.Pending) *sdk.CallToolResult {
	return &sdk.CallToolResult{
		InputRequests: sdk.InputRequestMap{"approval": &sdk.ElicitParams{
			Mode: "url", URL: p.URL,
			Message: fmt.Sprintf("Nothing was done yet: %s needs the approval of a person in Odoo. The page shows what would be done.", tool),
		}},
		RequestState: g.sealState(p),
	}
}

// opensURLs reports whether the client can show its user an address. By the protocol "elicitation": {} means forms only.
func opensURLs(session *sdk.ServerSession) bool {
	if !caller.Modern(session) {
		return false
	}
	can := session.InitializeParams().Capabilities
	return can != nil && can.Elicitation != nil && can.Elicitation.URL != nil
}

// resume answers the retry of a call that waited: what the tool itself would have answered, if it is done by now.
func (g *governed) resume(ctx context.Context, state string) (any, error) {
	requestID, refusal := g.openState(state)
	if refusal != nil {
		return nil, refusal
	}
	// From here on it is a question about a request, and decided and recorded as one.
	g.tool = g.server.byName[statusName].Tool
	g.audit.Tool = statusName
	a, err := g.status(ctx, requestID)
	if err != nil {
		return nil, err
	}
	switch a.State {
	case access.ApprovalPending:
		return nil, &waiting{a.Pending}
	case access.ApprovalExecuted:
		return g.replay(ctx, a), nil
	case access.ApprovalFailed:
		return nil, a.Failure
	case access.ApprovalExpired:
		return nil, access.NewError(access.Expired, "Nobody approved this in time; nothing was done.", next[a.State])
	}
	return nil, access.NewError(access.Rejected, "This was not approved; nothing was done. "+a.Reason, next[a.State])
}

// moment writes a time as clients get it; none is "".
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
