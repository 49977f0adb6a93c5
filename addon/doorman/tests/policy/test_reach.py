"""What a condition looks into: names, related fields and searches of Odoo's own."""

import re
from contextlib import contextmanager, suppress
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.fields import Command, Domain
from odoo.sql_db import Cursor
from odoo.tests import tagged

from ...policy import closed_fields, closed_models, reach
from ...policy.guard import Guard
from ...policy.refusal import Refusal
from ..common import DoormanCase

NO = "not_allowed"
# A value that conditions of a type may have.
VALUES = {
    "boolean": ("=", True),
    "integer": ("=", 1),
    "float": (">", 1.0),
    "monetary": (">", 1.0),
    "date": (">", "2020-01-01"),
    "datetime": (">", "2020-01-01 00:00:00"),
    "many2one": ("!=", False),
    "many2many": ("!=", False),
    "one2many": ("!=", False),
    "reference": ("!=", False),
    "many2one_reference": ("!=", False),
    "properties": ("!=", False),
}
# Any search looks at these: they say who asks, and how.
MACHINERY = re.compile(
    r"ir_|res_(groups|users|company|lang|currency)|bus_|doorman_|decimal_precision"
)
TABLE = re.compile(r"(?:FROM|JOIN)\s+\"?([a-z_0-9]+)\"?", re.IGNORECASE)


@contextmanager
def tables_asked():
    """The time in which it is noted which tables queries are asked of."""
    found, execute = set(), Cursor.execute

    def noting(self, query, *args, **kwargs):
        text = getattr(query, "code", query)
        found.update(TABLE.findall(text if isinstance(text, str) else str(text)))
        return execute(self, query, *args, **kwargs)

    with patch.object(Cursor, "execute", noting):
        yield found


@tagged("post_install", "-at_install")
class TestReach(DoormanCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The user may read everything: what is refused is refused by the policy.
        admin = cls.env.ref("base.user_admin")
        cls.people["user"].group_ids = [Command.set(admin.group_ids.ids)]
        cls.people["user"].group_ids += cls.env.ref("doorman.group_user")
        cls.env.flush_all()

    def guard(self, *models):
        env = self.env(user=self.people["user"], context={}, su=False)
        return Guard(env, frozenset(models))

    def skip_without(self, model):
        if model not in self.env:
            self.skipTest(f"there is no {model}")

    def asks(self, model, domain, *allowed):
        """:return: how each way to ask with a condition ends"""
        self.allow_models(model, *allowed)
        fence, ends = self.fence(), set()
        for method, extra in (
            ("search_count", {}),
            ("search_read", {"fields": ["id"], "limit": 1}),
            ("formatted_read_group", {"aggregates": ["__count"]}),
        ):
            answer = self.call(model, method, fence=fence, domain=domain, **extra)
            ends.add(self.kind_of(answer))
        self.assertEqual(len(ends), 1, ends)
        return ends.pop()

    # ---- names ----

    def test_a_name_is_not_read_letter_by_letter(self):
        """A bank account is called by its holder, too, and a holder is found by
        email."""
        partner = self.env["res.partner"].create({"name": "Z", "email": "q7@x.example"})
        self.env["res.partner.bank"].create(
            {"acc_number": "BE71096123456769", "partner_id": partner.id}
        )
        self.allow_models("res.partner.bank")
        fence = self.fence()
        for domain, found in (
            ([["display_name", "=ilike", "q7%"]], 0),
            ([["display_name", "ilike", "q7@x"]], 0),
            ([["display_name", "=", "q7@x.example"]], 0),
            ([["display_name", "in", ["q7@x.example"]]], 0),
            ([["id", "any", [["display_name", "ilike", "q7@x"]]]], 0),
            ([["display_name", "ilike", "BE7109612345"]], 1),
            ([["display_name", "=", "BE71096123456769"]], 1),
        ):
            with self.subTest(domain=domain):
                answer = self.call(
                    "res.partner.bank", "search_count", fence=fence, domain=domain
                )
                self.assertEqual(answer.get("value"), found, answer)
        hidden = [["display_name", "not ilike", "q7@x"]]
        everything = self.call("res.partner.bank", "search_count", domain=[])
        answer = self.call("res.partner.bank", "search_count", domain=hidden)
        self.assertEqual(answer["value"], everything["value"])
        self.allow_models("res.partner.bank", "res.partner")
        domain = [["display_name", "ilike", "q7@x"]]
        answer = self.call("res.partner.bank", "search_count", domain=domain)
        user = self.people["user"]
        bank = self.env["res.partner.bank"].with_user(user)
        self.assertEqual(answer["value"], bank.search_count(domain))

    def test_names_of_what_hangs_on_it(self):
        """The same, from another model, and where a value names a record."""
        partner = self.env["res.partner"].create({"name": "Z", "email": "q7@x.example"})
        bank = self.env["res.partner.bank"].create(
            {"acc_number": "BE71096123456769", "partner_id": partner.id}
        )
        self.allow_models("res.company", "res.partner.bank")
        self.company.partner_id.bank_ids = [Command.link(bank.id)]
        fence = self.fence()
        for text, found in (("q7@x", 0), ("BE7109612", 1)):
            for domain in (
                [["bank_ids", "ilike", text]],
                [["bank_ids.display_name", "ilike", text]],
                [["bank_ids", "any", [["display_name", "ilike", text]]]],
            ):
                with self.subTest(domain=domain):
                    answer = self.call(
                        "res.company", "search_count", fence=fence, domain=domain
                    )
                    kind = self.kind_of(answer)
                    self.assertIn(answer.get("value", kind), (found, NO))

    def test_the_supplier_of_a_price(self):
        self.skip_without("product.supplierinfo")
        domain = [["display_name", "=ilike", "a%"]]
        self.assertEqual(self.asks("product.supplierinfo", domain), NO)
        domain = [["display_name", "not ilike", "a"]]
        self.assertEqual(self.asks("product.supplierinfo", domain), NO)
        self.assertEqual(self.asks("product.supplierinfo", domain, "res.partner"), "ok")
        answer = self.call("product.supplierinfo", "search_count", domain=domain)
        self.assertIn("value", answer)
        self.allow_models("product.supplierinfo")
        answer = self.call("product.supplierinfo", "search_count", domain=domain)
        self.assertIn("res.partner", answer["error"]["message"])
        self.assertIn("display_name", answer["error"]["message"])

    # ---- related fields ----

    def test_a_related_field_is_as_open_as_what_it_shows(self):
        ways = (
            ("search_count", {"domain": [["country_code", "=", "BE"]]}),
            ("search_read", {"domain": [], "fields": ["country_code"]}),
            ("search_read", {"domain": [], "fields": ["id"], "order": "country_code"}),
            ("formatted_read_group", {"groupby": ["country_code"]}),
            ("formatted_read_group", {"aggregates": ["country_code:max"]}),
            ("search_count", {"domain": [["parent_id.country_code", "=", "BE"]]}),
            (
                "search_count",
                {"domain": [["child_ids", "any", [["country_code", "=", "BE"]]]]},
            ),
            ("export_records", {"domain": [], "fields": ["country_code"]}),
            ("export_records", {"domain": [], "fields": ["parent_id/country_code"]}),
        )
        for allowed in (("res.partner",), ("res.partner", "res.country")):
            self.allow_models(*allowed)
            fence = self.fence()
            for method, kwargs in ways:
                with self.subTest(method=method, kwargs=kwargs, allowed=allowed):
                    answer = self.call("res.partner", method, fence=fence, **kwargs)
                    if len(allowed) == 1:
                        self.assertEqual(self.kind_of(answer), NO)
                        self.assertIn("res.country", answer["error"]["message"])
                        self.assertIn("country_code", answer["error"]["message"])
                    else:
                        self.assertNotEqual(self.kind_of(answer), NO, answer)

    def test_a_related_field_is_not_described(self):
        self.allow_models("res.partner")
        told = self.call("res.partner", "fields_get")["value"]
        self.assertNotIn("country_code", told["fields"])
        self.assertIn("res.country", told["closed"]["country_code"])
        self.assertIn("country_id", told["fields"])
        self.allow_models("res.partner", "res.country")
        told = self.call("res.partner", "fields_get")["value"]
        self.assertIn("country_code", told["fields"])
        self.assertNotIn("country_code", told.get("closed", {}))

    def test_what_is_a_records_own(self):
        """Parents by _inherits, and copies that its table keeps of what it cannot be
        without."""
        self.allow_models("res.users")
        fence = self.fence()
        for name in ("name", "email", "login"):
            domain = [[name, "ilike", "test"]]
            rest = {"fields": [name], "order": name, "fence": fence}
            with self.subTest(name=name):
                found = self.call("res.users", "search_read", domain=domain, **rest)
                self.assertIn("value", found)
        self.allow_models("res.company")
        answer = self.call("res.company", "search_read", domain=[], fields=["email"])
        self.assertIn("value", answer)

    def test_the_bank_account_of_a_journal(self):
        self.skip_without("account.journal")
        self.allow_models("account.journal")
        fence = self.fence()
        name = "bank_acc_number"
        for method, kwargs in (
            ("search_count", {"domain": [[name, "=ilike", "B%"]]}),
            ("search_count", {"domain": [[name, "!=", False]]}),
            ("search_count", {"domain": [["bank_account_id", "ilike", "B"]]}),
            ("search_read", {"domain": [], "fields": [name]}),
            ("search_read", {"domain": [], "fields": ["id"], "order": name}),
            ("formatted_read_group", {"groupby": [name]}),
            ("formatted_read_group", {"aggregates": [name + ":max"]}),
        ):
            with self.subTest(method=method, kwargs=kwargs):
                answer = self.call("account.journal", method, fence=fence, **kwargs)
                self.assertEqual(self.kind_of(answer), NO)
                self.assertIn("res.partner.bank", answer["error"]["message"])
        self.allow_models("account.journal", "res.partner.bank")
        domain = [[name, "=ilike", "B%"]]
        answer = self.call("account.journal", "search_count", domain=domain)
        self.assertIn("value", answer)

    # ---- what waits for a person ----

    def test_what_is_not_read_without_a_person(self):
        env = self.env(user=self.people["user"], context={}, su=False)
        guard = Guard(env, None, frozenset({"res.country"}))
        for domain in ([["country_code", "=", "BE"]], [["country_id", "ilike", "B"]]):
            with self.assertRaises(Refusal) as caught:
                guard.domain(env["res.partner"], domain)
            self.assertIn("approval", caught.exception.message)
        guard.domain(env["res.partner"], [["name", "=", "BE"]])

    # ---- all of them ----

    def searched(self):
        """Every field of this database whose condition looks further than its column:
        found here, without the code that is tried."""
        for name, cls in sorted(self.env.registry.items()):
            if cls._abstract or cls._transient or not cls._auto:
                continue
            if closed_models.on_floor(name):
                continue
            for field in cls._fields.values():
                looks = field.related or field.search or field.name == "display_name"
                if (
                    looks
                    and not field.store
                    and not closed_fields.is_withheld(field.name)
                ):
                    yield self.env[name], field

    def own_tables(self, guard, model):
        """The tables of a model: its own, its parents', its links', and of what hangs
        on it."""
        names = reach.parts_of(self.env, model._name) | set(closed_models.FOLLOWERS)
        names |= guard.allowed
        found = {self.env.registry[n]._table for n in names if n in self.env}
        for cls in (self.env.registry[n] for n in names if n in self.env):
            found |= {f.relation for f in cls._fields.values() if f.type == "many2many"}
        return found

    def tables_of_own_order(self, model):
        """Where Odoo's own order of a model leads, which nobody asks for."""
        names = (term.split()[0] for term in model._order.split(","))
        fields = (model._fields.get(name) for name in names)
        return {
            self.env.registry[f.comodel_name]._table
            for f in fields
            if f and f.relational
        }

    def test_no_condition_asks_other_tables(self):
        """Every condition of every field, with its own model allowed alone: it is
        refused, or the queries that Odoo then makes are of that model's tables."""
        asked = refused = 0
        # Of whose company Odoo asks besides, such as for its country's phone numbers.
        self.assertTrue(self.env.company.read())
        self.assertIsNotNone(self.env.company.partner_id.country_id.code)
        for model, field in self.searched():
            guard = self.guard(model._name)
            user_model = guard.env[model._name]
            operator, value = VALUES.get(field.type, ("ilike", "a"))
            try:
                domain = guard.domain(user_model, [[field.name, operator, value]])
            except Refusal as refusal:
                self.assertTrue(refusal.message, field)
                refused += 1
                continue
            with tables_asked() as tables, self.env.cr.savepoint():
                # As the superuser: Odoo's record rules ask other tables of their own.
                with suppress(UserError, NotImplementedError, ValueError):
                    model.search(Domain(domain), limit=1, order="id")
            own = self.own_tables(guard, model)
            if field.relational:  # a link that is set tells nothing of its record
                own.add(self.env.registry[field.comodel_name]._table)
            own |= self.tables_of_own_order(model)
            others = {t for t in tables if t not in own and not MACHINERY.match(t)}
            known = {cls._table for cls in self.env.registry.values()}
            with self.subTest(field=str(field), related=field.related):
                self.assertFalse(others & known, field)
            asked += 1
        self.assertGreater(asked, 100)
        self.assertGreater(refused, 30)

    def test_every_refusal_names_its_rule(self):
        for model, field in self.searched():
            guard = self.guard(model._name)
            operator, value = VALUES.get(field.type, ("ilike", "a"))
            try:
                guard.domain(guard.env[model._name], [[field.name, operator, value]])
            except Refusal as refusal:
                if refusal.kind != NO:
                    continue
                with self.subTest(field=str(field)):
                    self.assertRegex(refusal.message, "cannot use|withheld")
                    self.assertIn(field.name, refusal.message)

    def test_with_all_of_it_allowed(self):
        """What is refused for a model alone passes once all is allowed that it
        reaches."""
        passed = 0
        for model, field in self.searched():
            operator, value = VALUES.get(field.type, ("ilike", "a"))
            domain = [[field.name, operator, value]]
            alone = self.guard(model._name)
            try:
                alone.domain(alone.env[model._name], domain)
                continue
            except Refusal as refusal:
                if refusal.kind != NO:
                    continue
            reached = reach.of_condition(self.env, field)
            names = {one.model for one in reached}
            if any(closed_models.on_floor(n) for n in names) or any(
                closed_fields.is_withheld(one.field) for one in reached
            ):
                continue
            if field.relational:
                names.add(field.comodel_name)
            guard = self.guard(model._name, *names)
            with self.subTest(field=str(field)):
                try:
                    guard.domain(guard.env[model._name], domain)
                    passed += 1
                except Refusal as refusal:
                    # Shown from what nobody can search.
                    self.assertEqual(refusal.kind, "invalid_input", refusal.message)
        self.assertGreater(passed, 30)
