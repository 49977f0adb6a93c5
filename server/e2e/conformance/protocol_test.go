package conformance_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"doorman/odoo/odootest"
	"doorman/server/access"
	"doorman/server/e2e/kit"
)

const (
	modernEra = "2026-07-28"
	legacyEra = "2025-11-25"
	lookerKey = "dmk_looker"
)

// fakeDoorman runs a Doorman over a fake Odoo and returns its endpoint.
func fakeDoorman(t *testing.T) string {
	t.Helper()
	looker := access.Snapshot{}
	looker.Connection.Policy.Scopes = []access.Scope{access.ScopeMetadata}
	o := odootest.New(t, odootest.Options{Connections: []odootest.Connection{
		{Credential: odootest.DefaultCredential}, {Credential: lookerKey, Snapshot: looker},
	}})
	return kit.Serve(t, "DOORMAN_ODOO_URL="+o.URL(), "DOORMAN_ODOO_DB="+o.Options().Database, "DOORMAN_ODOO_KEY="+o.Options().Key).MCP
}

// headers are those of a request; an empty value takes one of the usual ones away.
type headers map[string]string

// reply is an HTTP answer, with what it holds as JSON-RPC.
type reply struct {
	status int
	header http.Header
	body   []byte
	rpc    struct {
		ID     any
		Result map[string]any
		Error  *struct {
			Code    int
			Message string
			Data    map[string]any
		}
	}
}

// send sends one request as a client of the given connection does.
func send(t *testing.T, method, url, body string, h headers) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Authorization": "Bearer " + odootest.DefaultCredential, "Content-Type": "application/json",
		"Accept": "application/json, text/event-stream",
	} {
		request.Header.Set(name, value)
	}
	for name, value := range h {
		request.Header.Set(name, value)
		if value == "" {
			request.Header.Del(name)
		}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	r := reply{status: response.StatusCode, header: response.Header}
	if r.body, err = io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal(r.body, &r.rpc) // what is not JSON shows in the checks
	return r
}

// meta is the part of a modern request that says what the client speaks.
func meta(version string) string {
	return `"_meta":{"io.modelcontextprotocol/protocolVersion":"` + version + `","io.modelcontextprotocol/clientCapabilities":{}}`
}

// rpc is a request with these params; "" = none.
func rpc(method, params string) string {
	if params == "" {
		return `{"jsonrpc":"2.0","id":7,"method":"` + method + `"}`
	}
	return `{"jsonrpc":"2.0","id":7,"method":"` + method + `","params":{` + params + `}}`
}

func modernHeaders(method string) headers {
	return headers{"MCP-Protocol-Version": modernEra, "Mcp-Method": method}
}

// TestEraErrors: what a client of one era gets for a mistake, in the form in which it can tell what to do about it.
// A wrong form here makes clients that start with the newest version give up instead of falling back.
func TestEraErrors(t *testing.T) {
	url := fakeDoorman(t)
	list := rpc("tools/list", meta(modernEra))
	toContext := func(name string) string { return rpc("tools/call", `"name":"`+name+`",`+meta(modernEra)) }
	for _, row := range []struct {
		name   string
		h      headers
		body   string
		status int
		code   int // JSON-RPC error; 0 = a result
	}{
		{"allow modern list", modernHeaders("tools/list"), list, 200, 0},
		{"allow modern discover", modernHeaders("server/discover"), rpc("server/discover", meta(modernEra)), 200, 0},
		{"allow modern call", headers{"MCP-Protocol-Version": modernEra, "Mcp-Method": "tools/call", "Mcp-Name": "get_context"}, toContext("get_context"), 200, 0},
		{"allow legacy list", headers{"MCP-Protocol-Version": legacyEra}, rpc("tools/list", ""), 200, 0},
		{"allow no version at all, as 2025-03-26 clients do", nil, rpc("tools/list", ""), 200, 0},
		{"allow legacy initialize", nil, rpc("initialize", `"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}`), 200, 0},

		{"deny a version of the future", headers{"MCP-Protocol-Version": "2099-01-01", "Mcp-Method": "tools/list"}, rpc("tools/list", meta("2099-01-01")), 400, -32022},
		{"deny discover at a version of the future", headers{"MCP-Protocol-Version": "2099-01-01", "Mcp-Method": "server/discover"}, rpc("server/discover", meta("2099-01-01")), 400, -32022},
		{"deny header modern, body legacy", modernHeaders("tools/list"), rpc("tools/list", meta(legacyEra)), 400, -32020},
		{"deny method of the header is another", modernHeaders("tools/call"), list, 400, -32020},
		{"deny no Mcp-Method", headers{"MCP-Protocol-Version": modernEra}, list, 400, -32020},
		{"deny tool of the header is another", headers{"MCP-Protocol-Version": modernEra, "Mcp-Method": "tools/call", "Mcp-Name": "search_records"}, toContext("get_context"), 400, -32020},
		{"deny no Mcp-Name", modernHeaders("tools/call"), toContext("get_context"), 400, -32020},
		{"deny no _meta", modernHeaders("tools/list"), rpc("tools/list", ""), 400, -32602},
		{"deny no capabilities in _meta", modernHeaders("tools/list"), rpc("tools/list", `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}`), 400, -32602},
		{"deny unknown method", modernHeaders("no/such"), rpc("no/such", meta(modernEra)), 404, -32601},
		{"deny initialize in the modern era", modernHeaders("initialize"), rpc("initialize", meta(modernEra)), 404, -32601},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := send(t, http.MethodPost, url, row.body, row.h)
			code := 0
			if r.rpc.Error != nil {
				code = r.rpc.Error.Code
			}
			if r.status != row.status || code != row.code || r.rpc.ID != 7.0 || (code == 0) != (r.rpc.Result != nil) {
				t.Fatalf("got %d, want %d with code %d: %s", r.status, row.status, row.code, r.body)
			}
			if supported, _ := json.Marshal(errorData(r)["supported"]); code == -32022 &&
				(!bytes.Contains(supported, []byte(modernEra)) || !bytes.Contains(supported, []byte(legacyEra))) {
				t.Fatalf("the refusal does not say what is supported: %s", r.body)
			}
			if id := r.header.Get("Mcp-Session-Id"); id != "" {
				t.Fatalf("a session was made: %s", id)
			}
		})
	}
}

func errorData(r reply) map[string]any {
	if r.rpc.Error == nil {
		return nil
	}
	return r.rpc.Error.Data
}

// TestInitializeVersions: an old client that asks for what we do not speak in its era is offered the newest of that era.
func TestInitializeVersions(t *testing.T) {
	url := fakeDoorman(t)
	for asked, want := range map[string]string{
		"2025-11-25": "2025-11-25", "2025-06-18": "2025-06-18", "2025-03-26": "2025-03-26",
		"2099-01-01": legacyEra, modernEra: legacyEra, "nonsense": legacyEra,
	} {
		t.Run(asked, func(t *testing.T) {
			r := send(t, http.MethodPost, url, rpc("initialize", `"protocolVersion":"`+asked+`","capabilities":{},"clientInfo":{"name":"c","version":"1"}`), nil)
			if got := r.rpc.Result["protocolVersion"]; got != want {
				t.Fatalf("offered %v, want %s: %s", got, want, r.body)
			}
		})
	}
}

// TestHTTPForms: the parts of the transport that are not JSON-RPC.
func TestHTTPForms(t *testing.T) {
	url := fakeDoorman(t)
	for _, era := range []string{modernEra, legacyEra} {
		for _, method := range []string{http.MethodGet, http.MethodDelete, http.MethodPut} {
			t.Run("deny "+method+" "+era, func(t *testing.T) {
				r := send(t, method, url, "", headers{"MCP-Protocol-Version": era, "Accept": "text/event-stream"})
				if r.status != http.StatusMethodNotAllowed || r.header.Get("Allow") != "OPTIONS, POST" {
					t.Fatalf("got %d, Allow %q: %s", r.status, r.header.Get("Allow"), r.body)
				}
			})
		}
	}
	for _, row := range []struct {
		name, body string
		h          headers
	}{
		{"legacy", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, headers{"MCP-Protocol-Version": legacyEra}},
		{"modern", `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,` + meta(modernEra) + `}}`, modernHeaders("notifications/cancelled")},
	} {
		t.Run("allow notification "+row.name, func(t *testing.T) {
			if r := send(t, http.MethodPost, url, row.body, row.h); r.status != http.StatusAccepted || len(r.body) > 0 {
				t.Fatalf("got %d: %s", r.status, r.body)
			}
		})
	}
	for name, body := range map[string]string{"no JSON": "{", "no JSON-RPC": `{"method":3}`, "nothing": ""} {
		t.Run("deny "+name, func(t *testing.T) {
			if r := send(t, http.MethodPost, url, body, headers{"MCP-Protocol-Version": legacyEra}); r.status != http.StatusBadRequest {
				t.Fatalf("got %d: %s", r.status, r.body)
			}
		})
	}
}
