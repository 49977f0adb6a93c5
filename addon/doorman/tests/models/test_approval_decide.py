from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.doorman.policy.change_scope import writing

from ..common import ROLES, ApprovalCase

DECISIONS = {
    "approve": lambda approval: approval.action_approve(),
    "reject": lambda approval: approval.action_reject("because"),
    "ask for a reason": lambda approval: approval.action_open_reject(),
}


@tagged("post_install", "-at_install")
class TestWhoDecides(ApprovalCase):
    def _decides(self, role, approval, decision):
        run = DECISIONS[decision]
        found = self.outcome(lambda: run(self.by(role, approval)), UserError, undo=True)
        self.env.invalidate_all()
        return found

    def _matrix(self, approval, *allowed):
        for role in (*ROLES, "service"):
            self.people.setdefault("service", self.service)
            for decision in DECISIONS:
                with self.subTest(role=role, decision=decision):
                    expected = "allow" if role in allowed else "deny"
                    found = self._decides(role, approval, decision)
                    self.assertEqual(found, expected)

    def test_an_approver(self):
        self._matrix(self.waiting_delete(), "approver")

    def test_it_is_due_today_where_the_approver_is(self):
        """Odoo's menu of activities opens what is due until today: by UTC for a person
        without a time zone, and not by that of the requester."""
        everybody = self.env["res.users"].with_context(active_test=False).search([])
        for elsewhere in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
            with self.subTest(elsewhere=elsewhere):
                everybody.tz = elsewhere
                self.people["approver"].tz = False
                activity = self.waiting_delete()._activities()
                due = fields.Date.today()  # UTC
                self.assertEqual(activity.mapped("date_deadline"), [due])

    def test_none_named(self):
        """Any administrator, but not the requester."""
        self.connection.approver_id = False
        self._matrix(self.waiting_delete(), "admin")

    def test_a_group(self):
        group = self.env["res.groups"].create({"name": "Four eyes"})
        for role in ("internal", "user"):
            group.user_ids = [Command.link(self.people[role].id)]
        self.connection.write({"approver_id": False, "approver_group_id": group.id})
        self._matrix(self.waiting_delete(), "internal")

    def test_an_administrator_who_asks(self):
        self.people["user"].group_ids = [
            Command.link(self.env.ref("doorman.group_admin").id)
        ]
        self.connection.approver_id = False
        approval = self.waiting_delete()
        for decision in DECISIONS:
            with self.subTest(decision=decision):
                self.assertEqual(self._decides("user", approval, decision), "deny")
                self.assertEqual(self._decides("admin", approval, decision), "allow")

    def test_own_request_where_the_settings_allow_it(self):
        self.people["user"].group_ids = [
            Command.link(self.env.ref("doorman.group_admin").id)
        ]
        self.connection.approver_id = False
        self.settings.allow_self_approval = True
        approval = self.waiting_delete()
        before = self.rows()
        self.by("user", approval).action_approve()
        self.assertEqual(approval.state, "executed")
        self.assertTrue(approval.self_approved)
        (row,) = self.new_rows(before)
        self.assertIn("who requested it", row["message"])

    def test_that_setting_is_for_administrators_only(self):
        group = self.env["res.groups"].create({"name": "Four eyes"})
        for role in ("internal", "user"):
            group.user_ids = [Command.link(self.people[role].id)]
        self.connection.write({"approver_id": False, "approver_group_id": group.id})
        self.settings.allow_self_approval = True
        self._matrix(self.waiting_delete(), "internal")

    def test_an_approver_of_another_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.people["far"] = self._person(
            "far", ["doorman.group_admin"], company_id=other.id, company_ids=other.ids
        )
        self.connection.approver_id = False
        approval = self.waiting_delete()
        self.assertNotIn(self.people["far"], approval._deciders())
        self.assertEqual(self._decides("far", approval, "approve"), "deny")

    def test_nobody_picks_who_decides_by_their_main_company(self):
        """People choose that one for themselves."""
        other = self.env["res.company"].create({"name": "Other"})
        user = self.people["user"]
        user.company_ids = [Command.link(other.id)]
        self.people["far"] = self._person(
            "far", ["doorman.group_admin"], company_id=other.id, company_ids=other.ids
        )
        self.connection.approver_id = False
        approval = self.waiting_delete()
        before = approval._deciders()
        self.assertIn(self.people["far"], before)
        user.with_user(user).write({"company_id": other.id})
        self.assertEqual(approval._deciders(), before)
        self.assertEqual(self._decides("admin", approval, "approve"), "allow")

    def test_an_approver_is_an_active_internal_user(self):
        """Also of the default policy: else each login by browser would fail later."""
        gone = self._person("gone", ["base.group_user"], active=False)
        for record in (self.settings, self.connection):
            for user in (self.people["portal"], gone):
                with (
                    self.subTest(record=record, user=user),
                    self.assertRaisesRegex(ValidationError, user.name),
                ):
                    record.approver_id = user
            record.approver_id = self.people["approver"]

    def test_an_approver_needs_no_rights_on_the_model(self):
        """The rights are the requester's."""
        approver = self.people["approver"]
        self.assertFalse(self.acme.with_user(approver).has_access("unlink"))
        approval = self.waiting_delete()
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed")
        self.assertFalse(self.acme.exists())

    def test_no_ai_tool_decides(self):
        """Whatever method of Odoo's it got to call, and whoever its user is."""
        approval = self.waiting_delete()
        mine = self.by("approver", approval)
        for decision, run in DECISIONS.items():
            with self.subTest(decision=decision), writing(mine.env, None):
                with self.assertRaises(AccessError):
                    run(mine)
        with writing(mine.env, None), self.assertRaises(AccessError):
            self.by("user", approval).action_cancel()

    def test_no_ai_tool_sees_or_calls_them(self):
        """The approver has an AI tool too."""
        connection = self._connect("approver")
        self.allow_writes(connection)
        group = self.env.ref("doorman.group_scope_orm")
        self.people["approver"].group_ids = [Command.link(group.id)]
        approval = self.waiting_delete()
        activity = self.activities(approval)
        credential = connection._issue_key()
        fence = self.fence(_proof(credential))
        for model, method, ids, kwargs in (
            ("doorman.approval", "read", approval.ids, {"fields": ["summary"]}),
            ("doorman.approval", "write", approval.ids, {"vals": {"state": "x"}}),
            ("doorman.approval", "call_method", approval.ids, _m("action_approve")),
            ("mail.activity", "call_method", activity.ids, _m("action_done")),
            ("mail.activity", "call_method", activity.ids, _m("action_feedback")),
            ("mail.activity", "unlink", activity.ids, {}),
        ):
            with self.subTest(model=model, method=method, kwargs=kwargs):
                request = self.request(model, method, ids, **{})
                request["kwargs"] = kwargs
                answer = self.gateway.call(fence, request)
                self.assertIn("error", answer)
        self.assertEqual(approval.state, "pending")
        self.assertTrue(activity.exists())


def _m(name):
    return {"method": name, "kwargs": {}}


def _proof(credential):
    from ..common import proof_of

    return proof_of(credential)


@tagged("post_install", "-at_install")
class TestDecide(ApprovalCase):
    def _ends(self, approval, state):
        self.assertEqual(approval.state, state)
        self.assertFalse(self.activities(approval))
        for name, run in DECISIONS.items():
            if name == "ask for a reason":
                continue
            with self.subTest(again=name), self.assertRaises(UserError):
                run(self.by("approver", approval))
        self.assertEqual(approval.state, state)

    def test_approve(self):
        approval = self.waiting_delete()
        before = self.rows()
        self.by("approver", approval).action_approve()
        self.assertFalse(self.acme.exists())
        self.assertEqual(approval.decided_by_id, self.people["approver"])
        self.assertFalse(approval.self_approved)
        (row,) = self.new_rows(before)
        self.assertEqual(
            (row["method"], row["outcome"], row["tool"], row["approval_id"]),
            ("approval/approve", "ok", "delete_records", approval.id),
        )
        self.assertEqual(row["user_id"], self.people["user"].id)
        self.assertIn("Test approver", row["message"])
        self._ends(approval, "executed")
        self.assertEqual(len(self.new_rows(before)), 1)

    def test_reject(self):
        approval = self.waiting_delete()
        before = self.rows()
        self.by("approver", approval).action_reject("  They are still open. ")
        self.assertTrue(self.acme.exists())
        self.assertEqual(approval.reason, "They are still open.")
        (row,) = self.new_rows(before)
        self.assertEqual((row["outcome"], row["reason"]), ("refused", "rejected"))
        self.assertIn("They are still open.", row["message"])
        self._ends(approval, "rejected")

    def test_reject_asks_for_a_reason(self):
        approval = self.waiting_delete()
        for reason in ("", "  ", None, 7, False, "x" * 1001):
            with self.subTest(reason=str(reason)[:9]), self.assertRaises(UserError):
                self.by("approver", approval).action_reject(reason)
        self.assertEqual(approval.state, "pending")

    def test_the_dialog(self):
        approval = self.waiting_delete()
        mine = self.by("approver", approval)
        action = mine.action_open_reject()
        dialog = mine.env["doorman.reject"].with_context(**action["context"])
        dialog.create({"reason": "no"}).action_reject()
        self.assertEqual((approval.state, approval.reason), ("rejected", "no"))

    def test_another_ones_dialog(self):
        approval = self.waiting_delete()
        dialogs = self.env["doorman.reject"].with_user(self.people["internal"])
        mine = dialogs.with_user(self.people["user"])
        vals = {"approval_id": approval.id, "reason": "no"}
        spec = {"approval_id": {"fields": {"display_name": {}}}, "summary": {}}
        other = dialogs.with_context(default_approval_id=approval.id)
        for look in (
            # Its name would be in the answer.
            lambda: dialogs.create(vals),
            lambda: dialogs.onchange(vals, [], spec),
            lambda: dialogs.onchange({"approval_id": {"id": approval.id}}, [], spec),
            lambda: other.create({"reason": "no"}),
            lambda: other.default_get(["approval_id", "summary"]),
            # They see it, and are not asked.
            lambda: mine.create(vals).action_reject(),
        ):
            with self.assertRaises(AccessError):
                look()
        self.assertEqual(approval.state, "pending")

    def test_expired_by_the_clock(self):
        """However late the job is."""
        approval = self.waiting_delete()
        approval._inside().expires_at = fields.Datetime.now() - timedelta(seconds=5)
        with self.assertRaises(UserError):
            self.by("approver", approval).action_approve()
        self.assertTrue(self.acme.exists())
        self.run_job("expire_approvals")
        self._ends(approval, "expired")

    def test_withdraw(self):
        for role, allowed in (
            ("user", True),
            ("admin", True),
            ("approver", False),
            ("user2", False),
            ("internal", False),
        ):
            with self.subTest(role=role):
                approval = self.waiting_delete()
                found = self.outcome(self.by(role, approval).action_cancel)
                self.assertEqual(found, "allow" if allowed else "deny")
                self.assertEqual(approval.state, "cancelled" if allowed else "pending")

    def test_the_end_of_its_connection(self):
        ends = {
            "revoked": lambda: self.connection.action_revoke(),
            "archived": lambda: self.connection.write({"active": False}),
            "deleted": lambda: self.connection.unlink(),
        }
        for name, end in ends.items():
            with self.subTest(end=name), self.env.cr.savepoint() as savepoint:
                approval = self.waiting_delete()
                end()
                self.assertEqual(approval.state, "cancelled")
                self.assertFalse(self.activities(approval))
                savepoint.rollback()
                self.env.invalidate_all()

    def test_one_that_cannot_be_ended_keeps_no_other(self):
        """Nor its connection from being revoked."""
        stuck, other = self.waiting_delete(), self.approval()
        for approval in (stuck, other):
            approval._inside().expires_at = fields.Datetime.now() - timedelta(hours=1)
        stuck._inside().payload = "no JSON"
        with self.assertLogs("odoo.addons.doorman", level="ERROR"):
            self.assertEqual(self.run_job("expire_approvals")["expired"], 1)
        self.assertEqual(other.state, "expired")
        with self.assertLogs("odoo.addons.doorman", level="ERROR"):
            self.connection.action_revoke()
        self.assertEqual(self.connection.state, "revoked")

    def test_an_expired_connection(self):
        approval = self.waiting_delete()
        self.connection.expires_at = fields.Datetime.now() - timedelta(hours=1)
        self.run_job("expire_connections")
        self.assertEqual(approval.state, "cancelled")

    def test_a_request_that_outlived_its_connection(self):
        """Asked for in the very moment of the revocation."""
        approval = self.waiting_delete()
        self.env.cr.execute(
            "UPDATE doorman_connection SET state = 'revoked' WHERE id = %s",
            [self.connection.id],
        )
        self.env.invalidate_all()
        with self.env.cr.savepoint() as savepoint:
            self.by("approver", approval).action_approve()
            self.assertTrue(self.acme.exists())
            self.assertEqual(approval.state, "cancelled")
            savepoint.rollback()
        self.env.invalidate_all()
        self.assertEqual(self.run_job("expire_approvals")["cancelled"], 1)
        self.assertEqual(approval.state, "cancelled")

    def test_a_switched_off_server(self):
        approval = self.waiting_delete()
        self.settings.action_disable()
        with self.assertRaises(UserError):
            self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "pending")
        self.settings.action_enable()
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed")

    def test_nobody_deletes_one(self):
        approval = self.waiting_delete()
        for role in ROLES:
            with self.subTest(role=role):
                found = self.outcome(self.by(role, approval).unlink)
                self.assertEqual(found, "deny")
        with self.assertRaises(AccessError):
            approval.unlink()


@tagged("post_install", "-at_install")
class TestRetarget(ApprovalCase):
    def test_another_approver(self):
        approval = self.waiting_delete()
        self.connection.with_user(self.people["admin"]).approver_id = self.people[
            "internal"
        ]
        self.assertEqual(approval.approver_id, self.people["internal"])
        self.assertEqual(self.activities(approval).user_id, self.people["internal"])
        with self.assertRaises(AccessError):
            self.by("approver", approval).action_approve()
        self.by("internal", approval).action_approve()
        self.assertEqual(approval.state, "executed")

    def test_the_user_cannot(self):
        approval = self.waiting_delete()
        mine = self.connection.with_user(self.people["user"])
        run = lambda: mine.write({"approver_id": self.people["user2"].id})  # noqa: E731
        self.assertEqual(self.outcome(run), "deny")
        with self.assertRaises(ValidationError):
            self.connection.approver_id = self.people["user"]
        self.assertEqual(approval.approver_id, self.people["approver"])
