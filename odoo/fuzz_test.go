package odoo

import (
	"strings"
	"testing"

	"doorman/odoo/transport"
)

// FuzzWords: whatever exception Odoo reports, and however a call failed, the words are there, bounded, and no traceback.
func FuzzWords(f *testing.F) {
	for class := transport.NoAnswer; class <= transport.BadRequest; class++ {
		f.Add(int(class), "", "", 0, true)
	}
	for _, name := range []string{"odoo.exceptions.UserError", "builtins.ValueError", "psycopg2.OperationalError", "x\x1b[2J", "."} {
		f.Add(int(transport.Fault), name, "No.\nTraceback (most recent call last)\n  File \"/opt/x.py\"\nUPDATE \"a\"", 200, true)
	}
	c, err := New(Config{URL: "http://odoo.test", Database: "d", Key: "k"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, class int, name, message string, status int, sent bool) {
		failed := &transport.Failure{Class: transport.Class(class), Name: name, Message: message, Status: status, Sent: sent}
		for _, method := range []string{"call", "resolve", "approval_status"} {
			e := c.errorOf(failed, job{method: method})
			if e.Message == "" || len(e.Message) > maxWords || len(e.Detail) > maxWords || strings.Contains(e.Error(), "Traceback (most") {
				t.Fatalf("%+v", e)
			}
		}
	})
}

const maxWords = 1700 // the limit of texts in package wire, and what is said around it
