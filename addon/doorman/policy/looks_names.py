"""A search by name that looks only where a connection may look.

Odoo searches names by several fields, wherever these lead. Where some are closed to a
connection, the others are searched alone.
"""

from odoo.fields import Domain

from . import closed_fields, looks, reach
from .refusal import Refusal

# Of these, a search by name compares with each.
TEXTS = ("char", "text")
NEGATIVE = "not "
OPPOSITE = {"!=": "=", "<>": "=", "not in": "in"}


def why_not_names(guard, model):
    """Why a connection may not search all that Odoo searches the names of a model by;
    "" if it may."""
    for path in reach.name_paths(model):
        if any(map(closed_fields.is_withheld, path.split("."))):
            return f"{model._name}.{path}, which is withheld from AI tools"
        first = path.partition(".")[0]
        if guard.rules is not None and guard.rules.closed(model._name, first):
            return f"{model._name}.{first}, which a rule of this connection closes"
    if not looks.is_limited(guard):
        return ""
    return looks.why_not(guard, model, reach.of_names(guard.env, model._name))


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
        raise looks.refusal(model, field, "looks into", why)
    found = Domain.OR(Domain(path, positive, value) for path in paths)
    return found if positive == operator else ~found


def may_search(guard, model, path):
    """Whether a path is of texts that this connection may search."""
    try:
        owner, field = guard.path(model, path)
        looks.check_condition(guard, owner, field)
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
        raise looks.refusal(other, other._fields[reach.NAME], "looks into", why)
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
