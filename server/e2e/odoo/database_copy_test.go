package odoo_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"doorman/server/e2e/kit"
)

// review says what becomes of a copy, as an MCP administrator does in the dialog, and switches access on.
const review = `
admin = env.ref("base.user_admin")
admin.group_ids = [(4, env.ref("doorman.group_admin").id)]
settings = env["doorman.settings"]._get().with_user(admin)
dialog = env["doorman.review.copy"].with_user(admin).browse(settings.action_review_copy()["res_id"])
dialog.purpose = "instead"
for line in dialog.line_ids:
    line.keep = line.name == "kept"
dialog.action_apply()
settings.action_enable()
`

// TestRealDatabaseCopy: keys of a database open no copy of it until an administrator has said what the copy is; then what was
// ticked, and nothing else. A service that two databases answer takes calls of the first.
func TestRealDatabaseCopy(t *testing.T) {
	t.Parallel()
	o := kit.OwnOdoo(t, 0, "")
	original := o.Beside(t, `connection("kept", admin); connection("forgotten", admin)`)
	db, err := o.Host.NewDatabaseFrom(t.Context(), original.DB)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Host.DropDatabase(context.Background(), db) })
	copied := &kit.Odoo{Host: o.Host, Server: o.Server, DB: db, ServiceKey: original.ServiceKey, Out: original.Out}
	for _, name := range []string{original.DB, db} { // now that it is copied: the first call must not pay for it
		if err := o.Server.Open(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	opens := func(s *kit.Service, key string) error { return kit.Search(t.Context(), s.MCP, original.Text(key)) }
	ready := func(s *kit.Service) (int, string) {
		status, _, body := kit.Get(t, http.MethodGet, s.URL+"/readyz")
		return status, body
	}
	ofOriginal, ofCopy := kit.Serve(t, original.Environ()...), kit.Serve(t, copied.Environ()...)
	for _, key := range []string{"kept", "forgotten"} {
		if err := opens(ofOriginal, key); err != nil {
			t.Errorf("the original refuses %q: %v", key, err)
		}
		if opens(ofCopy, key) == nil {
			t.Errorf("the copy takes %q", key)
		}
	}
	if status, body := ready(ofCopy); status != http.StatusServiceUnavailable || !strings.Contains(body, "copy of another one") {
		t.Errorf("the service of the copy says %d %s", status, body)
	}
	if on, err := o.Host.Psql(t.Context(), db, "SELECT enabled FROM doorman_settings"); err != nil || strings.TrimSpace(on) != "f" {
		t.Errorf("access in the copy: %q %v", on, err)
	}

	copied.Python(t, review)
	kit.Await(t, "the copy's service to be ready", readiness(t, ofCopy, http.StatusOK))
	if err := opens(ofCopy, "kept"); err != nil || opens(ofCopy, "forgotten") == nil {
		t.Errorf("after the review the copy takes what was not ticked, or refuses what was: %v", err)
	}
	if err := opens(ofOriginal, "forgotten"); err != nil {
		t.Errorf("the original does not answer any more: %v", err)
	}

	// Both are in use now, and one key opens both: by accident a proxy leads to one, then to the other.
	to, err := url.Parse(o.Server.URL())
	if err != nil {
		t.Fatal(err)
	}
	var name atomic.Value
	name.Store(original.DB)
	wrong := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Header.Set("X-Odoo-Database", name.Load().(string))
	}}
	proxy := httptest.NewServer(wrong)
	t.Cleanup(proxy.Close)
	both := kit.Serve(t, original.EnvironAt(proxy.URL)...)
	if err := opens(both, "kept"); err != nil {
		t.Errorf("through the proxy nothing is answered: %v", err)
	}
	name.Store(db)
	kit.Await(t, "the service to notice", func() error {
		status, body := ready(both)
		return kit.Unless(status == http.StatusServiceUnavailable && strings.Contains(body, "A different Odoo database"), status, " ", body)
	})
	if opens(both, "kept") == nil {
		t.Error("a call went to the other database")
	}
	name.Store(original.DB)
	kit.Await(t, "the first database", func() error { return opens(both, "kept") })
}
