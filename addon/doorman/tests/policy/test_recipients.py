from odoo.tests import BaseCase, tagged

from ...policy import recipients

LIST = "example.com, *.partner.example  # all of them\nbücher.example"
ALLOWED = (
    "a@example.com",
    "A.B+c@EXAMPLE.COM",
    "a@example.com.",
    "Ann <a@example.com>",
    '"Ann, of Sales" <a@example.com>',
    '"a@example.com" <a@example.com>',
    "a@example.com, b@example.com; c@x.partner.example",
    "a@x.y.partner.example",
    "a@ｅxample.com",
    "a@bücher.example",
    "a@BÜCHER.example",
    "a@xn--bcher-kva.example",
    "colleague@elsewhere.example",
    "Colleague <COLLEAGUE@elsewhere.example>",
)
REFUSED = (
    # the name in front says something else
    '"a@example.com" <b@evil.example>',
    "a@example.com <b@evil.example>",
    '"Ann <a@example.com>" <b@evil.example>',
    '"colleague@elsewhere.example" <b@evil.example>',
    "b@evil.example <a@example.com>",
    # a domain that begins or ends like it
    "a@example.com.evil.example",
    "a@evil-example.com",
    "a@evilexample.com",
    "a@example.com-evil.example",
    "a@example.co",
    "a@sub.example.com",
    "a@partner.example",
    "a@xpartner.example",
    "a@x.partner.example.evil.example",
    # letters that look alike
    "a@еxample.com",
    "a@exаmple.com",
    "a@xn--xample-2of.com",
    "a@bucher.example",
    # several in one text
    "a@example.com, b@evil.example",
    "a@example.com;b@evil.example",
    "a@example.com b@evil.example",
    "a@example.com\nb@evil.example",
    "a@example.com，b@evil.example",
    "a@example.com<b@evil.example>",
    # sent on by a server
    "b%evil.example@example.com",
    "evil.example!b@example.com",
    "<@evil.example:a@example.com>",
    "b@evil.example@example.com",
    "a@example.com@evil.example",
    # no domain
    "a@[192.0.2.1]",
    "a@192.0.2.1",
    "a@",
    "@example.com",
    "a@example_.com",
    "a@example.com\0.evil.example",
    "a@example..com",
    "a@" + "x" * 300 + ".com",
    "undisclosed-recipients:;",
    "nobody",
)
NO_LIST = (
    "*",
    "*.com",
    "com",
    "localhost",
    "*.*.com",
    "a b.com",
    "http://example.com",
    "ann@example.com",
    "exa_mple.com",
    "-a.com",
    ".com",
    "example..com",
    "*example.com",
    "a@*.example.com",
    "x" * 64 + ".com",
)


@tagged("post_install", "-at_install")
class TestRecipients(BaseCase):
    """Addresses held against a list of domains, however they are written."""

    def unfit(self, text):
        inside = {"colleague@elsewhere.example"}
        return recipients.unfit(recipients.parse(LIST), text, inside)

    def test_allowed(self):
        for text in ALLOWED:
            with self.subTest(text=text):
                self.assertEqual(self.unfit(text), [])

    def test_refused(self):
        self.assertGreater(len(REFUSED), len(ALLOWED))
        for text in REFUSED:
            with self.subTest(text=text):
                self.assertTrue(self.unfit(text))

    def test_what_is_told(self):
        text = "a@example.com, Bob <b@evil.example>; c@x.example"
        self.assertEqual(self.unfit(text), ["b@evil.example", "c@x.example"])

    def test_lists(self):
        self.assertEqual(
            recipients.parse(LIST),
            {"example.com", "*.partner.example", "xn--bcher-kva.example"},
        )
        self.assertEqual(recipients.parse("@Example.COM,\n\n # none"), {"example.com"})
        for nothing in (None, False, "", " \n", "# none", ","):
            self.assertEqual(recipients.parse(nothing), frozenset())
        for written in NO_LIST:
            with self.subTest(written=written):
                with self.assertRaises(ValueError):
                    recipients.parse(written)
                line = recipients.wrong_line(f"example.com\n{written}")
                self.assertEqual(line, (2, written))
        self.assertIsNone(recipients.wrong_line(LIST))
