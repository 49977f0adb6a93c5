//go:build linux

package operator_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"doorman/server/e2e/kit"
)

// buildDoorman is the service as a program, which can be killed.
func buildDoorman(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "doorman")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "doorman/server").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// replica is one service in a process of its own.
type replica struct {
	command string // of the documentation
	at      string // where it listens: host and port
	env     []string
	log     kit.Log
	cmd     *exec.Cmd
}

func (r *replica) start(t *testing.T) {
	t.Helper()
	// `exec env`: the process is the service itself, and not a shell that has one.
	r.cmd = exec.Command("/bin/sh", "-c", "exec env "+r.command)
	r.cmd.Env = append(append(os.Environ(), r.env...), "DOORMAN_LISTEN="+r.at)
	r.cmd.Stderr = &r.log
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

// stop sends the signal, and waits for the end. Only a crash may end it otherwise than well.
func (r *replica) stop(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if r.cmd.ProcessState != nil {
		return
	}
	_ = r.cmd.Process.Signal(signal)
	if err := r.cmd.Wait(); err != nil && signal != syscall.SIGKILL {
		t.Errorf("the replica ended with %v\n%s", err, r.log.String())
	}
}

// balancer passes requests on to the replicas whose /readyz is content, in turns, as a load balancer does.
type balancer struct {
	*httptest.Server
	proxies [2]*httputil.ReverseProxy
	ready   [2]atomic.Bool
	said    [2]atomic.Value // what /readyz came to, as a text
	turn    atomic.Int64
}

func newBalancer(t *testing.T, replicas [2]string) *balancer {
	t.Helper()
	b := &balancer{}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	for i, at := range replicas {
		to := &url.URL{Scheme: "http", Host: at}
		b.proxies[i] = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
			r.Out.Header.Del("X-Forwarded-For")
			r.SetXForwarded()
		}, ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }}
		watched, ends := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ends)
			client := &http.Client{Timeout: time.Minute} // a machine that is slow for a moment takes no replica out
			for tick := time.NewTicker(100 * time.Millisecond); ; {
				select {
				case <-watched:
					tick.Stop()
					return
				case <-tick.C:
				}
				answer, err := client.Get(to.String() + "/readyz")
				said := fmt.Sprint(err)
				if err == nil {
					text, _ := io.ReadAll(answer.Body)
					_ = answer.Body.Close()
					said = answer.Status + " " + string(text)
				}
				b.said[i].Store(said)
				b.ready[i].Store(err == nil && answer.StatusCode == http.StatusOK)
			}
		}()
		t.Cleanup(func() { close(watched); <-ends })
	}
	return b
}

// ServeHTTP implements http.Handler.
func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	turn := int(b.turn.Add(1))
	for n := range b.proxies {
		if i := (turn + n) % len(b.proxies); b.ready[i].Load() {
			b.proxies[i].ServeHTTP(w, r)
			return
		}
	}
	http.Error(w, "no replica is ready", http.StatusServiceUnavailable)
}

// isReady waits until the balancer takes a replica for ready.
func (b *balancer) isReady(t *testing.T, i int) {
	t.Helper()
	kit.Await(t, "the replica is ready", func() error { return kit.Unless(b.ready[i].Load(), "its /readyz: ", b.said[i].Load()) })
}

// count is how often the log says this.
func (r *replica) count(what string) int { return strings.Count(r.log.String(), what) }

// unusual is what the log says besides that things go well, at most so much of it as a person reads.
func (r *replica) unusual() string {
	var found []string
	for line := range strings.Lines(r.log.String()) {
		if strings.Contains(line, `"internal"`) || strings.Contains(line, `"level":"warn"`) || strings.Contains(line, `"level":"error"`) {
			found = append(found, line)
		}
	}
	return strings.Join(found[max(0, len(found)-40):], "")
}
