"""From where, and by which AI tools, connections were used so far: only what is new is
told to administrators."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    cr.execute(
        """
        SELECT connection_id,
               array_agg(DISTINCT ip) FILTER (WHERE ip > ''),
               array_agg(DISTINCT client) FILTER (WHERE client > '')
          FROM doorman_audit
         WHERE connection_id IS NOT NULL AND said IS NOT TRUE
           AND method NOT LIKE 'approval/%' AND method NOT LIKE 'oauth/%'
           AND NOT (outcome = 'refused' AND COALESCE(reason, '') IN
                    ('unauthenticated', 'forbidden', 'rate_limited'))
         GROUP BY connection_id
        """
    )
    facts = [
        dict(zip(("id", "ips", "clients"), row, strict=True)) for row in cr.fetchall()
    ]
    env = api.Environment(cr, SUPERUSER_ID, {})
    env["doorman.connection"]._know_origins(facts)
