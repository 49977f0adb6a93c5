package office_test

import (
	_ "embed"
	"flag"
	"fmt"
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
// wizard's button, what opened the wizard. No wizard's button does nothing, and none of Odoo's own code breaks. Which buttons
// show depends a little on the day, because demo data does: one more or less does not fail, unless it is one that does not work.
func TestRealSweep(t *testing.T) {
	o := kit.RealOdooWith(t, modules, 0, setup)
	start := time.Now()
	rows, _ := o.Python(t, sweep)["rows"].([]any)
	lines := make([]string, 0, len(rows))
	for _, row := range rows {
		lines = append(lines, row.(string))
	}
	slices.Sort(lines)
	t.Logf("%d buttons in %s", len(lines), time.Since(start).Round(time.Second))
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", "sweep.txt"), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(filepath.Join("testdata", "sweep.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range compare(byButton(lines), byButton(strings.Split(strings.TrimSpace(string(kept)), "\n"))) {
		t.Error(wrong)
	}
}

// byButton is what came of each button.
func byButton(lines []string) map[string][]string {
	found := map[string][]string{}
	for _, line := range lines {
		key, word, _ := strings.Cut(line, "\t")
		found[key] = append(found[key], word)
	}
	return found
}

// compare tells what is wrong with what a sweep has found.
func compare(found, known map[string][]string) []string {
	var wrong []string
	missing := 0
	for key, words := range known {
		if got, is := found[key]; !is {
			missing++
		} else if !slices.Equal(got, words) {
			wrong = append(wrong, fmt.Sprintf("%s: %q, was %q", key, got, words))
		}
	}
	for key, words := range found {
		for _, word := range words {
			fine := word == "works" || strings.HasPrefix(word, "opens") || strings.HasPrefix(word, "only shows")
			_, is := known[key]
			switch isWizard := strings.Contains(key, " | from "); {
			case strings.HasPrefix(word, "fails"), word == "nothing" && isWizard, !fine && !is:
				wrong = append(wrong, fmt.Sprintf("%s: %s", key, word))
			}
		}
	}
	if missing*10 > len(known) {
		wrong = append(wrong, fmt.Sprintf("%d of %d buttons were not found", missing, len(known)))
	}
	slices.Sort(wrong)
	return wrong
}

// TestCompare: a sweep is held against the list.
func TestCompare(t *testing.T) {
	t.Parallel()
	known := byButton([]string{"a | one | One\tworks", "a | two | Two\tneeds a person: why", "w | go | from a one\tworks"})
	for name, row := range map[string]struct {
		lines []string
		says  string
	}{
		"the same":            {[]string{"a | one | One\tworks", "a | two | Two\tneeds a person: why", "w | go | from a one\tworks"}, "[]"},
		"one more that works": {[]string{"a | one | One\tworks", "a | two | Two\tneeds a person: why", "w | go | from a one\tworks", "b | x | X\topens: c"}, "[]"},
		"one more that does not": {[]string{"a | one | One\tworks", "a | two | Two\tneeds a person: why", "w | go | from a one\tworks", "b | x | X\trefused: no"},
			"[b | x | X: refused: no]"},
		"another outcome": {[]string{"a | one | One\tnothing", "a | two | Two\tneeds a person: why", "w | go | from a one\tworks"}, `[a | one | One: ["nothing"], was ["works"]]`},
		"a wizard does nothing": {[]string{"a | one | One\tworks", "a | two | Two\tneeds a person: why", "w | go | from a one\tworks", "w | go | from b\tnothing"},
			"[w | go | from b: nothing]"},
		"too few": {[]string{"a | one | One\tworks"}, "[2 of 3 buttons were not found]"},
	} {
		if got := fmt.Sprint(compare(byButton(row.lines), known)); got != row.says {
			t.Errorf("%s: %s, want %s", name, got, row.says)
		}
	}
}
