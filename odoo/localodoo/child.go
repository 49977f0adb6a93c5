package localodoo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// spec is a command, as plain data: how it is made can be tested without running it.
type spec struct {
	path string
	args []string
	env  []string
	// container is the name of the container it runs in, "" for a process of
	// this machine. Signals that stop or freeze must then go to the engine,
	// because the process we started is only the engine's client.
	container string
	engine    string
	// stdin is what a long-lived process reads; short ones are given theirs by run.
	stdin string
	// root runs it as ourselves even where Odoo runs as somebody else.
	root bool
}

// child is a running process.
type child struct {
	spec     spec
	pid      int
	watchdog *watchdog
	done     chan struct{}
	err      error // valid once done is closed
	// frozen is set between pause and resume: a frozen process cannot answer a
	// polite signal.
	frozen atomic.Bool
}

// start runs a long-lived process whose output goes to out.
func (w *workdir) start(s spec, kind string, out io.Writer) (*child, error) {
	cmd := exec.Command(s.path, s.args...)
	cmd.Env, cmd.Dir = s.env, w.dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(s.stdin), out, out
	death := syscall.SIGKILL
	switch {
	case kind == "postmaster":
		death = syscall.SIGQUIT
	case s.container != "":
		// The engine's client passes a polite signal on to the container; killed, it could not.
		death = syscall.SIGTERM
	}
	if err := spawn(cmd, w.accountFor(s), death); err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.path, err)
	}
	c := &child{spec: s, pid: cmd.Process.Pid, watchdog: w.watchdog, done: make(chan struct{})}
	id := strconv.Itoa(c.pid)
	w.watchdog.tell(kind, id)
	if s.container != "" {
		w.watchdog.tell("container", s.container)
	}
	go func() {
		c.err = cmd.Wait()
		// A worker that its master forgot, or that outlived its crash, goes as well.
		_ = signalGroup(c.pid, syscall.SIGKILL)
		w.watchdog.tell("gone", id)
		if s.container != "" {
			w.watchdog.tell("gone", s.container)
		}
		close(c.done)
	}()
	return c, nil
}

// run runs a short command to its end and returns its standard output. When ctx
// ends it is killed with everything it started.
func (w *workdir) run(ctx context.Context, s spec, stdin io.Reader) (string, error) {
	var out, errs bytes.Buffer
	err := w.runTo(ctx, s, stdin, &out, &errs)
	if err != nil && strings.TrimSpace(errs.String()) != "" {
		err = fmt.Errorf("%w: %s", err, lastLines(errs.String(), 12))
	}
	return out.String(), err
}

// runTo is run with the output streams given.
func (w *workdir) runTo(ctx context.Context, s spec, stdin io.Reader, out, errs io.Writer) error {
	cmd := exec.CommandContext(ctx, s.path, s.args...)
	cmd.Env, cmd.Dir = s.env, w.dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, out, errs
	cmd.Cancel = func() error {
		if s.container != "" {
			_ = exec.Command(s.engine, "kill", s.container).Run()
		}
		return signalGroup(cmd.Process.Pid, syscall.SIGKILL)
	}
	// A grandchild that kept the pipe open must not hold us up for ever.
	cmd.WaitDelay = 5 * time.Second
	if err := spawn(cmd, w.accountFor(s), syscall.SIGKILL); err != nil {
		return fmt.Errorf("starting %s: %w", s.path, err)
	}
	id := strconv.Itoa(cmd.Process.Pid)
	w.watchdog.tell("group", id)
	if s.container != "" {
		w.watchdog.tell("container", s.container)
	}
	err := cmd.Wait()
	w.watchdog.tell("gone", id)
	if s.container != "" {
		w.watchdog.tell("gone", s.container)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", commandName(s), err)
	}
	return nil
}

// commandName names a command in errors: the program, not its fifty arguments.
func commandName(s spec) string {
	name := s.path[strings.LastIndex(s.path, "/")+1:]
	if s.container != "" {
		return name + " (container)"
	}
	return name
}

// exited reports whether the process has ended.
func (c *child) exited() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// stop asks with sig, waits up to grace, then kills the group. It returns only
// when the process is gone.
func (c *child) stop(sig syscall.Signal, grace time.Duration) error {
	if c.exited() {
		return nil
	}
	if c.frozen.Load() {
		// Thawing first would run whatever was waiting; nobody wants its result.
		return c.kill()
	}
	_ = signalProcess(c.pid, sig)
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-c.done:
		return nil
	case <-timer.C:
		return c.kill()
	}
}

// kill ends the process and its whole group at once. It does nothing once the
// process is gone: its number may be somebody else's by then.
func (c *child) kill() error {
	if c.exited() {
		return nil
	}
	if c.spec.container != "" {
		_ = exec.Command(c.spec.engine, "kill", c.spec.container).Run()
	}
	err := signalGroup(c.pid, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		err = nil
	}
	if err == nil {
		<-c.done
	}
	return err
}

// freeze stops (or thaws) the process and its group without ending it.
func (c *child) freeze(frozen bool) error {
	if c.exited() {
		return errors.New("the process has ended")
	}
	c.frozen.Store(frozen)
	if c.spec.container != "" {
		verb := "unpause"
		if frozen {
			verb = "pause"
		}
		return exec.Command(c.spec.engine, verb, c.spec.container).Run()
	}
	if frozen {
		return signalGroup(c.pid, sigPause)
	}
	return signalGroup(c.pid, sigResume)
}

// lastLines returns the last n lines of s, trimmed.
func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return strings.Join(lines, "\n")
}
