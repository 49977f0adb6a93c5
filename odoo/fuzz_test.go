package odoo

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorman/server/access"
)

// seeds adds the bodies of the golden replies, and what went wrong before.
func seeds(f *testing.F, transport string, more ...string) {
	f.Helper()
	files, _ := filepath.Glob(filepath.Join("testdata", "golden", transport, "*.json"))
	for _, file := range files {
		var g struct {
			Status int
			Body   json.RawMessage
		}
		raw, err := os.ReadFile(file)
		if err != nil || json.Unmarshal(raw, &g) != nil {
			f.Fatalf("%s: %v", file, err)
		}
		f.Add(g.Status, []byte(g.Body))
	}
	for _, s := range more {
		f.Add(200, []byte(s))
	}
}

// checkDecoded holds for whatever came: a result that is JSON, or a failure; then the gateway's decoders; and no part
// of the input but an exception's own words in any error.
func checkDecoded(t *testing.T, body []byte, raw json.RawMessage, err error) {
	t.Helper()
	c, _ := New(Config{URL: "http://odoo.test", Database: "d", Key: "k"})
	if err != nil {
		f, ok := err.(*failure)
		if !ok || f == nil {
			t.Fatalf("error %T", err)
		}
		e := c.errorOf(f, "call")
		if e.Message == "" || len(e.Message) > maxText+200 || strings.Contains(e.Error(), "Traceback (most") {
			t.Fatalf("%+v", e)
		}
		return
	}
	if !json.Valid(raw) {
		t.Fatalf("result %q of %q", raw, body)
	}
	if r, err := decodeResolve(raw); err == nil {
		p := r.Snapshot.Connection.Policy
		if r.Snapshot.Connection.ID <= 0 || p.Scopes == nil || p.RateMinute < 1 || p.RateDay < 1 || r.UsedToday < 0 || len(r.Snapshot.Settings.Floor) == 0 {
			t.Fatalf("%+v", r)
		}
	}
	if p, err := decodeProgress(raw, "folded"); err == nil && p.Done < 0 {
		t.Fatalf("%+v", p)
	}
	if r, err := decodeReply(raw); err == nil && (r.Value == nil) == (r.Stale == nil) {
		t.Fatalf("%+v", r)
	}
	if r, err := decodeAsked(raw); err == nil && r.Pending != nil && (r.Pending.RequestID <= 0 || r.Pending.ExpiresAt.IsZero() || r.Value != nil || r.Stale != nil) {
		t.Fatalf("%+v", r)
	}
	if r, err := decodeStatus(raw); err == nil && (r.Value != nil || (r.Approval == nil) == (r.Stale == nil) || r.Approval != nil && !r.Approval.State.Known()) {
		t.Fatalf("%+v", r)
	}
	_, _ = decodeHello(raw)
	if err := decodeObject(raw); err != nil && access.AsError(err).Message == "" {
		t.Fatal(err)
	}
}

func FuzzJSONRPC(f *testing.F) {
	seeds(f, "doorman", `{"id":1,"result":{"used_today":1,"snapshot":`+goodSnapshot+`}}`, `{"id":1,"result":{"pending":`+goodPending+`}}`,
		`{"id":1,"result":{"approval":`+goodApproval+`}}`, `{"id":1,"result":{},"error":{}}`, `{"ID":1,"Result":1,"result":2}`,
		`{"id":1e0,"result":null}`, `[]`, `{`, strings.Repeat("[", 20000))
	seeds(f, "jsonrpc")
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		raw, err := decodeEnvelope(incoming{status: status, json: true, body: body}, 1)
		checkDecoded(t, body, raw, err)
	})
}

func FuzzJSON2(f *testing.F) {
	seeds(f, "json2", `{"used_today":1,"snapshot":`+goodSnapshot+`}`, `null`, `{"name": 1}`, strings.Repeat("[", 20000))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		raw, err := decodeJSON2(incoming{status: status, json: true, body: body})
		checkDecoded(t, body, raw, err)
	})
}

func FuzzXMLRPC(f *testing.F) {
	answer := func(v string) string {
		return "<?xml version=\"1.0\"?>\n<methodResponse>\n<params>\n<param>\n<value>" + v + "</value>\n</param>\n</params>\n</methodResponse>"
	}
	for _, s := range []string{
		answer(`<string>{"snapshot": {}}</string>`), answer(`<int>7</int>`), answer(`<boolean>0</boolean>`), answer(``),
		answer(`<string></string>`), answer(`<string/>`), answer(`<struct></struct>`), answer(`text`), answer(`<nil/>`),
		answer(strings.Repeat("<array><data><value>", 300)),
		`<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>2</int></value></member>` +
			`<member><name>faultString</name><value><string>No.</string></value></member></struct></value></fault></methodResponse>`,
		`<methodResponse><fault></fault></methodResponse>`, `<methodResponse/>`, `<a><params/></a>`, `<`, ``,
		`<!DOCTYPE x [<!ENTITY a "b">]><methodResponse><params><param><value>&a;</value></param></params></methodResponse>`,
	} {
		f.Add(200, []byte(s))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		in := incoming{status: status, xml: true, body: body}
		defer time.AfterFunc(3*time.Second, func() { panic(fmt.Sprintf("hangs on %q", body)) }).Stop()
		raw, err := decodeXMLText(in)
		checkDecoded(t, body, raw, err)
		if uid, err := decodeXMLUID(in); (err == nil) != (uid > 0) {
			t.Fatalf("user %d, %v", uid, err)
		}
	})
}
