package repo_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryPackageSaysWhatItIsFor: a package comment in one file. CONTRIBUTING.md sends newcomers there.
func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	t.Parallel()
	comments := map[string]int{}
	for _, file := range parse(t, "server", "odoo", "jobs") {
		dir := filepath.Dir(file.name)
		comments[dir] += 0
		doc, name := file.tree.Doc.Text(), file.tree.Name.Name
		if name == "main" {
			name = filepath.Base(dir)
		}
		switch {
		case strings.HasPrefix(doc, "Package "+name+" "), strings.HasPrefix(doc, "Command "+name+" "):
			comments[dir]++
		case doc != "":
			t.Errorf("%s: its package comment begins neither with Package %s nor with Command %s", file.name, name, name)
		}
	}
	for dir, n := range comments {
		if n != 1 {
			t.Errorf("%s has %d package comments", dir, n)
		}
	}
	if len(comments) < 30 {
		t.Errorf("only %d packages were found", len(comments))
	}
}

// TestContributingNamesEveryFolder: the table of folders is how a newcomer finds the one to look into. Folders of `server/mcp`
// and of the addon are named in the row of what they are in.
func TestContributingNamesEveryFolder(t *testing.T) {
	t.Parallel()
	_, table, _ := strings.Cut(pages(t)["CONTRIBUTING.md"], "\n## Where things live\n")
	table, _, found := strings.Cut(table, "\n\nEach Go package")
	if !found {
		t.Fatal("CONTRIBUTING.md has no table of folders, or another sentence follows it")
	}
	var want []string
	for _, file := range parse(t, "server", "odoo", "jobs") {
		parts := strings.Split(filepath.Dir(file.name), "/")
		if len(parts) < 2 || parts[0] == "server" && (parts[1] == "e2e" || len(parts) > 2 && parts[1] != "mcp") {
			parts = parts[:min(len(parts), 2)]
		}
		name := strings.Join(parts, "/") + "/"
		if len(parts) > 2 || parts[0] == "odoo" && len(parts) > 1 {
			name = parts[len(parts)-1] + "/"
		}
		want = append(want, name)
	}
	usual := []string{"__pycache__", "controllers", "data", "demo", "i18n", "migrations", "readme", "security", "static", "tests", "views", "wizards"}
	rooms, err := os.ReadDir(filepath.Join(repoRoot(t), "addon", "doorman"))
	if err != nil {
		t.Fatal(err)
	}
	for _, room := range rooms {
		if room.IsDir() && !slices.Contains(usual, room.Name()) {
			want = append(want, room.Name()+"/")
		}
	}
	slices.Sort(want)
	for _, name := range slices.Compact(want) {
		if !strings.Contains(table, "`"+name+"`") {
			t.Errorf("the table of folders in CONTRIBUTING.md does not have %s", name)
		}
	}
}

// TestPagesNameRealTests: a page that sends people to a test which was renamed sends them nowhere.
func TestPagesNameRealTests(t *testing.T) {
	t.Parallel()
	known := testNames(t, repoRoot(t))
	named := regexp.MustCompile(`\bTest[A-Z]\w+`)
	for name, page := range pages(t) {
		for _, test := range named.FindAllString(page, -1) {
			if !known[test] && !strings.HasPrefix(name, "server/e2e/requirements/") { // those have a test of their own
				t.Errorf("%s: there is no test %s", name, test)
			}
		}
	}
}

// TestPagesNameRealTargets: what people are told to make can be made.
func TestPagesNameRealTargets(t *testing.T) {
	t.Parallel()
	makefile := text(t, "Makefile")
	named := regexp.MustCompile("(?m)(?:`|^\\s*)make ([a-z-]+)")
	n := 0
	for name, page := range pages(t) {
		inside := false
		for line := range strings.Lines(page) {
			if fence := strings.HasPrefix(strings.TrimSpace(line), "```"); fence {
				inside = !inside
				continue
			}
			for _, match := range named.FindAllStringSubmatch(line, -1) {
				if !inside && !strings.HasPrefix(match[0], "`") {
					continue // a sentence that goes on with this word
				}
				n++
				if !strings.Contains(makefile, "\n"+match[1]+":") {
					t.Errorf("%s: there is no make %s", name, match[1])
				}
			}
		}
	}
	if n < 30 {
		t.Errorf("only %d were found", n)
	}
}

// TestPagesNameTheVersion: what people copy has the version of today.
func TestPagesNameTheVersion(t *testing.T) {
	t.Parallel()
	version := found(t, "addon/doorman/__manifest__.py", `"version": "19\.0\.([\d.]+)"`)
	named := regexp.MustCompile(`\bdoorman_(\d+\.\d+\.\d+)_`).FindAllStringSubmatch(pages(t)["docs/install.md"], -1)
	if len(named) < 3 {
		t.Errorf("only %d file names with a version were found", len(named))
	}
	for _, match := range named {
		if match[1] != version {
			t.Errorf("docs/install.md has %s, the addon is %s", match[0], version)
		}
	}
}

// TestPicturesAreShown: a picture that no page shows, or that no test takes under its name, is not renewed with the others,
// and shows what is long gone.
func TestPicturesAreShown(t *testing.T) {
	t.Parallel()
	all := pages(t)
	n := 0
	var takers strings.Builder
	for _, file := range files(t) {
		if strings.HasPrefix(file, "server/e2e/browser/") {
			takers.WriteString(text(t, file))
		}
	}
	for _, file := range files(t) {
		if !strings.HasPrefix(file, "docs/img/") {
			continue
		}
		n++
		shown := false
		for _, page := range all {
			shown = shown || strings.Contains(page, "img/"+filepath.Base(file)+")")
		}
		if !shown {
			t.Errorf("no page shows %s", file)
		}
		if name := strings.TrimSuffix(filepath.Base(file), ".png"); !strings.Contains(takers.String(), `shot("`+name+`"`) {
			t.Errorf("no test takes %s", file)
		}
	}
	if n < 20 {
		t.Errorf("only %d pictures were found", n)
	}
}
