from odoo.tests import tagged

from ..rules_common import RulesCase
from .test_undo import UndoCase


@tagged("post_install", "-at_install")
class TestUndoWorkedOut(UndoCase, RulesCase):
    """What Odoo has worked out with a change and keeps when its reason goes: a contact
    that is put into a company gets the company's salesperson."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.env["res.partner"].create({"name": "P"})
        cls.seller, cls.other = cls.people["user2"], cls.people["internal"]
        cls.company = cls.env["res.partner"].create(
            {"name": "C", "is_company": True, "user_id": cls.seller.id}
        )

    def joined(self):
        """The id of the change that puts the contact into the company."""
        change = self.changed(self.write(self.partner, {"parent_id": self.company.id}))
        self.assertEqual(self.now(), (self.company, self.seller))
        return change

    def now(self):
        [found] = self.stored(self.partner, "parent_id", "user_id")
        return found

    def check_stays(self, change, *told):
        """The undo is refused whole, and done in part when that is wanted."""
        before = self.now()
        error = self.undo(change)["error"]
        self.assertEqual(error["code"], "undo_incomplete")
        for text in told:
            self.assertIn(text, error["message"])
        self.assertEqual(self.now(), before)
        answer = self.undo(change, partly=True)
        self.assertEqual(self.kind_of(answer), "ok", answer)
        self.assertEqual(self.now(), (self.partner.browse(), before[1]))

    def test_odoo_itself_keeps_it(self):
        self.partner.parent_id = self.company
        self.assertEqual(self.now(), (self.company, self.seller))
        self.partner.parent_id = False
        self.assertEqual(self.now(), (self.partner.browse(), self.seller))

    def test_it_goes_back(self):
        answer = self.undo(self.joined())
        self.assertEqual(self.kind_of(answer), "ok", answer)
        self.assertEqual(answer["value"]["stays"], [])
        self.assertEqual(self.now(), (self.partner.browse(), self.seller.browse()))

    def test_a_dry_run_shows_it(self):
        change = self.joined()
        value = self.undo(change, more={"dry_run": True})["value"]
        [told] = value["changes"]
        self.assertLessEqual({"parent_id", "user_id"}, set(told["after"]))
        self.assertEqual(self.now(), (self.company, self.seller))

    def test_somebody_changed_it_since(self):
        change = self.joined()
        self.partner.user_id = self.other
        self.check_stays(change, "user_id")

    def test_it_is_hidden(self):
        """It may not be written, and its name is not told."""
        change = self.joined()
        self.rule_for("res.partner", hidden=["user_id"])
        self.assertNotIn("user_id", str(self.undo(change)["error"]))
        self.check_stays(change, "not shown")
