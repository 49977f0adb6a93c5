package oauth

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/maypok86/otter/v2/stats"

	"doorman/server/access"
	"doorman/server/safefetch"
)

const (
	minDocumentLife = 5 * time.Minute
	maxDocumentLife = 24 * time.Hour
	maxDocuments    = 1000
	// Fetches a minute, also those that fail: who makes us fetch chooses the address, and must not make a load of it.
	fetchesOfHost = 10
	fetchesOfAll  = 60
)

// documents fetches clients' documents and keeps those that were good. An error is never kept: it would shut a client out
// for a hiccup of its host. How often it may come to one is bounded instead.
type documents struct {
	fetcher *safefetch.Fetcher
	now     func() time.Time
	cache   *otter.Cache[string, fetched]

	mu      sync.Mutex
	started time.Time      // of the minute that is counted
	hosts   map[string]int // fetches in it
	all     int
}

type fetched struct {
	client access.OAuthClient
	life   time.Duration
	ends   time.Time
}

func newDocuments(f *safefetch.Fetcher, now func() time.Time) *documents {
	return &documents{
		fetcher: f, now: now, hosts: map[string]int{},
		cache: otter.Must(&otter.Options[string, fetched]{
			MaximumSize:      maxDocuments,
			StatsRecorder:    stats.NewCounter(),
			ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[string, fetched]) time.Duration { return e.Value.life }),
		}),
	}
}

// get returns the client of a document. Many requests at once fetch it once.
func (d *documents) get(ctx context.Context, id, host string) (access.OAuthClient, error) {
	if known, ok := d.cache.GetIfPresent(id); ok && !d.now().Before(known.ends) {
		d.cache.Invalidate(id)
	}
	got, err := d.cache.Get(ctx, id, otter.LoaderFunc[string, fetched](func(ctx context.Context, id string) (fetched, error) {
		// One browser going away must not fail the others that wait for the same document.
		return d.fetch(context.WithoutCancel(ctx), id, host)
	}))
	return got.client, err
}

func (d *documents) fetch(ctx context.Context, id, host string) (fetched, error) {
	if !d.mayFetch(host) {
		return fetched{}, retryIn(time.Minute)
	}
	document, err := d.fetcher.Get(ctx, id)
	if err != nil {
		return fetched{}, refuse(invalidClient, "The client's metadata document cannot be fetched: "+reasonOf(err))
	}
	kind, _, err := mime.ParseMediaType(document.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" && !(strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json")) {
		return fetched{}, refuse(invalidClient, "The client's metadata document is not of the type application/json.")
	}
	client, err := parseDocument(id, document.Body)
	if err != nil {
		return fetched{}, err
	}
	life := documentLife(document.Header)
	return fetched{client, life, d.now().Add(life)}, nil
}

// reasonOf names what went wrong in fixed words: what the other server said is nothing to repeat.
func reasonOf(err error) string {
	switch {
	case errors.Is(err, safefetch.ErrAddress), errors.Is(err, safefetch.ErrURL):
		return "it is not at a public address."
	case errors.Is(err, safefetch.ErrStatus):
		return "its server does not answer 200."
	case errors.Is(err, safefetch.ErrTooLarge):
		return "it is larger than 5 kB."
	}
	return "its server does not answer."
}

// mayFetch counts a fetch.
func (d *documents) mayFetch(host string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := d.now(); now.Sub(d.started) >= time.Minute || now.Before(d.started) {
		d.started, d.all = now, 0
		clear(d.hosts)
	}
	if d.all >= fetchesOfAll || d.hosts[host] >= fetchesOfHost {
		return false
	}
	d.all++
	d.hosts[host]++
	return true
}

// documentLife is how long a document is kept: as its server says (RFC 9111 section 5.2.2), within bounds.
func documentLife(h http.Header) time.Duration {
	life := minDocumentLife
	for part := range strings.SplitSeq(strings.ToLower(strings.Join(h.Values("Cache-Control"), ",")), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "no-store", "no-cache":
			return minDocumentLife
		case "max-age":
			if n, err := strconv.ParseInt(strings.Trim(value, `"`), 10, 32); err == nil && n > 0 {
				life = time.Duration(n) * time.Second
			}
		}
	}
	return min(max(life, minDocumentLife), maxDocumentLife)
}
