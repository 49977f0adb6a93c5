from odoo.fields import Command
from odoo.tests import tagged

from ...policy.narrowing import RULES
from ..admin_api_common import AdminApiMixin
from ..common import DoormanCase


@tagged("post_install", "-at_install")
class TestAdminApiNarrow(AdminApiMixin, DoormanCase):
    """The REST API makes a policy stricter, and refuses the rest."""

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
                # It stays as it is, so nothing changes.
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
