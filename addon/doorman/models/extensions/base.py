import sys

from odoo import api, models, tools

from ...policy import in_force, ledger
from ...policy.ledger import CORE, SET_OFF, Region


class Base(models.AbstractModel):
    """Tells the ledger (policy/ledger.py) what a connection's change does, whatever
    code does it, and holds what is read against the rules that are in force
    (policy/in_force.py). Without a call of a connection these do what Odoo does."""

    _inherit = "base"

    @api.model_create_multi
    def create(self, vals_list):
        noted = ledger.of(self.env.cr)
        if noted is None:
            return super().create(vals_list)
        frame = sys._getframe()
        given = {name for vals in vals_list for name in vals}
        names = noted.askeds(frame, self, "create", given)
        with noted.region(_core(frame, self, names)):
            records = super().create(vals_list)
        noted.created(records, names)
        return records

    def write(self, vals):
        noted = ledger.of(self.env.cr)
        if noted is None:
            return super().write(vals)
        frame = sys._getframe()
        names = noted.askeds(frame, self, "write", vals)
        if names:
            noted.asked_to_write(self, names)
        with noted.region(_core(frame, self, names)):
            return super().write(vals)

    def unlink(self):
        noted = ledger.of(self.env.cr)
        if noted is None or not self:
            return super().unlink()
        asked = noted.askeds(sys._getframe(), self, "unlink", ()) is not None
        # What waits to be written could hang on these records, or no longer do so.
        self.env.flush_all()
        noted.deleting(self, asked)
        with noted.region(SET_OFF):
            return super().unlink()

    def _write_multi(self, vals_list):
        noted = ledger.of(self.env.cr)
        if noted is not None and self:
            noted.columns(self, vals_list)
        return super()._write_multi(vals_list)

    @api.model
    @tools.ormcache()
    def _doorman_defaults(self):
        """The fields with a default that Odoo also works out from others.

        :return: ``{name: names of those others}``
        """
        depends = self.env.registry.field_depends
        return {
            name: frozenset(path.partition(".")[0] for path in depends[field])
            for name, field in self._fields.items()
            if field.default and field.compute and field.store and not field.readonly
        }

    # ---- what leaves ----

    def _read_format(self, fnames, load="_classic_read"):
        rows = super()._read_format(fnames, load)
        found = in_force.of(self.env)
        return rows if found is None else in_force.values(found, self, rows)

    # ---- code that works with values of its own ----

    def _compute_field_value(self, field):
        with in_force.code(self.env.cr):
            return super()._compute_field_value(field)

    def _validate_fields(self, field_names, excluded_names=()):
        with in_force.code(self.env.cr):
            return super()._validate_fields(field_names, excluded_names)

    @api.model
    def _add_missing_default_values(self, values):
        with in_force.code(self.env.cr):
            return super()._add_missing_default_values(values)


def _core(frame, records, names):
    return SET_OFF if names is None else Region(CORE, frame, records._name, names)
