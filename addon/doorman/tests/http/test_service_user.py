import hashlib
from datetime import datetime, timedelta
from xmlrpc.client import Fault

from odoo.exceptions import AccessDenied, AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .test_http import QUIET
from .test_http_transports import DoormanTransportCase

PASSWORD = "A-Str0ng-password"
# What its holder would write into the service's user, to come in by it later.
HANDLES = (
    {"email": "thief@x.example"},
    {"login": "thief"},
    {"password": PASSWORD},
    {"new_password": PASSWORD},
    {"partner_id": 1},
    {"email": "thief@x.example", "signature": "x"},
)
# What its holder would ask of Odoo with the key.
ATTEMPTS = (
    ("res.users", "write", {"vals": {"email": "thief@x.example"}}),
    ("res.users", "write", {"vals": {"login": "thief"}}),
    ("res.users", "write", {"vals": {"password": PASSWORD}}),
    ("res.users", "web_save", {"vals": {"email": "t@x.example"}, "specification": {}}),
    ("res.users", "change_password", {"old_passwd": "x", "new_passwd": PASSWORD}),
    ("res.users", "action_reset_password", {}),
    ("res.users", "reset_password", {"login": "doorman-service"}),
    ("res.users", "preference_change_password", {}),
    ("res.users", "action_change_password_wizard", {}),
    ("res.users", "copy", {}),
    ("res.users", "unlink", {}),
    ("res.users", "api_key_wizard", {}),
    ("res.users", "action_totp_enable_wizard", {}),
    ("res.users.apikeys.description", "create", {"vals_list": [{"name": "x"}]}),
    ("res.users.apikeys", "create", {"vals_list": [{"name": "x"}]}),
    ("res.users.apikeys", "search_read", {"domain": []}),
    ("auth.passkey.key", "create", {"vals_list": [{"name": "x"}]}),
    ("auth_totp.wizard", "create", {"vals_list": [{}]}),
    ("change.password.wizard", "create", {"vals_list": [{}]}),
    ("change.password.own", "create", {"vals_list": [{"new_password": PASSWORD}]}),
    ("res.partner", "write", {"vals": {"email": "thief@x.example"}}),
    ("res.partner", "signup_prepare", {}),
    ("doorman.settings", "action_generate_service_key", {}),
    ("doorman.settings", "api_rotate_service_key", {}),
    ("doorman.settings", "action_enable", {}),
    ("doorman.settings", "action_allow_changes", {}),
    ("doorman.connection", "action_rotate_key", {}),
    ("doorman.connection", "explain", {"tool": "x"}),
    ("ir.config_parameter", "get_param", {"key": "database.secret"}),
    ("ir.attachment", "search_read", {"domain": []}),
)


@tagged("post_install", "-at_install")
class TestServiceUser(DoormanTransportCase):
    """The service's user is a lock without a handle."""

    def setUp(self):
        super().setUp()
        self.before = self.state()

    def state(self):
        self.env.flush_all()
        self.env.cr.execute(
            """
            SELECT u.login, u.password, p.email, p.signup_type, u.active,
                   (SELECT array_agg(k.id ORDER BY k.id) FROM res_users_apikeys k
                     WHERE k.user_id = u.id)
              FROM res_users u JOIN res_partner p ON p.id = u.partner_id
             WHERE u.id = %s
            """,
            [self.service.id],
        )
        return self.env.cr.fetchone()

    def assert_as_before(self):
        self.env.invalidate_all()
        self.assertEqual(self.state(), self.before)

    def ids_of(self, model):
        own = {
            "res.users": self.service,
            "res.partner": self.service.partner_id,
            "doorman.connection": self.connection,
            "doorman.settings": self.settings,
        }
        return own[model].ids if model in own else []

    # ---- with the service's key ----

    def test_by_json2(self):
        for model, method, params in ATTEMPTS:
            with self.subTest(model=model, method=method):
                body = {"ids": self.ids_of(model), **params}
                if method in ("create", "reset_password", "search_read", "get_param"):
                    body = params
                answer = self.json2(method, body, model=model)
                self.assertIn(answer.status_code, (403, 404))
                self.assert_as_before()

    def test_by_jsonrpc(self):
        for model, method, params in ATTEMPTS:
            with self.subTest(model=model, method=method):
                args = [self.ids_of(model)] if self.ids_of(model) else []
                if method in ("reset_password", "api_rotate_service_key"):
                    args = []
                answer = self.jsonrpc(
                    self.service.id, self.service_key, model, method, args, params
                )
                self.assertIn("error", answer)
                self.assert_as_before()

    def test_by_the_gateway(self):
        for method in ("json_call", "explain", "write", "unlink", "_fenced", "sudo"):
            with self.subTest(method=method), mute_logger(*QUIET):
                answer = self.rpc(method, {"vals": {"email": "thief@x.example"}})
                self.assertNotEqual(answer.status_code, 200)
                self.assert_as_before()

    # ---- whatever has been set ----

    def test_nobody_sets_a_handle(self):
        for person in (
            self.service,
            self.people["admin"],
            self.env.ref("base.user_admin"),
        ):
            for vals in HANDLES:
                with self.subTest(person=person.login, vals=vals):
                    for user in (self.service.with_user(person), self.service.sudo()):
                        with self.assertRaises(AccessError):
                            user.write(vals)
                    self.assert_as_before()
        with self.assertRaises(AccessError):
            self.service.partner_id.sudo().email = "thief@x.example"
        with self.assertRaises(AccessError):
            self.service.sudo()._change_password(PASSWORD)
        self.assert_as_before()

    def test_of_others_they_are_set_as_ever(self):
        person = self.people["user"]
        person.write({"email": "new@x.example", "login": "dm-new"})
        person.partner_id.email = "newer@x.example"
        self.assertEqual(person.email, "newer@x.example")

    def test_no_reset(self):
        if "reset_password" not in dir(self.env["res.users"]):
            self.skipTest("auth_signup is not installed")
        with self.assertRaises(UserError):
            self.env["res.users"].sudo().reset_password("doorman-service")
        self.assert_as_before()

    def test_no_page_opens_by_a_password(self):
        """Also one that was set by SQL, or before this version."""
        crypt = self.env["res.users"]._crypt_context().hash(PASSWORD)
        self.env.cr.execute(
            "UPDATE res_users SET password = %s WHERE id = %s", [crypt, self.service.id]
        )
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        users = self.env["res.users"]
        credential = {"login": "doorman-service", "password": PASSWORD}
        for how in ({"interactive": True}, {"interactive": False}, {}):
            for kind in ("password", "oauth_token", "anything"):
                with self.subTest(how=how, kind=kind), self.assertRaises(AccessDenied):
                    with mute_logger("odoo.addons.base.models.res_users"):
                        users.authenticate(credential | {"type": kind}, how)
        answer = self.jsonrpc(self.service.id, PASSWORD, "doorman.gateway", "hello")
        self.assertIn("AccessDenied", answer["error"]["data"]["name"])
        # Its key opens no page, either.
        key = credential | {"password": self.service_key, "type": "password"}
        with self.assertRaises(AccessDenied):
            with mute_logger("odoo.addons.base.models.res_users"):
                users.authenticate(key, {"interactive": True})
        self.assertFalse(self.service._compute_session_token("a" * 84))

    def test_no_other_key(self):
        """However it was made: of the user itself, or by SQL."""
        keys = self.keys.with_user(self.service).sudo()
        day = datetime.now() + timedelta(days=1)
        for scope in (None, "rpc", "mcp", "doorman"):
            with self.subTest(scope=scope), self.assertRaises(AccessError):
                keys._generate(scope, "mine", day)
        admin = self.people["admin"]
        key = self.keys.with_user(admin).sudo()._generate(None, "x", day)
        self.env.cr.execute(
            "UPDATE res_users_apikeys SET user_id = %s WHERE user_id = %s",
            [self.service.id, admin.id],
        )
        self.env.registry.clear_cache()
        self.assertEqual(self.json2("hello", {}, key).status_code, 401)
        answer = self.jsonrpc(self.service.id, key, "doorman.gateway", "hello")
        self.assertIn("AccessDenied", answer["error"]["data"]["name"])
        with mute_logger(*QUIET):
            self.assertEqual(self.rpc("hello", key=key).status_code, 401)

    # ---- rotating ----

    def opens(self, key):
        """:return: by which ways a key opens the gateway"""
        found = set()
        with mute_logger(*QUIET):
            if self.rpc("hello", key=key).status_code == 200:
                found.add("doorman")
        if self.json2("hello", {}, key).status_code == 200:
            found.add("json2")
        answer = self.jsonrpc(self.service.id, key, "doorman.gateway", "hello")
        if "result" in answer:
            found.add("jsonrpc")
        before, self.service_key = self.service_key, key
        try:
            self.xmlrpc("hello", "{}")
            found.add("xmlrpc")
        except Fault:
            pass
        finally:
            self.service_key = before
        return found

    ALL = {"doorman", "json2", "jsonrpc", "xmlrpc"}

    def as_admin(self):
        return self.env["doorman.settings"].with_user(self.people["admin"])

    def test_rotate_with_overlap(self):
        old = self.service_key
        self.assertEqual(self.opens(old), self.ALL)
        new = self.as_admin().api_rotate_service_key()["key"]
        self.assertEqual(self.opens(old), self.ALL)
        self.assertEqual(self.opens(new), self.ALL)
        self.assertTrue(self.settings.old_service_key_until)
        self.env.cr.execute(
            "UPDATE doorman_service_key SET until = now() at time zone 'utc' "
            "- interval '1 second' WHERE until IS NOT NULL"
        )
        # By the clock, whatever any cache holds of it but the date itself.
        self.env.registry.clear_cache("default")
        self.assertEqual(self.opens(old), set())
        self.assertEqual(self.opens(new), self.ALL)
        self.env["doorman.settings"].sudo()._end_old_service_keys()
        self.assertEqual(len(self.state()[-1]), 1)

    def test_the_end_is_the_clocks_in_the_cache_too(self):
        old = self.service_key
        self.as_admin().api_rotate_service_key(1)
        self.assertEqual(self.opens(old), self.ALL)
        uid, until = self.settings._service_key(self.digest(old))
        self.assertEqual(uid, self.service.id)
        self.assertTrue(until)

    @staticmethod
    def digest(key):
        return hashlib.sha256(key.encode()).hexdigest()

    def test_by_a_program(self):
        """As docs/install.md shows it, with an administrator's own API key."""
        body = {"overlap_minutes": 15}
        call = ("api_rotate_service_key", body)
        answer = self.json2(*call, self._key("admin"), model="doorman.settings")
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertEqual(self.opens(answer.json()["key"]), self.ALL)
        for role in ("user", "internal", "approver"):
            answer = self.json2(*call, self._key(role), model="doorman.settings")
            self.assertEqual(answer.status_code, 403)

    def test_two_before_are_one(self):
        first = self.service_key
        second = self.as_admin().api_rotate_service_key()["key"]
        third = self.as_admin().api_rotate_service_key()["key"]
        self.assertEqual(self.opens(first), set())
        self.assertEqual(self.opens(second), self.ALL)
        self.assertEqual(self.opens(third), self.ALL)

    def test_rotate_now(self):
        first = self.service_key
        second = self.as_admin().api_rotate_service_key()["key"]
        crypt = self.env["res.users"]._crypt_context().hash(PASSWORD)
        self.env.cr.execute(
            "UPDATE res_users SET password = %s WHERE id = %s", [crypt, self.service.id]
        )
        dialog = self.as_admin().action_generate_service_key()
        new = dialog["context"]["default_key"]
        for key in (first, second, PASSWORD):
            self.assertEqual(self.opens(key), set())
        self.assertEqual(self.opens(new), self.ALL)
        self.assertIsNone(self.state()[1])
        self.assertEqual(len(self.state()[-1]), 1)

    def test_the_dialog(self):
        old = self.service_key
        dialog = self.env["doorman.rotate.service.key"]
        dialog = dialog.with_user(self.people["admin"]).create({})
        self.assertEqual(dialog.overlap_minutes, 15)
        new = dialog.action_rotate()["context"]["default_key"]
        self.assertEqual(self.opens(old), self.ALL)
        self.assertEqual(self.opens(new), self.ALL)

    def test_who_may(self):
        for person in ("user", "internal", "approver"):
            settings = self.env["doorman.settings"].with_user(self.people[person])
            with self.subTest(person=person):
                for method in ("api_rotate_service_key", "action_generate_service_key"):
                    with self.assertRaises(AccessError):
                        getattr(settings, method)()
        for minutes in (-1, 24 * 60 + 1, "15", 1.5, True, None):
            with self.subTest(minutes=minutes), self.assertRaises(UserError):
                self.as_admin().api_rotate_service_key(minutes)
        self.assert_as_before()
