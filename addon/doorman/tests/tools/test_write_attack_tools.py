from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import ApprovalCase

NO = "not_allowed"


@tagged("post_install", "-at_install")
class TestWriteAttackTools(ApprovalCase):
    """A command asks for what its own tool asks for."""

    def setUp(self):
        super().setUp()
        self.gate()
        self.kid = self.env["res.partner"].create(
            {"name": "Kid", "parent_id": self.acme.id}
        )
        self.bank = self.env["res.partner.bank"].create(
            {"acc_number": "BE71096123456769", "partner_id": self.acme.id}
        )
        kid, bank = self.kid.id, self.bank.id
        tags = self.env["res.partner.category"]
        tag = self.acme.category_id = tags.create({"name": "Region"})
        below = tags.create({"name": "North", "parent_id": tag.id})

        def tagged_with(*command):
            return {"category_id": [[1, tag.id, {"child_ids": [list(command)]}]]}

        # values for the contact, and the tools that they need besides update_records
        self.commands = (
            ({"child_ids": [[0, 0, {"name": "x"}]]}, {"create_records"}),
            ({"child_ids": [[2, kid, 0]]}, {"delete_records"}),
            ({"child_ids": [[1, kid, {"name": "x"}]]}, set()),
            ({"child_ids": [[3, kid, 0]]}, set()),
            # A tag is nothing without the one above it.
            (tagged_with(3, below.id, 0), {"delete_records"}),
            (tagged_with(5, 0, 0), {"delete_records"}),
            (tagged_with(6, 0, []), {"delete_records"}),
            # Odoo archives an account instead of deleting it.
            ({"bank_ids": [[3, bank, 0]]}, set()),
            ({"category_id": [[6, 0, []]]}, set()),
            ({"category_id": [[0, 0, {"name": "x"}]]}, {"create_records"}),
            (
                {"child_ids": [[1, kid, {"child_ids": [[0, 0, {"name": "y"}]]}]]},
                {"create_records"},
            ),
        )

    def allow_tools(self, *names):
        tools = [self.tools[name].id for name in names]
        self.connection.allowed_tool_ids = [Command.set(tools)]

    def try_it(self, vals):
        return self.kind(
            "res.partner", "write", self.acme.ids, vals=vals, more={"dry_run": True}
        )

    def test_the_tool_must_be_allowed(self):
        self.allow_tools("update_records")
        for vals, needed in self.commands:
            with self.subTest(vals=vals):
                self.assertEqual(self.try_it(vals), NO if needed else "ok")
        for vals, needed in self.commands:
            with self.subTest(allowed=vals):
                self.allow_tools("update_records", *needed)
                self.assertEqual(self.try_it(vals), "ok")

    def test_the_tool_must_be_switched_on(self):
        tool = self.tools["delete_records"].sudo()
        tool._inside().write({"active": False})
        self.assertEqual(self.try_it({"child_ids": [[2, self.kid.id, 0]]}), NO)
        self.assertEqual(self.try_it({"name": "x"}), "ok")

    def test_the_tool_may_wait(self):
        for tool in ("create_records", "delete_records"):
            self.gate(tool)
            for vals, needed in self.commands:
                with self.subTest(tool=tool, vals=vals):
                    waits = tool in needed
                    args = ("res.partner", "write", self.acme.ids)
                    if waits:
                        kind = self.kind(*args, vals=vals)
                        self.assertEqual(kind, "pending_approval")
                        self.assertEqual(self.ask_kind(*args, vals=vals), "pending")
                    self.assertEqual(self.try_it(vals), "ok")

    def test_a_rule_holds_for_what_hangs_on_it(self):
        """By the risk of the command's tool, and by the model of its records."""
        vals = {"bank_ids": [[1, self.bank.id, {"acc_holder_name": "x"}]]}
        model = self.env["ir.model"]._get("res.partner.bank")
        for rule, waits in (
            ({"risk": "high"}, {"child_ids": [[2, self.kid.id, 0]]}),
            ({"model_id": model.id}, vals),
        ):
            rule = self.rule(**rule)
            with self.subTest(waits=waits):
                kind = self.kind("res.partner", "write", self.acme.ids, vals=waits)
                self.assertEqual(kind, "pending_approval")
                name = {"name": "Other"}
                kind = self.kind("res.partner", "write", self.acme.ids, vals=name)
                self.assertEqual(kind, "ok")
            rule.unlink()

    @mute_logger("odoo.sql_db")
    def test_lines_of_a_new_record_are_made_with_it(self):
        self.allow_tools("create_records")
        vals = {"name": "x", "child_ids": [[0, 0, {"name": "y"}]], "bank_ids": [[5]]}
        answer = self.create(vals)
        self.assertIn("value", answer)
        vals = {"name": "x", "child_ids": [[4, self.kid.id, 0]]}
        self.assertEqual(self.create(vals)["error"]["kind"], NO)
