from odoo import fields, models

from ..policy.credentials import SERVICE_OVERLAP_MINUTES


class DoormanRotateServiceKey(models.TransientModel):
    """Asks how long the service's old key goes on working, and makes the new one.

    Who may do it is decided by the method of the settings, not here.
    """

    _name = "doorman.rotate.service.key"
    _description = "Rotate the service's key"

    overlap_minutes = fields.Integer(
        "Overlap (minutes)", default=SERVICE_OVERLAP_MINUTES
    )

    def action_rotate(self):
        """Make the new key.

        :return: the dialog that shows it, once
        :raise AccessError: for anyone but MCP administrators
        :raise UserError: if the overlap is longer than a day
        """
        self.ensure_one()
        settings = self.env["doorman.settings"]
        return settings._new_service_key_dialog(self.overlap_minutes)
