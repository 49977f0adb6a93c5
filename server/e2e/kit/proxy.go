package kit

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// background are the gateway methods that the service calls on its own, not because of a request at hand.
var background = []string{"hello", "sync_catalog", "record", "run_job"}

// Proxy stands between a service and its Odoo. It counts, and it can answer in Odoo's stead.
type Proxy struct {
	URL      string
	requests atomic.Int64
	instead  atomic.Pointer[http.HandlerFunc]

	mu       sync.Mutex
	resolved map[string]time.Time // when it was last asked who a key belongs to, by the params of the question
}

// NewCountingProxy starts a proxy to target.
func NewCountingProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{resolved: map[string]time.Time{}}
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "the request broke off", http.StatusBadRequest)
			return
		}
		if p.counts(body) {
			p.requests.Add(1)
		}
		if h := p.instead.Load(); h != nil {
			(*h)(w, r)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.URL = server.URL
	return p
}

// renewed is how old an answer about a key may be before the service asks again, less a good deal: 30 seconds, which a
// test on a busy machine lives to see.
const renewed = 15 * time.Second

// counts says whether a client's request was the reason for one to Odoo.
func (p *Proxy) counts(body []byte) bool {
	var envelope struct {
		Method string
		Params json.RawMessage
	}
	_ = json.Unmarshal(body, &envelope)
	if envelope.Method == "resolve" {
		p.mu.Lock()
		defer p.mu.Unlock()
		last := p.resolved[string(envelope.Params)]
		p.resolved[string(envelope.Params)] = time.Now()
		return time.Since(last) < renewed || last.IsZero()
	}
	return !slices.Contains(background, envelope.Method)
}

// Requests is how many requests came through that a client's request was the reason for: the heartbeat, the jobs, the
// audit of what was answered without Odoo, and questions about a key whose answer has grown old are not among them.
func (p *Proxy) Requests() int64 { return p.requests.Load() }

// AnswerInstead lets h answer every request from now on; nil lets Odoo answer again.
func (p *Proxy) AnswerInstead(h http.HandlerFunc) {
	if h == nil {
		p.instead.Store(nil)
		return
	}
	p.instead.Store(&h)
}
