package wire

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"doorman/server/access"
)

const goodPending = `{"request_id": 12, "expires_at": "2026-11-23T10:00:00Z", "approval_url": "https://odoo.example/odoo/doorman.approval/12"}`

// TestCallShapes: exactly one of pending, value, stale and error, and of pending all three parts.
func TestCallShapes(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"pending": ` + goodPending + `, "registry": "7"}`:               "pending",
		`{"value": {"ids": [1], "replayed": true}, "registry": "7"}`:      "value",
		`{"stale": ` + goodSnapshot + `}`:                                 "stale",
		`{"error": {"kind": "rate_limited", "message": "Too many."}}`:     "rate_limited",
		`{"error": {"kind": "pending_approval", "message": "x"}}`:         "pending_approval",
		`{"pending": ` + goodPending + `, "value": 1}`:                    "internal",
		`{"pending": ` + goodPending + `, "value": null}`:                 "internal",
		`{"pending": ` + goodPending + `, "error": {"kind": "x"}}`:        "internal",
		`{"pending": ` + goodPending + `, "stale": ` + goodSnapshot + `}`: "internal",
		`{"value": 1, "error": {"kind": "x"}}`:                            "internal",
		`[]`:                                                              "internal",
		`true`:                                                            "internal",
		`{"pending": null}`:                                               "internal",
		`{"pending": {}}`:                                                 "internal",
		`{"pending": []}`:                                                 "internal",
		`{"approval": ` + goodPending + `}`:                               "internal",
		`{}`:                                                              "internal",
		`null`:                                                            "internal",
		`{"pending": ` + strings.Replace(goodPending, `12`, `0`, 1) + `}`:                                       "internal",
		`{"pending": ` + strings.Replace(goodPending, `12`, `"12"`, 1) + `}`:                                    "internal",
		`{"pending": ` + strings.Replace(goodPending, `"2026-11-23T10:00:00Z"`, `null`, 1) + `}`:                "internal",
		`{"pending": ` + strings.Replace(goodPending, `2026-11-23T10`, `2026-11-23 10`, 1) + `}`:                "internal",
		`{"pending": {"request_id": 12, "expires_at": "2026-11-23T10:00:00Z", "approval_url": ""}}`:             "internal",
		`{"pending": {"request_id": 12, "expires_at": "2026-11-23T10:00:00Z"}}`:                                 "internal",
		`{"pending": {"expires_at": "2026-11-23T10:00:00Z", "approval_url": "https://odoo.example/odoo/1"}}`:    "internal",
		`{"pending": {"request_id": 12, "expires_at": "2026-11-23T10:00:00Z", "approval_url": "javascript:1"}}`: "internal",
	} {
		r, err := DecodeCall(json.RawMessage(in))
		got := ""
		switch {
		case err != nil:
			got = string(access.AsError(err).Kind)
		case r.Pending != nil && r.Value == nil && r.Stale == nil:
			got = "pending"
		case r.Value != nil && r.Stale == nil:
			got = "value"
		case r.Stale != nil:
			got = "stale"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
	r, err := DecodeCall(json.RawMessage(`{"pending": ` + goodPending + `}`))
	want := access.Pending{RequestID: 12, ExpiresAt: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), URL: "https://odoo.example/odoo/doorman.approval/12"}
	if err != nil || *r.Pending != want {
		t.Errorf("%+v, %v", r.Pending, err)
	}
	// Of other methods nothing may be pending: taken for a value, it would tell the AI tool that it is done.
	if r, err := DecodeReply(json.RawMessage(`{"pending": ` + goodPending + `}`)); err == nil {
		t.Errorf("another method: %+v", r)
	}
}

const goodApproval = `{"request_id": 12, "state": "executed", "tool": "delete_records", "summary": "Delete 1", "model": "res.partner",
	"requested_at": "2026-11-22T10:00:00Z", "expires_at": "2026-11-23T10:00:00Z", "decided_at": "2026-11-22T11:00:00Z", "decided_by": "Ann Boss",
	"reason": "", "error": null, "arguments": {"ids": [1]}, "value": {"ids": [1]}, "approval_url": "https://odoo.example/odoo/doorman.approval/12"}`

// TestApprovalShapes: what does not fit together is unusable.
func TestApprovalShapes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, old, new string
		ok             bool
	}{
		{"allow executed", "", "", true},
		{"allow executed without an answer", `"value": {"ids": [1]}`, `"value": null`, true},
		{"allow an answer that is a list", `"value": {"ids": [1]}`, `"value": []`, true},
		{"allow rejected", `"state": "executed"`, `"state": "rejected"`, true},
		{"allow no model", `"res.partner"`, `""`, true},
		{"deny no state", `"state": "executed", `, ``, false},
		{"deny a state nobody knows", `"executed"`, `"approved"`, false},
		{"deny a state in capitals", `"executed"`, `"Executed"`, false},
		{"deny no tool", `"tool": "delete_records", `, ``, false},
		{"deny no id", `"request_id": 12, `, ``, false},
		{"deny no end", `"expires_at": "2026-11-23T10:00:00Z", `, ``, false},
		{"deny pending, and decided", `"executed"`, `"pending"`, false},
		{"deny executed, and not decided", `"decided_at": "2026-11-22T11:00:00Z"`, `"decided_at": null`, false},
		{"deny decided at false", `"decided_at": "2026-11-22T11:00:00Z"`, `"decided_at": false`, false},
		{"deny decided at some time", `"decided_at": "2026-11-22T11:00:00Z"`, `"decided_at": "yesterday"`, false},
		{"deny failed without a reason", `"executed"`, `"failed"`, false},
		{"allow executed, and its answer not told any more", `"error": null, "arguments": {"ids": [1]}, "value": {"ids": [1]}`, `"error": {"kind": "not_allowed", "message": "x"}, "arguments": {}, "value": null`, true},
		{"deny executed with an answer and an error", `"error": null`, `"error": {"kind": "conflict", "message": "x"}`, false},
		{"deny rejected with an error", `"executed", "tool": "delete_records", "summary": "Delete 1", "model": "res.partner",
	"requested_at": "2026-11-22T10:00:00Z", "expires_at": "2026-11-23T10:00:00Z", "decided_at": "2026-11-22T11:00:00Z", "decided_by": "Ann Boss",
	"reason": "", "error": null`, `"rejected", "tool": "delete_records", "decided_at": "2026-11-22T11:00:00Z", "expires_at": "2026-11-23T10:00:00Z", "error": {"kind": "conflict", "message": "x"}`, false},
		{"deny decided by a number", `"Ann Boss"`, `3`, false},
	} {
		text := strings.Replace(goodApproval, row.old, row.new, 1)
		if row.old != "" && text == goodApproval {
			t.Fatalf("%s: the row changes nothing", row.name)
		}
		r, err := DecodeStatus(json.RawMessage(`{"approval": ` + text + `, "registry": "7"}`))
		if (err == nil) != row.ok || row.ok && r.Approval == nil {
			t.Errorf("%s: %+v, %v", row.name, r.Approval, err)
		}
		if err == nil && r.Approval.Value != nil && r.Approval.State != access.ApprovalExecuted {
			t.Errorf("%s: a value", row.name)
		}
	}
	for _, in := range []string{`{}`, `null`, `{"approval": null}`, `{"approval": []}`, `{"value": 1}`, `{"pending": ` + goodPending + `}`, `{"approval": ` + goodApproval + `, "error": {"kind": "x"}}`} {
		if r, err := DecodeStatus(json.RawMessage(in)); err == nil {
			t.Errorf("%s: %+v", in, r)
		}
	}
}

// TestApprovalWords: a person's words are kept, but for what redraws a terminal; Odoo's of a failure are cleaned.
func TestApprovalWords(t *testing.T) {
	t.Parallel()
	text := strings.NewReplacer(
		`"Delete 1"`, `"Delete 1: SELECT a chair FROM us\u001b[31m"`, `"reason": ""`, `"reason": " See main.py: no.\n\u202eTwice "`,
		`"executed"`, `"failed"`, `"error": null`, `"error": {"kind": "nonsense", "message": "Traceback (most recent call last):\n x", "hint": ""}`,
	).Replace(goodApproval)
	r, err := DecodeStatus(json.RawMessage(`{"approval": ` + text + `}`))
	if err != nil {
		t.Fatal(err)
	}
	a := r.Approval
	if a.Summary != "Delete 1: SELECT a chair FROM us[31m" || a.Reason != "See main.py: no.\nTwice" {
		t.Errorf("%q, %q", a.Summary, a.Reason)
	}
	if a.Failure.Kind != access.Internal || strings.Contains(a.Failure.Message, "Traceback") || a.Value != nil {
		t.Errorf("%+v", a)
	}
	long, err := json.Marshal(strings.Repeat("ё", 10_000))
	if err != nil {
		t.Fatal(err)
	}
	r, err = DecodeStatus(json.RawMessage(`{"approval": ` + strings.Replace(goodApproval, `"Delete 1"`, string(long), 1) + `}`))
	if err != nil || len(r.Approval.Summary) > 2*maxText {
		t.Errorf("%d bytes, %v", len(r.Approval.Summary), err)
	}
}
