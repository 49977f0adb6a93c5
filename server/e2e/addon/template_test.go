package addon_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

var update = flag.Bool("update", false, "write the templates of translations as Odoo exports them (with DOORMAN_TEST_ODOO=1)")

// exports prints an addon's template, as Odoo's own export makes it: odoo/tools/translate.py.
const exports = `
from io import BytesIO
from odoo.tools.translate import trans_export
buffer = BytesIO()
trans_export(False, ["%ADDON%"], buffer, "po", env)
print(buffer.getvalue().decode(), end="")
`

// dates are the lines of a template's head that tell when it was exported: with them, no two exports are alike.
var dates = regexp.MustCompile(`(?m)^"(POT-Creation|PO-Revision)-Date: .*\n`)

// TestRealTemplates holds each addon's template of translations, i18n/*.pot, against what Odoo exports of it today. With -update
// it writes them: make translations.
func TestRealTemplates(t *testing.T) {
	kit.SkipWithoutOdoo(t)
	o := kit.RealOdooWith(t, []string{"doorman_code"}, 0, ``)
	db, err := o.Host.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, addon := range []string{"doorman", "doorman_code"} {
		exported, err := o.Host.Shell(t.Context(), db, strings.ReplaceAll(exports, "%ADDON%", addon))
		if err != nil {
			t.Fatal(err)
		}
		today := dates.ReplaceAllString(exported, "")
		path := filepath.Join(kit.AddonDir(t), addon, "i18n", addon+".pot")
		if *update {
			if err := os.WriteFile(path, []byte(today), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		kept, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(kept) != today {
			t.Errorf("%s.pot is not what Odoo exports: run make translations.\n%s", addon, firstChange(string(kept), today))
		}
	}
}

// firstChange returns the first lines in which two texts differ.
func firstChange(kept, today string) string {
	was, is := strings.Split(kept, "\n"), strings.Split(today, "\n")
	for i := range min(len(was), len(is)) {
		if was[i] != is[i] {
			return fmt.Sprintf("line %d: %s\nis now: %s", i+1, was[i], is[i])
		}
	}
	return fmt.Sprintf("%d lines are %d now", len(was), len(is))
}
