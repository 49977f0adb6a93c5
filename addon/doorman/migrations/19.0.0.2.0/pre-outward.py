"""What leaves the company waits for a person, from now on: for connections that are
made from now on. Existing ones, and the invites that were sent, keep what they
had. Odoo would give every row of a new column its default.
"""

from odoo.tools import SQL
from odoo.tools.sql import column_exists, create_column

KEPT = ("doorman_connection", "doorman_invite")


def migrate(cr, version):
    for table in KEPT:
        if not column_exists(cr, table, "approve_outward"):
            create_column(cr, table, "approve_outward", "boolean")
            named = SQL.identifier(table)
            cr.execute(SQL("UPDATE %s SET approve_outward = false", named))
