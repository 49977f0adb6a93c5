package conformance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"doorman/server/e2e/kit"
)

// serveBehindKey runs a Doorman behind a proxy that adds a key to every request, for programs that cannot, and returns
// the endpoint as it is reached through the proxy.
//
// The proxy's address is Doorman's public URL and Host goes through unchanged, as behind a real proxy: Doorman's own
// check of Host and Origin stays the one that is tested. A request is read whole before it is passed on: an answer that
// comes before the proxy has seen the request's end makes Go's proxy cut the answer off, once in some thousand times.
func serveBehindKey(ctx context.Context, t *testing.T, key string, environ ...string) string {
	t.Helper()
	var to atomic.Pointer[url.URL] // known only when Doorman listens, which needs the proxy's address first
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to.Load())
		r.Out.Host = r.In.Host
		r.Out.Header.Set("Authorization", "Bearer "+key)
	}}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "the request broke off", http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	s := kit.ServeIn(ctx, t, append(environ, "DOORMAN_PUBLIC_URL="+proxy.URL)...)
	to.Store(&url.URL{Scheme: "http", Host: listenAddress(t, s)})
	response, err := http.Get(proxy.URL + "/healthz")
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("Doorman is not reached through the proxy: %v", err)
	}
	_ = response.Body.Close()
	return s.MCP
}

// listenAddress finds where the service itself listens; its URL is the public one.
func listenAddress(t *testing.T, s *kit.Service) string {
	t.Helper()
	for line := range strings.Lines(s.Log()) {
		var entry struct{ Listen string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Listen != "" {
			return entry.Listen
		}
	}
	t.Fatalf("the log does not say where the service listens:\n%s", s.Log())
	return ""
}
