from odoo import models

from .run_job import job, progress

CHAIN_ROWS = 10_000


class DoormanGateway(models.AbstractModel):
    _inherit = "doorman.gateway"

    @job(every=60, timeout=50)
    def _chain_audit(self):
        """Give the audit rows that came since the last time their links in the chain.

        :return: how many were ``chained``, and whether there are ``more``
        :rtype: dict
        """
        if not self._alone("doorman.chain_audit"):
            return progress(chained=0)
        chained = self.env["doorman.audit"]._extend_chain(CHAIN_ROWS)
        return progress(chained=chained, more=chained == CHAIN_ROWS)
