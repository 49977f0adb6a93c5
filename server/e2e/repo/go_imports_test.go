package repo_test

import (
	"go/ast"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "doorman"

// mayImport says which packages of ours a package may import: the order of the packages. What is not listed may import
// none. Tests may import any; those of access none but access.
var mayImport = map[string][]string{
	"server/access":          {},
	"server/access/generate": {"server/access"}, // it writes down what access says of each character
	"server/clientip":        {},
	"server/exact":           {"server/access"},
	"server/limit":           {"server/access", "server/clientip"},
	"server/secret":          {},
	"server/observe":         {},
	"server/safefetch":       {},
	"server/publicurl":       {},
	"server/mcp": {
		"server/access", "server/mcp/caller", "server/mcp/mcperr", "server/mcp/prompts", "server/mcp/resources",
		"server/mcp/toolcall", "server/mcp/tools", "server/observe",
	},
	"server/mcp/mcperr":    {"server/access"},
	"server/mcp/caller":    {"server/access", "server/exact", "server/limit", "server/mcp/mcperr", "server/observe"},
	"server/markdown":      {},
	"server/mcp/tokens":    {},
	"server/mcp/toolcall":  {"server/access", "server/mcp/caller", "server/mcp/mcperr", "server/mcp/tokens", "server/observe"},
	"server/mcp/tools":     {"server/access", "server/exact", "server/markdown", "server/mcp/mcperr", "server/mcp/tokens", "server/mcp/toolcall"},
	"server/mcp/resources": {"server/access", "server/mcp/caller", "server/mcp/mcperr", "server/mcp/toolcall", "server/observe"},
	"server/mcp/prompts":   {"server/access", "server/mcp/mcperr", "server/mcp/toolcall"},
	"server/oauth":         {"server/access", "server/exact", "server/publicurl", "server/safefetch", "server/observe"},
	"server/api":           {"server/access", "server/exact", "server/secret"},
	"server/audit":         {"server/access"},
	"server/files":         {"server/access", "server/clientip"},
	"jobs":                 {"server/access"},
	"odoo/wire":            {"server/access"},
	"odoo/transport":       {"server/access", "server/observe", "odoo/wire"},
	"odoo":                 {"server/access", "server/observe", "odoo/wire", "odoo/transport"},
	"odoo/odootest":        {"server/access"},
	"odoo/localodoo":       {},
	"server/app": {
		"jobs", "odoo", "server/access", "server/api", "server/audit", "server/clientip", "server/files", "server/limit",
		"server/mcp", "server/oauth", "server/publicurl", "server/safefetch", "server/secret", "server/observe",
	},
	"server":                 {"server/app"},
	"server/demo":            {"odoo/localodoo", "server/access", "server/app"},
	"server/bench":           {"odoo/localodoo", "server/e2e/venv"},
	"server/e2e/kit":         {"odoo/localodoo", "odoo/odootest", "server/access", "server/app", "server/e2e/venv", "server/safefetch"},
	"server/e2e/addon":       {},
	"server/e2e/browser":     {},
	"server/e2e/budget":      {},
	"server/e2e/clients":     {},
	"server/e2e/conformance": {},
	"server/e2e/odoo":        {},
	"server/e2e/deploy":      {},
	"server/e2e/office":      {},
	"server/e2e/operator":    {},
	"server/e2e/repo":        {},
	"server/e2e/soak":        {},
	"server/e2e/venv":        {},
	"server/e2e/upgrade":     {"odoo/localodoo", "server/e2e/kit"},
}

// access is pure: of the standard library it may not even use what reads a clock, draws numbers or does I/O.
var notInAccess = []string{"net", "os", "log", "io", "math/rand", "math/rand/v2", "crypto/rand", "net/http"}

func repoRoot(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// imports are those of one package: by its own files, and by its tests.
type imports struct{ own, tests []string }

// goImports asks the go command for all packages of the module.
func goImports(t *testing.T) map[string]imports {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-f",
		`{{.ImportPath}}|{{join .Imports " "}}|{{join .TestImports " "}} {{join .XTestImports " "}}`, "./jobs/...", "./odoo/...", "./server/...")
	list.Dir = repoRoot(t)
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	found := map[string]imports{}
	for line := range strings.Lines(string(out)) {
		part := strings.Split(strings.TrimSpace(line), "|")
		found[strings.TrimPrefix(part[0], module+"/")] = imports{strings.Fields(part[1]), strings.Fields(part[2])}
	}
	return found
}

// TestImportRule draws who imports whom among our packages, and holds it against the order.
func TestImportRule(t *testing.T) {
	t.Parallel()
	drawn := graph{}
	for name, has := range goImports(t) {
		if _, known := mayImport[name]; !known {
			t.Errorf("%s is new: say in mayImport what it may import", name)
		}
		for _, imported := range has.own {
			if ours, isOurs := strings.CutPrefix(imported, module+"/"); isOurs {
				drawn.add(name, ours)
			} else if name == "server/access" {
				pure(t, imported)
			}
		}
		for _, imported := range has.tests {
			if ours, isOurs := strings.CutPrefix(imported, module+"/"); isOurs && name == "server/access" && ours != name {
				t.Errorf("the tests of access import %s", ours)
			}
		}
	}
	for _, arrow := range drawn.against(mayImport) {
		t.Errorf("%s is against the order", arrow)
	}
	t.Logf("\n%s", drawn)
}

func pure(t *testing.T, imported string) {
	t.Helper()
	switch {
	case strings.Contains(imported, ".") && imported != "github.com/google/uuid":
		t.Errorf("access imports %s: only the standard library and uuid", imported)
	case slices.Contains(notInAccess, imported):
		t.Errorf("access imports %s: it must stay pure", imported)
	}
}

// TestOrder: what mayImport allows has no circle in itself, package by package and room by room: the compiler keeps
// packages out of circles, but not rooms of several packages, and not what a later change would be allowed.
func TestOrder(t *testing.T) {
	t.Parallel()
	allowed, rooms := graph{}, graph{}
	for from, list := range mayImport {
		for _, to := range list {
			allowed.add(from, to)
			if from != "odoo" { // which hands out what wire and transport do
				rooms.add(roomOf(from), roomOf(to))
			}
		}
	}
	for _, circle := range append(allowed.circles(), rooms.circles()...) {
		t.Errorf("mayImport allows a circle: %s", circle)
	}
	for from, list := range mayImport {
		if !slices.Contains([]string{"server/access", "server/mcp", "server/oauth", "server/api"}, roomOf(from)) {
			continue
		}
		for _, to := range list {
			if roomOf(to) == "odoo" {
				t.Errorf("mayImport lets %s know %s", from, to)
			}
		}
	}
	if len(mayImport["server/access"]) != 0 {
		t.Error("access knows nobody")
	}
}

// roomOf is the room of a package: odoo, jobs, or a folder of server.
func roomOf(name string) string {
	parts := strings.Split(name, "/")
	if parts[0] == "server" && len(parts) > 1 {
		return "server/" + parts[1]
	}
	return parts[0]
}

// TestPureAccess: context is for the interfaces that others implement; a decision takes none.
func TestPureAccess(t *testing.T) {
	t.Parallel()
	for _, file := range parse(t, "server/access") {
		if strings.HasSuffix(file.name, "gateway.go") {
			continue
		}
		for _, imported := range file.tree.Imports {
			if imported.Path.Value == `"context"` {
				t.Errorf("%s imports context", file.name)
			}
		}
		ast.Inspect(file.tree, func(n ast.Node) bool {
			if call, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := call.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After"}, call.Sel.Name) {
					t.Errorf("%s reads the clock: time.%s", file.name, call.Sel.Name)
				}
			}
			return true
		})
	}
}
