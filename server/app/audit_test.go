package app

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorman/odoo/odootest"
)

func TestAuditArguments(t *testing.T) {
	for _, args := range [][]string{
		{}, {"import"}, {"export", "file"}, {"export", "--after", "x"}, {"export", "--after", "-2"},
		{"verify", "--head", "1"}, {"verify", "--head", "x:" + strings.Repeat("0", 64)}, {"verify", "--head", "-1:" + strings.Repeat("0", 64)},
		{"verify", "--head", "1:" + strings.Repeat("0", 63)}, {"verify", "--unknown"},
	} {
		var out bytes.Buffer
		err := Run(context.Background(), append([]string{"audit"}, args...), nil, &out, &out)
		var usage UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), "Usage: doorman audit export") || out.Len() > 0 {
			t.Errorf("%q: %v", args, err)
		}
	}
}

func TestAuditConfiguration(t *testing.T) {
	for _, command := range []string{"export", "verify"} {
		err := Run(context.Background(), []string{"audit", command}, []string{"DOORMAN_ODOO_URL=nowhere"}, &bytes.Buffer{}, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), "DOORMAN_ADMIN_KEY is missing") {
			t.Errorf("%s: %v", command, err)
		}
	}
}

// TestAudit exports from an Odoo, and verifies what came, and what is there.
func TestAudit(t *testing.T) {
	fake := odootest.New(t, odootest.Options{})
	lines := odootest.AuditLines(2_500)
	fake.SetAudit(lines[:1_200])
	dir := t.TempDir()
	file, cursor := filepath.Join(dir, "audit.jsonl"), filepath.Join(dir, "cursor")
	run := func(key string, args ...string) (string, error) {
		t.Helper()
		var out bytes.Buffer
		environ := []string{"DOORMAN_ODOO_URL=" + fake.URL(), "DOORMAN_ODOO_DB=" + odootest.DefaultDatabase, "DOORMAN_ADMIN_KEY=" + key}
		err := Run(t.Context(), append([]string{"audit"}, args...), environ, &out, &out)
		return out.String(), err
	}
	must := func(want string, args ...string) string {
		t.Helper()
		out, err := run(fake.Options().PersonKey, args...)
		if err != nil || !strings.Contains(out, want) {
			t.Fatalf("%q: %q, %v", args, out, err)
		}
		return out
	}
	refused := func(want string, args ...string) {
		t.Helper()
		if out, err := run(fake.Options().PersonKey, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q, %v: want %s", args, out, err, want)
		}
	}
	must("Rows exported: 1200; the head is 1200:", "export", "--to", file, "--cursor", cursor)
	must("Rows exported: 0", "export", "--to", file, "--cursor", cursor)
	fake.SetAudit(lines)
	out := must("Rows exported: 1300; the head is 2500:", "export", "--to", file, "--cursor", cursor)
	_, head, _ := strings.Cut(strings.TrimSpace(out), "the head is ")
	must("Rows that fit their chain: 2500, from 1 on; the last is "+head, "verify", "--head", head, file)
	must("Rows that fit their chain: 2500, from 1 on; the head is "+head, "verify", "--head", head)
	must(lines[2_499], "export", "--after", "2400")

	refused("the chain ends before row 2501", "verify", "--head", "2501"+head[4:])
	refused("the chain ends before row 2501", "verify", "--head", "2501"+head[4:], file)
	refused("the chain was rewritten: at row 2400", "verify", "--head", "2400"+head[4:])
	refused("the chain was rewritten: at row 2400", "verify", "--head", "2400"+head[4:], file)
	refused("no such file", "verify", filepath.Join(dir, "none"))
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(text, []byte(`"id":1777,`), []byte(`"id":1778,`), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	refused("row 1677 of the chain was changed", "verify", file)
	fake.SetAudit(lines[:900])
	refused("the chain ends before row 2500", "export", "--to", file, "--cursor", cursor)

	for key, want := range map[string]string{
		fake.Options().UserKey: "cannot read the audit", fake.Options().Key: "cannot read the audit", "wrong": "no longer works",
	} {
		for _, command := range []string{"export", "verify"} {
			if out, err := run(key, command); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s with %q: %q, %v", command, key, out, err)
			}
		}
	}
}
