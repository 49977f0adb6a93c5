"""The lists within a form: their columns, and what a save sends of their rows."""

from odoo.fields import Command, Date, Datetime

from ..policy.form_state import FormState


def columns(model, node):
    """The columns that a form shows of a field's records.

    :param model: of the form
    :param node: the field in it (form_view.py)
    :return: a tuple of FormField; empty where the user may not read these records
    """
    field = model._fields[node.name]
    if field.type not in ("one2many", "many2many"):
        return ()
    comodel = model.env[field.comodel_name]
    if not comodel.has_access("read"):
        return ()
    known = comodel.fields_get([c.name for c in node.columns], ["type"])
    return tuple(column for column in node.columns if column.name in known)


def commands(lines, shown):
    """What a save sends of the rows of a list: new ones, and what differs of others.

    :param lines: as they are in the form, with what is stored as their origin
    :param shown: its columns
    """
    found = []
    for line in lines:
        state, vals = FormState(line), {}
        for column in shown:
            field = line._fields[column.name]
            if column.name == "id" or not state.is_sent(column):
                continue
            if not line._origin or not is_stored(line, field):
                vals[column.name] = to_send(line, field)
        if not line._origin:
            found.append(plain(Command.create(vals)))
        elif vals:
            found.append(plain(Command.update(line._origin.id, vals)))
    return found


def is_stored(record, field):
    """Whether a record in a form holds what is stored of it."""
    value, stored = record[field.name], record._origin[field.name]
    return (value._origin if field.relational else value) == stored


def to_send(record, field):
    """A value of a record in a form, as a save sends it: JSON."""
    value = record[field.name]
    if field.type in ("one2many", "many2many"):
        return [plain(Command.set(value._origin.ids))]
    if field.type == "many2one":
        return value._origin.id or False
    if field.type == "datetime":
        return value and Datetime.to_string(value)
    if field.type == "date":
        return value and Date.to_string(value)
    return field.convert_to_write(value, record)


def plain(command):
    """A command, as JSON has it."""
    return [int(command[0]), *command[1:]]
