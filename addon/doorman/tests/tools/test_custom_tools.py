from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import ApprovalCase

ACLS = (
    "odoo.addons.base.models.ir_model",
    "odoo.addons.base.models.ir_actions",
    "odoo.addons.base.models.ir_rule",
)
CODE = """
for partner in records:
    partner.write({"comment": doorman["text"]})
result = {"done": len(records), "password": "hunter2"}
"""


class OwnCase(ApprovalCase):
    """A published server action, and a connection that may use it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people["both"] = cls._person(
            "both", ["base.group_system", "doorman.group_admin"]
        )
        cls.people["system"] = cls._person("system", ["base.group_system"])
        cls.action = cls._action(CODE)
        cls.own = cls._own("note_it", cls.action)
        cls.param(cls.own, "text", required=True)
        cls.publish(cls.own)

    @classmethod
    def _action(cls, code="", model="res.partner", **vals):
        vals = {
            "name": "Note it",
            "model_id": cls.env["ir.model"]._get_id(model),
            "state": "code",
            "code": code,
        } | vals
        return cls.env["ir.actions.server"].create(vals)

    @classmethod
    def _own(cls, name, action, **vals):
        vals = {
            "name": name,
            "title": "Note it",
            "description": "Writes a note.",
            "action_id": action.id,
        } | vals
        return cls.env["doorman.own.tool"].with_user(cls.people["both"]).create(vals)

    @classmethod
    def param(cls, own, name, kind="string", **vals):
        vals = {"own_tool_id": own.id, "name": name, "kind": kind} | vals
        return cls.env["doorman.own.tool.parameter"].create(vals)

    @classmethod
    def publish(cls, own):
        own.with_user(cls.people["both"]).action_publish()
        cls.env.flush_all()

    def offered(self):
        self.env.flush_all()
        snapshot = self.gateway.resolve(self.proof)["snapshot"]
        return [tool["name"] for tool in snapshot["own_tools"]]

    def arguments(self, own=None, parameters=None, ids=None, **changes):
        own = own or self.own
        more = changes.pop("more", None)
        method = changes.pop("method", "look_tool" if own.only_reads else "run_tool")
        model = changes.pop("model", own.model_name)
        kwargs = {
            "tool": own.name,
            "revision": own.revision,
            "parameters": {"text": "hi"} if parameters is None else parameters,
        } | changes
        if ids is None and own.on_records:
            ids = self.acme.ids
        request = self.request(model, method, ids, more=more)
        return request | {"kwargs": kwargs}

    def run_own(self, *args, **kwargs):
        request = self.arguments(*args, **kwargs)
        return self.gateway.call(self.fence(), request)

    def run_kind(self, *args, **kwargs):
        return self.kind_of(self.run_own(*args, **kwargs))


@tagged("post_install", "-at_install")
class TestOwnTools(OwnCase):
    # ---- what it does ----

    def test_it_runs_as_the_user_and_leaves_its_row(self):
        before = self.rows()
        value = self.run_own()["value"]
        self.assertEqual(self.acme.comment, "<p>hi</p>")
        self.assertEqual(self.acme.write_uid, self.people["user"])
        self.assertEqual(value["ids"], self.acme.ids)
        self.assertIn('"done": 1', value["result"])
        self.assertNotIn("hunter2", value["result"])
        [row] = self.new_rows(before)
        self.assertEqual(
            (row["outcome"], row["orm_method"], row["record_ids"], row["user_login"]),
            ("ok", "note_it", str(self.acme.id), "dm-user"),
        )

    def test_it_is_offered_with_its_form(self):
        self.env.flush_all()
        snapshot = self.gateway.resolve(self.proof)["snapshot"]
        [tool] = snapshot["own_tools"]
        self.assertEqual(
            tool,
            {
                "name": "note_it",
                "revision": 1,
                "title": "Note it",
                "description": "Writes a note.",
                "scope": "mcp:orm",
                "risk": "high",
                "writes": True,
                "dry_run": False,
                "model": "res.partner",
                "records": True,
                "parameters": [
                    {
                        "name": "text",
                        "type": "string",
                        "required": True,
                        "description": "",
                        "model": "",
                        "choices": [],
                    }
                ],
            },
        )

    def test_the_same_key_does_it_once(self):
        more = {"idempotency_key": "k"}
        self.run_own(more=more)
        self.acme.comment = "other"
        value = self.run_own(more=more)["value"]
        self.assertTrue(value["replayed"])
        self.assertEqual(self.acme.comment, "<p>other</p>")

    def test_parameters_are_typed(self):
        own = self._own("typed", self._action("result = repr(doorman)"), risk="low")
        own.on_records = False
        partner = self.env["ir.model"]._get_id("res.partner")
        for name, vals in {
            "n": {"kind": "integer"},
            "x": {"kind": "number"},
            "b": {"kind": "boolean"},
            "d": {"kind": "date"},
            "t": {"kind": "datetime"},
            "r": {"kind": "record", "model_id": partner},
            "s": {"kind": "selection", "choices": "one, two"},
            "text": {"kind": "string"},
        }.items():
            self.param(own, name, **vals)
        self.publish(own)
        good = {
            "n": [3, -1, 3.0, "3"],
            "x": [1.5, 2, "1", "-1.5"],
            "b": [True, False, "true", "False", 1, 0],
            "d": ["2026-11-23", "2026-11-23T10:00"],
            "t": [
                "2026-11-23 10:30:00",
                "2026-11-23T10:30:00Z",
                "2026-11-23",
                "2026-11-23T10:30+02",
            ],
            "r": [
                *self.acme.ids,
                str(self.acme.id),
                [self.acme.id, "Acme"],
                {"id": self.acme.id, "name": "Acme"},
            ],
            "s": ["one", "two"],
            "text": ["", "a"],
        }
        bad = {
            "n": ["3,5", "1.5", 1.5, True, 2**31, 1e300, float("inf"), [1], {}],
            "x": ["1,5", True, float("nan"), float("inf"), 1e16],
            "b": [2, "yes", []],
            "d": ["23.11.2026", "2026-13-01", 5, "2026-11"],
            "t": ["23.11.2026", "now", 5, "2026-11-23T10:30+99"],
            "r": [0, -1, True, 2**31, 1.5, [1], "Nobody of that name", {"x": 1}],
            "s": ["three", 1, ["one"], {}],
            "text": [1, "a\0b", "x" * 10_001, ["a"], {}],
        }
        for name, values in good.items():
            for value in values:
                with self.subTest(name=name, good=value):
                    answer = self.run_own(own, {name: value})
                    self.assertIn("value", answer, answer)
        for name, values in bad.items():
            for value in values:
                with self.subTest(name=name, bad=value):
                    self.assertEqual(self.run_kind(own, {name: value}), "invalid_input")

    # ---- what it refuses ----

    @mute_logger(*ACLS)
    def test_deny(self):
        gone = self.env["res.partner"].create({"name": "x"})
        gone_id = gone.id
        gone.unlink()
        one = self.acme.id
        for kind, changes in (
            ("unknown_tool", {"tool": "other"}),
            ("unknown_tool", {"tool": None}),
            ("unknown_tool", {"tool": ["note_it"]}),
            ("unknown_tool", {"tool": "create_records"}),
            ("conflict", {"revision": 0}),
            ("conflict", {"revision": None}),
            ("conflict", {"revision": "1"}),
            ("invalid_input", {"method": "look_tool"}),
            ("invalid_input", {"model": "res.country"}),
            ("not_allowed", {"model": "ir.rule"}),
            ("unknown_model", {"model": "no.such"}),
            ("invalid_input", {"parameters": {}}),
            ("invalid_input", {"parameters": {"text": ""}}),
            ("invalid_input", {"parameters": {"text": "x", "other": 1}}),
            ("invalid_input", {"parameters": {"text": "x", "__class__": 1}}),
            ("invalid_input", {"parameters": ["text"]}),
            ("invalid_input", {"parameters": "text"}),
            ("invalid_input", {"code": "1"}),
            ("invalid_input", {"ids": []}),
            ("invalid_input", {"ids": [one, one]}),
            ("invalid_input", {"ids": [0]}),
            ("not_found", {"ids": [gone_id]}),
            ("invalid_input", {"more": {"dry_run": True}}),
        ):
            with self.subTest(changes=changes):
                self.assertEqual(self.run_kind(**changes), kind)
        self.assertFalse(self.acme.comment)

    @mute_logger(*ACLS)
    def test_the_policy_holds(self):
        row = self.own.tool_id
        scope = self.env.ref("doorman.scope_orm")
        other = self.tool("other_tool")
        for name, kind, vals in (
            ("read only", "read_only", {"read_only": True}),
            ("scope", "not_allowed", {"scope_ids": [Command.unlink(scope.id)]}),
            ("tools", "not_allowed", {"allowed_tool_ids": [Command.set(other.ids)]}),
            ("named", "ok", {"allowed_tool_ids": [Command.set(row.ids)]}),
        ):
            with self.subTest(name), self.env.cr.savepoint() as point:
                self.connection.write(vals)
                self.assertEqual(self.run_kind(), kind)
                point.rollback()
                # The next change makes the same version once more.
                self.env.registry.clear_cache()
        with self.subTest("switched off"), self.env.cr.savepoint() as point:
            row.active = False
            self.assertEqual(self.run_kind(), "not_allowed")
            point.rollback()
            self.env.registry.clear_cache()
        with self.subTest("models"), self.env.cr.savepoint() as point:
            self.allow_models("res.country")
            self.assertEqual(self.run_kind(), "not_allowed")
            point.rollback()
        with self.subTest("the user's rights"), self.env.cr.savepoint() as point:
            self.people["user"].group_ids = [
                Command.unlink(self.env.ref("base.group_partner_manager").id)
            ]
            self.assertEqual(self.run_kind(), "forbidden")
            point.rollback()

    @mute_logger(*ACLS)
    def test_record_rules_and_groups_hold(self):
        self.env["ir.rule"].create(
            {
                "name": "not Acme",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": [("name", "!=", "Acme")],
                "perm_read": False,
            }
        )
        self.assertEqual(self.run_kind(), "forbidden")
        self.action.group_ids = self.env.ref("base.group_system")
        self.assertEqual(self.own.state, "changed")
        self.publish(self.own)
        self.assertEqual(self.offered(), [])
        self.assertEqual(self.run_kind(), "forbidden")
        # Who is in the group passes Odoo's check; the code is still the user's.
        self.action.group_ids = self.env.ref("base.group_user")
        self.publish(self.own)
        self.assertEqual(self.run_kind(), "forbidden")
        self.assertFalse(self.acme.comment)

    @mute_logger(*ACLS)
    def test_every_kind_of_action_is_the_users(self):
        self.env["ir.rule"].create(
            {
                "name": "not Acme",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": [("name", "!=", "Acme")],
                "perm_read": False,
            }
        )
        group = self.env.ref("base.group_user").ids
        comment = self.env["ir.model.fields"]._get("res.partner", "comment")
        update = {
            "state": "object_write",
            "update_path": "comment",
            "update_field_id": comment.id,
            "value": "x",
            "html_value": "x",
        }
        child = {
            "name": "c",
            "model_id": self.env["ir.model"]._get_id("res.partner"),
            "state": "code",
            "code": "records.write({'comment': 'child'})",
            "group_ids": [Command.set(group)],
        }
        for name, vals in {
            "update": update,
            "several": {"state": "multi", "child_ids": [Command.create(child)]},
        }.items():
            with self.subTest(name):
                own = self._own(
                    f"own_{name}",
                    self._action(**vals, group_ids=[Command.set(group)]),
                )
                # Odoo wants the same groups on all of them.
                own.sudo().action_id.child_ids.group_ids = [Command.set(group)]
                self.publish(own)
                self.assertEqual(self.run_kind(own, {}), "forbidden")
                self.assertFalse(self.acme.comment)

    # ---- only reads, tried out ----

    def test_what_only_reads_changes_nothing(self):
        action = self._action(
            "records.write({'comment': 'written'})\n"
            "model.create({'name': 'made by a look'})\n"
            "result = records.mapped('comment')"
        )
        own = self._own(
            "look_at_it",
            action,
            only_reads=True,
            scope_id=self.env.ref("doorman.scope_search").id,
        )
        self.publish(own)
        self.connection.read_only = True
        self.assertIn("look_at_it", self.offered())
        before = self.rows()
        value = self.run_own(own, {})["value"]
        self.assertIn("written", value["result"])
        self.assertFalse(self.acme.comment)
        self.assertFalse(self.partners("made by a look"))
        self.assertEqual(len(self.new_rows(before)), 1)
        self.assertEqual(self.run_kind(own, {}, method="run_tool"), "read_only")
        self.connection.scope_ids = [
            Command.set(self.env.ref("doorman.scope_metadata").ids)
        ]
        self.assertEqual(self.run_kind(own, {}), "not_allowed")

    def test_tried_out(self):
        self.own.can_try = True
        self.publish(self.own)
        value = self.run_own(more={"dry_run": True})["value"]
        [change] = value["changes"]
        self.assertEqual(change["after"]["comment"], "<p>hi</p>")
        self.assertFalse(self.acme.comment)

    # ---- approvals ----

    def waiting_own(self):
        self.connection.approval_tool_ids = [Command.set(self.own.tool_id.ids)]
        self.assertEqual(self.run_kind(), "pending_approval")
        request = self.arguments() | {"arguments": {}}
        answer = self.put_before(request)
        self.assertIn("pending", answer, answer)
        self.assertFalse(self.acme.comment)
        return self.env["doorman.approval"].browse(answer["pending"]["request_id"])

    def test_a_person_approves_it(self):
        approval = self.waiting_own()
        self.assertEqual((approval.tool, approval.risk), ("note_it", "high"))
        self.assertIn("Note it (note_it)", approval.summary)
        self.assertIn("Acme", approval.summary)
        self.assertIn("hi", str(approval.arguments_html))
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed")
        self.assertEqual(self.acme.comment, "<p>hi</p>")
        self.assertEqual(self.acme.write_uid, self.people["user"])

    def test_what_is_another_tool_by_then_is_not_done(self):
        approval = self.waiting_own()
        self.action.code = "records.write({'comment': 'evil'})"
        self.publish(self.own)
        self.by("approver", approval).action_approve()
        self.assertEqual((approval.state, approval.error_kind), ("failed", "conflict"))
        self.assertFalse(self.acme.comment)

    def test_rules_by_risk_model_and_number(self):
        for vals, kind in (
            ({"risk": "high"}, "pending_approval"),
            ({"model_name": "res.partner"}, "pending_approval"),
            ({"more_than": 1}, "ok"),
        ):
            with self.subTest(vals=vals), self.env.cr.savepoint() as point:
                self.connection.approval_tool_ids = [Command.clear()]
                if name := vals.pop("model_name", None):
                    vals["model_id"] = self.env["ir.model"]._get_id(name)
                self.rule(**vals)
                self.assertEqual(self.run_kind(), kind)
                point.rollback()
                # The next change makes the same version once more.
                self.env.registry.clear_cache()
