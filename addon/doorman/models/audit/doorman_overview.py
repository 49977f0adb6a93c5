from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...policy.shared import LIVE_STATUSES
from .doorman_audit import OUTCOMES

# What the page can be switched to.
PERIODS = (7, 30, 90)
# The busiest connections are worked out from a row for each connection and day: of a
# week, even if the chart shows more.
TOP_DAYS = 7
# The sums know no tools. They are counted in the newest rows, found by the primary
# key: as much to read in a large audit as in a small one.
SAMPLE = 10_000
SHOWN = 5


class DoormanOverview(models.AbstractModel):
    """The first page of the menu: how Doorman is used and what needs attention."""

    _name = "doorman.overview"
    _description = "Doorman overview"

    @api.model
    def data(self, days=7):
        """What the page shows, of the companies that the caller has chosen.

        It reads sums and short lists: as fast with millions of audit rows as with none.

        :param int days: how many days the chart covers, today included: one of
            ``PERIODS``
        :return: a dict for the page (static/src/overview); days are UTC, and a number
            of requests counts refused ones that share an audit row, too
        :raise AccessError: for anyone but MCP administrators
        :raise UserError: for any other number of days
        """
        self.env["doorman.settings"]._check_admin()
        if type(days) is not int or days not in PERIODS:
            raise UserError(self.env._("The overview covers 7, 30 or 90 days."))
        return {
            "days": days,
            "use": self._use(days),
            "connections": self._connections(),
            "tools": self._tools(),
            "sample": SAMPLE,
            "approvals": self._approvals(),
            "keys": self._keys(),
            "server": self._server(),
            "steps": self._steps(),
        }

    def _use(self, days):
        today = fields.Date.today()
        first = today - timedelta(days=days - 1)
        labels = [first + timedelta(days=n) for n in range(days)]
        place = {day: n for n, day in enumerate(labels)}
        requests = {outcome: [0] * days for outcome, _label in OUTCOMES}
        rows = [0] * days
        found = self.env["doorman.use.day"]._read_group(
            [("day", ">=", first), ("day", "<=", today)],
            ["day:day", "outcome"],
            ["requests:sum", "rows:sum"],
        )
        for day, outcome, number, given in found:
            requests[outcome][place[day]] += number
            rows[place[day]] += given
        return {
            "labels": [fields.Date.to_string(day) for day in labels],
            "requests": requests,
            "rows": rows,
        }

    def _connections(self):
        since = fields.Date.today() - timedelta(days=TOP_DAYS - 1)
        top = self.env["doorman.use.connection"]._top(since, limit=SHOWN * 2)
        # Neither those that were deleted nor those of another company by now.
        there = self.env["doorman.connection"].with_context(active_test=False)
        there = there.search([("id", "in", [connection.id for connection, _ in top])])
        return [
            {"id": connection.id, "name": connection.name, "requests": requests}
            for connection, requests in top
            if connection in there
        ][:SHOWN]

    def _tools(self):
        self.env.cr.execute("SELECT max(id) FROM doorman_audit")
        newest = self.env.cr.fetchone()[0] or 0
        found = self.env["doorman.audit"]._read_group(
            [("id", ">", newest - SAMPLE), ("tool", "!=", False)],
            ["tool"],
            ["count:sum"],
            order="count:sum desc, tool",
            limit=SHOWN,
        )
        return [{"name": tool, "requests": requests} for tool, requests in found]

    def _approvals(self):
        approvals = self.env["doorman.approval"]
        waiting = [("state", "=", "pending")]
        return {
            "count": approvals.search_count(waiting),
            "first": [
                {
                    "id": approval.id,
                    "summary": approval.summary_shown,
                    "who": approval.requester_id.sudo().name,
                    "since": fields.Datetime.to_string(approval.create_date),
                }
                for approval in approvals.search(waiting, order="id", limit=SHOWN)
            ],
        }

    def _keys(self):
        keys = self.env["doorman.key.report"]
        live = Domain("connection_state", "in", LIVE_STATUSES)
        ending = live & Domain("state", "in", ("ending", "expired"))
        # A day to paste it.
        before = fields.Datetime.now() - timedelta(days=1)
        unused = live & Domain("state", "=", "valid")
        unused &= Domain("last_used", "=", False) & Domain("made_at", "<", before)
        return {
            "ending": keys.search_count(ending),
            "unused": keys.search_count(unused),
            "first": [
                {
                    "id": key.connection_id.id,
                    "name": key.connection_id.sudo().name,
                    "state": "unused" if key.state == "valid" else key.state,
                    "expires": fields.Datetime.to_string(key.expires_at),
                }
                for key in keys.search(
                    ending | unused, order="expires_at, id", limit=SHOWN
                )
            ],
        }

    def _server(self):
        settings = self.env["doorman.settings"]._get()
        return {
            "enabled": settings.enabled,
            "is_copy": settings.is_copy,
            "original": settings.database_name or "",
            "read_only": settings.all_read_only,
            "silent": settings.gateway_silent,
            "seen": fields.Datetime.to_string(settings.gateway_last_seen),
            "version": settings.gateway_version or "",
            "url": settings.mcp_url or "",
            # Which the service says of itself: for an administrator to take over.
            "offered_url": settings.gateway_url or "",
        }

    def _steps(self):
        """What is left to do after the installation, in order.

        :return: ``[{"code": ..., "done": bool}]``
        """
        settings = self.env["doorman.settings"]._get()
        connections = self.env["doorman.connection"].with_context(active_test=False)
        done = {
            "key": bool(settings.service_key_date),
            "service": not settings.gateway_silent,
            "url": bool(settings.mcp_url),
            "connection": bool(connections.search([], limit=1)),
            "enabled": settings.enabled and not settings.is_copy,
            "call": bool(connections.search([("last_used", "!=", False)], limit=1)),
        }
        return [{"code": code, "done": is_done} for code, is_done in done.items()]
