from odoo import models

from .sql_links import CLEAN, patterns
from .sql_query import FUNCTIONS


class DoormanGateway(models.AbstractModel):
    """The functions in the database by which a query is looked at, and run."""

    _inherit = "doorman.gateway"

    def init(self):
        res = super().init()
        self.env.cr.execute(FUNCTIONS)
        self.env.cr.execute(CLEAN, patterns())
        return res
