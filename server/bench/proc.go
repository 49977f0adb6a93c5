package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// toolbox knows the repository and holds the doorman binary under test.
type toolbox struct {
	dir     string // temporary
	root    string // of the repository
	doorman string
}

// newToolbox builds doorman as a release would be built.
func newToolbox(ctx context.Context, o options) (*toolbox, error) {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "doorman").Output()
	if err != nil {
		return nil, fmt.Errorf("run this inside Doorman's repository: %w", err)
	}
	t := &toolbox{root: strings.TrimSpace(string(root)), doorman: o.doorman}
	if t.dir, err = os.MkdirTemp("", "doorman-bench-"); err != nil {
		return nil, err
	}
	if t.doorman != "" {
		return t, nil
	}
	t.doorman = filepath.Join(t.dir, "doorman")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", t.doorman, "./server")
	build.Dir = t.root
	if out, err := build.CombinedOutput(); err != nil {
		t.remove()
		return nil, fmt.Errorf("building doorman: %w\n%s", err, out)
	}
	return t, nil
}

func (t *toolbox) remove() { _ = os.RemoveAll(t.dir) }

// child is a server of ours in a process of its own: its memory is its own, and no garbage of the load is collected
// on its time.
type child struct {
	cmd  *exec.Cmd
	url  string // of its MCP endpoint
	log  *tail
	done chan struct{}
	err  error
}

// startDoorman runs `doorman serve` against an Odoo, and returns when it is ready.
func startDoorman(ctx context.Context, binary, odooURL, db, key string) (*child, error) {
	cmd := exec.Command(binary, "serve")
	cmd.Env = append(cleanEnviron(), "DOORMAN_ODOO_URL="+odooURL, "DOORMAN_ODOO_DB="+db, "DOORMAN_ODOO_KEY="+key,
		"DOORMAN_LISTEN=127.0.0.1:0", "DOORMAN_ODOO_TRANSPORT=doorman")
	c, err := startChild(ctx, cmd)
	if err != nil {
		return nil, err
	}
	return c, c.awaitReady(ctx)
}

// cleanEnviron is the environment without settings for another Doorman.
func cleanEnviron() (out []string) {
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "DOORMAN_") {
			out = append(out, entry)
		}
	}
	return out
}

// startChild starts a server that writes a JSON line with the field "mcp", its endpoint, to its standard error.
func startChild(ctx context.Context, cmd *exec.Cmd) (*child, error) {
	open := make(chan string, 1)
	c, err := launch(cmd, open)
	if err != nil {
		return nil, err
	}
	select {
	case c.url = <-open:
		return c, nil
	case <-c.done:
		return nil, fmt.Errorf("%s ended at once: %w\n%s", filepath.Base(cmd.Path), c.err, c.log)
	case <-ctx.Done():
	case <-time.After(20 * time.Second):
	}
	c.stop()
	return nil, errors.Join(ctx.Err(), fmt.Errorf("%s did not start\n%s", filepath.Base(cmd.Path), c.log))
}

// launch starts a process. Its standard error is read to its end; open gets the endpoint that it tells there, if it does.
func launch(cmd *exec.Cmd, open chan<- string) (*child, error) {
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd: cmd, log: &tail{}, done: make(chan struct{})}
	go func() {
		c.readLog(stderr, open)
		c.err = cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

func (c *child) readLog(r io.Reader, open chan<- string) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		c.log.add(lines.Text())
		var line struct{ MCP string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.MCP != "" {
			select {
			case open <- line.MCP:
			default:
			}
		}
	}
}

// base is the child's address without the path of the endpoint.
func (c *child) base() string { return strings.TrimSuffix(c.url, "/mcp") }

func (c *child) awaitReady(ctx context.Context) error {
	deadline := time.Now().Add(20 * time.Second)
	for {
		status, text, err := get(ctx, c.base()+"/readyz")
		if err == nil && status == http.StatusOK {
			return nil
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			c.stop()
			return fmt.Errorf("doorman is not ready: %s\n%s", text, c.log)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// stop ends the child, in order if it can.
func (c *child) stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(5 * time.Second):
		_ = c.cmd.Process.Kill()
		<-c.done
	}
}

func get(ctx context.Context, url string) (status int, text string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return response.StatusCode, string(body), err
}
