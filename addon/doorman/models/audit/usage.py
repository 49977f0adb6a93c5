from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

USAGE = """
    SELECT day, connection_id, max(connection_name) AS connection,
           max(user_id) AS user,
           sum(charged) AS requests,
           COALESCE(sum(requests) FILTER (WHERE outcome = 'ok'), 0) AS ok,
           COALESCE(sum(requests) FILTER (WHERE outcome = 'pending'), 0) AS pending,
           COALESCE(sum(requests) FILTER (WHERE outcome = 'error'), 0) AS error,
           COALESCE(sum(requests) FILTER (WHERE outcome = 'refused'), 0) AS refused,
           sum(rows) AS rows, count(*) OVER () AS total
      FROM (%(found)s) u
     GROUP BY day, connection_id
     ORDER BY day DESC, connection_id DESC
     LIMIT %(limit)s OFFSET %(offset)s
"""
COLUMNS = (
    "day", "connection_id", "connection_name", "user_id", "outcome", "requests",
    "charged", "rows",
)  # fmt: skip


class DoormanUseConnection(models.Model):
    """How much connections were used, for programs."""

    _inherit = "doorman.use.connection"

    @api.model
    def _usage(self, domain, first, last, limit, offset):
        """The use of connections by day, as the caller may see it.

        :param domain: which connections
        :param date first: the first UTC day
        :param date last: the last UTC day
        :return: a page of ``{day, connection_id, connection, user, requests, ok,
            pending, error, refused, rows}``, last days first, and how many there are.
            ``requests`` counts as the limit a day does; the outcomes count all that
            was asked for.
        """
        domain = Domain(domain) & Domain([("day", ">=", first), ("day", "<=", last)])
        found = self._search(domain)
        rows = self.env.execute_query_dict(
            SQL(
                USAGE,
                found=found.select(*(SQL.identifier(self._table, c) for c in COLUMNS)),
                limit=limit,
                offset=offset,
            )
        )
        total = rows[0]["total"] if rows else 0
        if not rows and offset:
            total = self._usage(domain, first, last, 1, 0)[1]
        users = self.env["res.users"].sudo().browse({row["user"] for row in rows})
        logins = {user.id: user.login for user in users.exists()}
        return [self._usage_wire(row, logins) for row in rows], total

    @api.model
    def _usage_wire(self, row, logins):
        numbers = ("requests", "ok", "pending", "error", "refused", "rows")
        return {
            "day": row["day"].isoformat(),
            "connection_id": row["connection_id"],
            "connection": row["connection"] or "",
            "user": logins.get(row["user"], ""),
            **{name: int(row[name]) for name in numbers},
        }
