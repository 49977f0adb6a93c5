package access_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"doorman/server/access"
)

// TestApprovalTransitions holds the table to the one file that the addon's table is held to as well.
func TestApprovalTransitions(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../addon/doorman/tests/policy/approval_transitions.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		States, Final []access.ApprovalState
		Events        []access.ApprovalEvent
		Transitions   [][3]string
	}
	if err := json.Unmarshal(raw, &file); err != nil || len(file.States)*len(file.Events)*len(file.Transitions) == 0 {
		t.Fatalf("%v: %s", err, raw)
	}
	want := map[[2]string]string{}
	for _, step := range file.Transitions {
		want[[2]string{step[0], step[1]}] = step[2]
	}
	for _, state := range append(file.States, "", "approved", "Pending") {
		ends := true
		for _, event := range append(file.Events, "", "approve", "reopen") {
			next, ok := state.After(event)
			is, possible := want[[2]string{string(state), string(event)}]
			if ok != possible || string(next) != is {
				t.Errorf("%q, %q: %q %v, want %q %v", state, event, next, ok, is, possible)
			}
			ends = ends && !ok
		}
		if known := slices.Contains(file.States, state); state.Known() != known {
			t.Errorf("%q: known %v", state, state.Known())
		}
		if slices.Contains(file.Final, state) && !ends {
			t.Errorf("%q is final, and goes on", state)
		}
	}
}

// TestRisks: an unknown word is not taken for a risk. How grave each is, the addon compares (policy/gate.py).
func TestRisks(t *testing.T) {
	t.Parallel()
	for _, risk := range []access.Risk{access.RiskLow, access.RiskMedium, access.RiskHigh} {
		if !risk.Known() {
			t.Errorf("%q is not a risk", risk)
		}
	}
	for _, word := range []access.Risk{"", "LOW", "none", "low ", "severe"} {
		if word.Known() {
			t.Errorf("%q is a risk", word)
		}
	}
}
