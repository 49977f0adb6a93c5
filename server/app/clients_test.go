package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/build"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"doorman/odoo/odootest"
	"doorman/server/access"
	"doorman/server/e2e/kit"
)

// What clients send that is not as the protocol has it, through the whole service.

const listTools = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`

// bare sends a request with these headers and no others.
func bare(t *testing.T, method, url string, body io.Reader, headers ...string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("User-Agent", "test")
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	noRedirects := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := noRedirects.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(answer)
}

// keyed are the headers of a request with the usual connection's key.
func keyed(more ...string) []string {
	return append([]string{"Content-Type", "application/json", "Authorization", "Bearer " + odootest.DefaultCredential}, more...)
}

// TestAccept: an answer comes as JSON unless the client says that it reads nothing but streams.
func TestAccept(t *testing.T) {
	t.Parallel()
	s, _ := overFake(t, nil)
	progress := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_context","arguments":{},"_meta":{"progressToken":"p"}}}`
	for _, row := range []struct {
		name, body string
		accept     []string
		status     int
		kind       string
	}{
		{"as the protocol has it", listTools, []string{"application/json, text/event-stream"}, 200, "application/json"},
		{"on two lines", listTools, []string{"application/json", "text/event-stream"}, 200, "application/json"},
		{"JSON alone", listTools, []string{"application/json"}, 200, "application/json"},
		{"JSON with a charset", listTools, []string{"application/json;charset=utf-8"}, 200, "application/json"},
		{"in capitals", listTools, []string{"Application/JSON"}, 200, "application/json"},
		{"anything", listTools, []string{"*/*"}, 200, "application/json"},
		{"no header", listTools, nil, 200, "application/json"},
		{"an empty one", listTools, []string{""}, 200, "application/json"},
		{"weights", listTools, []string{"text/html;q=0.9, application/json;q=0.1"}, 200, "application/json"},
		{"a stream rather than JSON", listTools, []string{"text/event-stream, application/json;q=0.5"}, 200, "application/json"},
		{"a malformed weight", listTools, []string{"application/json;q=high"}, 200, "application/json"},
		{"any application", listTools, []string{"application/*"}, 200, "application/json"},
		{"streams alone", listTools, []string{"text/event-stream"}, 200, "text/event-stream"},
		{"streams, and no JSON by a wildcard", listTools, []string{"text/event-stream, */*;q=0"}, 200, "text/event-stream"},
		{"progress to who reads streams", progress, []string{"application/json, text/event-stream"}, 200, "text/event-stream"},
		{"progress to who does not", progress, []string{"application/json"}, 200, "application/json"},
		{"progress to who names neither", progress, []string{"*/*"}, 200, "application/json"},
		{"progress to who refuses streams", progress, []string{"application/json, text/event-stream;q=0"}, 200, "application/json"},
		{"pages alone", listTools, []string{"text/html"}, 406, "application/json"},
		{"JSON refused", listTools, []string{"application/json;q=0"}, 406, "application/json"},
		{"JSON refused, anything else welcome", listTools, []string{"*/*, application/json;q=0"}, 406, "application/json"},
	} {
		t.Run(row.name, func(t *testing.T) {
			headers := keyed()
			for _, value := range row.accept {
				headers = append(headers, "Accept", value)
			}
			for _, path := range []string{"/mcp", "/mcp/"} {
				status, header, body := bare(t, "POST", s.URL+path, strings.NewReader(row.body), headers...)
				if status != row.status || header.Get("Content-Type") != row.kind {
					t.Errorf("%s: %d %s %.300s", path, status, header.Get("Content-Type"), body)
				}
				if answered := strings.Contains(body, `"result"`); answered != (status == 200) || !strings.Contains(body, `"jsonrpc":"2.0"`) {
					t.Errorf("%s: %.300s", path, body)
				}
			}
		})
	}
}

// eras are the ways in which clients of each version of the protocol send a request outside of a session.
var eras = []struct {
	name    string
	status  int // of an unknown method
	headers []string
	meta    string
}{
	{"no version", 200, nil, ""},
	{"2025-03-26", 200, []string{"MCP-Protocol-Version", "2025-03-26"}, ""},
	{"2025-06-18", 200, []string{"MCP-Protocol-Version", "2025-06-18"}, ""},
	{"2025-11-25", 200, []string{"MCP-Protocol-Version", "2025-11-25"}, ""},
	{"2025-11-25 in a session", 200, []string{"MCP-Protocol-Version", "2025-11-25", "Mcp-Session-Id", "abc"}, ""},
	{"2026-07-28", 404, []string{"MCP-Protocol-Version", "2026-07-28", "Mcp-Method", "METHOD"},
		`"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`},
	{"2026-07-28 without its marks", 404, []string{"MCP-Protocol-Version", "2026-07-28"}, ""},
}

// TestUnknownMethods: JSON-RPC's own error in every version, and nothing where nothing is asked.
func TestUnknownMethods(t *testing.T) {
	t.Parallel()
	s, _ := overFake(t, nil)
	for _, era := range eras {
		for _, method := range []string{"tools/lst", "rpc.discover", "Tools/list", "", "notifications/x", "roots/list"} {
			name := fmt.Sprintf("%s %q", era.name, method)
			headers := keyed("Accept", "application/json, text/event-stream")
			for _, h := range era.headers {
				headers = append(headers, strings.Replace(h, "METHOD", method, 1))
			}
			for _, id := range []string{"7", `"a"`} {
				ask := fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":%q,"params":{%s}}`, id, method, era.meta)
				status, header, body := bare(t, "POST", s.URL+"/mcp", strings.NewReader(ask), headers...)
				var answer struct {
					ID    json.RawMessage
					Error struct {
						Code    int
						Message string
					}
				}
				if json.Unmarshal([]byte(body), &answer) != nil || status != era.status || answer.Error.Code != -32601 || string(answer.ID) != id ||
					!strings.Contains(answer.Error.Message, fmt.Sprintf("%q", method)) || header.Get("Content-Type") != "application/json" {
					t.Errorf("%s: %d %s", name, status, body)
				}
			}
			note := fmt.Sprintf(`{"jsonrpc":"2.0","method":%q,"params":{%s}}`, method, era.meta)
			if status, _, body := bare(t, "POST", s.URL+"/mcp", strings.NewReader(note), headers...); status != 202 || body != "" {
				t.Errorf("%s, a notification: %d %s", name, status, body)
			}
		}
	}
	t.Run("among others", func(t *testing.T) { batches(t, s.URL) })
	t.Run("still for who may ask only", func(t *testing.T) {
		ask := `{"jsonrpc":"2.0","id":1,"method":"tools/lst"}`
		for _, key := range []string{"", "Bearer dmk_nobody", "Bearer dmx_code"} {
			headers := []string{"Content-Type", "application/json", "Authorization", key}
			if status, header, body := bare(t, "POST", s.URL+"/mcp", strings.NewReader(ask), headers...); status != 401 || header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s: %d %s", key, status, body)
			}
		}
	})
}

// batches sends several messages at once, which the protocol had until 2025-03-26.
func batches(t *testing.T, base string) {
	const unknown, note, ping = `{"jsonrpc":"2.0","id":"u","method":"no/such"}`, `{"jsonrpc":"2.0","method":"notifications/no"}`, `{"jsonrpc":"2.0","id":2,"method":"ping"}`
	for _, row := range []struct {
		name, body string
		status     int
		has        []string
	}{
		{"known ones", "[" + ping + "]", 200, []string{`"id":2`, `"result"`}},
		{"an unknown one", "[" + unknown + "]", 200, []string{`"id":"u"`, "-32601"}},
		{"one of each", "[" + unknown + "," + ping + "]", 200, []string{`"id":2`, `"result"`, `"id":"u"`, "-32601"}},
		{"a notification too", "[" + ping + "," + note + "]", 200, []string{`"id":2`}},
		{"notifications alone", "[" + note + "," + note + "]", 202, nil},
		{"an unknown one and a notification that is known", "[" + unknown + `,{"jsonrpc":"2.0","method":"notifications/initialized"}]`, 200, []string{"-32601"}},
		{"none", "[]", 400, []string{"-32600"}}, // JSON-RPC section 7 has this and the next as examples
		{"an unknown one next to something that is not a message", "[" + unknown + ",7]", 200, []string{"-32601", "-32600"}},
	} {
		status, _, body := bare(t, "POST", base+"/mcp", strings.NewReader(row.body), keyed("Accept", "application/json")...)
		if status != row.status || row.has == nil && body != "" {
			t.Errorf("%s: %d %s", row.name, status, body)
		}
		for _, want := range row.has {
			if !strings.Contains(body, want) {
				t.Errorf("%s: no %s in %s", row.name, want, body)
			}
		}
	}
	status, _, body := bare(t, "POST", base+"/mcp", strings.NewReader("["+ping+"]"), keyed("Accept", "application/json", "MCP-Protocol-Version", "2025-11-25")...)
	if status != 400 || !strings.Contains(body, `"code":-32600`) {
		t.Errorf("where there are none any more: %d %s", status, body)
	}
}

// TestKnownMethods: every method that the SDK names as one of its own is either taken or JSON-RPC's -32601. A new one that
// it takes and that our list lacks would be refused here and taken there.
func TestKnownMethods(t *testing.T) {
	t.Parallel()
	found, err := build.Import("github.com/modelcontextprotocol/go-sdk/mcp", ".", build.FindOnly)
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(found.Dir, "server.go"))
	if err != nil {
		t.Fatal(err)
	}
	names, err := os.ReadFile(filepath.Join(found.Dir, "protocol.go"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(source), "var serverMethodInfos = ")
	table, _, _ = strings.Cut(table, "\n}")
	s, _ := overFake(t, nil)
	taken := 0
	for _, constant := range regexp.MustCompile(`(?m)^\t((?:method|notification)\w+)\s+= "(.+)"$`).FindAllStringSubmatch(string(names), -1) {
		takes := strings.Contains(table, "\t"+constant[1]+":")
		ask := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q}`, constant[2])
		_, _, body := bare(t, "POST", s.URL+"/mcp", strings.NewReader(ask), keyed()...)
		// In its own words: the SDK says of some methods itself that they are not for this server or version.
		if refused := strings.Contains(body, "There is no method"); refused == takes {
			t.Errorf("%s: the SDK takes it: %t; we: %s", constant[2], takes, body)
		}
		if takes {
			taken++
		}
	}
	if taken < 15 {
		t.Errorf("%d methods found in the SDK's source", taken)
	}
}

// TestSignposts: a client that looks for the endpoint in the wrong place is told the right one, and nothing else.
func TestSignposts(t *testing.T) {
	t.Parallel()
	const public = "https://mcp.example.com"
	o := odootest.New(t, odootest.Options{})
	s := kit.Serve(t, append(fakeEnviron(o), "DOORMAN_PUBLIC_URL="+public)...)
	base := strings.Replace(s.URL, public, listening(t, s), 1)
	for path, want := range map[string]int{"/": 404, "/sse": 410, "/sse/": 410, "/messages": 410, "/messages/": 410, "/message": 410} {
		for _, method := range []string{"GET", "POST", "DELETE", "HEAD"} {
			for _, key := range []string{"", "Bearer " + odootest.DefaultCredential, "Bearer dmk_" + canary} {
				for accept, isJSON := range map[string]bool{"application/json, text/event-stream": true, "text/event-stream": false, "text/html,*/*;q=0.8": false, "": false} {
					headers := []string{"Accept", accept}
					if key != "" {
						headers = append(headers, "Authorization", key)
					}
					status, header, body := bare(t, method, base+path+"?session_id="+canary, strings.NewReader(""), headers...)
					name := fmt.Sprintf("%s %s as %q with %.12q", method, path, accept, key)
					if status != want || header.Get("WWW-Authenticate") != "" || header.Get("Location") != "" {
						t.Errorf("%s: %d %v", name, status, header)
					}
					if method == "HEAD" {
						continue
					}
					if !strings.Contains(body, public+"/mcp") || strings.Contains(body, canary) || strings.Contains(body, o.URL()) || json.Valid([]byte(body)) != isJSON {
						t.Errorf("%s: %s", name, body)
					}
				}
			}
		}
		if status, _, body := bare(t, "POST", base+path, strings.NewReader(listTools), "Content-Type", "application/json"); status != want || !json.Valid([]byte(body)) {
			t.Errorf("POST of JSON to %s: %d %s", path, status, body)
		}
		if status, _, body := bare(t, "GET", base+path, nil, "Host", "evil.example.com"); status != 403 || strings.Contains(body, public) {
			t.Errorf("%s by another name: %d %s", path, status, body)
		}
		if status, _, _ := bare(t, "GET", base+path, nil, "Origin", "https://evil.example.com"); status != 403 {
			t.Errorf("%s from another page: %d", path, status)
		}
	}
	for _, path := range []string{"/mcp/x", "/mcp//", "//mcp", "/MCP", "/sse/x", "/sse2", "/messages/x"} {
		if status, _, body := bare(t, "POST", base+path, strings.NewReader(listTools), keyed()...); status != 404 || strings.Contains(body, `"result"`) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

// TestSlash: with a slash at its end the endpoint is the same, with the same locks.
func TestSlash(t *testing.T) {
	t.Parallel()
	s, _ := overFake(t, []odootest.Connection{
		{Credential: odootest.DefaultCredential},
		withPolicy("dmk_rated", access.Policy{RateMinute: 2}),
		withPolicy("dmk_blocked", access.Policy{BlockedIPs: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}),
	}, "DOORMAN_MAX_BODY=2048", "DOORMAN_ALLOWED_ORIGINS=https://inspector.example.com")
	for _, row := range []struct {
		name, method, body string
		headers            []string
		status             int
	}{
		{"the list", "POST", listTools, keyed(), 200},
		{"a notification", "POST", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, keyed(), 202},
		{"from an allowed page", "POST", listTools, keyed("Origin", "https://inspector.example.com"), 200},
		{"a page's browser that asks first", "OPTIONS", "", []string{"Origin", "https://inspector.example.com", "Access-Control-Request-Method", "POST"}, 204},
		{"no key", "POST", listTools, []string{"Content-Type", "application/json"}, 401},
		{"another key", "POST", listTools, []string{"Authorization", "Bearer dmk_nobody"}, 401},
		{"a stream without a key", "GET", "", nil, 401},
		{"a stream", "GET", "", keyed("Accept", "text/event-stream"), 405},
		{"the end of a session", "DELETE", "", keyed(), 405},
		{"another host", "POST", listTools, keyed("Host", "evil.example.com"), 403},
		{"another page", "POST", listTools, keyed("Origin", "https://evil.example.com"), 403},
		{"a blocked address", "POST", listTools, []string{"Content-Type", "application/json", "Authorization", "Bearer dmk_blocked"}, 403},
		{"too large", "POST", listTools + strings.Repeat(" ", 3000), keyed(), 413},
		{"not JSON by its header", "POST", listTools, []string{"Content-Type", "text/plain", "Authorization", "Bearer " + odootest.DefaultCredential}, 415},
		{"not JSON", "POST", "hello", keyed(), 400},
	} {
		var plain string
		for _, path := range []string{"/mcp", "/mcp/"} {
			status, header, body := bare(t, row.method, s.URL+path, strings.NewReader(row.body), row.headers...)
			header.Del("X-Request-Id")
			header.Del("Date")
			answer := fmt.Sprint(status, header, body)
			if path == "/mcp" {
				plain = answer
			}
			if status != row.status || answer != plain {
				t.Errorf("%s %s: %s\nwant %d, and as without a slash: %s", row.name, path, answer, row.status, plain)
			}
			if status >= 400 && !json.Valid([]byte(body)) {
				t.Errorf("%s %s is not JSON: %s", row.name, path, body)
			}
		}
	}
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_context","arguments":{}}}`
	limited := 0
	for i := range 6 {
		_, _, body := bare(t, "POST", s.URL+[]string{"/mcp", "/mcp/"}[i%2], strings.NewReader(call), "Content-Type", "application/json", "Authorization", "Bearer dmk_rated")
		if strings.Contains(body, "rate_limited") {
			limited++
		}
	}
	if limited != 4 {
		t.Errorf("%d of 6 calls were refused by a limit of 2 a minute over both addresses", limited)
	}
}

// chunked hides how much there is, so that it is sent in pieces.
type chunked struct{ io.Reader }

// TestTooLarge: 413 in words, on every route that reads a body, however it is sent. What Doorman reads is bounded before
// anybody is known, or not read at all.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	s, o := overFake(t, nil, "DOORMAN_MAX_BODY=4096")
	person := []string{"Content-Type", "application/json", "Authorization", "Bearer " + o.Options().PersonKey}
	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	for _, row := range []struct {
		method, path, fill string
		headers            []string
		status             int
	}{
		{"POST", "/mcp", " ", keyed(), 413},
		{"POST", "/mcp/", " ", keyed(), 413},
		{"POST", "/api/org/mcp/invites", " ", person, 413},
		{"POST", "/oauth/register", " ", []string{"Content-Type", "application/json"}, 413},
		{"POST", "/oauth/token", "a", form, 413},
		{"POST", "/oauth/revoke", "a", form, 413},
		// Refused by their key or their address, and not read.
		{"POST", "/mcp", " ", []string{"Content-Type", "application/json"}, 401},
		{"POST", "/api/org/mcp/invites", " ", []string{"Content-Type", "application/json"}, 401},
		{"POST", "/", " ", nil, 404},
		{"POST", "/sse", " ", nil, 410},
		{"POST", "/messages", " ", nil, 410},
	} {
		for _, inPieces := range []bool{false, true} {
			const size = 200_000 // more than any of the limits, less than a client sends before it looks for an answer
			var body io.Reader = bytes.NewReader([]byte(`{"jsonrpc":"2.0"` + strings.Repeat(row.fill, size)))
			if inPieces {
				body = chunked{body}
			}
			status, header, answer := bare(t, row.method, s.URL+row.path, body, append(row.headers, "Accept", "application/json")...)
			if status != row.status || !json.Valid([]byte(answer)) || !strings.HasPrefix(header.Get("Content-Type"), "application/json") &&
				!strings.HasPrefix(header.Get("Content-Type"), "application/problem+json") {
				t.Errorf("%s %s, in pieces: %t: %d %s %s", row.method, row.path, inPieces, status, header.Get("Content-Type"), answer)
			}
			if status == 413 && !strings.Contains(answer, "large") {
				t.Errorf("%s: %s", row.path, answer)
			}
		}
	}
}
