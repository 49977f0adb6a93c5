from odoo import api, fields, models
from odoo.exceptions import ValidationError


class DoormanModelRule(models.Model):
    """A rule for a model, as a line of a policy."""

    _name = "doorman.model.rule"
    _inherit = ["doorman.policy.line.mixin", "doorman.model.rule.mixin"]
    _description = "Rule for a model"
    _order = "id"
    _tells = "_model_rules_changed"

    # A table of its own: both lists are of fields.
    masked_field_ids = fields.Many2many(relation="doorman_model_rule_masked_rel")

    _owner = models.Constraint(
        "CHECK (num_nonnulls(connection_id, settings_id, invite_id) = 1)",
        "A rule belongs to one policy.",
    )

    @api.constrains("model_id", "connection_id", "settings_id", "invite_id")
    def _check_once(self):
        for rule in self.sudo():
            owner = rule.connection_id or rule.settings_id or rule.invite_id
            same = owner.model_rule_ids.filtered(
                lambda r, rule=rule: r.model_id == rule.model_id
            )
            if len(same) > 1:
                raise ValidationError(
                    self.env._(
                        "There are two rules for the same model: %s.", rule._called()
                    )
                )
