package oauth

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"doorman/server/safefetch"
)

const (
	// issuerLife is how long an issuer's keys are kept: one that it has withdrawn is refused after that.
	issuerLife = 10 * time.Minute
	// fetchPause is the least time between two fetches of the same document: anybody can send an assertion with a key ID
	// that nobody knows.
	fetchPause = time.Minute
	// retryPause is the same after a fetch that failed.
	retryPause = 10 * time.Second
	// maxIssuerDocument bounds what an issuer may send, in bytes. Large ones have some twenty keys, with certificates.
	maxIssuerDocument = 128 << 10
)

// assertionAlgorithms are the signatures that are taken: those with a key pair. With HS256 an issuer's public key would be
// a secret that everybody knows.
var assertionAlgorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
}

// issuers verifies what trusted issuers have signed. It is asked only about issuers that an administrator wrote down.
type issuers struct {
	fetcher *safefetch.Fetcher
	now     func() time.Time

	mu    sync.Mutex
	known map[string]*trustedIssuer
}

func newIssuers(f *safefetch.Fetcher, now func() time.Time) *issuers {
	larger := *f
	larger.MaxBytes = maxIssuerDocument
	return &issuers{fetcher: &larger, now: now, known: map[string]*trustedIssuer{}}
}

// verify returns the claims of a JWT that an issuer has signed. The error is temporarily_unavailable if that cannot be
// found out now.
func (i *issuers) verify(ctx context.Context, issuer, text string) ([]byte, error) {
	i.mu.Lock()
	trusted := i.known[issuer]
	if trusted == nil {
		trusted = &trustedIssuer{name: issuer, documents: keptDocuments{fetcher: i.fetcher, now: i.now, found: map[string]kept{}}}
		i.known[issuer] = trusted
	}
	i.mu.Unlock()
	return trusted.verify(ctx, i.now(), text)
}

// trustedIssuer is one issuer, and its keys.
type trustedIssuer struct {
	name      string
	documents keptDocuments

	mu   sync.Mutex
	keys oidc.KeySet
	ends time.Time
}

func (t *trustedIssuer) verify(ctx context.Context, now time.Time, text string) ([]byte, error) {
	keys, err := t.keySet(ctx, now)
	if err != nil {
		return nil, errIssuerAway(err)
	}
	verifier := oidc.NewVerifier(t.name, keys, &oidc.Config{
		SupportedSigningAlgs: assertionAlgorithms,
		// An ID token is for a client and has other times: what holds for an assertion is checked in assertion.go.
		SkipClientIDCheck: true, SkipExpiryCheck: true,
	})
	token, err := verifier.Verify(ctx, text)
	switch failed := t.documents.failed(); {
	case err != nil && failed != nil:
		t.forget() // it may have moved its keys
		return nil, errIssuerAway(failed)
	case err != nil && ctx.Err() != nil:
		return nil, errIssuerAway(ctx.Err())
	case err != nil:
		return nil, badAssertion("It is not signed with a key of its issuer.", "signature: "+err.Error())
	}
	var claims claimBytes
	if err := token.Claims(&claims); err != nil {
		return nil, badAssertion("It is not one JSON object.", "claims: "+err.Error())
	}
	return claims, nil
}

// claimBytes are claims as they were signed.
type claimBytes []byte

// UnmarshalJSON implements json.Unmarshaler.
func (c *claimBytes) UnmarshalJSON(b []byte) error {
	*c = bytes.Clone(b)
	return nil
}

// forget has the issuer's discovery document read anew.
func (t *trustedIssuer) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keys = nil
}

// keySet finds the issuer's keys by its discovery document (OpenID Connect Discovery 1.0), whose issuer has to be this one
// letter by letter.
func (t *trustedIssuer) keySet(ctx context.Context, now time.Time) (oidc.KeySet, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.keys != nil && now.Before(t.ends) {
		return t.keys, nil
	}
	client := oidc.ClientContext(ctx, &http.Client{
		Transport:     &t.documents,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
	provider, err := oidc.NewProvider(client, t.name)
	if err != nil {
		return nil, err
	}
	var document struct {
		KeysURL string `json:"jwks_uri"`
	}
	if err := provider.Claims(&document); err != nil {
		return nil, err
	}
	t.keys, t.ends = oidc.NewRemoteKeySet(client, document.KeysURL), now.Add(issuerLife)
	return t.keys, nil
}

// errIssuerAway is the answer while an issuer's keys cannot be had. It may be well again soon.
func errIssuerAway(err error) *Error {
	return &Error{
		Code: unavailable, Description: "The keys of the assertion's issuer cannot be fetched right now.", Reason: "keys: " + err.Error(),
		Status: http.StatusServiceUnavailable, RetryAfter: retryPause,
	}
}

// keptDocuments is the transport by which go-oidc reaches an issuer: safefetch, and not more often than once in
// fetchPause for each document. In between it answers as it did last.
type keptDocuments struct {
	fetcher *safefetch.Fetcher
	now     func() time.Time

	mu    sync.Mutex
	found map[string]kept // by URL: the discovery document, and those that it names
	last  error           // of the last document that was asked for, fetched or kept
}

type kept struct {
	document safefetch.Document
	err      error
	at       time.Time
}

// maxKept bounds the documents of one issuer: it has two, and now and then moves one.
const maxKept = 8

// RoundTrip implements http.RoundTripper. Where a fetch fails, its error is one of safefetch's, which quote nothing.
func (k *keptDocuments) RoundTrip(r *http.Request) (*http.Response, error) {
	k.mu.Lock()
	got := k.get(r.Context(), r.URL.String())
	k.last = got.err
	k.mu.Unlock()
	if got.err != nil {
		return nil, got.err
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: got.document.Header,
		Body: io.NopCloser(bytes.NewReader(got.document.Body)), ContentLength: int64(len(got.document.Body)), Request: r,
	}, nil
}

func (k *keptDocuments) get(ctx context.Context, url string) kept {
	last, known := k.found[url]
	pause := fetchPause
	if last.err != nil {
		pause = retryPause
	}
	if now := k.now(); known && now.Sub(last.at) < pause && !now.Before(last.at) {
		return last
	}
	// One client going away must not fail the others that wait for the same keys.
	document, err := k.fetcher.Get(context.WithoutCancel(ctx), url)
	if len(k.found) >= maxKept {
		clear(k.found)
	}
	k.found[url] = kept{document, err, k.now()}
	return k.found[url]
}

// failed is why the last document that was asked for could not be had; nil if it could. A signature that no kept key
// explains always asks for the keys.
func (k *keptDocuments) failed() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.last
}
