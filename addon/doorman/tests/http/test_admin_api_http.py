import json
from datetime import timedelta

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..common import DoormanMixin, PatientHttpCase


@tagged("post_install", "-at_install")
class TestAdminApiOverHttp(DoormanMixin, PatientHttpCase):
    """As the service calls: JSON-2, with the administrator's own key."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_doorman()

    def _key(self, role, scope="rpc"):
        keys = self.env["res.users.apikeys"].with_user(self.people[role]).sudo()
        later = fields.Datetime.now() + timedelta(days=1)
        return keys._generate(scope, "x", later)

    def _call(self, key, method, model="doorman.connection", **arguments):
        self.env.flush_all()
        return self.url_open(
            f"/json/2/{model}/{method}",
            data=json.dumps(arguments),
            headers={
                "Authorization": f"bearer {key}",
                "Content-Type": "application/json",
            },
        )

    def test_by_key(self):
        values = {"name": "Bot", "user": "dm-user", "scopes": ["mcp:search"]}
        key = self._key("admin")
        answer = self._call(key, "api_connect", values=values)
        self.assertEqual(answer.status_code, 200)
        self.assertIn("pickup_url", answer.json())
        answer = self._call(self._key("user"), "api_connect", values=values)
        self.assertEqual(answer.json()["error"]["code"], "forbidden")
        gone = self._key("admin")
        self.env["res.users.apikeys"].sudo().search(
            [], order="id desc", limit=1
        ).unlink()
        no_keys = {
            "revoked": gone,
            "of another scope": self._key("admin", "doorman"),
            "none": "x" * 40,
            "an OAuth token": "dma_" + "x" * 43,
            "of a connection": self.credential,
            "of a connection, without its prefix": self.credential[4:],
        }
        calls = {
            "api_connect": {"values": values},
            "api_connections": {},
            "api_connection": {"connection_id": self.connection.id},
            "api_narrow": {"connection_id": self.connection.id, "values": {}},
            "api_rotate": {"connection_id": self.connection.id},
            "api_disconnect": {"connection_id": self.connection.id},
            "api_usage": {},
        }
        for name, arguments in calls.items():
            for what, wrong in no_keys.items():
                with self.subTest(key=what, method=name):
                    answer = self._call(wrong, name, **arguments)
                    self.assertEqual(answer.status_code, 401)
        for name in ("api_server", "api_switch_off"):
            for what, wrong in no_keys.items():
                with self.subTest(key=what, method=name):
                    answer = self._call(wrong, name, "doorman.settings")
                    self.assertEqual(answer.status_code, 401)
        self.assertEqual(self.connection.state, "awaiting")

    @mute_logger("odoo.http")
    def test_what_is_private_stays_so(self):
        key = self._key("admin")
        for method in ("_api", "_api_narrow", "_api_key", "_usage", "_issue_key"):
            with self.subTest(method=method):
                answer = self._call(key, method, ids=[])
                self.assertGreaterEqual(answer.status_code, 400)
