from odoo.fields import Command
from odoo.tests import tagged

from .test_undo import UndoCase


@tagged("post_install", "-at_install")
class TestUndoApps(UndoCase):
    """Undoing in business apps, whose code does more than what was asked for."""

    def setUp(self):
        super().setUp()
        user, admin = self.people["user"], self.env.ref("base.user_admin")
        user.group_ids = [Command.link(group.id) for group in admin.group_ids]

    def needs(self, model):
        if model not in self.env:
            self.skipTest(f"{model} is not installed")

    def refused(self, change, code, **kwargs):
        answer = self.undo(change, **kwargs)
        self.assertIn("error", answer, answer)
        self.assertEqual(answer["error"].get("code"), code, answer)
        return answer["error"]["message"]

    def done(self, change, **kwargs):
        answer = self.undo(change, **kwargs)
        self.assertEqual(self.kind_of(answer), "ok", answer)
        return answer["value"]

    def order(self):
        self.needs("sale.order")
        product = self.env["product.product"].create({"name": "P", "list_price": 100})
        return self.env["sale.order"].create(
            {
                "partner_id": self.acme.id,
                "order_line": [Command.create({"product_id": product.id})],
            }
        )

    def test_a_stage(self):
        self.needs("crm.lead")
        stages = self.env["crm.stage"].search([], limit=2)
        lead = self.env["crm.lead"].create(
            {"name": "L", "stage_id": stages[0].id, "type": "opportunity"}
        )
        self.env.flush_all()
        before = self.stored(lead, "stage_id", "expected_revenue", "user_id")
        vals = {"stage_id": stages[1].id, "expected_revenue": 500}
        self.done(self.changed(self.write(lead, vals)))
        self.assertEqual(
            self.stored(lead, "stage_id", "expected_revenue", "user_id"), before
        )

    def test_lines_and_totals_of_an_order(self):
        order = self.order()
        self.allow_models("sale.order", "sale.order.line", "product.product")
        line = order.order_line
        before = self.stored(order, "amount_total", "amount_tax", "note")
        lines = self.stored(line, "product_uom_qty", "price_subtotal")
        vals = {"order_line": [[1, line.id, {"product_uom_qty": 5}]]}
        change = self.changed(self.write(order, vals))
        self.assertNotEqual(self.stored(order, "amount_total")[0], before[0][:1])
        self.done(change)
        self.assertEqual(
            self.stored(order, "amount_total", "amount_tax", "note"), before
        )
        self.assertEqual(self.stored(line, "product_uom_qty", "price_subtotal"), lines)

    def test_a_new_order(self):
        self.needs("sale.order")
        product = self.env["product.product"].create({"name": "P", "list_price": 9})
        answer = self.create(
            {
                "partner_id": self.acme.id,
                "order_line": [[0, 0, {"product_id": product.id}]],
            },
            model="sale.order",
        )
        order = self.env["sale.order"].browse(answer["value"]["ids"])
        change = self.changed(answer)
        self.assertIn(order.name, self.refused(change, "undo_incomplete"))
        self.assertTrue(order.exists())
        self.done(change, partly=True)
        self.assertFalse(order.exists())

    def test_a_new_order_that_was_confirmed_since(self):
        self.needs("sale.order")
        answer = self.create({"partner_id": self.acme.id}, model="sale.order")
        order = self.env["sale.order"].browse(answer["value"]["ids"])
        order.write({"note": "x"})
        self.env.flush_all()
        self.refused(self.changed(answer), "changed_since", partly=True)
        self.assertTrue(order.exists())

    def test_a_value_of_an_order_that_was_confirmed_since(self):
        """A quotation's value is not an order's."""
        order = self.order()
        change = self.changed(self.write(order, {"client_order_ref": "A"}))
        order.action_confirm()
        self.refused(change, "changed_since")
        self.assertEqual(self.stored(order, "client_order_ref"), [("A",)])

    def test_what_a_button_did(self):
        order = self.order()
        before = self.rows()
        answer = self.method(order, "action_confirm")
        self.assertEqual(self.kind_of(answer), "ok", answer)
        self.assertNotIn("change_id", answer["value"])
        [row] = self.new_rows(before)
        self.refused(row["change_id"], "undo_impossible", partly=True)
        self.assertEqual(order.state, "sale")

    def invoice(self):
        self.needs("account.move")
        answer = self.create(
            {
                "move_type": "out_invoice",
                "partner_id": self.acme.id,
                "invoice_line_ids": [[0, 0, {"name": "x", "price_unit": 10}]],
            },
            model="account.move",
        )
        change = self.changed(answer)
        return change, self.env["account.move"].browse(answer["value"]["ids"])

    def test_a_draft_invoice(self):
        change, move = self.invoice()
        self.done(change, partly=True)
        self.assertFalse(move.exists())

    def test_an_invoice_that_was_posted_since(self):
        change, move = self.invoice()
        value = self.changed(self.write(move, {"ref": "R1"}))
        move.action_post()
        self.env.flush_all()
        self.assertEqual(move.state, "posted")
        self.refused(change, "changed_since", partly=True)
        self.refused(value, "changed_since", partly=True)
        self.assertEqual(self.stored(move, "ref", "state"), [("R1", "posted")])

    def test_a_cost_that_each_company_has_its_own_of(self):
        self.needs("product.product")
        product = self.env["product.product"].create({"name": "P"})
        product.standard_price = 3
        change = self.changed(self.write(product, {"standard_price": 8}))
        self.assertEqual(self.stored(product, "standard_price"), [(8,)])
        self.done(change)
        self.assertEqual(self.stored(product, "standard_price"), [(3,)])

    def test_a_task(self):
        self.needs("project.task")
        project = self.env["project.project"].create({"name": "P"})
        tags = self.env["project.tags"].create([{"name": "t1"}, {"name": "t2"}])
        user = self.people["user"]
        task = self.env["project.task"].create(
            {"name": "T", "project_id": project.id, "tag_ids": tags[0].ids}
        )
        names = ("name", "tag_ids", "user_ids", "date_deadline", "description")
        before = self.stored(task, *names)
        vals = {
            "name": "T2",
            "tag_ids": [[6, 0, tags[1].ids]],
            "user_ids": [[4, user.id, 0]],
            "date_deadline": "2030-01-01 10:00:00",
        }
        self.done(self.changed(self.write(task, vals)), partly=True)
        self.assertEqual(self.stored(task, *names), before)
