package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorman/odoo/odootest"
	"doorman/server/access"
	"doorman/server/e2e/kit"
)

// backWithin is how soon it works again once the update is done.
const backWithin = 5 * time.Second

// The addon that the service can work with, and those that it cannot.
var (
	fitting = odootest.Addon{Interface: access.Interface, Code: "19.0.0.2.0", Database: "19.0.0.2.0"}
	misfits = []struct {
		name       string
		addon      odootest.Addon
		says, cure string
	}{
		{"0.1.0", odootest.Addon{Interface: 1, Code: "19.0.0.1.0", Database: "19.0.0.1.0"},
			"Doorman is being updated: its addon in Odoo is older than the service.", "odoo -u doorman"},
		{"0.1.0, of which an argument has another name", odootest.Addon{Interface: 1, Code: "19.0.0.1.0", Database: "19.0.0.1.0", Renamed: []string{"call"}},
			"Doorman is being updated: its addon in Odoo is older than the service.", "odoo -u doorman"},
		{"a later one, of which an argument has another name",
			odootest.Addon{Interface: access.Interface + 1, Code: "19.0.9.0.0", Database: "19.0.9.0.0", Renamed: []string{"call"}},
			"Doorman is being updated: the service is older than its addon in Odoo.", "update the service"},
		{"code without its update", odootest.Addon{Interface: access.Interface, Code: "19.0.0.3.0", Database: "19.0.0.2.0"},
			"Doorman is being updated: the addon's code is newer than its database.", "run odoo -u doorman"},
		{"an Odoo that was not restarted", odootest.Addon{Interface: access.Interface, Code: "19.0.0.2.0", Database: "19.0.0.3.0"},
			"Doorman is being updated: the addon's code is older than its database.", "restart them"},
	}
)

// toolError calls a tool and returns the kind and the words of its error; "" where it went well.
func toolError(t *testing.T, mcpURL, key string) (kind, text string) {
	t.Helper()
	r := kit.Post(t, mcpURL, key, "tools/call", kit.ToolCall("search_records", kit.Args{"model": "res.partner", "limit": 1}))
	said, kind := r.Tool()
	if r.Status != http.StatusOK {
		t.Fatalf("tools/call: HTTP %d %s", r.Status, r.Body)
	}
	if wait, _ := said["retry_after_seconds"].(float64); kind != "" && wait <= 0 {
		t.Errorf("no word on when to try again: %v", said)
	}
	return kind, fmt.Sprint(said["message"], " ", said["hint"])
}

// TestUpdating: whichever of service, addon and database is older, AI tools, probes and `doorman check` are told so, and it
// works again as soon as they fit, without a restart.
func TestUpdating(t *testing.T) {
	t.Parallel()
	for _, row := range misfits {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			o := odootest.New(t, odootest.Options{WebURL: answering(t, http.StatusOK, `{"status": "pass"}`)})
			o.Become(fitting)
			s := kit.Serve(t, fakeEnviron(o)...)
			if kind, text := toolError(t, s.MCP, odootest.DefaultCredential); kind != "" {
				t.Fatal(kind, text)
			}
			o.Become(row.addon)
			readiness := func(status int) string {
				var body string
				kit.Within(t, backWithin, fmt.Sprintf("/readyz answers %d", status), func() error {
					var got int
					got, _, body = kit.Get(t, http.MethodGet, s.URL+"/readyz")
					return kit.Unless(got == status, got, " ", body)
				})
				return body
			}
			if body := readiness(http.StatusServiceUnavailable); !strings.Contains(body, row.says) || !strings.Contains(body, row.cure) {
				t.Errorf("/readyz: %s", body)
			}
			for _, key := range []string{odootest.DefaultCredential, "dmk_nobody_knows_yet"} {
				if kind, text := toolError(t, s.MCP, key); kind != "updating" || !strings.Contains(text, row.says) || !strings.Contains(text, row.cure) {
					t.Errorf("an AI tool with %s gets %q: %s", key, kind, text)
				}
			}
			printed, said := kit.Check(t, fakeEnviron(o)...)
			if said != oneThing || !strings.Contains(printed, "FAIL  Odoo           "+strings.TrimSuffix(row.says, ".")) || !strings.Contains(printed, row.cure) {
				t.Errorf("check ends with %q after:\n%s", said, printed)
			}
			o.Become(fitting)
			readiness(http.StatusOK)
			kit.Within(t, backWithin, "calls work again", func() error {
				kind, text := toolError(t, s.MCP, odootest.DefaultCredential)
				return kit.Unless(kind == "", kind, " ", text)
			})
		})
	}
}

// TestListsWhileUpdating: what needs no Odoo is answered as ever to whoever is known; of others nobody can tell who they
// are, and they are told when to try again.
func TestListsWhileUpdating(t *testing.T) {
	t.Parallel()
	s, o := overFake(t, nil)
	o.Become(fitting)
	if kind, text := toolError(t, s.MCP, odootest.DefaultCredential); kind != "" {
		t.Fatal(kind, text)
	}
	o.Become(misfits[2].addon)
	if kind, _ := toolError(t, s.MCP, odootest.DefaultCredential); kind != "updating" {
		t.Fatal(kind)
	}
	for _, method := range []string{"initialize", "tools/list", "ping", "prompts/list"} {
		params := map[string]any{}
		if method == "initialize" {
			params = map[string]any{
				"protocolVersion": "2025-11-25", "capabilities": map[string]any{}, "clientInfo": map[string]any{"name": "c", "version": "1"},
			}
		}
		if r := kit.Post(t, s.MCP, odootest.DefaultCredential, method, params); r.Status != http.StatusOK || r.Result == nil {
			t.Errorf("%s: HTTP %d %s", method, r.Status, r.Body)
		}
		r := kit.Post(t, s.MCP, "dmk_nobody_knows_yet", method, params)
		if r.Status != http.StatusServiceUnavailable || r.Result != nil || r.Header.Get("Retry-After") == "" || !strings.Contains(r.Body, `"updating"`) {
			t.Errorf("%s of somebody unknown: HTTP %d %s", method, r.Status, r.Body)
		}
	}
}

// TestStartedTooEarly: a service that starts before its addon is updated works once that is, without a restart.
func TestStartedTooEarly(t *testing.T) {
	t.Parallel()
	for _, row := range misfits {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			o := odootest.New(t)
			o.Become(row.addon)
			s := kit.Serve(t, fakeEnviron(o)...)
			if kind, _ := toolError(t, s.MCP, odootest.DefaultCredential); kind != "updating" {
				t.Errorf("the first call gets %q", kind)
			}
			if o.Count("resolve")+o.Count("call") > 0 {
				t.Error("a call was sent to an addon that does not fit")
			}
			o.Become(fitting)
			start := time.Now()
			kit.Within(t, backWithin, "calls work", func() error {
				kind, text := toolError(t, s.MCP, odootest.DefaultCredential)
				return kit.Unless(kind == "", kind, " ", text)
			})
			t.Logf("worked after %s", time.Since(start).Round(time.Millisecond))
		})
	}
}
