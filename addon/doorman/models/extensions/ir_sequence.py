from odoo import models

from ...policy import ledger


class IrSequence(models.Model):
    _inherit = "ir.sequence"

    def _next(self, sequence_date=None):
        # A number that was drawn is used up, whatever becomes of its record.
        number = super()._next(sequence_date=sequence_date)
        noted = ledger.of(self.env.cr)
        if noted is not None:
            noted.numbers.append(number)
        return number
