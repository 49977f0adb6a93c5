package localodoo

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary run itself as a second process.
func TestMain(m *testing.M) {
	if os.Getenv("LOCALODOO_HELPER") != "" {
		helper()
		return
	}
	os.Exit(m.Run())
}

// holding is what a helper process says once it stands.
type holding struct {
	WorkDir  string
	Watchdog int
	URL      string
	Error    string
}

// helper starts an Odoo and lives until its standard input closes or it is
// killed. LOCALODOO_HELPER says which: "threaded" is a server with the tiny addon
// of LOCALODOO_ADDONS; "prefork" is one with two workers, with a script running
// beside it; "frozen" is that, paused. LOCALODOO_CACHE is the cache, "" the usual one.
func helper() {
	say := func(h holding) { _ = json.NewEncoder(os.Stdout).Encode(h) }
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	mode := os.Getenv("LOCALODOO_HELPER")
	o := Options{CacheDir: os.Getenv("LOCALODOO_CACHE"), Log: os.Stderr}
	if mode == "threaded" {
		o.Addons, o.Modules = []string{os.Getenv("LOCALODOO_ADDONS")}, []string{"tiny_one"}
	}
	h, err := Start(ctx, o)
	if err != nil {
		say(holding{Error: err.Error()})
		return
	}
	defer h.Close()
	url, err := serveAs(ctx, h, mode)
	if err != nil {
		say(holding{Error: err.Error()})
		return
	}
	say(holding{WorkDir: h.work.dir, Watchdog: h.work.watchdog.cmd.Process.Pid, URL: url})
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// serveAs starts what a mode of the helper asks for and returns the server's URL.
func serveAs(ctx context.Context, h *Host, mode string) (string, error) {
	if mode == "threaded" {
		s, err := h.Serve(ctx, ServeOptions{})
		if err != nil {
			return "", err
		}
		return s.URL(), nil
	}
	db, err := h.NewDatabase(ctx)
	if err != nil {
		return "", err
	}
	s, err := h.Serve(ctx, ServeOptions{Workers: 2})
	if err != nil {
		return "", err
	}
	file := filepath.Join(h.work.dir, "home", "begun")
	failed := make(chan error, 1)
	go func() {
		_, err := h.Shell(ctx, db, blocked(file))
		failed <- err
	}()
	for {
		if _, err := os.Stat(file); err == nil {
			break
		}
		select {
		case err := <-failed:
			return "", err
		case <-time.After(tick):
		}
	}
	if mode == "frozen" {
		err = s.Pause()
	}
	return s.URL(), err
}

// second is a helper process as its parent sees it.
type second struct {
	cmd   *exec.Cmd
	stdin io.Closer
	out   io.Reader
	log   strings.Builder
}

// runSecond starts a helper process.
func runSecond(t *testing.T, mode string, environ ...string) *second {
	t.Helper()
	s := &second{cmd: exec.Command(os.Args[0])}
	s.cmd.Env = append(append(os.Environ(), "LOCALODOO_HELPER="+mode), environ...)
	s.cmd.Stderr = &s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := s.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.out, s.stdin = out, in
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stdin.Close(); _ = s.cmd.Wait() })
	return s
}

// stands waits until the helper reports.
func (s *second) stands(t *testing.T) holding {
	t.Helper()
	line, err := bufio.NewReader(s.out).ReadString('\n')
	if err != nil {
		_ = s.cmd.Wait()
		t.Fatalf("the helper said nothing: %v\n%s", err, s.log.String())
	}
	var h holding
	if err := json.Unmarshal([]byte(line), &h); err != nil || h.Error != "" {
		t.Fatalf("helper: %v %s", err, h.Error)
	}
	return h
}

// processesOf lists the living processes that were started for a work dir: they
// name it in their command line or environment, or (PostgreSQL's helpers, which
// overwrite both) work in it. Zombies have none of that.
func processesOf(workDir string) []string {
	var found []string
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		cmdline, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		environ, _ := os.ReadFile(filepath.Join(dir, "environ"))
		cwd, _ := os.Readlink(filepath.Join(dir, "cwd"))
		if strings.Contains(string(cmdline)+string(environ)+cwd, workDir) {
			text := strings.ReplaceAll(string(cmdline), "\x00", " ")
			found = append(found, fmt.Sprintf("%s %.80s", filepath.Base(dir), text))
		}
	}
	return found
}

// eventually polls until f is true.
func eventually(t *testing.T, limit time.Duration, what string, f func() bool) time.Duration {
	t.Helper()
	begin := time.Now()
	for !f() {
		if time.Since(begin) > limit {
			t.Fatalf("not within %v: %s", limit, what)
		}
		time.Sleep(tick)
	}
	return time.Since(begin)
}
