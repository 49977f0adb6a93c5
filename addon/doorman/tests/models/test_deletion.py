"""What becomes of our records when somebody deletes or archives what they name."""

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..common import ApprovalCase
from ..invite_common import InviteMixin

# Whose approvals: without them, others would decide. A person is told where they are
# named, and chooses others first.
TOLD = {
    f"doorman.{model}.{name}"
    for model in ("settings", "connection", "invite")
    for name in ("approver_id", "approver_group_id")
}
# A group of ours that only uninstalling removes.
OURS = {"doorman.scope.group_id"}


@tagged("post_install", "-at_install")
class TestDeletion(InviteMixin, ApprovalCase):
    def setUp(self):
        super().setUp()
        self.boss = self._person("boss", ["base.group_user"])
        self.boss2 = self._person("boss2", ["base.group_user"])

    def test_nothing_else_holds_others_records(self):
        """Nothing stops the deletion of a user, a group or a company that people cannot
        see or change: a dialog, a decision of last year."""
        held, looked_at = set(), 0
        for model in self.registry.values():
            if not model._name.startswith("doorman.") or model._abstract:
                continue
            for field in model._fields.values():
                other = field.comodel_name or "doorman."
                if field.type != "many2one" or not field.store or not model._auto:
                    continue
                looked_at += 1
                if field.ondelete == "restrict" and not other.startswith("doorman."):
                    held.add(f"{model._name}.{field.name}")
        self.assertGreater(looked_at, 50)
        self.assertEqual(held, TOLD | OURS)

    # ---- an approver ----

    def test_an_approver_is_told_of(self):
        self.connection.approver_id = self.boss
        self.settings.approver_id = self.boss
        with self.assertRaisesRegex(UserError, "choose another approver") as caught:
            self.boss.unlink()
        for name in (self.connection.name, "boss", self.settings.display_name):
            self.assertIn(name, str(caught.exception))
        self.connection.approver_id = self.boss2
        self.settings.approver_id = False
        self.boss.unlink()
        self.assertEqual(self.connection.approver_id, self.boss2)

    def test_an_archived_connection_counts(self):
        self.connection.approver_id = self.boss
        self.connection.active = False
        with self.assertRaisesRegex(UserError, self.connection.name):
            self.boss.unlink()

    def test_an_approver_group_is_told_of(self):
        group = self.env["res.groups"].create({"name": "Deciders"})
        group.user_ids = self.boss
        self.connection.write({"approver_id": False, "approver_group_id": group.id})
        with self.assertRaisesRegex(UserError, self.connection.name):
            group.unlink()
        self.connection.write({"approver_id": self.boss, "approver_group_id": False})
        group.unlink()

    def test_an_invite(self):
        """One that still works holds its approver; one that has ended does not."""
        invite, _token = self.invite(approver_id=self.boss.id)
        with self.assertRaisesRegex(UserError, "revoke the invites"):
            self.boss.unlink()
        invite.with_user(self.people["admin"]).action_revoke()
        self.boss.unlink()
        self.assertFalse(invite.approver_id)

    def test_a_dialog(self):
        wizard = self.env["doorman.invite.wizard"].create({"approver_id": self.boss.id})
        self.boss.unlink()
        self.assertFalse(wizard.exists())

    def test_an_archived_approver(self):
        """Calls are refused until others are chosen, and the connection says so."""
        self.connection.approver_id = self.boss
        self.assertFalse(self.connection.nobody_approves)
        self.boss.active = False
        self.connection.invalidate_recordset()
        self.assertTrue(self.connection.nobody_approves)
        self.assertEqual(
            self.ask_kind("res.partner", "unlink", self.acme.ids), "not_allowed"
        )
        self.connection.approver_id = self.boss2
        self.assertFalse(self.connection.nobody_approves)
        self.assertEqual(
            self.ask_kind("res.partner", "unlink", self.acme.ids), "pending"
        )

    def test_nothing_to_approve(self):
        self.connection.write({"approver_id": self.boss.id, "approval_tool_ids": False})
        self.boss.active = False
        self.connection.invalidate_recordset()
        self.assertFalse(self.connection.nobody_approves)

    # ---- the first of two ----

    def two_of(self, *people):
        group = self.env["res.groups"].create({"name": "Deciders"})
        for person in people:
            group.user_ids |= person
        self.connection.write(
            {
                "approver_id": False,
                "approver_group_id": group.id,
                "two_approvers": "high",
            }
        )

    def test_the_first_of_two(self):
        """Deleted before the second one came, they have approved nothing."""
        third = self._person("boss3", ["base.group_user"])
        self.two_of(self.boss, self.boss2, third)
        waiting = self.waiting_delete()
        waiting.with_user(self.boss).action_approve()
        self.env.cr.flush()  # what Odoo does in their name once this is committed
        self.boss.unlink()
        waiting.invalidate_recordset()
        waiting.with_user(self.boss2).action_approve()
        self.assertEqual(waiting.state, "pending")
        self.assertTrue(self.acme.exists())
        waiting.with_user(third).action_approve()
        self.assertEqual(waiting.state, "executed")

    def test_the_first_of_two_long_ago(self):
        self.two_of(self.boss, self.boss2)
        waiting = self.waiting_delete()
        waiting.with_user(self.boss).action_approve()
        waiting.with_user(self.boss2).action_approve()
        self.boss.unlink()
        self.assertEqual(waiting.state, "executed")
        self.assertIn("Test boss", " ".join(waiting.message_ids.mapped("body")))
