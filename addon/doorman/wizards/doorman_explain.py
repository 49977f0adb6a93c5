from odoo import fields, models


class DoormanExplain(models.TransientModel):
    """Says what a connection may do, and what decides it."""

    _name = "doorman.explain"
    _inherit = ["doorman.dialog.mixin"]
    _description = "Explain what a connection can do"
    _about = "connection_id"

    connection_id = fields.Many2one(
        "doorman.connection", required=True, readonly=True, ondelete="cascade"
    )
    tool_id = fields.Many2one("doorman.tool", required=True, ondelete="cascade")
    model_id = fields.Many2one(
        "ir.model", domain=[("transient", "=", False)], ondelete="cascade"
    )
    model = fields.Char(related="model_id.model")
    res_id = fields.Many2oneReference("Record", model_field="model")
    outcome = fields.Selection(
        [
            ("may", "Allowed"),
            ("waits", "Waiting for approval"),
            ("refused", "Refused"),
        ],
        readonly=True,
    )
    answer = fields.Html(readonly=True, sanitize=False)

    def action_explain(self):
        """Look, and show what came of it.

        :raise AccessError: for anyone but MCP administrators
        """
        self.ensure_one()
        found = self.connection_id.explain(
            self.tool_id.name,
            self.model or "",
            [self.res_id] if self.model and self.res_id else [],
        )
        names = self._step_names()
        rows = [step | {"name": names[step["step"]]} for step in found["steps"]]
        self.write(
            {
                "outcome": found["outcome"],
                "answer": self.env["ir.qweb"]._render(
                    "doorman.explain_steps", {"steps": rows}, minimal_qcontext=True
                ),
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Explain Access"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
        }

    def _step_names(self):
        """:return: what each step looks at, in the caller's language"""
        return {
            "sign_in": self.env._("Key or login"),
            "tool": self.env._("Tool"),
            "policy": self.env._("Policy: scopes, tools, read-only"),
            "companies": self.env._("Companies"),
            "model": self.env._("Policy: models and rules"),
            "rights": self.env._("The user's rights in Odoo"),
            "approval": self.env._("Approval"),
        }
