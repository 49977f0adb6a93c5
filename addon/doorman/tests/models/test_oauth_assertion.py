import time
import uuid
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from ...policy.refusal import again, in_language
from ...policy.shared import MAX_ASSERTION_NAME, MAX_ISSUER_SUBJECT
from ..common import DoormanCase, proof_of
from ..oauth_common import IP, RESOURCE, OauthMixin

IDP = "https://idp.example.com"
OTHER = "https://other.example.com"
MAIL = "maria@company.example"


class AssertionCase(OauthMixin, DoormanCase):
    @classmethod
    def _set_up_doorman(cls):
        super()._set_up_doorman()
        cls.issuers = cls.env["doorman.oauth.issuer"]
        cls.issuer = cls.issuers.create(
            {"name": "IdP", "issuer": IDP, "match_email": True}
        )
        cls.settings.oauth_assertions = True
        cls.person = cls.people["user"]
        cls.person.email = MAIL
        cls.tool_client, cls.secret = cls.issuer._make_client("Claude")

    def asked_for(self, **changes):
        return {
            "client_id": self.tool_client.client_id,
            "secret": proof_of(self.secret),
            "issuer": IDP,
            "subject": "u-1",
            "jti": uuid.uuid4().hex,
            "expires_at": int(time.time()) + 300,
            "email": MAIL,
            "scopes": ["mcp:search"],
            "resource": RESOURCE,
            "ip": IP,
            "refused": None,
        } | changes

    def show(self, **changes):
        self.env.flush_all()
        return self.gateway.oauth_assert(self.asked_for(**changes))

    def of_tool(self):
        connections = self.env["doorman.connection"].with_context(active_test=False)
        return connections.search([("oauth_client_id", "=", self.tool_client.id)])


@tagged("post_install", "-at_install")
class TestOauthAssertion(AssertionCase):
    def test_it_opens_what_it_should(self):
        before = self.rows()
        answer = self.show()
        self.assertEqual(set(answer), {"access_token", "expires_in", "scopes"})
        self.assertEqual(answer["scopes"], ["mcp:search"])
        self.assertEqual(answer["expires_in"], 3600)
        token = answer["access_token"]
        self.assertEqual(self.calls(token), "ok")
        connection = self.of_tool()
        self.assertEqual(connection.user_id, self.person)
        self.assertEqual(connection.name, "Claude")
        self.assertEqual(connection.auth_type, "oauth")
        self.assertEqual(connection.description, "From IdP, a trusted issuer.")
        self.assertEqual(connection.scope_ids, self.settings.scope_ids)
        (row,) = [r for r in self.new_rows(before) if r["method"] == "oauth/assert"]
        self.assertEqual(row["outcome"], "ok")
        # A second one is of the same connection.
        self.assertIn("access_token", self.show())
        self.assertEqual(self.of_tool(), connection)

    def test_no_secret_is_kept(self):
        answer = self.show(jti="the-jti")
        self.env.flush_all()
        for table in ("doorman_oauth_token", "doorman_oauth_assertion"):
            self.env.cr.execute(f"SELECT t::text FROM {table} t")
            kept = str(self.env.cr.fetchall())
            self.assertNotIn(answer["access_token"], kept)
            self.assertNotIn("the-jti", kept)

    def test_scopes(self):
        for asked, expected in (
            (None, ["mcp:metadata", "mcp:search", "mcp:orm"]),
            (["mcp:orm", "mcp:search"], ["mcp:search", "mcp:orm"]),
            (["mcp:search", "mcp:sql"], ["mcp:search"]),
        ):
            with self.subTest(asked=asked):
                answer = self.show(scopes=asked)
                self.assertEqual(set(answer["scopes"]), set(expected))

    def refusals(self):
        """what is wrong -> the word for it, what to do first, what is asked for"""
        person, settings, issuer = self.person, self.settings, self.issuer
        twin = {"name": "Twin", "login": "twin", "email": MAIL}
        twin["group_ids"] = [Command.set(self.env.ref("base.group_user").ids)]
        portal = twin | {
            "email": "p@company.example",
            "group_ids": [Command.set(self.env.ref("base.group_portal").ids)],
        }
        users = self.env["res.users"].with_context(no_reset_password=True)
        grant, user_only = "invalid_grant", self.env.ref("doorman.group_user")
        client = self.tool_client
        public = self.client()

        def write(record, **vals):
            return lambda: record.write(vals)

        def made(**vals):
            return lambda: users.create(twin | vals)

        def revoked():
            self.show()
            self.of_tool().action_revoke()

        def archived():
            self.show()
            self.of_tool().active = False

        def expired():
            self.show()
            self.of_tool()._inside().state = "expired"

        custom, custom_secret = self.custom("user2")
        return (
            ("as it is", "ok", None, {}),
            ("OAuth off", "temporarily_unavailable",
                write(settings, oauth_enabled=False), {}),
            ("grant off", grant, write(settings, oauth_assertions=False), {}),
            ("issuer archived", grant, write(issuer, active=False), {}),
            ("issuer removed", grant, issuer.unlink, {}),
            ("issuer waits", grant,
                lambda: issuer._inside().write({"waits": True}), {}),
            ("issuer another", grant, None, {"issuer": OTHER}),
            ("issuer in capitals", grant, None, {"issuer": IDP.upper()}),
            ("issuer with a slash", grant, None, {"issuer": IDP + "/"}),
            ("issuer missing", grant, None, {"issuer": None}),
            ("issuer a list", grant, None, {"issuer": [IDP]}),
            ("wrong secret", "invalid_client", None, {"secret": proof_of("x")}),
            ("no secret", "invalid_client", None, {"secret": None}),
            ("secret in clear", "invalid_client", None, {"secret": self.secret}),
            ("unknown client", "invalid_client", None, {"client_id": "dmo_x"}),
            ("client a document", "invalid_client", None,
                {"client_id": "https://claude.ai/c.json"}),
            ("client removed", "invalid_client",
                lambda: client._inside().write({"active": False}), {}),
            ("public client", "unauthorized_client", None,
                {"client_id": public.client_id, "secret": None}),
            ("client not listed", "unauthorized_client",
                write(issuer, client_ids="dmo_other"), {}),
            ("client listed", "ok",
                write(issuer, client_ids=f"dmo_other\n {client.client_id} "), {}),
            ("client made for another", grant, None,
                {"client_id": custom.client_id, "secret": proof_of(custom_secret)}),
            ("jti missing", grant, None, {"jti": None}),
            ("jti empty", grant, None, {"jti": ""}),
            ("jti a number", grant, None, {"jti": 7}),
            ("jti too long", grant, None, {"jti": "x" * (MAX_ASSERTION_NAME + 1)}),
            ("jti with NUL", grant, None, {"jti": "a\0b"}),
            ("jti used", grant, lambda: self.show(jti="a"), {"jti": "a"}),
            ("jti used and refused", grant,
                lambda: self.show(jti="a", email=None), {"jti": "a"}),
            ("jti used by a wrong client", "ok",
                lambda: self.show(jti="a", secret=None), {"jti": "a"}),
            ("expires next week", grant, None,
                {"expires_at": int(time.time()) + 7 * 86400}),
            ("expires as text", grant, None, {"expires_at": "2100"}),
            ("expires true", grant, None, {"expires_at": True}),
            ("no expiry", grant, None, {"expires_at": None}),
            ("subject missing", grant, None, {"subject": None}),
            ("subject too long", grant, None,
                {"subject": "x" * (MAX_ISSUER_SUBJECT + 1)}),
            ("resource missing", grant, None, {"resource": None}),
            ("no email", grant, None, {"email": None}),
            ("another email", grant, None, {"email": "x@company.example"}),
            ("an email with a wildcard", grant, None,
                {"email": "m%@company.example"}),
            ("an email with an underscore", grant, None,
                {"email": "mari_@company.example"}),
            ("two emails", grant, None, {"email": f"{MAIL}, x@company.example"}),
            ("email in capitals", "ok", None, {"email": MAIL.upper()}),
            ("email off", grant, write(issuer, match_email=False), {}),
            ("two users", grant, made(), {}),
            ("one more by login", grant, made(login=MAIL, email="y@x.example"), {}),
            ("the other is archived", "ok", made(active=False), {}),
            ("portal user", grant,
                lambda: users.create(portal), {"email": "p@company.example"}),
            ("no MCP user", grant, made(email="n@company.example"),
                {"email": "n@company.example"}),
            ("user archived", grant, write(person, active=False), {}),
            ("user no MCP user by now", grant,
                write(person, group_ids=[Command.unlink(user_only.id)]), {}),
            ("no such scope", "invalid_scope", None, {"scopes": ["mcp:shell"]}),
            ("no scopes", "invalid_scope", None, {"scopes": []}),
            ("unknown scopes", "invalid_scope", None, {"scopes": ["x", 1]}),
            ("scopes a text", grant, None, {"scopes": "mcp:search"}),
            ("user lacks the permission", "invalid_scope", write(
                person, group_ids=[Command.unlink(self.env.ref(
                    "doorman.group_scope_search").id)]), {}),
            ("policy lacks the scope", "invalid_scope", write(
                settings, scope_ids=[Command.unlink(self.env.ref(
                    "doorman.scope_search").id)]), {}),
            ("connection revoked", grant, revoked, {}),
            ("connection archived", grant, archived, {}),
            ("connection expired", grant, expired, {}),
            ("found wrong by the service", "invalid_target", None,
                {"refused": {"error": "invalid_target", "error_description": "No.",
                             "reason": "x"}}),
            ("found wrong, and a wrong secret", "invalid_client", None,
                {"refused": {"error": "invalid_target", "error_description": "No.",
                             "reason": "x"}, "secret": None}),
        )  # fmt: skip

    def test_refusals(self):
        for name, expected, before, asked in self.refusals():
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                if before:
                    before()
                known = self.rows()
                self.assertEqual(self.error(self.show(**asked)), expected)
                # People read the reason in the audit, each in their own language.
                for row in self.new_rows(known):
                    words = again(row["words"])
                    if row["outcome"] == "refused":
                        self.assertEqual(in_language(words), row["message"])
                savepoint.rollback()
                self.env.invalidate_all()
                self.env.registry.clear_cache()

    def test_a_refusal_leaves_a_row(self):
        before = self.rows()
        self.show(email=None)
        (row,) = self.new_rows(before)
        self.assertEqual(row["method"], "oauth/assert")
        self.assertEqual(row["outcome"], "refused")
        self.assertEqual(row["reason"], "invalid_grant")
        self.assertEqual(row["message"], "Nobody in Odoo is known by this ID.")
        self.assertFalse(self.of_tool())
        self.show(secret=None)
        self.assertEqual(len(self.new_rows(before)), 1)

    def test_ends(self):
        """What ends the token: its connection, its user, its client, its issuer."""
        for name, end in (
            ("connection", lambda: self.of_tool().action_revoke()),
            ("archived", lambda: self.of_tool().write({"active": False})),
            ("user", lambda: self.person.write({"active": False})),
            ("client", lambda: self.tool_client.action_end()),
            ("issuer", lambda: self.issuer.write({"active": False})),
            ("issuer, another name", lambda: self.issuer.write({"issuer": OTHER})),
            ("issuer removed", lambda: self.issuer.unlink()),
            ("OAuth", lambda: self.settings.write({"oauth_enabled": False})),
        ):
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                token = self.show()["access_token"]
                self.assertTrue(self.resolves(token))
                end()
                self.assertFalse(self.resolves(token))
                savepoint.rollback()
                self.env.invalidate_all()
        token = self.show()["access_token"]
        for vals in ({"name": "x"}, {"match_email": False}, {"client_ids": "dmo_x"}):
            self.issuer.write(vals)
            self.assertTrue(self.resolves(token))
        answer = self.gateway.oauth_revoke(
            {
                "client_id": self.tool_client.client_id,
                "secret": proof_of(self.secret),
                "token": proof_of(token),
            }
        )
        self.assertEqual(answer, {"revoked": True})
        self.assertFalse(self.resolves(token))

    def test_revoked_stays_so_until_a_person_brings_it_back(self):
        self.show()
        connection = self.of_tool()
        connection.action_revoke()
        self.assertEqual(self.error(self.show()), "invalid_grant")
        connection.with_user(self.people["admin"]).action_reactivate()
        self.assertEqual(self.error(self.show()), "ok")

    def test_new_ones_may_have_to_wait(self):
        self.settings.oauth_needs_activation = True
        token = self.show()["access_token"]
        self.assertEqual(self.of_tool().state, "inactive")
        self.assertEqual(self.calls(token), "forbidden")

    def test_hello_tells_the_issuers(self):
        def told():
            return self.gateway.hello()["oauth"]["issuers"]

        self.assertEqual(told(), [IDP])
        self.issuers.create({"name": "2", "issuer": OTHER, "active": False})
        self.assertEqual(told(), [IDP])
        self.settings.oauth_assertions = False
        self.assertEqual(told(), [])

    def test_purge(self):
        self.show()
        self.env.cr.execute("UPDATE doorman_oauth_assertion SET expires_at = %s",
                            ["2020-01-01"])  # fmt: skip
        self.gateway._purge_oauth()
        self.env.cr.execute("SELECT count(*) FROM doorman_oauth_assertion")
        self.assertEqual(self.env.cr.fetchone(), (0,))

    def test_by_login_of_auth_oauth(self):
        if "auth.oauth.provider" not in self.env:
            self.skipTest("needs auth_oauth")
        provider, other = self.env["auth.oauth.provider"].create(
            [
                {
                    "name": name,
                    "body": name,
                    "auth_endpoint": "https://idp.example.com/a",
                    "validation_endpoint": "https://idp.example.com/u",
                    "client_id": "odoo",
                }
                for name in ("Ours", "Other")
            ]
        )
        self.assertIn((str(provider.id), "Ours"), self.issuers._select_provider())
        self.issuer.write({"provider": str(provider.id), "match_email": False})
        self.person.write({"oauth_provider_id": provider.id, "oauth_uid": "u-1"})
        self.assertEqual(self.error(self.show(email=None)), "ok")
        for name, vals, asked in (
            ("another subject", {}, {"subject": "u-2"}),
            ("in capitals", {}, {"subject": "U-1"}),
            ("of another provider", {"oauth_provider_id": other.id}, {}),
            ("archived", {"active": False}, {}),
        ):
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                self.person.write(vals)
                answer = self.show(**({"email": None} | asked))
                self.assertEqual(self.error(answer), "invalid_grant")
                savepoint.rollback()
                self.env.invalidate_all()
        # People known by their ID are not looked for by somebody else's address.
        self.issuer.match_email = True
        self.people["user2"].email = "second@company.example"
        self.show(email="second@company.example")
        self.assertFalse(
            self.of_tool().filtered(lambda c: c.user_id == self.people["user2"])
        )


@tagged("post_install", "-at_install")
class TestOauthIssuer(AssertionCase):
    def test_form(self):
        for typed, kept in (
            ("https://a.example.com", "https://a.example.com"),
            (" HTTPS://A.Example.COM:443/Tenant/v2.0 ",
             "https://a.example.com/Tenant/v2.0"),
            ("https://a.eu.example.com/", "https://a.eu.example.com/"),
            ("https://login.microsoftonline.com/72f988bf-86f1-41af-91ab/v2.0",) * 2,
        ):  # fmt: skip
            with self.subTest(typed), self.env.cr.savepoint() as savepoint:
                made = self.issuers.create({"name": "x", "issuer": typed})
                self.assertEqual(made.issuer, kept)
                savepoint.rollback()
        for typed in (
            "http://a.example.com", "a.example.com", "https://a.example.com:8443",
            "https://localhost", "https://10.0.0.1", "https://[::1]",
            "https://a.example.com?x=1", "https://a.example.com/#x",
            "https://u@a.example.com", "https://a.example.com//x", "https://",
            "https://a.example.com/ x", "https://*.example.com",
            "https://a.example.com\nhttps://b.example.com", "https://-a.example.com",
            "https://a.example.com/" + "x" * 300, "ftp://a.example.com", "https://a..b",
        ):  # fmt: skip
            with self.subTest(typed), self.assertRaises(ValidationError):
                self.issuers.create({"name": "x", "issuer": typed})

    def test_clients(self):
        for lines in ("dmo_a\ndmo_b", "  dmo_a  \n\n", "https://claude.ai/c.json"):
            self.issuer.client_ids = lines
        with self.assertRaises(ValidationError):
            self.issuer.client_ids = "dmo_a dmo_b"

    def test_new_client(self):
        admin = self.people["admin"]
        self.issuer.client_ids = "dmo_a"
        asking = self.issuer.with_user(admin).action_new_client()
        wizard = self.env["doorman.issuer.client"].with_user(admin)
        wizard = wizard.with_context(**asking["context"]).create({"name": "Cursor"})
        shown = wizard.action_make()["context"]
        client = self.client(shown["default_client_id"])
        self.assertEqual((client.name, client.client_type, client.user_id.id),
                         ("Cursor", "confidential", False))  # fmt: skip
        self.assertEqual(self.issuer.client_ids, f"dmo_a\n{client.client_id}")
        answer = self.show(
            client_id=client.client_id, secret=proof_of(shown["default_key"])
        )
        self.assertEqual(self.error(answer), "ok")
        # It is for everybody: one person's connection that is deleted is not its end.
        self.env["doorman.connection"].search(
            [("oauth_client_id", "=", client.id)]
        ).unlink()
        self.assertTrue(client.active)
        with self.assertRaises(UserError):
            self.issuer._make_client("\u200b")

    def test_no_browser_is_sent_back_to_its_clients(self):
        self.assertEqual(self.tool_client._redirects(), [])
        told = self.gateway.oauth_client(self.tool_client.client_id)
        self.assertEqual(told["redirect_uris"], [])

    def test_two_administrators(self):
        second = self._person("admin2", ["doorman.group_admin"])
        first = self.people["admin"]
        self.settings.four_eyes = True
        mine = self.issuers.with_user(first).create({"name": "x", "issuer": OTHER})
        self.assertTrue(mine.waits)
        self.assertEqual(self.issuers._trusted(), self.issuer)
        with self.assertRaises(UserError):
            mine.action_confirm()
        with self.assertRaises(AccessError):
            mine.with_user(first).write({"waits": False})
        with self.assertRaises(AccessError):
            self.issuers.with_user(first).create(
                {"name": "y", "issuer": "https://y.example", "waits": False}
            )
        self.assertFalse(mine.can_confirm)
        self.assertTrue(mine.with_user(second).can_confirm)
        mine.with_user(second).action_confirm()
        self.assertEqual(self.issuers._trusted(), self.issuer | mine)
        # Each change that lets others in; not what only shuts out.
        for vals, waits in (
            ({"name": "z"}, False),
            ({"active": False}, False),
            ({"active": True}, True),
            ({"match_email": True}, True),
            ({"issuer": "https://third.example.com"}, True),
            ({"client_ids": False}, True),
        ):
            with self.subTest(vals=vals):
                mine._inside().write({"waits": False, "changed_by_id": False})
                mine.write(vals)
                self.assertEqual(mine.waits, waits)

    def test_what_is_confirmed_was_seen(self):
        """Between the look of the one and their click, the other changes it again."""
        first, second = (
            self.people["admin"],
            self._person("admin3", ["doorman.group_admin"]),
        )
        self.settings.four_eyes = True
        mine = self.issuers.with_user(first).create({"name": "x", "issuer": OTHER})
        seen = mine.with_user(second).revision
        mine.write({"match_email": True})
        theirs = mine.with_user(second)
        with self.assertRaisesRegex(UserError, "review it again"):
            theirs.with_context(doorman_revision=seen).action_confirm()
        self.assertTrue(mine.waits)
        theirs.with_context(doorman_revision=theirs.revision).action_confirm()
        self.assertFalse(mine.waits)
        with self.assertRaises(AccessError):
            mine.write({"revision": seen})

    def test_all_are_told(self):
        second = self._person("admin2", ["doorman.group_admin"])
        messages = self.issuers.with_user(self.people["admin"]).create(
            {"name": "x", "issuer": OTHER}
        ).message_ids  # fmt: skip
        self.assertTrue(any("trusted issuer" in (m.body or "") for m in messages))
        notice = self.env["doorman.notice"].search([])[-1:]
        self.assertIn(second, notice._people())
        self.assertNotIn(self.people["admin"], notice._people())

    def test_without_auth_oauth(self):
        with patch.object(type(self.issuers), "_select_provider", lambda self: []):
            self.assertFalse(self.issuer.has_providers)
