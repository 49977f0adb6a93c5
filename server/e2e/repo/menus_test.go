package repo_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPreferencesAreCalledAsInOdoo: Odoo 19's menu behind a person's name has "My Preferences" (user_menu_items.js of the
// module web), which TestRealBackend clicks. "Preferences" alone is a tab in there.
func TestPreferencesAreCalledAsInOdoo(t *testing.T) {
	t.Parallel()
	path := regexp.MustCompile(`(?:My )?Preferences >`)
	found := 0
	for _, name := range files(t) {
		if !slices.Contains([]string{".go", ".json", ".md", ".py", ".xml", ".yaml", ".yml"}, filepath.Ext(name)) || strings.HasSuffix(name, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(repoRoot(t), name))
		if err != nil {
			t.Fatal(err)
		}
		for _, way := range path.FindAllString(string(raw), -1) {
			found++
			if !strings.HasPrefix(way, "My ") {
				t.Errorf("%s: %q, want My %s", name, way, way)
			}
		}
	}
	if found == 0 {
		t.Error("nothing leads to the preferences any more")
	}
}
