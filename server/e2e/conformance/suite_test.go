package conformance_test

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

const suite = "node_modules/@modelcontextprotocol/conformance/dist/index.js"

// eras are the server scenarios of the official suite that need no tools, prompts or resources of the suite's own.
var eras = []struct {
	version   string
	scenarios []string
	// fewest is how many checks must pass at least: a suite that suddenly finds nothing to check must not look like one
	// that is content.
	fewest int
}{
	{"2025-11-25", []string{
		"server-initialize", "server-session-lifecycle", "server-sse-multiple-streams", "dns-rebinding-protection",
		"ping", "tools-list", "resources-list", "prompts-list", "logging-set-level",
	}, 15},
	{"2026-07-28", []string{
		"server-stateless", "http-header-validation", "caching", "server-sse-multiple-streams", "dns-rebinding-protection",
		"tools-list", "resources-list", "prompts-list", "sep-2164-resource-not-found",
		"input-required-result-unsupported-methods",
	}, 55},
}

// check is one line of the suite's result.
type check struct {
	ID, Status, ErrorMessage string
}

// TestRealSuite runs the official conformance suite against a Doorman over a real Odoo, in both eras.
func TestRealSuite(t *testing.T) {
	node := kit.NeedNode(t)
	o := kit.RealOdoo(t, 0, `connection("suite", admin)`)
	url := serveBehindKey(context.Background(), t, o.Text("suite"), o.Environ()...)
	unused := baseline(t, "expected-failures.yml")
	for _, era := range eras {
		t.Run(era.version, func(t *testing.T) {
			passed := 0
			for _, scenario := range era.scenarios {
				t.Run(scenario, func(t *testing.T) {
					n, failed := runScenario(t, node, url, scenario, era.version)
					passed += n
					for _, id := range failed {
						delete(unused, scenario+":"+id)
					}
				})
			}
			t.Logf("%s: %d checks passed in %d scenarios", era.version, passed, len(era.scenarios))
			if passed < era.fewest && !t.Failed() {
				t.Errorf("only %d checks passed, there used to be %d", passed, era.fewest)
			}
		})
	}
	if len(unused) > 0 && !t.Failed() {
		// The suite itself tolerates an entry whose check is not reached, or whose name is wrong.
		t.Errorf("expected-failures.yml has entries that did not fail: %v", slices.Sorted(maps.Keys(unused)))
	}
}

// runScenario runs one scenario and returns how many of its checks passed, and which failed as expected.
func runScenario(t *testing.T, node *kit.Interpreter, url, scenario, version string) (passed int, failed []string) {
	t.Helper()
	dir := t.TempDir()
	expected, err := filepath.Abs("expected-failures.yml")
	if err != nil {
		t.Fatal(err)
	}
	out := node.Run(t, nil, "", suite, "server", "--url", url, "--scenario", scenario, "--spec-version", version,
		"--expected-failures", expected, "--output-dir", dir)
	scenarios, passed, wrong := results(t, dir, nil)
	if out.Code != 0 {
		t.Fatalf("exit %d, %v\n%s\n%s", out.Code, wrong, out.Stdout, out.Stderr)
	}
	// A scenario that does not belong to the era is left out without an error, and leaves no result.
	if scenarios != 1 {
		t.Fatalf("the scenario did not run\n%s", out.Stdout)
	}
	for id, why := range wrong { // with a list of expected failures, the suite takes a warning for one
		failed = append(failed, strings.TrimPrefix(id, scenario+":"))
		t.Logf("expected: %s: %s", id, why)
	}
	t.Logf("%d passed", passed)
	return passed, failed
}

// results reads what the suite wrote: how many scenarios it ran, how many checks passed, and why which did not.
func results(t *testing.T, dir string, without []string) (scenarios, passed int, failed map[string]string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "checks.json"))
	if err != nil {
		t.Fatal(err)
	}
	failed = map[string]string{}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var checks []check
		if err := json.Unmarshal(body, &checks); err != nil {
			t.Fatal(err)
		}
		scenario, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(filepath.Dir(file)), "server-"), "-20")
		if slices.Contains(without, scenario) {
			continue
		}
		scenarios++
		for _, c := range checks {
			switch c.Status {
			case "SUCCESS":
				passed++
			case "FAILURE", "WARNING":
				failed[scenario+":"+c.ID] = c.Status + ": " + c.ErrorMessage
			}
		}
	}
	return scenarios, passed, failed
}

var entryLine = regexp.MustCompile(`(?m)^  - (\S+:\S+)$`)

// baseline reads the entries of the expected failures. All of them name a check: one that named a whole scenario would
// excuse everything else in it.
func baseline(t *testing.T, name string) map[string]bool {
	t.Helper()
	body, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	entries := map[string]bool{}
	for _, m := range entryLine.FindAllSubmatch(body, -1) {
		entries[string(m[1])] = true
	}
	if lines := regexp.MustCompile(`(?m)^\s*-`).FindAll(body, -1); len(lines) != len(entries) {
		t.Fatalf("%s: %d entries, of which %d name a check", name, len(lines), len(entries))
	}
	return entries
}
