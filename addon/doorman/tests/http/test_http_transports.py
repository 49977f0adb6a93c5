from xmlrpc.client import Fault

from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_http import QUIET, DoormanHttpCase


@tagged("post_install", "-at_install")
class TestTransports(DoormanHttpCase):
    """Odoo's own RPC reaches the same methods with the service's key, and nothing
    at all with the key of a connection."""

    def setUp(self):
        super().setUp()
        self.keys = self.env["res.users.apikeys"]
        self.request_ = self.request("res.partner", "search_count", domain=[])

    def _key(self, role, scope="rpc"):
        person = self.people[role]
        return self.keys.with_user(person).sudo()._generate(scope, "test", None)

    def json2(self, method, params, key=None, model="doorman.gateway"):
        with mute_logger(*QUIET):
            return self.post(params, key, route=f"/json/2/{model}/{method}")

    def jsonrpc(self, uid, key, model, method, args=(), kwargs=None):
        params = {
            "service": "object",
            "method": "execute_kw",
            "args": [
                self.env.cr.dbname, uid, key, model, method, list(args), kwargs or {}
            ],
        }  # fmt: skip
        body = {"jsonrpc": "2.0", "id": 1, "method": "call", "params": params}
        with mute_logger(*QUIET, "odoo.addons.rpc.controllers.jsonrpc"):
            return self.post(body, route="/jsonrpc").json()

    def test_json2(self):
        answer = self.json2("hello", {"version": "2"})
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.json()["database"], self.env.cr.dbname)
        params = {"fence": self.fence(), "request": self.request_}
        answer = self.json2("call", params)
        self.assertIn("value", answer.json())

    def test_json2_with_other_keys(self):
        params = {"fence": self.fence(), "request": self.request_}
        for role in ("portal", "internal", "user", "admin", "impostor"):
            for method, body in (("hello", {}), ("call", params)):
                with self.subTest(role=role, method=method):
                    answer = self.json2(method, body, self._key(role))
                    self.assertEqual(answer.status_code, 403)
                    self.assertNotIn("value", answer.json())

    def test_json2_reaches_nothing_else_with_the_services_key(self):
        rows = (
            ("res.partner", "search_read", {"domain": []}),
            ("res.users", "read", {"ids": [2], "fields": ["login"]}),
            ("doorman.connection", "search_read", {"domain": []}),
            ("doorman.settings", "action_enable", {"ids": [1]}),
            ("doorman.audit", "search_read", {"domain": []}),
            ("ir.attachment", "search_read", {"domain": []}),
            ("doorman.gateway", "_run", {}),
            ("doorman.gateway", "_fenced", {}),
            ("doorman.connection", "_issue_key", {"ids": self.connection.ids}),
            ("doorman.settings", "_generate_service_key", {}),
        )
        for model, method, params in rows:
            with self.subTest(model=model, method=method):
                answer = self.json2(method, params, model=model)
                if answer.status_code == 200:
                    self.assertEqual(answer.json(), [])
                else:
                    self.assertIn(answer.status_code, (403, 404, 422))

    def test_jsonrpc(self):
        uid, key = self.service.id, self.service_key
        answer = self.jsonrpc(uid, key, "doorman.gateway", "hello")
        self.assertEqual(answer["result"]["database"], self.env.cr.dbname)
        args = [self.fence(), self.request_]
        answer = self.jsonrpc(uid, key, "doorman.gateway", "call", args)
        self.assertIn("value", answer["result"])
        for model in ("res.partner", "doorman.connection"):
            with self.subTest(model=model):
                answer = self.jsonrpc(uid, key, model, "search_read", [[]])
                self.assertIn("error", answer)

    def test_jsonrpc_with_other_keys(self):
        for role in ("internal", "user", "admin", "impostor"):
            with self.subTest(role=role):
                uid = self.people[role].id
                answer = self.jsonrpc(uid, self._key(role), "doorman.gateway", "hello")
                self.assertIn("AccessError", answer["error"]["data"]["name"])
        answer = self.jsonrpc(
            self.service.id, self._key("admin"), "doorman.gateway", "hello"
        )
        self.assertIn("AccessDenied", answer["error"]["data"]["name"])

    def test_a_connections_key_opens_nothing_of_odoos_own(self):
        uid = self.people["user"].id
        key = self.credential[4:]
        for value in (key, self.credential):
            answer = self.json2(
                "search_read", {"domain": []}, value, model="res.partner"
            )
            self.assertEqual(answer.status_code, 401)
            answer = self.jsonrpc(uid, value, "res.partner", "search_count", [[]])
            self.assertIn("AccessDenied", answer["error"]["data"]["name"])
            with self.assertRaises(Fault), mute_logger(*QUIET):
                self.xmlrpc_object.execute_kw(
                    self.env.cr.dbname, uid, value, "res.partner", "search_count", [[]]
                )
            found = self.xmlrpc_common.authenticate(
                self.env.cr.dbname, self.people["user"].login, value, {}
            )
            self.assertFalse(found)

    def test_the_web_client_reaches_no_gateway(self):
        self.env.ref("base.user_admin").password = "Adm1n-password"
        self.authenticate("admin", "Adm1n-password")
        params = {"model": "doorman.gateway", "method": "hello"}
        params |= {"args": [], "kwargs": {}}
        body = {"jsonrpc": "2.0", "id": 1, "method": "call", "params": params}
        with mute_logger(*QUIET):
            headers = {"Authorization": None}
            route = "/web/dataset/call_kw/doorman.gateway/hello"
            answer = self.post(body, headers=headers, route=route).json()
        self.assertIn("AccessError", answer["error"]["data"]["name"])

    def test_xmlrpc(self):
        """XML-RPC cannot carry every JSON value: ``json_call`` wraps them."""
        with mute_logger(*QUIET):
            answer = self.xmlrpc_object.execute_kw(
                self.env.cr.dbname, self.service.id, self.service_key,
                "doorman.gateway", "json_call", ["record", '{"events": []}'],
            )  # fmt: skip
        self.assertEqual(answer, '{"recorded": 0}')
