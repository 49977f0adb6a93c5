from odoo import fields, models


class DoormanKeyShow(models.AbstractModel):
    """Shows a key once. Nothing is stored: the key lives in the dialog only, as in
    Odoo's own ``res.users.apikeys.show``."""

    _name = "doorman.key.show"
    _description = "Show a new key"

    # 'id' is needed by the onchange that fills the dialog.
    id = fields.Id()
    key = fields.Char(readonly=True)
    connection = fields.Char(readonly=True)
