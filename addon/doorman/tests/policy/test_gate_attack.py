from odoo.tests import tagged

from ..common import ApprovalCase


@tagged("post_install", "-at_install")
class TestGateAttack(ApprovalCase):
    """Ways to read a model that is not read without a person's approval."""

    def test_through_another_model(self):
        self.acme.country_id = self.env.ref("base.be")
        self.rule(reads=True, model_id=self.env["ir.model"]._get_id("res.country"))
        self.assertEqual(
            self.kind("res.country", "search_count", domain=[]), "pending_approval"
        )
        by_path = [["country_id.code", "=", "BE"]]
        inside = [["country_id", "any", [["code", "=", "BE"]]]]
        by_name = [["country_id", "ilike", "Bel"]]
        for domain in (by_path, inside, by_name, ["!", *by_path]):
            with self.subTest(domain=domain):
                kind = self.kind("res.partner", "search_count", domain=domain)
                self.assertEqual(kind, "not_allowed")
        for kwargs in (
            {"groupby": ["country_id.code"], "aggregates": ["__count"]},
            {"groupby": [], "aggregates": ["country_id.phone_code:max"]},
        ):
            with self.subTest(**kwargs):
                kind = self.kind(
                    "res.partner", "formatted_read_group", domain=[], **kwargs
                )
                self.assertEqual(kind, "not_allowed")
        kind = self.kind(
            "res.partner", "search_read", fields=["name"], order="country_id.code"
        )
        self.assertEqual(kind, "not_allowed")
        # What leads nowhere is as before.
        domain = [["country_id", "=", self.acme.country_id.id]]
        self.assertEqual(self.kind("res.partner", "search_count", domain=domain), "ok")

    def test_a_model_through_itself(self):
        """Once a person has agreed, its own records may be asked of each other."""
        self.rule(reads=True, model_id=self.env["ir.model"]._get_id("res.partner"))
        approval = self.waiting(
            "res.partner", "search_count", domain=[["parent_id.name", "=", "Acme"]]
        )
        self.by("approver", approval).action_approve()
        self.assertEqual(approval.state, "executed")

    def test_on_paper_without_such_a_rule(self):
        self.rule(model_id=self.env["ir.model"]._get_id("res.country"))
        kind = self.kind("res.partner", "get_report", self.acme.ids, report="x")
        self.assertEqual(kind, "invalid_input")
