package localodoo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// cluster is a private PostgreSQL: a data directory and, when started, a server
// that listens on a unix socket in the work dir and nowhere else.
type cluster struct {
	work    *workdir
	tools   toolchain
	data    string
	durable bool
	proc    *child
}

const (
	pgPort = "5432" // only the name of the socket file: there is no TCP port
	pgUser = "odoo" // owner of all databases
	pgRoot = "postgres"
)

// init makes an empty cluster with the role odoo (no superuser, may create
// databases). Collation C is what Odoo itself gives its databases.
func (c *cluster) init(ctx context.Context) error {
	if err := c.work.mkdir(c.data); err != nil {
		return err
	}
	_, err := c.work.run(ctx, c.tools.pg(c.work, "initdb", "-D", c.data, "-U", pgRoot, "-A", "trust",
		"-E", "UTF8", "--locale=C.UTF-8", "--no-sync"), nil)
	if err != nil {
		return fmt.Errorf("making a PostgreSQL cluster: %w", err)
	}
	return nil
}

// serverArgs are the settings of the server.
func (c *cluster) serverArgs() []string {
	onOff := "off"
	if c.durable {
		onOff = "on"
	}
	settings := []string{
		"listen_addresses=",
		"unix_socket_directories=" + c.work.socket(),
		"unix_socket_permissions=0700",
		"port=" + pgPort,
		"max_connections=300",
		"shared_buffers=192MB",
		"fsync=" + onOff,
		"full_page_writes=" + onOff,
		"synchronous_commit=" + onOff,
		"jit=off", // Odoo's queries are small; compiling them only costs
		"logging_collector=off",
		"log_timezone=UTC",
		"timezone=UTC",
	}
	args := []string{"-D", c.data}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	return args
}

// start runs the server and returns when it accepts connections.
func (c *cluster) start(ctx context.Context) error {
	logPath := filepath.Join(c.work.dir, "log", "postgres.log")
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	// A pid file copied along from a crashed cluster would be read as "ready".
	_ = os.Remove(filepath.Join(c.data, "postmaster.pid"))
	if c.proc, err = c.work.start(c.tools.pg(c.work, "postgres", c.serverArgs()...), "postmaster", log); err != nil {
		return err
	}
	timer := time.NewTicker(tick)
	defer timer.Stop()
	for !c.ready() {
		select {
		case <-c.proc.done:
			text, _ := os.ReadFile(logPath)
			return fmt.Errorf("PostgreSQL ended at once: %s", lastLines(string(text), 12))
		case <-ctx.Done():
			c.stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
	return nil
}

// ready reads the status that the postmaster keeps in line 8 of its pid file.
func (c *cluster) ready() bool {
	text, err := os.ReadFile(filepath.Join(c.data, "postmaster.pid"))
	if err != nil {
		return false
	}
	lines := strings.Split(string(text), "\n")
	return len(lines) >= 8 && strings.TrimSpace(lines[7]) == "ready"
}

// stop shuts the server down (fast: clients are disconnected, data is written).
func (c *cluster) stop() error {
	if c.proc == nil {
		return nil
	}
	return c.proc.stop(syscall.SIGINT, 20*time.Second)
}

// sql runs statements, each in its own transaction, and returns the rows as
// psql -At prints them.
func (c *cluster) sql(ctx context.Context, role, db, sql string) (string, error) {
	s := c.tools.pg(c.work, "psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1",
		"-h", c.work.socket(), "-p", pgPort, "-U", role, "-d", db)
	out, err := c.work.run(ctx, s, strings.NewReader(sql))
	if err != nil {
		return "", fmt.Errorf("psql on %s: %w", db, err)
	}
	return strings.TrimSuffix(out, "\n"), nil
}

// dump returns a database as INSERT statements.
func (c *cluster) dump(ctx context.Context, db string) (string, error) {
	s := c.tools.pg(c.work, "pg_dump", "--inserts", "-h", c.work.socket(), "-p", pgPort, "-U", pgUser, "-d", db)
	out, err := c.work.run(ctx, s, nil)
	if err != nil {
		return "", fmt.Errorf("pg_dump of %s: %w", db, err)
	}
	return out, nil
}

// copyTree copies a folder with owners, modes and times, sharing blocks where
// the file system can. links makes hard links instead: right for a filestore,
// whose files are named by their content and never written twice.
func (w *workdir) copyTree(ctx context.Context, from, to string, links bool) error {
	args := []string{"-a", "--reflink=auto"}
	if links {
		args = []string{"-al"}
	}
	args = append(args, "-T", "--", from, to)
	_, err := w.run(ctx, spec{path: "cp", args: args, env: os.Environ(), root: true}, nil)
	if err != nil {
		return fmt.Errorf("copying %s: %w", from, err)
	}
	return nil
}
