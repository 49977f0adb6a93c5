package localodoo

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Options say what kind of Odoo is wanted. The zero value is a plain Odoo with
// base, web and mail, without demo data, tuned for throw-away tests.
type Options struct {
	// CacheDir keeps what is expensive to make. "" is $DOORMAN_CACHE, and where
	// that is empty too ~/.cache/doorman, or /var/cache/doorman for a root whose
	// home other accounts cannot enter.
	CacheDir string
	// Addons are folders that hold addon folders, for example "<repo>/addon".
	Addons []string
	// Modules are installed in every new database; base, web and mail always are.
	Modules []string
	// Demo loads Odoo's demo data.
	Demo bool
	// Durable runs PostgreSQL with fsync, full page writes and synchronous commit
	// on, as in production. Only benchmarks want it.
	Durable bool
	// Log gets the progress in plain words, one line a write. nil is silent.
	Log io.Writer
}

// baseModules are in every database, whatever is asked for.
var baseModules = []string{"base", "web", "mail"}

// normalize makes paths absolute and the module list sorted and unique, so that
// the same wish always gives the same cache key.
func (o Options) normalize() (Options, error) {
	addons := make([]string, 0, len(o.Addons))
	for _, dir := range o.Addons {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return o, fmt.Errorf("addon folder %s: %w", dir, err)
		}
		// A comma would silently become two entries of --addons-path.
		if strings.Contains(abs, ",") {
			return o, fmt.Errorf("addon folder %s: Odoo cannot take a comma in its addons path", abs)
		}
		if info, err := os.Stat(abs); err != nil || !info.IsDir() {
			return o, fmt.Errorf("addon folder %s: not a folder", abs)
		}
		addons = append(addons, abs)
	}
	o.Addons = addons
	modules := slices.Clone(o.Modules)
	for _, m := range modules {
		if !isModuleName(m) {
			return o, fmt.Errorf("module name %q: only letters, digits and _ are possible", m)
		}
	}
	slices.Sort(modules)
	o.Modules = slices.Compact(modules)
	return o, nil
}

// isModuleName keeps a comma, a quote or a leading dash out of command lines and SQL.
func isModuleName(s string) bool {
	if s == "" {
		return false
	}
	for _, r := range s {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return false
		}
	}
	return true
}

// rootCache is where root keeps the cache when its home is closed to others.
const rootCache = "/var/cache/doorman"

// cacheDir decides where the cache is. It does not create it. A directory that
// was asked for and that acc cannot enter is an error here, because later it
// would be a riddle: Odoo failing to import itself.
func cacheDir(o Options, getenv func(string) string, acc account) (string, error) {
	asked := o.CacheDir
	if asked == "" {
		asked = getenv("DOORMAN_CACHE")
	}
	if asked != "" {
		dir, err := filepath.Abs(asked)
		if err != nil {
			return "", fmt.Errorf("cache directory %s: %w", asked, err)
		}
		if blocked := acc.blockedAt(filepath.Dir(dir)); blocked != "" {
			return "", fmt.Errorf("cache directory %s: the user %s, which runs Odoo and PostgreSQL, cannot enter %s; "+
				"choose another directory (DOORMAN_CACHE) or open that one (chmod o+x)", dir, acc.name, blocked)
		}
		return dir, nil
	}
	home, err := os.UserHomeDir()
	if err == nil {
		dir := filepath.Join(home, ".cache", "doorman")
		if acc.blockedAt(filepath.Dir(dir)) == "" {
			return dir, nil
		}
	}
	if os.Geteuid() == 0 {
		return rootCache, nil
	}
	return "", fmt.Errorf("no cache directory: the home directory is not known or closed; set DOORMAN_CACHE")
}
