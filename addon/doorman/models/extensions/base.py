from odoo import api, models

from ...policy import inverses


class Base(models.AbstractModel):
    """What a caller's value brings about on other records, by the inverse of its field
    (policy/inverses.py)."""

    _inherit = "base"

    @api.model_create_multi
    def create(self, vals_list):
        inverses.check(self, vals_list)
        return super().create(vals_list)

    def write(self, vals):
        inverses.check(self, [vals])
        return super().write(vals)
