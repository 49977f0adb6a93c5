package oauth_test

import (
	stdmaps "maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"doorman/server/access"
)

// knownURIs are redirect URIs by which well-known programs are started, as they register them. The addon has the same rows
// (tests/policy/test_oauth_values.py).
var knownURIs = []string{
	"cursor://anysphere.cursor-mcp/oauth/callback", "cursor://anysphere.cursor-retrieval/oauth/user-odoo/callback",
	"cursor://saoudrizwan.claude-dev/mcp-auth/callback/x", "claude://claude.ai/mcp-auth-callback/sdk", "claude://claude.ai/settings/connectors",
	"vscode://vscode.github-authentication/did-authenticate", "vscode-insiders://vscode.github-authentication/did-authenticate",
	"vscode://GitHub.copilot-chat/callback", "vscode-insiders://Anthropic.claude-code/callback", "vscode://RooVeterinaryInc.roo-cline/cb",
	"windsurf://codeium.windsurf/oauth/callback", "windsurf://codeium.windsurf", "vscodium://continue.continue/cb",
	"zed://oauth/callback", "warp://mcp/oauth2callback", "raycast://oauth?package_name=Extension", "com.raycast:/oauth?package_name=Extension",
	"cursor://oauth", "cursor:///oauth", "cursor:/oauth", "zed:/oauth",
}

// unknownURIs are those of programs that are not known, or of somebody else within one that is.
var unknownURIs = []string{
	"com.example.app:/oauth2redirect", "com.example.app://oauth2redirect", "com.example.app:/", "myapp://callback", "systemprompt://oauth/callback",
	"cursor://evil.com/oauth/callback", "cursor://evil.example.com/oauth/callback", "cursor://evil.extension/callback", "vscode://evil.extension/cb",
	"cursor://anysphere.cursor-mcp.evil.com:443/cb", "cursor://anysphere.cursor-mcp:80/cb", "cursor://oauth:80/cb",
	"cursor://anysphereXcursor-mcp.evil/cb", "cursor://evil.anysphere.cursor-mcp/cb", "cursor://localhost.evil/cb", "cursor://127.0.0.1/cb",
	"cursor://saoudrizwan.claude-dev.evil/cb", "cursor://[::1]/cb", "cursor://a,b/cb", "cursor://a;b/cb",
	"claude://claude.ai.evil.com/cb", "claude://evil.com/claude.ai", "claude://claude.com/cb", "claude://anysphere.cursor-mcp/cb", "vscode://claude.ai/cb",
	"raycast://raycast.evil/oauth", "com.raycast.evil:/oauth", "com.raycas:/oauth", "xcursor://oauth/cb", "cursor-evil://oauth/cb", "vscode-insider://oauth/cb",
	// Places in a program where no login ends.
	"cursor://x/cb", "cursor://anysphere.cursor-deeplink/mcp/install?name=x", "cursor://anysphere.cursor-mcp-x/cb",
	"cursor://file/etc/passwd", "cursor:/file/oauth", "cursor:///file/x", "cursor:/", "vscode://vscode-remote/ssh-remote+evil/x",
	"vscode://vscode.git/clone?url=x", "vscode://settings/oauth", "claude://claude.ai/new?q=x", "claude://claude.ai",
	"claude://claude.ai/mcp-auth-callbackx", "claude://claude.ai/x/mcp-auth-callback", "raycast://extensions/a/b/c", "zed://ssh/evil/x",
	"zed:///cb", "warp://action/new_tab", "warp://mcpx/oauth2callback", "cursor://oauthx/cb", "cursor://x?oauth",
}

// forbiddenURIs are refused under all settings.
var forbiddenURIs = []string{
	"javascript:alert(1)", "javascript:/alert(1)", "javascript://oauth/%0aalert(1)", "JavaScript:/alert(1)", "data:text/html,x", "data:/text/html,x", "data://text/html,x",
	"file:/etc/passwd", "file:///etc/passwd", "vbscript:/x", "blob:/x", "about:/x", "view-source:/x", "intent:/x", "ms-msdt:/x", "search-ms:/x", "mailto:/a@b",
	"http:/app.example.com/cb", "https:/app.example.com/cb", "http:/localhost/cb", "http://app.example.com/cb", "http:app.example.com/cb", "ftp:/x",
	"CURSOR://anysphere.cursor-mcp/oauth/callback", "Cursor:/oauth", "cursor:oauth", "cursor:", "cursor://", "cursor:anysphere.cursor-mcp/oauth", "com.example.app:oauth2redirect",
	"cursor://user@anysphere.cursor-mcp/oauth/callback", "cursor://anysphere.cursor-mcp@evil.com/cb", "cursor://u:p@oauth/cb", "cursor://anysphere.cursor-mcp/oauth/callback#x",
	"com.raycast:/oauth#x", "cursor://*.cursor-mcp/cb", "cursor://anysphere.cursor-mcp/../evil", "com.raycast:/a/../b", "com.raycast:/%2e%2e/b", "cursor://anysphere.cursor-mcp\\@evil.com/cb",
	"com.raycast:\\oauth", "com.raycast:/o auth", "com.raycast:/oauth%0d%0aLocation:x", "com.raycast:/oauth\n", " cursor://oauth/cb", "cursor ://oauth", "c\u0443rsor://oauth/cb", "://oauth/cb", ":/oauth", "/oauth", "//oauth",
	"cursor://anysphere%2ecursor-mcp/cb", "1app:/cb", "a:/cb", "a_b:/cb", "a%62c:/cb", strings.Repeat("a", 41) + ":/cb",
}

// TestKnownPrograms: programs on the list may be returned to by the schemes that are theirs, unless that is switched off; all
// other schemes wait for the second switch; what a browser runs or shows is open to neither.
func TestKnownPrograms(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, challenge := pkce()
	for i, settings := range []struct{ known, custom bool }{{true, false}, {false, false}, {false, true}, {true, true}} {
		s.odoo.SetOAuth(func(o *access.OAuthSettings) {
			o.KnownSchemes, o.CustomSchemes, o.Registrations = settings.known, settings.custom, 1000
		})
		s.later(time.Hour)
		for _, list := range []struct {
			name string
			uris []string
			may  bool
		}{
			{"known", knownURIs, settings.known || settings.custom}, {"unknown", unknownURIs, settings.custom}, {"forbidden", forbiddenURIs, false},
		} {
			for _, uri := range list.uris {
				a := s.registerFrom(uri, "198.51.100."+string(rune('1'+i)))
				if may := a.status == http.StatusCreated; may != list.may || !may && a.text("error") != "invalid_redirect_uri" {
					t.Errorf("%+v: %s %q: %d %s", settings, list.name, uri, a.status, a.body)
				}
				if a.status != http.StatusCreated || len(uri)%5 != 0 { // of some, the whole way: 60 requests a minute are enough
					continue
				}
				q := ask(a.text("client_id"), uri, challenge)
				if to := s.authorize(q, "From", "198.51.100."+string(rune('1'+i))).header.Get("Location"); !strings.Contains(to, "/doorman/consent") {
					t.Errorf("%+v: %q: sent to %q", settings, uri, to)
				}
				q.Set("response_type", "token") // a refusal goes the same way, and leaves the query there is
				joint := "?"
				if strings.Contains(uri, "?") {
					joint = "&"
				}
				s.authorize(q, "From", "198.51.100."+string(rune('1'+i))).sentBack(t, uri+joint, "unsupported_response_type", "st-1")
			}
		}
	}
	// A program of the list that was let in is not, once that is switched off.
	s.later(time.Hour)
	client := s.client(knownURIs[0], webURI)
	s.odoo.SetOAuth(func(o *access.OAuthSettings) { o.KnownSchemes, o.CustomSchemes = false, false })
	s.later(time.Minute)
	s.authorize(ask(client, knownURIs[0], challenge)).shown(t, "invalid_request")
	if a := s.authorize(ask(client, webURI, challenge)); a.status != http.StatusSeeOther {
		t.Error(a.body)
	}
}

func (s *site) registerFrom(uri, from string) answer {
	s.t.Helper()
	body := `{"redirect_uris":["` + strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(uri) + `"]}`
	return s.do(http.MethodPost, "/oauth/register", body, "Content-Type", "application/json", "From", from)
}

// TestResourceNames: the resource has one identity and several spellings (RFC 8707 section 2, RFC 3986 section 6.2.2). What
// Odoo is told is always the same.
func TestResourceNames(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const client = "dmo_by_hand"
	s.odoo.MakeClient(client, "", webURI)
	for _, row := range []struct {
		named string
		ours  bool
	}{
		{resource, true}, {resource + "/", true}, {issuer, true}, {issuer + "/", true}, {strings.ToUpper(resource), true}, {strings.ToUpper(issuer) + "/", true},
		{"https://mcp.example.com:443/mcp", true}, {"https://MCP.example.com:443", true}, {"", true},

		{"https://other.example.com/mcp", false}, {"https://example.com/mcp", false}, {"https://mcp.example.com.evil.com/mcp", false},
		{"https://mcp.example.com@evil.com/mcp", false}, {"https://u@mcp.example.com/mcp", false}, {"https://evil.com/https://mcp.example.com/mcp", false},
		{"http://mcp.example.com/mcp", false}, {"http://mcp.example.com:443/mcp", false}, {"https://mcp.example.com:80/mcp", false},
		{"https://mcp.example.com:8443/mcp", false}, {"https://mcp.example.com:/mcp", false}, {"mcp.example.com/mcp", false}, {"//mcp.example.com/mcp", false},
		{"https://mcp.example.com./mcp", false}, {"https://mcp.example.com/mcp/x", false}, {"https://mcp.example.com/x/mcp", false}, {"https://mcp.example.com/x", false},
		{"https://mcp.example.com/%6dcp", false}, {"https://mcp.example.com/x/../mcp", false}, {"https://mcp.example.com/mcp2", false}, {"/mcp", false},
		{resource + "#", false}, {resource + "#x", false}, {resource + "?", false}, {resource + "?x=1", false}, {" " + resource, false}, {resource + "\n", false}, {resource + " ", false},
		{"https://mcp.exampl\u0435.com/mcp", false}, {"null", false}, {"*", false},
	} {
		s.later(time.Minute)
		verifier, challenge := pkce()
		q := ask(client, webURI, challenge)
		q.Set("resource", row.named)
		a := s.authorize(q)
		if !row.ours {
			a.sentBack(t, webURI, "invalid_target", "st-1")
			good := redeeming(client, webURI, s.code(client, webURI, challenge), verifier)
			form := stdmaps.Clone(good)
			form.Set("resource", row.named)
			s.post("/oauth/token", form).refused(t, 400, "invalid_target")
			token := s.post("/oauth/token", good).text("refresh_token")
			refresh := refreshing(client, token)
			refresh.Set("resource", row.named)
			s.post("/oauth/token", refresh).refused(t, 400, "invalid_target")
			continue
		}
		code := s.code(client, webURI, challenge, func(q url.Values) { q.Set("resource", row.named) })
		form := redeeming(client, webURI, code, verifier)
		form.Set("resource", row.named)
		tokens := s.post("/oauth/token", form)
		refresh := refreshing(client, tokens.text("refresh_token"))
		refresh.Set("resource", row.named)
		if again := s.post("/oauth/token", refresh); tokens.status != 200 || again.status != 200 {
			t.Errorf("%q: %s, then %s", row.named, tokens.body, again.body)
		}
		if got := s.odoo.TokenResource(tokens.text("access_token")); got != resource {
			t.Errorf("%q: the token is for %q", row.named, got)
		}
	}
}

// TestWithoutValue: parameters that are sent without a value are not sent (RFC 6749 sections 3.1 and 3.2): SDKs and their
// users write scope= and resource= where they have none.
func TestWithoutValue(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const client = "dmo_by_hand"
	s.odoo.MakeClient(client, "", webURI)
	s.odoo.MakeClient("dmo_secret", "dms_right", webURI)
	empty := func(names ...string) func(url.Values) {
		return func(v url.Values) {
			for _, name := range names {
				v.Set(name, "")
			}
		}
	}
	verifier, challenge := pkce()
	optional := []string{"resource", "scope", "state", "code", "response_mode", "prompt", "nonce", "request", "request_uri", "client_secret", "x"}
	q := ask(client, webURI, challenge)
	empty(optional...)(q)
	a := s.authorize(q)
	to, err := url.Parse(s.odoo.Decide(a.header.Get("Location"), true, issuer))
	if err != nil || to.Query().Get("code") == "" || to.Query().Has("state") {
		t.Fatalf("%d %s: %v", a.status, a.body, to)
	}
	form := redeeming(client, webURI, to.Query().Get("code"), verifier)
	empty("resource", "scope", "client_secret", "client_assertion", "client_assertion_type", "refresh_token", "x")(form)
	first := s.post("/oauth/token", form)
	if first.status != 200 || first.text("scope") != "mcp:metadata mcp:search" {
		t.Fatalf("%d %s", first.status, first.body)
	}
	refresh := refreshing(client, first.text("refresh_token"))
	empty("resource", "scope", "client_secret", "code", "redirect_uri", "code_verifier")(refresh)
	second := s.post("/oauth/token", refresh)
	if second.status != 200 || second.text("scope") != first.text("scope") {
		t.Errorf("%d %s", second.status, second.body)
	}
	// Beside the header: an empty client_id and secret in the form do not count as a second way to authenticate.
	verifier, challenge = pkce()
	form = redeeming("", webURI, s.code("dmo_secret", webURI, challenge), verifier)
	empty("client_secret")(form)
	if a := s.post("/oauth/token", form, "Authorization", "Basic ZG1vX3NlY3JldDpkbXNfcmlnaHQ="); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
	revoke := url.Values{"token": {second.text("access_token")}, "client_id": {client}}
	empty("token_type_hint", "client_secret")(revoke)
	if a := s.post("/oauth/revoke", revoke); a.status != 200 || s.opens(second.text("access_token")) {
		t.Errorf("%d %s", a.status, a.body)
	}
	// What is needed is still missing, and a value that is there twice is there twice.
	for name, code := range map[string]string{
		"response_type": "invalid_request", "code_challenge": "invalid_request", "code_challenge_method": "invalid_request",
	} {
		q := ask(client, webURI, challenge)
		empty(name)(q)
		s.authorize(q).sentBack(t, webURI, code, "st-1")
	}
	for _, name := range []string{"client_id", "redirect_uri"} {
		q := ask(client, webURI, challenge)
		empty(name)(q)
		s.authorize(q).shown(t, "invalid_request")
		q[name] = append(q[name], client)
		s.authorize(q).shown(t, "invalid_request")
	}
	for _, name := range []string{"resource", "scope", "state", "x"} {
		q := ask(client, webURI, challenge)
		q[name] = []string{"", ""}
		if state := "st-1"; name == "state" {
			s.authorize(q).sentBack(t, webURI, "invalid_request", "")
		} else {
			s.authorize(q).sentBack(t, webURI, "invalid_request", state)
		}
	}
}

// TestTokenBodies: what the clients of the three official SDKs send, in their own order and with their own leftovers. The
// TypeScript SDK leaves the resource out where the metadata has none; Python's sends it with a slash at the end, as pydantic
// writes an address without a path; Go's sends no scope where it was given none.
func TestTokenBodies(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	client := s.client(webURI)
	for name, change := range map[string]struct{ authorize, token func(url.Values) }{
		"TypeScript":           {func(q url.Values) { q.Del("resource"); q.Set("prompt", "consent") }, func(f url.Values) { f.Del("resource") }},
		"TypeScript, no scope": {func(q url.Values) { q.Del("scope") }, func(url.Values) {}},
		"Python":               {func(q url.Values) { q.Set("resource", issuer+"/") }, func(f url.Values) { f.Set("resource", issuer+"/") }},
		"Python, no scope":     {func(q url.Values) { q.Set("scope", "") }, func(f url.Values) { f.Set("client_secret", "") }},
		"Go":                   {func(q url.Values) { q.Del("scope") }, func(f url.Values) { f.Set("resource", strings.ToUpper(issuer)) }},
		"Go, no resource":      {func(q url.Values) { q.Set("resource", "") }, func(f url.Values) { f.Set("resource", ""); f.Set("scope", "") }},
	} {
		verifier, challenge := pkce()
		form := redeeming(client, webURI, s.code(client, webURI, challenge, change.authorize), verifier)
		change.token(form)
		first := s.post("/oauth/token", form)
		refresh := refreshing(client, first.text("refresh_token"))
		if form.Has("resource") {
			refresh["resource"] = slices.Clone(form["resource"])
		}
		if second := s.post("/oauth/token", refresh); first.status != 200 || second.status != 200 {
			t.Errorf("%s: %s, then %s", name, first.body, second.body)
		}
	}
}
