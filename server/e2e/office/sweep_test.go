package office_test

import (
	_ "embed"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"doorman/server/e2e/kit"
)

//go:embed testdata/sweep.py
var sweep string

var update = flag.Bool("update", false, "write what the sweep finds to testdata/sweep.txt")

// TestRealSweep presses every button, and holds what came of each against the list that is kept: model, method, label; of a
// wizard's button, what opened the wizard. No wizard's button does nothing, and none of Odoo's own code breaks.
func TestRealSweep(t *testing.T) {
	o := kit.RealOdooWith(t, modules, 0, setup)
	start := time.Now()
	found, _ := o.Python(t, sweep)["rows"].([]any)
	lines := make([]string, 0, len(found))
	for _, row := range found {
		lines = append(lines, row.(string))
	}
	slices.Sort(lines)
	t.Logf("%d buttons in %s", len(lines), time.Since(start).Round(time.Second))
	for _, line := range lines {
		key, word, _ := strings.Cut(line, "\t")
		if strings.HasPrefix(word, "fails") || word == "nothing" && strings.Contains(key, " | from ") {
			t.Errorf("%s: %s", key, word)
		}
	}
	golden := filepath.Join("testdata", "sweep.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Split(strings.TrimSpace(string(kept)), "\n")
	for _, line := range lines {
		if !slices.Contains(known, line) {
			t.Errorf("new: %s", line)
		}
	}
	for _, line := range known {
		if !slices.Contains(lines, line) {
			t.Errorf("gone: %s", line)
		}
	}
}
