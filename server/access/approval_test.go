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

type gate struct {
	name string
	by   access.Gating
	call access.Call
	asks bool
}

// TestGating: which calls wait for a person. Here "allow" is to go on without one.
func TestGating(t *testing.T) {
	t.Parallel()
	low := access.Tool{Name: "search_records", Risk: access.RiskLow}
	medium := access.Tool{Name: "create_records", Risk: access.RiskMedium, Writes: true}
	high := access.Tool{Name: "delete_records", Risk: access.RiskHigh, Writes: true}
	odd := access.Tool{Name: "new_tool", Risk: "severe", Writes: true}
	status := access.Tool{Name: "approval_status", Risk: access.RiskHigh, Writes: true, FollowUp: true}
	rule := func(r ...access.GatingRule) access.Gating { return access.Gating{Rules: r} }
	named := access.Gating{Tools: []string{"delete_records", "approval_status"}}
	about := func(t access.Tool, model string, records int) access.Call {
		return access.Call{Tool: t, Model: model, Records: records}
	}
	tried := func(c access.Call) access.Call {
		c.DryRun = true
		return c
	}
	allow := func(name string, by access.Gating, c access.Call) gate { return gate{name, by, c, false} }
	deny := func(name string, by access.Gating, c access.Call) gate { return gate{name, by, c, true} }
	for _, row := range []gate{
		allow("nothing is gated", access.Gating{}, about(high, "sale.order", 100)),
		allow("another tool is named", named, about(medium, "sale.order", 100)),
		allow("a named tool tries out", named, tried(about(high, "sale.order", 100))),
		allow("every call waits, and it tries out", rule(access.GatingRule{Reads: true}), tried(about(high, "sale.order", 100))),
		allow("who follows up is named", named, about(status, "", 0)),
		allow("every call waits, and it follows up", rule(access.GatingRule{Reads: true}), about(status, "", 0)),
		allow("it only reads", rule(access.GatingRule{}), about(low, "sale.order", 100)),
		allow("it is less grave", rule(access.GatingRule{Risk: access.RiskHigh}), about(medium, "sale.order", 100)),
		allow("it is less grave, and reads", rule(access.GatingRule{Risk: access.RiskMedium, Reads: true}), about(low, "sale.order", 1)),
		allow("another model", rule(access.GatingRule{Model: "sale.order"}), about(high, "res.partner", 1)),
		allow("a model that only starts like it", rule(access.GatingRule{Model: "sale.order"}), about(high, "sale.order.line", 1)),
		allow("no model", rule(access.GatingRule{Model: "sale.order", Reads: true}), about(low, "", 0)),
		allow("exactly as many as may be", rule(access.GatingRule{MoreThan: 10}), about(high, "sale.order", 10)),
		allow("all conditions but one", rule(access.GatingRule{Risk: access.RiskHigh, Model: "sale.order", MoreThan: 10}), about(high, "sale.order", 10)),
		allow("of two rules each lacks something", rule(access.GatingRule{Model: "sale.order", MoreThan: 10}, access.GatingRule{Model: "res.partner"}), about(high, "sale.order", 1)),

		deny("it is named", named, about(high, "", 0)),
		deny("every change", rule(access.GatingRule{}), about(medium, "", 0)),
		deny("every change, of no record", rule(access.GatingRule{}), about(medium, "sale.order", 0)),
		deny("reading too", rule(access.GatingRule{Reads: true}), about(low, "sale.order", 1)),
		deny("as grave", rule(access.GatingRule{Risk: access.RiskMedium}), about(medium, "sale.order", 1)),
		deny("graver", rule(access.GatingRule{Risk: access.RiskMedium}), about(high, "sale.order", 1)),
		deny("at least low is all", rule(access.GatingRule{Risk: access.RiskLow}), about(medium, "", 0)),
		deny("a tool of a risk that nobody knows", rule(access.GatingRule{Risk: access.RiskHigh}), about(odd, "", 0)),
		deny("a tool without a risk", rule(access.GatingRule{Risk: access.RiskHigh}), about(access.Tool{Name: "x", Writes: true}, "", 0)),
		deny("a rule of a risk that nobody knows", rule(access.GatingRule{Risk: "severe"}), about(medium, "", 0)),
		deny("a rule of a risk in capitals", rule(access.GatingRule{Risk: "High"}), about(medium, "", 0)),
		deny("its model", rule(access.GatingRule{Model: "sale.order"}), about(high, "sale.order", 1)),
		deny("one more than may be", rule(access.GatingRule{MoreThan: 10}), about(high, "sale.order", 11)),
		deny("more than a number below zero", rule(access.GatingRule{MoreThan: -1}), about(high, "sale.order", 0)),
		deny("all conditions", rule(access.GatingRule{Risk: access.RiskHigh, Model: "sale.order", MoreThan: 10}), about(high, "sale.order", 11)),
		deny("one of several rules", rule(access.GatingRule{Model: "res.partner"}, access.GatingRule{MoreThan: 10}), about(high, "sale.order", 11)),
		deny("named, and no rule matches", access.Gating{Tools: []string{"delete_records"}, Rules: []access.GatingRule{{Model: "x"}}}, about(high, "sale.order", 1)),
	} {
		if asks := row.by.Asks(row.call); asks != row.asks {
			t.Errorf("%s: asks %v", row.name, asks)
		}
	}
}

// TestRisksAreOrdered, and a word that is none is never the lesser one.
func TestRisksAreOrdered(t *testing.T) {
	t.Parallel()
	order := []access.Risk{access.RiskLow, access.RiskMedium, access.RiskHigh}
	for i, risk := range order {
		for j, least := range order {
			tool := access.Tool{Name: "x", Writes: true, Risk: risk}
			g := access.Gating{Rules: []access.GatingRule{{Risk: least}}}
			if asks := g.Asks(access.Call{Tool: tool}); asks != (i >= j) {
				t.Errorf("%s where %s waits: %v", risk, least, asks)
			}
		}
	}
	for _, word := range []access.Risk{"", "LOW", "none", "low "} {
		if word.Known() {
			t.Errorf("%q is a risk", word)
		}
	}
}
