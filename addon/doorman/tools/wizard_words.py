"""What is said about a wizard: what it shows, what can be filled in, its buttons."""

import json
from contextlib import suppress

from odoo.exceptions import AccessError
from odoo.tools.json import json_default

from ..policy import closed_fields, in_force, looks, odoo_words, record_links
from ..policy.form_state import FormState
from ..policy.form_view import ACTION
from ..policy.in_force import name_of
from ..policy.plain_text import shortened
from ..policy.redact_links import withhold_links_in
from .button_names import refusal_of_button

MAX_FIELDS, MAX_CHOICES, MAX_BUTTONS, MAX_ROWS, MAX_LINKED = 40, 40, 10, 40, 20
MAX_TEXT, MAX_WORDS = 1_500, 1_000
# Other kinds of values are long, or not sent.
KINDS = (
    *("boolean", "integer", "float", "monetary", "char", "text", "html", "date"),
    *("datetime", "selection", "many2one", "one2many", "many2many", "reference"),
)
# What Odoo's code may have filled in from what a rule closes.
FILLED_IN = ("char", "text", "html", "float", "monetary")
ATTRIBUTES = ["type", "string", "required", "relation", "selection"]


def describe(form):
    """:param form: Form (wizard_form.py)
    :return: ``{model, title, values, fields, methods}``; ``text`` and ``warnings`` if
        there are some; ``left_out``, if it is too long: how many there are in all of
        what was cut, by the name of the field, or of ``fields`` and ``methods``
    """
    known = form.model.fields_get(list(form.fields), ATTRIBUTES)
    shown = {
        name: node
        for name, node in form.fields.items()
        if known[name]["type"] in KINDS
        and not closed_fields.is_withheld(name)
        and form.is_shown(node)
    }
    fields = [
        _field(form, node, known[name])
        for name, node in shown.items()
        if form.is_open(node)
    ]
    methods = _methods(form)
    found = {
        "model": form.model._name,
        "title": form.opened.title,
        "values": {name: _value(form, node) for name, node in shown.items()},
        "fields": fields[:MAX_FIELDS],
        "methods": methods[:MAX_BUTTONS],
    }
    left_out = {
        name: len(form.record[name])
        for name, node in shown.items()
        if known[name]["type"] in ("one2many", "many2many")
        and len(form.record[name]) > len(found["values"][name] or ())
    }
    if len(fields) > MAX_FIELDS:
        left_out["fields"] = len(fields)
    if len(methods) > MAX_BUTTONS:
        left_out["methods"] = len(methods)
    if left_out:
        found["left_out"] = left_out
    texts = [t.text for t in form.view.texts if form.state.shows(t) is not False]
    if texts:
        found["text"] = shortened(" ".join(dict.fromkeys(texts)), MAX_WORDS)
    if form.warnings:
        found["warnings"] = [
            shortened(
                ": ".join(odoo_words.told(form.model.env, s) for s in said), MAX_WORDS
            )
            for *said, _type in form.warnings
        ]
    return withhold_links_in(json.loads(json.dumps(found, default=json_default)))


def _methods(form):
    found = {}
    for button in form.view.buttons:
        name = button.method
        if form.state.shows(button) is False or name in found:
            continue
        if refusal_of_button(form.guard, form.model, button):
            continue
        found[name] = {"method": name, "label": button.label}
        if button.confirm:
            found[name]["confirm"] = button.confirm
        if button.kind == ACTION:
            found[name]["opens"] = True
    return list(found.values())


def _field(form, node, attributes):
    row = {"name": node.name, "type": attributes["type"], "label": attributes["string"]}
    if form.is_required(node):
        row["required"] = True
    if attributes.get("relation"):
        row["relation"] = attributes["relation"]
    if isinstance(attributes.get("selection"), list):
        choices = attributes["selection"]
        row["choices"] = [list(c) for c in choices[:MAX_CHOICES]]
        if len(choices) > MAX_CHOICES:
            row["choices_in_all"] = len(choices)
    columns = form.columns(node.name, node)
    if columns and attributes["type"] == "one2many":
        comodel = form.model.env[attributes["relation"]]
        known = comodel.fields_get([c.name for c in columns], ATTRIBUTES)
        empty = FormState(comodel)
        row["columns"] = [
            {
                "name": c.name,
                "type": known[c.name]["type"],
                "label": known[c.name]["string"],
            }
            for c in columns
            if _is_column(c, known) and not empty.is_readonly(c)
        ]
    return row


def _is_column(column, known):
    return (
        "True" not in column.hidden
        and not closed_fields.is_withheld(column.name)
        and known[column.name]["type"] in KINDS
    )


def _value(form, node):
    """A value of the form, as a read would give it."""
    field, value = form.record._fields[node.name], form.record[node.name]
    if field.type == "one2many":
        columns = form.columns(node.name, node)
        if columns:
            return [
                _row(form, line, columns, n) for n, line in enumerate(value[:MAX_ROWS])
            ]
    return plain(form.guard, field, value, form.record)


def _row(form, line, columns, number):
    known = line.fields_get([c.name for c in columns], ["type"])
    found = {"row": number}
    for column in columns:
        if _is_column(column, known):
            field = line._fields[column.name]
            value = plain(form.guard, field, line[column.name], line)
            if value not in (None, "", []):
                found[column.name] = value
    return found


def plain(guard, field, value, record):
    """:return: JSON: a linked record as its id and name, an amount with its currency,
    "nothing" as None
    """
    if looks.is_closed(guard, field.model_name, field.name):
        closed = guard.rules.closed(field.model_name, field.name)
        return in_force.value_of(closed, value) or None
    if field.relational or field.type == "reference":
        return _linked(guard, field, value)
    if value is False and field.type != "boolean":
        return None
    if field.type == "html":
        value = record_links.text_of(guard, value)
    if field.type in FILLED_IN:
        value = odoo_words.filled_in(guard.env, value)
        if value is None:
            return None
    if field.type == "monetary" and (currency := _currency(guard, field, record)):
        return {"amount": value, "currency": currency}
    return shortened(value, MAX_TEXT) if isinstance(value, str) else value


def _currency(guard, field, record):
    """The code of the currency that an amount of a record is in; "" if it has none."""
    name = field.get_currency_field(record)
    if name not in record._fields or looks.is_closed(guard, record._name, name):
        return ""
    with suppress(AccessError):
        return record[name].name or ""
    return ""


def _linked(guard, field, records):
    if not records:
        return None if field.type in ("many2one", "reference") else []
    found = []
    for record in records[:MAX_LINKED]:
        origin = record._origin
        entry = {"id": origin.id or None}
        if guard.may_use(record._name) and record._name not in guard.asks_to_read:
            with suppress(AccessError):
                entry["name"] = name_of(origin or record)[:200]
        found.append(entry)
    return found[0] if field.type in ("many2one", "reference") else found
