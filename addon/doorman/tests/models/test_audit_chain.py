import hashlib
import json
import threading
from datetime import timedelta

from psycopg2.errors import SerializationFailure

from odoo import api, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import tagged

from ..at_once_common import AtOnceCase
from ..common import ROLES, DoormanCase

ZERO = "00" * 32


def follow(lines, digest=ZERO):
    """:return: the digest after the lines, worked out as any other program would: by
    the canonical form of RFC 8785"""
    for line in lines:
        link = json.loads(line)
        row = json.dumps(
            link["row"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        digest = hashlib.sha256(bytes.fromhex(digest) + row.encode()).hexdigest()
    return digest


@tagged("post_install", "-at_install")
class TestAuditChain(DoormanCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.audit = cls.env["doorman.audit"]
        cls.reader = cls.audit.with_user(cls.people["auditor"])

    def _rows(self, count=6, **values):
        for number in range(count):
            self.audit._insert(
                {
                    "company_id": self.company.id,
                    "method": "tools/call",
                    "tool": "search_records",
                    "outcome": "ok",
                    "client": 'Ä "quoted" \\ \u2028 \x7f line',
                    "duration_ms": number,
                    "count": 1,
                    "message": "Anna Example",
                    "request_payload": '{"name": "Anna"}',
                    **values,
                }
            )

    def _chained(self, count=6):
        self._rows(count)
        self.audit._extend_chain(100_000)
        return self.reader.api_export(0, 5_000)

    def _problem(self, **arguments):
        found = self.reader.api_verify(**arguments)["problem"]
        return found and (found["what"], found["n"])

    def _sql(self, query, *values):
        self.env.cr.execute(query, values)

    def test_any_program_comes_to_the_same_digests(self):
        found = self._chained()
        links = [json.loads(line) for line in found["lines"]]
        self.assertEqual([link["n"] for link in links], list(range(1, len(links) + 1)))
        self.assertEqual(follow(found["lines"]), found["head"]["digest"])
        self.assertEqual(links[-1]["digest"], found["head"]["digest"])
        self.assertEqual(found["last"], found["head"]["n"])
        self.assertEqual(found["before"], {"n": 0, "digest": ZERO})
        rest = self.reader.api_export(2, 5_000)
        self.assertEqual(rest["before"], {"n": 2, "digest": links[1]["digest"]})
        self.assertEqual(rest["lines"], found["lines"][2:])
        after = self.reader.api_export(10**9, 5_000)
        self.assertEqual((after["lines"], after["before"]), ([], found["head"]))
        self.assertEqual(self._problem(), None)

    def test_it_is_the_row(self):
        """Each column's value is in the line, but for what can be erased."""
        self._rows(1, seen=["res.partner,3", "res.partner,1"], seen_cut=True)
        self.audit._extend_chain(100_000)
        row = json.loads(self.reader.api_export(0, 5_000)["lines"][-1])["row"]
        self._sql("SELECT * FROM doorman_audit WHERE id = %s", row["id"])
        [stored] = self.env.cr.dictfetchall()
        for erasable in ("message", "words", "request_payload", "response_payload"):
            stored.pop(erasable)
        stored.pop("xid")
        content = row.pop("content")
        self.assertRegex(content, r"^[0-9a-f]{64}$")
        stored["time"] = stored["time"].isoformat(timespec="microseconds") + "Z"
        self.assertEqual(row, stored)

    def test_runs_are_bounded_and_leave_nothing_out(self):
        self.audit._extend_chain(100_000)
        self._rows(7)
        done = [self.audit._extend_chain(3) for _turn in range(4)]
        self.assertEqual(done, [3, 3, 1, 0])
        self.assertEqual(self._problem(), None)

    def test_what_was_done_to_it_is_named(self):
        """The first place where it no longer holds."""
        n = self._chained(8)["head"]["n"] - 4
        changes = {
            "a changed column": (
                "changed",
                n,
                "UPDATE doorman_audit SET tool = 'x' WHERE id = %(id)s",
            ),
            "a changed id of a record": (
                "changed",
                n,
                "UPDATE doorman_audit SET seen = ARRAY['res.partner,7'] "
                "WHERE id = %(id)s",
            ),
            "a changed message": (
                "content_changed",
                n,
                "UPDATE doorman_audit SET message = 'x' WHERE id = %(id)s",
            ),
            "a message that came later": (
                "content_changed",
                n,
                "UPDATE doorman_audit_link SET salt = NULL WHERE n = %(n)s",
            ),
            "a removed row": (
                "removed",
                n,
                "DELETE FROM doorman_audit WHERE id = %(id)s",
            ),
            "a row removed with its link": (
                "link_removed",
                n,
                "DELETE FROM doorman_audit WHERE id = %(id)s; "
                "DELETE FROM doorman_audit_link WHERE n = %(n)s",
            ),
            "the last links removed": (
                "link_removed",
                n,
                "DELETE FROM doorman_audit_link WHERE n >= %(n)s",
            ),
            "two rows in each other's place": (
                "changed",
                n,
                "UPDATE doorman_audit_link SET audit_id = -n WHERE n BETWEEN %(n)s AND "
                "%(n)s + 1; "
                "UPDATE doorman_audit_link SET audit_id = CASE n WHEN %(n)s "
                "THEN %(next)s ELSE %(id)s END WHERE audit_id < 0",
            ),
            "an inserted row": (
                "inserted",
                None,
                "UPDATE doorman_audit_chain SET floor_id = %(floor)s; "
                "INSERT INTO doorman_audit (id, time, outcome) "
                "VALUES (%(free)s, now(), 'ok')",
            ),
        }
        self._sql("SELECT audit_id FROM doorman_audit_link WHERE n >= %s ORDER BY n", n)
        ident, following = (row[0] for row in self.env.cr.fetchmany(2))
        self._sql("SELECT nextval('doorman_audit_id_seq')")
        free = self.env.cr.fetchone()[0]
        values = {"n": n, "id": ident, "next": following, "free": free, "floor": free}
        for name, (what, where, change) in changes.items():
            with self.subTest(change=name), self.env.cr.savepoint() as savepoint:
                self.env.cr.execute(change, values)
                self.assertEqual(self._problem(), (what, where))
                savepoint.rollback()
        self.assertEqual(self._problem(), None)

    def test_a_chain_that_was_made_anew_is_not_the_one_that_left(self):
        head = self._chained()["head"]
        self.assertEqual(self._problem(head=head), None)
        n = head["n"] - 3
        self._sql(
            "UPDATE doorman_audit SET tool = 'x' WHERE id = "
            "(SELECT audit_id FROM doorman_audit_link WHERE n = %s)",
            n,
        )
        self._sql(
            "DELETE FROM doorman_audit_link; UPDATE doorman_audit_chain "
            "SET n = 0, digest = start_digest, floor_id = 0"
        )
        self.audit._extend_chain(100_000)
        self.assertEqual(self._problem(), None)
        self.assertEqual(self._problem(head=head), ("rewritten", head["n"]))
        later = {"n": head["n"] + 1, "digest": head["digest"]}
        self.assertEqual(self._problem(head=later), ("shortened", later["n"]))

    def test_it_is_verified_in_parts(self):
        head = self._chained(10)["head"]
        found, turns = {"more": True, "n": None, "digest": None}, 0
        while found["more"]:
            found = self.reader.api_verify(found["n"], found["digest"], limit=3)
            turns += 1
        self.assertGreater(turns, 3)
        self.assertEqual((found["problem"], found["head"]), (None, head))

    def test_retention_leaves_a_chain_that_holds(self):
        old = fields.Datetime.now() - timedelta(days=31)
        self._rows(3, time=old)
        self._rows(2)
        self.run_job("fold_use")
        self.audit._extend_chain(100_000)
        self._sql("SELECT count(*) FROM doorman_audit WHERE time <= %s", old)
        gone = self.env.cr.fetchone()[0]
        self.assertGreaterEqual(gone, 3)
        before = self.reader.api_export(0, 5_000)
        self.assertEqual(self.audit._purge(30, 100_000), gone)
        after = self.reader.api_export(0, 5_000)
        self.assertEqual(after["lines"], before["lines"][gone:])
        self.assertEqual(after["start"]["n"], gone)
        self.assertEqual(
            follow(after["lines"], after["start"]["digest"]), after["head"]["digest"]
        )
        self.assertEqual(self._problem(), None)
        self.assertEqual(self._problem(head=before["head"]), None)
        first = json.loads(before["lines"][0])
        self.assertEqual(self._problem(head=first)[0], "retained")

    def test_retention_does_not_hide_that_a_young_row_is_missing(self):
        self._rows(2, time=fields.Datetime.now() - timedelta(days=31))
        self._rows(3)
        self.run_job("fold_use")
        self.audit._extend_chain(100_000)
        head = self.reader.api_export()["head"]
        self._sql(
            "DELETE FROM doorman_audit WHERE id IN "
            "(SELECT audit_id FROM doorman_audit_link WHERE n > %s)",
            head["n"] - 3,
        )
        self.audit._purge(30, 100_000)
        self.assertEqual(self._problem(), ("removed", head["n"] - 2))

    def test_rows_of_other_companies(self):
        """They keep their place, so that the chain can be followed around them."""
        other = self.env["res.company"].create({"name": "Other"})
        self.audit._extend_chain(100_000)
        begin = self.reader.api_export()["head"]["n"]
        self._rows(1)
        self._rows(1, company_id=other.id)
        self._rows(1, company_id=None)
        self.audit._extend_chain(100_000)
        found = [json.loads(line) for line in self.reader.api_export(begin)["lines"]]
        self.assertEqual([link.get("withheld") for link in found], [None, True, None])
        self.assertEqual(set(found[1]), {"n", "digest", "withheld"})

    def test_who_may(self):
        self._chained()
        for role in (*ROLES, "service"):
            person = self.people.get(role, self.service)
            audit = self.audit.with_user(person)
            for name in ("api_export", "api_verify"):
                with self.subTest(role=role, method=name):
                    found = self.outcome(getattr(audit, name))
                    allowed = role in ("auditor", "admin")
                    self.assertEqual(found, "allow" if allowed else "deny")

    def test_arguments(self):
        digest = "0" * 64
        for arguments in (
            {"after": "1", "digest": digest},
            {"after": -1, "digest": digest},
            {"after": True, "digest": digest},
            {"after": 2**63, "digest": digest},
            {"after": 1},
            {"after": 1, "digest": "x" * 64},
            {"after": 1, "digest": digest + "\n"},
            {"head": 5},
            {"head": {"n": 1}},
            {"limit": 0},
            {"limit": 10**9},
        ):
            with self.subTest(arguments), self.assertRaises(ValidationError):
                self.reader.api_verify(**arguments)
        for arguments in ({"after": -1}, {"limit": 0}, {"limit": 5_001}, {"after": []}):
            with self.subTest(arguments), self.assertRaises(ValidationError):
                self.reader.api_export(**arguments)

    def test_the_service_key_reads_nothing_of_it(self):
        for name in ("api_export", "api_verify"):
            with self.subTest(name), self.assertRaises(AccessError):
                getattr(self.audit.with_user(self.service), name)()


@tagged("post_install", "-at_install")
class TestAuditChainAtOnce(AtOnceCase):
    """Transactions that commit in another order than they began in."""

    def setUp(self):
        super().setUp()
        self._alone(self._clean)

    def _clean(self, env):
        super()._clean(env)
        env.cr.execute(
            "DELETE FROM doorman_audit_link; UPDATE doorman_audit_chain SET n = 0, "
            "start_n = 0, digest = decode(repeat('00', 32), 'hex'), "
            "start_digest = decode(repeat('00', 32), 'hex'), floor_id = 0"
        )

    def _jobs(self, env):
        env["doorman.audit"]._fold(100_000)
        return env["doorman.audit"]._extend_chain(1_000)

    def _links(self):
        """:return: how many rows of this test have a link"""
        with self.registry.cursor() as cr:
            cr.execute(
                "SELECT count(*) FROM doorman_audit_link l "
                "JOIN doorman_audit a ON a.id = l.audit_id WHERE a.request_id = %s",
                [self.name],
            )
            return cr.fetchone()[0]

    def _verify(self):
        def verify(env):
            # The superuser is in no group.
            audit = env["doorman.audit"].with_user(env.ref("base.user_admin"))
            return audit.api_verify(limit=50_000)

        return self._alone(verify)

    def test_of_two_runs_one_is_run_again(self):
        """The job and retention both extend the chain, each at its own time. Odoo runs
        again what fails to serialize, and what breaks a constraint it does not."""
        self._alone(self._insert)
        self._alone(lambda env: env["doorman.audit"]._fold(100_000))
        with self.registry.cursor() as late:
            late.execute("SELECT 1")  # sees the database as it is now
            self._alone(self._jobs)
            audit = api.Environment(late, api.SUPERUSER_ID, {})["doorman.audit"]
            for work in (
                lambda: audit._extend_chain(1_000),
                lambda: audit._purge(90, 1_000),
            ):
                with self.assertRaises(SerializationFailure):
                    work()
                late.rollback()
                late.execute("SELECT 1")
                self._alone(self._insert)
                self._alone(self._jobs)
        self.assertEqual(self._links(), 3)
        self.assertIsNone(self._verify()["problem"])

    def test_who_commits_late_is_not_left_out(self):
        with self.registry.cursor() as late:
            self._insert(api.Environment(late, api.SUPERUSER_ID, {}))
            self._alone(self._insert)
            for _turn in range(6):
                self._alone(self._jobs)
            self.assertEqual(self._links(), 1)
            late.commit()
        self._alone(self._jobs)
        self.assertEqual(self._links(), 2)
        self.assertIsNone(self._verify()["problem"])

    def test_many_writers_and_jobs(self):
        writers, each, jobs, errors = 32, 10, 2, []
        running = threading.Event()
        # Each has a connection of its own to PostgreSQL.
        places = threading.Semaphore(16)

        def guarded(work):
            try:
                work()
            except Exception as error:  # noqa: BLE001  (told by the test)
                errors.append(error)

        def write():
            for _number in range(each):
                with places:
                    self._alone(self._insert)

        def chain():
            while not running.is_set():
                self._alone(self._jobs)

        threads = [
            threading.Thread(target=guarded, args=[write]) for _ in range(writers)
        ]
        chains = [threading.Thread(target=guarded, args=[chain]) for _ in range(jobs)]
        for thread in chains + threads:
            thread.start()
        for thread in threads:
            thread.join()
        running.set()
        for thread in chains:
            thread.join()
        self.assertEqual(errors, [])
        self._alone(self._jobs)
        self.assertEqual(self._links(), writers * each)
        found = self._verify()
        self.assertEqual((found["problem"], found["more"]), (None, False))
        self.assertEqual(found["n"], found["head"]["n"])
