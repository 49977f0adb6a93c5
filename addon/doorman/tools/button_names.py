"""What callers call a button: a method by its name, an action by its XML id."""

from ..policy.form_view import ACTION, OBJECT, SAVE
from .method_checks import refusal_of

ACTION_KINDS = (
    "ir.actions.act_window",
    "ir.actions.server",
    "ir.actions.report",
    "ir.actions.client",
)


def method_of(env, button):
    """What call_method takes for a button."""
    if button.kind == ACTION:
        return action_name(env, action_of(env, button.name)) or button.name
    return button.name


def action_of(env, name):
    """:param str name: an XML id, or the id as text
    :return: the action, without a record where there is none; with all rights, as
        Odoo's web client reads one
    """
    actions = env["ir.actions.actions"].sudo()
    if name.isdecimal():
        found = actions.browse(int(name)).exists()
    else:
        found = env.ref(name, raise_if_not_found=False) or actions
    if not found or not found._name.startswith("ir.actions."):
        return actions
    return env[actions.browse(found.id).type].sudo().browse(found.id)


def action_name(env, action):
    """:return: the XML id of an action, or its id as text; "" for none"""
    if not action:
        return ""
    return action.get_external_id()[action.id] or str(action.id)


def is_action(name):
    """Whether a name is one of an action, and of no method."""
    return isinstance(name, str) and ("." in name or name.isdecimal())


def refusal_of_button(guard, model, button):
    """Why call_method would not press a button; "" if it would."""
    if button.kind == SAVE:
        return ""
    if button.kind == OBJECT:
        return refusal_of(guard, model, button.name)
    return refusal_of_action(guard, model, action_of(guard.env, button.name))


def refusal_of_action(guard, model, action):
    """Why call_method would not run an action; "" if it would."""
    if not action or action._name not in ACTION_KINDS:
        return "There is no such action any more."
    if action._name == "ir.actions.act_window":
        name = action.res_model
        if name not in guard.env or not guard.may_use(name):
            return f"It opens {name}, which this connection may not use."
        if guard.env[name]._transient and not guard.may_write(name):
            return f"It opens {name}, which AI tools may not change."
    elif not guard.may_write(model._name):
        return f"AI tools may not change {model._name}."
    return ""
