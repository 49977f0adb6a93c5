package upgrade_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"doorman/odoo/localodoo"
	"doorman/server/access"
	"doorman/server/e2e/kit"
)

// soon is how soon an update shows, on whichever side it was made.
const soon = 20 * time.Second

// site is an installation on its way from one version to today's.
type site struct {
	v       version
	host    *localodoo.Host
	server  *localodoo.Server
	program string // the service of then
	bases   []*base
}

// base is one of its databases.
type base struct {
	*kit.Odoo
	switches bool // SQL and Python are on
	listen   string
	life     *life
	before   dump
}

func (b *base) String() string {
	return map[bool]string{true: "switched on", false: "switched off"}[b.switches]
}

// TestRealUpgrade: every version there was becomes today's, with all that people had, and both sides say so meanwhile.
func TestRealUpgrade(t *testing.T) {
	kit.SkipWithoutOdoo(t)
	for _, v := range versions(t) {
		t.Run(v.Version, func(t *testing.T) {
			s := install(t, v)
			for _, b := range s.bases {
				t.Run("life before, "+b.String(), func(t *testing.T) { s.fill(t, b) })
			}
			if t.Failed() {
				t.FailNow()
			}
			t.Run("today's service, the addon of then", s.newService)
			t.Run("today's addon, the database of then", s.newCode)
			if err := s.server.Stop(); err != nil {
				t.Fatal(err)
			}
			for _, b := range s.bases {
				t.Run("update, "+b.String(), func(t *testing.T) { s.update(t, b) })
			}
			if err := s.server.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			t.Run("the service of then, today's addon", s.oldService)
			for _, b := range s.bases {
				t.Run("life after, "+b.String(), func(t *testing.T) { s.after(t, b) })
			}
		})
	}
}

// install makes an Odoo with the addon of then, and two databases.
func install(t *testing.T, v version) *site {
	t.Helper()
	tree := checkout(t, v)
	s := &site{v: v, program: buildThen(t, tree)}
	var err error
	s.host, err = localodoo.Start(t.Context(), localodoo.Options{
		Addons: []string{filepath.Join(tree, "addon")}, Modules: []string{"doorman"}, Demo: true, Log: os.Stderr,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.host.Close() })
	for _, switches := range []bool{false, true} {
		// One address for the service of then and for today's: tokens are made for it.
		b := &base{Odoo: &kit.Odoo{Host: s.host}, switches: switches, listen: kit.FreeAddress(t)}
		if b.DB, err = s.host.NewDatabase(t.Context()); err != nil {
			t.Fatal(err)
		}
		python := map[bool]string{true: "True", false: "False"}[switches]
		b.Out = b.Python(t, "switches = "+python+"\n"+fillOf(t, v))
		b.ServiceKey = b.Text("service_key")
		s.bases = append(s.bases, b)
	}
	if s.server, err = s.host.Serve(t.Context(), localodoo.ServeOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, b := range s.bases {
		b.Server = s.server
	}
	return s
}

// fill lets people and AI tools use the service of then.
func (s *site) fill(t *testing.T, b *base) {
	service := serveThen(t, s.program, b.listen, b.Environ()...)
	awaitCatalog(t, b)
	b.life = live(t, b.Odoo, service)
	service.stop() // what is left for the audit is sent now
}

// awaitCatalog waits until the service has told Odoo of its tools.
func awaitCatalog(t *testing.T, b *base) {
	t.Helper()
	kit.Await(t, "the catalog is there", func() error {
		out, err := b.Host.Psql(t.Context(), b.DB, "SELECT count(*) FROM doorman_tool WHERE name = 'aggregate_records' AND offered")
		return kit.Unless(err == nil && strings.TrimSpace(out) == "1", out, err)
	})
}

// newService: today's service finds the addon of then, says what to do, and sends it no call.
func (s *site) newService(t *testing.T) {
	if s.v.Interface == access.Interface {
		t.Skip("they speak the same interface")
	}
	s.updating(t, "its addon in Odoo is older than the service", "odoo -u doorman")
}

// newCode: somebody has put today's addon there, restarted Odoo, and not run -u.
func (s *site) newCode(t *testing.T) {
	if err := s.host.UseAddons(kit.AddonDir(t)); err != nil {
		t.Fatal(err)
	}
	if err := s.server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.updating(t, "the addon's code is newer than its database", "odoo -u doorman")
}

// updating checks that probes, administrators and AI tools are told that it is being updated, and that nothing is done.
func (s *site) updating(t *testing.T, says, cure string) {
	t.Helper()
	b := s.bases[0]
	before := takeDump(t, b.Odoo)
	service := kit.Serve(t, b.Environ()...)
	var body string
	kit.Within(t, soon, "/readyz says so", func() error {
		var status int
		status, _, body = kit.Get(t, http.MethodGet, service.URL+"/readyz")
		return kit.Unless(status == http.StatusServiceUnavailable && strings.Contains(body, "updating"), status, " ", body)
	})
	kit.Wants(t, body, says, cure)
	printed, said := kit.Check(t, b.Environ()...)
	kit.Wants(t, printed, "FAIL  Odoo", says, cure)
	if said == "<nil>" {
		t.Error("check ends well")
	}
	for tool, args := range map[string]kit.Args{"search_records": {"model": "res.partner"}, "create_records": onceArgs} {
		r := kit.Post(t, service.MCP, b.Text("key"), "tools/call", kit.ToolCall(tool, args))
		content, kind := r.Tool()
		if wait, _ := content["retry_after_seconds"].(float64); r.Status != http.StatusOK || kind != "updating" || wait <= 0 {
			t.Errorf("%s: HTTP %d %s", tool, r.Status, r.Body)
		}
		kit.Wants(t, fmt.Sprint(content["message"], content["hint"]), "Doorman is being updated", says, cure)
	}
	if err := service.Stop(); err != nil {
		t.Error(err)
	}
	takeDump(t, b.Odoo).sameAs(t, before, may{Columns: map[string]string{
		"doorman_settings.gateway_last_seen": "it said hello", "doorman_settings.gateway_version": "likewise", "doorman_settings.gateway_url": "likewise",
	}})
}

// update runs -u with today's code, and holds what is there against what was.
func (s *site) update(t *testing.T, b *base) {
	b.before = takeDump(t, b.Odoo)
	if n := b.before.size(); n < 300 {
		t.Errorf("only %d rows before the update: the database was not filled", n)
	}
	for _, table := range empty(b.before) {
		t.Errorf("nothing was in %s before the update, so nothing is proven of it", table)
	}
	left := b.number(t, "SELECT count(*) FROM doorman_audit WHERE folded IS NOT TRUE")
	log, err := s.host.Update(t.Context(), b.DB, "doorman")
	if err != nil {
		t.Fatal(err)
	}
	if n := b.number(t, notAsCounted); n != 0 {
		t.Errorf("%d sums of the audit are not what counting says", n)
	}
	if n := b.number(t, "SELECT count(*) FROM doorman_audit_rest()"); n != left || left == 0 {
		t.Errorf("%d rows are still to be added up, %d were before the update", n, left)
	}
	if n := b.number(t, fromUnknown); n != 0 {
		t.Errorf("%d connections were used from where the update does not know: it would be told as new", n)
	}
	takeDump(t, b.Odoo).sameAs(t, b.before, mayChange[s.v.Version])
	out, err := s.host.Psql(t.Context(), b.DB, "SELECT latest_version FROM ir_module_module WHERE name = 'doorman'")
	if want := manifestVersion(t, repo(t)); err != nil || strings.TrimSpace(out) != want {
		t.Errorf("the database is at %s, want %s: %v", out, want, err)
	}
	// Of a database that is up to date already: what is in its log is nothing of the update.
	usual, err := s.host.Update(t.Context(), b.DB, "doorman")
	if err != nil {
		t.Fatal(err)
	}
	known := complaints(usual)
	for line := range complaints(log) {
		if !known[line] {
			t.Errorf("the log of the update: %s", line)
		}
	}
	takeDump(t, b.Odoo).sameAs(t, b.before, mayChange[s.v.Version])
}

// fromUnknown is how many connections with answered calls the table of addresses does not have; -1 without any calls.
const fromUnknown = `
	SELECT CASE WHEN count(*) = 0 THEN -1 ELSE count(*) FILTER (WHERE NOT EXISTS (
		SELECT FROM doorman_connection_origin o WHERE o.connection_id = used.id AND o.kind = 'address')) END
	FROM (SELECT DISTINCT c.id FROM doorman_audit a JOIN doorman_connection c ON c.id = a.connection_id
		WHERE a.ip > '' AND a.outcome = 'ok' AND a.method = 'tools/call') used`

// notAsCounted is in how many places the sums of the audit differ from it.
const notAsCounted = `
	WITH counted AS (SELECT time::date AS day, company_id, outcome, count(*), sum(count) FROM doorman_audit GROUP BY 1, 2, 3),
	shown AS (SELECT day, company_id, outcome, sum(entries), sum(requests) FROM doorman_use_day GROUP BY 1, 2, 3)
	SELECT count(*) FROM ((TABLE counted EXCEPT TABLE shown) UNION ALL (TABLE shown EXCEPT TABLE counted)) differs`

// number is the one number that a query gives.
func (b *base) number(t *testing.T, sql string) (n int) {
	t.Helper()
	out, err := b.Host.Psql(t.Context(), b.DB, sql)
	if err == nil {
		n, err = strconv.Atoi(strings.TrimSpace(out))
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// mayBeEmpty are tables of then in which there need not be anything.
var mayBeEmpty = map[string]string{
	"doorman_invite_gate":  "it is a lock",
	"doorman_invite_guess": "wrong guesses of a quarter of an hour",
	"doorman_invite_code":  "codes that prove an email address, for minutes",
}

// empty are the tables without a row, but for lists that dialogs fill and those that may be.
func empty(d dump) (tables []string) {
	for _, table := range slices.Sorted(maps.Keys(d)) {
		transient := strings.Contains(table, "_wizard") || strings.Contains(table, "_rotate_") || strings.Contains(table, "_reject") ||
			strings.Contains(table, "_key_show") || strings.HasSuffix(table, "_rel")
		if len(d[table]) == 0 && !transient && mayBeEmpty[table] == "" {
			tables = append(tables, table)
		}
	}
	return tables
}

var logLine = regexp.MustCompile(`^\S+ \S+ \d+ (WARNING|ERROR|CRITICAL) \S+ (.*)$`)

// complaints are what a log warns of, without what differs from run to run.
func complaints(log string) map[string]bool {
	found := map[string]bool{}
	for line := range strings.Lines(log) {
		if m := logLine.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			found[m[1]+" "+regexp.MustCompile(`\d+`).ReplaceAllString(m[2], "N")] = true
		}
	}
	return found
}

// oldService: somebody has updated Odoo and not the service. It is refused, in words that it can tell.
func (s *site) oldService(t *testing.T) {
	if s.v.Interface == access.Interface {
		t.Skip("they speak the same interface")
	}
	b := s.bases[0]
	before := takeDump(t, b.Odoo)
	service := serveThen(t, s.program, "127.0.0.1:0", b.Environ()...)
	var body string
	kit.Within(t, soon, "/readyz of then is told so", func() error {
		var status int
		status, _, body = kit.Get(t, http.MethodGet, service.URL+"/readyz")
		// Until then Odoo may be starting.
		return kit.Unless(status == http.StatusServiceUnavailable && strings.Contains(body, "updated"), status, " ", body)
	})
	says := []string{"Doorman is being updated", fmt.Sprintf("the service speaks interface %d", s.v.Interface)}
	kit.Wants(t, body, says...)
	kit.Wants(t, service.check(t), append(says, "FAIL  Odoo")...)
	r := kit.Post(t, service.MCP, b.Text("key"), "tools/call", kit.ToolCall("create_records", onceArgs))
	if _, failed := r.Tool(); failed == "" {
		t.Errorf("a call of the service of then was done: %s", r.Body)
	}
	kit.Wants(t, r.Body, says...)
	service.stop()
	takeDump(t, b.Odoo).sameAs(t, before, may{})
}

// after starts today's service where that of then was, and goes on with what was begun.
func (s *site) after(t *testing.T, b *base) {
	if b.life == nil {
		t.Skip("there was no life before")
	}
	service := kit.Serve(t, append(b.Environ(), "DOORMAN_LISTEN="+b.listen)...)
	kit.Within(t, soon, "/readyz is ready", func() error {
		status, _, body := kit.Get(t, http.MethodGet, service.URL+"/readyz")
		return kit.Unless(status == http.StatusOK, status, " ", body)
	})
	printed, _ := kit.Check(t, b.Environ()...)
	kit.Wants(t, printed, "ok    Odoo", "addon "+manifestVersion(t, repo(t)))
	from := len(s.log(t))
	b.life.goesOn(t, service, b.switches)
	for line := range complaints(s.log(t)[from:]) {
		// What Debian's package of Odoo lacks is an error in its log wherever a page is shown.
		if !strings.HasPrefix(line, "WARNING") && !strings.Contains(line, "selfie_segmentation") {
			t.Errorf("Odoo logged: %s", line)
		}
	}
}

// log is what Odoo has logged so far.
func (s *site) log(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(s.server.LogFile())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
