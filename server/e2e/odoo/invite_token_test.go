package odoo_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

// TestRealInviteToken follows tokens through all of their life (made, opened by a robot and a person, accepted, tried
// too late, revoked) and then looks for them wherever something could have been left: in the service's log at its most
// talkative, its metrics, Odoo's log, the whole database, sessions included.
func TestRealInviteToken(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 0, invitePeople+`
from odoo.tools import config
out["data_dir"] = config["data_dir"]`)
	s := kit.Serve(t, append(o.Environ(), "DOORMAN_LOG_LEVEL=trace")...)
	kit.KnowsItself(t, o, s)
	admin := organizer{t, s.URL, o.Text("admin_key")}
	id, token := admin.make(`{"scopes":["mcp:search"],"max_uses":2,"new_accounts":true}`)
	_, other := admin.make(`{"scopes":["mcp:search"]}`) // nobody ever opens it

	for _, method := range []string{http.MethodHead, http.MethodGet, http.MethodPost} {
		status, header, _ := kit.NoFollow(t, method, s.URL+"/oauth/invite/"+token, "")
		if method == http.MethodPost {
			continue
		}
		to, err := url.Parse(header.Get("Location"))
		if err != nil || status != http.StatusSeeOther || to.Path != "/doorman/invite" || to.Fragment != token || to.RawQuery != "" {
			t.Fatalf("%s: %d %v %v", method, status, to, err)
		}
	}
	anna, err := logIn(t.Context(), o, "anna", "anna")
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string]string{"token": token, "token that nobody opened": other, "administrator's key": admin.key}
	secrets["key"] = strings.TrimPrefix(anna.mustAccept(t, token), "dmk_")
	stranger, err := newGuest(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	offer, err := stranger.open(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	const password = "canary-horse-91c7"
	taken, err := stranger.press(t.Context(), offer, "signup", url.Values{"name": {"New"}, "email": {"new@partner.example"}, "password": {password}})
	if err != nil || taken.key() == "" {
		t.Fatalf("%d %v %s", taken.status, err, taken.text)
	}
	secrets["new key"], secrets["password"] = strings.TrimPrefix(taken.key(), "dmk_"), password
	kit.Connect(t, s.MCP, taken.key())
	uma, err := logIn(t.Context(), o, "uma", "uma")
	if err != nil {
		t.Fatal(err)
	}
	if late, err := uma.open(t.Context(), token); err != nil || late.status != http.StatusNotFound {
		t.Fatalf("a used up link: %d %v", late.status, err)
	}
	admin.mustRevoke(id, "?connections=revoke")
	kit.Get(t, http.MethodGet, s.URL+kit.InvitesPath+"/"+token, "Authorization", "Bearer "+admin.key)
	if err := kit.RunJob(t.Context(), o, "expire_invites"); err != nil {
		t.Fatal(err)
	}

	_, _, metrics := kit.Get(t, http.MethodGet, s.URL+"/metrics")
	log, err := os.ReadFile(o.Server.LogFile())
	if err != nil {
		t.Fatal(err)
	}
	dump, err := o.Host.Dump(t.Context(), o.DB)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(token))
	places := map[string][]byte{
		"the service's log": []byte(s.Log()), "the metrics": []byte(metrics), "Odoo's log": log, "the database": []byte(dump),
		"the sessions and files": files(t, o.Text("data_dir")),
	}
	// What must be found, so that looking means something.
	for place, sign := range map[string]string{
		"the service's log": "/oauth/invite/[withheld]", "the metrics": "api_create", "Odoo's log": "/doorman/invite/open",
		"the database": hex.EncodeToString(digest[:]), "the sessions and files": hex.EncodeToString(digest[:]),
	} {
		if !bytes.Contains(places[place], []byte(sign)) {
			t.Errorf("%s does not hold %s: it was not looked at", place, sign)
		}
	}
	for name, secret := range secrets {
		for place, text := range places {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("the %s is in %s", name, place)
			}
		}
	}
	kit.NoErrors(t, o)
}

// files are all files of a folder, one after the other.
func files(t *testing.T, folder string) (all []byte) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			var text []byte
			text, err = os.ReadFile(path)
			all = append(all, text...)
		}
		if errors.Is(err, fs.ErrNotExist) { // of a database that another test has just dropped
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
