package odoo_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"doorman/odoo"
	"doorman/odoo/localodoo"
	"doorman/server/access"
)

var update = flag.Bool("update", false, "record golden replies from the real Odoo (with DOORMAN_TEST_ODOO=1)")

// realOdoo is an Odoo 19 with the addon, and what is needed to talk to it.
type realOdoo struct {
	host   *localodoo.Host
	srv    *localodoo.Server
	db     string
	key    string
	cred   string
	connID string
}

// startReal starts the real Odoo, or skips the test, loudly.
func startReal(t *testing.T) *realOdoo {
	t.Helper()
	if os.Getenv("DOORMAN_TEST_ODOO") != "1" {
		t.Skip("SKIPPED: not proven against a real Odoo 19; set DOORMAN_TEST_ODOO=1 to do so")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	t.Cleanup(cancel)
	host, err := localodoo.Start(ctx, localodoo.Options{Addons: []string{"../addon"}, Modules: []string{"doorman"}, Log: testLog{t}})
	if err != nil {
		t.Fatalf("no real Odoo: %v", err)
	}
	t.Cleanup(func() { _ = host.Close() })
	r := &realOdoo{host: host}
	if r.db, err = host.NewDatabase(ctx); err != nil {
		t.Fatal(err)
	}
	out := r.shell(t, `
settings = env["doorman.settings"]._get()
print("KEY", settings._generate_service_key())
gated = env["doorman.tool"]._inside().create({"name": "post_message", "scope_code": "mcp:orm", "risk": "medium"})
boss = env["res.users"].with_context(no_reset_password=True).create({"name": "Ada Approver", "login": "boss", "email": "boss@example.com"})
conn = env["doorman.connection"].create({
    "name": "contract", "user_id": env.ref("base.user_admin").id, "approver_id": boss.id,
    "scope_ids": [(6, 0, env["doorman.scope"].search([("code", "in", ("mcp:metadata", "mcp:search", "mcp:orm"))]).ids)],
    "approval_tool_ids": [(6, 0, gated.ids)]})
print("CONN", conn.id)
print("CRED", conn._issue_key())
settings.action_enable()
env.cr.commit()
`)
	r.key, r.cred, r.connID = field(t, out, "KEY"), field(t, out, "CRED"), field(t, out, "CONN")
	if r.srv, err = host.Serve(ctx, localodoo.ServeOptions{Workers: 0}); err != nil {
		t.Fatal(err)
	}
	return r
}

// shell runs Python in Odoo's shell.
func (r *realOdoo) shell(t *testing.T, python string) string {
	t.Helper()
	out, err := r.host.Shell(context.Background(), r.db, python)
	if err != nil {
		t.Fatalf("odoo shell: %v\n%s", err, out)
	}
	return out
}

func (r *realOdoo) client(t testing.TB, transport string, change ...func(*odoo.Config)) *odoo.Client {
	t.Helper()
	c := odoo.Config{URL: r.srv.URL(), Database: r.db, Key: odoo.Key(r.key), Transport: transport, Version: "test"}
	for _, f := range change {
		f(&c)
	}
	client, err := odoo.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// field reads "NAME value" out of what the shell printed.
func field(t *testing.T, out, name string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + name + ` (\S+)\s*$`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("the shell did not print %s:\n%s", name, out)
	}
	return m[1]
}

// testLog passes progress on until the test ends; localodoo may still talk while it is closed.
type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	if l.t.Context().Err() == nil {
		l.t.Log(strings.TrimRight(string(p), "\n"))
	}
	return len(p), nil
}

// TestReal is the contract, the golden replies and a restart, against one real Odoo.
func TestReal(t *testing.T) {
	r := startReal(t)
	for _, transport := range transports {
		t.Run("contract/"+transport, func(t *testing.T) { runContract(t, transport, r.world(t)) })
	}
	t.Run("golden", func(t *testing.T) { checkGoldenReal(t, r) })
	t.Run("a wrong key is refused by every way", func(t *testing.T) {
		for _, transport := range append(transports, odoo.TransportAuto) {
			c := r.client(t, transport, func(c *odoo.Config) { c.Key = "0123456789abcdef0123456789abcdef01234567" })
			_, err := c.Hello(t.Context())
			if e := wantKind(t, err, access.OdooUnavailable); !strings.Contains(e.Message, "own key") {
				t.Errorf("%s: %v", transport, e)
			}
		}
	})
	t.Run("a database that is not there", func(t *testing.T) {
		for _, transport := range append(transports, odoo.TransportAuto) {
			c := r.client(t, transport, func(c *odoo.Config) { c.Database = "no_such_db" })
			_, err := c.Hello(t.Context())
			t.Logf("%s: %v", transport, wantKind(t, err, access.OdooUnavailable))
		}
	})
	t.Run("latency", func(t *testing.T) { realLatency(t, r) })
	t.Run("restart", func(t *testing.T) { realRestart(t, r) })
}

func (r *realOdoo) world(t *testing.T) world {
	return world{
		credential: r.cred,
		approvals:  true,
		newClient:  func(transport string) access.Gateway { return r.client(t, transport) },
		revoke: func(t *testing.T) string {
			return field(t, r.shell(t, `
c = env["doorman.connection"].create({"name": "revoked", "user_id": env.ref("base.user_admin").id})
print("CRED", c._issue_key())
c.action_revoke()
env.cr.commit()`), "CRED")
		},
		bump: func(t *testing.T, then func()) {
			r.shell(t, fmt.Sprintf(`
c = env["doorman.connection"].browse(%s)
c.write({"rate_limit_minute": 61 if c.rate_limit_minute == 60 else 60})
env.cr.commit()`, r.connID))
			then()
		},
	}
}

// realRestart calls through a restart of Odoo: the client comes back by itself, within 5 s of Odoo's first answer.
func realRestart(t *testing.T, r *realOdoo) {
	c := r.client(t, odoo.TransportDoorman)
	proof := access.ProofOf(r.cred)
	fence := access.FenceOf(proof, mustResolve(t, c, proof))
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := r.srv.Restart(context.Background()); err != nil {
			t.Error(err)
		}
	})
	restarted := make(chan struct{})
	go func() { wg.Wait(); close(restarted) }()
	var up time.Time
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		_, err := c.Call(t.Context(), fence, searchRead(nil, "name"))
		select {
		case <-restarted:
			if up.IsZero() {
				up = time.Now()
			}
			if err == nil {
				t.Logf("back %v after Odoo was", time.Since(up))
				return
			}
			if time.Since(up) > 5*time.Second {
				t.Fatalf("not back 5 s after Odoo was: %v", err)
			}
		default:
			if err != nil {
				_ = wantKind(t, err, access.OdooUnavailable)
			}
		}
	}
}

// bareOdoo is a second Odoo, without the addon, reached with an administrator's key.
func bareOdoo(t *testing.T) func(testing.TB, string, ...func(*odoo.Config)) *odoo.Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	host, err := localodoo.Start(ctx, localodoo.Options{Log: testLog{t}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	r := &realOdoo{host: host}
	if r.db, err = host.NewDatabase(ctx); err != nil {
		t.Fatal(err)
	}
	r.key = field(t, r.shell(t, `
admin = env.ref("base.user_admin")
print("KEY", env["res.users.apikeys"].with_user(admin)._generate("rpc", "person", False))
env.cr.commit()`), "KEY")
	if r.srv, err = host.Serve(ctx, localodoo.ServeOptions{Workers: 0}); err != nil {
		t.Fatal(err)
	}
	return r.client
}

// realLatency reports, without a bar, what a call costs by each way; interleaved, so that a slow moment hits them all.
func realLatency(t *testing.T, r *realOdoo) {
	const rounds = 60
	took := map[string][]time.Duration{}
	clients := map[string]*odoo.Client{}
	proof := access.ProofOf(r.cred)
	for _, transport := range transports {
		clients[transport] = r.client(t, transport)
	}
	fence := access.FenceOf(proof, mustResolve(t, clients[odoo.TransportDoorman], proof))
	for range rounds {
		for _, transport := range transports {
			start := time.Now()
			if _, err := clients[transport].Call(t.Context(), fence, searchRead(nil, "name")); err != nil {
				t.Fatal(err)
			}
			took[transport] = append(took[transport], time.Since(start))
		}
	}
	for _, transport := range transports {
		slices.Sort(took[transport])
		t.Logf("%-8s p50 %v, p95 %v", transport, took[transport][rounds/2], took[transport][rounds*95/100])
	}
}
