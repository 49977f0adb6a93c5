package odoo_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"doorman/server/e2e/kit"
)

var shownKey = regexp.MustCompile(`dmk_[0-9a-f]{40}`)

// pickupLink makes a link for a connection, as the administrator, and returns its token.
func pickupLink(t *testing.T, o *kit.Odoo, connection int64) string {
	t.Helper()
	var dialog struct {
		Context struct {
			Link string `json:"default_link"`
		}
	}
	if err := json.Unmarshal(kit.AsAdmin(t, o, "doorman.connection", "action_pickup_link", []int64{connection}), &dialog); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(dialog.Context.Link)
	if err != nil || u.Path != "/doorman/pickup" || u.RawQuery != "" || len(u.Fragment) != 43 {
		t.Fatalf("no link: %q", dialog.Context.Link)
	}
	return u.Fragment
}

// openPickup is what a browser does with a link: its page posts the token, which is in no address.
func openPickup(t *testing.T, o *kit.Odoo, client *http.Client, token string) (status int, page string) {
	t.Helper()
	_, page = kit.Visit(t, client, o.Server.URL()+"/doorman/pickup", nil)
	form := kit.FormOf(t, page)
	form.Set("token", token)
	return kit.Visit(t, client, o.Server.URL()+"/doorman/pickup/open", form)
}

// TestRealPickup: of ten tabs that ask at once one gets the key, it works, and a revoked connection gives none.
func TestRealPickup(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 2, `
lena = user("lena", "base.group_user")
connection("link", lena)
marc = user("marc", "doorman.group_user")
connection("race", marc)`)
	s := kit.Serve(t, o.Environ()...)
	lena, details := kit.LogIn(t, o, "lena"), o.Server.URL()+"/doorman/pickup/details"
	var tokens []string
	for round := range 5 {
		token := pickupLink(t, o, o.ID("link_id"))
		tokens = append(tokens, token)
		if status, page := openPickup(t, o, kit.LogIn(t, o, "marc"), token); status != http.StatusNotFound || strings.Contains(page, "Show my key") {
			t.Errorf("round %d: somebody else gets status %d", round, status)
		}
		_, page := openPickup(t, o, lena, token)
		form := kit.FormOf(t, page)
		var mu sync.Mutex
		var keys []string
		statuses := map[int]int{}
		var tabs sync.WaitGroup
		for range 10 {
			tabs.Go(func() {
				status, page := kit.Visit(t, lena, details, form)
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
	marc := kit.LogIn(t, o, "marc")
	for round := range 5 {
		token := pickupLink(t, o, o.ID("race_id"))
		tokens = append(tokens, token)
		_, page := openPickup(t, o, marc, token)
		form := kit.FormOf(t, page)
		var key string
		var both sync.WaitGroup
		both.Go(func() { kit.AsAdmin(t, o, "doorman.connection", "action_revoke", []int64{o.ID("race_id")}) })
		both.Go(func() { _, page := kit.Visit(t, marc, details, form); key = shownKey.FindString(page) })
		both.Wait()
		if key != "" && kit.Search(t.Context(), s.MCP, key) == nil {
			t.Errorf("round %d: a key picked up while it was revoked works", round)
		}
		n, err := o.Host.Psql(t.Context(), o.DB, fmt.Sprintf("SELECT count(*) FROM doorman_connection_proof WHERE connection_id = %d", o.ID("race_id")))
		if err != nil || strings.TrimSpace(n) != "0" {
			t.Errorf("round %d: %s proofs are left of a revoked connection (%v)", round, strings.TrimSpace(n), err)
		}
		kit.AsAdmin(t, o, "doorman.connection", "action_reactivate", []int64{o.ID("race_id")})
	}
	log, err := os.ReadFile(o.Server.LogFile())
	if err != nil || !strings.Contains(string(log), "/doorman/pickup/open") {
		t.Fatalf("Odoo's log: %v", err)
	}
	for _, token := range tokens {
		if strings.Contains(string(log), token) {
			t.Error("a token is in Odoo's log")
		}
	}
}
