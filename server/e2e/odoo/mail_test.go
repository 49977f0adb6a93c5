package odoo_test

import (
	"fmt"
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

// TestRealNothingLeavesWithoutApproval: a mail server and Odoo's queue are watched while an AI tool tries, while the request waits,
// and once a person has agreed.
func TestRealNothingLeavesWithoutApproval(t *testing.T) {
	t.Parallel()
	post := kit.NewPostOffice(t)
	o := kit.RealOdoo(t, 0, fmt.Sprintf(gatedConnections+`
env["ir.mail_server"].create({"name": "test", "smtp_host": "127.0.0.1", "smtp_port": %d, "smtp_encryption": "none"})
# The approver is told by email, from a user without an address.
env["res.company"].search([]).alias_domain_id = env["mail.alias.domain"].create({"name": "our.example"})
acme = env["res.partner"].create({"name": "Acme", "email": "ada@acme.example"})
acme.message_subscribe(acme.ids)
template = env["mail.template"].create({"name": "Offer", "model_id": env["ir.model"]._get_id("res.partner"), "subject": "An offer for {{ object.name }}",
    "body_html": "<p>Dear <t t-out='object.name'/></p>", "attachment_ids": [Command.create({"name": "terms.txt", "raw": b"Terms"})]})
connection("key", anna, scope_ids=scopes, approver_id=bob.id, approve_outward=True)
connection("free", anna, scope_ids=scopes)
out.update(acme=acme.id, bob_partner=bob.partner_id.id)
`, post.Port()))
	s := kit.Serve(t, o.Environ()...)
	anna := kit.Connect(t, s.MCP, o.Text("key"))
	acme := o.ID("acme")
	queue := func() string {
		out, err := o.Host.Psql(t.Context(), o.DB, `SELECT count(*) FROM mail_mail m JOIN mail_message g ON g.id = m.mail_message_id WHERE g.model = 'res.partner'`)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(out)
	}
	arrives := func(address, text string, n int) {
		t.Helper()
		kit.Await(t, fmt.Sprint(n, " emails to ", address), func() error {
			got := post.Of(address, text)
			return kit.Unless(len(got) >= n, len(got), ", with ", queue(), " in the queue")
		})
	}
	tries := []struct {
		tool string
		args kit.Args
	}{
		{"send_document", kit.Args{"template": "Offer"}},
		{"send_document", kit.Args{"subject": "Hi", "body": "To an address", "emails": []string{"ada@acme.example"}}},
		{"post_message", kit.Args{"body": "A comment", "kind": "comment"}},
		{"post_message", kit.Args{"body": "A note to them", "notify_partner_ids": []int64{acme}}},
	}
	var waiting []int64
	for _, try := range tries {
		try.args["model"], try.args["id"] = "res.partner", acme
		content, failed := kit.Call(t, anna, try.tool, try.args)
		if failed != "" || content["status"] != "pending_approval" {
			t.Fatalf("%s %v does not wait: %q %v", try.tool, try.args, failed, content)
		}
		id, _ := content["request_id"].(float64)
		waiting = append(waiting, int64(id))
	}
	// A colleague gets what nobody has to agree to: the mail server works.
	kit.Must(t, anna, "post_message", kit.Args{"model": "res.partner", "id": acme, "body": "Look here", "notify_partner_ids": []int64{o.ID("bob_partner")}})
	arrives("bob@example.com", "Look here", 1)
	if got := post.Of("ada@acme.example", ""); len(got) != 0 {
		t.Fatalf("it left: %v", got)
	}
	if n := queue(); n != "0" && n != "1" { // the colleague's, until it is removed
		t.Errorf("%s emails are in the queue", n)
	}
	// The address is another one when it is approved: shown anew, and nothing leaves.
	o.Python(t, fmt.Sprintf(`env["res.partner"].browse(%d).email = "new@acme.example"`+"\nenv.cr.commit()", acme))
	for _, address := range []string{"ada@acme.example", "new@acme.example"} {
		if err := decide(t.Context(), o, "bob", "action_approve", waiting[0]); err != nil {
			t.Fatal(err)
		}
		if address == "ada@acme.example" && len(post.Of("new@acme.example", "")) > 0 {
			t.Fatal("it went to an address that nobody saw")
		}
	}
	arrives("new@acme.example", "", 1)
	if got := post.Of("new@acme.example", ""); len(got) != 1 || !strings.Contains(got[0].Text, "terms.txt") || !strings.Contains(got[0].Text, "An offer for Acme") {
		t.Errorf("what arrived: %v", got)
	}
	if got := post.Of("ada@acme.example", ""); len(got) != 0 {
		t.Errorf("the old address got something: %v", got)
	}
	// Where the switch is off, it goes at once.
	free := kit.Connect(t, s.MCP, o.Text("free"))
	sent := kit.Must(t, free, "send_document", kit.Args{"model": "res.partner", "id": acme, "subject": "Free", "body": "So **much**"})
	kit.Wants(t, kit.Text(t, sent), `"message_id":`, "new@acme.example", `"subject":"Free"`)
	arrives("new@acme.example", "", 2)
	kit.NoErrors(t, o)
}
