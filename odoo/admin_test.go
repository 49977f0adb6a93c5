package odoo_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"doorman/odoo"
	"doorman/odoo/odootest"
	"doorman/server/access"
)

var oneConnection = map[string]any{"values": map[string]any{"name": "n", "user": "admin", "scopes": []string{"mcp:search"}}}

var oneScope = map[string]any{"values": map[string]any{"scopes": []string{"mcp:search"}}}

// TestInvitesAsWhom: the person's own key goes to Odoo and says who they are, whichever way the service itself takes.
func TestInvitesAsWhom(t *testing.T) {
	t.Parallel()
	s := odootest.New(t)
	o := s.Options()
	for _, row := range []struct {
		name, key, method string
		args              map[string]any
		refused           access.AdminCode
		kind              access.Kind
	}{
		{name: "an administrator makes one", key: o.PersonKey, method: "api_create", args: oneScope},
		{name: "and sees it", key: o.PersonKey, method: "api_get", args: map[string]any{"invite_id": 1}},
		{name: "and ends it", key: o.PersonKey, method: "api_revoke", args: map[string]any{"invite_id": 1, "connections": true}},
		{name: "and lists it", key: o.PersonKey, method: "api_list", args: map[string]any{"limit": 1, "offset": 0}},

		{name: "an administrator makes a connection", key: o.PersonKey, method: "api_connect", args: oneConnection},
		{name: "and sees them", key: o.PersonKey, method: "api_connections", args: map[string]any{"limit": 1, "offset": 0}},
		{name: "and one", key: o.PersonKey, method: "api_connection", args: map[string]any{"connection_id": 1}},
		{name: "and makes it stricter", key: o.PersonKey, method: "api_narrow", args: map[string]any{"connection_id": 1, "values": map[string]any{"read_only": true}}},
		{name: "and rotates its key", key: o.PersonKey, method: "api_rotate", args: map[string]any{"connection_id": 1, "key_days": 1}},
		{name: "and its use", key: o.PersonKey, method: "api_usage", args: map[string]any{"limit": 1, "offset": 0}},
		{name: "and the server", key: o.PersonKey, method: "api_server"},
		{name: "and makes none wider", key: o.PersonKey, method: "api_narrow", args: map[string]any{"connection_id": 1, "values": map[string]any{"scopes": []string{"mcp:orm", "mcp:search"}}}, refused: access.AdminWidens},
		{name: "and switches nothing on", key: o.PersonKey, method: "api_switch_off", args: map[string]any{"values": map[string]any{"enabled": true}}, refused: access.AdminWidens},
		{name: "and no key of a greater one", key: o.PersonKey, method: "api_connect", args: map[string]any{"values": map[string]any{
			"name": "n", "user": "boss", "scopes": []string{"mcp:search"}, "deliver": "key",
		}}, refused: access.AdminKey},
		{name: "a connection that is not there", key: o.PersonKey, method: "api_disconnect", args: map[string]any{"connection_id": 99}, refused: access.AdminNotFound},
		{name: "no administrator connects", key: o.UserKey, method: "api_connect", args: oneConnection, refused: access.AdminForbidden},
		{name: "no administrator narrows", key: o.UserKey, method: "api_narrow", args: map[string]any{"connection_id": 1}, refused: access.AdminForbidden},
		{name: "the service switches off", key: o.Key, method: "api_switch_off", args: map[string]any{"values": map[string]any{"enabled": false}}, refused: access.AdminForbidden},
		{name: "a wrong key disconnects", key: "0123456789", method: "api_disconnect", args: map[string]any{"connection_id": 1}, kind: access.Unauthenticated},
		{name: "a method that is none of these", key: o.PersonKey, method: "unlink", kind: access.Internal},

		{name: "no administrator", key: o.UserKey, method: "api_create", args: oneScope, refused: access.AdminForbidden},
		{name: "the service itself", key: o.Key, method: "api_create", args: oneScope, refused: access.AdminForbidden},
		{name: "the service looks", key: o.Key, method: "api_list", refused: access.AdminForbidden},
		{name: "more than one's own", key: o.PersonKey, method: "api_create", args: map[string]any{
			"values": map[string]any{"scopes": []string{"mcp:shell"}},
		}, refused: access.AdminScopes},
		{name: "one that is not there", key: o.PersonKey, method: "api_get", args: map[string]any{"invite_id": 99}, refused: access.AdminNotFound},
		{name: "a wrong key", key: "0123456789", method: "api_list", kind: access.Unauthenticated},
		{name: "no key", key: "", method: "api_list", kind: access.Unauthenticated},
		{name: "a key of two lines", key: o.PersonKey + "\r\nX-Odoo-Database: other", method: "api_list", kind: access.Unauthenticated},
		{name: "a key that is not a key", key: strings.Repeat("k", 513), method: "api_list", kind: access.Unauthenticated},
	} {
		for _, transport := range transports {
			t.Run(row.name+" "+transport, func(t *testing.T) {
				_, err := newClient(t, s, transport).Admin(t.Context(), odoo.Key(row.key), row.method, row.args)
				var refused *access.AdminRefusal
				switch {
				case row.refused != "":
					if !errors.As(err, &refused) || refused.Code != row.refused || refused.Message == "" {
						t.Errorf("%v, want %s", err, row.refused)
					}
				case row.kind != "":
					_ = wantKind(t, err, row.kind)
				case err != nil:
					t.Error(err)
				}
			})
		}
	}
	for _, r := range s.Requests() {
		if strings.Contains(r.Path, "doorman.invite") && (r.Database != o.Database || len(r.Authorization) > 512 || strings.ContainsAny(r.Authorization, "\r\n")) {
			t.Errorf("request %+v", r)
		}
	}
}

// TestInvitesOfWhoMayCallNothing: what Odoo itself refuses a user, such as the service's own, is told as what the addon refuses.
func TestInvitesOfWhoMayCallNothing(t *testing.T) {
	t.Parallel()
	const canary = "canary-7c1d"
	s := odootest.New(t, odootest.Options{Canary: canary, PersonKey: "key-" + canary})
	c := newClient(t, s, odoo.TransportDoorman, func(*odoo.Config) {})
	s.Inject(odootest.Fault{Kind: odootest.Exception, Name: "odoo.exceptions.AccessError", Message: canary, Times: 1, Methods: []string{"api_list"}})
	_, err := c.Admin(t.Context(), odoo.Key("key-"+canary), "api_list", map[string]any{"limit": 1, "offset": 0})
	var refused *access.AdminRefusal
	if !errors.As(err, &refused) || refused.Code != access.AdminForbidden || strings.Contains(refused.Message, canary) {
		t.Errorf("%+v", err)
	}
}

// TestInvitesFaults: what goes wrong at Odoo is told in fixed words. A key is sent once, to Odoo, and stands in no error.
func TestInvitesFaults(t *testing.T) {
	t.Parallel()
	const canary = "canary-7c1d"
	var elsewhere atomic.Int64
	thief := newFakeSite(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	for _, row := range []struct {
		name  string
		fault odootest.Fault
		kind  access.Kind
		says  string
		maybe bool // making one may have been done
	}{
		{"an exception", odootest.Fault{Kind: odootest.Exception, Name: "builtins.ZeroDivisionError", Message: canary}, access.Internal, "nothing was done", false},
		{"a UserError that is not the addon's", odootest.Fault{Kind: odootest.Exception, Name: "odoo.exceptions.UserError", Message: canary}, access.Internal, "nothing was done", false},
		{"a rollback", odootest.Fault{Kind: odootest.Exception, Name: "psycopg2.errors.SerializationFailure", Message: canary}, access.OdooUnavailable, "nothing was done", false},
		{"no database", odootest.Fault{Kind: odootest.Exception, Name: "psycopg2.OperationalError", Message: canary}, access.OdooUnavailable, "nothing was done", false},
		{"no such method", odootest.Fault{Kind: odootest.Exception, Name: "werkzeug.exceptions.NotFound", Message: canary}, access.OdooUnavailable, "does not answer", false},
		{"a page instead", odootest.Fault{Kind: odootest.HTML}, access.OdooUnavailable, "", true},
		{"a page of a proxy", odootest.Fault{Kind: odootest.HTML, Status: 502}, access.OdooUnavailable, "", true},
		{"a blocked path", odootest.Fault{Kind: odootest.HTML, Status: 403}, access.OdooUnavailable, "does not answer", false},
		{"a redirect", odootest.Fault{Kind: odootest.Redirect, Location: thief + "/" + canary}, access.OdooUnavailable, "does not follow", false},
		{"half an answer", odootest.Fault{Kind: odootest.Truncated}, access.OdooUnavailable, "", true},
		{"no JSON", odootest.Fault{Kind: odootest.InvalidJSON}, access.OdooUnavailable, "", true},
		{"a lost answer", odootest.Fault{Kind: odootest.DropAfterCommit}, access.OdooUnavailable, "", true},
		{"no answer", odootest.Fault{Kind: odootest.Never}, access.OdooTimeout, "", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := odootest.New(t, odootest.Options{Canary: canary, PersonKey: "key-" + canary})
			c := newClient(t, s, odoo.TransportDoorman, func(c *odoo.Config) { c.Timeout = 300 * time.Millisecond })
			for method, args := range map[string]map[string]any{"api_create": oneScope, "api_list": {"limit": 1, "offset": 0}} {
				row.fault.Times, row.fault.Methods = 1, []string{method}
				s.Inject(row.fault)
				_, err := c.Admin(t.Context(), odoo.Key("key-"+canary), method, args)
				e := wantKind(t, err, row.kind)
				told := fmt.Sprintf("%+v", *e)
				if strings.Contains(told, canary) || !strings.Contains(e.Message, row.says) {
					t.Errorf("%s: %s", method, told)
				}
				if maybe := strings.Contains(e.Message, "may or may not"); maybe != (row.maybe && method == "api_create") {
					t.Errorf("%s: %s", method, e.Message)
				}
				if e.Kind != access.Internal && e.RetryAfter <= 0 {
					t.Errorf("%s: no time to try again", method)
				}
				if n := s.Count(method); n != 1 {
					t.Errorf("%s was sent %d times", method, n)
				}
			}
		})
	}
	t.Cleanup(func() {
		if elsewhere.Load() != 0 {
			t.Error("the key went where a redirect pointed")
		}
	})
}

// newFakeSite is a web server that answers like this.
func newFakeSite(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return s.URL
}

// TestInvitesBlockedPath: a proxy that lets JSON-2 not through does not shut the AI tools out.
func TestInvitesBlockedPath(t *testing.T) {
	t.Parallel()
	s := odootest.New(t)
	s.Inject(odootest.Fault{Kind: odootest.HTML, Status: 502, Methods: []string{"api_list"}})
	c := newClient(t, s, odoo.TransportDoorman)
	for range 20 {
		_, err := c.Admin(t.Context(), odoo.Key(s.Options().PersonKey), "api_list", nil)
		_ = wantKind(t, err, access.OdooUnavailable)
	}
	if _, err := c.Resolve(t.Context(), access.ProofOf(odootest.DefaultCredential)); err != nil {
		t.Errorf("the breaker opened: %v", err)
	}
}

// TestInvitesWhileOdooIsAway: what is known to be away is not asked, and a script does not wait for it.
func TestInvitesWhileOdooIsAway(t *testing.T) {
	t.Parallel()
	s := odootest.New(t)
	s.Inject(odootest.Fault{Kind: odootest.HTML, Status: 502, Methods: []string{"resolve", "hello"}})
	c := newClient(t, s, odoo.TransportDoorman)
	for range 10 {
		_, _ = c.Resolve(t.Context(), access.ProofOf(odootest.DefaultCredential))
	}
	_, err := c.Admin(t.Context(), odoo.Key(s.Options().PersonKey), "api_create", oneScope)
	if e := wantKind(t, err, access.OdooUnavailable); s.Count("api_create") != 0 || !strings.Contains(e.Message, "nothing was done") || e.RetryAfter <= 0 {
		t.Errorf("%v, asked %d times", e, s.Count("api_create"))
	}
}

// TestInvitesRefusals: what the addon says is passed on under a code that is known, without what is not for people.
func TestInvitesRefusals(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, answer, code, message string
	}{
		{"its words", `{"error":{"code":"scopes_exceeded","message":"requested scopes exceed admin's own permissions"}}`, "scopes_exceeded", "requested scopes exceed admin's own permissions"},
		{"no words", `{"error":{"code":"forbidden","message":""}}`, "forbidden", "Odoo refused this (forbidden)."},
		{"a traceback", `{"error":{"code":"invalid_input","message":"Traceback (most recent call last):\n  File \"x.py\""}}`, "invalid_input", "Odoo refused this (invalid_input)."},
		{"an unknown code", `{"error":{"code":"launch","message":"x"}}`, "", ""},
		{"an error of another shape", `{"error":"x"}`, "", ""},
		{"null", `null`, "", ""},
		{"a list", `[]`, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			site := newFakeSite(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_, _ = w.Write([]byte(row.answer))
			})
			c, err := odoo.New(odoo.Config{URL: site, Database: "db", Key: "k"})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Admin(t.Context(), "key", "api_list", nil)
			if row.code == "" {
				_ = wantKind(t, err, access.Internal)
				return
			}
			var refused *access.AdminRefusal
			if !errors.As(err, &refused) || string(refused.Code) != row.code || refused.Message != row.message {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestWebURL: people are sent only where a browser can go, and only by an address that nothing can be hidden in.
func TestWebURL(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"https://odoo.example.com":      "https://odoo.example.com",
		"http://127.0.0.1:8069/":        "http://127.0.0.1:8069",
		"https://example.com/odoo/":     "https://example.com/odoo",
		"":                              "",
		"odoo.example.com":              "",
		"//odoo.example.com":            "",
		"javascript:alert(1)":           "",
		"ftp://odoo.example.com":        "",
		"https://u:p@odoo.example.com":  "",
		"https://odoo.example.com?x=":   "",
		"https://odoo.example.com#x":    "",
		"https://odoo.example.com\r\nX": "",
	} {
		s := odootest.New(t, odootest.Options{WebURL: given})
		hello, err := newClient(t, s, odoo.TransportDoorman).Hello(t.Context())
		if err != nil || hello.WebURL != want {
			t.Errorf("%q becomes %q (%v), want %q", given, hello.WebURL, err, want)
		}
	}
}
