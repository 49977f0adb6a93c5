from odoo.exceptions import UserError
from odoo.tests import tagged

from ..oauth_common import CALLBACK, DOCUMENT
from .test_oauth_token import OauthCase

MODELS = "odoo.addons.doorman.models.oauth."


@tagged("post_install", "-at_install")
class TestOauthRegister(OauthCase):
    def test_a_client_registers(self):
        answer = self.register(software_id="x", software_version="1")
        self.assertRegex(answer["client_id"], r"^dmo_[\w-]{43}$")
        self.assertIsInstance(answer["issued_at"], int)
        self.assertEqual(
            self.gateway.oauth_client(answer["client_id"]),
            {
                "client_id": answer["client_id"],
                "name": "Claude",
                "kind": "dynamic",
                "auth_method": "none",
                "redirect_uris": [CALLBACK],
                "user_id": None,
            },
        )

    def test_registrations_that_are_refused(self):
        for uris in (
            None, [], "x", [None], [""], [CALLBACK] * 11, ["https://x.example/" * 60],
            ["http://app.example.com/cb"], ["javascript:alert(1)"],
            ["data:text/html,x"], ["https://u:p@x.example/"], ["https://x.example/#f"], ["myapp://x/cb"],
            ["cursor://evil.example/cb"], ["com.example.app:/cb"], ["CURSOR://x/cb"],
            ["https:///x"], ["//x.example"], ["https://x.example/ y"],
            ["https://x.example\\@y.example/"], ["https://ex\u0430mple.com/"],
            ["https://x.example/\nLocation: y"], [CALLBACK, "http://x.example/"],
        ):  # fmt: skip
            with self.subTest(uris=uris):
                found = self.error(self.register(redirect_uris=uris))
                self.assertEqual(found, "invalid_redirect_uri")
        for uris in (
            ["http://localhost:33418/cb"],
            ["http://127.0.0.1/cb"],
            ["http://[::1]:1/cb"],
            [CALLBACK] * 10,
        ):
            with self.subTest(uris=uris):
                self.assertEqual(self.error(self.register(redirect_uris=uris)), "ok")

    def test_what_the_settings_say_holds(self):
        self.settings.oauth_redirect_hosts = "# ours\nclaude.example\n"
        local, custom = ["http://localhost/cb"], ["myapp://x/cb"]
        known = ["cursor://anysphere.cursor-mcp/oauth/callback"]
        deny, allow = "invalid_redirect_uri", "ok"
        for uris, expected in (
            ([CALLBACK], deny),
            (["https://x.claude.example/cb"], deny),
            (["https://claude.example.evil.example/cb"], deny),
            (custom, deny),
            (known + custom, deny),
            (known, allow),
            (["https://claude.example/cb"], allow),
            (local, allow),
        ):
            with self.subTest(uris=uris):
                found = self.error(self.register(redirect_uris=uris))
                self.assertEqual(found, expected)
        self.settings.oauth_known_schemes = False
        self.assertEqual(self.error(self.register(redirect_uris=known)), deny)
        self.settings.oauth_custom_schemes = True
        self.assertEqual(self.error(self.register(redirect_uris=known)), allow)
        self.assertEqual(self.error(self.register(redirect_uris=custom)), allow)
        found = self.error(self.register(redirect_uris=["javascript://x/cb"]))
        self.assertEqual(found, deny)
        for name in ("oauth_dynamic_registration", "oauth_enabled"):
            self.settings[name] = False
            found = self.error(self.register(redirect_uris=local))
            self.assertEqual(found, "access_denied")
            self.settings[name] = True

    def test_the_service_is_told_what_there_is(self):
        oauth = self.gateway.hello()["oauth"]
        self.assertEqual(oauth["registrations_per_hour"], 100)
        self.assertIs(oauth["known_schemes"], True)
        self.assertIs(oauth["custom_schemes"], False)
        self.settings.oauth_registrations_per_hour = 7
        self.settings.oauth_known_schemes = False
        oauth = self.gateway.hello()["oauth"]
        self.assertEqual(oauth["registrations_per_hour"], 7)
        self.assertIs(oauth["known_schemes"], False)

    def test_what_one_address_may_register_is_kept(self):
        module = __import__(f"{MODELS}doorman_oauth_client", fromlist=["x"])
        self.patch(module, "MAX_UNUSED", 2)
        self.settings.oauth_registrations_per_hour = 1
        for expected in ["ok"] * 10 + ["temporarily_unavailable"]:
            self.assertEqual(self.error(self.register()), expected)

    def test_unused_registrations_give_way(self):
        module = __import__(f"{MODELS}doorman_oauth_client", fromlist=["x"])
        self.patch(module, "MAX_UNUSED", 2)
        self.patch(module, "UNUSED_OF_ALL", 0)
        old, used = self.client(), self.client()
        self.tokens(used)
        self.register()
        found = self.error(self.register())
        self.assertEqual(found, "temporarily_unavailable")
        self.sql(
            "UPDATE doorman_oauth_client SET create_date = create_date - "
            "interval '61 minutes' WHERE id IN %s",
            (old.id, used.id),
        )
        self.assertEqual(self.error(self.register()), "ok")
        self.assertFalse(old.exists())
        self.assertTrue(used.exists())

    def test_names_show_what_they_are(self):
        for name, shown in (
            ("  Claude\n Desktop ", "Claude Desktop"),
            ("Clau\u200bde", "Claude"),
            ("\u202eedualC", "edualC"),
            ("\u2066Claude\u2069\ufeff", "Claude"),
            ("Cla\u00adude\x00\x1b[31m", "Claude[31m"),
            ("Claude\u3164\u2800", "Claude"),
            ("Z\u0300\u0301\u0302\u0303\u0304x", "Zx"),
            ("Café", "Café"),
            ("x" * 300, "x" * 100),
            ("", "app.example.com"),
            ("\u200b", "app.example.com"),
            (None, "app.example.com"),
        ):
            with self.subTest(name=name):
                answer = self.register(client_name=name)
                self.assertEqual(self.client(answer["client_id"]).name, shown)

    def test_clients_that_are_unknown(self):
        custom, _secret = self.custom()
        ended = self.client()
        ended.with_user(self.people["admin"]).action_end()
        self.tokens()
        for client_id in (
            "dmo_x", "", None, 1, [], ["x"], ended.client_id, DOCUMENT, "x" * 9999,
            "\0", custom.client_id + " ", custom.client_id.upper(), "%",
        ):  # fmt: skip
            with self.subTest(client_id=client_id):
                found = self.error(self.gateway.oauth_client(client_id))
                self.assertEqual(found, "invalid_client")
        found = self.gateway.oauth_client(custom.client_id)
        self.assertEqual(found["auth_method"], "client_secret")
        self.assertEqual(found["user_id"], self.people["user"].id)


@tagged("post_install", "-at_install")
class TestOauthBegin(OauthCase):
    def outcome_of(self, by=None, **changes):
        self.env.flush_all()
        return self.error(self.gateway.oauth_begin(self.asked(by) | changes))

    def test_where_a_request_leads(self):
        answer = self.gateway.oauth_begin(self.asked())
        base = self.settings.get_base_url()
        self.assertRegex(
            answer["consent_url"], rf"^{base}/doorman/consent\?request=[\w-]{{43}}$"
        )

    def test_requests_that_are_refused(self):
        client = self.client()
        for error, changes in (
            ("invalid_request", {"redirect_uri": CALLBACK + "2"}),
            ("invalid_request", {"redirect_uri": "https://evil.example/"}),
            ("invalid_request", {"redirect_uri": None}),
            ("invalid_request", {"redirect_uri": CALLBACK + "#x"}),
            ("invalid_request", {"challenge": "x"}),
            ("invalid_request", {"challenge": None}),
            ("invalid_request", {"challenge": "=" * 43}),
            ("invalid_request", {"state": 1}),
            ("invalid_request", {"state": "x" * 9000}),
            ("invalid_request", {"state": "\0"}),
            ("invalid_request", {"state": "\ud800"}),
            ("invalid_target", {"resource": None}),
            ("invalid_target", {"resource": "https://x.example/\n"}),
            ("invalid_scope", {"scopes": ["mcp:nonsense"]}),
            ("invalid_scope", {"scopes": "mcp:search"}),
            ("invalid_scope", {"scopes": [1]}),
            ("invalid_request", {"client": None}),
            ("invalid_request", {"client": self.said(client, kind="x")}),
            ("invalid_client", {"client": self.said(client, kind="custom")}),
            ("invalid_client", {"client": self.said(client, client_id="dmo_x")}),
            ("invalid_client", {"client": self.said(client_id="javascript:x")}),
            ("invalid_client", {"client": self.said(client_id="http://x.example/c")}),
            ("invalid_request", {"client": self.said(redirect_uris=[])}),
            ("invalid_request", {"client": self.said(redirect_uris=["x y"])}),
        ):
            with self.subTest(changes=changes):
                self.assertEqual(self.outcome_of(client, **changes), error)
        for changes in ({"state": None}, {"state": ""}, {"scopes": []}, {"ip": None}):
            with self.subTest(changes=changes):
                self.assertEqual(self.outcome_of(client, **changes), "ok")

    def test_loopback_addresses_ignore_the_port(self):
        answer = self.register(redirect_uris=["http://localhost:1/cb?a=1"])
        client = self.client(answer["client_id"])
        for uri, expected in (
            ("http://localhost:33418/cb?a=1", "ok"),
            ("http://127.0.0.1:9/cb?a=1", "ok"),
            ("http://[::1]/cb?a=1", "ok"),
            ("http://localhost:1/cb", "invalid_request"),
            ("http://localhost:1/other?a=1", "invalid_request"),
            ("https://localhost:1/cb?a=1", "invalid_request"),
            ("http://localhost.evil.example/cb?a=1", "invalid_request"),
            ("http://127.0.0.2/cb?a=1", "invalid_request"),
        ):
            with self.subTest(uri=uri):
                self.assertEqual(self.outcome_of(client, redirect_uri=uri), expected)

    def test_what_the_settings_say_holds(self):
        client = self.client()
        self.settings.oauth_document_hosts = "chatgpt.example"
        self.assertEqual(self.outcome_of(), "unauthorized_client")
        self.settings.oauth_document_hosts = "claude.example"
        self.assertEqual(self.outcome_of(), "ok")
        self.settings.oauth_redirect_hosts = "claude.example"
        self.assertEqual(self.outcome_of(), "invalid_request")
        self.assertEqual(self.outcome_of(client), "invalid_request")
        custom, _secret = self.custom()
        self.assertEqual(self.outcome_of(custom), "ok")
        self.settings.oauth_redirect_hosts = False
        self.settings.oauth_client_documents = False
        self.assertEqual(self.outcome_of(), "unauthorized_client")
        self.settings.oauth_enabled = False
        self.assertEqual(self.outcome_of(client), "temporarily_unavailable")

    def test_the_service_renames_no_client(self):
        """Who stole its key could else show any name, and send people anywhere."""
        client = self.client()
        handle = self.begin(client)
        asked = self.requests._open(handle)
        self.assertEqual(asked["client"]["name"], "Claude")
        self.assertEqual(asked["client"]["redirect_uris"], [CALLBACK])

    def test_so_many_wait_at_once(self):
        module = __import__(f"{MODELS}doorman_oauth_request", fromlist=["x"])
        self.patch(module, "MAX_OPEN_SOURCE", 2)
        found = [self.outcome_of() for _time in range(3)]
        self.assertEqual(found, ["ok", "ok", "temporarily_unavailable"])
        self.assertEqual(self.outcome_of(ip="192.0.2.200"), "ok")
        self.patch(module, "MAX_OPEN", 3)
        found = self.outcome_of(ip="192.0.2.201")
        self.assertEqual(found, "temporarily_unavailable")
        self.sql(
            "UPDATE doorman_oauth_request SET expires_at = expires_at - "
            "interval '11 minutes'"
        )
        self.assertEqual(self.outcome_of(), "ok")

    def test_a_removed_document_stays_out(self):
        self.tokens()
        client = self.connection_of().oauth_client_id
        handle = self.begin()
        client.with_user(self.people["admin"]).action_end()
        self.assertEqual(self.outcome_of(), "invalid_client")
        with self.assertRaises(UserError):
            self.allow(handle)
