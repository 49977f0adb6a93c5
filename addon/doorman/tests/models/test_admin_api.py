import json
from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ...policy.narrowing import RULES
from ...policy.shared import MAX_USAGE_DAYS
from ..common import ROLES, DoormanCase, DoormanMixin
from ..invite_common import InviteMixin

SERVER = ("api_server", "api_switch_off")


class AdminApiMixin(InviteMixin):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        other = cls.env["res.company"].create({"name": "Other"})
        groups = ["doorman.group_admin"]
        far = {"company_id": other.id, "company_ids": [Command.set(other.ids)]}
        # An administrator of another company, and somebody there.
        cls.people["far"] = cls._person("far", groups, **far)
        cls.people["colleague"] = cls._person("colleague", ["base.group_user"], **far)
        cls.people["service"] = cls.service
        cls.far_company = other

    def _api(self, role="admin", model="doorman.connection"):
        return self.env[model].with_user(self.people[role])

    def _ask(self, role, name, *arguments, **named):
        model = "doorman.settings" if name in SERVER else "doorman.connection"
        answer = getattr(self._api(role, model), name)(*arguments, **named)
        json.dumps(answer)
        return answer

    def _code(self, answer):
        return answer.get("error", {}).get("code", "ok")

    def _make(self, role="admin", **values):
        plain = {"name": "Bot", "user": "dm-user", "scopes": ["mcp:search"]}
        return self._ask(role, "api_connect", plain | values)

    def _shown(self, connection=None):
        connection = connection or self.connection
        return self._ask("admin", "api_connection", connection.id)["connection"]

    def _narrow(self, connection=None, **values):
        connection = connection or self.connection
        return self._ask("admin", "api_narrow", connection.id, values)

    def _calls(self):
        """Each method, with arguments that do something."""
        new = {"name": "Bot", "user": "dm-user", "scopes": ["mcp:search"]}
        mine = self.connection.id
        return {
            "api_connect": (new,),
            "api_connections": (),
            "api_connection": (mine,),
            "api_narrow": (mine, {"read_only": True}),
            "api_rotate": (mine,),
            "api_usage": (),
            "api_server": (),
            "api_switch_off": ({"enabled": False},),
            "api_disconnect": (mine,),
        }


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
        values = {
            "name": "Whole",
            "user": "dm-user",
            "expires_at": "2099-01-31T12:00:00Z",
            "scopes": ["mcp:metadata", "mcp:search"],
            "read_only": True,
            "research_tools": True,
            "allowed_tools": ["t1"],
            "allowed_models": ["res.partner"],
            "companies": self.company.ids,
            "approval_tools": ["t1"],
            "model_rules": [
                {
                    "model": "res.partner",
                    "read": True,
                    "create": False,
                    "write": True,
                    "delete": False,
                    "domain": "[('user_id', '=', uid)]",
                    "hidden": ["email"],
                    "masked": ["phone"],
                }
            ],
            "approval_rules": [
                {
                    "risk": "high",
                    "model": "res.partner",
                    "tool": "",
                    "more_than": 4,
                    "per_day": False,
                    "reads": True,
                }
            ],
            "approver": "dm-approver",
            "approver_group": "base.group_user",
            "approve_outward": True,
            "two_approvers": "medium",
            "approval_expiry_hours": 9,
            "allowed_ips": ["192.0.2.0/24", "2001:db8::/32"],
            "blocked_ips": ["192.0.2.66"],
            "rate_limit_minute": 6,
            "rate_limit_day": 60,
            "recipient_domains": ["example.com", "*.partner.example"],
            "rows_reply": 70,
            "rows_day": 700,
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

    # ---- making one stricter ----

    def test_narrow(self):
        self.tool("t1")
        self.allow_writes()
        self.connection.write({"research_tools": True, "expires_at": "2099-01-01"})
        # A value that is stricter, and one that is wider than that, or another.
        rows = {
            "scopes": (["mcp:search"], ["mcp:search", "mcp:metadata"]),
            "read_only": (True, False),
            "research_tools": (False, True),
            "allowed_tools": (["t1"], []),
            "allowed_models": (["res.partner"], []),
            "companies": (self.company.ids, []),
            "model_rules": (
                [{"model": "res.partner", "read": True}],
                [{"model": "res.partner", "read": True, "write": True}],
            ),
            "approval_tools": (["t1"], []),
            "approval_rules": ([{"risk": "high"}], []),
            "approve_outward": (True, False),
            "two_approvers": ("high", ""),
            "approval_expiry_hours": (2, 3),
            "allowed_ips": (["192.0.2.0/24"], ["192.0.0.0/16"]),
            "blocked_ips": (["192.0.2.9"], []),
            "recipient_domains": (["a.example"], ["b.example"]),
            "rate_limit_minute": (5, 0),
            "rate_limit_day": (50, 51),
            "rows_reply": (5, 0),
            "rows_day": (50, 51),
            "expires_at": ("2098-01-01T00:00:00Z", "2098-01-01T00:00:01Z"),
        }
        self.connection.approver_id = False
        self.connection.approver_group_id = self.env.ref("base.group_user")
        self.assertEqual(set(rows), set(RULES) - {"approver", "approver_group"})
        for name, (stricter, wider) in rows.items():
            with self.subTest(name=name):
                version = self.connection.version
                answer = self._narrow(**{name: stricter})
                self.assertEqual(self._code(answer), "ok", answer)
                self.env.invalidate_all()
                self.assertGreater(self.connection.version, version)
                shown = self._shown()
                # Once more is not an error: the answer may have been lost.
                self.assertEqual(
                    self._narrow(**{name: shown[name]})["connection"], shown
                )
                answer = self._narrow(**{name: wider})
                self.assertEqual(self._code(answer), "would_widen", answer)
                self.assertIn(name, answer["error"]["message"])
                self.assertIn("in Odoo", answer["error"]["message"])
                self.env.invalidate_all()
                self.assertEqual(self._shown(), shown)

    def test_all_or_nothing(self):
        shown = self._shown()
        answer = self._narrow(read_only=True, approve_outward=True, rows_day=0,
                              approver="dm-admin")  # fmt: skip
        self.assertEqual(self._code(answer), "would_widen")
        self.env.invalidate_all()
        self.assertEqual(self._shown(), shown)

    def test_who_decides_is_not_chosen_here(self):
        for values in (
            {"approver": "dm-admin"},
            {"approver": ""},
            {"approver_group": "base.group_user"},
        ):
            with self.subTest(values=values):
                self.assertEqual(self._code(self._narrow(**values)), "would_widen")
        self.assertEqual(self._code(self._narrow(approver="dm-approver")), "ok")

    def test_a_limit_of_its_own_is_not_given_back(self):
        """The default may be as high today, and higher tomorrow."""
        self.connection.rate_limit_minute = self.settings.rate_limit_minute
        answer = self._narrow(rate_limit_minute=0)
        self.assertEqual(self._code(answer), "would_widen")

    def test_default_limits_hold_for_what_is_narrowed(self):
        default = self.settings.rate_limit_minute
        for value, code in ((default + 1, "would_widen"), (default - 1, "ok")):
            answer = self._narrow(rate_limit_minute=value)
            self.assertEqual(self._code(answer), code)

    def test_lists_that_were_emptied_from_outside(self):
        self.allow_models("res.partner")
        self.env.cr.execute(
            "DELETE FROM doorman_connection_ir_model_rel "
            "WHERE doorman_connection_id = %s",
            [self.connection.id],
        )
        self.env.invalidate_all()
        for models in ([], ["res.partner"]):
            answer = self._narrow(allowed_models=models, read_only=True)
            with self.subTest(models=models):
                # That it stays as it is is no change.
                self.assertEqual(self._code(answer), "would_widen" if models else "ok")
        self.env.invalidate_all()
        self.assertTrue(self.connection.models_restricted)

    def test_companies_that_one_does_not_see_go_too(self):
        self.people["user"].company_ids = [Command.link(self.far_company.id)]
        self.connection.company_ids = [
            Command.set((self.company | self.far_company).ids)
        ]
        answer = self._narrow(companies=self.company.ids)
        self.assertEqual(answer["connection"]["companies"], self.company.ids)
        self.env.invalidate_all()
        self.assertEqual(self.connection.company_ids, self.company)

    def test_four_eyes_are_no_way_around(self):
        self._person("second", ["doorman.group_admin"])
        self.settings.four_eyes = True
        self.connection.approve_outward = True
        answer = self._narrow(approve_outward=False)
        self.assertEqual(self._code(answer), "would_widen")
        self.assertFalse(self.connection.pending_change_count)

    def test_values_that_narrowing_refuses(self):
        for values in (
            {"name": "x"},
            {"user": "dm-user2"},
            {"description": "x"},
            {"state": "revoked"},
            {"scopes": ["mcp:everything"]},
            {"read_only": "yes"},
            {"expires_at": "2020-01-01T00:00:00Z"},
            {"allowed_ips": ["nonsense"]},
            {"model_rules": [{"model": "res.partner", "domain": "[('x', '=', y)]"}]},
            {"companies": ["1"]},
        ):
            with self.subTest(values=values):
                self.assertEqual(self._code(self._narrow(**values)), "invalid_input")
        for values in (None, [], "x", 5):
            answer = self._ask("admin", "api_narrow", self.connection.id, values)
            self.assertEqual(self._code(answer), "invalid_input")
        answer = self._narrow(companies=self.far_company.ids)
        self.assertEqual(self._code(answer), "companies_exceeded")

    def test_a_stricter_policy_holds_at_once(self):
        self.assertEqual(self.kind("res.partner", "search_count", domain=[]), "ok")
        fence = self.fence()
        self._narrow(allowed_models=["res.users"])
        call = self.call("res.partner", "search_count", fence=fence, domain=[])
        self.assertEqual(self.kind_of(call), "stale")
        kind = self.kind("res.partner", "search_count", domain=[])
        self.assertEqual(kind, "not_allowed")

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

    # ---- use ----

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
                "ok": 1,
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
        [row] = self._ask("admin", "api_usage")["usage"]
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


@tagged("post_install", "-at_install")
class TestAdminApiOverHttp(DoormanMixin, HttpCase):
    """As the service calls: JSON-2, with the administrator's own key."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_doorman()

    def _key(self, role, scope="rpc"):
        keys = self.env["res.users.apikeys"].with_user(self.people[role]).sudo()
        later = fields.Datetime.now() + timedelta(days=1)
        return keys._generate(scope, "x", later)

    def _call(self, key, method, model="doorman.connection", **arguments):
        self.env.flush_all()
        return self.url_open(
            f"/json/2/{model}/{method}",
            data=json.dumps(arguments),
            headers={
                "Authorization": f"bearer {key}",
                "Content-Type": "application/json",
            },
        )

    def test_by_key(self):
        values = {"name": "Bot", "user": "dm-user", "scopes": ["mcp:search"]}
        key = self._key("admin")
        answer = self._call(key, "api_connect", values=values)
        self.assertEqual(answer.status_code, 200)
        self.assertIn("pickup_url", answer.json())
        answer = self._call(self._key("user"), "api_connect", values=values)
        self.assertEqual(answer.json()["error"]["code"], "forbidden")
        gone = self._key("admin")
        self.env["res.users.apikeys"].sudo().search(
            [], order="id desc", limit=1
        ).unlink()
        no_keys = {
            "revoked": gone,
            "of another scope": self._key("admin", "doorman"),
            "none": "x" * 40,
            "an OAuth token": "dma_" + "x" * 43,
            "of a connection": self.credential,
            "of a connection, without its prefix": self.credential[4:],
        }
        calls = {
            "api_connect": {"values": values},
            "api_connections": {},
            "api_connection": {"connection_id": self.connection.id},
            "api_narrow": {"connection_id": self.connection.id, "values": {}},
            "api_rotate": {"connection_id": self.connection.id},
            "api_disconnect": {"connection_id": self.connection.id},
            "api_usage": {},
        }
        for name, arguments in calls.items():
            for what, wrong in no_keys.items():
                with self.subTest(key=what, method=name):
                    answer = self._call(wrong, name, **arguments)
                    self.assertEqual(answer.status_code, 401)
        for name in ("api_server", "api_switch_off"):
            for what, wrong in no_keys.items():
                with self.subTest(key=what, method=name):
                    answer = self._call(wrong, name, "doorman.settings")
                    self.assertEqual(answer.status_code, 401)
        self.assertEqual(self.connection.state, "awaiting")

    @mute_logger("odoo.http")
    def test_what_is_private_stays_so(self):
        key = self._key("admin")
        for method in ("_api", "_api_narrow", "_api_key", "_usage", "_issue_key"):
            with self.subTest(method=method):
                answer = self._call(key, method, ids=[])
                self.assertGreaterEqual(answer.status_code, 400)
