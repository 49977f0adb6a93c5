package app

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"doorman/odoo/odootest"
)

// TestPublicURLAsTyped: all spellings that an administrator may type are one address: in what clients are told, in what their tokens
// are for, and in the Host and Origin that are let in.
func TestPublicURLAsTyped(t *testing.T) {
	t.Parallel()
	o := odootest.New(t)
	environ := []string{"DOORMAN_ODOO_URL=" + o.URL(), "DOORMAN_ODOO_DB=" + odootest.DefaultDatabase, "DOORMAN_ODOO_KEY=" + string(odootest.DefaultKey)}
	for typed, want := range map[string]string{
		"https://mcp.example.com":             "https://mcp.example.com",
		"https://mcp.example.com/":            "https://mcp.example.com",
		" HTTPS://MCP.Example.COM:443// ":     "https://mcp.example.com",
		"https://MCP.example.com:8443/":       "https://mcp.example.com:8443",
		"https://Bücher.example":              "https://xn--bcher-kva.example",
		"HTTP://LocalHost:80/":                "http://localhost",
		"http://[0:0:0:0:0:0:0:1]:8090":       "http://[::1]:8090",
		"https://mcp.example.com:00443":       "https://mcp.example.com",
		"https://xn--bcher-kva.example:443/ ": "https://xn--bcher-kva.example",
	} {
		c, err := loadConfig(append(environ, "DOORMAN_PUBLIC_URL="+typed, "DOORMAN_ALLOWED_ORIGINS=HTTPS://Inspector.Example.com:443/, http://localhost:80"))
		if err != nil {
			t.Errorf("%q: %v", typed, err)
			continue
		}
		if strings.Join(c.AllowedOrigins, " ") != "https://inspector.example.com http://localhost" {
			t.Errorf("allowed origins %q", c.AllowedOrigins)
		}
		s, err := newService(context.Background(), c, zerolog.Nop())
		if err != nil {
			t.Fatal(err)
		}
		routes := s.routes()
		ask := func(path, host string, headers ...string) (int, string) {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Host = host
			for i := 0; i+1 < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
			w := httptest.NewRecorder()
			routes.ServeHTTP(w, r)
			return w.Code, w.Header().Get("WWW-Authenticate") + w.Body.String()
		}
		host := c.public.Host
		hosts := []string{host, strings.ToUpper(host)}
		if c.public.Port() == "" {
			hosts = append(hosts, host+map[string]string{"https": ":443", "http": ":80"}[c.public.Scheme])
		}
		for _, host := range hosts {
			_, body := ask("/.well-known/oauth-protected-resource/mcp", host)
			var document struct {
				Resource string
				Servers  []string `json:"authorization_servers"`
			}
			if err := json.Unmarshal([]byte(body), &document); err != nil || document.Resource != want+"/mcp" || len(document.Servers) != 1 || document.Servers[0] != want {
				t.Errorf("%q as %s: %s", typed, host, body)
			}
			if status, body := ask("/.well-known/oauth-authorization-server", host); status != 200 || !strings.Contains(body, `"issuer":"`+want+`"`) {
				t.Errorf("%q as %s: %d %s", typed, host, status, body)
			}
			if status, body := ask("/mcp", host); status != 401 || !strings.Contains(body, `resource_metadata="`+want+`/.well-known/`) {
				t.Errorf("%q as %s: %d %s", typed, host, status, body)
			}
		}
		for _, host := range []string{"evil.example.com", host + ".evil.com", "a" + host, "u@" + host, host + "/", strings.Split(host, ":")[0] + ":81", ""} {
			if status, _ := ask("/mcp", host); status != http.StatusForbidden {
				t.Errorf("%q as %q: %d", typed, host, status)
			}
		}
		for _, origin := range []string{want, "https://inspector.example.com", "http://localhost"} {
			if status, _ := ask("/mcp", host, "Origin", origin); status != http.StatusUnauthorized {
				t.Errorf("%q from %s: %d", typed, origin, status)
			}
		}
		for _, origin := range []string{"https://evil.example.com", "null", want + ".evil.com", "http://inspector.example.com", "https://localhost", "ftp://localhost"} {
			if status, _ := ask("/mcp", host, "Origin", origin); status != http.StatusForbidden {
				t.Errorf("%q from %s: %d", typed, origin, status)
			}
		}
	}
	for _, typed := range []string{
		"mcp.example.com", "https://", "https:/mcp.example.com", "http://mcp.example.com", "HTTP://MCP.example.com", "ftp://mcp.example.com", "https://u:p@mcp.example.com",
		"https://mcp.example.com/mcp", "https://mcp.example.com/?x", "https://mcp.example.com#x", "https://mcp.example.com:0", "https://mcp.example.com:65536", "https://mcp .example.com",
		"https://a,b", "https://a;b", "https://*.example.com", "http://[::2]:80", "http://localhost.evil.com",
	} {
		_, err := loadConfig(append(environ, "DOORMAN_PUBLIC_URL="+typed))
		if err == nil || !strings.Contains(err.Error(), "DOORMAN_PUBLIC_URL must") || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%q: %v", typed, err)
		}
	}
	for _, typed := range []string{"https://app.example.com/x", "app.example.com", "*", "null", "https://app.example.com?x", "ftp://app.example.com"} {
		if _, err := loadConfig(append(environ, "DOORMAN_ALLOWED_ORIGINS="+typed)); err == nil || !strings.Contains(err.Error(), "DOORMAN_ALLOWED_ORIGINS") {
			t.Errorf("%q: %v", typed, err)
		}
	}
}
