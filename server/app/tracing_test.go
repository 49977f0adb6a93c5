package app_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"doorman/odoo/odootest"
	"doorman/server/e2e/kit"
)

const (
	clientTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	clientSpan  = "00f067aa0ba902b7"
	sampled     = "00-" + clientTrace + "-" + clientSpan + "-01"
	notSampled  = "00-" + clientTrace + "-" + clientSpan + "-00"
)

// before is a service in front of a fake Odoo, with these variables on top.
func before(t *testing.T, o *odootest.Server, environ ...string) *kit.Service {
	t.Helper()
	return kit.Serve(t, append([]string{
		"DOORMAN_ODOO_URL=" + o.URL(), "DOORMAN_ODOO_DB=" + o.Options().Database, "DOORMAN_ODOO_KEY=" + o.Options().Key,
	}, environ...)...)
}

// callTool calls a tool in a request of its own, with headers.
func callTool(t *testing.T, s *kit.Service, key, tool, arguments string, headers ...string) (int, http.Header, string) {
	t.Helper()
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":` + quote(tool) + `,"arguments":` + arguments + `}}`
	return kit.Send(t, "POST", s.MCP, body, append([]string{
		"Authorization", "Bearer " + key, "Accept", "application/json, text/event-stream", "MCP-Protocol-Version", "2025-11-25",
		"User-Agent", "kit/1",
	}, headers...)...)
}

func quote(s string) string { b, _ := json.Marshal(s); return string(b) }

// callLines are the lines that a service has logged of calls.
func callLines(t *testing.T, s *kit.Service) (lines []map[string]any) {
	t.Helper()
	for text := range strings.Lines(s.Log()) {
		var line map[string]any
		if json.Unmarshal([]byte(text), &line) == nil && line["message"] == "call" {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestSpans: of a request, its call and what is asked of Odoo, one below the other, below the client's own.
func TestSpans(t *testing.T) {
	t.Parallel()
	o, to := odootest.New(t), kit.NewCollector(t, http.StatusOK)
	s := before(t, o, "OTEL_EXPORTER_OTLP_ENDPOINT="+to.URL)
	status, header, body := callTool(t, s, odootest.DefaultCredential, "search_records", `{"model":"res.partner"}`,
		"Traceparent", sampled, "Tracestate", "them=1", "X-Request-Id", "client-7")
	if status != 200 || header.Get("X-Request-Id") != "client-7" {
		t.Fatalf("%d %v %s", status, header, body)
	}
	kit.Get(t, "GET", s.URL+"/healthz")
	kit.Get(t, "GET", s.URL+"/metrics")
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	byName := map[string]kit.Span{}
	for _, span := range to.Served() {
		if span.TraceID != clientTrace || span.TraceState != "them=1" || span.Failed {
			t.Errorf("not of the client's trace: %+v", span)
		}
		byName[span.Name] = span
	}
	request, call, asked, resolved := byName["POST /mcp"], byName["tools/call search_records"], byName["doorman.gateway/call"], byName["doorman.gateway/resolve"]
	if request.Parent != clientSpan || call.Parent != request.ID || asked.Parent != call.ID || resolved.Parent != request.ID {
		t.Errorf("one is not below the other: %+v", byName)
	}
	for _, row := range []struct {
		span kit.Span
		kind string
		want map[string]string
	}{
		{request, "SPAN_KIND_SERVER", map[string]string{"http.request.method": "POST", "http.route": "/mcp", "http.response.status_code": "200", "doorman.request.id": "client-7"}},
		{call, "SPAN_KIND_SERVER", map[string]string{"mcp.method.name": "tools/call", "gen_ai.tool.name": "search_records", "gen_ai.operation.name": "execute_tool", "doorman.outcome": "ok"}},
		{asked, "SPAN_KIND_CLIENT", map[string]string{"rpc.system.name": "jsonrpc", "rpc.method": "doorman.gateway/call", "doorman.odoo.seconds": "0.0025", "doorman.odoo.db_seconds": "0.00125"}},
	} {
		for name, value := range row.want {
			if row.span.Attributes[name] != value {
				t.Errorf("%s: %s is %q, want %q", row.span.Name, name, row.span.Attributes[name], value)
			}
		}
		if row.span.Kind != row.kind {
			t.Errorf("%s is a %s", row.span.Name, row.span.Kind)
		}
	}
	if about := to.About(); about["service.name"] != "doorman" || about["service.version"] == "" || about["service.instance.id"] == "" {
		t.Errorf("the resource says %v", about)
	}
	for name := range maps.Keys(byName) {
		if strings.Contains(name, "healthz") || strings.Contains(name, "metrics") {
			t.Errorf("probes make spans: %s", name)
		}
	}
	for _, r := range o.Requests() {
		if r.Method == "call" && r.Traceparent != "00-"+clientTrace+"-"+asked.ID+"-01" {
			t.Errorf("Odoo got the trace %q", r.Traceparent)
		}
	}
}

// TestTraceIsPassedOn: also where nothing is recorded: others on the way may.
func TestTraceIsPassedOn(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, collector, sent, passed string
		trace                         bool
	}{
		{"no tracing here", "", sampled, sampled, true},
		{"not sampled", "on", notSampled, notSampled, true},
		{"no trace", "", "", "", false},
		{"no trace id", "", "00-00000000000000000000000000000000-" + clientSpan + "-01", "", false},
		{"anything", "", canary, "", false},
		{"switched off", "OTEL_SDK_DISABLED=true", sampled, sampled, true},
		{"another exporter", "OTEL_TRACES_EXPORTER=none", sampled, sampled, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			o, to := odootest.New(t), kit.NewCollector(t, http.StatusOK)
			var environ []string
			if row.collector != "" {
				environ = []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + to.URL, row.collector}
			}
			s := before(t, o, environ...)
			if status, _, body := callTool(t, s, odootest.DefaultCredential, "search_records", `{"model":"res.partner"}`, "Traceparent", row.sent); status != 200 {
				t.Fatalf("%d %s", status, body)
			}
			line := callLines(t, s)[0]
			if err := s.Stop(); err != nil {
				t.Fatal(err)
			}
			if spans := to.Served(); len(spans) > 0 {
				t.Errorf("spans: %+v", spans)
			}
			if _, has := line["trace_id"]; has != row.trace || has && line["trace_id"] != clientTrace {
				t.Errorf("the log says %v", line)
			}
			for _, r := range o.Requests() {
				if r.Method == "call" && strings.Replace(r.Traceparent, spanIn(r.Traceparent), clientSpan, 1) != row.passed {
					t.Errorf("Odoo got %q, want %q", r.Traceparent, row.passed)
				}
			}
		})
	}
}

// TestTraceOfTheMessage: what a client says in _meta comes before the header, which a proxy may have set; both are found again.
func TestTraceOfTheMessage(t *testing.T) {
	t.Parallel()
	const other = "00-11111111111111111111111111111111-2222222222222222-01"
	meta := func(traceparent string) string {
		return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_records","arguments":{"model":"res.partner"},` +
			`"_meta":{"traceparent":` + traceparent + `,"tracestate":"them=1","progressToken":1}}}`
	}
	for _, row := range []struct {
		name, meta, header string
		trace, parent      string // of the call
		linked             bool
	}{
		{"in the message only", quote(sampled), "", clientTrace, clientSpan, true},
		{"in both", quote(sampled), other, clientTrace, clientSpan, true},
		{"in the header only", `null`, other, strings.Split(other, "-")[1], "", false},
		{"a number", `17`, other, strings.Split(other, "-")[1], "", false},
		{"an object", `{"a":1}`, other, strings.Split(other, "-")[1], "", false},
		{"no trace id", quote("00-00000000000000000000000000000000-" + clientSpan + "-01"), other, strings.Split(other, "-")[1], "", false},
		{"too long", quote(strings.Repeat("0", 100_000)), other, strings.Split(other, "-")[1], "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			o, to := odootest.New(t), kit.NewCollector(t, http.StatusOK)
			s := before(t, o, "OTEL_EXPORTER_OTLP_ENDPOINT="+to.URL)
			headers := []string{"Authorization", "Bearer " + odootest.DefaultCredential, "Accept", "application/json, text/event-stream"}
			if row.header != "" {
				headers = append(headers, "Traceparent", row.header)
			}
			if status, _, body := kit.Send(t, "POST", s.MCP, meta(row.meta), headers...); status != 200 {
				t.Fatalf("%d %s", status, body)
			}
			if err := s.Stop(); err != nil {
				t.Fatal(err)
			}
			byName := map[string]kit.Span{}
			for _, span := range to.Served() {
				byName[span.Name] = span
			}
			request, call, asked := byName["POST /mcp"], byName["tools/call search_records"], byName["doorman.gateway/call"]
			want := row.parent
			if want == "" {
				want = request.ID
			}
			if call.TraceID != row.trace || call.Parent != want || asked.Parent != call.ID || asked.TraceID != row.trace {
				t.Errorf("the call is %+v", call)
			}
			if linked := len(call.Links) == 1 && call.Links[0] == request.ID; linked != row.linked {
				t.Errorf("links: %v", call.Links)
			}
		})
	}
}

// TestJobSpans: each run of a job has a trace of its own, with what it asks of Odoo.
func TestJobSpans(t *testing.T) {
	t.Parallel()
	o, to := odootest.New(t), kit.NewCollector(t, http.StatusOK)
	s := before(t, o, "OTEL_EXPORTER_OTLP_ENDPOINT="+to.URL)
	callTool(t, s, odootest.DefaultCredential, "search_records", `{"model":"res.partner"}`, "Traceparent", sampled)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	var beat, hello kit.Span
	for _, span := range to.Spans() {
		switch span.Name {
		case "job heartbeat":
			beat = span
		case "doorman.gateway/hello":
			hello = span
		}
	}
	if beat.Parent != "" || beat.TraceID == clientTrace || beat.Failed || beat.Attributes["doorman.outcome"] != "ok" ||
		beat.Attributes["doorman.job.name"] != "heartbeat" {
		t.Errorf("the job's span is %+v", beat)
	}
	if hello.Parent != beat.ID || hello.TraceID != beat.TraceID {
		t.Errorf("what it asked is %+v", hello)
	}
}

// spanIn is the span of a traceparent: where tracing is on, it is ours, recorded or not.
func spanIn(traceparent string) string {
	if parts := strings.Split(traceparent, "-"); len(parts) == 4 {
		return parts[2]
	}
	return "none"
}

// TestCallLines: one for each call, with who, what and how long.
func TestCallLines(t *testing.T) {
	t.Parallel()
	o := odootest.New(t)
	s := before(t, o, "DOORMAN_LOG_LEVEL=info")
	read := `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"odoo://res.partner/fields"}}`
	list := `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`
	send := func(key, body string) func() {
		return func() {
			kit.Send(t, "POST", s.MCP, body, "Authorization", "Bearer "+key, "Accept", "application/json", "MCP-Protocol-Version", "2025-11-25")
		}
	}
	call := func(tool, arguments string) func() {
		return func() {
			callTool(t, s, odootest.DefaultCredential, tool, arguments, "X-Request-Id", "client-7")
		}
	}
	for _, row := range []struct {
		name string
		do   func()
		want map[string]any // nil = no line
	}{
		{"a call", call("search_records", `{"model":"res.partner"}`), map[string]any{
			"level": "info", "request_id": "client-7", "method": "tools/call", "tool": "search_records", "outcome": "ok", "reason": "", "status": 200.0,
			"client": "kit/1", "ip": "127.0.0.1", "connection": 1.0, "user": 2.0,
		}},
		{"a refusal of a model", call("search_records", `{"model":"res.users.apikeys"}`), map[string]any{"tool": "search_records", "outcome": "not_allowed"}},
		{"arguments that are wrong", call("search_records", `{"nothing":1}`), map[string]any{"tool": "search_records", "outcome": "invalid_input"}},
		{"a tool that is not there", call(canary, `{}`), map[string]any{"tool": "", "outcome": "unknown_tool"}},
		{"a resource", send(odootest.DefaultCredential, read), map[string]any{"method": "resources/read", "tool": "describe_model", "outcome": "ok"}},
		{"a key that is not good", send("dmk_"+canary, list), map[string]any{"method": "", "tool": "", "outcome": "unauthenticated", "status": 401.0, "connection": 0.0}},
		{"two keys", send(canary+", x", list), map[string]any{"outcome": "unauthenticated", "status": 401.0}},
		{"no call", send(odootest.DefaultCredential, list), nil},
	} {
		was := len(callLines(t, s))
		row.do()
		if row.want == nil {
			if lines := callLines(t, s); len(lines) != was {
				t.Errorf("%s: %v", row.name, lines[was:])
			}
			continue
		}
		kit.Await(t, "a line of "+row.name, func() error { return kit.Unless(len(callLines(t, s)) > was, s.Log()) })
		line := callLines(t, s)[was]
		for name, value := range row.want {
			if line[name] != value {
				t.Errorf("%s: %s is %v, want %v", row.name, name, line[name], value)
			}
		}
		if line["ms"].(float64) <= 0 || line["bytes_in"].(float64) <= 0 || line["bytes_out"].(float64) <= 0 || line["time"] == "" {
			t.Errorf("%s: %v", row.name, line)
		}
		if row.name == "a call" && (line["odoo_ms"].(float64) < odootest.TotalMS || line["db_ms"].(float64) < 1.2 || line["odoo_wait_ms"].(float64) <= 0) {
			t.Errorf("Odoo's time: %v", line)
		}
	}
	if log := s.Log(); strings.Contains(log, canary) {
		t.Errorf("content in the log: %s", log)
	}
}

// TestNoContent: what a client asks for, and what Odoo answers, is in no span and in no line of the log, whether it succeeded or failed.
func TestNoContent(t *testing.T) {
	t.Parallel()
	to := kit.NewCollector(t, http.StatusOK)
	o := odootest.New(t, odootest.Options{Handle: func(c odootest.Call) (any, *odootest.Problem, bool) {
		if c.Method == "search_count" {
			return nil, &odootest.Problem{Kind: "invalid_input", Message: "no " + canary, Hint: canary}, true
		}
		return nil, nil, false
	}})
	s := before(t, o, "OTEL_EXPORTER_OTLP_ENDPOINT="+to.URL, "DOORMAN_LOG_LEVEL=info")
	good := odootest.DefaultCredential
	for _, arguments := range []string{
		`{"model":"res.partner","domain":[["name","=","` + canary + `"]]}`,
		`{"model":"` + canary + `"}`, `{"model":"res.partner","fields":["` + canary + `"]}`, `{"` + canary + `":1}`,
	} {
		for _, tool := range []string{"search_records", "aggregate_records", "create_record", canary} {
			callTool(t, s, good, tool, arguments, "Traceparent", sampled)
		}
	}
	callTool(t, s, "dmk_"+canary, "search_records", `{}`, "Traceparent", sampled)
	callTool(t, s, good, "search_records", `{}`, "Traceparent", sampled, "X-Request-Id", "="+canary)
	for _, path := range []string{"/" + canary, "/files/" + canary, "/oauth/invite/" + canary, "/mcp?key=" + canary, "/healthz?" + canary} {
		kit.Get(t, "GET", s.URL+path, "Traceparent", sampled)
	}
	kit.Get(t, canary, s.URL+"/mcp", "Traceparent", sampled)
	kit.Get(t, "POST", s.URL+"/mcp", "Traceparent", sampled, "Authorization", "Bearer "+good, "Accept", "application/json",
		"Referer", canary, "Cookie", canary)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if spans := to.Served(); len(spans) < 30 {
		t.Fatalf("%d spans", len(spans))
	}
	for _, secret := range []string{canary, good, o.Options().Key} {
		if strings.Contains(to.Raw(), secret) {
			t.Errorf("spans hold %q", secret)
			for _, span := range to.Served() {
				if strings.Contains(quote(span.Name)+quoteAll(span.Attributes), secret) {
					t.Errorf("%+v", span)
				}
			}
		}
		if strings.Contains(s.Log(), secret) {
			t.Errorf("the log holds %q: %s", secret, s.Log())
		}
	}
	for _, span := range to.Served() {
		if span.Description != "" {
			t.Errorf("%s says %q", span.Name, span.Description)
		}
	}
}

func quoteAll(m map[string]string) string { b, _ := json.Marshal(m); return string(b) }

// TestRequestID: what a client calls its request, if it is plainly an id.
func TestRequestID(t *testing.T) {
	t.Parallel()
	o := odootest.New(t)
	s := before(t, o)
	for _, row := range []struct {
		name string
		sent []string
		kept bool
	}{
		{"a UUID", []string{"3f2504e0-4f89-11d3-9a0c-0305e82c3301"}, true},
		{"a trace of a proxy", []string{"Root.1:67891233-abcdef012345678912345678"}, true},
		{"64 characters", []string{strings.Repeat("a", 64)}, true},
		{"none", nil, false},
		{"empty", []string{""}, false},
		{"65 characters", []string{strings.Repeat("a", 65)}, false},
		{"a formula", []string{"=1+1"}, false},
		{"another formula", []string{"-1"}, false},
		{"a space", []string{"a b"}, false},
		{"markup", []string{"<b>"}, false},
		{"a quote", []string{`a"b`}, false},
		{"not ASCII", []string{"é"}, false},
		{"two", []string{"a", "b"}, false},
	} {
		var headers []string
		for _, id := range row.sent {
			headers = append(headers, "X-Request-Id", id)
		}
		_, header, _ := callTool(t, s, odootest.DefaultCredential, "search_records", `{"model":"res.partner"}`, headers...)
		got := header.Get("X-Request-Id")
		if kept := len(row.sent) == 1 && got == row.sent[0]; kept != row.kept || got == "" {
			t.Errorf("%s: %q", row.name, got)
		}
		rows := o.Audit()
		if last := rows[len(rows)-1].Call.Audit["request_id"]; last != got {
			t.Errorf("%s: the audit has %q, the answer %q", row.name, last, got)
		}
	}
}

// TestCollectorIsDown: calls go on; the log says it, once.
func TestCollectorIsDown(t *testing.T) {
	t.Parallel()
	o, to := odootest.New(t), kit.NewCollector(t, http.StatusForbidden)
	s := before(t, o, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+to.URL+"/v1/traces")
	if status, _, body := callTool(t, s, odootest.DefaultCredential, "search_records", `{"model":"res.partner"}`); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(s.Log(), "collector does not take spans"); n != 1 {
		t.Errorf("said %d times: %s", n, s.Log())
	}
}
