package repo_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"doorman/server/access"
)

// TestSymptomsExist: people search docs/troubleshooting.md for the words that they see. In its tables, what stands in the column of
// what is said or seen is in the product as it stands there.
func TestSymptomsExist(t *testing.T) {
	t.Parallel()
	source := productText(t)
	quoted := regexp.MustCompile("`([^`]+)`")
	column, symptoms := -1, 0
	for line := range strings.Lines(pages(t)["docs/troubleshooting.md"]) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		switch {
		case !strings.HasPrefix(line, "|"):
			column = -1
			continue
		case column < 0:
			for i, title := range cells {
				if title = strings.TrimSpace(title); title == "says" || title == "they see" || title == "line" {
					column = i
				}
			}
			if column < 0 {
				t.Fatalf("which column is the symptom? %s", line)
			}
			continue
		case strings.HasPrefix(line, "| ---"):
			continue
		}
		found := quoted.FindStringSubmatch(cells[column])
		if found == nil {
			t.Errorf("no text is quoted: %s", line)
			continue
		}
		if symptoms++; !strings.Contains(source, found[1]) {
			t.Errorf("nothing says %q", found[1])
		}
	}
	if symptoms < 40 {
		t.Errorf("only %d symptoms were found", symptoms)
	}
}

// TestFindingsAreExplained: what `doorman check` complains of is on the page. Findings whose words come from elsewhere, such as what
// Odoo's client says, have no text of their own here.
func TestFindingsAreExplained(t *testing.T) {
	t.Parallel()
	var symptoms []string
	for _, match := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(pages(t)["docs/troubleshooting.md"], -1) {
		symptoms = append(symptoms, match[1])
	}
	findings := 0
	for _, name := range []string{"check.go", "check_running.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(repoRoot(t), "server", "app", name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, isLiteral := n.(*ast.CompositeLit)
			if !isLiteral || len(literal.Elts) != 4 {
				return true
			}
			if grade, isName := literal.Elts[0].(*ast.Ident); !isName || grade.Name != "wrong" && grade.Name != "doubt" {
				return true
			}
			said := literals(literal.Elts[2])
			if len(said) < 8 { // what joins words from elsewhere
				return true
			}
			findings++
			if !slices.ContainsFunc(symptoms, func(symptom string) bool { return len(symptom) > 8 && strings.Contains(said, symptom) }) {
				t.Errorf("docs/troubleshooting.md does not explain: %s", said)
			}
			return true
		})
	}
	if findings < 20 {
		t.Errorf("only %d findings were found", findings)
	}
}

// literals are the texts in an expression, joined.
func literals(of ast.Expr) (text string) {
	ast.Inspect(of, func(n ast.Node) bool {
		if part, isText := n.(*ast.BasicLit); isText && part.Kind == token.STRING {
			plain, _ := strconv.Unquote(part.Value)
			text += plain
		}
		return true
	})
	return text
}

// productText is all code of the service and the addon without tests, with texts that go on in the next line joined.
func productText(t *testing.T) string {
	t.Helper()
	joined := regexp.MustCompile(`"\s*\+\s*"|"\n\s*f?"`)
	var all strings.Builder
	for _, file := range files(t) {
		ext := filepath.Ext(file)
		if ext != ".go" && ext != ".py" && ext != ".xml" || strings.HasSuffix(file, "_test.go") ||
			strings.Contains(file, "/tests/") || strings.HasPrefix(file, "server/e2e/") || strings.HasPrefix(file, "odoo/odootest/") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(repoRoot(t), file))
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(joined.ReplaceAllString(string(text), ""))
	}
	return all.String()
}

// TestVersionsFit: the table of docs/upgrade.md has each version with its interface: those that were released, and today's.
func TestVersionsFit(t *testing.T) {
	t.Parallel()
	var released []struct {
		Version, Addon string
		Interface      int
	}
	text, err := os.ReadFile(filepath.Join(repoRoot(t), "server", "e2e", "upgrade", "versions.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &released); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, v := range released {
		want = append(want, fmt.Sprintf("| %s | %s | %d | 19.0 |", v.Version, v.Addon, v.Interface))
	}
	manifest, err := os.ReadFile(filepath.Join(repoRoot(t), "addon", "doorman", "__manifest__.py"))
	if err != nil {
		t.Fatal(err)
	}
	addon := regexp.MustCompile(`"version": "(19\.0\.([0-9.]+))"`).FindSubmatch(manifest)
	if addon == nil {
		t.Fatal("the manifest has no version")
	}
	if today := fmt.Sprintf("| %s | %s | %d | 19.0 |", addon[2], addon[1], access.Interface); len(want) == 0 || want[len(want)-1] != today {
		want = append(want, today)
	}
	page := pages(t)["docs/upgrade.md"]
	rows := regexp.MustCompile(`(?m)^\| \d[^|]*\| 19\.0\.[^|]*\|[^|]*\|[^|]*\|$`).FindAllString(page, -1)
	if strings.Join(rows, "\n") != strings.Join(want, "\n") {
		t.Errorf("docs/upgrade.md has\n%s\nwant\n%s", strings.Join(rows, "\n"), strings.Join(want, "\n"))
	}
}
