package safefetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// Errors of Get. None quotes the URL or the answer: both are a stranger's.
var (
	ErrURL      = errors.New("safefetch: not an https address of a public server")
	ErrAddress  = errors.New("safefetch: the name leads to an address that is not public")
	ErrStatus   = errors.New("safefetch: the server did not answer 200")
	ErrTooLarge = errors.New("safefetch: the document is too large")
	ErrAnswer   = errors.New("safefetch: the server cannot be reached, or did not answer in time")
)

// Fetcher gets documents. The zero value is ready, and takes 5 kB in 5 seconds. It is safe for concurrent use.
type Fetcher struct {
	MaxBytes int64         // of a document; 0 = 5 kB
	Timeout  time.Duration // of everything together; 0 = 5 s
	// Lookup finds the addresses of a name; nil = the system's resolver.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	// Connect reaches an address that was found public; nil = a TCP dial that checks once more.
	Connect func(ctx context.Context, to netip.AddrPort) (net.Conn, error)
	RootCAs *x509.CertPool // nil = the system's
}

const (
	defaultBytes   = 5 << 10
	defaultTimeout = 5 * time.Second
	// maxAddresses is how many addresses of a name are tried.
	maxAddresses = 4
)

// Document is what was found.
type Document struct {
	Body   []byte
	Header http.Header
}

// Get returns the document at an https URL on port 443. Whether the path or the content are acceptable is the caller's
// to say.
func (f *Fetcher) Get(ctx context.Context, rawURL string) (Document, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Opaque != "" || !PublicName(u.Hostname()) ||
		(u.Port() != "" && u.Port() != "443") {
		return Document{}, ErrURL
	}
	timeout := f.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return Document{}, ErrURL
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "doorman")
	response, err := f.client().Do(request)
	if errors.Is(err, ErrAddress) {
		return Document{}, ErrAddress
	}
	if err != nil {
		return Document{}, ErrAnswer
	}
	defer func() { _ = response.Body.Close() }()
	if ctx.Err() != nil { // an answer to our hanging up: net/http takes it, if it comes before the connection is closed
		return Document{}, ErrAnswer
	}
	if response.StatusCode != http.StatusOK { // a redirect too: it could lead anywhere
		return Document{}, ErrStatus
	}
	body, err := f.read(response)
	return Document{Body: body, Header: response.Header}, err
}

// read takes in the document up to the cap, whatever length the server announces.
func (f *Fetcher) read(r *http.Response) ([]byte, error) {
	limit := f.MaxBytes
	if limit <= 0 {
		limit = defaultBytes
	}
	if r.ContentLength > limit {
		return nil, ErrTooLarge
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	switch {
	case err != nil:
		return nil, ErrAnswer
	case int64(len(body)) > limit:
		return nil, ErrTooLarge
	}
	return body, nil
}

// client is made for one request: nothing of a stranger's server is kept.
func (f *Fetcher) client() *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:                  nil, // one in the environment would do the look-up where it cannot be checked
			DialContext:            f.dial,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: f.RootCAs},
			TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{},
			DisableKeepAlives:      true,
			DisableCompression:     true, // 5 kB of gzip can be 5 MB of JSON
			MaxResponseHeaderBytes: 16 << 10,
		},
	}
}

// dial looks the name up once, and dials what it found and judged. If one address of a name is not public, none is
// dialled: names of honest servers do not have such.
func (f *Fetcher) dial(ctx context.Context, _, target string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(target)
	if err != nil || port != "443" {
		return nil, ErrAddress
	}
	lookup, connect := f.Lookup, f.Connect
	if lookup == nil {
		lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if connect == nil {
		connect = dialPublic
	}
	addresses, err := lookup(ctx, host)
	if err != nil {
		return nil, fmt.Errorf("look-up: %w", err)
	}
	for _, a := range addresses {
		if !Public(a) {
			return nil, ErrAddress
		}
	}
	addresses = alternate(addresses)
	return race(ctx, addresses[:min(len(addresses), maxAddresses)], connect)
}

// dialPublic connects, and has the socket itself checked before a packet leaves: nothing between the look-up and here
// may have changed where it goes.
func dialPublic(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	dialer := &net.Dialer{Control: checkSocket}
	return dialer.DialContext(ctx, "tcp", to.String())
}

func checkSocket(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !Public(to.Addr()) || to.Port() != 443 {
		return ErrAddress
	}
	return nil
}

// PublicName reports whether a host is a name that public servers have: lower case letters, digits, hyphens and at least
// one dot. No address in any notation (a last label of digits, or 0x..., is one to some resolvers), no trailing dot, no
// name of the inside.
func PublicName(host string) bool {
	labels := strings.Split(host, ".")
	if len(host) > 253 || len(labels) < 2 {
		return false
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	switch top := labels[len(labels)-1]; {
	case top[0] >= '0' && top[0] <= '9':
		return false
	case top == "localhost" || top == "local" || top == "internal" || top == "lan" || top == "home" || top == "onion" || top == "test" || top == "invalid":
		return false
	case top == "arpa":
		return false
	}
	return true
}
