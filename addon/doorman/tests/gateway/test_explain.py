from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from ..common import ApprovalCase

LAST = -1


@tagged("post_install", "-at_install")
class TestExplain(ApprovalCase):
    """What is explained is what a call then comes to."""

    def explain(self, tool, model="", ids=(), person="admin"):
        connection = self.connection.with_user(self.people[person])
        return connection.explain(tool, model, list(ids))

    def decides(self, tool, model="", ids=()):
        """:return: the outcome, the step that decides, and its code"""
        found = self.explain(tool, model, ids)
        last = found["steps"][LAST]
        self.assertEqual(found["outcome"], last["outcome"])
        return found["outcome"], last["step"], last.get("code", "")

    def test_what_may_be_done(self):
        for tool, model, ids in (
            ("search_records", "res.partner", ()),
            ("read_records", "res.partner", self.acme.ids),
            ("update_records", "res.partner", self.acme.ids),
            ("create_records", "res.partner", ()),
            ("delete_records", "res.partner", self.acme.ids),
        ):
            with self.subTest(tool=tool):
                self.gate()
                self.assertEqual(self.decides(tool, model, ids)[0], "may")
        self.assertTrue(self.acme.exists())

    def test_each_rule_as_a_call_meets_it(self):
        """The code is the one that the call itself is refused with."""
        partner = self.env["ir.model"]._get("res.partner")
        category = self.env["ir.model"]._get("res.partner.category")
        other = self.tools["search_records"]
        manager = self.env.ref("base.group_partner_manager")
        rule = {"model_id": partner.id, "perm_read": True}
        settings = self.env["doorman.settings"]._get()
        for name, change, step in (
            ("read only", lambda: self.connection.write({"read_only": True}), "policy"),
            ("no scope", lambda: self.connection.write({"scope_ids": False}), "policy"),
            (
                "no tool",
                lambda: self.connection.write({"allowed_tool_ids": other.ids}),
                "policy",
            ),
            (
                "tool off",
                lambda: self.tools["update_records"].write({"active": False}),
                "policy",
            ),
            ("for all", settings.action_make_read_only, "policy"),
            (
                "no model",
                lambda: self.connection.write({"allowed_model_ids": category.ids}),
                "model",
            ),
            (
                "reads only",
                lambda: self.connection.write({"model_rule_ids": [(0, 0, rule)]}),
                "model",
            ),
            (
                "some records",
                lambda: self.connection.write(
                    {
                        "model_rule_ids": [
                            Command.create(
                                rule
                                | {"perm_write": True, "domain": "[('id', '=', 0)]"}
                            )
                        ]
                    }
                ),
                "rights",
            ),
            (
                "no right in Odoo",
                lambda: self.people["user"].write(
                    {"group_ids": [Command.unlink(manager.id)]}
                ),
                "rights",
            ),
        ):
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                self.gate()
                change()
                self.env.flush_all()
                found = self.decides("update_records", "res.partner", self.acme.ids)
                called = self.write(self.acme, {"ref": "x"})
                self.assertEqual(found[:2], ("refused", step), found)
                error = called["error"]
                self.assertEqual(found[2], error.get("code") or error["kind"])
                savepoint.rollback()
                self.env.invalidate_all()
                self.env.registry.clear_cache()

    def test_approval(self):
        self.gate("update_records")
        found = self.decides("update_records", "res.partner", self.acme.ids)
        self.assertEqual(found, ("waits", "approval", ""))
        self.assertFalse(self.connection.approval_count)
        self.gate()
        self.rule(model_id=self.env["ir.model"]._get("res.partner").id, more_than=3)
        found = self.explain("update_records", "res.partner", self.acme.ids)
        self.assertEqual(found["outcome"], "may")
        self.assertIn("more than 3", found["steps"][LAST]["message"])

    def test_sign_in(self):
        self.connection.action_revoke()
        outcome, step, _code = self.decides("search_records", "res.partner")
        self.assertEqual((outcome, step), ("refused", "sign_in"))
        found = self.explain("search_records", "res.partner")
        self.assertIn("Revoked", found["steps"][LAST]["message"])
        self.assertIsNone(found["snapshot"])

    def test_switched_off(self):
        self.env["doorman.settings"].action_disable()
        found = self.decides("search_records", "res.partner")
        self.assertEqual(found[:2], ("refused", "sign_in"))

    def test_what_stands_against_a_deletion(self):
        self.gate()
        company = self.env.company.partner_id
        outcome, step, code = self.decides("delete_records", "res.partner", company.ids)
        self.assertEqual((outcome, step), ("refused", "rights"))
        self.assertTrue(code)
        self.assertTrue(company.exists())

    def test_models_and_tools_that_there_are_not(self):
        self.assertEqual(self.decides("no_such_tool")[0], "refused")
        self.assertEqual(
            self.decides("search_records", "no.such.model")[2], "unknown_model"
        )
        self.assertEqual(
            self.decides("read_records", "res.partner", [2**30])[:2],
            ("refused", "rights"),
        )
        self.assertEqual(
            self.decides("search_records", "res.users.apikeys")[2],
            "model_not_allowed",
        )

    def test_who_may_ask(self):
        for person in ("user", "user2", "approver", "internal"):
            with self.subTest(person=person), self.assertRaises(AccessError):
                self.explain("search_records", "res.partner", person=person)

    def test_of_records_that_the_asker_may_read(self):
        """An MCP administrator does not learn of them what Odoo keeps from them."""
        rule = {
            "name": "None for administrators of MCP",
            "model_id": self.env["ir.model"]._get("res.partner").id,
            "domain_force": f"[('id', '!=', {self.acme.id})]",
        }
        self.env["ir.rule"].create(rule)
        with self.assertRaises(AccessError):
            self.explain("read_records", "res.partner", self.acme.ids)

    def test_malformed(self):
        for arguments in ((1,), ("x", 1), ("x", "res.partner", ["1"]), ("x", "", "1")):
            with self.subTest(arguments=arguments), self.assertRaises(UserError):
                self.connection.with_user(self.people["admin"]).explain(*arguments)

    def test_the_dialog(self):
        self.gate()
        dialog = (
            self.env["doorman.explain"]
            .with_user(self.people["admin"])
            .create(
                {
                    "connection_id": self.connection.id,
                    "tool_id": self.tools["update_records"].id,
                    "model_id": self.env["ir.model"]._get("res.partner").id,
                    "res_id": self.acme.id,
                }
            )
        )
        dialog.action_explain()
        self.assertEqual(dialog.outcome, "may")
        self.connection.read_only = True
        dialog.action_explain()
        self.assertEqual(dialog.outcome, "refused")
        self.assertIn("read_only_connection", dialog.answer)
