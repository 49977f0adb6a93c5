from odoo import fields, models

from .doorman_audit import OUTCOMES
from .loose_many2one import LooseMany2one

WEEK = [("day", ">=", "today -6d")]


class DoormanUseMixin(models.AbstractModel):
    """What both ways of counting the audit have in common: days, outcomes, numbers."""

    _name = "doorman.use.mixin"
    _inherit = ["doorman.loose.mixin"]
    _description = "Doorman: counts of the audit"
    _order = "day desc, id desc"

    day = fields.Date(readonly=True, help="In UTC, like the daily limits.")
    company_id = LooseMany2one("res.company", readonly=True)
    outcome = fields.Selection(OUTCOMES, string="Status", readonly=True)
    entries = fields.Integer("Audit rows", readonly=True)
    requests = fields.Integer(
        readonly=True, help="An audit row can stand for several refused requests."
    )
    rows = fields.Integer("Rows returned", readonly=True)


class DoormanUseDay(models.Model):
    """The audit per day, company and outcome: what charts and counters are drawn from.

    A view (``tables.py``) that says at any time what counting the audit would, in as
    many rows as there are days. Record rules are those of the audit.
    """

    _name = "doorman.use.day"
    _inherit = ["doorman.use.mixin"]
    _description = "MCP use per day"
    _auto = False
    _rec_name = "day"

    def _per_outcome(self, domain=None):
        """How many requests there were, of those that this user may see.

        :param domain: None for the last seven days, today's included
        :return: ``{outcome: requests}``
        """
        totals = self._read_group(
            WEEK if domain is None else domain, ["outcome"], ["requests:sum"]
        )
        return dict(totals)

    def _series(self, since):
        """The requests of each day, for a chart.

        :param date since: the first day (UTC)
        :return: ``[(day, company, outcome, requests)]``, by day; days without requests
            are left out
        """
        return self._read_group(
            [("day", ">=", since)],
            ["day:day", "company_id", "outcome"],
            ["requests:sum"],
            order="day:day",
        )


class DoormanUseConnection(models.Model):
    """The audit per day, connection and outcome. The same, but for rows that are of no
    connection; and what a connection's day limits are held against."""

    _name = "doorman.use.connection"
    _inherit = ["doorman.use.mixin"]
    _description = "MCP use per day and connection"
    _auto = False
    _rec_name = "connection_name"

    connection_id = LooseMany2one("doorman.connection", readonly=True)
    connection_name = fields.Char("Connection (name)", readonly=True)
    user_id = LooseMany2one("res.users", readonly=True)
    charged = fields.Integer(
        "Counted requests",
        readonly=True,
        help="Tool calls that were let in: they count against the daily limit.",
    )

    def _top(self, since, limit=10):
        """The connections with the most requests, of those that this user may see.

        It reads a row for each connection and day.

        :param date since: the first day (UTC)
        :return: ``[(connection, requests)]``, the most first; of a deleted connection
            the record does not exist
        """
        return self._read_group(
            [("day", ">=", since)],
            ["connection_id"],
            ["requests:sum"],
            order="requests:sum desc, connection_id",
            limit=limit,
        )
