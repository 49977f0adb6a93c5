from odoo.exceptions import AccessDenied, AccessError
from odoo.tests import tagged

from ..common import DoormanCase


@tagged("post_install", "-at_install")
class TestUninstallDialog(DoormanCase):
    """Odoo's dialog says that the audit goes as well. What is left afterwards is
    tested from outside (server/e2e/odoo/uninstall_test.go)."""

    def dialog(self, name):
        module = self.env["ir.module.module"]._get(name)
        return self.env["base.module.uninstall"].create({"module_ids": module.ids})

    def test_allow(self):
        self.assertTrue(self.dialog("doorman").removes_doorman)
        with self.subTest("what Doorman needs takes it along"):
            self.assertTrue(self.dialog("mail").removes_doorman)
        arch = self.env["base.module.uninstall"].get_view(view_type="form")["arch"]
        self.assertIn("removes_doorman", arch)
        action = self.dialog("doorman").action_doorman_audit()
        self.assertEqual(action["res_model"], "doorman.audit")

    def test_deny(self):
        self.assertFalse(self.dialog("sms").removes_doorman)
        for name in ("user", "admin", "approver"):
            person = self.people[name]
            self.assertFalse(person.has_group("base.group_system"))
            with self.subTest(name=name), self.assertRaises(AccessError):
                self.env["base.module.uninstall"].with_user(person).create({})
            with self.subTest(name=name), self.assertRaises(AccessDenied):
                module = self.env["ir.module.module"]._get("doorman")
                module.with_user(person).module_uninstall()
        self.assertTrue(self.env["doorman.settings"]._service_user_id())
