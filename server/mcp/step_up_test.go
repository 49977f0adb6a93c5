package mcp_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"doorman/server/access"
	"doorman/server/mcp"
)

// withAccessToken makes the fake's connection one that is reached by an access token.
func withAccessToken(f *fakeGateway, grantable ...access.Scope) {
	f.snapshot.Connection.Type = "oauth"
	f.snapshot.Grant = &access.Grant{ClientID: "dmo_x", Grantable: grantable}
}

const createCall = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_records","arguments":{"model":"res.partner","records":"[]"}}}`

// TestStepUp: a call that lacks nothing but a scope which a consent could give is told which to ask for.
func TestStepUp(t *testing.T) {
	t.Parallel()
	all := []access.Scope{access.ScopeMetadata, access.ScopeSearch, access.ScopeORM}
	for _, row := range []struct {
		name   string
		change func(*fakeGateway)
		status int
		kind   string
	}{
		{"grantable", func(f *fakeGateway) { withAccessToken(f, all...) }, 403, "not_allowed"},
		{"not grantable", func(f *fakeGateway) { withAccessToken(f, all[:2]...) }, 200, "not_allowed"},
		{"a key", func(*fakeGateway) {}, 200, "not_allowed"},
		{"grantable, and read only", func(f *fakeGateway) {
			withAccessToken(f, all...)
			f.snapshot.Connection.Policy.ReadOnly = true
		}, 200, "not_allowed"},
		{"grantable, and the tool is not on the list", func(f *fakeGateway) {
			withAccessToken(f, all...)
			f.snapshot.Connection.Policy.AllowedTools = []string{"search_records"}
		}, 200, "not_allowed"},
		{"grantable, and the tool is switched off", func(f *fakeGateway) {
			withAccessToken(f, all...)
			f.snapshot.Settings.DisabledTools = []string{"create_records"}
		}, 200, "not_allowed"},
		{"grantable, and the connection is inactive", func(f *fakeGateway) {
			withAccessToken(f, all...)
			f.snapshot.Connection.Status = access.StatusInactive
		}, 200, "forbidden"},
		{"the token is over", func(f *fakeGateway) {
			withAccessToken(f, all...)
			f.snapshot.Grant.ExpiresAt = time.Now().Add(-time.Second)
		}, 401, "unauthenticated"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			row.change(f)
			a := send(t, endpoint(t, f).URL, createCall)
			if a.status != row.status || a.kind() != row.kind || f.callCount() != 0 {
				t.Fatalf("%d %s, Odoo was asked %d times", a.status, a.body, f.callCount())
			}
			challenge := a.header.Get("WWW-Authenticate")
			if (row.status == 403) != strings.Contains(challenge, `error="insufficient_scope", scope="mcp:metadata mcp:search mcp:orm", resource_metadata="https://mcp.example.com/`) {
				t.Errorf("WWW-Authenticate: %s", challenge)
			}
		})
	}
}

// TestStepUpIsListed: a tool that a consent is away from using is in the list, or no client would ask for that consent.
func TestStepUpIsListed(t *testing.T) {
	t.Parallel()
	f := newFake()
	withAccessToken(f, access.ScopeMetadata, access.ScopeSearch, access.ScopeORM)
	if a := send(t, endpoint(t, f).URL, listTools); !strings.Contains(a.body, "create_records") {
		t.Error(a.body)
	}
	g := newFake()
	withAccessToken(g, access.ScopeMetadata, access.ScopeSearch)
	if a := send(t, endpoint(t, g).URL, listTools); strings.Contains(a.body, "create_records") {
		t.Error("a tool is listed that no consent opens")
	}
}

// TestStepUpOfReads: a resource is a call of its tool here too.
func TestStepUpOfReads(t *testing.T) {
	t.Parallel()
	read := func(uri string) string {
		return `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"` + uri + `"}}`
	}
	for _, row := range []struct {
		name, body string
		change     func(*fakeGateway)
		scope      string // that is asked for; "" = the refusal is the protocol's own
	}{
		{"grantable", read("odoo://res.partner/7"), func(*fakeGateway) {}, "mcp:metadata mcp:search"},
		{"granted", read("odoo://res.partner/fields"), func(*fakeGateway) {}, ""},
		{"no address", read("odoo://res.partner/7/../8"), func(*fakeGateway) {}, ""},
		{"a number", strings.Replace(read(""), `""`, `7`, 1), func(*fakeGateway) {}, ""},
		{"another letter case", strings.Replace(read("odoo://res.partner/7"), "uri", "URI", 1), func(*fakeGateway) {}, ""},
		{"a key", read("odoo://res.partner/7"), func(f *fakeGateway) { f.snapshot.Grant = nil }, ""},
		{"not grantable", read("odoo://res.partner/7"), func(f *fakeGateway) { f.snapshot.Grant.Grantable = nil }, ""},
		{"switched off", read("odoo://res.partner/7"), func(f *fakeGateway) {
			f.snapshot.Settings.DisabledTools = []string{"read_records"}
		}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			withAccessToken(f, access.ScopeMetadata, access.ScopeSearch)
			f.snapshot.Connection.Policy.Scopes = []access.Scope{access.ScopeMetadata}
			row.change(f)
			url := endpoint(t, f).URL
			a := send(t, url, row.body)
			if (a.status == http.StatusForbidden) != (row.scope != "") {
				t.Fatalf("%d %s", a.status, a.body)
			}
			challenge := a.header.Get("WWW-Authenticate")
			if strings.Contains(challenge, `error="insufficient_scope", scope="`+row.scope+`"`) != (row.scope != "") {
				t.Errorf("WWW-Authenticate: %s", challenge)
			}
			listed := strings.Contains(send(t, url, `{"jsonrpc":"2.0","id":1,"method":"resources/templates/list"}`).body, "odoo://{model}/{id}")
			if closed := row.name == "a key" || row.name == "not grantable" || row.name == "switched off"; listed == closed {
				t.Errorf("the template is listed: %t", listed)
			}
		})
	}
}

// TestNotForCalls: what OAuth clients have and is not an access token is refused without a question to Odoo.
func TestNotForCalls(t *testing.T) {
	t.Parallel()
	f := newFake()
	url := endpoint(t, f).URL
	for _, credential := range []string{"dmr_x", "dmx_x", "dms_x", "dmo_x"} {
		if a := send(t, url, listTools, "Authorization", "Bearer "+credential); a.status != http.StatusUnauthorized {
			t.Errorf("%s: %d", credential, a.status)
		}
	}
	if f.resolveCount() != 0 {
		t.Errorf("Odoo was asked %d times", f.resolveCount())
	}
}

// TestTokenOfAnother: a token for another resource opens nothing here, however good it is there.
func TestTokenOfAnother(t *testing.T) {
	t.Parallel()
	const ours = "https://mcp.example.com/mcp"
	for resource, status := range map[string]int{
		ours:                               http.StatusOK,
		"":                                 http.StatusUnauthorized,
		"https://mcp.example.com":          http.StatusUnauthorized,
		"https://mcp.example.com/mcp/":     http.StatusUnauthorized,
		"https://MCP.example.com/mcp":      http.StatusUnauthorized,
		"https://other.example.com/mcp":    http.StatusUnauthorized,
		"http://mcp.example.com/mcp":       http.StatusUnauthorized,
		"https://mcp.example.com:8443/mcp": http.StatusUnauthorized,
	} {
		f := newFake()
		withAccessToken(f, access.ScopeMetadata, access.ScopeSearch)
		f.snapshot.Grant.Resource = resource
		url := endpoint(t, f, func(c *mcp.Config) { c.Resource = ours }).URL
		a := send(t, url, listTools)
		if a.status != status || (status == http.StatusUnauthorized) != strings.Contains(a.header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%q: %d %s", resource, a.status, a.header.Get("WWW-Authenticate"))
		}
		if a := call(t, url, "search_records", `{"model":"res.partner"}`); a.status != status || (f.callCount() == 1) != (status == http.StatusOK) {
			t.Errorf("%q: a call: %d, Odoo was asked %d times", resource, a.status, f.callCount())
		}
	}
}

// TestTokenIsNotOutlived: what is remembered of a token ends with it.
func TestTokenIsNotOutlived(t *testing.T) {
	t.Parallel()
	f, at := newFake(), newClock()
	withAccessToken(f)
	f.snapshot.Grant.ExpiresAt = at.now().Add(5 * time.Second)
	url := endpoint(t, f, func(c *mcp.Config) { c.Now = at.now }).URL
	if a := send(t, url, listTools); a.status != 200 {
		t.Fatal(a.body)
	}
	at.move(5*time.Second - time.Nanosecond)
	if a := send(t, url, listTools); a.status != 200 {
		t.Error("a token is good until its end")
	}
	at.move(time.Nanosecond)
	if a := send(t, url, listTools); a.status != http.StatusUnauthorized {
		t.Errorf("%d %s", a.status, a.body)
	}
}
