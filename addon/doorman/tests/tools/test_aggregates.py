"""Groups by the days of the user, and amounts by currency. What is expected comes from
Odoo itself, asked as the same user."""

from collections import defaultdict
from datetime import datetime, timedelta

import pytz

from odoo.fields import Command, Date
from odoo.orm.utils import (
    READ_GROUP_NUMBER_GRANULARITY,
    READ_GROUP_TIME_GRANULARITY,
)
from odoo.tests import tagged

from ...tools import currencies
from ..common import DoormanCase

BAD = "invalid_input"
NAME = "x_doorman_deal"
DAY = timedelta(days=1)
# 23:30 UTC, where a day, month, quarter, year, ISO week or summer time ends.
TIMES = (
    "2025-12-31 23:30:00", "2026-01-03 23:30:00", "2026-01-04 23:30:00",
    "2026-01-31 23:30:00", "2026-03-07 23:30:00", "2026-03-08 23:30:00",
    "2026-04-04 23:30:00", "2026-06-30 23:30:00", "2026-09-26 23:30:00",
    "2026-10-31 23:30:00", "2026-12-31 23:30:00", "2026-05-05 12:00:00",
)  # fmt: skip
FIELDS = (
    ("x_when", "datetime", {}), ("x_day", "date", {}), ("x_ratio", "float", {}),
    ("x_user_id", "many2one", {"relation": "res.users"}),
    ("x_company_id", "many2one", {"relation": "res.company"}),
    ("x_currency_id", "many2one", {"relation": "res.currency"}),
    ("x_amount", "monetary", {"currency_field": "x_currency_id"}),
    # Odoo works out its currency, record by record.
    ("x_worked_out_id", "many2one", {
        "relation": "res.currency", "store": False, "depends": "x_currency_id",
        "compute": "for r in self: r['x_worked_out_id'] = r.x_currency_id",
    }),
    ("x_other", "monetary", {"currency_field": "x_worked_out_id"}),
)  # fmt: skip


class DealCase(DoormanCase):
    """A model with times and amounts, whatever modules there are."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make_model()
        cls.usd, cls.eur, cls.xaf = (
            cls.env.ref(f"base.{name}") for name in ("USD", "EUR", "XAF")
        )
        (cls.usd + cls.eur + cls.xaf).active = True
        cls.env["res.currency.rate"].search([]).unlink()
        cls.own = cls.company.currency_id
        # The company's own, one with a rate, and one that has none.
        cls.foreign = cls.eur if cls.own == cls.usd else cls.usd
        cls.env["res.currency.rate"].create(
            {
                "currency_id": cls.foreign.id,
                "company_id": cls.company.id,
                "name": "2020-01-01",
                "rate": 0.8,
            }
        )
        cls.Deal = cls.env[NAME]
        cls.person = cls.people["user"]

    @classmethod
    def make_model(cls):
        model = cls.env["ir.model"].create({"name": "Deal", "model": NAME})
        for name, kind, more in FIELDS:  # one needs another
            vals = {"model_id": model.id, "name": name, "ttype": kind}
            cls.env["ir.model.fields"].create(vals | more)
        cls.env["ir.model.access"].create(
            {
                "name": NAME,
                "model_id": model.id,
                "group_id": cls.env.ref("base.group_user").id,
                "perm_read": True,
            }
        )
        cls.model_id = model
        # A refused call undoes what it did, and Odoo would read its models again: from
        # the database, which does not have this one yet.
        cls.registry.registry_invalidated = False
        cls.addClassCleanup(setattr, cls.registry, "registry_invalidated", True)

    def rule(self, domain, group="base.group_user"):
        groups = [Command.link(self.env.ref(group).id)] if group else []
        return self.env["ir.rule"].create(
            {
                "name": domain,
                "model_id": self.model_id.id,
                "domain_force": domain,
                "groups": groups,
            }
        )

    def deal(self, amount, currency=None, **vals):
        vals = {"x_name": "x", "x_amount": amount, "x_other": amount} | vals
        currency = self.own if currency is None else currency
        return self.Deal.create(vals | {"x_currency_id": currency.id})

    def ask(self, measures=(), groupby=(), facts=True, **kwargs):
        kwargs = {
            "aggregates": ["__count", *measures], "groupby": list(groupby),
            "domain": [],
        } | kwargs  # fmt: skip
        more = {"facts": True} if facts else {}
        return self.call(NAME, "formatted_read_group", **kwargs, **more)

    def groups(self, *args, **kwargs):
        answer = self.ask(*args, **kwargs)
        self.assertIn("value", answer, answer)
        return answer["value"]["groups"]

    def check_refused(self, *args, kind=BAD, **kwargs):
        answer = self.ask(*args, **kwargs)
        self.assertEqual(self.kind_of(answer), kind, answer)
        return answer["error"]


@tagged("post_install", "-at_install")
class TestDaysOfGroups(DealCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("fr_FR")
        for when in TIMES:
            cls.Deal.create({"x_name": when, "x_when": when, "x_day": when[:10]})
        cls.Deal.create({"x_name": "never"})

    def as_user(self, zone, lang):
        self.person.write({"tz": zone, "lang": lang})
        self.assertEqual(self.person.lang, lang)
        self.env.flush_all()
        return self.Deal.with_user(self.person).with_context(tz=zone, lang=lang)

    def places(self):
        for zone in ("Pacific/Auckland", "America/Los_Angeles", "UTC"):
            for lang in ("en_US", "fr_FR"):
                yield zone, lang, self.as_user(zone, lang)

    def test_periods_are_those_of_the_user(self):
        for zone, lang, odoo in self.places():
            for how in READ_GROUP_TIME_GRANULARITY:
                spec = f"x_when:{how}"
                plain = odoo._read_group([], [spec], ["__count"])
                shown = odoo.formatted_read_group([], [spec], ["__count"])
                groups = self.groups(groupby=[spec])
                for (day, count), odoos, group in zip(
                    plain, shown, groups, strict=True
                ):
                    with self.subTest(zone=zone, lang=lang, how=how, day=day):
                        self.assertEqual(group["__count"], count)
                        if not day:
                            self.assertFalse(group[spec])
                            continue
                        start = datetime.fromisoformat(group[spec]["from"])
                        self.assertEqual(start.replace(tzinfo=None), day)
                        self.assertEqual(start, pytz.timezone(zone).localize(day))
                        if how != "hour":
                            self.assertEqual(group[spec]["label"], odoos[spec][1])

    def test_a_day_is_found_by_its_key(self):
        """What a group counts is what a search by the same day finds."""
        for zone, lang, _odoo in self.places():
            for group in self.groups(groupby=["x_when:day"]):
                if not group["x_when:day"]:
                    continue
                start = group["x_when:day"]["from"]
                end = (datetime.fromisoformat(start[:10]) + DAY).date().isoformat()
                for domain in (
                    [["x_when", "=", start[:10]]],
                    [["x_when", ">=", start], ["x_when", "<", end]],
                ):
                    with self.subTest(zone=zone, lang=lang, domain=domain):
                        found = self.call(NAME, "search_count", domain=domain)
                        self.assertEqual(found["value"], group["__count"])

    def test_hours_are_told_apart(self):
        self.as_user("UTC", "en_US")
        found = {
            group["x_when:hour"]["label"]
            for group in self.groups(groupby=["x_when:hour"])
            if group["x_when:hour"]
        }
        self.assertIn("23:00 31 Dec", found)
        self.assertIn("12:00 05 May", found)

    def test_numbers_are_those_of_the_user(self):
        for zone, lang, odoo in self.places():
            for how in READ_GROUP_NUMBER_GRANULARITY:
                spec = f"x_when:{how}"
                plain = odoo._read_group([], [spec], ["__count"])
                groups = self.groups(groupby=[spec])
                for (number, count), group in zip(plain, groups, strict=True):
                    with self.subTest(zone=zone, lang=lang, how=how, number=number):
                        told = group[spec]
                        if isinstance(told, dict):
                            told = told["value"]
                        self.assertEqual((told, group["__count"]), (number, count))
                        self.assertIs(told is False, number is False)

    def test_numbers_have_their_names(self):
        """2025-12-31 23:30 UTC is a Wednesday, and a Thursday in Auckland."""
        domain = [["x_name", "=", TIMES[0]]]
        for zone, lang, day, month in (
            ("Pacific/Auckland", "en_US", (4, "Thursday"), (1, "January")),
            ("Pacific/Auckland", "fr_FR", (4, "jeudi"), (1, "janvier")),
            ("America/Los_Angeles", "en_US", (3, "Wednesday"), (12, "December")),
        ):
            with self.subTest(zone=zone, lang=lang):
                self.as_user(zone, lang)
                specs = ["x_when:day_of_week", "x_when:month_number"]
                [group] = self.groups(groupby=specs, domain=domain)
                for spec, (value, label) in zip(specs, (day, month), strict=True):
                    self.assertEqual(group[spec], {"value": value, "label": label})

    def test_a_week_begins_as_the_language_has_it(self):
        """2026-01-03 is a Saturday, in Auckland a Sunday."""
        domain, spec = [["x_name", "=", TIMES[1]]], "x_when:week"
        for lang, start in (("en_US", "2026-01-04"), ("fr_FR", "2025-12-29")):
            self.as_user("Pacific/Auckland", lang)
            [group] = self.groups(groupby=[spec], domain=domain)
            self.assertEqual(group[spec]["from"][:10], start)
        found = {}
        for lang in ("en_US", "fr_FR"):
            self.as_user("UTC", lang)
            groups = self.groups(groupby=["x_day:day_of_week"])
            days = [g["x_day:day_of_week"] for g in groups if g["x_day:day_of_week"]]
            found[lang] = days[0]["value"]
        self.assertEqual(found, {"en_US": 0, "fr_FR": 2})

    def test_the_reply_says_which_zone(self):
        self.as_user("Pacific/Auckland", "en_US")
        for spec, zone in (
            ("x_when:day", "Pacific/Auckland"), ("x_day:day", None),
            ("x_when:hour_number", "Pacific/Auckland"), ("x_user_id", None),
            ("create_date:day", "Pacific/Auckland"),
            ("x_user_id.create_date:day", "Pacific/Auckland"),
        ):  # fmt: skip
            with self.subTest(spec=spec):
                answer = self.ask(groupby=[spec])
                self.assertEqual(answer["value"].get("time_zone"), zone)

    def test_a_zone_that_was_asked_for(self):
        self.as_user("Pacific/Auckland", "en_US")
        domain, spec = [["x_name", "=", TIMES[0]]], "x_when:day"
        for zone, start in (
            ("America/Los_Angeles", "2025-12-31T00:00:00-08:00"),
            (None, "2026-01-01T00:00:00+13:00"),
        ):
            [group] = self.groups(groupby=[spec], domain=domain, context={"tz": zone})
            self.assertEqual(group[spec]["from"], start)
        for zone in ("Mars/Phobos", "", 1, True, [], {}, ["UTC"], "UTC'"):
            with self.subTest(zone=zone):
                self.check_refused(groupby=[spec], context={"tz": zone})

    def test_a_user_without_a_zone(self):
        self.person.tz = False
        [group] = self.groups(
            groupby=["x_when:day"], domain=[["x_name", "=", TIMES[0]]]
        )
        self.assertEqual(group["x_when:day"]["from"], "2025-12-31T00:00:00+00:00")

    def test_steps_that_there_are_not(self):
        for spec in (
            "x_when", "x_when:decade", "x_when:sum", "x_when:tz", "x_when:dow",
            "x_when:epoch", "x_ratio:day_of_week", "x_name:hour_number", "x_when:",
            "x_when:day:day", "x_when.day_of_week", "x_when:month') --", "x_no:day",
            "x_user_id:day_of_week", "x_user_id.password:day", "x_when:day_of_week.x",
        ):  # fmt: skip
            with self.subTest(spec=spec):
                kind = self.kind_of(self.ask(groupby=[spec]))
                self.assertIn(kind, (BAD, "unknown_field", "not_allowed"))


@tagged("post_install", "-at_install")
class TestAmountsOfGroups(DealCase):
    MEASURES = ("sum", "avg", "min", "max")

    def expected(self, deals, how, field="x_amount"):
        """What Odoo makes of it: by currency, and converted."""
        by, today = defaultdict(list), self.today()
        for deal in deals:
            by[deal.x_currency_id].append(deal[field])
        found, all_ = {}, []
        for currency, values in by.items():
            found[currency.name] = self.of(how, values)
            all_ += [
                currency._convert(value, self.own, self.company, today, round=False)
                for value in values
            ]
        return found, self.of(how, all_)

    @staticmethod
    def of(how, values):
        if how == "avg":
            return sum(values) / len(values)
        return {"sum": sum, "min": min, "max": max}[how](values)

    def test_one_currency(self):
        deals = self.deal(100, self.foreign) + self.deal(20, self.foreign)
        for how in self.MEASURES:
            for field in ("x_amount", "x_other"):
                with self.subTest(how=how, field=field):
                    [group] = self.groups([f"{field}:{how}"])
                    by, _all = self.expected(deals, how, field)
                    told = group[f"{field}:{how}"]
                    self.assertEqual(
                        told,
                        {
                            "amount": by[self.foreign.name],
                            "currency": self.foreign.name,
                        },
                    )

    def today(self):
        """Today in the time zone of the connection's user."""
        return Date.context_today(self.Deal.with_user(self.people["user"]))

    def test_several_currencies(self):
        deals = (
            self.deal(100) + self.deal(7, self.foreign) + self.deal(-3, self.foreign)
        )
        for how in self.MEASURES:
            for field in ("x_amount", "x_other"):
                for groupby in ([], ["x_name"], ["x_when:day_of_week"], ["x_when:day"]):
                    with self.subTest(how=how, field=field, groupby=groupby):
                        [group] = self.groups([f"{field}:{how}"], groupby)
                        self.assertEqual(group["__count"], 3)
                        told = group[f"{field}:{how}"]
                        by, all_ = self.expected(deals, how, field)
                        self.assertEqual(told["by_currency"], by)
                        self.assertAlmostEqual(told["amount"], all_)
                        self.assertEqual(told["currency"], self.own.name)
        facts = self.ask(["x_amount:sum"])["value"]
        today = self.today().isoformat()
        self.assertEqual(facts["converted"], {"currency": self.own.name, "date": today})

    def test_it_is_odoos_own_conversion(self):
        self.deal(100), self.deal(7, self.foreign)
        [row] = self.Deal.formatted_read_group([], [], ["x_amount:sum_currency"])
        for measure in ("x_amount:sum", "x_amount:sum_currency"):
            told = self.groups([measure])[0][measure]
            self.assertAlmostEqual(told["amount"], row["x_amount:sum_currency"])
            self.assertEqual(
                set(told["by_currency"]), {self.own.name, self.foreign.name}
            )

    def test_a_rate_of_the_companys_own_currency(self):
        """Odoo's sum_currency is in what has the rate 1; the reply is in the currency
        that it names."""
        self.env["res.currency.rate"].create(
            {
                "currency_id": self.own.id,
                "company_id": self.company.id,
                "name": "2020-01-01",
                "rate": 4.0,
            }
        )
        deals = self.deal(100) + self.deal(8, self.foreign)
        _by, all_ = self.expected(deals, "sum")
        told = self.groups(["x_amount:sum"])[0]["x_amount:sum"]
        self.assertAlmostEqual(told["amount"], all_)
        self.assertAlmostEqual(told["amount"], 140)
        for least, count in ((139, 1), (141, 0)):
            having = [["x_amount:sum", ">", least]]
            groups = self.groups(["x_amount:sum"], ["x_name"], having=having)
            self.assertEqual(len(groups), count)

    def test_each_group_by_itself(self):
        self.deal(1, x_name="one"), self.deal(2, self.foreign, x_name="other")
        self.deal(4, x_name="both"), self.deal(8, self.foreign, x_name="both")
        found = {
            group["x_name"]: group["x_amount:sum"]
            for group in self.groups(["x_amount:sum"], ["x_name"])
        }
        self.assertEqual(found["one"], {"amount": 1, "currency": self.own.name})
        self.assertEqual(found["other"], {"amount": 2, "currency": self.foreign.name})
        self.assertEqual(
            found["both"]["by_currency"], {self.own.name: 4, self.foreign.name: 8}
        )
        self.assertAlmostEqual(found["both"]["amount"], 14)
        answer = self.ask(["x_amount:sum"], ["x_name"])["value"]
        names = sorted([self.own.name, self.foreign.name])
        self.assertEqual(answer["currencies"], names)
        answer = self.ask(["x_amount:sum_currency"], ["x_name"])["value"]
        self.assertNotIn("currencies", answer)
        groups = self.groups(["x_amount:sum"], ["x_name", "x_currency_id"])
        self.assertEqual(len(groups), 4)
        for group in groups:
            told = group["x_amount:sum"]
            self.assertEqual(told["currency"], group["x_currency_id"][1])
            self.assertNotIn("by_currency", told)

    def test_pages_are_split_as_well(self):
        """Every group of every page, whatever the groups are by: those that are asked
        for again are found again."""
        for number, when in enumerate([*TIMES, False]):
            for currency in (self.own, self.foreign):
                self.deal(number + 1, currency, x_when=when, x_user_id=False)
        self.deal(50, x_user_id=self.person.id, x_when=TIMES[0])
        for how in (*READ_GROUP_TIME_GRANULARITY, *READ_GROUP_NUMBER_GRANULARITY):
            for groupby in ([f"x_when:{how}"], ["x_user_id", f"x_when:{how}"]):
                whole = self.groups(["x_amount:sum", "x_other:avg"], groupby)
                paged = []
                for offset in range(len(whole)):
                    more = {"limit": 1, "offset": offset}
                    paged += self.groups(
                        ["x_amount:sum", "x_other:avg"], groupby, **more
                    )
                with self.subTest(groupby=groupby):
                    self.assertEqual(paged, whole)
                    for group in whole:
                        if group["__count"] > 1:
                            told = group["x_amount:sum"]
                            self.assertEqual(len(told["by_currency"]), 2, group)

    def test_numbers_that_are_no_amounts_are_left_alone(self):
        self.deal(1, x_ratio=0.5), self.deal(1, self.foreign, x_ratio=0.25)
        [group] = self.groups(["x_ratio:sum", "x_ratio:avg", "x_amount:count"])
        self.assertEqual(
            (group["x_ratio:sum"], group["x_ratio:avg"], group["x_amount:count"]),
            (0.75, 0.375, 2),
        )

    def test_no_currency_and_no_rate(self):
        self.deal(100)
        for currency, name in ((self.xaf, "XAF"), (self.usd.browse(), "none")):
            other = self.deal(5, currency)
            for how in self.MEASURES:
                with self.subTest(name=name, how=how):
                    answer = self.ask([f"x_amount:{how}"])["value"]
                    told = answer["groups"][0][f"x_amount:{how}"]
                    self.assertIsNone(told["amount"])
                    self.assertEqual(told["by_currency"], {self.own.name: 100, name: 5})
                    self.assertEqual(answer["no_rate"], [name])
            other.unlink()
        self.Deal.search([]).unlink()
        self.deal(5, self.usd.browse())
        [group] = self.groups(["x_amount:sum"])
        self.assertEqual(group["x_amount:sum"], {"amount": 5, "currency": None})

    def test_nothing_to_add_up(self):
        for measure in ("x_amount:sum", "x_other:avg", "x_amount:sum_currency"):
            [group] = self.groups([measure])
            self.assertEqual((group["__count"], group[measure]), (0, None))
            self.assertEqual(self.groups([measure], ["x_name"]), [])

    def test_order(self):
        """100 of the foreign currency are worth 125, and more than 110 of the own."""
        self.deal(110, x_name="own"), self.deal(100, self.foreign, x_name="foreign")
        for measure in ("x_amount:sum", "x_amount:sum_currency"):
            groups = self.groups([measure], ["x_name"], order=f"{measure} desc")
            self.assertEqual([g["x_name"] for g in groups], ["foreign", "own"])
            # Also by one that is not among the measures.
            groups = self.groups([], ["x_name"], order=f"{measure} asc, x_name")
            self.assertEqual([g["x_name"] for g in groups], ["own", "foreign"])
        for measure in ("x_amount:avg", "x_amount:min", "x_amount:max", "x_other:sum"):
            with self.subTest(measure=measure):
                order = f"{measure} desc"
                error = self.check_refused([measure], ["x_name"], order=order)
                self.assertIn("several currencies", error["message"])
                self.check_refused([], ["x_name"], order=order)
                # Of one currency there is nothing to mix.
                domain = [["x_currency_id", "=", self.own.id]]
                more = {"order": order, "domain": domain}
                self.assertEqual(len(self.groups([measure], ["x_name"], **more)), 1)

    def test_having(self):
        self.deal(110, x_name="own"), self.deal(100, self.foreign, x_name="foreign")
        for measure in ("x_amount:sum", "x_amount:sum_currency"):
            for having, names in (
                ([[measure, ">", 120]], ["foreign"]),
                ([[measure, "<=", 120]], ["own"]),
                (["|", [measure, "in", [110]], ["__count", ">", 5]], ["own"]),
                (["!", [measure, ">", 120]], ["own"]),
            ):
                with self.subTest(measure=measure, having=having):
                    groups = self.groups([measure], ["x_name"], having=having)
                    self.assertEqual([g["x_name"] for g in groups], names)
        for measure in ("x_amount:avg", "x_amount:max", "x_other:sum"):
            having = [[measure, ">", 1]]
            self.check_refused([measure], ["x_name"], having=having)

    def test_as_plain_numbers(self):
        """For code that asks as of Odoo: a number stays one, or is refused."""
        self.deal(100, x_name="own"), self.deal(7, self.foreign, x_name="foreign")
        for how in self.MEASURES:
            with self.subTest(how=how):
                for field in ("x_amount", "x_other"):
                    error = self.check_refused([f"{field}:{how}"], facts=False)
                    for name in (self.own.name, self.foreign.name):
                        self.assertIn(name, error["message"])
                measure = f"x_amount:{how}"
                rows = self.ask([measure], ["x_name"], facts=False)["value"]
                self.assertEqual([row[measure] for row in rows], [7, 100])
        [row] = self.ask(["x_amount:sum_currency"], facts=False)["value"]
        self.assertAlmostEqual(row["x_amount:sum_currency"], 108.75)
        self.check_refused(["x_other:sum_currency"], facts=False)

    def test_what_is_no_amount_is_not_converted(self):
        for measure in (
            "x_ratio:sum_currency", "x_name:sum_currency", "x_when:sum_currency",
            "id:sum_currency", "x_user_id:sum_currency", "x_amount:avg_currency",
            "x_amount:sum_currencies", "x_currency_id.rate:sum_currency",
        ):  # fmt: skip
            with self.subTest(measure=measure):
                self.check_refused([measure])

    def test_too_many_to_look_at(self):
        self.deal(1), self.deal(2), self.deal(3)
        self.patch(currencies, "MAX_LOOKED_AT", 2)
        error = self.check_refused(["x_other:sum"], kind="too_large")
        self.assertIn("x_worked_out_id", error["message"])
        self.assertEqual(self.groups(["x_amount:sum"])[0]["x_amount:sum"]["amount"], 6)
        # Where there is but one, there is nothing to tell apart.
        others = self.env["res.currency"].search([("id", "!=", self.own.id)])
        companies = self.env["res.company"].search([])
        (others - companies.currency_id).active = False
        if len(self.env["res.currency"].search([])) == 1:
            told = self.groups(["x_other:sum"])[0]["x_other:sum"]
            self.assertEqual(told, {"amount": 6, "currency": self.own.name})

    # ---- what may not be learnt that way ----

    def test_currencies_of_others_are_not_told(self):
        self.deal(100, x_user_id=self.person.id)
        self.deal(7, self.foreign, x_user_id=self.people["user2"].id)
        self.rule("[('x_user_id', '=', user.id)]")
        for measure in ("x_amount:sum", "x_other:sum", "x_amount:sum_currency"):
            for more in ({}, {"groupby": ["x_name"]}, {"domain": [["id", ">", 0]]}):
                with self.subTest(measure=measure, more=more):
                    answer = self.ask([measure], **more)
                    self.assertNotIn(self.foreign.name, str(answer))
                    self.assertEqual(answer["value"]["groups"][0]["__count"], 1)
        # Nor by what may not be sorted by: of one's own there is one currency.
        order = "x_amount:avg desc"
        self.assertEqual(len(self.groups([], ["x_name"], order=order)), 1)

    def test_a_currency_that_may_not_be_read(self):
        self.deal(100), self.deal(7, self.foreign)
        field = self.Deal._fields["x_currency_id"]
        self.patch(field, "groups", "base.group_system")
        for measure in ("x_amount:sum", "x_amount:max", "x_amount:sum_currency"):
            answer = self.ask([measure])
            self.assertEqual(self.kind_of(answer), "forbidden")
            self.assertNotIn(self.foreign.name, str(answer))
            self.assertEqual(
                self.kind_of(self.ask([], ["x_name"], order=measure)), "forbidden"
            )

    def test_an_amount_that_may_not_be_read(self):
        self.deal(100)
        self.patch(self.Deal._fields["x_amount"], "groups", "base.group_system")
        for more in (
            {"measures": ["x_amount:sum"]}, {"measures": ["x_amount:sum_currency"]},
            {"groupby": ["x_name"], "order": "x_amount:sum"},
            {"domain": [["x_amount", ">", 5]]}, {"groupby": ["x_amount"]},
        ):  # fmt: skip
            with self.subTest(more=more):
                self.assertEqual(self.kind_of(self.ask(**more)), "forbidden")

    def test_a_company_that_is_not_theirs(self):
        self.deal(100)
        company = self.env["res.company"].create({"name": "Not theirs"})
        for ids in ([company.id], [self.company.id, company.id], [0], [True], "all"):
            with self.subTest(ids=ids):
                answer = self.ask(
                    ["x_amount:sum_currency"], context={"allowed_company_ids": ids}
                )
                self.assertEqual(self.kind_of(answer), "not_allowed")

    def test_models_that_are_not_allowed(self):
        self.deal(100)
        self.allow_models(NAME)
        self.assertEqual(len(self.groups(["x_amount:sum"], ["x_when:hour_number"])), 1)
        for groupby in (
            "x_user_id.create_date:day_of_week", "x_user_id.login_date:hour_number",
            "x_currency_id.create_date:day", "x_company_id.create_date:month_number",
        ):  # fmt: skip
            with self.subTest(groupby=groupby):
                self.check_refused(groupby=[groupby], kind="not_allowed")
