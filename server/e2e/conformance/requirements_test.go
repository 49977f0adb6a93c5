package conformance_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"doorman/odoo/odootest"
	"doorman/server/app"
	"doorman/server/e2e/kit"
)

// TestRequirements runs all that the official suite says a revision of the protocol requires of a server, its fixtures
// mounted on our own stack: echo, the Host and Origin check, bearer, limits, guard, transport.
func TestRequirements(t *testing.T) {
	node := kit.NeedNode(t)
	for _, revision := range []struct {
		name string
		// scenarios and fewest are what there is to run, and how many checks must pass at least.
		scenarios, fewest int
	}{
		{"2025-11-25", 33, 60},
		{"2026-07-28", 40, 150},
	} {
		t.Run(revision.name, func(t *testing.T) {
			odoo := odootest.New(t, odootest.Options{Connections: []odootest.Connection{{Credential: odootest.DefaultCredential}}})
			url := serveBehindKey(app.WithFixtures(t.Context(), fixtures()), t, odootest.DefaultCredential,
				"DOORMAN_ODOO_URL="+odoo.URL(), "DOORMAN_ODOO_DB="+odootest.DefaultDatabase, "DOORMAN_ODOO_KEY="+odootest.DefaultKey)
			dir := t.TempDir()
			out := node.Run(t, nil, "", suite, "server", "--url", url, "--requirements", revision.name, "--output-dir", dir)
			scenarios, passed, failed := results(t, dir, extensions(t, node, revision.name))
			t.Logf("%d scenarios, %d checks passed, %d failed", scenarios, passed, len(failed))
			expected := baseline(t, "expected-failures-"+revision.name+".yml")
			for id, why := range failed {
				if !expected[id] {
					t.Errorf("%s: %s", id, why)
				}
				delete(expected, id)
			}
			if len(expected) > 0 {
				t.Errorf("the baseline has entries that did not fail: %v", slices.Sorted(maps.Keys(expected)))
			}
			if scenarios < revision.scenarios || passed < revision.fewest {
				t.Errorf("%d scenarios and %d checks, there used to be %d and %d\n%s\n%s",
					scenarios, passed, revision.scenarios, revision.fewest, out.Stdout, out.Stderr)
			}
		})
	}
}

// extensions are the scenarios that the suite runs and does not require: protocol extensions, which Doorman has none of.
func extensions(t *testing.T, node *kit.Interpreter, revision string) (names []string) {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(node.Dir, filepath.Dir(filepath.Dir(suite)), "requirements", revision+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range extension.FindAllSubmatch(body, -1) {
		names = append(names, string(m[1]))
	}
	return names
}

var extension = regexp.MustCompile(`(?m)^  - scenario: (\S+)\n    leg: server\n    reason: extension$`)
