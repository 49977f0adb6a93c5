import ipaddress
import re

from odoo import api, models
from odoo.tools import SQL

# An address within these is not new: providers move tools about in them.
NETWORKS = {4: 24, 6: 64}
VERSION = re.compile(r"[\s/]+v?\d[\w.+-]*$")
MAX_CLIENT = 100
# Of one connection within an hour, of each kind.
MOST = 5

KNOWN = """
    INSERT INTO doorman_connection_origin AS new (connection_id, kind, value)
    SELECT c.id, o.kind, o.value
      FROM unnest(%s::integer[], %s::varchar[], %s::varchar[]) o(id, kind, value)
      JOIN doorman_connection c ON c.id = o.id
        ON CONFLICT DO NOTHING
    RETURNING connection_id, kind, value,
              -- As it was before this statement.
              EXISTS (SELECT FROM doorman_connection_origin known
                       WHERE known.connection_id = new.connection_id
                         AND known.kind = new.kind)
"""

# Of a handful of connections, those that were refused something just now.
REFUSED = """
    SELECT connection_id, sum(count) FROM doorman_audit
     WHERE outcome = 'refused' AND said IS NOT TRUE
       AND time > now() at time zone 'utc' - interval '10 minutes'
       AND connection_id = ANY(%s)
     GROUP BY connection_id HAVING sum(count) >= %s
"""


def network_of(address):
    """:return: the network that an address counts as, or None for no address"""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return None
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return str(ipaddress.ip_network((ip, NETWORKS[ip.version]), strict=False))


def tool_of(client):
    """:return: what an AI tool calls itself, without its version"""
    return VERSION.sub("", client.strip())[:MAX_CLIENT]


class DoormanConnection(models.Model):
    """What is told of the use of connections: found where the audit is added up, so no
    call waits for it."""

    _inherit = "doorman.connection"

    def init(self):
        """From where, and by which AI tools, a connection was used so far. Not a model:
        nobody reads it but the statement below."""
        res = super().init()
        self.env.cr.execute(
            SQL(
                """
                CREATE TABLE IF NOT EXISTS doorman_connection_origin (
                    connection_id integer NOT NULL
                        REFERENCES doorman_connection(id) ON DELETE CASCADE,
                    kind varchar NOT NULL,
                    value varchar NOT NULL,
                    PRIMARY KEY (connection_id, kind, value)
                )
                """
            )
        )
        return res

    @api.model
    def _look_at_use(self, facts):
        """Tell administrators of what is unusual.

        :param list facts: of connections that were used or refused, as the fold found
            them: ``{id, ips, clients, idle_days, refused}``
        """
        settings = self.env["doorman.settings"]._get().sudo()
        self._look_at_origins(facts, settings)
        for fact in facts:
            most = settings.notice_idle_days
            if most and (fact["idle_days"] or 0) >= most:
                self._alert(fact["id"], "idle", 1, {"days": fact["idle_days"]})
        refused = [fact["id"] for fact in facts if fact["refused"]]
        if refused and settings.notice_refusals:
            self.env.cr.execute(SQL(REFUSED, refused, settings.notice_refusals))
            for ident, count in self.env.cr.fetchall():
                self._alert(ident, "refusals", 1, {"count": int(count)})

    def _look_at_origins(self, facts, settings):
        for ident, kind, value, others in self._know_origins(facts):
            # The very first one is not news.
            if others and settings[f"notice_{kind}"]:
                self._alert(ident, kind, MOST, {"value": value})

    @api.model
    def _know_origins(self, facts):
        """Keep from where, and by which tools, connections were used.

        :return: what was not known yet: ``(connection, kind, value, whether others of
            this kind were)``
        """
        found = set()
        for fact in facts:
            networks = map(network_of, fact["ips"] or ())
            tools = map(tool_of, fact["clients"] or ())
            found |= {(fact["id"], "address", n) for n in networks if n}
            found |= {(fact["id"], "client", t) for t in tools if t}
        if not found:
            return []
        columns = [list(column) for column in zip(*sorted(found), strict=True)]
        self.env.cr.execute(SQL(KNOWN, *columns), log_exceptions=False)
        return self.env.cr.fetchall()

    def _alert(self, ident, kind, at_most, data):
        self.env["doorman.notice"]._queue(
            kind, ident, at_most, connection_id=ident, data=data
        )
