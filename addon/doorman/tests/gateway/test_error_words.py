"""What is wrong with a call is told in words for who made it: whatever is thrown at an
operation, no Python comes back."""

import re

import psycopg2

from odoo.exceptions import (
    AccessDenied,
    AccessError,
    LockError,
    MissingError,
    RedirectWarning,
    UserError,
    ValidationError,
)
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...policy import shared
from ...policy.refusal import Refusal, at, told_later
from ...policy.refusal_codes import KIND_OF
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
        self.assertEqual(KIND_OF.get(error.get("code")), error["kind"], said)
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
        """:return: what a call gets of an error, and the words that the audit keeps"""

        def fail(_call):
            raise exc

        return self.failing(fail)

    def failing(self, fail):
        before = self.rows()
        with self.doing(fail, "search_count"):
            error = self.call("res.partner", "search_count")["error"]
        (row,) = self.new_rows(before)
        self.assertEqual(
            (row["reason"], row["message"]), (error["kind"], error["message"])
        )
        return error, row["words"]

    def test_what_odoo_says(self):
        """Its own words, with a code."""
        for exc, code in (
            (AccessError("No."), "access_denied"),
            (AccessDenied("No."), "access_denied"),
            (MissingError("No."), "unknown_record"),
            (LockError("No."), "record_locked"),
            (UserError("No."), "odoo_refused"),
            (ValidationError("No."), "odoo_refused"),
            # Its other arguments are for Odoo's own client.
            (RedirectWarning("No.", 42, "Go there", {"a": 1}), "odoo_refused"),
        ):
            with self.subTest(exc=exc):
                error, words = self.error(exc)
                self.assertEqual((error["code"], error["message"]), (code, "No."))
                self.assertEqual(error["kind"], KIND_OF[code])
                self.assertIsNone(words)

    def test_words_of_python_are_left_out(self):
        moment, number = "A date or time", "A number in this call"
        unclear = "Odoo did not understand"
        for exc, code, said in (
            (ValueError("time data '1' does not match format '%Y-%m-%d'"),
             "wrong_value", moment),
            (ValueError("Invalid isoformat string: 'x'"), "wrong_value", moment),
            (ValueError("invalid literal for int() with base 10: 'x'"),
             "wrong_value", number),
            (ValueError("could not convert string to float: 'x'"),
             "wrong_value", number),
            (TypeError("unsupported operand type(s) for +: 'int' and 'str'"),
             "not_understood", unclear),
            (TypeError("'NoneType' object is not iterable"), "not_understood", unclear),
            (ValueError(), "not_understood", unclear),
            (KeyError("name"), "not_understood", unclear),
            (OverflowError("int too large"), "not_understood", unclear),
            (psycopg2.DataError("invalid input syntax for type integer"),
             "wrong_value", "A value has the wrong type"),
            (psycopg2.ProgrammingError("can't adapt type 'dict'"),
             "wrong_value", "A value has the wrong type"),
            (psycopg2.errors.UndefinedFunction("operator does not exist"),
             "wrong_value", "A value has the wrong type"),
            (ValueError("Cannot convert res.partner.x to SQL because it is not stored"),
             "field_not_searchable", "res.partner.x is computed by Odoo"),
        ):  # fmt: skip
            with self.subTest(exc=exc):
                error, words = self.error(exc)
                self.assertEqual(
                    (error["kind"], error["code"]), ("invalid_input", code)
                )
                self.assertTrue(error["message"].startswith(said), error)
                self.assertFalse(PYTHON.search(error["message"]), error)
                self.assertTrue(error["hint"])
                self.assertEqual(told_later(words, "en_US"), error["message"])

    def test_an_unknown_field(self):
        """Odoo's own finding is told in the guard's words."""
        told = self.call("res.partner", "read", self.acme.ids, fields=["nmae"])["error"]
        self.assertEqual(told["code"], "unknown_field")
        self.assertIn("name", told["hint"])
        for text in (
            "Invalid field 'nmae' on 'res.partner'",
            "Invalid field 'nmae' on model 'res.partner'",
            "Invalid field 'nmae' on model 'res.partner' for 'nmae:sum'.",
            "Invalid field 'nmae' in 'res.partner'",
            "Invalid field res.partner.nmae in condition ('nmae', '=', 1)",
        ):
            with self.subTest(text):
                error, words = self.error(ValueError(text))
                self.assertEqual(error, told)
                self.assertEqual(told_later(words, "en_US"), told["message"])
        # As Odoo says it itself, of a model that the call is about.
        for fail in (
            lambda call: call.model.search([("nmae", "=", 1)]),
            lambda call: call.model.search([], order="nmae"),
            lambda call: call.model.read(["nmae"]),
            lambda call: call.model.create({"nmae": 1}),
            lambda call: call.model._read_group([], ["nmae"], []),
            lambda call: call.model._read_group([], [], ["nmae:sum"]),
        ):
            with self.doing(fail, "search_count"):
                error = self.call("res.partner", "search_count")["error"]
            self.assertEqual(error, told)
        # Which fields another model has, this connection may not know.
        for model in ("res.users", "res.country", "no.model"):
            error, _words = self.error(
                ValueError(f"Invalid field 'logni' on '{model}'")
            )
            self.assertEqual(error["code"], "unknown_field")
            self.assertEqual(error["hint"], shared.SAY_NO_FIELD_HINT)

    def test_a_wrong_value(self):
        for field, code in (
            ("type", "unknown_choice"),
            ("country_id", "wrong_value"),
            ("nope", "wrong_value"),
        ):
            with self.subTest(field):
                exc = ValueError(f"Wrong value for res.partner.{field}: 'x'")
                error, words = self.error(exc)
                self.assertEqual(error["code"], code)
                self.assertIn(f"res.partner.{field} ", error["message"])
                self.assertEqual(told_later(words, "en_US"), error["message"])

    def test_a_value_that_is_too_large(self):
        """It fits the column, but not the index."""

        def long_name(call):
            self.env.cr.execute("CREATE TABLE doorman_test_long (name text)")
            self.env.cr.execute("CREATE INDEX ON doorman_test_long (name)")
            self.env.cr.execute(
                "INSERT INTO doorman_test_long VALUES (%s)", ["x" * 300_000]
            )

        with self.doing(long_name, "search_count"), mute_logger("odoo.sql_db"):
            error = self.call("res.partner", "search_count")["error"]
        self.assertEqual(
            (error["kind"], error["code"]), ("invalid_input", "wrong_value")
        )

    def test_what_takes_too_long(self):
        error, words = self.error(psycopg2.errors.QueryCanceled("canceling statement"))
        self.assertEqual(
            (error["kind"], error["code"]), ("odoo_timeout", "took_too_long")
        )
        self.assertEqual(told_later(words, "en_US"), error["message"])

    def test_what_the_database_refuses(self):
        """In the words that Odoo has for it."""
        currency = self.env.ref("base.EUR")

        def twice(call):
            call.env["res.currency"].sudo().create(
                {"name": currency.name, "symbol": "x"}
            )

        with self.doing(twice, "search_count"), mute_logger("odoo.sql_db"):
            error = self.call("res.partner", "search_count")["error"]
            self.assertEqual(error["kind"], "business_rule")
            self.assertEqual(error["code"], "odoo_refused")
            self.assertEqual(error["message"], "The currency code must be unique!")
            # In the language of the call, like everything else that Odoo says.
            self.env["res.lang"]._activate_lang("fr_FR")
            rule = self.env["ir.model.constraint"].search(
                [("name", "=", "res_currency_unique_name")]
            )
            rule.with_context(lang="fr_FR").message = "Deux fois !"
            self.people["user"].lang = "fr_FR"
            error = self.call("res.partner", "search_count")["error"]
            self.assertEqual(error["message"], "Deux fois !")

    def test_a_bug_stays_one(self):
        for fail in (
            lambda call: False.x,
            lambda call: call.env.cr.execute("SELECT nope FROM res_partner"),
            lambda call: call.env.cr.execute("SELECT FROM WHERE"),
        ):
            with mute_logger("odoo.addons.doorman.gateway.errors", "odoo.sql_db"):
                error, words = self.failing(fail)
            self.assertEqual((error["kind"], error["code"]), ("internal", "failed"))
            self.assertFalse(PYTHON.search(error["message"]))
            self.assertTrue(error["hint"])
            self.assertEqual(told_later(words, "en_US"), error["message"])

    def test_the_place_is_told_once(self):
        for exc in (Refusal("invalid_input", "No."), UserError("No."), KeyError("x")):
            with self.assertRaises(type(exc)), at("outer"), at("records[3]"):
                raise exc
            error, words = self.error(exc)
            self.assertTrue(error["message"].startswith("records[3]: "))
            if words:
                self.assertEqual(told_later(words, "en_US"), error["message"])
