from datetime import timedelta

from odoo import fields, models
from odoo.tools import SQL

from .doorman_audit import OUTCOMES
from .loose_many2one import LooseMany2one

WEEK = [("day", ">=", "today -6d")]

# How many leaders are looked at first, and next. Beyond that, all are.
LEADERS = (20, 100)
# An index has them in this order (tables.py). Both parts of the view are read here
# under its name, by which the record rules know their columns.
LED = """
    WITH lists AS MATERIALIZED (
        SELECT led.ids, led.least
          FROM generate_series(%(first)s::date, %(last)s::date, '1 day') d (day),
               unnest(%(outcomes)s) o (outcome),
               LATERAL (
                   SELECT array_agg(connection_id) AS ids,
                          CASE WHEN count(*) = %(most)s THEN min(requests) END AS least
                     FROM (SELECT connection_id, requests
                             FROM doorman_use_connection_sum AS doorman_use_connection
                            WHERE day = d.day::date AND outcome = o.outcome
                              AND (%(mine)s)
                            ORDER BY requests DESC LIMIT %(most)s) first) led
    ), rest AS MATERIALIZED (
        SELECT connection_id AS id, sum(count) AS requests
          FROM doorman_audit_rest() AS doorman_use_connection
         WHERE connection_id IS NOT NULL AND time >= %(first)s AND (%(mine)s)
         GROUP BY connection_id
    ), leaders AS (
        SELECT unnest(ids) AS id FROM lists UNION SELECT id FROM rest
    )
    SELECT leaders.id, COALESCE(rest.requests, 0) + COALESCE((
               SELECT sum(requests)
                 FROM doorman_use_connection_sum AS doorman_use_connection
                WHERE connection_id = leaders.id AND day >= %(first)s AND (%(mine)s)
           ), 0), COALESCE((SELECT sum(least) FROM lists), 0)
      FROM leaders LEFT JOIN rest USING (id)
     ORDER BY 2 DESC, 1 LIMIT %(limit)s
"""


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

        A busy connection leads on one of the days at least: only those that do are
        counted, as long as no other can have more.

        :param date since: the first day (UTC)
        :return: ``[(connection, requests)]``, the most first; of a deleted connection
            the record does not exist
        """
        for most in LEADERS:
            rows = self._leaders(since, most, limit)
            others = rows[-1][2] if rows else 0
            if rows and (not others or (len(rows) == limit and rows[-1][1] > others)):
                connections = self.env["doorman.connection"]
                return [(connections.browse(row[0]), int(row[1])) for row in rows]
        return self._read_group(
            [("day", ">=", since)],
            ["connection_id"],
            ["requests:sum"],
            order="requests:sum desc, connection_id",
            limit=limit,
        )

    def _leaders(self, since, most, limit):
        """Those with the most requests, of the first of each day and outcome, and of
        all that the sums do not hold yet.

        :param int most: how many are first
        :return: ``[(connection's id, its requests, how many any other connection has at
            most)]``; nothing if a record rule looks further than these rows
        """
        mine = self._search([])
        if mine.from_clause != SQL.identifier(self._table):
            return []
        # A clock may go ahead, and so may a time zone.
        last = fields.Date.today() + timedelta(days=1)
        self.env.cr.execute(
            SQL(
                LED,
                first=since,
                last=last,
                outcomes=[outcome for outcome, _label in OUTCOMES],
                most=most,
                limit=limit,
                mine=mine.where_clause or SQL("true"),
            )
        )
        return self.env.cr.fetchall()
