package kit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ShellCommands returns the commands in the ```sh blocks of a Markdown page, in their order. One that goes on over several
// lines is one command, with the lines joined by a blank; comments are left out.
func ShellCommands(page string) (commands []string) {
	inside, begun := false, ""
	for line := range strings.Lines(page) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```sh"
			continue
		case !inside || line == "" || strings.HasPrefix(line, "#"):
			continue
		}
		if before, _, found := strings.Cut(line, "  #"); found {
			line = strings.TrimSpace(before)
		}
		if rest, goesOn := strings.CutSuffix(line, `\`); goesOn {
			begun += strings.TrimSpace(rest) + " "
			continue
		}
		commands = append(commands, begun+line)
		begun = ""
	}
	return commands
}

// CommandOf returns the one command of a page, such as docs/install.md, that begins so, with the page's examples replaced:
// pairs of what stands there and what it is here. Nothing else is changed, so that what runs is what people are told. A test in
// e2e/repo reads the calls of this function: page and beginning are literal texts.
func CommandOf(t testing.TB, page, begins string, examples ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(AddonDir(t)), page))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, command := range ShellCommands(string(text)) {
		if strings.HasPrefix(command, begins) {
			found = append(found, command)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%s has %d commands that begin with %q", page, len(found), begins)
	}
	command := found[0]
	for i := 0; i+1 < len(examples); i += 2 {
		if !strings.Contains(command, examples[i]) {
			t.Fatalf("%s: %q is not in: %s", page, examples[i], command)
		}
		command = strings.ReplaceAll(command, examples[i], examples[i+1])
	}
	return command
}
