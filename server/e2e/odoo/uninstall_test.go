package odoo_test

import (
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"doorman/odoo/localodoo"
	"doorman/server/e2e/kit"
)

// whatThereIs is everything of a database that an addon may leave behind: its schema, and the rows by which somebody comes
// in, something runs, or is shown.
const whatThereIs = `
SELECT c.relkind::text || ' ' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'public' AND c.relkind IN ('r', 'v', 'm', 'S', 'i');
SELECT 'function ' || p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public';
SELECT 'column ' || table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public';
SELECT 'constraint ' || conrelid::regclass || ' ' || conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace;
SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal;
SELECT 'user ' || login || ' ' || active FROM res_users;
SELECT 'contact ' || name || ' ' || active FROM res_partner;
SELECT 'key ' || scope || ' ' || user_id FROM res_users_apikeys;
SELECT 'group ' || (name->>'en_US') FROM res_groups;
SELECT 'cron ' || cron_name FROM ir_cron;
SELECT 'parameter ' || key FROM ir_config_parameter;
SELECT 'model ' || model FROM ir_model;
SELECT 'xmlid ' || module || '.' || name FROM ir_model_data WHERE module || name LIKE '%doorman%';
SELECT 'view ' || coalesce(key, name) FROM ir_ui_view;
SELECT 'menu ' || (name->>'en_US') FROM ir_ui_menu;
SELECT 'activity type ' || (name->>'en_US') FROM mail_activity_type;
SELECT 'messages of ' || model FROM mail_message WHERE model LIKE 'doorman%';
SELECT 'activities of ' || res_model FROM mail_activity WHERE res_model LIKE 'doorman%';
SELECT 'files of ' || res_model FROM ir_attachment WHERE res_model LIKE 'doorman%';
SELECT 'followers of ' || res_model FROM mail_followers WHERE res_model LIKE 'doorman%'`

// mayStay is what does not belong to Doorman, or not any more.
var mayStay = []string{
	"xmlid base.module_doorman", // the list of Apps
	"contact Made once true",    // what was done through it
	"contact Mia true", "user mia true",
}

// used is a database in which everything of Doorman's has been used.
const used = `
settings = env["doorman.settings"]._get()
settings.action_enable()
service_key = settings._generate_service_key()
admin = env.ref("base.user_admin")
admin.group_ids = [(4, env.ref("doorman.group_admin").id)]
user = env["res.users"].with_context(no_reset_password=True).create({"name": "Mia", "login": "mia", "password": "mia",
    "group_ids": [(6, 0, [env.ref(g).id for g in ("base.group_user", "doorman.group_user", "base.group_partner_manager")])]})
connections = env["doorman.connection"]
connection = connections.create({"name": "Mia's", "user_id": user.id, "scope_ids": [(6, 0, env["doorman.scope"].search([]).ids)]})
proof = __import__("hashlib").sha256(connection._issue_key().encode()).hexdigest()
gone = connections.create({"name": "Gone", "user_id": user.id})
gone._issue_key()
gone.action_revoke()
invite, token = env["doorman.invite"].with_user(admin)._make({})
gateway = env["doorman.gateway"].with_user(settings._service_user_id())
def call(**request):
    snapshot = gateway.resolve(proof)["snapshot"]
    fence = {"proof": proof, "connection": snapshot["connection"]["id"], "version": snapshot["connection"]["version"],
             "settings_version": snapshot["settings"]["version"], "groups": snapshot["user"]["groups"], "registry": snapshot["registry"]}
    answer = gateway.call(fence, {"audit": {"method": "tools/call", "tool": "x"}} | request)
    assert "error" not in answer and "stale" not in answer, answer
    return answer
call(model="res.partner", method="create", kwargs={"vals_list": [{"name": "Made once"}]}, idempotency_key="once")
connection.approval_tool_ids = env["doorman.tool"].search([])
connection.approve_outward = True
env.flush_all()
print(service_key)`

// json2 is the HTTP status of a call over Odoo's own API.
func json2(t *testing.T, o *kit.Odoo, key, model, method string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, o.Server.URL()+"/json/2/"+model+"/"+method, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Odoo-Database", o.DB)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// TestRealUninstall: nothing of Doorman is left once it is uninstalled, and nobody comes in; installed again, it begins anew.
func TestRealUninstall(t *testing.T) {
	kit.SkipWithoutOdoo(t)
	host, err := localodoo.Start(t.Context(), localodoo.Options{Addons: []string{kit.AddonDir(t)}, Log: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	db, err := host.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	shell := func(script string) string {
		t.Helper()
		out, err := host.Shell(t.Context(), db, script)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(out)
	}
	look := func() []string {
		t.Helper()
		out, err := host.Psql(t.Context(), db, whatThereIs)
		if err != nil {
			t.Fatal(err)
		}
		rows := strings.Split(strings.TrimSpace(out), "\n")
		slices.Sort(rows)
		return slices.Compact(rows)
	}
	server, err := host.Serve(t.Context(), localodoo.ServeOptions{Databases: []string{db}})
	if err != nil {
		t.Fatal(err)
	}
	shell(`env["ir.module.module"].update_list()`)
	o := &kit.Odoo{Host: host, Server: server, DB: db}
	apps := func(method string) {
		t.Helper()
		id := shell(`print(env["ir.module.module"].search([("name", "=", "doorman")]).id)`)
		number, err := strconv.Atoi(id)
		if err != nil {
			t.Fatal(err)
		}
		kit.AsAdmin(t, o, "ir.module.module", method, []int{number})
	}
	before := look()
	apps("button_immediate_install")
	key := shell(used)
	if status := json2(t, o, key, "doorman.gateway", "hello"); status == http.StatusUnauthorized {
		t.Fatal("the service's key does not answer while it should")
	}
	apps("button_immediate_uninstall")
	for _, row := range look() {
		if _, there := slices.BinarySearch(before, row); !there && !slices.Contains(mayStay, row) {
			t.Errorf("left: %s", row)
		}
	}
	if status := json2(t, o, key, "res.users", "context_get"); status != http.StatusUnauthorized {
		t.Errorf("the service's key still answers: %d", status)
	}
	apps("button_immediate_install")
	if left := shell(`env.cr.execute("SELECT count(*) FROM doorman_idempotency"); print(env.cr.fetchone()[0], env["doorman.connection"].search_count([]))`); left != "0 0" {
		t.Errorf("installed again, it knows %s", left)
	}
	log, err := os.ReadFile(server.LogFile())
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, " ERROR ") || strings.Contains(line, " CRITICAL ") {
			t.Errorf("Odoo logs %s", line)
		}
	}
}
