package wire

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"doorman/server/access"
)

// TestOAuthShapes: an answer that does not fit is an error, and never less of a refusal than it was.
func TestOAuthShapes(t *testing.T) {
	t.Parallel()
	client := func(raw json.RawMessage) error { _, err := DecodeOAuthClient(raw); return err }
	tokens := func(raw json.RawMessage) error { _, err := DecodeTokens(raw); return err }
	refusal := func(raw json.RawMessage) error {
		said, err := DecodeOAuthError(raw)
		if err == nil && said == nil {
			return errors.New("it is not a refusal")
		}
		return err
	}
	for _, row := range []struct {
		name   string
		decode func(json.RawMessage) error
		raw    string
		ok     bool
	}{
		{"a public client", client, `{"client_id":"dmo_a","kind":"dynamic","auth_method":"none","redirect_uris":[]}`, true},
		{"a client without a method: it might need a secret", client, `{"client_id":"dmo_a","kind":"dynamic","redirect_uris":[]}`, false},
		{"a client with a method of tomorrow", client, `{"client_id":"dmo_a","kind":"custom","auth_method":"tls","redirect_uris":[]}`, false},
		{"a client whose URIs are null", client, `{"client_id":"dmo_a","kind":"custom","auth_method":"none","redirect_uris":null}`, false},
		{"a client of a document", client, `{"client_id":"https://a.b/c","kind":"document","auth_method":"none","redirect_uris":[]}`, false},
		{"tokens", tokens, `{"access_token":"dma_a","refresh_token":"dmr_a","expires_in":1,"scopes":["mcp:search"]}`, true},
		{"tokens the wrong way round", tokens, `{"access_token":"dmr_a","refresh_token":"dma_a","expires_in":1,"scopes":["mcp:search"]}`, false},
		{"tokens for nothing", tokens, `{"access_token":"dma_a","refresh_token":"dmr_a","expires_in":1,"scopes":[]}`, false},
		{"tokens that never were", tokens, `{"access_token":"dma_a","refresh_token":"dmr_a","expires_in":-1,"scopes":["mcp:search"]}`, false},
		{"a refusal", refusal, `{"oauth_error":{"error":"invalid_grant","error_description":"No.","reason":"used"}}`, true},
		{"a refusal whose code would split a header", refusal, `{"oauth_error":{"error":"a\r\nb"}}`, false},
		{"a refusal without a code", refusal, `{"oauth_error":{}}`, false},
		{"an error of another kind", refusal, `{"error":{"kind":"internal","message":"x"}}`, false},
		{"null", refusal, `null`, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if err := row.decode(json.RawMessage(row.raw)); (err == nil) != row.ok {
				t.Error(err)
			}
		})
	}
	said, err := DecodeOAuthError(json.RawMessage(`{"oauth_error":{"error":"invalid_grant","error_description":"a \"b\"\u00e4\n\\","reason":"x y"}}`))
	if err != nil || strings.ContainsAny(said.Description, "\"\\\n\u00e4") {
		t.Errorf("%+v %v", said, err)
	}
}

// TestOAuthSettings: what an older addon, or a broken one, does not say is off.
func TestOAuthSettings(t *testing.T) {
	t.Parallel()
	hello := func(oauth string) access.OAuthSettings {
		h, err := DecodeHello(json.RawMessage(speaking(`{"addon_version":"1","enabled":true,"settings_version":1` + oauth + `}`)))
		if err != nil {
			return access.OAuthSettings{}
		}
		return h.OAuth
	}
	if !hello(`,"oauth":{"enabled":true,"redirect_hosts":[],"document_hosts":[]}`).Enabled {
		t.Error("on is off")
	}
	for _, off := range []string{
		``, `,"oauth":null`, `,"oauth":{}`, `,"oauth":{"enabled":true}`, `,"oauth":{"enabled":true,"redirect_hosts":[]}`,
		`,"oauth":{"enabled":true,"redirect_hosts":null,"document_hosts":[]}`, `,"oauth":{"enabled":"yes","redirect_hosts":[],"document_hosts":[]}`,
	} {
		if hello(off).Enabled {
			t.Errorf("%s: on", off)
		}
	}
}
