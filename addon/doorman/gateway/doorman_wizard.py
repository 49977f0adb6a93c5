import json
import secrets
from datetime import date

from odoo import models
from odoo.tools.json import json_default

from ..policy.refusal import Refusal, _lt
from ..tools.opened import Opened

# How long a wizard can be gone on with, unless a request for approval needs it.
KEEP_MINUTES = 60
# A context is a few ids and words. A wizard with a larger one is not kept.
MAX_CONTEXT = 20_000

# What the ORM does not know it cannot read, export or write: the context is Odoo's own
# word on what the wizard works on.
TABLE = """
    CREATE TABLE IF NOT EXISTS doorman_wizard (
        handle varchar PRIMARY KEY,
        connection_id integer NOT NULL,
        user_id integer NOT NULL,
        opened text NOT NULL,
        expires timestamp NOT NULL
    )
"""
KEEP = """
    INSERT INTO doorman_wizard (handle, connection_id, user_id, opened, expires)
    VALUES (%s, %s, %s, %s, now() at time zone 'utc' + make_interval(mins => %s))
"""
FIND = """
    SELECT opened FROM doorman_wizard
     WHERE handle = %s AND connection_id = %s AND user_id = %s
       AND expires > now() at time zone 'utc'
"""
ANY = "SELECT opened FROM doorman_wizard WHERE handle = %s"
EXTEND = """
    UPDATE doorman_wizard SET expires = GREATEST(expires, %s)
     WHERE handle = %s AND connection_id = %s
"""
PURGE = "DELETE FROM doorman_wizard WHERE expires < now() at time zone 'utc'"


def _date(value):
    """A date, as the web client would send it; nothing else is plain data."""
    if isinstance(value, date):
        return json_default(value)
    raise TypeError(type(value).__name__)


class DoormanWizard(models.AbstractModel):
    """Wizards that wait to be filled in, each under a handle of one connection and one
    user. Callers name the handle; they never see or send the context."""

    _name = "doorman.wizard"
    _description = "Doorman: wizards that were opened"

    def init(self):
        self.env.cr.execute(TABLE)

    def _keep(self, connection_id, opened):
        """:param opened: Opened
        :return: its handle; "" if it is nothing that can be kept
        """
        try:
            text = json.dumps(vars(opened), default=_date)
        except (TypeError, ValueError):
            return ""
        if len(text) > MAX_CONTEXT:
            return ""
        handle = secrets.token_hex(6)
        uid = self.env.uid
        self.env.cr.execute(KEEP, [handle, connection_id, uid, text, KEEP_MINUTES])
        return handle

    def _find(self, connection_id, handle):
        """:return: Opened
        :raise Refusal: if this connection has no such wizard, or not any more
        """
        if isinstance(handle, str):
            self.env.cr.execute(FIND, [handle, connection_id, self.env.uid])
            if row := self.env.cr.fetchone():
                return Opened(**json.loads(row[0]))
        raise Refusal(
            "wizard_gone",
            _lt(
                "This connection has no open wizard with that handle: it may "
                "have been opened more than an hour ago."
            ),
            _lt("Press the button that opens it again, and use the new handle."),
        )

    def _of(self, handle):
        """:return: Opened, for any connection; None if the handle is unknown"""
        self.env.cr.execute(ANY, [handle])
        row = self.env.cr.fetchone()
        return Opened(**json.loads(row[0])) if row else None

    def _keep_until(self, connection_id, handle, moment):
        """Keep a wizard for a request that a person decides on."""
        self.env.cr.execute(EXTEND, [moment, handle, connection_id])

    def _purge(self):
        self.env.cr.execute(PURGE)
        return self.env.cr.rowcount
