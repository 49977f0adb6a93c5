from odoo.tests import tagged
from odoo.tools import convert_file

from ..common import DoormanCase


@tagged("post_install", "-at_install")
class TestDemo(DoormanCase):
    """What a person sees in one place of the demo data, another place says as well."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not cls.env.ref("doorman.demo_user_tom", raise_if_not_found=False):
            cls._load()
        cls.made = cls.env["doorman.connection"].search([])
        cls.made -= cls.connection | cls.connection2
        cls.active = cls.made.filtered("last_used")

    @classmethod
    def _load(cls):
        # With the user of Odoo's own demo data, which is not there either.
        marc = cls.env["res.users"].create({"name": "Marc Demo", "login": "marc"})
        data = {"module": "base", "name": "user_demo"}
        data |= {"model": "res.users", "res_id": marc.id}
        cls.env["ir.model.data"].create(data)
        convert_file(cls.env, "doorman", "demo/doorman_demo.xml", {}, "init")

    def test_requests_are_those_of_the_reports(self):
        self.assertGreater(len(self.active), 5)
        for connection in self.active:
            with self.subTest(connection.name):
                [[reported, rows]] = self.env["doorman.use.connection"]._read_group(
                    [("connection_id", "=", connection.id)],
                    aggregates=["requests:sum", "rows:sum"],
                )
                self.assertEqual(reported, connection.request_count)
                self.assertGreater(rows, 0)

    def test_the_audit_holds_what_the_policy_allows(self):
        audit = self.env["doorman.audit"].search(
            [("connection_id", "in", self.active.ids), ("outcome", "=", "ok")]
        )
        for row in audit:
            allowed = row.connection_id.allowed_tool_ids.mapped("name")
            self.assertTrue(not allowed or row.tool in allowed, row.tool)
            self.assertGreater(row.rows, 0)
            self.assertLessEqual(row.time, row.connection_id.last_used)
