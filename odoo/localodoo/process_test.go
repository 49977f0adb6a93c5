package localodoo

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Two processes that both find the addon layer missing: one builds it, the
// other says that it waits, and both end up with servers of their own.
func TestTwoProcessesAtOnce(t *testing.T) {
	needOdoo(t)
	addons := tinyAddon(t, fmt.Sprintf("two %d", time.Now().UnixNano()))
	a, b := runSecond(t, "serve", addons), runSecond(t, "serve", addons)
	ha, hb := a.stands(t), b.stands(t)
	if ha.WorkDir == hb.WorkDir || ha.URL == hb.URL {
		t.Fatalf("they share something: %+v %+v", ha, hb)
	}
	for _, x := range []*second{a, b} {
		x.stdin.Close()
		if err := x.cmd.Wait(); err != nil {
			t.Errorf("helper: %v\n%s", err, x.log.String())
		}
	}
	both := a.log.String() + b.log.String()
	if n := strings.Count(both, "Installing the modules tiny_one"); n != 1 {
		t.Errorf("the layer was built %d times\n%s", n, both)
	}
	if !strings.Contains(both, "waiting for it") {
		t.Errorf("nobody said that it waits\n%s", both)
	}
	for _, h := range []holding{ha, hb} {
		eventually(t, 5*time.Second, "no process left after Close", func() bool { return len(processesOf(h.WorkDir)) == 0 })
		if _, err := os.Stat(h.WorkDir); err == nil {
			t.Errorf("%s is left after Close", h.WorkDir)
		}
	}
}

// A parent that dies by SIGKILL can clean up nothing itself.
func TestKilledParentLeavesNothing(t *testing.T) {
	needOdoo(t)
	addons := tinyAddon(t, "killed")
	for _, row := range []struct {
		name, mode string
		guardToo   bool
		limit      time.Duration
	}{
		{"prefork server at work", "serve", false, 6 * time.Second},
		{"server frozen, which no polite signal reaches", "frozen", false, 6 * time.Second},
		// Workers then notice by themselves that their master is gone.
		{"guard killed as well, parent-death signals only", "serve", true, 20 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := runSecond(t, row.mode, addons)
			h := p.stands(t)
			// guard, postmaster and its helpers, Odoo's master, two workers, gevent
			if n := len(processesOf(h.WorkDir)); n < 8 {
				t.Fatalf("only %d processes found: the search does not work", n)
			}
			if row.guardToo {
				_ = signalProcess(h.Guard, syscall.SIGKILL)
			}
			if err := p.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			took := eventually(t, row.limit, "all processes gone", func() bool { return len(processesOf(h.WorkDir)) == 0 })
			t.Logf("all gone after %v", took)
			if row.guardToo {
				sweep(filepath.Dir(h.WorkDir)) // as the next Start does
			}
			if _, err := os.Stat(h.WorkDir); err == nil {
				t.Errorf("%s is left", h.WorkDir)
			}
		})
	}
}
