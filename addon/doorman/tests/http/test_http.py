import json
import re
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from ...controllers.gateway import MAX_BODY, TIMING_HEADER
from ...gateway.interface import HEADER, INTERFACE
from ..common import DoormanMixin, PatientHttpCase

ROUTE = "/doorman/jsonrpc"
QUIET = ("odoo.http", "odoo.sql_db", "odoo.addons.doorman.gateway.errors")


class DoormanHttpCase(DoormanMixin, PatientHttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_doorman()
        cls.service_key = cls.settings._generate_service_key()

    def post(self, body, key=None, headers=None, route=ROUTE, **kwargs):
        """:return: the answer to one POST, with the service's key if none is named"""
        self.env.flush_all()
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        all_headers = {
            "Authorization": f"Bearer {key or self.service_key}",
            "Content-Type": "application/json",
            "X-Odoo-Database": self.env.cr.dbname,
            HEADER: str(INTERFACE),
        } | (headers or {})
        all_headers = {k: v for k, v in all_headers.items() if v is not None}
        kwargs.setdefault("method", "POST")
        return self.url_open(route, data=data, headers=all_headers, **kwargs)

    def rpc(self, method, params=None, **kwargs):
        body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params or {}}
        return self.post(body, **kwargs)

    def check_error(self, response, status, name=None):
        """An error is JSON of the one shape, and shows nothing of the inside."""
        self.assertEqual(response.status_code, status, response.text[:300])
        self.assertIn("application/json", response.headers["Content-Type"])
        error = response.json()["error"]
        self.assertEqual(error["code"], status)
        self.assertEqual(set(error["data"]), {"name", "message"})
        for leak in ("Traceback", "<html", "/odoo/", 'File "', "SELECT", "psycopg2"):
            self.assertNotIn(leak, response.text)
        if name:
            self.assertEqual(error["data"]["name"], name)


@tagged("post_install", "-at_install")
class TestHttp(DoormanHttpCase):
    def test_a_good_request(self):
        response = self.rpc("hello", {"version": "1"})
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.json()["id"], 7)
        self.assertEqual(response.json()["result"]["database"], self.env.cr.dbname)
        self.assertEqual(response.headers["Cache-Control"], "no-store")
        self.assertNotIn("Set-Cookie", response.headers)

    def test_a_whole_call(self):
        request = self.request("res.partner", "search_count", domain=[])
        params = {"fence": self.fence(), "request": request}
        before = self.rows()
        response = self.rpc("call", params)
        self.assertIsInstance(response.json()["result"]["value"], int)
        self.assertEqual(len(self.new_rows(before)), 1)

    def test_the_time_in_odoo(self):
        """As W3C Server Timing writes it, and only where it is asked for."""
        asked = {TIMING_HEADER: "1"}
        timed = r"^total;dur=(\d+\.\d\d), db;dur=(\d+\.\d\d)$"
        params = {
            "fence": self.fence(),
            "request": self.request("res.partner", "search_count", domain=[]),
        }
        for name, response, told in [
            ("asked", self.rpc("call", params, headers=asked), True),
            ("not asked", self.rpc("call", params), False),
            ("an error", self.rpc("nothing", headers=asked), True),
            ("a stranger", self.rpc("hello", key="wrong", headers=asked), False),
            ("no key", self.post({}, headers=asked | {"Authorization": None}), False),
        ]:
            with self.subTest(name):
                header = response.headers.get("Server-Timing")
                if not told:
                    self.assertIsNone(header)
                    continue
                found = re.match(timed, header)
                self.assertTrue(found, header)
                total, database = map(float, found.groups())
                self.assertGreater(total, database)
                if name == "asked":
                    self.assertGreater(database, 0)

    def test_never_by_a_replica(self):
        """Which may not know yet what was revoked a moment ago."""
        seen = []
        hello = self.registry["doorman.gateway"].hello

        def note(gateway, **kwargs):
            seen.append(gateway.env.cr.readonly)
            return hello(gateway, **kwargs)

        with patch.object(self.registry["doorman.gateway"], "hello", note):
            self.assertEqual(self.rpc("hello").status_code, 200)
        self.assertEqual(seen, [False])
        # As it would be with one: the tests' Odoo has a connection for reading.
        self.assertIsNotNone(self.registry._db_readonly)
        routes = [
            endpoint.routing
            for _url, endpoint in self.env["ir.http"]._generate_routing_rules(
                ["doorman"], converters={}
            )
        ]
        self.assertGreater(len(routes), 5)
        for routing in routes:
            self.assertFalse(routing["readonly"], routing["routes"])

    # ---- who calls ----

    def test_keys_that_are_none(self):
        good = self.service_key
        bad = (
            None, "", "Bearer", "Bearer ", "Bearer x", good, f"Basic {good}",
            f"bearer{good}", f"Token {good}", f"Bearer {good}x", f"Bearer {good[:-1]}",
            f"Bearer {good.upper()}", f"Bearer {good}, Bearer {good}", "Bearer null",
            f"Bearer {self.credential}", f"Bearer {self.credential[4:]}",
            f"Bearer {self.proof}", "Bearer ' OR '1'='1", "Bearer \xe9\xff",
            f"Bearer x {good}", "Bearer %", f"Digest {good}",
        )  # fmt: skip
        for value in bad:
            with self.subTest(authorization=value):
                headers = {"Authorization": value and value.encode("latin-1")}
                response = self.rpc("hello", headers=headers)
                self.check_error(response, 401, "odoo.exceptions.AccessDenied")

    def test_the_stored_digest_is_no_key(self):
        self.env.cr.execute("SELECT digest FROM doorman_service_key")
        for value in (self.env.cr.fetchone()[0], self.settings.service_user_id.login):
            self.check_error(self.rpc("hello", key=value), 401)

    def test_other_peoples_keys(self):
        for person in (*self.people.values(), self.env.ref("base.user_admin")):
            keys = self.env["res.users.apikeys"].with_user(person).sudo()
            for scope in ("rpc", None):
                with self.subTest(login=person.login, scope=scope):
                    key = keys._generate(scope, "test", None)
                    self.check_error(self.rpc("hello", key=key), 401)

    def test_a_session_counts_for_nothing(self):
        self.env.ref("base.user_admin").password = "Adm1n-password"
        self.authenticate("admin", "Adm1n-password")
        response = self.rpc("hello", headers={"Authorization": None})
        self.check_error(response, 401)
        response = self.rpc("hello")
        self.assertEqual(response.status_code, 200)
        response = self.rpc("hello", key="x")
        self.check_error(response, 401)

    def test_a_new_key_ends_the_old_one(self):
        old = self.service_key
        new = self.settings._generate_service_key()
        self.check_error(self.rpc("hello", key=old), 401)
        self.assertEqual(self.rpc("hello", key=new).status_code, 200)

    def test_a_removed_key_ends_at_once(self):
        self.assertEqual(self.rpc("hello").status_code, 200)
        self.env["res.users.apikeys"].search(
            [("user_id", "=", self.service.id)]
        ).unlink()
        self.check_error(self.rpc("hello"), 401)

    def test_an_expired_key_ends_at_once(self):
        self.env.cr.execute(
            "UPDATE res_users_apikeys SET expiration_date = "
            "now() at time zone 'utc' - interval '1 second' WHERE user_id = %s",
            [self.service.id],
        )
        self.check_error(self.rpc("hello"), 401)

    def test_an_archived_service_user_ends_at_once(self):
        self.service.active = False
        self.check_error(self.rpc("hello"), 401)

    def test_the_services_key_under_another_user(self):
        self.env.cr.execute(
            "UPDATE res_users_apikeys SET user_id = %s WHERE user_id = %s",
            [self.people["impostor"].id, self.service.id],
        )
        self.check_error(self.rpc("hello"), 401)

    # ---- what is sent ----

    def test_other_http_methods(self):
        headers = {
            "Authorization": f"Bearer {self.service_key}",
            "X-Odoo-Database": self.env.cr.dbname,
        }
        for method in ("GET", "PUT", "DELETE", "PATCH"):
            with self.subTest(method=method), mute_logger(*QUIET):
                response = self.url_open(ROUTE, headers=headers, method=method)
                self.assertIn(response.status_code, (404, 405))
                self.assertNotIn("Traceback", response.text)

    def test_bodies_that_are_no_requests(self):
        good = {"jsonrpc": "2.0", "id": 1, "method": "hello", "params": {}}
        bodies = [
            "", "x", "{", "null", "true", "1", '"hello"', "[]", "\x00",
            "\ufeff{}".encode(), b"\xff\xfe\x00", b"\x80abc", [good], [good, good],
            {}, {"method": "hello"}, {"params": {}}, good | {"params": []},
            good | {"params": None},
            good | {"params": "x"}, good | {"params": 1}, "[" * 100_000,
            '{"a":' * 50_000, "[" * 50_000 + "]" * 50_000, "9" * 10_000,
            json.dumps(good)[:-1] + ', "x": ' + "[" * 20_000 + "]" * 20_000 + "}",
        ]  # fmt: skip
        for body in bodies:
            with self.subTest(body=str(body)[:60]), mute_logger(*QUIET):
                self.check_error(self.post(body), 400, "ValueError")

    def test_other_content_types(self):
        """The body is what counts; a form is not a request, whatever it is called."""
        for kind in ("application/x-www-form-urlencoded", "multipart/form-data; b=x"):
            headers = {"Content-Type": kind}
            with self.subTest(kind=kind), mute_logger(*QUIET):
                response = self.post("method=hello&params={}", headers=headers)
                self.check_error(response, 400)

    def test_methods_that_are_none(self):
        names = (
            "", "nope", "HELLO", "hello ", "_run", "_fence_row", "_check_caller",
            "__class__", "__init__", "env", "pool", "sudo", "with_user", "search",
            "read", "write", "create", "browse", "json_call", "_methods", "execute_kw",
            "fold_use", "_fold_use", "_jobs",
            "call.__func__", None, 1, ["hello"], {"a": 1}, True,
        )  # fmt: skip
        for name in names:
            with self.subTest(name=name), mute_logger(*QUIET):
                self.check_error(self.rpc(name), 404, "NotFound")

    def test_wrong_arguments(self):
        proof = "0" * 64
        rows = [
            ("hello", {"nope": 1}), ("hello", {"self": 1}), ("resolve", {}),
            ("resolve", {"proof": proof, "x": 1}), ("call", {}),
            ("call", {"fence": {}}), ("call", {"fence": None, "request": {}}),
            ("call", {"fence": {}, "request": None}),
            ("call", {"fence": "x", "request": "x"}),
            ("call", {"fence": [], "request": []}),
            ("fields", {"fence": 1, "model": "res.partner"}),
            ("record", {"events": None}), ("record", {"events": 5}),
            ("record", {"events": [5]}), ("record", {"events": [{"count": "x"}]}),
            ("record", {"events": [{"connection": "x"}]}),
            ("record", {"events": [{"time": "yesterday"}]}),
            ("sync_catalog", {"tools": None}), ("sync_catalog", {"tools": [5]}),
            ("sync_catalog", {"tools": [{}]}),
            ("sync_catalog", {"tools": [{"name": "x", "risk": "vast"}]}),
            ("hello", {"__class__": 1}), ("hello", {"": 1}),
        ]  # fmt: skip
        for method, params in rows:
            with self.subTest(method=method, params=params), mute_logger(*QUIET):
                response = self.rpc(method, params)
                self.check_error(response, 400)

    def test_odd_arguments_that_mean_nothing(self):
        for proof in (None, 1, [], {}, "x" * 10_000, "\x00", "\ud800"):
            with self.subTest(proof=proof), mute_logger(*QUIET):
                response = self.rpc("resolve", {"proof": proof})
                error = response.json()["result"]["error"]
                self.assertEqual(error["kind"], "unauthenticated")

    def test_text_that_is_no_text(self):
        """Lone surrogates are valid JSON and no valid UTF-8."""
        fence = self.fence()
        for text in ("\ud800", "a\x00b"):
            request = self.request(text, "read")
            with self.subTest(text=text), mute_logger(*QUIET):
                response = self.rpc("call", {"fence": fence, "request": request})
                self.assertEqual(response.status_code, 200)
                self.assertIn("error", response.json()["result"])

    def test_an_odd_id_comes_back(self):
        for call_id in (None, "x", 1.5, "\ud800", [1], {"a": 1}):
            with self.subTest(id=call_id), mute_logger(*QUIET):
                body = {"id": call_id, "method": "record", "params": {"events": []}}
                response = self.post(body)
                self.assertEqual(response.status_code, 200)
                self.assertEqual(response.json()["id"], call_id)

    def test_too_large(self):
        with mute_logger(*QUIET):
            response = self.post('{"x": "' + "x" * MAX_BODY + '"}', timeout=60)
        # Odoo answers this one before the controller is reached.
        self.assertEqual(response.status_code, 413)
        self.assertNotIn("Traceback", response.text)

    def test_another_database(self):
        with mute_logger(*QUIET):
            headers = {"X-Odoo-Database": "no-such-database"}
            response = self.rpc("hello", headers=headers)
        self.assertGreaterEqual(response.status_code, 400)
        self.assertNotIn("result", response.text)
        self.assertNotIn("Traceback", response.text)

    def test_nothing_is_done_when_it_fails(self):
        request = self.request("res.partner", "search_count", domain=[])
        before = self.rows()
        with mute_logger(*QUIET):
            self.rpc("record", {"events": [{"reason": "x"}, {"count": "x"}]})
            self.rpc("call", {"fence": self.fence(), "request": request, "x": 1})
        self.assertFalse(self.new_rows(before))
