from odoo import api, models

from ...policy import ledger
from ...policy.change_scope import reaches_out


class IrMailServer(models.Model):
    _inherit = "ir.mail_server"

    def _disable_send(self):
        # Most emails leave once everything is saved. One that does not wait must not
        # leave for something that is only tried out.
        return reaches_out() or super()._disable_send()

    @api.model
    def send_email(self, message, *args, **kwargs):
        """What code sends without a row in the queue is noted here."""
        noted = ledger.of(self.env.cr)
        if noted is not None:
            noted.outward.mail(message)
        return super().send_email(message, *args, **kwargs)
