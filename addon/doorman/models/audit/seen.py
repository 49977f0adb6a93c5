"""Which AI tools saw a record, or changed it."""

import re

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

# As Odoo writes references.
RECORD = re.compile(r"\s*([a-z][a-z0-9_.]*)\s*,\s*([1-9][0-9]{0,9})\s*")


class DoormanAudit(models.Model):
    _inherit = "doorman.audit"

    def _compute_seen_text(self):
        self.env.cr.execute(
            "SELECT id, seen FROM doorman_audit WHERE id = ANY(%s::integer[])",
            [self.ids],
        )
        seen = dict(self.env.cr.fetchall())
        for row in self:
            row.seen_text = "  ".join(seen.get(row.id) or ()) or False

    @api.model
    def _search_seen_text(self, operator, value):
        """Rows whose call saw or changed a record.

        :param value: ``"res.partner,7"``, or several of these; what is of another form
            finds nothing
        """
        if operator not in ("in", "=", "ilike", "like"):
            return NotImplemented
        values = [value] if isinstance(value, str) else list(value or ())
        found = (RECORD.fullmatch(each) for each in values if isinstance(each, str))
        names = [f"{match[1]},{match[2]}" for match in found if match]
        if not names:
            return Domain.FALSE
        # "seen IS NOT NULL" is for the index, which is of these rows alone.
        rows = SQL(
            "SELECT id FROM doorman_audit "
            "WHERE seen IS NOT NULL AND seen && %s::text[]",
            names,
        )
        return Domain("id", "in", rows)
