"""Whether a connection may look where a field looks (reach.py), and what a search by
name may search instead.

Reads, conditions, orders, groups, measures, exports and name searches all ask here.
"""

from odoo.fields import Domain

from . import closed_fields, reach
from .refusal import Refusal

# Of these, a search by name compares with each.
TEXTS = ("char", "text")
NEGATIVE = "not "
OPPOSITE = {"!=": "=", "<>": "=", "not in": "in"}


def why_not(guard, model, reached):
    """Whether a connection may look at something that a field leads to.

    :param guard: the rules of the connection
    :param model: the empty recordset of the field's own model
    :param reached: what the field leads to, as reach.py tells it
    :return: why not, as the end of a sentence; "" if it may
    """
    for one in sorted(reached):
        if one.model == model._name:
            continue
        if closed_fields.is_withheld(one.field):
            return f"{one.model}.{one.field}, which is withheld from AI tools"
        if guard.allowed is not None and not guard.may_use(one.model):
            return f"{one.model}, which this connection may not use"
        if one.model in guard.asks_to_read:
            return f"{one.model}, which is not read without a person's approval"
    return ""


def check_value(guard, model, field):
    """:raise Refusal: if the field shows what this connection may not look at"""
    if why := why_not(guard, model, reach.of_value(guard.env, field)):
        raise _refusal(model, field, "shows something of", why)


def closed(guard, model, field):
    """Why a field is not read, as a sentence; "" if it is."""
    try:
        check_value(guard, model, field)
    except Refusal as refusal:
        return refusal.message
    return ""


def check_condition(guard, model, field):
    """:raise Refusal: if a condition on it looks where this connection may not"""
    if why := why_not(guard, model, reach.of_condition(guard.env, field)):
        raise _refusal(model, field, "looks into", why)


def check_order(guard, model, field):
    """:raise Refusal: if the field sorts by what this connection may not look at"""
    if why := why_not(guard, model, reach.of_order(guard.env, field)):
        raise _refusal(model, field, "sorts by", why)


def _refusal(model, field, how, why):
    return Refusal(
        "not_allowed",
        f"{model._name}.{field.name} {how} {why}.",
        "Leave that part out.",
    )


# ---- names ----


def why_not_names(guard, model):
    """Why a connection may not search all that Odoo searches the names of a model by;
    "" if it may."""
    for path in reach.name_paths(model):
        if any(map(closed_fields.is_withheld, path.split("."))):
            return f"{model._name}.{path}, which is withheld from AI tools"
    return why_not(guard, model, reach.of_names(guard.env, model._name))


def named(guard, model, operator, value):
    """The condition that the name of a record compares so. Where Odoo's own search
    would look into what this connection may not, it looks into the rest alone.

    :param model: whose records they are; it may be used
    :param str operator: of a domain
    :param value: text, or a list of texts
    :return: Domain
    :raise Refusal: if nothing is left to look into
    """
    why = why_not_names(guard, model)
    if not why:
        return Domain(reach.NAME, operator, value)
    positive = OPPOSITE.get(operator, operator.removeprefix(NEGATIVE))
    paths = [path for path in reach.name_paths(model) if may_search(guard, model, path)]
    if not paths:
        field = model._fields[reach.NAME]
        raise _refusal(model, field, "looks into", why)
    found = Domain.OR(Domain(path, positive, value) for path in paths)
    return found if positive == operator else ~found


def may_search(guard, model, path):
    """Whether a path is of texts that this connection may search."""
    try:
        owner, field = guard.path(model, path)
        check_condition(guard, owner, field)
    except Refusal:
        return False
    return field.type in TEXTS


def linked_by_name(guard, expression, field, operator, value):
    """A condition that compares the names of linked records, where these may not be
    searched by all that Odoo would.

    :param str expression: the path to the relation, which is ``field``
    :param value: in Odoo's form
    :return: Domain, or None if Odoo's own condition does
    """
    other = guard.env[field.comodel_name]
    if not (why := why_not_names(guard, other)):
        return None
    positive = OPPOSITE.get(operator, operator.removeprefix(NEGATIVE))
    if positive in ("child_of", "parent_of", "<", ">", "<=", ">="):
        raise _refusal(other, other._fields[reach.NAME], "looks into", why)
    values = value if isinstance(value, list | tuple | set) else [value]
    texts = [one for one in values if isinstance(one, str)]
    inside = Domain.OR(
        [Domain("id", "in", [v for v in values if v and not isinstance(v, str)])]
        + [named(guard, other, "=" if positive == "in" else positive, t) for t in texts]
    )
    found = Domain(expression, "any", inside)
    if False in values:
        found |= Domain(expression, "=", False)
    return found if positive == operator else ~found
