package app

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// TestWhoReadsNothing: a client that asks and asks, and takes no answer, is cut off.
func TestWhoReadsNothing(t *testing.T) {
	t.Parallel()
	c, err := loadConfig([]string{
		"DOORMAN_ODOO_URL=http://127.0.0.1:1", "DOORMAN_ODOO_DB=x", "DOORMAN_ODOO_KEY=x", "DOORMAN_PUBLIC_URL=http://127.0.0.1:1",
		"DOORMAN_ODOO_TIMEOUT=2s",
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := newService(t.Context(), c, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	server := s.server()
	if server.WriteTimeout < bodyTime+2*c.OdooTimeout || server.WriteTimeout > 5*time.Minute {
		t.Fatalf("an answer may take %s", server.WriteTimeout)
	}
	server.WriteTimeout /= 60 // nobody waits for a test that long
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	ask := strings.Repeat("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 1000)
	_ = conn.SetWriteDeadline(time.Now().Add(3 * time.Minute))
	for err == nil {
		_, err = io.WriteString(conn, ask) // until nothing more fits, and then until it is closed
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		t.Errorf("still open: %v", err)
	}
}
