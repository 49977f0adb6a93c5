package odoo

import (
	"compress/gzip"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"doorman/server/access"
)

// serve is a client of a server that answers every request with f.
func serve(t *testing.T, c Config, f http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	c.URL, c.Database, c.Key = s.URL, "d", "k"
	client, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

var helloAnswer = `{"jsonrpc":"2.0","id":1,"result":` + speaking(`{"addon_version":"1","enabled":true,"settings_version":1}`) + `}`

// TestGzip: a packed answer is read, and the cap counts what it unpacks to.
func TestGzip(t *testing.T) {
	t.Parallel()
	pack := func(s string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, s)
			_ = z.Close()
		}
	}
	if _, err := serve(t, Config{}, pack(helloAnswer)).Hello(t.Context()); err != nil {
		t.Error(err)
	}
	bomb := serve(t, Config{MaxBody: 1 << 20}, pack(strings.Repeat(" ", 64<<20)+helloAnswer))
	if _, err := bomb.Hello(t.Context()); access.AsError(err).Kind != access.TooLarge {
		t.Errorf("64 MiB out of a few kB: %v", err)
	}
}

// TestMaxBodyEdge: an answer as large as the cap passes, one byte more does not; announced or not.
func TestMaxBodyEdge(t *testing.T) {
	t.Parallel()
	for _, announced := range []bool{true, false} {
		for pad, ok := range map[int]bool{0: true, 1: false} {
			c := serve(t, Config{MaxBody: 1000}, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if !announced {
					_ = http.NewResponseController(w).Flush()
				}
				_, _ = io.WriteString(w, strings.Repeat(" ", 1000-len(helloAnswer)+pad)+helloAnswer)
			})
			if _, err := c.Hello(t.Context()); ok != (err == nil) {
				t.Errorf("announced %v, %d over: %v", announced, pad, err)
			}
		}
	}
}

// TestTLS: a certificate that nobody vouches for ends the call before the key is sent.
func TestTLS(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, helloAnswer)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	c, err := New(Config{URL: s.URL, Database: "d", Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Hello(t.Context())
	e := access.AsError(err)
	if err == nil || e.Kind != access.OdooUnavailable || !strings.Contains(e.Detail, "TLS") || asked.Load() != 0 {
		t.Errorf("%v, %d requests", err, asked.Load())
	}
}

// TestUnwritable: arguments that are not JSON are refused before anything is sent.
func TestUnwritable(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{TransportDoorman, TransportJSON2, TransportJSONRPC, TransportXMLRPC} {
		var asked atomic.Int32
		c := serve(t, Config{Transport: transport}, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
		_, err := c.Call(t.Context(), access.Fence{}, access.Request{Kwargs: map[string]any{"f": func() {}}})
		if e := access.AsError(err); err == nil || e.Kind != access.InvalidInput && transport != TransportJSONRPC {
			t.Errorf("%s: %v", transport, err)
		}
		if asked.Load() > 1 { // 1: /jsonrpc logs in before it writes
			t.Errorf("%s: %d requests", transport, asked.Load())
		}
	}
}
