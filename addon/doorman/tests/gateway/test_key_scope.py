import hashlib
import importlib.util
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock, patch

from werkzeug.routing import Map, Rule

from odoo.tests import tagged

from ...models.connection.keys import KEY_SCOPE
from ...policy.shared import PREFIX_KEY
from ..common import DoormanCase

ROOT = Path(__file__).parents[2]
MIGRATION = ROOT / "migrations/19.0.0.2.0/post-key_scope.py"


@tagged("post_install", "-at_install")
class TestKeyScope(DoormanCase):
    """A connection's key opens Doorman's door and no other."""

    def new_key(self):
        return self.connection.sudo()._issue_key().removeprefix(PREFIX_KEY)

    def opens(self, key, scope):
        keys = self.env["res.users.apikeys"]
        return keys._check_credentials(scope=scope, key=key)

    def scope_of(self, ident):
        self.env.cr.execute(
            "SELECT scope FROM res_users_apikeys WHERE id = %s", [ident]
        )
        return self.env.cr.fetchone()[0]

    def test_no_other_door(self):
        key = self.new_key()
        for scope in (
            "mcp",
            "rpc",
            "odoo.plugin.outlook",
            "ai",
            "doorman.x",
            "Doorman",
        ):
            with self.subTest(scope=scope):
                self.assertFalse(self.opens(key, scope))
        self.assertEqual(self.opens(key, KEY_SCOPE), self.connection.user_id.id)

    def test_a_key_of_another_scope_is_none_of_ours(self):
        """Whatever its row says: the fence looks at the scope itself."""
        connection = self.connection.sudo()
        credential = connection._issue_key()
        self.assertIn("snapshot", self.resolved(credential))
        for scope in ("mcp", "rpc", None):
            with self.subTest(scope=scope):
                self.env.cr.execute(
                    "UPDATE res_users_apikeys SET scope = %s WHERE id = %s",
                    [scope, connection.api_key_id.id],
                )
                error = self.resolved(credential)["error"]
                self.assertEqual(error["code"], "credential_invalid")

    def resolved(self, credential):
        proof = hashlib.sha256(credential.encode()).hexdigest()
        return self.gateway.resolve(proof)

    def test_keys_of_before(self):
        self.new_key()
        ours = self.connection.sudo().api_key_id
        person = self.people["user"]
        day = datetime.now() + timedelta(days=1)
        self.env["res.users.apikeys"].with_user(person)._generate("mcp", "Mine", day)
        self.env.cr.execute(
            "UPDATE res_users_apikeys SET scope = 'mcp' WHERE id = %s", [ours.id]
        )
        self.env.cr.execute("SELECT max(id) FROM res_users_apikeys")
        [other] = self.env.cr.fetchone()
        spec = importlib.util.spec_from_file_location("key_scope", MIGRATION)
        script = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(script)
        for _time in range(2):
            script.migrate(self.env.cr, "19.0.0.1.0")
            self.assertEqual(self.scope_of(ours.id), KEY_SCOPE)
            self.assertEqual(self.scope_of(other), "mcp")

    # ---- other doors ----

    def test_no_other_module(self):
        settings = self.env["doorman.settings"]
        self.assertEqual(settings._other_mcp(), ())
        self.assertFalse(settings._get().other_mcp)
        self.assertEqual(self.gateway.hello()["other_mcp"], [])

    def test_another_module_is_named(self):
        def rule(path, module):
            func = SimpleNamespace(__module__=f"odoo.addons.{module}.controllers.main")
            return Rule(path, endpoint=Mock(func=func))

        paths = Map(
            [
                rule("/mcp", "ai_mcp"),
                rule("/api/mcp-server/<int:x>", "some_mcp"),
                rule("/doorman/mcp", "doorman"),
                rule("/shop/mcpherson", "website_sale"),
                rule("/web/login", "web"),
            ]
        )
        http = type(self.env["ir.http"])
        # As when modules come and go.
        self.env.registry.clear_cache("routing")
        self.addCleanup(self.env.registry.clear_cache, "routing")
        with patch.object(http, "routing_map", lambda self, key=None: paths):
            settings = self.env["doorman.settings"]
            self.assertEqual(settings._other_mcp(), ("ai_mcp", "some_mcp"))
            self.assertEqual(self.gateway.hello()["other_mcp"], ["ai_mcp", "some_mcp"])
            self.assertEqual(settings._get().other_mcp, "ai_mcp, some_mcp")
