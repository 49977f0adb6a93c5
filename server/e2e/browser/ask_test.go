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
