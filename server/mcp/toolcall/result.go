package toolcall

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
	"doorman/server/mcp/tokens"
)

// result is how a call ended, as the client gets it, and in one word.
func (c *Call) result(req *sdk.CallToolRequest, value any, err error) (*sdk.CallToolResult, string) {
	if p, waits := Waits(err); waits {
		c.Ended(string(access.PendingApproval))
		if req.Params.RequestState == "" && opensURLs(req.Session) {
			return c.elicitResult(p), string(access.PendingApproval)
		}
		return pendingResult(p), string(access.PendingApproval)
	}
	if err == nil {
		var result *sdk.CallToolResult
		if result, err = okResult(value, c.tool.Writes); err == nil {
			c.Ended("ok")
			return result, "ok"
		}
	}
	e := access.AsError(err)
	c.runner.Log.Debug().Str("request_id", c.who.RequestID).Str("tool", c.tool.Name).Str("kind", string(e.Kind)).Str("detail", e.Detail).Msg("tool failed")
	c.NoteFailure(e)
	return ErrorResult(c.withRequestID(e)), string(e.Kind)
}

// withRequestID tells which request a failure of ours was, for who looks for it in the log: an AI tool sees no headers.
func (c *Call) withRequestID(e *access.Error) *access.Error {
	if e.Kind != access.Internal || c.who.RequestID == "" {
		return e
	}
	told := *e
	told.Hint = strings.TrimSpace(told.Hint + " The request id is " + c.who.RequestID + ".")
	return &told
}

// NoteFailure puts the error of a call into the audit where Odoo did not, and notes it for log and trace. It reports whether Odoo did.
func (c *Call) NoteFailure(e *access.Error) (recorded bool) {
	c.seen.Outcome(string(e.Kind), e.Code)
	if !c.recorded {
		c.runner.Door.Refused(c.who, c.audit.Method, c.tool.Name, c.model, e)
	}
	return c.recorded
}

// okResult gives the value twice, as the protocol asks: structured, and as text for clients that read only that.
//
// What was read and is too long is an error that says so: clients would cut it anywhere, and not tell. A change is done, and
// its answer bounded where it is made.
func okResult(value any, done bool) (*sdk.CallToolResult, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	if n := tokens.Estimate(body); n > tokens.Limit && !done {
		return nil, access.NewError(access.TooLarge, fmt.Sprintf("The answer has about %d tokens, more than %d.", n, tokens.Limit), "Ask for less: fewer records or fields.")
	}
	return &sdk.CallToolResult{
		Content:           []sdk.Content{&sdk.TextContent{Text: string(body)}},
		StructuredContent: json.RawMessage(body),
	}, nil
}

// ErrorResult is a failure that the model can read and act on.
func ErrorResult(e *access.Error) *sdk.CallToolResult {
	return &sdk.CallToolResult{
		IsError:           true,
		Content:           []sdk.Content{&sdk.TextContent{Text: mcperr.Sentence(e)}},
		StructuredContent: mcperr.Body(e),
	}
}

// Moment writes a time as clients get it; none is "".
func Moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
