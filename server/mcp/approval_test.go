package mcp_test

import (
	"encoding/json"
	"fmt"
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
	f.snapshot.Connection.Policy.Approval = access.Gating{Tools: []string{"delete_records"}, Approver: "Ada"}
	return f
}

func (a answer) stands() string {
	s, _ := a.Result.StructuredContent["status"].(string)
	return s
}

// TestGatedCallsAreAsked: what waits is put before a person with all that it takes to run it, and is not run.
func TestGatedCallsAreAsked(t *testing.T) {
	t.Parallel()
	for _, row := range goodWrites {
		f := writer()
		f.snapshot.Connection.Policy.Approval.Tools = []string{row.tool}
		a := call(t, endpoint(t, f).URL, row.tool, row.args)
		if a.kind() != "" || a.stands() != "pending_approval" || f.callCount() != 0 || f.askedCount() != 1 {
			t.Fatalf("%s: %d calls, asked %d times: %s", row.tool, f.callCount(), f.askedCount(), a.body)
		}
		r := f.asked[0]
		kwargs, _ := json.Marshal(r.Kwargs)
		if r.Method != row.method || string(kwargs) != row.kwargs || string(r.Arguments) != row.args || r.Audit.Tool != row.tool || r.Timeout <= 0 {
			t.Errorf("%s: asked %+v", row.tool, r)
		}
	}
}

// TestWhichCallsWait: by the number of records, and never a dry run.
func TestWhichCallsWait(t *testing.T) {
	t.Parallel()
	many := access.Gating{Rules: []access.GatingRule{{MoreThan: 1}}}
	reads := access.Gating{Rules: []access.GatingRule{{Reads: true, Model: "res.partner"}}}
	deletions := access.Gating{Tools: []string{"delete_records", "approval_status"}}
	for _, row := range []struct {
		name, tool, args string
		by               access.Gating
		waits            bool
	}{
		{"allow one record", "update_records", `{"model":"res.partner","ids":[1],"values":{"name":"x"}}`, many, false},
		{"allow one new record", "create_records", `{"model":"res.partner","records":[{"name":"a"}]}`, many, false},
		{"allow reading two", "read_records", `{"model":"res.partner","ids":[1,2]}`, many, false},
		{"allow trying out two", "update_records", `{"model":"res.partner","ids":[1,2],"values":{"name":"x"},"dry_run":true}`, many, false},
		{"allow trying out what always waits", "delete_records", `{"model":"res.partner","ids":[1],"dry_run":true}`, deletions, false},
		{"allow reading another model", "search_records", `{"model":"res.country","fields":["name"]}`, reads, false},
		{"allow what touches no model", "get_context", `{}`, reads, false},
		{"deny two records", "update_records", `{"model":"res.partner","ids":[1,2],"values":{"name":"x"}}`, many, true},
		{"deny two new records", "create_records", `{"model":"res.partner","records":[{"name":"a"},{"name":"b"}]}`, many, true},
		{"deny a method on two", "call_method", `{"model":"res.partner","ids":[1,2],"method":"do_it"}`, many, true},
		{"deny one that is named", "delete_records", deletePartner, deletions, true},
		{"deny searching", "search_records", searchPartners, reads, true},
		{"deny reading", "read_records", `{"model":"res.partner","ids":[1]}`, reads, true},
		{"deny describing", "describe_model", searchPartners, reads, true},
	} {
		f := writer()
		if !row.waits {
			f.call = nil
		}
		f.snapshot.Connection.Policy.Approval = row.by
		a := call(t, endpoint(t, f).URL, row.tool, row.args)
		calls, asked := 1, 0
		if row.waits {
			calls, asked = 0, 1
		}
		if a.kind() != "" || a.stands() == "pending_approval" != row.waits || f.callCount() != calls || f.askedCount() != asked {
			t.Errorf("%s: %d calls, asked %d times: %s", row.name, f.callCount(), f.askedCount(), a.body)
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

// TestOdooHasTheLastWord: what the service would let pass and Odoo does not is asked about, with the same request.
func TestOdooHasTheLastWord(t *testing.T) {
	t.Parallel()
	f := writer()
	f.call = func(access.Fence, access.Request) (access.Reply, error) {
		return access.Reply{}, access.NewError(access.PendingApproval, "Nobody was asked yet.", "")
	}
	a := call(t, endpoint(t, f).URL, "delete_records", deletePartner)
	if a.stands() != "pending_approval" || f.callCount() != 1 || f.askedCount() != 1 {
		t.Fatalf("%d calls, asked %d times: %s", f.callCount(), f.askedCount(), a.body)
	}
	if was, is := fmt.Sprintf("%+v", f.calls[0]), fmt.Sprintf("%+v", f.asked[0]); was != is {
		t.Errorf("called %s\nasked %s", was, is)
	}
	// It may have been approved and done before, by its idempotency key: then that is the answer.
	f.approve = func(access.Fence, access.Request) (access.Reply, error) {
		return reply(`{"ids":[1],"replayed":true}`), nil
	}
	if a := call(t, endpoint(t, f).URL, "delete_records", deletePartner); a.kind() != "" || a.Result.StructuredContent["replayed"] != true {
		t.Error(a.body)
	}
	f.approve = func(access.Fence, access.Request) (access.Reply, error) {
		return access.Reply{}, access.NewError(access.NotAllowed, "Nobody may approve this.", "Name an approver.")
	}
	if a := call(t, endpoint(t, f).URL, "delete_records", deletePartner); a.kind() != "not_allowed" {
		t.Error(a.body)
	}
}

// TestStaleApproval: whether a call waits is decided anew on what holds now, in both directions.
func TestStaleApproval(t *testing.T) {
	t.Parallel()
	free := func(p *access.Policy) { p.Approval = access.Gating{} }
	gate := func(p *access.Policy) { p.Approval.Tools = []string{"delete_records"} }
	for _, row := range []struct {
		name          string
		was, is       func(*access.Policy)
		kind          string
		calls, asked  int
		done, waiting bool
	}{
		{"waits no more", gate, free, "", 1, 1, true, false},
		{"waits now", free, gate, "", 1, 1, false, true},
		{"still waits", gate, gate, "", 0, 2, false, true},
		{"the tool was taken", gate, func(p *access.Policy) { p.AllowedTools = []string{} }, "not_allowed", 0, 1, false, false},
		{"it may only read now", gate, func(p *access.Policy) { p.ReadOnly = true }, "read_only", 0, 1, false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := writer()
			row.was(&f.snapshot.Connection.Policy)
			answer := f.call
			fresh := changed(f, row.is)
			done := false
			stale := func(fence access.Fence) bool { return fence.Version != fresh.Connection.Version }
			f.call = func(fence access.Fence, r access.Request) (access.Reply, error) {
				if stale(fence) {
					return access.Reply{Stale: fresh}, nil
				}
				done = true
				return answer(fence, r)
			}
			f.approve = func(fence access.Fence, _ access.Request) (access.Reply, error) {
				if stale(fence) {
					return access.Reply{Stale: fresh}, nil
				}
				waits := pendingTwelve
				return access.Reply{Pending: &waits}, nil
			}
			a := call(t, endpoint(t, f).URL, "delete_records", deletePartner)
			if a.kind() != row.kind || done != row.done || a.stands() == "pending_approval" != row.waiting {
				t.Error(a.body)
			}
			if f.callCount() != row.calls || f.askedCount() != row.asked {
				t.Errorf("%d calls, asked %d times", f.callCount(), f.askedCount())
			}
		})
	}
}

// TestLostQuestion: it is not sent twice, and does not read as if something might have been done.
func TestLostQuestion(t *testing.T) {
	t.Parallel()
	f := gatedWriter()
	f.approve = func(access.Fence, access.Request) (access.Reply, error) {
		return access.Reply{}, &access.Error{Kind: access.OdooUnavailable, Message: "lost"}
	}
	if a := call(t, endpoint(t, f).URL, "delete_records", deletePartner); a.kind() != "odoo_unavailable" || f.askedCount() != 1 {
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
