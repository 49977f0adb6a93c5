package kit

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// CSRFField is a form's own token.
var CSRFField = regexp.MustCompile(`name="csrf_token" value="([^"]+)"`)

// LogIn opens a web session, as a browser does; the password is the login.
func LogIn(t *testing.T, o *Odoo, name string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	body := fmt.Sprintf(`{"jsonrpc":"2.0","params":{"db":%q,"login":%q,"password":%q}}`, o.DB, name, name)
	response, err := client.Post(o.Server.URL()+"/web/session/authenticate", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, _ := io.ReadAll(response.Body); !strings.Contains(string(text), `"uid"`) {
		t.Fatalf("%s cannot log in: %s", name, text)
	}
	return client
}

// Visit returns the status of a page and what it holds.
func Visit(t *testing.T, client *http.Client, link string, form url.Values) (int, string) {
	t.Helper()
	var response *http.Response
	var err error
	if form == nil {
		response, err = client.Get(link)
	} else {
		response, err = client.PostForm(link, form)
	}
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text)
}

// FormOf is what the page's own form would send along.
func FormOf(t *testing.T, page string) url.Values {
	t.Helper()
	found := CSRFField.FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("the page has no form: %.300s", page)
	}
	return url.Values{"csrf_token": {found[1]}}
}
