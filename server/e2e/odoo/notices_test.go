package odoo_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"testing"
	"time"

	"doorman/server/e2e/kit"
)

// posted is what a webhook got.
type posted struct {
	header http.Header
	body   []byte
}

// signed says whether a post was signed with a secret, as https://www.standardwebhooks.com says.
func (p posted) signed(secret string) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(mac, "%s.%s.%s", p.header.Get("Webhook-Id"), p.header.Get("Webhook-Timestamp"), p.body)
	return p.header.Get("Webhook-Signature") == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// htmlOf is the HTML of an email as Odoo builds it: one part of several, in base64.
func htmlOf(t *testing.T, letter kit.Letter) string {
	t.Helper()
	message, err := mail.ReadMessage(strings.NewReader(letter.Text))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	for parts := multipart.NewReader(message.Body, params["boundary"]); ; {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatalf("no HTML: %v", err)
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			html, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, part))
			if err != nil {
				t.Fatal(err)
			}
			return string(html)
		}
	}
}

// TestRealNotices: a call over MCP waits, and by the service's own clock its approvers get an email and the webhook a signed post; what
// was refused, and who asked, get none. An administrator sends a pick-up link by email, of which Odoo keeps nothing.
func TestRealNotices(t *testing.T) {
	t.Parallel()
	post := kit.NewPostOffice(t)
	webhook := make(chan posted, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		webhook <- posted{r.Header.Clone(), body}
	}))
	t.Cleanup(receiver.Close)
	o := kit.RealOdoo(t, 0, fmt.Sprintf(gatedConnections+`
env["ir.mail_server"].create({"name": "test", "smtp_host": "127.0.0.1", "smtp_port": %d, "smtp_encryption": "none"})
env["res.company"].search([]).alias_domain_id = env["mail.alias.domain"].create({"name": "our.example"})
for person in (anna, bob, cora):
    person.email = person.login + "@our.example"
    person.notification_type = "email"
cora.notification_type = "inbox"
settings.write({"notice_webhook_own_network": True, "notice_webhook_url": %q})
out["secret"] = settings._webhook_secret()
gated("key")
`, post.Port(), receiver.URL+"/in"))
	s := kit.Serve(t, o.Environ()...)
	anna := kit.Connect(t, s.MCP, o.Text("key"))
	if _, failed := kit.Call(t, anna, "create_records", kit.Args{"model": "res.partner", "records": `[{"no_such_field":1}]`}); failed == "" {
		t.Fatal("a call that cannot be done waits")
	}
	id := asking(t, anna, "Notices Ltd")

	var got posted
	select {
	case got = <-webhook:
	case <-time.After(time.Minute):
		t.Fatalf("the webhook got nothing within a minute\n%s", s.Log())
	}
	var told struct {
		Type, Text string
		Data       struct {
			Request      int64 `json:"request_id"`
			Summary, URL string
		}
	}
	if err := json.Unmarshal(got.body, &told); err != nil || told.Type != "doorman.approval" || told.Data.Request != id {
		t.Errorf("told %s (%v)", got.body, err)
	}
	if !strings.Contains(told.Data.Summary, "Notices Ltd") || !strings.HasSuffix(told.Data.URL, fmt.Sprintf("/odoo/doorman.approval/%d", id)) {
		t.Errorf("no summary or link: %s", got.body)
	}
	if !got.signed(o.Text("secret")) {
		t.Error("the signature is wrong")
	}
	got.body = bytes.Replace(got.body, []byte("Notices"), []byte("Forged!"), 1)
	if got.signed(o.Text("secret")) {
		t.Error("another body has the same signature")
	}

	// Bob wants emails, Cora her inbox, and Anna asks. The emails have left by now: people come before the webhook.
	for address, want := range map[string]int{"bob@our.example": 1, "cora@our.example": 0, "anna@our.example": 0} {
		if n := len(post.Of(address, "Notices Ltd")); n != want {
			t.Errorf("%s got %d emails, want %d", address, n, want)
		}
	}
	if len(webhook) != 0 {
		t.Error("it is posted twice")
	}

	kit.AsAdmin(t, o, "doorman.connection", "action_email_pickup_link", []int64{o.ID("key_id")})
	letters := post.Of("anna@our.example", "Your key for ")
	if len(letters) != 1 {
		t.Fatalf("%d emails with a pick-up link", len(letters))
	}
	if html := htmlOf(t, letters[0]); !strings.Contains(html, "/doorman/pickup#") {
		t.Errorf("no link in %s", html)
	}
	kept, err := o.Host.Psql(t.Context(), o.DB, `SELECT (SELECT count(*) FROM mail_message WHERE body LIKE '%doorman/pickup#%'),
		(SELECT count(*) FROM mail_mail WHERE body_html LIKE '%doorman/pickup#%'), (SELECT count(*) FROM doorman_pickup_token)`)
	if err != nil || strings.TrimSpace(kept) != "0|0|1" {
		t.Errorf("kept of the link: %q (%v)", kept, err)
	}
	kit.NoErrors(t, o)
}
