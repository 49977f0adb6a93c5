from odoo import api, models
from odoo.exceptions import ValidationError

from ...policy.invisible import without_hidden


class DoormanShownMixin(models.AbstractModel):
    """Names that people decide by, and that AI tools are told: no letter of them hides.

    Such letters are left out and not refused: many come with a text that was copied.
    """

    _name = "doorman.shown.mixin"
    _description = "Doorman: names that show all that is in them"

    _shown_fields = frozenset()

    def _shown(self, vals):
        """:return: the values, without letters that hide
        :raise ValidationError: if nothing is left of a name that has to be there
        """
        told = {
            name: without_hidden(vals[name])
            for name in self._shown_fields & vals.keys()
            if isinstance(vals[name], str)
        }
        for name, text in told.items():
            required = self._fields[name].required and vals[name].strip()
            if required and not text.strip():
                raise self._hides(name)
        return vals | told

    def _hides(self, name):
        return ValidationError(
            self.env._(
                "%s contains invisible characters.",
                self._fields[name]._description_string(self.env),
            )
        )

    @api.constrains(lambda self: self._shown_fields)
    def _check_shown(self):
        """Of what comes by another way than the values: a default of the context."""
        for record in self:
            for name in record._shown_fields:
                if without_hidden(record[name] or "") != (record[name] or ""):
                    raise self._hides(name)

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._shown(vals) for vals in vals_list])

    def write(self, vals):
        return super().write(self._shown(vals))
