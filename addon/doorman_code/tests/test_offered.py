from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.doorman.tests.common import ApprovalCase
from odoo.addons.doorman.tools import operations

from .. import uninstall_hook

FUNCTIONS = "SELECT count(*) FROM pg_proc WHERE proname LIKE 'doorman\\_sql\\_%'"


@tagged("post_install", "-at_install")
class TestOffered(ApprovalCase):
    """The tools of this addon, in a database that has it and in one that doesn't."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people["user"].group_ids = [
            Command.link(cls.env.ref("base.group_system").id),
            Command.link(cls.env.ref("doorman.group_scope_sql").id),
            Command.link(cls.env.ref("doorman.group_scope_shell").id),
        ]
        cls.settings.write({"allow_sql": True, "allow_shell": True})
        for name in ("run_sql", "run_python"):
            tool = cls.env["doorman.tool"].search([("name", "=", name)])
            tool = tool or cls.tool(name)
            tool._inside().write({"needs_module": "doorman_code"})

    def setUp(self):
        super().setUp()
        self.connection.scope_ids = self.env["doorman.scope"].search([])

    def leave_out(self):
        """As in a database without this addon, of a process that has it for others."""
        loaded = self.env.registry._init_modules - {"doorman_code"}
        self.patch(self.env.registry, "_init_modules", loaded)

    def kinds(self):
        return (
            self.kind("", "run_sql", query="SELECT 1"),
            self.kind("", "run_python", code="result = 1"),
        )

    def told(self):
        self.env.flush_all()
        return self.gateway.resolve(self.proof)["snapshot"]["settings"]

    def test_with_it(self):
        self.assertEqual(self.kinds(), ("ok", "ok"))
        told = self.told()
        self.assertNotIn("doorman_code", told["missing_modules"])
        self.assertFalse({"run_sql", "run_python"} & set(told["disabled_tools"]))
        self.assertFalse(self.settings.not_installed)

    def test_installed_is_not_switched_on(self):
        self.settings.write({"allow_sql": False, "allow_shell": False})
        self.assertEqual(self.kinds(), ("not_allowed", "not_allowed"))
        self.assertEqual(self.told()["disabled_tools"], ["run_python", "run_sql"])

    def test_without_it(self):
        self.leave_out()
        self.assertEqual(self.kinds(), ("needs_module", "needs_module"))
        error = self.call("", "run_sql", query="SELECT 1")["error"]
        self.assertIn("doorman_code", error["message"])
        self.assertIn("install", error["hint"])
        for switch in (True, False):
            self.settings.write({"allow_sql": switch, "allow_shell": switch})
            self.assertEqual(self.kinds(), ("needs_module", "needs_module"))
            told = self.told()
            self.assertIn("doorman_code", told["missing_modules"])
            self.assertFalse({"run_sql", "run_python"} & set(told["disabled_tools"]))
        self.settings.invalidate_recordset()
        self.assertIn("run_sql, run_python", self.settings.not_installed)
        self.assertIn("doorman_code", self.settings.not_installed)

    def test_without_it_in_the_whole_process(self):
        self.leave_out()
        known = dict(operations.OPERATIONS)
        for name in ("run_sql", "run_python"):
            del known[name]
        self.patch(operations, "OPERATIONS", known)
        self.assertEqual(self.kinds(), ("needs_module", "needs_module"))

    def test_nobody_is_asked_to_approve_what_is_not_there(self):
        self.rule(risk="high", reads=True)
        self.assertEqual(self.kinds(), ("pending_approval", "pending_approval"))
        self.leave_out()
        self.assertEqual(self.kinds(), ("needs_module", "needs_module"))
        for method, kwargs in (
            ("run_sql", {"query": "SELECT 2"}),
            ("run_python", {"code": "result = 2"}),
        ):
            self.assertEqual(self.ask_kind("", method, **kwargs), "needs_module")

    def test_approved_after_it_is_gone(self):
        self.rule(risk="high")
        code = f"env['res.partner'].browse({self.acme.id}).write({{'name': 'x'}})"
        approval = self.waiting("", "run_python", code=code)
        self.leave_out()
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "failed")
        self.assertEqual(approval.error_kind, "needs_module")
        self.assertEqual(self.acme.name, "Acme")
        # It stays readable.
        self.assertIn("browse", approval.changes_html + approval.payload_text)

    def test_what_the_database_gets_goes_with_it(self):
        self.env.cr.execute(FUNCTIONS)
        self.assertEqual(self.env.cr.fetchone(), (4,))
        uninstall_hook(self.env)
        self.env.cr.execute(FUNCTIONS)
        self.assertEqual(self.env.cr.fetchone(), (0,))
