package app_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/auth"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"

	"doorman/server/app/apptest"
)

// verifier is the PKCE verifier of a party.
const verifier = "0123456789012345678901234567890123456789012"

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// party is a client that speaks OAuth by hand.
type party struct {
	t        *testing.T
	service  *apptest.Service
	client   string
	redirect string
}

func (p *party) post(path, kind, body string) (int, map[string]any) {
	p.t.Helper()
	response, err := http.Post(p.service.URL+path, kind, strings.NewReader(body))
	if err != nil {
		p.t.Error(err)
		return 0, nil
	}
	defer func() { _ = response.Body.Close() }()
	text, _ := io.ReadAll(response.Body)
	var answer map[string]any
	_ = json.Unmarshal(text, &answer)
	return response.StatusCode, answer
}

func (p *party) register() string {
	p.t.Helper()
	status, answer := p.post("/oauth/register", "application/json", `{"client_name":"By hand","redirect_uris":["`+p.redirect+`"]}`)
	id, _ := answer["client_id"].(string)
	if status != http.StatusCreated || id == "" {
		p.t.Fatalf("register: %d %v", status, answer)
	}
	return id
}

// ask is the address that a person's browser is sent to.
func (p *party) ask() string {
	return p.service.URL + "/oauth/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {p.client}, "redirect_uri": {p.redirect}, "state": {"s"}, "scope": {"mcp:search"},
		"code_challenge": {challengeOf(verifier)}, "code_challenge_method": {"S256"}, "resource": {p.service.MCP},
	}.Encode()
}

func (p *party) token(form url.Values) (int, map[string]any) {
	p.t.Helper()
	form.Set("client_id", p.client)
	return p.post("/oauth/token", "application/x-www-form-urlencoded", form.Encode())
}

func (p *party) redeem(code string) (int, map[string]any) {
	p.t.Helper()
	return p.token(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {p.redirect}, "code_verifier": {verifier}})
}

func (p *party) refresh(token any) (int, map[string]any) {
	p.t.Helper()
	text, _ := token.(string)
	return p.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {text}})
}

// oauthConfig is a choice of how the Go SDK's OAuth client is known.
type oauthConfig func(*auth.AuthorizationCodeHandlerConfig)

// registers: by itself, under a name.
func registers(name string) oauthConfig {
	return func(c *auth.AuthorizationCodeHandlerConfig) {
		c.DynamicClientRegistrationConfig = &auth.DynamicClientRegistrationConfig{Metadata: &oauthex.ClientRegistrationMetadata{
			ClientName: name, RedirectURIs: []string{c.RedirectURL}, GrantTypes: []string{"authorization_code", "refresh_token"},
		}}
	}
}

// madeByHand: by an administrator, with a secret.
func madeByHand(id, secret string) oauthConfig {
	return func(c *auth.AuthorizationCodeHandlerConfig) {
		c.PreregisteredClient = &oauthex.ClientCredentials{ClientID: id, ClientSecretAuth: &oauthex.ClientSecretAuth{ClientSecret: secret}}
	}
}

// documented: by the address of a document.
func documented(address string) oauthConfig {
	return func(c *auth.AuthorizationCodeHandlerConfig) {
		c.ClientIDMetadataDocumentConfig = &auth.ClientIDMetadataDocumentConfig{URL: address}
	}
}

// signIn gives the Go SDK's own OAuth client a bare URL, and a person who is sent to the addresses that it names.
func signIn(ctx context.Context, s *apptest.Service, redirect string, known oauthConfig, person func(context.Context, string) (url.Values, error)) (*sdk.ClientSession, error) {
	c := &auth.AuthorizationCodeHandlerConfig{
		RedirectURL: redirect, RequestRefreshToken: true,
		AuthorizationCodeFetcher: func(ctx context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
			q, err := person(ctx, args.URL)
			return &auth.AuthorizationResult{Code: q.Get("code"), State: q.Get("state"), Iss: q.Get("iss")}, err
		},
	}
	known(c)
	handler, err := auth.NewAuthorizationCodeHandler(c)
	if err != nil {
		return nil, err
	}
	return sdk.NewClient(&sdk.Implementation{Name: "go", Version: "1"}, nil).Connect(ctx,
		&sdk.StreamableClientTransport{Endpoint: s.MCP, OAuthHandler: handler, MaxRetries: -1}, nil)
}

// answers reports whether a session still calls a tool.
func answers(t *testing.T, session *sdk.ClientSession) bool {
	t.Helper()
	result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "get_context", Arguments: map[string]any{}})
	return err == nil && !result.IsError
}

// thenGone is a person who is there for the first login, and then no more: else a client that is refused would only log in
// again.
func thenGone(person func(context.Context, string) (url.Values, error)) func(context.Context, string) (url.Values, error) {
	gone := false
	return func(ctx context.Context, address string) (url.Values, error) {
		if gone {
			return nil, errors.New("nobody is there to log in")
		}
		gone = true
		return person(ctx, address)
	}
}
