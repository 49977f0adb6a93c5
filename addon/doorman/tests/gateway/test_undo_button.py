from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from ...policy.change_scope import ATTRIBUTE
from ..common import ApprovalCase
from .test_undo import UndoCase


@tagged("post_install", "-at_install")
class TestUndoButton(UndoCase, ApprovalCase):
    """People undo a change from its audit row, or from the request they approved."""

    def setUp(self):
        super().setUp()
        self.gate()
        self.change = self.changed(self.write(self.acme, {"name": "B"}))
        self.row = self.env["doorman.audit"].search([], limit=1)
        self.assertEqual(self.row.change_id, self.change)

    def dialog(self, role, record=None):
        action = (record or self.row).with_user(self.people[role]).action_undo()
        dialogs = self.env[action["res_model"]].with_user(self.people[role])
        return dialogs.browse(action["res_id"])

    def name(self):
        return self.stored(self.acme, "name")[0][0]

    def test_the_dialog_tells_and_does_nothing(self):
        dialog = self.dialog("admin")
        told = str(dialog.changes_html)
        self.assertIn("Acme", told)
        self.assertIn("B", told)
        self.assertFalse(dialog.why_not)
        self.assertFalse(dialog.stays)
        self.assertIn("update_records", dialog.summary)
        self.assertEqual(self.name(), "B")

    def test_an_administrator_undoes_it(self):
        before = self.rows()
        self.dialog("admin").action_undo()
        self.assertEqual(self.name(), "Acme")
        [row] = self.new_rows(before)
        self.assertEqual(row["method"], "approval/undo")
        self.assertEqual(row["outcome"], "ok")
        self.assertIn(self.people["admin"].name, row["message"])
        self.assertEqual(row["user_id"], self.people["user"].id)
        self.assertIn("res.partner: 1 updated", row["changed"])
        self.assertTrue(row["change_id"])
        self.row.invalidate_recordset()
        self.assertFalse(self.row.with_user(self.people["admin"]).can_undo)

    def test_its_own_user_undoes_it(self):
        self.dialog("user").action_undo()
        self.assertEqual(self.name(), "Acme")

    def test_it_is_done_with_the_rights_of_the_connections_user(self):
        """An administrator has more of them, which do not count."""
        dialog = self.dialog("admin")
        manager = self.env.ref("base.group_partner_manager")
        self.people["admin"].group_ids = [Command.link(manager.id)]
        self.people["user"].group_ids = [Command.unlink(manager.id)]
        before = self.rows()
        dialog.action_undo()
        self.assertEqual(self.name(), "B")
        [row] = self.new_rows(before)
        self.assertEqual((row["outcome"], row["reason"]), ("refused", "forbidden"))

    def test_who_may_press(self):
        for role, may in (
            ("admin", True),
            ("user", True),
            ("user2", False),
            ("internal", False),
            ("approver", False),
            ("portal", False),
            ("public", False),
        ):
            with self.subTest(role):
                run = lambda role=role: self.dialog(role)  # noqa: E731
                self.assertEqual(self.outcome(run) == "allow", may)
                row = self.row.with_user(self.people[role])
                if may:
                    self.assertTrue(row.can_undo)

    def test_a_dialog_is_not_forged(self):
        """One made by hand shows and does no more than the button."""
        dialogs = self.env["doorman.undo.dialog"]
        vals = {"connection_id": self.connection.id, "change_id": self.change}
        for role in ("user2", "internal", "approver"):
            with self.subTest(role), self.assertRaises(AccessError):
                dialogs.with_user(self.people[role]).create(vals)
        # Nor somebody who may see connections but manages none.
        self.env["ir.rule"].create(
            {
                "name": "All see all",
                "model_id": self.env["ir.model"]._get_id("doorman.connection"),
                "groups": self.env.ref("doorman.group_user").ids,
                "domain_force": "[(1, '=', 1)]",
            }
        )
        theirs = self.connection.with_user(self.people["user2"])
        self.assertTrue(theirs.has_access("read"))
        with self.assertRaises(AccessError):
            dialogs.with_user(self.people["user2"]).create(vals)
        mine = dialogs.with_user(self.people["user2"]).create(
            vals | {"connection_id": self.connection2.id, "preview": {"x": 1}}
        )
        self.assertFalse(mine.preview)
        self.assertTrue(mine.why_not)
        with self.assertRaises(UserError):
            mine.action_undo()
        admin = dialogs.with_user(self.people["admin"]).create(vals)
        shown = admin.preview
        admin.write({"preview": {"outward_digest": "0"}, "change_id": 0})
        self.assertEqual((admin.preview, admin.change_id), (shown, self.change))
        self.assertEqual(self.name(), "B")

    def test_a_dialog_is_its_makers_alone(self):
        dialog = self.dialog("admin")
        for role in ("user", "user2", "internal", "approver"):
            theirs = dialog.with_user(self.people[role])
            for run in (theirs.action_undo, lambda d=theirs: d.read(["preview"])):
                with self.subTest(role), self.assertRaises(AccessError):
                    run()
        self.assertEqual(self.name(), "B")

    def test_no_ai_tool_presses(self):
        dialog = self.dialog("admin")
        setattr(self.env.cr, ATTRIBUTE, True)
        self.addCleanup(lambda: delattr(self.env.cr, ATTRIBUTE))
        for run in (dialog.action_undo, lambda: self.dialog("admin")):
            with self.assertRaises(AccessError):
                run()

    # ---- what has come to be since ----

    def refused(self, word, role="admin"):
        dialog = self.dialog(role)
        self.assertIn(word, dialog.why_not or "")
        with self.assertRaises(UserError):
            dialog.action_undo()
        self.assertEqual(self.name(), "B")

    def test_a_record_changed_since(self):
        self.acme.phone = "1"
        self.acme.name = "C"
        dialog = self.dialog("admin")
        self.assertIn("changed since", dialog.why_not)

    def test_a_record_changed_while_it_was_looked_at(self):
        dialog = self.dialog("admin")
        self.acme.name = "C"
        before = self.rows()
        dialog.action_undo()
        self.assertEqual(self.name(), "C")
        [row] = self.new_rows(before)
        self.assertEqual((row["outcome"], row["reason"]), ("refused", "conflict"))

    def test_twice(self):
        first, second = self.dialog("admin"), self.dialog("user")
        first.action_undo()
        self.assertEqual(self.name(), "Acme")
        self.acme.name = "B"
        second.action_undo()
        self.assertEqual(self.name(), "B")
        self.refused("already been undone")

    def test_the_connection_was_revoked(self):
        dialog = self.dialog("admin")
        self.connection.action_revoke()
        with self.assertRaises(UserError):
            dialog.action_undo()
        self.refused("ended")

    def test_the_server_is_switched_off(self):
        self.settings._switch(False)
        self.refused("switched off")

    def test_read_only(self):
        self.connection.read_only = True
        self.refused("only")

    def test_read_only_for_all(self):
        self.settings.with_user(self.people["admin"]).action_make_read_only()
        self.refused(self.people["admin"].name)

    def test_the_policy_was_narrowed(self):
        self.allow_models("res.partner.category")
        self.refused("res.partner")

    def test_nothing_is_kept_any_more(self):
        self.settings.undo_days = 0
        self.row.invalidate_recordset()
        self.assertFalse(self.row.with_user(self.people["admin"]).can_undo)
        self.refused("no longer stored")

    def test_a_change_that_is_never_undone(self):
        partner = self.env["res.partner"].create({"name": "P"})
        self.call("res.partner", "unlink", partner.ids)
        self.row = self.env["doorman.audit"].search([], limit=1)
        self.refused("Contact")

    # ---- the gate ----

    def test_rules_hold_for_its_own_user_and_not_for_who_decides(self):
        self.gate("update_records")
        self.dialog("user").action_undo()
        self.assertEqual(self.name(), "B")
        [waiting] = self.env["doorman.approval"].search([("state", "=", "pending")])
        self.assertEqual(waiting.tool, "undo_change")
        self.dialog("admin").action_undo()
        self.assertEqual(self.name(), "Acme")
        self.by("approver", waiting).action_approve()
        self.assertEqual(waiting.state, "failed")
        self.assertEqual(waiting.error_code, "undone_already")

    def test_an_administrator_does_not_decide_on_their_own(self):
        """Nor alone, where two have to."""
        self.gate("update_records")
        admin = self.env.ref("doorman.group_admin")
        self.people["user"].group_ids = [Command.link(admin.id)]
        dialog = self.dialog("user")
        self.assertFalse(dialog.decides)
        dialog.action_undo()
        self.assertEqual(self.name(), "B")
        self.settings.allow_self_approval = True
        self.assertTrue(self.dialog("user").decides)

    def test_two_approvers(self):
        group = self.env["res.groups"].create({"name": "Two"})
        (self.people["approver"] | self.people["internal"]).group_ids = [
            Command.link(group.id)
        ]
        self.connection.write({"approver_id": False, "approver_group_id": group.id})
        self.connection.two_approvers = "low"
        self.gate("update_records")
        dialog = self.dialog("admin")
        self.assertFalse(dialog.decides)
        dialog.action_undo()
        self.assertEqual(self.name(), "B")

    def test_from_the_request_that_was_approved(self):
        self.gate("update_records")
        answer = self.write(self.acme, {"phone": "9"})
        approval = self.env["doorman.approval"].browse(answer["pending"]["request_id"])
        self.assertFalse(approval.change_id)
        self.by("approver", approval).action_approve()
        self.assertEqual(self.stored(self.acme, "phone"), [("9",)])
        self.assertTrue(approval.change_id)
        self.assertTrue(self.by("admin", approval).can_undo)
        self.assertFalse(self.by("approver", approval).can_undo)
        row = self.env["doorman.audit"].search([], limit=1)
        self.assertEqual(row.change_id, approval.change_id)
        with self.assertRaises(AccessError):
            self.by("approver", approval).action_undo()
        self.dialog("admin", approval).action_undo()
        self.assertEqual(self.stored(self.acme, "phone"), [(False,)])

    def test_what_stays_is_said_before(self):
        partners = type(self.env["res.partner"])
        original = partners.write

        def write(records, vals):
            if vals.get("ref") == "1":
                records.env["res.partner"].create({"name": "Besides"})
            return original(records, vals)

        self.patch(partners, "write", write)
        self.changed(self.write(self.acme, {"ref": "1"}))
        self.row = self.env["doorman.audit"].search([], limit=1)
        dialog = self.dialog("admin")
        [besides] = self.partners("Besides")
        self.assertIn(str(besides.id), dialog.stays)
        dialog.action_undo()
        self.assertEqual(self.stored(self.acme, "ref"), [(False,)])
        self.assertTrue(besides.exists())
