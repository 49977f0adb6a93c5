package localodoo

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// shellServer is the Python side of Shell; it says how the two talk.
//
//go:embed shell_server.py
var shellServer string

// shellEnd commits what the statements did, and tells running servers to drop
// what they cached of it.
const shellEnd = "\n\nenv.cr.commit()\nenv.registry.signal_changes()\n"

// Shell runs Python statements as `odoo shell` does, where `env` is the database
// as superuser, commits, and returns what they printed. An exception is an error
// with its traceback, and nothing is committed; so is an exit by sys.exit with
// anything but 0. Every call has a process of its own. When ctx ends it is
// killed with what it has started, and the error is ctx.Err().
//
// The first call of a Host takes seconds, because Odoo has to be imported, later
// ones the fraction of a second that loading the registry takes.
func (h *Host) Shell(ctx context.Context, db, python string) (string, error) {
	p, err := h.shells.join(ctx, h, db)
	if err != nil {
		return "", fmt.Errorf("odoo shell on %s: %w", db, err)
	}
	defer p.jobs.Done()
	files := filepath.Join(h.work.dir, "home", "shell-"+strconv.FormatInt(h.shells.count.Add(1), 10))
	job := shellJob{Database: db, Script: python + shellEnd, Out: files + ".out", Errors: files + ".err"}
	defer os.Remove(job.Out)
	defer os.Remove(job.Errors)
	status, err := p.run(ctx, job)
	out, _ := os.ReadFile(job.Out) // missing where the script never began
	switch {
	case ctx.Err() != nil:
		return string(out), ctx.Err()
	case err != nil && h.life.Err() != nil:
		return string(out), errClosed
	case err == nil && status < 0:
		err = fmt.Errorf("signal: %v", syscall.Signal(-status))
	case err == nil && status > 0:
		err = fmt.Errorf("exit status %d", status)
	}
	if err != nil {
		log, _ := os.ReadFile(job.Errors)
		err = fmt.Errorf("odoo shell on %s: %w\n%s", db, err, failingPart(string(log)))
	}
	return string(out), err
}

// shells is the process that runs scripts; the first script starts it.
type shells struct {
	turn chan struct{} // holds one value while nobody starts or ends the process
	now  *shellProcess
	// count numbers scripts and processes, for the names of their files.
	count atomic.Int64
}

// shellProcess is one process that forks for each script.
type shellProcess struct {
	*child
	socket string
	log    string
	code   string // what the addons were when it was started
	jobs   sync.WaitGroup
}

// shellJob is what the process is told of a script.
type shellJob struct {
	Database string `json:"database"`
	Script   string `json:"script"`
	Out      string `json:"out"`
	Errors   string `json:"errors"`
}

// join returns the process, with one more job, after starting it where there is
// none that knows the addons as they are now.
func (s *shells) join(ctx context.Context, h *Host, db string) (*shellProcess, error) {
	select {
	case <-s.turn:
		defer func() { s.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if h.life.Err() != nil {
		return nil, errClosed
	}
	code, err := addonState(h.addons)
	if err != nil {
		return nil, err
	}
	if old := s.now; old == nil || old.code != code || old.exited() {
		if old != nil {
			s.now = nil
			go func() { old.jobs.Wait(); _ = old.kill() }()
		}
		if s.now, err = h.startShells(ctx, db, code); err != nil {
			return nil, err
		}
	}
	s.now.jobs.Add(1)
	return s.now, nil
}

// startShells starts a process for scripts. db tells it what to import.
func (h *Host) startShells(ctx context.Context, db, code string) (*shellProcess, error) {
	installed, err := h.Psql(ctx, db, "SELECT json_agg(name) FROM ir_module_module WHERE state = 'installed'")
	if err != nil {
		return nil, err
	}
	number := strconv.FormatInt(h.shells.count.Add(1), 10)
	p := &shellProcess{
		socket: filepath.Join(h.work.socket(), "shell-"+number),
		log:    filepath.Join(h.work.dir, "log", "shell-"+number+".log"),
		code:   code,
	}
	program := filepath.Join(h.work.dir, "shell_server.py")
	if err := os.WriteFile(program, []byte(shellServer), 0o644); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	args := append([]string{"shell"}, h.odoo().common()...)
	s := h.tools.odoo(h.work, h.addons, append(args, "--no-http", "--max-cron-threads", "0", "--log-level", "warn")...)
	// Texts and lists of texts are the same in JSON and in Python.
	s.stdin = fmt.Sprintf("exec(compile(open(%[1]q).read(), %[1]q, 'exec'), {'MODULES': %[2]s, 'SOCKET': %[3]q})\n",
		program, installed, p.socket)
	p.child, err = h.work.start(s, "group", log)
	return p, err
}

// run sends a script and waits for its exit status. When ctx ends the script is
// killed, and run returns when that is done.
func (p *shellProcess) run(ctx context.Context, job shellJob) (status int, err error) {
	conn, err := p.dial(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() {
		_ = conn.CloseWrite()
		_ = conn.SetReadDeadline(time.Now().Add(stopGrace)) // it may hang as a whole
	})()
	if err := json.NewEncoder(conn).Encode(job); err != nil {
		return 0, err
	}
	reply, err := io.ReadAll(conn)
	if err != nil {
		return 0, err
	}
	if status, err = strconv.Atoi(strings.TrimSpace(string(reply))); err != nil {
		return 0, p.ended("while the script ran")
	}
	return status, nil
}

// dial connects, for which the process must have begun to listen.
func (p *shellProcess) dial(ctx context.Context) (*net.UnixConn, error) {
	timer := time.NewTicker(tick)
	defer timer.Stop()
	for {
		conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: p.socket, Net: "unix"})
		if err == nil {
			return conn, nil
		}
		select {
		case <-p.done:
			return nil, p.ended("at once")
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-timer.C:
		}
	}
}

// ended is the error about a process that has ended.
func (p *shellProcess) ended(when string) error {
	log, _ := os.ReadFile(p.log)
	return fmt.Errorf("Odoo ended %s\n%s", when, failingPart(string(log)))
}

// end kills the process with all scripts that run; there is no other afterwards,
// because the life of the Host has ended before.
func (s *shells) end() error {
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	if s.now == nil {
		return nil
	}
	return s.now.kill()
}
