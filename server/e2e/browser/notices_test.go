package browser_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"

	"doorman/server/e2e/kit"
)

// TestRealBrowserNotices is an administrator who sets up the webhook, tries it out, and sees that it works, and then that it does not.
func TestRealBrowserNotices(t *testing.T) {
	o := kit.RealOdoo(t, 0, `
env["res.users"].search([]).odoobot_state = "disabled"
env["doorman.replica"]._note("1.0", "https://mcp.example.com/mcp")  # the service runs
lena = user("lena", "base.group_user", "doorman.group_user")
connection("key", lena)`)
	status := http.StatusOK
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	t.Cleanup(receiver.Close)
	p := browser(t, o, "admin")
	p.open(settingsAction, ".o_form_view .nav-link[name=notices]")
	p.click(".nav-link[name=notices]")
	p.see(".o_form_view", "Refusals within 10 minutes")
	p.shot("notices", 1400, 1250)
	p.fill(".o_field_widget[name=notice_webhook_url] input", receiver.URL+"/in")
	p.click(".o_field_widget[name=notice_webhook_own_network] input")
	p.click(".o_form_button_save")
	p.gone(".o_form_status_indicator_buttons:not(.invisible)")
	p.click("button[name=action_test_notice]")
	p.see(".o_notification", "The webhook accepted it.")
	p.open(settingsAction, ".o_form_view .nav-link[name=notices]")
	p.click(".nav-link[name=notices]")
	p.see(".o_field_widget[name=notice_webhook_status]", "Delivered on")
	status = http.StatusForbidden
	p.click("button[name=action_test_notice]")
	p.see(".o_notification", "The webhook refused it (HTTP 403).")
	p.click(".o_notification_close")
	p.open(settingsAction, ".o_form_view .nav-link[name=notices]")
	p.click(".nav-link[name=notices]")
	p.see(".o_field_widget[name=notice_webhook_status]", "refused it (HTTP 403)")
	p.shot("notices-webhook", 1400, 1080)
	for _, phone := range [][2]string{{"notices-phone", "notice_address"}, {"notices-webhook-phone", "notice_webhook_format"}} {
		p.do(chromedp.EmulateViewport(390, 900))
		p.until(func() (string, bool) {
			return "a phone does not show " + phone[1], ask[bool](p, `(() => {
				const field = document.querySelector(".o_field_widget[name=`+phone[1]+`]");
				field?.scrollIntoView({block: "center"});
				const top = field?.getBoundingClientRect().top;
				return innerWidth === 390 && top > 50 && top < 860;
			})()`)
		})
		p.shot(phone[0], 390, 900)
	}
	p.do(chromedp.EmulateViewport(390, 900))
	wide := ask[string](p, `[...document.querySelectorAll(".o_form_sheet *")]
		.filter((e) => e.getBoundingClientRect().right > 391 && !e.closest(".o_notebook_headers")).map((e) => e.outerHTML.slice(0, 200)).join("\n")`)
	if wide != "" {
		t.Errorf("wider than the screen: %s", wide)
	}
	p.do(chromedp.EmulateViewport(1400, 900))
	p.open(settingsAction, ".o_form_view .nav-link[name=notices]")
	p.click(".nav-link[name=notices]")
	p.click("button[name=action_new_webhook_secret]")
	p.click(".modal .btn-primary")
	p.see(".modal .o_field_widget[name=key]", "whsec_")
	p.shot("notices-secret", 1400, 800)
	p.done()

	p.form(o.ID("key_id"))
	p.see("button[name=action_email_pickup_link]", "Email Pick-up Link")
	p.shot("notices-pickup", 1400, 700)
	p.open("action-doorman.doorman_invite_wizard_action", ".o_field_widget[name=email_to]")
	p.shot("notices-invite", 1400, 900)
	offersEmail(p)
}

// offersEmail: a person who connects a tool for somebody else can have the link sent.
func offersEmail(p *page) {
	p.Helper()
	p.open("action-doorman.doorman_connect_wizard_action", ".o_doorman_tiles")
	p.click(`//*[contains(@class, "o_form_view")]//button[normalize-space()="API Key"]`)
	p.wait(".o_field_widget[name=user_id] input")
	p.missing("one's own key by email", ".o_field_widget[name=email_link]")
	p.click(".o_field_widget[name=user_id] input")
	p.do(chromedp.SendKeys(".o_field_widget[name=user_id] input", "lena"))
	p.click(`//*[contains(@class, "o-autocomplete--dropdown-item")][contains(., "Lena")]`)
	p.gone(".o-autocomplete--dropdown-menu")
	p.see(".o_form_view", "Send the link by email")
	p.do(chromedp.Blur(".o_field_widget[name=user_id] input"))
	p.shot("wizard-email", 1400, 900)
	p.shot("wizard-email-phone", 390, 1400)
}
