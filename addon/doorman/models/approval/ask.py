import logging

from odoo import models
from odoo.exceptions import ConcurrencyError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ...policy.approval_states import PENDING
from ...policy.as_person import day_of
from ...policy.refusal import _lt

_logger = logging.getLogger(__name__)

# How many people get an activity and a notice. All of a larger group may decide.
MAX_ASKED = 50
PURGE = 500


class DoormanApproval(models.Model):
    """Who is asked, and what time does to a request."""

    _inherit = "doorman.approval"

    # ---- activities ----

    def _ask_people(self):
        """An activity for every approver, and a notice a moment later, which does not
        make the AI tool wait (models/notices)."""
        for request in self.with_context(mail_activity_quick_update=True):
            for person in request._deciders()[:MAX_ASKED]:
                text = request.with_context(lang=person.lang)
                text.activity_schedule(
                    "doorman.mail_activity_approval",
                    # Somebody waits: what is due later, the clock does not count.
                    day_of(person),
                    summary=text.summary_shown[:200],
                    note=text._activity_note(),
                    user_id=person.id,
                )
        self._queue_notices("approval")

    def _activities(self):
        activities = self.env["mail.activity"].sudo().with_context(active_test=False)
        return activities.search(
            [("res_model", "=", self._name), ("res_id", "in", self.ids)]
        )

    def _close_activities(self):
        """Decided, it waits for nobody."""
        self._activities()._doorman_inside().unlink()

    def _retarget(self):
        """The connection has other approvers now: they are asked instead."""
        for request in self.filtered(lambda r: r.state == PENDING):
            connection = request.connection_id
            request._inside().write(
                {
                    "approver_id": connection.approver_id.id,
                    "approver_group_id": connection.approver_group_id.id,
                }
            )
            request._close_activities()
            request._ask_people()

    # ---- time ----

    def _one_by_one(self, work):
        """End each of these. One that cannot be ended must not keep the others, nor the
        connection that it is of, from their end; approving looks at both itself.

        :return: those that ended
        """
        ended = self.browse()
        for request in self:
            try:
                with self.env.cr.savepoint():
                    ended |= work(request)
            except (ConcurrencyError, *PG_CONCURRENCY_EXCEPTIONS_TO_RETRY):
                raise
            except Exception:
                _logger.exception("Doorman: request %s cannot be ended", request.id)
        return ended

    def _drop(self, reason):
        """Cancel each of these: what it asks for may no longer be done.

        :param reason: in words of ``_lt``
        """
        return self._one_by_one(lambda request: request._cancel(reason))

    def _expire(self):
        """:return: those of these requests that still waited"""
        ended = self._end("expire")
        ended._note("expire", "refused", "expired", _lt("Nobody decided."))
        return ended

    def _purge(self, before):
        """Remove the requests that were decided before that time, some at a time.

        :return: whether there may be more
        """
        decided = [("state", "!=", "pending"), ("decided_at", "<", before)]
        old = self.search(decided, limit=PURGE)
        old._inside().unlink()
        return len(old) == PURGE

    def _remind(self):
        """Tell who may decide once more."""
        self._queue_notices("reminder")
