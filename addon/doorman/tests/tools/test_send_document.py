import json
from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged

from ..common import ApprovalCase

LETTER = "Offer letter"


class MailCase(ApprovalCase):
    """A connection for which what leaves the company waits, contacts inside and
    outside, and a template of the contacts' own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.acme.email = "ada@acme.example"
        cls.beta = cls.env["res.partner"].create(
            {"name": "Beta", "email": "bob@beta.example"}
        )
        cls.colleague = cls.people["user2"].partner_id
        cls.template = cls.env["mail.template"].create(
            {
                "name": LETTER,
                "model_id": cls.env["ir.model"]._get_id("res.partner"),
                "subject": "An offer for {{ object.name }}",
                "body_html": '<p>Dear <t t-out="object.name"/>, here it is.</p>',
                "use_default_to": True,
                "attachment_ids": [
                    Command.create({"name": "terms.txt", "raw": b"Terms"})
                ],
            }
        )
        cls.company.email = "info@our.example"

    def setUp(self):
        super().setUp()
        self.gate()
        self.connection.approve_outward = True
        self.scope_of("post_message", "send_document")

    def scope_of(self, *names):
        """Tools that the catalog must know."""
        for name in names:
            known = self.env["doorman.tool"].search([("name", "=", name)])
            tool = known or self.tool(name)
            tool._inside().write({"risk": "high"})

    def send(self, record=None, /, more=None, **kwargs):
        if record is None:
            record, kwargs = self.acme, kwargs or {"template": LETTER}
        return self.call(record._name, "send_document", record.ids, more=more, **kwargs)

    def mails(self):
        # The approver is told by email: a colleague.
        domain = [("model", "!=", "doorman.approval")]
        return self.env["mail.mail"].sudo().search(domain)

    def request_of(self, answer):
        self.assertIn("pending", answer, answer)
        return self.env["doorman.approval"].browse(answer["pending"]["request_id"])

    def approve(self, request):
        return self.by("approver", request).action_approve()

    def nothing_left(self, run):
        """:return: what ``run`` gives; no mail may have come of it"""
        before = self.mails()
        value = run()
        self.assertEqual(self.mails(), before, "a mail was made")
        return value


@tagged("post_install", "-at_install")
class TestSendDocument(MailCase):
    """send_document: what is sent, to whom, and who has agreed to that."""

    def test_it_waits_shows_what_would_leave_and_sends_that(self):
        request = self.request_of(self.nothing_left(self.send))
        self.assertEqual(request.tool, "send_document")
        [entry] = request.preview["outward"]
        self.assertEqual(entry["kind"], "email")
        self.assertEqual(entry["to"], ["Acme <ada@acme.example>"])
        self.assertEqual(entry["subject"], "An offer for Acme")
        self.assertIn("Dear Acme, here it is.", entry["text"])
        self.assertEqual([f["name"] for f in entry["files"]], ["terms.txt"])
        page = self.by("approver", request)
        for text in (
            "ada@acme.example",
            "An offer for Acme",
            "terms.txt",
            "here it is",
        ):
            self.assertIn(text, page.outward_html)
        self.assertIn("leaves the company", page.warnings_html)

        self.approve(request)
        self.assertEqual(request.state, "executed", request.error_message)
        message = self.acme.message_ids[0]
        self.assertEqual(message.subject, "An offer for Acme")
        self.assertEqual(message.notified_partner_ids, self.acme)
        value = json.loads(request.result)
        self.assertEqual(value["message_id"], message.id)
        self.assertEqual(value["sent"]["to"], ["Acme <ada@acme.example>"])

    def test_with_the_switch_off_it_is_sent(self):
        self.connection.approve_outward = False
        value = self.send()["value"]
        message = self.env["mail.message"].browse(value["message_id"])
        self.assertEqual(message.notified_partner_ids, self.acme)
        self.assertEqual(message.model, "res.partner")
        self.assertEqual(message.mail_ids.recipient_ids, self.acme)

    def test_to_a_colleague_it_goes_at_once(self):
        value = self.send(template=LETTER, partner_ids=self.colleague.ids)["value"]
        message = self.env["mail.message"].browse(value["message_id"])
        self.assertEqual(message.notified_partner_ids, self.colleague)

    def test_a_dry_run_tells_and_sends_nothing(self):
        more = {"dry_run": True}
        answer = self.nothing_left(lambda: self.send(template=LETTER, more=more))
        sent = answer["value"]["sent"]
        self.assertEqual(sent["to"], ["Acme <ada@acme.example>"])
        self.assertEqual(sent["subject"], "An offer for Acme")
        self.assertIn("here it is", sent["text"])
        self.assertEqual(sent["attachments"], [{"name": "terms.txt", "size": 5}])
        self.assertIn("ada@acme.example", " ".join(answer["value"]["warnings"]))

    def test_own_words_to_addresses(self):
        self.connection.approve_outward = False
        value = self.send(
            subject="Hello", body="Dear both", emails=["new@else.example"]
        )["value"]
        message = self.env["mail.message"].browse(value["message_id"])
        self.assertEqual(message.subject, "Hello")
        to = message.notified_partner_ids
        self.assertEqual(to.mapped("email"), ["new@else.example"])
        user = self.people["user"]
        self.assertEqual(message.author_id, user.partner_id)
        self.assertEqual(message.email_from, user.email_formatted)

    def test_the_words_are_shown_once(self):
        answer = self.send(
            subject="Hi", body="See you in May.", emails=["new@else.example"]
        )
        shown = str(self.request_of(answer).outward_html)
        self.assertEqual(shown.count("See you in May."), 1)
        self.assertNotIn("u200b", shown)

    def test_the_default_contacts_are_those_of_odoos_composer(self):
        self.connection.approve_outward = False
        composer = self.env["mail.compose.message"].create(
            {
                "model": "res.partner",
                "res_ids": repr(self.acme.ids),
                "template_id": self.template.id,
            }
        )
        value = self.send()["value"]
        message = self.env["mail.message"].browse(value["message_id"])
        self.assertEqual(message.partner_ids, composer.partner_ids)

    # ---- what is approved is what is sent ----

    def test_a_changed_template_record_or_address_asks_again(self):
        changes = {
            "template": lambda: self.template.write({"subject": "Another"}),
            "text": lambda: self.template.write({"body_html": "<p>Pay here</p>"}),
            "file": lambda: self.template.attachment_ids.write({"raw": b"Other"}),
            "address": lambda: self.acme.write({"email": "evil@evil.example"}),
            "follower": lambda: self.acme.message_subscribe(self.beta.ids),
        }
        for name, change in changes.items():
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                request = self.request_of(self.send())
                change()
                self.nothing_left(lambda request=request: self.approve(request))
                self.assertEqual(request.state, "pending")
                self.assertEqual(request.revision, 2)
                self.approve(request)
                self.assertEqual(request.state, "executed", request.error_message)
                savepoint.rollback()

    def test_the_text_that_is_shown_is_digested(self):
        """Also where no record's version differs: text that code makes up."""
        request = self.request_of(self.send())
        preview = dict(request.preview)
        request._inside().write({"preview": preview | {"outward_digest": "0" * 64}})
        self.nothing_left(lambda: self.approve(request))
        self.assertEqual((request.state, request.revision), ("pending", 2))

    # ---- refused ----

    def test_words_are_words(self):
        """What a template would work out is text, and what a page would run too."""
        self.connection.approve_outward = False
        tricky = (
            "{{ 7*7 }} <t t-out=\"object.env['res.users'].search([])\"/> "
            "<script>alert(1)</script> ${object.name} {{object.env.cr}}"
        )
        value = self.send(subject="{{ 7*7 }} ${1+1}", body=tricky)["value"]
        message = self.env["mail.message"].browse(value["message_id"])
        self.assertEqual(message.subject, "{{ 7*7 }} ${1+1}")
        html = message.mail_ids.body_html
        self.assertIn("{{ 7*7 }}", html)
        self.assertNotIn("49", message.body)
        self.assertNotIn("<script", html)
        self.assertNotIn("<t ", html)

    def test_no_picture_tells_that_it_was_read(self):
        self.connection.approve_outward = False
        body = "Look ![x](http://evil.example/p.png?id=1)"
        made = '<p>Look <img src="http://evil.example/p.png?id=1" alt="x"></p>'
        value = self.send(subject="A", body=body, html={body: made})["value"]
        message = self.env["mail.message"].browse(value["message_id"])
        self.assertNotIn("<img", message.body)
        self.assertIn("http://evil.example/p.png?id=1", message.body)

    def test_html_that_says_more_than_the_text_is_left_out(self):
        self.connection.approve_outward = False
        made = '<p>Hi</p><p style="display:none">secret</p><form action="http://e"/>'
        value = self.send(subject="A", body="Hi", html={"Hi": made})["value"]
        body = self.env["mail.message"].browse(value["message_id"]).body
        self.assertNotIn("secret", body)
        self.assertNotIn("form", body)

    def test_bad_addresses(self):
        self.connection.approve_outward = False
        for bad in (
            "ada@acme.example\nBcc: evil@evil.example",
            "ada@acme.example\r\nBcc: evil@evil.example",
            "ada@acme.example, evil@evil.example",
            "ada@acme.example;evil@evil.example",
            "ada@acme.example evil@evil.example",
            "Ada <ada@acme.example>",
            "<ada@acme.example>",
            "ada@acme.example\0",
            "ada",
            "ada@acme",
            "",
            "a" * 250 + "@acme.example",
            "ada@аcme.example",  # the first letter behind @ is Cyrillic
        ):
            with self.subTest(bad):
                answer = self.nothing_left(
                    lambda bad=bad: self.send(subject="A", body="B", emails=[bad])
                )
                self.assertEqual(self.kind_of(answer), "invalid_input")
        for bad in ("ada@acme.example", [1], {"a": 1}, [["a@b.example"]]):
            with self.subTest(bad):
                answer = self.send(subject="A", body="B", emails=bad)
                self.assertEqual(self.kind_of(answer), "invalid_input")

    def test_bad_subjects(self):
        self.connection.approve_outward = False
        for bad in (
            "Hi\nBcc: evil@evil.example",
            "Hi\r\nTo: evil@evil.example",
            "Hi\u202eevil",
            "Hi\u200b",
            "x" * 301,
            1,
            ["a"],
        ):
            with self.subTest(bad):
                answer = self.nothing_left(
                    lambda bad=bad: self.send(subject=bad, body="B")
                )
                self.assertEqual(self.kind_of(answer), "invalid_input")

    def test_in_nobody_elses_name_and_nowhere_else(self):
        for name in (
            *("email_from", "author_id", "reply_to", "email_to", "email_cc"),
            *("bcc", "attachment_ids", "mail_server_id", "email_layout_xmlid"),
            *("res_ids", "body_html", "scheduled_date", "partner_to", "force_send"),
        ):
            with self.subTest(name):
                answer = self.nothing_left(
                    lambda name=name: self.send(template=LETTER, **{name: "x"})
                )
                self.assertEqual(self.kind_of(answer), "invalid_input")

    def test_people_that_may_not_be_named(self):
        self.connection.approve_outward = False
        other = self.env["res.company"].create({"name": "Other"})
        theirs = self.env["res.partner"].create(
            {"name": "Theirs", "email": "t@t.example", "company_id": other.id}
        )
        # Odoo's own tests switch this rule on; a fresh database has it off.
        self.env.ref("base.res_partner_rule").sudo().active = True
        bare = self.env["res.partner"].create({"name": "Bare"})
        two = self.env["res.partner"].create(
            {"name": "Two", "email": "a@a.example, evil@evil.example"}
        )
        many = self.env["res.partner"].create(
            [{"name": f"P{n}", "email": f"p{n}@p.example"} for n in range(21)]
        )
        for name, ids, kind in (
            ("another company's", theirs.ids, "forbidden"),
            ("no address", bare.ids, "invalid_input"),
            ("two addresses in one", two.ids, "invalid_input"),
            ("too many", many.ids, "invalid_input"),
            ("nobody", [2**31 - 5], "not_found"),
            ("no ids", ["1"], "invalid_input"),
        ):
            with self.subTest(name):
                answer = self.nothing_left(
                    lambda ids=ids: self.send(template=LETTER, partner_ids=ids)
                )
                self.assertEqual(self.kind_of(answer), kind, answer)
        with self.subTest("too many followers"):
            self.acme.message_subscribe(many.ids)
            answer = self.nothing_left(self.send)
            self.assertEqual(self.kind_of(answer), "invalid_input")
        with self.subTest("contacts are closed to it"):
            self.allow_models("res.company")
            self.assertEqual(self.kind_of(self.send()), "not_allowed")

    def test_templates_that_may_not_be_used(self):
        self.connection.approve_outward = False
        models = self.env["ir.model"]
        vals = {"subject": "S", "body_html": "<p>B</p>"}
        self.env["mail.template"].create(
            [
                vals | {"name": "Users", "model_id": models._get_id("res.users")},
                vals
                | {
                    "name": "Private",
                    "model_id": models._get_id("res.partner"),
                    "user_id": self.people["admin"].id,
                },
                vals
                | {
                    "name": "Gone",
                    "model_id": models._get_id("res.partner"),
                    "active": False,
                },
            ]
        )
        for name in ("Users", "Private", "Gone", "Unknown", "%", "{{ 1 }}"):
            with self.subTest(name):
                answer = self.nothing_left(lambda name=name: self.send(template=name))
                self.assertEqual(self.kind_of(answer), "invalid_input")
                self.assertIn(LETTER, answer["error"]["hint"])
        with self.subTest("twice the same name"):
            self.template.copy({"name": LETTER})
            self.assertEqual(self.kind_of(self.send()), "invalid_input")

    def test_documents_that_are_not_sent(self):
        self.connection.approve_outward = False
        user, words = self.people["user2"], {"subject": "A", "body": "B"}
        for record, kind in (
            (user, "not_allowed"),
            (self.template, "not_allowed"),
            (self.connection, "not_allowed"),
            (self.env.ref("base.EUR"), "invalid_input"),
            (self.acme | self.beta, "invalid_input"),
            (self.env["res.partner"].browse(2**31 - 5), "not_found"),
        ):
            with self.subTest(record._name):
                answer = self.nothing_left(
                    lambda record=record: self.send(record, **words)
                )
                self.assertEqual(self.kind_of(answer), kind, answer)
        with self.subTest("nothing said, and no template of its own"):
            answer = self.send(partner_ids=self.beta.ids)
            self.assertEqual(self.kind_of(answer), "invalid_input")
            self.assertIn(LETTER, answer["error"]["hint"])

    def test_who_may_not_send(self):
        for name, change, kind in (
            ("no scope", {"scope_ids": [Command.clear()]}, "not_allowed"),
            ("read only", {"read_only": True}, "read_only"),
        ):
            with self.subTest(name):
                self.connection.write(change)
                answer = self.nothing_left(self.send)
                self.assertEqual(self.kind_of(answer), kind)

    def test_where_nobody_could_agree_nothing_is_sent(self):
        nobody = self.env["res.users"]
        connections = type(self.env["doorman.connection"])
        with patch.object(connections, "_approvers", lambda _self: nobody):
            answer = self.nothing_left(self.send)
        self.assertEqual(self.kind_of(answer), "not_allowed")
        self.assertIn("set an approver", answer["error"]["hint"])

    def test_the_same_twice_is_one_request(self):
        self.assertEqual(self.request_of(self.send()), self.request_of(self.send()))

    def test_a_tool_that_always_waits_shows_it_as_well(self):
        self.tools["send_document"] = self.env["doorman.tool"].search(
            [("name", "=", "send_document")]
        )
        self.connection.approve_outward = False
        self.gate("send_document")
        request = self.request_of(self.nothing_left(self.send))
        self.assertEqual(
            request.preview["outward"][0]["to"], ["Acme <ada@acme.example>"]
        )
        self.acme.email = "evil@evil.example"
        self.nothing_left(lambda: self.approve(request))
        self.assertEqual(request.state, "pending")
