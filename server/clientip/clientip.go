// Package clientip finds the address of the client behind trusted proxies.
//
//	client ── proxy A ── proxy B ── us        X-Forwarded-For: client, A      peer: B
//
// Read from the right: the peer is certain, what it says is believed only if it is a trusted proxy, and so on to the
// left until somebody is not trusted: that is the client. Whatever stands further left was written by the client and is
// worth nothing.
package clientip

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Of returns the address of the client of r. With no trusted proxies it is the peer, whatever headers say. A malformed
// hop ends the walk at the last address that is certain. The zero Addr means that not even the peer has an address (a
// unix socket).
func Of(r *http.Request, trusted []netip.Prefix) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	addr := peer.Addr().Unmap().WithZone("")
	// Several header lines are one list, in order (RFC 9110 section 5.3).
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && isTrusted(addr, trusted); i-- {
		hop, err := parseHop(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = hop
	}
	return addr
}

// Network is what one customer of a provider has, to count clients under: the address, or for IPv6 its /64. Of no address
// it is the zero Prefix, a network like any other.
func Network(ip netip.Addr) netip.Prefix {
	ip = ip.Unmap().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.Prefix(bits)
	return p
}

func isTrusted(addr netip.Addr, trusted []netip.Prefix) bool {
	return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// parseHop takes an address, with a port as some proxies add one, in brackets for IPv6.
func parseHop(s string) (netip.Addr, error) {
	if withPort, err := netip.ParseAddrPort(s); err == nil {
		return withPort.Addr().Unmap().WithZone(""), nil
	}
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return addr.Unmap().WithZone(""), err
}
