package browser_test

import (
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/labstack/echo/v4"

	"doorman/server/e2e/kit"
)

// TestRealBrowserAsk asks a page that goes away before it answers: the next page does.
func TestRealBrowserAsk(t *testing.T) {
	kit.SkipWithoutOdoo(t) // it needs no Odoo, but Chromium, as all of these do
	pages := httptest.NewServer(echo.New())
	t.Cleanup(pages.Close)
	p := tab(t, newProfile(t), nil)
	p.visit(pages.URL + "/first")
	if where := ask[string](p, `location.pathname === "/first" ? new Promise(() => { location = "/second" }) : location.pathname`, chromedp.EvalAwaitPromise); where != "/second" {
		t.Errorf("%s answers", where)
	}
}

// TestRealBrowserDraws asks, and acts on, what a page draws only after a while: once it is there, and once only.
func TestRealBrowserDraws(t *testing.T) {
	kit.SkipWithoutOdoo(t) // as above
	pages := httptest.NewServer(echo.New())
	t.Cleanup(pages.Close)
	p := tab(t, newProfile(t), nil)
	p.visit(pages.URL)
	p.js(`window.clicks = 0; setTimeout(() => document.body.append(Object.assign(document.createElement("button"), {innerText: "Late", onclick: () => clicks++})), 500)`)
	if says := ask[string](p, `document.querySelector("button").innerText`); says != "Late" {
		t.Errorf("it says %q", says)
	}
	p.js(`document.querySelector("button").remove(); setTimeout(() => document.body.append(Object.assign(document.createElement("button"), {onclick: () => clicks++})), 500)`)
	p.act(`document.querySelector("button")`, `e.click()`)
	if clicks := ask[int](p, `clicks`); clicks != 1 {
		t.Errorf("clicked %d times", clicks)
	}
}
