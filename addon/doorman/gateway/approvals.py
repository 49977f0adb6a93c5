import json
import time
from dataclasses import replace
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError

from ..policy import canonical_json, gate
from ..policy.approval_states import MAX_PENDING, PENDING
from ..policy.change_scope import Trial, writing
from ..policy.context_keys import CONTEXT_KEYS
from ..policy.gate import Waits
from ..policy.plain_text import plain
from ..policy.refusal import Refusal, _lt
from ..policy.shared import LIVE_STATUSES
from ..tools import operations
from ..tools.call import call_of, resolved
from ..tools.call_preview import preview
from ..tools.describe import Describer
from ..tools.preview import look
from ..tools.record_versions import versions_of_call
from .run_job import job, progress

# In characters: nobody reads more, and no page shows it well.
MAX_SHOWN = 256_000
# Of a request, what is done; the rest tells how, and by whom.
PAYLOAD = ("model", "method", "ids", "kwargs", "context")
# For how many of those who decide a request is kept in their language.
MAX_READERS = 50
# What is.
TOLD = ("summary", "model_label", "preview")
NOT_FOUND = _lt("This connection has no such approval request.")


class DoormanGateway(models.AbstractModel):
    """Calls that wait for a person.

    call ── it waits: what it would do ── kept ── an activity for all who may decide
    approval_status ── how it stands, and once it is done the answer of the call
    """

    _inherit = "doorman.gateway"

    @api.model
    def approval_status(self, fence, request_id, audit=None):
        """How a request of this connection stands.

        :param int request_id: as the pending answer of ``call`` gave it
        :param dict audit: what the audit row says of this question
        :return: ``{approval, rows, registry}``, ``{stale}`` or ``{error}``
        """
        self._check_caller()
        started = time.monotonic()

        def tell(connection, row, request, audit):
            approval = self._approval_of(row["id"], request_id)
            audit["approval_id"] = approval.id
            told = approval._status()
            if told["value"] is not None:
                call, limits = (
                    approval._call(),
                    self._row_limits(connection, row, request),
                )
                audit["rows"] = limits.check(call, told["value"])
            return {"approval": told, "rows": audit.get("rows") or 0}

        answer, row = self._fenced(fence, {"audit": audit}, tell)
        self._leave_row(answer, row, started)
        return answer

    # ---- whether a call waits ----

    def _check_reading(self, connection, row, request):
        """:raise Waits: if a call that only reads waits for a person"""
        *_others, approval = connection._write_rule(row["version"])
        if not approval or request.get("dry_run"):
            return
        operation = operations.of(request)
        besides = operation.reads_also if operation else ""
        if besides == operations.ANY_MODEL and any(
            rule["reads"] and rule["model"] for rule in approval["rules"]
        ):
            # It can show any field, also of a model that waits when it is read.
            raise Waits
        tool = self._tool_of(request)
        models_read = {request.get("model") or "", besides}
        ids = request.get("ids")
        count = len(ids) if isinstance(ids, list) else 0
        if operation and operation.counts:
            guard = self._guard(connection, row, request)
            count = operation.counts(call_of(guard, request))
        if gate.read_waits(approval, tool, self._risk_of(tool), models_read, count):
            raise Waits

    # ---- asking ----

    def _ask(self, connection, row, request, audit, tried=None):
        """Put a call before a person, and leave it undone. Asked for the same again
        while it waits, it is the same request.

        :param tried: what it did before it was undone, or None if it has not run
        :return: ``{pending}``; ``{value}`` where the idempotency key stands for a call
            that is done
        """
        # Of a call that only reads, too.
        self.env.cr.execute("SELECT set_config('synchronous_commit', 'on', true)")
        payload = {name: request.get(name) for name in PAYLOAD}
        payload["kwargs"] = payload["kwargs"] or {}
        # What has no effect must neither be shown nor make equal requests differ.
        given = payload["context"] if isinstance(payload["context"], dict) else {}
        payload["context"] = {k: v for k, v in given.items() if k in CONTEXT_KEYS}
        payload["ids"] = self._ids_of(payload)
        try:
            digest = canonical_json.of_request(payload)
        except (ValueError, RecursionError) as exc:
            raise Refusal(
                "malformed_arguments", _lt("The arguments are not valid JSON.")
            ) from exc
        self._guard(connection, row, request)  # what it may not ask for, asks nobody
        if request.get("dry_run"):
            raise Refusal(
                "approval_not_needed", _lt("A dry run does not need approval.")
            )
        key = request.get("idempotency_key")
        if key is not None:
            done = self.env["doorman.idempotency"]._find(row["id"], key, digest)
            if done is not None:
                audit["reason"] = "replayed"
                return {"value": done | {"replayed": True}}
        approvals = self.env["doorman.approval"].sudo()
        known = approvals.search(
            [
                ("connection_id", "=", row["id"]),
                ("digest", "=", digest),
                ("state", "=", PENDING),
            ]
        )
        over = known.filtered(lambda a: a.expires_at <= fields.Datetime.now())
        approval = known - over
        if not approval:
            vals = self._approval_values(
                connection, row, request, payload, audit, tried
            )
            # Only now: what is before the trial is undone with it.
            over._expire()
            approval = self._make_approval(vals)
            self._keep_wizard(row, payload, approval)
        audit.update(
            outcome="pending", reason="pending_approval", approval_id=approval.id
        )
        return {
            "pending": {
                "request_id": approval.id,
                "expires_at": approval.expires_at.isoformat() + "Z",
                "approval_url": approval._url(),
            }
        }

    def _keep_wizard(self, row, payload, approval):
        """The wizard that a request goes on with must last until it is decided."""
        handle = payload["kwargs"].get("wizard")
        if isinstance(handle, str):
            moment = approval.expires_at
            self.env["doorman.wizard"]._keep_until(row["id"], handle, moment)

    @staticmethod
    def _ids_of(payload):
        """The ids of a call, as everything that comes after relies on: None or ids."""
        ids = payload["ids"] or None
        if ids is not None and not (
            isinstance(ids, list) and all(type(i) is int and i > 0 for i in ids)
        ):
            raise Refusal("malformed_ids", _lt("ids must be a list of numbers."))
        operation = operations.of(payload)
        if ids and operation and operation.creates:
            raise Refusal(
                "malformed_ids", _lt("Records to be created do not have ids yet.")
            )
        return ids

    def _approval_values(self, connection, row, request, payload, audit, tried):
        connection = connection.sudo()
        approvals = self.env["doorman.approval"].sudo()
        waiting = approvals.search_count(
            [("connection_id", "=", connection.id), ("state", "=", PENDING)],
            limit=MAX_PENDING,
        )
        if waiting >= MAX_PENDING:
            raise Refusal(
                "too_many_waiting",
                _lt(
                    "This connection already has %(most)s requests waiting for "
                    "approval.",
                    most=MAX_PENDING,
                ),
                _lt("Wait until some of them are decided."),
            )
        people = connection._approvers()
        if connection.two_approvers and len(people) == 1:
            raise Refusal(
                "nobody_may_approve",
                _lt(
                    "Two people have to approve this, but only one person is "
                    "allowed to."
                ),
                _lt(
                    "An MCP administrator can set an approver group on the Approvals "
                    "page of this connection."
                ),
            )
        if not people:
            raise Refusal(
                "nobody_may_approve",
                _lt("This needs approval, but nobody is allowed to approve it."),
                _lt(
                    "An MCP administrator can set an approver on the Approvals page "
                    "of this connection. Until then, leave out whatever needs "
                    "approval."
                ),
            )
        arguments = json.dumps(request.get("arguments") or {})
        if max(len(arguments), len(canonical_json.text(payload))) > MAX_SHOWN:
            raise Refusal(
                "too_long_to_approve",
                _lt("This is too long for a person to review."),
                _lt("Ask for less in one call."),
            )
        described, risk = self._describe(connection, row, payload, tried)
        tool = self._tool_of(payload)
        hours = connection.approval_expiry_hours
        now = fields.Datetime.now()
        return described | {
            "connection_id": connection.id,
            "connection_name": plain(connection.name, 100),
            "requester_id": row["user_id"],
            "client": plain(audit["client"] or "", 100) or False,
            "approver_id": connection.approver_id.id,
            "approver_group_id": connection.approver_group_id.id,
            "tool": tool,
            "risk": risk,
            "payload": canonical_json.text(payload),
            "digest": canonical_json.of_request(payload),
            "arguments": arguments,
            "idempotency_key": request.get("idempotency_key"),
            "requested_at": now,
            "expires_at": now + timedelta(hours=hours),
        }

    def _make_approval(self, vals):
        approvals = self.env["doorman.approval"].sudo()
        try:
            inside = approvals._inside().with_context(mail_create_nolog=True)
            approval = approvals.browse(inside.create(vals).id)
        except psycopg2.errors.UniqueViolation as exc:
            # The same was asked for at the same instant: seen, once this starts anew.
            raise ConcurrencyError("the same request for approval") from exc
        approval._ask_people()
        return approval

    def _describe(self, connection, row, request, tried=None, ran=False, reader=None):
        """What is shown of a call that waits. One that has not run yet is tried out,
        if what it does can be undone, and undone.

        :param tried: what it did before it was undone, or None
        :param bool ran: whether it was run when it was asked for, and undone: then it
            is run again
        :param reader: an environment that reads for who looks at it; None for who
            decides on it
        :return: values of ``doorman.approval``, and the highest risk of its tools
        :raise Exception: if it could not be done at all
        """
        if not operations.only_reads(request):
            self._check_may_write(connection, row, request)
        elif operations.runs_code(request):
            self._check_may_read(connection, row, request)
        guard = self._guard(connection, row, request)
        describer = Describer(*([reader] if reader else self._readers(connection)))
        call = call_of(guard, request | {"dry_run": True}, describer)
        call = resolved(call)
        before = self._versions(call, request)
        if tried is None:
            tried = self._try(call, connection, row, request, ran)
        tools = {self._tool_of(request)} | getattr(tried, "tools", set())
        risk = gate.highest(map(self._risk_of, tools))
        first, *others = (
            (each.env.lang, preview(each.env, replace(call, describer=each), tried))
            for each in describer.for_each()
        )
        told = {lang: {name: one[name] for name in TOLD} for lang, one in others}
        return first[1] | {"versions": before, "in_languages": told or False}, risk

    def _try(self, call, connection, row, request, ran):
        """Run a call that waits, look at what it did, and undo it.

        :return: what it did, or the answer of an operation that has told instead of
            done; None of one that only reads
        """
        tried = None
        done = replace(call, dry_run=False, describer=None)
        trial = done if ran else call
        # Lines of a document are tried out with the rights of the same user.
        trial = self._prepare(trial, connection, row, request, {}, approved=True)
        with writing(call.env, Trial()) as noted:
            found = self._carry_out(trial, request, noted)
            if not ran and isinstance(found, dict) and "changes" in found:
                tried = found  # told, not done
                if call.operation.outward:
                    # Who would get it shows once it is done.
                    self._carry_out(done, request, noted)
                    tried = found | {"outward": noted.outward.entries()}
            elif not call.operation.reads:
                self._check_asked(call.guard, connection, row, request, noted)
                tried = look(call, noted)
        self._undo()
        return tried

    def _readers(self, connection):
        """Environments that read for the people who decide, and for the requester: one
        for each of their languages, in the time zone of the first who speaks it."""
        connection = connection.sudo()
        zones = {}
        for person in connection._approvers()[:MAX_READERS] | connection.user_id:
            zones.setdefault(person.lang or "en_US", person.tz or "UTC")
        return [
            self.sudo().with_context(lang=lang, tz=zone).env
            for lang, zone in zones.items()
        ]

    @staticmethod
    def _versions(call, request):
        """Which versions there are of the records that a call changes; none of one
        that only reads.

        :param call: with its arguments resolved
        """
        if not request["model"] or operations.only_reads(request):
            return {}
        return versions_of_call(call.env, request | {"kwargs": call.kwargs})

    def _versions_now(self, connection, row, request):
        """The same of a request that waits, by whom its names name now.

        :raise Refusal: if it may not be asked for any more
        """
        call = resolved(call_of(self._guard(connection, row, request), request))
        return self._versions(call, request)

    # ---- telling ----

    def _approval_of(self, connection_id, request_id):
        approval = self.env["doorman.approval"].sudo().browse()
        if type(request_id) is int and 0 < request_id < 2**31:
            approval = approval.search(
                [("id", "=", request_id), ("connection_id", "=", connection_id)]
            )
        if not approval:
            raise Refusal(
                "unknown_approval",
                NOT_FOUND,
                _lt("Use the request_id from the pending reply."),
            )
        return approval

    # ---- jobs ----

    @job(every=60, timeout=50)
    def _expire_approvals(self):
        """End the requests that nobody decided on in time, and those whose connection
        may no longer ask. Approving looks at the clock itself.

        :rtype: dict
        """
        if not self._alone("doorman.expire_approvals"):
            return progress(expired=0, cancelled=0)
        self.env["doorman.policy.change"]._expire_due()
        approvals = self.env["doorman.approval"].sudo()
        due = approvals.search(
            [("state", "=", PENDING), ("expires_at", "<=", fields.Datetime.now())],
            limit=self._at_once,
        )
        expired = due._one_by_one(lambda request: request._expire())
        waiting = approvals.search([("state", "=", PENDING)])
        lost = waiting.filtered(
            lambda a: (
                not a.connection_id
                or not a.connection_id.active
                or a.connection_id.state not in LIVE_STATUSES
                or not a.requester_id.active
            )
        )
        words = _lt("Its connection can no longer make requests.")
        return progress(
            expired=len(expired),
            cancelled=len(lost[: self._at_once]._drop(words)),
            more=len(due) == self._at_once or len(lost) > self._at_once,
        )

    @job(every=60, timeout=50)
    def _remind_approvals(self):
        """Remind those who may decide, once, when half of the time is over.

        :rtype: dict
        """
        self.env["doorman.approval"].flush_model()
        self.env.cr.execute(
            """
            UPDATE doorman_approval SET reminded = true
             WHERE state = 'pending' AND reminded IS NOT TRUE
               AND expires_at > now() at time zone 'utc'
               AND now() at time zone 'utc'
                   >= requested_at + (expires_at - requested_at) / 2
            RETURNING id
            """
        )
        ids = [row[0] for row in self.env.cr.fetchall()]
        due = self.env["doorman.approval"].sudo().browse(ids)
        due.invalidate_recordset(["reminded"])
        due._remind()
        return progress(reminded=len(due))
