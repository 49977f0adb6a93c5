package app_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/odoo/odootest"
	"doorman/server/e2e/kit"
)

// shower is a client that shows its user addresses, and what the user does then.
func shower(does func(*sdk.ElicitParams) string) *sdk.ClientOptions {
	return &sdk.ClientOptions{
		Capabilities: &sdk.ClientCapabilities{Elicitation: &sdk.ElicitationCapabilities{URL: &sdk.URLElicitationCapabilities{}}},
		ElicitationHandler: func(_ context.Context, r *sdk.ElicitRequest) (*sdk.ElicitResult, error) {
			return &sdk.ElicitResult{Action: does(r.Params)}, nil
		},
	}
}

// TestElicitation: a client that can shows the page, and gets the answer of the tool itself if it was decided meanwhile.
func TestElicitation(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		action string // what the client reports of its user; it decides nothing
		decide func(o *odootest.Server)
		status string // of the answer, or
		kind   string // of the refusal
		done   int
	}{
		{"allow approved", "accept", func(o *odootest.Server) { o.Approve(1) }, "", "", 1},
		{"allow approved, though the client says no", "decline", func(o *odootest.Server) { o.Approve(1) }, "", "", 1},
		{"deny undecided, though the client says yes", "accept", func(*odootest.Server) {}, "pending_approval", "", 0},
		{"deny undecided, the client says no", "decline", func(*odootest.Server) {}, "pending_approval", "", 0},
		{"deny undecided, the user closes the page", "cancel", func(*odootest.Server) {}, "pending_approval", "", 0},
		{"deny rejected", "accept", func(o *odootest.Server) { o.Reject(1, "Not this one.") }, "", "rejected", 0},
		{"deny withdrawn", "accept", func(o *odootest.Server) { o.Cancel(1, "Withdrawn.") }, "", "rejected", 0},
		{"deny expired", "accept", func(o *odootest.Server) { o.Overdue(1); o.Approve(1) }, "", "expired", 0},
		{"deny failed", "accept", func(o *odootest.Server) { o.Delete("res.partner", 3); o.Approve(1) }, "", "not_found", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s, o := overWaiting(t)
			var shown []*sdk.ElicitParams
			session := kit.ConnectAs(t, s.MCP, waiter, shower(func(p *sdk.ElicitParams) string {
				shown = append(shown, p)
				row.decide(o)
				return row.action
			}))
			content, failed := kit.Call(t, session, "delete_records", deletion(3))
			if len(shown) != 1 || shown[0].Mode != "url" || shown[0].URL != "http://odoo.example/odoo/doorman.approval/1" || shown[0].Message == "" {
				t.Fatalf("shown: %+v", shown)
			}
			if got, _ := content["status"].(string); failed != row.kind || got != row.status || o.Effects() != row.done || len(o.Approvals()) != 1 {
				t.Errorf("%q %v, %d effects, %d requests", failed, content, o.Effects(), len(o.Approvals()))
			}
			if row.done > 0 && content["count"] != 1.0 {
				t.Errorf("not the tool's own answer: %v", content)
			}
		})
	}
}

// TestNoElicitation: who does not say that it can show an address gets the plain answer.
func TestNoElicitation(t *testing.T) {
	t.Parallel()
	s, _ := overWaiting(t)
	never := func(context.Context, *sdk.ElicitRequest) (*sdk.ElicitResult, error) {
		t.Error("the client was asked to show something")
		return &sdk.ElicitResult{Action: "accept"}, nil
	}
	for name, options := range map[string]*sdk.ClientOptions{
		"nothing":    nil,
		"forms":      {ElicitationHandler: never},
		"empty":      {ElicitationHandler: never, Capabilities: &sdk.ClientCapabilities{Elicitation: &sdk.ElicitationCapabilities{}}},
		"forms only": {ElicitationHandler: never, Capabilities: &sdk.ClientCapabilities{Elicitation: &sdk.ElicitationCapabilities{Form: &sdk.FormElicitationCapabilities{}}}},
	} {
		session := kit.ConnectAs(t, s.MCP, waiter, options)
		if id := pending(t, session, "delete_records", deletion(3)); id != 1 {
			t.Errorf("%s: request %d", name, id)
		}
	}
}

// TestElicitationAcrossReplicas: the retry may reach another service than the one that asked, and after a restart of Odoo.
func TestElicitationAcrossReplicas(t *testing.T) {
	t.Parallel()
	first, o := overWaiting(t)
	second := kit.Serve(t, fakeEnviron(o)...)
	_, state := inputRequired(t, modernCall(t, first.MCP, waiter, "delete_records", `{"model":"res.partner","ids":[3,4]}`, ""))
	o.Approve(1)
	// The keys in another order: another client library, the same call.
	body := modernCall(t, second.MCP, waiter, "delete_records", `{"ids":[3,4], "model":"res.partner"}`, state)
	if !strings.Contains(body, `"count":2`) || strings.Contains(body, `"isError":true`) {
		t.Error(body)
	}
}

// TestStatesThatOpenNothing: refused, and nothing is asked of Odoo.
func TestStatesThatOpenNothing(t *testing.T) {
	t.Parallel()
	s, o := overWaiting(t)
	const args = `{"model":"res.partner","ids":[3,4]}`
	_, state := inputRequired(t, modernCall(t, s.MCP, waiter, "delete_records", args, ""))
	flipped := []byte(state)
	flipped[3] ^= 1
	last := []byte(state)
	last[len(last)-1] ^= 1
	for _, row := range []struct{ name, key, tool, args, state string }{
		{"made up", waiter, "delete_records", args, "1"},
		{"no base64", waiter, "delete_records", args, "***"},
		{"of the right length", waiter, "delete_records", args, strings.Repeat("A", len(state))},
		{"another request", waiter, "delete_records", args, string(flipped)},
		{"another signature", waiter, "delete_records", args, string(last)},
		{"cut", waiter, "delete_records", args, state[:len(state)-4]},
		{"longer", waiter, "delete_records", args, state + "AAAA"},
		{"of another connection", "dmk_other", "delete_records", args, state},
		{"for other records", waiter, "delete_records", `{"model":"res.partner","ids":[3,5]}`, state},
		{"for more arguments", waiter, "delete_records", `{"model":"res.partner","ids":[3,4],"dry_run":true}`, state},
		{"for a number that is written otherwise", waiter, "delete_records", `{"model":"res.partner","ids":[3,4.0]}`, state},
		{"for no arguments", waiter, "delete_records", `{}`, state},
		{"for another tool", waiter, "read_records", args, state},
	} {
		before := o.Count("approval_status") + o.Count("call")
		body := modernCall(t, s.MCP, row.key, row.tool, row.args, row.state)
		if !strings.Contains(body, `"kind":"invalid_input"`) || !strings.Contains(body, "does not belong to this call") {
			t.Errorf("%s: %s", row.name, body)
		}
		if n := o.Count("approval_status") + o.Count("call"); n != before {
			t.Errorf("%s: Odoo was asked", row.name)
		}
	}
	if body := modernCall(t, s.MCP, waiter, "delete_records", args, state); !strings.Contains(body, `"status":"pending_approval"`) {
		t.Errorf("the right one: %s", body)
	}
	o.Revoke(waiter)
	if body := modernCall(t, s.MCP, waiter, "delete_records", args, state); !strings.Contains(body, `"kind":"unauthenticated"`) {
		t.Errorf("of a connection that was revoked: %s", body)
	}
}

// modernCall calls a tool by protocol 2026-07-28 as a client that can show addresses.
func modernCall(t *testing.T, mcpURL, key, tool, args, state string) string {
	t.Helper()
	params := kit.ToolCall(tool, json.RawMessage(args))
	params["_meta"] = map[string]any{
		"io.modelcontextprotocol/protocolVersion":    "2026-07-28",
		"io.modelcontextprotocol/clientCapabilities": json.RawMessage(`{"elicitation":{"url":{}}}`),
	}
	if state != "" {
		params["requestState"], params["inputResponses"] = state, json.RawMessage(`{"approval":{"action":"accept"}}`)
	}
	return kit.Post(t, mcpURL, key, "tools/call", params,
		"MCP-Protocol-Version", "2026-07-28", "Mcp-Method", "tools/call", "Mcp-Name", tool).Body
}

// inputRequired returns the address that the client is to show, and the state that it is to send back.
func inputRequired(t *testing.T, body string) (address, state string) {
	t.Helper()
	var answer struct {
		Result struct {
			ResultType    string
			RequestState  string
			InputRequests map[string]struct {
				Method string
				Params struct{ Mode, URL string }
			}
			Content, StructuredContent json.RawMessage
		}
	}
	err := json.Unmarshal([]byte(body), &answer)
	r := answer.Result
	asked := r.InputRequests["approval"]
	if err != nil || r.ResultType != "input_required" || r.RequestState == "" || asked.Method != "elicitation/create" || asked.Params.Mode != "url" {
		t.Fatalf("%v: %s", err, body)
	}
	if string(r.Content) != "" && string(r.Content) != "null" || r.StructuredContent != nil {
		t.Errorf("it has content too: %s", body)
	}
	return asked.Params.URL, r.RequestState
}
