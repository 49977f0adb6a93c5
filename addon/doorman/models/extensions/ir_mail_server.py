from odoo import models

from ...policy.change_scope import reaches_out


class IrMailServer(models.Model):
    _inherit = "ir.mail_server"

    def _disable_send(self):
        # Most e-mails leave once everything is saved. One that does not wait must not
        # leave for something that is only tried out.
        return reaches_out() or super()._disable_send()
