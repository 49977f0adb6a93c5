"""How long the key of a connection works."""

from odoo import api, fields, models

from ...policy.shared import MAX_KEY_DAYS


class DoormanSettings(models.Model):
    _inherit = "doorman.settings"

    key_max_days = fields.Integer(
        "Maximum key age (days)",
        default=365,
        tracking=True,
        help="How long a key can work at most. Applies to new keys: existing ones "
        "stay as they are. A connection that expires earlier ends its key. 0: no "
        "maximum.",
    )

    @api.constrains("key_max_days")
    def _check_key_max_days(self):
        self._check_range({"key_max_days": (0, MAX_KEY_DAYS)})

    @api.model
    def _key_days(self):
        """:return: how many days a key that is made now may work; 0 for no maximum"""
        return self._get().sudo().key_max_days
