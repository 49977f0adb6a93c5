"""A change does what the same change does in Odoo's form: what onchange methods fill in
is saved with it, as far as the connection may write it."""

from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ...tools import onchanges
from ..common import ApprovalCase
from ..gateway.test_undo import UndoCase
from ..rules_common import RulesCase
from .test_work_apps import WorkCase


@tagged("post_install", "-at_install")
class TestOnchanges(RulesCase):
    """A contact's country empties the state of another country, in Odoo's form only."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        states = cls.env["res.country.state"]
        usa, france = cls.env.ref("base.us"), cls.env.ref("base.fr")
        cls.usa, cls.france = usa, france
        cls.ohio = states.search([("country_id", "=", usa.id)], limit=1)
        cls.paris = states.create(
            {"name": "Paris", "code": "X75", "country_id": france.id}
        )
        cls.acme.write({"country_id": usa.id, "state_id": cls.ohio.id})

    def move(self, **vals):
        return self.write(self.acme, {"country_id": self.france.id} | vals)

    def where(self):
        self.env.invalidate_all()
        return self.acme.country_id, self.acme.state_id

    def test_what_the_form_fills_in(self):
        with Form(self.acme.copy()) as form:
            form.country_id = self.france
        value = self.move()["value"]
        self.assertEqual(self.where(), (form.record.country_id, form.record.state_id))
        self.assertFalse(form.record.state_id)
        [changed] = value["changed"]
        ohio = {"id": self.ohio.id, "name": self.ohio.display_name}
        self.assertEqual(changed["values"][str(self.acme.id)]["state_id"], [ohio, None])

    def test_the_callers_own_values_stay(self):
        for vals in (
            {"country_id": self.france.id, "state_id": self.paris.id},
            {"state_id": self.paris.id, "country_id": self.france.id},
        ):
            self.acme.write({"country_id": self.usa.id, "state_id": self.ohio.id})
            self.assertIn("value", self.write(self.acme, vals))
            self.assertEqual(self.where(), (self.france, self.paris))

    def test_each_record_by_itself(self):
        other = self.acme.copy({"state_id": self.paris.id})
        answer = self.write(self.acme + other, {"country_id": self.france.id})
        self.assertIn("value", answer)
        self.assertEqual(self.where(), (self.france, self.ohio.browse()))
        self.assertEqual(other.state_id, self.paris)

    def test_a_new_record(self):
        answer = self.create({"name": "N", "state_id": self.ohio.id})
        made = self.env["res.partner"].browse(answer["value"]["ids"])
        self.assertEqual(made.country_id, self.usa)
        self.assertEqual(answer["value"]["rows"][0]["country_id"][0], self.usa.id)

    def test_a_line(self):
        line = {"name": "L", "state_id": self.ohio.id}
        answer = self.create({"name": "N", "child_ids": [[0, 0, line]]})
        made = self.env["res.partner"].browse(answer["value"]["ids"])
        self.assertEqual(made.child_ids.country_id, self.usa)

    def test_what_was_so_before_fills_in_nothing(self):
        self.acme.write({"state_id": self.paris.id})
        self.assertIn("value", self.write(self.acme, {"country_id": self.usa.id}))
        self.assertEqual(self.where(), (self.usa, self.paris))

    def test_without_onchange_methods_no_form_is_read(self):
        views = type(self.env["ir.ui.view"])
        with patch.object(views, "_doorman_form", side_effect=AssertionError):
            answer = self.write(self.acme, {"function": "Boss", "comment": "x"})
        self.assertIn("value", answer)

    # ---- what the connection may not write ----

    def test_a_field_that_is_closed_to_it(self):
        self.rule_for("res.partner", hidden=["state_id"])
        value = self.move()["value"]
        self.assertEqual(self.where(), (self.france, self.ohio))
        self.assertIn("state_id", value["warnings"][0])
        self.assertNotIn(self.ohio.name, str(value))

    def test_records_of_a_model_that_it_may_only_read(self):
        """Which the form would change as lines of the record."""
        child = self.acme.create({"name": "C", "parent_id": self.acme.id})

        def rename(self):
            self.child_ids.name = "Renamed"

        onchange = {"country_id": [rename]}
        methods = type(self.acme)
        for may, name in ((True, "Renamed"), (False, "C")):
            child.name = "C"
            self.acme.write({"country_id": self.usa.id})
            if not may:
                self.rule_for("res.partner", domain=f"[('id', '=', {self.acme.id})]")
            with patch.object(methods, "_onchange_methods", onchange):
                answer = self.move()
            self.assertIn("value", answer)
            self.env.invalidate_all()
            self.assertEqual(child.name, name)
            self.assertEqual("warnings" in answer["value"], not may)

    def test_what_only_odoo_writes(self):
        def fill(self):
            self.create_uid = self.env["res.users"].browse(other)
            self.ref = "filled"

        methods, maker = type(self.acme), self.acme.create_uid
        other = self.people["user"].id
        with patch.object(methods, "_onchange_methods", {"country_id": [fill]}):
            self.assertIn("value", self.move())
        self.assertEqual((self.acme.create_uid, self.acme.ref), (maker, "filled"))

    # ---- what it says ----

    def test_a_warning_is_told(self):
        def warn(self):
            return {"warning": {"title": "Mind", "message": "the gap"}}

        methods = type(self.acme)
        with patch.object(methods, "_onchange_methods", {"country_id": [warn]}):
            answers = (
                self.move(),
                self.move(country_id=self.usa.id),
                self.call(
                    "res.partner",
                    "write",
                    self.acme.ids,
                    vals={"country_id": self.france.id},
                    more={"dry_run": True},
                ),
            )
        for answer in answers:
            self.assertEqual(answer["value"]["warnings"], ["Mind: the gap"])

    def test_a_refusal_refuses(self):
        def refuse(self):
            raise UserError("Not that one")

        methods = type(self.acme)
        with patch.object(methods, "_onchange_methods", {"country_id": [refuse]}):
            answer = self.move()
        self.assertIn("Not that one", str(answer["error"]))
        self.assertEqual(self.where(), (self.usa, self.ohio))

    def test_what_breaks_without_a_screen_keeps_nobody_from_writing(self):
        def fail(self):
            self.env.cr.execute("SELECT no_such_column")

        def look(self):
            self.env["ir.config_parameter"].search([])

        methods = type(self.acme)
        for breaks in (fail, look):
            self.acme.write({"country_id": self.usa.id, "state_id": self.ohio.id})
            with (
                patch.object(methods, "_onchange_methods", {"country_id": [breaks]}),
                mute_logger("odoo.sql_db", "odoo.addons.doorman.tools.onchanges"),
            ):
                value = self.move()["value"]
            self.assertEqual(self.where(), (self.france, self.ohio))
            self.assertIn("failed", value["warnings"][0])

    def test_what_a_form_says_before_anything_changes_refuses_nothing(self):
        partners = type(self.acme)
        with (
            patch.object(partners, "default_get", side_effect=UserError("On a screen")),
            patch.object(
                onchanges, "_unsaved", lambda records, nodes: records.default_get([])
            ),
            mute_logger("odoo.addons.doorman.tools.onchanges"),
        ):
            self.assertIn("value", self.move())
        self.assertEqual(self.where()[0], self.france)

    def test_a_required_field_is_not_emptied(self):
        """A form is not saved before a person has filled it in."""
        self.people["user"].group_ids += self.env.ref("base.group_partner_manager")
        bank = self.env["res.bank"].create({"name": "B", "bic": "ZYXWBEBB"})

        def empty(self):
            self.name = self.bic = False

        with patch.object(type(bank), "_onchange_methods", {"country": [empty]}):
            answer = self.write(bank, {"country": self.france.id})
        self.assertIn("value", answer)
        self.assertEqual((bank.name, bank.bic), ("B", False))

    def test_a_dry_run_shows_it(self):
        value = self.call(
            "res.partner",
            "write",
            self.acme.ids,
            vals={"country_id": self.france.id},
            more={"dry_run": True},
        )["value"]
        [change] = value["changes"]
        self.assertEqual(change["before"]["state_id"][0], self.ohio.id)
        self.assertFalse(change["after"]["state_id"])
        self.assertEqual(self.where(), (self.usa, self.ohio))


@tagged("post_install", "-at_install")
class TestOnchangesUndone(UndoCase):
    def test_what_was_filled_in_goes_back(self):
        state = self.env["res.country.state"].search(
            [("country_id", "=", self.env.ref("base.us").id)], limit=1
        )
        self.acme.write({"country_id": state.country_id.id, "state_id": state.id})
        before = self.stored(self.acme, "country_id", "state_id")
        vals = {"country_id": self.env.ref("base.fr").id}
        change = self.changed(self.write(self.acme, vals))
        self.assertFalse(self.acme.state_id)
        self.assertEqual(self.kind_of(self.undo(change)), "ok")
        self.assertEqual(self.stored(self.acme, "country_id", "state_id"), before)


@tagged("post_install", "-at_install")
class TestOnchangesApproved(ApprovalCase):
    def test_who_decides_sees_it(self):
        state = self.env["res.country.state"].search(
            [("country_id", "=", self.env.ref("base.us").id)], limit=1
        )
        self.acme.write({"country_id": state.country_id.id, "state_id": state.id})
        vals = {"country_id": self.env.ref("base.fr").id}
        request = self.waiting("res.partner", "write", self.acme.ids, vals=vals)
        self.assertIn(state.display_name, str(request.changes_html))
        request.with_user(self.people["approver"]).action_approve()
        self.env.invalidate_all()
        self.assertEqual(request.state, "executed")
        self.assertFalse(self.acme.state_id)


@tagged("post_install", "-at_install")
class TestOnchangesApps(WorkCase):
    def test_what_is_produced_takes_its_components(self):
        self.needs("mrp.production")
        self.people["user"].group_ids += self.env.ref("mrp.group_mrp_manager")
        bolt, stool = self.env["product.product"].create(
            [{"name": "Bolt", "is_storable": True}, {"name": "Stool"}]
        )
        self.env["mrp.bom"].create(
            {
                "product_tmpl_id": stool.product_tmpl_id.id,
                "bom_line_ids": [(0, 0, {"product_id": bolt.id, "product_qty": 4})],
            }
        )
        order = self.env["mrp.production"].create(
            {"product_id": stool.id, "product_qty": 5}
        )
        order.action_confirm()
        value = self.write(order, {"qty_producing": 3})["value"]
        move = order.move_raw_ids
        self.assertEqual((move.quantity, move.picked), (12, True))
        [told] = [c for c in value["changed"] if c["model"] == "stock.move"]
        self.assertTrue(told["set_off"])
        self.assertEqual(told["values"][str(move.id)]["quantity"], [0, 12])

    def test_a_purchase_order_has_the_terms_of_its_vendor(self):
        self.needs("purchase.order")
        self.people["user"].group_ids += self.env.ref("purchase.group_purchase_manager")
        term = self.env["account.payment.term"].search([], limit=1)
        self.acme.property_supplier_payment_term_id = term
        line = {"product_id": self.product().id, "product_qty": 20, "price_unit": 25}
        answer = self.create(
            {"partner_id": self.acme.id, "order_line": [[0, 0, line]]},
            model="purchase.order",
        )
        order = self.env["purchase.order"].browse(answer["value"]["ids"])
        with Form(self.env["purchase.order"]) as form:
            form.partner_id = self.acme
        self.assertEqual(order.payment_term_id, form.record.payment_term_id)
        self.assertEqual(order.order_line.product_qty, 20)
        self.assertEqual(order.order_line.price_unit, 25)


class TestDefaults(WorkCase):
    """A default that Odoo works out anew, in its form, from what is filled in."""

    def made(self, model, **vals):
        answer = self.create(vals, model=model)
        self.assertIn("value", answer, answer)
        return self.env[model].browse(answer["value"]["ids"])

    def test_the_end_of_a_meeting(self):
        self.needs("calendar.event")
        start, stop = "2026-01-06 09:00:00", "2026-01-06 12:00:00"
        for vals, end in (
            ({"start": start}, "2026-01-06 10:00:00"),
            ({"start": start, "duration": 1.5}, "2026-01-06 10:30:00"),
            ({"duration": 1.5, "start": start}, "2026-01-06 10:30:00"),
            ({"start": start, "stop": stop}, stop),
        ):
            with self.subTest(vals=vals):
                made = self.made("calendar.event", name="Past", **vals)
                self.assertEqual((str(made.start), str(made.stop)), (start, end))
        # As in Odoo's own form.
        with Form(self.env["calendar.event"]) as form:
            form.name, form.start = "Past", start
        self.assertEqual(str(form.record.stop), "2026-01-06 10:00:00")
