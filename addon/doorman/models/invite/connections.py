from odoo import fields, models


class DoormanConnection(models.Model):
    """What a connection has of the invite that it came of."""

    _inherit = "doorman.connection"

    invite_id = fields.Many2one(
        "doorman.invite",
        readonly=True,
        copy=False,
        index=True,
        ondelete="set null",
        groups="doorman.group_admin",
    )
    invite_reminded = fields.Boolean(readonly=True, copy=False)

    def write(self, vals):
        res = super().write(vals)
        if "expires_at" in vals:
            self._inside().write({"invite_reminded": False})
        return res

    def _revoke_for_good(self):
        """Revoke, so that their users cannot bring them back: who ends an invite, or
        all that a person has, means it."""
        self.action_revoke()
        self._inside().sudo().write({"needs_activation": True})

    def action_open_invite(self):
        """The invite that this connection came of."""
        self.ensure_one()
        self.check_access("read")
        invite = self.invite_id
        invite.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "res_model": "doorman.invite",
            "res_id": invite.id,
            "views": [(False, "form")],
        }
