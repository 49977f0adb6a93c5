package safefetch_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"doorman/server/safefetch"
)

// pipe is a connection that says when it was closed.
type pipe struct {
	net.Conn
	closed chan struct{}
}

func (p *pipe) Close() error {
	close(p.closed)
	return p.Conn.Close()
}

// TestRace: an address that does not answer holds the others up for a moment only, one that refuses not at all, and what comes
// too late is closed.
func TestRace(t *testing.T) {
	t.Parallel()
	const six1, six2, six3, four1, four2 = "2606:4700::1", "2606:4700::2", "2606:4700::3", "1.1.1.1", "1.0.0.1"
	const ms = time.Millisecond
	type fate struct {
		after time.Duration // 0 = at once; less = never
		fails bool
	}
	for _, row := range []struct {
		name  string
		order []string
		fates map[string]fate // of those that do not connect at once
		want  string          // the address; "" = none
		took  time.Duration
		tried string
	}{
		{"the first answers", []string{six1, four1}, nil, six1, 0, six1},
		{"IPv6 is dead", []string{six1, four1}, map[string]fate{six1: {after: -1}}, four1, 250 * ms, six1 + " " + four1},
		{"all of IPv6 is dead", []string{six1, six2, six3, four1, four2}, map[string]fate{six1: {after: -1}, six2: {after: -1}, six3: {after: -1}}, four1, 250 * ms, six1 + " " + four1},
		{"IPv6 is refused", []string{six1, six2, four1}, map[string]fate{six1: {fails: true}}, four1, 0, six1 + " " + four1},
		{"the first is slow, and still first", []string{six1, four1}, map[string]fate{six1: {after: 300 * ms}, four1: {after: 100 * ms}}, six1, 300 * ms, six1 + " " + four1},
		{"the second is faster", []string{six1, four1}, map[string]fate{six1: {after: 900 * ms}, four1: {after: 100 * ms}}, four1, 350 * ms, six1 + " " + four1},
		{"nobody answers", []string{six1, four1}, map[string]fate{six1: {after: -1}, four1: {after: -1}}, "", 5000 * ms, six1 + " " + four1},
		{"everybody refuses", []string{six1, four1, six2, four2}, map[string]fate{six1: {fails: true}, six2: {fails: true}, four1: {fails: true}, four2: {fails: true}}, "", 0, strings.Join([]string{six1, four1, six2, four2}, " ")},
		{"more than are tried", []string{six1, six2, six3, "2606:4700::4", four1}, map[string]fate{six1: {fails: true}, six2: {fails: true}, six3: {fails: true}, four1: {fails: true}}, "", 0, strings.Join([]string{six1, four1, six2, six3}, " ")},
		{"one that is not public among them", []string{six1, "10.0.0.1"}, nil, "", 0, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				var mu sync.Mutex
				var tried []string
				made := map[string]*pipe{}
				f := &safefetch.Fetcher{
					Lookup: func(context.Context, string) (found []netip.Addr, err error) {
						for _, a := range row.order {
							found = append(found, netip.MustParseAddr(a))
						}
						return found, nil
					},
					Connect: func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
						name := to.Addr().String()
						mu.Lock()
						tried = append(tried, name)
						mu.Unlock()
						switch fate := row.fates[name]; {
						case fate.fails:
							return nil, errors.New("refused")
						case fate.after < 0:
							<-ctx.Done()
							return nil, ctx.Err()
						default:
							time.Sleep(fate.after) // of the bubble's clock; a dial that is over before it hears that it should end
						}
						here, there := net.Pipe()
						_ = there.Close()
						p := &pipe{here, make(chan struct{})}
						mu.Lock()
						made[name] = p
						mu.Unlock()
						return p, nil
					},
				}
				start := time.Now()
				conn, err := safefetch.Dial(f, ctx, "tcp", "example.com:443")
				if took := time.Since(start); took != row.took {
					t.Errorf("it took %s, want %s", took, row.took)
				}
				time.Sleep(10 * time.Second) // until all attempts are over
				synctest.Wait()
				if (err == nil) != (row.want != "") || strings.Join(tried, " ") != row.tried {
					t.Errorf("tried %v: %v", tried, err)
				}
				if row.tried == "" && !errors.Is(err, safefetch.ErrAddress) {
					t.Error(err)
				}
				for name, p := range made {
					isOpen := false
					select {
					case <-p.closed:
					default:
						isOpen = true
					}
					if isOpen != (name == row.want) || isOpen && conn != net.Conn(p) {
						t.Errorf("%s is open: %v", name, isOpen)
					}
				}
				if row.want != "" && !slices.Contains(tried, row.want) {
					t.Errorf("connected to %v", tried)
				}
			})
		})
	}
}
