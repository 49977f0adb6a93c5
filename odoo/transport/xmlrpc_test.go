package transport

import (
	"encoding/json"
	"testing"

	"github.com/kolo/xmlrpc"
)

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
		if got := faultFailure(xmlrpc.FaultError{Code: 1, String: in}).Name; got != want {
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
