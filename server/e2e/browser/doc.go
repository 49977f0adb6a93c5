// Package browser holds the tests that click through what the addon adds to Odoo's pages, in a headless Chromium, with the
// service and a real Odoo behind them. It has no code of its own. DOORMAN_TEST_SHOTS names a folder for pictures of what is
// seen: those in docs/ are made so.
package browser
