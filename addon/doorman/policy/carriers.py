"""Which other fields hold the value of a field: its carriers.

    res.partner.email ──┬── res.users.email (inherited) ── hr.employee.work_email
                        └── res.partner.email_normalized (computed) ── ...

Who may not read a field must not read the same in another one. A carrier is inherited
from it, related to it, its inverse, worked out of it and of the same kind (text of
text, amount of amount), a copy that code makes of it within a record, or a column of a
query that shows it (view_columns.py). So is what it is written through to, and a text
that code makes of an amount, or of what a linked record is called. A record's name does
not count as a carrier: most names are made of many fields.
"""

import re
from collections import defaultdict

from . import closed_models, view_columns
from .code_reach import attributes, copied_in, set_in
from .field_values import TEXTS
from .reach import is_own_copy

KINDS = {
    **dict.fromkeys(TEXTS, "text"),
    **dict.fromkeys(("float", "monetary"), "amount"),
    **dict.fromkeys(("date", "datetime"), "date"),
}
NAME = "display_name"
# What Odoo's mixins keep besides, as JSON: how long a record had each value of a field,
# and the versions of its long texts.
DURATIONS = "duration_tracking"
VERSIONS = ("html_field_history", "html_field_history_metadata")
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

    :param env: any; no records are read with it
    :param str model: technical name
    :param str name: of one of its fields
    :return: a set of ``(model, field)``
    """
    pool = env.registry
    known, _names = _known(env)
    found = _where_written(pool, pool[model]._fields[name])
    todo = list(found)
    while todo:
        one = todo.pop()
        fresh = (known[one] if one in known else set()).union(BY_HAND.get(one, ()))
        if one[1] == pool[one[0]]._rec_name:
            # Its records are called by it: so is what shows that.
            fresh |= known.get((one[0], NAME), set())
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


def called_by(env, models):
    """The models whose records have no name of their own, and are called by a record
    of one of these: a follower by their contact.

    :param models: technical names
    :return: ``{model: one of these}``
    """
    found, pool, todo = {}, env.registry, set(models)
    while todo:
        fresh = {
            name: comodel
            for name, cls in pool.items()
            if not cls._abstract and name not in found and name not in models
            for comodel in _named_after(pool, name) & todo
        }
        found |= {name: found.get(other, other) for name, other in fresh.items()}
        todo = set(fresh)
    return found


def _named_after(pool, name):
    """:return: the models whose records give those of a model their names"""
    fields, own = pool[name]._fields, pool[name]._rec_name
    if own in fields:
        named = fields[own]
        if named.related and not named.inherited and not is_own_copy(pool, named):
            last = _last(pool, name, named.related)
            return {last.model_name} if last is not None else set()
        return {named.comodel_name} - {None}
    paths = pool.field_depends[fields[NAME]] if NAME in fields else ()
    links = (fields.get(path.partition(".")[0]) for path in paths)
    return {link.comodel_name for link in links if link is not None} - {None}


def that_tell_names(env, model):
    """The fields of other models that are only there to tell what its records are
    called.

    :return: a set of ``(model, field)``
    """
    _carried, names = _known(env)
    return {one for one in names.get(model, ()) if one[0] != model}


def by_hand(model):
    """:return: the ``(model, field)`` in which code copies something of its records"""
    return {one for (name, _field), some in BY_HAND.items() if name == model
            for one in some}  # fmt: skip


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


def _known(env):
    """What ``_next`` finds, once a registry."""
    pool = env.registry
    sequence, known = getattr(pool, "doorman_carriers", (None, None))
    if sequence != pool.registry_sequence:
        known = _next(pool)
        for one, other in view_columns.shown(env, _alike):
            known[0][one.model_name, one.name].add((other.model_name, other.name))
        pool.doorman_carriers = (pool.registry_sequence, known)
    return known


def _next(pool):
    """:return: for each field those that are made of it directly; for each model the
    texts that nobody writes and that tell what its records are called
    """
    found, names = defaultdict(set), defaultdict(set)
    for name, cls in pool.items():
        if cls._abstract:
            continue
        for field in cls._fields.values():
            if field.name == NAME:
                continue
            paths = [field.related] if field.related else ()
            if field.compute and not field.related:
                paths = pool.field_depends[field] or _in_code(pool, field)
            for path in paths:
                last = _last(pool, name, path)
                made_of = (*_made_of(pool, field, last), *_links_on(pool, name, path))
                of_these = [one for one in made_of if _alike(one, field)]
                if field.type in TEXTS and field.name != cls._rec_name:
                    told = list(_told_of(pool, field, path, last))
                    of_these += told
                    if field.readonly:
                        for link in told:
                            names[link.comodel_name].add((name, field.name))
                for one in of_these:
                    found[one.model_name, one.name].add((name, field.name))
            if KINDS.get(field.type) == "amount":
                for one in _in_queries(pool, field):
                    found[one.model_name, one.name].add((name, field.name))
        for one, other in (*_kept_by_mixins(cls), *_copied(cls)):
            found[name, one].add((name, other))
    return found, names


def _links_on(pool, name, path):
    """The links that a path leads through: ``partner_id.commercial_partner_id`` is of
    the same company as ``partner_id``."""
    while "." in path:
        path = path.rpartition(".")[0]
        link = _last(pool, name, path)
        if link is not None:
            yield link


def _in_code(pool, field):
    """The fields of its own record that a field is worked out of, where it does not say
    so: Odoo needs that of stored ones only."""
    if not isinstance(field.compute, str):
        return ()
    own = pool[field.model_name]._fields
    words = attributes(pool, field.model_name, field.compute, texts=True)
    return (words & own.keys()) - {field.name}


def _in_queries(pool, field):
    """The fields of other models that a field is worked out of, where Odoo is not told
    what it depends on, and its code names them: it asks the database for a sum."""
    told = pool.field_depends[field] or field.related
    if told or field.store or not isinstance(field.compute, str):
        return
    words = attributes(pool, field.model_name, field.compute, texts=True)
    for name in words & pool.keys() - {field.model_name}:
        for word in words & pool[name]._fields.keys():
            if _alike(pool[name]._fields[word], field):
                yield pool[name]._fields[word]


def _told_of(pool, field, path, last):
    """What a text may tell besides other texts: an amount, and what the record is
    called that a link leads to.

    :param field: the text, which is not the name of a record
    :param path: that it depends on
    :param last: the field at the end of that, or None
    """
    if last is None or field.related or not isinstance(field.compute, str):
        return
    if KINDS.get(last.type) == "amount":
        yield last
    elif last.relational and last.comodel_name in pool:
        named = {NAME, pool[last.comodel_name]._rec_name}
        if named & attributes(pool, field.model_name, field.compute):
            yield last
    elif "." in path and last.name in (NAME, pool[last.model_name]._rec_name):
        yield _last(pool, field.model_name, path.rpartition(".")[0])


def _copied(cls):
    """:return: pairs of a field of a model and another one to which code copies it"""
    fields = cls._fields
    for one, other in copied_in(cls):
        if one in fields and other in fields and _alike(fields[one], fields[other]):
            yield one, other


def _kept_by_mixins(cls):
    """:return: pairs of a field of a model and another one that holds what it was"""
    tracked = getattr(cls, "_track_duration_field", None)
    if tracked and DURATIONS in cls._fields:
        yield tracked, DURATIONS
    if VERSIONS[0] in cls._fields:
        texts = [f.name for f in cls._fields.values() if f.type == "html" and f.store]
        yield from ((text, other) for text in texts for other in VERSIONS)


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


def _where_written(pool, field):
    """A field, and those in which its value ends up when somebody writes it: what it is
    inherited from or related to, or what its inverse writes. They are the same.

    :return: a set of ``(model, field)``
    """
    found, todo = set(), [field]
    while todo:
        field = todo.pop()
        if (field.model_name, field.name) in found:
            continue
        found.add((field.model_name, field.name))
        if field.inherited or (field.related and not field.readonly):
            ends = [_last(pool, field.model_name, field.related)]
        elif field.compute and field.inverse:
            ends = _set_by_inverse(pool, field)
        else:
            ends = []
        todo += [one for one in ends if one is not None and _alike(one, field)]
    return found


def _set_by_inverse(pool, field):
    """Those fields that one is worked out of, and that its inverse sets. One inverse
    may be that of many fields: then the one with the same name."""
    paths = pool.field_depends[field]
    ends = [_last(pool, field.model_name, path) for path in paths]
    names = set_in(pool, field.model_name, field.inverse)
    ends = [one for one in ends if one is not None and one.name in names]
    alike = [one for one in ends if f"_{field.name}".endswith(f"_{one.name}")]
    return alike or ends


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
