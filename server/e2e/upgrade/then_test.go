package upgrade_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"doorman/server/e2e/kit"
)

// buildThen builds the service of an unpacked version. Go's own cache makes the second time quick.
func buildThen(t *testing.T, tree string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "doorman")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", to, "./server")
	build.Dir = tree
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the service of then does not build: %v\n%s", err, out)
	}
	return to
}

// then is `doorman serve` of an older version, in a process of its own.
type then struct {
	*kit.Service // for its addresses
	environ      []string
	program      string
	stop         func()
	log          *lines
}

// lines are what the process has logged.
type lines struct {
	sync.Mutex
	text strings.Builder
}

func (l *lines) String() string {
	l.Lock()
	defer l.Unlock()
	return l.text.String()
}

// serveThen starts the service of then at an address, and returns once it is open.
func serveThen(t *testing.T, program, listen string, environ ...string) *then {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	environ = append([]string{"PATH=" + os.Getenv("PATH"), "DOORMAN_LISTEN=" + listen}, environ...)
	process := exec.CommandContext(ctx, program, "serve")
	process.Env, process.WaitDelay = environ, 10*time.Second
	process.Cancel = func() error { return process.Process.Signal(syscall.SIGTERM) } // it sends what is left for the audit
	out, in := io.Pipe()
	process.Stderr = in
	if err := process.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	s := &then{environ: environ, program: program, log: &lines{}}
	ended := make(chan error, 1)
	go func() {
		ended <- process.Wait()
		_ = in.Close()
	}()
	s.stop = sync.OnceFunc(func() { cancel(); <-ended })
	t.Cleanup(s.stop)
	open := make(chan string, 1)
	go func() {
		for scan := bufio.NewScanner(out); scan.Scan(); {
			var line struct{ MCP string }
			if json.Unmarshal(scan.Bytes(), &line) == nil && line.MCP != "" {
				open <- line.MCP
			}
			s.log.Lock()
			s.log.text.WriteString(scan.Text() + "\n")
			s.log.Unlock()
		}
	}()
	select {
	case mcp := <-open:
		s.Service = &kit.Service{URL: strings.TrimSuffix(mcp, "/mcp"), MCP: mcp}
	case err := <-ended:
		ended <- err
		t.Fatalf("the service of then did not start: %v\n%s", err, s.log)
	case <-time.After(3 * time.Minute):
		t.Fatalf("the service of then does not open:\n%s", s.log)
	}
	return s
}

// check runs `doorman check` of then, and returns what it prints.
func (s *then) check(t *testing.T) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), s.program, "check")
	command.Env = s.environ
	out, _ := command.CombinedOutput() // that it finds something wrong is said in it
	return string(out)
}
