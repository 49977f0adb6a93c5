package clients_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

const inspector = "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"

// The Inspector's exit codes, as its documentation lists them.
const (
	exitOK         = 0
	exitAuthNeeded = 3
	exitToolError  = 5
)

// checkInspector runs the Inspector's command line in both eras; scripts and people's CI use it, by its exit codes.
func checkInspector(t *testing.T, node *kit.Interpreter, url string, o *kit.Odoo) {
	config := filepath.Join(t.TempDir(), "inspector.json")
	servers := map[string]any{}
	for name, key := range map[string]string{"good": o.Text("full"), "wrong": "dmk_wrong"} {
		servers[name] = map[string]any{
			"type": "streamable-http", "url": url, "protocolEra": "modern",
			"headers": map[string]string{"Authorization": "Bearer " + key},
		}
	}
	body, err := json.Marshal(map[string]any{"mcpServers": servers})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, body, 0o600); err != nil {
		t.Fatal(err)
	}
	header := func(key string) []string {
		return []string{url, "--transport", "http", "--header", "Authorization: Bearer " + key}
	}
	const search = `{"model":"res.partner","limit":1}`
	const refused = `{"model":"no.such.model"}`
	for _, row := range []struct {
		name  string
		to    []string
		what  []string
		code  int
		says  string // on stdout
		error string // on stderr
	}{
		{"legacy: initialize", header(o.Text("full")), []string{"initialize"}, exitOK, `"protocolVersion":"2025-11-25"`, ""},
		// --strict: exit 6 if a schema of ours is not one that every client can take.
		{"legacy: list", header(o.Text("full")), []string{"tools/list", "--strict"}, exitOK, `"name":"search_records"`, ""},
		{"legacy: call", header(o.Text("full")), toolCall("search_records", search), exitOK, `"records":[`, ""},
		{"legacy: deny, refused call", header(o.Text("full")), toolCall("search_records", refused), exitToolError, `"kind":"unknown_model"`, "tool_is_error"},
		{"legacy: deny, no key", []string{url, "--transport", "http"}, []string{"tools/list"}, exitAuthNeeded, "", "auth_required"},
		{"legacy: deny, wrong key", header("dmk_wrong"), []string{"tools/list"}, exitAuthNeeded, "", "auth_required"},
		{"modern: initialize", modern(config, "good"), []string{"initialize"}, exitOK, `"protocolVersion":"2026-07-28"`, ""},
		{"modern: list", modern(config, "good"), []string{"tools/list", "--strict"}, exitOK, `"name":"search_records"`, ""},
		{"modern: call", modern(config, "good"), toolCall("search_records", search), exitOK, `"records":[`, ""},
		{"modern: deny, refused call", modern(config, "good"), toolCall("search_records", refused), exitToolError, `"kind":"unknown_model"`, "tool_is_error"},
		{"modern: deny, wrong key", modern(config, "wrong"), []string{"tools/list"}, exitAuthNeeded, "", "auth_required"},
	} {
		t.Run(row.name, func(t *testing.T) {
			args := append([]string{"--cli"}, row.to...)
			args = append(args, "--stored-auth-only", "--format", "json", "--method")
			// The secret store is named: otherwise the outcome hangs on this machine's key ring.
			out := node.Run(t, []string{"MCP_INSPECTOR_SECRET_STORE=memory"}, "", inspector, append(args, row.what...)...)
			if out.Code != row.code || !strings.Contains(out.Stdout, row.says) || !strings.Contains(out.Stderr, row.error) {
				t.Fatalf("exit %d, want %d\nstdout, wants %s: %.2000s\nstderr, wants %s: %.2000s",
					out.Code, row.code, row.says, out.Stdout, row.error, out.Stderr)
			}
		})
	}
}

func modern(config, server string) []string { return []string{"--config", config, "--server", server} }

func toolCall(name, args string) []string {
	return []string{"tools/call", "--tool-name", name, "--tool-args-json", args}
}
