package repo_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"doorman/server/access"
	"doorman/server/e2e/kit"
)

// TestRequirementsNameRealTests: a table that says "shown by" a test which is not there shows nothing.
func TestRequirementsNameRealTests(t *testing.T) {
	root := filepath.Dir(kit.AddonDir(t))
	known := testNames(t, root)
	tables, err := filepath.Glob(filepath.Join(root, "server", "e2e", "requirements", "*.md"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("no tables: %v", err)
	}
	named := regexp.MustCompile("`(Test[A-Za-z0-9_.]+)`")
	for _, table := range tables {
		text, err := os.ReadFile(table)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(text), "\n")
		for number, line := range lines {
			if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "| ---") || strings.HasPrefix(lines[number+1], "| ---") {
				continue
			}
			cells := strings.Split(strings.Trim(line, "| "), "|")
			shown := named.FindAllStringSubmatch(cells[len(cells)-1], -1)
			if len(cells) != 3 || len(shown) == 0 {
				t.Errorf("%s:%d: three columns, and a test: %s", filepath.Base(table), number+1, line)
			}
			for _, name := range shown {
				if !known[name[1]] {
					t.Errorf("%s:%d: there is no test %s", filepath.Base(table), number+1, name[1])
				}
			}
		}
	}
}

// TestRequirementsNameRealCode: what a table says to be "met by" is still called that, or the requirement may have been lost with it.
func TestRequirementsNameRealCode(t *testing.T) {
	t.Parallel()
	root := repoRoot(t)
	words := map[string]bool{}
	for _, file := range files(t) {
		if ext := filepath.Ext(file); strings.HasSuffix(file, "_test.go") || strings.Contains(file, "/tests/") || !slices.Contains([]string{".go", ".py", ".xml", ".json", ".csv"}, ext) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range regexp.MustCompile(`\w+`).FindAllString(string(text), -1) {
			words[word] = true
		}
	}
	tables, err := filepath.Glob(filepath.Join(root, "server", "e2e", "requirements", "*.md"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("no tables: %v", err)
	}
	quoted, name := regexp.MustCompile("`([^`]+)`"), regexp.MustCompile(`^[\w.]+$`)
	n := 0
	for _, table := range tables {
		for line := range strings.Lines(text(t, "server/e2e/requirements/"+filepath.Base(table))) {
			cells := strings.Split(strings.Trim(line, "| \n"), "|")
			if !strings.HasPrefix(line, "|") || len(cells) != 3 {
				continue
			}
			for _, code := range quoted.FindAllStringSubmatch(cells[1], -1) {
				if !name.MatchString(code[1]) {
					continue // a path, of which TestPagesNameRealFiles knows, or an example
				}
				n++
				for part := range strings.SplitSeq(code[1], ".") {
					if !words[part] && !slices.Contains([]string{"go", "py"}, part) && !strings.HasSuffix(code[1], ".go") {
						t.Errorf("%s: nothing is called %s: %s", filepath.Base(table), code[1], strings.TrimSpace(cells[0]))
						break
					}
				}
			}
		}
	}
	if n < 150 {
		t.Errorf("only %d names were found", n)
	}
}

// testNames finds every Go test, every test of the addon as Class.method, and its classes whose tests are inherited.
func testNames(t *testing.T, root string) map[string]bool {
	t.Helper()
	goTest := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	inherited := regexp.MustCompile(`(?m)^class (Test\w+)\(.*\):\n    allow_inherited_tests_method = True$`)
	pyTest := regexp.MustCompile(`(?m)^class (Test\w+)\(|^    def (test_\w+)\(`)
	known := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || (entry.IsDir() && strings.HasPrefix(entry.Name(), ".")) || entry.Name() == "node_modules" {
			if err == nil {
				err = filepath.SkipDir
			}
			return err
		}
		isPython := strings.HasPrefix(entry.Name(), "test_") && strings.HasSuffix(path, ".py")
		if !isPython && !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, match := range goTest.FindAllSubmatch(text, -1) {
			known[string(match[1])] = true
		}
		for _, match := range inherited.FindAllSubmatch(text, -1) {
			known[string(match[1])] = true
		}
		class := ""
		for _, match := range pyTest.FindAllSubmatch(text, -1) {
			if len(match[1]) > 0 {
				class = string(match[1])
				continue
			}
			known[class+"."+string(match[2])] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// TestEveryErrorIsDocumented: clients act on kinds; each stands in the table, with what it means and an example.
func TestEveryErrorIsDocumented(t *testing.T) {
	body, err := os.ReadFile(filepath.Join(filepath.Dir(kit.AddonDir(t)), "docs", "errors.md"))
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| [^|]+ \\| [^|]+ \\| [^|]+ \\|$")
	documented := map[string]bool{}
	for _, match := range row.FindAllStringSubmatch(string(body), -1) {
		documented[match[1]] = true
	}
	for _, kind := range access.Kinds() {
		if !documented[string(kind)] {
			t.Errorf("docs/errors.md has no row with an example for %s", kind)
		}
		delete(documented, string(kind))
	}
	for kind := range documented {
		t.Errorf("docs/errors.md has a row for %s, which is not a kind", kind)
	}
}
