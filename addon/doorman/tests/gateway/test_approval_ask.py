from datetime import timedelta

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.doorman.policy.approval_states import MAX_PENDING

from ..common import ApprovalCase, WriteCase


@tagged("post_install", "-at_install")
class TestApprovalGate(ApprovalCase):
    """Which calls wait. What is refused, and what waits, was not done."""

    def test_a_gated_call_is_not_run(self):
        rows = len(self.rows())
        found = self.kind("res.partner", "unlink", self.acme.ids)
        self.assertEqual(found, "pending_approval")
        self.assertTrue(self.acme.exists())
        self.assertEqual(self.rows()[0]["reason"], "pending_approval")
        self.assertEqual(len(self.rows()), rows + 1)

    def test_others_are(self):
        answer = self.write(self.acme, {"comment": "hello"})
        self.assertIn("value", answer)

    def test_a_dry_run_is(self):
        request = self.request(
            "res.partner", "unlink", self.acme.ids, more={"dry_run": True}
        )
        answer = self.gateway.call(self.fence(), request)
        self.assertEqual(answer["value"]["changes"][0]["name"], "Acme")
        self.assertTrue(self.acme.exists())

    def test_rules(self):
        self.gate()
        partner = self.env["ir.model"]._get("res.partner").id
        country = self.env["ir.model"]._get("res.country").id
        two = [[0, 0, {"name": "a"}], [0, 0, {"name": "b"}]]
        rows = (
            ({"risk": "high"}, "unlink", {}, True),
            ({"risk": "medium"}, "write", {"vals": {"ref": "1"}}, True),
            ({"model_id": partner}, "write", {"vals": {"ref": "1"}}, True),
            ({"more_than": 2}, "write", {"vals": {"child_ids": two}}, True),
            ({"risk": "high"}, "write", {"vals": {"ref": "1"}}, False),
            ({"model_id": country}, "write", {"vals": {"ref": "1"}}, False),
            ({"more_than": 3}, "write", {"vals": {"child_ids": two}}, False),
            ({"model_id": partner}, "read", {"fields": ["name"]}, False),
            (
                {"model_id": partner, "reads": True},
                *("read", {"fields": ["name"]}, True),
            ),
        )
        for vals, method, kwargs, waits in rows:
            with self.subTest(rule=vals, method=method):
                rule = self.rule(**vals)
                found = self.kind("res.partner", method, self.acme.ids, **kwargs)
                self.assertEqual(found, "pending_approval" if waits else "ok")
                rule.unlink()

    def test_a_changed_rule_makes_decisions_stale(self):
        fence = self.fence()
        rule = self.rule(risk="high")
        self.env.flush_all()
        self.assertIn(
            "stale", self.gateway.call(fence, self.request("res.partner", ""))
        )
        for change in (lambda: rule.write({"risk": "low"}), rule.unlink):
            fence = self.fence()
            change()
            self.env.flush_all()
            request = self.request("res.partner", "search_count")
            self.assertIn("stale", self.gateway.call(fence, request))

    def test_that_there_are_rules_is_in_the_snapshot(self):
        rule = self.rule(risk="high", more_than=3)

        def told():
            return self.gateway.resolve(self.proof)["snapshot"]["policy"]["approval"]

        self.assertIs(told(), True)
        self.gate()
        rule.unlink()
        self.assertIs(told(), False)

    def test_what_the_service_reads_for_itself_asks_nobody(self):
        self.rule(reads=True, risk="low")
        request = self.request("res.partner", "search_count", domain=[])
        answer = self.gateway.call(self.fence(), request | {"ask": False})
        self.assertEqual(answer["error"]["kind"], "pending_approval")
        self.assertFalse(self.connection.approval_ids)
        self.assertIn("pending", self.gateway.call(self.fence(), request))

    def test_bad_rules(self):
        for vals in (
            {},
            {"reads": True},
            {"more_than": -1, "risk": "high"},
        ):
            with self.subTest(vals=vals), self.assertRaises(ValidationError):
                self.rule(**vals)


@tagged("post_install", "-at_install")
class TestApprovalAsk(ApprovalCase):
    def test_what_is_kept(self):
        approval = self.waiting_delete()
        self.assertEqual(approval.state, "pending")
        self.assertEqual(approval.requester_id, self.people["user"])
        self.assertEqual(approval.connection_id, self.connection)
        self.assertEqual(approval.tool, "delete_records")
        self.assertEqual(approval.risk, "high")
        self.assertEqual(approval.summary, "Permanently delete contact Acme")
        self.assertEqual(approval.record_count, 1)
        self.assertTrue(self.acme.exists())
        hours = approval.expires_at - approval.requested_at
        self.assertEqual(hours, timedelta(hours=24))

    def test_its_audit_row(self):
        before = self.rows()
        approval = self.waiting_delete()
        (row,) = self.new_rows(before)
        self.assertEqual(row["outcome"], "pending")
        self.assertEqual(row["approval_id"], approval.id)
        self.assertEqual(row["record_ids"], str(self.acme.id))

    def test_the_same_again_is_the_same_request(self):
        first = self.waiting_delete()
        again = self.waiting_delete()
        self.assertEqual(first, again)
        self.assertEqual(len(self.activities(first)), 1)

    def test_equal_values_are_the_same_request(self):
        """Unicode forms, the order of keys, 1 and 1.0."""
        self.gate("update_records")
        first = self.waiting(
            *("res.partner", "write", self.acme.ids),
            vals={"comment": "caf\u00e9", "partner_latitude": 1},
        )
        second = self.waiting(
            *("res.partner", "write", self.acme.ids),
            vals={"partner_latitude": 1.0, "comment": "cafe\u0301"},
        )
        other = self.waiting(
            *("res.partner", "write", self.acme.ids),
            vals={"partner_latitude": 1.5, "comment": "cafe\u0301"},
        )
        self.assertEqual(first, second)
        self.assertNotEqual(first, other)

    def test_after_its_end_it_may_be_asked_again(self):
        first = self.waiting_delete()
        self.by("approver", first).action_reject("no")
        self.assertNotEqual(self.waiting_delete(), first)

    def test_what_is_over_is_not_found_again(self):
        first = self.waiting_delete()
        first._inside().expires_at = fields.Datetime.now() - timedelta(hours=1)
        second = self.waiting_delete()
        self.assertNotEqual(first, second)
        self.assertEqual(first.state, "expired")

    def test_what_could_not_be_done_bothers_nobody(self):
        gone = self.env["res.partner"].create({"name": "x"})
        ident = gone.id
        gone.unlink()
        user = self.people["user"].partner_id.ids
        self.gate("delete_records", "update_records", "call_method", "post_message")
        note = {"body": "x", "partner_ids": []}
        rows = (
            ("not_found", "res.partner", "unlink", [ident], {}),
            ("business_rule", "res.partner", "unlink", user, {}),
            ("invalid_input", "res.partner", "unlink", [], {}),
            ("invalid_input", "res.partner", "unlink", "1", {}),
            ("not_allowed", "res.users", "unlink", [2], {}),
            ("not_allowed", "ir.rule", "unlink", [1], {}),
            ("unknown_field", "res.partner", "write", user, {"vals": {"no": 1}}),
            ("not_allowed", "res.partner", "call_method", user, {"method": "write"}),
            ("invalid_input", "res.partner", "message_post", user, {"body": ""}),
            ("forbidden", "res.country", "message_post", [1], note),
        )
        for kind, model, method, ids, kwargs in rows:
            with self.subTest(model=model, method=method, ids=ids):
                found = self.ask_kind(model, method, ids, **kwargs)
                if kind == "forbidden":
                    self.assertIn(found, ("forbidden", "invalid_input"))
                else:
                    self.assertEqual(found, kind)
        self.assertFalse(self.connection.approval_ids)

    def test_more_may_be_asked_than_needs_it(self):
        """The service may know of a higher risk than the catalog does yet."""
        found = self.ask_kind(
            "res.partner", "write", self.acme.ids, vals={"comment": "x"}
        )
        self.assertEqual(found, "pending")

    def test_a_dry_run_asks_nobody(self):
        more = {"dry_run": True}
        found = self.ask_kind("res.partner", "unlink", self.acme.ids, more=more)
        self.assertEqual(found, "invalid_input")

    def test_without_the_right_to_write(self):
        self.connection.read_only = True
        self.assertEqual(
            self.ask_kind("res.partner", "unlink", self.acme.ids), "read_only"
        )
        self.connection.read_only = False
        self.connection.scope_ids = [
            Command.unlink(self.env.ref("doorman.scope_orm").id)
        ]
        self.assertEqual(
            self.ask_kind("res.partner", "unlink", self.acme.ids), "not_allowed"
        )

    def test_outside_of_the_allowed_models(self):
        self.allow_models("res.country")
        self.assertEqual(
            self.ask_kind("res.partner", "unlink", self.acme.ids), "not_allowed"
        )

    def test_a_stale_fence(self):
        fence = self.fence()
        self.connection.description = "x"
        self.connection.read_only = True
        self.env.flush_all()
        answer = self.ask("res.partner", "unlink", self.acme.ids, fence=fence)
        self.assertIn("stale", answer)
        self.assertFalse(self.connection.approval_ids)

    def test_ids_that_are_none(self):
        """What comes after relies on them: the audit, the ends of the request."""
        self.gate("delete_records", "create_records", "search_records")
        new = {"vals_list": [{"name": "x"}]}
        for method, ids, kwargs in (
            ("unlink", 5, {}),
            ("unlink", True, {}),
            ("unlink", "1", {}),
            ("unlink", [True], {}),
            ("unlink", [-1], {}),
            ("create", 5, new),
            ("create", [5], new),
            ("search_count", 5, {"domain": []}),
            ("search_count", {"a": 1}, {"domain": []}),
        ):
            with self.subTest(method=method, ids=ids):
                found = self.ask_kind("res.partner", method, ids, **kwargs)
                self.assertEqual(found, "invalid_input")
        self.assertFalse(self.connection.approval_ids)

    def test_what_nobody_reads(self):
        request = self.request("res.partner", "unlink", self.acme.ids)
        for more in (
            {"arguments": {"x": "y" * 300_000}},
            {"kwargs": {"x": "y" * 300_000}},
            {"ids": [self.acme.id] * 100_000},
        ):
            with self.subTest(more=list(more)):
                answer = self.put_before(request | more)
                self.assertEqual(answer["error"]["kind"], "too_large")

    def test_what_has_no_effect_is_not_kept(self):
        first = self.waiting_delete()
        context = {"note": "pre-approved by the CFO", "tz": "UTC"}
        second = self.waiting("res.partner", "unlink", self.acme.ids, context=context)
        self.assertNotIn("pre-approved", second.payload)
        self.assertNotEqual(first, second)
        del context["tz"]
        again = self.waiting("res.partner", "unlink", self.acme.ids, context=context)
        self.assertEqual(again, first)

    def test_too_many_at_once(self):
        approvals = self.env["doorman.approval"]
        vals = {
            "summary": "x",
            "tool": "delete_records",
            "connection_id": self.connection.id,
            "expires_at": fields.Datetime.now() + timedelta(hours=1),
        }
        approvals._inside().create(
            [vals | {"digest": str(n)} for n in range(MAX_PENDING)]
        )
        found = self.ask_kind("res.partner", "unlink", self.acme.ids)
        self.assertEqual(found, "rate_limited")

    def test_a_read_can_wait_too(self):
        self.gate("search_records")
        request = self.request("res.partner", "search_count", domain=[])
        for said in ("search_records", "get_context", "", "x"):
            request["audit"]["tool"] = said
            answer = self.gateway.call(self.fence(), request)
            self.assertIn("pending", answer, said)
        answer = self.put_before(request)
        approval = self.env["doorman.approval"].browse(answer["pending"]["request_id"])
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed")
        count = self.env["res.partner"].search_count([])
        self.assertGreaterEqual(count, int(approval.result))

    def test_trying_out_leaves_nothing(self):
        self.gate("create_records")
        before = self.env["mail.message"].search_count([])
        approval = self.waiting("res.partner", "create", vals_list=[{"name": "Ann"}])
        self.assertEqual(approval.summary, "Create contact Ann")
        self.assertFalse(self.partners("Ann"))
        messages = self.env["mail.message"].search([])[: -before or None]
        self.assertFalse(messages.filtered(lambda m: m.model == "res.partner"))


@tagged("post_install", "-at_install")
class TestWhoCouldApprove(ApprovalCase):
    """Saving a connection says if nobody could approve."""

    def _policy(self, **vals):
        tool = [Command.set(self.tools["delete_records"].ids)]
        self.connection2.write({"approval_tool_ids": tool} | vals)

    def _refuse(self, **vals):
        with self.assertRaises(ValidationError):
            self._policy(**vals)

    def test_somebody(self):
        users = self.env.ref("doorman.group_user")
        for vals in (
            {},
            {"approver_id": self.people["internal"].id},
            {"approver_id": False, "approver_group_id": users.id},
        ):
            with self.subTest(vals=vals):
                self._policy(**vals)

    def test_nobody(self):
        group = self.env["res.groups"].create({"name": "Empty"})
        self._refuse(approver_group_id=group.id)
        group.user_ids = [Command.set(self.people["user2"].ids)]
        self._refuse(approver_group_id=group.id)

    def test_the_user(self):
        self._refuse(approver_id=self.people["user2"].id)

    def test_who_is_not_internal(self):
        self._refuse(approver_id=self.people["portal"].id)

    def test_who_is_archived(self):
        self.people["internal"].active = False
        self._refuse(approver_id=self.people["internal"].id)

    def test_by_a_rule(self):
        group = self.env["res.groups"].create({"name": "Empty"})
        self.connection2.approver_group_id = group
        with self.assertRaises(ValidationError):
            self.rule(risk="high", connection_id=self.connection2.id)
            self.connection2._check_somebody_approves()

    def test_the_only_administrator(self):
        admins = self.env.ref("doorman.group_admin")
        for user in admins.all_user_ids - self.people["admin"]:
            user.group_ids = [Command.unlink(admins.id)]
        mine = self._connect("admin")
        tool = [Command.set(self.tools["delete_records"].ids)]
        with self.assertRaises(ValidationError):
            mine.approval_tool_ids = tool
        self.settings.allow_self_approval = True
        mine.approval_tool_ids = tool

    def test_then_asking_says_so(self):
        self.people["approver"].active = False
        self.assertEqual(
            self.ask_kind("res.partner", "unlink", self.acme.ids), "not_allowed"
        )


@tagged("post_install", "-at_install")
class TestNoApprovalNeeded(WriteCase):
    def test_a_connection_without_gates_asks_nobody(self):
        snapshot = self.gateway.resolve(self.proof)["snapshot"]
        self.assertIs(snapshot["policy"]["approval"], False)
