package localodoo

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// addonTree is a private copy of the extra addon folders, taken once: what is
// hashed is then exactly what is installed, also while somebody edits.
type addonTree struct {
	folders []string // copies, in the order of Options.Addons
	hash    string
	modules map[string]string // module -> its folder
}

// snapshot copies the addon folders below dest, readable for everybody.
func snapshot(addons []string, dest string) (addonTree, error) {
	t := addonTree{modules: map[string]string{}}
	h := sha256.New()
	for i, from := range addons {
		to := filepath.Join(dest, fmt.Sprint(i))
		if err := copyAddons(from, to, h); err != nil {
			return t, fmt.Errorf("reading the addon folder %s: %w", from, err)
		}
		t.folders = append(t.folders, to)
		entries, err := os.ReadDir(to)
		if err != nil {
			return t, err
		}
		for _, e := range entries {
			dir := filepath.Join(to, e.Name())
			if _, err := os.Stat(filepath.Join(dir, "__manifest__.py")); err == nil {
				if _, twice := t.modules[e.Name()]; !twice {
					t.modules[e.Name()] = dir
				}
			}
		}
	}
	t.hash = hex.EncodeToString(h.Sum(nil))
	return t, nil
}

// walkAddons visits an addon folder and all files and folders in it that an
// addon could consist of, by their paths from there. Links are followed: an
// addon may be a link to a checkout.
func walkAddons(dir string, visit func(rel string, info fs.FileInfo) error) error {
	var walk func(below string) error
	walk = func(below string) error {
		// With a slash at the end the folder that a link points to is meant.
		root := filepath.Join(dir, below) + string(filepath.Separator)
		return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			if path != root && ignored(e.Name()) {
				if e.IsDir() {
					return filepath.SkipDir
				}
				return nil
			}
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			if info.IsDir() && !e.IsDir() {
				return walk(rel)
			}
			return visit(rel, info)
		})
	}
	return walk("")
}

// addonState tells whether anything in addon folders has been written since.
func addonState(folders []string) (string, error) {
	h := sha256.New()
	for _, dir := range folders {
		err := walkAddons(dir, func(rel string, info fs.FileInfo) error {
			if info.Mode().IsRegular() {
				fmt.Fprintf(h, "%s %d %d\n", rel, info.Size(), info.ModTime().UnixNano())
			}
			return nil
		})
		if err != nil {
			return "", fmt.Errorf("reading the addon folder %s: %w", dir, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// copyAddons copies one folder and feeds what a database depends on to the hash.
func copyAddons(from, to string, h io.Writer) error {
	return walkAddons(from, func(rel string, info fs.FileInfo) error {
		target := filepath.Join(to, rel)
		switch {
		case info.IsDir():
			return os.MkdirAll(target, 0o755)
		case !info.Mode().IsRegular():
			return nil
		}
		data, err := os.ReadFile(filepath.Join(from, rel))
		if err != nil {
			return err
		}
		if changesDatabase(rel) {
			fmt.Fprintf(h, "%s %d\n%s\n", rel, len(data), data)
		}
		return os.WriteFile(target, data, 0o644)
	})
}

// ignored names what no addon consists of: compiled files and editors' leftovers.
func ignored(name string) bool {
	return strings.HasPrefix(name, ".") || name == "__pycache__" || name == "node_modules" ||
		strings.HasSuffix(name, ".pyc") || strings.HasSuffix(name, "~")
}

// changesDatabase is false for files that never reach a database, so that
// editing a test does not cost a new installation.
func changesDatabase(rel string) bool {
	parts := strings.Split(filepath.ToSlash(rel), "/")
	if len(parts) < 2 {
		return len(parts) == 1 && strings.HasSuffix(rel, ".py")
	}
	inside := parts[1]
	return inside != "tests" && inside != "readme" && !strings.HasPrefix(inside, "README")
}

var (
	dependsList = regexp.MustCompile(`(?s)["']depends["']\s*:\s*[\[(](.*?)[\])]`)
	quotedName  = regexp.MustCompile(`["']([A-Za-z0-9_]+)["']`)
)

// dependencies reads the "depends" of a manifest. It only decides what goes into
// the base layer: a manifest it cannot read costs time, not correctness.
func dependencies(manifest string) []string {
	list := dependsList.FindStringSubmatch(manifest)
	if list == nil {
		return nil
	}
	var names []string
	for _, m := range quotedName.FindAllStringSubmatch(list[1], -1) {
		names = append(names, m[1])
	}
	return names
}

// split divides the modules that are wanted into Odoo's own, with what the
// addons depend on (base layer), and the addons' (addon layer).
func (t addonTree) split(wanted []string) (own, extra []string) {
	own = slices.Clone(baseModules)
	seen := map[string]bool{}
	var visit func(name string, asked bool)
	visit = func(name string, asked bool) {
		if dir, ok := t.modules[name]; ok {
			if asked {
				extra = append(extra, name)
			}
			if seen[name] {
				return
			}
			seen[name] = true
			manifest, _ := os.ReadFile(filepath.Join(dir, "__manifest__.py"))
			for _, d := range dependencies(string(manifest)) {
				visit(d, false)
			}
			return
		}
		own = append(own, name)
	}
	for _, m := range wanted {
		visit(m, true)
	}
	slices.Sort(own)
	slices.Sort(extra)
	return slices.Compact(own), slices.Compact(extra)
}
