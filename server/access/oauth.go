package access

import "time"

// OAuthError is Odoo's refusal of an OAuth request.
type OAuthError struct {
	Code        string // of RFC 6749 section 5.2, RFC 7591 section 3.2.2, RFC 8707
	Description string // for the client's developer
	Reason      string // one word for the log
}

// Error implements error.
func (e *OAuthError) Error() string { return e.Code + " (" + e.Reason + ")" }

// OAuthSettings is what an administrator set. The zero value is: off.
type OAuthSettings struct {
	Enabled       bool
	Registration  bool     // clients may register themselves (RFC 7591)
	Documents     bool     // clients may be named by the URL of a metadata document
	RedirectHosts []string // hosts that people may be sent back to; empty = any. Loopback always may.
	DocumentHosts []string // hosts whose documents are taken; empty = any
	KnownSchemes  bool     // people may be sent back to a program by a scheme of KnownApps (cursor://)
	CustomSchemes bool     // people may be sent back to a program by any scheme of its own
	Registrations int      // that one address may make in an hour
	Scopes        []Scope  // of the default policy: what a new connection may be granted
	AccessLife    time.Duration
	RefreshLife   time.Duration
}

// ClientKind says where a client comes from, and so what of it is proven.
type ClientKind string

// The kinds of clients.
const (
	ClientDynamic  ClientKind = "dynamic"  // registered itself: nothing of it is proven
	ClientCustom   ClientKind = "custom"   // made by an administrator, in Odoo
	ClientDocument ClientKind = "document" // named by the URL of its document: the host is proven
)

// OAuthClient is a program that asks for access.
type OAuthClient struct {
	ID           string
	Kind         ClientKind
	Name         string
	URI          string // of its home page, as it says; may be empty
	RedirectURIs []string
	Confidential bool // has a secret, and must show it
}

// Registration is what a client says of itself when it registers.
type Registration struct {
	Name            string
	URI             string
	RedirectURIs    []string
	SoftwareID      string
	SoftwareVersion string
	IP              string
}

// Registered is Odoo's answer to a Registration.
type Registered struct {
	ClientID string
	IssuedAt time.Time
}

// AuthorizationRequest is what a client wants a person to agree to. All of it was verified.
type AuthorizationRequest struct {
	Client      OAuthClient
	RedirectURI string // byte for byte as it was sent
	Scopes      []Scope
	State       string
	HasState    bool   // false: none was sent, and none may come back
	Challenge   string // PKCE, S256
	Resource    string
	IP          string
}

// Redemption is a code at the token endpoint.
type Redemption struct {
	Code        Proof
	ClientID    string
	Secret      *Proof // nil = a public client
	RedirectURI string
	Challenge   string // S256 of the verifier that came
	Resource    string // empty = not sent
	IP          string
}

// Refreshing is a refresh token at the token endpoint.
type Refreshing struct {
	Refresh  Proof
	ClientID string
	Secret   *Proof
	Scopes   []Scope // narrower than before; nil = the same
	Resource string
	IP       string
}

// Revocation is a token at the revocation endpoint.
type Revocation struct {
	Token    Proof
	ClientID string
	Secret   *Proof
}

// OAuthTokens are handed to the client and kept nowhere in the service.
type OAuthTokens struct {
	Access    string
	Refresh   string
	ExpiresIn time.Duration
	Scopes    []Scope
}

// String keeps the tokens out of whatever prints them.
func (OAuthTokens) String() string { return "[tokens]" }

// GoString keeps %#v from printing what String hides.
func (OAuthTokens) GoString() string { return "[tokens]" }

// Grant is what Odoo says of the access token behind a snapshot, beyond the connection's own policy.
type Grant struct {
	ClientID  string
	ExpiresAt time.Time // of the token; zero = Odoo does not say
	Resource  string    // the endpoint that the token was made for (RFC 8707)
	// Grantable are the scopes that a new consent could give: the connection's and the user's own. Policy.Scopes are the
	// token's.
	Grantable []Scope
}

// StepUp returns the scopes to ask for, the present ones first, if a tool is refused for nothing but its scope and a new
// consent could grant that; else nil.
func StepUp(s *Snapshot, t Tool) []Scope {
	if !LacksScope(s, t) {
		return nil
	}
	if !MayUse(Widened(s), t) {
		return nil
	}
	return append(append([]Scope{}, s.Connection.Policy.Scopes...), t.Scope)
}

// LacksScope reports whether a token is refused for its scope, to begin with.
func LacksScope(s *Snapshot, t Tool) bool {
	return s.Grant != nil && checkScope(s.Connection.Policy, t) != nil
}

// Widened is s as if its token had every scope that it could have: a tool that a consent is away from using is listed,
// or no client would ever ask for that consent. A snapshot without a token is returned as it is.
func Widened(s *Snapshot) *Snapshot {
	if s.Grant == nil {
		return s
	}
	wide := *s
	wide.Connection.Policy.Scopes = append(append([]Scope{}, s.Connection.Policy.Scopes...), s.Grant.Grantable...)
	return &wide
}
