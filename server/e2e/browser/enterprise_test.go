package browser_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"doorman/server/e2e/kit"
)

const issuerAction = "action-doorman.doorman_oauth_issuer_action"

// TestRealBrowserIssuer is an administrator who sets up a trusted issuer, and a client that comes with what it has signed.
func TestRealBrowserIssuer(t *testing.T) {
	o := kit.RealOdoo(t, 0, `env["res.users"].search([]).odoobot_state = "disabled"`)
	p := browser(t, o, "admin")
	p.open(settingsAction, ".o_form_view .nav-link[name=oauth]")
	p.click(".nav-link[name=oauth]")
	p.click(".o_field_widget[name=oauth_assertions] input")
	p.see(".o_form_view", "Trusted Issuers")
	p.shot("enterprise-settings", 1400, 1080)
	p.do(chromedp.EmulateViewport(390, 900)) // first: with it, the page scrolls back to its top
	p.until(func() (string, bool) {
		p.act(`document.querySelector("[name=oauth_assertions]")`, `e.scrollIntoView({block: "center"})`)
		seen := p.texts(".o_form_view button.btn-link")
		return "no button to the issuers on a phone", len(seen) > 0
	})
	p.shot("enterprise-settings-phone", 390, 900)
	p.click(".o_form_button_save")
	p.gone(".o_form_status_indicator_buttons:not(.invisible)")
	p.click(`//button[contains(., "Trusted Issuers")]`)
	p.see(".o_list_view, .o_view_nocontent", "No trusted issuers yet")
	p.shot("issuers-none", 1400, 700)
	p.click(".o_list_button_add")
	p.fill(".o_field_widget[name=name] input", "Okta")
	p.fill(".o_field_widget[name=issuer] input", "https://Company.okta.com")
	p.see(".o_form_view .alert", "Nobody can be found")
	p.shot("issuer-new", 1400, 800)
	p.click(".o_field_widget[name=match_email] input")
	p.click(".o_form_button_save")
	p.see(".o-mail-Chatter", "added the trusted issuer https://company.okta.com")
	p.shot("trusted-issuer", 1400, 900)
	p.shot("issuer-phone", 390, 900)
	p.click("button[name=action_new_client]")
	p.fill(".modal .o_field_widget[name=name] input", "Claude")
	p.shot("issuer-client", 1400, 800)
	p.click(".modal button[name=action_make]")
	p.see(".modal .o_field_widget[name=key]", "dms_")
	p.see(".modal .o_field_widget[name=client_id]", "dmo_")
	p.shot("issuer-client-secret", 1400, 800)
	p.done()
	p.open(issuerAction, ".o_list_view .o_data_row")
	p.see(".o_data_row", "https://company.okta.com")
	p.shot("issuers", 1400, 600)
	p.shot("issuers-phone", 390, 700)
	out, err := o.Host.Psql(p.Context(), o.DB, "SELECT name, client_type, redirect_uris FROM doorman_oauth_client WHERE user_id IS NULL AND kind = 'custom'")
	if err != nil || !strings.Contains(out, "Claude|confidential|") {
		t.Errorf("%q %v", out, err)
	}
}
