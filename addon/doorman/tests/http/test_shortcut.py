import threading
from types import SimpleNamespace
from unittest.mock import patch

from odoo.exceptions import ConcurrencyError
from odoo.http import Request, request
from odoo.tests import tagged
from odoo.tools import config, mute_logger

from ...controllers import gateway_batch, shortcut
from ..common import proof_of
from .test_http import QUIET, ROUTE, DoormanHttpCase


@tagged("post_install", "-at_install")
class TestShortcut(DoormanHttpCase):
    def setUp(self):
        super().setUp()
        # Of two at once, none is put back because the machine is slow.
        self.patch(gateway_batch, "BATCH_SECONDS", 60)
        self.patch(gateway_batch, "CALL_MS", 60_000)
        self.way = []
        serve, usual = shortcut._serve, Request._serve_ir_http

        def served(of):
            self.way.append("short")
            return serve(of)

        def served_by_odoo(of, rule, args):
            self.way.append("usual")
            return usual(of, rule, args)

        self.startPatcher(patch.object(shortcut, "_serve", served))
        self.startPatcher(patch.object(Request, "_serve_ir_http", served_by_odoo))

    def way_of(self, **kwargs):
        """:return: the answer to a good request, and which way it went"""
        self.way.clear()
        with mute_logger(*QUIET):
            response = self.rpc("hello", **kwargs)
        return response, self.way

    def switch(self, value):
        self.env["ir.config_parameter"].set_param(shortcut.SWITCH, value)

    # ---- which requests take it ----

    def test_the_services_requests_take_it(self):
        response, way = self.way_of()
        self.assertEqual((response.status_code, way), (200, ["short"]))

    def test_others_go_odoos_way(self):
        """They are answered all the same, or refused as Odoo refuses them."""
        session = {"Cookie": "session_id=" + "x" * 84}
        for name, kwargs in [
            ("a query", {"route": ROUTE + "?debug=1"}),
            ("a session", {"headers": session}),
            ("another type", {"headers": {"Content-Type": "text/plain"}}),
            ("no type", {"headers": {"Content-Type": None}}),
            ("a slash behind it", {"route": ROUTE + "/"}),
            ("no database", {"headers": {"X-Odoo-Database": None}}),
        ]:
            with self.subTest(name):
                self.assertNotIn("short", self.way_of(**kwargs)[1])

    def test_a_length_that_is_not_known(self):
        """Such a request ends in an error of the server's if it takes the short way."""
        good = {
            "PATH_INFO": ROUTE,
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": "53",
            "HTTP_X_ODOO_DATABASE": "x",
        }
        for changes, short in (
            ({}, True),
            ({"HTTP_TRANSFER_ENCODING": "chunked"}, False),
            ({"CONTENT_LENGTH": ""}, False),
            ({"CONTENT_LENGTH": "²"}, False),
            ({"CONTENT_LENGTH": "+53"}, False),
            ({"CONTENT_LENGTH": "-1"}, False),
            ({"CONTENT_LENGTH": "9" * 5000}, False),
        ):
            with self.subTest(changes):
                sent = SimpleNamespace(environ=good | changes, _session_id__="")
                asked = SimpleNamespace(httprequest=sent)
                self.assertIs(shortcut.takes(asked), short)

    def test_the_switch(self):
        self.switch("0")
        response, way = self.way_of()
        self.assertEqual((response.status_code, way), (200, ["usual"]))
        self.switch("1")
        self.assertEqual(self.way_of()[1], ["short"])

    def test_with_an_addon_that_was_not_read(self):
        """What it does to each request may be what keeps somebody out."""

        for hook in shortcut.LEFT_OUT:
            with self.subTest(hook):
                other = type("IrHttp", (), {"_module": "another", hook: print})
                registry = {"ir.http": type("ir.http", (other,), {})}
                self.assertFalse(shortcut.is_safe(registry))
        self.assertTrue(shortcut.is_safe(self.registry))
        with patch.object(self.registry, "_doorman_shortcut", False):
            response, way = self.way_of()
        self.assertEqual((response.status_code, way), (200, ["usual"]))

    def test_an_endpoint_that_wants_a_login(self):
        routing = {"auth": "user", "type": "http", "max_content_length": 1}
        rule = SimpleNamespace(endpoint=SimpleNamespace(routing=routing))
        with patch.object(self.registry["ir.http"], "_match", lambda path: (rule, {})):
            found = shortcut._serve(SimpleNamespace(registry=self.registry))
        self.assertIsNone(found)

    def test_a_database_that_the_filter_hides(self):
        with patch.dict(config.options, {"dbfilter": "^other$"}):
            response, way = self.way_of()
        self.assertEqual((response.status_code, way), (404, []))

    # ---- the same answers ----

    def test_the_same_answers_both_ways(self):
        """Each request once by each way: status, headers and body."""
        fence = self.fence()
        refused = fence | {"proof": proof_of("another")}
        count = self.request("res.partner", "search_count", domain=[])
        wrong = self.request("res.partner", "read", fields=["no_such"], ids=[1])
        call = {"fence": fence, "request": count}
        both = [
            {"jsonrpc": "2.0", "id": number, "method": "call", "params": call}
            for number in (1, 2)
        ]
        rows = [
            ("good", {"body": both[0]}),
            ("two at once", {"body": both}),
            ("a wrong field", {"method": "call", "params": call | {"request": wrong}}),
            ("refused", {"method": "call", "params": call | {"fence": refused}}),
            ("no method", {"method": "nothing"}),
            ("wrong arguments", {"method": "call", "params": {"x": 1}}),
            ("not JSON", {"body": "{"}),
            ("another key", {"method": "hello", "key": "wrong"}),
            ("no key", {"method": "hello", "headers": {"Authorization": None}}),
            ("another interface", {"method": "resolve", "params": {"proof": "0"}}),
        ]
        for name, row in rows:
            with self.subTest(name), mute_logger(*QUIET):
                answers = []
                for value, way in [("1", "short"), ("0", "usual")]:
                    self.switch(value)
                    self.way.clear()
                    body = row.get("body")
                    rest = {k: v for k, v in row.items() if k != "body"}
                    answer = self.post(body, **rest) if body else self.rpc(**rest)
                    self.assertEqual(self.way[:1], [way])
                    headers = dict(answer.headers)
                    headers.pop("Date")
                    answers.append((answer.status_code, headers, answer.text))
                self.assertEqual(*answers)

    def test_the_same_surroundings(self):
        """What code finds that a call runs: the request, its user, the language."""
        seen = []
        hello = self.registry["doorman.gateway"].hello

        def note(gateway, **kwargs):
            env = gateway.env
            seen.append(
                {
                    "user": (env.uid, env.su, env.transaction.default_env.uid),
                    "context": dict(env.context),
                    "readonly": env.cr.readonly,
                    "request": request.env == env,
                    "session": dict(request.session) | {"create_time": 0},
                    "saved": request.session.can_save,
                    "params": request.params,
                    "most": request.httprequest.max_content_length,
                    "dispatcher": type(request.dispatcher),
                    "thread": threading.current_thread().dbname,
                    "mode": threading.current_thread().cursor_mode,
                }
            )
            return hello(gateway, **kwargs)

        with patch.object(self.registry["doorman.gateway"], "hello", note):
            self.way_of(headers={"Accept-Language": "fr"})
            self.switch("0")
            self.way_of(headers={"Accept-Language": "fr"})
        self.assertEqual(*seen)

    # ---- what other processes do ----

    def test_what_others_change_is_seen(self):
        """Odoo's own check of its caches still runs before each request."""
        self.way_of()
        with patch.object(self.registry, "check_signaling") as check:
            check.return_value = self.registry
            response, way = self.way_of()
        self.assertEqual((response.status_code, way), (200, ["short"]))
        check.assert_called_once()

    def test_a_conflict_is_tried_again(self):
        tried = []
        hello = self.registry["doorman.gateway"].hello

        def conflict(gateway, **kwargs):
            tried.append(gateway.env.uid)
            if len(tried) < 2:
                raise ConcurrencyError("somebody else")
            return hello(gateway, **kwargs)

        with (
            patch.object(self.registry["doorman.gateway"], "hello", conflict),
            patch("odoo.service.model.time.sleep"),
            mute_logger("odoo.service.model"),
        ):
            response, way = self.way_of()
        self.assertEqual((response.status_code, way), (200, ["short"]))
        self.assertEqual(tried, [self.service.id] * 2)
