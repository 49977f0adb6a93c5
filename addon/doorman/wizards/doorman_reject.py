from odoo import fields, models


class DoormanReject(models.TransientModel):
    """Asks for the reason of a rejection."""

    _name = "doorman.reject"
    _inherit = ["doorman.dialog.mixin"]
    _description = "Reject a request"
    _about = "approval_id"

    approval_id = fields.Many2one(
        "doorman.approval", required=True, readonly=True, ondelete="cascade"
    )
    summary = fields.Char(related="approval_id.summary_shown")
    reason = fields.Text(required=True)

    def action_reject(self):
        """Reject, for this reason.

        :raise AccessError: for anyone who is not asked
        """
        self.ensure_one()
        return self.approval_id.action_reject(self.reason)
