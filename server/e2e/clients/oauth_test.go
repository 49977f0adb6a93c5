package clients_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"doorman/odoo/odootest"
	"doorman/server/e2e/kit"
)

// TestOAuthClients: the official TypeScript clients find their way from a bare URL to a tool, known by their document and
// registered by themselves, and refresh when their token is over. The person is the fake Odoo.
func TestOAuthClients(t *testing.T) {
	node := kit.NeedNode(t)
	odoo := odootest.New(t)
	s := kit.Serve(t, "DOORMAN_ODOO_URL="+odoo.URL(), "DOORMAN_ODOO_DB="+odootest.DefaultDatabase, "DOORMAN_ODOO_KEY="+odootest.DefaultKey)
	for _, flavour := range []string{"v1", "v2"} {
		for name, document := range map[string]string{"registers": "", "document": "https://claude.ai/oauth/claude-code-client-metadata"} {
			t.Run(flavour+" "+name, func(t *testing.T) {
				job, _ := json.Marshal(map[string]string{"url": s.MCP, "issuer": s.URL, "document": document})
				out := node.Run(t, nil, string(job), "oauth.mjs", flavour)
				var seen struct {
					Scopes, Resources []string
					Registered        string
					Iss, State        string
					Called, Refreshed bool
				}
				if err := json.Unmarshal([]byte(out.Stdout), &seen); err != nil || out.Code != 0 {
					t.Fatalf("%v\n%s\n%s", err, out.Stdout, out.Stderr)
				}
				if !seen.Called || !seen.Refreshed || seen.Iss != s.URL || seen.State != "state-of-typescript" {
					t.Errorf("%+v", seen)
				}
				if len(seen.Scopes) != 1 || !strings.HasPrefix(seen.Scopes[0], "mcp:metadata mcp:search") || fmt.Sprint(seen.Resources) != "["+s.MCP+"]" {
					t.Errorf("%+v", seen)
				}
				if document == "" && !strings.HasPrefix(seen.Registered, "dmo_") {
					t.Errorf("registered as %q", seen.Registered)
				}
			})
		}
	}
}
