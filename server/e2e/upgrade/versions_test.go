package upgrade_test

import (
	"archive/tar"
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"doorman/server/access"
	"doorman/server/e2e/kit"
)

//go:embed versions.json
var versionsJSON []byte

// version is one that people may upgrade from.
type version struct {
	Version   string `json:"version"`
	Commit    string `json:"commit"`    // 40 hex digits: a tag need not come along with a clone
	Addon     string `json:"addon"`     // of __manifest__.py
	Interface int    `json:"interface"` // what its service and addon speak
}

// versions are the released ones, the oldest first.
func versions(t testing.TB) []version {
	t.Helper()
	var all []version
	decoder := json.NewDecoder(bytes.NewReader(versionsJSON))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&all); err != nil || len(all) == 0 {
		t.Fatalf("versions.json: %d versions, %v", len(all), err)
	}
	return all
}

// repo is the root of the repository.
func repo(t testing.TB) string { return filepath.Dir(kit.AddonDir(t)) }

// fillOf is what people had made with a version.
func fillOf(t testing.TB, v version) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", v.Version, "fill.py"))
	if err != nil {
		t.Fatalf("no database of version %s can be made: %v", v.Version, err)
	}
	return string(text)
}

// noHistory is what somebody reads whose clone cannot tell.
const noHistory = `version %s is commit %s, which this clone does not have (%v).
Nobody can tell from it whether that version can be upgraded. A shallow clone gets the history by "git fetch --unshallow"
(in CI: fetch-depth: 0), a download without .git has to be replaced by a clone.`

// archive hands each file of a commit to use. root is a clone.
func archive(root string, v version, use func(*tar.Header, io.Reader) error) error {
	if out, err := exec.Command("git", "-C", root, "cat-file", "-e", v.Commit+"^{commit}").CombinedOutput(); err != nil {
		return fmt.Errorf(noHistory, v.Version, v.Commit, strings.TrimSpace(fmt.Sprint(err, ": ", string(out))))
	}
	git := exec.Command("git", "-C", root, "archive", "--format=tar", v.Commit)
	var said bytes.Buffer
	git.Stderr = &said
	out, err := git.StdoutPipe()
	if err != nil {
		return err
	}
	if err := git.Start(); err != nil {
		return err
	}
	files := tar.NewReader(out)
	for err == nil {
		var header *tar.Header
		if header, err = files.Next(); err == nil {
			err = use(header, files)
		}
	}
	if errors.Is(err, io.EOF) {
		_, err = io.Copy(io.Discard, out)
	}
	if ended := git.Wait(); err == nil && ended != nil {
		err = fmt.Errorf("git archive: %w: %s", ended, said.String())
	}
	return err
}

// checkout unpacks the tree of a version.
func checkout(t testing.TB, v version) string {
	t.Helper()
	dir := t.TempDir()
	err := archive(repo(t), v, func(h *tar.Header, body io.Reader) error {
		to := filepath.Join(dir, filepath.FromSlash(h.Name))
		switch h.Typeflag {
		case tar.TypeDir:
			return os.MkdirAll(to, 0o755)
		case tar.TypeReg:
			text, err := io.ReadAll(body)
			return errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, text, h.FileInfo().Mode().Perm()))
		}
		return nil // the comment with the commit
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// manifestVersion reads an addon's version.
func manifestVersion(t testing.TB, tree string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(tree, "addon", "doorman", "__manifest__.py"))
	found := regexp.MustCompile(`"version": "([\d.]+)"`).FindSubmatch(text)
	if err != nil || found == nil {
		t.Fatalf("%s: no version in the manifest: %v", tree, err)
	}
	return string(found[1])
}

// TestVersions: what versions.json says is whole, told by the changelog, and behind us.
func TestVersions(t *testing.T) {
	changelog, err := os.ReadFile(filepath.Join(repo(t), "CHANGELOG.md"))
	if err != nil {
		t.Fatal(err)
	}
	last := ""
	for _, v := range versions(t) {
		if !regexp.MustCompile(`^[0-9a-f]{40}$`).MatchString(v.Commit) || v.Interface < 1 || v.Interface > access.Interface {
			t.Errorf("%+v", v)
		}
		if !strings.HasSuffix(v.Addon, "."+v.Version) || v.Addon <= last {
			t.Errorf("version %s has the addon %q, after %q", v.Version, v.Addon, last)
		}
		last = v.Addon
		if !regexp.MustCompile(`(?m)^## ` + regexp.QuoteMeta(v.Version) + ` - \d{4}-\d\d-\d\d$`).Match(changelog) {
			t.Errorf("CHANGELOG.md has no section for %s with its date", v.Version)
		}
		fillOf(t, v)
	}
	if now := manifestVersion(t, repo(t)); now <= last {
		t.Errorf("the addon is %s, and %s is out: raise it, so that Odoo and the service know new code from old", now, last)
	}
}

// TestNoHistory: in a clone without the commit, the words say what to do.
func TestNoHistory(t *testing.T) {
	bare := t.TempDir()
	if out, err := exec.Command("git", "init", "--quiet", bare).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	v := versions(t)[0]
	for name, root := range map[string]string{"a clone without it": bare, "no clone at all": t.TempDir()} {
		err := archive(root, v, func(*tar.Header, io.Reader) error { return nil })
		if err == nil || !strings.Contains(err.Error(), "git fetch --unshallow") || !strings.Contains(err.Error(), v.Version) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRealVersions: each commit is the version that versions.json says.
func TestRealVersions(t *testing.T) {
	kit.SkipWithoutOdoo(t)
	for _, v := range versions(t) {
		if got := manifestVersion(t, checkout(t, v)); got != v.Addon {
			t.Errorf("commit %s has the addon %s, not %s", v.Commit, got, v.Addon)
		}
	}
}
