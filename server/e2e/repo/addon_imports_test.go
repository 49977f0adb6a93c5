package repo_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// addonMayImport is the order of the addons' rooms: which others each may import. A room is a folder of an addon, or one
// of the files beside it. Models are reached through Odoo's registry, not by imports;
// __init__ files register what is below them, and tests look at anything.
var addonMayImport = map[string][]string{
	"doorman/policy":          {},
	"doorman/client_snippets": {"doorman/policy"},
	"doorman/tools":           {"doorman/policy"},
	"doorman/models":          {"doorman/policy", "doorman/client_snippets"},
	"doorman/gateway":         {"doorman/policy", "doorman/tools"},
	"doorman/controllers":     {"doorman/policy"},
	"doorman/wizards":         {"doorman/policy", "doorman/client_snippets"},
	"doorman/demo":            {"doorman/policy"},
	"doorman/patches":         {"doorman/policy", "doorman/controllers"},
	"doorman/migrations":      {"doorman/policy"},
	// A program of its own, which no other room imports.
	"doorman/readers": {},
	// An addon of its own, which the base addon does not know.
	"doorman_code": {"doorman/policy", "doorman/tools", "doorman/gateway"},
}

// pythonFile is one file's imports, as testdata/imports.py tells them: dots, what follows them, and the name.
type pythonFile [][3]any

// pythonImports parses all Python files below a folder, but for tests and __init__ files.
func pythonImports(t *testing.T, dir string) map[string]pythonFile {
	t.Helper()
	sources := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".py" || entry.Name() == "__init__.py" || entry.Name() == "__manifest__.py" {
			return err
		}
		local, err := filepath.Rel(dir, name)
		if err != nil || slices.Contains(strings.Split(filepath.ToSlash(local), "/"), "tests") {
			return err
		}
		text, err := os.ReadFile(name)
		sources[filepath.ToSlash(local)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	in, err := json.Marshal(sources)
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile(filepath.Join("testdata", "imports.py"))
	if err != nil {
		t.Fatal(err)
	}
	python := exec.CommandContext(t.Context(), "python3", "-c", string(script))
	python.Stdin, python.Stderr = bytes.NewReader(in), os.Stderr
	out, err := python.Output()
	if err != nil {
		t.Fatalf("reading the addon's imports: %v", err)
	}
	var found map[string]pythonFile
	if err := json.Unmarshal(out, &found); err != nil {
		t.Fatal(err)
	}
	return found
}

// drawAddon draws who imports whom among the modules of a folder of addons, and among their rooms.
func drawAddon(t *testing.T, dir string) (modules, rooms graph) {
	t.Helper()
	files := pythonImports(t, dir)
	modules, rooms = graph{}, graph{}
	for name, imported := range files {
		from := strings.TrimSuffix(name, ".py")
		modules.add(from, "")
		for _, i := range imported {
			to, ours := resolve(files, from, int(i[0].(float64)), i[1].(string), i[2].(string))
			if !ours {
				continue
			}
			modules.add(from, to)
			rooms.add(addonRoom(from), addonRoom(to))
		}
	}
	return modules, rooms
}

// resolve finds the module of ours that an import means: "from .x import y" is x/y where there is such a file, else x.
func resolve(files map[string]pythonFile, from string, level int, module, name string) (to string, ours bool) {
	dotted := strings.ReplaceAll(module, ".", "/")
	switch {
	case level > 0:
		base := from
		for range level {
			base = path.Dir(base)
		}
		to = path.Join(base, dotted)
	case strings.HasPrefix(module, "odoo.addons."):
		to = strings.TrimPrefix(dotted, "odoo/addons/")
	default:
		return "", false
	}
	if _, isFile := files[path.Join(to, name)+".py"]; isFile {
		return path.Join(to, name), true
	}
	if _, isFile := files[to+".py"]; isFile {
		return to, true
	}
	// A folder's own __init__, which holds nothing, or another addon of Odoo's.
	addon, _, _ := strings.Cut(to, "/")
	for other := range files {
		if strings.HasPrefix(other, addon+"/") {
			return to, true
		}
	}
	return "", false
}

// addonRoom is the room of a module: the folder of its addon, or the file beside it. doorman_code is one room.
func addonRoom(module string) string {
	parts := strings.Split(module, "/")
	if parts[0] != "doorman" || len(parts) == 1 {
		return parts[0]
	}
	return parts[0] + "/" + parts[1]
}

// TestAddonImports draws who imports whom in the addon, and fails on a circle and on an arrow against the order.
func TestAddonImports(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(repoRoot(t), "addon")
	modules, rooms := drawAddon(t, dir)
	if len(modules) < 50 {
		t.Fatalf("only %d modules were found", len(modules))
	}
	for _, circle := range modules.circles() {
		t.Errorf("a circle: %s", circle)
	}
	for _, circle := range rooms.circles() {
		t.Errorf("a circle of rooms: %s", circle)
	}
	for _, arrow := range rooms.against(addonMayImport) {
		t.Errorf("%s is against the order: %s", arrow, strings.Join(who(modules, arrow), ", "))
	}
	t.Logf("\n%s", rooms)
}

// who are the arrows between modules that an arrow between rooms stands for.
func who(modules graph, arrow string) (found []string) {
	left, right, _ := strings.Cut(arrow, " -> ")
	for from := range modules {
		for to := range modules[from] {
			if addonRoom(from) == left && addonRoom(to) == right {
				found = append(found, from+" imports "+to)
			}
		}
	}
	slices.Sort(found)
	return found
}

// TestAddonImportsAreSeen: each form of an import is found, on a small addon with a circle and an arrow the wrong way.
func TestAddonImportsAreSeen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"doorman/__init__.py":               "from . import models, tools",
		"doorman/policy/__init__.py":        "from . import rules",
		"doorman/policy/rules.py":           "import json\nfrom odoo import fields\n\ndef f():\n    from ..models.keys import (\n        HASH,\n        LIVE,\n    )\n",
		"doorman/policy/refusal.py":         "'''\nfrom ..models import keys\n'''\n",
		"doorman/tools/__init__.py":         "",
		"doorman/tools/buttons.py":          "from ..policy import refusal, rules\nfrom . import methods",
		"doorman/tools/methods.py":          "from .wizards import opened",
		"doorman/tools/wizards.py":          "from odoo.addons.doorman.tools.buttons import form_of",
		"doorman/models/__init__.py":        "from . import keys",
		"doorman/models/keys.py":            "from odoo.addons.mail.models import x\nfrom odoo.addons.doorman_code import sql",
		"doorman/tests/test_all.py":         "from ..models import keys\nfrom ..tools import buttons",
		"doorman/models/settings/server.py": "from ...policy.rules import f\nfrom ... import client_snippets\nfrom ..keys import HASH",
		"doorman/client_snippets.py":        "",
		"doorman_code/sql.py":               "from odoo.addons.doorman.policy.refusal import Refusal",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	modules, rooms := drawAddon(t, dir)
	if got, want := modules.String(), `doorman/models/keys -> doorman_code/sql
doorman/models/settings/server -> doorman/client_snippets, doorman/models/keys, doorman/policy/rules
doorman/policy/rules -> doorman/models/keys
doorman/tools/buttons -> doorman/policy/refusal, doorman/policy/rules, doorman/tools/methods
doorman/tools/methods -> doorman/tools/wizards
doorman/tools/wizards -> doorman/tools/buttons
doorman_code/sql -> doorman/policy/refusal
`; got != want {
		t.Errorf("drawn:\n%s", got)
	}
	if got := modules.circles(); !slices.Equal(got, []string{"doorman/tools/buttons -> doorman/tools/methods -> doorman/tools/wizards -> doorman/tools/buttons"}) {
		t.Errorf("circles of modules: %q", got)
	}
	if got := rooms.circles(); !slices.Equal(got, []string{"doorman/models -> doorman/policy -> doorman/models"}) {
		// doorman_code is in the same knot
		t.Errorf("circles of rooms: %q", got)
	}
	if got := rooms.against(addonMayImport); !slices.Equal(got, []string{"doorman/models -> doorman_code", "doorman/policy -> doorman/models"}) {
		t.Errorf("against the order: %q", got)
	}
}
