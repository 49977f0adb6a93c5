"""Amounts of the models that there are: none of them is added up over currencies."""

import logging
from collections import defaultdict

import psycopg2

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from ...policy.guard import Guard
from ...policy.refusal import Refusal
from ...tools.call import call_of, run
from ..common import DoormanCase

_logger = logging.getLogger(__name__)
MEASURES = ("sum", "avg", "min", "max", "sum_currency")


@tagged("post_install", "-at_install")
class TestAmountsOfEveryModel(DoormanCase):
    """Two rows of every table that has amounts, of two currencies and two companies,
    put there past Odoo's own checks; and every measure of every amount of theirs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Currency = cls.env["res.currency"].with_context(active_test=False)
        own = cls.company.currency_id
        other = Currency.search([("id", "!=", own.id), ("rate_ids", "!=", False)])[:1]
        other = other or Currency.search([("id", "!=", own.id)])[:1]
        other.active = True
        cls.currencies = own + other
        second = cls.env["res.company"].create(
            {"name": "Second", "currency_id": other.id}
        )
        cls.companies = cls.company + second
        for company in cls.companies:
            cls.env["res.currency.rate"].create(
                {
                    "currency_id": (cls.currencies - company.currency_id).id,
                    "company_id": company.id,
                    "name": "1999-01-01",
                    "rate": 2.0,
                }
            )
        cls.env.user.company_ids = [Command.link(second.id)]
        cls.env = cls.env(
            user=cls.env.ref("base.user_admin"),
            context={"allowed_company_ids": cls.companies.ids},
            su=False,
        )
        cls.env.user.sudo().company_ids = [Command.link(second.id)]

    def amounts(self):
        """``(model, its stored amounts)``"""
        for name in sorted(self.env.registry):
            model = self.env[name]
            if (
                not model._auto
                or model._abstract
                or model._transient
                or model._inherits
            ):
                continue
            fields = [
                field
                for field in model._fields.values()
                if field.type == "monetary" and field.store and field.column_type
            ]
            if fields and model.has_access("read"):
                yield model, fields

    def rows_of(self, model, fields):
        """Two rows, past constraints that are not of interest here."""
        cr, table = self.env.cr, model._table
        cr.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s "
            "AND is_nullable = 'NO' AND column_name != 'id'",
            [table],
        )
        for (column,) in cr.fetchall():
            cr.execute(f'ALTER TABLE "{table}" ALTER "{column}" DROP NOT NULL')
        cr.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 'c' "
            "AND conrelid = %s::regclass",
            [table],
        )
        for (name,) in cr.fetchall():
            cr.execute(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
        ids = []
        for number in (0, 1):
            values = {field.name: (10.0, 7.0)[number] for field in fields}
            for field in model._fields.values():
                if not field.store or field.type != "many2one":
                    continue
                if field.comodel_name == "res.currency":
                    values[field.name] = self.currencies[number].id
                elif field.comodel_name == "res.company":
                    values[field.name] = self.companies[number].id
            if "active" in model._fields and model._fields["active"].store:
                values["active"] = True
            columns = ", ".join(f'"{column}"' for column in values)
            marks = ", ".join(["%s"] * len(values))
            cr.execute(
                f'INSERT INTO "{table}" ({columns}) VALUES ({marks}) RETURNING id',
                list(values.values()),
            )
            ids.append(cr.fetchone()[0])
        return model.browse(ids)

    def ask(self, model, ids, measure):
        guard = Guard(self.env, None)
        request = self.request(
            model._name, "formatted_read_group", None, facts=True,
            domain=[["id", "in", ids]], groupby=[], aggregates=[measure],
        )  # fmt: skip
        [group] = run(call_of(guard, request))["groups"]
        return group[measure]

    def check(self, model, records, field):
        """:return: whether there were two currencies to mix"""
        by = defaultdict(float)
        currency = field.get_currency_field(model)
        visible = model.search([("id", "in", records.ids)])
        for record in visible:
            by[record[currency].name or None] += record[field.name]
        for how in MEASURES:
            told = self.ask(model, records.ids, f"{field.name}:{how}")
            with self.subTest(model=model._name, field=field.name, how=how):
                if not visible:
                    self.assertIsNone(told)
                elif len(by) == 1 and how != "sum_currency":
                    self.assertEqual(told["currency"], next(iter(by)))
                    self.assertNotIn("by_currency", told)
                else:
                    found = told["by_currency"]
                    self.assertEqual(set(found), {name or "none" for name in by})
                    if how in ("sum", "sum_currency"):
                        named = {n or "none": total for n, total in by.items()}
                        self.assertEqual(found, named)
                        self.check_converted(told, by)
        return len(by) > 1

    def check_converted(self, told, by):
        own, company = self.env.company.currency_id, self.env.company
        self.assertEqual(told["currency"], own.name)
        if None in by:
            self.assertIsNone(told["amount"])
            return
        Currency = self.env["res.currency"]
        total = sum(
            Currency.search([("name", "=", name)])._convert(
                value, own, company, round=False
            )
            for name, value in by.items()
        )
        self.assertAlmostEqual(told["amount"], total)

    def test_no_model_mixes_them(self):
        mixed, left = [], {}
        for model, fields in list(self.amounts()):
            try:
                with self.env.cr.savepoint() as savepoint:
                    records = self.rows_of(model, fields)
                    for field in fields:
                        if self.check(model, records, field):
                            mixed.append(f"{model._name}.{field.name}")
                    savepoint.rollback()
            except (psycopg2.Error, AccessError, Refusal) as exc:
                left[model._name] = f"{type(exc).__name__}: {exc}"[:200]
            self.env.invalidate_all(flush=False)
        _logger.info("amounts: %s mixed, left out: %s", len(mixed), left)
        # Odoo itself may refuse a row; most it does not.
        self.assertLessEqual(len(left), len(mixed) // 10, left)
        for name, field in (
            ("sale.order", "amount_total"), ("account.move", "amount_total"),
            ("crm.lead", "expected_revenue"), ("purchase.order", "amount_total"),
            ("account.move.line", "balance"), ("sale.order.line", "price_subtotal"),
        ):  # fmt: skip
            if name in self.env:
                self.assertIn(f"{name}.{field}", mixed)


@tagged("post_install", "-at_install")
class TestOwnDocumentsOfSales(DoormanCase):
    """Sales: "User: Own Documents Only" and "User: All Documents"."""

    def context(self):
        request = self.request(None, "context", None)
        found = self.gateway.call(self.fence(), request)["value"]["own_only"]
        return {row["model"]: row["by"] for row in found}

    def test_context_and_sums(self):
        if "sale.order" not in self.env:
            self.skipTest("sale is not installed")
        partner = self.env["res.partner"].create({"name": "Acme"})
        for role in ("user", "user2"):
            self.env["sale.order"].create(
                {"partner_id": partner.id, "user_id": self.people[role].id}
            )
        for group, own, count in (
            ("sales_team.group_sale_salesman", True, 1),
            ("sales_team.group_sale_salesman_all_leads", False, 2),
            ("sales_team.group_sale_manager", False, 2),
        ):
            self.people["user"].group_ids = [Command.link(self.env.ref(group).id)]
            with self.subTest(group=group):
                self.assertEqual("sale.order" in self.context(), own)
                answer = self.call(
                    "sale.order", "formatted_read_group", facts=True,
                    domain=[["partner_id", "=", partner.id]], groupby=[],
                    aggregates=["__count", "amount_total:sum"],
                )["value"]  # fmt: skip
                self.assertEqual("own" in answer, own)
                self.assertEqual(answer["groups"][0]["__count"], count)
