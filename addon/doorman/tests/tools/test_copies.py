from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.doorman.policy import closed_fields

from ..common import ApprovalCase, WriteCase

ACLS = "odoo.addons.base.models.ir_model"
RULES = "odoo.addons.base.models.ir_rule"


@tagged("post_install", "-at_install")
class TestCopies(WriteCase):
    """copy: as Odoo copies, within the rules for making records."""

    def copy(self, records, default=None, **kwargs):
        return self.call(
            records._name,
            "copy",
            list(records._ids),
            default={} if default is None else default,
            **kwargs,
        )

    def copies(self, records, default=None):
        answer = self.copy(records, default)
        self.assertIn("value", answer, answer)
        return records.browse(answer["value"]["ids"])

    def test_allow_as_odoo_does(self):
        """What a copy holds is what Odoo's own copy of the same record holds."""
        self.acme.write(
            {
                "email": "a@b.example",
                "comment": "<p>Hi</p>",
                "category_id": [Command.create({"name": "t"})],
            }
        )
        skip = {"id", "display_name", *closed_fields.MAGIC_FIELDS}
        names = [
            name
            for name, field in self.acme._fields.items()
            if field.store and field.copy and name not in skip
        ]
        mine = self.copies(self.acme)
        theirs = self.acme.with_user(self.people["user"]).copy()
        self.assertNotEqual(mine, self.acme)
        for name in names:
            self.assertEqual(mine[name], theirs.sudo()[name], name)
        self.assertEqual(mine.create_uid, self.people["user"])

    def test_allow_lines(self):
        """One2many lines that Odoo copies along are copied along, and told."""
        category = self.env["res.partner.category"].create({"name": "Up"})
        child = self.env["res.partner.category"].create(
            {"name": "Down", "parent_id": category.id}
        )
        answer = self.copy(child)["value"]
        copy = child.browse(answer["ids"])
        self.assertEqual(copy.parent_id, category)
        self.assertEqual(answer["names"], [copy.display_name])
        self.assertRegex(answer["url"], r"/odoo/res\.partner\.category/$")

    def test_allow_values_instead(self):
        other = self.env["res.country"].search([], limit=1)
        copy = self.copies(self.acme, {"name": "New", "country_id": other.id})
        self.assertEqual((copy.name, copy.country_id), ("New", other))

    def test_allow_several_and_dry_run(self):
        others = self.env["res.partner"].create([{"name": "B"}, {"name": "C"}])
        both = self.copies(others)
        self.assertEqual(len(both), 2)
        before = self.env["res.partner"].search_count([])
        more = {"dry_run": True}
        told = self.copy(others, {"ref": "x"}, more=more)["value"]["changes"]
        own = [c for c in told if not c.get("model") and not c.get("set_off")]
        self.assertEqual([c["after"]["ref"] for c in own], ["x", "x"])
        self.assertEqual(self.env["res.partner"].search_count([]), before)

    def test_what_changed_is_told(self):
        [changed] = [
            c
            for c in self.copy(self.acme)["value"]["changed"]
            if c["model"] == "res.partner"
        ]
        self.assertEqual((changed["action"], changed["count"]), ("created", 1))
        self.assertNotIn("set_off", changed)

    @mute_logger(ACLS, RULES)
    def test_deny(self):
        """What may not be made is not copied, and what may not be read neither."""
        user = self.people["user2"]
        file = self.env["ir.attachment"].create(
            {
                "name": "f",
                "raw": b"1",
                "res_model": "res.partner",
                "res_id": self.acme.id,
            }
        )

        def first(model):
            return self.env[model].search([], limit=1)

        rows = (
            ("a user", user, {}, "not_allowed"),
            ("a group", self.env.ref("base.group_user"), {}, "not_allowed"),
            ("a key's own model", first("doorman.connection"), {}, "not_allowed"),
            ("a system parameter", first("ir.config_parameter"), {}, "not_allowed"),
            ("a scheduled action", first("ir.cron"), {}, "not_allowed"),
            ("a file", file, {}, "not_allowed"),
            ("a file, elsewhere", file, {"res_id": self.acme.id}, "not_allowed"),
            ("a company", self.env.company, {}, "not_allowed"),
            ("one nobody may make", first("res.country"), {"code": "Q9"}, "forbidden"),
            ("a credential", self.acme, {"signup_token": "x"}, "unknown_field"),
            ("a file's bytes", self.acme, {"image_1920": "aGk="}, "not_allowed"),
            ("a field of Odoo's own", self.acme, {"create_uid": 1}, "not_allowed"),
            ("an unknown field", self.acme, {"nmae": "x"}, "unknown_field"),
            ("values that are a list", self.acme, [], "invalid_input"),
            ("values that are a text", self.acme, "x", "invalid_input"),
            ("none that is there", self.acme.browse(2**31 - 2), {}, "not_found"),
            ("one twice", self.acme.browse(self.acme.ids * 2), {}, "invalid_input"),
        )  # fmt: skip
        for name, records, default, kind in rows:
            with self.subTest(name):
                before = records.sudo().with_context(active_test=False).search_count([])
                answer = self.copy(records, default)
                self.assertEqual(self.kind_of(answer), kind, answer)
                after = records.sudo().with_context(active_test=False).search_count([])
                self.assertEqual(after - before, kind == "ok")

    def test_deny_too_many(self):
        many = self.env["res.partner"].create([{"name": str(i)} for i in range(21)])
        self.assertEqual(self.kind_of(self.copy(many)), "invalid_input")
        self.assertEqual(self.kind_of(self.copy(many[:20])), "ok")

    def test_deny_what_is_not_on_the_list(self):
        """Neither the model, nor what would be copied with it."""
        self.allow_models("res.partner.category")
        self.assertEqual(self.kind_of(self.copy(self.acme)), "not_allowed")
        self.allow_models("res.partner")
        self.assertEqual(self.kind_of(self.copy(self.acme)), "ok")
        tag = self.env["res.partner.category"].create({"name": "t"})
        self.acme.category_id = tag
        value = self.copy(self.acme)["value"]
        self.assertEqual(self.acme.browse(value["ids"]).category_id, tag)
        values = {"category_id": [[0, 0, {"name": "new"}]]}
        self.assertEqual(self.kind_of(self.copy(self.acme, values)), "not_allowed")
        bank = self.acme._fields["bank_ids"]
        self.env["res.partner.bank"].create(
            {"acc_number": "DE1", "partner_id": self.acme.id}
        )
        with patch.object(bank, "copy", True):
            self.assertEqual(self.kind_of(self.copy(self.acme)), "not_allowed")
            self.allow_models("res.partner", "res.partner.bank")
            value = self.copy(self.acme)["value"]
        copy = self.acme.browse(value["ids"])
        self.assertEqual(copy.bank_ids.mapped("acc_number"), ["DE1"])

    def test_deny_hidden_and_code(self):
        """A withheld value stays behind; code is not multiplied; neither in lines."""
        self.acme.write({"ref": "canary", "comment": "<p>x</p>"})
        ref = self.acme._fields["ref"]
        self.assertTrue(ref.copy)
        is_withheld = closed_fields.is_withheld
        hidden = patch.object(
            closed_fields, "is_withheld", lambda n: n == "ref" or is_withheld(n)
        )
        with hidden:
            copy = self.copies(self.acme)
        self.assertFalse(copy.ref)
        with patch.object(closed_fields, "is_code", lambda n, _kind: n == "ref"):
            self.assertEqual(self.kind_of(self.copy(self.acme)), "not_allowed")
            self.acme.ref = False
            self.assertEqual(self.kind_of(self.copy(self.acme)), "ok")
        child = self.acme.child_ids.create(
            {"name": "Ann", "ref": "canary", "parent_id": self.acme.id}
        )
        with patch.object(self.acme._fields["child_ids"], "copy", True), hidden:
            self.assertEqual(self.kind_of(self.copy(self.acme)), "not_allowed")
            child.ref = False
            self.assertEqual(self.kind_of(self.copy(self.acme)), "ok")

    @mute_logger(ACLS, RULES)
    def test_deny_what_may_not_be_read(self):
        """With the right to make, but not to read."""
        rule = self.env["ir.rule"].create(
            {
                "name": "not this one",
                "model_id": self.env["ir.model"]._get("res.partner").id,
                "domain_force": f"[('id', '!=', {self.acme.id})]",
            }
        )
        self.assertEqual(self.kind_of(self.copy(self.acme)), "forbidden")
        rule.unlink()
        self.assertEqual(self.kind_of(self.copy(self.acme)), "ok")

    def test_deny_by_policy(self):
        """Its own scope and tool, and the tool that makes records."""
        tools = self.env["doorman.tool"].with_context(active_test=False)
        for name in ("copy_records", "create_records"):
            if not tools.search([("name", "=", name)]):
                tools.sudo()._inside().create({"name": name, "scope_code": "mcp:orm"})
        copy = tools.search([("name", "=", "copy_records")])
        create = tools.search([("name", "=", "create_records")])
        for vals, kind in (
            ({"read_only": True}, "read_only"),
            ({"read_only": False}, "ok"),
            ({"allowed_tool_ids": [Command.set(create.ids)]}, "not_allowed"),
            ({"allowed_tool_ids": [Command.set(copy.ids)]}, "not_allowed"),
            ({"allowed_tool_ids": [Command.set((copy | create).ids)]}, "ok"),
        ):  # fmt: skip
            with self.subTest(vals=vals):
                self.connection.write(vals)
                self.assertEqual(self.kind_of(self.copy(self.acme)), kind)


@tagged("post_install", "-at_install")
class TestCopiesWait(ApprovalCase):
    """A copy counts as made: the same rules, and the same before and after."""

    def test_by_tool_and_by_model(self):
        for gate in ("copy_records", "create_records"):
            with self.subTest(gate):
                self.gate(gate)
                before = self.env["res.partner"].search_count([])
                answer = self.call(
                    "res.partner", "copy", self.acme.ids, default={"name": f"N{gate}"}
                )
                self.assertEqual(self.kind_of(answer), "pending_approval")
                approval = self.env["doorman.approval"].browse(
                    answer["pending"]["request_id"]
                )
                self.assertEqual(self.env["res.partner"].search_count([]), before)
                self.assertIn("Copy", approval.summary)
        self.connection.write({"approval_tool_ids": [Command.clear()]})
        self.rule(model_id=self.env["ir.model"]._get("res.partner").id)
        answer = self.call("res.partner", "copy", self.acme.ids, default={})
        self.assertEqual(self.kind_of(answer), "pending_approval")
        approval = self.env["doorman.approval"].browse(answer["pending"]["request_id"])
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed")

    def test_deny_what_is_read_with_approval(self):
        """Its copy would tell without one."""
        self.rule(model_id=self.env["ir.model"]._get("res.partner").id, reads=True)
        for more in ({}, {"dry_run": True}):
            answer = self.call(
                "res.partner", "copy", self.acme.ids, default={}, more=more
            )
            self.assertEqual(self.kind_of(answer), "not_allowed")
