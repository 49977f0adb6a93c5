package odoo

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

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

func TestReadCapped(t *testing.T) {
	t.Parallel()
	big := bytes.Repeat([]byte("0123456789"), 100_000)
	for name, r := range map[string]io.Reader{
		"at once": bytes.NewReader(big), "by halves": iotest.HalfReader(bytes.NewReader(big)),
		"data with the end": iotest.DataErrReader(bytes.NewReader(big)),
	} {
		got, err := readCapped(r, -1, int64(len(big)))
		if err != nil || !bytes.Equal(got, big) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	if _, err := readCapped(bytes.NewReader(big), -1, int64(len(big))-1); !errors.Is(err, errTooLarge) {
		t.Errorf("one byte over: %v", err)
	}
	cut := io.MultiReader(bytes.NewReader(big), iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := readCapped(cut, -1, 1<<30); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a body that was cut short passes: %v", err)
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

// TestAutoComesBack: after a while on a second choice, a hello tries the better ways again.
func TestAutoComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first := &scripted{answer: fails(failure{class: clsBlocked, sent: true}), calls: map[string]int{}}
		second := &scripted{answer: works, calls: map[string]int{}}
		a := &autoTransport{
			names: []string{"a", "b"}, ways: []transport{first, second}, picking: make(chan struct{}, 1), pick: -1,
		}
		hello := func() string {
			if _, err := a.do(t.Context(), "hello", nil); err != nil {
				t.Fatal(err)
			}
			return a.name()
		}
		if got := hello(); got != "auto/b" {
			t.Fatal(got)
		}
		first.set(works)
		time.Sleep(retryBest - time.Second)
		if got := hello(); got != "auto/b" {
			t.Errorf("looked again too soon: %s", got)
		}
		time.Sleep(2 * time.Second)
		if got := hello(); got != "auto/a" {
			t.Errorf("still on %s", got)
		}
	})
}

// TestAutoChoosingHonoursTheDeadline: who waits for somebody else's choice does not wait longer than its own deadline.
func TestAutoChoosingHonoursTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &autoTransport{
			names: []string{"a"}, ways: []transport{&scripted{answer: hangs, calls: map[string]int{}}},
			picking: make(chan struct{}, 1), pick: -1,
		}
		long, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		go func() { _, _ = a.do(long, "hello", nil) }()
		synctest.Wait()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := a.do(short, "call", nil)
		if f := asFailure(err); f.class != clsTimeout || f.sent || time.Since(start) != time.Second {
			t.Errorf("%+v after %v", f, time.Since(start))
		}
	})
}

// TestUnwritable: arguments that are no JSON are refused before anything is sent.
func TestUnwritable(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{TransportDoorman, TransportJSON2, TransportJSONRPC, TransportXMLRPC} {
		var asked atomic.Int32
		c := serve(t, Config{Transport: transport}, func(w http.ResponseWriter, _ *http.Request) { asked.Add(1) })
		_, err := c.Call(t.Context(), access.Fence{}, access.Request{Kwargs: map[string]any{"f": func() {}}})
		if e := access.AsError(err); err == nil || e.Kind != access.InvalidInput && transport != TransportJSONRPC {
			t.Errorf("%s: %v", transport, err)
		}
		if asked.Load() > 1 { // 1: /jsonrpc logs in before it writes
			t.Errorf("%s: %d requests", transport, asked.Load())
		}
	}
}

// TestEventsWire: what the audit gets is whole even where the caller left gaps.
func TestEventsWire(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("x", 3600))
	b, err := json.Marshal(eventsWire([]access.Event{{Time: at, Reason: access.RateLimited}}))
	if err != nil || !strings.Contains(string(b), `"time":"2026-01-02T02:04:05Z"`) || !strings.Contains(string(b), `"count":1`) {
		t.Errorf("%s, %v", b, err)
	}
	b, _ = json.Marshal(requestWire(access.Request{Model: "m", Method: "f", IDs: []int64{}}))
	if !strings.Contains(string(b), `"ids":[]`) || !strings.Contains(string(b), `"kwargs":{}`) {
		t.Errorf("a call on no record is not a call on the model: %s", b)
	}
}
