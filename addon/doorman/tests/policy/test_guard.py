from odoo.tests import tagged

from ..common import DoormanCase

# Every row is tried with a connection that may use res.partner and
# res.partner.category, and no other model. Its user may read all the others.
ALLOW_DOMAINS = [
    [],
    [["name", "ilike", "a"]],
    ["|", ["name", "=", "a"], "!", ["email", "=", False]],
    [["id", "in", [1, 2, 3]]],
    [["parent_id", "=", False]],
    [["parent_id", "=", 3]],
    [["parent_id.name", "ilike", "a"]],
    [["parent_id", "any", [["name", "ilike", "a"]]]],
    [["parent_id", "not any", [["child_ids.name", "=", "a"]]]],
    [["child_ids", "any", [["category_id.name", "=", "x"]]]],
    [["id", "any", [["name", "ilike", "a"]]]],
    [["id", "not any", [["parent_id.name", "ilike", "a"]]]],
    [["category_id", "ilike", "x"]],
    [["category_id", "child_of", [1]]],
    [["parent_id", "child_of", [1]]],
    [["id", "child_of", [1]]],
    [["parent_id", "ilike", "x"]],
    [["commercial_partner_id.name", "=", "x"]],
    # A foreign key by its number stays in this table.
    [["country_id", "=", 20]],
    [["country_id", "=", False]],
    [["country_id", "in", [20, 21]]],
    [["user_ids", "!=", False]],
    [["create_date.month_number", "=", 3]],
    [["create_date", ">", "2020-01-01"]],
    [["display_name", "ilike", "a"]],
    [[1, "=", 1]],
    [[0, "=", 1]],
]

# (the domain, the kind of the refusal)
NO = "not_allowed"
BAD = "invalid_input"
DENY_DOMAINS = [
    # a dotted path leads to a model that is not allowed
    ([["country_id.code", "=", "BE"]], NO),
    ([["user_ids.login", "=", "admin"]], NO),
    ([["parent_id.user_ids.login", "=", "admin"]], NO),
    ([["parent_id.parent_id.parent_id.country_id.code", "=", "BE"]], NO),
    ([["category_id.partner_ids.country_id.code", "=", "BE"]], NO),
    ([["user_ids.id", "=", 2]], NO),
    ([["bank_ids.acc_number", "ilike", "BE"]], NO),
    ([["create_uid.login", "=", "admin"]], NO),
    ([["create_uid.partner_id.name", "=", "x"]], NO),
    ([["company_id.name", "ilike", "x"]], NO),
    ([["message_ids.body", "ilike", "x"]], NO),
    ([["activity_ids.summary", "ilike", "x"]], NO),
    ([["message_follower_ids.partner_id", "=", 1]], NO),
    ([["message_partner_ids.user_ids.login", "=", "x"]], NO),
    ([["country_id.id", "!=", False]], NO),
    ([["country_id.display_name", "ilike", "x"]], NO),
    # among others, negated, repeated
    (["|", ["name", "=", "a"], ["user_ids.login", "=", "x"]], NO),
    (["!", ["user_ids.login", "=", "x"]], NO),
    (["&", ["id", ">", 0], "|", ["id", ">", 0], ["country_id.code", "=", "BE"]], NO),
    # any and not any, nested
    ([["user_ids", "any", [["login", "=", "admin"]]]], NO),
    ([["user_ids", "not any", [["login", "=", "admin"]]]], NO),
    ([["user_ids", "any", []]], NO),
    ([["parent_id", "any", [["user_ids", "any", [["id", ">", 0]]]]]], NO),
    ([["parent_id", "any", [["user_ids.login", "=", "admin"]]]], NO),
    ([["parent_id", "not any", ["!", ["country_id.code", "=", "BE"]]]], NO),
    # ``id any`` is expanded by Odoo in place: what is inside counts
    ([["id", "any", [["user_ids.login", "=", "admin"]]]], NO),
    ([["id", "not any", [["user_ids.login", "=", "admin"]]]], NO),
    ([["id", "any", [["id", "any", [["country_id.code", "=", "BE"]]]]]], NO),
    ([["parent_id", "any", [["id", "any", [["user_ids.login", "=", "x"]]]]]], NO),
    ([["parent_id.id", "any", [["user_ids.login", "=", "x"]]]], NO),
    # the operators that leave record rules out, and their disguises
    ([["user_ids", "any!", [["login", "=", "admin"]]]], BAD),
    ([["user_ids", "not any!", [["login", "=", "admin"]]]], BAD),
    ([["user_ids", "ANY!", [["login", "=", "admin"]]]], BAD),
    ([["user_ids", "Any!", [["login", "=", "admin"]]]], BAD),
    ([["user_ids", "NOT ANY!", [["login", "=", "admin"]]]], BAD),
    ([["parent_id", "ANY!", [["name", "=", "x"]]]], BAD),
    ([["id", "ANY!", [["name", "=", "x"]]]], BAD),
    ([["parent_id", "any", [["child_ids", "aNY!", [["id", ">", 0]]]]]], BAD),
    ([["id", "ANY", [["user_ids.login", "=", "admin"]]]], NO),
    ([["user_ids", "ANY", [["login", "=", "admin"]]]], NO),
    ([["parent_id", "Not Any", [["country_id.code", "=", "BE"]]]], NO),
    # name search of a model that is not allowed
    ([["country_id", "ilike", "bel"]], NO),
    ([["country_id", "ILIKE", "bel"]], NO),
    ([["country_id", "not ilike", "bel"]], NO),
    ([["country_id", "like", "bel"]], NO),
    ([["country_id", "=like", "Bel%"]], NO),
    ([["country_id", "=ilike", "bel%"]], NO),
    ([["country_id", "not =ilike", "bel%"]], NO),
    ([["country_id", "=", "Belgium"]], NO),
    ([["country_id", "==", "Belgium"]], NO),
    ([["country_id", "!=", "Belgium"]], NO),
    ([["country_id", "<>", "Belgium"]], NO),
    ([["country_id", "=?", "Belgium"]], NO),
    ([["country_id", "in", ["Belgium"]]], NO),
    ([["country_id", "in", [1, "Belgium"]]], NO),
    ([["country_id", "in", "Belgium"]], NO),
    ([["country_id", "not in", ["Belgium", False]]], NO),
    ([["country_id", ">", "A"]], NO),
    ([["country_id", "child_of", [1]]], NO),
    ([["country_id", "parent_of", [1]]], NO),
    ([["company_id", "child_of", "x"]], NO),
    # values that are not values
    ([["country_id", "=", {"a": "Belgium"}]], BAD),
    ([["country_id", "in", [["Belgium"]]]], BAD),
    ([["name", "any", [["user_ids.login", "=", "x"]]]], BAD),
    ([["display_name", "any", [["user_ids.login", "=", "x"]]]], BAD),
    ([["name", "any", "x"]], BAD),
    # operators that Odoo has or had elsewhere
    ([["country_id", "inselect", ["SELECT id FROM res_users", []]]], BAD),
    ([["id", "in", "SELECT id FROM res_users"]], BAD),
    ([["id", "inselect", ["SELECT 1", []]]], BAD),
    ([["name", "= 'x' OR 1=1 --", "x"]], BAD),
    ([["name", "", "x"]], BAD),
    ([["name", None, "x"]], BAD),
    ([["name", ["="], "x"]], BAD),
    # credentials
    ([["signup_token", "=", "x"]], None),
    ([["user_ids.password", "=", "x"]], None),
    ([["parent_id.user_ids.api_key_ids.name", "=", "x"]], None),
    # names that are not fields
    ([["nope", "=", 1]], "unknown_field"),
    ([["Name", "=", 1]], "unknown_field"),
    ([["name ", "=", 1]], "unknown_field"),
    ([["name\n", "=", 1]], "unknown_field"),
    ([["ｎame", "=", 1]], "unknown_field"),
    ([["_fields", "=", 1]], "unknown_field"),
    ([["__class__", "=", 1]], "unknown_field"),
    ([[".name", "=", 1]], None),
    ([["parent_id.", "=", 1]], None),
    ([["parent_id..name", "=", 1]], None),
    ([["name.x", "=", 1]], None),
    ([["id.user_ids.login", "=", "x"]], None),
    ([["parent_id:name", "=", 1]], "unknown_field"),
    ([[["name"], "=", 1]], BAD),
    ([[None, "=", 1]], BAD),
    ([[{"a": 1}, "=", 1]], BAD),
    # domains that are not domains
    (["&"], BAD),
    (["|", ["name", "=", "x"]], BAD),
    ([["name", "="]], BAD),
    ([["name", "=", "x", "y"]], BAD),
    ("[('name', '=', 'x')]", BAD),
    ({"name": "x"}, BAD),
    (["name", "=", "x"], BAD),
    ([[["name", "=", "x"]]], BAD),
    (True, BAD),
    (7, BAD),
]

# (order, kind)
DENY_ORDERS = [
    ("country_id.code", NO),
    ("country_id", NO),
    ("name, user_id desc", NO),
    ("user_ids.login", NO),
    ("name; DROP TABLE x", None),
    ("(select 1)", None),
    ("name asc, (select 1)", None),
    ("name asc nulls sideways", None),
    ("signup_token", None),
    ("nope", "unknown_field"),
    ("name, , id", None),
    ("name.foo", None),
    ("parent_id.country_id.code desc", NO),
    (["name"], BAD),
    (7, BAD),
]
ALLOW_ORDERS = ["name", "name desc, id asc", "name DESC NULLS LAST", "parent_id"]

# (group by, aggregates, having, kind)
DENY_GROUPS = [
    (["country_id.code"], [], [], NO),
    (["parent_id.country_id.code"], [], [], NO),
    (["user_ids.login"], [], [], NO),
    (["country_id.code:month"], [], [], NO),
    ([], ["country_id.code:max"], [], NO),
    ([], ["user_ids.login:array_agg"], [], NO),
    (["nope"], [], [], "unknown_field"),
    ([], ["nope:max"], [], "unknown_field"),
    (["name"], ["id:max"], [["user_ids.login", "=", "x"]], BAD),
    (["name"], ["id:max"], [["name", "=", "x"]], BAD),
    (["name"], ["id:max"], [["id:min", ">", 1]], BAD),
    (["name"], ["id:max"], [["id:max", "any", [["user_ids.login", "=", "x"]]]], BAD),
    (["name"], ["id:max"], [["id:max", "ANY!", [["name", "=", "x"]]]], BAD),
    (["name"], [], "x", BAD),
    ("name", [], [], BAD),
    (["name"], "id:max", [], BAD),
    ([["name"]], [], [], BAD),
    (["name\n"], [], [], BAD),
    (["name:(select 1)"], [], [], BAD),
    (["name"], ["id:pg_sleep"], [], BAD),
    (["name"], ["max(id)"], [], BAD),
    (["name"], [None], [], BAD),
]
ALLOW_GROUPS = [
    (["name"], ["__count"], []),
    (["parent_id"], ["id:max"], [["id:max", ">", 1]]),
    (["create_date:month"], ["__count"], []),
    ([], ["id:count_distinct"], []),
    (["category_id"], [], []),
]


@tagged("post_install", "-at_install")
class TestGuard(DoormanCase):
    """The model rule on every path."""

    def setUp(self):
        super().setUp()
        self.allow_models("res.partner", "res.partner.category")

    def _check(self, found, kind):
        if kind is None:
            self.assertIn(found, (NO, BAD, "unknown_field"))
        else:
            self.assertEqual(found, kind)

    def test_allowed_domains(self):
        fence = self.fence()
        # The rows name the first one.
        tag = self.env["res.partner.category"].create({"name": "tag"})
        self.env.cr.execute(
            "UPDATE res_partner_category SET id = 1 WHERE id = %s "
            "AND NOT EXISTS (SELECT FROM res_partner_category WHERE id = 1)",
            [tag.id],
        )
        for domain in ALLOW_DOMAINS:
            with self.subTest(domain=domain):
                found = self.call(
                    "res.partner", "search_count", fence=fence, domain=domain
                )
                self.assertIn("value", found)

    def test_refused_domains(self):
        fence = self.fence()
        for domain, kind in DENY_DOMAINS:
            for method, extra in (
                ("search_count", {}),
                ("search_read", {"fields": ["name"], "limit": 1}),
                ("formatted_read_group", {"groupby": ["name"], "limit": 1}),
            ):
                with self.subTest(domain=domain, method=method):
                    found = self.kind(
                        "res.partner", method, fence=fence, domain=domain, **extra
                    )
                    self._check(found, kind)

    def test_orders(self):
        fence = self.fence()
        rest = {"domain": [], "fields": ["name"], "limit": 1, "fence": fence}
        for order in ALLOW_ORDERS:
            with self.subTest(order=order):
                found = self.kind("res.partner", "search_read", order=order, **rest)
                self.assertEqual(found, "ok")
        for order, kind in DENY_ORDERS:
            with self.subTest(order=order):
                found = self.kind("res.partner", "search_read", order=order, **rest)
                self._check(found, kind)

    def _group(self, groupby, aggregates, having, **kwargs):
        return self.kind(
            "res.partner",
            "formatted_read_group",
            domain=[],
            groupby=groupby,
            aggregates=aggregates,
            having=having,
            limit=2,
            **kwargs,
        )

    def test_groups(self):
        fence = self.fence()
        for row in ALLOW_GROUPS:
            with self.subTest(row=row):
                self.assertEqual(self._group(*row, fence=fence), "ok")
        for *row, kind in DENY_GROUPS:
            with self.subTest(row=row):
                self._check(self._group(*row, fence=fence), kind)

    def test_order_of_groups(self):
        fence = self.fence()
        rows = (
            ("id:max desc", "ok"), ("name", "ok"), ("country_id.code", NO),
            ("user_ids.login:max", NO), ("signup_token:max", None),
            ("(select 1)", None),
        )  # fmt: skip
        for order, kind in rows:
            with self.subTest(order=order):
                found = self._group(["name"], ["id:max"], [], order=order, fence=fence)
                self._check(found, kind)
