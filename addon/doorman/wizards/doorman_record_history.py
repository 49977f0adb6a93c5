from odoo import fields, models
from odoo.exceptions import UserError


class DoormanRecordHistory(models.TransientModel):
    """Asks for a record, and shows which AI tools saw or changed it."""

    _name = "doorman.record.history"
    _description = "Which AI tools saw a record"

    model_id = fields.Many2one(
        "ir.model",
        required=True,
        domain=[("transient", "=", False)],
        ondelete="cascade",
    )
    model = fields.Char(related="model_id.model")
    # A number, and no choice of names: who audits may not see the records themselves.
    res_id = fields.Integer(
        "Record (id)", help="The number at the end of the record's address in Odoo."
    )

    def action_show(self):
        """:return: the audit rows of calls that saw or changed the record"""
        self.ensure_one()
        self.env["doorman.audit"]._check_auditor()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._(
                "AI tools that saw %(model)s %(record)s",
                model=self.model_id.name,
                record=self.res_id,
            ),
            "res_model": "doorman.audit",
            "view_mode": "list,form",
            "views": [(False, "list"), (False, "form")],
            "domain": [("seen_text", "=", f"{self.model},{self.res_id}")],
        }

    def action_erase(self):
        """Erase what is kept of its contents: ``doorman.audit.api_erase``.

        :raise AccessError: for anyone but MCP administrators
        """
        self.ensure_one()
        if not self.res_id:
            raise UserError(self.env._("Enter the id of the record."))
        found = self.env["doorman.audit"].api_erase(self.model, self.res_id)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "Contents erased. Audit rows: %(rows)s. Approval requests: "
                    "%(approvals)s. Changes: %(changes)s.",
                    **found,
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }
