"""Fields that show where a record stands, and that only its buttons move.

Written past them, a quotation that says "sale" is a sales order without a delivery.
Which fields these are, Odoo's own forms say (models/extensions/ir_ui_view.py): shown in
a status bar, and nowhere to be clicked or filled in.
"""

from .form_state import FormState
from .form_view import SAVE
from .refusal import Refusal, _lt

MAX_BUTTONS = 8


def of(records):
    """:return: the names of these fields of a model, in a frozenset"""
    if records._transient:
        return frozenset()
    return records.env["ir.ui.view"]._doorman_workflow(records._name)


def check(guard, records, field, value):
    """:param records: that get the value; an empty recordset for one to be made
    :param field: one of these fields
    :param value: in the form that Odoo takes
    :raise Refusal: if only a button gives that field another value
    """
    name = records._name
    if records:
        now = [field.convert_to_write(record[field.name], record) for record in records]
    else:
        now = [records.default_get([field.name]).get(field.name)]
    if all((value or False) == (known or False) for known in now):
        return
    view = guard.env["ir.ui.view"]._doorman_form(name)
    buttons = ", ".join(_buttons(guard, view, records[:1]))
    raise Refusal(
        "workflow_field",
        _lt(
            "%(model)s.%(field)s is changed by buttons, which also do everything that "
            "goes with it. Writing the value alone does not.",
            model=name,
            field=field.name,
        ),
        _lt(
            "Press one with call_method: %(buttons)s. Use get_actions to see what a "
            "record offers.",
            buttons=buttons,
        )
        if buttons
        else _lt("Use get_actions to see what a record offers."),
    )


def _buttons(guard, view, record):
    """The buttons that move a record: those that it shows now, if there is one."""
    state = FormState(record, guard.rules) if record else None
    found = {}
    for button in view.buttons:
        if button.is_link or button.kind == SAVE or not button.label:
            continue
        if state is not None and state.shows(button) is False:
            continue
        found.setdefault(button.method, f"{button.method} ({button.label})")
    return list(found.values())[:MAX_BUTTONS]
