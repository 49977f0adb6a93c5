from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from ...policy.shared import KINDS
from ..common import DoormanCase


@tagged("post_install", "-at_install")
class TestGlance(DoormanCase):
    """What a person sees of a connection at a glance, and of the audit in words."""

    def test_use_per_day(self):
        for ago, vals in (
            (0, {"count": 3}),
            (0, {"outcome": "refused", "count": 2}),
            (5, {"outcome": "error"}),
            (13, {}),
            (20, {"count": 9}),
        ):
            self.used(ago=ago, **vals)
        self.used(self.connection2, count=50)
        days = self.connection.use_per_day
        self.assertEqual(len(days), 14)
        self.assertEqual(days[-1]["day"], fields.Date.to_string(fields.Date.today()))
        found = [(day["requests"], day["refused"]) for day in days]
        wanted = [(0, 0)] * 14
        wanted[0], wanted[8], wanted[13] = (1, 0), (1, 1), (5, 2)
        self.assertEqual(found, wanted)
        self.assertEqual(self.connection2.use_per_day[-1]["requests"], 50)

    def test_a_date_that_has_passed(self):
        """The form says what it means before it is saved."""
        now = fields.Datetime.now()
        for date, warned in (
            (now - timedelta(days=1), True),
            (now + timedelta(days=1), False),
            (False, False),
        ):
            form = self.connection.new({"expires_at": date}, origin=self.connection)
            with self.subTest(date=date):
                self.assertEqual(bool(form._onchange_expires_at()), warned)

    def test_refused_last(self):
        self.assertFalse(self.connection.refused_at)
        self.used(ago=3, outcome="refused", reason="read_only", message="Only reads.")
        self.used(ago=20, outcome="refused", reason="not_allowed", message="Old.")
        self.used(ago=1, outcome="ok")
        self.used(
            self.connection2, outcome="refused", reason="forbidden", message="No."
        )
        self.env.invalidate_all()
        self.assertEqual(self.connection.refused_why, "Only reads.")
        self.assertIn("Read-only", self.connection.refused_cure)
        self.assertEqual(self.connection2.refused_why, "No.")

    def test_every_reason_has_words(self):
        audit = self.env["doorman.audit"]
        self.assertFalse(set(KINDS) - audit._reasons().keys())
        # What waits was not refused.
        self.assertFalse(set(KINDS) - audit._cures().keys() - {"pending_approval"})

    def test_sentences(self):
        self.env["doorman.tool"]._inside().search(
            [("name", "=", "search_records")]
        ).unlink()
        tool = self.tool("search_records")
        tool._inside().write({"title": "Search records"})
        for vals, what in (
            (
                {"tool": "search_records", "model": "res.partner"},
                "Search records: Contact",
            ),
            (
                {"tool": "search_records", "model": "res.partner", "record_ids": "7"},
                "Search records: Contact no. 7",
            ),
            (
                {"tool": "search_records", "model": "res.partner", "record_ids": "7,8"},
                "Search records: Contact (2 records)",
            ),
            ({"tool": "nope", "model": "no.such"}, "nope: no.such"),
            (
                {"method": "approval/reject", "tool": "search_records"},
                "Rejected: Search records",
            ),
            ({"method": "ping"}, "ping"),
        ):
            with self.subTest(what):
                self.used(reason="not_allowed", **vals)
                row = self.env["doorman.audit"].search([], limit=1)
                self.assertEqual(row.what, what)
                self.assertEqual(
                    row.reason_shown, "The connection is not allowed to do this"
                )

    # ---- which AI tool ----

    def learn(self):
        """What the service's job does."""
        return self.gateway.run_job("learn_clients")["counts"]["learned"]

    def test_clients(self):
        self.learn()  # of what was there before
        now = fields.Datetime.now()
        (self.connection | self.connection2)._inside().write({"last_used": now})
        self.used(ago=2, client="Claude Code 1.0")
        self.used(ago=1, client="claude-ai 0.1.0")
        self.used(ago=0, client="", method="approval/approve")
        self.used(self.connection2, client="Made up", said=True)
        self.assertEqual(self.learn(), 1)
        self.assertEqual(self.connection.client, "claude-ai 0.1.0")
        self.assertFalse(self.connection2.client)
        self.assertEqual(self.learn(), 0)
        self.connection.name = "Month-end helper"
        found = self.env["doorman.connection"].search([("client", "ilike", "Claude")])
        # The demo data has others of that name.
        own = self.connection | self.connection2
        self.assertEqual(found & own, self.connection)
        self.used(client="Cursor 1.2")
        self.assertEqual(self.learn(), 1)
        self.assertEqual(self.connection.client, "Cursor 1.2")

    def test_nobody_writes_the_client(self):
        for role in ("user", "admin"):
            with self.subTest(role), self.assertRaises(AccessError):
                self.connection.with_user(self.people[role]).client = "Claude"

    # ---- what ends, and what is idle ----

    def test_expires_soon(self):
        connections = self.env["doorman.connection"]
        mine = [("id", "in", (self.connection | self.connection2).ids)]
        soon = [*mine, ("expires_soon", "=", True)]
        self.assertFalse(connections.search(soon))
        now = fields.Datetime.now()
        self.connection.expires_at = now + timedelta(days=13)
        self.connection2.expires_at = now + timedelta(days=15)
        self.assertEqual(connections.search(soon), self.connection)
        later = connections.search([*mine, ("expires_soon", "=", False)])
        self.assertEqual(later, self.connection2)
        self.assertTrue(self.connection.expires_soon)
        self.connection.action_revoke()
        self.assertFalse(connections.search(soon), "what is over does not end soon")

    def test_idle_in_words(self):
        for hours, words in (
            (25, "for 1 day, 1 hour"),
            (130, "for 5 days, 10 hours"),
            (24, "for 1 day, 0 hours"),
        ):
            with self.subTest(words):
                at = fields.Datetime.now() - timedelta(hours=hours, minutes=5)
                self.connection._inside().write({"state": "idle", "last_used": at})
                self.assertEqual(self.connection.idle_text, words)

    # ---- who sees what ----

    def test_access_state(self):
        for role in ("user", "admin"):
            state = self.env["doorman.connection"].with_user(self.people[role])
            self.assertEqual(state.access_state(), {"off": False, "read_only": False})
        for role in ("internal", "portal"):
            with self.subTest(role), self.assertRaises(AccessError):
                self.env["doorman.connection"].with_user(
                    self.people[role]
                ).access_state()
        self.settings._switch(False)
        self.assertTrue(state.access_state()["off"])

    def test_own_tools(self):
        """In Preferences: one's own, of nobody else, and nothing that is over."""
        for role, shown in (("user", True), ("admin", True), ("internal", False)):
            me = self.people[role]
            own = me.with_user(me)
            self.assertEqual(own.doorman_is_user, shown)
            self.assertEqual(
                "Tool of user<" in (own.doorman_own_tools or ""), role == "user"
            )
            other = self.people["user2"].with_user(me)
            self.assertFalse(other.doorman_own_tools)
        self.connection.action_revoke()
        self.env.invalidate_all()
        me = self.people["user"]
        self.assertNotIn("Tool of user<", me.with_user(me).doorman_own_tools)
