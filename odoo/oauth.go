package odoo

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"doorman/server/access"
)

var _ access.OAuth = (*Client)(nil)

// oauthDo asks an oauth_* method. Its refusals have the words of RFC 6749, so they do not become an access.Error.
func (c *Client) oauthDo(ctx context.Context, method string, params map[string]any, decode func(json.RawMessage) error) error {
	var refusal *access.OAuthError
	err := c.do(ctx, job{method: method, params: params}, func(raw json.RawMessage) (err error) {
		if refusal, err = decodeOAuthError(raw); err != nil || refusal != nil {
			return err
		}
		return decode(raw)
	})
	if err == nil && refusal != nil {
		return refusal
	}
	return err
}

// OAuthRegister implements access.OAuth.
func (c *Client) OAuthRegister(ctx context.Context, r access.Registration) (out access.Registered, err error) {
	params := map[string]any{"registration": map[string]any{
		"client_name": r.Name, "client_uri": r.URI, "redirect_uris": r.RedirectURIs, "ip": r.IP,
		"software_id": r.SoftwareID, "software_version": r.SoftwareVersion,
	}}
	err = c.oauthDo(ctx, "oauth_register", params, func(raw json.RawMessage) error {
		var w struct {
			ClientID string `json:"client_id"`
			IssuedAt int64  `json:"issued_at"`
		}
		if err := unmarshal(raw, &w, "oauth_register"); err != nil {
			return err
		}
		if w.ClientID == "" || w.IssuedAt <= 0 {
			return unusable("oauth_register without client_id or issued_at")
		}
		out = access.Registered{ClientID: w.ClientID, IssuedAt: time.Unix(w.IssuedAt, 0)}
		return nil
	})
	return out, err
}

// OAuthClient implements access.OAuth.
func (c *Client) OAuthClient(ctx context.Context, clientID string) (out access.OAuthClient, err error) {
	err = c.oauthDo(ctx, "oauth_client", map[string]any{"client_id": clientID}, func(raw json.RawMessage) (err error) {
		out, err = decodeOAuthClient(raw)
		if err == nil && out.ID != clientID {
			return unusable("oauth_client: another client than was asked for")
		}
		return err
	})
	return out, err
}

// OAuthBegin implements access.OAuth.
func (c *Client) OAuthBegin(ctx context.Context, r access.AuthorizationRequest) (consent string, err error) {
	var state any
	if r.HasState {
		state = r.State
	}
	params := map[string]any{"request": map[string]any{
		"client": map[string]any{
			"client_id": r.Client.ID, "kind": r.Client.Kind, "name": r.Client.Name, "client_uri": r.Client.URI,
			"redirect_uris": r.Client.RedirectURIs,
		},
		"redirect_uri": r.RedirectURI, "scopes": r.Scopes, "state": state, "challenge": r.Challenge,
		"resource": r.Resource, "ip": r.IP,
	}}
	err = c.oauthDo(ctx, "oauth_begin", params, func(raw json.RawMessage) error {
		var w struct {
			ConsentURL string `json:"consent_url"`
		}
		if err := unmarshal(raw, &w, "oauth_begin"); err != nil {
			return err
		}
		if !opens(w.ConsentURL) { // people's browsers are sent there
			return unusable("oauth_begin without an address of a web page")
		}
		consent = w.ConsentURL
		return nil
	})
	return consent, err
}

// OAuthRedeem implements access.OAuth. It is sent once: sent again, the code would count as stolen.
func (c *Client) OAuthRedeem(ctx context.Context, r access.Redemption) (access.OAuthTokens, error) {
	return c.tokens(ctx, "oauth_redeem", map[string]any{
		"code": r.Code.Hex(), "client_id": r.ClientID, "secret": proofOrNull(r.Secret), "redirect_uri": r.RedirectURI,
		"challenge": r.Challenge, "resource": textOrNull(r.Resource), "ip": r.IP,
	})
}

// OAuthRefresh implements access.OAuth. It is sent once; where the answer is lost, the client asks again, and within the
// grace gets the same.
func (c *Client) OAuthRefresh(ctx context.Context, r access.Refreshing) (access.OAuthTokens, error) {
	var scopes any
	if r.Scopes != nil {
		scopes = r.Scopes
	}
	return c.tokens(ctx, "oauth_refresh", map[string]any{
		"refresh": r.Refresh.Hex(), "client_id": r.ClientID, "secret": proofOrNull(r.Secret), "scopes": scopes,
		"resource": textOrNull(r.Resource), "ip": r.IP,
	})
}

func (c *Client) tokens(ctx context.Context, method string, grant map[string]any) (t access.OAuthTokens, err error) {
	err = c.oauthDo(ctx, method, map[string]any{"grant": grant}, func(raw json.RawMessage) (err error) {
		t, err = decodeTokens(raw)
		return err
	})
	return t, err
}

// OAuthRevoke implements access.OAuth.
func (c *Client) OAuthRevoke(ctx context.Context, r access.Revocation) (revoked bool, err error) {
	params := map[string]any{"grant": map[string]any{
		"token": r.Token.Hex(), "client_id": r.ClientID, "secret": proofOrNull(r.Secret),
	}}
	err = c.oauthDo(ctx, "oauth_revoke", params, func(raw json.RawMessage) error {
		var w struct {
			Revoked *bool `json:"revoked"`
		}
		if err := unmarshal(raw, &w, "oauth_revoke"); err != nil {
			return err
		}
		if w.Revoked == nil {
			return unusable("oauth_revoke without revoked")
		}
		revoked = *w.Revoked
		return nil
	})
	return revoked, err
}

// PurgeOAuth implements access.OAuth.
func (c *Client) PurgeOAuth(ctx context.Context) (p access.Progress, err error) {
	err = c.do(ctx, job{method: "purge_oauth", params: map[string]any{}}, func(raw json.RawMessage) error {
		if err := decodeObject(raw); err != nil {
			return err
		}
		for _, what := range []string{"requests", "codes", "tokens", "clients"} {
			one, err := decodeProgress(raw, what)
			if err != nil {
				return err
			}
			p.Done += one.Done
			p.More = p.More || one.More
		}
		return nil
	})
	return p, err
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

// decodeOAuthError reads {"oauth_error": {error, error_description, reason}}, or nil if there is none.
func decodeOAuthError(raw json.RawMessage) (*access.OAuthError, error) {
	var w struct {
		Refusal *struct {
			Code        string `json:"error"`
			Description string `json:"error_description"`
			Reason      string `json:"reason"`
		} `json:"oauth_error"`
		Error *problem `json:"error"`
	}
	if isNull(raw) {
		return nil, unusable("not an object")
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
		return nil, unusable("an oauth_error without a code")
	}
	return &access.OAuthError{
		Code: w.Refusal.Code, Description: oneLine(w.Refusal.Description), Reason: printable(w.Refusal.Reason),
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
	}, cleanText(s)), 300)
}

func decodeOAuthClient(raw json.RawMessage) (access.OAuthClient, error) {
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
		return access.OAuthClient{}, unusable("oauth_client without client_id or redirect_uris")
	case w.Kind != access.ClientDynamic && w.Kind != access.ClientCustom:
		return access.OAuthClient{}, unusable("oauth_client of an unknown kind")
	case w.AuthMethod != "none" && !slices.Contains(secret, w.AuthMethod):
		// Taken for "none" it would let in whoever knows the id.
		return access.OAuthClient{}, unusable("oauth_client with an unknown auth_method")
	}
	return access.OAuthClient{
		ID: w.ID, Kind: w.Kind, Name: personText(w.Name), RedirectURIs: w.RedirectURIs, Confidential: w.AuthMethod != "none",
	}, nil
}

func decodeTokens(raw json.RawMessage) (access.OAuthTokens, error) {
	var w struct {
		Access    string         `json:"access_token"`
		Refresh   string         `json:"refresh_token"`
		ExpiresIn int64          `json:"expires_in"`
		Scopes    []access.Scope `json:"scopes"`
	}
	if err := unmarshal(raw, &w, "tokens"); err != nil {
		return access.OAuthTokens{}, err
	}
	if !strings.HasPrefix(w.Access, "dma_") || !strings.HasPrefix(w.Refresh, "dmr_") || w.ExpiresIn < 0 || len(w.Scopes) == 0 {
		return access.OAuthTokens{}, unusable("tokens without access_token, refresh_token, expires_in or scopes")
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
	CustomSchemes bool           `json:"custom_schemes"`
	AccessSeconds int64          `json:"access_seconds"`
	RefreshSecs   int64          `json:"refresh_seconds"`
	Scopes        []access.Scope `json:"scopes"`
}

// settings converts w. A list of hosts that is missing would mean "any host": then it is off.
func (w *oauthWire) settings() access.OAuthSettings {
	if w == nil || w.RedirectHosts == nil || w.DocumentHosts == nil {
		return access.OAuthSettings{}
	}
	return access.OAuthSettings{
		Enabled: w.Enabled, Registration: w.Registration, Documents: w.Documents, RedirectHosts: w.RedirectHosts,
		DocumentHosts: w.DocumentHosts, CustomSchemes: w.CustomSchemes, Scopes: w.Scopes,
		AccessLife: time.Duration(w.AccessSeconds) * time.Second, RefreshLife: time.Duration(w.RefreshSecs) * time.Second,
	}
}
