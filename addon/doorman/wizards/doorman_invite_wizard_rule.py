from odoo import fields, models


class DoormanInviteWizardRule(models.TransientModel):
    """A condition under which the calls of an invite's connections wait."""

    _name = "doorman.invite.wizard.rule"
    _inherit = "doorman.approval.rule.mixin"
    _description = "Create an invite: approval rule"

    wizard_id = fields.Many2one("doorman.invite.wizard", ondelete="cascade")
