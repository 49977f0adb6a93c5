from odoo import api, fields, models
from odoo.exceptions import UserError


class DoormanUndoMixin(models.AbstractModel):
    """A record that tells of a change of a connection: a button that undoes it."""

    _name = "doorman.undo.mixin"
    _description = "Doorman: change that can be undone"

    # Of doorman.undo: what is kept of the change.
    change_id = fields.Integer(readonly=True, aggregator=None)
    can_undo = fields.Boolean(compute="_compute_can_undo")

    @api.depends("change_id")
    @api.depends_context("uid")
    def _compute_can_undo(self):
        kept = self.env["doorman.undo"]._still_kept(self.mapped("change_id"))
        me = self.env.user
        admin = me.has_group("doorman.group_admin")
        for record in self:
            mine = record.connection_id.sudo().user_id == me
            record.can_undo = record.change_id in kept and (admin or mine)

    def action_undo(self):
        """The dialog that says what would be undone, and what would not.

        :raise AccessError: for anyone but the connection's user and MCP administrators
        :raise UserError: if nothing is kept of it
        """
        self.ensure_one()
        self.check_access("read")
        connection = self.connection_id.exists()
        if not connection or not self.change_id:
            raise UserError(self.env._("Nothing was stored that could be undone."))
        dialog = self.env["doorman.undo.dialog"].create(
            {"connection_id": connection.id, "change_id": self.change_id}
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Undo a change"),
            "res_model": dialog._name,
            "res_id": dialog.id,
            "view_mode": "form",
            "target": "new",
        }
