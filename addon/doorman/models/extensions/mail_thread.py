from odoo import models

from ...policy.change_scope import to_colleagues


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    def _notify_thread_by_web_push(self, *args, **kwargs):
        """What shows up in the browsers of whoever is notified; of those outside, their
        email has been noted by then."""
        with to_colleagues():
            return super()._notify_thread_by_web_push(*args, **kwargs)
