from datetime import timedelta

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...policy.audit_values import AT_THE_DOOR
from ...policy.shared import CHARGED_METHODS


class DoormanAudit(models.Model):
    """How much connections were used."""

    _inherit = "doorman.audit"

    @api.model
    def _usage(self, domain, first, last, limit, offset):
        """The use of connections by day, as the caller may see it. The one place that
        knows where that is kept.

        :param domain: which connections, by fields of the audit
        :param date first: the first UTC day
        :param date last: the last UTC day
        :return: a page of ``{day, connection_id, connection, user, requests, ok,
            pending, error, refused, rows}``, last days first, and how many there are.
            ``requests`` counts as the limit a day does.
        """
        domain = Domain(domain) & Domain(
            [
                ("connection_id", "!=", False),
                ("method", "in", CHARGED_METHODS),
                ("time", ">=", first),
                ("time", "<", last + timedelta(days=1)),
            ]
        )
        found = self._search(domain)
        columns = ("id", "time", "connection_id", "connection_name", "user_login",
                   "outcome", "reason", "count", "rows", "said")  # fmt: skip
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT a.time::date AS day, a.connection_id,
                       (array_agg(a.connection_name ORDER BY a.id DESC))[1]
                           AS connection,
                       (array_agg(a.user_login ORDER BY a.id DESC))[1] AS user,
                       COALESCE(sum(a.count) FILTER (
                           WHERE a.said IS NOT TRUE AND NOT (
                               a.outcome = 'refused' AND a.reason = ANY(%(door)s)
                           )), 0) AS requests,
                       COALESCE(sum(a.count) FILTER (WHERE a.outcome = 'ok'), 0) AS ok,
                       COALESCE(sum(a.count) FILTER (WHERE a.outcome = 'pending'), 0)
                           AS pending,
                       COALESCE(sum(a.count) FILTER (WHERE a.outcome = 'error'), 0)
                           AS error,
                       COALESCE(sum(a.count) FILTER (WHERE a.outcome = 'refused'), 0)
                           AS refused,
                       COALESCE(sum(a.rows), 0) AS rows,
                       count(*) OVER () AS total
                  FROM (%(found)s) a
                 GROUP BY a.time::date, a.connection_id
                 ORDER BY day DESC, a.connection_id DESC
                 LIMIT %(limit)s OFFSET %(offset)s
                """,
                door=AT_THE_DOOR,
                found=found.select(*(SQL.identifier(self._table, c) for c in columns)),
                limit=limit,
                offset=offset,
            )
        )
        total = rows[0]["total"] if rows else 0
        if not rows and offset:
            total = self._usage(domain, first, last, 1, 0)[1]
        return [self._usage_wire(row) for row in rows], total

    @api.model
    def _usage_wire(self, row):
        numbers = ("requests", "ok", "pending", "error", "refused", "rows")
        return {
            "day": row["day"].isoformat(),
            "connection_id": row["connection_id"],
            "connection": row["connection"] or "",
            "user": row["user"] or "",
            **{name: int(row[name]) for name in numbers},
        }
