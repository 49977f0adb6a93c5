package safefetch

import (
	"net/netip"
	"slices"
)

// notPublic are the IPv4 networks, and those within 2000::/3, that are not somebody's public server (IANA special-purpose
// registries), and Azure's address of the host under a virtual machine.
var notPublic = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
	"192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"2001::/23",     // protocols, Teredo and ORCHID among them: an IPv4 address may hide inside
	"2001:db8::/32", // documentation
	"2002::/16",     // 6to4: an IPv4 address hides inside
	"2620:4f:8000::/48", "3fff::/20",
)

// global is where public IPv6 servers are. Everything outside (loopback, fc00::/7, fe80::/10, multicast, and 64:ff9b::/96,
// in which NAT64 hides IPv4 addresses) is refused without being named.
var global = netip.MustParsePrefix("2000::/3")

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// Public reports whether an address is one of a public server. An IPv4 address in IPv6 clothes (::ffff:127.0.0.1) is
// judged as what it is.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsValid() || a.Zone() != "" || a.Is6() && !global.Contains(a) {
		return false
	}
	return !slices.ContainsFunc(notPublic, func(p netip.Prefix) bool { return p.Contains(a) })
}
