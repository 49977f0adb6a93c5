"""Which buttons the form of a record offers now.

The form is the one that the connection's user would see: Odoo has taken out what their
groups do not show. Whether a button shows depends on the record, by an expression that
a browser would work out; here it is worked out with the values that this user may read.
"""

from ..policy import closed_fields, looks
from ..policy.form_state import FormState
from ..policy.form_view import ACTION, OBJECT, SAVE, is_status_bar
from ..policy.in_force import name_of
from ..policy.redact_links import withhold_links_in
from ..policy.refusal import Refusal, in_language
from . import row_counts
from .arguments import one_record, only
from .button_names import (
    action_of,
    label_of,
    refusal_of_action,
    refusal_of_button,
)
from .changed_records import afresh, if_it_can_be_told
from .method_checks import METHOD_NAME
from .operations import operation

MAX_BUTTONS, MAX_OFFERED = 60, 12
MAX_CHOICES = 40


@operation("get_actions", tool="get_actions", reads=True, rows=row_counts.none)
def get_actions(call):
    """The buttons that a record offers now. Nothing is run.

    :return: ``{name, actions, menu, hidden, status}``, and ``left_out``: how many
        buttons there are beyond these, if any
    """
    only(call.kwargs)
    guard, model = call.guard, call.model
    record = one_record(call)
    view = call.env["ir.ui.view"]._doorman_form(model._name)
    state = FormState(record, guard.rules)
    actions, hidden = [], []
    for button in view.buttons:
        shows = state.shows(button)
        if button.kind == SAVE or not _is_named(button):
            continue
        if shows is False:
            hidden.append(button.method)
        elif not _is_known(actions, button):
            actions.append(_action(guard, state, button, shows))
    names = {action["method"] for action in actions}
    lists = {
        "actions": _told_apart(actions),
        "menu": _menu(guard, state, names | set(hidden)),
        "hidden": sorted(set(hidden) - names),
    }
    found = {
        "name": name_of(record),
        "status": _status(guard, record, view, state),
        **{name: some[:MAX_BUTTONS] for name, some in lists.items()},
    }
    if left := sum(len(some) - len(found[name]) for name, some in lists.items()):
        found["left_out"] = left
    return withhold_links_in(found)


def next_actions(guard, records):
    """The buttons that a record offers now, in short, for a caller who has just
    created it or pressed one. A failure here does not fail that change.

    :return: ``{actions: [{method, label}], more_actions}``: the first of them, and how
        many are left out, if any; or nothing
    """
    no_such = records._transient or records._name in guard.asks_to_read
    if no_such or len(records) != 1:
        return {}
    found = if_it_can_be_told(guard.env, lambda: _offered(guard, records))
    if not found:
        return {}
    more = len(found) - MAX_OFFERED
    return {"actions": found[:MAX_OFFERED]} | (
        {"more_actions": more} if more > 0 else {}
    )


def _offered(guard, record):
    afresh(guard.env)
    record.check_access("read")
    view = record.env["ir.ui.view"]._doorman_form(record._name)
    state, found = FormState(record, guard.rules), {}
    for button in view.buttons:
        if button.kind == SAVE or button.is_link or not _is_named(button):
            continue
        if state.shows(button) is not True:
            continue
        if not refusal_of_button(guard, record, button):
            told = {"method": button.method, "label": label_of(guard.env, button)}
            found.setdefault(button.method, told)
    return list(found.values())


def _is_named(button):
    return button.kind != OBJECT or METHOD_NAME.fullmatch(button.name)


def _is_known(actions, button):
    """The same button may stand in a form twice, for two widths of a screen. One that
    has no label cannot be told from it."""
    labels = (button.label, *([] if button.label else [a["label"] for a in actions]))
    return any(a["method"] == button.method and a["label"] in labels for a in actions)


def _action(guard, state, button, shows):
    label = label_of(guard.env, button)
    found = {"method": button.method, "label": label}
    if button.confirm:
        found["confirm"] = button.confirm
    if button.kind == ACTION:
        found["opens"] = True
    refusal = refusal_of_button(guard, state.record, button)
    if not refusal:
        try:
            state.context_of(button.context)
        except Refusal as exc:
            refusal = exc.message
    found["callable"] = not refusal
    if refusal:
        found["why_not"] = in_language(refusal)
    if shows is None:
        found["may_be_hidden"] = True
    return found


def _told_apart(actions):
    """Of buttons that do the same in different ways, each has to be named."""
    names = [action["method"] for action in actions]
    for action in actions:
        if names.count(action["method"]) > 1:
            action["button"] = action["label"]
    return actions


def _menu(guard, state, known):
    """What a list of such records, and the menu of actions, offer besides the form:
    what call_method takes of it."""
    env, model, found = guard.env, state.record, {}
    for button in env["ir.ui.view"]._doorman_list_buttons(model._name):
        if button.kind == SAVE or button.method in known or not _is_named(button):
            continue
        shows = state.shows(button) is True
        if shows and not refusal_of_button(guard, model, button):
            found.setdefault(button.method, button.label)
    bound = env["ir.actions.actions"].get_bindings(model._name).get("action") or ()
    for entry in bound:
        # Also those of lists alone: what merges or cancels several records is there.
        action = action_of(env, str(entry["id"]))
        if not action or action.name in known:
            continue
        if not refusal_of_action(guard, model, action):
            found.setdefault(action.name, str(entry.get("name") or "")[:100])
    return [{"method": name, "label": label} for name, label in found.items()]


def _status(guard, record, view, state):
    """Where the record stands, and where it may go."""
    workflow = record.env["ir.ui.view"]._doorman_workflow(record._name)
    for node in view.fields:
        name = node.name
        field = record._fields.get(name)
        if (
            not is_status_bar(node.widget)
            or field is None
            or not record._has_field_access(field, "read")
            or closed_fields.is_withheld(name)
            or looks.closed(guard, record, field)
            or state.shows(node) is False
        ):
            continue
        found = {"field": name}
        value = record[name]
        if field.type == "selection":
            choices = field._description_selection(record.env)
            found["value"] = value or None
            found["choices"] = [list(choice) for choice in choices[:MAX_CHOICES]]
        elif field.type == "many2one":
            named = record.read([name])[0][name]
            found["value"] = named and {"id": named[0], "name": named[1]} or None
            found["model"] = field.comodel_name
        # Moved by writing the field, as a person does by a click.
        found["movable"] = name not in workflow
        return found
    return None
