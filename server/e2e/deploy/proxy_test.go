//go:build linux

package deploy_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/odoo/odootest"
	"doorman/server/access"
	"doorman/server/e2e/kit"
)

// site is a proxy with the configuration of deploy/, before two replicas over a fake Odoo, and before two stubs in Odoo's place.
type site struct {
	doorman, odoo string // public addresses
	client        *http.Client
	replicas      []*kit.Service
	ports         []string // where they listen
	fake          *odootest.Server
	held          *atomic.Bool        // whether search_read waits
	entered       chan odootest.Call  // those that wait
	release       chan struct{}       // one is let go
	stubs         [2]*httptest.Server // Odoo's HTTP, Odoo's websockets
	said, logged  func() string       // what the proxy has said, and what it has logged in files; logged is nil if it has none
	reload        func(out string)    // tells the proxy which replica is about to be restarted, "" = none; nil = it finds out by itself
}

// TestProxies: nginx and Caddy as deploy/ configures them.
func TestProxies(t *testing.T) {
	t.Parallel()
	kit.SkipWithoutOdoo(t) // like it, these programs are fetched for `make test` only
	for name, start := range map[string]func(*testing.T, *site, []string){"nginx": startNginx, "caddy": startCaddy} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := kit.DebianProgram(t, name)
			s := newSite(t, name, program, start)
			t.Run("addresses", s.addresses)
			t.Run("bodies", s.bodies)
			t.Run("paths", s.paths)
			t.Run("secrets", s.secrets)
			t.Run("streams", s.streams)
			t.Run("odoo", s.odooSide)
			t.Run("rolling restart", s.rolling)
		})
	}
}

// newSite starts all of it.
func newSite(t *testing.T, name, program string, start func(*testing.T, *site, []string)) *site {
	t.Helper()
	s := &site{held: &atomic.Bool{}, entered: make(chan odootest.Call, 10), release: make(chan struct{})}
	s.fake = odootest.New(t, odootest.Options{
		Connections: []odootest.Connection{
			{Credential: odootest.DefaultCredential},
			{Credential: "dmk_inside", Snapshot: access.Snapshot{Connection: access.Connection{Policy: access.Policy{
				AllowedIPs: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")},
			}}}},
			{Credential: "dmk_here", Snapshot: access.Snapshot{Connection: access.Connection{Policy: access.Policy{
				AllowedIPs: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
			}}}},
		},
		Handle: func(c odootest.Call) (any, *odootest.Problem, bool) {
			if c.Method == "search_read" && s.held.Load() {
				s.entered <- c
				<-s.release
			}
			return nil, nil, false
		},
	})
	for i, of := range []string{"http", "websocket"} {
		s.stubs[i] = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(w, "%s for=%s proto=%s host=%s", of, r.Header.Get("X-Forwarded-For"), r.Header.Get("X-Forwarded-Proto"), r.Header.Get("X-Forwarded-Host"))
		}))
		t.Cleanup(s.stubs[i].Close)
	}
	ports := freePorts(t, 5)
	start(t, s, append([]string{name, program}, ports...))
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // an invite leads to Odoo
	return s
}

// serve starts the replicas, once it is known by which address clients reach them.
func (s *site) serve(t *testing.T, ports []string) {
	t.Helper()
	s.ports = ports
	for _, port := range ports {
		s.replicas = append(s.replicas, s.replica(t, port))
	}
}

func (s *site) replica(t *testing.T, port string) *kit.Service {
	t.Helper()
	return kit.Serve(t, "DOORMAN_ODOO_URL="+s.fake.URL(), "DOORMAN_ODOO_DB="+s.fake.Options().Database, "DOORMAN_ODOO_KEY="+s.fake.Options().Key,
		"DOORMAN_LISTEN=127.0.0.1:"+port, "DOORMAN_PUBLIC_URL="+s.doorman, "DOORMAN_TRUSTED_PROXIES=127.0.0.1", "DOORMAN_STOP_DELAY=3s")
}

// run starts a proxy and waits until it passes requests on. What it says, warnings included, fails the test.
func (s *site) run(t *testing.T, check, serve *exec.Cmd) {
	t.Helper()
	if out, err := check.CombinedOutput(); err != nil || bytes.Contains(out, []byte("warn")) {
		t.Fatalf("%v: %v\n%s", check.Args, err, out)
	}
	var log kit.Log
	s.said = log.String
	serve.Stdout, serve.Stderr = &log, &log
	serve.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = serve.Process.Signal(syscall.SIGTERM)
		_ = serve.Wait()
		if t.Failed() {
			t.Logf("the proxy:\n%s", log.String())
		}
	})
	kit.Await(t, "the proxy reaches a replica", func() error {
		answer, err := s.client.Get(s.doorman + "/healthz")
		if err != nil {
			return err
		}
		_ = answer.Body.Close()
		return kit.Unless(answer.StatusCode == http.StatusOK, answer.Status)
	})
}

func repoFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(kit.AddonDir(t)), path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// replaced is text with each of these parts replaced; one that it does not have fails the test, which would then run something
// else than what people are given.
func replaced(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the configuration has no %q", pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// startNginx runs deploy/nginx/doorman.conf with this machine's ports, the second replica and a certificate of its own.
func startNginx(t *testing.T, s *site, words []string) {
	program, ports := words[1], words[2:]
	dir := t.TempDir()
	key, certificate, pool := selfSigned(t, dir, "mcp.example.com", "odoo.example.com")
	conf := replaced(t, repoFile(t, "deploy/nginx/doorman.conf"),
		"listen 80;", "listen 127.0.0.1:"+ports[2]+";", "listen 443 ssl", "listen 127.0.0.1:"+ports[3]+" ssl",
		"    listen [::]:80;\n", "", "    listen [::]:443 ssl http2;\n", "",
		"127.0.0.1:8090", "127.0.0.1:"+ports[0], "# server 127.0.0.1:8091", "server 127.0.0.1:"+ports[1],
		"127.0.0.1:8069", strings.TrimPrefix(s.stubs[0].URL, "http://"), "127.0.0.1:8072", strings.TrimPrefix(s.stubs[1].URL, "http://"),
		"/etc/letsencrypt/live/mcp.example.com/fullchain.pem", certificate, "/etc/letsencrypt/live/mcp.example.com/privkey.pem", key,
		"/etc/letsencrypt/live/odoo.example.com/fullchain.pem", certificate, "/etc/letsencrypt/live/odoo.example.com/privkey.pem", key,
		"/var/log/nginx/error.log", filepath.Join(dir, "error.log"),
	)
	write := func(conf string) {
		if err := os.WriteFile(filepath.Join(dir, "doorman.conf"), []byte(conf), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(conf)
	var temp strings.Builder
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temp, "%s_temp_path %s;\n", kind, filepath.Join(dir, kind))
	}
	user := ""
	if os.Getuid() == 0 {
		user = "user root;\n" // its usual user could not enter the folder of this test
	}
	main := user + fmt.Sprintf("daemon off;\nworker_processes 1;\npid %[1]s/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log %[1]s/access.log;\n%[2]sinclude %[1]s/doorman.conf;\n}\n", dir, temp.String())
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(main), 0o600); err != nil {
		t.Fatal(err)
	}
	s.logged = func() string {
		requests, err := os.ReadFile(filepath.Join(dir, "access.log"))
		errors, errOf := os.ReadFile(filepath.Join(dir, "error.log"))
		if err != nil || errOf != nil {
			t.Error(err, errOf)
		}
		return string(requests) + string(errors)
	}
	s.doorman, s.odoo = "https://mcp.example.com", "https://odoo.example.com"
	transport := &http.Transport{TLSClientConfig: pool, DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1:"+ports[3])
	}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	s.client = &http.Client{Transport: transport}
	s.serve(t, ports[:2])
	args := []string{"-p", dir, "-e", "stderr", "-c", filepath.Join(dir, "nginx.conf")}
	s.run(t, exec.Command(program, append(args, "-t")...), exec.Command(program, args...))
	s.reload = func(out string) {
		now := conf
		if out != "" {
			now = replaced(t, conf, "server 127.0.0.1:"+out+" max_fails=1 fail_timeout=1s;", "server 127.0.0.1:"+out+" down;")
		}
		write(now)
		if out, err := exec.Command(program, append(args, "-s", "reload")...).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// startCaddy runs deploy/caddy/Caddyfile as docker-compose.yml does: by its variables, without TLS.
func startCaddy(t *testing.T, s *site, words []string) {
	program, ports := words[1], words[2:]
	dir := t.TempDir()
	file := filepath.Join(dir, "Caddyfile")
	// Nothing but the port of its administration, which another Caddy of this machine may have.
	if err := os.WriteFile(file, []byte("{\n\tadmin off\n}\n"+repoFile(t, "deploy/caddy/Caddyfile")), 0o600); err != nil {
		t.Fatal(err)
	}
	s.doorman, s.odoo = "http://localhost:"+ports[2], "http://localhost:"+ports[3]
	s.client = &http.Client{}
	s.serve(t, ports[:2])
	env := append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir,
		"DOORMAN_SITE="+s.doorman, "ODOO_SITE="+s.odoo, "DOORMAN_UPSTREAM=127.0.0.1:"+ports[0]+" 127.0.0.1:"+ports[1],
		"ODOO_UPSTREAM="+strings.TrimPrefix(s.stubs[0].URL, "http://"), "ODOO_WEBSOCKET="+strings.TrimPrefix(s.stubs[1].URL, "http://"))
	check, serve := exec.Command(program, "validate", "--adapter", "caddyfile", "--config", file), exec.Command(program, "run", "--adapter", "caddyfile", "--config", file)
	check.Env, serve.Env = env, env
	s.run(t, check, serve)
}

// ask sends a request and returns its status and body.
func (s *site) ask(t *testing.T, method, url string, body io.Reader, headers ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := s.client.Do(r)
	if err != nil {
		t.Errorf("%s %s: %v", method, url, err)
		return 0, ""
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Errorf("%s %s: %v", method, url, err)
	}
	return answer.StatusCode, string(text)
}

const searching = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_records","arguments":{"model":"res.partner"}}}`

// search calls a tool; padding makes the request that many bytes long.
func (s *site) search(t *testing.T, key string, length int, headers ...string) (int, string) {
	t.Helper()
	body := searching + strings.Repeat(" ", max(0, length-len(searching)))
	return s.ask(t, http.MethodPost, s.doorman+"/mcp", strings.NewReader(body), append([]string{
		"Content-Type", "application/json", "Accept", "application/json, text/event-stream", "Authorization", "Bearer " + key,
	}, headers...)...)
}

// addresses: what a client says of its own address is overwritten, and the proxy's word is believed.
func (s *site) addresses(t *testing.T) {
	for _, c := range []struct {
		name, key string
		headers   []string
		passes    bool
	}{
		{"its own address", "dmk_here", nil, true},
		{"its own address, another claimed", "dmk_here", []string{"X-Forwarded-For", "203.0.113.7"}, true},
		{"another address", "dmk_inside", nil, false},
		{"another address, claimed", "dmk_inside", []string{"X-Forwarded-For", "203.0.113.7"}, false},
		{"several claimed", "dmk_inside", []string{"X-Forwarded-For", "203.0.113.7, 203.0.113.8"}, false},
		{"by other headers", "dmk_inside", []string{"Forwarded", "for=203.0.113.7", "X-Real-Ip", "203.0.113.7"}, false},
	} {
		if _, text := s.search(t, c.key, 0, c.headers...); strings.Contains(text, `"records"`) != c.passes {
			t.Errorf("%s: %s", c.name, text)
		}
	}
}

// bodies: the proxy's limits are the service's own, no lower and no higher.
func (s *site) bodies(t *testing.T) {
	const most = 1 << 20 // DOORMAN_MAX_BODY
	if status, text := s.search(t, odootest.DefaultCredential, most); status != http.StatusOK {
		t.Errorf("a request as large as the service takes: %d %s", status, text)
	}
	for _, length := range []int{most + 1, 4 * most} {
		if status, text := s.search(t, odootest.DefaultCredential, length); status != http.StatusRequestEntityTooLarge {
			t.Errorf("one of %d bytes: %d %s", length, status, text)
		}
	}
	// An unknown link: the service itself says so, and not the proxy.
	link := s.doorman + "/files/" + strings.Repeat("a", 43)
	if status, text := s.ask(t, http.MethodPut, link, bytes.NewReader(make([]byte, most+1))); status != http.StatusNotFound {
		t.Errorf("a file larger than a request: %d %s", status, text)
	}
	if status, _ := s.ask(t, http.MethodPut, link, bytes.NewReader(make([]byte, access.MaxFile+1))); status != http.StatusRequestEntityTooLarge && status != http.StatusNotFound {
		t.Errorf("a file that is too large: %d", status)
	}
}

// paths: what is for the inside does not get out.
func (s *site) paths(t *testing.T) {
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 404, "/.well-known/oauth-protected-resource": 200} {
		if status, text := s.ask(t, http.MethodGet, s.doorman+path, nil); status != want {
			t.Errorf("%s: %d, want %d: %s", path, status, want, text)
		}
	}
}

// secrets checks that links to files and invites are not logged, since anyone who has one can open it. Other requests are
// logged, where the proxy logs at all.
func (s *site) secrets(t *testing.T) {
	token := strings.Repeat("Q", 43)
	for _, path := range []string{"/files/dmf_" + token, "/oauth/invite/" + token} {
		if status, _ := s.ask(t, http.MethodGet, s.doorman+path, nil); status == 0 || status >= 500 {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _ := s.ask(t, http.MethodPut, s.doorman+"/files/dmf_"+token, bytes.NewReader(make([]byte, access.MaxFile+1))); status < 400 {
		t.Errorf("a file that is too large: %d", status)
	}
	const after = "/healthz?after-the-links"
	s.ask(t, http.MethodGet, s.doorman+after, nil)
	log := s.said()
	if s.logged != nil {
		kit.Await(t, "the proxy logs requests", func() error { return kit.Unless(strings.Contains(s.logged(), after), s.logged()) })
		log += s.logged()
	}
	if strings.Contains(log, token) {
		t.Errorf("the proxy logs secret links:\n%s", log)
	}
}

// streams: progress reaches the client while Odoo is still at work.
func (s *site) streams(t *testing.T) {
	s.held.Store(true)
	told := make(chan *sdk.ProgressNotificationParams, 10)
	session, err := sdk.NewClient(&sdk.Implementation{Name: "kit", Version: "1"}, &sdk.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, r *sdk.ProgressNotificationClientRequest) { told <- r.Params },
	}).Connect(t.Context(), &sdk.StreamableClientTransport{
		Endpoint: s.doorman + "/mcp", MaxRetries: -1,
		HTTPClient: &http.Client{Transport: &keyed{key: odootest.DefaultCredential, over: s.client}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	params := &sdk.CallToolParams{Name: "search_records", Arguments: map[string]any{"model": "res.partner"}}
	params.SetProgressToken("tok")
	done := make(chan error, 1)
	go func() {
		result, err := session.CallTool(t.Context(), params)
		if err == nil && result.IsError {
			err = fmt.Errorf("an error: %v", result.StructuredContent)
		}
		done <- err
	}()
	<-s.entered
	select {
	case <-told:
	case <-time.After(3 * time.Minute):
		t.Error("no progress while Odoo works: something holds the stream back")
	}
	s.held.Store(false)
	s.release <- struct{}{}
	if err := <-done; err != nil {
		t.Error(err)
	}
	_ = session.Close()
}

// keyed sends a key with every request, over a client of its own.
type keyed struct {
	key  string
	over *http.Client
}

func (k *keyed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+k.key)
	return k.over.Do(r)
}

// odooSide: websockets go to their own port, the gateway is closed from outside, and Odoo is told who asks and how.
func (s *site) odooSide(t *testing.T) {
	proto, host := "https", "odoo.example.com"
	if strings.HasPrefix(s.odoo, "http:") {
		proto, host = "http", strings.TrimPrefix(s.odoo, "http://")
	}
	told := " for=127.0.0.1 proto=" + proto + " host=" + host
	for path, want := range map[string]string{"/web/login": "http" + told, "/websocket": "websocket" + told} {
		if status, text := s.ask(t, http.MethodGet, s.odoo+path, nil, "X-Forwarded-For", "203.0.113.7", "X-Forwarded-Host", "evil.example.com"); status != 200 || text != want {
			t.Errorf("%s: %d %q, want %q", path, status, text, want)
		}
	}
	for _, path := range []string{"/doorman/jsonrpc", "/doorman/jsonrpc/"} {
		if status, _ := s.ask(t, http.MethodPost, s.odoo+path, strings.NewReader("{}")); status != http.StatusNotFound {
			t.Errorf("%s: %d", path, status)
		}
	}
}

// rolling: replicas are restarted one after the other under load, and not one call is lost. Caddy asks /readyz; nginx does
// not, and has to be told, as docs/install.md says.
func (s *site) rolling(t *testing.T) {
	stop := make(chan struct{})
	var calls, lost atomic.Int64
	var clients sync.WaitGroup
	for range 6 {
		clients.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				calls.Add(1)
				if status, text := s.search(t, odootest.DefaultCredential, 0); status != http.StatusOK || !strings.Contains(text, `"records"`) {
					if lost.Add(1) < 5 {
						t.Logf("%d %s", status, text)
					}
				}
			}
		})
	}
	for i, service := range s.replicas {
		if s.reload != nil {
			s.reload(s.ports[i])
		}
		if err := service.Stop(); err != nil {
			t.Errorf("replica %d: %v", i, err)
		}
		before := calls.Load()
		kit.Await(t, "the other replica carries on", func() error { return kit.Unless(calls.Load() > before+50, calls.Load()-before, " calls since") })
		s.replicas[i] = s.replica(t, s.ports[i])
		if s.reload != nil {
			s.reload("")
		}
		// The next one goes once this one is back, as every orchestrator does it.
		kit.Await(t, "the replica that was restarted gets calls", func() error {
			answer, err := http.Get("http://127.0.0.1:" + s.ports[i] + "/metrics")
			if err != nil {
				return err
			}
			defer answer.Body.Close()
			text, _ := io.ReadAll(answer.Body)
			return kit.Unless(bytes.Contains(text, []byte(`doorman_tool_calls_total{outcome="ok",tool="search_records"}`)), answer.Status)
		})
	}
	close(stop)
	clients.Wait()
	t.Logf("%d calls", calls.Load())
	if lost.Load() > 0 {
		t.Errorf("%d of %d calls were lost", lost.Load(), calls.Load())
	}
}
