package app_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"doorman/server/app/apptest"
)

// browser opens a headless Chromium, logged in to Odoo.
func browser(t *testing.T, o *apptest.Odoo, login string) context.Context {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Skip("needs chromium: make deps installs it")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-sync", true),
		chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1400, 900))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	// The browser lives as long as the context of the first call: its time limit comes after.
	run(t, ctx, chromedp.Navigate("about:blank"))
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	run(t, ctx,
		chromedp.Navigate(o.Server.URL()+"/web/login?db="+o.DB),
		chromedp.WaitVisible(`input[name=login]`),
		chromedp.SetValue(`input[name=login]`, login),
		chromedp.SetValue(`input[name=password]`, login),
		chromedp.Submit(`form.oe_login_form`),
		chromedp.WaitVisible(`.o_web_client .o_main_navbar`),
	)
	return ctx
}

func run(t *testing.T, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// open goes to an action of the addon and waits for its view.
func open(t *testing.T, ctx context.Context, o *apptest.Odoo, path, view string) {
	t.Helper()
	run(t, ctx, chromedp.Navigate(o.Server.URL()+"/odoo/"+path), chromedp.WaitVisible(view))
}

// texts returns what the elements say, one string each.
func texts(t *testing.T, ctx context.Context, selector string) []string {
	t.Helper()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll("`+selector+`")].map(e => e.innerText.trim())`))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// shot saves what is seen to DOORMAN_TEST_SHOTS, where that is set: the pictures in docs/ are made so.
func shot(t *testing.T, ctx context.Context, name string, width, height int64) {
	t.Helper()
	dir := os.Getenv("DOORMAN_TEST_SHOTS")
	if dir == "" {
		return
	}
	// The pause is for the eye, not for the test: animations end, avatars load.
	run(t, ctx, chromedp.EmulateViewport(width, height), chromedp.Sleep(600*time.Millisecond))
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestRealBackend clicks through what this addon adds to Odoo's backend.
func TestRealBackend(t *testing.T) {
	o := apptest.RealOdoo(t, 0, `
from datetime import datetime, timedelta
marc, lena = user("marc", "doorman.group_user"), user("lena", "doorman.group_user")
def made(name, owner, state, count, hours, **values):
    c = connection(name, owner, **values)
    c._inside().write({"state": state, "request_count": count,
                       "last_used": hours is not None and datetime.now() - timedelta(hours=hours)})
made("Claude Code, Marc's laptop", marc, "connected", 1284, 0.2)
made("Cursor, web shop team", admin, "connected", 342, 3)
made("Sales assistant", lena, "idle", 87, 130)
made("Gemini CLI, month-end reports", admin, "awaiting", 0, None)
c = made("n8n, order import", admin, "connected", 9120, 900); 
env["doorman.connection"].search([("name", "=", "n8n, order import")]).action_revoke()`)
	s := apptest.Serve(t, o.Environ()...)
	apptest.Eventually(t, 10*time.Second, "the catalog is in Odoo", func() bool {
		n, err := o.Host.Psql(t.Context(), o.DB, "SELECT count(*) FROM doorman_tool")
		return err == nil && strings.TrimSpace(n) == "6"
	})
	session := apptest.Connect(t, s.MCP, o.Text("Cursor, web shop team"))
	apptest.Call(t, session, "search_records", map[string]any{"model": "res.partner"})
	apptest.Call(t, session, "search_records", map[string]any{"model": "ir.rule"})

	t.Run("administrator", func(t *testing.T) {
		ctx := browser(t, o, "admin")
		open(t, ctx, o, "action-doorman.doorman_connection_action", ".o_list_view .o_data_row")
		if rows := texts(t, ctx, ".o_data_row"); len(rows) != 4 {
			t.Errorf("the list opens with %d rows, want the 4 that are not revoked: %q", len(rows), rows)
		}
		if headers := strings.Join(texts(t, ctx, ".o_list_table thead th"), "|"); !strings.Contains(headers, "Type|Name|User|Status|Last used|Requests") {
			t.Errorf("columns %q", headers)
		}
		shot(t, ctx, "connections", 1400, 520)
		run(t, ctx, chromedp.Click(`.o_searchview_facet .o_facet_remove`), chromedp.WaitVisible(`.o_data_row.text-danger`))
		if rows := texts(t, ctx, ".o_data_row"); len(rows) != 5 {
			t.Errorf("without the filter %d rows, want 5", len(rows))
		}
		shot(t, ctx, "connections-all", 1400, 560)

		run(t, ctx, chromedp.Click(`//td[contains(., "Cursor, web shop team")]`), chromedp.WaitVisible(`.o_form_view .o_field_widget[name=name]`))
		shot(t, ctx, "connection", 1400, 1000)
		open(t, ctx, o, "action-doorman.doorman_settings_action", ".o_form_view button[name=action_disable]")
		shot(t, ctx, "settings", 1400, 700)
		open(t, ctx, o, "action-doorman.doorman_tool_action", ".o_list_view .o_data_row")
		shot(t, ctx, "tools", 1400, 480)
		open(t, ctx, o, "action-doorman.doorman_audit_action", ".o_list_view .o_data_row")
		if rows := texts(t, ctx, ".o_data_row"); len(rows) != 2 {
			t.Errorf("audit rows %q", rows)
		}
		shot(t, ctx, "audit", 1400, 420)
	})
	t.Run("a new key, shown once", func(t *testing.T) {
		ctx := browser(t, o, "admin")
		id := o.ID("Gemini CLI, month-end reports_id")
		open(t, ctx, o, fmt.Sprintf("action-doorman.doorman_connection_action/%d", id), ".o_form_view button[name=action_rotate_key]")
		run(t, ctx, chromedp.Click(`//button[@name="action_rotate_key"][contains(., "Rotate Key")]`), chromedp.WaitVisible(`.modal .modal-footer .btn-primary`), chromedp.Click(`.modal .modal-footer .btn-primary`),
			chromedp.WaitVisible(`.modal .o_field_widget[name=key]`))
		shot(t, ctx, "key", 1400, 700)
		keys := texts(t, ctx, `.modal .o_field_widget[name=key]`)
		if len(keys) != 1 || !strings.HasPrefix(keys[0], "dmk_") {
			t.Fatalf("the dialog shows %q", keys)
		}
		key, _, _ := strings.Cut(keys[0], "\n")
		if ok, err := post(t.Context(), s.MCP, key); !ok || err != nil {
			t.Errorf("the new key does not work: %v", err)
		}
		if ok, _ := post(t.Context(), s.MCP, o.Text("Gemini CLI, month-end reports")); ok {
			t.Error("the old key still works")
		}
	})
	t.Run("MCP user sees their own, and cannot make one", func(t *testing.T) {
		ctx := browser(t, o, "marc")
		open(t, ctx, o, "action-doorman.doorman_connection_action", ".o_list_view .o_data_row")
		if rows := texts(t, ctx, ".o_data_row"); len(rows) != 1 || !strings.Contains(rows[0], "Marc") {
			t.Errorf("rows %q", rows)
		}
		if buttons := texts(t, ctx, ".o_list_button_add"); len(buttons) != 0 {
			t.Errorf("there is a button to make one: %q", buttons)
		}
		shot(t, ctx, "connections-user", 1400, 420)
		shot(t, ctx, "connections-phone", 412, 700)
	})
}
