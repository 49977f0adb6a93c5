package repo_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

// TestClientsAreDocumented: docs/clients.md says of each AI tool what Odoo's dialog says: the same snippets, commands and menus.
func TestClientsAreDocumented(t *testing.T) {
	t.Parallel()
	page := pages(t)["docs/clients.md"]
	addon := filepath.Join(repoRoot(t), "addon", "doorman")
	out, err := exec.CommandContext(t.Context(), "python3", filepath.Join("testdata", "clients.py"), addon).Output()
	if err != nil {
		t.Fatal(err)
	}
	var told struct{ Titles, Texts, Menus []string }
	if err := json.Unmarshal(out, &told); err != nil {
		t.Fatal(err)
	}
	if len(told.Titles) < 8 || len(told.Texts) < 12 || len(told.Menus) < 5 {
		t.Fatalf("only %d AI tools, %d texts and %d menus were found", len(told.Titles), len(told.Texts), len(told.Menus))
	}
	for _, title := range told.Titles {
		if !strings.Contains(page, "\n## "+title+"\n") {
			t.Errorf("docs/clients.md has no heading %s", title)
		}
	}
	flat := unindented(page)
	for _, text := range slices.Concat(told.Texts, told.Menus) {
		if !strings.Contains(flat, unindented(text)) {
			t.Errorf("docs/clients.md does not say:\n%s", text)
		}
	}
}

// unindented takes away the blanks before each line: a snippet may stand in a list.
func unindented(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}

// TestCommandsHaveAPage: the manual page of the Debian package names each command that the program names itself.
func TestCommandsHaveAPage(t *testing.T) {
	t.Parallel()
	code, err := os.ReadFile(filepath.Join(repoRoot(t), "server", "app", "app.go"))
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(repoRoot(t), "deploy", "man", "doorman.8"))
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile(`(?m)^  ([a-z]+) +[a-z]`).FindAllStringSubmatch(string(code), -1)
	if len(commands) < 6 {
		t.Fatalf("only %d commands were found", len(commands))
	}
	for _, command := range commands {
		if !strings.Contains(string(page), "\n.B "+command[1]+"\n") {
			t.Errorf("doorman.8 does not say what %s does", command[1])
		}
	}
}

// TestToolsAreDocumented: docs/tools.md lists each tool at a glance, and docs/comparison.md counts them.
func TestToolsAreDocumented(t *testing.T) {
	t.Parallel()
	all := pages(t)
	_, rest, found := strings.Cut(all["docs/tools.md"], "\n## At a glance\n")
	table, _, _ := strings.Cut(rest, "\n## ")
	if !found {
		t.Fatal("docs/tools.md has no list of the tools")
	}
	code := []string{"run_sql", "run_python"}
	listed := 0
	for line := range strings.Lines(table) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			listed += strings.Count(cells[1], "`") / 2
		}
	}
	every := slices.Concat(kit.AllTools, code, []string{"search", "fetch"})
	for _, name := range every {
		if !strings.Contains(table, "`"+name+"`") {
			t.Errorf("docs/tools.md does not list %s", name)
		}
	}
	if listed != len(every) {
		t.Errorf("docs/tools.md lists %d tools, there are %d", listed, len(every))
	}
	for _, count := range []string{
		fmt.Sprintf("| tools | %d, and %d in a separate addon |", len(kit.AllTools), len(code)),
		fmt.Sprintf("| %d tools and custom tools |", len(kit.AllTools)),
	} {
		if !strings.Contains(all["docs/comparison.md"], count) {
			t.Errorf("docs/comparison.md does not say %q", count)
		}
	}
}
