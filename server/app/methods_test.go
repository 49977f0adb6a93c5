package app

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"doorman/odoo/odootest"
)

// TestMethods walks every kind of endpoint with every kind of method: OPTIONS lists what is supported, anything else gets 405
// with the same list, even a method that does not exist at all, and every error has the form of its endpoint.
func TestMethods(t *testing.T) {
	t.Parallel()
	_, _, url := listening(t)
	ask := func(method, path, host string, coding ...string) (int, http.Header, []byte) {
		r, err := http.NewRequestWithContext(t.Context(), method, url+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+odootest.DefaultCredential)
		if host != "" {
			r.Host = host
		}
		for _, c := range coding {
			r.Header.Set("Content-Encoding", c)
		}
		response, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, response.Header, body
	}
	plain := func(e map[string]any) bool {
		inner, _ := e["error"].(map[string]any)
		return inner["status"] != nil && inner["message"] != nil
	}
	coded := func(e map[string]any) bool {
		inner, _ := e["error"].(map[string]any)
		code, _ := inner["code"].(string)
		return code != "" && inner["message"] != nil
	}
	rpc := func(e map[string]any) bool {
		inner, _ := e["error"].(map[string]any)
		code, _ := inner["code"].(float64)
		return code != 0 && inner["message"] != nil && e["jsonrpc"] == "2.0"
	}
	ofOAuth := func(e map[string]any) bool {
		code, _ := e["error"].(string)
		return code != "" && e["error_description"] != nil
	}
	for _, row := range []struct {
		path, allow string
		form        func(map[string]any) bool
	}{
		{"/mcp", "OPTIONS, POST", rpc},
		{"/mcp/", "OPTIONS, POST", rpc},
		{"/healthz", "OPTIONS, GET, HEAD", plain},
		{"/readyz", "OPTIONS, GET, HEAD", plain},
		{"/metrics", "OPTIONS, GET, HEAD", plain},
		{"/oauth/token", "OPTIONS, POST", ofOAuth},
		{"/oauth/revoke", "OPTIONS, POST", ofOAuth},
		{"/oauth/register", "OPTIONS, POST", ofOAuth},
		{"/oauth/authorize", "OPTIONS, GET, HEAD", plain},
		{"/.well-known/oauth-protected-resource", "OPTIONS, GET, HEAD", ofOAuth},
		{"/.well-known/oauth-authorization-server/mcp", "OPTIONS, GET, HEAD", ofOAuth},
		{"/api/org/mcp/invites", "OPTIONS, POST, GET, HEAD", coded},
		{"/api/org/mcp/invites/7", "OPTIONS, GET, DELETE, HEAD", coded},
		{"/api/openapi.json", "OPTIONS, GET, HEAD", coded},
		{"/oauth/invite/abc", "OPTIONS, GET, HEAD", coded},
		{"/files/abc", "OPTIONS, GET, HEAD, PUT, POST", coded},
	} {
		if status, header, body := ask(http.MethodOptions, row.path, ""); status != 204 || header.Get("Allow") != row.allow || len(body) > 0 {
			t.Errorf("OPTIONS %s: %d, %q, want %q", row.path, status, header.Get("Allow"), row.allow)
		}
		for _, method := range []string{http.MethodTrace, http.MethodConnect, "PROPFIND", "FOO", "get"} {
			status, header, body := ask(method, row.path, "")
			var told map[string]any
			err := json.Unmarshal(body, &told)
			if status != 405 || header.Get("Allow") != row.allow || err != nil || !row.form(told) {
				t.Errorf("%s %s: %d, %q, want %q: %s", method, row.path, status, header.Get("Allow"), row.allow, body)
			}
		}
		if row.path == "/healthz" || row.path == "/readyz" {
			continue // by any name
		}
		status, _, body := ask(http.MethodPost, row.path, "", "gzip")
		var told map[string]any
		if err := json.Unmarshal(body, &told); status != 415 || err != nil || !row.form(told) || !strings.Contains(string(body), "compressed") {
			t.Errorf("%s, compressed: %d %s", row.path, status, body)
		}
		for _, method := range []string{http.MethodGet, http.MethodPost, "FOO"} {
			status, _, body := ask(method, row.path, "evil.example")
			var told map[string]any
			if err := json.Unmarshal(body, &told); status != 403 || err != nil || !row.form(told) {
				t.Errorf("%s %s by another name: %d %s", method, row.path, status, body)
			}
		}
	}
	for _, path := range []string{"/nothing", "/mcp/x", "/MCP", "//mcp", "/sse", "/"} {
		want, _, _ := ask(http.MethodGet, path, "")
		for _, method := range []string{http.MethodPost, http.MethodOptions, http.MethodTrace, "FOO"} {
			if status, header, body := ask(method, path, ""); status != want || status < 400 || header.Get("Allow") != "" {
				t.Errorf("%s %s: %d, GET %d: %s", method, path, status, want, body)
			}
		}
	}
	for _, path := range []string{"/api/x", "/api"} {
		for _, method := range []string{http.MethodGet, http.MethodOptions, "FOO"} {
			status, _, body := ask(method, path, "")
			var told map[string]any
			if err := json.Unmarshal(body, &told); status != 404 || err != nil || !coded(told) {
				t.Errorf("%s %s: %d %s", method, path, status, body)
			}
		}
	}
}
