from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL


class DoormanInvite(models.Model):
    """How an invite ends."""

    _inherit = "doorman.invite"

    def _end(self, state, only_from):
        """One conditional UPDATE, of the row that an acceptance updates too: of the
        two, one is run again by Odoo and sees what the other did.

        :return: the invites that changed
        """
        self.flush_recordset()
        self.env.cr.execute(
            SQL(
                "UPDATE doorman_invite SET state = %s, write_uid = %s, "
                "write_date = now() at time zone 'utc' "
                "WHERE id = ANY(%s) AND state = ANY(%s) RETURNING id",
                state,
                self.env.uid,
                self.ids,
                list(only_from),
            ),
            log_exceptions=False,  # who loses the race is run again by Odoo
        )
        changed = self.browse([row[0] for row in self.env.cr.fetchall()])
        self.invalidate_recordset(["state"])
        return changed

    @api.model
    def _creators_gone(self, users):
        """Suspend what these people made: nobody answers for it any more."""
        invites = self.sudo().search(
            [("creator_id", "in", users.ids), ("state", "=", "active")]
        )
        for invite in invites._end("suspended", ("active",)):
            invite._inside().message_post(
                body=self.env._("Suspended: its creator is gone.")
            )

    @api.model
    def _creators_back(self, users):
        invites = self.sudo().search(
            [("creator_id", "in", users.ids), ("state", "=", "suspended")]
        )
        for invite in invites._end("active", ("suspended",)):
            invite._inside().message_post(
                body=self.env._("Active again: its creator is back.")
            )

    def action_revoke(self, connections=False):
        """Stop these links now. What was made of them stays, unless it is to go too.

        :param bool connections: also revoke the connections made from them
        :raise AccessError: for anyone but MCP administrators of their company
        """
        self._check_admin()
        self.check_access("read")
        invites = self.sudo()
        changed = invites._end("revoked", ("active", "used_up", "expired", "suspended"))
        for invite in changed:
            body = self.env._("Revoked by %s.", self.env.user.name)
            invite.message_post(body=body)
        if connections is True:
            invites._revoke_connections()
        return True

    def action_ask_revoke(self):
        """Ask before these links are stopped.

        :raise AccessError: for anyone but MCP administrators of their company
        :return: the dialog that says how many they are
        """
        self._check_admin()
        self.check_access("read")
        ends = self.filtered(lambda invite: invite.state != "revoked")
        if not ends:
            raise UserError(self.env._("These invites are revoked already."))
        return self.env["doorman.revoke.many"]._ask("invite_ids", ends)

    def action_revoke_all(self):
        """Stop these links, and the connections made from them."""
        return self.action_revoke(connections=True)

    def _revoke_connections(self):
        connections = self.env["doorman.connection"].with_context(active_test=False)
        made = connections.sudo().search([("invite_id", "in", self.ids)])
        made._revoke_for_good()
