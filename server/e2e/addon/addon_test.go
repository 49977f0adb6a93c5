package addon_test

import (
	"os"
	"testing"

	"doorman/server/e2e/kit"
)

// TestRealAddon runs the addon's own tests, in Odoo's own runner.
func TestRealAddon(t *testing.T) {
	o := kit.RealOdoo(t, 0, ``)
	db, err := o.Host.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	result, err := o.Host.RunTests(t.Context(), db, "doorman", "/doorman", os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d tests of the addon", result.Tests)
	if result.Tests < 50 {
		t.Errorf("only %d tests were found", result.Tests)
	}
}
