from odoo import api, fields, models


class DoormanInviteAcceptance(models.Model):
    """Who accepted an invite. Written once, by the acceptance itself."""

    _name = "doorman.invite.acceptance"
    _description = "Accepted MCP invite"
    _order = "id desc"

    invite_id = fields.Many2one(
        "doorman.invite", required=True, readonly=True, index=True, ondelete="cascade"
    )
    user_id = fields.Many2one(
        "res.users", required=True, readonly=True, index=True, ondelete="cascade"
    )
    accepted_at = fields.Datetime("Accepted on", required=True, readonly=True)
    ip = fields.Char("From", readonly=True)
    new_account = fields.Boolean("New account", readonly=True)
    address_proven = fields.Boolean(
        readonly=True, help="For a new account: a code was sent to its address."
    )
    connection_id = fields.Many2one(
        "doorman.connection", readonly=True, ondelete="set null"
    )
    connection_state = fields.Selection(related="connection_id.state")
    last_used = fields.Datetime(related="connection_id.last_used")

    _once = models.Constraint(
        "UNIQUE (invite_id, user_id)", "A person can accept an invite only once."
    )

    @api.depends("user_id", "invite_id")
    def _compute_display_name(self):
        for acceptance in self:
            acceptance.display_name = acceptance.user_id.sudo().name
