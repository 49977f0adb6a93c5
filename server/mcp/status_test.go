package mcp_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"doorman/server/access"
	"doorman/server/mcp"
)

// decided is a request as it stands.
func decided(state access.ApprovalState, with func(*access.Approval)) *access.Approval {
	a := &access.Approval{
		Pending: pendingTwelve, State: state, Tool: "delete_records", Model: "res.partner", Summary: "Delete 1 Contact: Acme",
		DecidedAt: time.Date(2026, 11, 22, 13, 0, 0, 0, time.UTC), DecidedBy: "Ada", Arguments: json.RawMessage(deletePartner),
	}
	with(a)
	return a
}

func (f *fakeGateway) decide(a *access.Approval) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status = func(access.Fence, int64, access.Audit) (access.Reply, error) { return access.Reply{Approval: a}, nil }
}

const poll = `{"request_id":12}`

// TestWhoMayPoll: whoever may call anything at all, and nobody else.
func TestWhoMayPoll(t *testing.T) {
	t.Parallel()
	policy := func(how func(*access.Policy)) func(*access.Snapshot) {
		return func(s *access.Snapshot) { how(&s.Connection.Policy) }
	}
	for _, row := range []struct {
		name   string
		change func(*access.Snapshot)
		kind   string
	}{
		{"allow any scope", policy(func(p *access.Policy) { p.Scopes = []access.Scope{access.ScopeShell} }), ""},
		{"allow past the list of tools", policy(func(p *access.Policy) { p.AllowedTools = []string{"delete_records"} }), ""},
		{"allow past an empty list", policy(func(p *access.Policy) { p.AllowedTools = []string{} }), ""},
		{"allow past the list of models", policy(func(p *access.Policy) { p.AllowedModels = []string{} }), ""},
		{"allow reading only", policy(func(p *access.Policy) { p.ReadOnly = true }), ""},
		{"allow where all that reads waits", policy(func(p *access.Policy) {
			p.Approvals = true
		}), ""},
		{"deny no scope", policy(func(p *access.Policy) { p.Scopes = nil }), "not_allowed"},
		{"deny a scope that nobody knows", policy(func(p *access.Policy) { p.Scopes = []access.Scope{"mcp:everything", ""} }), "not_allowed"},
		{"deny switched off", func(s *access.Snapshot) { s.Settings.DisabledTools = []string{"approval_status"} }, "not_allowed"},
		{"deny a blocked address", policy(func(p *access.Policy) { p.BlockedIPs = anywhere }), "forbidden"},
		{"deny revoked", func(s *access.Snapshot) { s.Connection.Status = access.StatusRevoked }, "unauthenticated"},
		{"deny the master switch", func(s *access.Snapshot) { s.Settings.Enabled = false }, "forbidden"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := gatedWriter()
			f.decide(decided(access.ApprovalRejected, func(*access.Approval) {}))
			row.change(f.snapshot)
			a := call(t, endpoint(t, f).URL, "approval_status", poll)
			if a.kind() != row.kind || f.pollCount() > 0 != (row.kind == "") || f.askedCount() != 0 {
				t.Errorf("got %q, want %q; %d polls: %s", a.kind(), row.kind, f.pollCount(), a.body)
			}
		})
	}
	limiter := newLimiter()
	limiter.after["7"] = 2
	f := newFake()
	f.decide(decided(access.ApprovalRejected, func(*access.Approval) {}))
	server := endpoint(t, f, func(c *mcp.Config) { c.Limiter = limiter })
	for range 3 {
		call(t, server.URL, "approval_status", poll)
	}
	if f.pollCount() != 2 {
		t.Errorf("%d polls passed a limit of 2", f.pollCount())
	}
}

// TestStatusWords: each state, in words that tell the model what to do next.
func TestStatusWords(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		a    *access.Approval
		want string
	}{
		{
			decided(access.ApprovalPending, func(a *access.Approval) { a.DecidedAt, a.DecidedBy = time.Time{}, "" }),
			`{"status":"pending_approval","request_id":12,"tool":"delete_records","summary":"Delete 1 Contact: Acme","expires_at":"2026-11-23T12:00:00Z",` +
				`"approval_url":"https://odoo.example/odoo/doorman.approval/12","next":"Not decided yet: tell your user, and wait at least a minute before you ask again."}`,
		},
		{
			decided(access.ApprovalExecuted, func(a *access.Approval) { a.Value = json.RawMessage(`{"ids":[1],"names":["Acme"]}`) }),
			`{"status":"executed","request_id":12,"tool":"delete_records","summary":"Delete 1 Contact: Acme","decided_at":"2026-11-22T13:00:00Z","decided_by":"Ada",` +
				`"result":{"model":"res.partner","records":[{"id":1,"name":"Acme"}],"count":1},"next":"It is done: go on with the result, and do not call the tool for it again."}`,
		},
		{
			decided(access.ApprovalExecuted, func(a *access.Approval) {
				a.Failure = access.NewError(access.NotAllowed, "This was done.", "Do not send it again.")
			}),
			`{"status":"executed","request_id":12,"tool":"delete_records","summary":"Delete 1 Contact: Acme","decided_at":"2026-11-22T13:00:00Z","decided_by":"Ada",` +
				`"error":{"kind":"not_allowed","message":"This was done.","hint":"Do not send it again."},"next":"It is done: do not call the tool for it again. The error says why the result is not shown."}`,
		},
		{
			decided(access.ApprovalFailed, func(a *access.Approval) {
				a.Failure = access.NewError(access.BusinessRule, "It is posted.", "Reset it first.")
			}),
			`{"status":"failed","request_id":12,"tool":"delete_records","summary":"Delete 1 Contact: Acme","decided_at":"2026-11-22T13:00:00Z","decided_by":"Ada",` +
				`"error":{"kind":"business_rule","message":"It is posted.","hint":"Reset it first."},"next":"Nothing was done: see the error. It can be requested again if it is still needed."}`,
		},
		{
			decided(access.ApprovalRejected, func(a *access.Approval) { a.Reason = "No." }),
			`{"status":"rejected","request_id":12,"tool":"delete_records","summary":"Delete 1 Contact: Acme","decided_at":"2026-11-22T13:00:00Z","decided_by":"Ada",` +
				`"reason":"No.","next":"Tell your user the reason, and do not ask for it again unless your user changes something."}`,
		},
		{
			decided(access.ApprovalExpired, func(a *access.Approval) { a.DecidedBy = "" }),
			`{"status":"expired","request_id":12,"tool":"delete_records","summary":"Delete 1 Contact: Acme","decided_at":"2026-11-22T13:00:00Z",` +
				`"next":"Nobody decided in time and nothing was done. It can be requested again if it is still needed."}`,
		},
		{
			decided(access.ApprovalCancelled, func(a *access.Approval) { a.DecidedBy, a.Reason = "", "Revoked." }),
			`{"status":"cancelled","request_id":12,"tool":"delete_records","summary":"Delete 1 Contact: Acme","decided_at":"2026-11-22T13:00:00Z",` +
				`"reason":"Revoked.","next":"It was withdrawn and nothing was done. It can be requested again if it is still needed."}`,
		},
	} {
		f := gatedWriter()
		f.decide(row.a)
		a := call(t, endpoint(t, f).URL, "approval_status", poll)
		if a.Result.IsError || a.Result.Content[0].Text != row.want {
			t.Errorf("got  %s\nwant %s", a.body, row.want)
		}
	}
}

// TestResultIsTheToolsOwn: what is told of an approved call is what the tool would have answered, without calling again.
func TestResultIsTheToolsOwn(t *testing.T) {
	t.Parallel()
	type good struct{ tool, args string }
	rows := []good{
		{"search_records", searchPartners},
		{"read_records", `{"model":"res.partner","ids":[1,2]}`},
		{"aggregate_records", `{"model":"res.partner","group_by":["parent_id"]}`},
		{"list_models", `{"query":"partner"}`},
		{"describe_model", searchPartners},
	}
	for _, row := range goodWrites {
		rows = append(rows, good{row.tool, row.args})
	}
	for i, row := range rows {
		f := writer()
		answer := f.call
		if i < 5 {
			answer = newFake().answer
		}
		var value json.RawMessage
		f.call = func(fence access.Fence, r access.Request) (access.Reply, error) {
			reply, err := answer(fence, r)
			value = reply.Value
			return reply, err
		}
		url := endpoint(t, f).URL
		direct := call(t, url, row.tool, row.args)
		f.decide(decided(access.ApprovalExecuted, func(a *access.Approval) {
			a.Tool, a.Arguments, a.Value = row.tool, json.RawMessage(row.args), value
		}))
		told := call(t, url, "approval_status", poll)
		want, _ := json.Marshal(direct.Result.StructuredContent)
		got, _ := json.Marshal(told.Result.StructuredContent["result"])
		if string(got) != string(want) || direct.kind() != "" || f.callCount() != 1 {
			t.Errorf("%s, %d calls\ntold   %s\ndirect %s", row.tool, f.callCount(), got, want)
		}
	}
}

// TestResultThatCannotBeShaped: the call is done, so whatever there is of its answer is told, and never a failure.
func TestResultThatCannotBeShaped(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, has string
		with      func(*access.Approval)
		fields    func(access.Fence) (access.Reply, error)
	}{
		{"a tool that is no more", `"result":{"value":{"ids":[1]}}`, func(a *access.Approval) { a.Tool = "gone" }, nil},
		{"the tool that asks", `"result":{"value":{"ids":[1]}}`, func(a *access.Approval) { a.Tool, a.Arguments = "approval_status", json.RawMessage(poll) }, nil},
		{"arguments of another version", `"result":{"value":{"ids":[1]}}`, func(a *access.Approval) { a.Arguments = json.RawMessage(`{"record":1}`) }, nil},
		{"a model that may not be described any more", `"result":{"value":{"ids":[1]}}`, func(*access.Approval) {}, func(access.Fence) (access.Reply, error) {
			return access.Reply{}, access.NewError(access.NotAllowed, "Not this model.", "")
		}},
		{"no answer", `read the records`, func(a *access.Approval) { a.Value = nil }, nil},
		{"an answer that is none", `could not be read`, func(a *access.Approval) { a.Value = json.RawMessage(`true`) }, nil},
		{"a list that a reader cannot read", `"result":{"value":{"ids":[1]}}`, func(a *access.Approval) { a.Tool = "read_records" }, nil},
		{"a long answer of no tool", `too long to show`, func(a *access.Approval) {
			a.Tool, a.Value = "gone", json.RawMessage(`"`+strings.Repeat("x", 100_000)+`"`)
		}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := gatedWriter()
			f.fields = row.fields
			f.decide(decided(access.ApprovalExecuted, func(a *access.Approval) { a.Value = json.RawMessage(`{"ids":[1]}`); row.with(a) }))
			a := call(t, endpoint(t, f).URL, "approval_status", poll)
			if a.kind() != "" || a.stands() != "executed" || !strings.Contains(a.Result.Content[0].Text, row.has) || len(a.body) > 10_000 {
				t.Errorf("no %s in %.2000s", row.has, a.body)
			}
			if f.callCount()+f.askedCount() != 0 || f.pollCount() != 1 {
				t.Errorf("%d calls, asked %d times, %d polls", f.callCount(), f.askedCount(), f.pollCount())
			}
		})
	}
}

// TestResultOutlivesTheRight: what was done is told, whatever was taken from the connection since.
func TestResultOutlivesTheRight(t *testing.T) {
	t.Parallel()
	f := gatedWriter()
	f.decide(decided(access.ApprovalExecuted, func(a *access.Approval) { a.Value = json.RawMessage(`{"ids":[1],"names":["Acme"]}`) }))
	f.change(func(s *access.Snapshot) {
		p := &s.Connection.Policy
		p.Scopes, p.AllowedTools, p.AllowedModels, p.ReadOnly = []access.Scope{access.ScopeMetadata}, []string{}, []string{}, true
	})
	a := call(t, endpoint(t, f).URL, "approval_status", poll)
	if a.stands() != "executed" || !strings.Contains(a.Result.Content[0].Text, `"records":[{"id":1,"name":"Acme"}]`) {
		t.Error(a.body)
	}
}
