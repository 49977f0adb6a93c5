import secrets

from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ...policy.credentials import MAX_OVERLAP_MINUTES, stored_proof
from ...policy.refusal import _lt
from ...policy.shared import PREFIX_SECRET


class DoormanOauthClient(models.Model):
    """The secret of a client, and how it ends."""

    _inherit = "doorman.oauth.client"

    def _check_admin(self):
        self.check_access("read")
        if not (self.env.su or self.env.user.has_group("doorman.group_admin")):
            raise AccessError(self.env._("Only an MCP administrator can do this."))

    def _new_secret(self, overlap_minutes=0):
        """:return: a new secret in place of the one it has; None for public clients"""
        self.ensure_one()
        if self.client_type != "confidential":
            return None
        self.flush_recordset()
        self.env.cr.execute(
            SQL(
                """
                UPDATE doorman_oauth_secret SET until = LEAST(
                    until, now() at time zone 'utc' + make_interval(mins => %s))
                 WHERE client_id = %s
                """,
                overlap_minutes,
                self.id,
            ),
            log_exceptions=False,
        )
        secret = PREFIX_SECRET + secrets.token_urlsafe(32)
        self.env.cr.execute(
            SQL(
                "INSERT INTO doorman_oauth_secret (stored, client_id) VALUES (%s, %s)",
                stored_proof(secret),
                self.id,
            )
        )
        return secret

    def action_rotate_secret(self, overlap_minutes=0):
        """Make a new secret of a confidential client. The old one stops at once, or
        after the overlap.

        :param int overlap_minutes: how long the old one goes on working; up to a week
        :return: the dialog that shows the new one, once
        :raise AccessError: for anyone but MCP administrators of its user's company
        """
        self.ensure_one()
        self._check_admin()
        if (
            type(overlap_minutes) is not int
            or not 0 <= overlap_minutes <= MAX_OVERLAP_MINUTES
        ):
            raise UserError(
                self.env._(
                    "The overlap must be from 0 to %s minutes.",
                    MAX_OVERLAP_MINUTES,
                )
            )
        client = self.sudo()
        if client.client_type != "confidential" or not client.active:
            raise UserError(
                self.env._("Only active confidential clients have a secret.")
            )
        secret = client._new_secret(overlap_minutes)
        client.message_post(body=self.env._("New secret, by %s.", self.env.user.name))
        return client._secret_dialog(secret)

    def _secret_dialog(self, secret):
        view = self.env.ref("doorman.doorman_key_show_view_form_client")
        return {
            "type": "ir.actions.act_window",
            "res_model": "doorman.key.show",
            "name": self.env._("OAuth client"),
            "views": [(view.id, "form")],
            "target": "new",
            "context": {
                "default_key": secret,
                "default_connection": self.name,
                "default_client_id": self.client_id,
                "default_for_all": not self.user_id,
            },
        }

    def action_end(self):
        """Remove these clients: what they hold ends now, and they are unknown.

        :raise AccessError: for anyone but MCP administrators of their users' companies
        """
        self._check_admin()
        self._check_all_seen()
        clients = self.sudo().filtered("active")
        clients._inside().write({"active": False})
        connections = clients.with_context(active_test=False).connection_ids
        self.env["doorman.oauth.token"]._end_of(connections, "client removed")
        connections._drop_requests(_lt("Its application was removed."))
        for client in clients:
            client.message_post(body=self.env._("Removed by %s.", self.env.user.name))
        return True

    def _check_all_seen(self):
        """A client for everybody is used in companies that the caller may know nothing
        of: what ends there, or was ended, is not theirs to decide on."""
        connections = self.sudo().with_context(active_test=False).connection_ids
        seen = self.env["doorman.connection"].with_context(active_test=False)
        if connections - seen.search([("id", "in", connections.ids)]).sudo():
            raise AccessError(
                self.env._(
                    "People in other companies use it too. An administrator of all "
                    "those companies can do it. You can revoke the connections of your "
                    "own companies yourself."
                )
            )

    def action_restore(self):
        """Let removed clients ask again. What they held stays dead.

        :raise AccessError: for anyone but MCP administrators of their users' companies
        """
        self._check_admin()
        self._check_all_seen()
        clients = self.sudo().filtered(lambda c: not c.active)
        clients._inside().write({"active": True})
        # What somebody allowed at the very instant of the end was not seen then.
        connections = clients.with_context(active_test=False).connection_ids
        self.env["doorman.oauth.token"]._end_of(connections, "client restored")
        for client in clients:
            client.message_post(body=self.env._("Restored by %s.", self.env.user.name))
        return True

    def action_open_connections(self):
        """The connections of this client."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "doorman.doorman_connection_action"
        )
        action["domain"] = [("oauth_client_id", "=", self.id)]
        action["context"] = {}
        return action
