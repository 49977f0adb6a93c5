from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.doorman.tools import operations

from .python_common import P, PythonCase

FOUND = f"{P}.search([('name', '=like', 'Flow %')])"


@tagged("post_install", "-at_install")
class TestRowCounts(PythonCase):
    """How many rows flow out by a query, or by code."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people["user"].group_ids = [
            Command.link(cls.env.ref("doorman.group_scope_sql").id)
        ]
        cls.settings.allow_sql = True
        cls.sql_tool = cls.tool("run_sql")
        cls.env["res.partner"].create([{"name": f"Flow {n}"} for n in range(12)])

    def setUp(self):
        super().setUp()
        scope = self.env.ref("doorman.scope_sql")
        self.connection.scope_ids = [Command.link(scope.id)]

    def sql(self, limit=100, left=None):
        # Its own cursor does not see what a test has made.
        fence = self.fence() | ({} if left is None else {"rows_left": left})
        query = "SELECT g FROM generate_series(1, 12) AS g"
        request = self.request("", "run_sql", query=query, limit=limit)
        return self.gateway.call(fence, request)

    def test_every_operation_that_reads_says_how_many(self):
        for name in ("run_sql", "run_python"):
            counts = operations.get(name).rows
            self.assertEqual(counts(None, {"rows": 3}), 3)
            self.assertEqual(counts(None, {"rows": [[1], [2]]}), 2)
            self.assertEqual(counts(None, {}), 0)

    def test_queries(self):
        before = self.rows()
        self.assertEqual(self.sql()["rows"], 12)
        self.assertEqual(self.new_rows(before)[0]["rows"], 12)
        self.connection.rows_reply = 5
        answer = self.sql()
        self.assertEqual((answer["rows"], answer["value"]["more"]), (5, True))
        self.assertEqual(len(answer["value"]["rows"]), 5)
        self.connection.write({"rows_reply": 0, "rows_day": 100})
        self.assertEqual(self.sql(left=7)["rows"], 7)
        self.assertEqual(self.sql(left=0)["error"]["code"], "rows_used_up")

    def test_code(self):
        for code, least, most in (
            ("result = 1", 0, 0),
            (f"result = {FOUND}.mapped('name')", 12, 24),
            (f"result = len({FOUND}.mapped('name'))", 12, 24),
            (f"result = {P}.search_count([])", 1, 1),
        ):
            with self.subTest(code=code):
                before = self.rows()
                answer = self.python(code)
                self.assertIn("value", answer, answer)
                self.assertLessEqual(least, answer["rows"])
                self.assertLessEqual(answer["rows"], most)
                self.assertEqual(self.new_rows(before)[0]["rows"], answer["rows"])

    def test_code_that_reads_more_is_undone(self):
        self.connection.rows_reply = 5
        code = f"{P}.create({{'name': 'Made'}})\nresult = {FOUND}.mapped('name')"
        answer = self.python(code)
        self.assertEqual(answer["error"]["code"], "too_many_rows")
        self.assertFalse(self.env["res.partner"].search([("name", "=", "Made")]))
        self.connection.write({"rows_reply": 0, "rows_day": 100})
        request = self.request("", "run_python", code=code)
        answer = self.gateway.call(self.fence() | {"rows_left": 5}, request)
        self.assertEqual(answer["error"]["code"], "rows_used_up")
        self.assertFalse(self.env["res.partner"].search([("name", "=", "Made")]))
