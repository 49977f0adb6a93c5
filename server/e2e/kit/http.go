package kit

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// NoFollow is Send for what may be a redirect.
func NoFollow(t *testing.T, method, url, body string, headers ...string) (int, http.Header, string) {
	t.Helper()
	return SendBy(t, &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, method, url, body, headers...)
}

// Get sends a request with headers; "Host" sets the host.
func Get(t *testing.T, method, url string, headers ...string) (int, http.Header, string) {
	t.Helper()
	return Send(t, method, url, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, headers...)
}

// Send is Get with a body.
func Send(t *testing.T, method, url, body string, headers ...string) (int, http.Header, string) {
	t.Helper()
	return SendBy(t, http.DefaultClient, method, url, body, headers...)
}

// SendBy is Send by a client that may have its own way with redirects and cookies.
func SendBy(t *testing.T, client *http.Client, method, url, body string, headers ...string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		if headers[i] == "Content-Type" {
			r.Header.Del("Content-Type")
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(answer)
}
