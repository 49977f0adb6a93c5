package app_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

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
