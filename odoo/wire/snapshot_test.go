package wire

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"doorman/server/access"
)

// goodSnapshot is the least that the addon may send.
const goodSnapshot = `{
	"connection": {"id": 3, "version": 7, "name": "n", "type": "bearer", "status": "connected"},
	"policy": {"scopes": ["mcp:search"], "read_only": true, "rate_limit_minute": 60, "rate_limit_day": 10000, "approval": false},
	"user": {"id": 2, "login": "admin", "name": "A", "lang": "en_US", "groups": "abc"},
	"settings": {"enabled": true, "version": 1, "disabled_tools": [], "missing_modules": [], "floor": ["ir.rule"]},
	"registry": "12"}`

func TestSnapshotAbsentIsNoRestriction(t *testing.T) {
	t.Parallel()
	r, err := DecodeResolve(json.RawMessage(`{"used_today": 3, "snapshot": ` + goodSnapshot + `}`))
	if err != nil {
		t.Fatal(err)
	}
	s := r.Snapshot
	p := s.Connection.Policy
	if p.AllowedTools != nil || p.AllowedModels != nil || p.Companies != nil || p.AllowedIPs != nil || p.BlockedIPs != nil {
		t.Errorf("absent lists came as %+v", p)
	}
	if !p.ReadOnly || len(p.Scopes) != 1 || s.Connection.Version != 7 || !s.Connection.ExpiresAt.IsZero() || s.Registry != "12" {
		t.Errorf("%+v", s)
	}
	if p.RateMinute != 60 || p.RateDay != 10000 || p.Approvals || r.UsedToday != 3 {
		t.Errorf("%+v, used %d", p, r.UsedToday)
	}
	if s.Settings.ReadOnlyBy != "" {
		t.Errorf("all are read-only by %q", s.Settings.ReadOnlyBy)
	}
	all, err := DecodeResolve(json.RawMessage(`{"used_today": 3, "snapshot": ` + strings.Replace(goodSnapshot, `"version": 1`, `"version": 1, "read_only_by": "Ann"`, 1) + `}`))
	if err != nil || all.Snapshot.Settings.ReadOnlyBy != "Ann" {
		t.Errorf("%+v, %v", all, err)
	}
	if !slices.Equal(s.Settings.Floor, []string{"ir.rule"}) || len(s.Settings.MissingModules) != 0 {
		t.Errorf("%+v", s.Settings)
	}
}

func TestSnapshotEmptyIsNothingAllowed(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"allowed_tools", "allowed_models", "companies", "allowed_ips"} {
		text := strings.Replace(goodSnapshot, `"read_only"`, `"`+name+`": [], "read_only"`, 1)
		r, err := DecodeResolve(json.RawMessage(`{"used_today": 0, "snapshot": ` + text + `}`))
		if err != nil {
			t.Fatal(err)
		}
		p := r.Snapshot.Connection.Policy
		empty := map[string]bool{
			"allowed_tools": p.AllowedTools != nil, "allowed_models": p.AllowedModels != nil,
			"companies": p.Companies != nil, "allowed_ips": p.AllowedIPs != nil,
		}
		if !empty[name] {
			t.Errorf("an empty %s reads as no restriction", name)
		}
	}
}

// TestSnapshotUnusable: whatever is missing or unreadable makes all of it unusable.
func TestSnapshotUnusable(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, old, new string }{
		{"no connection", `"connection"`, `"x"`},
		{"connection without id", `"id": 3, `, ``},
		{"connection id 0", `"id": 3`, `"id": 0`},
		{"connection id as text", `"id": 3`, `"id": "3"`},
		{"connection without version", `"version": 7, `, ``},
		{"connection without status", `, "status": "connected"`, ``},
		{"expiry that is not a time", `"status"`, `"expires_at": "tomorrow", "status"`},
		{"expiry false", `"status"`, `"expires_at": false, "status"`},
		{"expiry empty", `"status"`, `"expires_at": "", "status"`},
		{"expiry in the year 1", `"status"`, `"expires_at": "0001-01-01T00:00:00Z", "status"`},
		{"no policy", `"policy"`, `"x"`},
		{"policy null", `"policy": {"scopes": ["mcp:search"], "read_only": true, "rate_limit_minute": 60, "rate_limit_day": 10000, "approval": false}`, `"policy": null`},
		{"no rate a minute", `"rate_limit_minute": 60, `, ``},
		{"a rate of 0 a minute", `"rate_limit_minute": 60`, `"rate_limit_minute": 0`},
		{"a rate below 0", `"rate_limit_minute": 60`, `"rate_limit_minute": -1`},
		{"a rate of half a request", `"rate_limit_minute": 60`, `"rate_limit_minute": 0.5`},
		{"a rate a minute null", `"rate_limit_minute": 60`, `"rate_limit_minute": null`},
		{"a rate as text", `"rate_limit_minute": 60`, `"rate_limit_minute": "60"`},
		{"no rate a day", `, "rate_limit_day": 10000`, ``},
		{"a rate of 0 a day", `"rate_limit_day": 10000`, `"rate_limit_day": 0`},
		{"a rate a day false", `"rate_limit_day": 10000`, `"rate_limit_day": false`},
		{"no scopes", `"scopes"`, `"x"`},
		{"scopes null", `["mcp:search"]`, `null`},
		{"scopes as text", `["mcp:search"]`, `"mcp:search"`},
		{"no read_only", `"read_only"`, `"x"`},
		{"read_only null", `"read_only": true`, `"read_only": null`},
		{"read_only as number", `"read_only": true`, `"read_only": 0`},
		{"allowed_tools null", `"read_only"`, `"allowed_tools": null, "read_only"`},
		{"allowed_tools false", `"read_only"`, `"allowed_tools": false, "read_only"`},
		{"allowed_models as object", `"read_only"`, `"allowed_models": {}, "read_only"`},
		{"companies with text", `"read_only"`, `"companies": ["1"], "read_only"`},
		{"allowed_ips null", `"read_only"`, `"allowed_ips": null, "read_only"`},
		{"an address that is none", `"read_only"`, `"allowed_ips": ["10.0.0.1", "10.0.0.256"], "read_only"`},
		{"a host name", `"read_only"`, `"allowed_ips": ["office.example"], "read_only"`},
		{"a comment", `"read_only"`, `"blocked_ips": ["# office"], "read_only"`},
		{"an empty line", `"read_only"`, `"blocked_ips": [""], "read_only"`},
		{"a zone", `"read_only"`, `"blocked_ips": ["fe80::1%eth0"], "read_only"`},
		{"a mask that is too long", `"read_only"`, `"blocked_ips": ["10.0.0.0/33"], "read_only"`},
		{"a range", `"read_only"`, `"blocked_ips": ["10.0.0.1-10.0.0.9"], "read_only"`},
		{"a v4 network in v6 that covers more than v4", `"read_only"`, `"blocked_ips": ["::ffff:0:0/90"], "read_only"`},
		{"no approval", `, "approval": false`, ``},
		{"approval null", `"approval": false`, `"approval": null`},
		{"approval as text", `"approval": false`, `"approval": "true"`},
		{"approval as a number", `"approval": false`, `"approval": 1`},
		{"approval as a list", `"approval": false`, `"approval": []`},
		{"approval as an addon of interface 2 has it", `"approval": false`, `"approval": {"tools": ["delete_records"], "rules": [], "approver": "Ada"}`},
		{"no user", `"user"`, `"x"`},
		{"user id 0", `"id": 2`, `"id": 0`},
		{"user without groups", `, "groups": "abc"`, ``},
		{"no settings", `"settings"`, `"x"`},
		{"settings without enabled", `"enabled": true, `, ``},
		{"settings without version", `"version": 1, `, ``},
		{"disabled_tools null", `"disabled_tools": []`, `"disabled_tools": null`},
		{"no missing_modules", `"missing_modules": [], `, ``},
		{"missing_modules null", `"missing_modules": []`, `"missing_modules": null`},
		{"missing_modules false", `"missing_modules": []`, `"missing_modules": false`},
		{"no floor", `, "floor": ["ir.rule"]`, ``},
		{"an empty floor", `["ir.rule"]`, `[]`},
		{"floor null", `["ir.rule"]`, `null`},
		{"a floor with an empty name", `["ir.rule"]`, `["ir.rule", ""]`},
		{"a floor as text", `["ir.rule"]`, `"ir.rule"`},
		{"no registry", `"registry": "12"`, `"x": 1`},
	} {
		text := strings.Replace(goodSnapshot, row.old, row.new, 1)
		if text == goodSnapshot {
			t.Fatalf("%s: the row changes nothing", row.name)
		}
		_, err := DecodeResolve(json.RawMessage(`{"used_today": 0, "snapshot": ` + text + `}`))
		if err == nil {
			t.Errorf("%s: usable", row.name)
		} else if e := access.AsError(err); e.Kind != access.Internal || e.Detail == "" {
			t.Errorf("%s: %v", row.name, err)
		}
		if _, err := DecodeReply(json.RawMessage(`{"stale": ` + text + `}`)); err == nil {
			t.Errorf("%s: usable as stale", row.name)
		}
	}
}

func TestPrefix(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"10.1.2.3":              "10.1.2.3/32",
		"10.1.2.3/8":            "10.0.0.0/8",
		"0.0.0.0/0":             "0.0.0.0/0",
		"::1":                   "::1/128",
		"2001:db8::5/32":        "2001:db8::/32",
		"::ffff:10.1.2.3":       "10.1.2.3/32",
		"::ffff:10.1.2.3/104":   "10.0.0.0/8",
		"0:0:0:0:0:ffff:a01::/": "",
	} {
		got, ok := prefix(in)
		if ok != (want != "") || ok && got != netip.MustParsePrefix(want) {
			t.Errorf("%s: %v %v, want %s", in, got, ok, want)
		}
	}
}

// TestSnapshotApproval: whether calls may wait for a person; which ones is Odoo's to decide.
func TestSnapshotApproval(t *testing.T) {
	t.Parallel()
	for _, in := range []bool{true, false} {
		text := strings.Replace(goodSnapshot, `"approval": false`, fmt.Sprintf(`"approval": %v`, in), 1)
		r, err := DecodeResolve(json.RawMessage(`{"used_today": 0, "snapshot": ` + text + `}`))
		if err != nil || r.Snapshot.Connection.Policy.Approvals != in {
			t.Errorf("%v: %+v, %v", in, r, err)
		}
	}
}

// TestResolveWantsACount: without it the day limit would start anew with every restart of the service.
func TestResolveWantsACount(t *testing.T) {
	t.Parallel()
	for _, used := range []string{``, `"used_today": null,`, `"used_today": -1,`, `"used_today": "3",`, `"used_today": 1.5,`, `"used_today": false,`} {
		if r, err := DecodeResolve(json.RawMessage(`{` + used + `"snapshot": ` + goodSnapshot + `}`)); err == nil {
			t.Errorf("%s: %+v", used, r)
		}
	}
}

// TestProgressShapes: a job that cannot read what Odoo did must not take it for "all is done".
func TestProgressShapes(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]*access.Progress{
		`{"counts": {"folded": 0}, "more": false}`:                  {},
		`{"counts": {"folded": 7}, "more": true}`:                   {Done: 7, More: true},
		`{"counts": {"expired": 7, "cancelled": 2}, "more": false}`: {Done: 9},
		`{}`:                              nil,
		`null`:                            nil,
		`[]`:                              nil,
		`true`:                            nil,
		`{"more": false}`:                 nil,
		`{"counts": {"folded": 7}}`:       nil,
		`{"counts": {}, "more": false}`:   nil,
		`{"counts": null, "more": false}`: nil,
		`{"counts": 7, "more": false}`:    nil,
		`{"counts": [7], "more": false}`:  nil,
		`{"folded": 7, "more": false}`:    nil,
		`{"counts": {"folded": -1}, "more": false}`:                        nil,
		`{"counts": {"folded": true}, "more": false}`:                      nil,
		`{"counts": {"folded": 1.5}, "more": false}`:                       nil,
		`{"counts": {"a": 9e18, "b": 9e18}, "more": false}`:                nil,
		`{"counts": {"a": 2000000000, "b": 1}, "more": false}`:             nil,
		`{"counts": {"folded": 7}, "more": null}`:                          nil,
		`{"counts": {"folded": 7}, "more": 1}`:                             nil,
		`{"error": {"kind": "forbidden"}}`:                                 nil,
		`{"counts": {"folded": 7}, "more": false, "error": {"kind": "x"}}`: nil,
		`{"counts": {"folded": 7}, "more": false, "error": {"kind": 1}}`:   nil,
	} {
		got, err := DecodeProgress(json.RawMessage(in))
		if (err == nil) != (want != nil) || want != nil && got != *want {
			t.Errorf("%s: %+v, %v", in, got, err)
		}
	}
}

// TestReplyShapes: exactly one of value, stale and error.
func TestReplyShapes(t *testing.T) {
	t.Parallel()
	for in, ok := range map[string]bool{
		`{"value": [], "registry": "1"}`:       true,
		`{"value": null, "registry": "1"}`:     true,
		`{"value": false, "registry": "1"}`:    true,
		`{"stale": ` + goodSnapshot + `}`:      true,
		`{}`:                                   false,
		`null`:                                 false,
		`[]`:                                   false,
		`"value"`:                              false,
		`{"value": 1, "error": {"kind": "x"}}`: false,
		`{"value": 1, "stale": ` + goodSnapshot + `}`: false,
		`{"stale": null}`: false,
		`{"error": null}`: false,
	} {
		r, err := DecodeReply(json.RawMessage(in))
		if ok != (err == nil) || ok && (r.Value == nil) == (r.Stale == nil) {
			t.Errorf("%s: %+v, %v", in, r, err)
		}
	}
}

// speaking is an addon's answer to hello, with the interface that this service speaks.
func speaking(hello string) string {
	return strings.Replace(hello, "{", fmt.Sprintf(`{"interface":%d,`, access.Interface), 1)
}

func TestHelloShapes(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		`{}`, `null`, `[]`, `{"enabled": true, "settings_version": 1}`, `{"addon_version": "1", "settings_version": 1}`,
		`{"addon_version": "1", "enabled": true}`, `{"addon_version": "1", "enabled": "yes", "settings_version": 1}`,
		`{"addon_version": "1", "enabled": true, "settings_version": 1, "code_version": 2}`,
	} {
		if h, err := DecodeHello(json.RawMessage(strings.Replace(speaking(in), ",}", "}", 1))); access.AsError(err).Kind != access.Internal {
			t.Errorf("%s: %+v %v", in, h, err)
		}
	}
}

// TestHelloJobs: what is listed comes through as it is, for package jobs to judge, but never as another number.
func TestHelloJobs(t *testing.T) {
	t.Parallel()
	const hello = `{"addon_version": "1", "enabled": true, "settings_version": 1, "jobs": `
	for in, want := range map[string][]access.Job{
		`null}`: nil,
		`[]}`:   nil,
		`[{"name": "fold_use", "every": 60, "timeout": 50}]}`:  {{Name: "fold_use", Every: time.Minute, Timeout: 50 * time.Second}},
		`[{"name": "a"}, {"name": "", "every": 0.5}, {}]}`:     {{Name: "a"}, {Every: 500 * time.Millisecond}, {}},
		`[{"name": "a", "every": -60, "timeout": -1}]}`:        {{Name: "a", Every: -time.Minute, Timeout: -time.Second}},
		`[{"name": "a", "every": 1e300, "timeout": -1e300}]}`:  {{Name: "a", Every: 87600 * time.Hour, Timeout: -87600 * time.Hour}},
		`[{"name": "a", "every": 18446744073709551676}]}`:      {{Name: "a", Every: 87600 * time.Hour}},
		`[{"name": "a", "every": 60, "timeout": 50, "x": 1}]}`: {{Name: "a", Every: time.Minute, Timeout: 50 * time.Second}},
	} {
		h, err := DecodeHello(json.RawMessage(speaking(hello + in)))
		if err != nil || !slices.Equal(h.Jobs, want) {
			t.Errorf("%s: %+v, %v", in, h.Jobs, err)
		}
	}
	for _, in := range []string{`{}}`, `[1]}`, `["fold_use"]}`, `[{"name": 1}]}`, `[{"name": "a", "every": "60"}]}`, `[{"name": "a", "every": true}]}`} {
		if h, err := DecodeHello(json.RawMessage(speaking(hello + in))); err == nil {
			t.Errorf("%s: %+v", in, h.Jobs)
		}
	}
}

// TestProblemWords: the addon's error objects, with words that must not get through.
func TestProblemWords(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		in   string
		kind access.Kind
		msg  string
	}{
		{`{"kind": "business_rule", "message": "Not today."}`, access.BusinessRule, "Not today."},
		{`{"kind": "not_a_kind", "message": "x"}`, access.Internal, "x"},
		{`{"kind": "internal", "message": ""}`, access.Internal, "Odoo could not do this."},
		{`{"kind": "conflict", "message": ""}`, access.Conflict, "Odoo refused this (conflict)."},
		{`{}`, access.Internal, "Odoo could not do this."},
		{`{"kind": "internal", "message": "Traceback (most recent call last):\n  File \"/opt/x.py\", line 1"}`, access.Internal, "Odoo could not do this."},
	} {
		_, err := DecodeReply(json.RawMessage(`{"error": ` + row.in + `}`))
		if e := access.AsError(err); err == nil || e.Kind != row.kind || e.Message != row.msg {
			t.Errorf("%s: %v", row.in, err)
		}
	}
}
