from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from ...policy.shared import MAX_USAGE_DAYS
from ..admin_api_common import AdminApiMixin
from ..common import DoormanCase


@tagged("post_install", "-at_install")
class TestAdminApiUsage(AdminApiMixin, DoormanCase):
    """The REST API tells how much connections were used."""

    def _row(self, time, connection=None, **values):
        connection = connection or self.connection
        row = connection._audit_of("tools/call") | {"time": time, "outcome": "ok"}
        self.env["doorman.audit"]._insert(row | values)

    def test_usage(self):
        self._row("2026-02-01 00:00:00", rows=3)
        self._row("2026-02-01 23:59:59", rows=4, outcome="error")
        self._row("2026-02-01 12:00:00", outcome="refused", reason="rate_limited")
        self._row("2026-02-01 12:00:00", outcome="refused", reason="not_allowed")
        self._row("2026-02-01 12:00:00", outcome="pending", count=2)
        self._row("2026-02-01 12:00:00", method="initialize")
        self._row("2026-02-02 00:00:00", self.connection2)
        self._row("2026-01-31 23:59:59")
        self._row("2026-02-02 00:00:00", connection_id=None)

        def used(**arguments):
            return self._ask("admin", "api_usage", **arguments)

        days = {"first": "2026-02-01", "last": "2026-02-02"}
        answer = used(**days)
        self.assertEqual(answer["total"], 2)
        self.assertEqual(answer["usage"][0]["connection_id"], self.connection2.id)
        self.assertEqual(
            answer["usage"][1],
            {
                "day": "2026-02-01",
                "connection_id": self.connection.id,
                "connection": "Tool of user",
                "user": "dm-user",
                "requests": 5,
                "ok": 2,
                "pending": 2,
                "error": 1,
                "refused": 2,
                "rows": 7,
            },
        )
        self.assertEqual(used(limit=1, **days)["usage"], answer["usage"][:1])
        self.assertEqual(used(limit=1, offset=1, **days)["usage"], answer["usage"][1:])
        self.assertEqual(used(offset=9, **days)["total"], 2)
        mine = used(connection_id=self.connection.id, **days)
        self.assertEqual(mine["usage"], answer["usage"][1:])
        self.assertEqual(used(user="dm-user2", **days)["usage"], answer["usage"][:1])
        self.assertEqual(used(user="nobody", **days)["usage"], [])
        alone = used(first="2026-01-31", last="2026-01-31")
        self.assertEqual([row["requests"] for row in alone["usage"]], [1])

    def test_usage_counts_as_the_limit_does(self):
        for model in ("res.partner", "no.such"):
            request = self.request(model, "search_count", domain=[])
            request["audit"]["method"] = "tools/call"
            self.gateway.call(self.fence(), request)
        mine = {"connection_id": self.connection.id}
        [row] = self._ask("admin", "api_usage", **mine)["usage"]
        used = self.env["doorman.audit"]._used_today(self.connection.id)
        self.assertEqual((row["requests"], row["ok"]), (used, 1))
        self.assertEqual(used, 2)

    def test_days(self):
        today = fields.Date.today()
        answer = self._ask("admin", "api_usage")
        self.assertEqual(answer["last"], today.isoformat())
        self.assertEqual(answer["first"], (today - timedelta(days=29)).isoformat())
        longest = (today - timedelta(days=MAX_USAGE_DAYS - 1)).isoformat()
        self.assertEqual(
            self._code(self._ask("admin", "api_usage", first=longest)), "ok"
        )
        for arguments in (
            {"first": (today - timedelta(days=MAX_USAGE_DAYS)).isoformat()},
            {"first": "2026-02-02", "last": "2026-02-01"},
            {"first": "20260201"},
            {"first": "2026-02-30"},
            {"first": "2026-02-01T00:00:00"},
            {"last": 5},
            {"last": "9999-12-31"},
            {"limit": 0},
            {"limit": 1001},
            {"offset": -1},
            {"user": 5},
        ):
            with self.subTest(arguments=arguments):
                answer = self._ask("admin", "api_usage", **arguments)
                self.assertEqual(self._code(answer), "invalid_input")
        self.assertEqual(
            self._code(self._ask("admin", "api_usage", last="0001-01-01")), "ok"
        )
