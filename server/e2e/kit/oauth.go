package kit

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
)

// Verifier is the PKCE verifier of a party.
const Verifier = "0123456789012345678901234567890123456789012"

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Party is a client that speaks OAuth by hand.
type Party struct {
	T        *testing.T
	Service  *Service
	Client   string
	Redirect string
}

func (p *Party) post(path, kind, body string) (int, map[string]any) {
	p.T.Helper()
	response, err := http.Post(p.Service.URL+path, kind, strings.NewReader(body))
	if err != nil {
		p.T.Error(err)
		return 0, nil
	}
	defer func() { _ = response.Body.Close() }()
	text, _ := io.ReadAll(response.Body)
	var answer map[string]any
	_ = json.Unmarshal(text, &answer)
	return response.StatusCode, answer
}

// Register makes a client, and returns its id.
func (p *Party) Register() string {
	p.T.Helper()
	status, answer := p.post("/oauth/register", "application/json", `{"client_name":"By hand","redirect_uris":["`+p.Redirect+`"]}`)
	id, _ := answer["client_id"].(string)
	if status != http.StatusCreated || id == "" {
		p.T.Fatalf("register: %d %v", status, answer)
	}
	return id
}

// AuthorizeURL is the address that a person's browser is sent to.
func (p *Party) AuthorizeURL() string {
	return p.Service.URL + "/oauth/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {p.Client}, "redirect_uri": {p.Redirect}, "state": {"s"}, "scope": {"mcp:search"},
		"code_challenge": {challengeOf(Verifier)}, "code_challenge_method": {"S256"}, "resource": {p.Service.MCP},
	}.Encode()
}

// Token asks the token endpoint.
func (p *Party) Token(form url.Values) (int, map[string]any) {
	p.T.Helper()
	form.Set("client_id", p.Client)
	return p.post("/oauth/token", "application/x-www-form-urlencoded", form.Encode())
}

// Redeem asks for the tokens of a code.
func (p *Party) Redeem(code string) (int, map[string]any) {
	p.T.Helper()
	return p.Token(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {p.Redirect}, "code_verifier": {Verifier}})
}

// Refresh asks for new tokens.
func (p *Party) Refresh(token any) (int, map[string]any) {
	p.T.Helper()
	text, _ := token.(string)
	return p.Token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {text}})
}

// OAuthClient is a choice of how the Go SDK's OAuth client is known.
type OAuthClient func(*auth.AuthorizationCodeHandlerConfig)

// Registers is a client that registers by itself, under a name.
func Registers(name string) OAuthClient {
	return func(c *auth.AuthorizationCodeHandlerConfig) {
		c.DynamicClientRegistrationConfig = &auth.DynamicClientRegistrationConfig{Metadata: &oauthex.ClientRegistrationMetadata{
			ClientName: name, RedirectURIs: []string{c.RedirectURL}, GrantTypes: []string{"authorization_code", "refresh_token"},
		}}
	}
}

// MadeByHand is a client made by an administrator, with a secret.
func MadeByHand(id, secret string) OAuthClient {
	return func(c *auth.AuthorizationCodeHandlerConfig) {
		c.PreregisteredClient = &oauthex.ClientCredentials{ClientID: id, ClientSecretAuth: &oauthex.ClientSecretAuth{ClientSecret: secret}}
	}
}

// Documented is a client known by the address of a document.
func Documented(address string) OAuthClient {
	return func(c *auth.AuthorizationCodeHandlerConfig) {
		c.ClientIDMetadataDocumentConfig = &auth.ClientIDMetadataDocumentConfig{URL: address}
	}
}

// SignIn gives the Go SDK's own OAuth client a bare URL, and a person who is sent to the addresses that it names.
func SignIn(ctx context.Context, s *Service, redirect string, known OAuthClient, person func(context.Context, string) (url.Values, error)) (*sdk.ClientSession, error) {
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

// Answers reports whether a session still calls a tool.
func Answers(t *testing.T, session *sdk.ClientSession) bool {
	t.Helper()
	result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "get_context", Arguments: map[string]any{}})
	return err == nil && !result.IsError
}

// ThenGone is a person who is there for the first login, and then no more: else a client that is refused would only log in
// again.
func ThenGone(person func(context.Context, string) (url.Values, error)) func(context.Context, string) (url.Values, error) {
	gone := false
	return func(ctx context.Context, address string) (url.Values, error) {
		if gone {
			return nil, errors.New("nobody is there to log in")
		}
		gone = true
		return person(ctx, address)
	}
}

// PinnedDocument is a client document that comes with Doorman.
const PinnedDocument = "https://claude.ai/oauth/claude-code-client-metadata"

// AtConsent is a person in a browser who is logged in at the real Odoo: it follows an authorization URL to the consent
// page, and answers it.
func AtConsent(t *testing.T, o *Odoo, person *http.Client, answer string) func(context.Context, string) (url.Values, error) {
	t.Helper()
	still := *person
	still.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return func(ctx context.Context, address string) (url.Values, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, err
		}
		response, err := still.Do(r)
		if err != nil {
			return nil, err
		}
		_ = response.Body.Close()
		consent, err := url.Parse(response.Header.Get("Location"))
		if err != nil || consent.Path != "/doorman/consent" {
			return nil, errors.New("no consent page: " + response.Status + " " + response.Header.Get("Location"))
		}
		page := o.Server.URL() + consent.RequestURI()
		status, text := Visit(t, person, page, nil)
		token := CSRFField.FindStringSubmatch(text)
		if status != http.StatusOK || token == nil {
			return nil, errors.New("the consent page: " + text)
		}
		form := url.Values{"csrf_token": {token[1]}, "request": {consent.Query().Get("request")}, "answer": {answer}}
		decided, err := still.PostForm(o.Server.URL()+"/doorman/consent", form)
		if err != nil {
			return nil, err
		}
		_ = decided.Body.Close()
		to, err := url.Parse(decided.Header.Get("Location"))
		if err != nil || decided.StatusCode != http.StatusSeeOther {
			return nil, errors.New("the answer: " + decided.Status)
		}
		return to.Query(), nil
	}
}
