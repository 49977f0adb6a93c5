from odoo import fields, models

# What one line says, by the name that the service knows it by.
CONDITIONS = ("risk", "model_id", "tool_id", "more_than", "per_day", "reads")


class DoormanApprovalRuleMixin(models.AbstractModel):
    """One condition under which a call waits for a person, wherever it is written
    down: in a policy, or in the wizard that makes an invite."""

    _name = "doorman.approval.rule.mixin"
    _description = "Approval rule"

    risk = fields.Selection(
        [("low", "Low or higher"), ("medium", "Medium or higher"), ("high", "High")],
        help="The risk of the tool, as the catalog rates it. Empty: any.",
    )
    model_id = fields.Many2one(
        "ir.model",
        ondelete="cascade",
        help="Only calls on this model. Empty: any.",
    )
    tool_id = fields.Many2one(
        "doorman.tool",
        ondelete="cascade",
        help="Only calls of this tool. Empty: any.",
    )
    more_than = fields.Integer(
        "More than (records)",
        help="Only calls on more records than this, lines of a document included. "
        "0: every call.",
    )
    per_day = fields.Boolean(
        "Per day",
        help="Counts what the connection has changed within 24 hours, in all its "
        "calls, except what a person has approved.",
    )
    reads = fields.Boolean(
        "Include reads", help="Otherwise only calls that change something."
    )

    def _copied(self):
        """:return: the same conditions, as values for another line"""
        self.ensure_one()
        return {
            name: self[name].id if name.endswith("_id") else self[name]
            for name in CONDITIONS
        }
