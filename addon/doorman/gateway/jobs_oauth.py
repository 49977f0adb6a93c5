from odoo import models

from .run_job import job, progress

ROWS = 20_000

REQUESTS = """
    DELETE FROM doorman_oauth_request WHERE id IN (
        SELECT id FROM doorman_oauth_request
         WHERE expires_at < now() at time zone 'utc' - interval '1 day' LIMIT %s)
"""
CODES = """
    DELETE FROM doorman_oauth_token WHERE stored IN (
        SELECT stored FROM doorman_oauth_token WHERE kind = 'code'
           AND expires_at < now() at time zone 'utc' - interval '1 day' LIMIT %s)
"""
TOKENS = """
    DELETE FROM doorman_oauth_token WHERE stored IN (
        SELECT t.stored FROM doorman_oauth_token t
          JOIN doorman_oauth_family f ON f.id = t.family_id
         WHERE t.kind <> 'code'
           AND t.expires_at < now() at time zone 'utc' - interval '7 days'
           -- Of a login that was ended, reuse is still told apart from nonsense.
           AND (f.dead_at IS NULL
                OR f.dead_at < now() at time zone 'utc' - interval '30 days')
         LIMIT %s)
"""
FAMILIES = """
    DELETE FROM doorman_oauth_family f
     WHERE f.dead_at < now() at time zone 'utc' - interval '30 days'
        OR (f.created_at < now() at time zone 'utc' - interval '1 day'
            AND NOT EXISTS (
                SELECT FROM doorman_oauth_token t WHERE t.family_id = f.id))
"""
ASSERTIONS = """
    DELETE FROM doorman_oauth_assertion WHERE stored IN (
        SELECT stored FROM doorman_oauth_assertion
         WHERE expires_at < now() at time zone 'utc' LIMIT %s)
"""
SECRETS = """
    DELETE FROM doorman_oauth_secret WHERE until < now() at time zone 'utc'
"""


class DoormanGateway(models.AbstractModel):
    """The job that forgets what OAuth no longer needs."""

    _inherit = "doorman.gateway"

    @job(every=3_600, timeout=300)
    def _purge_oauth(self):
        """Remove what is over. It stopped by the clock, not by this.

        :return: how many ``requests``, ``codes``, ``tokens`` and ``clients``
        :rtype: dict
        """
        done = dict.fromkeys(("requests", "codes", "tokens", "clients"), 0)
        if not self._alone("doorman.purge_oauth"):
            return progress(**done)
        self.env.cr.execute(REQUESTS, [ROWS])
        done["requests"] = self.env.cr.rowcount
        self.env.cr.execute(CODES, [ROWS])
        done["codes"] = self.env.cr.rowcount
        self.env.cr.execute(TOKENS, [ROWS])
        done["tokens"] = self.env.cr.rowcount
        self.env.cr.execute(FAMILIES)
        self.env.cr.execute(SECRETS)
        self.env.cr.execute(ASSERTIONS, [ROWS])
        settings = self.env["doorman.settings"]._get().sudo()
        clients = self.env["doorman.oauth.client"]
        done["clients"] = clients._drop_unused(settings.oauth_unused_hours * 60, 1000)
        done["clients"] += clients._drop_left()
        return progress(**done)
