from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from ...models.notices.use import network_of, tool_of
from ..notices_common import NoticeCase

ADDRESS = "New address: Tool of user"
CLIENT = "New AI tool: Tool of user"
REFUSALS = "Many refusals: Tool of user"
IDLE = "In use again: Tool of user"


@tagged("post_install", "-at_install")
class TestNoticesOfUse(NoticeCase):
    """What administrators are told of the use of connections."""

    def used(self, connection=None, ago=0, **vals):
        origin = {"ip": "192.0.2.1", "client": "Claude Code 1.0"}
        super().used(connection, ago, **origin | vals)

    def use(self, *rows, connection=None):
        """Requests, and what is told once they are added up.

        :return: what an administrator reads
        """
        for row in rows:
            self.used(connection, **row)
        self.run_job("fold_use")
        return self.told().get("admin", [])

    def test_a_new_address(self):
        # The very first one is not news.
        self.assertEqual(self.use({}), [])
        self.assertEqual(self.use({}), [])
        for ip, wanted in (
            ("192.0.2.200", []),  # the same network
            ("198.51.100.7", [ADDRESS]),
            ("198.51.100.9", []),
            ("2001:db8:1:2::1", [ADDRESS]),
            ("2001:db8:1:2:ffff::1", []),
            ("::ffff:192.0.2.77", []),
            ("not an address", []),
            ("", []),
            (None, []),
        ):
            with self.subTest(ip):
                self.assertEqual(self.use({"ip": ip}), wanted)
        self.told()
        self.settings.notice_address = False
        self.assertEqual(self.use({"ip": "203.0.113.1"}), [])

    def test_what_it_says(self):
        self.use({})
        self.use({"ip": "198.51.100.7"})
        self.assertIn("198.51.100.0/24", self.messages[0].body)
        self.assertIn("Test user", self.messages[0].body)

    def test_not_of_who_did_not_get_in(self):
        self.use({})
        for row in (
            {"outcome": "refused", "reason": "unauthenticated"},
            {"outcome": "refused", "reason": "forbidden"},
            {"outcome": "refused", "reason": "rate_limited"},
            {"said": True},
            {"method": "approval/approve"},
            {"method": "oauth/token"},
        ):
            with self.subTest(row):
                odd = {"ip": "198.51.100.7", "client": "Odd 1"}
                self.assertEqual(self.use(row | odd), [])
        # What it asks for, and may not, comes from somewhere all the same.
        row = {"outcome": "refused", "reason": "not_allowed", "ip": "198.51.100.7"}
        self.assertEqual(self.use(row), [ADDRESS])

    def test_a_new_tool(self):
        self.use({})
        for client, wanted in (
            ("Claude Code 1.1", []),
            ("Claude Code", []),
            ("Cursor 2.0", [CLIENT]),
            ("Cursor 2.1-beta", []),
            ("", []),
        ):
            with self.subTest(client):
                self.assertEqual(self.use({"client": client}), wanted)
        self.settings.notice_client = False
        self.assertEqual(self.use({"client": "Other 1"}), [])

    def test_each_connection_for_itself(self):
        self.use({})
        self.assertEqual(
            self.use({"ip": "198.51.100.7"}, connection=self.connection2), []
        )

    def test_at_most_five_an_hour(self):
        self.use({})
        rows = [{"ip": f"198.51.{n}.7"} for n in range(9)]
        self.assertEqual(self.use(*rows), [ADDRESS] * 5)

    def test_administrators_of_its_company_only(self):
        self.stranger()
        self.use({})
        self.used(ip="198.51.100.7")
        self.run_job("fold_use")
        found = self.told()
        self.assertIn("admin", found)
        for role in ("stranger", "user", "user2", "auditor", "internal", "approver"):
            self.assertNotIn(role, found)

    def test_refusals(self):
        refused = {"outcome": "refused", "reason": "not_allowed"}
        self.use({})
        self.settings.notice_refusals = 5
        self.assertEqual(self.use(*[refused] * 4), [])
        # Of another connection, or longer ago, or only said: none of these counts.
        old = fields.Datetime.now() - timedelta(minutes=11)
        self.assertEqual(self.use(refused | {"time": old, "count": 50}), [])
        self.assertEqual(self.use(refused | {"said": True, "count": 50}), [])
        self.assertEqual(self.use({"outcome": "error", "count": 50}), [])
        self.assertEqual(self.use({"outcome": "pending", "count": 50}), [])
        self.use(*[refused] * 4, connection=self.connection2)
        self.assertEqual(self.use(refused), [REFUSALS])
        self.assertIn("10 minutes: 5", self.messages[0].body)
        # Once an hour.
        self.assertEqual(self.use(*[refused] * 9), [])
        self.env.cr.execute(
            "UPDATE doorman_notice SET create_date = create_date - interval '61 min'"
        )
        self.env.invalidate_all()
        self.assertEqual(self.use(refused), [REFUSALS])

    def test_refusals_that_count_as_many(self):
        self.use({})
        row = {"outcome": "refused", "reason": "rate_limited", "count": 20}
        self.assertEqual(self.use(row), [REFUSALS])
        self.notices.search([]).unlink()
        self.settings.notice_refusals = 0
        self.assertEqual(self.use(row), [])

    def test_first_use_after_long(self):
        for ago, setting, wanted in (
            (31, 30, [IDLE]),
            (30, 30, [IDLE]),
            (29, 30, []),
            (31, 0, []),
            (None, 30, []),
        ):
            with self.subTest(ago=ago, setting=setting):
                self.notices.search([]).unlink()
                self.settings.notice_idle_days = setting
                last = ago and fields.Datetime.now() - timedelta(days=ago, minutes=1)
                self.connection._inside().last_used = last or False
                self.env.flush_all()
                self.assertEqual(self.use({}), wanted)
                self.assertEqual(self.use({}), [])

    def test_a_refusal_at_the_door_is_no_use(self):
        last = fields.Datetime.now() - timedelta(days=40)
        self.connection._inside().last_used = last
        self.env.flush_all()
        self.assertEqual(
            self.use({"outcome": "refused", "reason": "unauthenticated"}), []
        )

    def test_a_connection_that_is_gone(self):
        self.used()
        self.connection.unlink()
        self.env.flush_all()
        self.run_job("fold_use")
        self.assertEqual(self.told(), {})

    def test_nothing_to_tell_costs_no_row(self):
        self.use({})
        before = self.notices.search_count([])
        self.use({}, {}, {})
        self.assertEqual(self.notices.search_count([]), before)

    def test_networks_and_names(self):
        for address, network in (
            ("10.1.2.3", "10.1.2.0/24"),
            ("::1", "::/64"),
            ("fe80::1%eth0", "fe80::/64"),
            ("1.2.3", None),
            ("", None),
        ):
            with self.subTest(address):
                self.assertEqual(network_of(address), network)
        for client, name in (
            ("claude-ai 0.1.0", "claude-ai"),
            ("Tool/v2.3", "Tool"),
            ("GPT 4", "GPT"),
            ("1.0", "1.0"),
            ("Tool 1.0 (Linux)", "Tool 1.0 (Linux)"),
        ):
            with self.subTest(client):
                self.assertEqual(tool_of(client), name)
