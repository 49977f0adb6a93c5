from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ...policy.refusal import _lt

GATING = {
    "approval_tool_ids",
    "approval_rule_ids",
    "approver_id",
    "approver_group_id",
    "two_approvers",
    "user_id",
}


class DoormanConnection(models.Model):
    """Who may decide on what a connection asks for, and what becomes of open requests
    when the connection changes."""

    _inherit = "doorman.connection"

    approval_rule_ids = fields.One2many(
        "doorman.approval.rule", "connection_id", string="Approval rules"
    )
    approval_ids = fields.One2many("doorman.approval", "connection_id", readonly=True)
    approval_count = fields.Integer("Approvals", compute="_compute_approval_counts")
    pending_approval_count = fields.Integer(
        "Waiting for approval", compute="_compute_approval_counts"
    )

    nobody_approves = fields.Boolean(compute="_compute_nobody_approves")

    def _compute_nobody_approves(self):
        """Whether what it requests waits for people who are no longer there."""
        for connection in self:
            # Also tools that are switched off now.
            gated = connection.with_context(active_test=False).approval_tool_ids
            gated = gated or connection.approval_rule_ids or connection.approve_outward
            least = 2 if connection.two_approvers else 1
            people = connection._approvers() if gated else ()
            connection.nobody_approves = bool(gated) and len(people) < least

    def _compute_approval_counts(self):
        totals = self.env["doorman.approval"]._read_group(
            [("connection_id", "in", self.ids)],
            ["connection_id", "state"],
            ["__count"],
        )
        for connection in self:
            mine = [(s, n) for c, s, n in totals if c == connection]
            connection.approval_count = sum(n for _s, n in mine)
            connection.pending_approval_count = sum(
                n for s, n in mine if s == "pending"
            )

    def action_open_approvals(self):
        """The requests of this connection."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "doorman.doorman_approval_action"
        )
        action["domain"] = [("connection_id", "=", self.id)]
        action["context"] = {}
        return action

    # ---- who decides ----

    @api.model
    def _self_approvers(self):
        """Administrators who may decide on their own requests, where the settings
        allow that."""
        if not self.env["doorman.settings"]._get().sudo().allow_self_approval:
            return self.env["res.users"]
        return self._members(self.env.ref("doorman.group_admin"))

    @api.model
    def _administrators(self):
        return self._members(self.env.ref("doorman.group_admin"))

    @api.model
    def _members(self, group):
        """:return: the active internal people of a group"""
        service = self.env["doorman.settings"]._service_user_id()
        users = (
            self.env["res.users"]
            .sudo()
            .search(
                [
                    ("all_group_ids", "in", group.ids),
                    ("share", "=", False),
                    ("id", "not in", [api.SUPERUSER_ID, service]),
                ]
            )
        )
        return users.with_env(self.env)

    @api.model
    def _approvers_for(self, approver, group, askers):
        """The people who may decide: the approver and the group that are named; if
        neither is, the MCP administrators of the requester's companies.

        :param askers: whose request it is. They are not among them, but for
            administrators where the settings say so.
        """
        people = approver.sudo().filtered(lambda u: u.active and u._is_internal())
        if group:
            people |= self._members(group)
        if not approver and not group:
            # All of their companies: which of them is the main one people choose for
            # themselves, and would choose who decides.
            companies = askers.sudo().company_ids
            people = self._members(self.env.ref("doorman.group_admin")).filtered(
                lambda u: companies & u.sudo().company_ids
            )
        return (people - (askers - self._self_approvers())).with_env(self.env)

    @api.constrains(*GATING)
    def _check_somebody_approves(self):
        for connection in self:
            # Also tools that are switched off now.
            gated = connection.with_context(active_test=False).approval_tool_ids
            if not gated and not connection.approval_rule_ids:
                continue
            people = connection._approvers()
            if connection.two_approvers and len(people) == 1:
                raise ValidationError(
                    self.env._(
                        "Two people have to approve what %(name)s requests, but only "
                        "%(who)s is allowed to. Choose an approver group.",
                        name=connection.name,
                        who=people.sudo().name,
                    )
                )
            if not people:
                raise ValidationError(
                    self.env._(
                        "Nobody could approve what %s requests, because nobody can "
                        "approve their own requests. Choose another approver, or a "
                        "group with somebody else in it.",
                        connection.name,
                    )
                )

    @api.model
    def _approver_for(self, approver, user):
        """The approver that a template names, for the connection of somebody.

        :return: none, if they cannot be one: it is their own, or they have left. Then
            the group decides that is named beside them, or the MCP administrators.
        """
        fit = approver.active and approver._is_internal() and approver != user
        return approver if fit else approver.browse()

    def _approvers(self):
        return self._approvers_for(
            self.approver_id, self.approver_group_id, self.user_id
        )

    # ---- what a change means for open requests ----

    def write(self, vals):
        res = super().write(vals)
        if {"approver_id", "approver_group_id"} & vals.keys():
            self.sudo()._pending_approvals()._retarget()
        if vals.get("active") is False:
            self._drop_requests(_lt("The connection was archived."))
        return res

    def unlink(self):
        self.check_access("unlink")
        self._drop_requests(_lt("The connection was deleted."))
        return super().unlink()

    def _transition(self, state, only_from):
        changed = super()._transition(state, only_from)
        if state in ("revoked", "expired"):
            revoked = _lt("The connection was revoked.")
            expired = _lt("The connection has expired.")
            changed._drop_requests(revoked if state == "revoked" else expired)
        return changed

    def _pending_approvals(self):
        return self.env["doorman.approval"].search(
            [("connection_id", "in", self.ids), ("state", "=", "pending")]
        )

    def _waiting_count(self):
        """How many requests of these connections wait, of those the caller may see."""
        return len(self._pending_approvals())

    def _drop_requests(self, reason):
        """Nobody needs to decide on what may no longer be done.

        :param reason: in words of ``_lt``
        """
        self.sudo()._pending_approvals()._drop(reason)

    def _approval_rules_changed(self):
        self._bump()
        for connection in self.exists():
            rules = connection.approval_rule_ids.mapped("display_name")
            connection.message_post(
                body=self.env._("Approval rules: %s.", "; ".join(rules) or "-")
            )

    def _has_key(self):
        """Whether a key of this connection is still good."""
        self.env.cr.execute(
            SQL(
                """
                SELECT 1 FROM doorman_connection_proof p
                  JOIN res_users_apikeys k ON k.id = p.api_key_id
                 WHERE p.connection_id = %s AND k.user_id = %s
                   AND (k.expiration_date IS NULL
                        OR k.expiration_date >= now() at time zone 'utc')
                """,
                self.id,
                self.user_id.id,
            )
        )
        return bool(self.env.cr.fetchone())

    def _lock(self):
        """Keep the connection as it is until this transaction ends: who revokes it
        waits, and who has just revoked it makes this one start anew."""
        self.env.cr.execute(
            SQL("SELECT id FROM doorman_connection WHERE id = %s FOR SHARE", self.id),
            log_exceptions=False,
        )
