from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY


class DoormanApproveMany(models.TransientModel):
    """Asks whether to approve several requests of low risk, which it lists.

    Each request is checked again when it is approved, however it got in here.
    """

    _name = "doorman.approve.many"
    _inherit = ["doorman.many.mixin"]
    _description = "Approve several requests"

    approval_ids = fields.Many2many("doorman.approval", readonly=True)
    revisions = fields.Json(readonly=True)
    left = fields.Integer("To be opened one by one", readonly=True)
    count = fields.Integer("Requests", compute="_compute_shown")
    summaries = fields.Html(compute="_compute_shown", sanitize=False)

    @api.depends("approval_ids")
    def _compute_shown(self):
        for dialog in self:
            dialog.count = len(dialog.approval_ids)
            dialog.summaries = dialog.approval_ids._summaries()

    def action_approve(self):
        """Approve those that are still as they were shown, each by itself.

        :raise AccessError: for anyone who is not asked
        :return: an action that tells how many were
        """
        self.ensure_one()
        done = self.env["doorman.approval"]
        for request in self.approval_ids.sorted("id"):
            shown = (self.revisions or {}).get(str(request.id))
            if self._approve(request, shown):
                done |= request
        request = self.approval_ids
        title = self.env._("Approved and carried out: %s", len(done))
        if done == request:
            return request._tell(title, "", "success")
        return request._tell(
            title,
            self.env._("Not done: %s. Open these one by one.", len(request - done)),
            "warning",
        )

    def _approve(self, request, shown):
        """:return: whether it was carried out"""
        request._check_may_decide()
        try:
            with self.env.cr.savepoint():
                if not request._is_harmless():
                    return False
                request.with_context(doorman_revision=shown or 0).action_approve()
        except (ConcurrencyError, *PG_CONCURRENCY_EXCEPTIONS_TO_RETRY):
            raise
        except UserError:
            return False
        return request.state == "executed"
