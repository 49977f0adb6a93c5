from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from ..common import ApprovalCase


@tagged("post_install", "-at_install")
class TestTwoApprovers(ApprovalCase):
    """What has a chosen risk waits for two different people."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second = cls.env["res.users"].create(
            {"name": "Second", "login": "dm-second"}
        )
        cls.group = cls.env["res.groups"].create({"name": "Deciders"})
        cls.group.user_ids = cls.people["approver"] | cls.second

    def setUp(self):
        super().setUp()
        self.connection.write(
            {
                "approver_id": False,
                "approver_group_id": self.group.id,
                "two_approvers": "high",
            }
        )

    def approve(self, approval, user):
        return approval.with_user(user).action_approve()

    def gone(self):
        return not self.acme.exists()

    def asked(self, approval):
        return self.activities(approval).user_id

    # ---- two people ----

    def test_two_people(self):
        first, waiting = self.people["approver"], self.waiting_delete()
        self.assertEqual(self.asked(waiting), first | self.second)
        self.approve(waiting, first)
        self.assertEqual(waiting.state, "pending")
        self.assertFalse(self.gone())
        self.assertEqual(self.asked(waiting), self.second)
        self.assertFalse(waiting.with_user(first).can_decide)
        self.assertTrue(waiting.with_user(self.second).can_decide)
        self.assertEqual(self.status(waiting)["state"], "pending")
        self.approve(waiting, self.second)
        self.assertEqual(waiting.state, "executed")
        self.assertTrue(self.gone())
        self.assertFalse(self.asked(waiting))
        said = " ".join(waiting.message_ids.mapped("body"))
        self.assertIn(f"{first.name} and {self.second.name}, and carried out", said)

    def test_one_rejects(self):
        waiting = self.waiting_delete()
        self.approve(waiting, self.people["approver"])
        waiting.with_user(self.second).action_reject("No")
        self.assertEqual(waiting.state, "rejected")
        self.assertFalse(self.gone())

    def test_the_first_one_thinks_again(self):
        waiting = self.waiting_delete()
        self.approve(waiting, self.people["approver"])
        waiting.with_user(self.people["approver"]).action_reject("No, after all")
        self.assertEqual(waiting.state, "rejected")

    # ---- deny ----

    def test_not_the_same_twice(self):
        waiting = self.waiting_delete()
        self.approve(waiting, self.people["approver"])
        with self.assertRaisesRegex(UserError, "Somebody else"):
            self.approve(waiting, self.people["approver"])
        self.assertFalse(self.gone())

    def test_nobody_else(self):
        waiting = self.waiting_delete()
        self.approve(waiting, self.people["approver"])
        for role in ("user", "admin"):
            with self.assertRaises(AccessError):
                self.approve(waiting, self.people[role])
        self.assertFalse(self.gone())

    def test_who_may_decide_no_more_has_not(self):
        waiting = self.waiting_delete()
        self.approve(waiting, self.people["approver"])
        third = self.env["res.users"].create({"name": "Third", "login": "dm-third"})
        self.group.user_ids = self.second | third
        self.approve(waiting, self.second)
        self.assertFalse(self.gone())
        self.approve(waiting, third)
        self.assertTrue(self.gone())

    def test_shown_anew(self):
        """What the first one has seen is not what would be done now."""
        self.gate("update_records")
        waiting = self.waiting(
            "res.partner", "write", self.acme.ids, vals={"name": "New"}
        )
        waiting._inside().write({"risk": "high"})
        self.approve(waiting, self.people["approver"])
        self.acme.name = "Changed since"
        self.approve(waiting, self.second)
        self.assertEqual(waiting.state, "pending")
        waiting._inside().write({"risk": "high"})
        self.assertFalse(waiting.first_approver_id)
        self.assertEqual(self.asked(waiting), self.group.user_ids)
        self.approve(waiting, self.second)
        self.assertEqual(self.acme.name, "Changed since")
        self.approve(waiting, self.people["approver"])
        self.assertEqual(self.acme.name, "New")

    def test_a_tool_does_not_approve(self):
        waiting = self.waiting_delete()
        self.approve(waiting, self.people["approver"])
        with self.assertRaises(AccessError):
            waiting.with_user(self.second).write({"first_approver_id": self.second.id})

    # ---- when ----

    def test_by_risk(self):
        for least, two in (
            ("high", True),
            ("medium", True),
            ("low", True),
            (False, False),
        ):
            with self.subTest(least=least), self.env.cr.savepoint() as savepoint:
                self.connection.two_approvers = least
                waiting = self.waiting_delete()
                self.assertIs(waiting.needs_two, two)
                savepoint.rollback()
                self.env.invalidate_all()
        self.gate("update_records")
        waiting = self.waiting(
            "res.partner", "write", self.acme.ids, vals={"name": "New"}
        )
        self.assertFalse(waiting.needs_two)
        self.approve(waiting, self.second)
        self.assertEqual(self.acme.name, "New")

    def test_there_must_be_two(self):
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self.connection.write(
                {"approver_group_id": False, "approver_id": self.second.id}
            )
        self.group.user_ids = [Command.set(self.second.ids)]
        self.assertEqual(
            self.ask_kind("res.partner", "unlink", self.acme.ids), "not_allowed"
        )
