from markupsafe import Markup

from odoo import api, fields, models

SHOWN = 20


class DoormanRevokeMany(models.TransientModel):
    """Asks before connections are revoked, and says what ends with them.

    The connection's method checks the right to do it.
    """

    _name = "doorman.revoke.many"
    _inherit = ["doorman.many.mixin"]
    _description = "Revoke connections"

    connection_ids = fields.Many2many("doorman.connection", readonly=True)
    count = fields.Integer("Connections", compute="_compute_shown")
    waiting = fields.Integer("Pending requests", compute="_compute_shown")
    names = fields.Html(compute="_compute_shown", sanitize=False)
    with_key = fields.Boolean(compute="_compute_shown")
    with_login = fields.Boolean(compute="_compute_shown")

    @api.depends("connection_ids")
    def _compute_shown(self):
        for dialog in self:
            ends = dialog.connection_ids
            dialog.count = len(ends)
            dialog.waiting = ends._waiting_count()
            dialog.with_key = "bearer" in ends.mapped("auth_type")
            dialog.with_login = "oauth" in ends.mapped("auth_type")
            rows = Markup("").join(
                Markup("<li><b>%s</b> <span class='text-muted'>%s</span></li>")
                % (connection.name, connection.user_id.name)
                for connection in ends[:SHOWN]
            )
            if len(ends) > SHOWN:
                more = self.env._("and %s more", len(ends) - SHOWN)
                rows += Markup("<li>%s</li>") % more
            shown = Markup("<ul class='mb-2 ps-3 text-break'>%s</ul>") % rows
            dialog.names = shown

    def action_revoke(self):
        """Revoke them.

        :raise AccessError: for anyone but their user and MCP administrators
        """
        self.ensure_one()
        return self.connection_ids.action_revoke()
