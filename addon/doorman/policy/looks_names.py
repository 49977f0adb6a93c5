"""A search by name that looks only where a connection may look.

Odoo searches names by several fields, wherever these lead. Where some are closed to a
connection, the others are searched alone.
"""

from odoo.fields import Domain

from . import closed_fields, looks, reach
from .refusal import Refusal, _lt

# Of these, a search by name compares with each.
TEXTS = ("char", "text")
NEGATIVE = "not "
OPPOSITE = {"!=": "=", "<>": "=", "not in": "in"}


def why_not_names(guard, model):
    """Why a connection may not search all that Odoo searches the names of a model by,
    as the end of a sentence; "" if it may."""
    for path in reach.name_paths(model):
        if any(map(closed_fields.is_withheld, path.split("."))):
            return _lt(
                "%(model)s.%(field)s, which is withheld from AI tools",
                model=model._name,
                field=path,
            )
        first = path.partition(".")[0]
        if guard.rules is not None and guard.rules.closed(model._name, first):
            return looks.by_rule(model._name, first)
        # Odoo's whole search fails where its user may not read a linked record.
        if other := _not_readable(model, path):
            return _lt("%(model)s, which its user cannot read", model=other)
    if not looks.is_limited(guard):
        return ""
    return looks.why_not(guard, model, reach.of_names(guard.env, model._name))


def _not_readable(model, path):
    """:return: the first model on a path that its user may not read; "" if there is
    none"""
    for step in path.split("."):
        field = model._fields.get(step)
        if field is None or not field.relational:
            break
        model = model.env[field.comodel_name]
        if not model.has_access("read"):
            return model._name
    return ""


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
        raise looks.refusal(model, field, looks.CONDITION, why)
    found = Domain.OR(Domain(path, positive, value) for path in paths)
    return found if positive == operator else ~found


def may_search(guard, model, path):
    """Whether a path is of texts that this connection may search, or of records whose
    names it may search."""
    try:
        owner, field = guard.path(model, path)
        looks.check_condition(guard, owner, field)
        if field.relational:
            other = guard._look_through(owner, field)
            return not why_not_names(guard, other) and not _not_readable(model, path)
    except Refusal:
        return False
    return field.type in TEXTS and not _not_readable(model, path)


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
        raise looks.refusal(other, other._fields[reach.NAME], looks.CONDITION, why)
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
