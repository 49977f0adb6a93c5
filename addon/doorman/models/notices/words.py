from odoo import fields, models
from odoo.tools import format_datetime

from ...policy.plain_text import plain
from ...policy.record_url import whole_url_of
from .doorman_notice import ASKING

MAX_NAME = 100
MAX_VALUES = 10


class DoormanNotice(models.Model):
    """What a notice says, in the language of its environment."""

    _inherit = "doorman.notice"

    def _words(self):
        """:return: ``{title, lines, label, url}``, plain text but for the address"""
        self.ensure_one()
        about = getattr(self, f"_words_{self.kind}")()
        return {
            "title": about[0],
            "lines": [line for line in about[1:] if line],
            "label": self.env._("Open in Odoo"),
            "url": whole_url_of(self._record()),
        }

    # ---- requests for approval ----

    def _words_approval(self):
        return (
            self.env._(
                "Approval needed: %s", plain(self.approval_id.summary_shown, 200)
            ),
            *self._words_request(),
        )

    def _words_reminder(self):
        return (
            self.env._("Still waiting: %s", plain(self.approval_id.summary_shown, 200)),
            *self._words_request(),
        )

    def _words_request(self):
        request = self.approval_id
        zone = self.env.context.get("tz") or "UTC"
        return (
            self.env._(
                "%(connection)s asks, in the name of %(user)s. The request is pending "
                "until %(until)s (%(zone)s).",
                connection=plain(request.connection_name or "-", MAX_NAME),
                user=plain(request.requester_id.name or "-", MAX_NAME),
                until=format_datetime(self.env, request.expires_at, zone, "medium"),
                zone=zone,
            ),
            self.env._("You can only decide in Odoo, not from this message."),
        )

    # ---- alerts ----

    def _of(self):
        return plain(self.connection_id.name or "-", MAX_NAME)

    def _whose(self):
        user = plain(self.connection_id.user_id.name, MAX_NAME)
        return {"connection": self._of(), "user": user}

    def _told(self, name):
        return plain(self.data.get(name) or "-", MAX_NAME)

    def _words_address(self):
        return (
            self.env._("New address: %s", self._of()),
            self.env._(
                "The connection %(connection)s of %(user)s was used from %(address)s "
                "for the first time.",
                **self._whose(),
                address=self._told("value"),
            ),
            self._advice(),
        )

    def _words_client(self):
        return (
            self.env._("New AI tool: %s", self._of()),
            self.env._(
                "The connection %(connection)s of %(user)s was used by an AI tool that "
                "calls itself %(client)s, for the first time.",
                **self._whose(),
                client=self._told("value"),
            ),
            self._advice(),
        )

    def _words_idle(self):
        return (
            self.env._("In use again: %s", self._of()),
            self.env._(
                "The connection %(connection)s of %(user)s was used again. Days since "
                "it was last used: %(days)s.",
                **self._whose(),
                days=self.data["days"],
            ),
            self._advice(),
        )

    def _words_refusals(self):
        return (
            self.env._("Many refusals: %s", self._of()),
            self.env._(
                "Requests of the connection %(connection)s of %(user)s that were "
                "refused within 10 minutes: %(count)s. The audit says why.",
                **self._whose(),
                count=self.data["count"],
            ),
            self._advice(),
        )

    def _advice(self):
        return self.env._(
            "If its user does not know about this, revoke the connection, or rotate "
            "its key."
        )

    def _words_fast(self):
        return (
            self.env._("Approved within seconds: %s", self._told("who")),
            self.env._(
                "%(who)s approved this %(seconds)s s after it was requested: "
                "%(summary)s",
                who=self._told("who"),
                seconds=self.data["seconds"],
                summary=plain(self.approval_id.summary_shown, 200),
            ),
            self.env._("Ask whether it was read before it was approved."),
        )

    def _words_many_fast(self):
        return (
            self.env._("Many approvals at once: %s", self._told("who")),
            self.env._(
                "Requests of medium or high risk that %(who)s approved within a "
                "minute: %(count)s.",
                who=self._told("who"),
                count=self.data["count"],
            ),
            self.env._("Ask whether they were read before they were approved."),
        )

    def _words_test(self):
        return (
            self.env._("Test notice from Doorman"),
            self.env._(
                "%s sent it from Server Settings. Nothing has happened.",
                self._told("who"),
            ),
        )

    # ---- values, where a setting says so ----

    def _values(self):
        """What the request would change, for those who decide on it: as it was found
        for them when it was asked for, so never a field that may not be shown.

        :return: ``[(record, field, before, after)]``
        """
        if self.kind not in ASKING:
            return []
        preview = self.approval_id._in_language("preview") or {}
        rows = [
            (change["name"], row["label"], row["before"], row["after"])
            for change in preview.get("changes") or []
            if not change.get("set_off")
            for row in change.get("rows") or []
        ]
        return rows[:MAX_VALUES]

    def _data(self):
        """For programs: what a generic webhook gets besides the words.

        :return: as JSON takes it; times are UTC
        """
        request = self.approval_id
        found = {"connection": self._of()} if self.connection_id else {}
        found |= {
            name: value
            for name, value in (self.data or {}).items()
            if name in ("value", "count", "days", "seconds", "who")
        }
        if request:
            found |= {
                "connection": plain(request.connection_name or "-", MAX_NAME),
                "request_id": request.id,
                "summary": plain(request.summary_shown, 200),
                "requested_by": plain(request.requester_id.name or "-", MAX_NAME),
                "expires_at": fields.Datetime.to_string(request.expires_at),
            }
            found["expires_at"] = found["expires_at"].replace(" ", "T") + "Z"
        return found
