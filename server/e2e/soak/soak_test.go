package soak_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/e2e/kit"
)

// usual is how long it takes unless DOORMAN_SOAK says otherwise, as in "30m".
const usual = 3 * time.Minute

// workers is how many callers there are at once: enough to keep both of Odoo's workers busy.
const workers = 6

// sample is what is looked at, once a second. Memory is in bytes.
type sample struct {
	memory, heap, goroutines, descriptors, odoo float64
}

// growths are the things that must stay flat: from the second quarter to the last by no more than a tenth, and a little that
// garbage collectors and caches take when they like.
var growths = []struct {
	name  string
	of    func(sample) float64
	spare float64
}{
	{"the service's memory", func(s sample) float64 { return s.memory }, 8 << 20},
	{"the service's heap in use", func(s sample) float64 { return s.heap }, 8 << 20},
	{"its goroutines", func(s sample) float64 { return s.goroutines }, 15},
	{"its open descriptors", func(s sample) float64 { return s.descriptors }, 15},
	{"the memory of Odoo's processes", func(s sample) float64 { return s.odoo }, 24 << 20},
}

// TestRealSoak: nothing grows with the number of calls, of any kind.
func TestRealSoak(t *testing.T) {
	kit.SkipWithoutOdoo(t)
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	length := usual
	if text := os.Getenv("DOORMAN_SOAK"); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil || length < 20*time.Second {
			t.Fatalf("DOORMAN_SOAK=%q is not a duration of at least 20s", text)
		}
	}
	o := kit.OwnOdoo(t, 2, `connection("key", admin, scope_ids=[Command.set(env["doorman.scope"].search([]).ids)])`)
	s := start(t, o)
	ctx, stop := context.WithTimeout(t.Context(), length)
	defer stop()
	var calls atomic.Int64
	var callers sync.WaitGroup
	for worker := range workers {
		callers.Go(func() { work(ctx, t, s.mcp, o.Text("key"), worker, &calls) })
	}
	samples := watch(ctx, t, s, o)
	callers.Wait()
	if len(samples) < 8 || calls.Load() < int64(length/time.Second) {
		t.Fatalf("%d samples of %d calls are too few to say anything", len(samples), calls.Load())
	}
	quarter := len(samples) / 4
	for _, g := range growths {
		early, late := middle(samples[quarter:2*quarter], g.of), middle(samples[3*quarter:], g.of)
		t.Logf("%-32s %12.0f, then %12.0f", g.name, early, late)
		if early <= 0 {
			t.Errorf("%s was not measured", g.name)
		}
		if late > 1.1*early+g.spare {
			t.Errorf("%s grows: %.0f in the second quarter, %.0f in the last", g.name, early, late)
		}
	}
	t.Logf("%d calls in %s", calls.Load(), length)
}

// middle is the median of one thing.
func middle(of []sample, what func(sample) float64) float64 {
	values := make([]float64, 0, len(of))
	for _, s := range of {
		values = append(values, what(s))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// work makes calls of every kind until ctx ends: reads, changes, dry runs, refusals, lists, wrong keys, and sessions that end.
func work(ctx context.Context, t *testing.T, url, key string, worker int, calls *atomic.Int64) {
	r := rand.New(rand.NewPCG(uint64(worker), 7))
	tool := func(name string, arguments map[string]any) func() error {
		return func() error { return post(ctx, url, key, kit.ToolCall(name, arguments)) }
	}
	kinds := []func() error{
		tool("search_records", map[string]any{"model": "res.partner", "limit": 20}),
		tool("search_records", map[string]any{"model": "res.partner", "domain": []any{[]any{"name", "ilike", "deco"}}}),
		tool("read_records", map[string]any{"model": "res.partner", "ids": []int{1, 2, 3}}),
		tool("aggregate_records", map[string]any{"model": "res.partner", "group_by": []string{"country_id"}}),
		tool("describe_model", map[string]any{"model": "res.partner"}),
		tool("search_records", map[string]any{"model": "no.such.model"}),
		tool("delete_records", map[string]any{"model": "res.users", "ids": []int{2}}),
		tool("create_records", map[string]any{"model": "res.partner.category", "records": []any{map[string]any{"name": "soak"}}, "dry_run": true}),
		func() error {
			values := map[string]any{"name": fmt.Sprint("soak ", worker, r.Int())}
			return post(ctx, url, key, kit.ToolCall("create_records", map[string]any{"model": "res.partner.category", "records": []any{values}}))
		},
		func() error { _, err := kit.TryPost(ctx, url, key, "tools/list", map[string]any{}); return err },
		func() error { return session(ctx, url, key) },
	}
	if worker == 0 { // one of them only: guesses are slowed down, for everybody at an address
		kinds = append(kinds, func() error {
			_, err := kit.TryPost(ctx, url, "dmk_"+fmt.Sprint(r.Int()), "tools/list", map[string]any{})
			return err
		})
	}
	for ctx.Err() == nil {
		if err := kinds[r.IntN(len(kinds))](); err != nil && ctx.Err() == nil {
			t.Errorf("a call broke off: %v", err)
			return
		}
		calls.Add(1)
	}
}

// post makes one call. A refusal is fine; an answer that does not come is not.
func post(ctx context.Context, url, key string, call map[string]any) error {
	reply, err := kit.TryPost(ctx, url, key, "tools/call", call)
	if err == nil && reply.Status >= http.StatusInternalServerError {
		err = fmt.Errorf("HTTP %d %.200s", reply.Status, reply.Body)
	}
	return err
}

// session opens a session of the SDK's client, asks once, and ends it.
func session(ctx context.Context, url, key string) error {
	client := sdk.NewClient(&sdk.Implementation{Name: "soak", Version: "1"}, nil)
	s, err := client.Connect(ctx, &sdk.StreamableClientTransport{
		Endpoint: url, HTTPClient: &http.Client{Transport: &kit.KeyTransport{Key: key}}, MaxRetries: -1,
	}, nil)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	_, err = s.CallTool(ctx, &sdk.CallToolParams{Name: "list_models", Arguments: map[string]any{"limit": 3}})
	return err
}

// service is doorman in a process of its own.
type service struct {
	mcp, metrics string
}

// start builds doorman and runs it.
func start(t *testing.T, o *kit.Odoo) service {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "doorman")
	if out, err := exec.Command("go", "build", "-o", binary, "doorman/server").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(binary, "serve")
	environ := slices.DeleteFunc(os.Environ(), func(entry string) bool { return strings.HasPrefix(entry, "DOORMAN_") })
	cmd.Env = append(environ, append(o.Environ(), "DOORMAN_LISTEN=127.0.0.1:0", "DOORMAN_LOG_LEVEL=info", "DOORMAN_STOP_DELAY=0s")...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	open := make(chan string, 1)
	go func() { // to its end, or the service waits for somebody to read its log
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var line struct{ MCP string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.MCP != "" {
				open <- line.MCP
			}
		}
	}()
	select {
	case url := <-open:
		kit.Await(t, "the service is ready", func() error {
			status, _, body := kit.Get(t, http.MethodGet, strings.TrimSuffix(url, "/mcp")+"/readyz")
			return kit.Unless(status == http.StatusOK, status, " ", body)
		})
		return service{url, strings.TrimSuffix(url, "/mcp") + "/metrics"}
	case <-time.After(3 * time.Minute):
		t.Fatal("the service did not start")
		return service{}
	}
}

// watch takes a sample every second until ctx ends.
func watch(ctx context.Context, t *testing.T, s service, o *kit.Odoo) (samples []sample) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return samples
		case <-tick.C:
		}
		status, _, page := kit.Get(t, http.MethodGet, s.metrics)
		if status != http.StatusOK {
			t.Fatalf("metrics: HTTP %d", status)
		}
		samples = append(samples, sample{
			memory: metric(page, "process_resident_memory_bytes"), heap: metric(page, "go_memstats_heap_inuse_bytes"),
			goroutines: metric(page, "go_goroutines"), descriptors: metric(page, "process_open_fds"), odoo: memoryOf(o.Server.URL()),
		})
	}
}

// metric is the value of a series without labels; 0 = it is not there.
func metric(page, name string) float64 {
	for line := range strings.Lines(page) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			number, _ := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return number
		}
	}
	return 0
}

// memoryOf is the memory of the processes of an Odoo server, which are told by its port, what they share counted once:
// their proportional set size.
func memoryOf(url string) (bytes float64) {
	port := url[strings.LastIndexByte(url, ':')+1:]
	entries, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, entry := range entries {
		line, err := os.ReadFile(entry)
		if err != nil || !strings.Contains(string(line), "--http-port\x00"+port+"\x00") {
			continue
		}
		rollup, err := os.ReadFile(filepath.Join(filepath.Dir(entry), "smaps_rollup"))
		if err != nil {
			continue
		}
		for row := range strings.Lines(string(rollup)) {
			if rest, found := strings.CutPrefix(row, "Pss:"); found {
				kilobytes, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
				bytes += kilobytes * 1024
			}
		}
	}
	return bytes
}
