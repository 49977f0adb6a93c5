package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
)

// fakeKey opens the fake's only connection. The fake does not look at it.
const fakeKey = "dmk_bench"

// fakeOdoo answers the addon's endpoint at once, with canned JSON. It counts what it is asked.
type fakeOdoo struct {
	url    string
	server *http.Server
	calls  atomic.Int64 // everything but what the service does by the clock
}

// fakeSnapshot is a connection that may search, as the addon writes it.
const fakeSnapshot = `{"used_today":0,"snapshot":{"connection":{"id":1,"version":1,"name":"bench","type":"bearer","status":"connected"},
"policy":{"scopes":["mcp:metadata","mcp:search"],"read_only":false,"allowed_ips":[],"blocked_ips":[],
"rate_limit_minute":1000000000,"rate_limit_day":1000000000,"approval":false},
"user":{"id":7,"login":"bench","name":"Bench","lang":"en_US","groups":"0123456789abcdef"},
"settings":{"enabled":true,"version":1,"disabled_tools":[],"missing_modules":[],"floor":["doorman.","ir.rule"]},"registry":"1"}}`

const fakeFields = `{"registry":"1","value":{"label":"Contact","order":"complete_name ASC, id DESC","fields":{
"id":{"type":"integer","string":"ID","store":true,"searchable":true,"sortable":true},
"name":{"type":"char","string":"Name","store":true,"searchable":true,"sortable":true},
"complete_name":{"type":"char","string":"Complete name","store":true,"searchable":true,"sortable":true},
"email":{"type":"char","string":"Email","store":true,"searchable":true,"sortable":true},
"is_company":{"type":"boolean","string":"Is a company","store":true,"searchable":true,"sortable":true}}}}`

// fakeRows are one more than asked for, because Doorman looks a row ahead.
const fakeRows = `{"registry":"1","value":[{"id":9,"name":"Acme Corporation","email":"acme_corp@yourcompany.example.com"},` +
	`{"id":12,"name":"Azure Interior","email":"azure.Interior24@example.com"},` +
	`{"id":14,"name":"Deco Addict","email":"deco.addict82@example.com"}]}`

var fakeAnswers = map[string]string{
	"hello": `{"odoo_version":"19.0","interface":INTERFACE,"addon_version":"19.0.1.0.0","database":"fake","enabled":true,
"settings_version":1,"registry":"1","company":"Fake","jobs":[]}`,
	"resolve":      fakeSnapshot,
	"fields":       fakeFields,
	"call":         fakeRows,
	"record":       `{"recorded":0}`,
	"sync_catalog": `{"created":0,"updated":0,"retired":0}`,
}

// startFake listens on a free port of this machine.
func startFake() (*fakeOdoo, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &fakeOdoo{url: "http://" + listener.Addr().String()}
	f.server = &http.Server{Handler: f}
	go func() { _ = f.server.Serve(listener) }()
	return f, nil
}

func (f *fakeOdoo) stop() { _ = f.server.Close() }

// ServeHTTP implements http.Handler.
func (f *fakeOdoo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var question struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
	}
	if err == nil {
		err = json.Unmarshal(body, &question)
	}
	answer, known := fakeAnswers[question.Method]
	if err != nil || !known || r.URL.Path != "/doorman/jsonrpc" {
		http.Error(w, "the fake does not know this", http.StatusNotFound)
		return
	}
	if slices.Contains(onRequest, question.Method) {
		f.calls.Add(1)
	}
	// It fits whichever service asks.
	answer = strings.Replace(answer, "INTERFACE", r.Header.Get("X-Doorman-Interface"), 1)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, question.ID, answer)
}
