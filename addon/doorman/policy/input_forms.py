"""The forms in which a value may be sent, and the one that is checked and written.

value ── unset: "" and null ── by the type of its field: single_values.py, amounts.py,
         linked_values.py, property_values.py ── the form that Odoo takes

What a read of ours returned is a valid value. So are names that only one record has, a
choice by its label, plain ids and objects for lines, JSON and numbers as text, and the
usual forms of dates. This only reads; what may be written is checked afterwards, on the
result, by ``Values``.
"""

from . import amounts, linked_values, property_values, single_values
from .field_values import NUMBERS, TEXTS
from .value_place import Place

SHAPERS = {
    "integer": single_values.number,
    "float": single_values.number,
    "monetary": amounts.amount,
    "boolean": single_values.boolean,
    "date": single_values.date,
    "datetime": single_values.time,
    "selection": single_values.choice,
    "char": single_values.text,
    "text": single_values.text,
    "html": single_values.html,
    "json": single_values.json_value,
    "many2one": linked_values.record,
    "reference": linked_values.reference,
    "many2one_reference": linked_values.any_record,
    "many2many": linked_values.links,
    "one2many": linked_values.lines,
    "properties": property_values.shape,
}
assert set(NUMBERS) <= SHAPERS.keys()


def shape(guard, records, field, value, vals):
    """Bring a value into the form that Odoo's ``create`` and ``write`` take.

    :param records: that get it; an empty recordset for one that is to be made
    :param field: of theirs, which a connection may give a value
    :param dict vals: all values that are sent along, as they came
    :return: the value; an unknown form is left as it is
    :raise Refusal: if it is a form that says nothing certain
    """
    if value is None or (value == "" and field.type not in TEXTS):
        value = False
    shaper = SHAPERS.get(field.type)
    return shaper(Place(guard, records, field, vals), value) if shaper else value
