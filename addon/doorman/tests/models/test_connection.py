from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.doorman.policy.policy_fields import POLICY_FIELDS

from ..common import DoormanCase, proof_of


@tagged("post_install", "-at_install")
class TestConnection(DoormanCase):
    """The life of a connection, and that lists never fall open."""

    def _key_of(self, dialog):
        return dialog["context"]["default_key"]

    def test_who_waits_for_activation_cannot_activate_themselves(self):
        """Revoke, then reactivate, is no way around the administrator."""
        self.connection._inside().state = "inactive"
        mine = self.connection.with_user(self.people["user"])
        mine.action_revoke()
        self.outcome(mine.action_reactivate, UserError)
        self.assertNotIn(self.connection.state, ("awaiting", "connected", "idle"))

    def test_reactivating_an_oauth_connection_makes_no_api_key(self):
        connection = self._connect("user", auth_type="oauth")
        connection.action_revoke()
        connection.with_user(self.people["user"]).action_reactivate()
        self.assertEqual(connection.state, "awaiting")
        self.assertFalse(connection.api_key_id)

    def test_rotating_ends_the_old_key(self):
        dialog = self.connection.with_user(self.people["user"]).action_rotate_key()
        fresh = proof_of(self._key_of(dialog))
        self.env.flush_all()
        self.assertIn("error", self.gateway.resolve(self.proof))
        self.assertIn("snapshot", self.gateway.resolve(fresh))

    def test_revoking_removes_the_key_itself(self):
        key = self.connection.api_key_id
        self.connection.with_user(self.people["user"]).action_revoke()
        self.assertFalse(key.exists())
        self.assertIn("error", self.gateway.resolve(self.proof))

    def test_reactivating_does_not_bring_the_old_key_back(self):
        mine = self.connection.with_user(self.people["user"])
        mine.action_revoke()
        mine.action_reactivate()
        self.env.flush_all()
        self.assertIn("error", self.gateway.resolve(self.proof))

    def test_reactivating_past_the_expiry_is_refused(self):
        self.connection.action_revoke()
        self.connection.expires_at = fields.Datetime.now() - timedelta(hours=1)
        with self.assertRaises(UserError):
            self.connection.with_user(self.people["user"]).action_reactivate()
        self.assertEqual(self.connection.state, "revoked")

    def test_an_archived_connection_is_not_reactivated(self):
        self.connection.action_revoke()
        self.connection.with_user(self.people["admin"]).active = False
        mine = self.connection.with_user(self.people["user"])
        self.assertEqual(self.outcome(mine.action_reactivate, UserError), "deny")
        self.assertEqual(self.connection.state, "revoked")

    def test_a_later_expiry_reaches_the_key(self):
        """Else the key dies on the old day, and nobody can tell why."""
        soon = fields.Datetime.now() + timedelta(days=1)
        self.connection.expires_at = soon
        self.credential = self.connection._issue_key()
        self.connection.expires_at = soon + timedelta(days=30)
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT expiration_date FROM res_users_apikeys WHERE id = %s",
            [self.connection.api_key_id.id],
        )
        [expiry] = self.env.cr.fetchone()
        self.assertTrue(expiry is None or expiry >= self.connection.expires_at)

    def test_every_change_of_the_policy_raises_the_version(self):
        tool = self.tool("t1")
        changes = {
            "scope_ids": [Command.clear()],
            "read_only": True,
            "research_tools": True,
            "allowed_tool_ids": [Command.set(tool.ids)],
            "allowed_model_ids": [
                Command.set(self.env["ir.model"]._get("res.partner").ids)
            ],
            "company_ids": [Command.set(self.company.ids)],
            "approval_tool_ids": [Command.set(tool.ids)],
            "approval_rule_ids": [Command.create({"risk": "high"})],
            "model_rule_ids": [Command.create({"perm_write": True})],
            "approve_outward": True,
            "approver_id": self.people["user2"].id,
            "approver_group_id": self.env.ref("doorman.group_admin").id,
            "two_approvers": "high",
            "approval_expiry_hours": 3,
            "allowed_ips": "192.0.2.0/24",
            "blocked_ips": "192.0.2.7",
            "rate_limit_minute": 5,
            "rate_limit_day": 50,
            "recipient_domains": "example.com",
            "rows_reply": 40,
            "rows_day": 400,
            "expires_at": fields.Datetime.now() + timedelta(days=1),
            "active": False,
        }
        self.assertLessEqual(POLICY_FIELDS, changes.keys())
        for name, value in changes.items():
            with self.subTest(field=name):
                before = self.connection.version
                self.connection.with_user(self.people["admin"]).write({name: value})
                self.assertGreater(self.connection.version, before)

    def test_a_connection_acts_as_an_internal_person(self):
        root = self.env.ref("base.user_root")
        for user in (root, self.service, self.people["portal"], self.people["public"]):
            with self.subTest(user=user.login), self.assertRaises(ValidationError):
                self.env["doorman.connection"].create({"name": "x", "user_id": user.id})

    def test_a_list_of_archived_tools_allows_nothing(self):
        """An empty list allows everything: archived is not empty."""
        tool = self.tool("t1")
        mine = self.connection.with_user(self.people["admin"])
        mine.allowed_tool_ids = [Command.set(tool.ids)]
        tool.active = False
        mine.write({"allowed_tool_ids": [Command.link(tool.id)]})
        self.assertTrue(self.connection.tools_restricted)
        self.assertEqual(self.connection.sudo()._policy()["allowed_tools"], [])

    def test_companies_that_the_administrator_cannot_see_count(self):
        far = self.env["res.company"].create({"name": "Far"})
        self.people["both"] = self._person(
            "both", ["doorman.group_user"], company_ids=(self.company | far).ids
        )
        connection = self._connect("both", company_ids=[Command.set(far.ids)])
        mine = connection.with_user(self.people["admin"])
        for command in (Command.link(self.company.id), Command.unlink(self.company.id)):
            self.env.flush_all()
            self.env.invalidate_all()
            mine.write({"company_ids": [command]})
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(connection.sudo().company_ids, far)
        self.assertTrue(connection.companies_restricted)

    def test_an_emptied_list_is_open_only_by_a_person(self):
        self.allow_models("res.partner")
        self.assertTrue(self.connection.models_restricted)
        self.env.cr.execute(
            "DELETE FROM doorman_connection_ir_model_rel "
            "WHERE doorman_connection_id = %s",
            [self.connection.id],
        )
        self.env.invalidate_all()
        self.assertEqual(self.connection._policy()["allowed_models"], [])
        self.connection.allowed_model_ids = [Command.clear()]
        self.assertNotIn("allowed_models", self.connection._policy())

    def test_deleting_keeps_the_audit(self):
        self.call("res.partner", "search_count", domain=[])
        [row] = self.rows()[:1]
        self.connection.with_user(self.people["admin"]).unlink()
        deleted, after = self.rows()[:2]
        self.assertEqual(deleted["method"], "connection/delete")
        self.assertEqual(deleted["connection_name"], row["connection_name"])
        self.assertIn(self.people["admin"].login, deleted["message"])
        self.assertEqual(after["id"], row["id"])
        # Nothing is written into its rows: they keep the id of what is gone.
        self.assertEqual(after, row)
        shown = self.env["doorman.audit"].browse(row["id"])
        self.assertFalse(shown.connection_id)
        self.assertEqual(shown.connection_name, row["connection_name"])

    def test_deleting_a_user_keeps_the_audit(self):
        self.call("res.partner", "search_count", domain=[])
        [row] = self.rows()[:1]
        self.people["user"].unlink()
        deleted, after = self.rows()[:2]
        self.assertEqual(deleted["method"], "connection/delete")
        self.assertEqual(after, row)
        shown = self.env["doorman.audit"].browse(after["id"])
        self.assertTrue(shown.read())
        self.assertFalse(shown.user_id)
        self.assertFalse(shown.connection_id)

    def test_who_becomes_an_mcp_user_gets_the_first_three_permissions(self):
        scopes = ("metadata", "search", "orm", "sql", "shell")
        user = self.people["user"]
        held = [user.has_group(f"doorman.group_scope_{s}") for s in scopes]
        self.assertEqual(held, [True, True, True, False, False])
        orm = self.env.ref("doorman.group_scope_orm")
        user.write({"group_ids": [Command.unlink(orm.id)]})
        self.assertFalse(user.has_group("doorman.group_scope_orm"))
        self.connection.scope_ids = self.env["doorman.scope"].search([])
        self.env.flush_all()
        policy = self.gateway.resolve(self.proof)["snapshot"]["policy"]
        self.assertEqual(policy["scopes"], ["mcp:metadata", "mcp:search"])

    def test_only_odoo_administrators_make_keys_that_act_as_one(self):
        self.people["system"] = self._person("system", ["base.group_system"])
        connection = self._connect("system")
        mine = connection.with_user(self.people["admin"])
        self.assertEqual(self.outcome(mine.action_rotate_key), "deny")
        self.assertFalse(connection.api_key_id)

    def test_reactivating_for_who_must_not_see_the_key_gives_a_link(self):
        self.people["system"] = self._person("system", ["base.group_system"])
        connection = self._connect("system")
        connection._inside().state = "revoked"
        dialog = connection.with_user(self.people["admin"]).action_reactivate()
        self.assertNotIn("default_key", dialog["context"])
        self.assertFalse(connection.api_key_id)
        self.assertEqual(connection.state, "awaiting")
