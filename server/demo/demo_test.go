package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"doorman/odoo/odootest"
)

// TestDemoAtAnOdooThatIsThere: the service before it, the ready file, and as much of the walk as only reads.
func TestDemoAtAnOdooThatIsThere(t *testing.T) {
	t.Parallel()
	odoo := odootest.New(t)
	remote := []string{"--once", "--odoo-url", odoo.URL(), "--odoo-db", odoo.Options().Database, "--service-key", odoo.Options().Key}
	file := filepath.Join(t.TempDir(), "ready.json")
	var out, log bytes.Buffer
	if err := run(t.Context(), slices.Concat(remote, []string{"--key", odootest.DefaultCredential, "--ready-file", file}), &out, &log); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out.String(), log.String())
	}
	for _, want := range []string{"tools/list", "search_records", "refused:"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "Revoke") || odoo.Effects() != 0 {
		t.Errorf("the walk changed somebody else's Odoo:\n%s", out.String())
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v: it holds keys", info, err)
	}
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var told map[string]any
	if err := json.Unmarshal(body, &told); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"odoo_url", "odoo_db", "admin_login", "admin_password", "users", "mcp_url", "key", "service_url", "service_key"} {
		if _, there := told[name]; !there {
			t.Errorf("no %s in %s", name, body)
		}
	}
	if told["mcp_url"] != told["service_url"].(string)+"/mcp" || told["key"] != odootest.DefaultCredential {
		t.Errorf("%s", body)
	}

	out.Reset()
	if err := run(t.Context(), remote, &out, &log); err != nil || !strings.Contains(out.String(), "--key") {
		t.Errorf("without a key: %v\n%s", err, out.String())
	}
	wrong := slices.Clone(remote)
	wrong[2] = "http://127.0.0.1:1"
	soon, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := run(soon, append(wrong, "--ready-file", file), &out, &log); err == nil {
		t.Error("an Odoo that is not there")
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the ready file of the earlier run is still there")
	}
}
