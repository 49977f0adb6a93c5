package localodoo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// neededPackages are what Odoo 19 imports and shows, by their Debian names. A
// name that a release does not know is left out with a word: the package of
// Odoo itself cannot be installed on older releases, and runs there all the same.
var neededPackages = strings.Fields(`
	fonts-font-awesome fonts-inconsolata fonts-roboto-unhinted gsfonts libjs-jquery libjs-jquery-form libjs-underscore
	python3-asn1crypto python3-babel python3-cbor2 python3-chardet python3-cryptography python3-dateutil python3-docutils
	python3-freezegun python3-geoip2 python3-gevent python3-greenlet python3-idna python3-jinja2 python3-libsass
	python3-lxml python3-magic python3-markupsafe python3-num2words python3-ofxparse python3-openpyxl python3-openssl
	python3-passlib python3-pil python3-polib python3-psutil python3-psycopg2 python3-pypdf python3-qrcode
	python3-reportlab python3-requests python3-rjsmin python3-serial python3-stdnum python3-tz python3-urllib3
	python3-usb python3-vobject python3-werkzeug python3-xlrd python3-xlsxwriter python3-xlwt python3-zeep`)

// releasePackages are needed on one release only, by its code name.
var releasePackages = map[string][]string{
	// bookworm's pypdf 3 still has names that Odoo calls (setData), as errors which
	// hide the ones that Odoo adds itself: PDFs with attachments fail. Odoo prefers
	// PyPDF2, where those names work, and later releases have a pypdf without them.
	"bookworm": {"python3-pypdf2"},
}

const (
	odooPackage = "odoo-19"
	systemPy    = "/usr/bin/python3" // another python3 may come first on PATH and lack the modules
	// odooScript is the package's program. A prefork server runs its own script
	// again for websockets (`gevent`), which works with this file and not with
	// `python3 -m odoo`: there the script is a module that cannot run alone.
	odooScript = "/usr/bin/odoo"
	pgBinGlob  = "/usr/lib/postgresql/*/bin"
)

// keyrings hold the keys of Debian's archive, by release.
var keyrings = []string{
	"/usr/share/keyrings/debian-archive-keyring.gpg",
	"/usr/share/keyrings/debian-archive-keyring.pgp",
}

// packages is the toolchain of programs installed on this machine.
type packages struct {
	acc     account
	cache   string
	tree    string // the unpacked odoo-19
	pgBin   string
	version string
}

// packagesWork says why packages do not work here, nil if they are.
func (m machine) packagesWork(ctx context.Context) error {
	for _, tool := range []string{"apt-get", "apt-cache", "dpkg-deb", "dpkg-query"} {
		if _, err := m.lookPath(tool); err != nil {
			return fmt.Errorf("%s is not installed", tool)
		}
	}
	if _, err := m.debianMirror(); err != nil {
		return err
	}
	if m.keyring() == "" {
		return fmt.Errorf("the package debian-archive-keyring is not installed")
	}
	missing := m.missingPackages(ctx)
	if len(missing) == 0 || m.uid == 0 {
		return nil
	}
	if _, err := m.output(ctx, "sudo", "-n", "true"); err == nil {
		return nil
	}
	return fmt.Errorf("packages are missing and neither root nor `sudo -n` is at hand; run: sudo apt-get install %s",
		strings.Join(missing, " "))
}

// keyring returns the keyring of Debian's archive, "" if there is none.
func (m machine) keyring() string {
	for _, path := range keyrings {
		if found, _ := m.glob(path); len(found) > 0 {
			return path
		}
	}
	return ""
}

// missingPackages lists what is not installed.
func (m machine) missingPackages(ctx context.Context) []string {
	needed := slices.Concat(neededPackages, releasePackages[osRelease(m)["VERSION_CODENAME"]])
	// dpkg-query fails when it does not know a name, and still lists the others.
	out, _ := m.output(ctx, "dpkg-query", append([]string{"-W", "-f", "${Package} ${db:Status-Status}\n"}, needed...)...)
	installed := map[string]bool{}
	for line := range strings.SplitSeq(out, "\n") {
		if name, status, _ := strings.Cut(line, " "); status == "installed" {
			installed[name] = true
		}
	}
	var missing []string
	for _, name := range needed {
		if !installed[name] {
			missing = append(missing, name)
		}
	}
	if m.newestPostgres() == "" {
		missing = append(missing, "postgresql")
	}
	return missing
}

// newestPostgres returns the folder of the newest PostgreSQL's programs, "" if there is none.
func (m machine) newestPostgres() string {
	found, _ := m.glob(pgBinGlob + "/initdb")
	newest, best := "", 0.0
	for _, path := range found {
		dir := filepath.Dir(path)
		// As numbers: by the alphabet 9.6 would be newer than 15.
		if version, err := strconv.ParseFloat(filepath.Base(filepath.Dir(dir)), 64); err == nil && version > best {
			newest, best = dir, version
		}
	}
	return newest
}

// newPackages installs what is missing, and downloads and unpacks Odoo where
// the cache has none. The caller holds the install lock.
func newPackages(ctx context.Context, m machine, o Options, log *progress) (*packages, error) {
	if err := m.installMissing(ctx, log); err != nil {
		return nil, err
	}
	p := &packages{acc: self(), pgBin: m.newestPostgres()}
	if m.uid == 0 {
		acc, err := accountNamed("postgres")
		if err != nil {
			return nil, err
		}
		p.acc = acc
	}
	var err error
	if p.cache, err = makeCache(o, m, p.acc); err != nil {
		return nil, err
	}
	lock, err := waitLock(ctx, filepath.Join(p.cache, "install.lock"), true, func() {
		log.say("Another run is downloading Odoo into %s; waiting for it ...", p.cache)
	})
	if err != nil {
		return nil, err
	}
	defer lock.release()
	if p.version, err = p.ensureTree(ctx, m, log); err != nil {
		return nil, err
	}
	// Compiled files are kept by the path of their source: where a cache borrows
	// another one's Odoo by a link, they must be found by the path there.
	p.tree, err = filepath.EvalSymlinks(filepath.Join(p.cache, "odoo", p.version))
	return p, err
}

// ensureTree returns the version of the unpacked Odoo, after downloading and
// unpacking it if there is none.
func (p *packages) ensureTree(ctx context.Context, m machine, log *progress) (string, error) {
	trees, err := os.ReadDir(filepath.Join(p.cache, "odoo"))
	if err != nil && !os.IsNotExist(err) {
		return "", err
	}
	for _, t := range slices.Backward(trees) {
		if !strings.HasPrefix(t.Name(), ".") {
			return t.Name(), nil
		}
	}
	deb, version, err := p.ensureDeb(ctx, m, log)
	if err != nil {
		return "", err
	}
	return version, p.unpack(ctx, m, deb, version, log)
}

// unpack extracts the package beside its final place and renames it.
func (p *packages) unpack(ctx context.Context, m machine, deb, version string, log *progress) error {
	root := filepath.Join(p.cache, "odoo")
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	removeHidden(root)
	done := log.step("Unpacking Odoo %s (1.2 GB, about 15 s)", version)
	stage := filepath.Join(root, ".unpacking")
	if err := os.Mkdir(stage, 0o755); err != nil {
		return err
	}
	if _, err := m.output(ctx, "dpkg-deb", "-x", deb, stage); err != nil {
		os.RemoveAll(stage)
		return fmt.Errorf("unpacking %s: %w", filepath.Base(deb), err)
	}
	// The package links to scripts and fonts of other packages by relative paths;
	// without these three the web client answers 500 for want of jquery.
	for _, name := range []string{"javascript", "fonts", "fonts-font-awesome"} {
		link := filepath.Join(stage, "usr/share", name)
		if _, err := os.Lstat(link); err == nil {
			continue
		}
		if err := os.Symlink(filepath.Join("/usr/share", name), link); err != nil {
			return err
		}
	}
	if err := os.Chmod(stage, 0o755); err != nil {
		return err
	}
	syncDisks()
	if err := os.Rename(stage, filepath.Join(root, version)); err != nil {
		return err
	}
	done()
	return nil
}

func (p *packages) name() string     { return "Odoo " + p.version + " from packages" }
func (p *packages) key() string      { return "packages " + p.version + " " + p.pgBin }
func (p *packages) account() account { return p.acc }
func (p *packages) pycache() string  { return filepath.Join(p.cache, "pycache") }
func (p *packages) engine() string   { return "" }

// hasModule looks into the unpacked tree.
func (p *packages) hasModule(name string) bool {
	_, err := os.Stat(filepath.Join(p.tree, "usr/lib/python3/dist-packages/odoo/addons", name, "__manifest__.py"))
	return err == nil
}

// pg makes a command of the installed PostgreSQL.
func (p *packages) pg(w *workdir, program string, args ...string) spec {
	return spec{path: filepath.Join(p.pgBin, program), args: args, env: odooEnv(w)}
}

// odoo makes a command of the unpacked Odoo.
func (p *packages) odoo(w *workdir, addons []string, args ...string) spec {
	if len(addons) > 0 {
		args = append(args, "--addons-path", strings.Join(addons, ","))
	}
	env := odooEnv(w,
		"PYTHONPATH="+filepath.Join(p.tree, "usr/lib/python3/dist-packages"),
		"PYTHONPYCACHEPREFIX="+p.pycache())
	return spec{path: systemPy, args: append([]string{filepath.Join(p.tree, odooScript)}, args...), env: env}
}

// makeCache creates the cache directory and what the unprivileged account writes in it.
func makeCache(o Options, m machine, acc account) (string, error) {
	dir, err := cacheDir(o, m.getenv, acc)
	if err != nil {
		return "", err
	}
	for _, sub := range []string{"", "deb", "odoo", "layers", "pycache"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return "", fmt.Errorf("cache directory: %w", err)
		}
	}
	// A umask of 077 would close the cache to the account that runs Odoo.
	for _, sub := range []string{"", "odoo", "layers"} {
		if err := os.Chmod(filepath.Join(dir, sub), 0o755); err != nil {
			return "", fmt.Errorf("cache directory: %w", err)
		}
	}
	if acc.switches {
		if err := os.Chown(filepath.Join(dir, "pycache"), acc.uid, acc.gid); err != nil {
			return "", fmt.Errorf("cache directory: %w", err)
		}
	}
	return dir, nil
}

// removeHidden deletes what an interrupted run left: unfinished things start with a dot.
func removeHidden(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
}

// globSorted is filepath.Glob.
func globSorted(pattern string) ([]string, error) { return filepath.Glob(pattern) }

// sha256File returns the SHA-256 of a file in hexadecimal.
func sha256File(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
