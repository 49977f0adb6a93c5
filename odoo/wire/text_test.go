package wire

import (
	"strings"
	"testing"
)

func TestCleanText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"You cannot delete it.":                                         "You cannot delete it.",
		"Line one.\n\n  Line two.\r\n":                                  "Line one.\nLine two.",
		"Update the price from 10 to 12.":                               "Update the price from 10 to 12.",
		"Select a partner from the list.":                               "Select a partner from the list.",
		"Nice.\nTraceback (most recent call last):\n  File \"x\"\nBoom": "Nice.",
		"Nice. Traceback (most\x00 recent call last):\nBoom":            "Nice.",
		"Cut short: Traceback (most":                                    "Cut short:",
		"  File \"/opt/odoo/a.py\", line 3, in f":                       "",
		"SELECT id FROM res_users WHERE login = 'x'":                    "",
		"Bad query: UPDATE \"res_partner\" SET x":                       "",
		"INSERT INTO res_partner VALUES (1)":                            "",
		"psycopg2.errors.UniqueViolation: duplicate":                    "",
		"DETAIL:  Key (login)=(x) already exists.":                      "",
		"LINE 1: select":                                                "",
		"see /opt/odoo/addons/sale/models/sale.py: x":                   "",
		"red \x1b[31mtext\x07":                                          "red [31mtext",
		"Paid.\ufe01\U000e0143\U000e0155":                               "Paid.",
		"Tags\U000e0070\U000e0061.":                                     "Tags.",
		"a\u3164\u2800\uffa0\u034f\u17b4\u2065\ufff0\U000e0080\u0378b":  "ab",
		"I ❤\ufe0f it":                                                  "I ❤\ufe0f it",
		"No ❤\ufe0f\ufe0f\ufe0f run":                                    "No ❤\ufe0f run",
		"right \u202eto left":                                           "right to left",
		"bad \xff bytes":                                                "bad  bytes",
		"":                                                              "",
	} {
		if got := CleanText(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := CleanText(strings.Repeat("ж", 5000)); len(got) > maxText+len("…") || !strings.HasSuffix(got, "ж…") {
		t.Errorf("%d bytes, ends %q", len(got), got[len(got)-6:])
	}
}
