package app_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/auth"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"doorman/odoo/odootest"
	"doorman/server/access"
	"doorman/server/e2e/kit"
)

// consenting is a browser with a person in front of it: it follows an authorization URL to the consent page of the fake
// and decides there.
func consenting(odoo *odootest.Server, issuer string, seen *[]string) auth.AuthorizationCodeFetcher {
	return func(ctx context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, args.URL, nil)
		if err != nil {
			return nil, err
		}
		response, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
		if err != nil {
			return nil, err
		}
		_ = response.Body.Close()
		to, err := url.Parse(odoo.Decide(response.Header.Get("Location"), true, issuer))
		if err != nil || to.Query().Get("code") == "" {
			return nil, errors.New("no code: " + response.Status + " " + response.Header.Get("Location"))
		}
		q := to.Query()
		asked, _ := url.Parse(args.URL)
		*seen = append(*seen, q.Get("code"), q.Get("state"), asked.Query().Get("code_challenge"), asked.Query().Get("scope"))
		return &auth.AuthorizationResult{Code: q.Get("code"), State: q.Get("state"), Iss: q.Get("iss")}, nil
	}
}

// watched keeps every token that goes by.
type watched struct {
	mu     sync.Mutex
	tokens []string
}

func (w *watched) RoundTrip(r *http.Request) (*http.Response, error) {
	if token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "); token != "" {
		w.mu.Lock()
		w.tokens = append(w.tokens, token)
		w.mu.Unlock()
	}
	return http.DefaultTransport.RoundTrip(r)
}

func oauthService(t *testing.T) (*odootest.Server, *kit.Service) {
	t.Helper()
	odoo := odootest.New(t)
	return odoo, kit.Serve(t, "DOORMAN_ODOO_URL="+odoo.URL(), "DOORMAN_ODOO_DB="+odootest.DefaultDatabase,
		"DOORMAN_ODOO_KEY="+odootest.DefaultKey, "DOORMAN_LOG_LEVEL=trace")
}

// TestOAuthGoSDK: the official Go SDK's own OAuth client finds its way from a bare URL to a tool, by each way in which a
// client may be known, steps up for a scope, and leaves no secret in the log.
func TestOAuthGoSDK(t *testing.T) {
	t.Parallel()
	for name, known := range map[string]func(*odootest.Server, *auth.AuthorizationCodeHandlerConfig){
		"registers itself": func(_ *odootest.Server, c *auth.AuthorizationCodeHandlerConfig) {
			c.DynamicClientRegistrationConfig = &auth.DynamicClientRegistrationConfig{Metadata: &oauthex.ClientRegistrationMetadata{
				ClientName: "Go", RedirectURIs: []string{"http://127.0.0.1:4711/callback"}, GrantTypes: []string{"authorization_code", "refresh_token"},
			}}
		},
		"a document": func(_ *odootest.Server, c *auth.AuthorizationCodeHandlerConfig) {
			c.RedirectURL = "http://127.0.0.1:4711/callback"
			c.ClientIDMetadataDocumentConfig = &auth.ClientIDMetadataDocumentConfig{URL: "https://claude.ai/oauth/claude-code-client-metadata"}
		},
		"made by hand, with a secret": func(odoo *odootest.Server, c *auth.AuthorizationCodeHandlerConfig) {
			odoo.MakeClient("dmo_hand", "dms_canary", "https://app.example.com/cb")
			c.RedirectURL = "https://app.example.com/cb"
			c.PreregisteredClient = &oauthex.ClientCredentials{ClientID: "dmo_hand", ClientSecretAuth: &oauthex.ClientSecretAuth{ClientSecret: "dms_canary"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			odoo, s := oauthService(t)
			odoo.SetOAuth(func(o *access.OAuthSettings) {
				o.Scopes = []access.Scope{access.ScopeMetadata, access.ScopeSearch, access.ScopeORM}
			})
			var seen []string
			watch := &watched{}
			c := &auth.AuthorizationCodeHandlerConfig{
				AuthorizationCodeFetcher: consenting(odoo, s.URL, &seen), Client: &http.Client{Transport: watch}, RequestRefreshToken: true,
			}
			known(odoo, c)
			handler, err := auth.NewAuthorizationCodeHandler(c)
			if err != nil {
				t.Fatal(err)
			}
			session := loggedIn(t, s, watch, handler)
			if len(seen) != 4 || strings.Contains(seen[3], "mcp:orm") || !strings.Contains(seen[3], "mcp:search") || !strings.Contains(seen[3], "offline_access") {
				t.Fatalf("%d consents, asked for %q", len(seen)/4, seen[3])
			}
			// A tool that needs more than the token has: the client goes back to its user by itself.
			if _, failed := kit.Call(t, session, "create_records", map[string]any{"model": "res.partner", "records": `[{"name":"x"}]`, "dry_run": true}); failed != "" {
				t.Fatal(failed)
			}
			if len(seen) != 8 || !strings.Contains(seen[7], "mcp:orm") || !strings.Contains(seen[7], "mcp:search") {
				t.Fatalf("%d consents: %q", len(seen)/4, seen)
			}
			if len(watch.tokens) == 0 {
				t.Fatal("no token was seen")
			}
			for _, secret := range append(append(watch.tokens, "dms_canary"), seen[0], seen[1], seen[2], seen[4], seen[5], seen[6]) {
				if strings.Contains(s.Log(), secret) {
					t.Errorf("%s is in the log", secret)
				}
				for _, r := range odoo.Requests() {
					if strings.Contains(fmt.Sprint(string(r.Body), r.Authorization), secret) && secret != seen[1] && secret != seen[5] && secret != seen[2] && secret != seen[6] {
						t.Errorf("%s reached Odoo", secret)
					}
				}
			}
			// Revoked in Odoo: the very next call is refused, and the client asks its user anew, by itself.
			odoo.Revoke(holder(odoo))
			if result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "get_context", Arguments: map[string]any{}}); err == nil && !result.IsError && len(seen) == 8 {
				t.Error("a revoked connection called a tool")
			}
			if len(seen) != 12 {
				t.Errorf("%d consents after the revocation", len(seen)/4)
			}
		})
	}
}

// holder is the credential of the connection that came of the last consent.
func holder(odoo *odootest.Server) string {
	for _, r := range slices.Backward(odoo.Requests()) {
		if r.Method != "oauth_redeem" {
			continue
		}
		_, rest, _ := strings.Cut(string(r.Body), `"client_id":"`)
		id, _, _ := strings.Cut(rest, `"`)
		return odoo.Holder(id)
	}
	return ""
}

// TestOAuthSources: pages of any origin may post to the token endpoint; nobody's page may use the others.
func TestOAuthSources(t *testing.T) {
	t.Parallel()
	_, s := oauthService(t)
	page := []string{"Origin", "https://page.example.com"}
	for _, path := range []string{"/oauth/token", "/oauth/revoke", "/oauth/register"} {
		status, header, body := kit.Send(t, http.MethodPost, s.URL+path, "", page...)
		if status == http.StatusForbidden || header.Get("Access-Control-Allow-Origin") != "*" || header.Get("X-Request-Id") == "" {
			t.Errorf("%s: %d %v %s", path, status, header, body)
		}
	}
	status, header, _ := kit.Send(t, http.MethodOptions, s.URL+"/oauth/token", "", append(page, "Access-Control-Request-Method", "POST")...)
	if status != http.StatusNoContent || header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%d %v", status, header)
	}
	if status, header, _ := kit.Send(t, http.MethodGet, s.URL+"/oauth/authorize", "", page...); status != http.StatusForbidden || header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%d %v", status, header)
	}
	if status, _, body := kit.Send(t, http.MethodPost, s.URL+"/oauth/token", "", "Host", "evil.example.com"); status != http.StatusForbidden {
		t.Errorf("%d %s", status, body)
	}
	status, header, _ = kit.Send(t, http.MethodPost, s.URL+"/mcp", "", "Authorization", "Bearer dma_unknown")
	if challenge := header.Get("WWW-Authenticate"); status != 401 || !strings.Contains(challenge, `resource_metadata="`+s.URL+`/.well-known/oauth-protected-resource/mcp"`) ||
		!strings.Contains(challenge, `scope="mcp:metadata mcp:search"`) {
		t.Errorf("%d %v", status, header)
	}
}

// loggedIn opens a session of the Go SDK's client, which logs in by handler, and makes a call.
func loggedIn(t *testing.T, s *kit.Service, watch http.RoundTripper, handler auth.OAuthHandler) *sdk.ClientSession {
	t.Helper()
	client := sdk.NewClient(&sdk.Implementation{Name: "go", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &sdk.StreamableClientTransport{
		Endpoint: s.MCP, HTTPClient: &http.Client{Transport: watch}, OAuthHandler: handler, MaxRetries: -1,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	if _, failed := kit.Call(t, session, "search_records", map[string]any{"model": "res.partner"}); failed != "" {
		t.Fatal(failed)
	}
	return session
}
