package conformance_test

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"doorman/odoo/odootest"
	"doorman/server/e2e/kit"
)

var authorizeURL = regexp.MustCompile(`http://\S+/oauth/authorize\?[^\s"]+`)

// TestOAuthSuite runs the official suite's scenarios for authorization servers against a Doorman over a fake Odoo. The
// suite prints the address for a person's browser; the test is that person.
func TestOAuthSuite(t *testing.T) {
	node := kit.NeedNode(t)
	odoo := odootest.New(t)
	s := kit.Serve(t, "DOORMAN_ODOO_URL="+odoo.URL(), "DOORMAN_ODOO_DB="+odootest.DefaultDatabase, "DOORMAN_ODOO_KEY="+odootest.DefaultKey)
	port := kit.FreePort(t)
	odoo.MakeClient("dmo_suite", "", "http://127.0.0.1:"+port+"/callback")
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), kit.ProgramTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, node.Path, filepath.Join(node.Dir, suite), "authorization", "--url", s.URL, "--client-id", "dmo_suite",
		"--resource", s.MCP, "-p", port, "--output-dir", dir)
	cmd.Env = []string{"HOME=" + t.TempDir(), "PATH=" + filepath.Dir(node.Path), "NO_COLOR=1"}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	address := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if found := authorizeURL.FindString(lines.Text()); found != "" {
			address = found
		}
		// It prints the address before it listens for the answer.
		if strings.HasPrefix(lines.Text(), "Callback server started") {
			if err := agree(ctx, odoo, s.URL, address); err != nil {
				t.Error(err)
			}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	scenarios, passed, failed := results(t, dir, nil)
	for id, why := range failed {
		t.Errorf("%s: %s", id, why)
	}
	if scenarios != 2 || passed < fewestOAuth {
		t.Errorf("%d scenarios, %d checks passed\n%s", scenarios, passed, said.String())
	}
	t.Logf("%d checks passed in %d scenarios", passed, scenarios)
}

// fewestOAuth is how many checks must pass at least: a suite that finds nothing to check must not look content.
const fewestOAuth = 3

// agree is a person who follows an address to the consent page, allows, and lets their browser go where it is sent.
func agree(ctx context.Context, odoo *odootest.Server, issuer, address string) error {
	still := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	get := func(url string) (*http.Response, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return nil, err
		}
		response, err := still.Do(r)
		if err == nil {
			err = response.Body.Close()
		}
		return response, err
	}
	response, err := get(address)
	if err != nil {
		return err
	}
	back := odoo.Decide(response.Header.Get("Location"), true, issuer)
	if back == "" {
		return errors.New("no consent: " + response.Status)
	}
	_, err = get(back)
	return err
}
