package app_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	odoo := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(odoo.Close)
	s := kit.Serve(t, "DOORMAN_ODOO_URL="+odoo.URL, "DOORMAN_ODOO_DB=db", "DOORMAN_ODOO_KEY="+canary,
		"DOORMAN_PUBLIC_URL=https://mcp.example.com", "DOORMAN_LOG_LEVEL=trace", "DOORMAN_TRUSTED_PROXIES=127.0.0.1",
		"DOORMAN_ALLOWED_ORIGINS=https://inspector.example.com")
	base := strings.Replace(s.URL, "https://mcp.example.com", listening(t, s), 1)
	port := base[strings.LastIndexByte(base, ':')+1:]
	rows := []struct {
		name, method, path string
		headers            []string
		status             int
		says               string
	}{
		{"alive", "GET", "/healthz", nil, 200, "ok"},
		{"not ready: this is not an Odoo", "GET", "/readyz", nil, 503, `"ready":false`},
		{"metrics for this machine", "GET", "/metrics", nil, 200, "doorman_odoo_requests_total"},
		{"the resource document", "GET", "/.well-known/oauth-protected-resource", nil, 200, `"resource":"https://mcp.example.com/mcp"`},
		{"its form with the path", "GET", "/.well-known/oauth-protected-resource/mcp", nil, 200, `"resource":"https://mcp.example.com/mcp"`},
		{"by its public name", "POST", "/mcp", []string{"Host", "mcp.example.com"}, 401, "unauthenticated"},
		{"by its public name in capitals", "POST", "/mcp", []string{"Host", "MCP.example.com"}, 401, "unauthenticated"},
		{"by localhost", "POST", "/mcp", []string{"Host", "localhost:" + port}, 401, "unauthenticated"},
		{"from its own page", "POST", "/mcp", []string{"Host", "mcp.example.com", "Origin", "https://mcp.example.com"}, 401, "unauthenticated"},
		{"from an allowed page", "POST", "/mcp", []string{"Origin", "https://inspector.example.com"}, 401, "unauthenticated"},

		{"metrics for others", "GET", "/metrics", []string{"X-Forwarded-For", "192.0.2.1"}, 404, "There is nothing at this address."},
		{"a path that is not there", "GET", "/admin", nil, 404, "There is nothing at this address. Doorman's MCP endpoint is https://mcp.example.com/mcp."},
		{"a method that is not there", "POST", "/readyz", nil, 405, "only OPTIONS, GET, HEAD."},
		{"tokens by GET", "GET", "/oauth/token", nil, 405, "only OPTIONS, POST."},
		{"by a name of somebody else (rebinding)", "POST", "/mcp", []string{"Host", "evil.example.com"}, 403, "DOORMAN_PUBLIC_URL"},
		{"by a name that only starts like ours", "POST", "/mcp", []string{"Host", "mcp.example.com.evil.com"}, 403, "DOORMAN_PUBLIC_URL"},
		{"by localhost on another port", "POST", "/mcp", []string{"Host", "localhost:1"}, 403, "DOORMAN_PUBLIC_URL"},
		{"by an address of this network", "POST", "/mcp", []string{"Host", "10.0.0.5:" + port}, 403, "DOORMAN_PUBLIC_URL"},
		{"metrics by another name", "GET", "/metrics", []string{"Host", "evil.example.com"}, 403, "DOORMAN_PUBLIC_URL"},
		{"X-Forwarded-Host counts for nothing", "POST", "/mcp", []string{"Host", "evil.example.com", "X-Forwarded-Host", "mcp.example.com"}, 403, "DOORMAN_PUBLIC_URL"},
		{"from another page", "POST", "/mcp", []string{"Origin", "https://evil.example.com"}, 403, "DOORMAN_ALLOWED_ORIGINS"},
		{"from a sandboxed page", "POST", "/mcp", []string{"Origin", "null"}, 403, "DOORMAN_ALLOWED_ORIGINS"},
		{"from its own page without https", "POST", "/mcp", []string{"Origin", "http://mcp.example.com"}, 403, "DOORMAN_ALLOWED_ORIGINS"},
		{"from localhost's page", "POST", "/mcp", []string{"Origin", "http://localhost:" + port}, 403, "DOORMAN_ALLOWED_ORIGINS"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			status, header, body := kit.Get(t, row.method, base+row.path, row.headers...)
			if status != row.status || !strings.Contains(body, row.says) {
				t.Fatalf("%d %s\nwant %d and %q", status, body, row.status, row.says)
			}
			if header.Get("X-Request-Id") == "" || header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("headers %v", header)
			}
		})
	}
	t.Run("a page's browser may ask first", func(t *testing.T) {
		ask := []string{"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization"}
		status, header, _ := kit.Get(t, "OPTIONS", base+"/mcp", append(ask, "Origin", "https://inspector.example.com")...)
		if status != 204 || header.Get("Access-Control-Allow-Origin") != "https://inspector.example.com" || !strings.Contains(header.Get("Access-Control-Allow-Headers"), "Authorization") {
			t.Errorf("%d %v", status, header)
		}
		status, header, _ = kit.Get(t, "OPTIONS", base+"/mcp", append(ask, "Origin", "https://evil.example.com")...)
		if status != 403 || header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%d %v", status, header)
		}
	})
	t.Run("nothing secret in the log", func(t *testing.T) {
		kit.Get(t, "POST", base+"/mcp?access_token="+canary, "Authorization", "Bearer dmk_"+canary, "X-Forwarded-For", canary)
		kit.Get(t, "GET", base+"/nothing?code="+canary)
		if log := s.Log(); strings.Contains(log, canary) || !strings.Contains(log, `"path":"/mcp"`) {
			t.Fatalf("log: %s", log)
		}
	})
}

// listening returns the address the service listens on, from its log.
func listening(t *testing.T, s *kit.Service) string {
	t.Helper()
	_, rest, found := strings.Cut(s.Log(), `"listen":"`)
	address, _, ended := strings.Cut(rest, `"`)
	if !found || !ended {
		t.Fatalf("no address in the log: %s", s.Log())
	}
	return "http://" + address
}
