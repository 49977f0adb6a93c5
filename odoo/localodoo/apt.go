package localodoo

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// installMissing installs the packages that are missing, with words about it.
func (m machine) installMissing(ctx context.Context, log *progress) error {
	missing := m.missingPackages(ctx)
	if len(missing) == 0 {
		return nil
	}
	known := m.knownPackages(ctx, missing)
	if len(known) < len(missing) {
		done := log.step("Refreshing the package lists")
		if err := m.aptGet(ctx, "update"); err != nil {
			return fmt.Errorf("refreshing the package lists: %w", err)
		}
		done()
		known = m.knownPackages(ctx, missing)
	}
	for _, name := range missing {
		if !known[name] {
			log.say("This release has no package %s; going on without it.", name)
		}
	}
	if len(known) == 0 {
		return nil
	}
	args := []string{"install", "-y", "--no-install-recommends"}
	for _, name := range missing {
		if known[name] {
			args = append(args, name)
		}
	}
	done := log.step("Installing %d Debian packages with apt-get (about 30 s): %s", len(known), strings.Join(args[3:], " "))
	if err := m.aptGet(ctx, args...); err != nil {
		return fmt.Errorf("installing packages: %w", err)
	}
	done()
	return nil
}

// knownPackages asks apt which of the names it could install.
func (m machine) knownPackages(ctx context.Context, names []string) map[string]bool {
	out, _ := m.output(ctx, "apt-cache", append([]string{"show", "--no-all-versions"}, names...)...)
	known := map[string]bool{}
	for line := range strings.SplitSeq(out, "\n") {
		if name, ok := strings.CutPrefix(line, "Package: "); ok {
			known[strings.TrimSpace(name)] = true
		}
	}
	return known
}

// aptGet changes the system, as root. It is asked to stop when ctx ends but
// never killed: dpkg cut off half way leaves a system that needs repair.
func (m machine) aptGet(ctx context.Context, args ...string) error {
	line := append([]string{"apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"}, args...)
	line = append([]string{"env", "DEBIAN_FRONTEND=noninteractive"}, line...)
	if m.uid != 0 {
		line = append([]string{"sudo", "-n"}, line...)
	}
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, lastLines(string(out), 8))
	}
	return nil
}

// sidOptions point apt to a source list and index folder of our own, so that
// the machine's own sources stay as they are and no package of sid can ever be
// installed by accident.
func sidOptions(dir string) []string {
	return []string{
		"-o", "Dir::Etc::SourceList=" + filepath.Join(dir, "sources.list"),
		"-o", "Dir::Etc::SourceParts=/dev/null",
		"-o", "Dir::State::Lists=" + filepath.Join(dir, "lists"),
		"-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
		"-o", "Acquire::Languages=none",
		"-o", "Acquire::Retries=3",
		"-o", "APT::Get::List-Cleanup=0",
	}
}

// sidSource is the one line of that list. apt verifies the archive's signature
// with the keyring, and every download with the signed index.
func sidSource(from mirror, keyring string) string {
	return fmt.Sprintf("deb [signed-by=%s] %s sid main\n", keyring, from.uri)
}

// ensureDeb returns the downloaded package and its version. One from the cache
// is used only if its SHA-256 is still the one that apt's signed index named.
func (p *packages) ensureDeb(ctx context.Context, m machine, log *progress) (path, version string, err error) {
	dir := filepath.Join(p.cache, "deb")
	if path, version, ok := cachedDeb(dir, log); ok {
		return path, version, nil
	}
	stage, err := os.MkdirTemp(dir, ".download-")
	if err != nil {
		return "", "", err
	}
	defer os.RemoveAll(stage)
	// apt downloads as a user of its own, who must get in here.
	if err := os.Chmod(stage, 0o755); err != nil {
		return "", "", err
	}
	info, err := p.aptIndex(ctx, m, stage, log)
	if err != nil {
		return "", "", err
	}
	version = info["version"]
	done := log.step("Downloading Odoo %s (%s MB, a minute or less)", version, megabytes(info["size"]))
	cmd := exec.CommandContext(ctx, "apt-get", append(append([]string{"-q"}, sidOptions(stage)...), "download", odooPackage+"="+version)...)
	cmd.Dir = stage
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("downloading %s: %w: %s", odooPackage, err, lastLines(string(out), 6))
	}
	found, err := filepath.Glob(filepath.Join(stage, "*.deb"))
	if err != nil || len(found) != 1 {
		return "", "", fmt.Errorf("downloading %s: apt-get left %d files", odooPackage, len(found))
	}
	sum, err := sha256File(found[0])
	if err != nil {
		return "", "", err
	}
	if sum != info["sha256"] {
		return "", "", fmt.Errorf("downloading %s: the SHA-256 is not the one of the signed index", odooPackage)
	}
	done()
	path = filepath.Join(dir, odooPackage+"_"+version+".deb")
	if err := os.WriteFile(path+".sha256", []byte(sum+"\n"), 0o644); err != nil {
		return "", "", err
	}
	return path, version, os.Rename(found[0], path)
}

// aptIndex fetches the signed index of the sid suite and returns the fields of odoo-19.
func (p *packages) aptIndex(ctx context.Context, m machine, stage string, log *progress) (map[string]string, error) {
	from, err := m.debianMirror()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(stage, "lists", "partial"), 0o755); err != nil {
		return nil, err
	}
	source := []byte(sidSource(from, m.keyring()))
	if err := os.WriteFile(filepath.Join(stage, "sources.list"), source, 0o644); err != nil {
		return nil, err
	}
	done := log.step("Reading the package index of Debian's sid suite (10 MB)")
	if _, err := m.output(ctx, "apt-get", append(append([]string{"-q"}, sidOptions(stage)...), "update", "--error-on=any")...); err != nil {
		return nil, fmt.Errorf("reading the index of Debian's sid suite: %w", err)
	}
	out, err := m.output(ctx, "apt-cache", append(sidOptions(stage), "show", "--no-all-versions", odooPackage)...)
	if err != nil {
		return nil, fmt.Errorf("Debian's sid suite at this machine's mirror has no package %s: %w", odooPackage, err)
	}
	done()
	info := deb822(strings.TrimSpace(out))
	if info["sha256"] == "" || info["version"] == "" {
		return nil, fmt.Errorf("the index entry of %s has no version or no SHA-256", odooPackage)
	}
	return info, nil
}

// cachedDeb finds an intact package of an earlier run.
func cachedDeb(dir string, log *progress) (path, version string, ok bool) {
	removeHidden(dir)
	found, _ := filepath.Glob(filepath.Join(dir, odooPackage+"_*.deb"))
	for _, path := range found {
		want, err := os.ReadFile(path + ".sha256")
		if err != nil {
			continue
		}
		got, err := sha256File(path)
		if err != nil || got != strings.TrimSpace(string(want)) {
			log.say("The cached %s is damaged; downloading it again.", filepath.Base(path))
			continue
		}
		name := strings.TrimSuffix(filepath.Base(path), ".deb")
		return path, strings.TrimPrefix(name, odooPackage+"_"), true
	}
	return "", "", false
}

// megabytes turns a size in bytes into a word for people.
func megabytes(bytes string) string {
	if len(bytes) <= 6 {
		return "1"
	}
	return bytes[:len(bytes)-6]
}
