package kit

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Where the REST API is.
const (
	InvitesPath     = "/api/org/mcp/invites"
	ConnectionsPath = "/api/org/mcp/connections"
	UsagePath       = "/api/org/mcp/usage"
	ServerPath      = "/api/org/mcp/server"
)

// InviteExamples are the two examples of docs/invites.md, as they stand there but for the host: to create, and to revoke.
func InviteExamples(t testing.TB, s *Service) (create, revoke string) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("needs curl")
	}
	text, err := os.ReadFile(filepath.Join(filepath.Dir(AddonDir(t)), "docs", "invites.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```bash\n# (?:Create|Revoke) an invite via API\n(curl .*?)```").FindAllSubmatch(text, -1)
	if len(found) != 2 {
		t.Fatalf("%d examples", len(found))
	}
	here := func(i int) string { return strings.ReplaceAll(string(found[i][1]), "https://mcp.example.com", s.URL) }
	return here(0), here(1)
}

// RunExample runs an example as a person would, and returns what it printed.
func RunExample(t testing.TB, example, token string) (answer map[string]any) {
	t.Helper()
	shell := exec.CommandContext(t.Context(), "sh", "-c", example)
	shell.Env = []string{"PATH=" + os.Getenv("PATH"), "TOKEN=" + token}
	out, err := shell.Output()
	if err != nil {
		t.Fatalf("%s: %v", example, err)
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("%s: %s", example, out)
	}
	return answer
}

// InviteLink is an invite's link, of which the last part is the token.
var InviteLink = regexp.MustCompile(`^https?://[^/]+/oauth/invite/([A-Za-z0-9_-]{43})$`)

// CreateByExample runs the first example and checks its answer.
func CreateByExample(t testing.TB, example, token string) (id int64, link string) {
	t.Helper()
	made := RunExample(t, example, token)
	number, _ := made["id"].(float64)
	link, _ = made["invite_url"].(string)
	if number < 1 || !InviteLink.MatchString(link) || made["max_uses"] != 5.0 || made["current_uses"] != 0.0 || made["expires_at"] == "" ||
		fmt.Sprint(made["scopes"]) != "[mcp:metadata mcp:orm mcp:search]" && fmt.Sprint(made["scopes"]) != "[mcp:orm mcp:search mcp:metadata]" &&
			fmt.Sprint(made["scopes"]) != "[mcp:metadata mcp:search mcp:orm]" || made["key_name_preset"] != "External Dev MCP Key" {
		t.Fatalf("made %v", made)
	}
	return int64(number), link
}

// WholeInvite is a body with every field of an invite.
const WholeInvite = `{"scopes":["mcp:orm","mcp:search"],"max_uses":5,"expires_in":"1d12h","key_name_preset":"k","key_expires_in":"0h","read_only":true,"research_tools":true,"approve_outward":false,
"allowed_tools":["search_records"],"approval_tools":["create_records"],"allowed_models":["res.partner"],"companies":[1],
"model_rules":[{"model":"res.partner","read":true,"create":true,"write":true,"delete":false,"domain":"[('id', '>', 0)]","hidden":["email"],"masked":["phone"]}],
"approval_rules":[{"risk":"high","model":"","tool":"update_records","more_than":5,"per_day":true,"reads":false}],"approver":"admin","approver_group":"base.group_user","two_approvers":"high",
"approval_expiry_hours":48,"allowed_ips":["10.0.0.0/8"],"blocked_ips":["10.0.0.1"],"recipient_domains":["example.com","*.partner.example"],"rate_limit_minute":5,"rate_limit_day":50,"rows_reply":60,"rows_day":600,
"accept_list":["@example.com"],"new_accounts":true,"account_groups":["base.group_user"],"description":"why"}`

// WholeConnection is a body with every field of a new connection.
const WholeConnection = `{"name":"k","user":"admin","expires_at":"2099-01-31T12:00:00Z","key_days":30,"deliver":"link","scopes":["mcp:orm","mcp:search"],` +
	wholePolicy + `,"description":"why"}`

// WholeNarrowing is a body with every field of which a connection takes a stricter value. FreeConnection makes one that it
// makes stricter.
const (
	WholeNarrowing = `{"expires_at":"2099-01-31T12:00:00Z","scopes":["mcp:search"],` + wholePolicy + `}`
	FreeConnection = `{"name":"free","user":"admin","scopes":["mcp:orm","mcp:search"],"approver":"approver","approver_group":"base.group_user","approval_expiry_hours":72}`
)

const wholePolicy = `"read_only":true,"research_tools":false,"approve_outward":true,
"allowed_tools":["search_records"],"approval_tools":["create_records"],"allowed_models":["res.partner"],"companies":[1],
"model_rules":[{"model":"res.partner","read":true,"create":true,"write":true,"delete":false,"domain":"[('id', '>', 0)]","hidden":["email"],"masked":["phone"]}],
"approval_rules":[{"risk":"high","model":"","tool":"update_records","more_than":5,"per_day":true,"reads":false}],"approver":"approver","approver_group":"base.group_user","two_approvers":"high",
"approval_expiry_hours":48,"allowed_ips":["10.0.0.0/8"],"blocked_ips":["10.0.0.1"],"recipient_domains":["example.com","*.partner.example"],"rate_limit_minute":5,"rate_limit_day":50,"rows_reply":60,"rows_day":600`
