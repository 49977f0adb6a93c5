"""Pressing a button: on records, or in a wizard.

    a name ── the button that the form shows for these records ── what it carries
           ── a method, run with that; or an action of Odoo's ── what it opens

What a button carries is a control: ``action_confirm`` of a sales order checks the
analytic distribution only because its button says so.
"""

import json

from odoo.tools.json import json_default

from ..policy import in_force
from ..policy.closed_models import way_around
from ..policy.form_state import FormState
from ..policy.form_view import ACTION, OBJECT, SAVE, Button
from ..policy.refusal import Refusal, _lt
from . import opened, wizard_form
from .button_names import (
    SERVER,
    WINDOW,
    action_of,
    is_action,
    refusal_of_action,
    refusal_of_button,
)
from .method_checks import check_method
from .opened import Pressed


def on_records(guard, records, name, arguments, label=""):
    """Press a button of records, or run a method that has none.

    :param str name: of the method, or the XML id of the action
    :param dict arguments: of the method
    :param str label: of the button, where several do the same in different ways
    :return: what the method has given, and Pressed
    """
    buttons = _buttons(guard, records, name, label)
    button, carries = _meant(records, buttons)
    pressed = Pressed(guard, records, carries)
    if is_action(name):
        return _run_action(pressed, name, button), pressed
    method = check_method(guard, records, name, arguments)
    args = button.args if button and not arguments else ()
    return _let_run(method, _with(records, carries), *args, **arguments), pressed


def as_shown(guard, records, name):
    """Press the first button of a method that a person would see.

    :return: what the method has given, and Pressed
    """
    buttons, carries = _buttons(guard, records, name, ""), {}
    if buttons:
        state = FormState(records)
        carries = state.context_of((_shown(state, buttons) or buttons)[0].context)
    # It would ask an administrator for the layout of papers first.
    carries.pop("check_document_layout", None)
    pressed = Pressed(guard, records, carries)
    method = check_method(guard, records, name, {})
    return _let_run(method, _with(records, carries)), pressed


def in_wizard(guard, found, name, values, arguments):
    """Fill in a wizard, save it and press its button.

    :param found: Opened, of a model that the connection may use
    :param dict values: of its fields, by name
    :return: what the method has given, and Pressed
    """
    form = wizard_form.Form(guard, found)
    form.fill(values)
    button = _of_form(form, name)
    record = form.save()
    carries = FormState(record).context_of(button.context)
    pressed = Pressed(guard, record, carries, wizard=found)
    if button.kind == SAVE:
        return None, pressed
    if button.kind == ACTION:
        return _run_action(pressed, name, button), pressed
    method = check_method(guard, record, name, arguments)
    args = button.args if not arguments else ()
    return _let_run(method, _with(record, carries), *args, **arguments), pressed


def _let_run(method, records, *args, **arguments):
    """What a method does is Odoo's own affair: no rule of ours limits what it sees."""
    with in_force.code(records.env.cr):
        return method(records, *args, **arguments)


def _of_form(form, name):
    """The button of a wizard that a name means."""
    shown = [b for b in form.view.buttons if form.state.shows(b) is not False]
    for button in shown:
        if button.method == name:
            if why := refusal_of_button(form.guard, form.model, button):
                raise Refusal("button_not_allowed", why)
            return button
    names = dict.fromkeys(b.method for b in shown)
    if not names and name == SAVE:
        return Button(SAVE, SAVE, "", "", "", ())
    raise Refusal(
        "unknown_button",
        _lt("This wizard has no button %(button)r now.", button=str(name)[:80]),
        _lt("Available: %(choices)s.", choices=", ".join(names))
        if names
        else _lt("Use the method save."),
    )


# ---- which button ----


def _views(env, model):
    """The views of a model that have buttons, the default form first."""
    views = env["ir.ui.view"]
    yield views._doorman_form(model)
    for view_id in views._doorman_forms(model):
        yield views._doorman_form(model, view_id)
    for view_id in views._doorman_forms(model, "list"):
        yield views._doorman_form(model, view_id, "list")


def _buttons(guard, records, name, label):
    for view in _views(guard.env, records._name):
        kind = ACTION if is_action(name) else OBJECT
        found = [b for b in view.buttons if b.kind == kind and b.method == name]
        if label and (named := [b for b in found if b.label == label]):
            return named
        if found and not label:
            return found
    if label:
        raise Refusal(
            "unknown_button",
            _lt("%(method)s has no button %(button)r.", method=name, button=label[:80]),
            _lt("Use get_actions to list the buttons of a record."),
        )
    return []


def _meant(records, buttons):
    """The button among those of one name, and what it carries: what it would for a
    person who presses it for these records.

    :return: a Button or None, and a context
    """
    if not buttons:
        return None, {}
    ticked = _ticked(records) if buttons[0].above_list else {}
    if not any(b.context not in ("", "{}") or b.args for b in buttons) or not records:
        return buttons[0], ticked
    found = {}
    for record in records:
        state = FormState(record)
        # Of a button that is hidden now Odoo's own code has to say why not.
        for button in _shown(state, buttons) or buttons[:1]:
            carries = ticked | state.context_of(button.context)
            key = json.dumps(
                [carries, button.args], default=json_default, sort_keys=True
            )
            found.setdefault(key, (button, carries))
    if len(found) == 1:
        return next(iter(found.values()))
    labels = list(dict.fromkeys(button.label for button, _carries in found.values()))
    if len(labels) > 1:
        raise Refusal(
            "ambiguous_button",
            _lt("Several buttons do this, each in its own way."),
            _lt("Send one of these as button: %(choices)s.", choices=", ".join(labels)),
        )
    raise Refusal(
        "button_differs",
        _lt("This button works differently for each of these records."),
        _lt("Press it for one record at a time."),
    )


def _ticked(records):
    """What a button above a list is told besides
    (web/static/src/views/view_button/multi_record_view_button.js)."""
    return {
        "active_domain": [("id", "in", records.ids)],
        "active_ids": records.ids,
        "active_model": records._name,
    }


def _shown(state, buttons):
    return [button for button in buttons if state.shows(button) is not False]


def _with(records, carries):
    """The records as a button of Odoo's web client hands them on: it always tells the
    companies, and some code counts on that."""
    env = records.env
    companies = dict.fromkeys([env.company.id, *env.companies.ids])
    return records.with_context(**carries, allowed_company_ids=list(companies))


# ---- actions ----


def _run_action(pressed, name, button):
    """What an action of Odoo's gives, as its web client runs one.

    :param button: None for an action that is in the model's menu of actions only
    """
    guard, records = pressed.guard, pressed.records
    env = guard.env
    action = action_of(env, name)
    if not action or not (button or action.id in _menu(env, records._name)):
        raise Refusal(
            "unknown_button",
            _lt(
                "%(model)s has no button for %(method)s.",
                model=records._name,
                method=name[:80],
            ),
            _lt("Use get_actions to list the buttons of a record."),
        )
    if why := refusal_of_action(guard, records, action):
        # Where a tool does it, the message says so.
        has_tool = action.kind == WINDOW and way_around(action.model)
        hint = "" if has_tool else _lt("A person has to press it in Odoo.")
        raise Refusal("button_not_allowed", why, hint)
    if not records:
        raise Refusal("ids_missing", _lt("Specify the ids of the records."))
    if action.kind == SERVER:
        run = env[SERVER].browse(action.id).with_context(**pressed.context({}))
        with in_force.code(env.cr):
            return opened.Followed(run.run())
    # With all rights, as Odoo's web client loads it: actions are not secret.
    found = env[action.kind].sudo().browse(action.id)
    return found._get_action_dict() if action.kind == WINDOW else found.read()[0]


def _menu(env, model):
    """The ids of the actions in the menu of a model's records."""
    found = env["ir.actions.actions"].get_bindings(model).get("action") or ()
    return {action["id"] for action in found}
