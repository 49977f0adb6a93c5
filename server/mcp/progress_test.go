package mcp_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"doorman/server/access"
	"doorman/server/mcp"
)

// slowOdoo answers a call when it is told to, unless nobody waits for it any more.
type slowOdoo struct {
	*fakeGateway
	entered chan access.Request
	release chan struct{}
	ended   chan error // of each call: nil = answered
}

func newSlowOdoo(f *fakeGateway) *slowOdoo {
	return &slowOdoo{f, make(chan access.Request, 10), make(chan struct{}), make(chan error, 10)}
}

func (s *slowOdoo) Call(ctx context.Context, fence access.Fence, r access.Request) (access.Reply, error) {
	s.entered <- r
	select {
	case <-s.release:
	case <-ctx.Done():
	}
	s.ended <- ctx.Err()
	if ctx.Err() != nil {
		return access.Reply{}, &access.Error{Kind: access.OdooTimeout, Message: "The request was cancelled before Odoo answered."}
	}
	return s.fakeGateway.Call(ctx, fence, r)
}

func (s *slowOdoo) gateway(c *mcp.Config) { c.Gateway = s }

// start sends a request and returns its answer as it comes.
func start(ctx context.Context, t *testing.T, url, body string, headers ...string) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i, set := 0, append([]string{
		"Content-Type", "application/json", "Accept", "application/json, text/event-stream", "MCP-Protocol-Version", oldEra,
		"Authorization", "Bearer " + goodKey,
	}, headers...); i < len(set); i += 2 {
		r.Header.Set(set[i], set[i+1])
	}
	return http.DefaultClient.Do(r)
}

// event is one message of a stream.
type event struct {
	Method string
	ID     any
	Params struct {
		ProgressToken any
		Progress      float64
		Message       string
	}
	Result json.RawMessage
	Error  json.RawMessage
}

// next reads a stream up to its next message; io.EOF at the end.
func next(t *testing.T, from *bufio.Reader) (e event, err error) {
	t.Helper()
	for {
		line, err := from.ReadString('\n')
		if err != nil {
			return e, err
		}
		if data, found := strings.CutPrefix(line, "data: "); found {
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				t.Fatalf("%v: %s", err, data)
			}
			return e, nil
		}
	}
}

// withToken is params with a progress token, JSON.
func withToken(params, token string) string {
	return strings.TrimSuffix(params, "}") + `,"_meta":{"progressToken":` + token + `}}`
}

// withMeta is the same in the protocol of 2026-07-28.
func withMeta(params, token string) string {
	return strings.TrimSuffix(params, "}") + `,"_meta":{"progressToken":` + token +
		`,"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}`
}

func rawRequest(method, params string) string {
	return `{"jsonrpc":"2.0","id":"q-1","method":"` + method + `","params":` + params + `}`
}

// TestProgress: from the start until the answer, in rising numbers, under the client's own token, and nothing after.
func TestProgress(t *testing.T) {
	t.Parallel()
	search := `{"name":"search_records","arguments":` + searchPartners + `}`
	for _, row := range []struct {
		name, method, params, token string
		era                         string
		want                        any
	}{
		{"a call", "tools/call", search, `"abc"`, oldEra, "abc"},
		{"a call, a number", "tools/call", search, `7`, oldEra, 7.0},
		{"a call, zero", "tools/call", search, `0`, oldEra, 0.0},
		{"a call of 2026", "tools/call", search, `"abc"`, newEra, "abc"},
		{"a resource", "resources/read", uri("odoo://res.partner/1"), `"abc"`, oldEra, "abc"},
		{"a resource of 2026", "resources/read", uri("odoo://res.partner/1"), `5`, newEra, 5.0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			odoo := newSlowOdoo(newFake())
			url := endpoint(t, odoo.fakeGateway, odoo.gateway, func(c *mcp.Config) { c.Progress = time.Millisecond }).URL
			params, headers := withToken(row.params, row.token), []string{}
			if row.era == newEra {
				params, headers = withMeta(row.params, row.token), eraHeaders(newEra, row.method, row.params)
			}
			response, err := start(t.Context(), t, url, rawRequest(row.method, params), headers...)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if response.Header.Get("Content-Type") != "text/event-stream" || response.Header.Get("X-Accel-Buffering") != "no" {
				t.Errorf("headers %v", response.Header)
			}
			stream, last := bufio.NewReader(response.Body), -1.0
			for n := 0; ; n++ {
				e, err := next(t, stream)
				if err != nil {
					t.Fatal(err)
				}
				if e.ID != nil {
					if n < 4 || e.ID != "q-1" || len(e.Error) > 0 || !strings.Contains(string(e.Result), "Acme") {
						t.Errorf("after %d notices: %+v", n, e)
					}
					break
				}
				if e.Method != "notifications/progress" || e.Params.ProgressToken != row.want || e.Params.Progress <= last || e.Params.Message == "" {
					t.Errorf("%+v after %v", e, last)
				}
				if last = e.Params.Progress; n == 3 {
					close(odoo.release)
				}
			}
			if e, err := next(t, stream); !errors.Is(err, io.EOF) {
				t.Errorf("after the answer: %+v, %v", e, err)
			}
			if odoo.callCount() != 1 {
				t.Errorf("%d calls", odoo.callCount())
			}
		})
	}
}

// TestNoProgress: who does not ask for it, or not properly, gets one JSON object as ever.
func TestNoProgress(t *testing.T) {
	t.Parallel()
	search := `{"name":"search_records","arguments":` + searchPartners + `}`
	for name, body := range map[string]string{
		"no token":                      rawRequest("tools/call", search),
		"a token that is null":          rawRequest("tools/call", withToken(search, `null`)),
		"an empty token":                rawRequest("tools/call", withToken(search, `""`)),
		"a token that is a list":        rawRequest("tools/call", withToken(search, `["x"]`)),
		"a token that is true":          rawRequest("tools/call", withToken(search, `true`)),
		"half a number":                 rawRequest("tools/call", withToken(search, `1.5`)),
		"a token of 257 letters":        rawRequest("tools/call", withToken(search, `"`+strings.Repeat("x", 257)+`"`)),
		"a token among the arguments":   rawRequest("tools/call", `{"name":"search_records","arguments":{"model":"res.partner","domain":"[[\"name\",\"=\",\"progressToken\"]]"}}`),
		"a token beside its place":      rawRequest("tools/call", strings.TrimSuffix(search, "}")+`,"progressToken":"x"}`),
		"a list, which is never long":   rawRequest("tools/list", `{"_meta":{"progressToken":"x"}}`),
		"completion, which is not long": rawRequest("completion/complete", withToken(completing(recordRef, "model", "res"), `"x"`)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := endpoint(t, newFake(), func(c *mcp.Config) { c.Progress = time.Nanosecond }).URL
			a := send(t, url, body)
			if a.header.Get("Content-Type") != "application/json" || strings.Contains(a.body, "notifications/progress") || a.status != 200 {
				t.Errorf("%v %s", a.header, a.body)
			}
		})
	}
	t.Run("several at once, of 2025-03-26", func(t *testing.T) {
		t.Parallel()
		url := endpoint(t, newFake(), func(c *mcp.Config) { c.Progress = time.Nanosecond }).URL
		a := send(t, url, "["+rawRequest("tools/call", withToken(search, `"x"`))+"]", "MCP-Protocol-Version", "2025-03-26")
		if a.header.Get("Content-Type") != "application/json" || strings.Contains(a.body, "notifications/progress") || !strings.Contains(a.body, "Acme") {
			t.Errorf("%v %s", a.header, a.body)
		}
	})
}

// TestNoProgressWithoutOdoo: what is refused is not waited for: the stream holds the refusal alone, with its own status.
func TestNoProgressWithoutOdoo(t *testing.T) {
	t.Parallel()
	f := newFake()
	url := endpoint(t, f, func(c *mcp.Config) { c.Progress = time.Nanosecond }).URL
	for name, row := range map[string]struct {
		body    string
		headers []string
		status  int
		says    string
	}{
		"a bad argument":       {rawRequest("tools/call", withToken(`{"name":"search_records","arguments":{}}`, `"x"`)), nil, 200, "invalid_input"},
		"an unknown tool":      {rawRequest("tools/call", withToken(`{"name":"nothing","arguments":{}}`, `"x"`)), nil, 200, "unknown_tool"},
		"a tool of no right":   {rawRequest("tools/call", withToken(`{"name":"delete_records","arguments":`+deletePartner+`}`, `"x"`)), nil, 200, "not_allowed"},
		"an unknown resource":  {rawRequest("resources/read", withToken(uri("odoo://x"), `"x"`)), nil, 200, "-32002"},
		"the same of 2026":     {rawRequest("resources/read", withMeta(uri("odoo://x"), `"x"`)), eraHeaders(newEra, "resources/read", uri("odoo://x")), 400, "-32602"},
		"no key":               {rawRequest("tools/call", withToken(`{"name":"get_context"}`, `"x"`)), []string{"Authorization", "Bearer dmk_wrong"}, 401, "unauthenticated"},
		"a mistake in headers": {rawRequest("tools/call", withMeta(`{"name":"get_context"}`, `"x"`)), eraHeaders(newEra, "tools/call", `{"name":"other"}`), 400, "-32020"},
	} {
		a := send(t, url, row.body, row.headers...)
		if a.status != row.status || !strings.Contains(a.body, row.says) || strings.Contains(a.body, "notifications/progress") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if f.callCount() != 0 {
		t.Errorf("%d calls", f.callCount())
	}
}

// TestProgressOfAStaleCall: a call that is decided anew is one wait, whose numbers go on rising.
func TestProgressOfAStaleCall(t *testing.T) {
	t.Parallel()
	f := newFake()
	fresh := changed(f, func(*access.Policy) {})
	f.call = func(fence access.Fence, r access.Request) (access.Reply, error) {
		<-time.After(30 * time.Millisecond) // an Odoo that takes its time
		if fence.Version != fresh.Connection.Version {
			return access.Reply{Stale: fresh}, nil
		}
		return f.answer(fence, r)
	}
	url := endpoint(t, f, func(c *mcp.Config) { c.Progress = 10 * time.Millisecond }).URL
	a := send(t, url, rawRequest("tools/call", withToken(`{"name":"search_records","arguments":`+searchPartners+`}`, `"x"`)))
	if strings.Count(a.body, "Asked Odoo.") != 1 || strings.Count(a.body, "Acme") == 0 || f.callCount() != 2 {
		t.Error(fmt.Sprint(f.callCount(), " calls: ", a.body))
	}
	last := 0.0
	for _, found := range regexp.MustCompile(`"progress":([0-9.e-]+)`).FindAllStringSubmatch(a.body, -1) {
		n, err := strconv.ParseFloat(found[1], 64)
		if err != nil || n <= last {
			t.Errorf("%s after %g", found[1], last)
		}
		last = n
	}
}
