from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ...policy.shared import LIVE_STATUSES


class DoormanConnection(models.Model):
    """The pick-up links of a connection."""

    _inherit = "doorman.connection"

    pickup_ids = fields.One2many(
        "doorman.pickup",
        "connection_id",
        "Pick-up links",
        readonly=True,
        groups="doorman.group_admin",
    )
    pickup_pending = fields.Boolean(
        "Pick-up link pending", compute="_compute_pickup_pending"
    )

    @api.depends("state")
    def _compute_pickup_pending(self):
        self.env.cr.execute(
            SQL(
                """
                SELECT p.connection_id
                  FROM doorman_pickup p
                  JOIN doorman_pickup_token t ON t.pickup_id = p.id
                 WHERE p.connection_id = ANY(%s) AND p.used_at IS NULL
                   AND p.expires_at > now() at time zone 'utc'
                """,
                self.ids,
            )
        )
        pending = {row[0] for row in self.env.cr.fetchall()}
        for connection in self:
            connection.pickup_pending = connection.id in pending

    def _transition(self, state, only_from):
        changed = super()._transition(state, only_from)
        if state not in LIVE_STATUSES:
            # Else a link of before would open it again once it is reactivated.
            self.env["doorman.pickup"]._end(changed)
        return changed

    def action_pickup_link(self, key_days=0):
        """Make a personal link by which this connection's user, and nobody else, gets
        its new key. Older unused links of the connection end.

        :param int key_days: how long the key works; 0: as long as it may
        :return: the dialog that shows the link, once
        :raise AccessError: for anyone but MCP administrators
        :raise UserError: if that is longer than it may
        """
        link, pickup = self._make_pickup_link(key_days)
        return {
            "type": "ir.actions.act_window",
            "res_model": "doorman.key.show",
            "name": self.env._("Personal pick-up link"),
            "views": [
                (self.env.ref("doorman.doorman_key_show_view_form_link").id, "form")
            ],
            "target": "new",
            "context": {
                "default_link": link,
                "default_link_until": fields.Datetime.to_string(pickup.expires_at),
                "default_connection": self.name,
                "default_owner": self.user_id.name,
            },
        }

    def _make_pickup_link(self, key_days):
        """:return: the link, in clear for the only time, and its record
        :raise AccessError: for anyone but MCP administrators
        :raise UserError: if its key would work longer than it may
        """
        self.ensure_one()
        self._check_may_manage()
        if not (self.env.su or self.env.user.has_group("doorman.group_admin")):
            raise AccessError(self.env._("Only an MCP administrator can do this."))
        if self.auth_type != "bearer":
            raise UserError(self.env._("Only API key connections have a key."))
        if self.state not in LIVE_STATUSES:
            raise UserError(self.env._("Reactivate the connection first."))
        days = self._check_key_days(key_days)
        token, pickup = self.env["doorman.pickup"].sudo()._make(self, days)
        self.sudo().message_post(
            body=self.env._(
                "Pick-up link for %(user)s created by %(who)s.",
                user=self.user_id.name,
                who=self.env.user.name,
            )
        )
        return f"{self.get_base_url()}/doorman/pickup#{token}", pickup
