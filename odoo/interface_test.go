package odoo_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"doorman/odoo"
	"doorman/odoo/odootest"
	"doorman/server/access"
)

// fitting is an addon that this service can work with.
var fitting = odootest.Addon{Interface: access.Interface, Code: "19.0.0.2.0", Database: "19.0.0.2.0"}

// misfits are the addons that it cannot work with.
var misfits = []struct {
	name  string
	addon odootest.Addon
	says  string // what is wrong
	cure  string
	shows string // for the operator
}{
	{"0.1.0, which says no interface", odootest.Addon{Interface: 1, Code: "19.0.0.1.0", Database: "19.0.0.1.0"},
		"its addon in Odoo is older than the service", "odoo -u doorman", "addon 19.0.0.1.0 speaks 1"},
	{"a later one", odootest.Addon{Interface: access.Interface + 1, Code: "19.0.9.0.0", Database: "19.0.9.0.0"},
		"the service is older than its addon", "update the service", "addon 19.0.9.0.0 speaks " + strconv.Itoa(access.Interface+1)},
	{"a later one with a renamed argument", odootest.Addon{Interface: access.Interface + 1, Code: "19.0.9.0.0", Database: "19.0.9.0.0", Renamed: []string{"call", "resolve"}},
		"the service is older than its addon", "update the service", "speaks"},
	{"an earlier one with a renamed argument", odootest.Addon{Interface: 1, Code: "19.0.0.1.0", Database: "19.0.0.1.0", Renamed: []string{"call", "resolve"}},
		"its addon in Odoo is older than the service", "odoo -u doorman", "speaks 1"},
	{"code that is newer than its database", odootest.Addon{Interface: access.Interface, Code: "19.0.0.10.0", Database: "19.0.0.9.0"},
		"the addon's code is newer than its database", "odoo -u doorman", "code 19.0.0.10.0, database 19.0.0.9.0"},
	{"code that is older than its database", odootest.Addon{Interface: access.Interface, Code: "19.0.0.2.0", Database: "19.0.0.3.0"},
		"the addon's code is older than its database", "restart them", "code 19.0.0.2.0, database 19.0.0.3.0"},
}

// otherInterface makes every request one of a service of interface 1: over the addon's own endpoint and JSON-2 by a header,
// over the others by the context.
type otherInterface struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (o otherInterface) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	stated := regexp.MustCompile(`(doorman_interface"?[^0-9]*)\d+`)
	body = stated.ReplaceAll(body, []byte("${1}1"))
	again := r.Clone(r.Context())
	again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	again.Header.Set("X-Doorman-Interface", "1")
	return o.next.RoundTrip(again)
}

// strangers are databases that this service does not work with.
var strangers = []struct {
	name  string
	addon odootest.Addon
	says  string
	shows string
}{
	{"a copy", odootest.Addon{CopyOf: "prod"}, "is a copy of another one", "is a copy of prod"},
	{"another database", odootest.Addon{ID: "another"}, "A different Odoo database answers than before", "now it is"},
}

// TestStrangers: a copied database, and another one than before, get no call by any way; the right one does again.
func TestStrangers(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		for _, row := range strangers {
			t.Run(transport+"/"+row.name, func(t *testing.T) {
				t.Parallel()
				s := odootest.New(t)
				s.Become(fitting)
				c := newClient(t, s, transport, greeting)
				if _, err := c.Hello(t.Context()); err != nil {
					t.Fatal(err)
				}
				stranger := fitting
				stranger.ID, stranger.CopyOf = row.addon.ID, row.addon.CopyOf
				s.Become(stranger)
				_, err := c.Hello(t.Context())
				e := wantKind(t, err, access.OdooUnavailable)
				if !strings.Contains(e.Message, row.says) || !strings.Contains(e.Detail, row.shows) || e.Hint == "" || e.RetryAfter <= 0 {
					t.Errorf("%q (%s), hint %q, retry %s", e.Message, e.Detail, e.Hint, e.RetryAfter)
				}
				calls := s.Count("resolve")
				_, err = c.Resolve(t.Context(), access.Proof{})
				if e := wantKind(t, err, access.OdooUnavailable); !strings.Contains(e.Message, row.says) || s.Count("resolve") != calls {
					t.Errorf("%v, sent %d", e, s.Count("resolve")-calls)
				}
				s.Become(fitting)
				if _, err := c.Hello(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func greeting(c *odoo.Config) { c.Greet = true }

// TestMisfit: an addon that does not fit is told from one that does, by hello and by every call, by every way.
func TestMisfit(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		for _, row := range misfits {
			t.Run(transport+"/"+row.name, func(t *testing.T) {
				t.Parallel()
				s := odootest.New(t)
				s.Become(row.addon)
				c := newClient(t, s, transport, greeting)
				_, err := c.Hello(t.Context())
				e := wantKind(t, err, access.Updating)
				if !strings.Contains(e.Message, row.says) || !strings.Contains(e.Hint, row.cure) ||
					!strings.Contains(e.Detail, row.shows) || e.RetryAfter <= 0 {
					t.Errorf("hello: %v; %s; %s", e, e.Hint, e.Detail)
				}
				_, err = c.Resolve(t.Context(), access.ProofOf(odootest.DefaultCredential))
				if e := wantKind(t, err, access.Updating); !strings.Contains(e.Message, row.says) || e.RetryAfter <= 0 {
					t.Errorf("resolve: %v", e)
				}
				_, err = c.Admin(t.Context(), odootest.DefaultPersonKey, "api_list", nil)
				_ = wantKind(t, err, access.Updating)
				if n := s.Count("resolve") + s.Count("api_list"); n != 0 {
					t.Errorf("%d calls were sent to an addon that does not fit", n)
				}
			})
		}
	}
}

// TestMisfitAtTheFirstCall: a client that has heard nothing yet asks first, and sends no call to an addon that does not fit.
func TestMisfitAtTheFirstCall(t *testing.T) {
	t.Parallel()
	for _, row := range misfits {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := odootest.New(t)
			s.Become(row.addon)
			c := newClient(t, s, odoo.TransportDoorman, greeting)
			_, err := c.Resolve(t.Context(), access.ProofOf(odootest.DefaultCredential))
			_ = wantKind(t, err, access.Updating)
			if s.Count("resolve") != 0 || s.Count("hello") != 1 {
				t.Errorf("%d calls and %d hellos were sent", s.Count("resolve"), s.Count("hello"))
			}
		})
	}
}

// TestUpdatedMeanwhile: an update shows at the next call, in both directions, without a restart and without a heartbeat.
func TestUpdatedMeanwhile(t *testing.T) {
	t.Parallel()
	proof := access.ProofOf(odootest.DefaultCredential)
	for _, row := range misfits {
		if row.addon.Interface == 1 && row.addon.Renamed == nil {
			continue // it takes the calls as ever, until the heartbeat tells
		}
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := odootest.New(t)
			s.Become(fitting)
			c := newClient(t, s, odoo.TransportDoorman, greeting)
			if _, err := c.Resolve(t.Context(), proof); err != nil {
				t.Fatal(err)
			}
			s.Become(row.addon)
			_, err := c.Resolve(t.Context(), proof)
			_ = wantKind(t, err, access.Updating)
			s.Become(fitting)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			for tick := time.NewTicker(20 * time.Millisecond); ; {
				if _, err = c.Resolve(ctx, proof); err == nil {
					return
				}
				select {
				case <-tick.C:
				case <-ctx.Done():
					t.Fatal("it fits again, and calls are refused: ", err)
				}
			}
		})
	}
}

// TestNoCallPaysForTheHandshake: one hello at the start, then a request a call.
func TestNoCallPaysForTheHandshake(t *testing.T) {
	t.Parallel()
	s := odootest.New(t)
	c := newClient(t, s, odoo.TransportDoorman, greeting)
	for range 20 {
		if _, err := c.Resolve(t.Context(), access.ProofOf(odootest.DefaultCredential)); err != nil {
			t.Fatal(err)
		}
	}
	if s.Count("hello") != 1 || s.Total() != 21 {
		t.Errorf("%d hellos, %d requests", s.Count("hello"), s.Total())
	}
}

// TestOneInterface: the service and the addon of this repository speak the same one.
func TestOneInterface(t *testing.T) {
	t.Parallel()
	var said []string
	err := filepath.WalkDir("../addon/doorman/policy", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() != "shared.py" {
			return err
		}
		text, err := os.ReadFile(path)
		for _, found := range regexp.MustCompile(`(?m)^INTERFACE = (\d+)$`).FindAllSubmatch(text, -1) {
			said = append(said, string(found[1]))
		}
		return err
	})
	if err != nil || len(said) != 1 || said[0] != strconv.Itoa(access.Interface) {
		t.Errorf("the addon says %q, the service %d: %v", said, access.Interface, err)
	}
}
