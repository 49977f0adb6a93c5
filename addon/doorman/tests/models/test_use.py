import random
import threading
from datetime import timedelta
from unittest.mock import patch

from odoo import api, fields
from odoo.fields import Command
from odoo.tests import tagged

from ...models.audit import doorman_use, loose_many2one
from ..at_once_common import AtOnceCase
from ..common import ENDLESS, DoormanCase

# What counting says, in the columns of the views.
COUNTED_DAYS = """
    SELECT time::date, company_id, outcome, count(*), sum(count), sum(COALESCE(rows, 0))
      FROM doorman_audit GROUP BY 1, 2, 3
"""
COUNTED_CONNECTIONS = """
    SELECT time::date, connection_id, user_id, company_id, outcome, count(*),
           sum(count), sum(COALESCE(rows, 0)),
           sum(CASE WHEN method IN ('tools/call', 'resources/read')
                     AND said IS NOT TRUE
                     AND NOT (outcome = 'refused' AND COALESCE(reason, '') IN (
                         'unauthenticated', 'forbidden', 'rate_limited'))
                    THEN count ELSE 0 END)
      FROM doorman_audit WHERE connection_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5
"""
SHOWN_DAYS = """
    SELECT day, company_id, outcome, sum(entries), sum(requests), sum(rows)
      FROM doorman_use_day GROUP BY 1, 2, 3
"""
SHOWN_CONNECTIONS = """
    SELECT day, connection_id, user_id, company_id, outcome, sum(entries),
           sum(requests), sum(rows), sum(charged)
      FROM doorman_use_connection GROUP BY 1, 2, 3, 4, 5
"""


def compare(test, cr):
    """What the views say is what counting the audit says."""
    for counted, shown in (
        (COUNTED_DAYS, SHOWN_DAYS),
        (COUNTED_CONNECTIONS, SHOWN_CONNECTIONS),
    ):
        cr.execute(counted)
        expected = set(cr.fetchall())
        cr.execute(shown)
        test.assertEqual(set(cr.fetchall()), expected)


def rest(cr):
    cr.execute("SELECT count(*) FROM doorman_audit_rest()")
    return cr.fetchone()[0]


@tagged("post_install", "-at_install")
class TestUse(DoormanCase):
    """The sums, and what is not in them yet."""

    def setUp(self):
        super().setUp()
        audit = type(self.env["doorman.audit"])
        self.startPatcher(patch.object(audit, "_window", lambda _: (ENDLESS, ENDLESS)))
        self.audit = self.env["doorman.audit"]
        self.draw = random.Random(self._testMethodName)  # noqa: S311

    def _write(self, number):
        draw = self.draw
        now = fields.Datetime.now()
        for _ in range(number):
            connection = draw.choice([self.connection, self.connection2, None])
            if connection and not connection.exists():
                connection = None
            self.audit._insert(
                {
                    "time": now - timedelta(hours=draw.randrange(24 * 60)),
                    "connection_id": connection and connection.id,
                    "connection_name": connection and connection.name,
                    "user_id": connection and connection.user_id.id,
                    "company_id": draw.choice([None, self.company.id]),
                    "method": draw.choice(
                        ["tools/call", "resources/read", "tools/list", None]
                    ),
                    "outcome": draw.choice(["ok", "error", "refused", "pending"]),
                    "reason": draw.choice([None, "", "forbidden", "not_allowed"]),
                    "said": draw.choice([None, True, False]),
                    "rows": draw.choice([None, 0, 7]),
                    "count": draw.choice([1, 1, 30]),
                }
            )

    def test_it_says_what_counting_says(self):
        compare(self, self.env.cr)
        for turn in range(12):
            with self.subTest(turn=turn):
                self._write(self.draw.randrange(60))
                compare(self, self.env.cr)
                self.audit._fold(self.draw.choice([1, 25, 10_000]))
                compare(self, self.env.cr)
                self.audit._purge(self.draw.choice([20, 40]), 30)
                compare(self, self.env.cr)
                if turn == 8:
                    self.connection2.unlink()
                    compare(self, self.env.cr)

    def test_what_is_made_anew_is_the_same(self):
        self._write(100)
        self.audit._fold(60)
        left = rest(self.env.cr)
        self.audit._rebuild_sums()
        compare(self, self.env.cr)
        self.assertEqual(rest(self.env.cr), left)
        self.audit._count_as_folded()
        compare(self, self.env.cr)
        self.assertEqual(rest(self.env.cr), 0)

    def test_folding_adds_each_row_once(self):
        self.audit._fold(100_000)
        self._write(50)
        self.assertEqual(self.audit._fold(30), 30)
        self.assertEqual(rest(self.env.cr), 20)
        self.assertEqual(self.audit._fold(30), 20)
        self.assertEqual(self.audit._fold(30), 0)

    def test_sums_of_days_that_are_gone_go(self):
        self._write(50)
        self.audit._fold(100_000)
        self.audit._purge(1, 100_000)
        since = fields.Date.today() - timedelta(days=1)
        for model in ("doorman.use.day", "doorman.use.connection"):
            self.assertFalse(self.env[model].search([("day", "<", since)]))

    def test_the_limits_of_the_day(self):
        """As they are with nothing folded, and with everything."""
        for fold in (False, True):
            with self.subTest(fold=fold):
                before = self.audit._used_today(self.connection.id)
                rows = self.audit._rows_today(self.connection.id)
                for ago, connection in ((0, 1), (2, 1), (0, 2)):
                    self.audit._insert(
                        {
                            "time": fields.Datetime.now() - timedelta(days=ago),
                            "connection_id": (
                                self.connection if connection == 1 else self.connection2
                            ).id,
                            "method": "tools/call",
                            "outcome": "ok",
                            "rows": 5,
                            "count": 3,
                        }
                    )
                if fold:
                    self.audit._fold(100_000)
                used = self.audit._used_today(self.connection.id)
                self.assertEqual(used - before, 3)
                self.assertEqual(self.audit._rows_today(self.connection.id) - rows, 5)

    def test_counters_and_overview(self):
        self.env.cr.execute("DELETE FROM doorman_audit")
        self.audit._rebuild_sums()
        for outcome, count in (("ok", 2), ("refused", 30), ("error", 1)):
            self.audit._insert(
                {
                    "connection_id": self.connection.id,
                    "connection_name": self.connection.name,
                    "user_id": self.people["user"].id,
                    "company_id": self.company.id,
                    "method": "tools/call",
                    "outcome": outcome,
                    "reason": "",
                    "count": count,
                }
            )
        today, company = fields.Date.today(), self.company
        day = self.env["doorman.use.day"].with_user(self.people["admin"])
        use = self.env["doorman.use.connection"].with_user(self.people["admin"])
        for fold in (False, True):
            with self.subTest(fold=fold):
                if fold:
                    self.audit._fold(100_000)
                self.env.invalidate_all()
                self.assertEqual(
                    day._per_outcome(), {"ok": 2, "refused": 30, "error": 1}
                )
                self.assertEqual(
                    sorted(day._series(today)),
                    [
                        (today, company, "error", 1),
                        (today, company, "ok", 2),
                        (today, company, "refused", 30),
                    ],
                )
                self.assertEqual(use._top(today), [(self.connection, 33)])
                self.assertEqual(self.settings.request_count, 33)
                self.assertEqual(self.settings.refused_count, 30)
                for role in ("user", "admin"):
                    shown = self.connection.with_user(self.people[role])
                    self.assertEqual(shown.audit_count, 3)

    def test_the_busiest_are_those_that_counting_finds(self):
        """However few are looked at, and with part of it not in the sums yet."""
        chance = self.draw
        many = [self._connect("user", name=f"Busy {n}") for n in range(8)]
        today, fast = fields.Date.today(), 0
        use = self.env["doorman.use.connection"].with_user(self.people["admin"])
        for turn in range(12):
            self.env.cr.execute("DELETE FROM doorman_audit")
            self.audit._rebuild_sums()
            for n in range(60):
                connection = chance.choice(many)
                self.used(
                    connection,
                    ago=chance.randrange(9),
                    outcome=chance.choice(("ok", "ok", "refused", "pending")),
                    count=chance.choice((1, 2, 5, 40)) * (1 + many.index(connection)),
                    company_id=self.company.id,
                )
                if n == 40:
                    self.audit._fold(100_000)
            since = today - timedelta(days=6)
            found = use._read_group(
                [("day", ">=", since)], ["connection_id"], ["requests:sum"]
            )
            counted = dict(found)
            for leaders in ((1,), (1, 2), (3,), (100,)):
                with (
                    patch.object(doorman_use, "LEADERS", leaders),
                    self.subTest(turn=turn, leaders=leaders),
                ):
                    top = use._top(since, limit=3)
                    self.assertEqual(
                        [requests for _connection, requests in top],
                        sorted(counted.values(), reverse=True)[:3],
                    )
                    for connection, requests in top:
                        self.assertEqual(requests, counted[connection])
                    rows = use._leaders(since, leaders[0], 3)
                    fast += len(rows) == 3 and rows[-1][1] > rows[-1][2]
        # Some of it without counting all.
        self.assertGreater(fast, 12)

    def test_names_are_searched_for_as_odoo_does(self):
        """With ids that are looked up first, and with a join."""
        self._write(60)
        self.connection2.active = False
        who = self.people["admin"]
        for model in ("doorman.audit", "doorman.use.connection"):
            records = self.env[model].with_user(who)
            for leaf in (
                ("connection_id", "ilike", self.connection.name),
                ("connection_id", "ilike", "TOOL OF"),
                ("connection_id", "=like", "Tool of user_"),
                ("connection_id", "ilike", "nobody's"),
                ("connection_id", "ilike", ""),
                ("connection_id", "not ilike", self.connection.name),
                ("user_id", "ilike", "Test user"),
            ):
                for domain in ([leaf], ["!", leaf], ["|", leaf, ("id", "=", 0)]):
                    with self.subTest(model=model, domain=domain):
                        found = records.search(domain)
                        with patch.object(loose_many2one, "MOST_NAMED", -1):
                            self.assertEqual(records.search(domain), found)
        found = records.search([("connection_id", "ilike", self.connection.name)])
        self.assertTrue(found)

    def test_lists_and_groups_of_what_is_gone(self):
        self._write(20)
        may_export = self.env.ref("base.group_allow_export")
        self.people["admin"].write({"group_ids": [Command.link(may_export.id)]})
        ident = self.connection.id
        self.connection.unlink()
        spec = {"connection_id": {"fields": {"display_name": {}}}}
        for model in ("doorman.audit", "doorman.use.connection"):
            for fold in (False, True):
                with self.subTest(model=model, fold=fold):
                    if fold:
                        self.audit._fold(100_000)
                    records = self.env[model].with_user(self.people["admin"])
                    domain = [("connection_id", "=", ident)]
                    found = records.web_search_read(domain, spec)["records"]
                    self.assertTrue(found)
                    self.assertEqual({r["connection_id"] for r in found}, {False})
                    [group] = records.web_read_group(
                        domain, ["connection_id"], ["__count"]
                    )["groups"]
                    self.assertEqual(
                        group["connection_id"], (ident, f"Deleted ({ident})")
                    )
                    self.assertEqual(group["__extra_domain"], domain)
                    records.search(domain).export_data(["connection_id"])

    def test_a_database_that_was_moved(self):
        """From a server that had come further: its numbers are of the future here."""
        self.audit._fold(100_000)
        self.env.cr.execute(
            "UPDATE doorman_audit_mark SET floor_id = 0, next_id = NULL, "
            "next_xid = NULL, top_id = (SELECT COALESCE(max(id), 0) FROM doorman_audit)"
        )
        self._write(5)  # in the sums
        self.audit._fold(100)
        self._write(4)  # not yet
        far = 2**62
        self.env.cr.execute(
            """
            UPDATE doorman_audit
               SET xid = (xid::text::bigint + %(far)s)::text::xid8
             WHERE xid IS NOT NULL;
            UPDATE doorman_audit_mark
               SET xid = (xid::text::bigint + %(far)s)::text::xid8
            """,
            {"far": far},
        )
        self.assertEqual(rest(self.env.cr), 4)
        self._write(3)  # here
        window = (str(2**61), str(2**61))
        with patch.object(type(self.audit), "_window", lambda _: window):
            self.assertEqual(self.audit._fold(100), 7)
            self.assertEqual(self.audit._fold(100), 0)
        compare(self, self.env.cr)


@tagged("post_install", "-at_install")
class TestUseAtOnce(AtOnceCase):
    """Transactions that commit in another order than they began in."""

    def _fold(self):
        return self._alone(lambda env: env["doorman.audit"]._fold(100_000))

    def _check(self, expected=None):
        with self.registry.cursor() as cr:
            compare(self, cr)
            cr.execute(
                "SELECT count(*) FROM doorman_audit_rest() WHERE request_id = %s",
                [self.name],
            )
            if expected is not None:
                self.assertEqual(cr.fetchone()[0], expected)

    def test_who_commits_late_is_not_left_out(self):
        self._fold()
        with self.registry.cursor() as late:
            self._insert(api.Environment(late, api.SUPERUSER_ID, {}))
            self._alone(self._insert)
            # Also the floor waits, as often as the job runs.
            for _ in range(6):
                self._fold()
                self._check(1)
                self._alone(self._insert)
                self._alone(
                    lambda env: env.cr.execute(
                        "DELETE FROM doorman_audit WHERE request_id = %s "
                        "AND id = (SELECT max(id) FROM doorman_audit)",
                        [self.name],
                    )
                )
            late.commit()
        self._check(2)
        self._fold()
        self._check(0)

    def test_the_floor_follows(self):
        self._alone(self._insert)
        with self.registry.cursor() as cr:
            cr.execute("SELECT max(id) FROM doorman_audit")
            last = cr.fetchone()[0]
        for _ in range(4):
            self._fold()
        with self.registry.cursor() as cr:
            cr.execute("SELECT floor_id FROM doorman_audit_mark")
            self.assertGreaterEqual(cr.fetchone()[0], last)

    def test_many_writers_and_jobs(self):
        writers, each, errors = 6, 25, []
        running = threading.Event()

        def guarded(work):
            try:
                work()
            except Exception as error:  # noqa: BLE001  (told by the test)
                errors.append(error)

        def write():
            for number in range(each):
                with self.registry.cursor() as cr:
                    env = api.Environment(cr, api.SUPERUSER_ID, {})
                    self._insert(env)
                    if number % 5 == 0:
                        self._insert(env)
                        cr.rollback()

        def fold():
            while not running.is_set():
                self._fold()

        threads = [
            threading.Thread(target=guarded, args=(write,)) for _ in range(writers)
        ]
        jobs = [threading.Thread(target=guarded, args=(fold,)) for _ in range(2)]
        for thread in threads + jobs:
            thread.start()
        for thread in threads:
            thread.join()
        running.set()
        for thread in jobs:
            thread.join()
        self.assertFalse(errors)
        self._fold()
        self._check(0)
        with self.registry.cursor() as cr:
            cr.execute(
                "SELECT count(*) FROM doorman_audit WHERE request_id = %s", [self.name]
            )
            self.assertEqual(cr.fetchone()[0], writers * (each - each // 5))
