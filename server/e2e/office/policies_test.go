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
	},
	{
		name: "no costs, no private data, masked contacts",
		rules: `    rule(c, "product.product", hidden=["standard_price"]), rule(c, "product.template", hidden=["standard_price"])
    rule(c, "hr.employee", hidden=["private_email", "private_phone"]), rule(c, "res.partner", masked=["email", "phone"])`,
	},
	{
		name:  "own orders only",
		rules: `    rule(c, "sale.order", domain="[('user_id', '=', uid)]")`,
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
