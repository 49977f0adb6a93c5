"""What is wrong with a call is told in words for who made it: whatever is thrown at an
operation, no Python comes back."""

import re
from unittest.mock import patch

import psycopg2

from odoo.exceptions import RedirectWarning, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from ...gateway import error_words
from ...policy.refusal import Refusal, at
from ...tools import operations
from ..common import WriteCase

# What nobody but a programmer of Odoo's says.
PYTHON = re.compile(
    r"time data|does not match format|isoformat|invalid literal|unsupported operand"
    r"|object has no attribute|object is not|has no len|index out of range|NoneType"
    r"|could not convert|KeyError|TypeError|ValueError|AttributeError|Traceback"
    r"|psycopg|SELECT|syntax error|LINE 1|not supported between|unhashable"
    r"|must be str|must be a string|positional argument|unexpected keyword|<class"
    r"|dict\b|OrderedSet|Domain\(|\bint\b|\bstr\b|\bbool\b|\btuple\b|__(?!count)|'list'|False|None\b"
)
NOT_THE_CALLERS = ("internal", "odoo_unavailable", "stale")

JUNK = [
    *(None, True, False, 0, 1, -1, 1.5, 2**31, 2**63, 10**400, float("nan")),
    *("", " ", "x", "a\0b", "\ud800", "1", "true", "[", "{", "[1", "[]", "{}"),
    *(
        "'; drop table x",
        "%s",
        "id desc; x",
        "name asc nulls",
        "__class__",
        "é" * 9_000,
    ),
    *([], [[]], [[[]]], [None], [True], [1], ["x"], [{}], [[1]], [[1, 2, 3, 4]]),
    *({}, {"x": 1}, {"": None}, {"id": 1}, {"ids": "x"}, {"name": {}}),
]
DOMAINS = [
    *([["name"]], [["name", "="]], [["name", "=", "x", "y"]], [[1, 2, 3]], ["&"]),
    *(["!"],),
    *(["|", ["id", "=", 1]], [["name", "in", "x"]], [["name", "in", {}]]),
    *[
        [[field, operator, value]]
        for field in (
            "name", "id", "color", "employee", "create_date", "country_id", "type",
            "category_id", "country_id.code", "create_date.year_number", "properties.x",
            "partner_latitude", "comment", "image_1920", "nope", "", "name.x", "id.id",
        )
        for operator in
        ("=", "in", "<", "ilike", "child_of", "any", "=?", "~", "", None)
        for value in
        (None, True, 1, 1.5, "x", "", [], [1, "x", None], [[]], {}, {"a": 1})
    ],
]  # fmt: skip
ORDERS = [
    *("name,", ",", "name sideways", "country_id.nope", "category_id", "properties"),
    *("contact_address", "image_1920", "display_name", "id:sum", "create_date:month"),
    *("name desc nulls", "parent_id.parent_id desc", "comment", "__count"),
]
SPECS = [
    *(
        "create_date:nope",
        "name:month",
        "country_id:month",
        "create_date",
        "properties",
    ),
    *("properties.x", "image_1920", "contact_address", "category_id", "comment", "id"),
    *("color:nope", "name:sum", "country_id:sum", "color:sum:x", "create_date:quarter"),
    *("employee:sum", "__count:sum", "id:count_distinct", "create_date.year_number"),
]
HAVING = [
    *([["__count", ">", "x"]], [["__count", "ilike", 1]], [["__count", "in", 1]]),
    *(
        [["__count"]],
        [["nope", ">", 1]],
        [["__count", ">", None]],
        [["__count", "=", {}]],
    ),
    *("x", ["&"], [["__count", "any", []]], [["__count", "child_of", 1]]),
]


@tagged("post_install", "-at_install")
class TestErrorWords(WriteCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.people["user"].group_ids = [
            Command.link(cls.env.ref("base.group_system").id)
        ]

    def throw(self, fence, method, ids, kwargs):
        """Call an operation, and look at what comes back of it."""
        found = operations.get(method)
        model = "res.partner" if found.needs_model else ""
        request = self.request(model, method, ids) | {"kwargs": kwargs}
        answer = self.gateway.call(fence, request)
        error = answer.get("error")
        if not error:
            return answer
        said = f"{method} {ids} {str(kwargs)[:150]}: {error}"
        self.assertNotIn(error["kind"], NOT_THE_CALLERS, said)
        # What was sent may be quoted.
        words = re.sub(r"'[^']*'|\"[^\"]*\"", "", error["message"])
        self.assertFalse(PYTHON.search(words), said)
        self.assertTrue(words.strip(), said)
        return answer

    def all_of(self, rows):
        fence = self.fence()
        for method, ids, kwargs in rows:
            with self.subTest(
                method=method, ids=str(ids)[:30], kwargs=str(kwargs)[:90]
            ):
                self.throw(fence, method, ids, kwargs)

    def test_every_operation_with_every_argument(self):
        """Each of them, and whatever arguments any of them has."""
        names = """
        domain fields limit offset order names groupby having aggregates vals vals_list
        vals_each method kwargs query models body kind partner_ids activity_type summary
        note date_deadline user before tool revision parameters name report field nope
        attachment_id
        """.split()
        rows = []
        mine = [o for o in operations.OPERATIONS.values() if o.module == "doorman"]
        self.assertGreater(len(mine), 15)
        for operation in mine:
            rows.append((operation.name, None, {}))
            for junk in JUNK[::3]:
                rows.append((operation.name, junk, {}))
                rows.append((operation.name, self.acme.ids, dict.fromkeys(names, junk)))
            for name in names:
                rows.append(
                    (operation.name, self.acme.ids, {name: JUNK[len(rows) % 9]})
                )
        self.all_of(rows)

    def test_reads(self):
        base = {"fields": ["name"]}
        group = {"groupby": ["type"], "aggregates": ["__count"]}
        rows = [
            *[("search_read", None, base | {"domain": d}) for d in DOMAINS + JUNK],
            *[("search_read", None, base | {"order": o}) for o in ORDERS + JUNK],
            *[("search_read", None, base | {"limit": j}) for j in JUNK],
            *[("search_read", None, base | {"offset": j}) for j in JUNK],
            *[("search_read", None, {"fields": j}) for j in JUNK],
            *[("read", j, base) for j in JUNK],
            *[("read", self.acme.ids, {"fields": [o]}) for o in ORDERS + SPECS],
            *[("formatted_read_group", None, group | {"groupby": [s]}) for s in SPECS],
            *[
                ("formatted_read_group", None, group | {"aggregates": [s]})
                for s in SPECS
            ],
            *[("formatted_read_group", None, group | {"having": h}) for h in HAVING],
            *[("formatted_read_group", None, group | {"order": o}) for o in ORDERS],
        ]
        rows = [(m, i, {"domain": [["id", "=", 1]]} | k) for m, i, k in rows
                if m != "read"] + [row for row in rows if row[0] == "read"]  # fmt: skip
        self.all_of(rows)

    def test_changes(self):
        """Every field of a model, with everything."""
        ids, rows = self.acme.ids, []
        for number, name in enumerate(self.env["res.partner"]._fields):
            for junk in JUNK[number % 4 :: 4]:
                rows.append(("write", ids, {"vals": {name: junk}}))
        for name in (
            "country_id", "category_id", "child_ids", "type", "color", "properties",
            "employee", "comment", "partner_latitude",
        ):  # fmt: skip
            for junk in JUNK:
                rows.append(("write", ids, {"vals": {name: junk}}))
                rows.append(
                    ("create", None, {"vals_list": [{"name": "x", name: junk}]})
                )
            for code in range(-1, 8):
                for junk in JUNK[::2]:
                    rows.append(("write", ids, {"vals": {name: [[code, junk, junk]]}}))
        rows += [("write", ids, {"vals": junk}) for junk in JUNK]
        rows += [("write", ids, {"vals_each": junk}) for junk in JUNK]
        rows += [("create", None, {"vals_list": junk}) for junk in JUNK]
        rows += [("unlink", junk, {}) for junk in JUNK]
        self.all_of(rows)

    # ---- one by one ----

    def error(self, exc):
        def fail(_call):
            raise exc

        with self.doing(fail, "search_count"):
            return self.call("res.partner", "search_count")["error"]

    def test_a_redirect_is_a_message(self):
        warning = RedirectWarning(
            "Configure a journal first.", 42, "Go there", {"a": 1}
        )
        error = self.error(warning)
        self.assertEqual(error["kind"], "business_rule")
        self.assertEqual(error["message"], "Configure a journal first.")

    def test_words_of_python_are_left_out(self):
        for exc in (
            ValueError("time data '1' does not match format '%Y-%m-%d'"),
            ValueError("Invalid isoformat string: 'x'"),
            ValueError("invalid literal for int() with base 10: 'x'"),
            ValueError("could not convert string to float: 'x'"),
            TypeError("unsupported operand type(s) for +: 'int' and 'str'"),
            TypeError("'NoneType' object is not iterable"),
            ValueError(), KeyError("name"), OverflowError("int too large"),
            psycopg2.DataError("invalid input syntax for type integer"),
        ):  # fmt: skip
            with self.subTest(exc=exc):
                error = self.error(exc)
                self.assertEqual(error["kind"], "invalid_input")
                self.assertFalse(PYTHON.search(error["message"]), error)
                self.assertTrue(error["hint"])
        self.assertEqual(self.error(UserError("Not so."))["message"], "Not so.")
        self.assertEqual(self.error(ValidationError("No."))["kind"], "business_rule")
        error = self.error(ValueError("Wrong value for res.partner.type: 'x'"))
        self.assertIn("res.partner.type", error["message"])
        self.assertIn("res.partner", error_words.meaning(
            ValueError("Invalid field 'nope' on 'res.partner'")))  # fmt: skip

    def test_a_bug_stays_one(self):
        with patch("odoo.addons.doorman.gateway.errors._logger"):
            error = self.error(AttributeError("'bool' object has no attribute 'x'"))
        self.assertEqual(error["kind"], "internal")
        self.assertFalse(PYTHON.search(error["message"]))

    def test_the_place_is_told_once(self):
        for exc in (Refusal("invalid_input", "No."), UserError("No."), KeyError("x")):
            with self.assertRaises(type(exc)), at("outer"), at("records[3]"):
                raise exc
            self.assertTrue(self.error(exc)["message"].startswith("records[3]: "))
