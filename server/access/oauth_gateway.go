package access

import "context"

// OAuth is the part of Odoo that keeps OAuth clients, requests, codes and tokens: the addon's oauth_* methods and nothing
// else. Each is one transaction there. Every error is an *OAuthError (Odoo's refusal, in the words of RFC 6749) or an
// *Error (it could not be asked). Codes, tokens and secrets never travel to Odoo, only their proofs.
type OAuth interface {
	// Hello also carries the settings of OAuth, see Hello.OAuth.
	Hello(ctx context.Context) (Hello, error)

	// OAuthRegister keeps a client that registered itself (RFC 7591). What is in r was validated.
	OAuthRegister(ctx context.Context, r Registration) (Registered, error)

	// OAuthClient returns a registered or hand-made client. One that is unknown or ended is the OAuthError
	// invalid_client.
	OAuthClient(ctx context.Context, clientID string) (OAuthClient, error)

	// OAuthBegin keeps an authorization request that was verified, for a person to decide on, and returns the page in
	// Odoo where they do. A GET of that page changes nothing.
	OAuthBegin(ctx context.Context, r AuthorizationRequest) (consentURL string, err error)

	// OAuthRedeem turns a code into tokens, once. A code that was used before ends what came of it.
	OAuthRedeem(ctx context.Context, r Redemption) (OAuthTokens, error)

	// OAuthRefresh turns a refresh token into its successor. Within Odoo's grace the same one gives the same successor.
	OAuthRefresh(ctx context.Context, r Refreshing) (OAuthTokens, error)

	// OAuthAssert turns an assertion about a person into an access token, once. There is no refresh token.
	OAuthAssert(ctx context.Context, a Assertion) (OAuthTokens, error)
	// OAuthRevoke ends a token of this client's and all that came of the same consent; false if there is no such token.
	OAuthRevoke(ctx context.Context, r Revocation) (bool, error)
}
