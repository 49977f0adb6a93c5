from odoo import fields, models


class DoormanInviteWizardModelRule(models.TransientModel):
    """A rule for a model, in an invite that is being made."""

    _name = "doorman.invite.wizard.model.rule"
    _inherit = "doorman.model.rule.mixin"
    _description = "Rule for a model, of a new invite"

    wizard_id = fields.Many2one("doorman.invite.wizard", ondelete="cascade")
    masked_field_ids = fields.Many2many(relation="doorman_invite_wizard_masked_rel")
