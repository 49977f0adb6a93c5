package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"doorman/server/e2e/venv"
)

func TestSameRows(t *testing.T) {
	t.Parallel()
	want := []map[string]any{{"id": 1.0, "name": "a", "phone": false}, {"id": 2.0, "name": "b", "phone": "7"}}
	for _, row := range []struct{ name, value, err string }{
		{"records", `{"records":[{"id":1,"name":"a","phone":null},{"id":2,"name":"b","phone":"7","more":1}]}`, ""},
		{"result", `{"result":[{"id":1,"name":"a","phone":false},{"id":2,"name":"b","phone":"7"}]}`, ""},
		{"another name", `{"records":[{"id":1,"name":"a","phone":null},{"id":2,"name":"c","phone":"7"}]}`, "name is c"},
		{"another order", `{"records":[{"id":2,"name":"b","phone":"7"},{"id":1,"name":"a","phone":null}]}`, "row 0"},
		{"a field left out", `{"records":[{"id":1,"name":"a"},{"id":2,"name":"b","phone":"7"}]}`, "phone"},
		{"empty instead of filled in", `{"records":[{"id":1,"name":"a","phone":null},{"id":2,"name":"b","phone":null}]}`, "phone"},
		{"filled in instead of empty", `{"records":[{"id":1,"name":"a","phone":"7"},{"id":2,"name":"b","phone":"7"}]}`, "phone"},
		{"one row", `{"records":[{"id":1,"name":"a","phone":null}]}`, "1 rows instead of 2"},
		{"three rows", `{"records":[{},{},{}]}`, "3 rows"},
		{"none", `{"total":2}`, "0 rows"},
		{"no object", `[1]`, "0 rows"},
	} {
		var value any
		if err := json.Unmarshal([]byte(row.value), &value); err != nil {
			t.Fatal(err)
		}
		err := sameRows(value, want)
		if (err == nil) != (row.err == "") || (err != nil && !strings.Contains(err.Error(), row.err)) {
			t.Errorf("%s: %v, want %q", row.name, err, row.err)
		}
	}
	single := map[string]any{"record": map[string]any{"id": 1.0, "name": "a", "phone": nil}}
	if err := sameRows(single, want[:1]); err != nil {
		t.Error(err)
	}
	if sameRows(map[string]any{"records": []any{}}, nil) == nil {
		t.Error("nothing wanted, nothing told: passes")
	}
}

// TestEveryServerHasItsPart: a server that a table leaves out by accident looks as if it could do nothing.
func TestEveryServerHasItsPart(t *testing.T) {
	t.Parallel()
	for _, server := range serverNames {
		if len(tags[server]) != len(tags[nameDoorman]) {
			t.Errorf("%s: the tag %q has another length", server, tags[server])
		}
		if strings.Count(peerSeed, `"`+tags[server]+`"`) != 1 {
			t.Errorf("%s: the seed does not know %q", server, tags[server])
		}
		for _, q := range questions {
			tool, arguments := q.ask[server](7)
			if tool == "" || !json.Valid([]byte(arguments)) {
				t.Errorf("%s, %s: %s %s", q.name, server, tool, arguments)
			}
		}
		for _, j := range jobs {
			if (j.do[server] == nil) == (j.cannot[server] == "") {
				t.Errorf("%s, %s: a script, or why not", j.name, server)
			}
		}
	}
	for _, name := range []string{"mcp-server-odoo==0.9.0", "odoo-mcp==1.3.0"} {
		if !strings.Contains(string(peerPackages), "\n"+name+"\n") {
			t.Errorf("peers.txt lacks %s", name)
		}
	}
}

// TestClerkStops: after an error nothing more is asked, and the job is not done.
func TestClerkStops(t *testing.T) {
	t.Parallel()
	c := &clerk{ctx: t.Context(), err: errors.New("refused")} // without a session, a call would panic
	if v := c.call("search_records", args{}); v != nil || c.calls != 0 {
		t.Errorf("%v after %d calls", v, c.calls)
	}
}

func TestReadHolds(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		out  string
		held bool
		why  string
		fail bool
	}{
		{"noise\nHOLDS [true, \"\"]\n", true, "", false},
		{`HOLDS [false, "1 instead of 2"]`, false, "1 instead of 2", false},
		{"", false, "", true},
		{"HOLDS yes", false, "", true},
		{`HOLDS ["true", ""]`, false, "", true},
		{`HOLDS [true]`, false, "", true},
	} {
		held, why, err := readHolds(row.out)
		if held != row.held || why != row.why || (err != nil) != row.fail {
			t.Errorf("%q: %t %q %v", row.out, held, why, err)
		}
	}
}

// fakePython writes a program that stands for Python.
func fakePython(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "python3")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPeersAreSkipped: without Python's venv, and without a network, the part says so and does not fail; nothing half made
// stays, and Odoo is not even started.
func TestPeersAreSkipped(t *testing.T) {
	for name, row := range map[string]struct{ python, says string }{
		"no venv":    {`echo "ensurepip is not available"; exit 1`, "ensurepip is not available"},
		"no network": {`mkdir -p "$3/bin"; printf '#!/bin/sh\necho "No matching distribution found"; exit 1\n' >"$3/bin/python"; chmod +x "$3/bin/python"`, "No matching distribution found"},
	} {
		t.Run(name, func(t *testing.T) {
			cache := t.TempDir()
			t.Setenv("DOORMAN_CACHE", cache)
			t.Setenv("PATH", filepath.Dir(fakePython(t, row.python))+":"+os.Getenv("PATH"))
			compared := func(ctx context.Context) (*peersPart, error) {
				p, err := comparePeers(ctx, options{}, nil) // without a toolbox, it would panic once it went on
				if !errors.Is(err, errNoPeers) || !strings.Contains(err.Error(), row.says) {
					t.Errorf("%v, want the words %q", err, row.says)
				}
				return p, err
			}
			if err := runPeers(t.Context(), options{}, compared); err != nil {
				t.Errorf("skipping is a failure: %v", err)
			}
			if left, err := os.ReadDir(cache); err != nil || len(left) != 0 {
				t.Errorf("%v stays, %v", left, err)
			}
		})
	}
	t.Run("no Python", func(t *testing.T) {
		t.Setenv("DOORMAN_CACHE", t.TempDir())
		if _, err := peerVenv(t.Context(), "", "/nonexistent/python3"); !errors.Is(err, errNoPeers) {
			t.Errorf("%v", err)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		t.Setenv("DOORMAN_CACHE", t.TempDir())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := peerVenv(ctx, "", fakePython(t, "exit 1")); errors.Is(err, errNoPeers) || !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
	t.Run("a folder without them", func(t *testing.T) {
		if _, err := peerVenv(t.Context(), t.TempDir(), "python3"); err == nil || errors.Is(err, errNoPeers) {
			t.Errorf("%v", err)
		}
	})
	t.Run("another failure", func(t *testing.T) {
		if runPeers(t.Context(), options{}, func(context.Context) (*peersPart, error) { return nil, errors.New("Odoo is gone") }) == nil {
			t.Error("it is taken for a skip")
		}
	})
}

// TestPeerVenvIsKept: it is made once.
func TestPeerVenvIsKept(t *testing.T) {
	t.Setenv("DOORMAN_CACHE", t.TempDir())
	python := fakePython(t, `mkdir -p "$3/bin"; printf '#!/bin/sh\n' >"$3/bin/python"; chmod +x "$3/bin/python"`)
	first, err := peerVenv(t.Context(), "", python)
	if err != nil {
		t.Fatal(err)
	}
	again, err := peerVenv(t.Context(), "", "/nonexistent/python3")
	if err != nil || again != first {
		t.Errorf("%s, then %s, %v", first, again, err)
	}
}

// TestPeersEnd: a server that does not answer is ended, one that ends shows its words.
func TestPeersEnd(t *testing.T) {
	t.Parallel()
	c, err := launch(exec.Command("sleep", "60"), nil)
	if err != nil {
		t.Fatal(err)
	}
	c.url = "http://127.0.0.1:1/mcp"
	if err := c.awaitHello(t.Context(), 300*time.Millisecond); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("%v", err)
	}
	(&rival{server: c}).stop()
	if err := syscall.Kill(c.cmd.Process.Pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d is still there: %v", c.cmd.Process.Pid, err)
	}
	venvDir := t.TempDir()
	if err := os.Mkdir(filepath.Join(venvDir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(venv.Python(venvDir), []byte("#!/bin/sh\necho no module >&2; exit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, p := range peers {
		if _, err := startPeer(t.Context(), p, venvDir, t.TempDir(), target{}); err == nil || !strings.Contains(err.Error(), "no module") {
			t.Errorf("%s: %v", p.name, err)
		}
	}
}

// TestPeersSeeNoEnvironment: a setting of this shell must not change what is compared, nor a key of it reach others' code.
func TestPeersSeeNoEnvironment(t *testing.T) {
	t.Setenv("ODOO_MCP_RATE_LIMIT_MODE", "block")
	t.Setenv("BENCH_SECRET", "s3cret")
	venvDir := t.TempDir()
	if err := os.Mkdir(filepath.Join(venvDir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(venv.Python(venvDir), []byte("#!/bin/sh\nenv >&2; exit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, p := range peers {
		_, err := startPeer(t.Context(), p, venvDir, t.TempDir(), target{url: "http://127.0.0.1:1", db: "d"})
		if err == nil || !strings.Contains(err.Error(), "ODOO_DB=d") {
			t.Fatalf("%s: %v", p.name, err)
		}
		if strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "MODE=block") {
			t.Errorf("%s gets this shell's environment: %v", p.name, err)
		}
	}
}

// aComparison is one in which everything happens: wrong replies, a job not done, a job not tried.
func aComparison() *peersPart {
	p := &peersPart{Date: "2026-11-28", Conditions: "quiet", Versions: map[string]string{nameIvnvxd: "0.9.0", nameErpipe: "1.3.0", "mcp": "2.3.0"}}
	for _, q := range questions {
		for _, c := range peerConcurrencies {
			for _, server := range serverNames {
				r := peerRate{Question: q.name, Server: server, Summary: summary{Concurrency: c, Requests: 1000, Rate: 123.4, RateRatio: 1, P50: 5.5, P95: 9.9, CPU: 800}}
				if server == nameErpipe && c == 32 {
					r.Summary.Wrong, r.FirstWrong = 3, "row 0: <b>name</b>\nis | c"
				}
				p.Rates = append(p.Rates, r)
			}
		}
	}
	for i, server := range serverNames {
		p.Lists = append(p.Lists, toolList{Server: server, Tools: 20 + i, Bytes: 12345, Instructions: 99, Memory: 60, OdooCalls: 3})
		for n, j := range jobs {
			p.Jobs = append(p.Jobs, jobResult{Job: j.name, Server: server, Calls: 2, Bytes: 1500, Text: 700, Tried: true, Holds: n != 1 || i != 1, Why: "no"})
		}
	}
	p.Jobs[2] = jobResult{Job: p.Jobs[2].Job, Server: p.Jobs[2].Server, Why: "no dry run"}
	return p
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	text := aComparison().markdown()
	for _, want := range []string{
		"Run on 2026-11-28: quiet.", "`odoo-mcp` 1.3.0", "123 (1.00) | 5.5, 9.9", "0.8 ms", "3 of 3003", "row 0: (b)name(/b) is / c",
		"12,345", "| 3.0 |", "2; 1,500 (700)", "**not done** (2 calls)", "no dry run",
		fmt.Sprintf("all that every server did (%d of %d) | %d; ", len(jobs)-2, len(jobs), 2*(len(jobs)-2)),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	columns := 0
	for line := range strings.Lines(text) {
		switch n := strings.Count(line, "|"); {
		case n == 0:
			columns = 0
		case columns == 0:
			columns = n
		case n != columns:
			t.Errorf("%d columns instead of %d: %s", n, columns, line)
		}
	}
}

// TestDoormanMustAnswerRight: wrong replies of the others are theirs; of Doorman they are a failure of the run.
func TestDoormanMustAnswerRight(t *testing.T) {
	t.Parallel()
	measured := map[string]map[int][]slice{}
	for _, q := range questions {
		for _, server := range serverNames {
			measured[wayName(q.name, server)] = map[int][]slice{1: even(10, 5), 8: even(10, 5), 32: even(10, 5)}
		}
	}
	spoil := func(server string) {
		s := &measured[wayName("search", server)][8][0]
		s.wrong, s.firstWrong = 1, errors.New("row 0")
	}
	spoil(nameErpipe)
	rates, err := peerRates(measured)
	if err != nil || len(rates) != len(questions)*len(peerConcurrencies)*len(serverNames) {
		t.Fatalf("%d rates, %v", len(rates), err)
	}
	spoil(nameDoorman)
	if _, err := peerRates(measured); err == nil || !strings.Contains(err.Error(), "search, 8 at once: 1 wrong replies: row 0") {
		t.Errorf("%v", err)
	}
}

func TestReplaceTables(t *testing.T) {
	t.Parallel()
	page := filepath.Join(t.TempDir(), "page.md")
	tablesBegin, tablesEnd := marks("peers")
	for _, row := range []struct{ before, after string }{
		{"a\n" + tablesBegin + "old\n" + tablesEnd + "z\n", "a\n" + tablesBegin + "new\n" + tablesEnd + "z\n"},
		{"a\nz\n", ""},
		{tablesEnd + tablesBegin, ""},
		{tablesBegin + tablesEnd + tablesBegin + tablesEnd, ""},
	} {
		if err := os.WriteFile(page, []byte(row.before), 0o600); err != nil {
			t.Fatal(err)
		}
		err := replaceTables(page, "peers", "new\n")
		got, readErr := os.ReadFile(page)
		if readErr != nil {
			t.Fatal(readErr)
		}
		if row.after == "" && (err == nil || string(got) != row.before) {
			t.Errorf("%q becomes %q, %v", row.before, got, err)
		}
		if row.after != "" && (err != nil || string(got) != row.after) {
			t.Errorf("%q becomes %q, %v", row.before, got, err)
		}
	}
}

func TestCountRequests(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "odoo.log")
	lines := `x "POST /json/2/res.partner/search_read HTTP/1.1" 200` + "\n" + `x "POST /doorman/jsonrpc HTTP/1.1" 200` + "\n" +
		`x "POST /jsonrpc HTTP/1.1" 200` + "\n" + `x "POST /xmlrpc/2/object HTTP/1.1" 200` + "\n" + `x "GET /web/health HTTP/1.1" 200` + "\n"
	if err := os.WriteFile(log, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := countRequests(log); err != nil || n != 3 {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := countRequests(log + "x"); err == nil {
		t.Error("a log that is not there counts as none")
	}
}

// TestConditions: numbers of a busy machine must not be read as those of a quiet one.
func TestConditions(t *testing.T) {
	t.Parallel()
	for load, busy := range map[float64]bool{0: false, 0.5: false, 0.6: true, 14: true, math.NaN(): true} {
		text := conditions("Odoo 19", 2, load, options{rounds: 6, seconds: 1})
		if strings.Contains(text, "had other work") != busy || !strings.Contains(text, "6 rounds of 1 s") {
			t.Errorf("%g: %s", load, text)
		}
	}
}

func TestPeerOptions(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		args string
		good bool
	}{
		{"-only peers -rounds 1 -seconds 0.5", true},
		{"-only peers -venv /v -docs d.md -json r.json", true},
		{"-only peers -check", false},
		{"-only others", false},
		{"-only real -venv /v", false},
		{"-docs d.md", true},
	} {
		if _, err := parseOptions(strings.Fields(row.args)); (err == nil) != row.good {
			t.Errorf("%s: %v", row.args, err)
		}
	}
}
