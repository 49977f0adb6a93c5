import json
import logging
import time
from contextlib import contextmanager
from unittest.mock import patch

import psycopg2

from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...controllers import gateway_batch
from ...controllers.gateway_batch import BATCH_BYTES, MAX_BATCH
from ...gateway.doorman_gateway import DoormanGateway
from .test_http import QUIET
from .test_http_batch import BatchCase


@tagged("post_install", "-at_install")
class TestBatchAttack(BatchCase):
    """What one call of a batch could do to the others."""

    call_ms = 1000

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partners = cls.env["res.partner"].create(
            [{"name": f"Batch {i}", "ref": f"R{i}"} for i in range(3)]
        )

    def count(self, **kwargs):
        domain = [("id", "in", self.partners.ids)]
        return self.request("res.partner", "search_count", domain=domain, **kwargs)

    def put_back(self, answer):
        return answer.get("error", {}).get("data", {}).get("name") == "doorman.Alone"

    @contextmanager
    def between(self, number, do):
        """Do something after so many calls of a batch."""
        call, done = DoormanGateway.call, []

        def counted(gateway, fence, request):
            answer = call(gateway, fence, request)
            done.append(request)
            if len(done) == number:
                do(gateway)
            return answer

        with patch.object(DoormanGateway, "call", counted):
            yield

    @contextmanager
    def failing(self, how, method="read"):
        """Let a method of the ORM that may share a request fail."""
        with self.doing(how, method):
            yield

    # ---- answers ----

    def test_a_large_answer_takes_no_small_one_along(self):
        """The service takes so many bytes of one answer, and refuses what is longer:
        all that came with it would be refused too."""
        self.partners[0].comment = "x" * (BATCH_BYTES + 1000)
        large = self.request("res.partner", "read", self.partners[:1].ids)
        large["kwargs"] = {"fields": ["comment"]}
        for place in (0, 1, 2):
            entries = [self.entry(i, self.count()) for i in range(3)]
            entries[place] = self.entry(place, large)
            before = self.rows()
            with self.subTest(place=place):
                answers = self.batch(*entries)
                back = [self.put_back(answer) for answer in answers]
                self.assertTrue(back[place])
                self.assertLess(len(json.dumps(answers)), BATCH_BYTES)
                self.assertEqual(len(self.new_rows(before)), back.count(False))
                self.assertFalse(back[0] if place else back[1] and back[2])

    # ---- caches ----

    def test_what_one_has_changed_is_told_to_the_other_workers(self):
        """A read may compute, and compute what a cache holds. That the call after it
        fails is no reason to keep it from the other workers."""
        registry, told = self.env.registry, []

        def clears(call):
            call.env.registry.clear_cache()
            return []

        def fails(call):
            raise UserError("no")

        def signal():
            told.extend(registry.cache_invalidated)
            registry.cache_invalidated.clear()

        look = self.request("res.partner", "search_read", domain=[])
        with (
            self.failing(fails),
            self.failing(clears, "search_read"),
            patch.object(registry, "signal_changes", signal),
        ):
            self.batch(
                self.entry(1, look),
                self.entry(2, self.request("res.partner", "read", [1], fields=["ref"])),
            )
        self.assertIn("default", told)

    # ---- one fails ----

    def test_each_way_to_fail(self):
        def sql(query):
            return lambda call: call.env.cr.execute(query)

        def raises(exc):
            def fail(_call):
                raise exc

            return fail

        def swallowed(call):
            """Business code that lets nothing get in its way."""
            try:
                with call.env.cr.savepoint():
                    call.env.cr.execute("SELECT pg_sleep(120)")
                return ["all"]
            except psycopg2.Error:
                return ["half"]

        def many(call):
            for _i in range(2400):
                call.env.cr.execute("SELECT pg_sleep(0.05)")

        rows = [
            # what it does, whether it is put back, kind of the error otherwise
            ("AccessError", raises(AccessError("no")), "forbidden"),
            ("UserError", raises(UserError("no")), "business_rule"),
            ("KeyError", raises(KeyError("x")), "invalid_input"),
            ("bad SQL", sql("SELECT 1/0"), None),
            ("slow SQL", sql("SELECT pg_sleep(120)"), None),
            ("slow SQL, swallowed", swallowed, None),
            ("much fast SQL", many, None),
            ("concurrency", raises(ConcurrencyError("x")), None),
            ("serialization", raises(psycopg2.errors.SerializationFailure()), None),
            ("deadlock", raises(psycopg2.errors.DeadlockDetected()), None),
            ("no JSON", lambda _call: [{(1, 2): 3}], None),
            ("a loop", lambda _call: _loop(), None),
            ("not a bug of ours", raises(RuntimeError("x")), "internal"),
        ]
        for name, how, kind in rows:
            read = self.request("res.partner", "read", [1], fields=["name"])
            before, started = self.rows(), time.monotonic()
            with (
                self.subTest(name=name),
                self.failing(how),
                mute_logger(*QUIET),
            ):
                one, two, three = self.batch(
                    self.entry(1, self.count()),
                    self.entry(2, read),
                    self.entry(3, self.count()),
                )
                self.assertEqual(one["result"]["value"], 3)
                if kind:
                    self.assertEqual(two["result"]["error"]["kind"], kind)
                else:
                    self.assertTrue(self.put_back(two), str(two)[:300])
                self.assertEqual(three["result"]["value"], 3)
                self.assertEqual(len(self.new_rows(before)), 3 if kind else 2)
                # Far less than the two minutes that the slow ones would take.
                self.assertLess(time.monotonic() - started, 60)

    def test_a_slow_one_makes_no_noise(self):
        """That it is put back is nothing that whoever watches the log has to mend."""

        def slow(call):
            call.env.cr.execute("SELECT pg_sleep(2)")

        read = self.request("res.partner", "read", [1], fields=["name"])
        with self.failing(slow), self.assertNoLogs("odoo", logging.WARNING):
            answers = self.batch(self.entry(1, self.count()), self.entry(2, read))
        self.assertTrue(self.put_back(answers[1]))
        with self.failing(slow), self.assertLogs("odoo.sql_db", logging.ERROR):
            self.post(self.entry(1, read | {"timeout_ms": 50}))

    def test_what_is_done_too_late_is_not_done_twice(self):
        """What took its time without the database has made the others wait already."""
        read = self.request("res.partner", "read", [1], fields=["name"])
        self.patch(gateway_batch, "BATCH_SECONDS", 0.1)
        before = self.rows()
        with self.failing(lambda _call: time.sleep(1.2) or ["done"]):
            answers = self.batch(self.entry(1, read), self.entry(2, self.count()))
        self.assertEqual(answers[0]["result"]["value"], ["done"])
        self.assertTrue(self.put_back(answers[1]))
        self.assertEqual(len(self.new_rows(before)), 1)

    # ---- held ----

    def test_settings_of_one_end_with_it(self):
        """A timeout, and whether a row waits for the disk."""
        seen = []

        def look(call):
            call.env.cr.execute(
                "SELECT current_setting('statement_timeout'), "
                "current_setting('synchronous_commit')"
            )
            seen.append(call.env.cr.fetchone())
            return []

        read = self.request("res.partner", "read", [1], fields=["name"])
        with self.failing(look):
            self.batch(
                self.entry(1, read | {"timeout_ms": 77}),
                self.entry(2, read),
                self.entry(3, read | {"timeout_ms": True}),
                self.entry(4, read | {"timeout_ms": -5}),
            )
        self.assertEqual([s[0] for s in seen], ["77ms", "1s", "1s", "1s"])
        self.assertEqual({s[1] for s in seen}, {"off"})

    def test_nobody_sees_what_another_may_read(self):
        """The same answers as alone, whoever read the same records before."""
        admin = self.env["res.groups"].create({"name": "Batch secrets"})
        self.env["ir.rule"].create(
            [
                {
                    "name": "Batch: none",
                    "model_id": self.env.ref("base.model_res_partner").id,
                    "domain_force": f"[('id', '!=', {self.partners[0].id})]",
                    "groups": [Command.link(self.env.ref("base.group_user").id)],
                },
                {
                    "name": "Batch: all",
                    "model_id": self.env.ref("base.model_res_partner").id,
                    "domain_force": "[(1, '=', 1)]",
                    "groups": [Command.link(admin.id)],
                },
            ]
        )
        self.people["user"].group_ids = [Command.link(admin.id)]
        may, may_not = self.fence(), self.fence(self.proof2)
        ids = self.partners.ids
        fields = ["name", "display_name", "write_uid", "company_id", "is_company"]
        domain = [("id", "in", ids)]
        requests = [
            self.request("res.partner", "read", ids, fields=fields),
            self.request("res.partner", "read", ids[1:], fields=fields),
            self.request("res.partner", "search_read", domain=domain, fields=fields),
            self.request("res.partner", "search_count", domain=domain),
            self.request("res.partner", "read", ids[1:], fields=fields,
                         context={"lang": "en_US", "tz": "Asia/Tokyo"}),
            self.request("res.users", "search_read", domain=[], fields=["login"]),
            self.request("res.partner", "formatted_read_group", domain=domain,
                         groupby=["name"], aggregates=["__count"]),
        ]  # fmt: skip
        entries = []
        for request in requests:
            for fence in (may, may_not, may):
                entries.append(self.entry(len(entries), request, fence=fence))
        alone = [self.post(entry).json() for entry in entries]
        self.assertNotEqual(alone[0]["result"].get("value"), None)
        self.assertEqual(alone[1]["result"]["error"]["kind"], "forbidden")
        together = self.batch(*entries)
        for one, other in zip(alone, together, strict=True):
            self.assertEqual(one["result"], other["result"])

    def test_doors_that_close_in_between(self):
        """Each row: what another transaction does after the first call, and how the
        second one ends."""
        user, connection = self.people["user"], self.connection
        rows = [
            ("UPDATE doorman_connection SET state = 'revoked' WHERE id = %s",
             connection.id, "unauthenticated"),
            ("UPDATE doorman_connection SET version = version + 1 WHERE id = %s",
             connection.id, "stale"),
            ("UPDATE res_users SET active = false WHERE id = %s",
             user.id, "unauthenticated"),
            ("UPDATE res_users SET share = true WHERE id = %s",
             user.id, "unauthenticated"),
            ("DELETE FROM doorman_connection_proof WHERE connection_id = %s",
             connection.id, "unauthenticated"),
            ("UPDATE doorman_settings SET enabled = false WHERE id = %s",
             self.settings.id, "forbidden"),
        ]  # fmt: skip
        for query, arg, kind in rows:
            fence = self.fence()
            before = self.rows()
            with self.subTest(query=query), self.env.cr.savepoint() as savepoint:
                with self.between(1, lambda g: g.env.cr.execute(query, [arg])):  # noqa: B023
                    one, two, three = self.batch(
                        self.entry(1, self.count(), fence=fence),
                        self.entry(2, self.count(), fence=fence),
                        self.entry(3, self.count(), self.proof2),
                    )
                self.assertEqual(one["result"]["value"], 3)
                end = two["result"].get("error", {}).get("kind") or "".join(
                    {"stale"} & two["result"].keys()
                )
                self.assertEqual(end, kind)
                self.assertNotIn("value", two["result"])
                rows_left = 3 - (kind == "stale")
                self.assertEqual(len(self.new_rows(before)), rows_left)
                self.assertTrue(three["result"])
                savepoint.rollback()

    def test_reads_that_wait_for_a_person_wait_in_a_batch_too(self):
        self.env["doorman.approval.rule"].create(
            {
                "connection_id": self.connection.id,
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "reads": True,
            }
        )
        fence, other = self.fence(), self.fence(self.proof2)
        alone = self.post(self.entry(1, self.count(), fence=fence)).json()["result"]
        self.assertIn("pending", alone)
        answers = self.batch(
            self.entry(1, self.count(), fence=other),
            self.entry(2, self.count(), fence=fence),
            self.entry(3, self.count(more={"approved": True}), fence=fence),
            self.entry(4, self.count(more={"dry_run": True}), fence=fence),
        )
        self.assertEqual(answers[0]["result"]["value"], 3)
        for answer in answers[1:]:
            self.assertNotIn("value", answer["result"])

    def test_each_payload_in_its_own_row(self):
        self.settings.log_payloads = True
        before = self.rows()
        reads = [
            self.request("res.partner", "read", partner.ids, fields=["ref"])
            for partner in self.partners
        ]
        proofs = (self.proof, self.proof2, self.proof)
        self.batch(*(self.entry(i, reads[i], proofs[i]) for i in range(3)))
        rows = self.new_rows(before)[::-1]
        for i, login in enumerate(("dm-user", "dm-user2", "dm-user")):
            self.assertEqual(rows[i]["user_login"], login)
            self.assertIn(f"R{i}", rows[i]["response_payload"])
            self.assertEqual(rows[i]["record_ids"], str(self.partners[i].id))

    def test_bodies_that_are_no_batches(self):
        good = self.entry(1, self.count())
        fence, asked = good["params"]["fence"], good["params"]["request"]
        params = good["params"]
        bad = [
            [], [good] * (MAX_BATCH + 1), [[good]], [good, None], [good, 1], ["x"],
            [good, []], [good, {}], [good | {"id": True}], [good | {"id": 1.0}],
            [good | {"id": "1"}], [good | {"id": None}], [good | {"id": [1]}],
            [good | {"method": "hello"}], [good | {"method": None}],
            [good | {"method": "approval_status"}], [good | {"method": ["call"]}],
            [good | {"method": "fields"}], [good | {"params": None}],
            [good | {"params": []}], [good | {"params": "fence request"}],
            [good | {"params": [fence, asked]}], [good | {"params": {}}],
            [good | {"params": params | {"x": 1}}],
            [good | {"params": params | {"self": 1}}],
            [good | {"params": params | {"fence": None}}],
            [good | {"params": params | {"fence": []}}],
            [good | {"params": params | {"request": []}}],
            [good | {"params": params | {"request": "x"}}],
            *([good | {"params": params | {"request": asked | {"method": m}}}]
              for m in (None, "", "write", "create", "unlink", "call_method", 1,
                        "run_sql", "run_python", "fields_get", "get_attachment",
                        ["read"], {"read": 1}, True, "Read", "read ")),
            [{k: v for k, v in good.items() if k != "id"}],
            "[" * 5_000 + "]" * 5_000,
        ]  # fmt: skip
        before = self.rows()
        for body in bad:
            with self.subTest(body=str(body)[:90]), mute_logger(*QUIET):
                self.check_error(self.post(body), 400, "ValueError")
        self.assertFalse(self.new_rows(before))

    def test_odd_requests_end_as_they_end_alone(self):
        good = self.count()
        deep = []
        for _i in range(300):
            deep = [deep]
        odd = [
            good | {"model": None}, good | {"model": ["res.partner"]},
            good | {"model": 5}, good | {"model": "no.such"},
            good | {"model": "ir.rule"},
            good | {"kwargs": []}, good | {"kwargs": {"domain": deep}},
            good | {"kwargs": {"x": 1}}, good | {"context": 5},
            good | {"dry_run": True}, good | {"idempotency_key": "k"},
            good | {"approved": True},
            good | {"context": {"allowed_company_ids": [True]}},
            good | {"audit": 5}, good | {"audit": {"tool": "\ud800\x00"}},
            good | {"timeout_ms": "x"}, good | {"ids": {"a": 1}},
            self.request("res.partner", "read", [2**70], fields=["name"]),
            self.request("res.partner", "read", [True], fields=["name"]),
            self.request("res.partner", "read", None),
            self.request("res.partner", "search_read", domain=[("x", "=", 1)]),
            self.request("res.partner", "search_read", domain=[("name", "=", "\x00")]),
            self.request("res.partner", "search_read", order="id; drop table x"),
        ]  # fmt: skip
        fence = self.fence()
        for request in odd:
            entry = self.entry(5, request, fence=fence)
            with self.subTest(request=str(request)[:100]), mute_logger(*QUIET):
                before = self.rows()
                alone = self.post(entry)
                rows = len(self.new_rows(before))
                before = self.rows()
                good_one, together = self.batch(self.entry(4, good, fence=fence), entry)
                self.assertEqual(good_one["result"]["value"], 3)
                if self.put_back(together):
                    self.assertEqual(len(self.new_rows(before)), 1)
                else:
                    self.assertEqual(together["result"], alone.json().get("result"))
                    self.assertEqual(len(self.new_rows(before)), rows + 1)


def _loop():
    loop = []
    loop.append(loop)
    return loop
