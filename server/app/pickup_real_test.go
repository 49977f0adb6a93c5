package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"doorman/server/app/apptest"
)

var (
	csrfField = regexp.MustCompile(`name="csrf_token" value="([^"]+)"`)
	shownKey  = regexp.MustCompile(`dmk_[0-9a-f]{40}`)
)

// login opens a web session, as a browser does.
func login(t *testing.T, o *apptest.Odoo, name string) *http.Client {
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

// pickupLink makes a link for a connection, as the administrator.
func pickupLink(t *testing.T, o *apptest.Odoo, connection int64) string {
	t.Helper()
	var dialog struct {
		Context struct {
			Link string `json:"default_link"`
		}
	}
	if err := json.Unmarshal(asAdmin(t, o, "doorman.connection", "action_pickup_link", []int64{connection}), &dialog); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(dialog.Context.Link)
	if err != nil || !strings.HasPrefix(u.Path, "/doorman/pickup/") {
		t.Fatalf("no link: %q", dialog.Context.Link)
	}
	return o.Server.URL() + u.Path
}

// visit returns the status of a page and what it holds.
func visit(t *testing.T, client *http.Client, link string, form url.Values) (int, string) {
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

// formOf is what the page's own form would send along.
func formOf(t *testing.T, page string) url.Values {
	t.Helper()
	found := csrfField.FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("the page has no form: %.300s", page)
	}
	return url.Values{"csrf_token": {found[1]}}
}

// TestRealPickup: of ten tabs that ask at once one gets the key, it works, and a revoked connection gives none.
func TestRealPickup(t *testing.T) {
	o := apptest.RealOdoo(t, 2, `
lena = user("lena", "base.group_user")
connection("link", lena)
marc = user("marc", "doorman.group_user")
connection("race", marc)`)
	s := apptest.Serve(t, o.Environ()...)
	lena := login(t, o, "lena")
	for round := range 5 {
		link := pickupLink(t, o, o.ID("link_id"))
		if status, page := visit(t, login(t, o, "marc"), link, nil); status != http.StatusNotFound || strings.Contains(page, "Show my key") {
			t.Errorf("round %d: somebody else gets status %d", round, status)
		}
		_, page := visit(t, lena, link, nil)
		form := formOf(t, page)
		var mu sync.Mutex
		var keys []string
		statuses := map[int]int{}
		var tabs sync.WaitGroup
		for range 10 {
			tabs.Go(func() {
				status, page := visit(t, lena, link, form)
				mu.Lock()
				defer mu.Unlock()
				statuses[status]++
				if key := shownKey.FindString(page); key != "" {
					keys = append(keys, key)
				}
			})
		}
		tabs.Wait()
		if len(keys) != 1 || statuses[http.StatusOK] != 1 || statuses[http.StatusNotFound] != 9 {
			t.Fatalf("round %d: %d keys, statuses %v", round, len(keys), statuses)
		}
		if strings.Contains(s.Log(), keys[0]) {
			t.Error("the key is in the service's log")
		}
	}
	marc := login(t, o, "marc")
	for round := range 5 {
		link := pickupLink(t, o, o.ID("race_id"))
		_, page := visit(t, marc, link, nil)
		form := formOf(t, page)
		var key string
		var both sync.WaitGroup
		both.Go(func() { asAdmin(t, o, "doorman.connection", "action_revoke", []int64{o.ID("race_id")}) })
		both.Go(func() { _, page := visit(t, marc, link, form); key = shownKey.FindString(page) })
		both.Wait()
		if ok, _ := post(t.Context(), s.MCP, key); key != "" && ok {
			t.Errorf("round %d: a key picked up while it was revoked works", round)
		}
		n, err := o.Host.Psql(t.Context(), o.DB, fmt.Sprintf("SELECT count(*) FROM doorman_connection_proof WHERE connection_id = %d", o.ID("race_id")))
		if err != nil || strings.TrimSpace(n) != "0" {
			t.Errorf("round %d: %s proofs are left of a revoked connection (%v)", round, strings.TrimSpace(n), err)
		}
		asAdmin(t, o, "doorman.connection", "action_reactivate", []int64{o.ID("race_id")})
	}
}
