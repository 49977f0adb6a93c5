package mcp_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"doorman/server/access"
	"doorman/server/mcp"
)

const deletePartner = `{"model":"res.partner","ids":[1]}`

// gatedWriter is a writer whose deletions wait for a person.
func gatedWriter() *fakeGateway {
	f := writer()
	f.byTool("delete_records")
	return f
}

func (a answer) stands() string {
	s, _ := a.Result.StructuredContent["status"].(string)
	return s
}

// TestGatedCallsAreAsked: a call that waits is told as waiting, whatever its tool, and cost one request, which holds all that
// Odoo has to keep.
func TestGatedCallsAreAsked(t *testing.T) {
	t.Parallel()
	for _, row := range goodWrites {
		f := writer()
		f.byTool(row.tool)
		a := call(t, endpoint(t, f).URL, row.tool, row.args)
		if a.kind() != "" || a.stands() != "pending_approval" || f.callCount() != 1 || f.askedCount() != 1 {
			t.Fatalf("%s: %d calls, asked %d times: %s", row.tool, f.callCount(), f.askedCount(), a.body)
		}
		r := f.asked[0]
		kwargs, _ := json.Marshal(r.Kwargs)
		if r.Method != row.method || string(kwargs) != row.kwargs || string(r.Arguments) != row.args || r.Audit.Tool != row.tool || r.Timeout <= 0 || r.AskNobody {
			t.Errorf("%s: asked %+v", row.tool, r)
		}
	}
}

// TestArgumentsGoAlong: Odoo gets the tool's arguments where it may have to keep them, and nowhere else: they may be long.
func TestArgumentsGoAlong(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, tool, args string
		approvals, along bool
	}{
		{"allow a change", "update_records", `{"model":"res.partner","ids":[1],"values":{"name":"x"}}`, true, true},
		{"allow a change of many", "create_records", `{"model":"res.partner","records":[{"name":"a"},{"name":"b"}]}`, true, true},
		{"allow a method", "call_method", `{"model":"res.partner","ids":[1,2],"method":"do_it"}`, true, true},
		{"allow reading", "read_records", `{"model":"res.partner","ids":[1]}`, true, true},
		{"allow searching", "search_records", searchPartners, true, true},
		{"allow what touches no model", "get_context", `{}`, true, true},
		{"deny trying out a change", "update_records", `{"model":"res.partner","ids":[1,2],"values":{"name":"x"},"dry_run":true}`, true, false},
		{"deny trying out a deletion", "delete_records", `{"model":"res.partner","ids":[1],"dry_run":true}`, true, false},
		{"deny a change without rules", "update_records", `{"model":"res.partner","ids":[1],"values":{"name":"x"}}`, false, false},
		{"deny a deletion without rules", "delete_records", deletePartner, false, false},
		{"deny reading without rules", "read_records", `{"model":"res.partner","ids":[1]}`, false, false},
	} {
		f := writer()
		if !strings.Contains(row.args, "values") && !strings.Contains(row.args, "dry_run") {
			f.call = nil
		}
		f.snapshot.Connection.Policy.Approvals = row.approvals
		a := call(t, endpoint(t, f).URL, row.tool, row.args)
		want := ""
		if row.along {
			want = row.args
		}
		if f.callCount() != 1 || string(f.calls[0].Arguments) != want || f.calls[0].AskNobody {
			t.Errorf("%s: %d calls, the arguments %s: %s", row.name, f.callCount(), f.last().Arguments, a.body)
		}
	}
}

// TestRefusedBeforeAsking: a person is not bothered with what is refused anyway.
func TestRefusedBeforeAsking(t *testing.T) {
	t.Parallel()
	for kind, row := range map[string]struct {
		args   string
		change func(*access.Snapshot)
	}{
		"invalid_input": {`{"model":"res.partner","ids":[1,1]}`, func(*access.Snapshot) {}},
		"not_allowed":   {deletePartner, func(s *access.Snapshot) { s.Connection.Policy.AllowedModels = []string{} }},
		"read_only":     {deletePartner, func(s *access.Snapshot) { s.Connection.Policy.ReadOnly = true }},
		"forbidden":     {deletePartner, func(s *access.Snapshot) { s.Connection.Policy.BlockedIPs = anywhere }},
	} {
		f := gatedWriter()
		f.change(row.change)
		if a := call(t, endpoint(t, f).URL, "delete_records", row.args); a.kind() != kind || f.callCount()+f.askedCount() != 0 {
			t.Errorf("%s: %s", kind, a.body)
		}
	}
}

// TestOdooDecides whether a call waits: by the same one request it is done, put before a person, answered as before or
// refused.
func TestOdooDecides(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		answer func(access.Fence, access.Request) (access.Reply, error)
		kind   string
		says   string
		stands string
	}{
		{"done", func(access.Fence, access.Request) (access.Reply, error) {
			return reply(`{"ids":[1],"names":["Acme"]}`), nil
		}, "", `"count":1`, ""},
		{"it waits", asksTwelve, "", `"request_id":12`, "pending_approval"},
		{"approved and done before, by its idempotency key", func(access.Fence, access.Request) (access.Reply, error) {
			return reply(`{"ids":[1],"replayed":true}`), nil
		}, "", `"replayed":true`, ""},
		{"nobody may approve it", func(access.Fence, access.Request) (access.Reply, error) {
			return access.Reply{}, access.NewError(access.NotAllowed, "This needs approval, but nobody is allowed to approve it.", "Name an approver.")
		}, "not_allowed", "nobody is allowed to approve it", ""},
		{"too many wait already", func(access.Fence, access.Request) (access.Reply, error) {
			return access.Reply{}, access.NewError(access.RateLimited, "This connection already has 100 requests waiting for approval.", "Wait.")
		}, "rate_limited", "waiting for approval", ""},
		{"a record is gone, so nobody was asked", func(access.Fence, access.Request) (access.Reply, error) {
			return access.Reply{}, access.NewError(access.NotFound, "There is no res.partner with the id 1.", "")
		}, "not_found", "no res.partner", ""},
	} {
		for _, approvals := range []bool{true, false} { // also where the service has not heard of the rules yet
			f := writer()
			f.snapshot.Connection.Policy.Approvals = approvals
			f.call = row.answer
			a := call(t, endpoint(t, f).URL, "delete_records", deletePartner)
			if a.kind() != row.kind || a.stands() != row.stands || !strings.Contains(strings.ReplaceAll(a.body, `\"`, `"`), row.says) || f.callCount() != 1 {
				t.Errorf("%s: %d calls: %s", row.name, f.callCount(), a.body)
			}
		}
	}
}

// TestStaleApproval: what a call has to bring along is decided anew on what holds now, in both directions; so is whether it
// may be asked for at all.
func TestStaleApproval(t *testing.T) {
	t.Parallel()
	free := func(p *access.Policy) { p.Approvals = false }
	gate := func(p *access.Policy) { p.Approvals = true }
	for _, row := range []struct {
		name          string
		was, is       func(*access.Policy)
		kind          string
		arguments     []bool // of each call: whether the tool's went along
		done, waiting bool
	}{
		{"waits no more", gate, free, "", []bool{true, false}, true, false},
		{"waits now", free, gate, "", []bool{false, true}, false, true},
		{"still waits", gate, gate, "", []bool{true, true}, false, true},
		{"the tool was taken", gate, func(p *access.Policy) { p.AllowedTools = []string{} }, "not_allowed", []bool{true}, false, false},
		{"it may only read now", gate, func(p *access.Policy) { p.ReadOnly = true }, "read_only", []bool{true}, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := writer()
			row.was(&f.snapshot.Connection.Policy)
			answer := f.call
			fresh := changed(f, row.is)
			done := false
			f.call = func(fence access.Fence, r access.Request) (access.Reply, error) {
				switch {
				case fence.Version != fresh.Connection.Version:
					return access.Reply{Stale: fresh}, nil
				case fresh.Connection.Policy.Approvals:
					return asksTwelve(fence, r)
				}
				done = true
				return answer(fence, r)
			}
			a := call(t, endpoint(t, f).URL, "delete_records", deletePartner)
			if a.kind() != row.kind || done != row.done || a.stands() == "pending_approval" != row.waiting {
				t.Error(a.body)
			}
			var along []bool
			for _, r := range f.calls {
				along = append(along, string(r.Arguments) == deletePartner)
			}
			if !slices.Equal(along, row.arguments) {
				t.Errorf("arguments %v, want %v", along, row.arguments)
			}
		})
	}
}

// TestLostQuestion: whether a person was asked nobody knows then. It is not sent twice.
func TestLostQuestion(t *testing.T) {
	t.Parallel()
	f := gatedWriter()
	f.approve = func(access.Fence, access.Request) (access.Reply, error) {
		return access.Reply{}, &access.Error{Kind: access.OdooUnavailable, Message: "lost"}
	}
	if a := call(t, endpoint(t, f).URL, "delete_records", deletePartner); a.kind() != "odoo_unavailable" || f.askedCount() != 1 || f.callCount() != 1 {
		t.Errorf("asked %d times: %s", f.askedCount(), a.body)
	}
}

// TestEverySchemaTakesOtherAnswers: clients check an error and a pending answer against the tool's output schema too.
func TestEverySchemaTakesOtherAnswers(t *testing.T) {
	t.Parallel()
	var list struct {
		Result struct {
			Tools []struct {
				Name         string
				OutputSchema *jsonschema.Schema
			}
		}
	}
	if err := json.Unmarshal([]byte(send(t, endpoint(t, writer()).URL, listTools).body), &list); err != nil || len(list.Result.Tools) < 12 {
		t.Fatalf("%v, %d tools", err, len(list.Result.Tools))
	}
	for _, tool := range list.Result.Tools {
		schema, err := tool.OutputSchema.Resolve(nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{
			`{"status":"pending_approval","request_id":12,"expires_at":"2026-11-23T10:00:00Z","approval_url":"https://odoo.example/odoo/doorman.approval/12"}`,
			`{"kind":"rate_limited","message":"Too much.","hint":"Wait.","retry_after_seconds":3}`,
		} {
			var v any
			if err := json.Unmarshal([]byte(text), &v); err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(v); err != nil {
				t.Errorf("%s: %s: %v", tool.Name, text, err)
			}
		}
	}
}

// modern calls delete_records by protocol 2026-07-28, as a client that can show addresses.
func modern(t *testing.T, url, key, state string) answer {
	t.Helper()
	return send(t, url, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_records","arguments":`+deletePartner+`,"requestState":"`+state+`",`+
		`"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{"url":{}}}}}}`,
		"MCP-Protocol-Version", "2026-07-28", "Mcp-Method", "tools/call", "Mcp-Name", "delete_records", "Authorization", "Bearer "+key)
}

func stateOf(t *testing.T, a answer) string {
	t.Helper()
	var got struct {
		Result struct{ ResultType, RequestState string }
	}
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || got.Result.ResultType != "input_required" || got.Result.RequestState == "" {
		t.Fatal(a.body)
	}
	return got.Result.RequestState
}

// TestStateEnds with the request, and with the key that it was given to.
func TestStateEnds(t *testing.T) {
	t.Parallel()
	f, at := gatedWriter(), newClock()
	other := access.ProofOf("dmk_new")
	f.resolve = func(p access.Proof) (access.Resolution, error) {
		if p != other && p != access.ProofOf(goodKey) {
			return access.Resolution{}, access.Invalid()
		}
		return access.Resolution{Snapshot: f.snapshot}, nil
	}
	f.decide(decided(access.ApprovalRejected, func(a *access.Approval) { a.Reason = "No." }))
	url := endpoint(t, f, func(c *mcp.Config) { c.Now = at.now }).URL
	state := stateOf(t, modern(t, url, goodKey, ""))
	if again := stateOf(t, modern(t, url, goodKey, "")); again != state {
		t.Error("the same request has two states")
	}
	at.set(pendingTwelve.ExpiresAt.Add(-time.Second))
	if a := modern(t, url, goodKey, state); a.kind() != "rejected" || !strings.Contains(a.body, "No.") || f.pollCount() != 1 {
		t.Errorf("a second before its end: %s", a.body)
	}
	if a := modern(t, url, "dmk_new", state); a.kind() != "invalid_input" || f.pollCount() != 1 {
		t.Errorf("the same connection by another key: %s", a.body)
	}
	at.set(pendingTwelve.ExpiresAt)
	if a := modern(t, url, goodKey, state); a.kind() != "expired" || !strings.Contains(a.body, "request_id 12") || f.pollCount() != 1 {
		t.Errorf("at its end: %s", a.body)
	}
}
