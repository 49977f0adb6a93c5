package repo_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

// operatorPages are the pages whose commands an operator types.
var operatorPages = []string{"docs/install.md", "docs/operations.md", "docs/upgrade.md"}

// notRunHere are the beginnings of documented commands that no test runs, each with the reason.
var notRunHere = map[string]string{
	"apt install ./doorman_":         "installs a service on this machine",
	"install -m 0640 ":               "needs the account that the Debian package makes",
	"editor ":                        "a person types",
	"doorman-check":                  "is of the Debian package: it gives `doorman check` the settings of the unit, and that command is run",
	"systemctl ":                     "needs systemd as the first process",
	"tar xzf doorman_":               "unpacks what `make dist` makes; the program in it is run",
	"kubectl ":                       "needs a cluster",
	"helm ":                          "needs a cluster; make lint-deploy renders the chart and holds it against Kubernetes' schemas",
	"claude mcp add ":                "is a client of somebody else, which needs an account; server/e2e/clients runs others",
	"docker ":                        "needs a container engine",
	"DOORMAN_METRICS_LISTEN=0.0.0.0": "is a setting, of the table that TestSettingsAreDocumented reads",
}

// commandOf are the calls by which tests run what is documented.
var commandOf = regexp.MustCompile("kit\\.CommandOf\\([\\w.]+, (?:\"(docs/[\\w./]+)\"|page), \"((?:[^\"\\\\]|\\\\.)+)\"")

// runByTests returns the beginnings of the commands that tests run, by page. `page` is a constant of its file.
func runByTests(t *testing.T) map[string][]string {
	t.Helper()
	constant := regexp.MustCompile(`const page = "(docs/[\w./]+)"`)
	found := map[string][]string{}
	for _, file := range files(t) {
		if !strings.HasSuffix(file, "_test.go") || !strings.HasPrefix(file, "server/e2e/") || strings.HasPrefix(file, "server/e2e/repo/") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(repoRoot(t), file))
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range commandOf.FindAllStringSubmatch(string(text), -1) {
			page := call[1]
			if page == "" {
				if pages := constant.FindAllStringSubmatch(string(text), -1); len(pages) == 1 {
					page = pages[0][1]
				} else {
					t.Errorf("%s: of which page is %q?", file, call[2])
				}
			}
			found[page] = append(found[page], call[2])
		}
	}
	return found
}

// TestEveryCommandIsRun: a command that people are told to type is run by a test, as it stands there, or it is listed above
// with the reason. What is listed and not documented any more is told, too.
func TestEveryCommandIsRun(t *testing.T) {
	t.Parallel()
	run := runByTests(t)
	used := map[string]bool{}
	for _, name := range operatorPages {
		commands := kit.ShellCommands(pages(t)[name])
		if len(commands) == 0 {
			t.Errorf("%s has no command", name)
		}
		for _, command := range commands {
			known := false
			for _, begins := range run[name] {
				known = known || strings.HasPrefix(command, begins)
			}
			for begins := range notRunHere {
				if !known && strings.HasPrefix(command, begins) {
					known, used[begins] = true, true
				}
			}
			if !known {
				t.Errorf("%s: no test runs it, and it is not listed as one that cannot be run here: %s", name, command)
			}
		}
	}
	for begins, reason := range notRunHere {
		if !used[begins] || reason == "" {
			t.Errorf("%q is not documented any more, or has no reason", begins)
		}
	}
}

// TestShellCommands: lines that go on are one command; other blocks, comments and blank lines are left out.
func TestShellCommands(t *testing.T) {
	t.Parallel()
	got := kit.ShellCommands("a\n```json\n{}\n```\n\n   ```sh\n   # why\n   one \\\n     --two   # three\n\n   four '#5'\n   ```\nsix\n```sh\nseven\n```\n")
	if want := []string{"one --two", "four '#5'", "seven"}; strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("%q, want %q", got, want)
	}
}
