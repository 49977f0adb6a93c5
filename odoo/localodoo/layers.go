package localodoo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// layerFormat is raised when layers of an older program would not fit any more.
	layerFormat = "1"
	// templateDB is the database in a layer that new ones are copied from.
	templateDB = "doorman_template"
	// How many layers survive pruning, the last used first: states of one addon,
	// and layers of one kind altogether. One takes about 90 MB. Checkouts that are
	// worked on side by side share the cache, and must not push out each other's.
	statesKept = 6
	layersKept = 16
)

// layer is one cached folder: `pgdata`, a PostgreSQL data directory that holds
// templateDB, and `filestore`, its attachments.
type layer struct {
	kind    string // "base" or "addon"
	key     string
	modules []string // installed on top of the parent
	addons  []string // addon folders to install from
	parent  *layer
	demo    bool
}

// newLayers plans the layers for a wish: the last one is what a Host copies.
func newLayers(tools toolchain, o Options, tree addonTree) (*layer, error) {
	own, extra := tree.split(o.Modules)
	for _, m := range own {
		if !tools.hasModule(m) {
			return nil, fmt.Errorf("no module %s: it is neither in the addon folders (%s) nor part of Odoo",
				m, strings.Join(o.Addons, ", "))
		}
	}
	base := &layer{kind: "base", modules: own, demo: o.Demo}
	base.key = digest(layerFormat, tools.key(), fmt.Sprint(tools.account().uid), fmt.Sprint(o.Demo), strings.Join(own, ","))
	if len(extra) == 0 {
		return base, nil
	}
	// The first half of the key is the same for all states of one addon: pruning
	// keeps some of each, so that one addon's edits do not push out another's.
	family := digest(base.key, strings.Join(extra, ","))[:10]
	return &layer{
		kind: "addon", parent: base, modules: extra, addons: tree.folders, demo: o.Demo,
		key: family + "-" + digest(family, tree.hash),
	}, nil
}

// digest makes a short key of several texts.
func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))[:20]
}

// dir is where the layer is kept.
func (l *layer) dir(cache string) string {
	return filepath.Join(cache, "layers", l.kind+"-"+l.key)
}

// open returns a shared lock on the finished layer, after building it where it
// is missing. While the lock is held nobody prunes the layer.
func (l *layer) open(ctx context.Context, b *builder) (*fileLock, error) {
	dir := l.dir(b.cache)
	for {
		lock, err := l.lock(ctx, b, false)
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(dir); err == nil {
			// Pruning goes by this time.
			_ = os.Chtimes(dir, time.Now(), time.Now())
			return lock, nil
		}
		lock.release()
		if err := l.ensure(ctx, b); err != nil {
			return nil, err
		}
	}
}

// lock takes the layer's lock: shared to copy from it, exclusive to build it.
func (l *layer) lock(ctx context.Context, b *builder, exclusive bool) (*fileLock, error) {
	return waitLock(ctx, l.dir(b.cache)+".lock", exclusive, func() {
		b.log.say("Another run is preparing the database with %s; waiting for it ...", strings.Join(l.modules, ", "))
	})
}

// ensure builds the layer if it is still missing once the exclusive lock is ours.
func (l *layer) ensure(ctx context.Context, b *builder) error {
	lock, err := l.lock(ctx, b, true)
	if err != nil {
		return err
	}
	defer lock.release()
	if _, err := os.Stat(l.dir(b.cache)); err == nil {
		return nil // the run we waited for has built it
	}
	if err := b.build(ctx, l); err != nil {
		// A lock file without a layer would stay for ever; those who wait for it
		// notice that its name is gone.
		os.Remove(l.dir(b.cache) + ".lock")
		return err
	}
	b.prune(l)
	return nil
}

// builder makes layers.
type builder struct {
	tools toolchain
	cache string
	log   *progress
}

// build makes one layer in a hidden folder and renames it into place. The caller
// holds the layer's exclusive lock.
func (b *builder) build(ctx context.Context, l *layer) (err error) {
	final := l.dir(b.cache)
	stage := filepath.Join(filepath.Dir(final), "."+filepath.Base(final))
	os.RemoveAll(stage) // of a run that was interrupted
	w, err := openWorkdir(b.tools)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	w.watchdog.tell("folder", stage)
	defer os.RemoveAll(stage)

	if err := os.Mkdir(stage, 0o755); err != nil {
		return err
	}
	pg := &cluster{work: w, tools: b.tools, data: filepath.Join(stage, "pgdata")}
	if err := b.underlay(ctx, l, w, pg); err != nil {
		return err
	}
	if err := pg.start(ctx); err != nil {
		return err
	}
	defer pg.stop()
	if err := b.install(ctx, l, w, pg); err != nil {
		return err
	}
	if err := pg.stop(); err != nil {
		return fmt.Errorf("stopping PostgreSQL: %w", err)
	}
	if err := w.copyTree(ctx, filepath.Join(w.dir, "data", "filestore", templateDB), filepath.Join(stage, "filestore"), false); err != nil {
		return err
	}
	// PostgreSQL ran without fsync: a power cut after the rename must not find
	// half a cluster under the final name.
	syncDisks()
	return os.Rename(stage, final)
}

// underlay puts what the layer stands on into the stage: an empty cluster, or a
// copy of the parent.
func (b *builder) underlay(ctx context.Context, l *layer, w *workdir, pg *cluster) error {
	files := filepath.Join(w.dir, "data", "filestore", templateDB)
	if l.parent == nil {
		if err := w.mkdir(files); err != nil {
			return err
		}
		return pg.init(ctx)
	}
	lock, err := l.parent.open(ctx, b)
	if err != nil {
		return err
	}
	defer lock.release()
	from := l.parent.dir(b.cache)
	if err := w.copyTree(ctx, filepath.Join(from, "pgdata"), pg.data, false); err != nil {
		return err
	}
	return w.copyTree(ctx, filepath.Join(from, "filestore"), files, false)
}

// install runs Odoo's installation of the layer's modules, and makes sure that
// they are installed: a name that Odoo does not know is only a warning to it.
func (b *builder) install(ctx context.Context, l *layer, w *workdir, pg *cluster) error {
	if l.parent == nil {
		statements := "CREATE ROLE " + pgUser + " LOGIN CREATEDB;\n" +
			"CREATE DATABASE " + templateDB + " OWNER " + pgUser + " TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C.UTF-8';"
		if _, err := pg.sql(ctx, pgRoot, "postgres", statements); err != nil {
			return err
		}
	} else if err := setTemplate(ctx, pg, false); err != nil {
		return err
	}
	with := ""
	if l.demo {
		with = " with demo data"
	}
	done := b.log.step("Installing the modules %s%s (%s)", strings.Join(l.modules, ", "), with, l.estimate())
	o := odooRun{work: w, tools: b.tools, addons: l.addons}
	args := append(o.common(), "-d", templateDB, "-i", strings.Join(l.modules, ","),
		"--without-demo="+yesNo(!l.demo), "--no-http", "--stop-after-init", "--max-cron-threads", "0")
	if l.demo {
		args = append(args, "--with-demo")
	}
	if err := o.run(ctx, append([]string{"server"}, args...)); err != nil {
		return fmt.Errorf("installing %s: %w", strings.Join(l.modules, ", "), err)
	}
	for _, m := range l.modules {
		state, err := pg.sql(ctx, pgUser, templateDB, "SELECT state FROM ir_module_module WHERE name = '"+m+"'")
		if err != nil {
			return err
		}
		if state != "installed" {
			return fmt.Errorf("installing %s: Odoo knows no such module or did not install it (state %q)", m, state)
		}
	}
	done()
	return setTemplate(ctx, pg, true)
}

// setTemplate closes the template to connections, or opens it. Closed, it can
// always be copied (PostgreSQL refuses while anyone is connected), and Odoo does
// not list it as a database to log in to.
func setTemplate(ctx context.Context, pg *cluster, closed bool) error {
	statement := fmt.Sprintf("ALTER DATABASE %s WITH IS_TEMPLATE %t ALLOW_CONNECTIONS %t;", templateDB, closed, !closed)
	if closed {
		// Otherwise every copy starts with an analysis of its own.
		if _, err := pg.sql(ctx, pgRoot, templateDB, "VACUUM ANALYZE;"); err != nil {
			return err
		}
	}
	_, err := pg.sql(ctx, pgRoot, "postgres", statement)
	return err
}

// estimate says roughly how long the installation takes on a small machine.
func (l *layer) estimate() string {
	switch {
	case l.kind == "addon":
		return "about 10 s"
	case l.demo:
		return "about 40 s, more with each app"
	default:
		return "about 30 s, more with each app"
	}
}

// prune removes old layers of the kind of a new one.
func (b *builder) prune(built *layer) {
	if family, _, ok := strings.Cut(built.key, "-"); ok {
		b.pruneTo(statesKept, "addon-"+family+"-*")
	}
	b.pruneTo(layersKept, built.kind+"-*")
}

// pruneTo keeps the layers of a pattern that were used last, and those in use.
func (b *builder) pruneTo(keep int, pattern string) {
	type old struct {
		path string
		used time.Time
	}
	var found []old
	paths, _ := filepath.Glob(filepath.Join(b.cache, "layers", pattern))
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			found = append(found, old{path, info.ModTime()})
		}
	}
	slices.SortFunc(found, func(a, b old) int { return b.used.Compare(a.used) })
	for _, o := range found[min(keep, len(found)):] {
		lock, err := tryLock(o.path+".lock", true)
		if err != nil || lock == nil {
			continue // in use
		}
		// Renamed first: a removal cut off half way must not look like a layer.
		grave := filepath.Join(filepath.Dir(o.path), "."+filepath.Base(o.path))
		if os.Rename(o.path, grave) == nil {
			os.RemoveAll(grave)
			os.Remove(o.path + ".lock")
		}
		lock.release()
	}
}

// yesNo is how Odoo's options take a truth value.
func yesNo(b bool) string {
	if b {
		return "True"
	}
	return "False"
}
