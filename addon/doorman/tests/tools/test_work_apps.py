"""Office work with Odoo's own apps: what is told of it, and the next step."""

from odoo.fields import Command, Date
from odoo.tests import tagged

from ...tools import opened, wizard_words
from ...tools.told_changes import MAX_IDS
from .test_send_apps import AppsCase


class WorkCase(AppsCase):
    """Asks Odoo itself for what must hold."""

    def wizard_press(self, wizard, method, **values):
        request = self.request(wizard["model"], "call_method")
        request["kwargs"] = {
            "method": method,
            "wizard": wizard["handle"],
            "values": values,
        }
        return self.gateway.call(self.fence(), request)

    def invoice(self, **vals):
        line = {"name": "Work", "price_unit": 100, "tax_ids": False}
        move = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.acme.id,
                "invoice_date": Date.today(),
                "invoice_line_ids": [Command.create(line)],
                **vals,
            }
        )
        move.action_post()
        return move


@tagged("post_install", "-at_install")
class TestMoneyWork(WorkCase):
    def setUp(self):
        super().setUp()
        self.needs("account.move")
        if not self.env["account.journal"].search([("type", "=", "sale")], limit=1):
            self.skipTest("there is no chart of accounts")
        self.own = self.env.company.currency_id
        currencies = self.env["res.currency"].with_context(active_test=False)
        self.other = currencies.search([("id", "!=", self.own.id)], limit=1)
        self.other.active = True
        self.env["res.currency.rate"].create(
            {
                "currency_id": self.other.id,
                "company_id": self.env.company.id,
                "name": "1999-01-01",
                "rate": 2,
            }
        )
        self.people["user"].group_ids = [
            Command.link(self.env.ref(f"account.group_account_{name}").id)
            for name in ("invoice", "manager")
        ] + [Command.link(self.env.ref("base.group_multi_currency").id)]

    def test_a_payment_tells_its_currency_and_takes_another(self):
        """The form has the currency twice: hidden, and where people choose it."""
        move = self.invoice(currency_id=self.other.id)
        wizard = self.method(move, "action_register_payment")["value"]["wizard"]
        self.assertEqual(
            wizard["values"]["amount"], {"amount": 100.0, "currency": self.other.name}
        )
        self.assertIn("currency_id", [f["name"] for f in wizard["fields"]])
        answer = self.wizard_press(
            wizard,
            "action_create_payments",
            currency_id=self.own.name,
            amount={"amount": 50, "currency": self.own.name},
        )
        value = answer["value"]
        payment = self.env["account.payment"].search(
            [("partner_id", "=", self.acme.id)], limit=1
        )
        self.assertEqual((payment.currency_id, payment.amount), (self.own, 50))
        # It opens nothing: the invoice is what to look at.
        self.assertEqual(value["result_model"], "account.move")
        self.assertEqual(value["result_ids"], move.ids)
        self.assertTrue(value["actions"])

    def test_an_amount_in_another_currency_than_the_wizards(self):
        move = self.invoice(currency_id=self.other.id)
        wizard = self.method(move, "action_register_payment")["value"]["wizard"]
        answer = self.wizard_press(
            wizard,
            "action_create_payments",
            amount={"amount": 50, "currency": self.own.name},
        )
        self.assertEqual(self.kind_of(answer), "invalid_input")
        self.assertIn(self.other.name, answer["error"]["message"])

    def test_amounts_of_new_records_have_their_currency(self):
        line = [[0, 0, {"name": "Work", "price_unit": 100, "tax_ids": []}]]
        rows = [
            {
                "move_type": "out_invoice",
                "partner_id": self.acme.id,
                "currency_id": currency.id,
                "invoice_line_ids": line,
            }
            for currency in (self.own, self.other)
        ]
        request = self.request("account.move", "create") | {
            "kwargs": {"vals_list": rows},
            "tell": ["amount_total", "currency_id"],
        }
        told = self.gateway.call(self.fence(), request)["value"]["rows"]
        self.assertEqual(
            [(row["amount_total"], row["currency_id"][1]) for row in told],
            [(100.0, self.own.name), (100.0, self.other.name)],
        )

    def test_buttons_are_those_of_the_record_as_it_is_now(self):
        """``hide_post_button`` does not depend on ``state``: computed before the entry
        is posted, it would offer to post it again."""
        accounts = self.env["account.account"].search([], limit=2)
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "line_ids": [
                    Command.create({"name": "x", "account_id": one.id, "balance": sum_})
                    for one, sum_ in zip(accounts, (5, -5), strict=True)
                ],
            }
        )
        value = self.method(entry, "action_post")["value"]
        self.assertEqual(entry.state, "posted")
        self.assertNotIn("action_post", [a["method"] for a in value["actions"]])


@tagged("post_install", "-at_install")
class TestStockWork(WorkCase):
    def setUp(self):
        super().setUp()
        self.needs("stock.picking")
        self.people["user"].group_ids = [
            Command.link(self.env.ref("stock.group_stock_manager").id)
        ]
        self.warehouse = self.env["stock.warehouse"].search(
            [("company_id", "=", self.env.company.id)], limit=1
        )

    def delivery(self, lines):
        products = self.env["product.product"].create(
            [{"name": f"Thing {n}", "is_storable": True} for n in range(lines)]
        )
        kind, stock = self.warehouse.out_type_id, self.warehouse.lot_stock_id
        for product in products:
            self.env["stock.quant"]._update_available_quantity(product, stock, 10)
        customers = self.env.ref("stock.stock_location_customers")
        places = {"location_id": stock.id, "location_dest_id": customers.id}
        picking = self.env["stock.picking"].create(
            {
                "picking_type_id": kind.id,
                "move_ids": [
                    Command.create({"product_id": p.id, "product_uom_qty": 4, **places})
                    for p in products
                ],
                **places,
            }
        )
        picking.action_confirm()
        picking.action_assign()
        return picking

    def test_a_return_of_many_lines_says_how_many_there_are(self):
        lines = wizard_words.MAX_ROWS + 5
        picking = self.delivery(lines)
        picking.button_validate()
        self.assertEqual(picking.state, "done")
        value = self.method(picking, "stock.act_stock_return_picking")["value"]
        wizard = value["wizard"]
        rows = wizard["values"]["product_return_moves"]
        self.assertEqual(len(rows), wizard_words.MAX_ROWS)
        self.assertEqual(wizard["left_out"], {"product_return_moves": lines})
        # A row that is not shown is there all the same.
        value = self.wizard_press(
            wizard,
            "action_create_returns",
            product_return_moves=[{"row": lines - 1, "quantity": 3}],
        )["value"]
        back = self.env["stock.picking"].browse(value["result_ids"])
        self.assertEqual(back.move_ids.product_id, picking.move_ids[-1].product_id)
        self.assertEqual(back.move_ids.product_uom_qty, 3)

    def test_a_new_row_starts_as_on_a_screen(self):
        """With its model's defaults, and what the form tells its rows."""
        picking = self.delivery(1)
        picking.button_validate()
        self.env["ir.ui.view"].create(
            {
                "name": "returns",
                "model": "stock.return.picking",
                "inherit_id": self.env.ref("stock.view_stock_return_picking_form").id,
                "arch": """
                <field name="product_return_moves" position="attributes">
                  <attribute name="context">{'default_quantity': 7}</attribute>
                </field>
                """,
            }
        )
        other = self.env["product.product"].create(
            {"name": "Also back", "is_storable": True}
        )
        wizard = self.method(picking, "stock.act_stock_return_picking")["value"]
        value = self.wizard_press(
            wizard["wizard"],
            "action_create_returns",
            product_return_moves=[{"row": 1, "product_id": "Also back"}],
        )["value"]
        back = self.env["stock.picking"].browse(value["result_ids"])
        self.assertEqual(back.move_ids.product_id, other)
        self.assertEqual(back.move_ids.product_uom_qty, 7)

    def test_nothing_is_left_out_of_a_short_one(self):
        picking = self.delivery(2)
        picking.button_validate()
        value = self.method(picking, "stock.act_stock_return_picking")["value"]
        self.assertEqual(len(value["wizard"]["values"]["product_return_moves"]), 2)
        self.assertNotIn("left_out", value["wizard"])

    def test_a_backorder_leads_back_to_the_delivery(self):
        picking = self.delivery(1)
        picking.move_ids.quantity = 3
        wizard = self.method(picking, "button_validate")["value"]["wizard"]
        value = self.wizard_press(wizard, "process")["value"]
        self.assertEqual(picking.state, "done")
        self.assertEqual(value["result_model"], "stock.picking")
        self.assertEqual(value["result_ids"], picking.ids)
        self.assertIn(
            "stock.act_stock_return_picking", [a["method"] for a in value["actions"]]
        )


@tagged("post_install", "-at_install")
class TestLongAnswers(WorkCase):
    """What is cut says so, and how much there is."""

    def test_a_list_that_opens(self):
        some = opened.MAX_RECORDS
        self.env["res.partner"].create([{"name": "Listed"}] * (some + 3))
        for more, name in (3, "Listed"), (0, "Acme"):
            with self.subTest(name=name):
                action = {
                    "type": "ir.actions.act_window",
                    "name": "Them",
                    "res_model": "res.partner",
                    "domain": [("name", "=", name)],
                }
                partners = type(self.env["res.partner"])
                self.patch(
                    partners, "create_company", lambda _self, action=action: action
                )
                value = self.method(self.acme, "create_company")["value"]
                if more:
                    self.assertEqual(len(value["result_ids"]), some)
                    self.assertIn(f"{some} of {some + more}", value["result"])
                else:
                    self.assertEqual(value["result_ids"], self.acme.ids)
                    self.assertNotIn(" of 1", value["result"])

    def test_links_that_were_replaced(self):
        tags = self.env["res.partner.category"].create(
            [{"name": f"Tag {n}"} for n in range(MAX_IDS + 1)]
        )
        for some in (tags[:MAX_IDS], tags):
            [change] = [
                entry
                for entry in self.write(self.acme, {"category_id": some.ids})["value"][
                    "changed"
                ]
                if entry["model"] == "res.partner"
            ]
            _old, new = change["values"][str(self.acme.id)]["category_id"]
            if len(some) > MAX_IDS:
                self.assertEqual(new, {"ids": tags[:MAX_IDS].ids, "count": len(tags)})
            else:
                self.assertEqual(new, some.ids)

    def test_what_a_method_gives(self):
        partners = type(self.env["res.partner"])
        self.patch(partners, "create_company", lambda _self: "x" * 9_000)
        result = self.method(self.acme, "create_company")["value"]["result"]
        self.assertTrue(result.endswith("x... (9002 characters in all)"), result[-40:])


@tagged("post_install", "-at_install")
class TestRepeated(WorkCase):
    """Values that a record does not keep itself, and its model's own code takes."""

    def test_a_meeting_every_week(self):
        self.needs("calendar.event")
        event = {
            "name": "Stand-up",
            "start": "2031-03-04 09:00:00",
            "stop": "2031-03-04 09:30:00",
        }
        rule = {
            "recurrency": True,
            "rrule_type": "weekly",
            "interval": 2,
            "tue": True,
            "end_type": "count",
            "count": 4,
            "event_tz": "UTC",
        }
        value = self.create(event | rule, model="calendar.event")["value"]
        events = self.env["calendar.event"].search([("name", "=", "Stand-up")])
        self.assertEqual(
            sorted(event.start.day for event in events), [1, 4, 15, 18]
        )  # 4 and 18 March, 1 and 15 April
        made = self.env["calendar.event"].browse(value["ids"])
        self.assertEqual((made.interval, made.count), (2, 4))
        answer = self.write(
            made, {"name": "Sit-down", "recurrence_update": "all_events"}
        )
        self.assertIn("value", answer)
        self.assertEqual(
            self.env["calendar.event"].search_count([("name", "=", "Sit-down")]), 4
        )

    def test_a_task_every_month(self):
        self.needs("project.task")
        self.people["user"].group_ids = [
            Command.link(self.env.ref("project.group_project_user").id)
        ]
        project = self.env["project.project"].create(
            {"name": "Upkeep", "privacy_visibility": "employees"}
        )
        vals = {
            "name": "Oil the door",
            "project_id": project.id,
            "recurring_task": True,
            "repeat_interval": 3,
            "repeat_unit": "month",
            "repeat_type": "until",
            "repeat_until": "2032-01-31",
        }
        value = self.create(vals, model="project.task")["value"]
        repeats = self.env["project.task"].browse(value["ids"]).recurrence_id
        self.assertEqual(
            (repeats.repeat_interval, repeats.repeat_unit, repeats.repeat_type),
            (3, "month", "until"),
        )
        self.assertEqual(str(repeats.repeat_until), "2032-01-31")

    def test_a_value_that_is_lost_all_the_same(self):
        """Without ``recurring_task`` nothing takes it: refused, nothing is done."""
        self.needs("project.task")
        self.people["user"].group_ids = [
            Command.link(self.env.ref("project.group_project_user").id)
        ]
        project = self.env["project.project"].create(
            {"name": "Upkeep", "privacy_visibility": "employees"}
        )
        vals = {"name": "Once", "project_id": project.id, "repeat_interval": 3}
        for rows in ([vals], [vals | {"repeat_interval": 0}, vals]):
            answer = self.create(*rows, model="project.task")
            self.assertEqual(answer["error"]["code"], "computed_field")
            self.assertFalse(self.env["project.task"].search([("name", "=", "Once")]))
        task = self.env["project.task"].create(
            {"name": "There", "project_id": project.id}
        )
        answer = self.write(task, {"name": "Gone", "repeat_unit": "year"})
        self.assertEqual(answer["error"]["code"], "computed_field")
        self.assertEqual(task.name, "There")

    def test_not_as_a_line_of_something_else(self):
        self.needs("project.task")
        self.people["user"].group_ids = [
            Command.link(self.env.ref("project.group_project_manager").id)
        ]
        task = {"name": "Line", "recurring_task": True, "repeat_interval": 3}
        answer = self.create(
            {"name": "Upkeep", "task_ids": [[0, 0, task]]}, model="project.project"
        )
        self.assertIn("error", answer)


@tagged("post_install", "-at_install")
class TestStockCount(WorkCase):
    def setUp(self):
        super().setUp()
        self.needs("stock.quant")
        self.people["user"].group_ids = [
            Command.link(self.env.ref("stock.group_stock_manager").id)
        ]
        self.stock = (
            self.env["stock.warehouse"]
            .search([("company_id", "=", self.env.company.id)], limit=1)
            .lot_stock_id
        )
        self.thing = self.env["product.product"].create(
            {"name": "Counted", "is_storable": True, "tracking": "none"}
        )

    def count(self, product=None, **vals):
        vals = {
            "product_id": (product or self.thing).id,
            "location_id": self.stock.id,
            "inventory_quantity": 80,
        } | vals
        return self.create(vals, model="stock.quant")

    def apply(self, answer):
        quant = self.env["stock.quant"].browse(answer["value"]["ids"])
        self.assertIn("value", self.method(quant, "action_apply_inventory"))

    def test_a_first_count(self):
        self.apply(self.count())
        self.assertEqual(self.thing.qty_available, 80)

    def test_a_count_of_what_is_there(self):
        """A second quant of the same would add to it: Odoo's own screens look for the
        one that is there."""
        self.env["stock.quant"]._update_available_quantity(self.thing, self.stock, 103)
        quant = self.env["stock.quant"].search(
            [("product_id", "=", self.thing.id), ("location_id", "=", self.stock.id)]
        )
        for count in (
            lambda: self.count(),
            lambda: self.count(lot_id=False, package_id=None),
            lambda: self.count(product_id={"id": self.thing.id, "name": "x"}),
        ):
            answer = count()
            self.assertEqual(self.kind_of(answer), "invalid_input")
            self.assertIn(str(quant.id), answer["error"]["hint"])
        self.assertIn("value", self.write(quant, {"inventory_quantity": 80}))
        self.method(quant, "action_apply_inventory")
        self.assertEqual(self.thing.qty_available, 80)

    def test_stock_comes_from_counts_and_moves_alone(self):
        """As on Odoo's own screens, which take no other field of stock."""
        quants = self.env["stock.quant"]
        quants._update_available_quantity(self.thing, self.stock, 5)
        quant = quants.search(
            [("product_id", "=", self.thing.id), ("location_id", "=", self.stock.id)]
        )
        other = self.env["product.product"].create(
            {"name": "Other", "is_storable": True}
        )
        for name, value in (
            ("quantity", 80),
            ("reserved_quantity", 2),
            ("inventory_quantity_auto_apply", 80),
            ("inventory_diff_quantity", 75),
            ("product_id", other.id),
            ("location_id", self.stock.location_id.id),
        ):
            new = {} if name.endswith("_id") else {name: value}
            for answer in (
                self.write(quant, {name: value}),
                self.write(self.stock, {"quant_ids": [[1, quant.id, {name: value}]]}),
                self.count(other, **new) if new else None,
            ):
                if answer:
                    with self.subTest(field=name):
                        self.assertEqual(self.kind_of(answer), "not_allowed", answer)
            self.assertFalse(quants.search([("product_id", "=", other.id)]))
        answer = self.write(quant, {"quantity": 80})
        self.assertIn("inventory_quantity", answer["error"]["hint"])
        self.assertEqual((quant.quantity, quant.product_id), (5, self.thing))
        for vals in ({"user_id": self.env.uid}, {"inventory_date": "2031-01-01"}):
            self.assertIn("value", self.write(quant, vals))

    def test_a_button_above_a_list_is_for_the_records_that_are_named(self):
        """Odoo's own code asks for ``active_domain`` there."""
        other = self.env["product.product"].create(
            {"name": "Not counted", "is_storable": True}
        )
        quants = self.env["stock.quant"]
        for product in (self.thing, other):
            answer = self.count(product)
            quants |= quants.browse(answer["value"]["ids"])
        value = self.method(quants[0], "action_apply_all")["value"]
        self.wizard_press(value["wizard"], "action_apply")
        self.assertEqual((self.thing.qty_available, other.qty_available), (80, 0))

    def test_two_counts_of_one_thing_in_one_call(self):
        row = {
            "product_id": self.thing.id,
            "location_id": self.stock.id,
            "inventory_quantity": 5,
        }
        answer = self.create(row, row, model="stock.quant")
        self.assertEqual(self.kind_of(answer), "invalid_input")
        self.assertFalse(
            self.env["stock.quant"].search([("product_id", "=", self.thing.id)])
        )

    def test_another_place_lot_or_owner_is_another_count(self):
        self.env["stock.quant"]._update_available_quantity(self.thing, self.stock, 9)
        shelf = self.env["stock.location"].create(
            {"name": "Shelf", "location_id": self.stock.id}
        )
        self.apply(self.count(location_id=shelf.id))
        self.apply(self.count(owner_id=self.acme.id))
        self.assertEqual(self.thing.qty_available, 9 + 80 + 80)


@tagged("post_install", "-at_install")
class TestExpenseWork(WorkCase):
    def test_an_expense_split_in_three(self):
        self.needs("hr.expense")
        user = self.people["user"]
        user.group_ids = [
            Command.link(self.env.ref("hr_expense.group_hr_expense_manager").id)
        ]
        employee = self.env["hr.employee"].create({"name": "Ann", "user_id": user.id})
        meals = self.env["product.product"].create(
            {"name": "Dinner", "can_be_expensed": True, "standard_price": 0}
        )
        expense = self.env["hr.expense"].create(
            {
                "name": "Dinner",
                "employee_id": employee.id,
                "product_id": meals.id,
                "total_amount_currency": 90,
                "tax_ids": False,
            }
        )
        wizard = self.method(expense, "action_split_wizard")["value"]["wizard"]
        rows = wizard["values"]["expense_split_line_ids"]
        currency = expense.currency_id.name
        self.assertEqual(
            [row["total_amount_currency"] for row in rows],
            [{"amount": 45.0, "currency": currency}] * 2,
        )
        answer = self.wizard_press(
            wizard,
            "action_split_expense",
            expense_split_line_ids=[
                {"row": 0, "total_amount_currency": {"amount": 30}},
                {"row": 1, "total_amount_currency": 50},
                {"row": 2, "total_amount_currency": 10, "name": "Tip"},
            ],
        )
        self.assertIn("value", answer)
        split = self.env["hr.expense"].search([("employee_id", "=", employee.id)])
        self.assertEqual(
            sorted(split.mapped(lambda e: (e.total_amount_currency, e.name))),
            [(10, "Tip"), (30, "Dinner"), (50, "Dinner")],
        )
        self.assertEqual(split.product_id, meals)
