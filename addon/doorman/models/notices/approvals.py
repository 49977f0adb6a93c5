from datetime import timedelta

from odoo import fields, models


class DoormanApproval(models.Model):
    """Notices of requests for approval, and of how fast they are approved."""

    _inherit = "doorman.approval"

    def _queue_notices(self, kind):
        for request in self:
            self.env["doorman.notice"]._queue(
                kind,
                request.id,
                approval_id=request.id,
                connection_id=request.connection_id.id,
            )

    def _look_at_pace(self):
        """Tell administrators of a person who approves without reading."""
        settings = self.env["doorman.settings"]._get().sudo()
        notices, me = self.env["doorman.notice"], self.env.user
        who = {"who": me.name, "who_id": me.id}
        about = {"approval_id": self.id, "connection_id": self.connection_id.id}
        now = fields.Datetime.now()
        seconds = int((now - self.requested_at).total_seconds())
        if seconds < settings.notice_fast_seconds:
            notices._queue("fast", self.id, 1, data=who | {"seconds": seconds}, **about)
        most = settings.notice_fast_count
        if not most or self.risk == "low":
            return
        recent = [
            ("decided_by_id", "=", me.id),
            ("decided_at", ">", now - timedelta(minutes=1)),
            ("state", "in", ("executed", "failed")),
            # Of low risk, a button approves several at once.
            ("risk", "!=", "low"),
        ]
        count = self.search_count(recent)
        if count >= most:
            notices._queue("many_fast", me.id, 1, data=who | {"count": count}, **about)
