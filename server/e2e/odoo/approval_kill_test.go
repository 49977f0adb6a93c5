package odoo_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"doorman/server/e2e/kit"
)

// killSeeds is how many rounds TestRealApprovalKills has; DOORMAN_TEST_SEEDS overrides it.
const killSeeds = 24

// process is a Doorman in a process of its own, which can be killed.
type process struct {
	binary  string
	listen  string // the same after each kill
	environ []string
	mcp     string
	cmd     *exec.Cmd
}

// start runs the service, and returns once it listens.
func (p *process) start(t testing.TB) {
	t.Helper()
	p.cmd = exec.Command(p.binary, "serve")
	p.cmd.Env = append(append(os.Environ(), p.environ...), "DOORMAN_LISTEN="+p.listen)
	output, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	open := make(chan string, 1)
	go func() {
		defer close(open)
		lines := bufio.NewScanner(output)
		for lines.Scan() {
			var line struct{ MCP string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.MCP != "" {
				open <- line.MCP
			}
		}
	}()
	select {
	case mcp, listens := <-open:
		if !listens {
			t.Fatal("the service ended at once")
		}
		p.mcp = mcp
	case <-time.After(3 * time.Minute):
		t.Fatal("the service does not listen")
	}
}

// kill ends the service as a crash would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// once sends one tools/call and returns its structured content, or an error where no answer came.
func once(ctx context.Context, mcpURL, key, tool string, arguments any) (map[string]any, error) {
	r, err := kit.TryPost(ctx, mcpURL, key, "tools/call", kit.ToolCall(tool, arguments))
	if err != nil {
		return nil, err
	}
	content, _ := r.Tool()
	return content, nil
}

// TestRealApprovalKills: the service dies before a request is stored, after it, and while the AI tool polls; Odoo dies,
// or loses its database, while a person approves. Whenever that is, one request is there after the AI tool has asked
// again, its effect is there once or not at all, and its state says which.
func TestRealApprovalKills(t *testing.T) {
	t.Parallel()
	seeds := killSeeds
	if n, err := strconv.Atoi(os.Getenv("DOORMAN_TEST_SEEDS")); err == nil {
		seeds = n
	}
	o := kit.OwnOdoo(t, 2, gatedConnections+`gated("key")`)
	p := &process{binary: filepath.Join(t.TempDir(), "doorman"), listen: kit.FreeAddress(t), environ: append(o.Environ(), "DOORMAN_ODOO_TRANSPORT=doorman")}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", p.binary, "doorman/server")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p.start(t)
	t.Cleanup(func() { p.kill() })
	seen := map[string]int{}
	for seed := range seeds {
		k := &killing{o: o, p: p, key: o.Text("key"), random: rand.New(rand.NewPCG(uint64(seed), 4)), name: fmt.Sprintf("seed %d", seed), seen: seen}
		k.ask(t)
		k.approve(t)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("%d seeds: %v", seeds, seen)
}

// killing is one round.
type killing struct {
	o      *kit.Odoo
	p      *process
	key    string
	random *rand.Rand
	name   string
	id     int64
	seen   map[string]int // what the rounds met, for the log
}

// within waits for a random time of at most most: the kill hits anything that happens in that time.
func (k *killing) within(most time.Duration) {
	<-time.After(time.Duration(k.random.Int64N(int64(most))))
}

// call asks until an answer comes: the AI tool tries again after a failure.
func (k *killing) call(t testing.TB, tool string, arguments any) (content map[string]any) {
	t.Helper()
	kit.Await(t, tool+" is answered", func() error {
		answer, err := once(t.Context(), k.p.mcp, k.key, tool, arguments)
		content = answer
		return kit.Unless(err == nil && answer != nil && answer["kind"] == nil, err, answer)
	})
	return content
}

// ask puts a call before a person, while the service is killed; then asks again.
func (k *killing) ask(t testing.TB) {
	t.Helper()
	arguments := map[string]any{"model": "res.partner", "records": fmt.Sprintf(`[{"name":%q}]`, k.name)}
	asked := make(chan error, 1)
	go func() {
		_, err := once(t.Context(), k.p.mcp, k.key, "create_records", arguments)
		asked <- err
	}()
	k.within(500 * time.Millisecond)
	k.p.kill()
	if <-asked != nil {
		k.seen["question lost"]++
	}
	k.p.start(t)
	content := k.call(t, "create_records", arguments)
	id, _ := content["request_id"].(float64)
	if content["status"] != "pending_approval" || id == 0 {
		t.Fatalf("%s: %v", k.name, content)
	}
	k.id = int64(id)
	found, err := k.o.Host.Psql(t.Context(), k.o.DB, fmt.Sprintf("SELECT 'n=' || count(*) FROM doorman_approval WHERE payload LIKE '%%\"%s\"%%'", k.name))
	if err != nil || !strings.Contains(found, "n=1") {
		t.Fatalf("%s: not one request: %s %v", k.name, found, err)
	}
}

// approve lets a person approve and the AI tool poll, while something dies; then looks what became of it.
func (k *killing) approve(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	decided, polled := make(chan error, 1), make(chan struct{})
	go func() { decided <- decide(ctx, k.o, "bob", "action_approve", k.id) }()
	go func() {
		defer close(polled)
		for ctx.Err() == nil {
			if _, err := once(ctx, k.p.mcp, k.key, "approval_status", map[string]any{"request_id": k.id}); err != nil {
				return
			}
		}
	}()
	k.within(400 * time.Millisecond)
	k.die(t)
	if <-decided != nil {
		k.seen["approval lost"]++
	}
	cancel()
	<-polled
	k.revive(t)

	content := k.call(t, "approval_status", map[string]any{"request_id": k.id})
	k.seen[fmt.Sprint("then ", content["status"])]++
	mine := map[int64]string{k.id: k.name}
	ends, err := endsOf(t.Context(), k.o, mine)
	if err != nil {
		t.Fatal(err)
	}
	if e := ends[k.id]; e.Open {
		if e.Effects != 0 || e.Rows != 0 || content["status"] != "pending_approval" {
			t.Fatalf("%s: pending, but %+v, %v", k.name, e, content)
		}
		if err := decide(t.Context(), k.o, "bob", "action_approve", k.id); err != nil {
			t.Fatalf("%s: approving again: %v", k.name, err)
		}
		content = k.call(t, "approval_status", map[string]any{"request_id": k.id})
	}
	result, _ := content["result"].(map[string]any)
	if content["status"] != "executed" || result["count"] != float64(1) {
		t.Fatalf("%s: %v", k.name, content)
	}
	endedOnce(t, k.o, mine)
}

// die kills one of the three: Odoo is the slowest to come back, and the rarest.
func (k *killing) die(t testing.TB) {
	t.Helper()
	switch n := k.random.IntN(12); {
	case n == 0:
		k.seen["Odoo killed"]++
		if err := k.o.Server.Kill(); err != nil {
			t.Fatal(err)
		}
	case n < 7:
		k.seen["database connections cut"]++
		if _, err := k.o.Host.Psql(t.Context(), k.o.DB, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"); err != nil {
			t.Fatal(err)
		}
	default:
		k.seen["service killed"]++
		k.p.kill()
		k.p.start(t)
	}
}

// revive starts Odoo again if it is dead.
func (k *killing) revive(t testing.TB) {
	t.Helper()
	select {
	case <-k.o.Server.Exited():
		if err := k.o.Server.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	default:
	}
}
