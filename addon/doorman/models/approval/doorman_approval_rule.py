from odoo import api, models
from odoo.exceptions import ValidationError

from ..mixins.doorman_approval_rule_mixin import CONDITIONS


class DoormanApprovalRule(models.Model):
    """One condition under which a call waits for a person, beyond the list of tools."""

    _name = "doorman.approval.rule"
    _inherit = ["doorman.approval.rule.mixin", "doorman.policy.line.mixin"]
    _description = "Approval rule"
    _order = "id"
    _tells = "_approval_rules_changed"

    _owner = models.Constraint(
        "CHECK (num_nonnulls(connection_id, settings_id, invite_id) = 1)",
        "A rule belongs to one policy.",
    )

    @api.constrains(*CONDITIONS, "connection_id", "settings_id")
    def _check_condition(self):
        for rule in self:
            if rule.more_than < 0:
                raise ValidationError(
                    self.env._(
                        "The number of records in an approval rule must be 0 or more."
                    )
                )
            if not (rule.risk or rule.model_id or rule.tool_id or rule.more_than):
                raise ValidationError(
                    self.env._(
                        "An approval rule needs a condition: a risk, a model, a tool "
                        "or a number of records."
                    )
                )
            if rule.per_day and (rule.reads or not rule.more_than):
                raise ValidationError(
                    self.env._(
                        "A rule that counts per day needs a number of records, and "
                        "only counts changes: reading is limited by the rate limits."
                    )
                )

    @api.depends(*CONDITIONS)
    @api.depends_context("lang")
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
            if rule.tool_id:
                parts.append(rule.tool_id.sudo().name)
            if rule.more_than and rule.per_day:
                parts.append(self.env._("records a day: more than %s", rule.more_than))
            elif rule.more_than:
                parts.append(self.env._("records: more than %s", rule.more_than))
            if rule.reads:
                parts.append(self.env._("including reads"))
            rule.display_name = ", ".join(parts)

    def _wire(self):
        """As the service gets them."""
        return [
            {
                "risk": rule.risk or "",
                "model": rule.model_id.model or "",
                "tool": rule.tool_id.name or "",
                "more_than": rule.more_than,
                "per_day": rule.per_day,
                "reads": rule.reads,
            }
            for rule in self
        ]
