from odoo.fields import Command
from odoo.tests import tagged

from ...policy import shared
from ..common import WriteCase


@tagged("post_install", "-at_install")
class TestSameWords(WriteCase):
    """What the service refuses too is refused in its words, for a caller that did not
    ask it, or asked it too early."""

    def said(self):
        error = self.write(self.acme, {"ref": "x"})["error"]
        return error["message"], error["hint"]

    def test_words(self):
        tool = "update_records"
        catalog = self.env["doorman.tool"].with_context(active_test=False)
        known = catalog.search([("name", "=", tool)]) or catalog._inside().create(
            {"name": tool, "risk": "medium"}
        )
        other = catalog._inside().create({"name": "another", "risk": "low"})
        scopes = self.connection.scope_ids
        rows = (
            (
                {"read_only": True},
                (shared.SAY_READ_ONLY % tool, shared.SAY_READ_ONLY_HINT),
            ),
            (
                {"scope_ids": [Command.set(self.env.ref("doorman.scope_search").ids)]},
                (
                    shared.SAY_NO_SCOPE % {"tool": tool, "scope": "mcp:orm"},
                    shared.SAY_NO_SCOPE_HINT,
                ),
            ),
            (
                {"allowed_tool_ids": [Command.set(other.ids)]},
                (shared.SAY_NO_TOOL % tool, shared.SAY_NO_TOOL_HINT),
            ),
        )
        known._inside().write({"active": False})
        self.assertEqual(
            self.said(), (shared.SAY_TOOL_OFF % tool, shared.SAY_TOOL_OFF_HINT)
        )
        known._inside().write({"active": True})
        for vals, expected in rows:
            with self.subTest(vals=list(vals)):
                self.connection.write(vals)
                self.assertEqual(self.said(), expected)
                self.connection.write(
                    {"read_only": False, "scope_ids": [Command.set(scopes.ids)]}
                )
        self.settings.action_disable()
        self.assertEqual(self.said(), (shared.SAY_OFF, shared.SAY_OFF_HINT))
