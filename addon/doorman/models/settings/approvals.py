"""What the default policy and the whole server say about approvals."""

from odoo import fields, models


class DoormanSettings(models.Model):
    _inherit = "doorman.settings"

    approval_rule_ids = fields.One2many(
        "doorman.approval.rule", "settings_id", string="Approval rules"
    )
    model_rule_ids = fields.One2many(
        "doorman.model.rule", "settings_id", string="Rules per model"
    )
    allow_self_approval = fields.Boolean(
        "Administrators can approve their own requests",
        tracking=True,
        help="Otherwise, nobody can approve a request made in their own name. Each "
        "time it is done, the audit and the request say so.",
    )
    pending_approval_count = fields.Integer(
        "Waiting for approval", compute="_compute_pending_approvals"
    )

    def _compute_pending_approvals(self):
        count = self.env["doorman.approval"].search_count([("state", "=", "pending")])
        self.pending_approval_count = count

    def _approval_rules_changed(self):
        self._bump()

    def _model_rules_changed(self):
        self._bump()
