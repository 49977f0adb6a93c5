"""What an office does, with rules per model: they limit what is named and told, and
Odoo's own code goes on working."""

import json

from odoo.fields import Command
from odoo.tests import tagged

from ...policy import carriers, closed_fields, code_reach, view_columns
from ..rules_common import RulesCase

NO = "not_allowed"


@tagged("post_install", "-at_install")
class TestModelRulesFlows(RulesCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        admin = cls.env.ref("base.user_admin")
        groups = admin.group_ids | cls.env.ref("doorman.group_user")
        cls.people["user"].group_ids = [Command.set(groups.ids)]

    def need(self, *models):
        for model in models:
            if model not in self.env:
                self.skipTest(f"there is no {model}")

    def close_much(self):
        """Rules that Odoo's code would trip over, if they held for it."""
        self.rule_for(
            "res.partner", hidden=["email", "phone"], masked=["street"],
            domain=f"[('id', '=', {self.acme.id})]",
        )  # fmt: skip
        off = dict.fromkeys(("perm_create", "perm_write", "perm_unlink"), False)
        for model in ("res.users", "res.company", "res.country", "res.currency"):
            self.rule_for(model, domain="[('id', '=', 0)]", **off)

    def done(self, answer):
        self.assertIn("value", answer, answer)
        self.assertNotIn("boss@acme", json.dumps(answer, default=str))
        return answer["value"]

    def test_a_quotation_is_made_and_confirmed(self):
        self.need("sale.order")
        product = self.env["product.product"].create(
            {"name": "Desk", "list_price": 100, "standard_price": 60}
        )
        self.close_much()
        self.rule_for("product.product", hidden=["standard_price"])
        self.rule_for("sale.order", domain="[('user_id', '=', uid)]")
        line = {"product_id": product.id, "product_uom_qty": 2}
        values = {"partner_id": self.acme.id, "order_line": [[0, 0, line]]}
        made = self.done(self.create(values, model="sale.order"))
        order = self.env["sale.order"].browse(made["ids"])
        self.assertEqual(order.order_line.product_uom_qty, 2)
        self.assertEqual(order.amount_untaxed, 200)
        self.done(self.write(order, {"client_order_ref": "PO 7"}))
        self.done(self.method(order, "action_confirm"))
        self.assertEqual(order.state, "sale")
        self.done(self.call("sale.order", "message_post", order.ids, body="Hello"))
        self.done(self.call("sale.order", "read_messages", order.ids))
        [row] = self.reads(order, "name", "partner_id", "amount_total", "user_id")
        self.assertEqual(list(row["partner_id"])[0], self.acme.id)
        self.assertEqual(row["amount_total"], order.amount_total)
        # Somebody else's is not there, and this one is not given away.
        other = order.copy({"user_id": self.people["user2"].id})
        self.assertEqual(self.reads(other, "name"), NO)
        values = {"user_id": self.people["user2"].id}
        self.assertEqual(self.kind_of(self.write(order, values)), NO)
        self.assertEqual(order.user_id, self.people["user"])
        self.assertEqual(self.reads(product, "standard_price"), NO)

    def test_texts_that_code_makes(self):
        """Of an amount, of what a linked record is called, and of what a field was."""
        move, lead, task = "account.move", "crm.lead", "project.task"
        line, employee = "sale.order.line", "hr.employee"
        for model, name, other, carries in (
            (move, "amount_total", (move, "amount_total_words"), True),
            (move, "partner_id", (move, "invoice_partner_display_name"), True),
            ("res.partner", "name", (move, "invoice_partner_display_name"), True),
            (task, "name", (task, "link_preview_name"), True),
            (task, "description", (task, "html_field_history"), True),
            (lead, "stage_id", (lead, "duration_tracking"), True),
            # Columns of queries.
            (line, "price_subtotal", ("sale.report", "price_subtotal"), True),
            (employee, "work_email", (f"{employee}.public", "work_email"), True),
            (
                move + ".line",
                "balance",
                ("account.invoice.report", "price_total"),
                True,
            ),
            (line, "price_subtotal", ("sale.report", "qty_delivered"), False),
            (employee, "work_email", (f"{employee}.public", "name"), False),
            # The number of an entry is made of many fields.
            (move, "amount_total", (move, "name"), False),
            (move, "partner_id", (move, "name"), False),
            (move, "date", (move, "name"), False),
            (lead, "user_id", (lead, "duration_tracking"), False),
        ):
            if model not in self.env or other[0] not in self.env:
                continue
            with self.subTest(field=f"{model}.{name}", other=other):
                found = carriers.of(self.env, model, name)
                self.assertEqual(other in found, carries)

    def test_the_same_in_two_fields(self):
        """A field goes along with what it is written through to, and with the copies
        that code makes of it; what its code only reads stays."""
        partner, company, bank = "res.partner", "res.company", "res.partner.bank"
        move, item = "account.move", "account.move.line"
        line, bought = "sale.order.line", "purchase.order.line"
        product, template = "product.product", "product.template"
        analytic = "account.analytic.line"
        for model, name, other, carries in (
            # Related, and written through.
            (company, "email", (partner, "email"), True),
            (partner, "email", (company, "email"), True),
            (bank, "bank_bic", ("res.bank", "bic"), True),
            ("res.users", "private_email", ("hr.employee", "private_email"), True),
            # Related, and only read.
            (bank, "company_id", (partner, "company_id"), False),
            (line, "state", ("sale.order", "state"), False),
            # Inverses.
            (company, "street", (partner, "street"), True),
            (company, "street", (partner, "city"), False),
            (template, "standard_price", (product, "standard_price"), True),
            (product, "lst_price", (template, "list_price"), True),
            (product, "lst_price", (product, "price_extra"), False),
            (item, "debit", (item, "balance"), True),
            (item, "debit", (item, "credit"), True),
            ("hr.employee", "work_email", (partner, "email"), True),
            ("hr.employee", "work_email", (partner, "phone"), False),
            ("crm.lead", "email_from", (partner, "email"), True),
            # By way of a link to the same model.
            (partner, "parent_id", (partner, "commercial_partner_id"), True),
            ("project.task", "partner_id", (analytic, "commercial_partner_id"), True),
            (partner, "country_id", (partner, "commercial_partner_id"), False),
            # Sums that code asks the database for.
            (item, "amount_residual", (partner, "credit"), True),
            (item, "price_subtotal", (partner, "credit"), False),
            # Copies within a record: of an attribute, in a dict, two at once.
            (partner, "company_name", (partner, "commercial_company_name"), True),
            (line, "price_unit", (line, "technical_price_unit"), True),
            (bought, "price_unit", (bought, "technical_price_unit"), True),
            (item, "balance", (item, "amount_currency"), True),
            (line, "price_unit", (line, "product_uom_qty"), False),
            (move, "date", (move, "invoice_date"), False),
        ):
            if model not in self.env or other[0] not in self.env:
                continue
            with self.subTest(field=f"{model}.{name}", other=other):
                found = carriers.of(self.env, model, name)
                self.assertEqual(other in found, carries)

    def test_copies_that_code_makes(self):
        def attribute(line):
            line.net = line.price

        def both(line, worked_out):
            line.price = line.net = worked_out()

        def in_dict(self, vals):
            vals["net"] = vals["price"]

        def others(line, other, vals):
            line.net = other.price
            line.net = line.price * 2
            line.net = line.price = 0.0
            vals["net"] = other["price"]
            vals["net"] = vals["price"] + 1

        pair = ("price", "net")
        for method, found in (
            (attribute, {pair}),
            (both, {pair, pair[::-1]}),
            (in_dict, {pair}),
            (others, set()),
        ):
            with self.subTest(method.__name__):
                self.assertEqual(code_reach._copies(method.__code__), found)

    def test_columns_that_a_query_names(self):
        for query, named in (
            ("SELECT p.email AS x FROM res_partner p", True),
            ("SELECT a, p.email FROM sale s LEFT JOIN res_partner AS p ON true", True),
            ('SELECT "p"."email" FROM "res_partner" "p"', True),
            ("SELECT res_partner.email FROM res_partner", True),
            ("SELECT max(email) FROM res_partner", True),
            ("SELECT s.name AS email FROM sale s JOIN res_partner p ON true", False),
            ("SELECT s.email FROM sale s JOIN res_partner p ON true", False),
            ("SELECT p.email_normalized FROM res_partner p", False),
        ):
            with self.subTest(query):
                found = view_columns._named(
                    query,
                    set(view_columns.WORD.findall(query)),
                    self.env["res.partner"],
                )
                self.assertEqual("email" in [f.name for f in found], named)

    def test_what_is_made_of_changed_values(self):
        """Their table is closed, and so is what shows or searches it."""
        fields = [
            field
            for model in self.env.values()
            for field in model._fields.values()
            for path in self.env.registry.field_depends.get(field, ())
            if (link := model._fields.get(path.partition(".")[0]))
            and link.comodel_name == "mail.tracking.value"
        ]
        for field in fields:
            with self.subTest(field=str(field)):
                self.assertTrue(closed_fields.is_withheld(field.name))
        self.need("account.move")
        name, message = "account_audit_log_preview", "mail.message"
        for kwargs in (
            {"domain": [], "fields": [name]},
            {"domain": [[name, "ilike", "boss"]], "fields": ["id"]},
        ):
            with self.subTest(kwargs):
                self.assertEqual(self.kind(message, "search_read", **kwargs), NO)

    def test_names_of_contacts_that_are_not_there(self):
        self.need("account.move")
        move = self.env["account.move"].create(
            {"move_type": "out_invoice", "partner_id": self.other.id}
        )
        name = "invoice_partner_display_name"
        self.assertEqual(self.reads(move, name)[0][name], "Zeta")
        self.rule_for("res.partner", domain=f"[('id', '=', {self.acme.id})]")
        self.assertEqual(self.reads(move, name), NO)
        self.assertEqual(self.count([[name, "=", "Zeta"]], "account.move"), NO)
        self.assertEqual(len(self.reads(move, "partner_id", "state")), 1)

    def test_a_lead_is_won(self):
        self.need("crm.lead")
        self.close_much()
        self.rule_for("crm.lead")
        values = {"name": "Deal", "partner_id": self.acme.id, "type": "opportunity"}
        made = self.done(self.create(values, model="crm.lead"))
        lead = self.env["crm.lead"].browse(made["ids"])
        # Copied from the customer by Odoo, and as closed as there.
        self.assertEqual(lead.email_from, "boss@acme.example")
        self.assertEqual(self.reads(lead, "email_from"), NO)
        self.assertEqual(self.count([["email_from", "ilike", "boss"]], "crm.lead"), NO)
        self.assertEqual(self.kind_of(self.write(lead, {"email_from": "x@y.z"})), NO)
        self.done(self.method(lead, "action_set_won"))
        self.assertEqual(lead.probability, 100)
        self.done(
            self.call("crm.lead", "activity_schedule", lead.ids, summary="Call them")
        )
        self.assertTrue(lead.activity_ids)

    def test_the_same_without_writing(self):
        """Read everything, write only leads."""
        self.need("crm.lead", "sale.order")
        off = dict.fromkeys(("perm_create", "perm_write", "perm_unlink"), False)
        self.rule_for("", **off)
        self.rule_for("crm.lead", perm_unlink=False)
        made = self.done(self.create({"name": "Deal"}, model="crm.lead"))
        lead = self.env["crm.lead"].browse(made["ids"])
        self.done(self.write(lead, {"name": "Deal 2"}))
        self.assertEqual(self.kind_of(self.call("crm.lead", "unlink", lead.ids)), NO)
        for answer in (
            self.create({"name": "x"}),
            self.write(self.acme, {"name": "x"}),
            self.create({"partner_id": self.acme.id}, model="sale.order"),
            # By way of the lead.
            self.write(lead, {"partner_id": self.acme.id, "email_from": "x@y.example"}),
        ):
            self.assertEqual(self.kind_of(answer), NO, answer)
        self.assertEqual(self.acme.email, "boss@acme.example")
        self.assertIsInstance(self.count([], "sale.order"), int)
