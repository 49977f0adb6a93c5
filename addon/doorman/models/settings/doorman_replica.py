import re

from odoo import api, fields, models
from odoo.tools import SQL

# The service says hello every 15 s.
SILENT_AFTER_SECONDS = 60
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
UNNAMED = "unnamed"
# With the service's key, one could say hello under any number of names.
MAX_REPLICAS = 100

# A row of its own for each: heartbeats of replicas never wait for each other, nor does
# an administrator who saves the settings.
NOTE = """
    INSERT INTO doorman_replica (identifier, version, url, seen)
    SELECT %s, %s, %s, now() at time zone 'utc'
     WHERE (SELECT count(*) FROM doorman_replica) < %s
        OR EXISTS (SELECT FROM doorman_replica WHERE identifier = %s)
    ON CONFLICT (identifier) DO UPDATE
       SET version = EXCLUDED.version, url = EXCLUDED.url, seen = EXCLUDED.seen
     WHERE doorman_replica.seen < EXCLUDED.seen - interval '5 seconds'
"""


class DoormanReplica(models.Model):
    """A process of the service, as it says itself. Written by ``hello`` alone."""

    _name = "doorman.replica"
    _description = "Process of the Doorman service"
    _log_access = False
    _order = "seen desc, id"
    _rec_name = "url"

    identifier = fields.Char(required=True, readonly=True)
    version = fields.Char(readonly=True)
    url = fields.Char("URL", readonly=True)
    seen = fields.Datetime("Last seen", required=True, readonly=True)

    _identifier_unique = models.Constraint(
        "UNIQUE (identifier)", "Each process can be listed only once."
    )

    @api.model
    def _note(self, version, url):
        """Take a heartbeat.

        :param str version: of the service, and behind its last + the UUID that the
            process has drawn when it started; processes without one share a row
        :param str url: of its MCP endpoint, as AI tools reach it
        """
        version, _plus, identifier = str(version).rpartition("+")
        if not UUID.fullmatch(identifier):
            version = f"{version}+{identifier}" if version else identifier
            identifier = UNNAMED
        self.env.cr.execute(
            SQL(
                NOTE,
                identifier,
                str(version)[:64],
                str(url)[:256] or None,
                MAX_REPLICAS,
                identifier,
            ),
            log_exceptions=False,  # who loses a race is run again by Odoo
        )
        self.invalidate_model()

    @api.model
    def _alive(self):
        """:return: the processes that said hello within the last minute"""
        since = fields.Datetime.subtract(
            fields.Datetime.now(), seconds=SILENT_AFTER_SECONDS
        )
        return self.sudo().search([("seen", ">=", since)])

    def _urls(self):
        """:return: the addresses of the services that these run, each once"""
        return sorted({url for url in self.mapped("url") if url})

    @api.autovacuum
    def _gc_replicas(self):
        """Forget processes that were not seen for a day, but for the last one."""
        before = fields.Datetime.subtract(fields.Datetime.now(), days=1)
        self.env.cr.execute(
            SQL(
                "DELETE FROM doorman_replica WHERE seen < %s "
                "AND seen < (SELECT max(seen) FROM doorman_replica)",
                before,
            )
        )
