from odoo import api, fields, models

from ..mixins.doorman_policy_sentence import WRITE_SCOPE


class DoormanConnection(models.Model):
    """Whether what strangers write could tell an AI tool to do something outside.

    A message, a lead or a file that comes from outside is data, but a model that reads
    it may take it for an instruction. That does harm where the same connection may act
    outside the company, and nobody looks at that before (docs/security.md).
    """

    _inherit = "doorman.connection"

    open_to_outside = fields.Boolean(compute="_compute_open_to_outside")

    @api.depends("approve_outward", "read_only", "scope_ids", "allowed_model_ids")
    def _compute_open_to_outside(self):
        for connection in self:
            acts = (
                WRITE_SCOPE in connection.scope_ids.mapped("code")
                and not connection.read_only
                and not connection.approve_outward
            )
            connection.open_to_outside = acts and connection._reads_strangers()

    def _reads_strangers(self):
        """Whether the policy opens a model whose records people outside write, or have
        their messages on."""
        if not self.models_restricted:
            return True
        threads = self.env.registry["mail.thread"]
        return any(
            name in ("ir.attachment", "mail.message")
            or issubclass(self.env.registry[name], threads)
            for name in self.sudo().allowed_model_ids.mapped("model")
            if name in self.env.registry
        )

    def action_approve_outward(self):
        """Let what leaves the company wait for a person, from now on.

        :raise AccessError: for users who may not change the policy
        """
        self.ensure_one()
        self.write({"approve_outward": True})
