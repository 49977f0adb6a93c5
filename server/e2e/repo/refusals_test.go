package repo_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"doorman/server/access"
	"doorman/server/e2e/kit"
)

// codeTable reads which codes the addon has, and of which kind each is.
func codeTable(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(kit.AddonDir(t), "doorman", "policy", "refusal_codes.py"))
	if err != nil {
		t.Fatal(err)
	}
	table, kind := map[string]string{}, ""
	for _, match := range regexp.MustCompile(`"([a-z_0-9]+)"(:?)`).FindAllStringSubmatch(string(text), -1) {
		if match[2] == ":" {
			kind = match[1]
			continue
		}
		table[match[1]] = kind
	}
	if len(table) < 100 {
		t.Fatalf("%d codes", len(table))
	}
	return table
}

// TestAddonKnowsNoOtherKind: a kind that is not one of ours would reach clients as "internal", without its message. The addon's
// own test holds every refusal against the table.
func TestAddonKnowsNoOtherKind(t *testing.T) {
	for code, kind := range codeTable(t) {
		if string(access.ParseKind(kind)) != kind {
			t.Errorf("%s: %s is not a kind", code, kind)
		}
	}
}

// TestEveryCodeIsDocumented: programs act on codes, too; each stands in docs/errors.md, with its kind, and no other does.
func TestEveryCodeIsDocumented(t *testing.T) {
	root := filepath.Dir(kit.AddonDir(t))
	body, err := os.ReadFile(filepath.Join(root, "docs", "errors.md"))
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ((?:`[a-z_0-9]+`(?:, )?)+) \\|$").FindAllStringSubmatch(string(body), -1) {
		for code := range strings.SplitSeq(row[2], ", ") {
			documented[strings.Trim(code, "`")] = row[1]
		}
	}
	table := codeTable(t)
	for code, kind := range table {
		if documented[code] != kind {
			t.Errorf("docs/errors.md has the code %s as of the kind %q, not %s", code, documented[code], kind)
		}
	}
	for code := range documented {
		if table[code] == "" {
			t.Errorf("docs/errors.md has the code %s, which there is not", code)
		}
	}
}

// TestServiceKnowsNoOtherCode: what the service refuses in the addon's stead has the addon's code, and its kind.
func TestServiceKnowsNoOtherCode(t *testing.T) {
	table, found := codeTable(t), 0
	said := regexp.MustCompile(`(?:refuseAs\(|Kind: access\.)(\w+), (?:Code: )?"([a-z_0-9]+)"`)
	for path, text := range goFiles(t) {
		for _, match := range said.FindAllStringSubmatch(text, -1) {
			found++
			kind := strings.ReplaceAll(table[match[2]], "_", "")
			if !strings.EqualFold(kind, match[1]) {
				t.Errorf("%s: the code %s is of the kind %q, not %s", path, match[2], table[match[2]], match[1])
			}
		}
	}
	if found < 10 {
		t.Errorf("%d codes", found)
	}
}

// goFiles returns the text of the service's own source, by its path.
func goFiles(t *testing.T) map[string]string {
	t.Helper()
	root, files := filepath.Dir(kit.AddonDir(t)), map[string]string{}
	aside := []string{"e2e", "odootest", "localodoo", "demo", "generate", "testdata"}
	for _, folder := range []string{"server", "odoo", "jobs"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() && slices.Contains(aside, entry.Name()) {
				return filepath.SkipDir
			}
			if entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			text, err := os.ReadFile(path)
			files[path] = string(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

var (
	placeholder = regexp.MustCompile(`%(\(\w+\))?[a-z]`)
	signs       = regexp.MustCompile("[\"'`“”]")
	marked      = regexp.MustCompile(`\b_lt\(\s*((?:(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')\s*)+)`)
	piece       = regexp.MustCompile(`"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'`)
)

// sentence is a text as it is compared: whatever its pieces and quotes. Shorter ones say no more than a word does.
func sentence(text string) string {
	text = signs.ReplaceAllString(placeholder.ReplaceAllString(text, "…"), "")
	words := strings.Fields(strings.ToLower(text))
	if len(words) < 4 {
		return ""
	}
	return strings.Join(words, " ")
}

// TestNoRefusalHasTwoTexts: what both sides may refuse is worded once, in server/access/shared.go, from which the addon has
// it; otherwise the two texts would drift apart.
func TestNoRefusalHasTwoTexts(t *testing.T) {
	said := addonTexts(t)
	if len(said) < 300 {
		t.Fatalf("%d texts", len(said))
	}
	for path, text := range goFiles(t) {
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			literal, ok := node.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			if where := said[sentence(text)]; where != "" {
				t.Errorf("%q is said in %s, too: put it into server/access/shared.go", text, where)
			}
			return true
		})
	}
}

// addonTexts returns the texts that the addons mark for translation, as sentences, with the file of each.
func addonTexts(t *testing.T) map[string]string {
	t.Helper()
	said := map[string]string{}
	err := filepath.WalkDir(kit.AddonDir(t), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".py" || entry.Name() == "shared.py" || entry.Name() == "service_texts.py" {
			return err
		}
		if strings.Contains(path, string(filepath.Separator)+"tests"+string(filepath.Separator)) {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, match := range marked.FindAllStringSubmatch(string(text), -1) {
			var whole strings.Builder
			for _, part := range piece.FindAllStringSubmatch(match[1], -1) {
				whole.WriteString(part[1] + part[2])
			}
			if found := sentence(whole.String()); found != "" {
				said[found] = path
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return said
}
