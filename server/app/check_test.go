package app_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"doorman/odoo/odootest"
	"doorman/server/access"
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
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { // its clock is
		w.Header().Set("Date", time.Now().Add(-75*time.Second).UTC().Format(http.TimeFormat))
		_, _ = io.WriteString(w, `{"status": "pass"}`)
	}))
	t.Cleanup(slow.Close)
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
			[]string{"warn  Master switch", "Switch it on in Odoo: Doorman > Configuration > Server Settings."}, nothingWrong},
		{"another way in", pages, func(s *odootest.Server) { s.SetOtherMCP("ai_mcp") }, nil,
			[]string{"warn  Other MCP", "through ai_mcp.", "Uninstall the module"}, nothingWrong},
		{"two services with one key", pages, func(s *odootest.Server) { s.SetServices("https://a.example/mcp", "https://b.example/mcp") }, nil,
			[]string{"warn  Service key", "https://a.example/mcp, https://b.example/mcp", "Stop the others"}, nothingWrong},
		{"a password before Odoo", pages, nil, []string{"DOORMAN_ODOO_URL=" + answering(t, 401, "no", "WWW-Authenticate", `Basic realm="odoo"`)},
			[]string{"FAIL  Odoo ", "a proxy before Odoo asks for a password", "let POST /doorman/jsonrpc through"}, oneThing},
		{"a copied database", pages, func(s *odootest.Server) {
			s.Become(odootest.Addon{Interface: access.Interface, Code: "19.0.0.2.0", Database: "19.0.0.2.0", CopyOf: "prod"})
		}, nil, []string{"FAIL  Odoo ", "is a copy of prod", "Server Settings"}, oneThing},
		{"Odoo's address follows logins", pages, func(s *odootest.Server) { s.SetWebURLFollows(true) }, nil,
			[]string{"warn  Odoo's pages", "web.base.url.freeze"}, nothingWrong},
		{"people are sent to their own machine", pages, nil, []string{"DOORMAN_PUBLIC_URL=https://doorman.invalid", "DOORMAN_TRUSTED_PROXIES=127.0.0.1"},
			[]string{"FAIL  Odoo's pages", "their own machine", "web.base.url"}, oneThing},
		{"Odoo does not know where it is", "", nil, nil, []string{"FAIL  Odoo's pages", "web.base.url"}, oneThing},
		{"Odoo thinks it is elsewhere", dead.URL, nil, nil, []string{"warn  Odoo's pages", "does not answer from here: dial tcp"}, nothingWrong},
		{"where Odoo thinks it is, is another", answering(t, 200, "<html>"), nil, nil, []string{"FAIL  Odoo's pages", "which is not an Odoo"}, oneThing},
		{"Odoo's pages are in the clear", "http://odoo.invalid", nil, nil, []string{"warn  Odoo's pages", "is not https"}, nothingWrong},
		{"clocks apart", slow.URL, nil, nil,
			[]string{"FAIL  Clocks", "are 1m", "time server"}, oneThing},
		{"the service does not run", pages, nil, []string{"DOORMAN_PUBLIC_URL=" + dead.URL},
			[]string{"warn  Public URL", "Start the service, then check again."}, nothingWrong},
		{"the public URL leads elsewhere", pages, nil, []string{"DOORMAN_PUBLIC_URL=" + answering(t, 200, "ok\n")},
			[]string{"FAIL  Public URL", "not as Doorman does"}, oneThing},
		{"only its health is passed on", pages, nil, []string{"DOORMAN_PUBLIC_URL=" + answering(t, 200, "ok\n", "X-Request-Id", "x")},
			[]string{"ok    Public URL", "FAIL  Endpoint", "FAIL  OAuth", "FAIL  Service"}, "check: 3 things keep this from working"},
		{"no trusted proxy", "https://odoo.invalid", nil, []string{"DOORMAN_PUBLIC_URL=https://doorman.invalid"},
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
	if said != nothingWrong || strings.Count(printed, "ok    ") != 5 || strings.Count(printed, "\n") != 5 {
		t.Errorf("%s\n%s", said, printed)
	}
	other := strings.Replace(service.URL, "127.0.0.1", "localhost", 1)
	if printed, said = kit.Check(t, append(environ, "DOORMAN_PUBLIC_URL="+other)...); said != oneThing || !strings.Contains(printed, "calls itself "+service.MCP) {
		t.Errorf("%s\n%s", said, printed)
	}
}

// TestCheckOfProxies: the service that runs says whom it takes for the caller, so what a proxy does wrong shows.
func TestCheckOfProxies(t *testing.T) {
	t.Parallel()
	s := odootest.New(t, odootest.Options{WebURL: answering(t, http.StatusOK, `{"status": "pass"}`)})
	environ := []string{"DOORMAN_ODOO_URL=" + s.URL(), "DOORMAN_ODOO_DB=" + odootest.DefaultDatabase, "DOORMAN_ODOO_KEY=" + odootest.DefaultKey}
	for _, row := range []struct {
		name    string
		trusted string
		rewrite func(*httputil.ProxyRequest)
		other   []string // the check's configuration, where it is not the service's
		prints  string
		said    string
	}{
		{"it says who calls", "127.0.0.1", func(r *httputil.ProxyRequest) { r.Out.Header.Set("X-Forwarded-For", "192.0.2.9") }, nil,
			"ok    Proxy          It is trusted, and reports who calls: this check comes from 192.0.2.9.", nothingWrong},
		{"it passes on what a client says", "127.0.0.1", func(r *httputil.ProxyRequest) { r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"] }, nil,
			"FAIL  Proxy          Callers can pretend to come from", oneThing},
		{"it adds to what a client says, and is trusted itself", "127.0.0.1", func(r *httputil.ProxyRequest) {
			r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
			r.SetXForwarded()
		}, nil, "FAIL  Proxy          Callers can pretend to come from", oneThing},
		{"it is not trusted, and nobody says that it is there", "", func(r *httputil.ProxyRequest) { r.SetXForwarded() }, nil,
			"ok    Service        It runs, and takes calls.", nothingWrong},
		{"the service that runs has another key", "", func(*httputil.ProxyRequest) {}, []string{"DOORMAN_ODOO_KEY=" + odootest.DefaultKey + "0"},
			"FAIL  Service        The running service uses a different service key", "check: 2 things keep this from working"},
		{"it drops the header of the check", "", func(r *httputil.ProxyRequest) { r.Out.Header.Del("X-Doorman-Check") }, nil,
			"warn  Service        The running service is an older version, or its proxy drops", nothingWrong},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var target atomic.Pointer[url.URL]
			proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
				r.SetURL(target.Load())
				r.Out.Host = r.In.Host
				row.rewrite(r)
			}})
			t.Cleanup(proxy.Close)
			with := append(slices.Clone(environ), "DOORMAN_PUBLIC_URL="+proxy.URL)
			if row.trusted != "" {
				with = append(with, "DOORMAN_TRUSTED_PROXIES="+row.trusted)
			}
			service := kit.Serve(t, with...)
			at, err := url.Parse(service.Listens(t))
			if err != nil {
				t.Fatal(err)
			}
			target.Store(at)
			printed, said := kit.Check(t, append(with, row.other...)...)
			if !strings.Contains(printed, row.prints) || said != row.said {
				t.Errorf("it ends with %q, want %q and %q, after:\n%s", said, row.said, row.prints, printed)
			}
		})
	}
}

// TestStrangersAreToldNothing: who cannot prove the service's key learns nothing from /readyz that others do not.
func TestStrangersAreToldNothing(t *testing.T) {
	t.Parallel()
	s := odootest.New(t)
	service := kit.Serve(t, "DOORMAN_ODOO_URL="+s.URL(), "DOORMAN_ODOO_DB="+odootest.DefaultDatabase, "DOORMAN_ODOO_KEY="+odootest.DefaultKey)
	now := time.Now().Unix()
	proof := func(key string, at int64) string {
		mac := hmac.New(sha256.New, []byte(key))
		fmt.Fprintf(mac, "doorman check %d", at)
		return fmt.Sprintf("%d.%x", at, mac.Sum(nil))
	}
	for name, header := range map[string]string{
		"nothing": "", "no number": "x.y", "no proof": fmt.Sprint(now), "another key": proof("x", now), "an empty key": proof("", now),
		"an old proof": proof(odootest.DefaultKey, now-3600), "one of tomorrow": proof(odootest.DefaultKey, now+86400),
		"a proof of another time": fmt.Sprintf("%d.%s", now+1, strings.SplitN(proof(odootest.DefaultKey, now), ".", 2)[1]),
		"a huge number":           "9223372036854775807." + strings.Repeat("0", 64), "upper case": strings.ToUpper(proof(odootest.DefaultKey, now)),
	} {
		_, _, body := kit.Get(t, http.MethodGet, service.URL+"/readyz", "X-Doorman-Check", header)
		if strings.Contains(body, "127.0.0.1") || strings.Contains(body, "client") || strings.Contains(body, `"key":true`) {
			t.Errorf("%s: %s", name, body)
		}
	}
	if _, _, body := kit.Get(t, http.MethodGet, service.URL+"/readyz", "X-Doorman-Check", proof(odootest.DefaultKey, now)); !strings.Contains(body, `"client":"127.0.0.1"`) {
		t.Errorf("the check is not told: %s", body)
	}
}

// TestCheckOfRedis: one that answers may still not count, or not keep what was counted.
func TestCheckOfRedis(t *testing.T) {
	t.Parallel()
	pages := answering(t, http.StatusOK, `{"status": "pass"}`)
	s := odootest.New(t, odootest.Options{WebURL: pages})
	for _, row := range []struct {
		name   string
		set    [][]any
		as     string // the user, before the host
		prints string
		said   string
	}{
		{"well", nil, "", "ok    Redis          It works.\n", nothingWrong},
		{"it evicts", [][]any{{"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"}}, "", "warn  Redis          It evicts keys", nothingWrong},
		{"it may only be pinged", [][]any{{"ACL", "SETUSER", "doorman", "on", ">" + canary, "+ping"}}, "doorman", "FAIL  Redis          Redis cannot count", oneThing},
		{"it may not read what it wrote", [][]any{{"ACL", "SETUSER", "doorman", "on", ">" + canary, "~other:*", "+@all"}}, "doorman", "FAIL  Redis          Redis cannot count", oneThing},
		{"cannot see", [][]any{{"ACL", "SETUSER", "doorman", "on", ">" + canary, "~doorman:*", "+@all", "-info"}}, "doorman", "ok    Redis          It works. This user cannot see", nothingWrong},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			at := kit.Redis(t)
			options, err := redis.ParseURL(at)
			if err != nil {
				t.Fatal(err)
			}
			admin := redis.NewClient(options)
			t.Cleanup(func() { _ = admin.Close() })
			for _, command := range row.set {
				if err := admin.Do(t.Context(), command...).Err(); err != nil {
					t.Fatal(err)
				}
			}
			if row.as != "" {
				at = strings.Replace(at, "unix://", "unix://"+row.as+":"+canary+"@", 1)
			}
			printed, said := kit.Check(t, "DOORMAN_ODOO_URL="+s.URL(), "DOORMAN_ODOO_DB="+odootest.DefaultDatabase, "DOORMAN_ODOO_KEY="+odootest.DefaultKey, "DOORMAN_REDIS_URL="+at)
			if !strings.Contains(printed, row.prints) || said != row.said || strings.Contains(printed+said, canary) {
				t.Errorf("it ends with %q, want %q and %q, after:\n%s", said, row.said, row.prints, printed)
			}
		})
	}
}

// TestCheckOfKeyFile: a key that everybody on the machine may read is told.
func TestCheckOfKeyFile(t *testing.T) {
	t.Parallel()
	s := odootest.New(t, odootest.Options{WebURL: answering(t, http.StatusOK, `{"status": "pass"}`)})
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(odootest.DefaultKey), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]bool{0o600: false, 0o640: false, 0o644: true, 0o604: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		printed, said := kit.Check(t, "DOORMAN_ODOO_URL="+s.URL(), "DOORMAN_ODOO_DB="+odootest.DefaultDatabase, "DOORMAN_ODOO_KEY_FILE="+path)
		if strings.Contains(printed, "warn  Key file") != want || said != nothingWrong {
			t.Errorf("%04o: %s\n%s", mode, said, printed)
		}
	}
}
