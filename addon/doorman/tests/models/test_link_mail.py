from functools import partial
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.base.models.ir_mail_server import MailDeliveryException
from odoo.addons.mail.tests.common import MockEmail

from ..common import ROLES, DoormanCase
from ..invite_common import InviteMixin


@tagged("post_install", "-at_install")
class TestLinkMail(InviteMixin, MockEmail, DoormanCase):
    """Links that are secrets, by email: sent, and kept nowhere."""

    def setUp(self):
        super().setUp()
        self.admin = self.people["admin"]
        self.mine = self.connection.with_user(self.admin)

    def sent(self, run):
        """:return: the emails that left while something ran"""
        self.env.flush_all()
        with self.mock_mail_gateway(mail_unlink_sent=True):
            self.result = run()
            self.env.flush_all()
            return list(self._mails)

    def token_of(self, mail):
        _before, _hash, rest = mail["body"].partition("/doorman/pickup#")
        return rest.partition('"')[0]

    def everything(self):
        """All text that Odoo keeps of messages and emails."""
        self.env.cr.execute(
            "SELECT string_agg(coalesce(body, '') || coalesce(subject, ''), ' ') "
            "FROM mail_message"
        )
        kept = self.env.cr.fetchone()[0] or ""
        self.env.cr.execute(
            "SELECT string_agg(coalesce(body_html, ''), ' ') FROM mail_mail"
        )
        kept += self.env.cr.fetchone()[0] or ""
        self.env.cr.execute("SELECT string_agg(a::text, ' ') FROM doorman_audit a")
        return kept + (self.env.cr.fetchone()[0] or "")

    def test_a_pick_up_link(self):
        [mail] = self.sent(self.mine.action_email_pickup_link)
        self.assertEqual(mail["email_to"], ["user@example.com"])
        token = self.token_of(mail)
        self.assertGreater(len(token), 40)
        # Who pressed the button has not seen it.
        self.assertNotIn(token, str(self.result))
        self.assertNotIn(token, mail["subject"])
        self.assertNotIn(token, self.everything())
        self.assertFalse(
            self.env["mail.mail"].search([("model", "=", "doorman.pickup")])
        )
        self.env["doorman.pickup"].with_user(self.people["user2"])._pick_up(token)
        mine = self.env["doorman.pickup"].with_user(self.people["user"])
        self.assertTrue(mine._pick_up(token))

    def test_who_sends_one(self):
        for role in ROLES:
            connection = self.connection.with_user(self.people[role])
            with self.subTest(role), self.mock_mail_gateway(True):
                found = self.outcome(connection.action_email_pickup_link, undo=True)
                self.assertEqual(found, "allow" if role == "admin" else "deny")

    def test_one_that_cannot_be_sent_is_no_link(self):
        before = len(self.connection.pickup_ids)
        server = type(self.env["ir.mail_server"])

        def fail(*_args, **_kwargs):
            raise ConnectionError("no server")

        with self.assertRaises(UserError), self.env.cr.savepoint():
            with patch.object(server, "send_email", fail):
                self.mine.action_email_pickup_link()
        self.env.invalidate_all()
        self.assertEqual(len(self.connection.pickup_ids), before)
        self.assertFalse(
            self.env["mail.mail"].search([("model", "=", "doorman.pickup")])
        )

    def test_why_it_was_not_sent(self):
        """Odoo's error has two parts: they are read as one sentence."""

        def refuse(*_args, **_kwargs):
            raise MailDeliveryException("No mail server", OSError(111, "refused"))

        self.patch(type(self.env["mail.mail"]), "send", refuse)
        with self.assertRaises(UserError) as caught:
            self.mine.action_email_pickup_link()
        self.assertIn(
            "sent: No mail server: [Errno 111] refused", str(caught.exception)
        )

    def test_without_an_address(self):
        self.people["user"].email = False
        with self.assertRaisesRegex(UserError, "no email address"):
            self.mine.action_email_pickup_link()

    def test_in_their_language(self):
        self.env["res.lang"]._activate_lang("de_DE")
        template = self.env.ref("doorman.mail_template_pickup")
        template.with_context(lang="de_DE").subject = "Ihr Schlüssel"
        self.people["user"].lang = "de_DE"
        [mail] = self.sent(self.mine.action_email_pickup_link)
        self.assertEqual(mail["subject"], "Ihr Schlüssel")
        self.people["user"].lang = "en_US"
        [mail] = self.sent(self.mine.action_email_pickup_link)
        self.assertEqual(mail["subject"], "Your key for Tool of user")

    # ---- the same from the wizard and the REST API ----

    def wizard_for(self, **vals):
        wizards = self.env["doorman.connect.wizard"].with_user(self.admin)
        values = {
            "step": "key",
            "name": "By wizard",
            "user_id": self.people["user"].id,
            "email_link": True,
        }
        return wizards.create(values | vals)

    def made(self, name):
        return self.env["doorman.connection"].search([("name", "=", name)])

    def test_from_the_wizard(self):
        [mail] = self.sent(self.wizard_for().action_connect)
        self.assertEqual(mail["email_to"], ["user@example.com"])
        token = self.token_of(mail)
        self.assertNotIn(token, str(self.result))
        self.assertNotIn(token, self.everything())
        self.assertTrue(self.made("By wizard").pickup_pending)
        mine = self.env["doorman.pickup"].with_user(self.people["user"])
        self.assertTrue(mine._pick_up(token))

    def test_what_the_wizard_does_not_send(self):
        """One's own key is shown, and so is one that is handed over."""
        for vals in ({"user_id": self.admin.id}, {"handover": "self"}):
            wizard = self.wizard_for(**vals)
            with self.subTest(vals=vals):
                self.assertFalse(self.sent(wizard.action_connect))
                self.assertIn("default_key", self.result["context"])

    def test_the_wizard_makes_nothing_that_it_cannot_send(self):
        self.people["user"].email = False
        with self.assertRaisesRegex(UserError, "no email address"):
            with self.env.cr.savepoint():
                self.wizard_for().action_connect()
        self.assertFalse(self.made("By wizard"))

    def api(self, role, method, *args):
        connections = self.env["doorman.connection"].with_user(self.people[role])
        return getattr(connections, method)(*args)

    def values(self, **vals):
        user = self.people["user"].login
        scopes = ["mcp:metadata", "mcp:search"]
        return {"name": "By API", "user": user, "scopes": scopes} | vals

    def test_from_the_api(self):
        values = self.values(deliver="email")
        [mail] = self.sent(partial(self.api, "admin", "api_connect", values))
        self.assertEqual(mail["email_to"], ["user@example.com"])
        self.assertNotIn("error", self.result)
        self.assertIsNone(self.result["pickup_url"])
        self.assertIsNone(self.result["key"])
        self.assertTrue(self.result["pickup_expires_at"])
        self.assertNotIn(self.token_of(mail), self.everything())
        ident = self.result["connection"]["id"]
        rotate = ("api_rotate", ident, 0, "email")
        [again] = self.sent(partial(self.api, "admin", *rotate))
        self.assertIsNone(self.result["pickup_url"])
        # Of several links, the last one works.
        mine = self.env["doorman.pickup"].with_user(self.people["user"])
        self.assertIsNone(mine._pick_up(self.token_of(mail)))
        self.assertTrue(mine._pick_up(self.token_of(again)))

    def test_what_the_api_does_not_send(self):
        ident = self.connection.id
        rows = (
            ("user", "forbidden", "api_connect", self.values(deliver="email")),
            ("internal", "forbidden", "api_connect", self.values(deliver="email")),
            ("user", "forbidden", "api_rotate", ident, 0, "email"),
            ("admin", "invalid_input", "api_connect", self.values(deliver="mail")),
            ("admin", "invalid_input", "api_rotate", ident, 0, "key"),
            ("admin", "invalid_input", "api_rotate", ident, 0, None),
        )
        for role, code, *call in rows:
            with self.subTest(role=role, call=call):
                self.assertFalse(self.sent(partial(self.api, role, *call)))
                self.assertEqual(self.result["error"]["code"], code)
        self.people["user"].email = False
        for call in (
            ("api_connect", self.values(deliver="email")),
            ("api_rotate", ident, 0, "email"),
        ):
            with self.subTest(call=call):
                self.assertFalse(self.sent(partial(self.api, "admin", *call)))
                self.assertEqual(self.result["error"]["code"], "invalid_input")
                self.assertIn("no email address", self.result["error"]["message"])
        self.assertFalse(self.made("By API"))
        self.assertFalse(self.connection.pickup_ids)

    # ---- invites ----

    def wizard(self, **vals):
        wizards = self.env["doorman.invite.wizard"].with_user(self.admin)
        return wizards.create({"max_uses": 3} | vals)

    def test_an_invite(self):
        wizard = self.wizard(email_to="Ann@Example.com, Bob <bob@example.com>,")
        mails = self.sent(wizard.action_create_invite)
        self.assertEqual(
            [mail["email_to"] for mail in mails],
            [["ann@example.com"], ["bob@example.com"]],
        )
        dialog = self.result["context"]
        self.assertEqual(dialog["default_sent_to"], "ann@example.com, bob@example.com")
        link = dialog["default_link"]
        token = link.rpartition("#")[2].rpartition("/")[2]
        for mail in mails:
            self.assertIn(link, mail["body"])
            self.assertNotIn(
                "bob" if "ann" in mail["email_to"][0] else "ann@", mail["body"]
            )
        self.assertNotIn(token, self.everything())
        self.assertFalse(
            self.env["mail.mail"].search([("model", "=", "doorman.invite")])
        )
        [invite] = self.env["doorman.invite"].search([])
        self.assertIn("ann@example.com", invite.message_ids[0].body)

    def test_an_invite_to_nobody(self):
        self.assertEqual(self.sent(self.wizard().action_create_invite), [])
        self.assertFalse(self.result["context"]["default_sent_to"])

    def test_bad_addresses(self):
        many = ", ".join(f"p{n}@example.com" for n in range(21))
        for typed in ("nobody", "ann@example.com, nobody", many):
            with self.subTest(typed), self.assertRaises(UserError):
                self.wizard(email_to=typed).action_create_invite()
        self.assertFalse(self.env["doorman.invite"].search([]))

    def test_an_invite_in_the_language_of_an_account(self):
        self.env["res.lang"]._activate_lang("de_DE")
        template = self.env.ref("doorman.mail_template_invite")
        template.with_context(lang="de_DE").subject = "Einladung"
        self.people["internal"].lang = "de_DE"
        wizard = self.wizard(email_to="internal@example.com, new@example.com")
        german, english = self.sent(wizard.action_create_invite)
        self.assertEqual(german["subject"], "Einladung")
        self.assertIn("Your AI tool", english["subject"])

    def test_a_template_that_names_others(self):
        """A person who changes a template adds nobody."""
        template = self.env.ref("doorman.mail_template_invite")
        template.write({"email_cc": "evil@example.com", "email_to": "evil@example.com"})
        [mail] = self.sent(self.wizard(email_to="ann@example.com").action_create_invite)
        self.assertNotIn("evil", f"{mail['email_to']} {mail['email_cc']}")
