package app_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"doorman/odoo/odootest"
	"doorman/server/app"
)

// TestWhatWatchingCosts measures, in rounds that take turns, how much processor time a call costs more with its line of log, and with
// spans as well. DOORMAN_TEST_COST says how many calls a round has. Client, fake Odoo and a collector that only reads are
// in the same process, so what a call costs is told with theirs.
func TestWhatWatchingCosts(t *testing.T) { //nolint:paralleltest // it measures the process
	calls, _ := strconv.Atoi(os.Getenv("DOORMAN_TEST_COST"))
	if calls == 0 {
		t.Skip("DOORMAN_TEST_COST does not say how many calls to measure")
	}
	o := odootest.New(t)
	to := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	t.Cleanup(to.Close)
	start := func(environ ...string) string {
		running, err := app.Start(t.Context(), append([]string{
			"DOORMAN_ODOO_URL=" + o.URL(), "DOORMAN_ODOO_DB=" + o.Options().Database, "DOORMAN_ODOO_KEY=" + o.Options().Key,
			"DOORMAN_LISTEN=127.0.0.1:0", "DOORMAN_STOP_DELAY=0s",
		}, environ...), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = running.Stop() })
		return running.MCPURL()
	}
	services := []struct{ name, url string }{
		{"nothing", start("DOORMAN_LOG_LEVEL=warn")},
		{"the log", start()},
		{"the log and spans", start("OTEL_EXPORTER_OTLP_ENDPOINT=" + to.URL)},
	}
	const rounds = 15
	took := make([][]time.Duration, len(services))
	for round := range rounds + 1 {
		for i := range services {
			at := (i + round) % len(services) // each goes first as often as the others
			before := processorTime(t)
			for range calls {
				searchOnce(t, services[at].url)
			}
			if round > 0 { // the first one fills caches
				took[at] = append(took[at], (processorTime(t)-before)/time.Duration(calls))
			}
		}
	}
	for i, s := range services {
		var ratios []float64
		for round := range rounds {
			ratios = append(ratios, float64(took[i][round])/float64(took[0][round]))
		}
		slices.Sort(ratios)
		slices.Sort(took[i])
		fmt.Printf("%-20s %s a call; %.3f of nothing (quartiles %.3f to %.3f)\n",
			s.name, took[i][rounds/2].Round(time.Microsecond), ratios[rounds/2], ratios[rounds/4], ratios[rounds*3/4])
	}
}

func searchOnce(t *testing.T, url string) {
	t.Helper()
	const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_records","arguments":{"model":"res.partner","fields":["name","ref"],"limit":2}}}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{
		"Authorization": {"Bearer " + odootest.DefaultCredential}, "Content-Type": {"application/json"},
		"Accept": {"application/json, text/event-stream"}, "Mcp-Protocol-Version": {"2025-11-25"}, "Traceparent": {sampled},
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status)
	}
}

// processorTime is what this process has used so far.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
