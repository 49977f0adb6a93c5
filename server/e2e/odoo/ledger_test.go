package odoo_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"doorman/server/e2e/kit"
)

//go:embed testdata/ledger.py
var ledgerWitness string

//go:embed testdata/ledger_scenarios.py
var ledgerScenarios string

//go:embed testdata/ledger_sweep.py
var ledgerSweep string

// What Odoo writes by SQL of its own, past every hook of the ORM (docs/ledger.md).
var ledgerUnseen = map[string][]string{
	"pay":  {"account.move.line: full_reconcile_id", "account.move.line: matching_number"},
	"task": {"project.task.stage.personal: task_id", "project.task.stage.personal: user_id"},
}

// Fields whose holder is told of as set off, or not at all, and why.
var ledgerNotAsked = map[string]string{
	"mail.message":  "messages are technical: what they are about is told",
	"ir.attachment": "a file that is a field's own: the field is told",
	"hr.version":    "hr.employee hands these two on by a helper; a version is a part of its employee",
}

// TestRealLedger runs everyday changes of Odoo's own modules beside a witness: triggers that write down every row and column
// that really changed.
func TestRealLedger(t *testing.T) {
	t.Parallel()
	o := kit.RealOdooWith(t, tradeModules, 0, ``)
	out := ledgerOut(t, o, ledgerWitness+ledgerScenarios)
	if len(out.Missed) < 15 {
		t.Fatalf("only %d scenarios ran", len(out.Missed))
	}
	for name, missed := range out.Missed {
		if !slices.Equal(missed, ledgerUnseen[name]) {
			t.Errorf("%s: the ledger missed %q, want %q", name, missed, ledgerUnseen[name])
		}
	}
	for _, row := range []struct {
		scenario, model string
		records         int
		asked           bool
	}{
		{"lead", "res.partner", 1, true},
		{"variant", "product.template", 1, true},
		{"variant_deleted", "product.template", 1, true},
		{"category", "res.partner", 2, true},
		{"street", "res.partner", 4, true},
		{"employee", "hr.version", 1, true},
		{"employee", "res.partner", 1, true},
		{"lines", "sale.order.line", 3, true},
		{"contact", "res.partner.category", 1, true},
		{"confirm", "sale.order", 1, false},
		{"confirm", "stock.picking", 1, false},
		{"order_deleted", "sale.order.line", 2, false},
		{"pay", "account.payment", 1, false},
	} {
		if n := out.Count[row.scenario][row.model]; n != row.records {
			t.Errorf("%s: %d records of %s, want %d", row.scenario, n, row.model, row.records)
		}
		if asked := slices.Contains(out.Asked[row.scenario], row.model); asked != row.asked {
			t.Errorf("%s: %s asked for: %t, want %t", row.scenario, row.model, asked, row.asked)
		}
	}
}

// TestRealLedgerSweep writes to every delegated, related and inverse field, and every many2many with an inverse, that the
// registry has.
func TestRealLedgerSweep(t *testing.T) {
	t.Parallel()
	o := kit.RealOdooWith(t, tradeModules, 0, ``)
	out := ledgerOut(t, o, ledgerWitness+ledgerSweep)
	t.Logf("%d fields tried, %d values refused by Odoo, by kind %v", out.Tried, out.Refused, out.Kinds)
	for _, kind := range []string{"delegated", "related", "inverse", "many2many"} {
		if out.Kinds[kind] < 10 {
			t.Errorf("only %d fields of the kind %s", out.Kinds[kind], kind)
		}
	}
	if out.Tried < 3*out.Refused {
		t.Errorf("%d fields tried, and %d refused: this shows too little", out.Tried, out.Refused)
	}
	// These two want a group of Odoo's project stages, from everybody.
	forbidden := slices.DeleteFunc(out.Forbidden["with"], func(field string) bool {
		return field == "project.project.rotting_days" || field == "project.project.is_rotting"
	})
	if n := len(out.Forbidden["without"]); len(forbidden) != 0 || n < 10 {
		t.Errorf("fields that nobody may read: %q; %d with the service as owner of the transaction", forbidden, n)
	}
	for _, lost := range out.Lost {
		if ledgerNotAsked[lost[1]] == "" {
			t.Errorf("%s: %s holds the value, and is not told of as asked for", lost[0], lost[1])
		}
	}
}

type ledgerNotes struct {
	Missed  map[string][]string       `json:"missed"`
	Asked   map[string][]string       `json:"asked"`
	Count   map[string]map[string]int `json:"count"`
	Lost    [][2]string               `json:"lost"` // field, model of the holder
	Tried   int                       `json:"tried"`
	Refused int                       `json:"refused"`
	Kinds   map[string]int            `json:"kinds"`
	// Fields that could not be read, with and without the user as owner of the transaction.
	Forbidden map[string][]string `json:"forbidden"`
}

func ledgerOut(t *testing.T, o *kit.Odoo, script string) ledgerNotes {
	t.Helper()
	raw, err := json.Marshal(o.Python(t, script))
	if err != nil {
		t.Fatal(err)
	}
	var out ledgerNotes
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(fmt.Errorf("the script's result: %w", err))
	}
	return out
}
