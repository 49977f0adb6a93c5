from odoo import api, models
from odoo.tools import SQL

from ...policy.guesses import GUESSES, WINDOW_MINUTES, guess_source


class DoormanInvite(models.Model):
    """How often somebody may try links that do not work."""

    _inherit = "doorman.invite"

    def init(self):  # pylint: disable=missing-return
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
