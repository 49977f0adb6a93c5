package clientip_test

import (
	"net/http"
	"net/netip"
	"testing"

	"doorman/server/clientip"
)

func TestOf(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	rows := []struct {
		name    string
		peer    string
		headers []string
		trusted []netip.Prefix
		want    string
	}{
		{"no proxy, no header", "192.0.2.1:1", nil, proxies, "192.0.2.1"},
		{"one trusted proxy", "10.0.0.1:1", []string{"192.0.2.7"}, proxies, "192.0.2.7"},
		{"a chain of trusted proxies", "10.0.0.1:1", []string{"192.0.2.7, 10.0.0.3, 10.0.0.2"}, proxies, "192.0.2.7"},
		{"several header lines are one list", "10.0.0.1:1", []string{"192.0.2.7", "10.0.0.2"}, proxies, "192.0.2.7"},
		{"a hop with a port", "10.0.0.1:1", []string{"192.0.2.7:4711"}, proxies, "192.0.2.7"},
		{"IPv6 in brackets with a port", "10.0.0.1:1", []string{"[2001:db8::7]:4711"}, proxies, "2001:db8::7"},
		{"an IPv6 proxy", "[fd00::1]:1", []string{"2001:db8::7"}, proxies, "2001:db8::7"},
		{"a peer in its IPv6 dress is still trusted", "[::ffff:10.0.0.1]:1", []string{"192.0.2.7"}, proxies, "192.0.2.7"},
		{"all hops trusted: the leftmost", "10.0.0.1:1", []string{"10.0.0.9, 10.0.0.2"}, proxies, "10.0.0.9"},

		{"nobody is trusted: the header counts for nothing", "192.0.2.1:1", []string{"203.0.113.9"}, nil, "192.0.2.1"},
		{"an untrusted peer forges the header", "192.0.2.1:1", []string{"10.0.0.1"}, proxies, "192.0.2.1"},
		{"hops forged on the left", "10.0.0.1:1", []string{"203.0.113.9, 192.0.2.7"}, proxies, "192.0.2.7"},
		{"a trusted address forged on the left of the client", "10.0.0.1:1", []string{"10.9.9.9, 192.0.2.7, 10.0.0.2"}, proxies, "192.0.2.7"},
		{"a malformed hop ends the walk", "10.0.0.1:1", []string{"192.0.2.7, evil, 10.0.0.2"}, proxies, "10.0.0.2"},
		{"an empty hop ends the walk", "10.0.0.1:1", []string{"192.0.2.7, "}, proxies, "10.0.0.1"},
		{"a zone does not make another address", "10.0.0.1:1", []string{"fe80::1%eth0"}, proxies, "fe80::1"},
		{"no address at all", "@", []string{"192.0.2.7"}, proxies, "invalid IP"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := &http.Request{RemoteAddr: row.peer, Header: http.Header{"X-Forwarded-For": row.headers, "X-Real-Ip": {"198.51.100.1"}, "Forwarded": {"for=198.51.100.2"}}}
			if got := clientip.Of(r, row.trusted).String(); got != row.want {
				t.Fatalf("got %s, want %s", got, row.want)
			}
		})
	}
}

func TestNetwork(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7/32", "::ffff:192.0.2.7": "192.0.2.7/32", "2001:db8::1": "2001:db8::/64",
		"2001:db8:0:0:ffff::1": "2001:db8::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := clientip.Network(netip.MustParseAddr(address)); got.String() != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	if clientip.Network(netip.Addr{}) != (netip.Prefix{}) {
		t.Error("no address is not the zero network")
	}
}

func FuzzOf(f *testing.F) {
	f.Add("10.0.0.1:1", "192.0.2.7, 10.0.0.2")
	f.Add("192.0.2.1:1", "[::1]:80")
	f.Fuzz(func(t *testing.T, peer, header string) {
		r := &http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": {header}}}
		got := clientip.Of(r, nil)
		if p, err := netip.ParseAddrPort(peer); err == nil && got != p.Addr().Unmap().WithZone("") {
			t.Fatalf("with nobody trusted, %q moved the address from %s to %s", header, peer, got)
		}
	})
}
