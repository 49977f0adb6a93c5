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
	"sync/atomic"
	"testing"
)

// background are the gateway methods that the service calls on its own, not because of a request at hand.
var background = []string{"hello", "sync_catalog", "record", "run_job"}

// Proxy stands between a service and its Odoo. It counts, and it can answer in Odoo's stead.
type Proxy struct {
	URL      string
	requests atomic.Int64
	instead  atomic.Pointer[http.HandlerFunc]
}

// NewCountingProxy starts a proxy to target.
func NewCountingProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{}
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "the request broke off", http.StatusBadRequest)
			return
		}
		var envelope struct{ Method string }
		_ = json.Unmarshal(body, &envelope)
		if !slices.Contains(background, envelope.Method) {
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

// Requests is how many requests came through that a client's request was the reason for: the heartbeat, the jobs
// and the audit of what was answered without Odoo are not among them.
func (p *Proxy) Requests() int64 { return p.requests.Load() }

// AnswerInstead lets h answer every request from now on; nil lets Odoo answer again.
func (p *Proxy) AnswerInstead(h http.HandlerFunc) {
	if h == nil {
		p.instead.Store(nil)
		return
	}
	p.instead.Store(&h)
}
