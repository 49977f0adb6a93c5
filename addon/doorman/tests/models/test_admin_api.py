import json
from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from ...policy.narrowing import RULES
from ..admin_api_common import AdminApiMixin
from ..common import ROLES, DoormanCase


@tagged("post_install", "-at_install")
class TestAdminApi(AdminApiMixin, DoormanCase):
    """What the REST API calls: plain JSON in, plain JSON or a stable code out."""

    # ---- who ----

    def test_who(self):
        self.env["doorman.connection"].flush_model()
        count = self.env["doorman.connection"].search_count([])
        for role in (*ROLES, "service", "colleague"):
            if role == "admin":
                continue
            for name, arguments in self._calls().items():
                with self.subTest(role=role, method=name):
                    answer = self._ask(role, name, *arguments)
                    self.assertEqual(self._code(answer), "forbidden")
                    self.assertEqual(set(answer), {"error"})
        self.env.invalidate_all()
        self.assertEqual(self.env["doorman.connection"].search_count([]), count)
        self.assertEqual(self.connection.state, "awaiting")
        self.assertFalse(self.connection.read_only)
        self.assertFalse(self.connection.pickup_pending)
        self.assertTrue(self.settings.enabled)
        for name, arguments in self._calls().items():
            with self.subTest(method=name):
                self.assertEqual(self._code(self._ask("admin", name, *arguments)), "ok")

    def test_a_switch_changes_nothing_for_administrators(self):
        self.settings._switch_read_only(True)
        self.settings._switch(False)
        for name, arguments in self._calls().items():
            with self.subTest(method=name):
                self.assertEqual(self._code(self._ask("admin", name, *arguments)), "ok")

    def test_another_company(self):
        """Its administrator sees nothing of ours, and can end nothing."""
        rows = self._calls()
        for name in ("api_connection", "api_narrow", "api_rotate", "api_disconnect"):
            with self.subTest(method=name):
                answer = self._ask("far", name, *rows[name])
                self.assertEqual(self._code(answer), "not_found")
        answer = self._ask("far", "api_usage", connection_id=self.connection.id)
        self.assertEqual(self._code(answer), "not_found")
        self.assertEqual(self._code(self._make("far")), "invalid_input")
        self.assertEqual(
            self._ask("far", "api_connections"), {"connections": [], "total": 0}
        )
        self.call("res.partner", "search_count", domain=[])
        self.assertEqual(self._ask("far", "api_usage")["total"], 0)
        self.assertEqual(self.connection.state, "awaiting")

    def test_ours_and_theirs(self):
        theirs = self._make("far", user="dm-colleague")["connection"]
        self.assertEqual(theirs["company"], "Other")
        for name in ("api_connection", "api_rotate", "api_disconnect"):
            answer = self._ask("admin", name, theirs["id"])
            self.assertEqual(self._code(answer), "not_found", name)
            answer = self._ask("far", name, theirs["id"])
            self.assertEqual(self._code(answer), "ok", name)

    def test_what_is_not_there(self):
        for found in (0, -1, 2**31, 2**70, "1", None, [1], True, 2**31 - 1):
            for name in (
                "api_connection",
                "api_narrow",
                "api_rotate",
                "api_disconnect",
            ):
                with self.subTest(id=found, method=name):
                    more = ({},) if name == "api_narrow" else ()
                    answer = self._ask("admin", name, found, *more)
                    self.assertEqual(self._code(answer), "not_found")

    # ---- making one ----

    def test_the_whole_policy_comes_back(self):
        self.tool("t1")
        values = self.whole_policy() | {
            "name": "Whole",
            "user": "dm-user",
            "expires_at": "2099-01-31T12:00:00Z",
            "research_tools": True,
            "approve_outward": True,
            "description": "Why",
        }
        self.assertEqual(set(values), {*RULES, "name", "user", "description"})
        answer = self._make(**values)
        self.assertEqual(self._code(answer), "ok", answer)
        made = answer["connection"]
        self.assertEqual({name: made[name] for name in values}, values)
        self.assertEqual((made["status"], made["type"]), ("awaiting", "bearer"))
        self.assertEqual(made["created_by"], "dm-admin")
        self.assertEqual(self._ask("admin", "api_connection", made["id"]), {
            "connection": made
        })  # fmt: skip
        # What was read can be sent back, and changes nothing.
        version = self.env["doorman.connection"].browse(made["id"]).version
        sent = {name: made[name] for name in RULES}
        answer = self._ask("admin", "api_narrow", made["id"], sent)
        self.assertEqual(answer, {"connection": made})
        self.assertEqual(
            self.env["doorman.connection"].browse(made["id"]).version, version
        )

    def test_the_key_goes_to_its_user_alone(self):
        answer = self._make()
        self.assertIsNone(answer["key"])
        self.assertTrue(answer["connection"]["pickup_pending"])
        token = answer["pickup_url"].rpartition("#")[2]
        made = self.env["doorman.connection"].browse(answer["connection"]["id"])
        self.assertFalse(made.sudo().api_key_id)
        self.assertNotIn(token, json.dumps(self._shown(made)))
        for role in ("admin", "user2"):
            pickups = self.env["doorman.pickup"].with_user(self.people[role])
            self.assertIsNone(pickups._pick_up(token))
        _link, key = (
            self.env["doorman.pickup"].with_user(self.people["user"])._pick_up(token)
        )
        self.assertRegex(key, r"^dmk_")
        self.assertNotIn(key[4:], json.dumps(self._shown(made)))

    def test_a_key_only_where_it_may_be_handed_over(self):
        answer = self._make(deliver="key")
        self.assertRegex(answer["key"], r"^dmk_")
        self.assertIsNone(answer["pickup_url"])
        made = self.env["doorman.connection"].browse(answer["connection"]["id"])
        self.assertIn("hand it over", made.message_ids[0].body)
        system = self._person("system", ["base.group_system"])
        count = self.env["doorman.connection"].search_count([])
        answer = self._make(deliver="key", user=system.login)
        self.assertEqual(self._code(answer), "key_withheld")
        self.settings.allow_key_handover = False
        self.assertEqual(self._code(self._make(deliver="key")), "key_withheld")
        self.assertEqual(self.env["doorman.connection"].search_count([]), count)
        self.assertEqual(self._code(self._make(user=system.login)), "ok")

    def test_no_more_than_one_has(self):
        rows = (
            ({"scopes": ["mcp:sql"]}, "scopes_exceeded"),
            ({"scopes": ["mcp:search", "mcp:shell"]}, "scopes_exceeded"),
            ({"companies": self.far_company.ids}, "companies_exceeded"),
            ({"approve_outward": False}, "would_widen"),
            ({"rate_limit_minute": 10_000}, "would_widen"),
            ({"rate_limit_day": 1_000_000}, "would_widen"),
            ({"approve_outward": True}, "ok"),
            ({"rate_limit_minute": 100}, "ok"),
            ({"rows_day": 0}, "ok"),
        )
        for four_eyes in (False, True):
            self._person("second", ["doorman.group_admin"]) if not four_eyes else None
            self.settings.four_eyes = four_eyes
            for values, code in rows:
                count = self.env["doorman.connection"].search_count([])
                with self.subTest(values=values, four_eyes=four_eyes):
                    self.assertEqual(self._code(self._make(**values)), code)
                    now = self.env["doorman.connection"].search_count([])
                    self.assertEqual(now - count, code == "ok")

    def test_values_that_are_refused(self):
        bad = (
            {"name": ""},
            {"name": "  "},
            {"name": None},
            {"name": "x" * 101},
            {"name": "dmk_" + "x" * 40},
            {"name": "a\0b"},
            {"user": "nobody"},
            {"user": "dm-portal"},
            {"user": "dm-colleague"},
            {"user": self.service.login},
            {"user": ""},
            {"user": None},
            {"user": 1},
            {"scopes": []},
            {"scopes": ["mcp:everything"]},
            {"scopes": "mcp:search"},
            {"deliver": "mail"},
            {"deliver": True},
            {"key_days": -1},
            {"key_days": 366},
            {"key_days": "1"},
            {"key_days": True},
            {"expires_at": "2020-01-01T00:00:00Z"},
            {"expires_at": "2099-01-01"},
            {"expires_at": "2099-01-01T00:00:00+01:00"},
            {"expires_at": 5},
            {"expires_at": None},
            {"read_only": 1},
            {"allowed_models": ["no.such.model"]},
            {"model_rules": [{"model": "ir.rule"}]},
            {"approval_rules": [{}]},
            {"approver": "dm-user"},
            {"rate_limit_minute": -1},
            {"user_id": 1},
            {"state": "connected"},
            {"invite_id": 1},
            {"nonsense": 1},
        )
        count = self.env["doorman.connection"].search_count([])
        for values in bad:
            with self.subTest(values=values):
                self.assertEqual(self._code(self._make(**values)), "invalid_input")
        for values in (None, [], "x", 5, {}):
            answer = self._ask("admin", "api_connect", values)
            self.assertEqual(self._code(answer), "invalid_input")
        self.assertEqual(self.env["doorman.connection"].search_count([]), count)

    # ---- rotate, revoke ----

    def test_rotate(self):
        self.assertEqual(self.kind("res.partner", "search_count", domain=[]), "ok")
        tokens = []
        for _time in range(2):
            answer = self._ask("admin", "api_rotate", self.connection.id, key_days=7)
            self.assertEqual(
                set(answer), {"connection", "pickup_url", "pickup_expires_at"}
            )
            tokens.append(answer["pickup_url"].rpartition("#")[2])
        # The present key works until the new one is there; of two links, the last.
        self.assertEqual(self.kind("res.partner", "search_count", domain=[]), "ok")
        pickups = self.env["doorman.pickup"].with_user(self.people["user"])
        self.assertIsNone(pickups._pick_up(tokens[0]))
        self.assertTrue(pickups._pick_up(tokens[1]))
        self.assertNotIn("snapshot", self.gateway.resolve(self.proof))
        week = fields.Datetime.now() + timedelta(days=7)
        self.env.invalidate_all()
        ends = self.connection.key_expires_at
        self.assertLess(abs((ends - week).total_seconds()), 60)

    def test_what_cannot_be_rotated(self):
        for days in (-1, 366, "1", True, None):
            answer = self._ask("admin", "api_rotate", self.connection.id, days)
            self.assertEqual(self._code(answer), "invalid_input", days)
        oauth = self._connect("user", auth_type="oauth")
        self.connection2.active = False
        for state in ("inactive", "revoked", "expired"):
            self.connection._inside().state = state
            for connection in (self.connection, self.connection2, oauth):
                answer = self._ask("admin", "api_rotate", connection.id)
                self.assertEqual(self._code(answer), "conflict")
        self.assertFalse(self.connection.pickup_pending)

    def test_revoke(self):
        for _time in range(2):
            answer = self._ask("admin", "api_disconnect", self.connection.id)
            self.assertEqual(answer["connection"]["status"], "revoked")
        self.assertNotIn("snapshot", self.gateway.resolve(self.proof))
        mine = self.connection.with_user(self.people["user"])
        self.assertTrue(mine._why_not_reactivate())
        self.assertEqual(self.connection2.state, "awaiting")

    # ---- looking ----

    def test_list(self):
        self.env["doorman.connection"].search([]).unlink()
        made = [self._make(user=f"dm-user{n}")["connection"] for n in ("", "2", "")]
        ids = [connection["id"] for connection in made]
        self._ask("admin", "api_disconnect", ids[0])
        self.env["doorman.connection"].browse(ids[1]).active = False

        def listed(**arguments):
            answer = self._ask("admin", "api_connections", **arguments)
            return [c["id"] for c in answer["connections"]], answer["total"]

        self.assertEqual(listed(), (ids[::-1], 3))
        self.assertEqual(listed(limit=2), (ids[:0:-1], 3))
        self.assertEqual(listed(limit=2, offset=2), (ids[:1], 3))
        self.assertEqual(listed(status="revoked"), (ids[:1], 1))
        self.assertEqual(listed(user="dm-user2"), (ids[1:2], 1))
        self.assertEqual(listed(user="nobody"), ([], 0))
        self.assertEqual(listed(type="oauth"), ([], 0))
        self.assertEqual(listed(type="bearer", user="dm-user"), ([ids[2], ids[0]], 2))
        self.assertTrue(self._shown(self.connection2.browse(ids[1]))["archived"])
        for arguments in (
            {"limit": 0},
            {"limit": 501},
            {"limit": "1"},
            {"offset": -1},
            {"status": "nonsense"},
            {"status": []},
            {"type": "key"},
            {"user": 1},
            {"invite_id": "1"},
        ):
            with self.subTest(arguments=arguments):
                answer = self._ask("admin", "api_connections", **arguments)
                self.assertEqual(self._code(answer), "invalid_input")

    def test_of_an_invite(self):
        invite, token = self.invite()
        self.accept(token)
        answer = self._ask("admin", "api_connections", invite_id=invite.id)
        [found] = answer["connections"]
        self.assertEqual(
            (found["invite_id"], found["user"]), (invite.id, "dm-internal")
        )

    # ---- the master switch ----

    def test_switch(self):
        for values, code in (
            ({"enabled": True}, "would_widen"),
            ({"enabled": 0}, "invalid_input"),
            ({}, "invalid_input"),
            ({"enabled": False, "all_read_only": False}, "invalid_input"),
            (None, "invalid_input"),
        ):
            with self.subTest(values=values):
                answer = self._ask("admin", "api_switch_off", values)
                self.assertEqual(self._code(answer), code)
                self.assertTrue(self.settings.enabled)
        for _time in range(2):
            answer = self._ask("admin", "api_switch_off", {"enabled": False})
            self.assertFalse(answer["server"]["enabled"])
        answer = self._ask("admin", "api_switch_off", {"enabled": True})
        self.assertEqual(self._code(answer), "would_widen")
        self.env.invalidate_all()
        self.assertFalse(self.settings.enabled)
        self.assertEqual(
            set(self._ask("admin", "api_server")["server"]),
            {
                "enabled",
                "all_read_only",
                "mcp_url",
                "service_version",
                "service_last_seen",
            },  # fmt: skip
        )
