import time
from datetime import datetime, timedelta, timezone

from odoo import api, fields, models
from odoo.tools import SQL

from ..policy.credentials import hash_proof
from ..policy.plain_text import visible
from ..policy.shared import CHARGED_METHODS, MAX_EVENTS
from ..policy.withhold import clean, withhold
from ..tools import operations
from .fence import PROOF

# How often the same may have happened between two reports of the service's.
MAX_COUNT = 10_000
# How far from Odoo's clock the time of an event may be.
MAX_SKEW = timedelta(minutes=1)

HOLDER = """
    SELECT connection_id FROM doorman_connection_proof WHERE proof = %(stored)s
     UNION ALL
    SELECT f.connection_id
      FROM doorman_oauth_token t JOIN doorman_oauth_family f ON f.id = t.family_id
     WHERE t.stored = %(stored)s
     LIMIT 1
"""


class DoormanGateway(models.AbstractModel):
    """The audit row of each request: what is known before it runs, and after."""

    _inherit = "doorman.gateway"

    @api.model
    def record(self, events):
        """Refusals that never became a call, for the audit.

        The service says what it likes: so times are Odoo's own within a minute, counts
        have a bound, and what comes without the connection's credential is marked, and
        counts against no limit.

        :param list events: time, connection, proof, model, reason, message, count and
            audit of each
        """
        self._check_caller()
        events = events[:MAX_EVENTS]
        for event in events:
            self._record_one(event)
        return {"recorded": len(events)}

    def _leave_row(self, answer, audit, started):
        audit["duration_ms"] = round((time.monotonic() - started) * 1000)
        if "stale" not in answer:
            self.env["doorman.audit"]._insert(audit, fenced=True)

    def _audit_row(self, row, request):
        """What is known of a request before it runs."""
        asked = request.get("audit")
        asked = asked if isinstance(asked, dict) else {}
        ids = request.get("ids")
        audit = {
            "ip": self._text(asked.get("ip")),
            "client": self._text(asked.get("client")),
            "method": self._text(asked.get("method")),
            "tool": self._tool_asked(request, asked),
            "request_id": self._text(asked.get("request_id")),
            "model": self._text(request.get("model")),
            "orm_method": self._text(self._orm_method(request)),
            "record_ids": ",".join(map(str, ids)) if isinstance(ids, list) else None,
            "count": 1,
        }
        if row:
            audit.update(
                connection_id=row["id"],
                connection_name=row["name"],
                connection_type=row["auth_type"],
                user_id=row["user_id"],
                user_login=row["login"],
                company_id=row["company_id"],
            )
        return audit

    @staticmethod
    def _note_refused(audit, refusal, why):
        """Put into an audit row what a call was refused for.

        :param why: what people read of it, in words of ``_lt``
        """
        audit.update(
            outcome="refused",
            reason=refusal.kind,
            message=why,
        )

    def _tool_asked(self, request, asked):
        """The tool of a request, by what the request does. The service is believed only
        where nothing is called."""
        said = asked.get("tool")
        known = said and operations.of(request)
        return self._text(self._tool_of(request) if known else said)

    @staticmethod
    def _orm_method(request):
        operation = operations.of(request)
        return operation.called(request) if operation else request.get("method")

    @classmethod
    def _payload(cls, value):
        """What was asked or answered, as text for the audit, without what is called
        like a credential."""
        return cls._dump(withhold(value))

    def _record_one(self, event):
        """One refusal, or one request that is not a call. The service says only which
        connection it means: name and user are the connection's own."""
        if not isinstance(event, dict) or not isinstance(
            event.get("connection") or 0, int
        ):
            raise TypeError("an event is an object")
        count = min(max(1, int(event.get("count") or 1)), MAX_COUNT)
        asked = event.get("audit")
        audit = self._audit_row(None, {"audit": asked, "model": event.get("model")})
        served = event.get("outcome") == "ok"
        if served and audit["method"] in CHARGED_METHODS:
            # A call leaves its row where it is done. Told here, it never was.
            raise ValueError("a tool call is not recorded from outside")
        connection = (
            self.env["doorman.connection"].sudo().browse(event.get("connection") or 0)
        )
        if connection.exists():
            audit["said"] = self._holder(event.get("proof")) != connection.id
            audit.update(
                connection_id=connection.id,
                connection_name=connection.name,
                connection_type=connection.auth_type,
                user_id=connection.user_id.id,
                user_login=connection.user_id.login,
                company_id=connection.company_id.id or None,
            )
        audit.update(
            time=self._moment(event.get("time")),
            outcome="ok" if served else "refused",
            reason=self._text(event.get("reason")),
            message=self._text(event.get("message")),
            count=count,
        )
        self.env["doorman.audit"]._insert(audit)

    def _holder(self, proof):
        """:return: the id of the connection whose credential the service shows, whether
        that still opens something or not; or None"""
        if not isinstance(proof, str) or not PROOF.fullmatch(proof):
            return None
        self.env.cr.execute(SQL(HOLDER, stored=hash_proof(proof)))
        found = self.env.cr.fetchone()
        return found and found[0]

    def _moment(self, text):
        """When it was: by Odoo's own clock, if the service says that it was another
        time than just now.

        :return: a moment without a zone
        """
        now = fields.Datetime.now()
        if not text:
            return now
        said = datetime.fromisoformat(text)
        if said.tzinfo:
            said = said.astimezone(timezone.utc).replace(tzinfo=None)
        return said if abs(said - now) <= MAX_SKEW else now

    @staticmethod
    def _text(value):
        return visible(clean(value))[:256] if value else ""
