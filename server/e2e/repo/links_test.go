package repo_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// pages returns every Markdown page of the repository, by its path from the root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, file := range files(t) {
		if filepath.Ext(file) == ".md" {
			text, err := os.ReadFile(filepath.Join(repoRoot(t), file))
			if err != nil {
				t.Fatal(err)
			}
			found[file] = string(text)
		}
	}
	if len(found) < 20 {
		t.Fatalf("only %d pages were found", len(found))
	}
	return found
}

// files returns every file of the repository but those that tools fetch or make.
func files(t *testing.T) (found []string) {
	t.Helper()
	err := filepath.WalkDir(repoRoot(t), func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{".git", ".cache", "node_modules", "__pycache__", "bin", "dist"}, entry.Name()):
			return filepath.SkipDir
		case !entry.IsDir():
			name, err := filepath.Rel(repoRoot(t), path)
			found = append(found, name)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestLinksLeadSomewhere: a page that was moved, or a heading that was reworded, breaks links that nobody follows until
// they need them.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	all := pages(t)
	for name, text := range all {
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			target, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := name
			if target != "" {
				file = filepath.Join(filepath.Dir(name), target)
			}
			if _, err := os.Stat(filepath.Join(repoRoot(t), file)); err != nil {
				t.Errorf("%s: %s leads nowhere", name, match[1])
			} else if anchor != "" && !slices.Contains(anchors(all[file]), anchor) {
				t.Errorf("%s: %s has no such heading", name, match[1])
			}
		}
	}
}

// TestHeadingsAreInOrder: a page's outline, and a screen reader's list of headings, miss a level that is left out.
func TestHeadingsAreInOrder(t *testing.T) {
	t.Parallel()
	for name, text := range pages(t) {
		last, inside := 0, false
		for line := range strings.Lines(text) {
			inside = inside != strings.HasPrefix(strings.TrimSpace(line), "```")
			rest := strings.TrimLeft(line, "#")
			if level := len(line) - len(rest); !inside && level > 0 && strings.HasPrefix(rest, " ") {
				if level > last+1 {
					t.Errorf("%s: %q follows a heading of level %d", name, strings.TrimSpace(line), last)
				}
				last = level
			}
		}
	}
}

// anchors returns what GitHub makes of the headings of a page.
func anchors(text string) (found []string) {
	for line := range strings.Lines(text) {
		if heading, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && line[0] == '#' {
			found = append(found, strings.Map(func(r rune) rune {
				switch {
				case r == ' ' || r == '-':
					return '-'
				case r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
					return unicode.ToLower(r)
				}
				return -1
			}, strings.TrimSpace(heading)))
		}
	}
	return found
}

// TestPagesNameRealFiles: a file that a page names is there, at least under the end of its path that is named.
func TestPagesNameRealFiles(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile("`([\\w.][\\w./-]*\\.(?:go|py|md|yml|xml|mjs|json|toml))`")
	have := files(t)
	for name, text := range pages(t) {
		for _, match := range named.FindAllStringSubmatch(text, -1) {
			if !slices.ContainsFunc(have, func(file string) bool {
				return file == match[1] || strings.HasSuffix(file, "/"+match[1])
			}) {
				t.Errorf("%s: there is no file %s", name, match[1])
			}
		}
	}
}

// TestSettingsAreDocumented: the table of settings is all that an administrator has to go by. It has each setting with the
// default that the code has, and none that is not there.
func TestSettingsAreDocumented(t *testing.T) {
	t.Parallel()
	defaults := map[string]string{}
	for _, setting := range regexp.MustCompile("env:\"(DOORMAN_\\w+)\"(?: envDefault:\"([^\"]*)\")?`").FindAllStringSubmatch(text(t, "server/app/config.go"), -1) {
		if defaults[setting[1]] == "" {
			defaults[setting[1]] = setting[2]
		}
	}
	if len(defaults) < 10 {
		t.Fatalf("only %d settings were found", len(defaults))
	}
	row := regexp.MustCompile("(?m)^\\| (`(?:DOORMAN|OTEL)_[^|]+) \\| ([^|]*) ?\\| [^|]+ \\|$")
	name := regexp.MustCompile("`(\\w+)`")
	documented := map[string]bool{}
	for _, cells := range row.FindAllStringSubmatch(pages(t)["docs/install.md"], -1) {
		said := strings.TrimSpace(cells[2])
		for _, setting := range name.FindAllStringSubmatch(cells[1], -1) {
			documented[setting[1]] = true
			is, known := defaults[setting[1]]
			switch inCode := strings.Trim(said, "`"); {
			case strings.HasPrefix(setting[1], "OTEL_"):
			case !known:
				t.Errorf("docs/install.md has %s, which is not a setting", setting[1])
			case inCode != said && inCode != is, inCode == said && is != "" && is != "0":
				t.Errorf("%s: the default is %q, docs/install.md says %s", setting[1], is, said)
			}
		}
	}
	for setting := range defaults {
		if !documented[setting] {
			t.Errorf("docs/install.md does not tell of %s", setting)
		}
	}
}
