from datetime import date, timedelta

from odoo import api, fields, models

from ...policy.shared import MAX_USAGE_DAYS, MAX_USAGE_ROWS

# If nothing is said.
DAYS = 30


class DoormanConnection(models.Model):
    """What the REST API tells of the use of connections."""

    _inherit = "doorman.connection"

    @api.model
    def api_usage(
        self, limit=100, offset=0, first=None, last=None, connection_id=None, user=None
    ):
        """How much connections were used, by UTC day, the last day first.

        :param str first: the first day, ``2026-01-31``; 30 days with the last one
        :param str last: the last day; today
        :param int connection_id: of this one only
        :param str user: of the connections of the user with this login only
        :return: ``{usage, total, first, last}`` or ``{error}``; total counts the rows
        """
        return self._api(
            lambda connections: connections._api_usage(
                limit, offset, first, last, connection_id, user
            )
        )

    def _api_usage(self, limit, offset, first, last, connection_id, user):
        limit, offset = self._api_page(limit, offset, MAX_USAGE_ROWS)
        last = fields.Date.today() if last is None else self._api_day("last", last)
        if first is None:
            first = last - timedelta(days=min(DAYS - 1, last.toordinal() - 1))
        else:
            first = self._api_day("first", first)
        if not 0 <= (last - first).days < MAX_USAGE_DAYS:
            raise self._api_invalid("first, last", f"{first}, {last}")
        domain = []
        if connection_id is not None:
            domain = [("connection_id", "=", self._api_find(connection_id).id)]
        if user is not None:
            login = self._api_typed("user", user, str)
            people = self.env["res.users"].sudo().with_context(active_test=False)
            domain.append(("user_id", "in", people.search([("login", "=", login)]).ids))
        use = self.env["doorman.use.connection"]
        rows, total = use._usage(domain, first, last, limit, offset)
        return {
            "usage": rows,
            "total": total,
            "first": first.isoformat(),
            "last": last.isoformat(),
        }

    def _api_day(self, name, value):
        text = self._api_typed(name, value, str)
        try:
            found = date.fromisoformat(text)
        except ValueError as exc:
            raise self._api_invalid(name, value) from exc
        # Python also reads other ways to write one.
        if found.isoformat() != text or found.year == date.max.year:
            raise self._api_invalid(name, value)
        return found
