import json
import time
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError

from ..models.approval.doorman_approval import MAX_PENDING
from ..models.connection.doorman_connection import LIVE_STATES
from ..policy import canonical_json, closed_models, gate
from ..policy.approval_states import PENDING
from ..policy.change_scope import writing
from ..policy.refusal import Refusal
from ..tools import custom_tool_text, registry
from ..tools.describe import plain, versions_of_call
from .change import SCOPES, TOOLS

# In characters: nobody reads more, and no page shows it well.
MAX_SHOWN = 256_000
# Of a request, what is done; the rest tells how, and by whom.
PAYLOAD = ("model", "method", "ids", "kwargs", "context")
# The tool of each method that reads, as the service's catalog names them.
READS = {
    "context": "get_context",
    "models": "list_models",
    "fields_get": "describe_model",
    "search_read": "search_records",
    "search_count": "search_records",
    "read": "read_records",
    "formatted_read_group": "aggregate_records",
    "read_messages": "read_messages",
    "get_actions": "get_actions",
    "get_attachment": "get_attachment",
    "get_report": "get_report",
    "search_everywhere": "search_everywhere",
    "run_sql": "run_sql",
}
# What these read besides the record: a rule for reading those models is for them too.
READS_OF = {"get_attachment": "ir.attachment", "read_messages": "mail.message"}
NOT_FOUND = "There is no such request for approval of this connection."


class DoormanGateway(models.AbstractModel):
    """Calls that wait for a person.

    request_approval ── the rules of a call ── tried out, and undone: what it would
                        do ── kept ── an activity for everyone who may decide
    approval_status ─── how it stands, and once it is done the answer of the call
    """

    _inherit = "doorman.gateway"

    @api.model
    def request_approval(self, fence, request):
        """Put a call before a person instead of running it. Asked for the same again
        while it waits, it is the same request.

        :param dict fence: as for ``call``
        :param dict request: as for ``call``, and ``arguments`` of the tool
        :return: ``{pending, registry}``; ``{value, registry}`` where the idempotency
            key stands for a call that is done; ``{stale}`` or ``{error}``
        """
        self._check_caller()
        started = time.monotonic()
        answer, audit = self._fenced(fence, request, self._ask, durable=True)
        self._leave_row(answer, audit, started)
        return answer

    @api.model
    def approval_status(self, fence, request_id, audit=None):
        """How a request of this connection stands.

        :param int request_id: as ``request_approval`` gave it
        :param dict audit: what the audit row says of this question
        :return: ``{approval, registry}``, ``{stale}`` or ``{error}``
        """
        self._check_caller()
        started = time.monotonic()

        def tell(_connection, row, _request, audit):
            approval = self._approval_of(row["id"], request_id)
            audit["approval_id"] = approval.id
            return {"approval": approval._status()}

        answer, row = self._fenced(fence, {"audit": audit}, tell)
        self._leave_row(answer, row, started)
        return answer

    # ---- whether a call waits ----

    def _gate(self, env, connection, row, request):
        """Whether a call waits for a person."""
        *_others, approval = connection._write_rule(row["version"])
        if not approval:
            return False
        writes = not registry.only_reads(request)
        if request.get("method") == "get_report" and any(
            rule["reads"] and rule["model"] for rule in approval["rules"]
        ):
            # A paper shows what it likes, also of a model that waits when it is read.
            return True
        tool = self._tool_of(request)
        name = request.get("model") or ""
        count = gate.records_of(env[name], request) if name in env else 0
        facts = self.env["doorman.tool"]._facts()
        parts = self._parts(env, request) if writes else {(tool, name)}
        if request.get("method") in READS_OF:
            parts.add((tool, READS_OF[request["method"]]))
        return any(
            gate.needs_approval(
                approval, tool, facts.get(tool, (True, ""))[1], writes, model, count
            )
            for tool, model in parts
        )

    @staticmethod
    def _tool_of(request):
        """The tool that a request is of, by what it does, not by what it says."""
        method = request.get("method")
        own = custom_tool_text.name_of(request)
        return own or TOOLS.get(method) or READS.get(method) or "?"

    def _check_may_read(self, connection, row, request):
        """For what is read long after it was decided: as ``_check_may_write``."""
        tool = self._tool_of(request)
        _read_only, scopes, tools, _approval = connection._write_rule(row["version"])
        active, _risk, scope = (
            self.env["doorman.tool"]._facts().get(tool, (True, "", ""))
        )
        scope = SCOPES.get(tool, scope)
        scope_of = self.env["doorman.scope"]._codes_by_group()
        user = self.env["res.users"].browse(row["user_id"])
        granted = {scope_of[g] for g in user._get_group_ids() if g in scope_of}
        if scope and scope not in granted & self._within_token(row, scopes):
            raise Refusal(
                "not_allowed", f"This connection does not have the scope {scope}."
            )
        if not active or (tools is not None and tool not in tools):
            raise Refusal("not_allowed", f"This connection may not use {tool}.")

    def _check_gate(self, guard, connection, row, request):
        # To be tried out, to be shown to the person who decides, it needs no approval.
        if not guard.dry_run and self._gate(guard.env, connection, row, request):
            raise Refusal(
                "pending_approval",
                "This needs the approval of a person, and nobody was asked yet.",
            )

    # ---- asking ----

    def _ask(self, connection, row, request, audit):
        call = {name: request.get(name) for name in PAYLOAD}
        call["kwargs"] = call["kwargs"] or {}
        # What has no effect must neither be shown nor make equal requests differ.
        given = call["context"] if isinstance(call["context"], dict) else {}
        call["context"] = {
            k: v for k, v in given.items() if k in closed_models.CONTEXT_KEYS
        }
        call["ids"] = self._ids_of(call)
        try:
            digest = canonical_json.of_request(call)
        except (ValueError, RecursionError) as exc:
            raise Refusal("invalid_input", "The arguments are no JSON.") from exc
        guard = self._guard(connection, row, request)
        if guard.dry_run:
            raise Refusal("invalid_input", "To try it out needs nobody's approval.")
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
            vals = self._approval_values(connection, row, request, call, audit)
            # Only now: what is before the trial is undone with it.
            over._expire()
            approval = self._make_approval(vals)
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

    @staticmethod
    def _ids_of(call):
        """The ids of a call, as everything that comes after relies on: None or ids."""
        ids = call["ids"] or None
        if ids is not None and not (
            isinstance(ids, list) and all(type(i) is int and i > 0 for i in ids)
        ):
            raise Refusal("invalid_input", "The ids are a list of numbers.")
        if ids and call["method"] == "create":
            raise Refusal("invalid_input", "What is created has no ids yet.")
        return ids

    def _approval_values(self, connection, row, request, call, audit):
        connection = connection.sudo()
        approvals = self.env["doorman.approval"].sudo()
        waiting = approvals.search_count(
            [("connection_id", "=", connection.id), ("state", "=", PENDING)],
            limit=MAX_PENDING,
        )
        if waiting >= MAX_PENDING:
            raise Refusal(
                "rate_limited",
                f"{MAX_PENDING} requests of this connection wait for a person already.",
                "Wait until some of them are decided.",
            )
        if not connection._approvers():
            raise Refusal(
                "not_allowed",
                "This needs the approval of a person, and nobody may give it.",
                "Tell an MCP administrator to name an approver for this connection.",
            )
        arguments = json.dumps(request.get("arguments") or {})
        if max(len(arguments), len(canonical_json.text(call))) > MAX_SHOWN:
            raise Refusal(
                "too_large",
                "This is too long for a person to read.",
                "Ask for less at a time.",
            )
        described = self._describe(connection, row, call)
        tool = self._tool_of(call)
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
            "risk": self._risk_of(tool, call),
            "payload": canonical_json.text(call),
            "digest": canonical_json.of_request(call),
            "arguments": arguments,
            "idempotency_key": request.get("idempotency_key"),
            "requested_at": now,
            "expires_at": now + timedelta(hours=hours),
        }

    def _risk_of(self, tool, call):
        """The risk of a tool, or of what its commands do besides, if that is higher."""
        facts = self.env["doorman.tool"]._facts()
        tools = {tool} | {part for part, _model in self._parts(self.env, call)}
        risks = {facts.get(name, (True, ""))[1] for name in tools}
        return max(risks & set(gate.RISKS), key=gate.RISKS.index, default=False)

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

    def _describe(self, connection, row, call):
        """Try a call out, and undo it.

        :return: what is shown of it, as values of ``doorman.approval``
        :raise Exception: if it could not be done at all
        """
        if not registry.only_reads(call):
            self._check_may_write(connection, row, call)
        elif call["method"] in registry.CODE:
            self._check_may_read(connection, row, call)
        guard = self._guard(connection, row, call | {"dry_run": True})
        guard.model(call["model"]) if call["model"] else None
        approvals = self.env["doorman.approval"].sudo()
        reader = connection.sudo()._approvers()[:1]
        approvals = approvals.with_context(lang=reader.lang or "en_US")
        before = {}
        if call["model"] and not registry.only_reads(call):
            before = versions_of_call(guard.env, call)
        # Lines of a document are tried out with the rights of the same user.
        with writing(guard.env, True):
            found = approvals._preview(guard, call)
        self._undo()
        return found | {"versions": before}

    # ---- telling ----

    def _approval_of(self, connection_id, request_id):
        approval = self.env["doorman.approval"].sudo().browse()
        if type(request_id) is int and 0 < request_id < 2**31:
            approval = approval.search(
                [("id", "=", request_id), ("connection_id", "=", connection_id)]
            )
        if not approval:
            raise Refusal(
                "not_found", NOT_FOUND, "Take the request_id of the pending answer."
            )
        return approval

    # ---- jobs ----

    @api.model
    def expire_approvals(self):
        """End the requests that nobody decided on in time, and those whose connection
        may no longer ask. Approving looks at the clock itself.

        :rtype: dict
        """
        self._check_caller()
        if not self._alone("doorman.expire_approvals"):
            return {"expired": 0, "cancelled": 0}
        approvals = self.env["doorman.approval"].sudo()
        due = approvals.search(
            [("state", "=", PENDING), ("expires_at", "<=", fields.Datetime.now())]
        )
        expired = due._one_by_one(lambda request: request._expire())
        waiting = approvals.search([("state", "=", PENDING)])
        lost = waiting.filtered(
            lambda a: (
                not a.connection_id
                or not a.connection_id.active
                or a.connection_id.state not in LIVE_STATES
                or not a.requester_id.active
            )
        )
        words = self.env._("Its connection may not ask any more.")
        return {"expired": len(expired), "cancelled": len(lost._drop(words))}

    @api.model
    def remind_approvals(self):
        """Remind who may decide, once, when half of the time is over.

        :rtype: dict
        """
        self._check_caller()
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
        return {"reminded": len(due)}
