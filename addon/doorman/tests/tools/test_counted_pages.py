"""Pages of every model, as Odoo's own searches find and count them."""

from unittest.mock import patch

import psycopg2

from odoo.exceptions import AccessError
from odoo.tests import tagged

from ...tools.counted_pages import _is_odoos, counted_page
from ..common import DoormanCase


@tagged("post_install", "-at_install")
class TestCountedPages(DoormanCase):
    def page(self, model, domain, **more):
        """A page as the operation makes it, and as Odoo's two searches make it."""
        kwargs = {"domain": domain, "fields": ["id", "display_name"], "limit": 1} | more
        most = kwargs.pop("most", 5)
        model.env.invalidate_all()
        got = counted_page(model, dict(kwargs), most)
        model.env.invalidate_all()
        rows = model.search_read(**kwargs)
        full = most and len(rows) == kwargs["limit"]
        return got, (rows, model.search_count(domain, most) if full else None)

    def test_every_model_for_an_administrator_and_an_employee(self):
        ours, others = set(), set()
        for user in (self.env.ref("base.user_admin"), self.people["user"]):
            for name in sorted(self.env.registry):
                model = self.env[name].with_user(user)
                if model._abstract or name.startswith("doorman."):
                    continue
                try:
                    with self.env.cr.savepoint():
                        got, asked = self.page(model, [])
                except (AccessError, psycopg2.Error, NotImplementedError, ValueError):
                    continue
                self.assertEqual(got, asked, name)
                (ours if _is_odoos(type(model)) else others).add(name)
        # Both ways were taken.
        self.assertIn("res.partner", ours)
        self.assertIn("mail.message", others)
        self.assertGreater(len(ours), len(others))

    def test_offsets_orders_and_bounds(self):
        model = self.env["res.partner"].with_user(self.people["user"])
        self.env["res.partner"].create([{"name": f"Page {n}"} for n in range(7)])
        domain = [("name", "=like", "Page %")]
        total = model.search_count(domain)
        for more, expected in (
            ({}, 5),
            ({"most": 100}, total),
            ({"most": 100, "offset": 3}, total),
            ({"most": 100, "limit": 3, "order": "parent_id, name desc"}, total),
            ({"most": 100, "limit": total}, total),
            ({"most": 100, "limit": total + 1}, None),
            ({"most": 100, "offset": total}, None),
            ({"most": 0}, None),
        ):
            with self.subTest(more):
                got, asked = self.page(model, domain, **more)
                self.assertEqual(got, asked)
                self.assertEqual(got[1], expected)

    def test_archived_records_are_searched_and_not_what_is_computed_from_them(self):
        parent = self.env["res.partner"].create({"name": "Page parent"})
        self.env["res.partner"].create(
            [
                {"name": "Page child", "parent_id": parent.id, "active": active}
                for active in (True, False)
            ]
        )
        model = self.env["res.partner"].with_context(active_test=False)
        fields = ["name", "child_ids"]
        domain = [("name", "=like", "Page %")]
        got, asked = self.page(model, domain, fields=fields)
        self.assertEqual(got, asked)
        got, asked = self.page(model, domain, fields=fields, most=100)
        self.assertEqual((got, got[1]), (asked, 3))

    def test_what_a_user_may_not_read_is_refused_as_before(self):
        for name, fields in (
            ("ir.cron", ["id"]),
            ("res.partner", ["id", "no_such_field"]),
        ):
            model = self.env[name].with_user(self.people["user"])
            errors = []
            for read in (
                lambda model=model, fields=fields: counted_page(
                    model, {"domain": [], "fields": fields, "limit": 1}, 5
                ),
                lambda model=model, fields=fields: model.search_read(
                    [], fields, limit=1
                ),
            ):
                with self.assertRaises(Exception) as raised, self.env.cr.savepoint():
                    read()
                errors.append((type(raised.exception), str(raised.exception)))
            self.assertEqual(*errors)

    def test_domain_and_rules_are_worked_out_once(self):
        model = self.env["res.partner"].with_user(self.people["user"])
        kwargs = {"domain": [("id", ">", 0)], "fields": ["id", "name"], "limit": 1}
        Rule = type(self.env["ir.rule"])
        with patch.object(
            Rule, "_compute_domain", autospec=True, side_effect=Rule._compute_domain
        ) as rules:
            counted_page(model, kwargs, 5)
        asked = [call.args[1:] for call in rules.call_args_list]
        self.assertEqual(asked, [("res.partner", "read")])
