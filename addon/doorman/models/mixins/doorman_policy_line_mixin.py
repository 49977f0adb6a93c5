from odoo import api, fields, models
from odoo.exceptions import AccessError

from ...policy.protected_fields import CONTEXT_KEY, SENTINEL


class DoormanPolicyLineMixin(models.AbstractModel):
    """A line of a policy: it belongs to a connection, an invite or the settings, whose
    version it raises. The template of an invite is fixed when it is made."""

    _name = "doorman.policy.line.mixin"
    _description = "Doorman: line of a policy"

    connection_id = fields.Many2one(
        "doorman.connection", ondelete="cascade", index=True
    )
    settings_id = fields.Many2one("doorman.settings", ondelete="cascade", index=True)
    invite_id = fields.Many2one("doorman.invite", ondelete="cascade", index=True)

    # The method of a policy that is told of a change of its lines.
    _tells = ""

    def _owners(self):
        """The policies that these belong to."""
        return self.connection_id, self.settings_id

    def _check_fixed(self):
        """The template of an invite is fixed when it is made."""
        inside = self.env.context.get(CONTEXT_KEY) is SENTINEL
        if not inside and self.sudo().invite_id:
            raise AccessError(self.env._("What an invite grants cannot be changed."))

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._check_fixed()
        lines._changed()
        return lines

    def write(self, vals):
        self._check_fixed()
        self._changed()
        res = super().write(vals)
        self._check_fixed()
        self._changed()
        return res

    def unlink(self):
        self._check_fixed()
        owners = self._owners()
        res = super().unlink()
        for owner in owners:
            getattr(owner.sudo(), self._tells)()
        return res

    def _changed(self):
        for owner in self._owners():
            getattr(owner.sudo(), self._tells)()
