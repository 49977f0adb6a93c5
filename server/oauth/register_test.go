package oauth_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"doorman/server/access"
)

// TestRegisterRefused: what a registration must not be.
func TestRegisterRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	uris := `"redirect_uris":["https://app.example.com/cb"]`
	for _, row := range []struct {
		name, body, code string
		status           int
	}{
		{"no JSON", `redirect_uris=https://a.example.com/`, "invalid_client_metadata", 400},
		{"nothing", ``, "invalid_client_metadata", 400},
		{"a list", `[]`, "invalid_client_metadata", 400},
		{"null", `null`, "invalid_client_metadata", 400},
		{"two objects", `{` + uris + `}{}`, "invalid_client_metadata", 400},
		{"a name twice", `{` + uris + `,` + uris + `}`, "invalid_client_metadata", 400},
		{"17 kB", `{` + uris + `,"x":"` + strings.Repeat("a", 17<<10) + `"}`, "invalid_request", 413},
		{"no redirect URIs", `{"client_name":"x"}`, "invalid_redirect_uri", 400},
		{"an empty list of them", `{"redirect_uris":[]}`, "invalid_redirect_uri", 400},
		{"a text for a list", `{"redirect_uris":"https://app.example.com/cb"}`, "invalid_redirect_uri", 400},
		{"null in the list", `{"redirect_uris":[null]}`, "invalid_redirect_uri", 400},
		{"a number in the list", `{"redirect_uris":[1]}`, "invalid_redirect_uri", 400},
		{"the name in capitals", `{"Redirect_URIs":["https://app.example.com/cb"]}`, "invalid_redirect_uri", 400},
		{"11 of them", `{"redirect_uris":[` + strings.Repeat(`"https://app.example.com/cb",`, 10) + `"https://a.example.com/"]}`, "invalid_redirect_uri", 400},
		{"http", `{"redirect_uris":["http://app.example.com/cb"]}`, "invalid_redirect_uri", 400},
		{"a good and a bad one", `{"redirect_uris":["https://app.example.com/cb","http://app.example.com/cb"]}`, "invalid_redirect_uri", 400},
		{"javascript", `{"redirect_uris":["javascript:alert(1)"]}`, "invalid_redirect_uri", 400},
		{"javascript with slashes", `{"redirect_uris":["javascript://x/%0aalert(1)"]}`, "invalid_redirect_uri", 400},
		{"data", `{"redirect_uris":["data:text/html,x"]}`, "invalid_redirect_uri", 400},
		{"a fragment", `{"redirect_uris":["https://app.example.com/cb#x"]}`, "invalid_redirect_uri", 400},
		{"a user", `{"redirect_uris":["https://u@app.example.com/cb"]}`, "invalid_redirect_uri", 400},
		{"a wildcard", `{"redirect_uris":["https://*.example.com/cb"]}`, "invalid_redirect_uri", 400},
		{"dot segments", `{"redirect_uris":["https://app.example.com/a/../cb"]}`, "invalid_redirect_uri", 400},
		{"513 characters", `{"redirect_uris":["https://app.example.com/` + strings.Repeat("a", 489) + `"]}`, "invalid_redirect_uri", 400},
		{"a grant that there is not", `{` + uris + `,"grant_types":["password"]}`, "invalid_client_metadata", 400},
		{"implicit alone", `{` + uris + `,"grant_types":["implicit"],"response_types":["token"]}`, "invalid_client_metadata", 400},
		{"a response type that there is not", `{` + uris + `,"response_types":["token"]}`, "invalid_client_metadata", 400},
		{"grants that are not a list", `{` + uris + `,"grant_types":"authorization_code"}`, "invalid_client_metadata", 400},
		{"a name that is a number", `{` + uris + `,"client_name":1}`, "invalid_client_metadata", 400},
		{"a name of 101 characters", `{` + uris + `,"client_name":"` + strings.Repeat("a", 101) + `"}`, "invalid_client_metadata", 400},
		{"a name that turns the text around", `{` + uris + `,"client_name":"moc.live\u202e"}`, "invalid_client_metadata", 400},
		{"a name with a line break", `{` + uris + `,"client_name":"Claude\nverified"}`, "invalid_client_metadata", 400},
		{"a name with a hidden letter", `{` + uris + `,"client_name":"Cla\u200bude"}`, "invalid_client_metadata", 400},
		{"a name with variation selectors", `{` + uris + `,"client_name":"Claude\ufe01\udb40\udd43"}`, "invalid_client_metadata", 400},
		{"a name with selectors after an emoji", `{` + uris + `,"client_name":"\u2764\ufe0f\ufe0f"}`, "invalid_client_metadata", 400},
		{"a name with tags", `{` + uris + `,"client_name":"Claude\udb40\udc70\udb40\udc61"}`, "invalid_client_metadata", 400},
		{"a name with a filler", `{` + uris + `,"client_name":"Claude\u3164"}`, "invalid_client_metadata", 400},
		{"a name of an empty Braille cell", `{` + uris + `,"client_name":"\u2800"}`, "invalid_client_metadata", 400},
		{"a version with an ignorable letter", `{` + uris + `,"software_version":"1\u034f"}`, "invalid_client_metadata", 400},
		{"a home page that is script", `{` + uris + `,"client_uri":"javascript:alert(1)"}`, "invalid_client_metadata", 400},
		{"a home page without TLS", `{` + uris + `,"client_uri":"http://app.example.com"}`, "invalid_client_metadata", 400},
		{"an auth method that is a list", `{` + uris + `,"token_endpoint_auth_method":["none"]}`, "invalid_client_metadata", 400},
		{"a software id of 101 characters", `{` + uris + `,"software_id":"` + strings.Repeat("a", 101) + `"}`, "invalid_client_metadata", 400},
	} {
		t.Run(row.name, func(t *testing.T) { s.register(row.body).refused(t, row.status, row.code) })
	}
	t.Run("as a form", func(t *testing.T) {
		s.post("/oauth/register", url.Values{"redirect_uris": {webURI}}).refused(t, 400, "invalid_client_metadata")
	})
	t.Run("switched off", func(t *testing.T) {
		s.odoo.SetOAuth(func(o *access.OAuthSettings) { o.Registration = false })
		s.later(time.Minute)
		s.register(`{`+uris+`}`).refused(t, 403, "access_denied")
	})
	if n := s.odoo.Count("oauth_register"); n != 0 {
		t.Errorf("%d registrations reached Odoo", n)
	}
}

// TestRegistered: what a client gets that asks for more than there is.
func TestRegistered(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a := s.register(`{"client_name":"Claude","redirect_uris":["` + webURI + `"],"token_endpoint_auth_method":"client_secret_basic",
		"grant_types":["authorization_code","refresh_token","implicit"],"response_types":["code"],"scope":"x","logo_uri":"javascript:x",
		"contacts":["a"],"jwks":{"keys":[]},"application_type":"native","client_id":"dmo_mine","client_secret":"mine","unknown":{"a":1}}`)
	if a.status != 201 || a.text("token_endpoint_auth_method") != "none" || a.json["client_secret"] != nil || a.text("client_id") == "dmo_mine" ||
		!strings.HasPrefix(a.text("client_id"), "dmo_") || a.json["client_id_issued_at"] == nil || strings.Contains(a.body, "implicit") || strings.Contains(a.body, "javascript") {
		t.Errorf("%d %s", a.status, a.body)
	}
}
