from odoo import models


class DoormanThreadMixin(models.AbstractModel):
    """A chatter. Odoo lets anyone send messages about any record, and shows its name in
    them."""

    _name = "doorman.thread.mixin"
    _inherit = "mail.thread"
    _description = "Doorman: chatter"

    def message_notify(self, **kwargs):
        """Only about a record that the caller sees."""
        self.check_access("read")
        return super().message_notify(**kwargs)

    def message_mail_with_source(self, source_ref, **kwargs):
        """Only about a record that the caller sees."""
        self.check_access("read")
        return super().message_mail_with_source(source_ref, **kwargs)
