package safefetch_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"doorman/server/safefetch"
)

// world is an Internet in which every public address is one server, which counts the bytes that reach it.
type world struct {
	server *httptest.Server
	bytes  atomic.Int64
	dials  atomic.Int64
	names  map[string][]string // addresses of a name, in the order of look-ups; the last one stays
	asked  atomic.Int64
}

// counted counts what is received on a connection.
type counted struct {
	net.Listener
	w *world
}

type countedConn struct {
	net.Conn
	w *world
}

func (l counted) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.w.dials.Add(1)
	}
	return countedConn{c, l.w}, err
}

func (c countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.w.bytes.Add(int64(n))
	return n, err
}

const publicAddress = "93.184.216.34"

func newWorld(t *testing.T, answer http.HandlerFunc) (*world, *safefetch.Fetcher) {
	t.Helper()
	w := &world{}
	w.server = httptest.NewUnstartedServer(answer)
	w.server.Listener = counted{w.server.Listener, w}
	w.server.Config.ErrorLog = nil
	w.server.StartTLS()
	t.Cleanup(w.server.Close)
	pool := x509.NewCertPool()
	pool.AddCert(w.server.Certificate())
	return w, &safefetch.Fetcher{
		RootCAs: pool, Timeout: time.Minute, // nobody is slow here but a busy machine
		Lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
			n := int(w.asked.Add(1)) - 1
			list := w.names[host]
			if list == nil {
				list = []string{publicAddress}
			}
			var out []netip.Addr
			for a := range strings.SplitSeq(list[min(n, len(list)-1)], " ") {
				out = append(out, netip.MustParseAddr(a))
			}
			return out, nil
		},
		Connect: func(ctx context.Context, _ netip.AddrPort) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", w.server.Listener.Addr().String())
		},
	}
}

func ok(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

// TestForbiddenAddresses: not one byte goes to an address that is not public, however the name leads there.
func TestForbiddenAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"127.0.0.1", "127.255.255.254", "::1", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
		"169.254.0.1", "100.64.0.1", "100.127.255.255", "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.255", "240.0.0.1",
		"255.255.255.255", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "168.63.129.16",
		"fc00::1", "fd12:3456::1", "fd00:ec2::254", "fe80::1", "ff02::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
		"::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::1",
		"2002:a9fe:a9fe::1", "2001::1", "2001:0:7f00:1::", "2001:db8::1", "100::1", "3fff::1", "fec0::1",
	} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			w, f := newWorld(t, ok("{}"))
			for _, list := range []string{address, publicAddress + " " + address, address + " " + publicAddress} {
				w.names = map[string][]string{"evil.example.com": {list}}
				if _, err := f.Get(t.Context(), "https://evil.example.com/doc"); !errors.Is(err, safefetch.ErrAddress) {
					t.Errorf("%s: %v", list, err)
				}
			}
			if w.dials.Load() != 0 || w.bytes.Load() != 0 {
				t.Errorf("%d connections, %d bytes", w.dials.Load(), w.bytes.Load())
			}
		})
	}
}

// TestPublicAddresses: the list is not so closed that nobody is public.
func TestPublicAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"93.184.216.34", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450:4001::200e", "::ffff:8.8.8.8"} {
		if !safefetch.Public(netip.MustParseAddr(address)) {
			t.Errorf("%s", address)
		}
	}
}

func TestForbiddenURLs(t *testing.T) {
	t.Parallel()
	w, f := newWorld(t, ok("{}"))
	for _, url := range []string{
		"http://example.com/a", "ftp://example.com/a", "https://127.0.0.1/a", "https://[::1]/a", "https://2130706433/a",
		"https://0x7f000001/a", "https://0177.0.0.1/a", "https://127.1/a", "https://0x7f.1/a", "https://localhost/a",
		"https://foo.localhost/a", "https://printer.local/a", "https://metadata.google.internal/a", "https://example.com./a",
		"https://example.com:8443/a", "https://example.com:80/a", "https://u:p@example.com/a", "https://example/a",
		"https://EXAMPLE.com/a", "https://ex\u00e4mple.com/a", "https:///a", "https:example.com", "", "javascript:alert(1)",
		"https://exa mple.com/", "https://example.com%2eevil.test/", "https://[::ffff:127.0.0.1]/a", "https://-a.com/a", "file:///etc/passwd",
	} {
		if _, err := f.Get(t.Context(), url); !errors.Is(err, safefetch.ErrURL) {
			t.Errorf("%q: %v", url, err)
		}
	}
	if w.dials.Load() != 0 || w.asked.Load() != 0 {
		t.Errorf("%d connections, %d look-ups", w.dials.Load(), w.asked.Load())
	}
}

// TestRebinding: a name that is public at the first look-up and private at the second is dialled at the address that was
// judged, because there is no second look-up.
func TestRebinding(t *testing.T) {
	t.Parallel()
	var dialled []netip.AddrPort
	w, f := newWorld(t, ok("{}"))
	w.names = map[string][]string{"example.com": {publicAddress, "127.0.0.1"}}
	connect := f.Connect
	f.Connect = func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
		dialled = append(dialled, to)
		return connect(ctx, to)
	}
	if _, err := f.Get(t.Context(), "https://example.com/doc"); err != nil {
		t.Fatal(err)
	}
	if w.asked.Load() != 1 || len(dialled) != 1 || dialled[0].String() != publicAddress+":443" {
		t.Fatalf("%d look-ups, dialled %v", w.asked.Load(), dialled)
	}
	before := w.bytes.Load()
	if _, err := f.Get(t.Context(), "https://example.com/doc"); !errors.Is(err, safefetch.ErrAddress) || w.bytes.Load() != before {
		t.Fatalf("the second request: %v, %d bytes", err, w.bytes.Load()-before)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		answer http.HandlerFunc
		err    error
		never  bool // it does not answer
	}{
		{"a document", ok(`{"a":1}`), nil, false},
		{"5120 bytes", ok(strings.Repeat("x", 5120)), nil, false},
		{"5121 bytes", ok(strings.Repeat("x", 5121)), safefetch.ErrTooLarge, false},
		{"100 MB without a length", endless, safefetch.ErrTooLarge, false},
		{"a redirect to the inside", redirect("https://169.254.169.254/latest"), safefetch.ErrStatus, false},
		{"a redirect to itself", redirect("/other"), safefetch.ErrStatus, false},
		{"404", status(404), safefetch.ErrStatus, false},
		{"204", status(204), safefetch.ErrStatus, false},
		{"500", status(500), safefetch.ErrStatus, false},
		{"gzip that was not asked for stays as it is", gzipped, nil, false},
		{"headers of 1 MB", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 1<<20))
		}, safefetch.ErrAnswer, false},
		{"nothing, forever", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, safefetch.ErrAnswer, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			requests := atomic.Int64{}
			_, f := newWorld(t, func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				if r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "" || r.Header.Get("Accept-Encoding") != "" {
					t.Errorf("headers %v", r.Header)
				}
				row.answer(w, r)
			})
			if row.never {
				f.Timeout = 500 * time.Millisecond
			}
			if _, err := f.Get(t.Context(), "https://example.com/doc"); !errors.Is(err, row.err) || requests.Load() != 1 {
				t.Fatalf("%v after %d requests", err, requests.Load())
			}
		})
	}
}

// TestNoProxy: a proxy in the environment is not asked: it would look the name up where nobody checks.
func TestNoProxy(t *testing.T) {
	var asked atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer proxy.Close()
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	_, f := newWorld(t, ok("{}"))
	if _, err := f.Get(t.Context(), "https://example.com/doc"); err != nil || asked.Load() != 0 {
		t.Fatalf("%v, the proxy was asked %d times", err, asked.Load())
	}
}

// TestWrongCertificate: the name on the certificate must be the name in the URL.
func TestWrongCertificate(t *testing.T) {
	t.Parallel()
	_, f := newWorld(t, ok("{}"))
	if _, err := f.Get(t.Context(), "https://other-name.org/doc"); !errors.Is(err, safefetch.ErrAnswer) {
		t.Fatal(err)
	}
}

// TestSocketIsChecked: the default dial refuses by itself, also where the check before it is passed over.
func TestSocketIsChecked(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	to := netip.MustParseAddrPort(listener.Addr().String())
	if conn, err := safefetch.DialPublic(t.Context(), to); !errors.Is(err, safefetch.ErrAddress) {
		t.Fatalf("%v %v", conn, err)
	}
}

// FuzzGet: whatever the URL, nothing is looked up that is not a public name on port 443.
func FuzzGet(f *testing.F) {
	for _, seed := range []string{"https://example.com/a", "https://127.0.0.1/", "https://a.b:443/x?y#z", "https://[::1]/", "https://a.b@c.d/", "https://0x7f.1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		fetch := &safefetch.Fetcher{
			Lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
				if _, err := netip.ParseAddr(host); err == nil || !safefetch.PublicName(host) {
					t.Fatalf("%q led to a look-up of %q", raw, host)
				}
				return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
			},
			Connect: func(_ context.Context, to netip.AddrPort) (net.Conn, error) {
				t.Errorf("%q led to %s", raw, to)
				return nil, errors.New("no")
			},
		}
		if _, err := fetch.Get(t.Context(), raw); err == nil {
			t.Fatal("it answered")
		}
	})
}

func endless(w http.ResponseWriter, _ *http.Request) {
	for range 100 {
		if _, err := fmt.Fprint(w, strings.Repeat("x", 1<<20)); err != nil {
			return
		}
	}
}

func gzipped(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	_, _ = w.Write([]byte{0x1f, 0x8b})
}

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}
