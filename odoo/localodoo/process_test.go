package localodoo

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Two processes that both find the addon layer missing: one builds it, the
// other says that it waits, and both end up with servers of their own. Whoever
// comes later finds everything ready.
func TestTwoProcessesAtOnce(t *testing.T) {
	needOdoo(t)
	t.Parallel()
	o := ownCache(t, tinyOptions(t))
	environ := []string{"LOCALODOO_ADDONS=" + o.Addons[0], "LOCALODOO_CACHE=" + o.CacheDir}
	a, b := runSecond(t, "threaded", environ...), runSecond(t, "threaded", environ...)
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
	if n := strings.Count(both, "Installing the modules"); n != 1 || !strings.Contains(both, "Installing the modules tiny_one") {
		t.Errorf("%d layers were built, want that of the addon\n%s", n, both)
	}
	if !strings.Contains(both, "waiting for it") {
		t.Errorf("nobody said that it waits\n%s", both)
	}
	for _, h := range []holding{ha, hb} {
		eventually(t, time.Minute, "no process left after Close", func() bool { return len(processesOf(h.WorkDir)) == 0 })
		if _, err := os.Stat(h.WorkDir); err == nil {
			t.Errorf("%s is left after Close", h.WorkDir)
		}
	}
	// A step is announced by dots at the end of its line.
	if steps := slices.DeleteFunc(startLog(t, o), func(line string) bool { return !strings.HasSuffix(line, " ...") }); len(steps) > 0 {
		t.Errorf("a warm start installs, downloads or waits: %q", steps)
	}
}

// A parent that dies by SIGKILL can clean up nothing itself.
func TestKilledParentLeavesNothing(t *testing.T) {
	needOdoo(t)
	t.Parallel()
	for _, row := range []struct {
		name, mode  string
		watchdogToo bool
		limit       time.Duration
	}{
		{"prefork server and a script at work", "prefork", false, 20 * time.Second},
		{"server frozen, which no polite signal reaches", "frozen", false, 20 * time.Second},
		// Workers and the process for websockets then notice by themselves that
		// their master is gone: every four seconds, they look.
		{"watchdog killed as well, parent-death signals only", "prefork", true, 40 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := runSecond(t, row.mode)
			h := p.stands(t)
			// Watchdog, postmaster and its helpers; Odoo's master, two workers, one for
			// websockets; one that forks for scripts, one that attends, the script, its program.
			all := processesOf(h.WorkDir)
			if len(all) < 12 || !strings.Contains(strings.Join(all, "\n"), "gevent") || !strings.Contains(strings.Join(all, "\n"), "sleep 1000") {
				t.Fatalf("the search for processes does not work, or some do not run:\n%s", strings.Join(all, "\n"))
			}
			if row.watchdogToo {
				_ = signalProcess(h.Watchdog, syscall.SIGKILL)
			}
			if err := p.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			took := eventually(t, row.limit, "all processes gone", func() bool { return len(processesOf(h.WorkDir)) == 0 })
			t.Logf("all gone after %v", took)
			if row.watchdogToo {
				sweep(filepath.Dir(h.WorkDir)) // as the next Start does
			}
			if _, err := os.Stat(h.WorkDir); err == nil {
				t.Errorf("%s is left", h.WorkDir)
			}
		})
	}
}
