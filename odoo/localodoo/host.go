package localodoo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Host is a private PostgreSQL with the databases and Odoo servers of one run.
// Its methods may be called from any goroutine.
type Host struct {
	opts   Options
	log    *progress
	tools  toolchain
	work   *workdir
	pg     *cluster
	addons []string // folders that the account running Odoo can read

	// life ends when Close begins: whoever waits for a server to answer gives up then.
	life    context.Context
	endLife context.CancelFunc

	shells  shells
	mu      sync.Mutex
	servers []*Server
	changes int // of the addon folders, see UseAddons
	end     error
	once    sync.Once
	unhook  func() bool
}

// errClosed is the answer to anything asked of a Host after Close.
var errClosed = errors.New("the local Odoo has been closed")

// Start prepares what is missing (packages, download, template) and starts the
// private PostgreSQL. The first time takes about two minutes, later ones a few
// seconds; a changed addon costs its installation.
//
// ctx bounds the life of the Host, not only of the start: when it ends, so do
// the Host and everything it started. Errors: no way to get Odoo here (see
// Available), a failed download or installation (with the part of Odoo's log
// that explains it), or ctx.Err().
func Start(ctx context.Context, o Options) (*Host, error) {
	if err := supported(); err != nil {
		return nil, err
	}
	o, err := o.normalize()
	if err != nil {
		return nil, err
	}
	log := &progress{w: o.Log}
	tools, cache, err := newToolchain(ctx, thisMachine(), o, log)
	if err != nil {
		return nil, err
	}
	w, err := openWorkdir(tools)
	if err != nil {
		return nil, err
	}
	h := &Host{opts: o, log: log, tools: tools, work: w}
	h.shells.turn = make(chan struct{}, 1)
	h.shells.turn <- struct{}{}
	h.life, h.endLife = context.WithCancel(context.Background())
	h.pg = &cluster{work: w, tools: tools, data: filepath.Join(w.dir, "pgdata"), durable: o.Durable}
	if err := h.prepare(ctx, cache); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.unhook = context.AfterFunc(ctx, func() { _ = h.Close() })
	return h, nil
}

// newToolchain gets Odoo and PostgreSQL onto the machine.
func newToolchain(ctx context.Context, m machine, o Options, log *progress) (toolchain, string, error) {
	way, err := m.choose(ctx)
	if err != nil {
		return nil, "", err
	}
	if way.packages {
		p, err := newPackages(ctx, m, o, log)
		if err != nil {
			return nil, "", err
		}
		return p, p.cache, nil
	}
	c, err := newContainers(ctx, m, way.engine, log)
	if err != nil {
		return nil, "", err
	}
	c.cache, err = makeCache(o, m, c.acc)
	return c, c.cache, err
}

// openWorkdir makes a work dir that fits the toolchain.
func openWorkdir(tools toolchain) (*workdir, error) {
	w, err := newWorkdir(tools.account(), tools.engine())
	if err != nil {
		return nil, err
	}
	// Copies of addons in the work dir leave compiled files in the shared cache.
	w.watchdog.tell("folder", filepath.Join(tools.pycache(), w.dir))
	if c, ok := tools.(*containers); ok {
		if err := c.prepare(w); err != nil {
			return nil, errors.Join(err, w.close())
		}
	}
	return w, nil
}

// prepare copies the layer and starts PostgreSQL.
func (h *Host) prepare(ctx context.Context, cache string) error {
	tree, err := snapshot(h.opts.Addons, filepath.Join(h.work.dir, "addons"))
	if err != nil {
		return err
	}
	if h.addons, err = h.readableAddons(tree); err != nil {
		return err
	}
	l, err := newLayers(h.tools, h.opts, tree)
	if err != nil {
		return err
	}
	lock, err := l.open(ctx, &builder{tools: h.tools, cache: cache, log: h.log})
	if err != nil {
		return err
	}
	defer lock.release()
	from := l.dir(cache)
	if err := h.work.copyTree(ctx, filepath.Join(from, "pgdata"), h.pg.data, false); err != nil {
		return err
	}
	if err := h.work.copyTree(ctx, filepath.Join(from, "filestore"), h.filestore(templateDB), false); err != nil {
		return err
	}
	return h.pg.start(ctx)
}

// readableAddons returns the addon folders for Odoo to run from: the originals,
// so that an edit counts at the next Restart, or the copy where the account that
// runs Odoo cannot read them (a checkout in root's closed home).
func (h *Host) readableAddons(tree addonTree) ([]string, error) {
	folders := make([]string, 0, len(h.opts.Addons))
	for i, dir := range h.opts.Addons {
		readable, err := h.tools.account().canRead(dir)
		if err != nil {
			return nil, err
		}
		if !readable {
			h.log.say("The user %s cannot read %s; Odoo runs from a copy of it.", h.tools.account().name, dir)
			dir = tree.folders[i]
		}
		folders = append(folders, dir)
	}
	return folders, nil
}

// filestore is where Odoo keeps the attachments of a database.
func (h *Host) filestore(db string) string {
	return filepath.Join(h.work.dir, "data", "filestore", db)
}

// odoo makes an odooRun of this Host.
func (h *Host) odoo() odooRun { return odooRun{work: h.work, tools: h.tools, addons: h.addons} }

// Version names what runs here, for reports: "Odoo 19.0.0+dfsg-1 from packages".
func (h *Host) Version() string { return h.tools.name() }

// NewDatabase makes a fresh database from the template, with its filestore, and
// returns its name. It takes about a second. Every database gets an identity
// (uuid, secret) of its own. Safe for concurrent use.
func (h *Host) NewDatabase(ctx context.Context) (string, error) {
	return h.NewDatabaseFrom(ctx, templateDB)
}

// NewDatabaseFrom is NewDatabase with a database of this Host as the template:
// one that a script has prepared need not be prepared again. PostgreSQL refuses
// to copy a database that a server or a script is connected to.
func (h *Host) NewDatabaseFrom(ctx context.Context, from string) (string, error) {
	if !isModuleName(from) {
		return "", fmt.Errorf("no database of this host: %q", from)
	}
	name := "t_" + strings.ToLower(rand.Text()[:12])
	create := fmt.Sprintf("CREATE DATABASE %s OWNER %s TEMPLATE %q STRATEGY FILE_COPY;", name, pgUser, from)
	if _, err := h.pg.sql(ctx, pgRoot, "postgres", create); err != nil {
		return "", fmt.Errorf("copying the database %s: %w", from, err)
	}
	if err := h.work.copyTree(ctx, h.filestore(from), h.filestore(name), true); err != nil {
		return "", err
	}
	// A session or a signed link of one database must not be valid in another.
	identity := "UPDATE ir_config_parameter SET value = gen_random_uuid()::text WHERE key IN ('database.uuid', 'database.secret');"
	if _, err := h.pg.sql(ctx, pgUser, name, identity); err != nil {
		return "", err
	}
	return name, nil
}

// untilIdle waits for the end of the transactions in a database, 5 seconds at most.
const untilIdle = `DO $$ BEGIN
	FOR i IN 1..100 LOOP
		PERFORM pg_stat_clear_snapshot();
		EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = '%s' AND backend_type = 'client backend' AND state <> 'idle');
		PERFORM pg_sleep(0.05);
	END LOOP;
END $$;`

// DropDatabase removes a database and its filestore, also while it is in use. It lets work in it come to an end first,
// for 5 seconds: a worker that is cut off while it loads a registry logs an error that does not say for which database.
func (h *Host) DropDatabase(ctx context.Context, name string) error {
	if !isModuleName(name) || name == templateDB {
		return fmt.Errorf("no database of this host: %q", name)
	}
	if _, err := h.pg.sql(ctx, pgRoot, "postgres", fmt.Sprintf(untilIdle, name)); err != nil {
		return err
	}
	if _, err := h.pg.sql(ctx, pgRoot, "postgres", fmt.Sprintf("DROP DATABASE IF EXISTS %q WITH (FORCE);", name)); err != nil {
		return err
	}
	return os.RemoveAll(h.filestore(name))
}

// DSN is the connection string of a database, in libpq's words. The host is the
// folder of a unix socket: there is no TCP port.
func (h *Host) DSN(db string) string {
	return fmt.Sprintf("host=%s port=%s user=%s dbname=%s sslmode=disable", h.work.socket(), pgPort, pgUser, db)
}

// Psql runs SQL as the databases' owner and returns the rows as `psql -At`
// prints them: columns separated by |, no headers. Several statements are run
// each in a transaction of its own, and stop at the first error.
func (h *Host) Psql(ctx context.Context, db, sql string) (string, error) {
	return h.pg.sql(ctx, pgUser, db, sql)
}

// Dump returns all that a database holds, as SQL: what is kept of a secret would
// be in it.
func (h *Host) Dump(ctx context.Context, db string) (string, error) {
	return h.pg.dump(ctx, db)
}

// StopPostgres ends the host's PostgreSQL, as an outage does: Odoo servers go on running without it.
func (h *Host) StopPostgres() error { return h.pg.stop() }

// StartPostgres starts it again, and returns when it takes connections.
func (h *Host) StartPostgres(ctx context.Context) error { return h.pg.start(ctx) }

// Close stops the Odoo servers, then PostgreSQL, waits for them and removes the
// temp dir. It may be called more than once; every call returns the same error.
func (h *Host) Close() error {
	h.once.Do(func() {
		h.mu.Lock()
		if h.unhook != nil {
			h.unhook()
		}
		h.endLife()
		servers := h.servers
		h.mu.Unlock()
		var all sync.WaitGroup
		errs := make([]error, len(servers))
		for i, s := range servers {
			all.Go(func() { errs[i] = s.Stop(); s.letGo() })
		}
		all.Wait()
		h.end = errors.Join(errors.Join(errs...), h.shells.end(), h.pg.stop(), h.work.close())
	})
	return h.end
}

// stopGrace is how long an Odoo server may take to stop before it is killed.
const stopGrace = 10 * time.Second
