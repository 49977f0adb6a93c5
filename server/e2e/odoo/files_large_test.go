package odoo_test

import (
	"bytes"
	"crypto/rand"
	"slices"
	"strings"
	"testing"

	"doorman/server/access"
	"doorman/server/e2e/kit"
)

// TestRealLargeFiles: the largest file that goes through does, both ways, whatever way Odoo is reached.
func TestRealLargeFiles(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 0, `
connection("key", admin, scope_ids=[Command.set(env["doorman.scope"].search([]).ids)])
out["partner"] = admin.partner_id.id`)
	content := make([]byte, access.MaxFile)
	_, _ = rand.Read(content)
	for _, transport := range []string{"doorman", "json2", "jsonrpc", "xmlrpc"} {
		t.Run(transport, func(t *testing.T) {
			s := kit.Serve(t, append(o.Environ(), "DOORMAN_ODOO_TRANSPORT="+transport)...)
			session := kit.Connect(t, s.MCP, o.Text("key"))
			room := kit.Args{"model": "res.partner", "id": o.ID("partner"), "name": "large-" + transport + ".bin"}
			link, _ := kit.Must(t, session, "request_upload", room)["link"].(string)
			if status, _, body := fetch(t, "PUT", link, append(slices.Clone(content), '!')); status != 413 || !strings.Contains(string(body), "at most") {
				t.Errorf("a byte too many: %d %.200s", status, body)
			}
			status, _, body := fetch(t, "PUT", link, content)
			if status != 201 {
				t.Fatalf("%d %.300s", status, body)
			}
			files, _ := kit.Must(t, session, "get_attachment", kit.Args{"model": "res.partner", "id": o.ID("partner")})["files"].([]any)
			newest, _ := files[0].(map[string]any)
			back := kit.Must(t, session, "get_attachment", kit.Args{"model": "res.partner", "id": o.ID("partner"), "attachment_id": newest["id"]})
			link, _ = back["link"].(string)
			if status, _, body := fetch(t, "GET", link, nil); status != 200 || !bytes.Equal(body, content) {
				t.Errorf("%d, %d bytes came back", status, len(body))
			}
		})
	}
}
