package wire

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"doorman/server/access"
)

// EncodeRegistration writes what a client says of itself (RFC 7591).
func EncodeRegistration(r access.Registration) map[string]any {
	return map[string]any{"registration": map[string]any{
		"client_name": r.Name, "client_uri": r.URI, "redirect_uris": r.RedirectURIs, "ip": r.IP,
		"software_id": r.SoftwareID, "software_version": r.SoftwareVersion,
	}}
}

// DecodeRegistered reads {client_id, issued_at}; issued_at in seconds since 1970.
func DecodeRegistered(raw json.RawMessage) (access.Registered, error) {
	var w struct {
		ClientID string `json:"client_id"`
		IssuedAt int64  `json:"issued_at"`
	}
	if err := unmarshal(raw, &w, "oauth_register"); err != nil {
		return access.Registered{}, err
	}
	if w.ClientID == "" || w.IssuedAt <= 0 {
		return access.Registered{}, Unusable("oauth_register without client_id or issued_at")
	}
	return access.Registered{ClientID: w.ClientID, IssuedAt: time.Unix(w.IssuedAt, 0)}, nil
}

// EncodeBeginning writes an authorization request. A state that was not sent is null: it is not the empty one.
func EncodeBeginning(r access.AuthorizationRequest) map[string]any {
	var state any
	if r.HasState {
		state = r.State
	}
	return map[string]any{"request": map[string]any{
		"client": map[string]any{
			"client_id": r.Client.ID, "kind": r.Client.Kind, "name": r.Client.Name, "client_uri": r.Client.URI,
			"redirect_uris": r.Client.RedirectURIs,
		},
		"redirect_uri": r.RedirectURI, "scopes": r.Scopes, "state": state, "challenge": r.Challenge,
		"resource": r.Resource, "ip": r.IP,
	}}
}

// EncodeAssertion writes what an issuer says of a person; expires_at in seconds since 1970. Scopes that were not named are
// null.
func EncodeAssertion(a access.Assertion) map[string]any {
	var scopes, refused any
	if a.Scopes != nil {
		scopes = a.Scopes
	}
	if r := a.Refused; r != nil {
		refused = map[string]any{"error": r.Code, "error_description": r.Description, "reason": r.Reason}
	}
	return map[string]any{"grant": map[string]any{
		"client_id": a.ClientID, "secret": a.Secret.Hex(), "issuer": a.Issuer, "subject": a.Subject, "jti": a.ID,
		"expires_at": a.ExpiresAt.Unix(), "email": textOrNull(a.Email), "scopes": scopes, "resource": textOrNull(a.Resource),
		"ip": a.IP, "refused": refused,
	}}
}

// DecodeConsent reads {consent_url}: the page of Odoo's on which a person consents.
func DecodeConsent(raw json.RawMessage) (string, error) {
	var w struct {
		ConsentURL string `json:"consent_url"`
	}
	if err := unmarshal(raw, &w, "oauth_begin"); err != nil {
		return "", err
	}
	if !opens(w.ConsentURL) { // people's browsers are sent there
		return "", Unusable("oauth_begin without an address of a web page")
	}
	return w.ConsentURL, nil
}

// EncodeRedemption writes what a code is exchanged with.
func EncodeRedemption(r access.Redemption) map[string]any {
	return map[string]any{"grant": map[string]any{
		"code": r.Code.Hex(), "client_id": r.ClientID, "secret": proofOrNull(r.Secret), "redirect_uri": r.RedirectURI,
		"challenge": r.Challenge, "resource": textOrNull(r.Resource), "ip": r.IP,
	}}
}

// EncodeRefreshing writes what a refresh token is exchanged with. Scopes that were not sent are null: all of the token's.
func EncodeRefreshing(r access.Refreshing) map[string]any {
	var scopes any
	if r.Scopes != nil {
		scopes = r.Scopes
	}
	return map[string]any{"grant": map[string]any{
		"refresh": r.Refresh.Hex(), "client_id": r.ClientID, "secret": proofOrNull(r.Secret), "scopes": scopes,
		"resource": textOrNull(r.Resource), "ip": r.IP,
	}}
}

// EncodeRevocation writes which token ends.
func EncodeRevocation(r access.Revocation) map[string]any {
	return map[string]any{"grant": map[string]any{
		"token": r.Token.Hex(), "client_id": r.ClientID, "secret": proofOrNull(r.Secret),
	}}
}

// DecodeRevoked reads {revoked}: whether there was anything to revoke.
func DecodeRevoked(raw json.RawMessage) (bool, error) {
	var w struct {
		Revoked *bool `json:"revoked"`
	}
	if err := unmarshal(raw, &w, "oauth_revoke"); err != nil {
		return false, err
	}
	if w.Revoked == nil {
		return false, Unusable("oauth_revoke without revoked")
	}
	return *w.Revoked, nil
}

func proofOrNull(p *access.Proof) any {
	if p == nil {
		return nil
	}
	return p.Hex()
}

func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// oauthCode is what an error code may look like (RFC 6749 section 5.2, narrower): it goes into a URL and a header.
var oauthCode = regexp.MustCompile(`^[a-z_]{3,40}$`)

// DecodeOAuthError reads {"oauth_error": {error, error_description, reason}}, or nil if there is none.
func DecodeOAuthError(raw json.RawMessage) (*access.OAuthError, error) {
	var w struct {
		Refusal *struct {
			Code        string `json:"error"`
			Description string `json:"error_description"`
			Reason      string `json:"reason"`
		} `json:"oauth_error"`
		Error *problem `json:"error"`
	}
	if isNull(raw) {
		return nil, Unusable("not an object")
	}
	if err := unmarshal(raw, &w, "answer"); err != nil {
		return nil, err
	}
	switch {
	case w.Error != nil:
		return nil, w.Error.toError()
	case w.Refusal == nil:
		return nil, nil
	case !oauthCode.MatchString(w.Refusal.Code):
		return nil, Unusable("an oauth_error without a code")
	}
	return &access.OAuthError{
		Code: w.Refusal.Code, Description: oneLine(w.Refusal.Description), Reason: oneLine(w.Refusal.Reason),
	}, nil
}

// oneLine is a description in the characters that RFC 6749 section 5.2 allows there.
func oneLine(s string) string {
	return truncate(strings.Map(func(r rune) rune {
		switch {
		case r == '"' || r == '\\':
			return '\''
		case r < ' ' || r > '~':
			return -1
		}
		return r
	}, CleanText(s)), 300)
}

// DecodeOAuthClient reads {client_id, name, kind, auth_method, redirect_uris}.
func DecodeOAuthClient(raw json.RawMessage) (access.OAuthClient, error) {
	var w struct {
		ID           string            `json:"client_id"`
		Name         string            `json:"name"`
		Kind         access.ClientKind `json:"kind"`
		AuthMethod   string            `json:"auth_method"`
		RedirectURIs list[string]      `json:"redirect_uris"`
	}
	if err := unmarshal(raw, &w, "oauth_client"); err != nil {
		return access.OAuthClient{}, err
	}
	secret := []string{"client_secret", "client_secret_basic", "client_secret_post"}
	switch {
	case w.ID == "" || w.RedirectURIs == nil:
		return access.OAuthClient{}, Unusable("oauth_client without client_id or redirect_uris")
	case w.Kind != access.ClientDynamic && w.Kind != access.ClientCustom:
		return access.OAuthClient{}, Unusable("oauth_client of an unknown kind")
	case w.AuthMethod != "none" && !slices.Contains(secret, w.AuthMethod):
		// Taken for "none" it would let in whoever knows the id.
		return access.OAuthClient{}, Unusable("oauth_client with an unknown auth_method")
	}
	return access.OAuthClient{
		ID: w.ID, Kind: w.Kind, Name: personText(w.Name), RedirectURIs: w.RedirectURIs, Confidential: w.AuthMethod != "none",
	}, nil
}

// DecodeTokens reads {access_token, refresh_token, expires_in, scopes}; expires_in in seconds.
func DecodeTokens(raw json.RawMessage) (access.OAuthTokens, error) {
	t, err := DecodeAccess(raw)
	if err == nil && !strings.HasPrefix(t.Refresh, access.PrefixRefresh) {
		return access.OAuthTokens{}, Unusable("tokens without refresh_token")
	}
	return t, err
}

// DecodeAccess reads the same, without a refresh token.
func DecodeAccess(raw json.RawMessage) (access.OAuthTokens, error) {
	var w struct {
		Access    string         `json:"access_token"`
		Refresh   string         `json:"refresh_token"`
		ExpiresIn int64          `json:"expires_in"`
		Scopes    []access.Scope `json:"scopes"`
	}
	if err := unmarshal(raw, &w, "tokens"); err != nil {
		return access.OAuthTokens{}, err
	}
	if !strings.HasPrefix(w.Access, access.PrefixAccess) || w.ExpiresIn < 0 || len(w.Scopes) == 0 {
		return access.OAuthTokens{}, Unusable("tokens without access_token, expires_in or scopes")
	}
	return access.OAuthTokens{
		Access: w.Access, Refresh: w.Refresh, ExpiresIn: time.Duration(w.ExpiresIn) * time.Second, Scopes: w.Scopes,
	}, nil
}

// oauthWire is the part of hello that is about OAuth. Absent (an older addon) it is off.
type oauthWire struct {
	Enabled       bool           `json:"enabled"`
	Registration  bool           `json:"registration"`
	Documents     bool           `json:"documents"`
	RedirectHosts list[string]   `json:"redirect_hosts"`
	DocumentHosts list[string]   `json:"document_hosts"`
	KnownSchemes  bool           `json:"known_schemes"`
	CustomSchemes bool           `json:"custom_schemes"`
	Registrations int            `json:"registrations_per_hour"`
	AccessSeconds int64          `json:"access_seconds"`
	RefreshSecs   int64          `json:"refresh_seconds"`
	Scopes        []access.Scope `json:"scopes"`
	Issuers       []string       `json:"issuers"`
}

// settings converts w. A list of hosts that is missing would mean "any host": then it is off.
func (w *oauthWire) settings() access.OAuthSettings {
	if w == nil || w.RedirectHosts == nil || w.DocumentHosts == nil {
		return access.OAuthSettings{}
	}
	return access.OAuthSettings{
		Enabled: w.Enabled, Registration: w.Registration, Documents: w.Documents, RedirectHosts: w.RedirectHosts,
		DocumentHosts: w.DocumentHosts, KnownSchemes: w.KnownSchemes, CustomSchemes: w.CustomSchemes, Registrations: cmp.Or(max(w.Registrations, 0), access.Registrations), Scopes: w.Scopes, Issuers: w.Issuers,
		AccessLife: time.Duration(w.AccessSeconds) * time.Second, RefreshLife: time.Duration(w.RefreshSecs) * time.Second,
	}
}
