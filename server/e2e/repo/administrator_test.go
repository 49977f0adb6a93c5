package repo_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	goesOn    = regexp.MustCompile(`["'` + "`" + `]\s*\n\s*_?(lt)?\(?["'` + "`" + `]`) // adjacent parts of one text
	comment   = regexp.MustCompile(`(?m)^\s*(#|//).*$`)
	whomToAsk = regexp.MustCompile(`(?i)\b(ask|tell) (an?|your|its|their|the)( \w+){0,2} administrator`)
)

// TestNobodyIsSentToThemselves: a text that has its reader ask an administrator is wrong where the reader is one. "An MCP
// administrator can ..." is true for everybody; pages that know who made a link name that person.
func TestNobodyIsSentToThemselves(t *testing.T) {
	t.Parallel()
	for _, root := range []string{"addon", "server", "odoo"} {
		err := filepath.WalkDir(filepath.Join("..", "..", "..", root), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() {
				if slices.Contains([]string{"tests", "testdata", "node_modules", "i18n", "migrations"}, entry.Name()) {
					return filepath.SkipDir
				}
				return nil
			}
			if !slices.Contains([]string{".go", ".py", ".xml", ".js"}, filepath.Ext(path)) || strings.HasSuffix(path, "_test.go") {
				return nil
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text := goesOn.ReplaceAllString(comment.ReplaceAllString(string(raw), ""), "")
			for _, found := range whomToAsk.FindAllString(strings.Join(strings.Fields(text), " "), -1) {
				t.Errorf("%s: %q", path, found)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
