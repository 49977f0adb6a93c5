from odoo import models

from .run_job import job, progress


class DoormanGateway(models.AbstractModel):
    """The job that learns which AI tool a connection belongs to."""

    _inherit = "doorman.gateway"

    @job(every=60, timeout=50)
    def _learn_clients(self):
        """Keep what AI tools call themselves, so that a person can look for it.

        :return: how many connections have ``learned`` another name
        :rtype: dict
        """
        if not self._alone("doorman.learn_clients"):
            return progress(learned=0)
        return progress(learned=self.env["doorman.connection"]._learn_clients())
