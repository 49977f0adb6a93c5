from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged

from ...policy import outward
from ...policy.guard import Guard
from ...tools import outward_words, send_document
from ..common import ApprovalCase
from .test_send_document import MailCase

HOST = "192.0.2.9"


class OutwardCase(MailCase):
    """Ways out of the company, by code that a method runs."""

    def goes(self, run):
        answer = run()
        self.assertIn("value", answer, answer)
        return answer["value"]

    def post(self, **kwargs):
        return self.call("res.partner", "message_post", self.acme.ids, **kwargs)

    def doing_this(self, work):
        """The time in which call_method runs some code of Odoo's."""

        def run(call):
            if call.dry_run:
                return {"changes": []}
            work(call.env)
            return {"ids": []}

        return self.doing(run, name="call_method")

    def press(self):
        """A method, each time another one: the same again would be the same request."""
        self.pressed = getattr(self, "pressed", 0) + 1
        request = self.request("res.partner", "call_method", self.acme.ids)
        request["kwargs"] = {"method": f"action_{self.pressed}"}
        return self.gateway.call(self.fence(), request)

    def ways(self):
        """:return: name -> code by which something is mailed to somebody outside: to
        e@evil.example, ada@acme.example or bob@beta.example
        """
        acme, beta = self.acme.id, self.beta.ids
        template = self.template.id
        return {
            "a row in the queue": lambda env: (
                env["mail.mail"]
                .sudo()
                .create({"email_to": "e@evil.example", "body_html": "x"})
            ),
            "one that is gone by the end": lambda env: (
                env["mail.mail"]
                .sudo()
                .create({"email_to": "e@evil.example", "body_html": "x"})
                .unlink()
            ),
            "one whose message is gone": lambda env: (
                env["mail.mail"]
                .sudo()
                .create({"email_to": "e@evil.example", "body_html": "x"})
                .mail_message_id.unlink()
            ),
            "hidden among colleagues": lambda env: (
                env["mail.mail"]
                .sudo()
                .create(
                    {
                        "email_to": "user2@example.com",
                        "email_cc": "X <e@evil.example>, user@example.com",
                        "body_html": "x",
                    }
                )
            ),
            "no address at all": lambda env: (
                env["mail.mail"]
                .sudo()
                .create({"email_to": "undisclosed", "body_html": "x"})
            ),
            "a template": lambda env: (
                env["mail.template"].browse(template).send_mail(acme)
            ),
            "a template, at once": lambda env: (
                env["mail.template"].browse(template).send_mail(acme, force_send=True)
            ),
            "the composer": lambda env: (
                env["mail.compose.message"]
                .create(
                    {
                        "model": "res.partner",
                        "res_ids": repr([acme]),
                        "template_id": template,
                    }
                )
                .action_send_mail()
            ),
            "many at once": lambda env: (
                env["mail.compose.message"]
                .create(
                    {
                        "model": "res.partner",
                        "res_ids": repr([acme, *beta]),
                        "composition_mode": "mass_mail",
                        "template_id": template,
                    }
                )
                .action_send_mail()
            ),
            "a notification": lambda env: (
                env["res.partner"]
                .browse(acme)
                .message_notify(body="x", partner_ids=beta)
            ),
            "by source": lambda env: (
                env["res.partner"]
                .browse(acme)
                .message_mail_with_source(
                    "mail.message_origin_link",
                    render_values={
                        "self": env["res.partner"].browse(acme),
                        "origin": env["res.partner"].browse(acme),
                    },
                )
            ),
        }


@tagged("post_install", "-at_install")
class TestOutward(OutwardCase):
    """What leaves the company needs approval, no matter how it leaves; what stays
    inside does not."""

    def waits(self, run, kind="email"):
        """:return: the request that came of it; nothing may have left"""
        request = self.request_of(self.nothing_left(run))
        kinds = [entry["kind"] for entry in request.preview["outward"]]
        self.assertIn(kind, kinds)
        return request

    # ---- messages ----

    def test_a_note_stays(self):
        self.goes(lambda: self.post(body="Hi"))
        self.acme.message_subscribe(self.beta.ids)
        self.goes(lambda: self.post(body="Hi again"))

    def test_a_comment_that_only_colleagues_get_stays(self):
        self.acme.message_subscribe(self.colleague.ids)
        self.goes(lambda: self.post(body="Hi", kind="comment"))
        self.goes(lambda: self.post(body="Hi", partner_ids=self.colleague.ids))

    def test_a_comment_to_a_follower_outside_waits(self):
        self.acme.message_subscribe(self.beta.ids)
        request = self.waits(lambda: self.post(body="Hello Beta", kind="comment"))
        [entry] = request.preview["outward"]
        self.assertEqual(entry["to"], ["Beta <bob@beta.example>"])
        self.assertIn("Hello Beta", entry["text"])
        self.assertIn("Acme", request.summary)
        self.approve(request)
        self.assertEqual(request.state, "executed", request.error_message)
        self.assertIn(self.beta, self.acme.message_ids[0].notified_partner_ids)

    def test_a_note_to_somebody_outside_waits(self):
        self.waits(lambda: self.post(body="Psst", partner_ids=self.beta.ids))

    def test_portal_users_are_outside(self):
        portal = self.people["portal"].partner_id
        self.waits(lambda: self.post(body="Hi", partner_ids=portal.ids))

    def test_those_who_left_are_outside(self):
        self.people["user2"].active = False
        self.waits(lambda: self.post(body="Hi", partner_ids=self.colleague.ids))

    def test_another_follower_by_the_time_it_is_approved(self):
        self.acme.message_subscribe(self.beta.ids)
        request = self.waits(lambda: self.post(body="Hi", kind="comment"))
        evil = self.env["res.partner"].create({"name": "E", "email": "e@evil.example"})
        self.acme.message_subscribe(evil.ids)
        self.nothing_left(lambda: self.approve(request))
        self.assertEqual((request.state, request.revision), ("pending", 2))
        people = [who for e in request.preview["outward"] for who in e["to"]]
        self.assertIn("E <e@evil.example>", people)

    # ---- who follows ----

    def test_new_followers(self):
        follow = {"message_follower_ids": [[0, 0, {"partner_id": self.beta.id}]]}
        self.kind_of(self.write(self.acme, follow))
        self.assertNotIn(self.beta, self.acme.message_partner_ids)
        with self.doing_this(
            lambda env: (
                env["res.partner"].browse(self.acme.id).message_subscribe(self.beta.ids)
            )
        ):
            self.waits(self.press, "follower")
        with self.doing_this(
            lambda env: (
                env["res.partner"]
                .browse(self.acme.id)
                .message_subscribe(self.colleague.ids)
            )
        ):
            self.goes(self.press)
        with self.doing_this(  # the document's own contact
            lambda env: (
                env["res.partner"].browse(self.acme.id).message_subscribe(self.acme.ids)
            )
        ):
            self.goes(self.press)

    # ---- addresses ----

    def test_the_address_of_a_colleague_is_not_moved_outside(self):
        evil = {"email": "e@evil.example"}
        self.assertEqual(self.kind_of(self.write(self.colleague, evil)), "forbidden")
        self.goes(lambda: self.write(self.beta, {"email": "new@beta.example"}))

    def test_the_address_of_an_e_mail_that_waits_is_not_changed(self):
        self.env["mail.mail"].sudo().create(
            {"state": "outgoing", "recipient_ids": [Command.link(self.beta.id)]}
        )
        self.waits(
            lambda: self.write(self.beta, {"email": "e@evil.example"}), "redirect"
        )

    # ---- code of Odoo's, of any kind: methods, wizards, automations ----

    def test_what_code_sends(self):
        acme = self.acme.id
        for name, way in self.ways().items():
            with self.subTest(name), self.doing_this(way):
                self.waits(self.press)
        with (
            self.subTest("later"),
            self.doing_this(
                lambda env: env["mail.scheduled.message"].create(
                    {
                        "model": "res.partner",
                        "res_id": acme,
                        "body": "x",
                        "author_id": env.user.partner_id.id,
                        "scheduled_date": "2100-01-01 00:00:00",
                    }
                )
            ),
        ):
            self.waits(self.press, "scheduled")
        with (
            self.subTest("colleagues"),
            self.doing_this(
                lambda env: (
                    env["mail.mail"]
                    .sudo()
                    .create({"email_to": "Test <USER2@example.com>", "body_html": "x"})
                )
            ),
        ):
            self.goes(self.press)

    def test_an_e_mail_past_the_queue(self):
        def send(to):
            def work(env):
                servers = env["ir.mail_server"].sudo()
                message = servers._build_email__(
                    "info@our.example", [to], "Subject", "Body"
                )
                servers.send_email(message)

            return work

        with self.doing_this(send("e@evil.example")):
            self.waits(self.press)
        with self.doing_this(send("user2@example.com")):
            self.goes(self.press)

    def test_an_old_e_mail_is_not_sent_again_or_elsewhere(self):
        mail = (
            self.env["mail.mail"]
            .sudo()
            .create({"state": "cancel", "email_to": "e@evil.example", "body_html": "x"})
        )
        with self.doing_this(
            lambda env: env["mail.mail"].sudo().browse(mail.id).mark_outgoing()
        ):
            self.waits(self.press)
        self.assertEqual(mail.state, "cancel")

    def test_the_network(self):
        import socket

        def ask(_env):
            with socket.socket() as sock:
                sock.settimeout(0.1)
                sock.connect((HOST, 9))

        def ask_and_bear(env):
            try:
                ask(env)
            except OSError:
                return

        with self.subTest("it goes on without"), self.doing_this(ask_and_bear):
            request = self.waits(self.press, "network")
            self.assertEqual(request.preview["outward"][0]["to"], [f"{HOST}:9"])
            self.assertIn(HOST, self.by("approver", request).outward_html)
        with self.subTest("it fails without"), self.doing_this(ask):
            self.waits(self.press, "network")

    def test_work_after_saving(self):
        def hook(env):
            env.cr.postcommit.add(lambda: None)

        with self.doing_this(hook):
            self.waits(self.press, "hook")

    # ---- conversations ----

    def test_a_conversation_with_people_outside(self):
        channels = self.env["discuss.channel"].with_user(self.people["user"])
        inside = channels._create_group(partners_to=self.colleague.ids, name="In")
        outside = channels._create_group(partners_to=self.beta.ids, name="Out")

        def say(channel):
            return lambda: self.call(
                "discuss.channel", "message_post", channel.ids, body="x", kind="comment"
            )

        self.goes(say(inside))
        self.waits(say(outside), "channel")
        with self.doing_this(
            lambda env: (
                env["discuss.channel"]
                .browse(inside.id)
                ._add_members(partners=self.beta)
            )
        ):
            self.waits(self.press, "member")

    # ---- tools that always wait, and those that are not tried out ----

    def test_a_method_that_was_not_tried_out_is_shown_before_it_sends(self):
        self.gate("call_method")
        template, acme = self.template.id, self.acme.id
        with self.doing_this(
            lambda env: env["mail.template"].browse(template).send_mail(acme)
        ):
            request = self.request_of(self.nothing_left(self.press))
            self.assertFalse(request.preview["outward"])
            self.nothing_left(lambda: self.approve(request))
            self.assertEqual((request.state, request.revision), ("pending", 2))
            self.assertEqual(request.preview["outward"][0]["kind"], "email")
            self.approve(request)
            self.assertEqual(request.state, "executed", request.error_message)
        self.assertTrue(self.mails())

    def test_one_that_sends_something_else_each_time_is_shown_anew(self):
        words = iter(["one", "two", "two"])
        acme = self.acme.id

        def work(env):
            env["res.partner"].browse(acme).message_post(
                body=next(words), partner_ids=self.beta.ids
            )

        with self.doing_this(work):
            request = self.waits(self.press)
            self.nothing_left(lambda: self.approve(request))
        self.assertEqual(request.state, "pending")

    def test_new_numbers_and_files_are_no_difference(self):
        """What is undone has drawn ids and numbers, and the next try draws others."""
        sequence = (
            self.env["ir.sequence"]
            .sudo()
            .create(
                {"name": "N", "implementation": "standard", "prefix": "N", "padding": 4}
            )
        )
        beta, seen = self.beta.ids, []

        def work(env):
            number = env["ir.sequence"].sudo().browse(sequence.id).next_by_id()
            seen.append(number)
            record = env["res.partner"].create({"name": number})
            record.message_post(
                subject=f"New: {number}",
                body=f"Look at {number}, #{record.id}",
                partner_ids=beta,
                attachments=[(f"{number}.txt", f"made for {number}")],
            )

        with self.doing_this(work):
            request = self.waits(self.press)
            self.approve(request)
        self.assertEqual(request.state, "executed", request.error_message)
        self.assertEqual(len(set(seen)), len(seen))

    # ---- what the switch does not touch ----

    def test_switched_off_it_all_goes(self):
        self.connection.approve_outward = False
        self.acme.message_subscribe(self.beta.ids)
        self.goes(lambda: self.post(body="Hi", kind="comment"))
        with self.doing_this(
            lambda env: (
                env["mail.mail"]
                .sudo()
                .create({"email_to": "e@evil.example", "body_html": "x"})
            )
        ):
            self.goes(self.press)

    def test_each_kind_has_words(self):
        from ...tools.outward_words import kinds, sentences

        words = kinds(self.env)
        with open(outward.__file__) as file:
            source = file.read()
        for kind in words:
            entry = outward.told(kind, ["A <a@a.example>"], about="B")
            self.assertIn("a@a.example", sentences(self.env, [entry])[0])
        used = {
            part.split('"')[1]
            for part in source.split("told(")[1:]
            if part.lstrip().startswith('"')
        }
        self.assertTrue(used)
        self.assertLessEqual(used, set(words))

    def test_addresses_are_told_where_contacts_are_open(self):
        entry = outward.told("email", ["A <a@a.example>"], subject="S")
        for allowed, asks, told in (
            (None, (), True),
            ({"res.partner"}, (), True),
            ({"res.country"}, (), False),
            (None, {"res.partner"}, False),
        ):
            with self.subTest(allowed=allowed, asks=asks):
                allowed = allowed and frozenset(allowed)
                guard = Guard(self.env, allowed, asks_to_read=frozenset(asks))
                [text] = outward_words.sentences(self.env, [entry], guard)
                self.assertEqual("a@a.example" in text, told)

    def test_a_sent_document_tells_its_addresses_there(self):
        message = self.acme.message_post(
            body="Hi", partner_ids=self.acme.ids, subtype_xmlid="mail.mt_comment"
        )
        for allowed, to in (
            (None, [outward.person(self.acme)]),
            ({"res.country"}, [self.acme.name]),
        ):
            with self.subTest(allowed=allowed):
                guard = Guard(self.env, allowed and frozenset(allowed))
                self.assertEqual(send_document._sent(guard, message)["to"], to)


@tagged("post_install", "-at_install")
class TestOutwardPolicy(ApprovalCase):
    """On by default, copied along, and told."""

    def test_new_policies_have_it(self):
        connection = self.env["doorman.connection"].create(
            {"name": "New", "user_id": self.people["user"].id}
        )
        self.assertTrue(connection.approve_outward)
        self.assertTrue(connection._policy()["approval"]["outward"])
        self.assertTrue(self.settings.approve_outward)
        invites = self.env["doorman.invite"].with_user(self.people["admin"])
        self.assertTrue(invites._make({})[0].approve_outward)
        invite = invites._make({"approve_outward": False})[0]
        self.assertFalse(invite._policy_values()["approve_outward"])

    def test_it_needs_nobody_who_approves_until_something_leaves(self):
        """The wizard makes connections before anybody has thought of an approver."""
        connection = self.env["doorman.connection"].create(
            {"name": "Alone", "user_id": self.people["admin"].id}
        )
        nobody = self.env["res.users"]
        kind = type(connection)
        with patch.object(kind, "_approvers", lambda _self: nobody):
            connection._check_somebody_approves()

    def test_it_cannot_be_put_off_from_within(self):
        self.connection.approve_outward = True
        answer = self.write(self.connection, {"approve_outward": False})
        self.assertEqual(self.kind_of(answer), "not_allowed")
        self.assertTrue(self.connection.approve_outward)
