import json
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.doorman.models.approval import execute
from odoo.addons.doorman.policy import canonical_json

from ..common import ApprovalCase


@tagged("post_install", "-at_install")
class TestRun(ApprovalCase):
    """What was shown is what runs, with the rights of who asked, by now."""

    def setUp(self):
        super().setUp()
        self.gate(*self.tools)

    def approve(self, approval, **context):
        mine = self.by("approver", approval).with_context(**context)
        return mine.action_approve()

    def _fails(self, approval, kind):
        before = self.rows()
        self.approve(approval)
        self.assertEqual((approval.state, approval.error_kind), ("failed", kind))
        (row,) = self.new_rows(before)
        self.assertEqual((row["outcome"], row["reason"]), ("error", kind))
        self.assertFalse(self.activities(approval))

    # ---- what it does ----

    def test_each_tool(self):
        new = {"vals_list": [{"name": "Ann"}]}
        approval = self.waiting("res.partner", "create", **new)
        self.approve(approval)
        ann = self.partners("Ann")
        self.assertEqual(json.loads(approval.result)["ids"], ann.ids)
        self.assertEqual(ann.create_uid, self.people["user"])
        rows = (
            ("write", ann, {"vals": {"ref": "7"}}, lambda: ann.ref == "7"),
            (
                *("call_method", ann),
                {"method": "action_archive", "kwargs": {}},
                lambda: not ann.active,
            ),
            (
                *("message_post", ann, {"body": "hello there"}),
                lambda: "hello there" in ann.message_ids[0].body,
            ),
        )
        for method, record, kwargs, is_done in rows:
            with self.subTest(method=method):
                request = self.request("res.partner", method, record.ids)
                request["kwargs"] = kwargs
                answer = self.put_before(request)
                self.assertIn("pending", answer)
                self.assertFalse(is_done())
                approval = approval.browse(answer["pending"]["request_id"])
                self.approve(approval)
                self.assertEqual(approval.state, "executed", approval.error_message)
                self.env.invalidate_all()
                self.assertTrue(is_done())
        author = ann.message_ids[0].author_id
        self.assertEqual(author, self.people["user"].partner_id)

    def test_the_answer_is_that_of_the_call(self):
        approval = self.waiting(
            "res.partner", "write", self.acme.ids, vals={"ref": "1"}
        )
        self.approve(approval)
        self.gate()
        self.acme.ref = False
        direct = self.write(self.acme, {"ref": "1"})["value"]
        kept = json.loads(approval.result)
        self.assertEqual(self.status(approval)["value"], kept)
        # Each is a change of its own.
        self.assertNotEqual(kept.pop("change_id"), direct.pop("change_id"))
        self.assertEqual(kept, direct)

    def test_an_idempotency_key(self):
        """It stands for the call once it is done, and the call is done once."""
        more = {"idempotency_key": "k1"}
        approval = self.waiting("res.partner", "unlink", self.acme.ids, more=more)
        self.approve(approval)
        answer = self.ask("res.partner", "unlink", self.acme.ids, more=more)
        self.assertTrue(answer["value"]["replayed"])
        self.assertEqual(answer["value"]["ids"], self.acme.ids)
        other = self.ask("res.partner", "unlink", [1], more=more)
        self.assertEqual(other["error"]["kind"], "conflict")

    # ---- who it is done as ----

    def test_the_rights_of_who_asked(self):
        approval = self.waiting(
            "res.partner", "write", self.acme.ids, vals={"ref": "1"}
        )
        self.people["approver"].group_ids = [
            Command.link(self.env.ref("base.group_system").id)
        ]
        self.people["user"].group_ids = [
            Command.unlink(self.env.ref("base.group_partner_manager").id)
        ]
        self._fails(approval, "forbidden")
        self.assertFalse(self.acme.ref)

    def test_the_web_request_is_the_approvers_and_hidden(self):
        from odoo.http import request

        approval = self.waiting_delete()
        seen = []
        cls = type(self.env["res.partner"])
        unlink = cls.unlink

        def spy(records):
            seen.append((bool(request), records.env.uid, records.env.su))
            return unlink(records)

        with patch.object(cls, "unlink", spy):
            self.approve(approval)
        self.assertEqual(seen[0], (False, self.people["user"].id, False))

    def test_lines_are_tried_out_and_made_as_who_asked(self):
        """Odoo makes x2many lines as the user whose transaction it is: over HTTP the
        service, and at the approval the approver, who may not do it."""
        transaction = self.env.transaction
        self.addCleanup(setattr, transaction, "default_env", transaction.default_env)
        transaction.default_env = self.gateway.env
        line = [[0, 0, {"name": "Ann"}]]
        approval = self.waiting(
            *("res.partner", "write", self.acme.ids), vals={"child_ids": line}
        )
        self.acme.ref = "changed"
        self.env.flush_all()
        transaction.default_env = self.by("approver", approval).env
        for _look in ("again", "and approve"):
            self.approve(approval)
        self.assertEqual(approval.state, "executed", approval.error_message)
        self.assertEqual(self.acme.child_ids.create_uid, self.people["user"])

    # ---- what has changed since ----

    def test_a_changed_record_is_shown_again(self):
        approval = self.waiting(
            "res.partner", "write", self.acme.ids, vals={"ref": "1"}
        )
        self.acme.ref = "changed by somebody"
        self.env.flush_all()
        before = self.rows()
        action = self.approve(approval)
        self.assertEqual(action["params"]["type"], "warning")
        self.assertEqual(approval.state, "pending")
        self.assertEqual(self.acme.ref, "changed by somebody")
        self.assertEqual(approval.revision, 2)
        self.assertFalse(self.new_rows(before))
        (row,) = approval.preview["changes"][0]["rows"]
        self.assertEqual((row["before"], row["after"]), ("changed by somebody", "1"))
        self.assertEqual(self.activities(approval).summary, approval.summary)
        self.approve(approval)
        self.assertEqual(approval.state, "executed")
        self.assertEqual(self.acme.ref, "1")

    def test_a_page_that_showed_something_else(self):
        approval = self.waiting(
            "res.partner", "write", self.acme.ids, vals={"ref": "1"}
        )
        self.acme.ref = "2"
        self.env.flush_all()
        self.approve(approval, doorman_revision=1)
        with self.assertRaises(UserError):
            self.approve(approval, doorman_revision=1)
        self.assertEqual(approval.state, "pending")
        self.approve(approval, doorman_revision=2)
        self.assertEqual(approval.state, "executed")

    def test_a_row_written_past_the_orm(self):
        approval = self.waiting_delete()
        self.env.cr.execute(
            "UPDATE res_partner SET ref = 'x' WHERE id = %s", self.acme.ids
        )
        self.approve(approval)
        self.assertEqual(approval.state, "pending")

    def test_a_record_that_is_gone(self):
        approval = self.waiting_delete()
        self.acme.unlink()
        self._fails(approval, "not_found")

    def test_other_records_may_change(self):
        approval = self.waiting_delete()
        self.env["res.partner"].create({"name": "another"})
        self.approve(approval)
        self.assertEqual(approval.state, "executed")

    def test_a_changed_policy(self):
        changes = {
            "not_allowed": [
                lambda: self.allow_models("res.country"),
                lambda: self.connection.write(
                    {"allowed_tool_ids": [Command.set(self.tools["call_method"].ids)]}
                ),
                lambda: self.connection.write({"scope_ids": [Command.clear()]}),
                lambda: self.people["user"].write(
                    {
                        "group_ids": [
                            Command.unlink(self.env.ref("doorman.group_scope_orm").id)
                        ]
                    }
                ),
                lambda: self.tools["delete_records"].write({"active": False}),
            ],
            "read_only": [lambda: self.connection.write({"read_only": True})],
        }
        for kind, each in changes.items():
            for number, change in enumerate(each):
                with self.subTest(kind=kind, number=number):
                    with self.env.cr.savepoint() as savepoint:
                        approval = self.waiting_delete()
                        change()
                        self._fails(approval, kind)
                        self.assertTrue(self.acme.exists())
                        savepoint.rollback()
                    self.env.invalidate_all()
                    self.env.registry.clear_cache()

    def test_a_read_that_may_no_longer_be(self):
        search = self.tools["search_records"]
        search._inside().scope_code = "mcp:search"
        changes = (
            lambda: self.connection.write({"scope_ids": [Command.clear()]}),
            lambda: search.write({"active": False}),
            lambda: self.connection.write(
                {"allowed_tool_ids": [Command.set(self.tools["call_method"].ids)]}
            ),
        )
        for number, change in enumerate(changes):
            with self.subTest(number=number), self.env.cr.savepoint() as savepoint:
                approval = self.waiting("res.partner", "search_count", domain=[])
                change()
                self._fails(approval, "not_allowed")
                savepoint.rollback()
            self.env.invalidate_all()
            self.env.registry.clear_cache()

    def test_what_it_points_at_is_known_by_its_name(self):
        boss = self.env["res.partner"].create({"name": "Boss"})
        self.env.flush_all()
        approval = self.waiting(
            "res.partner", "write", self.acme.ids, vals={"parent_id": boss.id}
        )
        boss.ref = "not shown"
        self.env.flush_all()
        self.assertFalse(approval._is_changed())
        boss.name = "Somebody else"
        self.env.flush_all()
        self.approve(approval)
        self.assertEqual(approval.state, "pending")

    def test_names_behind_the_versions_are_nobodys_to_read(self):
        hidden = self.env["res.partner"].create({"name": "Hid", "email": "hid@x.test"})
        self.env.flush_all()
        approval = self.waiting(
            "res.partner", "write", self.acme.ids, vals={"parent_id": hidden.id}
        )
        self.assertIn("hid@x.test", str(approval.sudo().versions))
        for user in (approval.requester_id, approval.approver_id, self.people["admin"]):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                approval.with_user(user).read(["versions"])

    def test_who_gets_a_message_is_shown(self):
        ann = self.env["res.partner"].create({"name": "Ann", "email": "ann@x.example"})
        self.env.flush_all()
        approval = self.waiting(
            *("res.partner", "message_post", self.acme.ids),
            body="hi",
            partner_ids=ann.ids,
        )
        self.assertIn("Ann &lt;ann@x.example&gt;", approval.arguments_html)
        ann.email = "eve@x.example"
        self.env.flush_all()
        self.approve(approval)
        self.assertEqual(approval.state, "pending")

    def test_a_key_that_was_replaced(self):
        """Whoever had it asked for this."""
        approval = self.waiting_delete()
        self.connection._issue_key(overlap_minutes=5)
        self.assertEqual(approval.state, "pending")
        self.connection._issue_key()
        self.assertEqual(approval.state, "cancelled")

    def test_done_before(self):
        more = {"idempotency_key": "k7"}
        approval = self.waiting("res.partner", "unlink", self.acme.ids, more=more)
        call = approval._call()
        self.env["doorman.idempotency"]._once(
            self.connection.id, "k7", approval.digest, lambda: {"ids": call["ids"]}
        )
        self.approve(approval)
        self.assertIn("not done again", approval.message_ids[0].body)
        self.assertTrue(self.acme.exists())

    def test_a_lost_connection(self):
        user = self.people["user"]
        changes = (
            lambda: self.env.cr.execute(
                "UPDATE res_users SET active = false WHERE id = %s", [user.id]
            ),
            lambda: self.connection.api_key_id.sudo().unlink(),
            lambda: self.env.cr.execute(
                "UPDATE doorman_connection SET expires_at = now() at time zone 'utc' "
                "- interval '1 hour'"
            ),
        )
        for number, change in enumerate(changes):
            with self.subTest(number=number), self.env.cr.savepoint() as savepoint:
                approval = self.waiting_delete()
                change()
                self.env.invalidate_all()
                self.approve(approval)
                self.assertEqual(approval.state, "cancelled")
                self.assertTrue(self.acme.exists())
                savepoint.rollback()
                self.env.invalidate_all()

    def test_a_forged_payload(self):
        """Whoever could write into the database."""
        approval = self.waiting_delete()
        other = self.env["res.partner"].create({"name": "other"})
        payload = json.loads(approval.payload) | {"ids": other.ids}
        approval._inside().payload = json.dumps(payload)
        with self.assertRaises(UserError), self.assertLogs(level="ERROR"):
            self.approve(approval)
        self.assertTrue(other.exists())

    # ---- what goes wrong ----

    def test_a_failure_is_undone_and_told(self):
        approval = self.waiting(
            "res.partner", "write", self.acme.ids, vals={"ref": "1", "name": "New"}
        )
        cls = type(self.env["res.partner"])
        write = cls.write

        def fail(records, vals):
            write(records, vals)
            raise UserError("The tax office is closed.")

        with patch.object(cls, "write", fail):
            self._fails(approval, "business_rule")
        self.env.invalidate_all()
        self.assertEqual(self.acme.name, "Acme")
        status = self.status(approval)
        self.assertEqual(status["error"]["message"], "The tax office is closed.")
        self.assertIsNone(status["value"])
        # It can be asked for again.
        again = self.waiting(
            "res.partner", "write", self.acme.ids, vals={"ref": "1", "name": "New"}
        )
        self.assertNotEqual(again, approval)
        self.approve(again)
        self.assertEqual(self.acme.name, "New")

    def test_a_model_that_is_gone(self):
        approval = self.waiting_delete()
        call = json.loads(approval.payload) | {"model": "no.such.model"}
        approval._inside().write(
            {
                "payload": json.dumps(call),
                "digest": canonical_json.of_request(call),
                "model": "no.such.model",
            }
        )
        self.by("approver", approval).read(["changes_html", "warnings_html"])
        self._fails(approval, "unknown_model")

    def test_an_answer_that_is_too_long(self):
        request = self.request("res.partner", "search_read", domain=[], fields=["name"])
        request["audit"]["tool"] = "search_records"
        answer = self.put_before(request)
        approval = self.env["doorman.approval"].browse(answer["pending"]["request_id"])
        with patch.object(execute, "MAX_RESULT", 50):
            self._fails(approval, "too_large")

    def test_a_commit_in_between(self):
        approval = self.waiting_delete()
        cls = type(self.env["res.partner"])
        unlink = cls.unlink

        def commit(records):
            unlink(records)
            records.env.cr.commit()

        with patch.object(cls, "unlink", commit):
            self._fails(approval, "not_allowed")
        self.assertTrue(self.acme.exists())

    def test_decisions_are_no_use_of_the_connection(self):
        approval = self.waiting_delete()
        self.run_job("fold_use")
        self.env.cr.execute(
            "UPDATE doorman_connection SET last_used = '2020-01-01', request_count = 1"
        )
        self.approve(approval)
        self.run_job("fold_use")
        self.env.invalidate_all()
        self.assertEqual(self.connection.request_count, 1)
        self.assertEqual(self.connection.last_used.year, 2020)


@tagged("post_install", "-at_install")
class TestStatus(ApprovalCase):
    def test_each_state(self):
        approval = self.waiting_delete()
        self.assertEqual(self.status(approval)["state"], "pending")
        self.by("approver", approval).action_reject("Not today.")
        status = self.status(approval)
        self.assertEqual(status["state"], "rejected")
        self.assertEqual(status["reason"], "Not today.")
        self.assertEqual(status["decided_by"], "Test approver")
        self.assertEqual(status["arguments"]["ids"], self.acme.ids)

    def test_its_audit_row(self):
        approval = self.waiting_delete()
        before = self.rows()
        self.status(approval)
        (row,) = self.new_rows(before)
        self.assertEqual((row["outcome"], row["tool"]), ("ok", "approval_status"))
        self.assertEqual(row["approval_id"], approval.id)

    def test_others(self):
        """Another connection's, none at all, and what is not an id: the same words."""
        approval = self.waiting_delete()
        other = self.connection2._issue_key()
        from ..common import proof_of

        fence = self.fence(proof_of(other))
        for ident in (approval.id, 10**8, 0, -1, "1", None, True, 1.5, 2**70, [1]):
            with self.subTest(ident=ident):
                answer = self.gateway.approval_status(fence, ident, {})
                self.assertEqual(answer["error"]["kind"], "not_found")

    def test_without_a_valid_fence(self):
        approval = self.waiting_delete()
        answer = self.gateway.approval_status(
            self.fence() | {"proof": "0" * 64}, approval.id, {}
        )
        self.assertEqual(answer["error"]["kind"], "unauthenticated")
        stale = self.gateway.approval_status(self.fence(version=0), approval.id, {})
        self.assertIn("stale", stale)


@tagged("post_install", "-at_install")
class TestApprovalJobs(ApprovalCase):
    def test_expire(self):
        approval = self.waiting_delete()
        self.assertEqual(self.run_job("expire_approvals")["expired"], 0)
        approval._inside().expires_at = fields.Datetime.now() - timedelta(hours=1)
        before = self.rows()
        self.assertEqual(self.run_job("expire_approvals")["expired"], 1)
        self.assertEqual(self.run_job("expire_approvals")["expired"], 0)
        self.assertEqual(approval.state, "expired")
        (row,) = self.new_rows(before)
        self.assertEqual((row["method"], row["reason"]), ("approval/expire", "expired"))
        self.assertFalse(self.activities(approval))

    def test_remind_once_at_half_time(self):
        approval = self.waiting_delete()
        messages = approval.sudo().message_ids
        self.assertEqual(self.run_job("remind_approvals")["reminded"], 0)
        approval._inside().requested_at = fields.Datetime.now() - timedelta(hours=25)
        self.assertEqual(self.run_job("remind_approvals")["reminded"], 1)
        self.assertEqual(self.run_job("remind_approvals")["reminded"], 0)
        self.run_job("send_notices")
        told = self.env["mail.message"].search(
            [("model", "=", "doorman.approval"), ("res_id", "=", approval.id)]
        )
        reminder = (told - messages).filtered(
            lambda m: (m.subject or "").startswith("Still waiting")
        )
        self.assertEqual(reminder.partner_ids, self.people["approver"].partner_id)

    def test_old_ones_are_removed(self):
        decided, waiting = self.waiting_delete(), self.approval()
        self.by("approver", decided).action_reject("no")
        self.run_job("purge_audit")
        self.assertTrue(decided.exists())
        long_ago = fields.Datetime.now() - timedelta(days=91)
        decided._inside().decided_at = long_ago
        waiting._inside().requested_at = long_ago
        self.env.flush_all()
        self.run_job("purge_audit")
        self.assertFalse(decided.exists())
        self.assertTrue(waiting.exists())

    def test_what_is_decided_is_not_reminded_of(self):
        approval = self.waiting_delete()
        approval._inside().requested_at = fields.Datetime.now() - timedelta(hours=25)
        self.by("approver", approval).action_reject("no")
        self.assertEqual(self.run_job("remind_approvals")["reminded"], 0)
