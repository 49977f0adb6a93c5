from odoo import api, fields, models


class BaseModuleUninstall(models.TransientModel):
    """Odoo's own dialog says which documents go; what is worth keeping of Doorman's is
    the audit."""

    _inherit = "base.module.uninstall"

    removes_doorman = fields.Boolean(compute="_compute_removes_doorman")

    @api.depends("module_ids")
    def _compute_removes_doorman(self):
        for wizard in self:
            wizard.removes_doorman = "doorman" in wizard._get_modules().mapped("name")

    def action_doorman_audit(self):
        """The audit, in a list from which it can be exported."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "doorman.doorman_audit_action"
        )
        return action | {"context": {}}  # all of it
