"""Whether one administrator alone may widen the policy."""

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class DoormanSettings(models.Model):
    _inherit = "doorman.settings"

    four_eyes = fields.Boolean(
        "Require two administrators to widen access",
        tracking=True,
        help="If a change by one MCP administrator widens access, it waits until "
        "another one has confirmed it: self-approval, SQL or Python switched on, a "
        "trusted issuer added or changed, limits removed, an audit kept for less than "
        "30 days, approval no longer required for what leaves the company, or this "
        "setting switched off. Otherwise all of them are notified.",
    )

    @api.constrains("four_eyes")
    def _check_four_eyes(self):
        admins = self.env["doorman.connection"]._administrators()
        if self.four_eyes and len(admins) < 2:
            raise ValidationError(
                self.env._(
                    "There is only one MCP administrator, so nobody else could "
                    "confirm: give somebody else the permission first."
                )
            )
