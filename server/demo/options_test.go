package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestOptions: what cannot work is said before anything is started, and in words that name the flag.
func TestOptions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	remote := []string{"--odoo-url", "http://odoo.test:8069", "--odoo-db", "d", "--service-key", "k"}
	for _, row := range []struct {
		args []string
		says string // "" = allowed
	}{
		{nil, ""},
		{[]string{"--once", "--port", "8090", "--workers", "2", "--modules", "sale_management,stock", "--ready-file", filepath.Join(dir, "ready.json")}, ""},
		{remote, ""},
		{slices.Concat(remote, []string{"--key", "dmk_x", "--once"}), ""},
		{[]string{"--help"}, "Usage"},
		{[]string{"now"}, `"now"`},
		{[]string{"--prot", "1"}, "-prot"},
		{[]string{"--once", "--"}, ""},
		{[]string{"--port", "x"}, "-port"},
		{[]string{"--port", "-1"}, "--port: -1"},
		{[]string{"--port", "65536"}, "--port: 65536"},
		{[]string{"--workers", "-1"}, "--workers: -1"},
		{[]string{"--workers", "65"}, "--workers: 65"},
		{[]string{"--workers", "two"}, "-workers"},
		{[]string{"--modules", ""}, "--modules"},
		{[]string{"--modules", "sale,,stock"}, `--modules: ""`},
		{[]string{"--modules", "sale stock"}, `"sale stock"`},
		{[]string{"--modules", "../sale"}, `"../sale"`},
		{[]string{"--modules", "--stop"}, `"--stop"`},
		{[]string{"--ready-file", ""}, "--ready-file"},
		{[]string{"--ready-file", dir}, "is a folder"},
		{[]string{"--ready-file", filepath.Join(dir, "no", "ready.json")}, "there is no folder"},
		{[]string{"--odoo-url", "http://x"}, "belong together"},
		{[]string{"--odoo-db", "d", "--service-key", "k"}, "belong together"},
		{[]string{"--odoo-url", "", "--odoo-db", "", "--service-key", ""}, "belong together"},
		{[]string{"--key", "x"}, "belongs to --odoo-url"},
		{[]string{"--odoo-url", "odoo.test", "--odoo-db", "d", "--service-key", "k"}, "--odoo-url must look like"},
		{slices.Concat(remote, []string{"--modules", "sale"}), "local Odoo"},
		{slices.Concat(remote, []string{"--workers", "0"}), "local Odoo"},
	} {
		_, err := parse(row.args)
		var wrong usageError
		if (err == nil) != (row.says == "") || err != nil && (!errors.As(err, &wrong) || !strings.Contains(err.Error(), row.says)) {
			t.Errorf("%q: %v, want %q", row.args, err, row.says)
		}
	}
	o, err := parse([]string{"--modules", " stock, sale_management,stock"})
	if err != nil || !slices.Equal(o.modules, []string{"sale_management", "stock"}) {
		t.Errorf("%v, %v", o.modules, err)
	}
	for _, flag := range []string{"once", "ready-file", "port", "modules", "workers", "odoo-url", "odoo-db", "service-key", "key"} {
		if !strings.Contains(usage, "--"+flag+" ") {
			t.Errorf("usage does not say --%s", flag)
		}
	}
}

// TestWrongFlagsStartNothing: not even the ready file of an earlier run goes.
func TestWrongFlagsStartNothing(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ready.json")
	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"--ready-file", file, "--port", "70000"}, &out, &out); err == nil || out.Len() != 0 {
		t.Errorf("%v, %q", err, out.String())
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}
