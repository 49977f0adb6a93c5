import json
import logging

from psycopg2.extras import Json

from odoo import models
from odoo.exceptions import UserError
from odoo.http import borrow_request
from odoo.tools import SQL
from odoo.tools.json import json_default

from ...policy import canonical_json, in_force
from ...policy.change_scope import forget, undoable
from ...policy.gate import Differs
from ...policy.outward_notes import digest
from ...policy.refusal import Refusal, _lt, again, in_language, kept, told_later

_logger = logging.getLogger(__name__)

# By this key of a context, a page says which state of the request it showed.
SHOWN = "doorman_revision"
TIMEOUT = "120s"
MAX_RESULT = 2_000_000
# What carrying it out gives if nothing was done, since something else would leave.
DIFFERS = object()


class DoormanApproval(models.Model):
    """Carrying out what a person has approved.

    held (it waits, and is not over) ── connection alive ── switch on ── records as
    they were shown ── the rules of a call, all of them, by now ── the call, with the
    rights of the requester ── executed or failed ── audit row, all in one transaction
    """

    _inherit = "doorman.approval"

    def action_approve(self):
        """Do it, now, with the requester's rights. What was shown is what is done:
        if its records have changed since, it is shown anew and nothing is done.

        :raise AccessError: for anyone who is not asked
        :raise UserError: if it does not wait any more, or cannot be done by now
        :return: an action that tells how it went
        """
        self.ensure_one()
        self._check_may_decide()
        request = self.sudo()
        shown = self.env.context.get(SHOWN)
        if not request._hold():
            raise UserError(self._why_over())
        if shown is not None and shown != request.revision:
            raise UserError(
                self.env._("It has changed since you opened it: review it again.")
            )
        lost = request._why_lost()
        if lost:
            request._cancel(lost)
            why = in_language(lost, self.env.lang or "en_US")
            return self._tell(self.env._("Cancelled: nothing was done"), why, "danger")
        if not self.env["doorman.settings"]._get().sudo().enabled:
            raise UserError(
                self.env._(
                    "Access for AI tools is switched off. Nothing was done. You can "
                    "approve it once an MCP administrator has switched it on."
                )
            )
        request._check_not_read_only()
        if request._is_changed():
            return request._show_anew(
                self.env._(
                    "Records have changed since it was requested. It now shows what "
                    "would happen today: review it, and approve it once more."
                )
            )
        if request._is_first():
            return request._approve_first()
        done = {}
        value, error = request._attempt(lambda: request._execute(done))
        if value is DIFFERS:
            return request._show_anew(
                self.env._(
                    "What would leave the company is not what was shown. It now shows "
                    "what would happen today: review it, and approve it once more."
                ),
                ran=True,
            )
        if error:
            return request._failed(error)
        return request._done(value, done.get("change_id"))

    # ---- steps ----

    def _hold(self):
        """Lock the request, if it waits and is not over: by the clock, however late
        the job is that tells so. Of two who approve at once, the other one waits,
        and then starts anew."""
        self.flush_recordset()
        self.env.cr.execute(
            SQL(
                "SELECT id FROM doorman_approval WHERE id = %s AND state = 'pending' "
                "AND expires_at > clock_timestamp() at time zone 'utc' FOR UPDATE",
                self.id,
            ),
            log_exceptions=False,
        )
        held = bool(self.env.cr.fetchone())
        if held:
            self.connection_id._lock()
            self.invalidate_recordset()
        return held

    def _why_lost(self):
        """:return: why the requester may not ask any more, in words of ``_lt``; or
        None"""
        connection = self.connection_id
        if not connection:
            return _lt("The connection has ended.")
        why = connection._why_ended()
        if not why and connection.user_id != self.requester_id:
            why = _lt("Its user can no longer use it.")
        return why

    def _check_not_read_only(self):
        """:raise UserError: if it changes something while no connection may"""
        who = self.env["doorman.settings"]._who_made_read_only()
        if who and self.env["doorman.gateway"]._changes(self._call()):
            raise UserError(
                self.env._(
                    "%s made all connections read-only. Nothing was done. You can "
                    "approve it once an MCP administrator has allowed changes again.",
                    who,
                )
            )

    def _call(self):
        """The request, as the gateway takes it. It is the one that was shown: its
        digest says so.

        :raise UserError: if it is not
        """
        call = json.loads(self.payload)
        if canonical_json.of_request(call) != self.digest:
            _logger.error("Doorman: approval %s is not what was asked", self.id)
            raise UserError(
                self.env._("This is not what was requested, so it cannot be approved.")
            )
        call["audit"] = {"tool": self.tool}
        if self.idempotency_key:
            call["idempotency_key"] = self.idempotency_key
        return call

    def _row(self):
        return self.connection_id._acting_row()

    def _is_changed(self):
        call = self._call()
        if call["model"] not in self.env:
            return False  # if its module is gone, the call itself says so
        gateway = self.env["doorman.gateway"]
        try:
            now = gateway._versions_now(self.connection_id, self._row(), call)
        except (Refusal, UserError):
            return True  # to look at it again tells what is wrong
        return now != (self.versions or {})

    def _attempt(self, work):
        """Run something that may fail without taking the rest along.

        :return: its value and None, or None and the error as AI tools get it
        """
        cr = self.env.cr
        self.env.flush_all()
        # The name that the gateway undoes its dry runs to.
        cr.execute(
            SQL(
                "SAVEPOINT doorman; SELECT set_config('statement_timeout', %s, true)",
                TIMEOUT,
            )
        )
        with undoable(self.env), in_force.until_the_end(cr):
            try:
                # Code that looks at the web request would find the approver's session.
                with borrow_request():
                    value = work()
                cr.execute("RELEASE SAVEPOINT doorman")
                return value, None
            except Exception as exc:  # noqa: BLE001 each becomes an answer, or goes on
                forget(self.env)
                cr.execute("ROLLBACK TO SAVEPOINT doorman")
                gateway = self.env["doorman.gateway"]
                failure = gateway._failure(exc, self.model, self.requester_id.lang)
                return None, failure.told() | {"words": kept(failure)}

    def _execute(self, done=None):
        """:param dict done: learns what an audit row of the call would tell, if given
        :return: what ``doorman.gateway.call`` would have answered as value
        """
        gateway = self.env["doorman.gateway"]
        try:
            value = gateway._do(
                self.connection_id,
                self._row(),
                self._call(),
                {} if done is None else done,
                approved=True,
                shown=self._shown_outward(),
            )
        except Differs:
            gateway._undo()
            return DIFFERS
        # Only what is read can be as long as that.
        if len(json.dumps(value, default=json_default)) > MAX_RESULT:
            raise Refusal(
                "answer_too_long",
                _lt("The answer is too long to be stored for the AI tool."),
                _lt("Ask for fewer records or fields."),
            )
        return value

    def _shown_outward(self):
        """The digest of what was shown that leaves the company. None where nobody looks
        at that: nothing of it was found, and the connection does not ask."""
        preview = self.preview or {}
        rules = self.connection_id._policy().get("approval") or {}
        if not preview.get("outward") and not rules.get("outward"):
            return None
        return preview.get("outward_digest") or digest([])

    def _show_anew(self, why, ran=False):
        """Nothing is done: it is shown as it would be by now.

        :param bool ran: whether it is run for that, though it was not at first
        :return: an action that tells so, or how it failed
        """
        error = self._look_again(ran)
        if error:
            return self._failed(error)
        return self._tell(self.env._("Nothing has been done yet"), why, "warning")

    def _look_again(self, ran=False):
        """Show it as it would be by now.

        :return: the error, if it could not be done at all any more
        """
        ran = ran or (self.preview or {}).get("ran")
        call, connection = self._call(), self.connection_id
        gateway = self.env["doorman.gateway"]
        described, error = self._attempt(
            lambda: gateway._describe(connection, self._row(), call, ran=ran)
        )
        if not error:
            described, risk = described
            self._inside().write(
                described | {"risk": risk, "revision": self.revision + 1}
            )
            self._asked_anew()
            for activity in self._activities():
                text = self.with_context(lang=activity.user_id.lang)
                activity.summary = text.summary_shown[:200]
            self.message_post(
                body=self.env._("Records have changed: it has to be reviewed again.")
            )
        return error

    # ---- ends ----

    def _own(self):
        return self.env.user in self._askers()

    def _done(self, value, change_id=None):
        me = self.env.user
        self._end(
            "execute",
            decided_by_id=me.id,
            self_approved=self._own(),
            result=json.dumps(value, default=json_default),
            policy_version=self.connection_id.policy_version,
            change_id=change_id,
        )
        words = _lt("Approved by %s, and carried out.", me.name)
        if self.first_approver_id:
            words = _lt(
                "Approved by %(first)s and %(second)s, and carried out.",
                first=self.first_approver_id.name,
                second=me.name,
            )
        if isinstance(value, dict) and value.get("replayed"):
            words = _lt(
                "Approved by %s. It had already been done with the same idempotency "
                "key, and was not done again.",
                me.name,
            )
        if self._own():
            words = _lt(
                "Approved by %s, who requested it, and carried out: the settings "
                "allow that for administrators.",
                me.name,
            )
        self._note("approve", "ok", None, words)
        self._look_at_pace()
        return self._tell(
            self.env._("Approved and carried out"), self.summary_shown, "success"
        )

    def _failed(self, error):
        me = self.env.user
        # The AI tool gets its message in English, the approver in their language.
        why = told_later(error["words"], self.env.lang) or error["message"]
        self._end(
            "fail",
            decided_by_id=me.id,
            self_approved=self._own(),
            error_kind=error["kind"],
            error_message=error["message"][:1_000],
            error_hint=error["hint"][:500],
            error_code=error["code"],
            error_words=error["words"] and Json(error["words"]),
        )
        words = _lt(
            "Approved by %(who)s, but it could not be carried out: %(why)s",
            who=me.name,
            why=again(error["words"]) or error["message"],
        )
        self._note("approve", "error", error["kind"], words)
        self._look_at_pace()
        return self._tell(
            self.env._("Approved, but it could not be carried out"), why, "danger"
        )
