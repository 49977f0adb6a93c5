package addon_test

import (
	"os"
	"testing"

	"doorman/server/e2e/kit"
)

// TestRealAddon runs each addon's own tests, in Odoo's own runner: the base addon's in a database that has no other of
// ours, as most will be.
func TestRealAddon(t *testing.T) {
	for _, row := range []struct {
		addon string
		more  []string // what is installed besides the base addon
		least int      // fewer tests than that, and some were lost on the way
	}{
		{"doorman", nil, 959},
		{"doorman_code", []string{"doorman_code"}, 64},
	} {
		t.Run(row.addon, func(t *testing.T) {
			o := kit.RealOdooWith(t, row.more, 0, ``)
			db, err := o.Host.NewDatabase(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			result, err := o.Host.RunTests(t.Context(), db, row.addon, "/"+row.addon, os.Stderr)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d tests of %s", result.Tests, row.addon)
			if result.Tests < row.least {
				t.Errorf("only %d tests were found, want %d or more", result.Tests, row.least)
			}
		})
	}
}
