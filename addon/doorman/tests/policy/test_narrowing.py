from odoo.tests import BaseCase, tagged

from ...models.mixins.doorman_api_mixin import POLICY
from ...policy import widening
from ...policy.narrowing import RULES, narrows
from ..models.test_four_eyes import WIDER


def rule(model="", domain="", hidden=(), masked=(), may="r"):
    return {
        "model": model,
        "read": "r" in may,
        "create": "c" in may,
        "write": "w" in may,
        "delete": "d" in may,
        "domain": domain,
        "hidden": list(hidden),
        "masked": list(masked),
    }


P, S = "res.partner", "sale.order"
MINE = "[('user_id', '=', uid)]"
HIGH = {"risk": "high", "model": "", "tool": "", "more_than": 0}
MANY = {"risk": "", "model": P, "tool": "", "more_than": 5}

# Field, before, after: each pair also the other way round, which has to be refused.
STRICTER = (
    ("scopes", ["mcp:orm", "mcp:search"], ["mcp:search"]),
    ("scopes", ["mcp:search"], []),
    ("read_only", False, True),
    ("research_tools", True, False),
    ("allowed_tools", None, ["search_records"]),
    ("allowed_tools", ["a", "b"], ["b"]),
    ("allowed_models", None, [P]),
    ("allowed_models", [P, S], [P]),
    ("companies", None, [1]),
    ("companies", [1, 2], [2]),
    ("model_rules", [], [rule()]),
    ("model_rules", [], [rule(P, may="rcwd")]),
    ("model_rules", [rule(P, may="rw")], [rule(P)]),
    ("model_rules", [rule(P)], [rule(P, may="")]),
    ("model_rules", [rule(P)], [rule(P), rule()]),
    ("model_rules", [rule(P), rule(S)], [rule(P), rule(S, MINE)]),
    ("model_rules", [rule(P)], [rule(P, hidden=["email"])]),
    ("model_rules", [rule(P)], [rule(P, masked=["email"])]),
    ("model_rules", [rule(P, masked=["email"])], [rule(P, hidden=["email"])]),
    ("model_rules", [rule()], [rule(may="")]),
    ("model_rules", [rule(), rule(P, may="rw")], [rule()]),
    ("model_rules", [rule(may="rw")], [rule(may="rw"), rule(P)]),
    ("approval_tools", [], ["delete_records"]),
    ("approval_tools", ["a"], ["a", "b"]),
    ("approval_rules", [], [HIGH]),
    ("approval_rules", [HIGH], [MANY, HIGH]),
    ("approve_outward", False, True),
    ("two_approvers", "", "high"),
    ("two_approvers", "high", "medium"),
    ("two_approvers", "medium", "low"),
    ("approval_expiry_hours", 24, 1),
    ("allowed_ips", [], ["192.0.2.0/24"]),
    ("allowed_ips", ["192.0.2.0/24"], ["192.0.2.7", "192.0.2.128/25"]),
    ("allowed_ips", ["192.0.2.0/24", "2001:db8::/32"], ["2001:db8:1::/48"]),
    ("allowed_ips", ["192.0.2.7", "192.0.2.8/29"], ["192.0.2.7"]),
    ("allowed_ips", ["# from anywhere"], ["192.0.2.7 # the office"]),
    ("blocked_ips", [], ["192.0.2.7"]),
    ("blocked_ips", ["192.0.2.7"], ["192.0.2.0/24"]),
    ("recipient_domains", [], ["acme.example"]),
    ("recipient_domains", ["a.example", "b.example"], ["b.example"]),
    ("rate_limit_minute", 0, 60),
    ("rate_limit_minute", 60, 1),
    ("rate_limit_day", 100, 99),
    ("rows_reply", 0, 1_000_000),
    ("rows_day", 1000, 10),
    ("expires_at", None, "2030-01-01T00:00:00Z"),
    ("expires_at", "2030-01-01T00:00:00Z", "2029-12-31T23:59:59Z"),
)
# Neither way.
APART = (
    ("scopes", ["mcp:orm"], ["mcp:search"]),
    ("allowed_models", [P], [S]),
    ("allowed_models", [P], [P.upper()]),
    ("companies", [1], [2]),
    ("model_rules", [rule(P)], [rule(S)]),
    ("model_rules", [rule(P, MINE)], [rule(P, "[('id', '=', 1)]")]),
    ("model_rules", [rule(P, MINE)], [rule()]),
    ("model_rules", [rule(P, hidden=["email"])], [rule()]),
    ("model_rules", [rule(P, hidden=["email"])], [rule(P, hidden=["phone"])]),
    ("model_rules", [rule(P, may="rw")], [rule(P, may="rc")]),
    ("approval_tools", ["a"], ["b"]),
    ("approval_rules", [HIGH], [MANY]),
    ("approver", "ann", "bob"),
    ("approver", "", "bob"),
    ("approver_group", "", "base.group_user"),
    ("approver_group", "base.group_user", ""),
    ("allowed_ips", ["192.0.2.0/24"], ["198.51.100.7"]),
    ("allowed_ips", ["0.0.0.0/0"], ["::/0"]),
    ("blocked_ips", ["192.0.2.7"], ["192.0.2.8"]),
    ("recipient_domains", ["acme.example"], ["*.acme.example"]),
    ("recipient_domains", ["acme.example"], ["other.example"]),
)
# They look different and are the same.
SAME = (
    ("scopes", ["a", "b"], ["b", "a"]),
    ("allowed_models", [], []),
    ("allowed_ips", ["192.0.2.1/24"], ["192.0.2.0/24"]),
    ("recipient_domains", ["ACME.example"], ["acme.example"]),
    ("model_rules", [rule(P), rule(S)], [rule(S), rule(P)]),
    ("approver", "ann", "ann"),
)


@tagged("post_install", "-at_install")
class TestNarrowing(BaseCase):
    """What the REST API may change of a policy."""

    def test_each_field_has_a_rule(self):
        self.assertEqual(set(RULES), {*POLICY, "expires_at"} - {"description"})

    def test_stricter(self):
        for name, before, after in STRICTER:
            with self.subTest(name=name, before=before, after=after):
                self.assertTrue(narrows(name, before, after))

    def test_wider(self):
        for name, after, before in STRICTER:
            with self.subTest(name=name, before=before, after=after):
                self.assertFalse(narrows(name, before, after))

    def test_what_cannot_be_compared(self):
        for name, one, other in APART:
            for before, after in ((one, other), (other, one)):
                with self.subTest(name=name, before=before, after=after):
                    self.assertFalse(narrows(name, before, after))

    def test_the_same(self):
        for name, one, other in SAME:
            for before, after in ((one, other), (other, one), (one, one)):
                with self.subTest(name=name, before=before, after=after):
                    self.assertTrue(narrows(name, before, after))

    def test_a_list_that_was_emptied_from_outside(self):
        """The last allowed model went with its module: nothing is allowed."""
        for name in ("allowed_tools", "allowed_models", "companies"):
            for after in (None, ["x"]):
                self.assertFalse(narrows(name, [], after), (name, after))

    def test_what_takes_two_administrators_never_narrows(self):
        for name, before, after in WIDER:
            if name not in RULES:
                continue
            if name == "recipient_domains":
                before, after = ((text or "").splitlines() for text in (before, after))
            with self.subTest(name=name, before=before, after=after):
                self.assertFalse(narrows(name, before, after))
        self.assertLessEqual(
            {"rate_limit_minute", "recipient_domains", "approve_outward"},
            widening.FIELDS & RULES.keys(),
        )
