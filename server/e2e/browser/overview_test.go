package browser_test

import (
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

// TestRealBrowserOverview goes from a service that nobody uses yet to the numbers of the first page.
func TestRealBrowserOverview(t *testing.T) {
	o := kit.RealOdoo(t, 0, `
env["doorman.connection"]._demo_refresh()
out["pia"] = user("pia", "doorman.group_user").id
if "odoobot_state" in env["res.users"]._fields:  # else it opens a chat over what is to be seen
    env["res.users"].search([]).odoobot_state = "disabled"
settings.action_disable()
out["settings"] = settings.id`)
	b := &backend{o, kit.Serve(t, o.Environ()...)}
	kit.Await(t, "the service has said hello", func() error {
		n, err := o.Host.Psql(t.Context(), o.DB, "SELECT count(*) FROM doorman_replica")
		return kit.Unless(err == nil && strings.TrimSpace(n) == "1", n, err)
	})
	t.Run("checklist", b.checklist)
	t.Run("overview", b.overview)
	t.Run("for administrators only", b.noOverview)
}

// checklist switches access on where the page says that it is off.
func (b *backend) checklist(t *testing.T) {
	p := browser(t, b.o, "admin")
	p.open("mcp-overview", ".o_doorman_overview .o_doorman_steps")
	p.see(".o_doorman_server", "Access off")
	p.see(".o_doorman_server", "Service online")
	p.see(`[data-step="enabled"]`, "Until then every AI tool is refused.")
	p.missing("nothing is left to do there", `[data-step="key"] button, [data-step="service"] button, [data-step="connection"] button`)
	p.shot("overview-steps", 1400, 900)
	p.shot("overview-steps-phone", 390, 844)
	p.click(`[data-step="enabled"] button`)
	p.see(".o_doorman_server", "Access on")
	p.gone(`[data-step="enabled"] button`)
	p.gone(".o_doorman_steps")
}

// overview holds the numbers of the page against the database, and follows them.
func (b *backend) overview(t *testing.T) {
	p := browser(t, b.o, "admin")
	p.open("mcp-overview", ".o_doorman_overview canvas")
	for code, where := range map[string]string{
		"requests": "true", "refused": "outcome = 'refused'", "errors": "outcome = 'error'",
	} {
		n, err := b.o.Host.Psql(t.Context(), b.o.DB, "SELECT to_char(COALESCE(sum(count), 0), 'FM999,999,999') FROM doorman_audit WHERE time >= date_trunc('day', now() AT TIME ZONE 'utc') - interval '6 days' AND "+where)
		if err != nil {
			t.Fatal(err)
		}
		p.see(`[data-tile="`+code+`"]`, strings.TrimSpace(n))
	}
	p.see(`[data-list="connections"]`, "Cursor, web shop team")
	p.shot("overview", 1400, 1040)
	p.shot("overview-phone", 390, 2400)
	p.click(`//*[contains(@class, "btn-group")]//button[normalize-space()="30 days"]`)
	p.wait(`//button[normalize-space()="30 days" and @aria-pressed="true"]`)
	p.wait(".o_doorman_chart canvas")
	p.shot("overview-30", 1400, 1040)
	p.click(`[data-tile="refused"]`)
	p.wait(".o_list_view .o_data_row")
	for _, row := range p.texts(".o_data_row td[name=outcome]") {
		if row != "Refused" {
			t.Errorf("behind the number of what was refused: %q", row)
		}
	}
	p.open("mcp-overview", ".o_doorman_overview canvas")
	p.click(`//*[@data-list="connections"]//button[contains(., "Cursor, web shop team")]`)
	p.wait(".o_form_view .o_doorman_status")
	p.open("mcp-overview", ".o_doorman_overview canvas")
	p.click(".o_doorman_overview_connect")
	p.see(".modal", "Connect a New Tool")
}

// noOverview opens the page as somebody else: the menu begins with their own connections, and the address tells them nothing.
func (b *backend) noOverview(t *testing.T) {
	p := browser(t, b.o, "pia")
	p.open("mcp-overview", "body")
	p.see("body", "Only an MCP administrator can do this.")
	p.missing("the page", ".o_doorman_overview")
}
