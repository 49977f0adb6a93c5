import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

# To the approvers; every other kind is for MCP administrators.
ASKING = ("approval", "reminder")
# A reminder is for people only.
SHARED = ("approval", "address", "client", "refusals", "idle", "fast", "many_fast")
TELL_AT_ONCE = 50
KEPT_DAYS = 30


class DoormanNotice(models.Model):
    """Something that people are told of, in their inbox or by email, in a channel of
    Discuss and by a webhook.

    _queue ── committed with what it tells of ── job: told to people and in Discuss ──
    job: posted to the webhook, and tried again ── forgotten after 30 days

    A row is written in the transaction of what it tells of, so nothing is told of what
    was undone, and no call waits for a mail server or a receiver. Nobody has access to
    these rows: each reader gets what they may know, in their language.
    """

    _name = "doorman.notice"
    _description = "MCP notice"
    _order = "id"

    kind = fields.Char(required=True)
    # Of one subject there is a limited number within an hour.
    subject = fields.Char(required=True)
    connection_id = fields.Many2one("doorman.connection", ondelete="cascade")
    approval_id = fields.Many2one("doorman.approval", ondelete="cascade")
    data = fields.Json()
    told = fields.Boolean()
    post_state = fields.Selection(
        [("none", "-"), ("waiting", "Waiting"), ("sent", "Sent"), ("failed", "Failed")],
        default="none",
    )
    tries = fields.Integer()
    next_try = fields.Datetime()
    # Why it did not get there: a code of policy/webhooks.py, and the status of HTTP.
    error = fields.Char()

    _untold = models.Index("(id) WHERE told IS NOT TRUE")
    _waiting = models.Index("(next_try) WHERE post_state = 'waiting'")
    _of_subject = models.Index("(kind, subject, create_date)")
    _of_connection = models.Index("(connection_id)")
    _of_approval = models.Index("(approval_id)")

    @api.model
    def _queue(self, kind, subject, at_most=0, **values):
        """Have people told of something, once this transaction is committed.

        :param str kind: what it is of
        :param subject: what the notice is about, as text or number
        :param int at_most: how often within an hour; 0: as often as it happens
        :param values: ``connection_id``, ``approval_id`` and ``data``
        """
        notices, subject = self.sudo(), str(subject)
        if at_most:
            since = fields.Datetime.now() - timedelta(hours=1)
            known = [
                ("kind", "=", kind),
                ("subject", "=", subject),
                ("create_date", ">", since),
            ]
            if notices.search_count(known, limit=at_most) >= at_most:
                return
        notices.create({"kind": kind, "subject": subject, **values})

    # ---- telling ----

    @api.model
    def _tell_waiting(self):
        """Tell people, and the channel, of what is new.

        :return: how many notices were new, and whether there may be more
        """
        self.flush_model()
        # Of two at once, one tells.
        self.env.cr.execute(
            SQL(
                "UPDATE doorman_notice SET told = true WHERE id IN ("
                "SELECT id FROM doorman_notice WHERE told IS NOT TRUE "
                "ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING id",
                TELL_AT_ONCE,
            ),
            log_exceptions=False,
        )
        new = self.sudo().browse(sorted(row[0] for row in self.env.cr.fetchall()))
        new.invalidate_recordset()
        # A copy of a database has the people and the webhook of the original.
        if self.env["doorman.settings"]._is_copy():
            return len(new), len(new) == TELL_AT_ONCE
        for notice in new:
            notice._apart(notice._tell_people)
            if notice.kind in SHARED and notice._still_holds():
                notice._apart(notice._tell_channel)
                notice._wait_for_post()
        return len(new), len(new) == TELL_AT_ONCE

    def _apart(self, work):
        """One that cannot be told must not keep the others from being told."""
        try:
            with self.env.cr.savepoint():
                work()
        except (ConcurrencyError, *PG_CONCURRENCY_EXCEPTIONS_TO_RETRY):
            raise
        except Exception:
            _logger.exception("Doorman: notice %s cannot be told", self.id)

    def _still_holds(self):
        """Whether there is still something to tell."""
        if self.kind not in ASKING:
            return True
        request = self.approval_id
        return request.state == "pending" and request.expires_at > fields.Datetime.now()

    def _record(self):
        settings = self.env["doorman.settings"]._get().sudo()
        return self.approval_id or self.connection_id or settings

    @api.model
    def _purge(self):
        old = fields.Datetime.now() - timedelta(days=KEPT_DAYS)
        self.sudo().search([("create_date", "<", old)], limit=10_000).unlink()
