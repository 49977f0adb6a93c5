package repo_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestHTTPClients: each HTTP client of the service decides by itself about proxies and redirects. The defaults of net/http ask
// the environment for a proxy, and follow a redirect with the headers to wherever it points.
func TestHTTPClients(t *testing.T) {
	t.Parallel()
	var found []string
	seen := 0
	for _, room := range []string{"jobs", "odoo", "server"} {
		err := filepath.WalkDir(filepath.Join(repoRoot(t), room), func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && slices.Contains([]string{"e2e", "bench", "demo", "localodoo", "odootest"}, entry.Name()):
				return filepath.SkipDir
			case entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.SelectorExpr:
					if pkg, ok := n.X.(*ast.Ident); ok && pkg.Name == "http" &&
						slices.Contains([]string{"DefaultClient", "DefaultTransport", "Get", "Head", "Post", "PostForm"}, n.Sel.Name) {
						found = append(found, fmt.Sprintf("%s uses http.%s", set.Position(n.Pos()), n.Sel.Name))
					}
				case *ast.CompositeLit:
					for _, field := range decidedBy(n) {
						seen++
						if !names(n, field) {
							found = append(found, fmt.Sprintf("%s makes a client without %s", set.Position(n.Pos()), field))
						}
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen < 8 {
		t.Errorf("the walk found only %d decisions", seen)
	}
	for _, one := range found {
		t.Error(one)
	}
}

// decidedBy are the fields that a literal of net/http's must name.
func decidedBy(n *ast.CompositeLit) []string {
	of, ok := n.Type.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	if pkg, ok := of.X.(*ast.Ident); !ok || pkg.Name != "http" {
		return nil
	}
	switch of.Sel.Name {
	case "Client":
		return []string{"Transport", "CheckRedirect"}
	case "Transport":
		return []string{"Proxy"}
	}
	return nil
}

func names(n *ast.CompositeLit, field string) bool {
	return slices.ContainsFunc(n.Elts, func(e ast.Expr) bool {
		pair, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return false
		}
		key, ok := pair.Key.(*ast.Ident)
		return ok && key.Name == field
	})
}
