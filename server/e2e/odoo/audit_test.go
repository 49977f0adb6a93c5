package odoo_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"doorman/server/access"
	"doorman/server/app"
	"doorman/server/audit"
	"doorman/server/e2e/kit"
)

const auditPeople = peoplesKeys + `
uma, otto = user("uma", "base.group_user"), user("otto", "base.group_user", "doorman.group_auditor")
out["user_key"], out["auditor_key"], out["gone_key"] = api_key(uma), api_key(otto), api_key(otto)
north = env["res.company"].create({"name": "North"})
connection("mcp_key", admin)
for number in range(12):
    env["doorman.audit"]._insert({
        "outcome": "ok", "count": 1, "method": "tools/call", "tool": "search_records", "client": "\u2028 \"ä\" \\ " + str(number),
        "company_id": north.id if number == 7 else env.company.id, "seen": ["res.partner,%s" % number], "message": "Anna",
    })
settings.public_url = False
`

// TestRealAudit: what leaves a real Odoo fits its chain in any program's hands, nobody else gets it, and what a database
// administrator does to it is named.
func TestRealAudit(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 0, auditPeople)
	s := kit.Serve(t, o.Environ()...)
	psql := func(query string) string {
		t.Helper()
		said, err := o.Host.Psql(t.Context(), o.DB, query)
		if err != nil {
			t.Fatal(err)
		}
		return said
	}
	psql("SELECT doorman_audit_extend(10000)")
	get := func(key, query string) (int, string) {
		t.Helper()
		status, _, answer := kit.Get(t, http.MethodGet, s.URL+"/api/org/mcp/audit"+query, "Authorization", "Bearer "+key)
		return status, answer
	}

	status, lines := get(o.Text("auditor_key"), "")
	v := &audit.Verifier{}
	if err := v.Read(strings.NewReader(lines)); status != http.StatusOK || err != nil || v.End() != nil || v.Rows < 12 || v.Withheld != 1 {
		t.Fatalf("%d: %d rows, %d withheld, %v\n%s", status, v.Rows, v.Withheld, err, lines)
	}
	head := v.At()
	var last struct{ Head access.AuditLink }
	all := strings.Split(strings.TrimSpace(lines), "\n")
	if json.Unmarshal([]byte(all[len(all)-1]), &last) != nil || last.Head != head {
		t.Errorf("the head is %s, the last row %v", all[len(all)-1], head)
	}
	if strings.Contains(lines, "Anna") {
		t.Error("what can be erased was exported")
	}

	run := func(key string, args ...string) (string, error) {
		t.Helper()
		var out bytes.Buffer
		environ := []string{"DOORMAN_ODOO_URL=" + o.Server.URL(), "DOORMAN_ODOO_DB=" + o.DB, "DOORMAN_ADMIN_KEY=" + key}
		err := app.Run(t.Context(), append([]string{"audit"}, args...), environ, &out, &out)
		return out.String(), err
	}
	told := fmt.Sprintf("%d:%s", head.N, head.Digest)
	file := filepath.Join(t.TempDir(), "audit.jsonl")
	if out, err := run(o.Text("admin_key"), "export", "--to", file); err != nil || !strings.Contains(out, told) {
		t.Errorf("%q %v", out, err)
	}
	for _, args := range [][]string{{"verify", "--head", told}, {"verify", "--head", told, file}} {
		if out, err := run(o.Text("auditor_key"), args...); err != nil || !strings.Contains(out, told) {
			t.Errorf("%q: %q %v", args, out, err)
		}
	}

	psql(fmt.Sprintf("DELETE FROM res_users_apikeys WHERE index = '%s'", o.Text("gone_key")[:8]))
	for _, row := range []struct {
		name, key string
		status    int
	}{
		{"no key", "", 401}, {"a wrong key", strings.Repeat("0", 40), 401}, {"a key that was removed", o.Text("gone_key"), 401},
		{"the key of an MCP connection", o.Text("mcp_key"), 401},
		{"the same without its prefix", strings.TrimPrefix(o.Text("mcp_key"), "dmk_"), 401},
		{"an ordinary user's key", o.Text("user_key"), 403}, {"the service's own key", o.ServiceKey, 403},
	} {
		if status, answer := get(row.key, ""); status != row.status || strings.Contains(answer, "digest") {
			t.Errorf("%s: %d %s", row.name, status, answer)
		}
	}
	if out, err := run(o.ServiceKey, "verify"); err == nil {
		t.Errorf("the service's own key verifies: %s", out)
	}

	n := head.N - 3
	psql(fmt.Sprintf("UPDATE doorman_audit SET tool = 'x' WHERE id = (SELECT audit_id FROM doorman_audit_link WHERE n = %d)", n))
	want := fmt.Sprintf("row %d of the chain", n)
	if out, err := run(o.Text("auditor_key"), "verify", "--head", told); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%q %v", out, err)
	}
	if out, err := run(o.Text("auditor_key"), "export"); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%.100q %v", out, err)
	}
	psql("DELETE FROM doorman_audit_link; UPDATE doorman_audit_chain SET n = 0, digest = start_digest, floor_id = 0; SELECT doorman_audit_extend(10000)")
	if out, err := run(o.Text("auditor_key"), "verify"); err != nil {
		t.Errorf("a chain made anew fits itself: %q %v", out, err)
	}
	if out, err := run(o.Text("auditor_key"), "verify", "--head", told); err == nil || !strings.Contains(err.Error(), "rewritten") {
		t.Errorf("%q %v", out, err)
	}
}
