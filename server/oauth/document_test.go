package oauth_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"doorman/server/access"
	"doorman/server/oauth"
)

const docID = "https://tool.example.com/oauth/client.json"

// TestDocumentDance: a client that is named by its document, the whole way.
func TestDocumentDance(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.web.set(docID, page(document(docID)))
	first := s.tokens(docID, webURI)
	if a := s.post("/oauth/token", refreshing(docID, first.text("refresh_token"))); a.status != 200 {
		t.Fatal(a.body)
	}
	s.tokens(docID, webURI)
	if n := s.web.fetches.Load(); n != 1 {
		t.Errorf("%d fetches, want 1: it is kept", n)
	}
	s.later(5*time.Minute + time.Second)
	s.tokens(docID, webURI)
	if n := s.web.fetches.Load(); n != 2 {
		t.Errorf("%d fetches, want 2: it was kept for 5 minutes", n)
	}
	// ChatGPT's lists what it can, beside what it likes best.
	s.web.set("https://tool.example.com/other", page(document("https://tool.example.com/other",
		`{"token_endpoint_auth_method":"private_key_jwt","token_endpoint_auth_methods_supported":["private_key_jwt","none"],"grant_types":["authorization_code","x"],"unknown":1}`),
		"Content-Type", "application/client+json; charset=utf-8"))
	s.tokens("https://tool.example.com/other", webURI)
	// What must not be used is left out; the rest serves.
	s.web.set("https://tool.example.com/mixed", page(document("https://tool.example.com/mixed", `{"redirect_uris":["javascript:alert(1)","`+webURI+`"]}`)))
	s.tokens("https://tool.example.com/mixed", webURI)
}

// TestDocumentURLs: client ids that must not be fetched. Nothing is.
func TestDocumentURLs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, challenge := pkce()
	for i, id := range []string{
		"http://tool.example.com/client", "https://tool.example.com", "https://tool.example.com/", "https://tool.example.com/a#b", "https://tool.example.com/a#",
		"https://u@tool.example.com/a", "https://u:p@tool.example.com/a", "https://tool.example.com/a/../b", "https://tool.example.com/./a",
		"https://tool.example.com/a/%2e%2e/b", "https://tool.example.com/a/.%2E/b", "https://tool.example.com/%2e/b", "https://tool.example.com/a%2f..%2fb",
		"https://tool.example.com:8443/a", "https://tool.example.com:80/a", "https://tool.example.com:/a", "https://127.0.0.1/a", "https://[::1]/a",
		"https://2130706433/a", "https://0x7f000001/a", "https://0177.0.0.1/a", "https://127.1/a", "https://localhost/a", "https://metadata.google.internal/a",
		"https://tool.example.com./a", "https://TOOL.example.com/a", "https://tool\u00e4.example.com/a", `https://tool.example.com\a`, "https://tool.example.com/a b",
		"https://tool.example.com/a\nb", "https://tool.example.com/%00", "https://tool.example.com/%zz", "HTTPS://tool.example.com/a", "https:///a", "https:tool.example.com/a",
		"javascript:alert(1)", "file:///etc/passwd", "ftp://tool.example.com/a", "//tool.example.com/a", "https://tool.example.com/" + strings.Repeat("a", 500),
	} {
		s.authorize(ask(id, webURI, challenge), "From", "198.51.100."+string(rune('0'+i%10))).shown(t, "invalid_client")
	}
	if s.web.fetches.Load() != 0 || s.odoo.Count("oauth_begin") != 0 || s.odoo.Count("oauth_client") != 0 {
		t.Errorf("%d fetches", s.web.fetches.Load())
	}
}

// TestDocumentsRefused: documents that are not what they must be.
func TestDocumentsRefused(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		page http.HandlerFunc
		uri  string
		code string
	}{
		{"another client_id", page(document("https://tool.example.com/oauth/other.json")), webURI, "invalid_client"},
		{"a client_id that differs in a slash", page(document(docID + "/")), webURI, "invalid_client"},
		{"a client_id in capitals", page(document(strings.ToUpper(docID))), webURI, "invalid_client"},
		{"no client_id", page(document(docID, `{"client_id":null}`)), webURI, "invalid_client"},
		{"a client_id that is a number", page(document(docID, `{"client_id":1}`)), webURI, "invalid_client"},
		{"a client_id twice", page(`{"client_id":"x",` + document(docID)[1:]), webURI, "invalid_client"},
		{"no name", page(document(docID, `{"client_name":null}`)), webURI, "invalid_client"},
		{"an empty name", page(document(docID, `{"client_name":"  "}`)), webURI, "invalid_client"},
		{"a name that turns the text around", page(document(docID, `{"client_name":"a\u202eb"}`)), webURI, "invalid_client"},
		{"a name with selectors", page(document(docID, `{"client_name":"a\ufe01\udb40\udd43"}`)), webURI, "invalid_client"},
		{"a name with a filler", page(document(docID, `{"client_name":"a\u3164"}`)), webURI, "invalid_client"},
		{"a name of 101 letters", page(document(docID, `{"client_name":"`+strings.Repeat("a", 101)+`"}`)), webURI, "invalid_client"},
		{"a secret", page(document(docID, `{"client_secret":"x"}`)), webURI, "invalid_client"},
		{"the end of a secret", page(document(docID, `{"client_secret_expires_at":0}`)), webURI, "invalid_client"},
		{"a shared secret's method", page(document(docID, `{"token_endpoint_auth_method":"client_secret_basic"}`)), webURI, "invalid_client"},
		{"another shared secret's method", page(document(docID, `{"token_endpoint_auth_method":"client_secret_post"}`)), webURI, "invalid_client"},
		{"a shared secret's JWT", page(document(docID, `{"token_endpoint_auth_method":"client_secret_jwt"}`)), webURI, "invalid_client"},
		{"a method that there is not", page(document(docID, `{"token_endpoint_auth_method":"private_key_jwt"}`)), webURI, "invalid_client"},
		{"a list without none", page(document(docID, `{"token_endpoint_auth_methods_supported":["private_key_jwt"]}`)), webURI, "invalid_client"},
		{"none in the list, a secret beside it", page(document(docID, `{"token_endpoint_auth_method":"client_secret_post","token_endpoint_auth_methods_supported":["none"]}`)), webURI, "invalid_client"},
		{"no grant that there is", page(document(docID, `{"grant_types":["client_credentials"]}`)), webURI, "invalid_client"},
		{"no redirect URIs", page(document(docID, `{"redirect_uris":null}`)), webURI, "invalid_client"},
		{"an empty list of them", page(document(docID, `{"redirect_uris":[]}`)), webURI, "invalid_client"},
		{"a text for a list", page(document(docID, `{"redirect_uris":"`+webURI+`"}`)), webURI, "invalid_client"},
		{"nothing but script", page(document(docID, `{"redirect_uris":["javascript:alert(1)","data:text/html,x"]}`)), webURI, "invalid_client"},
		{"a list", page(`[` + document(docID) + `]`), webURI, "invalid_client"},
		{"something behind it", page(document(docID) + `x`), webURI, "invalid_client"},
		{"half of it", page(document(docID)[:40]), webURI, "invalid_client"},
		{"nothing", page(``), webURI, "invalid_client"},
		{"HTML", page("<html>", "Content-Type", "text/html"), webURI, "invalid_client"},
		{"JSON as text", page(document(docID), "Content-Type", "text/plain"), webURI, "invalid_client"},
		{"JSON as script", page(document(docID), "Content-Type", "application/javascript"), webURI, "invalid_client"},
		{"no type", page(document(docID), "Content-Type", ""), webURI, "invalid_client"},
		{"6 kB", page(document(docID, `{"x":"`+strings.Repeat("a", 6000)+`"}`)), webURI, "invalid_client"},
		{"404", http.NotFound, webURI, "invalid_client"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/else", http.StatusFound) }, webURI, "invalid_client"},
		{"500", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, webURI, "invalid_client"},
		{"203, with the document", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNonAuthoritativeInfo)
			_, _ = w.Write([]byte(document(docID)))
		}, webURI, "invalid_client"},
		{"another redirect URI than its own", page(document(docID)), "https://evil.example.com/", "invalid_request"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.web.set(docID, row.page)
			_, challenge := pkce()
			s.authorize(ask(docID, row.uri, challenge)).shown(t, row.code)
			if s.odoo.Count("oauth_begin") != 0 || s.web.fetches.Load() != 1 {
				t.Errorf("%d requests reached Odoo, %d fetches", s.odoo.Count("oauth_begin"), s.web.fetches.Load())
			}
			if row.code == "invalid_request" {
				return
			}
			// An error is not kept: the client's host mends it, and it works at once.
			s.web.set(docID, page(document(docID)))
			if a := s.authorize(ask(docID, webURI, challenge)); a.status != http.StatusSeeOther {
				t.Errorf("after it was mended: %d %s", a.status, a.body)
			}
		})
	}
}

// TestDocumentInside: a document at a name of the inside is refused before a byte is sent.
func TestDocumentInside(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, challenge := pkce()
	a := s.authorize(ask("https://inside.example.com/client", webURI, challenge))
	if a.shown(t, "invalid_client"); s.web.fetches.Load() != 0 || !strings.Contains(a.body, "not at a public address") {
		t.Errorf("%d fetches, %s", s.web.fetches.Load(), a.body)
	}
}

// TestDocumentLife: how long a document is kept goes by its server, within bounds.
func TestDocumentLife(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		control string
		life    time.Duration
	}{
		{"", 5 * time.Minute}, {"max-age=1", 5 * time.Minute}, {"public, max-age=3600", time.Hour}, {"max-age=31536000", 24 * time.Hour},
		{"no-store", 5 * time.Minute}, {"max-age=3600, no-cache", 5 * time.Minute}, {"max-age=-1", 5 * time.Minute},
		{"max-age=99999999999999999999", 5 * time.Minute}, {`MAX-AGE="7200"`, 2 * time.Hour},
	} {
		t.Run(row.control, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.web.set(docID, page(document(docID), "Cache-Control", row.control))
			_, challenge := pkce()
			for _, step := range []struct {
				at      time.Duration
				fetches int64
			}{{0, 1}, {row.life - time.Second, 1}, {2 * time.Second, 2}} {
				s.later(step.at)
				if s.authorize(ask(docID, webURI, challenge)); s.web.fetches.Load() != step.fetches {
					t.Errorf("%d fetches, want %d", s.web.fetches.Load(), step.fetches)
				}
			}
		})
	}
}

// TestDocumentFetches: who makes us fetch does not choose how often. Many at once fetch once.
func TestDocumentFetches(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.web.set(docID, page(document(docID)))
	_, challenge := pkce()
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() { s.authorize(ask(docID, webURI, challenge), "From", "198.51.100."+string(rune('0'+i%10))) })
	}
	wait.Wait()
	if n := s.web.fetches.Load(); n != 1 {
		t.Errorf("%d fetches for 50 requests at once", n)
	}
	for i := range 30 {
		s.authorize(ask("https://a.example.com/"+strings.Repeat("x", i+1), webURI, challenge), "From", "203.0.113.1")
	}
	if n := s.web.fetches.Load(); n != 1+10 {
		t.Errorf("%d fetches, want 10 of one host in a minute", n-1)
	}
	for i := range 100 {
		s.authorize(ask("https://b"+strings.Repeat("x", i%60)+".example.com/c", webURI, challenge), "From", "203.0.113."+string(rune('2'+i%5)))
	}
	if n := s.web.fetches.Load(); n != 60 {
		t.Errorf("%d fetches, want 60 in a minute", n)
	}
	s.later(time.Minute)
	s.authorize(ask("https://c.example.com/c", webURI, challenge), "From", "203.0.113.9")
	if n := s.web.fetches.Load(); n != 61 {
		t.Errorf("%d fetches after the minute", n)
	}
}

// TestDocumentSettings: switched off, and a list of hosts.
func TestDocumentSettings(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.web.set(docID, page(document(docID)))
	_, challenge := pkce()
	s.odoo.SetOAuth(func(o *access.OAuthSettings) { o.DocumentHosts = []string{"claude.ai"} })
	s.authorize(ask(docID, webURI, challenge)).shown(t, "invalid_client")
	if a := s.authorize(ask("https://claude.ai/oauth/mcp-oauth-client-metadata", "https://claude.ai/api/mcp/auth_callback", challenge)); a.status != http.StatusSeeOther {
		t.Error(a.body)
	}
	s.odoo.SetOAuth(func(o *access.OAuthSettings) { o.Documents = false })
	s.later(time.Minute)
	s.authorize(ask("https://claude.ai/oauth/mcp-oauth-client-metadata", "https://claude.ai/api/mcp/auth_callback", challenge)).shown(t, "invalid_client")
	if s.web.fetches.Load() != 0 {
		t.Errorf("%d fetches", s.web.fetches.Load())
	}
}

// TestPinned: well-known clients need no Internet; what a copy does not know is looked for in the document.
func TestPinned(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for id, uri := range map[string]string{
		"https://claude.ai/oauth/mcp-oauth-client-metadata":   "https://claude.ai/api/mcp/auth_callback",
		"https://claude.ai/oauth/claude-code-client-metadata": "http://localhost:52011/callback",
		"https://chatgpt.com/oauth/client.json":               "https://chatgpt.com/connector_platform_oauth_redirect",
		"https://chatgpt.com/oauth/codex/client.json":         "http://127.0.0.1:41234/callback",
		"https://vscode.dev/oauth/client-metadata.json":       "http://127.0.0.1:50123/",
		"https://opencode.ai/oauth/opencode/client.json":      "http://127.0.0.1:19876/callback",
		"https://zed.dev/oauth/client-metadata.json":          "http://127.0.0.1:39211/callback",
	} {
		s.tokens(id, uri)
	}
	if s.web.fetches.Load() != 0 {
		t.Fatalf("%d fetches", s.web.fetches.Load())
	}
	// One whose document has grown since.
	s.web.set(oauth.CopiedID, page(document(oauth.CopiedID, `{"redirect_uris":["https://copied.example.com/new"]}`)))
	s.tokens(oauth.CopiedID, "https://copied.example.com/old")
	if s.web.fetches.Load() != 0 {
		t.Error("fetched what the copy knows")
	}
	s.tokens(oauth.CopiedID, "https://copied.example.com/new")
	if s.web.fetches.Load() != 1 {
		t.Errorf("%d fetches for what the copy does not know", s.web.fetches.Load())
	}
	// The web of this test has no certificate for claude.ai: the copy stays what there is to say.
	_, challenge := pkce()
	a := s.authorize(ask("https://claude.ai/oauth/mcp-oauth-client-metadata", "https://evil.example.com/", challenge))
	a.shown(t, "invalid_request")
}
