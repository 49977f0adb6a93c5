from odoo.fields import Command

from odoo.addons.doorman.tests.common import ApprovalCase

P = "env['res.partner']"


class PythonCase(ApprovalCase):
    """A connection of an administrator's that may run Python."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people["user"].group_ids = [
            Command.link(cls.env.ref("base.group_system").id),
            Command.link(cls.env.ref("doorman.group_scope_shell").id),
        ]
        cls.settings.allow_shell = True
        cls.python_tool = cls.tool("run_python")

    def setUp(self):
        super().setUp()
        self.gate()
        scope = self.env.ref("doorman.scope_shell")
        self.connection.scope_ids = [Command.link(scope.id)]

    def python(self, code, **more):
        request = self.request("", "run_python", code=code, more=more)
        return self.gateway.call(self.fence(), request)

    def python_kind(self, code, **more):
        return self.kind_of(self.python(code, **more))
