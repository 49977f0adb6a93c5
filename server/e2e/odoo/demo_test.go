package odoo_test

import (
	"bytes"
	"strings"
	"testing"

	"doorman/server/app"
	"doorman/server/e2e/kit"
)

// TestRealDemo: `make demo` goes its whole way; nobody's first look at Doorman is an error.
func TestRealDemo(t *testing.T) {
	t.Parallel()
	kit.SkipWithoutOdoo(t)
	var out, log bytes.Buffer
	if err := app.Run(t.Context(), []string{"demo", "--once"}, nil, &out, &log); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out.String(), log.String())
	}
	at := 0
	for _, want := range []string{
		"tools/list", "search_records", "no policy opens", "pending_approval", "executed by Ada Approver", "clicks Revoke", "its very next call is refused",
	} {
		found := strings.Index(out.String()[at:], want)
		if found < 0 {
			t.Fatalf("after %q the demo does not say %q:\n%s", out.String()[:at], want, out.String())
		}
		at += found
	}
}
