package localodoo

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// watchdogScript is what outlives us. It reads what to end, one line each, until
// the pipe closes: by our Close, or because this process is gone. PostgreSQL
// is asked to leave at once (QUIT) and killed only if it does not: its children
// are in groups of their own, and only the postmaster can gather them.
// (dash takes a group only as "-s KILL -- -N".)
const watchdogScript = `
trap '' HUP INT TERM
groups= postmasters= containers=
without() { for x in $1; do [ "$x" = "$2" ] || printf '%s ' "$x"; done; }
while read -r what arg; do
  case $what in
    group) groups="$groups $arg" ;;
    postmaster) postmasters="$postmasters $arg" ;;
    container) containers="$containers $arg" ;;
    folder) set -- "$@" "$arg" ;;
    gone)
      groups=$(without "$groups" "$arg")
      postmasters=$(without "$postmasters" "$arg")
      containers=$(without "$containers" "$arg") ;;
  esac
done
for g in $groups; do kill -s KILL -- "-$g"; done
for p in $postmasters; do kill -s QUIT "$p"; done
for c in $containers; do "$DOORMAN_ENGINE" kill "$c"; done
n=0
while [ -n "$postmasters" ] && [ $n -lt 50 ]; do
  alive=
  for p in $postmasters; do kill -0 "$p" && alive="$alive $p"; done
  postmasters=$alive
  [ -z "$alive" ] || sleep 0.1
  n=$((n + 1))
done
for p in $postmasters; do kill -s KILL "$p"; done
rm -rf -- "$@" || rm -rf -- "$@"
`

// watchdog is the shell that cleans up after us, and our end of its pipe.
type watchdog struct {
	mu   sync.Mutex
	cmd  *exec.Cmd
	pipe io.WriteCloser
}

// newWatchdog starts a watchdog that will remove dir. engine is the container
// program, or "".
func newWatchdog(dir, engine string) (*watchdog, error) {
	cmd := exec.Command("/bin/sh", "-c", watchdogScript, "doorman-watchdog", dir)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "DOORMAN_ENGINE=" + engine}
	cmd.Dir = "/"
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := spawnDetached(cmd); err != nil {
		return nil, fmt.Errorf("starting the watchdog: %w", err)
	}
	return &watchdog{cmd: cmd, pipe: pipe}, nil
}

// tell sends one line. A watchdog that is gone is not an error: the parent-death
// signals still hold.
func (g *watchdog) tell(what, arg string) {
	// A newline in a folder name would be a second order to the watchdog.
	if strings.ContainsAny(arg, "\n\r") {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	fmt.Fprintf(g.pipe, "%s %s\n", what, arg)
}

// close lets the watchdog do its work and waits for it.
func (g *watchdog) close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pipe.Close()
	return g.cmd.Wait()
}
