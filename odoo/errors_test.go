package odoo

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/kolo/xmlrpc"

	"doorman/server/access"
)

func TestFaultKinds(t *testing.T) {
	t.Parallel()
	c, err := New(Config{URL: "http://odoo.test", Database: "d", Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
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
		{"builtins.ValueError", "Invalid field 'x' on 'res.partner'", access.InvalidInput, "Odoo could not make sense of the arguments: Invalid field 'x' on 'res.partner'."},
		{"builtins.KeyError", "'x'", access.InvalidInput, "Odoo could not make sense of the arguments: 'x'."},
		{"builtins.TypeError", "bad /usr/lib/python3/x y", access.InvalidInput, "Odoo could not make sense of the arguments: bad … y."},
		{"TypeError", "", access.InvalidInput, "Odoo could not make sense of the arguments."},
		{"builtins.AttributeError", "'NoneType' object has no attribute 'id'", access.Internal, ""},
		{"psycopg2.errors.UndefinedTable", "relation x does not exist", access.Internal, ""},
		{"odoo.addons.sale.Weird", "secret", access.Internal, ""},
		{"InternalError", "Internal error", access.Internal, ""},
		{"", "x", access.Internal, ""},
	} {
		e := c.errorOf(exception{Name: row.name, Message: row.message}.fault(200), "call")
		if e.Kind != row.kind || row.says != "" && e.Message != row.says || row.says == "" && strings.Contains(e.Error(), row.message) && row.message != "" && row.message != "x" {
			t.Errorf("%s: %v", row.name, e)
		}
		if row.kind == access.Conflict && e.RetryAfter == 0 {
			t.Errorf("%s: no retry time", row.name)
		}
	}
}

// TestEveryClassHasWords: a class without a case would fall into "internal" unseen.
func TestEveryClassHasWords(t *testing.T) {
	t.Parallel()
	c, _ := New(Config{URL: "http://odoo.test", Database: "d", Key: "k"})
	for cls := clsNoAnswer; cls <= clsBadRequest; cls++ {
		for _, sent := range []bool{true, false} {
			e := c.errorOf(&failure{class: cls, sent: sent}, "call")
			if e.Message == "" || cls != clsFault && e.Kind == access.Internal {
				t.Errorf("class %d: %v", cls, e)
			}
			if !sent && strings.Contains(e.Message, "may or may not") {
				t.Errorf("class %d: %q, but it was not sent", cls, e.Message)
			}
			if e := c.errorOf(&failure{class: cls, sent: sent}, "resolve"); strings.Contains(e.Message, "may or may not") {
				t.Errorf("class %d: %q of a read", cls, e.Message)
			}
		}
	}
}

func TestCleanText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"You cannot delete it.":                                         "You cannot delete it.",
		"Line one.\n\n  Line two.\r\n":                                  "Line one.\nLine two.",
		"Update the price from 10 to 12.":                               "Update the price from 10 to 12.",
		"Select a partner from the list.":                               "Select a partner from the list.",
		"Nice.\nTraceback (most recent call last):\n  File \"x\"\nBoom": "Nice.",
		"  File \"/opt/odoo/a.py\", line 3, in f":                       "",
		"SELECT id FROM res_users WHERE login = 'x'":                    "",
		"Bad query: UPDATE \"res_partner\" SET x":                       "",
		"INSERT INTO res_partner VALUES (1)":                            "",
		"psycopg2.errors.UniqueViolation: duplicate":                    "",
		"DETAIL:  Key (login)=(x) already exists.":                      "",
		"LINE 1: select":                                                "",
		"see /opt/odoo/addons/sale/models/sale.py: x":                   "",
		"red \x1b[31mtext\x07":                                          "red [31mtext",
		"right \u202eto left":                                           "right to left",
		"bad \xff bytes":                                                "bad  bytes",
		"":                                                              "",
	} {
		if got := cleanText(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := cleanText(strings.Repeat("ж", 5000)); len(got) > maxText+len("…") || !strings.HasSuffix(got, "ж…") {
		t.Errorf("%d bytes, ends %q", len(got), got[len(got)-6:])
	}
}

func TestTracebackException(t *testing.T) {
	t.Parallel()
	stack := "Traceback (most recent call last):\n  File \"/x.py\", line 1, in f\n    raise ValueError: no\n"
	for in, want := range map[string]string{
		stack + "psycopg2.errors.QueryCanceled: canceling statement due to statement timeout\n": "psycopg2.errors.QueryCanceled",
		stack + "ValueError: x\nLINE 1: y\n":                                                    "ValueError",
		stack + "KeyError: 'a'":                                                                 "KeyError",
		stack + "odoo.exceptions.ConcurrencyError\n":                                            "odoo.exceptions.ConcurrencyError",
		stack + "psycopg2.OperationalError: first\nDETAIL: second line":                         "psycopg2.OperationalError",
		"":                "unknown",
		"nothing like it": "unknown",
		stack:             "unknown",
	} {
		if got := faultFailure(xmlrpc.FaultError{Code: 1, String: in}).name; got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestASCIIJSON(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"plain", "ёж", "🦔 \u2028 \ufffe \uffff", "<&>\"\\\x01", "\U0010ffff"} {
		b, _ := json.Marshal(s)
		text := asciiJSON(b)
		var back string
		if err := json.Unmarshal([]byte(text), &back); err != nil || back != s {
			t.Errorf("%q: %q, %v", s, back, err)
		}
		for _, r := range text {
			if r > 0x7e || r < ' ' {
				t.Errorf("%q holds %q", text, r)
			}
		}
	}
}

func TestKeyNeverPrints(t *testing.T) {
	t.Parallel()
	c := Config{Key: "hunter2hunter2"}
	js, _ := json.Marshal(map[string]any{"key": c.Key})
	for _, s := range []string{
		fmt.Sprint(c), fmt.Sprintf("%v %+v %#v %s %q %x %X", c, c, c, c.Key, c.Key, c.Key, c.Key),
		string(js), c.Key.String(), c.Key.GoString(),
	} {
		if strings.Contains(s, "hunter2") || strings.Contains(strings.ToLower(s), "68756e746572") {
			t.Errorf("printed: %s", s)
		}
	}
}
