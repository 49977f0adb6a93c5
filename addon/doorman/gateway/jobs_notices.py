from odoo import models

from .run_job import job, progress


class DoormanGateway(models.AbstractModel):
    """The job that tells people of what waits for them, and of what is unusual."""

    _inherit = "doorman.gateway"

    @job(every=10, timeout=50)
    def _send_notices(self):
        """Tell of what is new, or else post what is due to the webhook: by then it is
        committed that it was told, so that nothing is told twice.

        :return: how many notices were ``told``, and how many ``posted`` or tried
        :rtype: dict
        """
        if not self._alone("doorman.send_notices"):
            return progress(told=0, posted=0)
        notices = self.env["doorman.notice"]
        told, more = notices._tell_waiting()
        if told:
            more = more or notices._any_to_post()
            return progress(told=told, posted=0, more=more)
        posted, more = notices._post_waiting()
        return progress(told=0, posted=posted, more=more)
