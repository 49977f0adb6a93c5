"""What callers call a button: a method by its name, an action by its XML id."""

from ..policy.closed_models import way_around
from ..policy.form_view import ACTION, MAX_LABEL, OBJECT, SAVE
from ..policy.refusal import _lt
from .method_checks import refusal_of

WINDOW, SERVER = "ir.actions.act_window", "ir.actions.server"
REPORT, CLIENT = "ir.actions.report", "ir.actions.client"


def action_of(env, name):
    """:param str name: an XML id, or the id as text
    :return: ActionFacts (models/extensions/ir_actions.py), or None
    """
    return env["ir.actions.actions"]._doorman_facts(name)


def label_of(env, button):
    """:return: what stands on a button; of one with an icon alone, what its action is
    called
    """
    if button.label or button.kind != ACTION:
        return button.label
    action = action_of(env, button.name)
    if not action:
        return ""
    return (env[action.kind].sudo().browse(action.id).name or "")[:MAX_LABEL]


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
    """Why call_method would not run an action; "" if it would.

    :param action: ActionFacts, or None
    """
    if not action or action.kind not in (WINDOW, SERVER, REPORT, CLIENT):
        return _lt("This action no longer exists.")
    if action.kind == WINDOW:
        if action.model not in guard.env or not guard.may_use(action.model):
            return _lt(
                "It opens %(model)s, which this connection cannot use.",
                model=action.model,
            )
        transient = guard.env[action.model]._transient
        if transient and not guard.may_write(action.model):
            way = way_around(action.model)
            if not way:
                return _lt(
                    "It opens %(model)s, which AI tools cannot change.",
                    model=action.model,
                )
            return _lt(
                "It opens %(model)s, which AI tools cannot change. %(instead)s",
                model=action.model,
                instead=way,
            )
    if action.kind == SERVER:
        if not guard.may_write(model._name):
            return _lt("AI tools cannot change %(model)s.", model=model._name)
        if action.state != "code":
            # It sends something somewhere, or writes what only its own settings tell.
            return _lt("AI tools cannot run actions of this kind.")
    return ""
