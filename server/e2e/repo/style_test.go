package repo_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

type source struct {
	name string
	set  *token.FileSet
	tree *ast.File
}

func parse(t *testing.T, dirs ...string) (files []source) {
	t.Helper()
	root := repoRoot(t)
	for _, dir := range dirs {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "testdata") {
				return filepath.SkipDir
			}
			if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			set := token.NewFileSet()
			tree, err := parser.ParseFile(set, path, nil, parser.ParseComments)
			if err != nil {
				return err
			}
			name, err := filepath.Rel(root, path)
			files = append(files, source{name, set, tree})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// TestFixturesOnlyInTests: what the conformance suite mounts goes past the catalog, so no command may have it.
func TestFixturesOnlyInTests(t *testing.T) {
	t.Parallel()
	const seam = "WithFixtures"
	for _, file := range parse(t, "server", "odoo", "jobs") {
		ast.Inspect(file.tree, func(n ast.Node) bool {
			if f, ok := n.(*ast.FuncDecl); ok {
				return f.Name.Name != seam
			}
			if id, ok := n.(*ast.Ident); ok && id.Name == seam {
				t.Errorf("%s: %s is for tests", file.name, seam)
			}
			return true
		})
	}
}

// TestStyleBars holds the code to the bars of CONTRIBUTING.md: sizes of files and functions, and documented names.
func TestStyleBars(t *testing.T) {
	t.Parallel()
	var fileLines, funcLines []int
	for _, file := range parse(t, "server", "odoo", "jobs") {
		lines := nonBlank(t, filepath.Join(repoRoot(t), file.name))
		fileLines = append(fileLines, lines)
		if lines > 600 {
			t.Errorf("%s has %d lines: split it", file.name, lines)
		}
		for _, decl := range file.tree.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			n := file.set.Position(f.End()).Line - file.set.Position(f.Pos()).Line + 1
			funcLines = append(funcLines, n)
			if n > 100 {
				t.Errorf("%s: %s has %d lines", file.name, f.Name.Name, n)
			}
			if f.Name.IsExported() && f.Doc == nil && exportedReceiver(f) && f.Name.Name != "main" {
				t.Errorf("%s: %s is not documented", file.name, f.Name.Name)
			}
		}
	}
	if p := p90(fileLines); p > 350 {
		t.Errorf("files: p90 is %d lines, the bar is 350", p)
	}
	if p := p90(funcLines); p > 45 {
		t.Errorf("functions: p90 is %d lines, the bar is 45", p)
	}
}

// exportedReceiver reports whether a method can be seen from outside at all.
func exportedReceiver(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	t := f.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	id, ok := t.(*ast.Ident)
	return ok && id.IsExported()
}

func nonBlank(t *testing.T, path string) (n int) {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(body)) {
		if strings.TrimSpace(line) != "" {
			n++
		}
	}
	return n
}

func p90(list []int) int {
	sort.Ints(list)
	return list[len(list)*9/10]
}
