"""What a condition compares with: never no rows and no word for a value that cannot
match. What there is to find is counted in Odoo."""

from datetime import timedelta

from odoo.fields import Datetime
from odoo.tests import tagged

from ..common import WriteCase

NO, BAD, WHICH, GONE = "not_allowed", "invalid_input", "unknown_field", "not_found"
NOBODY = 2**31 - 1


@tagged("post_install", "-at_install")
class TestDomainValues(WriteCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people["user"].tz = "Europe/Brussels"
        cls.be = cls.env.ref("base.be")
        cls.tag = cls.env["res.partner.category"].create({"name": "Zyxw VIP"})
        cls.acme.write(
            {
                "name": "Zyxw Acme",
                "country_id": cls.be.id,
                "type": "delivery",
                "color": 7,
                "employee": True,
                "partner_latitude": 1.5,
                "category_id": [(6, 0, cls.tag.ids)],
                "zip": "1000",
            }
        )
        cls.env["res.partner"].create({"name": "Zyxw Other", "type": "other"})

    def find(self, *conditions, model="res.partner"):
        domain = [["name", "ilike", "zyxw"], *map(list, conditions)]
        return self.call(model, "search_read", domain=domain, fields=["id"])

    def test_forms(self):
        be, tag = self.be.id, self.tag.id
        # Of the user, who is elsewhere.
        day = str(
            Datetime.context_timestamp(
                self.acme.with_context(tz="Europe/Brussels"), self.acme.create_date
            ).date()
        )
        for condition in (
            ("type", "=", "delivery"), ("type", "=", "Delivery"),
            ("type", "in", ["Delivery", "invoice"]), ("type", "not in", ["Other"]),
            ("type", "!=", "other"), ("type", "=", ["delivery"]),
            ("type", "in", "delivery"), ("type", "in", '["delivery"]'),
            ("country_id", "=", be), ("country_id", "=", str(be)),
            ("country_id", "=", float(be)), ("country_id", "in", [str(be)]),
            ("country_id", "in", be), ("country_id", "=", [be, "Belgium"]),
            ("country_id", "=", {"id": be, "name": "Belgium"}),
            ("country_id", "=", "Belgium"), ("country_id", "in", ["Belgium", be]),
            ("country_id", "!=", False), ("country_id", "not in", [False]),
            ("country_id.code", "=", "BE"), ("country_id", "ilike", "belg"),
            ("country_id", "any", [["code", "=", "BE"]]),
            ("category_id", "=", tag), ("category_id", "in", [str(tag)]),
            ("category_id", "=", "Zyxw VIP"), ("category_id", "child_of", [tag]),
            ("category_id", "child_of", "Zyxw VIP"), ("category_id", "!=", False),
            ("id", "=", str(self.acme.id)), ("id", "in", [str(self.acme.id)]),
            ("id", "=", {"id": self.acme.id, "name": "x"}),
            ("color", "=", "7"), ("color", ">", "6"), ("color", ">=", 7.0),
            ("color", "in", ["7", 8]), ("partner_latitude", "=", "1.5"),
            ("employee", "=", True), ("employee", "=", "true"), ("employee", "=", 1),
            ("employee", "in", [True]), ("employee", "!=", "false"),
            ("zip", "=", 1000), ("zip", "=like", "10%"), ("zip", "ilike", 100),
        ):  # fmt: skip
            with self.subTest(condition=condition):
                answer = self.find(condition)
                rows = [row["id"] for row in answer.get("value", [answer])]
                self.assertEqual(rows, self.acme.ids)
        yesterday = str(self.acme.create_date.date() - timedelta(days=1))
        for condition in (
            ("create_date", ">=", day), ("create_date", "=", day),
            ("create_date", ">=", f"{yesterday}T00:00:00Z"),
            ("create_date", "<", "2999-01-01"), ("create_date", "in", [day]),
            ("create_date", "!=", "2020-01-01"),
            ("create_date", ">", "today -7d"), ("create_date", "<=", "+1d"),
            ("create_date", ">=", f"{yesterday}T00:00:00+00:00"),
            ("create_date.year_number", "=", int(day[:4])),
            ("create_date.year_number", "=", day[:4]),
            ("id", "in", []), ("id", "=", NOBODY), ("parent_id", "=", []),
        ):  # fmt: skip
            with self.subTest(condition=condition):
                expected = 0 if condition[2] in ([], NOBODY) else 2
                expected = 2 if condition[0] == "parent_id" else expected
                self.assertEqual(len(self.find(condition)["value"]), expected)

    def test_what_cannot_match(self):
        be = self.be.id
        for condition, kind, *words in (
            (("type", "=", "delivry"), BAD, "res.partner.type", "delivery"),
            (("type", "in", ["delivery", "nope"]), BAD, "nope", "other (Other)"),
            (("type", "!=", "nope"), BAD), (("type", "=", True), BAD),
            (("country_id", "=", NOBODY), GONE, "res.partner.country_id", str(NOBODY)),
            (("country_id", "in", [be, NOBODY]), GONE, str(NOBODY)),
            (("country_id", "=", str(NOBODY)), GONE),
            (("country_id", "=", "Belgum"), BAD, "Belgum", f"{be} Belgium"),
            (("country_id", "=", True), BAD, '"!=", false'),
            (("country_id", "=", 1.5), BAD), (("country_id", "=", -1), BAD),
            (("country_id", "=", {"code": "BE"}), BAD), (("country_id", "<", 7), BAD),
            (("country_id.code", "=", ["BE", {}]), BAD, "res.country.code"),
            (("country_id", "any", [["code", "=", True]]), BAD, "res.country.code"),
            (("category_id", "=", "Nope nope"), BAD),
            (("category_id", "child_of", [NOBODY]), GONE),
            (("id", "=", "abc"), BAD, "res.partner.id"), (("id", "in", ["1,2"]), BAD),
            (("id", "in", False), BAD, "list"), (("id", "=", True), BAD),
            (("color", "=", "seven"), BAD, "res.partner.color", "number"),
            (("color", ">", True), BAD), (("color", ">", [1]), BAD),
            (("color", "=", "1,5"), BAD), (("color", "in", [{}]), BAD),
            (("employee", "=", "yes"), BAD, "true or false"),
            (("employee", "=", 2), BAD), (("employee", ">", False), BAD),
            (("create_date", ">", "nonsense"), BAD, "res.partner.create_date"),
            (("create_date", ">", "2026-13-01"), BAD), (("create_date", ">", 7), BAD),
            (("create_date", ">", "01/12/2026"), BAD),
            (("create_date", "=", True), BAD),
            (("create_date", ">", "2026-12"), BAD),
            (("create_date", "in", ["2026-01-01", "x"]), BAD),
            (("create_date.year_number", "=", "x"), BAD),
            (("create_date.nope", "=", 1), WHICH, "year_number"),
            (("name.first", "=", "x"), WHICH, "res.partner.name"),
            (("name", "=", True), BAD, "res.partner.name"), (("name", "=", {}), BAD),
            (("name", "ilike", ["x"]), BAD), (("name", "any", [["id", "=", 1]]), BAD),
            (("nope", "=", 1), WHICH), (("country_id.nope", "=", 1), WHICH),
            (("contact_address", "=", "x"), BAD, "contact_address"),
            (("name", "~", "x"), BAD), (("name", "LIKE%", "x"), BAD),
        ):  # fmt: skip
            with self.subTest(condition=condition):
                answer = self.find(condition)
                self.assertEqual(self.kind_of(answer), kind, answer)
                error = answer["error"]
                for word in words:
                    self.assertIn(word, error["message"] + " " + error["hint"])
                # Wherever it stands.
                for wrapped in (
                    ["!", list(condition)],
                    ["|", ["id", "=", 1], list(condition)],
                    [["parent_id", "any", [list(condition)]]],
                ):
                    found = self.kind("res.partner", "search_count", domain=wrapped)
                    self.assertEqual(found, kind, wrapped)

    def test_every_path_checks_them(self):
        domain = [["type", "=", "delivry"]]
        for method, kwargs in (
            ("search_read", {"fields": ["id"]}),
            ("search_count", {}),
            ("formatted_read_group", {"groupby": ["type"], "aggregates": ["__count"]}),
        ):
            answer = self.call("res.partner", method, domain=domain, **kwargs)
            self.assertEqual(self.kind_of(answer), BAD, method)

    def test_names_and_ids_of_what_may_not_be_read(self):
        self.allow_models("res.partner")
        self.assertEqual(self.kind_of(self.find(("country_id", "=", "Belgium"))), NO)
        for value in (self.be.id, str(self.be.id), [self.be.id, "whatever"]):
            answer = self.find(("country_id", "=", value))
            self.assertEqual([r["id"] for r in answer["value"]], self.acme.ids)
        # Whether it exists is not told.
        self.assertEqual(self.find(("country_id", "=", NOBODY))["value"], [])
