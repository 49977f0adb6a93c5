"""How long what records held is kept, so that a change can be undone."""

from odoo import api, fields, models

MAX_DAYS = 365


class DoormanSettings(models.Model):
    _inherit = "doorman.settings"

    undo_days = fields.Integer(
        "Undo (days)",
        default=7,
        tracking=True,
        help="How long a change by an AI tool can be undone. The old values are "
        "stored for that long. 0: nothing is stored, and nothing can be undone.",
    )

    @api.constrains("undo_days")
    def _check_undo_days(self):
        self._check_range({"undo_days": (0, MAX_DAYS)})
