"""What was added up is known by a mark, not by a column of every row; charts and
counters are drawn from sums. Rows that an older version has added up go into the sums;
the others, of its last minute, are added up by the next run of the job."""

from odoo import SUPERUSER_ID, api
from odoo.tools.sql import column_exists


def migrate(cr, version):
    # An update that broke off after this is begun again.
    if not column_exists(cr, "doorman_audit", "folded"):
        return
    cr.execute(
        "UPDATE doorman_audit SET xid = pg_current_xact_id() "
        "WHERE folded IS NOT TRUE AND xid IS NULL"
    )
    api.Environment(cr, SUPERUSER_ID, {})["doorman.audit"]._rebuild_sums()
    # Nobody else writes: adding the column has locked the table until the commit.
    cr.execute(
        """
        UPDATE doorman_audit_mark SET floor_id = COALESCE(
            (SELECT min(id) - 1 FROM doorman_audit WHERE xid IS NOT NULL),
            (SELECT max(id) FROM doorman_audit), 0)
        """
    )
