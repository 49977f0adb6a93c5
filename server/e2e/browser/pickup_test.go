package browser_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

// TestRealBrowserPickup opens pick-up links in a browser that nobody is logged in to: the token is in no address that a
// server sees, outlasts Odoo's login, and gives its user the key once. A link of before 0.2.0 goes on.
func TestRealBrowserPickup(t *testing.T) {
	o := kit.RealOdoo(t, 0, `
lena = user("lena", "base.group_user")
marc = user("marc", "base.group_user")
connection("link", lena)
connection("old", lena)
env["res.users"].search([]).odoobot_state = "disabled"  # else it opens a chat over what is to be seen
out["settings"] = settings.id`)
	s := kit.Serve(t, o.Environ()...)
	kit.AsAdmin(t, o, "doorman.settings", "write", []int64{o.ID("settings")}, map[string]any{"public_url": s.URL})
	link := func(connection int64) (page, token string) {
		var dialog struct {
			Context struct {
				Link string `json:"default_link"`
			}
		}
		if err := json.Unmarshal(kit.AsAdmin(t, o, "doorman.connection", "action_pickup_link", []int64{connection}), &dialog); err != nil {
			t.Fatal(err)
		}
		page, token, _ = strings.Cut(dialog.Context.Link, "#")
		return o.Server.URL() + page[strings.Index(page, "/doorman/"):], token
	}
	where := func(p *page) string {
		at := ask[string](p, `location.href + " " + document.referrer`)
		return at
	}
	works := func(p *page) {
		p.Helper()
		p.see("pre#key", "dmk_")
		key := strings.TrimSpace(p.texts("pre#key")[0])
		if r := kit.Post(p.T, s.MCP, key, "tools/list", nil); r.Status != http.StatusOK {
			p.Errorf("the key: %d %s", r.Status, r.Body)
		}
	}
	address, token := link(o.ID("link_id"))

	stranger := visitor(t, o)
	stranger.visit(address + "#" + token)
	stranger.logIn("marc")
	stranger.see("h1", "This link does not work")

	p := visitor(t, o)
	p.visit(address)
	p.see("#incomplete", "The link is not complete")
	p.visit(o.Server.URL() + "/web/login") // the same page with another fragment would not be loaded again
	p.visit(address + "#" + token)
	p.wait("input[name=login]")
	if at := where(p); strings.Contains(at, token) {
		p.Errorf("the token is in the address: %s", at)
	}
	p.logIn("lena")
	p.see("h1", "A key for you")
	p.shot("pickup", 700, 900)
	if at := where(p); strings.Contains(at, token) {
		p.Errorf("the token is in the address: %s", at)
	}
	p.click(`//button[contains(., "Show my key")]`)
	works(p)
	p.visit(address + "#" + token)
	p.see("h1", "This link does not work")

	address, token = link(o.ID("old_id"))
	p.visit(address + "/" + token)
	p.see("h1", "A key for you")
	p.click(`//button[contains(., "Show my key")]`)
	works(p)
}
