"""Each process of the service has a row of its own now. What the last one said goes on
being known until it says hello again."""

from odoo.tools import SQL
from odoo.tools.sql import column_exists

OLD = ("gateway_last_seen", "gateway_version", "gateway_url")


def migrate(cr, version):
    if not column_exists(cr, "doorman_settings", OLD[0]):
        return
    cr.execute(
        """
        INSERT INTO doorman_replica (identifier, version, url, seen)
        SELECT 'before', gateway_version, gateway_url, gateway_last_seen
          FROM doorman_settings WHERE gateway_last_seen IS NOT NULL
        """
    )
    for column in OLD:
        cr.execute(
            SQL("ALTER TABLE doorman_settings DROP COLUMN %s", SQL.identifier(column))
        )
