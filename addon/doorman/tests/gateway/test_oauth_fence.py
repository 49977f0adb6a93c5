from odoo.fields import Command
from odoo.tests import tagged

from ..common import proof_of
from ..models.test_oauth_token import OauthCase
from ..oauth_common import RESOURCE


@tagged("post_install", "-at_install")
class TestOauthFence(OauthCase):
    """A token is refused at the very next call, by the fence of the last one."""

    def setUp(self):
        super().setUp()
        self.made = self.tokens()
        self.token = self.made["access_token"]
        self.oauth = self.connection_of()

    def test_what_a_snapshot_says(self):
        snapshot = self.gateway.resolve(proof_of(self.token))["snapshot"]
        self.assertEqual(snapshot["auth"], "oauth")
        self.assertEqual(snapshot["client_id"], self.oauth.client_id)
        self.assertEqual(snapshot["resource"], RESOURCE)
        self.assertEqual(snapshot["policy"]["scopes"], ["mcp:metadata", "mcp:search"])
        wide = ["mcp:metadata", "mcp:search", "mcp:orm"]
        self.assertEqual(snapshot["grantable_scopes"], wide)
        self.assertRegex(snapshot["token_expires_at"], r"^\d{4}-.*Z$")
        key = self.gateway.resolve(self.proof)["snapshot"]
        self.assertNotIn("auth", key)

    def test_only_access_tokens_open(self):
        code = self.code()
        for name, credential in (
            ("refresh", self.made["refresh_token"]),
            ("code", code),
            ("client", self.oauth.client_id),
        ):
            with self.subTest(name):
                self.assertFalse(self.resolves(credential))
                fence = self.token_fence(self.token)
                self.assertEqual(self.calls(credential, fence), "unauthenticated")

    def _ends(self, act, kind="unauthenticated"):
        fence = self.token_fence(self.token)
        self.assertEqual(self.calls(self.token, fence), "ok")
        act()
        self.assertEqual(self.calls(self.token, fence), kind)

    def test_revoked(self):
        self._ends(self.oauth.with_user(self.people["user"]).action_revoke)
        self.oauth.with_user(self.people["user"]).action_reactivate()
        self.assertFalse(self.resolves(self.token))
        found = self.error(self.refresh(self.made["refresh_token"]))
        self.assertEqual(found, "invalid_grant")

    def test_archived(self):
        self._ends(lambda: self.oauth.write({"active": False}))
        self.oauth.active = True
        self.assertFalse(self.resolves(self.token))

    def test_deleted(self):
        self._ends(self.oauth.unlink)

    def test_user_archived(self):
        user = self.people["user"]
        self._ends(lambda: user.write({"active": False}))
        user.active = True
        self.assertFalse(self.resolves(self.token))

    def test_no_mcp_user_any_more(self):
        group, user = self.env.ref("doorman.group_user"), self.people["user"]
        self._ends(lambda: user.write({"group_ids": [Command.unlink(group.id)]}))
        user.write({"group_ids": [Command.link(group.id)]})
        self.assertFalse(self.resolves(self.token))

    def test_no_mcp_user_by_way_of_a_group(self):
        group, user = self.env.ref("doorman.group_user"), self.people["user"]
        self.sql(
            "DELETE FROM res_groups_users_rel WHERE uid = %s AND gid = %s",
            user.id,
            group.id,
        )
        self.env.registry.clear_cache()
        self.env.registry.clear_cache("groups")
        self.assertFalse(self.resolves(self.token))
        found = self.error(self.refresh(self.made["refresh_token"]))
        self.assertEqual(found, "invalid_grant")

    def test_client_removed(self):
        client = self.oauth.oauth_client_id.with_user(self.people["admin"])
        self._ends(client.action_end)
        found = self.error(self.refresh(self.made["refresh_token"]))
        self.assertEqual(found, "invalid_client")
        client.action_restore()
        self.assertFalse(self.resolves(self.token))

    def test_logged_out(self):
        self._ends(self._reuse)

    def _reuse(self):
        self.refresh(self.made["refresh_token"])
        self.later(61)
        self.refresh(self.made["refresh_token"])

    def test_over(self):
        self._ends(lambda: self.later(3601))
        self.assertEqual(self.error(self.refresh(self.made["refresh_token"])), "ok")

    def test_switched_off(self):
        self._ends(self.settings.action_disable, "forbidden")

    def test_oauth_switched_off(self):
        self._ends(lambda: self.settings.write({"oauth_enabled": False}))
        found = self.error(self.refresh(self.made["refresh_token"]))
        self.assertEqual(found, "temporarily_unavailable")
        self.assertTrue(self.resolves(self.credential))

    def test_waits_for_activation(self):
        self._ends(lambda: self.oauth._inside().write({"state": "inactive"}),
                   "forbidden")  # fmt: skip
        snapshot = self.gateway.resolve(proof_of(self.token))["snapshot"]
        self.assertEqual(snapshot["connection"]["status"], "inactive")
        self.assertEqual(self.error(self.refresh(self.made["refresh_token"])), "ok")

    def test_a_changed_policy_is_stale(self):
        self._ends(lambda: self.oauth.write({"read_only": True}), "stale")

    def test_narrower_scopes_hold_in_the_fence(self):
        """Who stole the service's key would not stop at its own decision."""
        partner = self.env["res.partner"].create({"name": "Acme"})
        self.people["user"].group_ids = [
            Command.link(self.env.ref("base.group_partner_manager").id)
        ]
        wide = self.tokens(scopes=["mcp:search", "mcp:orm"])
        narrow = self.refresh(wide["refresh_token"], scopes=["mcp:search"])
        for tokens, expected in (
            (self.made, "not_allowed"),
            (narrow, "not_allowed"),
            (wide, None),
        ):
            request = self.request(
                "res.partner", "write", partner.ids, vals={"name": "Changed"}
            )
            fence = self.token_fence(tokens["access_token"])
            answer = self.gateway.call(fence, request)
            self.assertEqual(answer.get("error", {}).get("kind"), expected)
            snapshot = self.gateway.resolve(proof_of(tokens["access_token"]))
            scopes = snapshot["snapshot"]["policy"]["scopes"]
            self.assertEqual("mcp:orm" in scopes, expected is None)

    def test_what_the_connection_lost_the_token_lost(self):
        search = self.env.ref("doorman.scope_search")
        self.oauth.scope_ids = [Command.set(search.ids)]
        snapshot = self.gateway.resolve(proof_of(self.token))["snapshot"]
        self.assertEqual(snapshot["policy"]["scopes"], ["mcp:search"])
        self.assertEqual(snapshot["grantable_scopes"], ["mcp:search"])
