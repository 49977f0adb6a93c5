from odoo import api, fields, models
from odoo.exceptions import ValidationError


class DoormanApprovalRule(models.Model):
    """One condition under which a call waits for a person, beyond the list of tools."""

    _name = "doorman.approval.rule"
    _inherit = "doorman.policy.line.mixin"
    _description = "Approval rule"
    _order = "id"
    _tells = "_approval_rules_changed"

    risk = fields.Selection(
        [("low", "Low or higher"), ("medium", "Medium or higher"), ("high", "High")],
        help="The risk of the tool, as the catalog rates it. Empty: any.",
    )
    model_id = fields.Many2one(
        "ir.model",
        ondelete="cascade",
        help="Only calls on this model. Empty: any.",
    )
    more_than = fields.Integer(
        "More than (records)",
        help="Only calls on more records than this, lines of a document included. "
        "0: every call.",
    )
    reads = fields.Boolean(
        "Reading too", help="Otherwise only calls that change something."
    )

    _owner = models.Constraint(
        "CHECK (num_nonnulls(connection_id, settings_id, invite_id) = 1)",
        "A rule belongs to one policy.",
    )

    @api.constrains("risk", "model_id", "more_than", "connection_id", "settings_id")
    def _check_condition(self):
        for rule in self:
            if rule.more_than < 0:
                raise ValidationError(
                    self.env._("An approval rule counts from 0 records.")
                )
            if not (rule.risk or rule.model_id or rule.more_than):
                raise ValidationError(
                    self.env._(
                        "An approval rule needs a condition: a risk, a model or a "
                        "number of records."
                    )
                )

    @api.depends("risk", "model_id", "more_than", "reads")
    def _compute_display_name(self):
        for rule in self:
            parts = []
            if rule.risk:
                parts.append(
                    dict(self._fields["risk"]._description_selection(self.env))[
                        rule.risk
                    ]
                )
            if rule.model_id:
                parts.append(rule.model_id.sudo().name)
            if rule.more_than:
                parts.append(self.env._("more than %s records", rule.more_than))
            if rule.reads:
                parts.append(self.env._("reading too"))
            rule.display_name = ", ".join(parts)

    def _copied(self):
        self.ensure_one()
        return {
            "risk": self.risk,
            "model_id": self.model_id.id,
            "more_than": self.more_than,
            "reads": self.reads,
        }

    def _wire(self):
        """As the service gets them."""
        return [
            {
                "risk": rule.risk or "",
                "model": rule.model_id.model or "",
                "more_than": rule.more_than,
                "reads": rule.reads,
            }
            for rule in self
        ]
