import ipaddress

from odoo import api, models
from odoo.tools import SQL

GUESSES = 20
WINDOW_MINUTES = 10


def guess_source(ip):
    """Who counts as one: an IPv4 address, or what one customer gets of IPv6.

    :param str ip: as the web server saw it
    :rtype: str
    """
    try:
        address = ipaddress.ip_address(ip or "")
    except ValueError:
        return "?"
    if address.version == 6 and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.version == 6:
        return str(ipaddress.ip_network(f"{address}/64", strict=False))
    return str(address)


class DoormanInvite(models.Model):
    """How often somebody may try links that do not work."""

    _inherit = "doorman.invite"

    def init(self):
        super().init()
        self.env.cr.execute(
            SQL(
                """
                CREATE TABLE IF NOT EXISTS doorman_invite_guess (
                    source varchar(64) NOT NULL,
                    at timestamp NOT NULL DEFAULT (now() at time zone 'utc'))
                """
            )
        )
        self.env.cr.execute(
            SQL(
                "CREATE INDEX IF NOT EXISTS doorman_invite_guess_idx "
                "ON doorman_invite_guess (source, at)"
            )
        )

    @api.model
    def _may_guess(self, ip):
        self.env.cr.execute(
            SQL(
                "SELECT count(*) FROM doorman_invite_guess WHERE source = %s AND "
                "at > now() at time zone 'utc' - make_interval(mins => %s)",
                guess_source(ip),
                WINDOW_MINUTES,
            )
        )
        return self.env.cr.fetchone()[0] < GUESSES

    @api.model
    def _note_guess(self, ip):
        # One row each: a counter would make those who try at once wait for each other,
        # and everybody else for them.
        self.env.cr.execute(
            SQL(
                "INSERT INTO doorman_invite_guess (source) VALUES (%s)",
                guess_source(ip),
            )
        )

    @api.model
    def _purge_guesses(self):
        self.env.cr.execute(
            SQL(
                "DELETE FROM doorman_invite_guess WHERE "
                "at < now() at time zone 'utc' - make_interval(mins => %s)",
                WINDOW_MINUTES,
            )
        )
