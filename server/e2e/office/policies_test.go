package office_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

// policy restricts all connections of the office alike.
type policy struct {
	name string
	// rules is Python: rule(connection, model or "", **values) adds one.
	rules string
	// ends are the jobs that end in another way than without the policy, by name: with the code of the refusal, or with a
	// part of what the worker says that found nothing to go on with. All others are done as ever.
	ends map[string]string
	// without is a job that its policy does not let begin.
	without string
}

// ending gives more jobs the same end.
func ending(ends map[string]string, end string, names ...string) map[string]string {
	for _, name := range names {
		ends[name] = end
	}
	return ends
}

// ruleCodes are the refusals that name a rule of the policy.
var ruleCodes = []string{"operation_not_allowed", "field_closed_by_rule", "looks_too_far", "records_not_allowed", "beyond_rules"}

const restrict = `
def fields_of(model, *names):
    return [Command.set([env["ir.model.fields"]._get(model, n).id for n in names])]
def rule(c, model, hidden=(), masked=(), **values):
    vals = {"connection_id": c.id, "model_id": model and env["ir.model"]._get_id(model), "perm_create": True, "perm_write": True, "perm_unlink": True, **values}
    if hidden: vals["hidden_field_ids"] = fields_of(model, *hidden)
    if masked: vals["masked_field_ids"] = fields_of(model, *masked)
    env["doorman.model.rule"].create(vals)
READS = {"perm_create": False, "perm_write": False, "perm_unlink": False}
for c in env["doorman.connection"].search([]):
`

var policies = []policy{
	{
		name:  "reads everything, writes leads and meetings",
		rules: `    [rule(c, m) for m in ("crm.lead", "calendar.event")], rule(c, "", **READS)`,
		ends: ending(map[string]string{
			"an activity is done":                            "0 records of mail.activity found, not 1: []",
			"an expense is refused":                          "0 records of hr.expense found, not 1: []",
			"a quotation is mailed once a person has agreed": "beyond_rules",
			"wait: a quotation that nobody has agreed to":    "beyond_rules",
			"no: a connection that only reads":               "0 records of res.partner found, not 1: []",
			"no: an employee approves their own time off":    "0 records of hr.leave found, not 1: []",
		}, "operation_not_allowed",
			"sell, deliver, invoice, get paid", "a quotation with two lines", "a discount on a quotation",
			"the quotation once more", "cancel a quotation", "a note on an order", "a credit note",
			"a part of an invoice is paid", "the invoice of another company", "an invoice without an order",
			"back to draft, and cancelled", "a vendor's bill", "buy, receive a part, get the bill, pay",
			"a customer sends something back", "scrap", "an inventory count", "make something", "new prices",
			"a vendor's terms, and what they take back", "a part is made, the rest later", "a variant, by the name that replies tell",
			"from a lead to a sale", "tags of a customer", "archive a contact", "two contacts moved", "an archived contact comes back", "the hours of a month",
			"a new customer with people", "something to do for somebody", "time off is approved", "time off is refused",
			"an employee asks for time off", "an expense", "a task, its stage, its hours", "the end of a long text",
			"a note with a list", "a French colleague's product", "a PDF is read", "no: a salesperson posts an invoice",
			"no: the order of another salesperson", "no: a confirmed order is not deleted",
			"wait: posting an invoice needs a person",
		),
		// It begins with a change of an order.
		without: "no: the wizard of another connection",
	},
	{
		name: "no costs, no private data, masked contacts",
		rules: `    rule(c, "product.product", hidden=["standard_price"]), rule(c, "product.template", hidden=["standard_price"])
    rule(c, "hr.employee", hidden=["private_email", "private_phone"]), rule(c, "res.partner", masked=["email", "phone"])`,
		ends: map[string]string{
			"a new customer with people":                     "field_closed_by_rule",
			"an activity is done":                            "field_closed_by_rule",
			"a misspelt customer":                            "phone: *** 42, want +32 2 555 19 42",
			"a phone number":                                 "name: <nil>, want Mahogany Restorers",
			"a quotation is mailed once a person has agreed": "beyond_rules",
			"wait: a quotation that nobody has agreed to":    "beyond_rules",
			"no: a connection that only reads":               "0 records of res.partner found, not 1: []",
			"no: an employee approves their own time off":    "looks_too_far",
		},
	},
	{
		name:  "own orders only",
		rules: `    rule(c, "sale.order", domain="[('user_id', '=', uid)]")`,
		ends: map[string]string{
			"sales a month by salesperson":                   "sale.order [] amount_total",
			"a quotation is mailed once a person has agreed": "beyond_rules",
			"wait: a quotation that nobody has agreed to":    "beyond_rules",
			"no: the order of another salesperson":           "records_not_allowed",
		},
	},
}

// TestRealPolicies: under a restrictive policy, the office's jobs are done as far as it allows. What is refused is refused by a
// rule that is named; nothing breaks inside Odoo's own code, which goes on working with what is closed.
func TestRealPolicies(t *testing.T) {
	for _, p := range policies {
		t.Run(p.name, func(t *testing.T) {
			o := open(t, setup+restrict+p.rules+"\n")
			known := maps.Clone(p.ends)
			for _, some := range allJobs {
				for _, j := range some {
					if j.name == p.without {
						continue
					}
					t.Run(j.name, func(t *testing.T) {
						o.t = t
						got, log := o.endOf(&j)
						if want := known[j.name]; want == "" && got != "" || !strings.Contains(got, want) {
							t.Errorf("%s, want %q\n  of: %s\n  %s", got, want, j.words, log)
						}
						delete(known, j.name)
					})
				}
			}
			for name := range known {
				t.Errorf("there is no job %q", name)
			}
		})
	}
}

// endOf does a job, and tells how it ended: "" as without a policy.
func (o *office) endOf(j *job) (end, log string) {
	j.words += o.more(j)
	w, err := j.run(o.lists[j.as], o.calls[j.as], o)
	log = strings.Join(w.log, "\n  ")
	code := fmt.Sprint(w.last["code"])
	switch {
	case err == nil:
		return o.wrong(j, w), log
	case w.failed == "": // it found nothing to go on with
		return err.Error(), log
	case !strings.Contains(strings.Join(ruleCodes, " "), code):
		return fmt.Sprintf("broke with %s %s: %v", w.failed, code, err), log
	}
	return code, log
}
