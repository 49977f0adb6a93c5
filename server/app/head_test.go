package app

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/rs/zerolog"

	"doorman/odoo/odootest"
)

// listening starts a service before a fake Odoo. It returns its router, and where that listens.
func listening(t *testing.T) (*service, *echo.Echo, string) {
	t.Helper()
	o := odootest.New(t)
	c, err := loadConfig([]string{"DOORMAN_ODOO_URL=" + o.URL(), "DOORMAN_ODOO_DB=" + odootest.DefaultDatabase, "DOORMAN_ODOO_KEY=" + string(odootest.DefaultKey),
		"DOORMAN_PUBLIC_URL=http://127.0.0.1:8090"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := newService(context.Background(), c, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	router := s.routes()
	server := httptest.NewServer(router)
	t.Cleanup(server.Close)
	c.public.Host = strings.TrimPrefix(server.URL, "http://")
	return s, router, server.URL
}

// TestHeadWhereverGet walks the router: HEAD is answered wherever GET is, as GET is, and without a body (RFC 9110 section
// 9.1).
func TestHeadWhereverGet(t *testing.T) {
	t.Parallel()
	s, router, url := listening(t)
	paths := []string{}
	for _, route := range router.Routes() {
		if route.Method == http.MethodGet {
			paths = append(paths, route.Path)
			if !slices.ContainsFunc(router.Routes(), func(r *echo.Route) bool { return r.Method == http.MethodHead && r.Path == route.Path }) {
				t.Errorf("%s has GET, and no HEAD", route.Path)
			}
		}
	}
	for _, route := range s.api.Routes() {
		if route.Method == http.MethodGet {
			paths = append(paths, strings.NewReplacer("{id}", "7", "{token}", strings.Repeat("a", 43)).Replace(route.Path))
		}
	}
	if len(paths) < 25 {
		t.Fatalf("the walk found %v", paths)
	}
	ask := func(method, path string, key ...string) (int, http.Header, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, url+strings.ReplaceAll(path, "*", "x"), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range key {
			r.Header.Set("Authorization", "Bearer "+k)
		}
		response, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, response.Header, string(body)
	}
	for _, path := range paths {
		get, had, _ := ask(http.MethodGet, path)
		head, has, body := ask(http.MethodHead, path)
		if head != get || body != "" {
			t.Errorf("%s: GET %d, HEAD %d %q", path, get, head, body)
		}
		for _, name := range []string{"Content-Type", "Cache-Control", "WWW-Authenticate", "Allow", "Content-Security-Policy"} {
			if had.Get(name) != has.Get(name) {
				t.Errorf("%s: %s is %q with GET, %q with HEAD", path, name, had.Get(name), has.Get(name))
			}
		}
	}
	// With a key, GET of the endpoint would be a stream, if there were one: HEAD must not wait for it.
	for _, key := range []string{odootest.DefaultCredential} {
		get, _, _ := ask(http.MethodGet, mcpPath, key)
		if head, _, body := ask(http.MethodHead, mcpPath, key); head != get || body != "" {
			t.Errorf("with a key: GET %d, HEAD %d %q", get, head, body)
		}
	}
	for _, path := range []string{"/nothing", "/oauth/token", "/oauth/revoke", "/oauth/register", "/doorman/consent"} {
		get, _, _ := ask(http.MethodGet, path)
		if head, _, _ := ask(http.MethodHead, path); head != get || head < 400 {
			t.Errorf("%s: GET %d, HEAD %d", path, get, head)
		}
	}
	if _, header, _ := ask(http.MethodPut, "/healthz"); !strings.Contains(header.Get("Allow"), "HEAD") {
		t.Errorf("Allow: %q", header.Get("Allow"))
	}
}
