package publicurl_test

import (
	"testing"

	"doorman/server/publicurl"
)

// TestOneForm: people type it in many ways, and it comes out as browsers and clients have it.
func TestOneForm(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"https://mcp.example.com":           "https://mcp.example.com",
		"https://mcp.example.com/":          "https://mcp.example.com",
		"https://mcp.example.com//":         "https://mcp.example.com",
		"HTTPS://MCP.Example.COM":           "https://mcp.example.com",
		"https://mcp.example.com:443":       "https://mcp.example.com",
		"https://mcp.example.com:0443/":     "https://mcp.example.com",
		"https://mcp.example.com:8443":      "https://mcp.example.com:8443",
		"https://mcp.example.com:80":        "https://mcp.example.com:80",
		"http://127.0.0.1:80":               "http://127.0.0.1",
		"http://127.0.0.1:443":              "http://127.0.0.1:443",
		"http://LocalHost:8090/":            "http://localhost:8090",
		"http://[::1]:8090":                 "http://[::1]:8090",
		"http://[0:0:0:0:0:0:0:1]:80/":      "http://[::1]",
		"https://[2001:DB8::A]":             "https://[2001:db8::a]",
		"https://Bücher.example":            "https://xn--bcher-kva.example",
		"https://BÜCHER.example:443/":       "https://xn--bcher-kva.example",
		"https://b\u00fc\u0063her.example":  "https://xn--bcher-kva.example",
		"https://bu\u0308cher.example":      "https://xn--bcher-kva.example",
		"https://XN--BCHER-KVA.example":     "https://xn--bcher-kva.example",
		"https://b%C3%BCcher.example":       "https://xn--bcher-kva.example",
		"https://straße.example":            "https://xn--strae-oqa.example",
		"https://例え。テスト":                    "https://xn--r8jz45g.xn--zckzah",
		"https://doorman_test.internal":     "https://doorman_test.internal",
		"https://mcp.example.com/mcp":       "https://mcp.example.com/mcp",
		"https://MCP.example.com/mcp/":      "https://mcp.example.com/mcp",
		"https://mcp.example.com/MCP":       "https://mcp.example.com/MCP",
		"https://mcp.example.com:443/a%2Fb": "https://mcp.example.com/a%2Fb",
	} {
		u, err := publicurl.Parse(typed)
		if err != nil || u.String() != want {
			t.Errorf("%s: %v %v, want %s", typed, u, err, want)
			continue
		}
		if again, err := publicurl.Parse(u.String()); err != nil || *again != *u {
			t.Errorf("%s: a second time %v %v", typed, again, err)
		}
	}
}

// TestNotOne: texts that are not addresses of a server.
func TestNotOne(t *testing.T) {
	t.Parallel()
	for _, typed := range []string{
		"", " ", "mcp.example.com", "mcp.example.com:443", "//mcp.example.com", "/mcp", "https:", "https:/", "https://", "https:///mcp",
		"https:mcp.example.com", "ftp://mcp.example.com", "javascript://mcp.example.com", "ws://mcp.example.com", "file:///etc/passwd",
		"https://user@mcp.example.com", "https://user:secret@mcp.example.com", "https://@mcp.example.com",
		"https://mcp.example.com?", "https://mcp.example.com?x", "https://mcp.example.com/#", "https://mcp.example.com#x",
		"https://mcp.example.com:", "https://mcp.example.com:0", "https://mcp.example.com:65536", "https://mcp.example.com:x",
		"https://mcp.example.com:+443", "https://mcp.example.com:443:443", "https://mcp.example.com\\.evil.com", "https://mcp .example.com",
		"https://.example.com", "https://mcp..example.com", "https://*.example.com", "https://xn--a.example", "https://a\u200bb.example ",
		"https://mcp.example.com\n", "https://[::1", "https://[fe80::1%25eth0]", "https://::1", "https://a,b", "https://a;script-src", "https://%00.example",
	} {
		if u, err := publicurl.Parse(typed); err == nil {
			t.Errorf("%q is %s", typed, u)
		}
	}
}

// same reports whether two addresses are one. A text that is not an address is not the same as anything.
func same(a, b string) bool {
	one, err := publicurl.Parse(a)
	if err != nil {
		return false
	}
	other, err := publicurl.Parse(b)
	return err == nil && *one == *other
}

// TestSame: spelling does not count, scheme, host, port and path do.
func TestSame(t *testing.T) {
	t.Parallel()
	const ours = "https://mcp.example.com/mcp"
	for _, spelled := range []string{ours, ours + "/", "HTTPS://mcp.example.com/mcp", "https://MCP.EXAMPLE.COM:443/mcp"} {
		if !same(ours, spelled) || !same(spelled, ours) {
			t.Errorf("%s is another", spelled)
		}
	}
	for _, other := range []string{
		"http://mcp.example.com/mcp", "https://mcp.example.com:80/mcp", "https://mcp.example.com:8443/mcp", "https://mcp.example.com.evil.com/mcp",
		"https://evil.com/mcp.example.com/mcp", "https://example.com/mcp", "https://amcp.example.com/mcp", "https://mcp.example.com./mcp",
		"https://mcp.example.com/mcp/x", "https://mcp.example.com/x/mcp", "https://mcp.example.com/%6dcp", "https://mcp.example.com/x/../mcp",
		"https://mcp.example.com/mcp?x", "https://mcp.example.com/mcp#", "https://u@mcp.example.com/mcp", "https://mcp.exampl\u0435.com/mcp",
		"https://mcp.example.com", "", "mcp",
	} {
		if same(ours, other) || same(other, ours) {
			t.Errorf("%s is the same", other)
		}
	}
	if same("", "") {
		t.Error("nothing is an address")
	}
}

// TestIsHost: a Host header may have the default port, and be in capitals.
func TestIsHost(t *testing.T) {
	t.Parallel()
	ours, err := publicurl.Parse("https://mcp.example.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range []string{"mcp.example.com", "MCP.example.com", "mcp.example.com:443"} {
		if !publicurl.IsHost(ours, header) {
			t.Errorf("%s is another", header)
		}
	}
	for _, header := range []string{
		"", "example.com", "mcp.example.com:80", "mcp.example.com:8443", "mcp.example.com.evil.com", "u@mcp.example.com", "mcp.example.com/",
		"mcp.example.com/x", "mcp.example.com?x", "mcp.example.com#", "mcp.example.com:", " mcp.example.com", "evil.com/mcp.example.com",
	} {
		if publicurl.IsHost(ours, header) {
			t.Errorf("%q is ours", header)
		}
	}
}
