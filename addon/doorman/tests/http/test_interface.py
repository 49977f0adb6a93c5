import inspect
from functools import partial
from unittest.mock import patch
from xmlrpc.client import Fault

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ...gateway import interface
from ...gateway.interface import CODE_VERSION, HEADER, INTERFACE
from ..common import DoormanCase
from .test_http import QUIET
from .test_http_transports import DoormanTransportCase

UPDATING = "Doorman is being updated: "

# What each interface takes. Another argument, or another method, is another interface:
# a person raises INTERFACE, here and in the service, and writes down what it takes.
# 3 is without request_approval: ``call`` asks for approval itself, and may answer so.
# 4 takes the same; the arguments of a change may have the HTML of its texts along, and
# those of an upload its bytes; what leaves the company may wait.
# 5 takes the same; a policy may have rules per model, and ``fields`` tells which fields
# they close.
ARGUMENTS = {
    5: {
        "hello": ("version", "url"),
        "resolve": ("proof",),
        "call": ("fence", "request"),
        "fields": ("fence", "model", "lang"),
        "approval_status": ("fence", "request_id", "audit"),
        "file_link": ("fence", "ticket", "digest"),
        "file_open": ("proof",),
        "file_take": ("proof", "audit"),
        "file_put": ("proof", "content", "audit"),
        "record": ("events",),
        "sync_catalog": ("tools",),
        "run_job": ("name",),
        "oauth_register": ("registration",),
        "oauth_client": ("client_id",),
        "oauth_begin": ("request",),
        "oauth_redeem": ("grant",),
        "oauth_refresh": ("grant",),
        "oauth_revoke": ("grant",),
    }
}
# The same arguments; what is in them has changed.
ARGUMENTS[6] = ARGUMENTS[5]
# ``hello`` tells which schemes people may be sent back by, and how many registrations.
ARGUMENTS[7] = ARGUMENTS[6]
# What a trusted issuer says of a person.
ARGUMENTS[8] = ARGUMENTS[7] | {"oauth_assert": ("grant",)}

# Each process of the service has a heartbeat of its own; the answer says which database
# it comes from. hello's arguments never change: the oldest addon has to understand it.
ARGUMENTS[9] = ARGUMENTS[8]


class TestInterface(DoormanCase):
    def arguments(self, method):
        parameters = inspect.signature(getattr(self.gateway, method)).parameters
        return tuple(parameters)

    def call_all(self, *but):
        """Every method but those, with arguments of the right names."""
        for method in self.gateway._methods:
            if method not in but:
                with self.subTest(method=method):
                    values = dict.fromkeys(self.arguments(method))
                    yield lambda m=method, v=values: getattr(self.gateway, m)(**v)

    def test_the_number_says_which_arguments(self):
        found = {m: self.arguments(m) for m in self.gateway._methods}
        self.assertEqual(found, ARGUMENTS[INTERFACE])

    def test_hello_tells_what_there_is(self):
        hello = self.gateway.hello()
        self.assertEqual(hello["interface"], INTERFACE)
        self.assertEqual(hello["code_version"], CODE_VERSION)
        self.assertEqual(hello["addon_version"], CODE_VERSION)
        self.assertIn("settings_version", hello)

    def check_refused(self, code, database):
        before = self.rows()
        for run in self.call_all("hello"):
            with self.assertRaisesRegex(UserError, UPDATING):
                run()
        with self.assertRaisesRegex(UserError, UPDATING):
            self.gateway.json_call("run_job", '{"name": "fold_use"}')
        self.assertEqual(self.new_rows(before), [])
        seen = self.settings.gateway_last_seen
        versions = {
            "interface": INTERFACE, "code_version": code, "addon_version": database,
        }  # fmt: skip
        self.assertEqual(self.gateway.hello("9.9", "https://x.example/mcp"), versions)
        self.settings.invalidate_recordset()
        self.assertEqual(self.settings.gateway_last_seen, seen)

    def test_code_that_is_newer_than_its_database(self):
        """Somebody has put the new addon there, and has not run ``-u doorman``."""
        with patch.object(interface, "CODE_VERSION", "19.0.99.0.0"):
            self.check_refused("19.0.99.0.0", CODE_VERSION)
        self.assertIn("snapshot", self.gateway.resolve(self.proof))

    def test_code_that_is_older_than_its_database(self):
        """Somebody has run ``-u doorman`` elsewhere, and not restarted this Odoo."""
        self.env.cr.execute(
            "UPDATE ir_module_module SET latest_version = '19.0.99.0.0' "
            "WHERE name = 'doorman'"
        )
        self.env.registry.clear_cache()
        self.check_refused(CODE_VERSION, "19.0.99.0.0")

    def test_nobody_else_learns_it(self):
        with patch.object(interface, "CODE_VERSION", "19.0.99.0.0"):
            for role in ("user", "admin", "impostor"):
                gateway = self.gateway.with_user(self.people[role])
                calls = {"hello": {}, "run_job": {"name": "fold_use"}}
                for method, arguments in calls.items():
                    with self.subTest(role=role, method=method):
                        run = partial(getattr(gateway, method), **arguments)
                        self.assertEqual(self.outcome(run), "deny")


@tagged("post_install", "-at_install")
class TestInterfaceOverHttp(DoormanTransportCase):
    # What a service may say that does not speak this interface. None: 0.1.0 did not
    # send the header at all.
    OTHERS = (
        *(None, "", "0", "two", str(INTERFACE - 1), str(INTERFACE + 1)),
        *(template % INTERFACE for template in ("-%s", "%s0", "%s.0", "0%s", "%s;1")),
        f"{INTERFACE}, {INTERFACE}",
    )
    # Those that are taken for a service that does not read what hello says.
    UNREADING = (None, "1")

    def test_calls_of_another_interface(self):
        before = self.rows()
        params = {"fence": self.fence(), "request": self.request_}
        calls = [("call", params), ("resolve", {"proof": self.proof})]
        calls += [("record", {"events": [{"reason": "x"}]})]
        calls += [("run_job", {"name": "fold_use"})]
        # Arguments that this interface does not have, as the other one may.
        calls += [("call", {"fence": {}, "query": {}}), ("run_job", {"job": "x"})]
        for value in self.OTHERS:
            for method, asked in calls:
                with self.subTest(value=value, method=method, params=asked):
                    with mute_logger(*QUIET):
                        answer = self.rpc(method, asked, headers={HEADER: value})
                    self.check_error(answer, 422, "odoo.exceptions.UserError")
                    self.assertIn(UPDATING, answer.json()["error"]["data"]["message"])
        self.assertEqual(self.new_rows(before), [])

    def test_reads_that_share_a_request(self):
        entry = {"jsonrpc": "2.0", "id": 1, "method": "call"}
        entry["params"] = {"fence": self.fence(), "request": self.request_}
        before = self.rows()
        for value in self.OTHERS:
            with self.subTest(value=value):
                answer = self.post([entry], headers={HEADER: value}).json()
                # Alone it is told why.
                self.assertEqual(answer[0]["error"]["data"]["name"], "doorman.Alone")
        self.assertEqual(self.new_rows(before), [])

    def test_hello_of_another_interface(self):
        for value in self.OTHERS:
            with self.subTest(value=value), mute_logger(*QUIET):
                answer = self.rpc("hello", {"version": "9"}, headers={HEADER: value})
                if value in self.UNREADING:
                    self.check_error(answer, 422, "odoo.exceptions.UserError")
                    continue
                told = answer.json()["result"]
                self.assertEqual(
                    set(told), {"interface", "code_version", "addon_version"}
                )
                self.assertEqual(told["interface"], INTERFACE)
        self.settings.invalidate_recordset()
        self.assertNotEqual(self.settings.gateway_version, "9")

    def test_by_odoos_own_rpc(self):
        uid, key = self.service.id, self.service_key
        before = self.rows()
        args = [self.fence(), self.request_]
        params = {"fence": args[0], "request": args[1]}
        for value in self.OTHERS:
            headers = {HEADER: value}
            with self.subTest(value=value):
                answer = self.json2("call", params, headers=headers)
                self.assertEqual(answer.status_code, 422)
                self.assertIn(UPDATING, answer.json()["message"])
                answer = self.jsonrpc(
                    uid, key, "doorman.gateway", "call", args, speaks=value
                )
                self.assertIn(UPDATING, answer["error"]["data"]["message"])
                with self.assertRaisesRegex(Fault, UPDATING):
                    self.xmlrpc("run_job", '{"name": "fold_use"}', speaks=value)
                with self.assertRaisesRegex(Fault, UPDATING):
                    self.xmlrpc("no_such_method", "{}", speaks=value)
        self.assertEqual(self.new_rows(before), [])

    def test_a_person_is_refused_as_ever(self):
        for value in (None, str(INTERFACE)):
            answer = self.json2(
                "hello", {}, self._key("admin"), headers={HEADER: value}
            )
            self.assertEqual(answer.status_code, 403)
            self.assertNotIn(UPDATING, answer.text)
