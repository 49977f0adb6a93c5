package transport

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// seeds adds the bodies of the golden replies, and what went wrong before.
func seeds(f *testing.F, transport string, more ...string) {
	f.Helper()
	files, _ := filepath.Glob(filepath.Join("..", "testdata", "golden", transport, "*.json"))
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

// checkResult holds for whatever came: a result that is JSON, or a *Failure that is not one of ours. What the result means
// is package wire's to check, and which words the failure gets package odoo's; both have fuzz targets of their own.
func checkResult(t *testing.T, body []byte, raw json.RawMessage, err error) {
	t.Helper()
	if err == nil {
		if !json.Valid(raw) {
			t.Fatalf("result %q of %q", raw, body)
		}
		return
	}
	f, ok := errors.AsType[*Failure](err)
	switch {
	case !ok || f == nil:
		t.Fatalf("error %T", err)
	case f.Class > Fault || !f.Sent:
		t.Fatalf("an answer came, but: %+v", f)
	case f.Name == "" && f.Message != "":
		t.Fatalf("a message without an exception: %+v", f)
	}
}

func FuzzJSONRPC(f *testing.F) {
	seeds(f, "doorman", `{"id":1,"result":{"used_today":1,"snapshot":{}}}`, `{"id":1,"result":{},"error":{}}`, `{"ID":1,"Result":1,"result":2}`,
		`{"id":1e0,"result":null}`, `[]`, `{`, strings.Repeat("[", 20000))
	seeds(f, "jsonrpc")
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		raw, err := decodeEnvelope(incoming{status: status, json: true, body: body}, 1)
		checkResult(t, body, raw, err)
	})
}

func FuzzJSON2(f *testing.F) {
	seeds(f, "json2", `{"used_today":1,"snapshot":{}}`, `null`, `{"name": 1}`, strings.Repeat("[", 20000))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		raw, err := decodeJSON2(incoming{status: status, json: true, body: body})
		checkResult(t, body, raw, err)
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
		checkResult(t, body, raw, err)
		if uid, err := decodeXMLUID(in); (err == nil) != (uid > 0) {
			t.Fatalf("user %d, %v", uid, err)
		}
	})
}
