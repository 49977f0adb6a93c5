from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL

from ...models.audit.doorman_overview import PERIODS, SAMPLE
from ..common import ROLES, DoormanCase


@tagged("post_install", "-at_install")
class TestOverview(DoormanCase):
    """What the first page shows, and to whom."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.overview = cls.env["doorman.overview"].with_user(cls.people["admin"])

    def _ask(self, connection, outcome="ok", days_ago=0, **vals):
        user = connection.user_id
        self.env["doorman.audit"]._insert(
            {
                "time": fields.Datetime.now() - timedelta(days=days_ago),
                "connection_id": connection.id,
                "connection_name": connection.name,
                "user_id": user.id,
                "company_id": user.company_id.id,
                "method": "tools/call",
                "tool": "search_records",
                "outcome": outcome,
                "count": 1,
                **vals,
            }
        )

    def _steps(self):
        return {step["code"]: step["done"] for step in self.overview.data()["steps"]}

    def test_who_may_see_it(self):
        for role in ROLES:
            overview = self.env["doorman.overview"].with_user(self.people[role])
            with self.subTest(role=role):
                expected = "allow" if role == "admin" else "deny"
                self.assertEqual(self.outcome(overview.data), expected)

    def test_who_has_the_menu(self):
        menu = self.env.ref("doorman.menu_overview")
        for role in ("internal", "user", "user2", "approver", "admin"):
            menus = self.env["ir.ui.menu"].with_user(self.people[role])
            with self.subTest(role=role):
                seen = menu.id in menus._visible_menu_ids()
                self.assertEqual(seen, role == "admin")

    def test_the_application_opens_with_it(self):
        root = self.env.ref("doorman.menu_root").id
        overview = self.env.ref("doorman.doorman_overview_action")
        connections = self.env.ref("doorman.doorman_connection_action")
        for role, action in (("admin", overview), ("user", connections)):
            menus = self.env["ir.ui.menu"].with_user(self.people[role])
            with self.subTest(role=role):
                opened = menus.load_web_menus(False)[root]
                self.assertEqual(opened["actionID"], action.id)

    def test_periods(self):
        for days in PERIODS:
            use = self.overview.data(days)["use"]
            self.assertEqual(len(use["labels"]), days)
            self.assertEqual(use["labels"][-1], str(fields.Date.today()))
        for days in (0, -1, 8, 10**9, "7", True, None, [7], 7.0):
            with self.subTest(days=days), self.assertRaises(UserError):
                self.overview.data(days)

    def test_use(self):
        before = self.overview.data(7)["use"]
        self._ask(self.connection, rows=12)
        self._ask(self.connection, "refused", count=5)
        self._ask(self.connection, "error", days_ago=2)
        self._ask(self.connection, "pending", days_ago=6)
        self._ask(self.connection, days_ago=7)
        after = self.overview.data(7)["use"]

        def more(name):
            pairs = zip(after["requests"][name], before["requests"][name], strict=True)
            return [new - old for new, old in pairs]

        self.assertEqual(more("ok"), [0, 0, 0, 0, 0, 0, 1])
        self.assertEqual(more("refused"), [0, 0, 0, 0, 0, 0, 5])
        self.assertEqual(more("error"), [0, 0, 0, 0, 1, 0, 0])
        self.assertEqual(more("pending"), [1, 0, 0, 0, 0, 0, 0])
        self.assertEqual(after["rows"][-1] - before["rows"][-1], 12)

    def test_the_busiest(self):
        self._ask(self.connection, count=100_000, tool="read_records")
        self._ask(self.connection2, count=200_000, tool="get_context")
        data = self.overview.data()
        names = [line["name"] for line in data["connections"]]
        self.assertEqual(names[:2], [self.connection2.name, self.connection.name])
        tools = [line["name"] for line in data["tools"]]
        self.assertEqual(tools[:2], ["get_context", "read_records"])
        # What was deleted has no page to open.
        self.connection2.unlink()
        names = [line["name"] for line in self.overview.data()["connections"]]
        self.assertEqual(names[0], self.connection.name)

    def test_tools_are_counted_in_the_newest_rows(self):
        self._ask(self.connection, count=300_000, tool="forgotten")
        self.assertEqual(self.overview.data()["tools"][0]["name"], "forgotten")
        self.env.cr.execute(
            SQL(
                "SELECT setval('doorman_audit_id_seq', "
                "nextval('doorman_audit_id_seq') + %s)",
                SAMPLE,
            )
        )
        self._ask(self.connection, tool="latest")
        tools = [line["name"] for line in self.overview.data()["tools"]]
        self.assertEqual(tools, ["latest"])

    def test_other_companies_are_not_in_it(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        stranger = self._person("overview_stranger", ["doorman.group_user"])
        stranger.write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        connection = self.env["doorman.connection"].create(
            {"name": "Not yours", "user_id": stranger.id}
        )
        # Numbers of rows go on where another test was undone.
        self._ask(self.connection, tool="mine")
        before = self.overview.data()
        self._ask(connection, count=500_000, tool="elsewhere", rows=500_000)
        after = self.overview.data()
        self.assertEqual(after["use"], before["use"])
        self.assertEqual(after["connections"], before["connections"])
        self.assertEqual(after["tools"], before["tools"])
        self.people["admin"].write({"company_ids": [(4, other.id)]})
        both = self.people["admin"].company_ids.ids
        seen = self.overview.with_context(allowed_company_ids=both).data()
        self.assertEqual(seen["connections"][0]["name"], "Not yours")
        self.assertEqual(seen["tools"][0]["name"], "elsewhere")

    def test_keys(self):
        before = self.overview.data()["keys"]
        self.connection._issue_key()
        now = fields.Datetime.now()
        # A new key is not yet one that was never used.
        self.assertEqual(self.overview.data()["keys"], before)
        self.env.cr.execute(
            SQL(
                "UPDATE doorman_connection_proof SET made_at = %s "
                "WHERE connection_id = %s",
                now - timedelta(days=2),
                self.connection.id,
            )
        )
        self.env.invalidate_all()
        unused = self.overview.data()["keys"]
        self.assertEqual(unused["unused"], before["unused"] + 1)
        self.connection.expires_at = now + timedelta(days=3)
        self.env.invalidate_all()
        ending = self.overview.data()["keys"]
        self.assertEqual(ending["ending"], before["ending"] + 1)
        self.assertEqual(ending["unused"], before["unused"])
        self.assertIn(
            (self.connection.id, "ending"),
            [(line["id"], line["state"]) for line in ending["first"]],
        )
        self.connection.action_revoke()
        self.env.invalidate_all()
        self.assertEqual(self.overview.data()["keys"], before)

    def test_the_way_to_the_first_call(self):
        self.env["doorman.connection"].with_context(active_test=False).search(
            []
        ).unlink()
        self.env.cr.execute("DELETE FROM doorman_replica")
        self.env.cr.execute("DELETE FROM doorman_service_key")
        self.env.invalidate_all()
        self.settings.public_url = False
        self.settings.action_disable()
        done = set()

        def check():
            self.env.invalidate_all()
            self.assertEqual(
                {c for c, is_done in self._steps().items() if is_done}, done
            )

        check()
        self.settings.action_generate_service_key()
        done.add("key")
        check()
        self.env["doorman.replica"]._note("1.0", "https://mcp.example.com/mcp")
        done.add("service")
        check()
        # What the service says of itself is not taken over unseen.
        server = self.overview.data()["server"]
        self.assertEqual(server["offered_url"], "https://mcp.example.com/mcp")
        self.assertEqual(server["url"], "")
        self.settings.with_user(self.people["admin"]).action_use_gateway_url()
        done.add("url")
        check()
        connection = self.env["doorman.connection"].create(
            {"name": "First", "user_id": self.people["user"].id}
        )
        done.add("connection")
        check()
        self.settings.action_enable()
        done.add("enabled")
        check()
        connection._inside().last_used = fields.Datetime.now()
        done.add("call")
        check()
