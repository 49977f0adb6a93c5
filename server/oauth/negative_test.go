package oauth_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"doorman/server/access"
)

// TestRedirectRefused: a redirect URI that is not the registered one, in whatever way. The target is in doubt, so nobody is
// sent anywhere.
func TestRedirectRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const registered = "https://app.example.com/cb/in?x=1"
	web, loop := s.client(registered), s.client("http://127.0.0.1:4711/callback")
	rows := []struct{ name, client, uri string }{
		{"no query", web, "https://app.example.com/cb/in"},
		{"another query", web, registered + "&y=2"},
		{"a longer path", web, "https://app.example.com/cb/in/more?x=1"},
		{"a shorter path", web, "https://app.example.com/cb?x=1"},
		{"a slash at the end", web, "https://app.example.com/cb/in/?x=1"},
		{"a slash twice", web, "https://app.example.com//cb/in?x=1"},
		{"a path in capitals", web, "https://app.example.com/CB/in?x=1"},
		{"a host in capitals", web, "https://APP.example.com/cb/in?x=1"},
		{"a scheme in capitals", web, "HTTPS://app.example.com/cb/in?x=1"},
		{"the default port", web, "https://app.example.com:443/cb/in?x=1"},
		{"another port", web, "https://app.example.com:8443/cb/in?x=1"},
		{"http", web, "http://app.example.com/cb/in?x=1"},
		{"a subdomain", web, "https://evil.app.example.com/cb/in?x=1"},
		{"the host as a subdomain", web, "https://app.example.com.evil.com/cb/in?x=1"},
		{"the host as a user", web, "https://app.example.com@evil.com/cb/in?x=1"},
		{"a user", web, "https://u@app.example.com/cb/in?x=1"},
		{"a user with a password", web, "https://u:p@app.example.com/cb/in?x=1"},
		{"a fragment", web, registered + "#f"},
		{"an empty fragment", web, registered + "#"},
		{"an escape for a letter", web, "https://app.example.com/%63b/in?x=1"},
		{"an escape for a slash", web, "https://app.example.com/cb%2fin?x=1"},
		{"dot segments", web, "https://app.example.com/other/../cb/in?x=1"},
		{"a dot segment", web, "https://app.example.com/cb/./in?x=1"},
		{"dot segments in escapes", web, "https://app.example.com/other/%2e%2e/cb/in?x=1"},
		{"a backslash", web, `https://app.example.com\cb/in?x=1`},
		{"a backslash before the host", web, `https:\\app.example.com/cb/in?x=1`},
		{"a backslash and a host", web, `https://evil.com\@app.example.com/cb/in?x=1`},
		{"a look-alike letter", web, "https://\u0430pp.example.com/cb/in?x=1"},
		{"punycode of it", web, "https://xn--pp-6kc.example.com/cb/in?x=1"},
		{"a full-width dot", web, "https://app\uff0eexample.com/cb/in?x=1"},
		{"a dot after the host", web, "https://app.example.com./cb/in?x=1"},
		{"a space before", web, " " + registered},
		{"a space after", web, registered + " "},
		{"a tab inside", web, "https://app.example.com/\tcb/in?x=1"},
		{"a line break", web, registered + "\r\nSet-Cookie: a=b"},
		{"a line break in escapes", web, registered + "%0d%0aSet-Cookie:a=b"},
		{"a NUL", web, registered + "\x00"},
		{"a NUL in escapes", web, registered + "%00"},
		{"a wildcard", web, "https://*.example.com/cb/in?x=1"},
		{"javascript", web, "javascript:alert(1)"},
		{"javascript with slashes", web, "javascript://app.example.com/%0aalert(1)"},
		{"data", web, "data:text/html,x"},
		{"data with slashes", web, "data://text/html,x"},
		{"vbscript", web, "vbscript:x"},
		{"file", web, "file:///etc/passwd"},
		{"blob", web, "blob:https://app.example.com/1"},
		{"intent", web, "intent://x#Intent;end"},
		{"a path alone", web, "/cb/in?x=1"},
		{"two slashes and a host", web, "//app.example.com/cb/in?x=1"},
		{"no host", web, "https:///cb/in?x=1"},
		{"one slash", web, "https:/app.example.com/cb/in?x=1"},
		{"the URI of another client", web, "http://127.0.0.1:4711/callback"},
		{"a broken escape", web, registered + "%zz"},
		{"513 characters", web, "https://app.example.com/" + strings.Repeat("a", 489)},
		{"loopback: another path", loop, "http://127.0.0.1:4711/other"},
		{"loopback: a longer path", loop, "http://127.0.0.1:4711/callback/x"},
		{"loopback: a query", loop, "http://127.0.0.1:4711/callback?x=1"},
		{"loopback: https", loop, "https://127.0.0.1:4711/callback"},
		{"loopback: another address of this machine", loop, "http://127.0.0.2:4711/callback"},
		{"loopback: a short form", loop, "http://127.1:4711/callback"},
		{"loopback: a number", loop, "http://2130706433:4711/callback"},
		{"loopback: in IPv6 dress", loop, "http://[::ffff:127.0.0.1]:4711/callback"},
		{"loopback: a long form of ::1", loop, "http://[0:0:0:0:0:0:0:1]:4711/callback"},
		{"loopback: a name that begins so", loop, "http://localhost.evil.com:4711/callback"},
		{"loopback: an address that begins so", loop, "http://127.0.0.1.evil.com/callback"},
		{"loopback: a user before", loop, "http://127.0.0.1:4711@evil.com/callback"},
		{"loopback: port 0", loop, "http://127.0.0.1:0/callback"},
		{"loopback: port 65536", loop, "http://127.0.0.1:65536/callback"},
		{"loopback: an empty port", loop, "http://127.0.0.1:/callback"},
		{"loopback: a port with a sign", loop, "http://127.0.0.1:+80/callback"},
		{"loopback: a port with a zero before", loop, "http://127.0.0.1:080/callback"},
		{"loopback: localhost in capitals", loop, "http://LOCALHOST:4711/callback"},
		{"loopback: every interface", loop, "http://0.0.0.0:4711/callback"},
	}
	_, challenge := pkce()
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			a := s.authorize(ask(row.client, row.uri, challenge), "From", "198.51.100."+string(rune('0'+i%10)))
			a.shown(t, "invalid_request")
		})
	}
	if n := s.odoo.Count("oauth_begin"); n != 0 {
		t.Errorf("%d requests reached Odoo", n)
	}
}

// TestAuthorizeRefused: what is wrong with the rest of a request the client is told, at an address that is its own.
func TestAuthorizeRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const client = "dmo_by_hand"
	s.odoo.MakeClient(client, "", webURI)
	_, challenge := pkce()
	set := func(name string, values ...string) func(url.Values) { return func(q url.Values) { q[name] = values } }
	rows := []struct {
		name   string
		change func(url.Values)
		code   string
		state  string // that comes back
	}{
		{"no response_type", set("response_type"), "invalid_request", "st-1"},
		{"token: the implicit grant", set("response_type", "token"), "unsupported_response_type", "st-1"},
		{"id_token", set("response_type", "id_token"), "unsupported_response_type", "st-1"},
		{"code id_token", set("response_type", "code id_token"), "unsupported_response_type", "st-1"},
		{"none", set("response_type", "none"), "unsupported_response_type", "st-1"},
		{"CODE", set("response_type", "CODE"), "unsupported_response_type", "st-1"},
		{"the answer in a fragment", set("response_mode", "fragment"), "invalid_request", "st-1"},
		{"the answer in a form", set("response_mode", "form_post"), "invalid_request", "st-1"},
		{"no challenge", set("code_challenge"), "invalid_request", "st-1"},
		{"an empty challenge", set("code_challenge", ""), "invalid_request", "st-1"},
		{"no method, which means plain", set("code_challenge_method"), "invalid_request", "st-1"},
		{"plain", set("code_challenge_method", "plain"), "invalid_request", "st-1"},
		{"s256", set("code_challenge_method", "s256"), "invalid_request", "st-1"},
		{"S512", set("code_challenge_method", "S512"), "invalid_request", "st-1"},
		{"a challenge of 42", set("code_challenge", challenge[:42]), "invalid_request", "st-1"},
		{"a challenge of 44", set("code_challenge", challenge+"a"), "invalid_request", "st-1"},
		{"a challenge of 129", set("code_challenge", strings.Repeat("a", 129)), "invalid_request", "st-1"},
		{"a challenge with padding", set("code_challenge", challenge[:42]+"="), "invalid_request", "st-1"},
		{"a challenge of plain base64", set("code_challenge", challenge[:42]+"+"), "invalid_request", "st-1"},
		{"another resource", set("resource", "https://other.example.com/mcp"), "invalid_target", "st-1"},
		{"an empty response_type is none", set("response_type", ""), "invalid_request", "st-1"},
		{"an empty resource twice", set("resource", "", ""), "invalid_request", "st-1"},
		{"a resource and an empty one", set("resource", resource, ""), "invalid_request", "st-1"},
		{"a resource with a fragment", set("resource", resource+"#"), "invalid_target", "st-1"},
		{"unknown scopes alone", set("scope", "openid profile"), "invalid_scope", "st-1"},
		{"a scope in capitals", set("scope", "MCP:SEARCH"), "invalid_scope", "st-1"},
		{"scopes with a comma", set("scope", "mcp:search,mcp:metadata"), "invalid_scope", "st-1"},
		{"a scope of 1 kB", set("scope", strings.Repeat("a ", 600)), "invalid_scope", "st-1"},
		{"response_type twice", set("response_type", "code", "code"), "invalid_request", "st-1"},
		{"scope twice", set("scope", "mcp:search", "mcp:search"), "invalid_request", "st-1"},
		{"code_challenge twice", set("code_challenge", challenge, challenge), "invalid_request", "st-1"},
		{"code_challenge_method twice", set("code_challenge_method", "plain", "S256"), "invalid_request", "st-1"},
		{"resource twice", set("resource", resource, resource), "invalid_request", "st-1"},
		{"an unknown parameter twice", set("x", "1", "2"), "invalid_request", "st-1"},
		{"state twice", set("state", "a", "b"), "invalid_request", ""},
		{"a state of 2049", set("state", strings.Repeat("a", 2049)), "invalid_request", ""},
		{"a state with a line break", set("state", "a\nb"), "invalid_request", ""},
		{"a state that is not an ASCII", set("state", "\u00e4"), "invalid_request", ""},
		{"a request object", set("request", "eyJhbGciOiJub25lIn0.e30."), "request_not_supported", "st-1"},
		{"the address of one", set("request_uri", "https://evil.example.com/r"), "request_not_supported", "st-1"},
	}
	for i, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			q := ask(client, webURI, challenge)
			row.change(q)
			s.authorize(q, "From", "198.51.100."+string(rune('0'+i%10))).sentBack(t, webURI+"?", row.code, row.state)
		})
	}
	if n := s.odoo.Count("oauth_begin"); n != 0 {
		t.Errorf("%d requests reached Odoo", n)
	}
}

// TestTargetUnknown: while client and redirect URI are not known to belong together, nobody is sent anywhere.
func TestTargetUnknown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	client := s.client(webURI)
	_, challenge := pkce()
	set := func(name string, values ...string) func(url.Values) { return func(q url.Values) { q[name] = values } }
	for _, row := range []struct {
		name   string
		change func(url.Values)
		code   string
	}{
		{"no client", set("client_id"), "invalid_request"},
		{"an empty client", set("client_id", ""), "invalid_request"},
		{"two clients", set("client_id", client, client), "invalid_request"},
		{"an unknown client", set("client_id", "dmo_"+challenge), "invalid_client"},
		{"a client that is not an id of ours", set("client_id", "abc"), "invalid_client"},
		{"a client with SQL", set("client_id", "dmo_' OR 1=1 --"), "invalid_client"},
		{"a client of 1 MB would be; 4 kB are", set("client_id", strings.Repeat("a", 4000)), "invalid_client"},
		{"an http client document", set("client_id", "http://example.com/client"), "invalid_client"},
		{"no redirect URI", set("redirect_uri"), "invalid_request"},
		{"an empty redirect URI", set("redirect_uri", ""), "invalid_request"},
		{"two redirect URIs, the right one first", set("redirect_uri", webURI, "https://evil.example.com/"), "invalid_request"},
		{"two redirect URIs, the right one last", set("redirect_uri", "https://evil.example.com/", webURI), "invalid_request"},
		{"two redirect URIs alike", set("redirect_uri", webURI, webURI), "invalid_request"},
	} {
		t.Run(row.name, func(t *testing.T) {
			q := ask(client, webURI, challenge)
			row.change(q)
			s.authorize(q).shown(t, row.code)
		})
	}
	for name, query := range map[string]string{
		"a semicolon":     "client_id=" + client + ";redirect_uri=https://evil.example.com/",
		"a broken escape": "client_id=%zz&redirect_uri=" + url.QueryEscape(webURI),
		"9 kB":            "client_id=" + client + "&x=" + strings.Repeat("a", 9000),
		"nothing":         "",
	} {
		t.Run(name, func(t *testing.T) { s.do(http.MethodGet, "/oauth/authorize?"+query, "").shown(t, "invalid_request") })
	}
	t.Run("a client that was removed", func(t *testing.T) {
		s.odoo.EndClient(client)
		s.authorize(ask(client, webURI, challenge)).shown(t, "invalid_client")
	})
	// A page that shows what was sent would be a place to write on for anybody.
	a := s.authorize(url.Values{"client_id": {"<script>alert(1)</script>"}, "redirect_uri": {webURI}, "state": {"<b>"}})
	if strings.Contains(a.body, "alert(1)") || strings.Contains(a.body, "<b>") {
		t.Error(a.body)
	}
}

// TestSettingsOfRedirects: what only the settings let through.
func TestSettingsOfRedirects(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	client := s.client(webURI, loopURI)
	s.odoo.MakeClient("dmo_custom", "", webURI, "cursor://anysphere.cursor-mcp/oauth/callback")
	s.odoo.SetOAuth(func(o *access.OAuthSettings) { o.RedirectHosts, o.KnownSchemes = []string{"claude.ai"}, false })
	s.later(time.Minute)
	_, challenge := pkce()
	s.authorize(ask(client, webURI, challenge)).shown(t, "invalid_request")
	if a := s.authorize(ask(client, loopURI, challenge)); a.status != http.StatusSeeOther {
		t.Errorf("loopback: %s", a.body)
	}
	// A list for what registers itself does not end what an administrator wrote down.
	if a := s.authorize(ask("dmo_custom", webURI, challenge)); a.status != http.StatusSeeOther {
		t.Errorf("a client made by hand: %s", a.body)
	}
	s.authorize(ask("dmo_custom", "cursor://anysphere.cursor-mcp/oauth/callback", challenge)).shown(t, "invalid_request")
	s.register(`{"redirect_uris":["https://other.example.com/"]}`).refused(t, 400, "invalid_redirect_uri")
	s.register(`{"redirect_uris":["cursor://x/cb"]}`).refused(t, 400, "invalid_redirect_uri")
	// One that is only not allowed is left out: Cursor registers three, and uses one.
	a := s.register(`{"redirect_uris":["cursor://x/cb","http://localhost:8787/callback","https://www.cursor.com/cb"]}`)
	if list, _ := a.json["redirect_uris"].([]any); a.status != 201 || len(list) != 1 || list[0] != "http://localhost:8787/callback" {
		t.Errorf("%d %s", a.status, a.body)
	}
	s.odoo.SetOAuth(func(o *access.OAuthSettings) { o.RedirectHosts, o.CustomSchemes = nil, true })
	s.later(time.Minute)
	scheme := s.client("cursor://x/cb")
	if a := s.authorize(ask(scheme, "cursor://x/cb", challenge)); a.status != http.StatusSeeOther {
		t.Error(a.body)
	}
	for _, uri := range []string{"cursor://x/cb/", "cursor://y/cb", "CURSOR://x/cb", "cursor:x/cb", "cursor://x:1/cb", "cursor:/x/cb", "cursor:///x/cb"} {
		s.authorize(ask(scheme, uri, challenge)).shown(t, "invalid_request")
	}
}

// TestTokenRefused: the token endpoint, one thing wrong at a time.
func TestTokenRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	client, other := s.client(webURI), s.client(webURI, loopURI)
	s.odoo.MakeClient("dmo_secret", "dms_right", webURI)
	set := func(name string, values ...string) func(url.Values) []string {
		return func(f url.Values) []string { f[name] = values; return nil }
	}
	header := func(value string) func(url.Values) []string {
		return func(url.Values) []string { return []string{"Authorization", value} }
	}
	b64 := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	long := strings.Repeat("a", 129)
	for i, row := range []struct {
		name   string
		change func(url.Values) []string
		code   string
		status int
		basic  bool // the answer has a WWW-Authenticate: Basic
	}{
		{"no grant", set("grant_type"), "invalid_request", 400, false},
		{"password", set("grant_type", "password"), "unsupported_grant_type", 400, false},
		{"client_credentials", set("grant_type", "client_credentials"), "unsupported_grant_type", 400, false},
		{"implicit", set("grant_type", "implicit"), "unsupported_grant_type", 400, false},
		{"a JWT", set("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), "unsupported_grant_type", 400, false},
		{"an exchange", set("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), "unsupported_grant_type", 400, false},
		{"a device", set("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), "unsupported_grant_type", 400, false},
		{"grant_type twice", set("grant_type", "authorization_code", "authorization_code"), "invalid_request", 400, false},
		{"code twice", set("code", "a", "b"), "invalid_request", 400, false},
		{"an unknown parameter twice", set("x", "a", "b"), "invalid_request", 400, false},
		{"no code", set("code"), "invalid_request", 400, false},
		{"a code of another form", set("code", "abc"), "invalid_grant", 400, false},
		{"an unknown code", set("code", "dmx_"+strings.Repeat("a", 43)), "invalid_grant", 400, false},
		{"a refresh token as a code", set("code", "dmr_"+strings.Repeat("a", 43)), "invalid_grant", 400, false},
		{"no redirect URI", set("redirect_uri"), "invalid_request", 400, false},
		{"another redirect URI", set("redirect_uri", webURI+"/"), "invalid_grant", 400, false},
		{"no verifier", set("code_verifier"), "invalid_request", 400, false},
		{"an empty verifier", set("code_verifier", ""), "invalid_request", 400, false},
		{"a verifier of 42", set("code_verifier", long[:42]), "invalid_request", 400, false},
		{"a verifier of 129", set("code_verifier", long), "invalid_request", 400, false},
		{"a verifier with a blank", set("code_verifier", long[:43]+" "), "invalid_request", 400, false},
		{"a verifier with a plus", set("code_verifier", long[:43]+"+"), "invalid_request", 400, false},
		{"another verifier", set("code_verifier", long[:43]), "invalid_grant", 400, false},
		{"another resource", set("resource", "https://other.example.com/mcp"), "invalid_target", 400, false},
		{"an empty resource twice", set("resource", "", ""), "invalid_request", 400, false},
		{"an empty code", set("code", ""), "invalid_request", 400, false},
		{"an empty grant_type", set("grant_type", ""), "invalid_request", 400, false},
		{"an empty client_id", set("client_id", ""), "invalid_client", 401, false},
		{"two resources", set("resource", resource, "https://other.example.com/mcp"), "invalid_request", 400, false},
		{"no client", set("client_id"), "invalid_client", 401, false},
		{"an unknown client", set("client_id", "dmo_"+strings.Repeat("a", 43)), "invalid_client", 401, false},
		{"a client of another form", set("client_id", "abc"), "invalid_client", 401, false},
		{"another client", set("client_id", other), "invalid_grant", 400, false},
		{"a client document that never was", set("client_id", "https://example.com/doc"), "invalid_client", 401, false},
		{"a secret of a public client", set("client_secret", "x"), "invalid_client", 401, false},
		{"a secret of a public client, Basic", header(b64(client + ":x")), "invalid_client", 401, true},
		{"a confidential client without its secret", set("client_id", "dmo_secret"), "invalid_client", 401, false},
		{"a confidential client with an empty secret", func(f url.Values) []string { f.Set("client_id", "dmo_secret"); f.Set("client_secret", ""); return nil }, "invalid_client", 401, false},
		{"a wrong secret", func(f url.Values) []string {
			f.Set("client_id", "dmo_secret")
			f.Set("client_secret", "dms_wrong")
			return nil
		}, "invalid_client", 401, false},
		{"a wrong secret, and a code of another form", func(f url.Values) []string {
			f.Set("client_id", "dmo_secret")
			f.Set("client_secret", "dms_wrong")
			f.Set("code", "abc")
			return nil
		}, "invalid_client", 401, false},
		{"the right secret, and a code of another form", func(f url.Values) []string {
			f.Set("client_id", "dmo_secret")
			f.Set("client_secret", "dms_right")
			f.Set("code", "abc")
			return nil
		}, "invalid_grant", 400, false},
		{"a wrong secret, Basic", func(f url.Values) []string {
			f.Del("client_id")
			return []string{"Authorization", b64("dmo_secret:dms_wrong")}
		}, "invalid_client", 401, true},
		{"an unknown client, Basic", func(f url.Values) []string { f.Del("client_id"); return []string{"Authorization", b64("dmo_none:x")} }, "invalid_client", 401, true},
		{"two ways at once", func(f url.Values) []string {
			f.Set("client_id", "dmo_secret")
			f.Set("client_secret", "dms_right")
			return []string{"Authorization", b64("dmo_secret:dms_right")}
		}, "invalid_request", 400, false},
		{"two ids", func(url.Values) []string { return []string{"Authorization", b64("dmo_secret:dms_right")} }, "invalid_request", 400, false},
		{"two headers", func(url.Values) []string {
			return []string{"Authorization", b64(client + ":"), "Authorization", b64(client + ":")}
		}, "invalid_request", 400, false},
		{"a bearer key", header("Bearer dmk_key"), "invalid_client", 401, true},
		{"a bearer token", header("Bearer dma_" + long[:43]), "invalid_client", 401, true},
		{"Basic without anything", header("Basic"), "invalid_client", 401, true},
		{"Basic that is not base64", header("Basic !!!"), "invalid_client", 401, true},
		{"Basic without a colon", header(b64(client)), "invalid_client", 401, true},
		{"Basic without an id", header(b64(":x")), "invalid_client", 401, true},
		{"Basic with a broken escape", header(b64(client + "%zz:")), "invalid_client", 401, true},
		{"Basic with a line break", header(b64(client + "\n:")), "invalid_client", 401, true},
		{"Basic in the URL's alphabet", header("Basic " + base64.URLEncoding.EncodeToString([]byte("dmo_secret:\xff\xfe\xfd?>"))), "invalid_client", 401, true},
		{"a signed assertion", set("client_assertion", "e30.e30.x"), "invalid_client", 401, false},
		{"the kind of an assertion", set("client_assertion_type", "urn:x"), "invalid_client", 401, false},
		{"a client id of 600", set("client_id", strings.Repeat("a", 600)), "invalid_client", 401, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			from := "198.51.100." + string(rune('0'+i%10))
			verifier, challenge := pkce()
			code := s.code(client, webURI, challenge)
			form := redeeming(client, webURI, code, verifier)
			headers := row.change(form)
			a := s.post("/oauth/token", form, append(headers, "From", from)...)
			a.refused(t, row.status, row.code)
			if got := a.header.Get("WWW-Authenticate"); (got == `Basic realm="doorman"`) != row.basic {
				t.Errorf("WWW-Authenticate %q, want Basic %v", got, row.basic)
			}
			// It was refused, and not used up: the same code is good for who has the rest.
			if a := s.post("/oauth/token", redeeming(client, webURI, code, verifier), "From", from); a.status != 200 {
				t.Errorf("the right request afterwards: %d %s", a.status, a.body)
			}
			s.later(time.Minute)
		})
	}
}

// TestTokenForms: how a request must not come.
func TestTokenForms(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	client := s.client(webURI)
	token := s.tokens(client, webURI).text("refresh_token")
	form := refreshing(client, token).Encode()
	kind := "application/x-www-form-urlencoded"
	s.odoo.MakeClient("dmo_secret", "dms_right", webURI)
	for _, row := range []struct {
		name, target, body, kind string
		status                   int
	}{
		{"the token in the address", "/oauth/token?refresh_token=" + token, "grant_type=refresh_token&client_id=" + client, kind, 400},
		{"the client in the address", "/oauth/token?client_id=" + client, form, kind, 400},
		{"a question mark alone", "/oauth/token?", form, kind, 400},
		{"JSON", "/oauth/token", `{"grant_type":"refresh_token"}`, "application/json", 400},
		{"a multipart form", "/oauth/token", form, "multipart/form-data; boundary=x", 400},
		{"plain text", "/oauth/token", form, "text/plain", 400},
		{"no type", "/oauth/token", form, "", 400},
		{"another charset", "/oauth/token", form, kind + "; charset=utf-16", 400},
		{"another charset, quoted", "/oauth/token", form, kind + `; charset="utf-16"`, 400},
		{"two charsets", "/oauth/token", form, kind + "; charset=utf-8; charset=utf-16", 400},
		{"a quote that does not end", "/oauth/token", form, kind + `; charset="utf-8`, 400},
		{"another parameter", "/oauth/token", form, kind + "; boundary=x", 400},
		{"a broken escape", "/oauth/token", form + "&x=%zz", kind, 400},
		{"a semicolon", "/oauth/token", form + ";x=1", kind, 400},
		{"17 kB", "/oauth/token", form + "&x=" + strings.Repeat("a", 17<<10), kind, 413},
		{"revoke: the token in the address", "/oauth/revoke?token=" + token, "client_id=" + client, kind, 400},
		{"revoke: no token", "/oauth/revoke", "client_id=" + client, kind, 400},
		{"revoke: two tokens", "/oauth/revoke", "client_id=" + client + "&token=a&token=b", kind, 400},
		{"revoke: JSON", "/oauth/revoke", `{"token":"x"}`, "application/json", 400},
	} {
		t.Run(row.name, func(t *testing.T) {
			s.do(http.MethodPost, row.target, row.body, "Content-Type", row.kind).refused(t, row.status, "invalid_request")
		})
	}
	for _, row := range []struct {
		name    string
		form    url.Values
		headers []string
	}{
		{"revoke: no client", url.Values{"token": {token}}, nil},
		{"revoke: an unknown client", url.Values{"token": {token}, "client_id": {"dmo_none"}}, nil},
		{"revoke: a public client with a secret", url.Values{"token": {token}, "client_id": {client}, "client_secret": {"x"}}, nil},
		{"revoke: a bearer", url.Values{"token": {token}}, []string{"Authorization", "Bearer " + token}},
		// The client is authenticated first (RFC 7009 section 2.1), no matter which token it sends.
		{"revoke: a wrong secret", url.Values{"token": {token}, "client_id": {"dmo_secret"}, "client_secret": {"dms_wrong"}}, nil},
		{"revoke: a wrong secret, and no token of ours", url.Values{"token": {"abc"}, "client_id": {"dmo_secret"}, "client_secret": {"dms_wrong"}}, nil},
		{"revoke: a wrong secret, and no token", url.Values{"client_id": {"dmo_secret"}, "client_secret": {"dms_wrong"}}, nil},
		{"revoke: a wrong secret, and an empty token", url.Values{"token": {""}, "client_id": {"dmo_secret"}, "client_secret": {"dms_wrong"}}, nil},
		{"revoke: no secret, and no token of ours", url.Values{"token": {"abc"}, "client_id": {"dmo_secret"}}, nil},
		{"revoke: a document that nobody allowed", url.Values{"token": {"abc"}, "client_id": {"https://app.example.com/doc"}}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			s.post("/oauth/revoke", row.form, row.headers...).refused(t, 401, "invalid_client")
		})
	}
	for _, token := range []string{"abc", "dma_" + strings.Repeat("a", 43), "dmk_key", strings.Repeat("a", 4000)} {
		if a := s.post("/oauth/revoke", url.Values{"token": {token}, "client_id": {"dmo_secret"}, "client_secret": {"dms_right"}}); a.status != 200 {
			t.Errorf("the right client, and an unknown token: %d %s", a.status, a.body)
		}
	}
	// Written in any of the ways that RFC 9110 section 8.3.1 lists.
	for _, parameters := range []string{"; charset=UTF-8", `; charset="utf-8"`, `;Charset="UTF-8"`, ""} {
		a := s.do(http.MethodPost, "/oauth/token", refreshing(client, token).Encode(), "Content-Type", kind+parameters)
		if a.status != 200 {
			t.Errorf("%q: %d %s", parameters, a.status, a.body)
			continue
		}
		token = a.text("refresh_token")
	}
}

// TestGrantsRefused: codes and refresh tokens that were good once, or are good for somebody else.
func TestGrantsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	client, other := s.client(webURI), s.client(webURI)
	s.odoo.MakeClient("dmo_secret", "dms_right", webURI)
	refresh := func(change func(url.Values), token string) answer {
		form := refreshing(client, token)
		change(form)
		return s.post("/oauth/token", form)
	}
	nothing := func(url.Values) {}
	t.Run("a code after a minute", func(t *testing.T) {
		verifier, challenge := pkce()
		form := redeeming(client, webURI, s.code(client, webURI, challenge), verifier)
		s.later(61 * time.Second)
		s.post("/oauth/token", form).refused(t, 400, "invalid_grant")
	})
	t.Run("a code of a connection that was revoked since", func(t *testing.T) {
		mine := s.client(webURI)
		verifier, challenge := pkce()
		form := redeeming(mine, webURI, s.code(mine, webURI, challenge), verifier)
		s.odoo.Revoke(s.odoo.Holder(mine))
		s.post("/oauth/token", form).refused(t, 400, "invalid_grant")
	})
	rows := []struct {
		name   string
		change func(url.Values)
		code   string
		status int
	}{
		{"no token", func(f url.Values) { f.Del("refresh_token") }, "invalid_request", 400},
		{"a token of another form", func(f url.Values) { f.Set("refresh_token", "abc") }, "invalid_grant", 400},
		{"an unknown token", func(f url.Values) { f.Set("refresh_token", "dmr_"+strings.Repeat("a", 43)) }, "invalid_grant", 400},
		{"another client's", func(f url.Values) { f.Set("client_id", other) }, "invalid_grant", 400},
		{"another client's, who has a secret", func(f url.Values) { f.Set("client_id", "dmo_secret"); f.Set("client_secret", "dms_right") }, "invalid_grant", 400},
		{"of another form, and a wrong secret", func(f url.Values) {
			f.Set("client_id", "dmo_secret")
			f.Set("client_secret", "dms_wrong")
			f.Set("refresh_token", "abc")
		}, "invalid_client", 401},
		{"wider scopes", func(f url.Values) { f.Set("scope", "mcp:search mcp:orm") }, "invalid_scope", 400},
		{"other scopes", func(f url.Values) { f.Set("scope", "mcp:shell") }, "invalid_scope", 400},
		{"unknown scopes", func(f url.Values) { f.Set("scope", "mcp:search openid") }, "invalid_scope", 400},
		{"another resource", func(f url.Values) { f.Set("resource", "https://other.example.com/mcp") }, "invalid_target", 400},
		{"the token twice", func(f url.Values) { f.Add("refresh_token", f.Get("refresh_token")) }, "invalid_request", 400},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			token := s.tokens(client, webURI).text("refresh_token")
			refresh(row.change, token).refused(t, row.status, row.code)
			if a := refresh(nothing, token); a.status != 200 {
				t.Errorf("the right request afterwards: %d %s", a.status, a.body)
			}
			s.later(time.Minute)
		})
	}
	t.Run("an access token to refresh with", func(t *testing.T) {
		refresh(nothing, s.tokens(client, webURI).text("access_token")).refused(t, 400, "invalid_grant")
	})
	t.Run("a token that is over", func(t *testing.T) {
		token := s.tokens(client, webURI).text("refresh_token")
		s.later(31 * 24 * time.Hour)
		refresh(nothing, token).refused(t, 400, "invalid_grant")
	})
	t.Run("a revoked connection", func(t *testing.T) {
		tokens := s.tokens(client, webURI)
		s.odoo.Revoke(s.odoo.Holder(client))
		refresh(nothing, tokens.text("refresh_token")).refused(t, 400, "invalid_grant")
		if s.opens(tokens.text("access_token")) {
			t.Error("the access token opens")
		}
	})
	t.Run("a removed client", func(t *testing.T) {
		tokens := s.tokens(other, webURI)
		s.odoo.EndClient(other)
		s.post("/oauth/token", refreshing(other, tokens.text("refresh_token"))).refused(t, 401, "invalid_client")
		if s.opens(tokens.text("access_token")) {
			t.Error("the access token opens")
		}
	})
}
