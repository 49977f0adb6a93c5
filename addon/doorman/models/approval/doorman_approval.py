import json

from psycopg2.extras import Json

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ...policy import approval_states, change_scope
from ...policy.approval_states import PENDING
from ...policy.protected_fields import CONTEXT_KEY, SENTINEL
from ...policy.refusal import _lt, in_language, kept_words

MAX_REASON = 1_000


class DoormanApproval(models.Model):
    """A call that waits for a person: what would be done, who asks, who decides.

    Nobody writes one. It is made by the gateway, and each of its ends is one method
    here with one conditional UPDATE:

    action_approve ── executed, failed      action_reject ── rejected
    expire_approvals (job) ── expired       action_cancel, a revoked connection ──
                                            cancelled
    """

    _name = "doorman.approval"
    _inherit = [
        "doorman.protected.mixin",
        "doorman.thread.mixin",
        "mail.activity.mixin",
        "doorman.undo.mixin",
    ]
    _description = "MCP approval"
    _order = "id desc"
    _rec_name = "summary"

    # In the first approver's language; and in English, as the AI tool gets it.
    summary = fields.Char("What it would do", required=True, readonly=True)
    summary_told = fields.Char("What it would do (English)", readonly=True)
    state = fields.Selection(
        [
            ("pending", "Pending"),
            ("executed", "Executed"),
            ("failed", "Failed"),
            ("rejected", "Rejected"),
            ("expired", "Expired"),
            ("cancelled", "Cancelled"),
        ],
        string="Status",
        default=PENDING,
        required=True,
        readonly=True,
        index=True,
    )
    connection_id = fields.Many2one("doorman.connection", readonly=True, index=True)
    connection_name = fields.Char("Connection (name)", readonly=True)
    requester_id = fields.Many2one(
        "res.users",
        string="Requested by",
        readonly=True,
        index=True,
        help="The user in whose name, and with whose rights, it would be done.",
    )
    client = fields.Char("AI tool", readonly=True, help="The name it gives itself.")
    approver_id = fields.Many2one("res.users", readonly=True, index=True)
    approver_group_id = fields.Many2one("res.groups", "Approver group", readonly=True)
    tool = fields.Char(required=True, readonly=True)
    risk = fields.Selection(
        [("low", "Low"), ("medium", "Medium"), ("high", "High")], readonly=True
    )
    model = fields.Char("Model (technical)", readonly=True)
    model_label = fields.Char("Model", readonly=True)
    orm_method = fields.Char("Method", readonly=True)
    record_count = fields.Integer("Records", readonly=True)
    # What will be run: model, method, ids, kwargs and context, in canonical form.
    payload = fields.Text(readonly=True, prefetch=False)
    digest = fields.Char("SHA-256", readonly=True)
    # What the AI tool sent, for the answer that it gets once it is done.
    arguments = fields.Text(readonly=True, prefetch=False)
    idempotency_key = fields.Char(readonly=True)
    # Before and after, as texts; and which versions of the records that was: with names
    # that who reads the request need not see.
    preview = fields.Json(readonly=True, prefetch=False)
    # Summary, model_label and preview for the others who read it: language -> values.
    in_languages = fields.Json(readonly=True, prefetch=False)
    versions = fields.Json(readonly=True, prefetch=False, groups=fields.NO_ACCESS)
    revision = fields.Integer(
        readonly=True,
        default=1,
        help="Increases when records have changed and it has to be reviewed again.",
    )
    requested_at = fields.Datetime(
        "Requested on", readonly=True, default=fields.Datetime.now
    )
    expires_at = fields.Datetime("Expires on", required=True, readonly=True)
    reminded = fields.Boolean(readonly=True)
    decided_by_id = fields.Many2one("res.users", string="Decided by", readonly=True)
    decided_at = fields.Datetime("Decided on", readonly=True)
    hours_to_decide = fields.Float(readonly=True, aggregator="avg")
    self_approved = fields.Boolean("Approved by the requester", readonly=True)
    reason = fields.Text(readonly=True)
    result = fields.Text(readonly=True, prefetch=False)
    # Of the connection, when the result was kept: under another one it is not told.
    policy_version = fields.Integer(readonly=True)
    error_kind = fields.Char(readonly=True)
    error_message = fields.Char("Why it failed", readonly=True)
    error_hint = fields.Char(readonly=True)
    can_decide = fields.Boolean(compute="_compute_can_decide")
    is_admin = fields.Boolean(compute="_compute_can_decide")
    waits_for_me = fields.Boolean(
        "Waiting for me", compute="_compute_can_decide", search="_search_waits_for_me"
    )

    _protected_fields = frozenset(
        {
            *("summary_told", "in_languages"),
            *("summary", "state", "connection_id", "connection_name", "requester_id"),
            *("client", "approver_id", "approver_group_id", "tool", "risk", "model"),
            *("model_label", "orm_method", "record_count", "payload", "digest"),
            *("arguments", "idempotency_key", "preview", "versions", "revision"),
            *("requested_at", "expires_at", "reminded", "decided_by_id", "decided_at"),
            *("hours_to_decide", "self_approved", "reason", "result", "error_kind"),
            *("error_message", "error_hint", "error_code", "error_words"),
            "reason_words",
            *("policy_version", "first_approver_id", "first_approved_at"),
            "change_id",
        }
    )

    # Of two equal requests at the same instant, one is made.
    _one_pending = models.UniqueIndex("(connection_id, digest) WHERE state = 'pending'")

    @api.ondelete(at_uninstall=False)
    def _refuse_unlink(self):
        # The retention job alone removes them.
        if self.env.context.get(CONTEXT_KEY) is not SENTINEL:
            raise AccessError(self.env._("Approval requests cannot be deleted."))

    # ---- who decides ----

    @api.model
    def _check_inside(self):
        """No AI tool decides, whatever method of Odoo's it got to call, and whoever
        its user is."""
        if change_scope.is_inside(self.env.cr):
            raise AccessError(self.env._("People decide in Odoo; AI tools cannot."))

    def _deciders(self):
        """The people who may decide on this request, by now."""
        self.ensure_one()
        return self.env["doorman.connection"]._approvers_for(*self._whom())

    def _whom(self):
        """:return: the approver and the group that are asked, and whose request it is:
        what ``_deciders`` depends on
        """
        request = self.sudo()
        return request.approver_id, request.approver_group_id, request._askers()

    def _askers(self):
        """Whose request it is: nobody decides on their own."""
        return self.sudo().requester_id | self.sudo().connection_id.user_id

    @api.depends(
        *("state", "approver_id", "approver_group_id", "requester_id"),
        "first_approver_id",
    )
    @api.depends_context("uid")
    def _compute_can_decide(self):
        me = self.env.user
        admin = me.has_group("doorman.group_admin")
        asked = {}  # a list has many that the same people decide on
        for request in self:
            whom = request._whom()
            if whom not in asked:
                asked[whom] = me in request._deciders()
            mine = asked[whom]
            request.is_admin = admin
            mine = mine and request.sudo().first_approver_id != me
            request.can_decide = request.state == PENDING and mine
            request.waits_for_me = request.can_decide

    def _search_waits_for_me(self, operator, value):
        if operator not in ("in", "=") or value in (False, [False]):
            return NotImplemented
        pending = self.search([("state", "=", PENDING)])
        return [("id", "in", pending.filtered("waits_for_me").ids)]

    def _check_may_decide(self):
        """Public methods can be called by anyone with any ids.

        :raise AccessError: for anyone who is not asked, the requester above all
        """
        self._check_inside()
        self.check_access("read")
        me = self.env.user
        if me in self._askers() and not self._may_approve_own(me):
            raise AccessError(
                self.env._("You cannot decide on a request made in your own name.")
            )
        if me not in self._deciders():
            raise AccessError(
                self.env._(
                    "This request is waiting for %s, not for you.",
                    self._approver_name(),
                )
            )

    def _may_approve_own(self, user):
        return user in self.env["doorman.connection"]._self_approvers()

    def _approver_name(self):
        request = self.sudo()
        approver = request.approver_id or request.approver_group_id
        return approver.display_name or self.env._("an MCP administrator")

    # ---- ends ----

    def _end(self, event, **vals):
        """One conditional UPDATE: of all who end a request at once, one does.

        :param str event: of the table of states
        :param vals: what else is noted with it, by column
        :return: the requests that ended
        """
        starts, end = approval_states.sources(event)
        self.flush_recordset()
        columns = SQL("").join(
            SQL(", %s = %s", SQL.identifier(name), value)
            for name, value in vals.items()
        )
        self.env.cr.execute(
            SQL(
                """
                UPDATE doorman_approval SET state = %s,
                       decided_at = clock_timestamp() at time zone 'utc',
                       hours_to_decide = EXTRACT(epoch FROM
                           clock_timestamp() at time zone 'utc' - requested_at) / 3600,
                       write_date = now() at time zone 'utc', write_uid = %s %s
                 WHERE id = ANY(%s) AND state = ANY(%s) RETURNING id
                """,
                end,
                self.env.uid,
                columns,
                self.ids,
                starts,
            ),
            log_exceptions=False,  # who loses the race is run again by Odoo
        )
        ended = self.browse([row[0] for row in self.env.cr.fetchall()])
        self.invalidate_recordset()
        ended.sudo()._close_activities()
        return ended

    def _note(self, event, outcome, reason, message):
        """The audit row of a request that ended, and a note in its chatter.

        :param message: in words of ``_lt``: each reader of the audit gets their own
        """
        for request in self.sudo():
            user = request.requester_id
            request.env["doorman.audit"]._insert(
                {
                    "connection_id": request.connection_id.id or None,
                    "connection_name": request.connection_name,
                    "connection_type": request.connection_id.auth_type or None,
                    "user_id": user.id or None,
                    "user_login": user.login or None,
                    "company_id": user.company_id.id or None,
                    "client": request.client,
                    "method": f"approval/{event}",
                    "tool": request.tool,
                    "model": request.model,
                    "orm_method": request.orm_method,
                    "record_ids": request._result_ids(),
                    "outcome": outcome,
                    "reason": reason,
                    "message": message,
                    "approval_id": request.id,
                    "change_id": request.change_id or None,
                    "count": 1,
                }
            )
            request._inside().message_post(
                body=in_language(message, self.env.lang or "en_US")
            )

    def _result_ids(self):
        """The records that it was about, for the audit."""
        asked = json.loads(self.payload)["ids"] if self.payload else None
        done = json.loads(self.result) if self.result else None
        ids = asked or (done.get("ids") if isinstance(done, dict) else None)
        return ",".join(map(str, ids)) if isinstance(ids, list) else ""

    def action_reject(self, reason=""):
        """Say no. The AI tool gets the reason.

        :param str reason: in plain words, at most 1,000 letters
        :raise AccessError: for anyone who is not asked
        :raise UserError: without a reason, or if it does not wait any more
        """
        self.ensure_one()
        self._check_may_decide()
        reason = reason.strip() if isinstance(reason, str) else ""
        if not reason:
            raise UserError(
                self.env._("Enter a reason, so that the AI tool knows why.")
            )
        if len(reason) > MAX_REASON:
            raise UserError(
                self.env._("The reason is longer than %s characters.", MAX_REASON)
            )
        me = self.env.user
        if not self._end("reject", decided_by_id=me.id, reason=reason):
            raise UserError(self._why_over())
        words = _lt("Rejected by %(who)s: %(why)s", who=me.name, why=reason)
        self._note("reject", "refused", "rejected", words)
        return self._tell(self.env._("Rejected"), self.sudo().summary_shown, "info")

    def action_open_reject(self):
        """The dialog that asks for the reason."""
        self.ensure_one()
        self._check_may_decide()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "doorman.doorman_reject_action"
        )
        return action | {"context": {"default_approval_id": self.id}}

    def action_cancel(self):
        """Withdraw requests: their requester, or an MCP administrator.

        :raise AccessError: for anyone else
        :raise UserError: if one does not wait any more
        """
        self._check_inside()
        self.check_access("read")
        me = self.env.user
        if not (
            me.has_group("doorman.group_admin")
            or all(me == request.requester_id for request in self)
        ):
            raise AccessError(
                self.env._(
                    "Only the requester or an MCP administrator can withdraw it."
                )
            )
        for request in self:
            words = _lt("Withdrawn by %s.", me.name)
            if not request.sudo()._cancel(words):
                raise UserError(request._why_over())
        return True

    def _cancel(self, reason):
        """:param reason: in words of ``_lt``
        :return: those of these requests that still waited
        """
        kept = Json(kept_words(reason))
        ended = self._end("cancel", reason=in_language(reason), reason_words=kept)
        ended._note("cancel", "refused", "cancelled", reason)
        return ended

    def _why_over(self):
        """Why it cannot be decided any more, read past the caches."""
        self.invalidate_recordset()
        request = self.sudo()
        if request.state == PENDING:
            return self.env._("This request has expired. Nothing was done.")
        who = request.decided_by_id.name
        states = dict(self._fields["state"]._description_selection(self.env))
        if who:
            return self.env._(
                "%(who)s has already decided: %(state)s.",
                who=who,
                state=states[request.state],
            )
        return self.env._(
            "This request is no longer pending: %s.", states[request.state]
        )

    def _tell(self, title, message, kind):
        """An action that tells the person what was done, and shows it anew."""
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": title,
                "message": message or "",
                "type": kind,
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
