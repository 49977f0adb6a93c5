// Package apptest is the test kit for whole Doormans: the real service, in this process, over a real or a fake Odoo.
package apptest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/odoo/localodoo"
	"doorman/server/app"
)

// Service is one running Doorman.
type Service struct {
	URL  string // e.g. http://127.0.0.1:40123
	MCP  string // the MCP endpoint
	stop func() error
	log  *lockedBuffer
}

// Log returns what the service has logged so far.
func (s *Service) Log() string { return s.log.String() }

// Stop ends the service as SIGTERM would, and returns what serve returned. Cleanup calls it too.
func (s *Service) Stop() error { return s.stop() }

// Serve runs `doorman serve` in this process, on a free port, with these DOORMAN_ variables ("NAME=value").
func Serve(t testing.TB, environ ...string) *Service {
	t.Helper()
	return ServeIn(context.Background(), t, environ...)
}

// ServeIn is Serve with what a context carries: app.WithFixtures.
func ServeIn(ctx context.Context, t testing.TB, environ ...string) *Service {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	reader, writer := io.Pipe()
	done := make(chan error, 1)
	environ = append([]string{"DOORMAN_LISTEN=127.0.0.1:0", "DOORMAN_LOG_LEVEL=debug"}, environ...)
	go func() {
		err := app.Run(ctx, []string{"serve"}, environ, io.Discard, writer)
		_ = writer.CloseWithError(io.EOF)
		done <- err
	}()
	s := &Service{log: &lockedBuffer{}}
	s.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = s.Stop() })
	open := make(chan string, 1)
	go s.readLog(reader, open)
	select {
	case s.MCP = <-open:
	case err := <-done:
		done <- err
		t.Fatalf("the service did not start: %v", err)
	}
	s.URL = strings.TrimSuffix(s.MCP, "/mcp")
	return s
}

// readLog keeps the log and reports the address of the endpoint from its first line.
func (s *Service) readLog(r io.Reader, open chan<- string) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		s.log.add(lines.Text())
		var line struct{ MCP, Message string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.MCP != "" {
			open <- line.MCP
		}
	}
}

// Connect opens a session of the Go SDK's client with a connection's key.
func Connect(t testing.TB, mcpURL, key string) *sdk.ClientSession {
	t.Helper()
	return ConnectAs(t, mcpURL, key, nil)
}

// ConnectAs is Connect for a client that can do more, such as show its user an address.
func ConnectAs(t testing.TB, mcpURL, key string, options *sdk.ClientOptions) *sdk.ClientSession {
	t.Helper()
	client := sdk.NewClient(&sdk.Implementation{Name: "apptest", Version: "1"}, options)
	session, err := client.Connect(t.Context(), &sdk.StreamableClientTransport{
		Endpoint: mcpURL, HTTPClient: &http.Client{Transport: &KeyTransport{Key: key}}, MaxRetries: -1,
	}, nil)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// KeyTransport sends a key with every request.
type KeyTransport struct{ Key string }

// RoundTrip implements http.RoundTripper.
func (k *KeyTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+k.Key)
	return http.DefaultTransport.RoundTrip(r)
}

// Call calls a tool and returns its structured content; failed is the kind of its error, or "".
func Call(t testing.TB, s *sdk.ClientSession, tool string, args map[string]any) (content map[string]any, failed string) {
	t.Helper()
	result, err := s.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	body, err := json.Marshal(result.StructuredContent)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &content); err != nil {
		t.Fatalf("%s: no structured content: %s", tool, body)
	}
	if result.IsError {
		failed = fmt.Sprint(content["kind"])
	}
	return content, failed
}

// Odoo is one fresh database on a real Odoo, with the addon installed, the switch on and a service key.
type Odoo struct {
	Host       *localodoo.Host
	Server     *localodoo.Server
	DB         string
	ServiceKey string
	Out        map[string]any // what the set-up script put into `out`
}

// Environ is the service's configuration for this Odoo.
func (o *Odoo) Environ() []string { return o.EnvironAt(o.Server.URL()) }

// EnvironAt is the same for an Odoo that is reached by another URL, such as a proxy in between.
func (o *Odoo) EnvironAt(url string) []string {
	return []string{"DOORMAN_ODOO_URL=" + url, "DOORMAN_ODOO_DB=" + o.DB, "DOORMAN_ODOO_KEY=" + o.ServiceKey}
}

// Text returns a text that the set-up script put into `out`.
func (o *Odoo) Text(name string) string { return fmt.Sprint(o.Out[name]) }

// ID returns a number that the set-up script put into `out`.
func (o *Odoo) ID(name string) int64 { n, _ := o.Out[name].(float64); return int64(n) }

const prelude = `
import json
from odoo.fields import Command
out = {}
settings = env["doorman.settings"]._get()
settings.action_enable()
out["service_key"] = settings._generate_service_key()
admin = env.ref("base.user_admin")
def user(login, *groups):
    "A person whose password is the login: out[login + '_uid'] is the id."
    person = env["res.users"].with_context(no_reset_password=True).create({
        "name": login.title(), "login": login, "password": login, "email": login + "@example.com",
        "group_ids": [Command.set([env.ref(g).id for g in groups])]})
    out[login + "_uid"] = person.id
    return person
def connection(name, owner, **values):
    "A connection with a key: out[name] is the key, out[name + '_id'] its id. Nothing limits its rate unless values do."
    values = {"rate_limit_minute": 1_000_000, "rate_limit_day": 100_000_000, **values}
    record = env["doorman.connection"].create({"name": name, "user_id": owner.id, **values})
    out[name], out[name + "_id"] = record._issue_key(), record.id
    return record
`

// hosts keeps one Host per kind of database for the whole test binary: starting one costs seconds.
var hosts struct {
	sync.Mutex
	byKey map[string]*localodoo.Host
}

// Main wraps testing.M: it ends the Odoos that tests started. Call it from TestMain.
func Main(m *testing.M) {
	code := m.Run()
	for _, h := range hosts.byKey {
		_ = h.Close()
	}
	os.Exit(code)
}

// SkipWithoutOdoo skips, saying why, unless the real Odoo was asked for.
func SkipWithoutOdoo(t testing.TB) {
	t.Helper()
	if os.Getenv("DOORMAN_TEST_ODOO") == "" {
		t.Skip("needs a real Odoo: set DOORMAN_TEST_ODOO=1, as make test does")
	}
}

// RealOdoo starts a real Odoo with a fresh database. setup is Python that runs in it: it finds env, admin, user(login,
// *groups), connection(name, owner, **values), and puts what the test needs into out. workers 0 is a threaded server.
func RealOdoo(t testing.TB, workers int, setup string) *Odoo {
	t.Helper()
	return RealOdooWith(t, nil, workers, setup)
}

// RealOdooWith is RealOdoo with more modules. The first such test takes the minutes that Odoo needs to install them.
func RealOdooWith(t testing.TB, modules []string, workers int, setup string) *Odoo {
	t.Helper()
	SkipWithoutOdoo(t)
	modules = append([]string{"doorman"}, modules...)
	host := sharedHost(t, localodoo.Options{Addons: []string{AddonDir(t)}, Modules: modules, Demo: true})
	ctx := t.Context()
	db, err := host.NewDatabase(ctx)
	if err != nil {
		t.Fatal(err)
	}
	o := &Odoo{Host: host, DB: db}
	o.Out = o.Python(t, prelude+setup)
	o.ServiceKey = o.Text("service_key")
	o.Server, err = host.Serve(ctx, localodoo.ServeOptions{Workers: workers, Databases: []string{db}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = o.Server.Stop()
		_ = host.DropDatabase(context.Background(), db)
	})
	return o
}

// Python runs a script in the database (see RealOdoo) and returns what it put into out.
func (o *Odoo) Python(t testing.TB, script string) map[string]any {
	t.Helper()
	if !strings.Contains(script, "out = {}") {
		script = "import json\nout = {}\n" + script
	}
	text, err := o.Host.Shell(t.Context(), o.DB, script+"\nprint('OUT ' + json.dumps(out))\n")
	if err != nil {
		t.Fatalf("set-up in Odoo: %v", err)
	}
	for line := range strings.Lines(text) {
		if body, found := strings.CutPrefix(line, "OUT "); found {
			var out map[string]any
			if err := json.Unmarshal([]byte(body), &out); err != nil {
				t.Fatal(err)
			}
			return out
		}
	}
	t.Fatalf("the set-up script printed no result:\n%s", text)
	return nil
}

func sharedHost(t testing.TB, o localodoo.Options) *localodoo.Host {
	t.Helper()
	hosts.Lock()
	defer hosts.Unlock()
	key := fmt.Sprint(o.Modules, o.Demo, o.Durable)
	if h := hosts.byKey[key]; h != nil {
		return h
	}
	o.Log = os.Stderr
	h, err := localodoo.Start(context.Background(), o)
	if err != nil {
		t.Fatalf("no local Odoo: %v", err)
	}
	if hosts.byKey == nil {
		hosts.byKey = map[string]*localodoo.Host{}
	}
	hosts.byKey[key] = h
	return h
}

// AddonDir returns the folder of the repository's addons.
func AddonDir(t testing.TB) string {
	t.Helper()
	root, err := rootOf(filepath.Join("addon", "doorman"))
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, "addon")
}

// rootOf returns the folder, the working directory or one above it, that has this.
func rootOf(what string) (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, missing := os.Stat(filepath.Join(dir, what)); missing == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			err = errors.New("no " + what + " above the working directory")
		}
	}
	return "", err
}

// Eventually waits until ok returns true, at most for d.
func Eventually(t testing.TB, d time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(d)
	for tick := time.NewTicker(10 * time.Millisecond); ; <-tick.C {
		if ok() {
			tick.Stop()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", d, what)
		}
	}
}

type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) add(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text.WriteString(line + "\n")
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
