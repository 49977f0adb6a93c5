from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from ...policy import oauth_values
from ..oauth_common import CALLBACK, DOCUMENT, ISSUER
from .test_oauth_token import OauthCase


@tagged("post_install", "-at_install")
class TestOauthConsent(OauthCase):
    def standing(self, role="user", **changes):
        client = changes.pop("by", None)
        asked = self.requests._open(self.begin(client, **changes))
        return self.requests.with_user(self.people[role])._standing(asked)

    def test_allow_makes_a_connection(self):
        answer = self.allow(self.begin())
        self.assertEqual(answer["state"], "a b+c/ü&=%20")
        self.assertEqual(answer["iss"], ISSUER)
        self.assertEqual(answer["tenant"], "1")
        connection = self.connection_of()
        self.assertEqual(connection.name, "Claude")
        self.assertEqual(connection.auth_type, "oauth")
        self.assertEqual(connection.state, "awaiting")
        self.assertEqual(connection.client_type, "public")
        self.assertEqual(connection.redirect_uris, CALLBACK)
        self.assertFalse(connection.dynamic_registration)
        self.assertFalse(connection.rate_limit_minute)
        self.assertEqual(connection.scope_ids, self.settings.scope_ids)
        client = connection.oauth_client_id
        self.assertEqual((client.kind, client.client_id), ("document", DOCUMENT))
        [row] = self.rows()[:1]
        self.assertEqual((row["method"], row["outcome"]), ("oauth/consent", "ok"))
        self.assertEqual(row["connection_id"], connection.id)

    def test_an_approver_who_cannot_be_one(self):
        """The approver of the default policy connects an AI tool, too; and one who has
        left keeps nobody from logging in. Then the people decide who would without an
        approver."""
        approver, admin = self.people["approver"], self.people["admin"]
        approver.group_ids += self.env.ref("doorman.group_user")
        self.settings.approval_tool_ids = [Command.set(self.tool("t1").ids)]
        self.settings.approver_id = approver
        self.allow(self.begin())
        self.assertEqual(self.connection_of().approver_id, approver)
        self.allow(self.begin(), "approver")
        own = self.connection_of("approver")
        self.assertFalse(own.approver_id)
        self.assertIn(admin, own._approvers())
        self.assertNotIn(approver, own._approvers())
        approver.action_archive()
        self.allow(self.begin(), "user2")
        self.assertFalse(self.connection_of("user2").approver_id)
        self.assertIn(admin, self.connection_of("user2")._approvers())

    def test_one_connection_a_client_and_user(self):
        first, second = self.begin(), self.begin()
        self.allow(first)
        connection = self.connection_of()
        connection.scope_ids = [Command.set(self.env.ref("doorman.scope_search").ids)]
        connection.read_only = True
        self.allow(second)
        self.assertEqual(self.connection_of(), connection)
        self.assertEqual(connection.scope_ids.mapped("code"), ["mcp:search"])
        self.assertTrue(connection.read_only)
        self.allow(self.begin(), "user2")
        self.assertNotEqual(self.connection_of("user2"), connection)

    def test_a_handle_works_once(self):
        for first in ("_allow", "_deny"):
            handle = self.begin()
            mine = self.requests.with_user(self.people["user"])
            self.assertTrue(getattr(mine, first)(handle))
            for again in ("_allow", "_deny", "_open"):
                with self.subTest(first=first, again=again):
                    self.assertIsNone(getattr(mine, again)(handle))
        for handle in ("", "x", "x" * 43, "é" * 43, "x" * 9999):
            self.assertIsNone(mine._allow(handle))
        handle = self.begin()
        self.sql("UPDATE doorman_oauth_request SET expires_at = created_at")
        self.assertIsNone(mine._open(handle))
        self.assertIsNone(mine._allow(handle))

    def test_deny(self):
        handle = self.begin(state=None)
        target = self.requests.with_user(self.people["user"])._deny(handle, "x")
        self.assertEqual(
            target, f"{CALLBACK}&error=access_denied&iss=https%3A%2F%2Fmcp.example.com"
        )
        self.assertFalse(self.connection_of())
        [row] = self.rows()[:1]
        self.assertEqual((row["method"], row["outcome"]), ("oauth/deny", "refused"))

    def test_who_may(self):
        custom, _secret = self.custom("user")
        for role, client, allowed in (
            ("user", None, True),
            ("admin", None, True),
            ("user", custom, True),
            ("user2", custom, False),
            ("admin", custom, False),
            ("internal", None, False),
            ("portal", None, False),
            ("public", None, False),
            ("approver", None, False),
        ):
            with self.subTest(role=role, client=client):
                refusal = self.standing(role, by=client)["refusal"]
                self.assertEqual(not refusal, allowed)
                handle = self.begin(client)
                before = self.env["doorman.connection"].search_count([])
                if allowed:
                    self.assertIn("code", self.allow(handle, role))
                    continue
                with self.assertRaises(UserError), self.env.cr.savepoint():
                    self.allow(handle, role)
                after = self.env["doorman.connection"].search_count([])
                self.assertEqual(after, before)
                self.assertTrue(self.requests._open(handle))

    def test_scopes(self):
        own = self.env.ref("doorman.group_scope_orm")
        wide = ["mcp:metadata", "mcp:search", "mcp:orm", "mcp:sql"]
        standing = self.standing(scopes=wide)
        self.assertEqual(standing["granted"].mapped("code"), wide[:3])
        self.assertEqual(standing["lacking"].mapped("code"), ["mcp:sql"])
        self.people["user"].group_ids = [Command.unlink(own.id)]
        standing = self.standing(scopes=wide)
        self.assertEqual(standing["granted"].mapped("code"), wide[:2])
        self.settings.scope_ids = [
            Command.set(self.env.ref("doorman.scope_search").ids)
        ]
        standing = self.standing(scopes=wide)
        self.assertEqual(standing["granted"].mapped("code"), ["mcp:search"])
        self.assertEqual(standing["withheld"].mapped("code"), ["mcp:metadata"])
        standing = self.standing(scopes=[])
        self.assertEqual(standing["granted"].mapped("code"), ["mcp:search"])
        handle = self.begin(scopes=["mcp:orm"])
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.allow(handle)
        target = self.requests.with_user(self.people["user"])._deny(handle)
        self.assertIn("error=invalid_scope", target)

    def test_the_default_policy_is_the_template(self):
        tool, models = self.tool("t1"), self.env["ir.model"]
        self.settings.write(
            {
                "read_only": True,
                "allowed_tool_ids": [Command.set(tool.ids)],
                "allowed_model_ids": [Command.set(models._get("res.partner").ids)],
                "approval_tool_ids": [Command.set(tool.ids)],
                "approver_id": self.people["approver"].id,
                "approval_expiry_hours": 5,
                "allowed_ips": "192.0.2.0/24",
                "blocked_ips": "192.0.2.7",
            }
        )
        self.allow(self.begin())
        connection = self.connection_of()
        for name in ("read_only", "approver_id", "approval_expiry_hours",
                     "allowed_ips", "blocked_ips", "allowed_tool_ids",
                     "allowed_model_ids", "approval_tool_ids"):  # fmt: skip
            with self.subTest(field=name):
                self.assertEqual(connection[name], self.settings[name])
        self.assertTrue(connection.tools_restricted)
        self.assertTrue(connection.models_restricted)

    def test_without_an_approver_there_is_none(self):
        self.settings.approval_tool_ids = [Command.set(self.tool("t1").ids)]
        self.settings.approver_id = self.people["user"]
        admins = self.env.ref("doorman.group_admin").all_user_ids
        admins.action_archive()
        handle = self.begin()
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.allow(handle)
        self.assertTrue(self.requests._open(handle))

    def test_new_ones_wait_where_the_settings_say_so(self):
        self.settings.oauth_needs_activation = True
        tokens = self.tokens()
        connection = self.connection_of()
        self.assertEqual(connection.state, "inactive")
        self.assertIn(self.people["admin"], connection.activity_ids.user_id)
        self.assertEqual(self.calls(tokens["access_token"]), "forbidden")
        connection.with_user(self.people["admin"]).action_activate()
        self.assertFalse(connection.activity_ids)
        self.assertEqual(self.calls(tokens["access_token"]), "ok")

    def test_ended_connections_come_back_by_the_rules(self):
        self.tokens()
        connection = self.connection_of()
        mine = connection.with_user(self.people["user"])
        mine.action_revoke()
        self.assertFalse(self.standing()["refusal"])
        tokens = self.tokens()
        self.assertEqual(self.connection_of(), connection)
        self.assertEqual(connection.state, "awaiting")
        self.assertTrue(self.resolves(tokens["access_token"]))
        for name, act in (
            ("for good", connection._revoke_for_good),
            ("archived", lambda: connection.write({"active": False})),
            ("over", lambda: connection.write({"expires_at": "2020-01-01"})),
        ):
            with self.subTest(name), self.env.cr.savepoint() as savepoint:
                act()
                self.assertTrue(self.standing()["refusal"])
                with self.assertRaises(UserError):
                    self.allow(self.begin())
                savepoint.rollback()
                self.env.invalidate_all()

    def test_logging_in_is_no_use(self):
        tokens = self.tokens()
        self.refresh(tokens["refresh_token"])
        self.run_job("fold_use")
        connection = self.connection_of()
        self.env.invalidate_all()
        self.assertFalse(connection.last_used)
        self.assertEqual((connection.state, connection.request_count), ("awaiting", 0))

    def test_users_see_their_own(self):
        self.tokens()
        connection = self.connection_of()
        action = self.env.ref("doorman.doorman_application_action")
        for role, expected in (("user", connection), ("user2", connection.browse())):
            person = self.people[role]
            mine = self.env["doorman.connection"].with_user(person)
            domain = [("auth_type", "=", "oauth"), ("user_id", "=", person.id)]
            self.assertEqual(mine.search(domain), expected)
        self.assertIn("('user_id', '=', uid)", action.domain)
        with self.assertRaises(Exception):  # noqa: B017
            connection.with_user(self.people["user"]).read(["oauth_client_id"])


@tagged("post_install", "-at_install")
class TestOauthJobs(OauthCase):
    def purge(self):
        self.env.flush_all()
        return self.run_job("purge_oauth")

    def test_nothing_fresh_is_removed(self):
        self.purge()
        client = self.client()
        tokens = self.tokens(client)
        unused = self.client()
        self.begin()
        self.assertEqual(set(self.purge().values()), {0})
        self.assertTrue(unused.exists())
        self.assertTrue(self.resolves(tokens["access_token"]))

    def test_what_is_over_is_removed(self):
        self.purge()
        used, unused = self.client(), self.client()
        tokens = self.tokens(used)
        self.tokens()
        document = self.connection_of().oauth_client_id
        self.connection_of().unlink()
        self.sql(
            "UPDATE doorman_oauth_request SET expires_at = expires_at - "
            "interval '25 hours'"
        )
        self.sql(
            "UPDATE doorman_oauth_client SET create_date = create_date - "
            "interval '91 days'"
        )
        self.later(25 * 3600)
        found = self.purge()
        self.assertEqual(found["requests"], 2)
        self.assertEqual(found["codes"], 1)
        self.assertEqual(found["tokens"], 0)
        self.assertEqual([bool(c.exists()) for c in (used, unused, document)],
                         [True, False, False])  # fmt: skip
        self.later(7 * 24 * 3600)
        self.assertEqual(self.purge()["tokens"], 1)
        self.assertEqual(self.error(self.refresh(tokens["refresh_token"], used)), "ok")
        self.later(60 * 24 * 3600)
        self.sql("UPDATE doorman_oauth_family SET created_at = '2020-01-01'")
        self.assertEqual(self.purge()["tokens"], 3)
        self.sql("SELECT count(*) FROM doorman_oauth_family")
        self.assertEqual(self.env.cr.fetchone(), (0,))

    def test_of_a_dead_login_reuse_is_still_known(self):
        tokens = self.tokens()
        self.connection_of().action_revoke()
        self.later(45 * 24 * 3600)
        self.assertEqual(self.purge()["tokens"], 0)
        answer = self.refresh(tokens["refresh_token"])
        self.assertEqual(answer["oauth_error"]["reason"], "family dead")
        self.sql("UPDATE doorman_oauth_family SET dead_at = '2020-01-01'")
        self.assertEqual(self.purge()["tokens"], 2)


@tagged("post_install", "-at_install")
class TestOauthRules(OauthCase):
    def test_answers(self):
        for uri, expected in (
            ("https://a.example/cb", "https://a.example/cb?code=x&iss=i"),
            ("https://a.example/cb?", "https://a.example/cb?code=x&iss=i"),
            ("https://a.example/cb?b=1", "https://a.example/cb?b=1&code=x&iss=i"),
            ("cursor://a/cb", "cursor://a/cb?code=x&iss=i"),
        ):
            found = oauth_values.answer_url(uri, code="x", state=None, iss="i")
            self.assertEqual(found, expected)

    def test_form_targets(self):
        for uri, expected in (
            ("https://a.example/cb", "https://a.example"),
            ("https://a.example:8443/cb", "https://a.example:8443"),
            ("http://localhost:1/cb", "http://localhost:1"),
            ("http://[::1]:1/cb", "http:"),
            ("cursor://a;script-src/cb", "cursor:"),
            ("https://a;b.example/", "https:"),
        ):
            self.assertEqual(oauth_values.form_target(uri), expected)

    def test_settings(self):
        for name in ("oauth_redirect_hosts", "oauth_document_hosts"):
            for text in ("https://x.example", "*.x.example", "x.example:1", "a b", "ü"):
                with self.assertRaises(UserError), self.env.cr.savepoint():
                    self.settings.write({name: text})
            self.settings.write({name: "X.example # ours\n\n"})
        found = self.gateway.hello()["oauth"]
        self.assertEqual(found["redirect_hosts"], ["x.example"])
        self.assertEqual(found["access_seconds"], 3600)
        self.assertEqual(found["refresh_seconds"], 30 * 24 * 3600)
        self.assertEqual(found["scopes"], ["mcp:metadata", "mcp:search", "mcp:orm"])
