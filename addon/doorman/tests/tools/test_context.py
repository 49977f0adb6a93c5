"""Where, when and as whom a connection works: what get_context and sums say of it."""

from datetime import datetime, timedelta

import pytz

from odoo.fields import Command
from odoo.tests import tagged

from ...policy.own_records import by_company, own_fields
from ...tools.describe import Describer
from ..common import WriteCase
from .test_aggregates import NAME, DealCase

NOBODY = "[('x_user_id', 'in', [user.id, False])]"


@tagged("post_install", "-at_install")
class TestOwnRecords(DealCase):
    """Whose records the rules show: (rules of employees, whether they are own)."""

    OWN = (
        ["[('x_user_id', '=', user.id)]"],
        ["['|', ('x_user_id', '=', user.id), ('x_user_id', '=', False)]"],
        [NOBODY],
        ["[('x_user_id', '=', uid)]".replace("uid", "user.id")],
        ["[('x_user_id', '=', user.id), ('x_name', '!=', 'x')]"],
        ["[('create_uid', '=', user.id)]"],
        ["[('x_user_id.partner_id', '=', user.partner_id.id)]"],
        ["[('x_user_id.partner_id', 'child_of', [user.commercial_partner_id.id])]"],
        [NOBODY, "[('create_uid', '=', user.id)]"],
    )
    NOT_OWN = (
        [],
        ["[(1, '=', 1)]"],
        [NOBODY, "[(1, '=', 1)]"],
        [NOBODY, "[('x_name', '=', 'public')]"],
        ["['|', ('x_user_id', '=', user.id), ('x_name', '=', 'public')]"],
        ["[('x_user_id', '!=', user.id)]"],
        ["['!', ('x_user_id', '=', user.id)]"],
        ["[('x_user_id', '=', False)]"],
        ["[('x_user_id', '!=', False)]"],
        ["[('x_user_id', 'in', [user.id, 1])]"],
        ["[('x_user_id.company_id', 'in', company_ids)]"],
        ["[('x_company_id', 'in', company_ids + [False])]"],
        ["[('x_name', '=', user.name)]"],
        ["[('x_ratio', '=', user.id)]"],
        ["[('id', '=', user.id)]"],
    )

    def limits(self):
        return own_fields(self.env(user=self.person), NAME)

    def test_by_the_rules_themselves(self):
        for rows, expected in ((self.OWN, True), (self.NOT_OWN, False)):
            for domains in rows:
                rules = [self.rule(domain) for domain in domains]
                with self.subTest(domains=domains):
                    self.assertEqual(bool(self.limits()), expected)
                for rule in rules:
                    rule.unlink()

    def test_a_rule_for_all_narrows_the_others(self):
        self.rule(NOBODY, group=None)
        self.rule("[(1, '=', 1)]")
        self.assertEqual(self.limits(), {"x_user_id"})

    def test_another_group_may_see_all(self):
        """As "User: All Documents" of sales: the group lifts the rule."""
        self.rule(NOBODY)
        self.rule("[(1, '=', 1)]", group="base.group_partner_manager")
        self.assertEqual(self.limits(), {"x_user_id"})
        manager = self.env.ref("base.group_partner_manager")
        self.person.group_ids = [Command.link(manager.id)]
        self.assertFalse(self.limits())

    def test_rules_for_other_things_than_reading(self):
        rule = self.rule(NOBODY)
        rule.perm_read = False
        self.assertFalse(self.limits())
        rule.write({"perm_read": True, "active": False})
        self.assertFalse(self.limits())

    def test_nothing_holds_for_odoo_itself(self):
        self.rule(NOBODY, group=None)
        self.assertFalse(own_fields(self.env(su=True), NAME))
        self.assertFalse(by_company(self.env(su=True), NAME))

    def test_sums_say_so(self):
        self.deal(5, x_user_id=self.person.id), self.deal(7)
        self.assertNotIn("own", self.ask(["x_amount:sum"])["value"])
        self.rule("[('x_user_id', '=', user.id)]")
        answer = self.ask(["x_amount:sum"])["value"]
        label = self.Deal._fields["x_user_id"]._description_string(self.env)
        self.assertEqual(answer["own"], [label])
        self.assertEqual(answer["groups"][0]["x_amount:sum"]["amount"], 5)

    def test_sums_say_of_which_companies(self):
        other = self.env["res.company"].create({"name": "Other"})
        third = self.env["res.company"].create({"name": "Third"})
        self.person.company_ids = [Command.link(other.id), Command.link(third.id)]
        self.env.flush_all()

        def facts(*companies):
            context = {"allowed_company_ids": list(companies)} if companies else {}
            answer = self.ask([], context=context)["value"]
            return answer.get("companies"), answer.get("other_companies")

        self.assertEqual(facts(), (None, None))  # no rule takes companies apart
        self.rule("[('x_company_id', 'in', company_ids + [False])]", group=None)
        names = {self.company.name, "Other", "Third"}
        self.assertEqual(set(facts()[0]), names)
        self.assertEqual(facts()[1], 0)
        self.assertEqual(facts(other.id), (["Other"], 2))
        self.assertEqual(facts(other.id, third.id), (["Other", "Third"], 1))
        # The companies of the connection are those that it may ever see.
        self.connection.company_ids = [Command.set(other.ids)]
        self.assertEqual(facts(), (["Other"], 2))
        self.person.company_ids = [Command.set((self.company + other).ids)]
        self.connection.company_ids = [Command.clear()]
        self.person.company_ids = [Command.set(self.company.ids)]
        self.assertEqual(facts(), (None, None))


@tagged("post_install", "-at_install")
class TestContext(WriteCase):
    def context(self, **kwargs):
        answer = self.gateway.call(
            self.fence(), self.request(None, "context", None, **kwargs)
        )
        return answer["value"]

    def test_the_time_where_the_user_is(self):
        for zone in ("Pacific/Auckland", "America/Los_Angeles", "UTC", False):
            self.people["user"].tz = zone
            told = self.context()
            place = pytz.timezone(zone or "UTC")
            now = datetime.now(place)
            found = datetime.fromisoformat(told["now_local"])
            with self.subTest(zone=zone):
                self.assertLess(abs(found - now), timedelta(seconds=60))
                self.assertEqual(found.utcoffset(), now.utcoffset())
                self.assertEqual(told["weekday"], found.strftime("%A"))
                self.assertEqual(told["user"]["tz"], zone or "UTC")

    def test_which_companies_are_added_up(self):
        other = self.env["res.company"].create({"name": "Other"})
        self.assertEqual(
            self.context()["added_up_by_default"], self.company.mapped("name")
        )
        self.people["user"].company_ids = [Command.link(other.id)]
        names = self.context()["added_up_by_default"]
        self.assertEqual(set(names), {self.company.name, "Other"})
        self.connection.company_ids = [Command.set(other.ids)]
        self.assertEqual(self.context()["added_up_by_default"], ["Other"])

    def test_of_what_only_their_own_is_seen(self):
        """Contacts are used by everybody, and have a menu."""
        before = {row["model"] for row in self.context()["own_only"]}
        self.assertNotIn("res.partner", before)
        rule = self.env["ir.rule"].create(
            {
                "name": "own",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": "[('user_id', 'in', [user.id, False])]",
            }
        )
        found = {row["model"]: row for row in self.context()["own_only"]}
        field = self.env["res.partner"]._fields["user_id"]
        self.assertEqual(
            found["res.partner"]["by"], [field._description_string(self.env)]
        )
        # What this connection may not use, it is not told of.
        self.allow_models("res.country")
        self.assertEqual(self.context()["own_only"], [])
        self.connection.allowed_model_ids = [Command.clear()]
        rule.active = False
        after = {row["model"] for row in self.context()["own_only"]}
        self.assertEqual(after, before)

    def test_nothing_else_is_asked(self):
        answer = self.gateway.call(
            self.fence(), self.request(None, "context", None, more_of_it=True)
        )
        self.assertEqual(self.kind_of(answer), "invalid_input")


@tagged("post_install", "-at_install")
class TestLanguage(WriteCase):
    """A French colleague reads, finds and changes names in French."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("fr_FR")
        cls.people["user"].lang = "fr_FR"
        cls.tag = cls.env["res.partner.category"].create({"name": "Customer"})
        cls.tag.with_context(lang="fr_FR").name = "Client"

    def in_(self, lang, record=None):
        return (record or self.tag).with_context(lang=lang).name

    def read(self, **kwargs):
        answer = self.call(
            self.tag._name, "read", self.tag.ids, fields=["name"], **kwargs
        )
        return answer["value"][0]["name"]

    def find(self, text, **kwargs):
        answer = self.call(
            self.tag._name, "search_read",
            domain=[["name", "ilike", text], ["id", "=", self.tag.id]],
            fields=["name"], **kwargs,
        )  # fmt: skip
        return [row["name"] for row in answer["value"]]

    def test_reading(self):
        self.assertEqual(self.read(), "Client")
        self.assertEqual(self.read(context={"lang": None}), "Client")
        self.assertEqual(self.read(context={"lang": "en_US"}), "Customer")
        self.people["user"].lang = "en_US"
        self.assertEqual(self.read(), "Customer")
        self.assertEqual(self.read(context={"lang": "fr_FR"}), "Client")

    def test_searching(self):
        self.assertEqual(self.find("clien"), ["Client"])
        self.assertEqual(self.find("custom"), [])
        english = {"context": {"lang": "en_US"}}
        self.assertEqual(self.find("custom", **english), ["Customer"])
        self.assertEqual(self.find("clien", **english), [])

    def test_searching_everywhere(self):
        for query, count in (("Clien", 1), ("Custom", 0)):
            request = self.request(
                None, "search_everywhere", None,
                query=query, models=[self.tag._name], limit=20,
            )  # fmt: skip
            found = self.gateway.call(self.fence(), request)["value"]["found"]
            names = [r["name"] for hits in found for r in hits["records"]]
            self.assertEqual(names.count("Client"), count)
            self.assertNotIn("Customer", names)

    def test_groups_have_french_names(self):
        self.acme.category_id = [Command.set(self.tag.ids)]
        answer = self.call(
            "res.partner", "formatted_read_group", facts=True,
            domain=[["id", "=", self.acme.id]], groupby=["category_id"],
            aggregates=["__count"],
        )  # fmt: skip
        [group] = answer["value"]["groups"]
        self.assertEqual(tuple(group["category_id"]), (self.tag.id, "Client"))

    def test_writing(self):
        answer = self.write(self.tag, {"name": "Acheteur"})
        self.assertIn("value", answer, answer)
        self.assertEqual(self.in_("fr_FR"), "Acheteur")
        self.assertEqual(self.in_("en_US"), "Customer")
        [changed] = answer["value"]["changed"]
        self.assertEqual(
            changed["values"][str(self.tag.id)]["name"], ["Client", "Acheteur"]
        )

    def test_writing_in_another_language(self):
        self.write(self.tag, {"name": "Buyer"}, context={"lang": "en_US"})
        self.assertEqual(self.in_("en_US"), "Buyer")
        self.assertEqual(self.in_("fr_FR"), "Client")

    def test_a_dry_run_shows_what_would_be_written(self):
        answer = self.write(self.tag, {"name": "Acheteur"}, more={"dry_run": True})
        self.assertIn("Client", str(answer))
        self.assertIn("Acheteur", str(answer))
        self.assertNotIn("Customer", str(answer))
        self.assertEqual(self.in_("fr_FR"), "Client")

    def test_creating(self):
        answer = self.create({"name": "Fournisseur"}, model=self.tag._name)
        tag = self.tag.browse(answer["value"]["ids"])
        self.assertEqual(self.in_("fr_FR", tag), "Fournisseur")

    def test_records_named_in_french(self):
        answer = self.write(self.acme, {"category_id": ["Client"]})
        self.assertIn("value", answer, answer)
        self.assertEqual(self.acme.category_id, self.tag)

    def test_labels_and_the_snapshot(self):
        snapshot = self.gateway.resolve(self.proof)["snapshot"]
        self.assertEqual(snapshot["user"]["lang"], "fr_FR")
        request = self.request(None, "context", None)
        told = self.gateway.call(self.fence(), request)["value"]
        self.assertEqual(told["user"]["lang"], "fr_FR")

    def test_languages_that_there_are_not(self):
        for lang in ("xx_XX", "fr", "", 1, True, ["fr_FR"], {"a": 1}):
            with self.subTest(lang=lang):
                answer = self.call(
                    self.tag._name, "read", self.tag.ids, fields=["name"],
                    context={"lang": lang},
                )  # fmt: skip
                self.assertEqual(self.kind_of(answer), "invalid_input")

    def test_a_user_whose_language_is_gone(self):
        """Odoo's own client falls back to that of the company, and to English."""
        lang = self.env["res.lang"]._lang_get("fr_FR")
        user = self.people["user"]
        user.lang = "en_US"
        lang.active = False
        self.assertEqual(self.read(), "Customer")
        snapshot = self.gateway.resolve(self.proof)["snapshot"]
        self.assertEqual(snapshot["user"]["lang"], "en_US")


@tagged("post_install", "-at_install")
class TestTimesShown(WriteCase):
    """Who decides on a request reads its times where they are."""

    def test_in_the_zone_of_the_reader(self):
        field = self.env["res.partner"]._fields["create_date"]
        for zone, value, text in (
            (
                "Pacific/Auckland", "2026-01-31 23:30:00",
                "2026-02-01 12:30:00 (Pacific/Auckland)",
            ),
            (
                "America/Los_Angeles", datetime(2026, 1, 31, 23, 30),
                "2026-01-31 15:30:00 (America/Los_Angeles)",
            ),
            ("UTC", "2026-01-31 23:30:00", "2026-01-31 23:30:00 (UTC)"),
            ("Pacific/Auckland", False, ""),
            ("Pacific/Auckland", "tomorrow", "tomorrow"),
        ):  # fmt: skip
            describer = Describer(self.env(context={"tz": zone}))
            with self.subTest(zone=zone, value=value):
                self.assertEqual(describer.value(self.acme, field, value), text)

    def test_the_reader_is_who_decides(self):
        self.people["approver"].write({"tz": "Pacific/Auckland"})
        self.people["user"].write({"tz": "America/Los_Angeles"})
        env = self.gateway._readers(self.connection)[0]
        self.assertEqual(str(env.tz), "Pacific/Auckland")
        self.people["approver"].tz = False
        self.assertEqual(str(self.gateway._readers(self.connection)[0].tz), "UTC")
