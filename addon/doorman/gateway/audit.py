import time
from datetime import datetime

from odoo import api, models

from ..policy.plain_text import visible
from ..policy.shared import CHARGED_METHODS, MAX_EVENTS
from ..policy.withhold import clean, withhold
from ..tools import operations


class DoormanGateway(models.AbstractModel):
    """The audit row of each request: what is known before it runs, and after."""

    _inherit = "doorman.gateway"

    @api.model
    def record(self, events):
        """Refusals that never became a call, for the audit.

        :param list events: time, connection, model, reason, message, count, audit
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
            "tool": self._text(asked.get("tool")),
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
        if event.get("time"):
            datetime.fromisoformat(event["time"])
        count = min(max(1, int(event.get("count") or 1)), 1_000_000)
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
            audit.update(
                connection_id=connection.id,
                connection_name=connection.name,
                connection_type=connection.auth_type,
                user_id=connection.user_id.id,
                user_login=connection.user_id.login,
                company_id=connection.company_id.id or None,
            )
        audit.update(
            time=self._text(event.get("time"))[:19].replace("T", " ") or None,
            outcome="ok" if served else "refused",
            reason=self._text(event.get("reason")),
            message=self._text(event.get("message")),
            count=count,
        )
        self.env["doorman.audit"]._insert(audit)

    @staticmethod
    def _text(value):
        return visible(clean(value))[:256] if value else ""
