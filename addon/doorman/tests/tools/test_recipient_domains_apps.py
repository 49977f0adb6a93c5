from odoo.fields import Command
from odoo.tests import tagged

from .test_send_apps import AppsCase


@tagged("post_install", "-at_install")
class TestRecipientDomainsApps(AppsCase):
    """Documents, meetings and stages of business apps: to the domains of the policy."""

    def setUp(self):
        super().setUp()
        self.connection.write(
            {"approve_outward": False, "recipient_domains": "good.example"}
        )

    def held(self, run):
        answer = self.nothing_left(run)
        self.assertEqual(answer["error"]["code"], "recipient_not_allowed", answer)

    def both(self, run, partner=None):
        """Refused to an address outside the list, and done to one in it."""
        self.held(run)
        (partner or self.acme).email = "Ada <ada@good.example>"
        answer = run()
        self.assertIn("value", answer, answer)

    def test_a_quotation(self):
        self.needs("sale.order")
        order = self.env["sale.order"].create(
            {
                "partner_id": self.acme.id,
                "user_id": self.people["user"].id,
                "order_line": [Command.create({"product_id": self.product().id})],
            }
        )
        self.both(lambda: self.send(order))
        self.assertEqual(order.state, "sent")

    def test_an_invoice(self):
        self.needs("account.move")
        if not self.env["account.journal"].search([("type", "=", "sale")], limit=1):
            self.skipTest("there is no chart of accounts")
        line = {"product_id": self.product().id, "price_unit": 9, "tax_ids": False}
        move = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.acme.id,
                "invoice_line_ids": [Command.create(line)],
            }
        )
        self.printed = move
        move.action_post()

        def later(call):
            if not call.dry_run:
                move.with_env(call.env).sudo().sending_data = {"a": 1}
            return {"changes": [], "ids": []}

        with self.subTest("later"), self.doing(later, name="call_method"):
            request = self.request("res.partner", "call_method", self.acme.ids)
            request["kwargs"] = {"method": "action_archive"}
            self.held(lambda: self.gateway.call(self.fence(), request))
        self.both(lambda: self.send(move))
        self.assertTrue(move.is_move_sent)

    def test_a_meeting(self):
        self.needs("calendar.event")
        me, beta = self.people["user"].partner_id, self.beta
        vals = {
            "name": "Meeting",
            "start": "2100-01-01 10:00:00",
            "stop": "2100-01-01 11:00:00",
            "partner_ids": [[6, 0, [me.id, beta.id]]],
        }
        self.both(lambda: self.call("calendar.event", "create", vals_list=[vals]), beta)

    def test_a_stage_with_a_template(self):
        self.needs("project.task")
        new, stage = self.env["project.task.type"].create(
            [{"name": "New", "sequence": 1}, {"name": "Told", "sequence": 2}]
        )
        project = self.env["project.project"].create(
            {"name": "P", "type_ids": [Command.set([new.id, stage.id])]}
        )
        vals = {"name": "T", "project_id": project.id, "partner_id": self.acme.id}
        task = self.env["project.task"].create(vals | {"stage_id": new.id})
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
        to = {"stage_id": stage.id}
        self.both(lambda: self.call("project.task", "write", task.ids, vals=to))
