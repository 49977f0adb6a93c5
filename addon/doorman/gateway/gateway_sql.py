from odoo import models

from ..tools.sql_query import FUNCTIONS


class DoormanGateway(models.AbstractModel):
    """The functions in the database by which a query is looked at, and run."""

    _inherit = "doorman.gateway"

    def init(self):
        res = super().init()
        self.env.cr.execute(FUNCTIONS)
        return res
