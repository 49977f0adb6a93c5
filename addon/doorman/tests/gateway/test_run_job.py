import json

from odoo.exceptions import AccessError, UserError
from odoo.service.model import get_public_method
from odoo.tests import tagged

from ...gateway.run_job import EVERY, TIMEOUT, Job, job, progress
from ..common import ROLES, DoormanCase

# What the service ran at 0.1.0, and how often. More may be listed.
SINCE_THE_FIRST = {
    "fold_use": (60, 50),
    "expire_approvals": (60, 50),
    "remind_approvals": (60, 50),
    "expire_connections": (300, 60),
    "expire_invites": (300, 60),
    "remind_invited": (3600, 300),
    "purge_oauth": (3600, 300),
    "purge_audit": (86400, 1800),
    "remind_expiry": (86400, 300),
}


@tagged("post_install", "-at_install")
class TestRunJob(DoormanCase):
    """One method runs the jobs, by the names that hello lists and no other."""

    def listed(self):
        return self.gateway.hello()["jobs"]

    def test_hello_lists_them(self):
        listed = {row["name"]: (row["every"], row["timeout"]) for row in self.listed()}
        self.assertEqual(listed, listed | SINCE_THE_FIRST)
        self.assertEqual(len(listed), len(self.listed()))
        for name, (every, timeout) in listed.items():
            with self.subTest(name=name):
                self.assertIn(every, EVERY)
                self.assertIn(timeout, TIMEOUT)

    def test_each_answers_in_the_one_shape(self):
        for row in self.listed():
            with self.subTest(name=row["name"]):
                self.env.flush_all()
                answer = json.loads(json.dumps(self.gateway.run_job(row["name"])))
                self.assertEqual(set(answer), {"counts", "more"})
                self.assertIs(type(answer["more"]), bool)
                self.assertTrue(answer["counts"])
                for name, count in answer["counts"].items():
                    self.assertIs(type(count), int, name)
                    self.assertGreaterEqual(count, 0, name)

    def test_by_text_as_well(self):
        """XML-RPC and JSON-RPC of Odoo's own take this way."""
        answer = self.gateway.json_call("run_job", '{"name": "fold_use"}')
        self.assertEqual(set(json.loads(answer)), {"counts", "more"})
        for name in ("fold_use", "_fold_use"):
            with self.subTest(name=name), self.assertRaises(UserError):
                self.gateway.json_call(name, "{}")

    def test_no_other_name_runs(self):
        names = (
            "", "nope", "FOLD_USE", "fold_use ", " fold_use", "fold_use\0",
            "_fold_use", "__fold_use", "_alone", "_jobs", "_purge_files", "run_job",
            "hello", "call", "sudo", "unlink", "__class__", "fold_use.__func__",
            None, True, 1, 1.5, b"fold_use", ["fold_use"], {"fold_use": 1},
        )  # fmt: skip
        self.connection.expires_at = "2020-01-01"
        self.env.flush_all()
        for name in names:
            with self.subTest(name=name):
                answer = self.gateway.run_job(name)
                self.assertEqual(set(answer), {"error"})
                self.assertEqual(answer["error"]["kind"], "not_found")
        self.env.invalidate_all()
        self.assertEqual(self.connection.state, "awaiting")

    def test_nobody_but_the_service_runs_one(self):
        people = {role: self.people[role] for role in ROLES}
        people["system"] = self._person("system", ["base.group_system"])
        people["root"] = self.env.user
        for role, person in people.items():
            gateway = self.env["doorman.gateway"].with_user(person)
            for name in ("fold_use", "nope"):
                for mine in (gateway, gateway.sudo()):
                    with self.subTest(role=role, name=name, su=mine.env.su):
                        with self.assertRaises(AccessError):
                            mine.run_job(name)

    def test_their_methods_are_out_of_reach_of_rpc(self):
        for spec in self.gateway._jobs().values():
            with self.subTest(name=spec.method), self.assertRaises(AccessError):
                get_public_method(self.gateway, spec.method)

    def test_what_may_be_marked(self):
        def _good(self):
            return progress(done=1)

        marked = job(every=1, timeout=3600)(_good)
        self.assertEqual(marked._doorman_job, Job("_good", 1, 3600))

        def public(self):
            pass

        def __private(self):
            pass

        rows = [
            ("public", public, 60, 50),
            ("two underscores", __private, 60, 50),
            ("all the time", _good, 0, 50),
            ("backwards", _good, -60, 50),
            ("never", _good, 8 * 24 * 3600, 50),
            ("half a second", _good, 0.5, 50),
            ("no time", _good, 60, 0),
            ("too much time", _good, 60, 3601),
        ]
        for name, function, every, timeout in rows:
            with self.subTest(name), self.assertRaises(ValueError):
                job(every=every, timeout=timeout)(function)
