package kit

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

var installed = sync.OnceValues(installNode)

// NeedNode skips, saying why, unless both the clients and the real Odoo were asked for; then it installs the clients.
func NeedNode(t testing.TB) *Interpreter {
	t.Helper()
	if os.Getenv("DOORMAN_TEST_NODE") == "" {
		t.Skip("needs Node and npm: set DOORMAN_TEST_NODE=1, as make test does")
	}
	SkipWithoutOdoo(t)
	kit, err := installed()
	if err != nil {
		t.Fatal(err)
	}
	return kit
}

// installNode runs npm where node_modules is missing or older than the lock file, and finds a Node that is new enough.
func installNode() (*Interpreter, error) {
	dir, err := clientsDir()
	if err != nil {
		return nil, err
	}
	// The lock is on the file that the installation follows: another test process may be about to do the same.
	release, err := lockFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return nil, err
	}
	defer release()
	if !upToDate(dir) {
		// No scripts: a test run must not execute what a package's author put into its installation.
		npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		npm.Dir = dir
		if out, err := npm.CombinedOutput(); err != nil {
			return nil, errors.New("npm ci: " + err.Error() + "\n" + string(out))
		}
	}
	node, err := findNode(dir)
	return &Interpreter{Dir: dir, Path: node}, err
}

// upToDate compares with the file that npm writes last: an installation that broke off does not have it.
func upToDate(dir string) bool {
	want, err := os.Stat(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return false
	}
	have, err := os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json"))
	return err == nil && !have.ModTime().Before(want.ModTime())
}

// findNode returns a Node of at least 22.19, which the suite and the Inspector need. The npm package "node" puts its
// binary in place with an installation script; the packages it would choose from are installed directly instead.
func findNode(dir string) (string, error) {
	candidates, err := filepath.Glob(filepath.Join(dir, "node_modules", "node-*", "bin", "node"))
	if err != nil {
		return "", err
	}
	if node, err := exec.LookPath("node"); err == nil {
		candidates = append(candidates, node)
	}
	var seen []string
	for _, node := range candidates {
		out, err := exec.Command(node, "--version").Output()
		version := strings.TrimSpace(string(out))
		if err == nil && newEnough(version) {
			return node, nil
		}
		seen = append(seen, node+" "+version)
	}
	return "", errors.New("no Node of at least 22.19 for this platform; there is: " + strings.Join(seen, ", "))
}

var nodeVersion = regexp.MustCompile(`^v(\d+)\.(\d+)\.`)

func newEnough(version string) bool {
	m := nodeVersion.FindStringSubmatch(version)
	if m == nil {
		return false
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	return major > 22 || major == 22 && minor >= 19
}
