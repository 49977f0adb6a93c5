package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorman/odoo/odootest"
	"doorman/server/access"
	"doorman/server/app/apptest"
)

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
			"Doorman is being updated: the service is older than its addon in Odoo.", "updates the service"},
		{"code without its update", odootest.Addon{Interface: access.Interface, Code: "19.0.0.3.0", Database: "19.0.0.2.0"},
			"Doorman is being updated: the addon's code is newer than its database.", "runs odoo -u doorman"},
		{"an Odoo that was not restarted", odootest.Addon{Interface: access.Interface, Code: "19.0.0.2.0", Database: "19.0.0.3.0"},
			"Doorman is being updated: the addon's code is older than its database.", "restarts them"},
	}
)

const searchOne = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_records","arguments":{"model":"res.partner","limit":1}}}`

// toolError calls a tool and returns the kind and the words of its error; "" where it went well.
func toolError(t *testing.T, mcpURL, key string) (kind, text string) {
	t.Helper()
	var answer struct {
		Result struct {
			IsError           bool
			StructuredContent struct {
				Kind, Message, Hint string
				RetryAfter          int `json:"retry_after_seconds"`
			}
		}
	}
	status, err := sendMCP(t.Context(), mcpURL, key, searchOne, &answer)
	if err != nil || status != http.StatusOK {
		t.Fatalf("tools/call: HTTP %d, %v", status, err)
	}
	said := answer.Result.StructuredContent
	if answer.Result.IsError && said.RetryAfter <= 0 {
		t.Errorf("no word on when to try again: %+v", said)
	}
	return said.Kind, said.Message + " " + said.Hint
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
			s := apptest.Serve(t, fakeEnviron(o)...)
			if kind, text := toolError(t, s.MCP, odootest.DefaultCredential); kind != "" {
				t.Fatal(kind, text)
			}
			o.Become(row.addon)
			readiness := func(status int) string {
				var body string
				apptest.Eventually(t, recovery, fmt.Sprintf("/readyz answers %d", status), func() bool {
					var got int
					got, _, body = get(t, http.MethodGet, s.URL+"/readyz")
					return got == status
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
			printed, said := check(t, fakeEnviron(o)...)
			if said != oneThing || !strings.Contains(printed, "FAIL  Odoo           "+strings.TrimSuffix(row.says, ".")) || !strings.Contains(printed, row.cure) {
				t.Errorf("check ends with %q after:\n%s", said, printed)
			}
			o.Become(fitting)
			readiness(http.StatusOK)
			apptest.Eventually(t, recovery, "calls work again", func() bool {
				kind, _ := toolError(t, s.MCP, odootest.DefaultCredential)
				return kind == ""
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
		params := `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}`
		if method != "initialize" {
			params = `{}`
		}
		body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, method, params)
		var answer struct {
			Result map[string]any
			Error  struct {
				Data struct{ Kind string }
			}
		}
		if status, err := sendMCP(t.Context(), s.MCP, odootest.DefaultCredential, body, &answer); err != nil || status != http.StatusOK || answer.Result == nil {
			t.Errorf("%s: HTTP %d, %v, %v", method, status, answer.Result, err)
		}
		answer.Result = nil
		status, err := sendMCP(t.Context(), s.MCP, "dmk_nobody_knows_yet", body, &answer)
		if err != nil || status != http.StatusServiceUnavailable || answer.Result != nil || answer.Error.Data.Kind != "updating" {
			t.Errorf("%s of somebody unknown: HTTP %d, %+v, %v", method, status, answer, err)
		}
	}
	code, header, _ := get(t, http.MethodPost, s.MCP, "Authorization", "Bearer dmk_nobody_knows_yet", "Content-Type", "application/json", "Accept", "application/json, text/event-stream")
	if code != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
		t.Errorf("HTTP %d, Retry-After %q", code, header.Get("Retry-After"))
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
			s := apptest.Serve(t, fakeEnviron(o)...)
			if kind, _ := toolError(t, s.MCP, odootest.DefaultCredential); kind != "updating" {
				t.Errorf("the first call gets %q", kind)
			}
			if o.Count("resolve")+o.Count("call") > 0 {
				t.Error("a call was sent to an addon that does not fit")
			}
			o.Become(fitting)
			start := time.Now()
			apptest.Eventually(t, recovery, "calls work", func() bool {
				kind, _ := toolError(t, s.MCP, odootest.DefaultCredential)
				return kind == ""
			})
			t.Logf("worked after %s", time.Since(start).Round(time.Millisecond))
		})
	}
}
