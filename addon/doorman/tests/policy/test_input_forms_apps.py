"""Forms of values of types that no field of the base modules has: amounts, times."""

from odoo.fields import Command
from odoo.tests import tagged

from ..common import WriteCase

BAD = "invalid_input"


@tagged("post_install", "-at_install")
class TestInputFormsOfApps(WriteCase):
    def setUp(self):
        super().setUp()
        user, admin = self.people["user"], self.env.ref("base.user_admin")
        user.group_ids = [Command.link(group.id) for group in admin.group_ids]
        user.tz = "Europe/Brussels"

    def test_amounts(self):
        if "crm.lead" not in self.env:
            self.skipTest("crm is not installed")
        lead = self.env["crm.lead"].create({"name": "x", "expected_revenue": 1})
        own = lead.company_currency
        currencies = self.env["res.currency"].with_context(active_test=False)
        other = currencies.search([("id", "!=", own.id)], limit=1)
        for value, held in (
            (5, 5), ("7.5", 7.5), ({"amount": 8, "currency": own.name}, 8),
            ({"amount": "9.5", "currency": own.id}, 9.5), ({"amount": 3}, 3),
            ({"amount": 4, "currency": {"id": own.id, "name": own.name}}, 4),
            ({"amount": 6, "currency": [own.id, own.name]}, 6), (None, 0), ("", 0),
            (f'{{"amount": 2, "currency": "{own.name}"}}', 2),
        ):  # fmt: skip
            with self.subTest(value=value):
                answer = self.write(lead, {"expected_revenue": value})
                self.assertIn("value", answer)
                self.assertEqual(lead.expected_revenue, held)
        lead.expected_revenue = 1
        for value in (
            {"amount": 5, "currency": other.name}, {"amount": 5, "currency": other.id},
            {"amount": 5, "currency": "???"}, {"currency": own.name}, {},
            {"amount": "5,5", "currency": own.name}, {"amount": {}}, {"amount": True},
            {"amount": 5, "currency": own.name, "more": 1}, [5, own.name], "5,5", "€5",
        ):  # fmt: skip
            with self.subTest(value=value):
                answer = self.write(lead, {"expected_revenue": value})
                self.assertEqual(self.kind_of(answer), BAD)
                self.assertIn("crm.lead.expected_revenue", answer["error"]["message"])
                self.assertEqual(lead.expected_revenue, 1)
        value = {"amount": 5, "currency": other.name}
        error = self.write(lead, {"expected_revenue": value})["error"]
        self.assertIn(own.name, error["message"])
        self.assertIn(other.name, error["message"])
        # Of a new record, by what Odoo would fill in.
        for currency, kind in ((own.name, "ok"), (other.name, BAD)):
            vals = {"name": "y", "expected_revenue": value | {"currency": currency}}
            self.assertEqual(self.kind_of(self.create(vals, model="crm.lead")), kind)

    def test_times(self):
        if "calendar.event" not in self.env:
            self.skipTest("calendar is not installed")
        event = self.env["calendar.event"].create(
            {"name": "x", "start": "2026-01-01 10:00:00", "stop": "2026-01-01 11:00:00"}
        )
        for value, held in (
            ("2026-12-01", "2026-11-30 23:00:00"),
            ("2026-12-01T10:30+01:00", "2026-12-01 09:30:00"),
            ("2026-12-01T10:30:00Z", "2026-12-01 10:30:00"),
            ("2026-12-01 10:30", "2026-12-01 10:30:00"),
        ):
            with self.subTest(value=value):
                answer = self.write(event, {"start": value, "stop": "2027-01-01"})
                self.assertIn("value", answer)
                self.assertEqual(str(event.start), held)
        for value in ("tomorrow", "01.12.2026", 20261201, {}, [], True, "10:30"):
            with self.subTest(value=value):
                answer = self.write(event, {"start": value})
                self.assertEqual(self.kind_of(answer), BAD)
                self.assertIn("calendar.event.start", answer["error"]["message"])

    def test_whole_days(self):
        """Of an event that takes all day, a time is the day as it was written: Odoo's
        own calendar shows the day that it is in UTC."""
        if "calendar.event" not in self.env:
            self.skipTest("calendar is not installed")
        event = self.env["calendar.event"].create(
            {"name": "x", "start": "2026-01-01 10:00:00", "stop": "2026-01-01 11:00:00"}
        )
        for zone in ("Europe/Brussels", "Pacific/Auckland", "America/New_York", False):
            self.people["user"].tz = zone
            for start in ("2026-12-08", "2026-12-08T00:00+01:00", "2026-12-08 23:30"):
                with self.subTest(zone=zone, start=start):
                    vals = {"name": "y", "start": start, "stop": "2026-12-09"}
                    answer = self.create(
                        vals | {"allday": "true"}, model="calendar.event"
                    )
                    made = event.browse(answer["value"]["ids"])
                    days = str(made.start_date), str(made.stop_date)
                    self.assertEqual(days, ("2026-12-08", "2026-12-09"))
                    vals = {"start": "2026-12-10", "stop": "2026-12-10"}
                    self.assertIn("value", self.write(made, vals))
                    self.assertEqual(str(made.start_date), "2026-12-10")
                    self.assertEqual(str(made.stop_date), "2026-12-10")
        # Where it takes no whole day, or will not any more, a date is its midnight.
        self.people["user"].tz = "Europe/Brussels"
        for one, vals in ((event, {}), (made, {"allday": False})):
            vals = {"start": "2026-12-08", "stop": "2026-12-09"} | vals
            self.assertIn("value", self.write(one, vals))
            self.assertEqual(str(one.start), "2026-12-07 23:00:00")
