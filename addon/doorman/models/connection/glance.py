from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...policy.known_texts import in_words
from ...policy.refusal import told_later

DAYS = 14

# What was asked for last of those that were refused. Of what waits, nothing was.
LAST_REFUSED = """
    SELECT c.id, a.time, a.reason, a.message, a.words
      FROM unnest(%s) c(id), LATERAL (
           SELECT time, reason, message, words FROM doorman_audit
            WHERE connection_id = c.id AND outcome IN ('refused', 'error')
              AND time >= %s ORDER BY time DESC LIMIT 1) a
"""

# The newest row that names a client, of what was used within the hour or has no name
# yet. Not of what only the service says.
LEARN_CLIENTS = """
    UPDATE doorman_connection c SET client = a.client
      FROM (
        SELECT u.id, n.client
          FROM doorman_connection u, LATERAL (
               SELECT client FROM doorman_audit
                WHERE connection_id = u.id AND client > '' AND said IS NOT TRUE
                  AND method NOT LIKE 'approval/%%'
                ORDER BY time DESC LIMIT 1) n
         WHERE u.last_used > now() at time zone 'utc' - interval '1 hour'
            OR u.client IS NULL AND u.last_used IS NOT NULL) a
     WHERE c.id = a.id AND c.client IS DISTINCT FROM a.client
"""


class DoormanConnection(models.Model):
    """What a person sees of a connection at a glance: which AI tool it is, its use of
    the last days, and why it was refused last."""

    _inherit = "doorman.connection"

    client = fields.Char(
        "AI tool",
        readonly=True,
        copy=False,
        help="The name and version it gave itself when it was last used.",
    )
    use_per_day = fields.Json("Last 14 days", compute="_compute_use_per_day")
    refused_at = fields.Datetime("Last refused", compute="_compute_refused")
    refused_why = fields.Char("Why it was refused", compute="_compute_refused")
    refused_cure = fields.Char("What to do about it", compute="_compute_refused")
    expires_soon = fields.Boolean(
        compute="_compute_expires_soon", search="_search_expires_soon"
    )

    @api.model
    def access_state(self):
        """Whether AI tools get in at all, for the banner above lists of connections.

        :return: ``{off, read_only}``
        :raise AccessError: for people who may not see connections
        """
        self.check_access("read")
        any_of_them = self.new()
        return {
            "off": any_of_them.server_off,
            "read_only": any_of_them.all_read_only,
        }

    # ---- which AI tool ----

    @api.model
    def _learn_clients(self):
        """Keep what the AI tools call themselves, from the audit.

        :return: how many connections have learned a name
        """
        self.flush_model(["client", "last_used"])
        # If the fold changes one of them at the same instant, Odoo runs this again.
        self.env.cr.execute(SQL(LEARN_CLIENTS), log_exceptions=False)
        learned = self.env.cr.rowcount
        self.invalidate_model(["client"])
        return learned

    # ---- its use ----

    def _use_since(self, since):
        """The requests of these connections per day (UTC).

        :param date since: the first day
        :return: ``{connection id: {day: (requests, of these refused or failed)}}``
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT connection_id, day, sum(requests),
                       sum(requests) FILTER (WHERE outcome IN ('refused', 'error'))
                  FROM doorman_use_connection
                 WHERE connection_id = ANY(%s) AND day >= %s
                 GROUP BY 1, 2
                """,
                self.ids,
                since,
            )
        )
        found = {}
        for ident, day, requests, refused in self.env.cr.fetchall():
            found.setdefault(ident, {})[day] = (int(requests), int(refused or 0))
        return found

    def _compute_use_per_day(self):
        today = fields.Date.today()
        days = [today - timedelta(days=n) for n in reversed(range(DAYS))]
        used = self._use_since(days[0])
        for connection in self:
            mine = used.get(connection._origin.id, {})
            connection.use_per_day = [
                {
                    "day": fields.Date.to_string(day),
                    "requests": mine.get(day, (0, 0))[0],
                    "refused": mine.get(day, (0, 0))[1],
                }
                for day in days
            ]

    # ---- what it was refused ----

    @api.depends_context("lang")
    def _compute_refused(self):
        since = fields.Datetime.now() - timedelta(days=DAYS)
        self.env.cr.execute(SQL(LAST_REFUSED, self._origin.ids, since))
        found = {row[0]: row[1:] for row in self.env.cr.fetchall()}
        cures = self.env["doorman.audit"]._cures()
        lang = self.env.lang
        for connection in self:
            time, reason, message, words = found.get(
                connection._origin.id, (False, "", "", None)
            )
            connection.refused_at = time
            connection.refused_why = told_later(words, lang) or in_words(message, lang)
            connection.refused_cure = cures.get(reason)

    # ---- what ends soon ----

    @api.depends("expires_at", "api_key_id")
    def _compute_expires_soon(self):
        soon = self.filtered_domain([("id", "in", self._ids_ending_soon())])
        for connection in self:
            connection.expires_soon = connection in soon

    def _search_expires_soon(self, operator, value):
        if operator != "in" or True not in value:
            return NotImplemented
        return Domain("id", "in", self._ids_ending_soon())

    @api.onchange("expires_at")
    def _onchange_expires_at(self):
        """A date that has passed is a way to end it, or a slip of the pen."""
        if self.expires_at and self.expires_at <= fields.Datetime.now():
            return {
                "warning": {
                    "title": self.env._("Ends at once"),
                    "message": self.env._(
                        "This date has passed: once you save it, the connection is "
                        "refused."
                    ),
                }
            }
        return None

    @api.model
    def _ids_ending_soon(self):
        """Those that live, and whose key or which themselves end within 14 days."""
        self.env.cr.execute(
            SQL(
                """
                SELECT c.id FROM doorman_connection c
                  LEFT JOIN res_users_apikeys k ON k.id = c.api_key_id
                 WHERE c.state IN ('inactive', 'awaiting', 'connected', 'idle')
                   AND LEAST(c.expires_at, k.expiration_date)
                       < now() at time zone 'utc' + make_interval(days => %s)
                """,
                DAYS,
            )
        )
        return [row[0] for row in self.env.cr.fetchall()]
