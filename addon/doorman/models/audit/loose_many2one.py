from odoo import fields, models
from odoo.exceptions import MissingError
from odoo.fields import Domain

# So many records of a name are looked up first.
MOST_NAMED = 20


class LooseMany2one(fields.Many2one):
    """A many2one without a foreign key, which keeps the id of what is gone.

    The audit keeps its rows when what they are about is deleted, and a foreign key
    would lock the connection's row at every single request. To empty the column when a
    record goes would be one UPDATE of everything that it ever did.
    """

    def update_db_foreign_key(self, model, column):
        """No foreign key (odoo/orm/fields_relational.py)."""

    def convert_to_record(self, value, record):
        """What is gone reads as nothing: Odoo would raise MissingError for its name.
        One query for all rows that are read together, where ``exists`` is one a row."""
        found = super().convert_to_record(value, record)
        try:
            found.sudo().mapped("create_date")
        except MissingError:
            return found.browse()
        return found

    def convert_to_record_multi(self, values, records):
        return super().convert_to_record_multi(values, records).exists()


class DoormanLooseMixin(models.AbstractModel):
    """Searches for names of a ``LooseMany2one``, and groups by what may be gone."""

    _name = "doorman.loose.mixin"
    _description = "Doorman: groups by what may be gone"

    def _search(self, domain, *args, **kwargs):
        domain = Domain(domain).map_conditions(self._by_id)
        return super()._search(domain, *args, **kwargs)

    def _by_id(self, condition):
        """A name that few records have becomes their ids: an index then gives the rows
        in their order, where a join would sort all that one connection ever did."""
        name, operator, value = (
            condition.field_expr,
            condition.operator,
            condition.value,
        )
        field = self._fields.get(name)
        if (
            not isinstance(field, LooseMany2one)
            or operator not in ("ilike", "=ilike", "like", "=like")
            or not value
        ):
            return condition
        named = self.env[field.comodel_name].with_context(active_test=False)
        found = named.search([("display_name", operator, value)], limit=MOST_NAMED + 1)
        return Domain(name, "in", found.ids) if len(found) <= MOST_NAMED else condition

    def _web_read_group_groupby_formatter(self, groupby_spec, values):
        """A group of what is gone keeps its id, by which its rows are found, and gets
        a label instead of a MissingError (odoo/addons/web/models/models.py)."""
        usual = super()._web_read_group_groupby_formatter(groupby_spec, values)
        field = self._fields.get(groupby_spec)
        if not isinstance(field, LooseMany2one):
            return usual
        ids = [value.id for value in values if value]
        present = set(self.env[field.comodel_name].browse(ids).exists().ids)

        def labelled(value):
            if not value or value.id in present:
                return usual(value)
            label = self.env._("Deleted (%s)", value.id)
            return (value.id, label), [(groupby_spec, "=", value.id)]

        return labelled
