from unittest.mock import patch

import psycopg2

from odoo.tests import tagged
from odoo.tools import config, mute_logger

from ...controllers import gateway_batch
from ...tools import operations
from ..common import proof_of
from .test_http import QUIET, DoormanHttpCase

ALONE = "doorman.Alone"


class BatchCase(DoormanHttpCase):
    """Two connections, and batches of their calls."""

    call_ms = 5000

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.proof2 = proof_of(cls.connection2._issue_key())

    def setUp(self):
        super().setUp()
        # What is late here is late on any machine, and nothing else.
        self.patch(gateway_batch, "BATCH_SECONDS", 60)
        self.patch(gateway_batch, "CALL_MS", self.call_ms)

    def entry(self, number, request=None, proof=None, fence=None):
        """One call of a batch, by default a search of the first connection."""
        request = request or self.request("res.partner", "search_count", domain=[])
        params = {"fence": fence or self.fence(proof), "request": request}
        return {"jsonrpc": "2.0", "id": number, "method": "call", "params": params}

    def batch(self, *entries):
        """:return: the answers, in their order"""
        response = self.post(list(entries))
        self.assertEqual(response.status_code, 200, response.text[:300])
        answers = response.json()
        self.assertEqual([a["id"] for a in answers], [e["id"] for e in entries])
        return answers


@tagged("post_install", "-at_install")
class TestHttpBatch(BatchCase):
    """Reads that share a request: each as if it had come alone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Each may see what bears their own login.
        cls.env["ir.rule"].create(
            {
                "name": "Test: own partners",
                "model_id": cls.env.ref("base.model_res_partner").id,
                "domain_force": (
                    "['|', ('ref', '=', False), ('ref', '=', user.login)]"
                ),
            }
        )
        cls.mine, cls.theirs = cls.env["res.partner"].create(
            [
                {"name": f"Batch of {role}", "ref": cls.people[role].login}
                for role in ("user", "user2")
            ]
        )

    def reading(self, record):
        return self.request("res.partner", "read", record.ids, fields=["name"])

    def how(self, answer):
        """How a call ended: its value, the kind of its error, or "alone"."""
        if error := answer.get("error"):
            self.assertEqual(error["data"]["name"], ALONE)
            self.assertNotIn("result", answer)
            return "alone"
        result = answer["result"]
        return result["error"]["kind"] if "error" in result else result["value"]

    def with_method(self, run, *entries, name="search_count", only=None):
        """A batch in which a method does something else, for one model if named."""
        real = operations.get(name).run

        def chosen(call):
            if only and call.model._name != only:
                return real(call)
            return run(call)

        with (
            self.doing(chosen, name),
            mute_logger(*QUIET),
        ):
            return [self.how(answer) for answer in self.batch(*entries)]

    def countries(self, number):
        request = self.request("res.country", "search_count", domain=[])
        return self.entry(number, request)

    # ---- each its own ----

    def test_each_as_its_own_user(self):
        before = self.rows()
        value = [{"id": self.mine.id, "name": "Batch of user"}]
        value2 = [{"id": self.theirs.id, "name": "Batch of user2"}]
        answers = self.batch(
            self.entry(7, self.reading(self.mine)),
            self.entry(3, self.reading(self.theirs), self.proof2),
            self.entry(5, self.reading(self.mine)),
        )
        self.assertEqual([self.how(a) for a in answers], [value, value2, value])
        rows = self.new_rows(before)[::-1]
        self.assertEqual(
            [row["user_login"] for row in rows], ["dm-user", "dm-user2", "dm-user"]
        )
        self.assertEqual({row["outcome"] for row in rows}, {"ok"})

    def test_nobody_sees_what_another_has_read(self):
        for record, first, second in (
            (self.mine, self.proof, self.proof2),
            (self.theirs, self.proof2, self.proof),
        ):
            domain = [["id", "=", record.id]]
            search = self.request("res.partner", "search_count", domain=domain)
            entries = [
                self.entry(1, self.reading(record), first),
                self.entry(2, self.reading(record), second),
                self.entry(3, search, second),
                self.entry(4, search, first),
                self.entry(5, self.reading(record), second),
            ]
            with self.subTest(record=record.name):
                got = [self.how(answer) for answer in self.batch(*entries)]
                self.assertEqual(got[1:], ["forbidden", 0, 1, "forbidden"])
                self.assertEqual(got[0][0]["id"], record.id)

    def test_nobody_gets_what_was_computed_for_another(self):
        """Odoo remembers values for a transaction, whoever they were computed for."""
        shared = self.env["res.partner"].create({"name": "Shared"})
        shared.message_subscribe(self.people["user"].partner_id.ids)
        follows = self.request(
            "res.partner", "read", shared.ids, fields=["message_is_follower"]
        )
        entries = [
            self.entry(number, follows, proof)
            for number, proof in enumerate((self.proof, self.proof2) * 2)
        ]
        got = [self.how(a)[0]["message_is_follower"] for a in self.batch(*entries)]
        self.assertEqual(got, [True, False, True, False])

    def test_one_that_fails_takes_nobody_along(self):
        wrong = self.request("res.partner", "read", [1], fields=["nonsense"])
        hidden = self.request("ir.rule", "search_count", domain=[])
        dead = self.entry(4)
        dead["params"]["fence"] = dead["params"]["fence"] | {"proof": "0" * 64}
        stale = self.entry(5)
        stale["params"]["fence"] = stale["params"]["fence"] | {"version": 0}
        before = self.rows()
        answers = self.batch(
            self.countries(1), self.entry(2, wrong), self.entry(3, hidden), dead,
            stale, self.countries(6),
        )  # fmt: skip
        got = [self.how(a) for a in answers if "stale" not in a.get("result", {})]
        self.assertIn("stale", answers[4]["result"])
        self.assertEqual(got[1:4], ["unknown_field", "not_allowed", "unauthenticated"])
        self.assertGreater(got[0], 200)
        self.assertEqual(got[4], got[0])
        rows = self.new_rows(before)[::-1]
        self.assertEqual(
            [row["outcome"] for row in rows],
            ["ok", "refused", "refused", "refused", "ok"],
        )

    def test_a_revoked_connection(self):
        entry, other = self.entry(1), self.entry(2, proof=self.proof2)
        self.connection.with_user(self.people["user"]).action_revoke()
        got = [self.how(answer) for answer in self.batch(entry, other, entry)]
        self.assertEqual((got[0], got[2]), ("unauthenticated", "unauthenticated"))
        self.assertIsInstance(got[1], int)

    # ---- put back ----

    def test_what_fails_is_put_back(self):
        """Without a trace: alone it is tried again, or its error is told."""
        for cls in (
            psycopg2.errors.SerializationFailure,
            psycopg2.errors.DeadlockDetected,
            psycopg2.errors.LockNotAvailable,
        ):

            def run(call, cls=cls):
                call.model.env.cr.execute("UPDATE res_partner SET ref = 'changed'")
                raise cls()

            before = self.rows()
            entries = (self.countries(1), self.entry(2), self.countries(3))
            with self.subTest(error=cls.__name__):
                got = self.with_method(run, *entries, only="res.partner")
                self.assertEqual(got[1], "alone")
                self.assertGreater(got[0], 200)
                self.assertEqual(got[2], got[0])
                self.assertEqual(len(self.new_rows(before)), 2)
                self.env.invalidate_all()
                self.assertEqual(self.mine.ref, "dm-user")

    def test_an_answer_that_cannot_be_written(self):
        before = self.rows()
        got = self.with_method(lambda _call: {(1, 2): 3}, self.entry(1), self.entry(2))
        self.assertEqual(got, ["alone", "alone"])
        self.assertFalse(self.new_rows(before))

    def test_slow_ones_are_put_back(self):
        """Nobody waits long for another's statement; its own limit is no matter."""

        def run(call):
            call.model.env.cr.execute("SELECT pg_sleep(5)")

        before = self.rows()
        entries = (self.entry(1), self.countries(2))
        with patch.object(gateway_batch, "CALL_MS", 1_000):
            got = self.with_method(run, *entries, only="res.partner")
        self.assertEqual(got[0], "alone")
        self.assertGreater(got[1], 200)
        [row] = self.new_rows(before)
        self.assertEqual(row["model"], "res.country")

    def test_after_some_time_the_rest_is_put_back(self):
        before = self.rows()
        with patch.object(gateway_batch, "BATCH_SECONDS", 0):
            answers = self.batch(self.countries(1), self.countries(2), self.entry(3))
        got = [self.how(answer) for answer in answers]
        self.assertGreater(got[0], 200)
        self.assertEqual(got[1:], ["alone", "alone"])
        self.assertEqual(len(self.new_rows(before)), 1)

    def test_after_so_many_bytes_the_rest_is_put_back(self):
        with patch.object(gateway_batch, "BATCH_BYTES", 100):
            answers = self.batch(*(self.countries(number) for number in (1, 2, 3)))
        self.assertEqual(self.how(answers[2]), "alone")
        self.assertGreater(self.how(answers[0]), 200)
        self.assertGreater(self.how(answers[1]), 200)

    # ---- what is not a batch ----

    def test_batches_that_are_none(self):
        """One wrong entry, and none of the others is done."""
        good = self.entry(1)
        fence, request = good["params"]["fence"], good["params"]["request"]

        def call(**changes):
            return good | {"params": {"fence": fence, "request": request | changes}}

        bodies = [
            [], [[]], [[good]], [good, []], [good, None], [good, 1], [good, "call"],
            [good, {}], [good] * (gateway_batch.MAX_BATCH + 1),
            [good, good | {"id": None}], [good, good | {"id": "1"}],
            [good, good | {"id": True}], [good, good | {"id": 1.5}],
            [good, {k: good[k] for k in good if k != "id"}],
            [good, good | {"method": "hello"}], [good, good | {"method": "resolve"}],
            [good, good | {"method": None}], [good, good | {"method": ["call"]}],
            [good, good | {"method": "approval_status"}],
            [good, good | {"method": "oauth_redeem"}],
            [good, good | {"params": None}], [good, good | {"params": []}],
            [good, good | {"params": {"fence": fence}}],
            [good, good | {"params": {"request": request}}],
            [good, good | {"params": {"fence": fence, "request": request, "x": 1}}],
            [good, good | {"params": {"fence": None, "request": request}}],
            [good, good | {"params": {"fence": [], "request": request}}],
            [good, good | {"params": {"fence": fence, "request": "search_count"}}],
        ]  # fmt: skip
        known = operations.OPERATIONS.items()
        methods = {name for name, operation in known if not operation.shares}
        for method in (*methods, "", None, 1, ["search_count"], {}, "nonsense"):
            bodies.append([good, call(method=method)])
        self.assertIn("create", methods)
        before = self.rows()
        for body in bodies:
            with self.subTest(body=str(body[1:])[:200]), mute_logger(*QUIET):
                self.check_error(self.post(body), 400, "ValueError")
        self.assertFalse(self.new_rows(before))

    def test_a_wrong_key(self):
        before = self.rows()
        for key in ("x", self.credential, self.proof):
            self.check_error(self.post([self.entry(1)], key=key), 401)
        self.assertFalse(self.new_rows(before))

    def test_a_stolen_service_key(self):
        """Many guesses at once open as little as one."""
        entries = [self.entry(number) for number in range(gateway_batch.MAX_BATCH)]
        for number, entry in enumerate(entries):
            entry["params"]["fence"]["proof"] = f"{number:064x}"
        got = {self.how(answer) for answer in self.batch(*entries)}
        self.assertEqual(got, {"unauthenticated"})

    def test_all_that_share_only_read(self):
        shared = {n for n, o in operations.OPERATIONS.items() if o.shares}
        self.assertEqual(
            shared, {"search_read", "search_count", "read", "formatted_read_group"}
        )
        for name in shared:
            request = self.request("res.partner", name)
            self.assertTrue(operations.only_reads(request), name)
            self.assertFalse(operations.runs_code(request), name)
            self.assertFalse(operations.get(name).runs_code, name)

    def test_hello_says_how_many_workers(self):
        answer = self.rpc("hello").json()["result"]
        self.assertEqual(answer["workers"], config["workers"])
