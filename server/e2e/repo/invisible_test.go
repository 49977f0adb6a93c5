package repo_test

import (
	"fmt"
	"go/ast"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"doorman/server/access"
)

// TestInvisibleLettersAgree asks the addon about every character that there is: what one side lets through, the other must
// not take for hidden.
func TestInvisibleLettersAgree(t *testing.T) {
	t.Parallel()
	const script = "from policy.invisible import is_invisible\n" +
		"print(*(c for c in range(0x110000) if is_invisible(chr(c))))"
	python := exec.CommandContext(t.Context(), "python3", "-c", script)
	python.Dir = filepath.Join(repoRoot(t), "addon", "doorman")
	python.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONPATH="+python.Dir)
	out, err := python.Output()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for r := range unicode.MaxRune + 1 {
		if access.Invisible(r) {
			want = append(want, fmt.Sprint(r))
		}
	}
	if got := strings.Fields(string(out)); len(want) < 100_000 || !slices.Equal(got, want) {
		t.Errorf("the addon knows %d invisible characters, the service %d", len(got), len(want))
	}
}

// TestWhatShowsIsKnownInOnePlace: IsPrint and its kin, and the categories, let selectors and fillers through.
func TestWhatShowsIsKnownInOnePlace(t *testing.T) {
	t.Parallel()
	own := []string{"IsPrint", "IsGraphic", "IsControl", "PrintRanges", "GraphicRanges", "Categories", "C", "Cc", "Cf", "Cn", "Co", "Zl", "Zp"}
	for _, file := range parse(t, "server", "odoo", "jobs") {
		if file.name == filepath.Join("server", "access", "invisible.go") {
			continue
		}
		ast.Inspect(file.tree, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "unicode" && slices.Contains(own, s.Sel.Name) {
					t.Errorf("%s: unicode.%s; access.FirstHidden and access.MapHidden say what shows", file.name, s.Sel.Name)
				}
			}
			return true
		})
	}
}

// TestNothingHidesInTheSource: not in a description that tools/list tells, nor in code that a person looks through.
func TestNothingHidesInTheSource(t *testing.T) {
	t.Parallel()
	texts := []string{
		".go", ".py", ".xml", ".js", ".scss", ".css", ".html", ".md", ".rst", ".json", ".yml", ".yaml", ".toml", ".csv", ".pot", ".po", ".sh",
	}
	root, looked, blanks := repoRoot(t), 0, strings.NewReplacer("\t", " ", "\r", "")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains([]string{".git", ".cache", "node_modules", "testdata"}, entry.Name()) {
			return filepath.SkipDir
		}
		if !entry.Type().IsRegular() || !slices.Contains(texts, filepath.Ext(path)) {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		looked++
		for n, line := range strings.Split(string(text), "\n") {
			if r, hides := access.FirstHidden(blanks.Replace(line)); hides {
				t.Errorf("%s:%d: %U hides there: write it as an escape", path, n+1, r)
			}
		}
		return nil
	})
	if err != nil || looked < 500 {
		t.Errorf("%d files: %v", looked, err)
	}
}
