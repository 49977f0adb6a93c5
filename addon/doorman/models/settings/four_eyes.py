"""Whether one administrator alone may widen the policy."""

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class DoormanSettings(models.Model):
    _inherit = "doorman.settings"

    four_eyes = fields.Boolean(
        "Two administrators for what widens access",
        tracking=True,
        help="What one MCP administrator changes waits until another one has confirmed "
        "it, if it widens access: self-approval, SQL or Python switched on, limits "
        "taken away, an audit kept for less than 30 days, what leaves the company "
        "released, or this switch put off. "
        "Otherwise all of them are told.",
    )

    @api.constrains("four_eyes")
    def _check_four_eyes(self):
        admins = self.env["doorman.connection"]._administrators()
        if self.four_eyes and len(admins) < 2:
            raise ValidationError(
                self.env._(
                    "There is one MCP administrator, and nobody else could confirm: "
                    "give somebody else the permission first."
                )
            )
