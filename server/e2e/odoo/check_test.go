package odoo_test

import (
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

// TestRealCheck: an installation on a real Odoo, as it is and with another key.
func TestRealCheck(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 0, "")
	s := kit.Serve(t, o.Environ()...)
	kit.AsAdmin(t, o, "ir.config_parameter", "set_param", "web.base.url", o.Server.URL())
	printed, said := kit.Check(t, append(o.Environ(), "DOORMAN_PUBLIC_URL="+s.URL)...)
	t.Log("\n" + printed)
	if said != "<nil>" || strings.Count(printed, "ok    ") != 5 || strings.Count(printed, "\n") != 7 || !strings.Contains(printed, "web.base.url.freeze") {
		t.Errorf("%s\n%s", said, printed)
	}
	printed, said = kit.Check(t, append(o.Environ(), "DOORMAN_PUBLIC_URL="+s.URL, "DOORMAN_ODOO_KEY="+"another-key")...)
	t.Log("\n" + printed)
	if said != "check: 2 things keep this from working" || !strings.Contains(printed, "refused Doorman's own key") {
		t.Errorf("%s\n%s", said, printed)
	}
}
