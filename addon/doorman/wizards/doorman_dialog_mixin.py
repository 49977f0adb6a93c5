from odoo import api, models


class DoormanDialogMixin(models.AbstractModel):
    """A dialog about a record. Odoo shows the name of a related record also to who may
    not see the record: a dialog is made with one that its maker sees, or not at all."""

    _name = "doorman.dialog.mixin"
    _description = "Doorman: dialog about a record"

    # The field that holds the record.
    _about = None

    @api.model
    def _check_visible(self, vals):
        ident = vals.get(self._about)
        if isinstance(ident, list | tuple):
            ident = ident[0] if ident else False
        elif isinstance(ident, dict):
            ident = ident.get("id")
        about = self.env[self._fields[self._about].comodel_name]
        about.browse(ident or []).check_access("read")

    @api.model
    def default_get(self, fields):
        """Only with a record that the caller sees."""
        values = super().default_get(fields)
        self._check_visible(values)
        return values

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_visible(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_visible(vals)
        return super().write(vals)

    def onchange(self, values, field_names, fields_spec):
        self._check_visible(values)
        return super().onchange(values, field_names, fields_spec)
