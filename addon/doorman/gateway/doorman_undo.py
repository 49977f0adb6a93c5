import json

from odoo import models
from odoo.tools import SQL
from odoo.tools.json import json_default

from ..policy.refusal import Refusal, _lt

# Known to no ORM, as the keys of writes (doorman_idempotency.py): nobody reads, exports
# or searches what was in a field, past the rights to that field.
TABLE = """
    CREATE TABLE IF NOT EXISTS doorman_undo (
        id serial PRIMARY KEY,
        connection_id integer NOT NULL,
        kept jsonb NOT NULL,
        created timestamp NOT NULL,
        undone timestamp
    );
    CREATE INDEX IF NOT EXISTS doorman_undo_created_idx ON doorman_undo (created)
"""
KEEP = """
    INSERT INTO doorman_undo (connection_id, kept, created)
    SELECT %s, %s, now() at time zone 'utc' FROM doorman_settings
     WHERE singleton AND undo_days > 0
    RETURNING id
"""
FIND = """
    SELECT u.kept, u.undone FROM doorman_undo u CROSS JOIN doorman_settings s
     WHERE u.id = %s AND u.connection_id = %s AND s.singleton
       AND u.created > now() at time zone 'utc' - make_interval(days => s.undo_days)
"""
# Of two that undo the same at once, one does; the other is run again by Odoo, and then
# sees that it is done.
CLAIM = """
    UPDATE doorman_undo SET undone = now() at time zone 'utc'
     WHERE id = %s AND undone IS NULL RETURNING id
"""
STILL = """
    SELECT u.id FROM doorman_undo u CROSS JOIN doorman_settings s
     WHERE u.id = ANY(%s) AND u.undone IS NULL AND s.singleton
       AND u.created > now() at time zone 'utc' - make_interval(days => s.undo_days)
"""
PURGE = """
    DELETE FROM doorman_undo u USING doorman_settings s
     WHERE s.singleton
       AND u.created <= now() at time zone 'utc' - make_interval(days => s.undo_days)
"""


class DoormanUndo(models.AbstractModel):
    """What records held before connections changed them, for as long as the settings
    say."""

    _name = "doorman.undo"
    _description = "Doorman: changes that can be undone"

    def init(self):
        self.env.cr.execute(TABLE)

    def _keep(self, connection_id, kept):
        """Keep what a change has changed.

        :param dict kept: of ``policy/undo_values.py``, with what else is known of it
        :return: the id by which it is undone; None if the settings keep nothing
        """
        self.env["doorman.settings"].flush_model(["undo_days"])
        text = json.dumps(kept, default=json_default)
        self.env.cr.execute(SQL(KEEP, connection_id, text))
        row = self.env.cr.fetchone()
        return row and row[0]

    def _find(self, connection_id, ident):
        """:return: what is kept of a change of a connection
        :raise Refusal: if nothing is, or it was undone. Of another connection's change
            it says the same as of one that there never was.
        """
        row = None
        if type(ident) is int and 0 < ident < 2**31:
            self.env["doorman.settings"].flush_model(["undo_days"])
            self.env.cr.execute(SQL(FIND, ident, connection_id))
            row = self.env.cr.fetchone()
        if row is None:
            raise Refusal(
                "unknown_change",
                _lt("This connection has no such change, or it is no longer stored."),
                _lt("Use the change_id from the reply to that change."),
            )
        kept, undone = row
        if undone:
            raise Refusal("undone_already", _lt("This change has already been undone."))
        return kept

    def _claim(self, connection_id, ident):
        """As ``_find``, for who undoes it now."""
        kept = self._find(connection_id, ident)
        self.env.cr.execute(SQL(CLAIM, ident), log_exceptions=False)
        if not self.env.cr.fetchone():
            raise Refusal("undone_already", _lt("This change has already been undone."))
        return kept

    def _still_kept(self, ids):
        """:return: those of some changes that are kept, and were not undone"""
        ids = [ident for ident in ids if ident]
        if not ids:
            return set()
        self.env["doorman.settings"].flush_model(["undo_days"])
        self.env.cr.execute(SQL(STILL, ids))
        return {row[0] for row in self.env.cr.fetchall()}

    def _purge(self):
        self.env.cr.execute(PURGE)
        return self.env.cr.rowcount
