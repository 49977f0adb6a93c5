package kit

import (
	"net"
	"strconv"
	"testing"

	"doorman/odoo/localodoo"
)

// FreePort is a port of 127.0.0.1 for a server that somebody else starts, perhaps again and again. No other test and no client
// gets it until the test ends.
func FreePort(t testing.TB) string {
	t.Helper()
	port, hold, err := localodoo.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hold.Close() })
	return strconv.Itoa(port)
}

// FreeAddress is 127.0.0.1 with a FreePort.
func FreeAddress(t testing.TB) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", FreePort(t))
}
