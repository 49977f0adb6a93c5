from markupsafe import Markup

from odoo import api, fields, models

SHOWN = 20


class DoormanRevokeMany(models.TransientModel):
    """Asks before connections, or the links of invites, are revoked, and says what
    ends with them.

    Their own methods check the right to do it.
    """

    _name = "doorman.revoke.many"
    _inherit = ["doorman.many.mixin"]
    _description = "Revoke connections or invites"

    connection_ids = fields.Many2many("doorman.connection", readonly=True)
    invite_ids = fields.Many2many("doorman.invite", readonly=True)
    count = fields.Integer("Connections or invites", compute="_compute_shown")
    waiting = fields.Integer("Pending requests", compute="_compute_shown")
    names = fields.Html(compute="_compute_shown", sanitize=False)
    of_invites = fields.Boolean("About invites", compute="_compute_shown")
    with_key = fields.Boolean(compute="_compute_shown")
    with_login = fields.Boolean(compute="_compute_shown")

    @api.model
    def _ask(self, field, records):
        """:return: the action that shows this dialog

        :param str field: that holds the records
        """
        dialog = self.create({field: [(6, 0, records.ids)]})
        return dialog._open(self.env._("Revoke"))

    @api.depends("connection_ids", "invite_ids")
    @api.depends_context("lang")
    def _compute_shown(self):
        for dialog in self:
            ends = dialog.connection_ids
            # Users who cannot see invites ask about connections.
            links = dialog.invite_ids if not ends else dialog.env["doorman.invite"]
            dialog.of_invites = bool(links)
            dialog.count = len(ends or links)
            dialog.waiting = ends._waiting_count()
            dialog.with_key = "bearer" in ends.mapped("auth_type")
            dialog.with_login = "oauth" in ends.mapped("auth_type")
            names = [(c.name, c.user_id.name) for c in ends[:SHOWN]]
            names += [(i.key_name_preset, i.creator_id.name) for i in links[:SHOWN]]
            rows = Markup("").join(
                Markup("<li><b>%s</b> <span class='text-muted'>%s</span></li>") % line
                for line in names
            )
            if dialog.count > SHOWN:
                more = self.env._("and %s more", dialog.count - SHOWN)
                rows += Markup("<li>%s</li>") % more
            shown = Markup("<ul class='mb-2 ps-3 text-break'>%s</ul>") % rows
            dialog.names = shown

    def action_revoke(self):
        """Revoke them.

        :raise AccessError: for anyone but their user and MCP administrators
        """
        self.ensure_one()
        ends = self.connection_ids or self.invite_ids
        return ends.action_revoke()
