from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from ..common import WriteCase


@tagged("post_install", "-at_install")
class TestOutsideText(WriteCase):
    """Which connections what strangers write could lead astray."""

    def setUp(self):
        super().setUp()
        self.connection.approve_outward = False

    def models(self, *names):
        get = self.env["ir.model"]._get
        return {"allowed_model_ids": [Command.set([get(name).id for name in names])]}

    def test_which(self):
        orm = self.env["doorman.scope"].search([("code", "=", "mcp:orm")])
        for vals, found in (
            ({}, True),
            (self.models("res.country", "res.partner"), True),
            (self.models("res.country", "ir.attachment"), True),
            (self.models("res.country", "mail.message"), True),
            (self.models("res.country"), False),
            ({"approve_outward": True}, False),
            ({"read_only": True}, False),
            ({"scope_ids": [Command.unlink(orm.id)]}, False),
        ):
            with self.subTest(vals=vals), self.env.cr.savepoint() as savepoint:
                self.connection.write(vals)
                self.assertIs(self.connection.open_to_outside, found)
                savepoint.rollback()
                self.env.invalidate_all()

    def test_who_may_change_it(self):
        for role in ("user", "approver"):
            with self.assertRaises(AccessError):
                self.connection.with_user(self.people[role]).action_approve_outward()
        self.assertTrue(self.connection.open_to_outside)
        version = self.connection.version
        self.connection.with_user(self.people["admin"]).action_approve_outward()
        self.assertFalse(self.connection.open_to_outside)
        self.assertGreater(self.connection.version, version)
