from odoo import api, fields, models
from odoo.exceptions import UserError

from ..policy.credentials import MAX_OVERLAP_MINUTES


class DoormanRotateKey(models.TransientModel):
    """Asks how long the old key goes on working, and makes the new one.

    Who may do it is decided by the connection's method, not here.
    """

    _name = "doorman.rotate.key"
    _inherit = ["doorman.dialog.mixin"]
    _description = "Rotate the key of a connection"
    _about = "connection_id"

    connection_id = fields.Many2one(
        "doorman.connection", required=True, readonly=True, ondelete="cascade"
    )
    overlap_minutes = fields.Integer("Overlap (minutes)", default=0)
    key_days = fields.Integer(
        "Key works for (days)",
        compute="_compute_key_days",
        store=True,
        readonly=False,
    )
    key_days_max = fields.Integer(compute="_compute_key_days_max")
    waiting = fields.Integer("Pending requests", compute="_compute_waiting")
    # Why the caller would not be shown the key.
    refusal = fields.Char(compute="_compute_refusal")

    @api.depends("connection_id")
    def _compute_refusal(self):
        for wizard in self:
            connection = wizard.connection_id
            wizard.refusal = connection and connection._why_not_see_key()

    @api.depends("connection_id")
    def _compute_waiting(self):
        for wizard in self:
            wizard.waiting = wizard.connection_id._waiting_count()

    def _compute_key_days_max(self):
        self.key_days_max = self.env["doorman.settings"]._key_days()

    @api.depends("connection_id")
    def _compute_key_days(self):
        for wizard in self:
            wizard.key_days = wizard.key_days_max

    @api.constrains("overlap_minutes")
    def _check_overlap(self):
        for wizard in self:
            if not 0 <= wizard.overlap_minutes <= MAX_OVERLAP_MINUTES:
                raise UserError(
                    self.env._(
                        "The overlap must be from 0 to %s minutes (one week).",
                        MAX_OVERLAP_MINUTES,
                    )
                )

    def action_rotate(self):
        """Make the new key.

        :return: the dialog that shows it, once
        :raise AccessError: for anyone but the user and MCP administrators, and where
            the caller may not see this user's key
        """
        self.ensure_one()
        return self.connection_id.action_rotate_key(self.overlap_minutes, self.key_days)
