package odootest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"doorman/server/access"
)

const (
	codeLife     = time.Minute
	requestLife  = 10 * time.Minute
	refreshGrace = time.Minute
)

// oauthState is what the addon keeps in doorman.oauth.*; the server's lock protects it.
type oauthState struct {
	settings access.OAuthSettings
	clients  map[string]*oauthClient
	requests map[string]*oauthRequest
	tokens   map[[32]byte]*oauthToken // by SHA-256 of the proof, as in Odoo
	holders  map[string]string        // credential of the connection of a client
	issuers  map[string]Issuer
	people   []Person
	jtis     map[string]bool
	shift    time.Duration // how far its clock is ahead, see Later
}

type oauthClient struct {
	kind   access.ClientKind
	name   string
	uris   []string
	secret *[32]byte // stored proof; nil = public
}

type oauthRequest struct {
	client    string
	kind      access.ClientKind
	uri       string
	state     *string
	challenge string
	resource  string
	scopes    []access.Scope
	ends      time.Time
}

// family is what one Allow gave.
type family struct {
	client, uri, challenge, resource, holder string
	pepper                                   []byte
	scopes                                   []access.Scope
	latest                                   int
	dead                                     bool
}

type oauthToken struct {
	*family
	kind       string
	generation int
	scopes     []access.Scope
	ends, used time.Time
}

func newOAuth() *oauthState {
	return &oauthState{
		settings: access.OAuthSettings{
			Enabled: true, Registration: true, Documents: true, KnownSchemes: true, Registrations: access.Registrations, Scopes: []access.Scope{access.ScopeMetadata, access.ScopeSearch},
			AccessLife: time.Hour, RefreshLife: 30 * 24 * time.Hour,
		},
		clients: map[string]*oauthClient{}, requests: map[string]*oauthRequest{}, tokens: map[[32]byte]*oauthToken{},
		holders: map[string]string{}, issuers: map[string]Issuer{}, jtis: map[string]bool{},
	}
}

func (o *oauthState) now() time.Time { return time.Now().Add(o.shift) }

// SetOAuth changes the settings of OAuth.
func (s *Server) SetOAuth(change func(*access.OAuthSettings)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.oauth.settings)
}

// Later sets the clock of codes and tokens ahead.
func (s *Server) Later(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oauth.shift += d
}

// MakeClient is the wizard: a client made by hand. A secret makes it confidential.
func (s *Server) MakeClient(id, secret string, uris ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &oauthClient{kind: access.ClientCustom, name: "Made by hand", uris: uris}
	if secret != "" {
		stored := lookup(access.ProofOf(secret))
		c.secret = &stored
	}
	s.oauth.clients[id] = c
}

// EndClient removes a client: from now on it is unknown.
func (s *Server) EndClient(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.oauth.clients, id)
}

// Holder is the credential by which Update and Revoke know the connection of a client; "" before the first consent.
func (s *Server) Holder(clientID string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.oauth.holders[clientID]
}

// Families is how many consents are alive.
func (s *Server) Families() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	alive := map[*family]bool{}
	for _, t := range s.oauth.tokens {
		if !t.dead {
			alive[t.family] = true
		}
	}
	return len(alive)
}

// Decide is a person at the consent page: it returns where their browser is sent, "" if the request is unknown, used or
// over.
func (s *Server) Decide(consentURL string, allow bool, issuer string) string {
	u, err := url.Parse(consentURL)
	if err != nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	handle := u.Query().Get("request")
	r := s.oauth.requests[handle]
	if r == nil || !s.oauth.now().Before(r.ends) {
		return ""
	}
	delete(s.oauth.requests, handle)
	answer := url.Values{"iss": {issuer}}
	if r.state != nil {
		answer.Set("state", *r.state)
	}
	if allow {
		answer.Set("code", s.grant(r))
	} else {
		answer.Set("error", "access_denied")
	}
	joint := "?"
	if strings.Contains(r.uri, "?") {
		joint = "&"
	}
	return r.uri + joint + answer.Encode()
}

// consentPage lets programs that follow redirects reach Decide: GET shows, POST decides.
func (s *Server) consentPage(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		s.html(w, http.StatusOK)
		return
	}
	to := s.Decide(r.URL.String(), r.FormValue("answer") == "allow", r.FormValue("iss"))
	if to == "" {
		s.html(w, http.StatusNotFound)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// grant makes the connection, if there is none, and a code.
func (s *Server) grant(r *oauthRequest) string {
	o := s.oauth
	if o.clients[r.client] == nil { // of a document
		o.clients[r.client] = &oauthClient{kind: r.kind, uris: []string{r.uri}}
	}
	s.hold(r.client, r.client, o.settings.Scopes)
	code := access.PrefixCode + random()
	f := &family{
		client: r.client, uri: r.uri, challenge: r.challenge, resource: r.resource, holder: o.holders[r.client],
		pepper: []byte(random()),
	}
	for _, scope := range r.scopes {
		if slices.Contains(s.connections[lookup(access.ProofOf(f.holder))].Connection.Policy.Scopes, scope) {
			f.scopes = append(f.scopes, scope)
		}
	}
	o.tokens[lookup(access.ProofOf(code))] = &oauthToken{family: f, kind: "code", scopes: f.scopes, ends: o.now().Add(codeLife)}
	return code
}

// hold makes the connection of a holder that has not got one.
func (s *Server) hold(key, client string, scopes []access.Scope) {
	if s.oauth.holders[key] != "" {
		return
	}
	holder := "held_" + random()
	snap := fill(access.Snapshot{}, s.nextID, s.enabled, s.settings)
	s.nextID = snap.Connection.ID + 1
	snap.Connection.Type, snap.Connection.Name = "oauth", client
	snap.Connection.Policy.Scopes = slices.Clone(scopes)
	s.connections[lookup(access.ProofOf(holder))] = &snap
	s.oauth.holders[key] = holder
}

func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// derive is policy/oauth_values.py's.
func derive(pepper []byte, kind, proof string) string {
	mac := hmac.New(sha256.New, pepper)
	mac.Write([]byte(kind + ":" + proof))
	return map[string]string{"access": access.PrefixAccess, "refresh": access.PrefixRefresh}[kind] + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// storedOf is a proof on the wire, as Odoo keeps it.
func storedOf(proof any) (stored [32]byte, ok bool) {
	text, _ := proof.(string)
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != sha256.Size {
		return stored, false
	}
	return sha256.Sum256(raw), true
}

// findToken returns the snapshot behind an access token; nil if it opens nothing.
func (s *Server) findToken(stored [32]byte) *access.Snapshot {
	t := s.oauth.tokens[stored]
	if t == nil || t.kind != "access" || t.dead || !s.oauth.now().Before(t.ends) || s.oauth.clients[t.client] == nil || !s.oauth.settings.Enabled {
		return nil
	}
	held := s.connections[lookup(access.ProofOf(t.holder))]
	if held == nil {
		return nil
	}
	snap := *held
	snap.Grant = &access.Grant{
		ClientID: t.client, ExpiresAt: t.ends.Add(-s.oauth.shift), Resource: t.resource, Grantable: held.Connection.Policy.Scopes,
	}
	snap.Connection.Policy.Scopes = slices.DeleteFunc(slices.Clone(held.Connection.Policy.Scopes), func(scope access.Scope) bool {
		return !slices.Contains(t.scopes, scope)
	})
	return &snap
}

// TokenResource is the resource that a token was made for; "" if there is no such token.
func (s *Server) TokenResource(token string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if t := s.oauth.tokens[lookup(access.ProofOf(token))]; t != nil {
		return t.resource
	}
	return ""
}
