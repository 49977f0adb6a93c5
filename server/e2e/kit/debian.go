package kit

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// DebianProgram returns a program: that of this machine, or from a Debian package, which is unpacked into the cache and not
// installed, since installing would start a server. Where neither can be had the test is skipped, and says why.
func DebianProgram(t testing.TB, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	root, err := rootOf("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, ".cache", "debian", name)
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	release, err := lockFile(filepath.Dir(dir)) // another test process may be about to do the same
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if _, err := os.Stat(dir); err != nil {
		fetchDebian(t, name, dir)
	}
	for _, place := range []string{"usr/sbin", "usr/bin"} {
		if path := filepath.Join(dir, place, name); exec.Command("test", "-x", path).Run() == nil {
			return path
		}
	}
	t.Fatalf("Debian's package %s holds no program of that name", name)
	return ""
}

// fetchDebian unpacks a package into dir, which is there only once it is complete.
func fetchDebian(t testing.TB, name, dir string) {
	t.Helper()
	stage, err := os.MkdirTemp(filepath.Dir(dir), ".stage") //nolint:usetesting // beside dir: it is renamed to it
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(stage)
	// apt downloads as a user of its own where it can.
	if err := os.Chmod(stage, 0o755); err != nil {
		t.Fatal(err)
	}
	download := exec.Command("apt-get", "-q", "-o", "Acquire::Retries=3", "download", name)
	download.Dir = stage
	if out, err := download.CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: %s is not on this machine, and its Debian package cannot be had: %v\n%s", name, err, out)
	}
	found, err := filepath.Glob(filepath.Join(stage, "*.deb"))
	if err != nil || len(found) != 1 {
		t.Fatalf("apt-get left %d files", len(found))
	}
	tree := filepath.Join(stage, "tree")
	if out, err := exec.Command("dpkg-deb", "--extract", found[0], tree).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.Rename(tree, dir); err != nil {
		t.Fatal(err)
	}
}
