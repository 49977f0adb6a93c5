package odoo_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"doorman/server/e2e/kit"
)

// postOffice is a mail server that takes every e-mail and keeps it.
type postOffice struct {
	listener net.Listener

	mu    sync.Mutex
	mails []letter
}

// letter is an e-mail as it arrived: to whom, by its envelope, and all of its text.
type letter struct {
	to   []string
	text string
}

func newPostOffice(t *testing.T) *postOffice {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &postOffice{listener: listener}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

func (p *postOffice) port() int { return p.listener.Addr().(*net.TCPAddr).Port }

// serve speaks as much of RFC 5321 as Python's smtplib asks for.
func (p *postOffice) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, 4<<20)
	say := func(text string) { _, _ = fmt.Fprint(conn, text+"\r\n") }
	say("220 post office")
	var now letter
	for lines.Scan() {
		word, _, _ := strings.Cut(strings.ToUpper(lines.Text()), " ")
		switch {
		case word == "EHLO" || word == "HELO":
			say("250 post office")
		case strings.HasPrefix(strings.ToUpper(lines.Text()), "RCPT TO:"):
			now.to = append(now.to, strings.Trim(strings.TrimSpace(lines.Text()[len("RCPT TO:"):]), "<>"))
			say("250 ok")
		case word == "DATA":
			say("354 go on")
			var text strings.Builder
			for lines.Scan() && lines.Text() != "." {
				text.WriteString(lines.Text() + "\n")
			}
			now.text = text.String()
			p.mu.Lock()
			p.mails = append(p.mails, now)
			p.mu.Unlock()
			now = letter{}
			say("250 ok")
		case word == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// of are the e-mails that somebody got, those with these words in them.
func (p *postOffice) of(address, words string) (found []letter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, mail := range p.mails {
		for _, to := range mail.to {
			if to == address && strings.Contains(mail.text, words) {
				found = append(found, mail)
			}
		}
	}
	return found
}

// TestRealNothingLeavesWithoutApproval: a mail server and Odoo's queue are watched while an AI tool tries, while the request waits,
// and once a person has agreed.
func TestRealNothingLeavesWithoutApproval(t *testing.T) {
	t.Parallel()
	post := newPostOffice(t)
	o := kit.RealOdoo(t, 0, fmt.Sprintf(gatedConnections+`
env["ir.mail_server"].create({"name": "test", "smtp_host": "127.0.0.1", "smtp_port": %d, "smtp_encryption": "none"})
# Who may decide is told by e-mail, by a user who has no address.
env["res.company"].search([]).alias_domain_id = env["mail.alias.domain"].create({"name": "our.example"})
acme = env["res.partner"].create({"name": "Acme", "email": "ada@acme.example"})
acme.message_subscribe(acme.ids)
template = env["mail.template"].create({"name": "Offer", "model_id": env["ir.model"]._get_id("res.partner"), "subject": "An offer for {{ object.name }}",
    "body_html": "<p>Dear <t t-out='object.name'/></p>", "attachment_ids": [Command.create({"name": "terms.txt", "raw": b"Terms"})]})
connection("key", anna, scope_ids=scopes, approver_id=bob.id, approve_outward=True)
connection("free", anna, scope_ids=scopes)
out.update(acme=acme.id, bob_partner=bob.partner_id.id)
`, post.port()))
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
	kit.Eventually(t, 30*time.Second, "the colleague's e-mail", func() bool { return len(post.of("bob@example.com", "Look here")) > 0 })
	if got := post.of("ada@acme.example", ""); len(got) != 0 {
		t.Fatalf("it left: %v", got)
	}
	if n := queue(); n != "0" && n != "1" { // the colleague's, until it is removed
		t.Errorf("%s e-mails are in the queue", n)
	}
	// The address is another one when it is approved: shown anew, and nothing leaves.
	o.Python(t, fmt.Sprintf(`env["res.partner"].browse(%d).email = "new@acme.example"`+"\nenv.cr.commit()", acme))
	for _, address := range []string{"ada@acme.example", "new@acme.example"} {
		if err := decide(t.Context(), o, "bob", "action_approve", waiting[0]); err != nil {
			t.Fatal(err)
		}
		if address == "ada@acme.example" && len(post.of("new@acme.example", "")) > 0 {
			t.Fatal("it went to an address that nobody saw")
		}
	}
	kit.Eventually(t, 30*time.Second, "the approved e-mail", func() bool { return len(post.of("new@acme.example", "")) > 0 })
	if got := post.of("new@acme.example", ""); len(got) != 1 || !strings.Contains(got[0].text, "terms.txt") || !strings.Contains(got[0].text, "An offer for Acme") {
		t.Errorf("what arrived: %v", got)
	}
	if got := post.of("ada@acme.example", ""); len(got) != 0 {
		t.Errorf("the old address got something: %v", got)
	}
	// Where the switch is off, it goes at once.
	free := kit.Connect(t, s.MCP, o.Text("free"))
	sent := kit.Must(t, free, "send_document", kit.Args{"model": "res.partner", "id": acme, "subject": "Free", "body": "So **much**"})
	kit.Wants(t, kit.Text(t, sent), `"message_id":`, "new@acme.example", `"subject":"Free"`)
	kit.Eventually(t, 30*time.Second, "the e-mail that nobody has to agree to", func() bool { return len(post.of("new@acme.example", "")) > 1 })
	kit.NoErrors(t, o)
}
