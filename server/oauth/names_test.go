package oauth_test

import (
	"net/http"
	"testing"
)

// TestNamesWithEmoji: what shows nothing by itself may stand in a name where it belongs.
func TestNamesWithEmoji(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, name := range []string{`I \u2764\ufe0f Odoo`, `\ud83d\udc69\u200d\ud83d\udc66`, `\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645`} {
		if a := s.register(`{"client_name":"` + name + `","redirect_uris":["` + webURI + `"]}`); a.status != http.StatusCreated {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}
