from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from .test_outward import OutwardCase
from .test_send_document import LETTER


@tagged("post_install", "-at_install")
class TestRecipientDomains(OutwardCase):
    """Emails go to the domains of the policy, and to colleagues."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connection.write({"recipient_domains": "good.example\n*.partner.example"})

    def setUp(self):
        super().setUp()
        self.connection.approve_outward = False

    def refused(self, run, *addresses):
        """Nothing may have left, and it says what does not fit."""
        before = self.env["doorman.approval"].search_count([])
        answer = self.nothing_left(run)
        self.assertEqual(self.env["doorman.approval"].search_count([]), before)
        self.assertIn("error", answer, answer)
        self.assertEqual(answer["error"]["code"], "recipient_not_allowed", answer)
        self.assertEqual(answer["error"]["kind"], "not_allowed")
        for address in addresses:
            self.assertIn(address, answer["error"]["message"])
        self.assertEqual(self.rows()[0]["outcome"], "refused")
        return answer["error"]["message"]

    def mail(self, **vals):
        """The time in which a method makes a row of the mail queue."""
        vals = {"body_html": "x"} | vals
        return self.doing_this(lambda env: env["mail.mail"].sudo().create(vals))

    # ---- the tools ----

    def test_send_document(self):
        self.refused(self.send, "ada@acme.example")
        self.refused(lambda: self.send(template=LETTER, more={"dry_run": True}))
        for emails in (
            ["new@evil.example"],
            ["ok@good.example", "new@evil.example"],
            ["a@good.example.evil.example"],
            ["a@partner.example"],
        ):
            self.refused(
                lambda emails=emails: self.send(subject="S", body="B", emails=emails),
                emails[-1],
            )
        self.goes(
            lambda: self.send(
                subject="S",
                body="B",
                emails=["New@GOOD.example", "x@sales.partner.example"],
            )
        )
        self.goes(lambda: self.send(template=LETTER, partner_ids=self.colleague.ids))

    def test_messages(self):
        self.acme.message_subscribe(self.beta.ids)
        self.refused(lambda: self.post(body="Hi", kind="comment"), "bob@beta.example")
        self.refused(lambda: self.post(body="Hi", partner_ids=self.beta.ids))
        both = [self.beta.id, self.colleague.id]
        self.refused(lambda: self.post(body="Hi", partner_ids=both))
        self.goes(lambda: self.post(body="A note"))
        self.goes(lambda: self.post(body="Hi", partner_ids=self.colleague.ids))
        self.beta.email = "bob@good.example"
        self.goes(lambda: self.post(body="Hi", kind="comment"))

    def test_portal_users_are_outside(self):
        portal = self.people["portal"].partner_id
        portal.email = "p@elsewhere.example"
        self.refused(lambda: self.post(body="Hi", partner_ids=portal.ids))
        portal.email = "p@good.example"
        self.goes(lambda: self.post(body="Hi", partner_ids=portal.ids))

    # ---- whatever code does ----

    def test_what_code_sends(self):
        for name, way in self.ways().items():
            with self.subTest(name), self.doing_this(way):
                self.refused(self.press)

    def test_what_code_sends_to_where_it_may(self):
        self.beta.email = self.acme.email = "x@good.example"
        for name, way in self.ways().items():
            if "evil" in name or name in (
                "a row in the queue",
                "one that is gone by the end",
                "one whose message is gone",
                "hidden among colleagues",
                "no address at all",
            ):
                continue  # these are to e@evil.example, or to nobody
            with self.subTest(name), self.doing_this(way):
                self.goes(self.press)

    def test_addresses_as_they_are_written(self):
        evil = (
            {"email_to": '"a@good.example" <b@evil.example>'},
            {"email_to": "a@good.example, b@evil.example"},
            {"email_to": "a@good.example", "email_cc": "b@evil.example"},
            {"email_to": "a@good.example", "reply_to": "b@evil.example"},
            {"email_to": '"user2@example.com" <b@evil.example>'},
            {"email_to": "a@g\u043eod.example"},
        )
        good = (
            {"email_to": '"Ann" <A@Good.Example>'},
            {"email_to": "a@good.example, b@x.partner.example"},
            {"email_to": "a@good.example", "email_cc": "USER2@example.com"},
            {"email_to": "a@good.example", "reply_to": "info@our.example"},
            {"email_to": "a@good.example", "reply_to": "user@example.com"},
        )
        self.assertGreater(len(evil), len(good))
        for vals in evil:
            with self.subTest(vals=vals), self.mail(**vals):
                self.refused(self.press)
        for vals in good:
            with self.subTest(vals=vals), self.mail(**vals):
                self.goes(self.press)

    def test_several_addresses_of_one_contact(self):
        """Odoo takes the first one for the contact's, and writes to all of them."""
        self.beta.email = "bob@good.example, eve@evil.example"
        self.assertEqual(self.beta.email_normalized, "bob@good.example")
        self.refused(
            lambda: self.post(body="Hi", partner_ids=self.beta.ids), "eve@evil.example"
        )

    def test_past_the_queue(self):
        def send(to):
            def work(env):
                servers = env["ir.mail_server"].sudo()
                message = servers._build_email__(
                    "info@our.example", [to], "Subject", "Body"
                )
                servers.send_email(message)

            return work

        def send_and_bear(env):
            try:
                send("e@evil.example")(env)
            except Exception:  # noqa: BLE001 as much of Odoo's code does
                return

        with self.doing_this(send("e@evil.example")):
            self.refused(self.press)
        with self.doing_this(send_and_bear):
            self.refused(self.press)
        with self.doing_this(send("e@good.example")):
            self.goes(self.press)

    # ---- an address that changes ----

    def test_an_address_that_changes_meanwhile(self):
        beta, acme = self.beta.id, self.acme.id
        self.beta.email = "bob@good.example"

        def before(env):
            env["res.partner"].browse(beta).email = "e@evil.example"
            env["res.partner"].browse(acme).message_post(body="x", partner_ids=[beta])

        def after(env):
            env["res.partner"].browse(acme).message_post(body="x", partner_ids=[beta])
            env["res.partner"].browse(beta).email = "e@evil.example"

        for work in (before, after):
            with self.subTest(work.__name__), self.doing_this(work):
                self.refused(self.press, "e@evil.example")

    def test_the_address_of_an_e_mail_that_waits(self):
        self.env["mail.mail"].sudo().create(
            {"state": "outgoing", "recipient_ids": [Command.link(self.beta.id)]}
        )
        self.refused(
            lambda: self.write(self.beta, {"email": "e@evil.example"}), "e@evil.example"
        )
        self.goes(lambda: self.write(self.beta, {"email": "b@good.example"}))

    def test_the_address_of_a_contact_that_nothing_is_sent_to(self):
        self.goes(lambda: self.write(self.beta, {"email": "e@evil.example"}))

    def test_the_address_of_a_colleague(self):
        """It becomes an internal user's by that, and is nobody's we know."""
        colleague = self.colleague.id
        with self.doing_this(
            lambda env: (
                env["res.partner"]
                .browse(colleague)
                .sudo()
                .write({"email": "e@evil.example"})
            )
        ):
            answer = self.nothing_left(self.press)
        self.assertIn(answer["error"]["kind"], ("forbidden", "not_allowed"))

    def test_the_address_of_odoobot(self):
        """Answers to what Odoo itself says go there, which is not a way out either."""
        bot = self.env.ref("base.partner_root")
        bot.email = "bot@our.example"
        with self.mail(email_to="a@good.example", reply_to="bot@our.example"):
            self.goes(self.press)
        with self.doing_this(
            lambda env: (
                env["res.partner"]
                .browse(bot.id)
                .sudo()
                .write({"email": "e@evil.example"})
            )
        ):
            answer = self.nothing_left(self.press)
        self.assertIn(answer["error"]["kind"], ("forbidden", "not_allowed"))
        self.assertEqual(bot.email, "bot@our.example")

    # ---- who gets it later ----

    def test_followers(self):
        def follow(partner):
            ids, acme = partner.ids, self.acme.id
            return self.doing_this(
                lambda env: env["res.partner"].browse(acme).message_subscribe(ids)
            )

        with follow(self.beta):
            self.refused(self.press, "bob@beta.example")
        self.beta.email = "bob@good.example"
        with follow(self.beta):
            self.goes(self.press)

    def test_scheduled(self):
        acme = self.acme.id

        def schedule(env):
            env["mail.scheduled.message"].create(
                {
                    "model": "res.partner",
                    "res_id": acme,
                    "body": "x",
                    "author_id": env.user.partner_id.id,
                    "scheduled_date": "2100-01-01 00:00:00",
                }
            )

        self.acme.message_subscribe(self.beta.ids)
        with self.doing_this(schedule):
            self.refused(self.press, "bob@beta.example")

    def test_a_conversation(self):
        channels = self.env["discuss.channel"].with_user(self.people["user"])
        outside = channels._create_group(partners_to=self.beta.ids, name="Out")
        inside = channels._create_group(partners_to=self.colleague.ids, name="In")

        def say(channel):
            return self.call(
                "discuss.channel", "message_post", channel.ids, body="x", kind="comment"
            )

        self.refused(lambda: say(outside), "bob@beta.example")
        self.goes(lambda: say(inside))

    # ---- approvals ----

    def test_nobody_is_asked_for_it(self):
        self.connection.approve_outward = True
        self.refused(self.send, "ada@acme.example")
        self.gate("call_method")
        self.refused(self.send, "ada@acme.example")

    def test_it_holds_when_it_is_approved(self):
        self.connection.approve_outward = True
        self.acme.email = "ada@good.example"
        request = self.request_of(self.nothing_left(self.send))
        self.connection.recipient_domains = "other.example"
        self.nothing_left(lambda: self.approve(request))
        self.assertEqual(request.state, "failed")
        self.assertEqual(request.error_code, "recipient_not_allowed")
        self.connection.recipient_domains = "good.example"
        request = self.request_of(self.nothing_left(self.send))
        self.approve(request)
        self.assertEqual(request.state, "executed", request.error_message)

    # ---- what is said, and to whom ----

    def test_addresses_that_are_hidden_are_not_told(self):
        self.connection.model_rule_ids = [
            Command.create(
                {
                    "model_id": self.env["ir.model"]._get_id("res.partner"),
                    "perm_write": True,
                    "hidden_field_ids": [
                        Command.link(
                            self.env["ir.model.fields"]._get("res.partner", "email").id
                        )
                    ],
                }
            )
        ]
        self.acme.message_subscribe(self.beta.ids)
        message = self.refused(lambda: self.post(body="Hi", kind="comment"))
        self.assertNotIn("bob", message)
        self.assertNotIn("beta", message)

    def test_without_a_list_it_goes_to_anybody(self):
        self.connection.recipient_domains = False
        self.goes(self.send)
        with self.mail(email_to="e@evil.example"):
            self.goes(self.press)

    def test_lists_that_are_none(self):
        for text in ("*", "ann@example.com", "com", "good.example\nx y"):
            with self.subTest(text=text), self.assertRaises(ValidationError):
                self.connection.recipient_domains = text
