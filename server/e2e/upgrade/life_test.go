package upgrade_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/e2e/kit"
)

var shownKey = regexp.MustCompile(`dmk_[0-9a-f]{40}`)

// goesOn checks that whatever was made with the service of then works with today's. It is all done the way people and AI
// tools do it: it must not need to know how anything is kept.
func (l *life) goesOn(t *testing.T, s *kit.Service, switches bool) {
	t.Run("keys", func(t *testing.T) { l.keys(t, s) })
	t.Run("logins", func(t *testing.T) { l.logins(t, s) })
	t.Run("requests for approval", func(t *testing.T) { l.approvals(t, s) })
	t.Run("a change sent again", func(t *testing.T) { l.replay(t, s) })
	t.Run("own tools", func(t *testing.T) { l.ownTools(t, s) })
	t.Run("invites", func(t *testing.T) { l.invites(t, s) })
	t.Run("a pick-up link", func(t *testing.T) { l.pickup(t, s) })
	t.Run("files under way", func(t *testing.T) { l.files(t, s) })
	t.Run("SQL and Python", func(t *testing.T) { l.code(t, s, switches) })
	t.Run("what leaves the company", func(t *testing.T) { l.outward(t) })
	t.Run("what people see", func(t *testing.T) { l.pages(t) })
}

// keys: those that worked work, those that did not do not.
func (l *life) keys(t *testing.T, s *kit.Service) {
	for _, row := range []struct {
		name   string
		status int
		kind   string
	}{
		{"key", 200, ""}, {"awaiting", 200, ""}, {"idle", 200, ""}, {"reader", 200, ""}, {"admin", 200, ""}, {"whole", 200, ""},
		{"gated", 200, ""}, {"rotated", 200, ""}, {"rotated_old", 200, ""}, {"invite_open_key", 200, ""}, {"invite_used_key", 200, ""},
		{"revoked", 401, ""}, {"expired", 401, ""}, {"archived", 401, ""}, {"inactive", 401, ""},
	} {
		r := kit.Post(t, s.MCP, l.o.Text(row.name), "tools/call", kit.ToolCall("search_records", kit.Args{"model": "res.partner", "limit": 1}))
		if r.Status != row.status {
			t.Errorf("%s: HTTP %d, want %d: %s", row.name, r.Status, row.status, r.Body)
			continue
		}
		if _, failed := r.Tool(); row.status == 200 && failed != row.kind {
			t.Errorf("%s: %q: %s", row.name, failed, r.Body)
		}
	}
	// The policy that came along still holds.
	whole := kit.Connect(t, s.MCP, l.o.Text("whole"))
	if content, failed := kit.Call(t, whole, "search_records", kit.Args{"model": "res.users"}); failed != "not_allowed" {
		t.Errorf("a model that is not on the list: %q %v", failed, content)
	}
	if content, failed := kit.Call(t, whole, "create_records", kit.Args{"model": "res.partner", "records": `[{"name":"x"}]`}); failed != "not_allowed" {
		t.Errorf("a tool that is not on the list: %q %v", failed, content)
	}
	reader := kit.Connect(t, s.MCP, l.o.Text("reader"))
	if content, failed := kit.Call(t, reader, "create_records", kit.Args{"model": "res.partner", "records": `[{"name":"x"}]`}); failed != "read_only" {
		t.Errorf("a connection that only reads: %q %v", failed, content)
	}
}

// outward: connections and invites of before do as they did, and the connections say so; the default policy for new ones is the new
// one. What this run has made itself (an accepted invite of before among it) has what it was made from.
func (l *life) outward(t *testing.T) {
	for query, want := range map[string]string{
		"SELECT count(*) FROM doorman_connection WHERE name IN ('key', 'whole', 'gated') AND approve_outward":     "0",
		"SELECT count(*) FROM doorman_connection WHERE name IN ('key', 'whole', 'gated') AND NOT approve_outward": "3",
		"SELECT count(*) FROM doorman_invite WHERE approve_outward":                                               "0",
		"SELECT count(*) FROM doorman_settings WHERE NOT approve_outward":                                         "0",
		`SELECT count(*) FROM doorman_connection c WHERE name IN ('key', 'whole', 'gated') AND 1 = (SELECT count(*) FROM mail_message m
			WHERE m.model = 'doorman.connection' AND m.res_id = c.id AND m.body LIKE '%Require approval for what leaves the company%')`: "3",
	} {
		out, err := l.o.Host.Psql(t.Context(), l.o.DB, query)
		if got := strings.TrimSpace(out); err != nil || got != want {
			t.Errorf("%s: %s, want %s (%v)", query, got, want, err)
		}
	}
}

// logins: tokens work, a refresh token is exchanged, one that was exchanged before is not.
func (l *life) logins(t *testing.T, s *kit.Service) {
	for name, p := range map[string]*kit.Party{"the bot": l.bot, "our own": l.own} {
		p.T, p.Service = t, s
		tokens, form := l.tokens, url.Values{"grant_type": {"refresh_token"}}
		if p == l.own {
			tokens = l.ownToken
			form.Set("client_secret", l.o.Text("client_secret"))
		}
		if err := kit.Search(t.Context(), s.MCP, fmt.Sprint(tokens["access_token"])); err != nil {
			t.Errorf("%s: the access token does not work any more: %v", name, err)
		}
		form.Set("refresh_token", fmt.Sprint(tokens["refresh_token"]))
		status, next := p.Token(form)
		if status != http.StatusOK {
			t.Errorf("%s: the refresh token does not work any more: %d %v", name, status, next)
			continue
		}
		if err := kit.Search(t.Context(), s.MCP, fmt.Sprint(next["access_token"])); err != nil {
			t.Errorf("%s: the new access token does not work: %v", name, err)
		}
	}
	// Exchanged before the grace: stolen, so the whole login ends, as it would have before.
	if _, err := l.o.Host.Psql(t.Context(), l.o.DB, "UPDATE doorman_oauth_token SET used_at = used_at - interval '1 hour'"); err != nil {
		t.Fatal(err)
	}
	if status, answer := l.bot.Refresh(l.spent); status != http.StatusBadRequest || answer["error"] != "invalid_grant" {
		t.Errorf("a refresh token that was exchanged long ago: %d %v", status, answer)
	}
}

// approvals: those that were decided on show the same, those that wait can be decided on, and are done.
func (l *life) approvals(t *testing.T, s *kit.Service) {
	gated := kit.Connect(t, s.MCP, l.o.Text("gated"))
	for name, id := range l.requests {
		// What to do next is the version's own words.
		told := kit.Must(t, gated, "approval_status", kit.Args{"request_id": id})
		if next, _ := told["next"].(string); next == "" {
			t.Errorf("%s: what is next is not told", name)
		}
		told["next"] = l.stood[id]["next"]
		if !same(told, l.stood[id]) {
			t.Errorf("%s: was\n%v\nis\n%v", name, l.stood[id], told)
		}
	}
	l.decide(t, "boss", "action_approve", "waits")
	told := kit.Must(t, gated, "approval_status", kit.Args{"request_id": l.requests["waits"]})
	result, _ := told["result"].(map[string]any)
	if told["status"] != "executed" || kit.Only(t, result)["name"] != "Asked waits" {
		t.Errorf("approved after the update: %v", told)
	}
	l.decide(t, "boss", "action_reject", "waits_too", "Not any more.")
	if told := kit.Must(t, gated, "approval_status", kit.Args{"request_id": l.requests["waits_too"]}); told["status"] != "rejected" {
		t.Errorf("rejected after the update: %v", told)
	}
	if n := l.count(t, "res_partner WHERE name LIKE 'Asked %'"); n != 2 {
		t.Errorf("%d contacts were made, want one before the update and one after", n)
	}
}

// replay: the answer of before, and nothing is done again.
func (l *life) replay(t *testing.T, s *kit.Service) {
	again := kit.Must(t, kit.Connect(t, s.MCP, l.o.Text("key")), "create_records", onceArgs)
	if again["replayed"] != true || !same(again, l.created, "replayed", "note") {
		t.Errorf("was\n%v\nis\n%v", l.created, again)
	}
	if n := l.count(t, "res_partner WHERE ref = 'ONCE'"); n != 1 {
		t.Errorf("it was done %d times", n)
	}
}

// ownTools: the one that was offered is, and runs.
func (l *life) ownTools(t *testing.T, s *kit.Service) {
	session := kit.Connect(t, s.MCP, l.o.Text("key"))
	names := toolNames(t, session)
	if !slices.Contains(names, "set_reference") || slices.Contains(names, "set_reference_two") {
		t.Errorf("offered are %v", names)
	}
	kit.Must(t, session, "set_reference", kit.Args{"ids": []int64{l.o.ID("partner")}, "reference": "after"})
	if n := l.count(t, fmt.Sprintf("res_partner WHERE ref = 'after' AND id = %d", l.o.ID("partner"))); n != 1 {
		t.Error("it did not do its work")
	}
}

// invites: one made before is accepted, and those that had ended let nobody in. The API tells of them.
func (l *life) invites(t *testing.T, s *kit.Service) {
	guest := kit.LogIn(t, l.o, "guest")
	open := func(name string) (int, string) {
		t.Helper()
		_, page := kit.Visit(t, guest, l.o.Server.URL()+"/doorman/invite", nil)
		form := kit.FormOf(t, page)
		form.Set("token", l.o.Text(name))
		return kit.Visit(t, guest, l.o.Server.URL()+"/doorman/invite/open", form)
	}
	for _, name := range []string{"invite_used", "invite_revoked", "invite_expired"} {
		if status, page := open(name); status != http.StatusNotFound {
			t.Errorf("%s opens: %d %.300s", name, status, page)
		}
	}
	for _, name := range []string{"invite_open", "invite_listed"} {
		status, page := open(name)
		if status != http.StatusOK {
			t.Fatalf("%s: %d %.300s", name, status, page)
		}
		_, page = kit.Visit(t, guest, l.o.Server.URL()+"/doorman/invite/accept", kit.FormOf(t, page))
		if err := kit.Search(t.Context(), s.MCP, shownKey.FindString(page)); err != nil {
			t.Errorf("%s gave no key that works: %v", name, err)
		}
	}
	status, _, body := kit.Get(t, http.MethodGet, s.URL+kit.InvitesPath, "Authorization", "Bearer "+l.o.Text("admin_key"))
	for _, name := range []string{"invite_open", "invite_used", "invite_revoked", "invite_listed", "invite_expired"} {
		if status != http.StatusOK || !strings.Contains(body, fmt.Sprintf("%q", name)) {
			t.Errorf("the API does not tell of %s: %d %.500s", name, status, body)
		}
	}
}

// pickup: the link that waited gives its key, the one that it replaced does not.
func (l *life) pickup(t *testing.T, s *kit.Service) {
	zoe := kit.LogIn(t, l.o, "zoe")
	if status, _ := kit.Visit(t, zoe, l.o.Server.URL()+"/doorman/pickup/"+l.o.Text("pickup_ended"), nil); status != http.StatusNotFound {
		t.Errorf("the link that was replaced: %d", status)
	}
	link := l.o.Server.URL() + "/doorman/pickup/" + l.o.Text("pickup")
	_, page := kit.Visit(t, zoe, link, nil)
	_, page = kit.Visit(t, zoe, link, kit.FormOf(t, page))
	if err := kit.Search(t.Context(), s.MCP, shownKey.FindString(page)); err != nil {
		t.Errorf("no key that works: %v: %.300s", err, page)
	}
}

// files: a link is made for one state of Odoo's models, and every update is another. It ends, with words, and a new one
// works.
func (l *life) files(t *testing.T, s *kit.Service) {
	if status, _, body := kit.Get(t, http.MethodGet, s.URL+l.download); status != http.StatusNotFound || !strings.Contains(body, "changed since") {
		t.Errorf("the link of before: %d %s", status, body)
	}
	key := kit.Connect(t, s.MCP, l.o.Text("key"))
	file := kit.Must(t, key, "get_attachment", kit.Args{"model": "res.partner", "id": l.o.ID("partner"), "attachment_id": l.attachment(t, key)})
	if status, _, body := kit.Get(t, http.MethodGet, fmt.Sprint(file["link"])); status != http.StatusOK || body != "the plan" {
		t.Errorf("a new link: %d %s", status, body)
	}
}

// code: SQL and Python are there where they were switched on, and nowhere else.
func (l *life) code(t *testing.T, s *kit.Service, switches bool) {
	session := kit.Connect(t, s.MCP, l.o.Text("admin"))
	refusal := "not_allowed"
	// Once they are an addon of their own, the update installs it only where a switch was on.
	if _, err := os.Stat(filepath.Join(kit.AddonDir(t), "doorman_code")); err == nil {
		want := map[bool]int{true: 1}[switches]
		if n := l.count(t, "ir_module_module WHERE name = 'doorman_code' AND state = 'installed'"); n != want {
			t.Errorf("doorman_code is installed %d times, want %d", n, want)
		}
		refusal = "needs_module"
	}
	names := toolNames(t, session)
	for tool, args := range map[string]kit.Args{"run_sql": {"query": "SELECT 41 + 1 AS answer"}, "run_python": {"code": "result = 41 + 1"}} {
		if slices.Contains(names, tool) != switches {
			t.Errorf("%s is offered: %v, switched on: %v", tool, !switches, switches)
		}
		content, failed := kit.Call(t, session, tool, args)
		if !switches && failed != refusal || switches && (failed != "" || !strings.Contains(fmt.Sprint(content), "42")) {
			t.Errorf("%s, switched on %v: %q %v", tool, switches, failed, content)
		}
	}
}

// pages: the lists that people open in Odoo, with everything in them.
func (l *life) pages(t *testing.T) {
	everything := []any{[]any{"active", "in", []bool{true, false}}}
	for model, row := range map[string]struct {
		domain []any
		least  int
	}{
		"doorman.connection": {everything, 16}, "doorman.oauth.client": {everything, 2}, "doorman.tool": {everything, 20},
		"doorman.invite": {nil, 5}, "doorman.approval": {nil, 7}, "doorman.audit": {nil, 20}, "doorman.own.tool": {nil, 2},
	} {
		var n int
		answer := kit.AsAdmin(t, l.o, model, "search_count", append([]any{}, row.domain...))
		if err := json.Unmarshal(answer, &n); err != nil || n < row.least {
			t.Errorf("%s shows %d records, want %d at least: %v", model, n, row.least, err)
		}
	}
}

// count is how many rows there are.
func (l *life) count(t *testing.T, from string) int {
	t.Helper()
	out, err := l.o.Host.Psql(t.Context(), l.o.DB, "SELECT count(*) FROM "+from)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	if _, err := fmt.Sscan(out, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func toolNames(t *testing.T, session *sdk.ClientSession) (names []string) {
	t.Helper()
	list, err := session.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range list.Tools {
		names = append(names, tool.Name)
	}
	return names
}
