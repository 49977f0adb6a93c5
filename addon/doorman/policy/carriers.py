"""Which other fields hold the value of a field: its carriers.

    res.partner.email ──┬── res.users.email (inherited) ── hr.employee.work_email
                        └── res.partner.email_normalized (computed) ── ...

Who may not read a field must not read the same in another one. A carrier is inherited
from it, related to it, its inverse, or worked out of it and of the same kind: text of
text, amount of amount. A record's name does not count as a carrier: most names are made
of many fields.
"""

import re
from collections import defaultdict

from . import closed_models
from .code_reach import attributes
from .field_values import TEXTS

KINDS = {
    **dict.fromkeys(TEXTS, "text"),
    **dict.fromkeys(("float", "monetary"), "amount"),
    **dict.fromkeys(("date", "datetime"), "date"),
}
NAME = "display_name"
OWNER_NAME = re.compile(r"(^|_)(res|record)_name$")
# Copies that nothing in the registry tells of: code makes them when it sends a message.
BY_HAND = {
    ("res.partner", "email"): (
        ("mail.message", "email_from"),
        ("mail.message", "reply_to"),
        ("mail.message", "incoming_email_to"),
        ("mail.message", "incoming_email_cc"),
        ("mail.message", "outgoing_email_to"),
    )
}


def of(env, model, name):
    """The fields that hold the value of a field, itself included.

    :param env: any; nothing is read with it
    :param str model: technical name
    :param str name: of one of its fields
    :return: a set of ``(model, field)``
    """
    pool = env.registry
    sequence, known = getattr(pool, "doorman_carriers", (None, None))
    if sequence != pool.registry_sequence:
        known = _next(pool)
        pool.doorman_carriers = (pool.registry_sequence, known)
    first = pool[model]._fields[name]
    while first.inherited:
        first = first.related_field
    found = {(model, name), (first.model_name, first.name)}
    todo = list(found)
    while todo:
        one = todo.pop()
        fresh = (known[one] if one in known else set()).union(BY_HAND.get(one, ()))
        if (field := pool[one[0]]._fields[one[1]]).relational:
            # A link shows from the other side as well.
            inverses = pool.field_inverses[field]
            fresh = fresh.union((f.model_name, f.name) for f in inverses)
        fresh = {two for two in fresh if two[0] in pool} - found
        found |= fresh
        todo += fresh
    return found


def names_told(env, closed):
    """The models whose records are called by a field that is closed.

    :param closed: ``(model, field)`` of each
    :return: ``{model: (model, field)}``
    """
    found = {}
    for name, cls in env.registry.items():
        if cls._rec_name and (name, cls._rec_name) in closed:
            found[name] = (name, cls._rec_name)
        elif (name, NAME) in closed:
            found[name] = (name, NAME)
    return found


def of_owners(env):
    """:return: the ``(model, field)`` by which files, messages and the like tell what
    the record that they hang on is called"""
    return [
        (model, name)
        for model in closed_models.FOLLOWERS
        if model in env
        for name in env[model]._fields
        if OWNER_NAME.search(name)
    ]


def _next(pool):
    """For each field those that are made of it directly."""
    found = defaultdict(set)
    for name, cls in pool.items():
        if cls._abstract:
            continue
        for field in cls._fields.values():
            if field.name == NAME:
                continue
            paths = [field.related] if field.related else ()
            if field.compute and not field.related:
                paths = pool.field_depends[field]
            for path in paths:
                last = _last(pool, name, path)
                for one in _made_of(pool, field, last):
                    if one.name != NAME and _alike(one, field):
                        found[one.model_name, one.name].add((name, field.name))
    return found


def _made_of(pool, field, last):
    """The fields that one is made of, where it depends on another one.

    :param last: the field that it depends on, or None
    """
    if last is None:
        return ()
    if not last.relational or field.related or not isinstance(field.compute, str):
        return (last,)
    # Depends on a link alone, and takes from there what the registry is not told:
    # bank.acc_holder_name = bank.partner_id.name
    there = pool[last.comodel_name]._fields
    words = attributes(pool, field.model_name, field.compute)
    return (last, *(there[word] for word in words if word in there))


def _last(pool, name, path):
    field = None
    for step in path.split("."):
        if name not in pool:
            return None
        field = pool[name]._fields.get(step)
        if field is None:
            return None
        name = field.comodel_name
    return field


def _alike(one, other):
    """Whether two fields hold values of one kind."""
    kinds = KINDS.get(one.type, one.type), KINDS.get(other.type, other.type)
    return kinds[0] == kinds[1] and one.comodel_name == other.comodel_name
