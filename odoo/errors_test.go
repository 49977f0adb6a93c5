package odoo

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"doorman/odoo/transport"
	"doorman/server/access"
)

// raises is a client of an Odoo that answers every call with one exception.
func raises(t *testing.T, name, message string) *Client {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"id": 1, "error": map[string]any{"message": "Odoo Server Error", "data": map[string]any{"name": name, "message": message}},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(Config{URL: "http://odoo.test", Database: "d", Key: "k", RoundTripper: roundTrip(func([]byte) (*http.Response, error) {
		return reply(200, body)
	})})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFaultKinds(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, message string
		kind          access.Kind
		says          string // "" = anything but the message
	}{
		{"odoo.exceptions.UserError", "You cannot do this.", access.BusinessRule, "You cannot do this."},
		{"odoo.exceptions.ValidationError", "The date is wrong.\nChoose another.", access.BusinessRule, "The date is wrong.\nChoose another."},
		{"odoo.exceptions.RedirectWarning", "Configure it first.", access.BusinessRule, "Configure it first."},
		{"odoo.exceptions.AccessError", "You are not allowed.", access.Forbidden, "You are not allowed."},
		{"odoo.exceptions.MissingError", "Record does not exist.", access.NotFound, "Record does not exist."},
		{"odoo.exceptions.LockError", "locked", access.Conflict, ""},
		{"odoo.exceptions.ConcurrencyError", "x", access.Conflict, ""},
		{"psycopg2.errors.SerializationFailure", "could not serialize", access.Conflict, ""},
		{"psycopg2.errors.DeadlockDetected", "deadlock", access.Conflict, ""},
		{"psycopg2.errors.LockNotAvailable", "lock", access.Conflict, ""},
		{"psycopg2.extensions.TransactionRollbackError", "x", access.Conflict, ""},
		{"psycopg2.errors.QueryCanceled", "canceling statement", access.OdooTimeout, ""},
		{"psycopg2.extensions.QueryCanceledError", "x", access.OdooTimeout, ""},
		{"psycopg2.OperationalError", "server closed the connection", access.OdooUnavailable, ""},
		{"psycopg2.InterfaceError", "cursor already closed", access.OdooUnavailable, ""},
		{"odoo.sql_db.PoolError", "The Connection Pool Is Full", access.OdooUnavailable, ""},
		{"psycopg2.OperationalError", `FATAL:  database "x" does not exist`, access.OdooUnavailable, "The Doorman addon does not answer in Odoo."},
		{"odoo.exceptions.AccessDenied", "Access Denied", access.OdooUnavailable, "Odoo refused Doorman's own key."},
		{"werkzeug.exceptions.Unauthorized", "Invalid apikey", access.OdooUnavailable, "Odoo refused Doorman's own key."},
		{"werkzeug.exceptions.NotFound", "x", access.OdooUnavailable, "The Doorman addon does not answer in Odoo."},
		{"builtins.ValueError", "Invalid field 'x' on 'res.partner'", access.InvalidInput, "Odoo did not understand the arguments: Invalid field 'x' on 'res.partner'."},
		{"builtins.KeyError", "'x'", access.InvalidInput, "Odoo did not understand the arguments: 'x'."},
		{"builtins.TypeError", "bad /usr/lib/python3/x y", access.InvalidInput, "Odoo did not understand the arguments: bad … y."},
		{"TypeError", "", access.InvalidInput, "Odoo did not understand the arguments."},
		{"builtins.AttributeError", "'NoneType' object has no attribute 'id'", access.Internal, ""},
		{"psycopg2.errors.UndefinedTable", "relation x does not exist", access.Internal, ""},
		{"odoo.addons.sale.Weird", "secret", access.Internal, ""},
		{"InternalError", "Internal error", access.Internal, ""},
	} {
		_, err := raises(t, row.name, row.message).Call(t.Context(), access.Fence{Connection: 1}, access.Request{Model: "m", Method: "f"})
		e := access.AsError(err)
		if e.Kind != row.kind || row.says != "" && e.Message != row.says || row.says == "" && strings.Contains(e.Error(), row.message) && row.message != "" && row.message != "x" {
			t.Errorf("%s: %v", row.name, e)
		}
		if row.kind == access.Conflict && e.RetryAfter == 0 {
			t.Errorf("%s: no retry time", row.name)
		}
	}
	c := raises(t, "", "")
	if e := c.errorOf(&transport.Failure{Class: transport.Fault, Sent: true, Message: "x"}, job{method: "call"}); e.Kind != access.Internal {
		t.Errorf("an exception without a name: %v", e)
	}
}

// TestEveryClassHasWords: a class without a case would fall into "internal" unseen.
func TestEveryClassHasWords(t *testing.T) {
	t.Parallel()
	c, _ := New(Config{URL: "http://odoo.test", Database: "d", Key: "k"})
	for cls := transport.NoAnswer; cls <= transport.BadRequest; cls++ {
		for _, sent := range []bool{true, false} {
			e := c.errorOf(&transport.Failure{Class: cls, Sent: sent}, job{method: "call"})
			if e.Message == "" || cls != transport.Fault && e.Kind == access.Internal {
				t.Errorf("class %d: %v", cls, e)
			}
			if !sent && strings.Contains(e.Message, "may or may not") {
				t.Errorf("class %d: %q, but it was not sent", cls, e.Message)
			}
			for _, read := range []job{{method: "resolve"}, {method: "call", harmless: true}, {method: "call", harmless: true, keyed: true}} {
				if e := c.errorOf(&transport.Failure{Class: cls, Sent: sent}, read); strings.Contains(e.Message+e.Hint, "may or may not") || strings.Contains(e.Hint, "idempotency_key") {
					t.Errorf("class %d: %q of a read", cls, e.Message)
				}
			}
			keyed := c.errorOf(&transport.Failure{Class: cls, Sent: sent}, job{method: "call", keyed: true})
			if lost := strings.Contains(keyed.Message, "may or may not"); lost != strings.Contains(keyed.Hint, "same idempotency_key") {
				t.Errorf("class %d: %q %q", cls, keyed.Message, keyed.Hint)
			}
		}
	}
}
