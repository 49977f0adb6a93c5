package odoo

import (
	"context"
	"encoding/json"

	"doorman/odoo/wire"
	"doorman/server/access"
)

var _ access.OAuth = (*Client)(nil)

// oauthDo asks an oauth_* method. Its refusals have the words of RFC 6749, so they do not become an access.Error.
func (c *Client) oauthDo(ctx context.Context, method string, params map[string]any, decode func(json.RawMessage) error) error {
	var refusal *access.OAuthError
	err := c.do(ctx, job{method: method, params: params}, func(raw json.RawMessage) (err error) {
		if refusal, err = wire.DecodeOAuthError(raw); err != nil || refusal != nil {
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
	err = c.oauthDo(ctx, "oauth_register", wire.EncodeRegistration(r), func(raw json.RawMessage) (err error) {
		out, err = wire.DecodeRegistered(raw)
		return err
	})
	return out, err
}

// OAuthClient implements access.OAuth.
func (c *Client) OAuthClient(ctx context.Context, clientID string) (out access.OAuthClient, err error) {
	err = c.oauthDo(ctx, "oauth_client", map[string]any{"client_id": clientID}, func(raw json.RawMessage) (err error) {
		out, err = wire.DecodeOAuthClient(raw)
		if err == nil && out.ID != clientID {
			return wire.Unusable("oauth_client: another client than was asked for")
		}
		return err
	})
	return out, err
}

// OAuthBegin implements access.OAuth.
func (c *Client) OAuthBegin(ctx context.Context, r access.AuthorizationRequest) (consent string, err error) {
	err = c.oauthDo(ctx, "oauth_begin", wire.EncodeBeginning(r), func(raw json.RawMessage) (err error) {
		consent, err = wire.DecodeConsent(raw)
		return err
	})
	return consent, err
}

// OAuthRedeem implements access.OAuth. It is sent once: sent again, the code would count as stolen.
func (c *Client) OAuthRedeem(ctx context.Context, r access.Redemption) (access.OAuthTokens, error) {
	return c.tokens(ctx, "oauth_redeem", wire.EncodeRedemption(r))
}

// OAuthRefresh implements access.OAuth. It is sent once; where the answer is lost, the client asks again, and within the
// grace gets the same.
func (c *Client) OAuthRefresh(ctx context.Context, r access.Refreshing) (access.OAuthTokens, error) {
	return c.tokens(ctx, "oauth_refresh", wire.EncodeRefreshing(r))
}

func (c *Client) tokens(ctx context.Context, method string, params map[string]any) (t access.OAuthTokens, err error) {
	err = c.oauthDo(ctx, method, params, func(raw json.RawMessage) (err error) {
		t, err = wire.DecodeTokens(raw)
		return err
	})
	return t, err
}

// OAuthAssert implements access.OAuth. It is sent once: sent again, the assertion would count as replayed.
func (c *Client) OAuthAssert(ctx context.Context, a access.Assertion) (t access.OAuthTokens, err error) {
	err = c.oauthDo(ctx, "oauth_assert", wire.EncodeAssertion(a), func(raw json.RawMessage) (err error) {
		t, err = wire.DecodeAccess(raw)
		return err
	})
	return t, err
}

// OAuthRevoke implements access.OAuth.
func (c *Client) OAuthRevoke(ctx context.Context, r access.Revocation) (revoked bool, err error) {
	err = c.oauthDo(ctx, "oauth_revoke", wire.EncodeRevocation(r), func(raw json.RawMessage) (err error) {
		revoked, err = wire.DecodeRevoked(raw)
		return err
	})
	return revoked, err
}
