package app_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/auth/extauth"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"golang.org/x/oauth2"

	"doorman/odoo/odootest"
	"doorman/server/app"
	"doorman/server/e2e/kit"
)

// TestEnterpriseGoSDK: the official Go SDK's client for enterprise-managed authorization calls a tool, with no person in
// front of it, and leaves no assertion in the log or at Odoo.
func TestEnterpriseGoSDK(t *testing.T) {
	t.Parallel()
	odoo, idp := odootest.New(t), kit.NewIDP(t, nil)
	s := kit.ServeIn(app.WithFetcher(t.Context(), idp.Fetcher()), t, "DOORMAN_ODOO_URL="+odoo.URL(),
		"DOORMAN_ODOO_DB="+odootest.DefaultDatabase, "DOORMAN_ODOO_KEY="+odootest.DefaultKey, "DOORMAN_LOG_LEVEL=trace")
	const id, secret = "dmo_enterprise", "dms_canary"
	odoo.Trust(kit.IDPURL, odootest.Issuer{})
	odoo.MakeClient(id, secret)
	odoo.Employ(odootest.Person{Issuer: kit.IDPURL, Subject: "u-maria", Email: "maria@example.com"})
	watch := &watched{}
	logins := 0
	handler, err := extauth.NewEnterpriseHandler(&extauth.EnterpriseHandlerConfig{
		IdPIssuerURL: kit.IDPURL, IdPCredentials: &oauthex.ClientCredentials{ClientID: id},
		MCPAuthServerURL: s.URL, MCPResourceURI: s.MCP, MCPScopes: []string{"mcp:search"},
		MCPCredentials: &oauthex.ClientCredentials{ClientID: id, ClientSecretAuth: &oauthex.ClientSecretAuth{ClientSecret: secret}},
		HTTPClient:     idp.Client(http.DefaultTransport),
		IDTokenFetcher: func(context.Context) (*oauth2.Token, error) {
			logins++
			return (&oauth2.Token{}).WithExtra(map[string]any{"id_token": "u-maria"}), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	session := loggedIn(t, s, watch, handler)
	if logins != 1 || len(idp.Given()) != 1 {
		t.Errorf("%d logins, %d assertions", logins, len(idp.Given()))
	}
	secrets := append(append([]string{secret}, idp.Given()...), watch.tokens...)
	for _, text := range secrets {
		if strings.Contains(s.Log(), text) {
			t.Errorf("%s is in the log", text)
		}
		for _, r := range odoo.Requests() {
			if strings.Contains(fmt.Sprint(string(r.Body), r.Authorization), text) {
				t.Errorf("%s reached Odoo", text)
			}
		}
	}
	// Revoked in Odoo, it stays so, however often the client comes back with a new assertion.
	odoo.Revoke(odoo.HolderOf(id, "maria@example.com"))
	if result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "get_context", Arguments: map[string]any{}}); err == nil && !result.IsError {
		t.Error("a revoked connection called a tool")
	}
	if len(idp.Given()) < 2 {
		t.Error("the client did not come back")
	}
}
