package wire

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorman/server/access"
)

// FuzzDecode: whatever JSON a gateway method answers with, what is decoded holds together, and no error quotes it.
func FuzzDecode(f *testing.F) {
	files, _ := filepath.Glob(filepath.Join("..", "testdata", "golden", "json2", "*.json")) // there the result is the whole body
	if len(files) == 0 {
		f.Fatal("no golden replies")
	}
	for _, file := range files {
		var g struct{ Body json.RawMessage }
		raw, err := os.ReadFile(file)
		if err != nil || json.Unmarshal(raw, &g) != nil {
			f.Fatalf("%s: %v", file, err)
		}
		f.Add([]byte(g.Body))
	}
	for _, s := range []string{
		`{"used_today":1,"snapshot":` + goodSnapshot + `}`, `{"pending":` + goodPending + `}`, `{"approval":` + goodApproval + `}`,
		`{"error": {"kind": "internal", "message": "Traceback (most recent call last)"}}`, `null`, `[]`, `{}`, `{"counts": {"folded": 1}, "more": true}`,
		strings.Repeat("[", 20000),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { checkDecoded(t, raw) })
}

// checkDecoded runs the gateway's decoders over raw.
func checkDecoded(t *testing.T, raw json.RawMessage) {
	t.Helper()
	if r, err := DecodeResolve(raw); err == nil {
		p := r.Snapshot.Connection.Policy
		if r.Snapshot.Connection.ID <= 0 || p.Scopes == nil || p.RateMinute < 1 || p.RateDay < 1 || r.UsedToday < 0 || len(r.Snapshot.Settings.Floor) == 0 {
			t.Fatalf("%+v", r)
		}
	}
	if p, err := DecodeProgress(raw); err == nil && p.Done < 0 {
		t.Fatalf("%+v", p)
	}
	if r, err := DecodeReply(raw); err == nil && (r.Value == nil) == (r.Stale == nil) {
		t.Fatalf("%+v", r)
	}
	if r, err := DecodeCall(raw); err == nil && r.Pending != nil && (r.Pending.RequestID <= 0 || r.Pending.ExpiresAt.IsZero() || r.Value != nil || r.Stale != nil) {
		t.Fatalf("%+v", r)
	}
	if r, err := DecodeStatus(raw); err == nil && (r.Value != nil || (r.Approval == nil) == (r.Stale == nil) || r.Approval != nil && !r.Approval.State.Known()) {
		t.Fatalf("%+v", r)
	}
	_, _ = DecodeHello(raw)
	err := DecodeObject(raw)
	if err == nil {
		return
	}
	if e := access.AsError(err); e.Message == "" || len(e.Message) > maxText+200 || strings.Contains(e.Error(), "Traceback (most") {
		t.Fatalf("%+v", e)
	}
}
