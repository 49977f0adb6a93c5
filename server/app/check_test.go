package app_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"doorman/odoo/odootest"
	"doorman/server/e2e/kit"
)

// answering is a web server that answers every request so.
func answering(t *testing.T, status int, body string, headers ...string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

const nothingWrong, oneThing = "<nil>", "check: one thing keeps this from working"

// TestCheck: each part of an installation, well and not.
func TestCheck(t *testing.T) {
	t.Parallel()
	pages := answering(t, http.StatusOK, `{"status": "pass"}`)
	dead := httptest.NewServer(nil)
	dead.Close()
	late := time.Now().Add(-time.Minute).UTC().Format(http.TimeFormat)
	for _, row := range []struct {
		name    string
		web     string // where Odoo says that people reach it
		odoo    func(*odootest.Server)
		environ []string
		prints  []string
		said    string
	}{
		{"well, but for this machine only", pages, nil, nil,
			[]string{"ok    Odoo ", "Fake Company", "ok    Odoo's pages", "warn  Public URL", "Set DOORMAN_PUBLIC_URL"}, nothingWrong},
		{"another key", pages, nil, []string{"DOORMAN_ODOO_KEY=" + canary},
			[]string{"FAIL  Odoo ", "refused Doorman's own key", "-> "}, oneThing},
		{"no Odoo there", pages, nil, []string{"DOORMAN_ODOO_URL=" + dead.URL}, []string{"FAIL  Odoo ", "connection refused"}, oneThing},
		{"another web server", pages, nil, []string{"DOORMAN_ODOO_URL=" + answering(t, 404, "Not Found")},
			[]string{"FAIL  Odoo ", "DOORMAN_ODOO_URL"}, oneThing},
		{"switched off", pages, func(s *odootest.Server) { s.SetEnabled(false) }, nil,
			[]string{"warn  Master switch", "Server Settings > Enable"}, nothingWrong},
		{"another way in", pages, func(s *odootest.Server) { s.SetOtherMCP("ai_mcp") }, nil,
			[]string{"warn  Other MCP", "by ai_mcp.", "Uninstall the module"}, nothingWrong},
		{"Odoo does not know where it is", "", nil, nil, []string{"FAIL  Odoo's pages", "web.base.url"}, oneThing},
		{"Odoo thinks it is elsewhere", dead.URL, nil, nil, []string{"warn  Odoo's pages", "does not answer from here: dial tcp"}, nothingWrong},
		{"where Odoo thinks it is, is another", answering(t, 200, "<html>"), nil, nil, []string{"FAIL  Odoo's pages", "which is not an Odoo"}, oneThing},
		{"Odoo's pages are in the clear", "http://odoo.invalid", nil, nil, []string{"warn  Odoo's pages", "is not https"}, nothingWrong},
		{"clocks apart", answering(t, 200, `{"status": "pass"}`, "Date", late), nil, nil,
			[]string{"FAIL  Clocks", "are 1m", "time server"}, oneThing},
		{"the service does not run", pages, nil, []string{"DOORMAN_PUBLIC_URL=" + dead.URL},
			[]string{"warn  Public URL", "Start the service, then check again."}, nothingWrong},
		{"the public URL leads elsewhere", pages, nil, []string{"DOORMAN_PUBLIC_URL=" + answering(t, 200, "ok\n")},
			[]string{"FAIL  Public URL", "not as Doorman does"}, oneThing},
		{"only its health is passed on", pages, nil, []string{"DOORMAN_PUBLIC_URL=" + answering(t, 200, "ok\n", "X-Request-Id", "x")},
			[]string{"ok    Public URL", "FAIL  Endpoint", "FAIL  OAuth"}, "check: 2 things keep this from working"},
		{"no trusted proxy", pages, nil, []string{"DOORMAN_PUBLIC_URL=https://doorman.invalid"},
			[]string{"warn  Proxy", "DOORMAN_TRUSTED_PROXIES"}, nothingWrong},
		{"no Redis there", pages, nil, []string{"DOORMAN_REDIS_URL=redis://:" + canary + "@" + strings.TrimPrefix(dead.URL, "http://")},
			[]string{"FAIL  Redis", "DOORMAN_REDIS_URL"}, oneThing},
		{"a configuration that is wrong", pages, nil, []string{"DOORMAN_ODOO_DB=", "DOORMAN_LOG_LEVEL=loud"}, nil, "the configuration has problems"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := odootest.New(t, odootest.Options{WebURL: row.web})
			if row.odoo != nil {
				row.odoo(s)
			}
			printed, said := kit.Check(t, append([]string{
				"DOORMAN_ODOO_URL=" + s.URL(), "DOORMAN_ODOO_DB=" + odootest.DefaultDatabase, "DOORMAN_ODOO_KEY=" + odootest.DefaultKey,
			}, row.environ...)...)
			for _, want := range row.prints {
				if !strings.Contains(printed, want) {
					t.Errorf("%q is not in:\n%s", want, printed)
				}
			}
			if !strings.HasPrefix(said, row.said) || strings.Contains(printed+said, canary) {
				t.Errorf("it ends with %q, want %q, after:\n%s", said, row.said, printed)
			}
			if asked := s.LastHello(); asked["version"] != nil && asked["version"] != "" {
				t.Errorf("Odoo takes the question for the service's heartbeat: %v", asked)
			}
			if strings.Contains(said, "nil") && strings.Contains(printed, "FAIL") {
				t.Errorf("it ends well after:\n%s", printed)
			}
		})
	}
}

// TestCheckOfRunning: all is well with a service that runs, and one that calls itself otherwise is found out.
func TestCheckOfRunning(t *testing.T) {
	t.Parallel()
	s := odootest.New(t, odootest.Options{WebURL: answering(t, http.StatusOK, `{"status": "pass"}`)})
	environ := []string{"DOORMAN_ODOO_URL=" + s.URL(), "DOORMAN_ODOO_DB=" + odootest.DefaultDatabase, "DOORMAN_ODOO_KEY=" + odootest.DefaultKey}
	service := kit.Serve(t, environ...)
	printed, said := kit.Check(t, append(environ, "DOORMAN_PUBLIC_URL="+service.URL)...)
	if said != nothingWrong || strings.Count(printed, "ok    ") != 4 || strings.Count(printed, "\n") != 4 {
		t.Errorf("%s\n%s", said, printed)
	}
	other := strings.Replace(service.URL, "127.0.0.1", "localhost", 1)
	if printed, said = kit.Check(t, append(environ, "DOORMAN_PUBLIC_URL="+other)...); said != oneThing || !strings.Contains(printed, "calls itself "+service.MCP) {
		t.Errorf("%s\n%s", said, printed)
	}
}
