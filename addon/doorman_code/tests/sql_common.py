"""What the tests of ``run_sql`` have in common."""

from odoo.fields import Command

from odoo.addons.doorman.tests.common import ApprovalCase


class SqlCase(ApprovalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people["user"].group_ids = [
            Command.link(cls.env.ref("base.group_system").id),
            Command.link(cls.env.ref("doorman.group_scope_sql").id),
        ]
        cls.settings.allow_sql = True

    def setUp(self):
        super().setUp()
        scope = self.env.ref("doorman.scope_sql")
        self.connection.scope_ids = [Command.link(scope.id)]

    def sql(self, query, **kwargs):
        more = kwargs.pop("more", None)
        request = self.request("", "run_sql", query=query, more=more, **kwargs)
        return self.gateway.call(self.fence(), request)

    def sql_kind(self, query, **kwargs):
        return self.kind_of(self.sql(query, **kwargs))
