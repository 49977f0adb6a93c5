from contextlib import contextmanager
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..common import DoormanCase

# A field that Odoo works out when it is read, and the method that does.
FIELD, METHOD = "contact_address", "_compute_contact_address"


@tagged("post_install", "-at_install")
class TestReading(DoormanCase):
    """Reads whose fields, or numbers, are not as they seem."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.acme = cls.env["res.partner"].create({"name": "Acme", "ref": "r-1"})

    @contextmanager
    def failing(self, fail):
        with patch.object(type(self.env["res.partner"]), METHOD, fail):
            yield

    def read(self, *names, **kwargs):
        kwargs = {"fields": ["id", *names]} | kwargs
        return self.call("res.partner", "read", self.acme.ids, **kwargs)["value"]

    def test_one_field_that_fails_hides_no_other(self):
        def crash(records):
            raise ValueError("hidden-text")

        def refuse(records):
            raise UserError("Not for you.\nAsk Ann.\nhidden-text")

        def break_the_transaction(records):
            records.env.cr.execute("SELECT no_such_column")

        for fail, why in (
            (crash, "Odoo fails to work it out."),
            (refuse, "Not for you. Ask Ann."),
            (break_the_transaction, "Odoo fails to work it out."),
        ):
            with self.subTest(fail=fail.__name__), self.failing(fail):
                found = self.read("name", FIELD, "ref")
                self.assertEqual(found["unreadable"], {FIELD: why})
                row = {"id": self.acme.id, "name": "Acme", "ref": "r-1"}
                self.assertEqual(found["rows"], [row])
                found = self.call(
                    "res.partner",
                    "search_read",
                    domain=[("id", "=", self.acme.id)],
                    fields=["name", FIELD],
                    names=2,
                )["value"]
                self.assertEqual(found["unreadable"], {FIELD: why})
                self.assertEqual(found["rows"][0]["name"], "Acme")

    def test_nothing_is_said_where_all_can_be_read(self):
        self.assertEqual(self.read("name"), [{"id": self.acme.id, "name": "Acme"}])

    def test_records_that_may_not_be_read_stay_an_error(self):
        rule = self.env["ir.rule"].create(
            {
                "name": "none",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', {self.acme.id})]",
            }
        )
        self.assertTrue(rule)
        kind = self.kind("res.partner", "read", self.acme.ids, fields=["name"])
        self.assertEqual(kind, "forbidden")

    def test_how_many_there_are_in_all(self):
        Partner = self.env["res.partner"]
        Partner.create([{"name": f"Many {n}", "ref": "many"} for n in range(5)])
        for limit, most, total in (
            (2, 100, 5),
            (2, 3, 3),
            (6, 100, None),
            (2, None, None),
        ):
            with self.subTest(limit=limit, most=most):
                found = self.call(
                    "res.partner",
                    "search_read",
                    domain=[("ref", "=", "many")],
                    fields=["name"],
                    limit=limit,
                    names=0,
                    count=most,
                )["value"]
                self.assertEqual(found.get("total"), total)
                self.assertEqual(len(found["rows"]), min(limit, 5))

    def test_ids_that_are_none(self):
        for ids in ([0], [-1], [True], ["1"], [1.0], [], None):
            with self.subTest(ids=ids):
                kind = self.kind("res.partner", "read", ids, fields=["name"])
                self.assertEqual(kind, "invalid_input")
