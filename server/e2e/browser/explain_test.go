package browser_test

import (
	"testing"

	"doorman/server/e2e/kit"

	"github.com/chromedp/chromedp"
)

// explain asks what a connection may do, and sees what decides it.
func (b *backend) explain(t *testing.T) {
	p := browser(t, b.o, "admin")
	cursor := b.id(t, "Cursor, web shop team")
	kit.NewKey(t, b.o, "action_rotate_key", cursor)
	p.form(cursor)
	p.click(`//button[contains(., "Explain Access")]`)
	choose := func(field, text, item string) {
		t.Helper()
		p.wait(".modal .o_field_widget[name=" + field + "] input")
		p.do(chromedp.SendKeys(".modal .o_field_widget[name="+field+"] input", text))
		p.click(`//*[contains(@class, "o-autocomplete--dropdown-item")][contains(., "` + item + `")]`)
		p.gone(".o-autocomplete--dropdown-menu") // it lies over the buttons
	}
	choose("tool_id", "search_records", "search_records")
	choose("model_id", "Contact", "Contact")
	p.click(".modal button[name=action_explain]")
	p.see(".modal .o_field_widget[name=outcome]", "Allowed")
	p.see(".modal", "Policy: models and rules")
	p.shot("explain", 1400, 900)
	p.shot("explain-phone", 412, 900)
	p.do(chromedp.EmulateViewport(1400, 900))
	p.click(".modal button.btn-close")
	p.gone(".modal")

	p.click(`//button[contains(., "Explain Access")]`)
	choose("tool_id", "delete_records", "delete_records")
	choose("model_id", "Contact", "Contact")
	p.click(".modal button[name=action_explain]")
	p.see(".modal .o_field_widget[name=outcome]", "Refused")
	p.see(".modal", "scope_missing")
	p.shot("explain-refused", 1400, 900)
}
