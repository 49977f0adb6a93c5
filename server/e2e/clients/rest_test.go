package clients_test

import (
	"path/filepath"
	"testing"

	"doorman/odoo/odootest"
	"doorman/server/e2e/kit"
)

// TestRESTDocument: Schemathesis reads the document of the REST API, and asks for what it says there is, and for what it says
// there is not, in ways that nobody thought of. Odoo is the fake.
//
// Left out are two of its checks: it tries wrong keys, of which the service counts too many and then hears nobody; and it
// expects that what has the right form is taken, while Odoo also asks whether there is such a user, and what a change widens.
func TestRESTDocument(t *testing.T) {
	python := kit.NeedPython(t)
	odoo := odootest.New(t)
	s := kit.Serve(t, "DOORMAN_ODOO_URL="+odoo.URL(), "DOORMAN_ODOO_DB="+odootest.DefaultDatabase, "DOORMAN_ODOO_KEY="+odootest.DefaultKey)
	settings := filepath.Join(python.Dir, "rest.toml")
	out := python.Run(t, nil, "", "rest.py", "--config-file", settings, "run", s.URL+"/api/openapi.json", "--header", "Authorization: Bearer "+odoo.Options().PersonKey,
		"--exclude-checks", "ignored_auth,positive_data_acceptance", "--phases", "examples,coverage,fuzzing", "--max-examples", "15",
		"--max-redirects", "0", "--seed", "1", "--no-shrink", "--warnings", "off")
	if out.Code != 0 {
		t.Errorf("%d\n%s\n%s", out.Code, out.Stdout, out.Stderr)
	}
	for _, method := range []string{"api_create", "api_connect", "api_narrow", "api_rotate", "api_disconnect", "api_usage", "api_switch_off"} {
		if odoo.Count(method) == 0 {
			t.Errorf("%s was never asked", method)
		}
	}
}
