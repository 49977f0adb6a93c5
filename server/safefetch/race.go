package safefetch

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// headStart is how long the attempt at one address goes on alone before the next address is tried beside it (RFC 8305
// section 5): one that does not answer must not use up the time of those that would.
const headStart = 250 * time.Millisecond

// alternate puts addresses of the two families in turns, in the order that the resolver gave them otherwise (RFC 8305 section
// 4): where a network has no route for one family, none of its addresses can be reached.
func alternate(addresses []netip.Addr) []netip.Addr {
	var first, second []netip.Addr
	for _, a := range addresses {
		if a.Unmap().Is4() == addresses[0].Unmap().Is4() {
			first = append(first, a)
		} else {
			second = append(second, a)
		}
	}
	mixed := make([]netip.Addr, 0, len(addresses))
	for i := range max(len(first), len(second)) {
		if i < len(first) {
			mixed = append(mixed, first[i])
		}
		if i < len(second) {
			mixed = append(mixed, second[i])
		}
	}
	return mixed
}

// race connects to the first of these addresses that answers, and ends the other attempts. The error is that of the last
// attempt that failed.
func race(ctx context.Context, addresses []netip.Addr, connect func(context.Context, netip.AddrPort) (net.Conn, error)) (net.Conn, error) {
	type attempt struct {
		conn net.Conn
		err  error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan attempt, len(addresses)) // room for all: those that come too late need nobody to wait for them
	running, err := 0, ErrAnswer
	next := time.NewTimer(0)
	defer next.Stop()
	for len(addresses) > 0 || running > 0 {
		select {
		case <-next.C:
			if len(addresses) == 0 {
				continue
			}
			to := netip.AddrPortFrom(addresses[0].Unmap(), 443)
			addresses = addresses[1:]
			running++
			go func() {
				conn, err := connect(ctx, to)
				ended <- attempt{conn, err}
			}()
			next.Reset(headStart)
		case a := <-ended:
			running--
			if a.err == nil {
				go func() {
					for range running {
						if late := <-ended; late.err == nil {
							_ = late.conn.Close()
						}
					}
				}()
				return a.conn, nil
			}
			err = a.err
			next.Reset(0)
		}
	}
	return nil, err
}
