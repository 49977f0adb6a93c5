package toolcall

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/access"
	"doorman/server/mcp/caller"
	"doorman/server/mcp/tokens"
)

// Everything about calls that a person must approve is here: what Odoo needs to ask one, how such a call leaves its tool,
// what its client is told, and how it gets the answer afterwards.

// toKeep returns the tool's arguments where Odoo may have to keep them with a request for approval; nil elsewhere: they
// may be long, and mostly nothing waits.
func (c *Call) toKeep(r access.Request) json.RawMessage {
	if !c.decided.Connection.Policy.Approvals || r.DryRun || c.nobody {
		return nil
	}
	return c.args
}

// waiting is how a call that a person must approve leaves its tool: an error, so that no tool goes on as if it were done.
type waiting struct{ access.Pending }

// Error satisfies error; nobody reads it, see Waits.
func (*waiting) Error() string { return "waits for the approval of a person" }

// Waits reports whether a call ended with a question to a person, and with which one.
func Waits(err error) (access.Pending, bool) {
	if wait, ok := errors.AsType[*waiting](err); ok {
		return wait.Pending, true
	}
	return access.Pending{}, false
}

// pendingJSON is the pending answer: clients rely on exactly these names (docs/approvals.md).
type pendingJSON struct {
	Status    string `json:"status"`
	RequestID int64  `json:"request_id"`
	ExpiresAt string `json:"expires_at"`
	URL       string `json:"approval_url"`
}

// pendingResult says that a person was asked. It is not an error: a model would try to correct it.
func pendingResult(p access.Pending) *sdk.CallToolResult {
	result, err := okResult(pendingJSON{string(access.PendingApproval), p.RequestID, Moment(p.ExpiresAt), p.URL}, true)
	if err != nil {
		return ErrorResult(access.AsError(err))
	}
	result.Content = append(result.Content, &sdk.TextContent{Text: fmt.Sprintf(
		"Nothing has been done yet: a person has to approve this at %s. Tell your user. Call approval_status with request_id %d "+
			"later, and do not repeat this call.", p.URL, p.RequestID)})
	return result
}

// elicitResult has the client show its user the page where people decide, and retry the call afterwards. The page is in
// Odoo and wants a log in there: what the client reports of its user decides nothing.
func (c *Call) elicitResult(p access.Pending) *sdk.CallToolResult {
	return &sdk.CallToolResult{
		InputRequests: sdk.InputRequestMap{"approval": &sdk.ElicitParams{
			Mode: "url", URL: p.URL,
			Message: fmt.Sprintf("Nothing has been done yet: %s needs approval in Odoo. The page shows what would be done.", c.tool.Name),
		}},
		RequestState: c.sealState(p),
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

// StatusTool is the name of the tool that tells how a request for approval stands.
const StatusTool = "approval_status"

// next says what a model should do about a request, by its state.
var next = map[access.ApprovalState]string{
	access.ApprovalPending:   "Not decided yet: tell your user, and wait at least a minute before you ask again.",
	access.ApprovalExecuted:  "It is done: go on with the result, and do not call the tool for it again.",
	access.ApprovalFailed:    "Nothing was done: see the error. It can be requested again if it is still needed.",
	access.ApprovalRejected:  "Tell your user the reason, and do not ask for it again unless your user changes something.",
	access.ApprovalExpired:   "Nobody decided in time and nothing was done. It can be requested again if it is still needed.",
	access.ApprovalCancelled: "It was withdrawn and nothing was done. It can be requested again if it is still needed.",
}

// NextStep says what a model should do about a request for approval in this state.
func NextStep(state access.ApprovalState) string { return next[state] }

// resume answers the retry of a call that waited: what the tool itself would have answered, if it is done by now.
func (c *Call) resume(ctx context.Context, state string) (any, error) {
	requestID, refusal := c.openState(state)
	if refusal != nil {
		return nil, refusal
	}
	// From here on it is a question about a request, and decided and recorded as one.
	c.tool = c.runner.Catalog.Tool(StatusTool).Tool
	c.audit.Tool = StatusTool
	a, err := c.ApprovalStatus(ctx, requestID)
	if err != nil {
		return nil, err
	}
	switch a.State {
	case access.ApprovalPending:
		return nil, &waiting{a.Pending}
	case access.ApprovalFailed:
		return nil, a.Failure
	case access.ApprovalExecuted:
		if a.Failure != nil {
			return nil, a.Failure
		}
		return c.Replay(ctx, a), nil
	case access.ApprovalExpired:
		return nil, access.NewError(access.Expired, "Nobody approved this in time; nothing was done.", next[a.State])
	}
	return nil, access.NewError(access.Rejected, "This was not approved; nothing was done. "+a.Reason, next[a.State])
}

// ApprovalStatus asks how a request for approval stands. It takes the decision, as Begin does.
func (c *Call) ApprovalStatus(ctx context.Context, requestID int64) (*access.Approval, error) {
	if err := c.Begin(ctx, ""); err != nil {
		return nil, err
	}
	reply, err := c.counted(ctx, func(f access.Fence) (access.Reply, error) {
		c.recorded = true
		return c.runner.Gateway.ApprovalStatus(ctx, f, requestID, c.audit)
	})
	return reply.Approval, err
}

// Replay tells the answer of a call that a person approved, as the call's own tool tells it. It is done: whatever cannot
// be told of it, such as of a model that may no longer be described, must not look like a failure.
func (c *Call) Replay(ctx context.Context, a *access.Approval) any {
	if a.Value == nil {
		return map[string]any{"note": "It is done, but Odoo kept no answer: read the records."}
	}
	// A tool that follows up asks Odoo by a way of its own, past what is kept.
	if t := c.runner.Catalog.Find(c.who.Snapshot(), a.Tool); t != nil && !t.FollowUp {
		again := &Call{
			runner: c.runner, who: c.who, tool: t.Tool, args: a.Arguments, rate: c.rate, audit: c.audit, kept: a.Value,
		}
		if value, err := t.Run(ctx, again, a.Arguments); err == nil {
			return value
		}
	}
	if tokens.Estimate(a.Value) > tokens.Limit {
		return map[string]any{"note": "It is done, but the answer is too long to show."}
	}
	return map[string]any{"value": a.Value}
}
