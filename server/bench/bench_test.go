package main

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"doorman/odoo"
	"doorman/odoo/wire"
	"doorman/server/access"
)

func ms(values ...float64) (out []time.Duration) {
	for _, v := range values {
		out = append(out, time.Duration(v*float64(time.Millisecond)))
	}
	return out
}

func hundred() (out []time.Duration) {
	for i := 1; i <= 100; i++ {
		out = append(out, time.Duration(i)*time.Millisecond)
	}
	return out
}

// TestFakeAnswersAreUsable: today's service can read what the fake Odoo answers. Otherwise a change of the interface breaks
// make bench, and only the next person to measure finds out.
func TestFakeAnswersAreUsable(t *testing.T) {
	got, err := wire.DecodeResolve(json.RawMessage(fakeSnapshot))
	if err != nil || got.Snapshot == nil || got.Snapshot.Connection.Name != "bench" {
		t.Errorf("%+v %v", got, err)
	}
	for name, answer := range map[string]string{"fields": fakeFields, "call": fakeRows} {
		if reply, err := wire.DecodeReply(json.RawMessage(answer)); err != nil || len(reply.Value) == 0 {
			t.Errorf("%s: %+v %v", name, reply, err)
		}
	}
	hello := strings.Replace(fakeAnswers["hello"], "INTERFACE", strconv.Itoa(access.Interface), 1)
	if told, err := wire.DecodeHello(json.RawMessage(hello)); err != nil || told.Database != "fake" {
		t.Errorf("%+v %v", told, err)
	}
}

func TestPercentile(t *testing.T) {
	for _, row := range []struct {
		name string
		of   []time.Duration
		p    float64
		want time.Duration
	}{
		{"nothing", nil, 50, 0},
		{"one", ms(7), 99, 7 * time.Millisecond},
		{"median of two is the lower", ms(1, 9), 50, 1 * time.Millisecond},
		{"median of three", ms(1, 2, 9), 50, 2 * time.Millisecond},
		{"p50 of a hundred", hundred(), 50, 50 * time.Millisecond},
		{"p95 of a hundred", hundred(), 95, 95 * time.Millisecond},
		{"p99 of a hundred", hundred(), 99, 99 * time.Millisecond},
		{"p100 of a hundred", hundred(), 100, 100 * time.Millisecond},
		{"p99 of ten is the last", ms(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), 99, 10 * time.Millisecond},
	} {
		if got := percentile(row.of, row.p); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, row := range []struct {
		of   []float64
		want float64
	}{
		{[]float64{3}, 3}, {[]float64{9, 1}, 5}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 100, 2}, 3},
	} {
		if got := median(row.of); got != row.want {
			t.Errorf("median of %v: %g, want %g", row.of, got, row.want)
		}
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("median of nothing: %g", got)
	}
}

// TestPaired: a round in which the whole machine was slow says as much as any other, and one wild round says nothing.
func TestPaired(t *testing.T) {
	a := []slice{{latencies: ms(1, 1), took: time.Second}, {latencies: ms(20), took: 10 * time.Second}, {latencies: ms(1), took: time.Hour}}
	b := []slice{{latencies: ms(2), took: time.Second}, {latencies: ms(40), took: 20 * time.Second}, {latencies: ms(2), took: time.Second}}
	if got := paired(a, b, rateRatio); got != 2 {
		t.Errorf("rate ratio %g, want 2", got)
	}
	if got := paired(a, b, p50Ratio); got != 0.5 {
		t.Errorf("median ratio %g, want 0.5", got)
	}
	if got := paired(a, b, p50Difference); got != -1 {
		t.Errorf("median difference %g, want -1", got)
	}
}

func TestSummarize(t *testing.T) {
	own := []slice{
		{latencies: hundred()[:50], took: time.Second, cpu: 10 * time.Millisecond},
		{latencies: hundred()[50:], took: 3 * time.Second, cpu: 30 * time.Millisecond},
	}
	s := summarize("x", 8, own, own)
	want := summary{Way: "x", Concurrency: 8, Requests: 100, P50: 50, P95: 95, P99: 99, Rate: 25, CPU: 400, RateRatio: 1, P50Ratio: 1}
	if s != want {
		t.Errorf("%+v, want %+v", s, want)
	}
}

// even is a turn of n requests a second that took p50 each.
func even(n int, p50 float64) []slice {
	s := slice{took: time.Second}
	for range n {
		s.latencies = append(s.latencies, ms(p50)...)
	}
	return []slice{s}
}

// good is a measurement that keeps every promise by a little.
func good() results {
	return results{
		Real: &part{CallsPerTool: 1, slices: map[string]map[int][]slice{
			nameUsual:   {1: even(90, 10), 8: even(100, 80)},
			nameJSONRPC: {1: even(180, 5), 8: even(240, 33)},
			nameThrough: {1: even(150, 5), 8: even(240, 33)},
			nameDoorman: {1: even(160, 6), 8: even(255, 31)},
			nameRules:   {1: even(140, 7)},
		}},
		Fake: &part{
			CallsPerTool: 1, Start: memory{20, 25}, Middle: memory{30, 32}, End: memory{31, 33},
			slices: map[string]map[int][]slice{
				nameBare:    {1: even(1000, 0.3), 32: even(1000, 8)},
				nameDoorman: {1: even(900, 0.55), 32: even(800, 9)},
			},
		},
	}
}

func TestBars(t *testing.T) {
	if list := bars(good()); len(list) != 12 || !printBars(&strings.Builder{}, list) {
		t.Fatalf("a good measurement fails:\n%v", list)
	}
	for name, row := range map[string]struct {
		bar   string // a part of its name
		spoil func(*results)
	}{
		"slow against the usual call": {"usual /jsonrpc", func(r *results) { r.Real.slices[nameUsual][8] = even(103, 80) }},
		"slow against the header":     {"database header", func(r *results) { r.Real.slices[nameJSONRPC][8] = even(256, 80) }},
		"slow against a bare server":  {"c=8 throughput / a bare", func(r *results) { r.Real.slices[nameThrough][8] = even(256, 80) }},
		"late against a bare server":  {"c=1 median / a bare", func(r *results) { r.Real.slices[nameThrough][1] = even(150, 4.7) }},
		"slow alone":                  {"c=1 median / usual", func(r *results) { r.Real.slices[nameDoorman][1] = even(150, 6.6) }},
		"slow with rules":             {"ten rules", func(r *results) { r.Real.slices[nameRules][1] = even(140, 7.3) }},
		"two calls a tool call":       {"(real)", func(r *results) { r.Real.CallsPerTool = 2 }},
		"slow against the bare one":   {"c=32 throughput", func(r *results) { r.Fake.slices[nameDoorman][32] = even(749, 9) }},
		"late against the bare one":   {"c=1 median above", func(r *results) { r.Fake.slices[nameDoorman][1] = even(900, 0.61) }},
		"fat":                         {"peak", func(r *results) { r.Fake.End.Peak = 61 }},
		"leaking":                     {"growth", func(r *results) { r.Fake.End.RSS = 36.1 }},
		"two calls to the fake":       {"(fake)", func(r *results) { r.Fake.CallsPerTool = 1.5 }},
		"nothing measured":            {"c=32 throughput", func(r *results) { r.Fake.slices[nameDoorman][32] = nil }},
		"no memory measured":          {"growth", func(r *results) { r.Fake.Middle, r.Fake.End = memory{}, memory{} }},
	} {
		t.Run(name, func(t *testing.T) {
			r := good()
			row.spoil(&r)
			list := bars(r)
			if printBars(&strings.Builder{}, list) {
				t.Fatal("passes as a whole")
			}
			for _, b := range list {
				if strings.Contains(b.What, row.bar) && !b.Pass {
					return
				}
			}
			t.Fatalf("the bar %q does not fail:\n%v", row.bar, list)
		})
	}
	if printBars(&strings.Builder{}, nil) {
		t.Error("no bars at all pass")
	}
}

func TestRepliesAreChecked(t *testing.T) {
	rows := `[{"id":1,"name":"a"},{"id":2,"name":"b"}]`
	for _, row := range []struct {
		name, reply string
		read        func([]byte) (int, error)
		want        int // -1: an error
	}{
		{"jsonrpc", `{"result":` + rows + `}`, jsonrpcRows, 2},
		{"jsonrpc, an error with status 200", `{"error":{"code":200}}`, jsonrpcRows, -1},
		{"jsonrpc, too few", `{"result":[]}`, jsonrpcRows, 0},
		{"json2", rows, json2Rows, 2},
		{"json2, not rows", `{"name":"x"}`, json2Rows, -1},
		{"json2, a row without name", `[{"id":1}]`, json2Rows, -1},
		{"mcp", `{"result":{"content":[{"text":"x"}],"structuredContent":{"records":` + rows + `}}}`, mcpRows, 2},
		{"mcp, a failed tool", `{"result":{"isError":true,"content":[{"text":"x"}]}}`, mcpRows, -1},
		{"mcp, a protocol error", `{"error":{"code":-32000}}`, mcpRows, -1},
		{"mcp, without text", `{"result":{"content":[],"structuredContent":{"records":` + rows + `}}}`, mcpRows, -1},
	} {
		got, err := row.read([]byte(row.reply))
		if err != nil {
			got = -1
		}
		if got != row.want {
			t.Errorf("%s: %d rows (%v), want %d", row.name, got, err, row.want)
		}
	}
}

// TestTurn: one bad reply among good ones fails the turn.
func TestTurn(t *testing.T) {
	asked := 0
	bad := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked == bad {
			_, _ = w.Write([]byte(`[{"id":1,"name":"a"}]`))
			return
		}
		_, _ = w.Write([]byte(`[{"id":1,"name":"a"},{"id":2,"name":"b"}]`))
	}))
	defer server.Close()
	w := newWay("test", server.URL, nil, json2Rows, nil)
	s, err := w.turn(context.Background(), 1, 20*time.Millisecond)
	if err != nil || len(s.latencies) != asked || s.took < 20*time.Millisecond {
		t.Fatalf("%d of %d replies in %s: %v", len(s.latencies), asked, s.took, err)
	}
	asked, bad = 0, 3
	if _, err := w.turn(context.Background(), 1, time.Second); err == nil || !strings.Contains(err.Error(), "1 rows instead of 2") {
		t.Fatalf("a short reply gave %v", err)
	}
}

func TestSumRequests(t *testing.T) {
	got, err := sumRequests("# HELP x\n" +
		`doorman_odoo_requests_total{method="call",outcome="ok"} 1e+03` + "\n" +
		`doorman_odoo_requests_total{method="resolve",outcome="ok"} 2` + "\n" +
		`doorman_odoo_requests_total{method="hello",outcome="ok"} 50` + "\n" +
		`doorman_odoo_requests_total{method="fold_use",outcome="ok"} 7` + "\n" +
		`doorman_odoo_request_seconds_count 1052` + "\n")
	if err != nil || got != 1002 {
		t.Errorf("%g, %v", got, err)
	}
	if _, err := sumRequests("nothing 1\n"); err == nil {
		t.Error("a page without the metric passes")
	}
}

func TestAverageBatch(t *testing.T) {
	got, err := averageBatch("# HELP x\n" +
		`doorman_odoo_batch_calls_bucket{le="1"} 3` + "\n" +
		"doorman_odoo_batch_calls_sum 1e+01\ndoorman_odoo_batch_calls_count 4\n")
	if err != nil || got != 2.5 {
		t.Errorf("%g, %v", got, err)
	}
	for _, page := range []string{"", "nothing 1\n", "doorman_odoo_batch_calls_sum 0\ndoorman_odoo_batch_calls_count 0\n"} {
		if _, err := averageBatch(page); err == nil {
			t.Errorf("%q passes", page)
		}
	}
}

// TestFakeHasNoJobs: one that the fake listed and did not know would be asked for again and again.
func TestFakeHasNoJobs(t *testing.T) {
	t.Parallel()
	fake, err := startFake()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.stop)
	client, err := odoo.New(odoo.Config{URL: fake.url, Database: "fake", Key: "key", Transport: odoo.TransportDoorman})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	hello, err := client.Hello(t.Context())
	if err != nil || len(hello.Jobs) != 0 {
		t.Errorf("%+v, %v", hello.Jobs, err)
	}
	if n := fake.calls.Load(); n != 0 {
		t.Errorf("%d of them count as calls", n)
	}
}
