package app

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"doorman/odoo/odootest"
)

// TestStopping: after the order to stop a replica says that it is not ready, and goes on answering until its time is over.
func TestStopping(t *testing.T) {
	t.Parallel()
	odoo := odootest.New(t)
	c, err := loadConfig([]string{
		"DOORMAN_ODOO_URL=" + odoo.URL(), "DOORMAN_ODOO_DB=" + odootest.DefaultDatabase, "DOORMAN_ODOO_KEY=" + odootest.DefaultKey,
		"DOORMAN_LISTEN=127.0.0.1:0", "DOORMAN_STOP_DELAY=5m",
	})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := c.listenOn()
	if err != nil {
		t.Fatal(err)
	}
	s, err := newService(t.Context(), c, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.serve(ctx, listener, nil) }()
	closes := false // whether the last answer ended its connection
	get := func(path string) (int, string) {
		t.Helper()
		answer, err := http.Get("http://" + listener.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, _ := io.ReadAll(answer.Body)
		closes = answer.Close
		return answer.StatusCode, string(text)
	}
	if status, text := get("/readyz"); status != http.StatusOK || closes {
		t.Fatalf("before: %d %s, connection ended: %v", status, text, closes)
	}
	stop()
	for deadline := time.Now().Add(3 * time.Minute); ; {
		status, text := get("/readyz")
		if status == http.StatusServiceUnavailable && strings.Contains(text, "stopping") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("after the order to stop: %d %s", status, text)
		}
	}
	if status, _ := get("/healthz"); status != http.StatusOK {
		t.Errorf("it does not live any more: %d", status)
	}
	if status, _ := get("/mcp"); status == http.StatusServiceUnavailable {
		t.Errorf("calls are refused already: %d", status)
	}
	if !closes {
		t.Error("the connection stays open: the next call on it may be lost")
	}
	_ = listener.Close() // nobody waits five minutes here
	<-ended
}

func TestHealthCommand(t *testing.T) {
	t.Parallel()
	alive := http.NewServeMux()
	alive.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	ill := http.NewServeMux()
	for name, mux := range map[string]*http.ServeMux{"alive": alive, "ill": ill} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
		go func() { _ = server.Serve(listener) }()
		t.Cleanup(func() { _ = server.Close() })
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		for _, address := range []string{"127.0.0.1:" + port, "0.0.0.0:" + port, ":" + port} {
			var out strings.Builder
			err := Run(t.Context(), []string{"health"}, []string{"DOORMAN_LISTEN=" + address}, &out, io.Discard)
			if (err == nil) != (name == "alive") || (out.String() == "ok\n") != (name == "alive") {
				t.Errorf("%s at %s: %q, %v", name, address, out.String(), err)
			}
		}
	}
	for _, address := range []string{"127.0.0.1:1", "nowhere"} {
		if err := Run(t.Context(), []string{"health"}, []string{"DOORMAN_LISTEN=" + address}, io.Discard, io.Discard); err == nil {
			t.Errorf("%s is well", address)
		}
	}
	if err := Run(t.Context(), []string{"health", "now"}, nil, io.Discard, io.Discard); err == nil {
		t.Error("it takes arguments")
	}
}

// TestHealthCommandAsksNobodyElse: a redirect does not decide whether this service is well.
func TestHealthCommandAsksNobodyElse(t *testing.T) {
	t.Parallel()
	well := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(well.Close)
	moved := httptest.NewServer(http.RedirectHandler(well.URL, http.StatusFound))
	t.Cleanup(moved.Close)
	if err := Run(t.Context(), []string{"health"}, []string{"DOORMAN_LISTEN=" + moved.Listener.Addr().String()}, io.Discard, io.Discard); err == nil {
		t.Error("another service answered for this one")
	}
}
