import hashlib
from datetime import timedelta

from odoo import api, fields
from odoo.exceptions import ConcurrencyError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...gateway.audit import MAX_COUNT
from ..at_once_common import AtOnceCase
from ..common import ApprovalCase

CALL = {"method": "tools/call", "tool": "search_records", "ip": "10.0.0.1"}
HOUR = timedelta(hours=1)


@tagged("post_install", "-at_install")
class TestServiceSays(ApprovalCase):
    """What the service merely says locks nobody out, hides nothing, and decides
    nothing: its key may be in other hands."""

    def told(self, **changes):
        """:return: the audit row of an event"""
        event = {
            "time": fields.Datetime.now().isoformat() + "Z",
            "connection": self.connection.id,
            "reason": "not_allowed",
            "message": "No.",
            "outcome": "refused",
            "count": 1,
            "audit": CALL,
        } | changes
        before = self.rows()
        self.gateway.record([event])
        [row] = self.new_rows(before)
        return row

    def used(self):
        return self.env["doorman.audit"]._used_today(self.connection.id)

    def use_of_it(self):
        self.gateway._fold_use()
        self.connection.invalidate_recordset()
        return (
            self.connection.request_count,
            self.connection.last_used,
            self.connection.state,
        )

    # ---- what it was ----

    def test_deny_a_call_that_says_it_is_another(self):
        """With both keys in hand, one could hide among reads what it deletes."""
        partner = self.env["res.partner"].create({"name": "x"})
        said = {"tool": "search_records"}
        request = self.request("res.partner", "unlink", partner.ids)
        request["audit"] = request["audit"] | said
        before = self.rows()
        self.assertNotIn("error", self.gateway.call(self.fence(), request))
        [row] = self.new_rows(before)
        self.assertEqual((row["tool"], row["orm_method"]), ("delete_records", "unlink"))

    # ---- how often ----

    def test_without_its_credential_nothing_is_charged(self):
        key = self.connection2.sudo()._issue_key()
        proof2 = hashlib.sha256(key.encode()).hexdigest()
        used, use = self.used(), self.use_of_it()
        for proof in (None, "", "x", "0" * 64, proof2, 7, ["a"], "A" * 64):
            for outcome in ("refused", "ok"):
                with self.subTest(proof=str(proof)[:6], outcome=outcome):
                    audit = CALL if outcome == "refused" else CALL | {"method": "ping"}
                    row = self.told(
                        proof=proof, count=1_000_000, outcome=outcome, audit=audit
                    )
                    self.assertTrue(row["said"])
                    self.assertEqual(row["connection_id"], self.connection.id)
        self.assertEqual(self.used(), used)
        self.assertEqual(self.use_of_it(), use)

    def test_with_it_they_count(self):
        used = self.used()
        row = self.told(proof=self.proof, count=3)
        self.assertFalse(row["said"])
        self.assertEqual(self.used(), used + 3)

    def test_a_bound(self):
        row = self.told(proof=self.proof, count=1_000_000)
        self.assertEqual(row["count"], MAX_COUNT)
        for count in (0, -5, None):
            self.assertEqual(self.told(count=count)["count"], 1)

    def test_of_no_connection(self):
        row = self.told(connection=None)
        self.assertFalse(row["said"])
        self.assertFalse(row["connection_id"])

    # ---- when ----

    def test_times(self):
        now = fields.Datetime.now()
        for when, kept in (
            (now - timedelta(seconds=30), True),
            (now + timedelta(seconds=30), True),
            (now - HOUR, False),
            (now + HOUR, False),
            (now.replace(year=2099), False),
            (now.replace(year=1999), False),
        ):
            with self.subTest(when=when):
                row = self.told(time=when.isoformat() + "Z")
                expected = when if kept else now
                self.assertLess(abs(row["time"] - expected), timedelta(seconds=20))
        for when in (None, ""):
            row = self.told(time=when)
            self.assertLess(abs(row["time"] - now), timedelta(seconds=20))
        zone = (now + HOUR).isoformat() + "+01:00"
        self.assertLess(abs(self.told(time=zone)["time"] - now), timedelta(seconds=20))

    # ---- how risky ----

    def test_risks_are_not_talked_down(self):
        for name, told, kept in (
            ("delete_records", "low", "high"),
            ("delete_records", "", "high"),
            ("call_method", "medium", "high"),
            ("send_document", "low", "high"),
            ("update_records", "low", "medium"),
            ("update_records", "high", "high"),
            ("search_records", "low", "low"),
            ("search_records", "high", "high"),
            ("something_new", "low", "low"),
        ):
            with self.subTest(name=name, told=told):
                tool = {"name": name, "title": "x", "risk": told, "scope": "mcp:orm"}
                self.gateway.sync_catalog([tool])
                found = self.env["doorman.tool"].search([("name", "=", name)])
                self.assertEqual(found.risk, kept)

    def test_a_risk_that_nobody_knows(self):
        tool = {"name": "search_records", "title": "x", "risk": "harmless"}
        with self.assertRaises(ValueError):
            self.gateway.sync_catalog([tool])

    def test_a_rule_holds_by_the_least_risk(self):
        tool = {"name": "delete_records", "title": "x", "risk": "low"}
        self.gateway.sync_catalog([tool | {"scope": "mcp:orm"}])
        self.gate()
        self.rule(risk="high")
        request = self.request("res.partner", "unlink", self.acme.ids)
        answer = self.gateway.call(self.fence(), request)
        self.assertIn("pending", answer)
        self.assertTrue(self.acme.exists())

    # ---- what may be read ----

    def read_code(self, method="search_count", **kwargs):
        request = self.request("res.partner", method, **(kwargs or {"domain": []}))
        answer = self.gateway.call(self.fence(), request)
        return answer["error"]["code"] if "error" in answer else ""

    def test_reads_are_checked_too(self):
        self.assertEqual(self.read_code(), "")
        scopes = self.connection.scope_ids
        search = scopes.filtered(lambda s: s.code == "mcp:search")
        self.connection.scope_ids = [Command.unlink(search.id)]
        self.assertNotIn("mcp:search", self.connection.scope_ids.mapped("code"))
        self.assertEqual(self.read_code(), "scope_missing")
        self.connection.scope_ids = [Command.link(search.id)]
        catalog = self.env["doorman.tool"]
        for name in ("read_records", "search_records"):
            if not catalog.search([("name", "=", name)]):
                self.tool(name)
        allowed = catalog.search([("name", "=", "read_records")])
        self.connection.allowed_tool_ids = allowed
        self.assertEqual(self.read_code(), "tool_not_allowed")
        allowed = catalog.search([("name", "=", "search_records")])
        self.connection.allowed_tool_ids = allowed
        self.assertEqual(self.read_code(), "")
        group = self.env.ref("doorman.group_scope_search")
        self.people["user"].group_ids = [Command.unlink(group.id)]
        self.assertEqual(self.read_code(), "permission_missing")


@tagged("post_install", "-at_install")
class TestCatalogAtOnce(AtOnceCase):
    """Two replicas that start at the same instant, with a tool that is new."""

    def _clean(self, env):
        env.cr.execute("DELETE FROM doorman_tool WHERE name = 'brand_new'")

    def test_the_second_is_run_again(self):
        tool = {"name": "brand_new", "title": "New", "scope": "mcp:orm"}
        as_it_is = "name title description category risk needs_module input_schema"

        def sync(env):
            known = env["doorman.tool"].search(
                [("kind", "!=", "own"), ("name", "!=", tool["name"])]
            )
            rest = [
                {name: one[name] for name in as_it_is.split()}
                | {"scope": one.scope_code}
                for one in known
            ]
            service = env.ref("doorman.user_service")
            gateway = env["doorman.gateway"].with_user(service)
            return gateway.sync_catalog([*rest, tool])

        with self.registry.cursor() as late:
            late.execute("SELECT 1")  # sees the database as it is now
            self.assertEqual(self._alone(sync)["created"], 1)
            with self.assertRaises(ConcurrencyError), mute_logger("odoo.sql_db"):
                sync(api.Environment(late, api.SUPERUSER_ID, {}))
            late.rollback()
            self.assertEqual(sync(api.Environment(late, 1, {}))["created"], 0)
