from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged

from .test_send_document import MailCase

PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
)


class AppsCase(MailCase):
    """People who sell, and papers that are printed without wkhtmltopdf."""

    def setUp(self):
        super().setUp()
        user, admin = self.people["user"], self.env.ref("base.user_admin")
        user.group_ids = [Command.link(group.id) for group in admin.group_ids]
        # Odoo's buttons ask an administrator for that first.
        layout = self.env["ir.ui.view"].search([("key", "like", "external_layout_")])
        self.env.company.external_report_layout_id = layout[:1]
        reports = type(self.env["ir.actions.report"])

        def printed(_self, _report, res_ids=None, data=None):
            return PDF, "pdf"

        def split(_self, _report, content, _kind):
            return {self.printed.id: content}

        self.printed = None
        for name, does in (
            ("_render_qweb_pdf", printed),
            ("_pre_render_qweb_pdf", printed),
            ("_get_splitted_report", split),
        ):
            if hasattr(reports, name):  # that of invoices is account's
                self.startPatcher(patch.object(reports, name, does))

    def needs(self, model):
        if model not in self.env:
            self.skipTest(f"{model} is not installed")

    def product(self):
        return self.env["product.product"].create({"name": "Thing", "list_price": 100})


@tagged("post_install", "-at_install")
class TestSendQuotation(AppsCase):
    def setUp(self):
        super().setUp()
        self.needs("sale.order")
        self.order = self.env["sale.order"].create(
            {
                "partner_id": self.acme.id,
                "user_id": self.people["user"].id,
                "order_line": [Command.create({"product_id": self.product().id})],
            }
        )

    def test_a_quotation_is_sent_as_the_button_does_once_it_is_approved(self):
        request = self.request_of(self.nothing_left(lambda: self.send(self.order)))
        self.assertEqual(self.order.state, "draft")
        [entry] = request.preview["outward"]
        self.assertEqual(entry["to"], ["Acme <ada@acme.example>"])
        self.assertIn(self.order.name, entry["subject"])
        self.assertTrue(entry["files"][0]["name"].endswith(".pdf"))
        self.approve(request)
        self.assertEqual(request.state, "executed", request.error_message)
        self.assertEqual(self.order.state, "sent")
        message = self.order.message_ids.filtered("subject")[:1]
        template = self.order._find_mail_template()
        subject = template._render_field("subject", self.order.ids)[self.order.id]
        self.assertEqual(message.subject, subject)
        self.assertEqual(message.attachment_ids.mapped("raw"), [PDF])

    def test_send_document_is_named_where_its_composer_opens(self):
        value = self.method(self.order, "action_quotation_send")["value"]
        self.assertIn("send_document", value["result"])
        self.assertNotIn("A person", value["result"])

    def test_a_changed_line_asks_again(self):
        request = self.request_of(self.send(self.order))
        self.order.order_line.price_unit = 5
        self.nothing_left(lambda: self.approve(request))
        self.assertEqual((request.state, request.revision), ("pending", 2))

    def test_a_confirmation_stays_inside_or_waits(self):
        """Confirming lets the customer follow, and sends nothing by itself."""
        self.assertIn("value", self.method(self.order, "action_confirm"))
        self.assertEqual(self.order.state, "sale")

    def test_a_comment_that_the_portal_shows_waits(self):
        answer = self.nothing_left(
            lambda: self.call(
                "sale.order", "message_post", self.order.ids, body="x", kind="comment"
            )
        )
        [entry] = self.request_of(answer).preview["outward"]
        self.assertIn(entry["kind"], ("portal", "email"))


@tagged("post_install", "-at_install")
class TestSendInvoice(AppsCase):
    def setUp(self):
        super().setUp()
        self.needs("account.move")
        if not self.env["account.journal"].search([("type", "=", "sale")], limit=1):
            self.skipTest("there is no chart of accounts")
        self.move = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.acme.id,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": self.product().id,
                            "price_unit": 100,
                            "tax_ids": False,
                        }
                    )
                ],
            }
        )
        self.printed = self.move

    def test_an_invoice_is_sent_by_odoos_own_wizard(self):
        self.move.action_post()
        request = self.request_of(self.nothing_left(lambda: self.send(self.move)))
        people = [who for e in request.preview["outward"] for who in e["to"]]
        self.assertIn("Acme <ada@acme.example>", people)
        self.assertFalse(self.move.is_move_sent)
        self.approve(request)
        self.assertEqual(request.state, "executed", request.error_message)
        self.assertTrue(self.move.is_move_sent)
        self.assertTrue(self.move.invoice_pdf_report_id)

    def test_a_draft_is_not_sent(self):
        answer = self.nothing_left(lambda: self.send(self.move))
        self.assertEqual(self.kind_of(answer), "business_rule")

    def test_own_words_do_not_go_out_in_a_colleagues_name(self):
        self.connection.approve_outward = False
        self.move.invoice_user_id = self.people["user2"]
        self.move.action_post()
        answer = self.nothing_left(
            lambda: self.send(self.move, subject="Pay", body="Pay me elsewhere")
        )
        self.assertEqual(self.kind_of(answer), "not_allowed")
        self.move.invoice_user_id = self.people["user"]
        value = self.send(self.move, subject="Pay", body="Please pay")["value"]
        message = self.env["mail.message"].browse(value["message_id"])
        self.assertEqual(message.subject, "Pay")
        self.assertIn("Please pay", message.body)


@tagged("post_install", "-at_install")
class TestWaysOut(AppsCase):
    """What sends by itself: invitations, stages, letters, texts."""

    def held(self, model, method, *args, **kwargs):
        answer = self.nothing_left(lambda: self.call(model, method, *args, **kwargs))
        return self.request_of(answer)

    def test_people_who_are_invited_to_a_meeting(self):
        self.needs("calendar.event")
        vals = {
            "name": "Meeting",
            "start": "2100-01-01 10:00:00",
            "stop": "2100-01-01 11:00:00",
        }
        me, beta = self.people["user"].partner_id, self.beta
        with self.subTest("made with them"):
            self.held(
                "calendar.event",
                "create",
                vals_list=[vals | {"partner_ids": [[6, 0, [me.id, beta.id]]]}],
            )
        with self.subTest("alone"):
            answer = self.call(
                "calendar.event",
                "create",
                vals_list=[vals | {"partner_ids": [[6, 0, [me.id]]]}],
            )
            self.assertIn("value", answer)
        event = self.env["calendar.event"].browse(answer["value"]["ids"])
        with self.subTest("added later"):
            self.held(
                "calendar.event",
                "write",
                event.ids,
                vals={"partner_ids": [[4, beta.id]]},
            )
            self.assertNotIn(beta, event.partner_ids)

    def test_a_stage_with_a_template(self):
        self.needs("project.task")
        new, stage = self.env["project.task.type"].create(
            [{"name": "New", "sequence": 1}, {"name": "Told", "sequence": 2}]
        )
        project = self.env["project.project"].create(
            {"name": "P", "type_ids": [Command.set([new.id, stage.id])]}
        )
        task = self.env["project.task"].create(
            {
                "name": "T",
                "project_id": project.id,
                "partner_id": self.acme.id,
                "stage_id": new.id,
            }
        )
        self.env.cr.flush()
        stage.mail_template_id = self.env["mail.template"].create(
            {
                "name": "Told",
                "model_id": self.env["ir.model"]._get_id("project.task"),
                "subject": "Done",
                "body_html": "<p>Done</p>",
                "partner_to": "{{ object.partner_id.id }}",
                "use_default_to": False,
            }
        )
        request = self.held(
            "project.task", "write", task.ids, vals={"stage_id": stage.id}
        )
        self.assertNotEqual(task.stage_id, stage)
        self.assertIn("Acme <ada@acme.example>", request.preview["outward"][0]["to"])

    def test_texts_and_letters(self):
        for model, vals in (
            ("sms.sms", {"number": "+3221234567", "body": "x"}),
            ("snailmail.letter", {"partner_id": self.acme.id}),
        ):
            if model not in self.env:
                continue
            if model == "snailmail.letter":
                vals |= {
                    "model": "res.partner",
                    "res_id": self.acme.id,
                    "user_id": self.people["user"].id,
                    "company_id": self.company.id,
                    "report_template": self.env["ir.actions.report"]
                    .search([("model", "=", "res.partner")], limit=1)
                    .id,
                }

            def run(call, model=model, vals=vals):
                if call.dry_run:
                    return {"changes": []}
                call.env[model].sudo().create(vals)
                return {"ids": []}

            with self.subTest(model), self.doing(run, name="call_method"):
                request = self.request("res.partner", "call_method", self.acme.ids)
                request["kwargs"] = {"method": "action_archive"}
                self.request_of(self.gateway.call(self.fence(), request))
