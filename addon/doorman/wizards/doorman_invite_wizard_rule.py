from odoo import fields, models


class DoormanInviteWizardRule(models.TransientModel):
    """A condition under which the calls of an invite's connections wait."""

    _name = "doorman.invite.wizard.rule"
    _description = "Create an invite: approval rule"

    wizard_id = fields.Many2one("doorman.invite.wizard", ondelete="cascade")
    risk = fields.Selection(
        [("low", "Low or higher"), ("medium", "Medium or higher"), ("high", "High")]
    )
    model_id = fields.Many2one("ir.model", ondelete="cascade")
    more_than = fields.Integer("More than (records)")
    reads = fields.Boolean("Reading too")
