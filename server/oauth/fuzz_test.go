package oauth_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"doorman/server/access"
	"doorman/server/oauth"
	"doorman/server/safefetch"
)

// FuzzRedirect: whatever is accepted equals a registered URI, or is one but for a loopback's port and name.
func FuzzRedirect(f *testing.F) {
	for _, seed := range [][2]string{
		{webURI, webURI}, {loopURI, "http://localhost:1/callback"}, {loopURI, "http://[::1]/callback"}, {loopURI, "http://127.0.0.1:4711@evil.com/callback"},
		{webURI, "https://app.example.com\\@evil.com/callback"}, {"http://localhost", "http://localhost?x"}, {"cursor://x/cb", "cursor://x/cb"}, {webURI, "//x"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, registered, asked string) {
		if !oauth.Usable(registered) || !oauth.Usable(asked) {
			return
		}
		u, err := url.Parse(asked)
		if err != nil || u.User != nil || u.Fragment != "" || strings.ContainsAny(asked, "\\ \r\n\t#") {
			t.Fatalf("%q may be used", asked)
		}
		if !oauth.Matches([]string{registered}, asked) || asked == registered {
			return
		}
		a, errA := url.Parse(registered)
		local := []string{"127.0.0.1", "::1", "localhost"}
		if errA != nil || a.Scheme != "http" || u.Scheme != "http" || !slices.Contains(local, a.Hostname()) || !slices.Contains(local, u.Hostname()) ||
			a.EscapedPath() != u.EscapedPath() || a.RawQuery != u.RawQuery || a.ForceQuery != u.ForceQuery {
			t.Fatalf("%q is taken for %q", asked, registered)
		}
	})
}

// FuzzDocument: whatever a document says, what comes of it can be shown and used.
func FuzzDocument(f *testing.F) {
	for _, seed := range []string{
		document(docID), document(docID, `{"client_id":null}`), `{"client_id":"` + docID + `","client_id":"x"}`, `[]`, ``, `{"a":`, `null`,
		document(docID, `{"token_endpoint_auth_methods_supported":["none"],"redirect_uris":["javascript:x","http://127.0.0.1/"]}`),
	} {
		f.Add(docID, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, id string, body []byte) {
		host, ok := oauth.DocumentHost(id)
		if !ok {
			return
		}
		if _, err := netip.ParseAddr(host); err == nil || !safefetch.PublicName(host) || strings.ContainsAny(id, "#@\\ ") {
			t.Fatalf("%q would be fetched", id)
		}
		c, err := oauth.ParseDocument(id, body)
		if err != nil {
			return
		}
		var own struct {
			ClientID string `json:"client_id"`
		}
		if json.Unmarshal(body, &own) != nil || c.ID != id || c.Name == "" || len([]rune(c.Name)) > 100 || c.Confidential || c.Kind != access.ClientDocument {
			t.Fatalf("%q: %+v", body, c)
		}
		if len(c.RedirectURIs) == 0 || len(c.RedirectURIs) > 10 || slices.ContainsFunc(c.RedirectURIs, func(uri string) bool { return !oauth.Usable(uri) }) {
			t.Fatalf("%q: %v", body, c.RedirectURIs)
		}
	})
}

// FuzzBasic: what is read of an Authorization header, written again in the way of RFC 6749, is read the same.
func FuzzBasic(f *testing.F) {
	for _, seed := range []string{"Basic " + base64.StdEncoding.EncodeToString([]byte("a:b")), "basic eDp5", "Bearer x", "Basic", "Basic  eDp5", "Basic eDo=\n", "basic " + strings.Repeat("f", 3000) + "eDp5"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		id, secret, ok := oauth.ParseBasic(header)
		if !ok {
			return
		}
		if again := basic(url.QueryEscape(id), url.QueryEscape(secret)); id == "" {
			t.Fatalf("%q has no id", header)
		} else if i, s, ok := oauth.ParseBasic(again); !ok || i != id || s != secret {
			t.Fatalf("%q: %q %q, again %q %q", header, id, secret, i, s)
		}
	})
}

// FuzzAuthorize: whatever the query, a browser is sent to the consent page or to the registered address, or stays.
func FuzzAuthorize(f *testing.F) {
	s := newSite(f)
	client := s.client(webURI)
	_, challenge := pkce()
	good := ask(client, webURI, challenge).Encode()
	for _, seed := range []string{
		good, good + "&state=2", good + "&redirect_uri=https://evil.example.com/", strings.Replace(good, "app.example", "evil.example", 1), "", "%", "a;b",
		strings.Replace(good, "S256", "plain", 1), good + "#", "client_id=" + client, good + "&resource=x",
	} {
		f.Add(seed)
	}
	n := 0
	f.Fuzz(func(t *testing.T, query string) {
		u := &url.URL{Path: "/oauth/authorize", RawQuery: query}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1/oauth/authorize", nil)
		if err != nil {
			t.Skip()
		}
		n++
		request.URL = u
		request.Header.Set("From", netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}).String())
		w := s.serve(request)
		to := w.Header().Get("Location")
		switch {
		case w.Code == http.StatusSeeOther && strings.HasPrefix(to, s.odoo.URL()+"/doorman/consent?request="):
		case w.Code == http.StatusSeeOther && strings.HasPrefix(to, webURI+"?"):
			if back, err := url.Parse(to); err != nil || back.Query().Get("iss") != issuer || back.Query().Get("error") == "" || back.Query().Get("code") != "" {
				t.Fatalf("%q: %q", query, to)
			}
		case w.Code < 400 || to != "":
			t.Fatalf("%q: %d %q", query, w.Code, to)
		}
	})
}

// FuzzAssertion: what a stranger sends as an assertion is looked at before anything of it is proven.
func FuzzAssertion(f *testing.F) {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for _, seed := range []string{
		"", "..", "a.b.c", part(`{"alg":"RS256","typ":"oauth-id-jag+jwt"}`) + "." + part(`{"iss":"https://idp.example.com"}`) + ".AAAA",
		part(`{"alg":"none","typ":"oauth-id-jag+jwt"}`) + "." + part(`{"iss":"x"}`) + ".",
		part(`{"alg":"RS256","typ":"oauth-id-jag+jwt","jwk":{"kty":"oct","k":"AA"}}`) + "." + part(`{"iss":"x"}`) + ".AAAA",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		issuer, err := oauth.Untrusted(text)
		if err != nil {
			return
		}
		parts := strings.Split(text, ".")
		raw, errRaw := base64.RawURLEncoding.DecodeString(parts[0])
		var header map[string]any
		if len(parts) != 3 || errRaw != nil || json.Unmarshal(raw, &header) != nil || len(text) > 8<<10 || issuer == "" {
			t.Fatalf("%q was taken", text)
		}
		alg, _ := header["alg"].(string)
		kind, _ := header["typ"].(string)
		if strings.HasPrefix(alg, "HS") || strings.EqualFold(alg, "none") || !strings.EqualFold(kind, "oauth-id-jag+jwt") || header["jwk"] != nil || header["jku"] != nil {
			t.Fatalf("%q was taken", raw)
		}
	})
}

// FuzzClaims: of all that an issuer may sign, only what is for us, for this client, and good now is taken.
func FuzzClaims(f *testing.F) {
	const now = 1_800_000_000
	good := `{"iss":"https://idp.example.com","sub":"u","jti":"j","client_id":"dmo_x","aud":"` + issuer + `","iat":1800000000,"exp":1800000300`
	for _, more := range []string{"", `,"resource":"` + resource + `"`, `,"nbf":1e300`, `,"aud":["x"]`, `,"email":"a@b.c","email_verified":true`, `,"cnf":{}`} {
		f.Add(good + more + "}")
	}
	f.Fuzz(func(t *testing.T, claims string) {
		a, taken := oauth.CheckClaims(issuer, resource, "dmo_x", time.Unix(now, 0), []byte(claims))
		if !taken {
			return
		}
		var said struct {
			Client   string `json:"client_id"`
			Aud      any    `json:"aud"`
			Exp, Iat float64
			Nbf      float64
			Verified any `json:"email_verified"`
		}
		if err := json.Unmarshal([]byte(claims), &said); err != nil {
			return // members of one name in other letters: a struct takes those for its own
		}
		list, _ := said.Aud.([]any)
		ours := said.Aud == issuer || len(list) == 1 && list[0] == issuer
		if a.Subject == "" || a.ID == "" || a.Resource != resource || !ours || a.ExpiresAt.Unix() < now-60 || a.ExpiresAt.Unix() > now+3660 {
			t.Fatalf("%s was taken: %+v", claims, a)
		}
		if a.Email != "" && !strings.Contains(claims, "email_verified") {
			t.Fatalf("%s: an address that nobody has verified", claims)
		}
	})
}
