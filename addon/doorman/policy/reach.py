"""What a field's value is taken from, and what a condition on it looks into.

    a column ─────────────── itself
    related ──────────────── every step of its path, and the field at its end
    display_name ─────────── what Odoo searches names by, and what that reaches
    searched by a method ─── what it depends on, and what its code names
    sorted by a relation ─── the order of the other model, and what that reaches

A connection that may use one model must not learn of another one by a field that only
shows it. All of it is asked of the registry, once a field: no list of fields is kept.

What counts as a record's own: the parents that it inherits by ``_inherits``, what hangs
on it (activities, messages), and a copy that its own table keeps of a record that it
cannot be without, such as an order line's state.
"""

from typing import NamedTuple

from odoo.models import BaseModel

from . import closed_models
from .code_reach import mentioned
from .field_values import TEXTS

NAME = "display_name"
# What is asked of a field.
VALUE, CONDITION, ORDER, WORKED_OUT = "value", "condition", "order", "worked out"


class Reached(NamedTuple):
    """A field of another record. One without a name stands for all of that model."""

    model: str
    field: str
    # Whether it may be of another record; else it is the record's own.
    linked: bool = True


def of_value(env, field):
    """What the value of a field is taken from, besides its own record.

    :param env: any; nothing is read with it
    :param field: of Odoo's
    :return: a frozenset of Reached
    """
    return _all_of(env, VALUE, field)


def of_condition(env, field):
    """What a condition on a field looks into, besides its own record: as ``of_value``.
    Of a relation: by its ids, not by names."""
    return _all_of(env, CONDITION, field)


def of_names(env, name):
    """What a search for the names of a model's records looks into.

    :param str name: technical name of the model
    """
    return of_condition(env, env[name]._fields[NAME])


def of_order(env, field):
    """What decides the order of records that are sorted by a field."""
    return _all_of(env, ORDER, field)


def name_paths(model):
    """:return: the fields that Odoo searches the names of a model's records by"""
    return [path for path in model._rec_names_search or [model._rec_name] if path]


def searches_names_its_own_way(env, name):
    """Whether a model has a name search of its own, which may look anywhere."""
    return any(
        "_search_display_name" in vars(cls)
        for cls in env.registry[name].__mro__
        if cls is not BaseModel
    )


def parts_of(env, name):
    """:return: the model and the parents that its records are made of"""
    found = {name}
    for parent in env.registry[name]._inherits:
        found |= parts_of(env, parent)
    return found


def _all_of(env, kind, field):
    """Follow a field to all that it reaches, once a registry."""
    pool = env.registry
    sequence, known = getattr(pool, "doorman_reach", (None, {}))
    if sequence != pool.registry_sequence:
        known = {}
        pool.doorman_reach = (pool.registry_sequence, known)
    key = (kind, field.model_name, field.name)
    if field.name == NAME:  # where names are searched may depend on the context
        key += tuple(name_paths(env[field.model_name]))
    if key not in known:
        walk = _Walk(env)
        walk.all_of(kind, field)
        known[key] = frozenset(walk.found)
    return known[key]


class _Walk:
    """A walk over the fields that one field leads to."""

    def __init__(self, env):
        self.env = env
        self.found = set()
        self.seen = set()
        self.todo = []

    def all_of(self, kind, field):
        ask = {
            VALUE: self.value,
            CONDITION: self.condition,
            ORDER: self.order,
            WORKED_OUT: self.worked_out,
        }
        self.todo.append((kind, field))
        while self.todo:
            kind, field = one = self.todo.pop()
            if one not in self.seen:
                self.seen.add(one)
                ask[kind](field)

    def reached(self, field, model, name, linked=True):
        """Note what a field leads to. What its record inherits by ``_inherits`` is its
        own."""
        if model == field.model_name:
            self.found.add(Reached(model, name, linked))
        elif model not in parts_of(self.env, field.model_name):
            self.found.add(Reached(model, name))

    def path(self, field, path, *kinds):
        """Note what is on a path of fields, and ask the same of each.

        :param kinds: what to ask of them
        """
        steps = enumerate(_steps(self.env.registry, field.model_name, path))
        for number, (step, hanging) in steps:
            if not hanging:
                self.reached(field, step.model_name, step.name, linked=number > 0)
            self.todo += [(kind, step) for kind in kinds]

    def value(self, field):
        if field.inherited:
            self.todo.append((VALUE, field.related_field))
        elif field.related and not is_own_copy(self.env.registry, field):
            self.path(field, field.related, VALUE)

    def condition(self, field):
        if field.inherited:
            self.todo.append((CONDITION, field.related_field))
            return
        self.value(field)
        if field.related and not is_own_copy(self.env.registry, field):
            self.todo.append((CONDITION, field.related_field))
        elif field.store:
            return
        if field.name == NAME:
            self.names(field)
        elif isinstance(field.search, str) or (field.search and not field.related):
            self.worked_out(field)
            self.code(field, field.search)

    def names(self, field):
        """:param field: a model's display_name"""
        model = self.env[field.model_name]
        for path in name_paths(model):
            self.path(field, path, CONDITION)
            last = _last(self.env, model._name, path)
            if last is not None and last.relational:
                other = self.env[last.comodel_name]._fields[NAME]
                self.reached(field, last.comodel_name, NAME)
                self.todo.append((CONDITION, other))
        if searches_names_its_own_way(self.env, model._name):
            self.code(field, "_search_display_name")

    def worked_out(self, field):
        """What a field that is worked out depends on, and what that depends on."""
        if field.store or not field.compute:
            return
        for path in self.env.registry.field_depends[field]:
            self.path(field, path, VALUE)
            last = _last(self.env, field.model_name, path)
            if last is not None:
                self.todo.append((WORKED_OUT, last))

    def code(self, field, method):
        """What a method names. Odoo's machinery, which it may ask for its settings, and
        what hangs on its record, holds no business data."""
        if method is True:
            return
        by_name = field.type in TEXTS
        for model, name in mentioned(self.env, field.model_name, method, by_name):
            if model == field.model_name:
                if name:
                    self.reached(field, model, name, linked=False)
                    self.todo.append((WORKED_OUT, self.env[model]._fields[name]))
            elif not (
                model.startswith("ir.")
                or closed_models.on_floor(model)
                or model in closed_models.FOLLOWERS
                or self.env.registry[model]._abstract
            ):
                self.reached(field, model, name)

    def order(self, field):
        self.value(field)
        if field.type != "many2one" or field.comodel_name not in self.env.registry:
            return
        other = self.env[field.comodel_name]
        for term in other._order.split(","):
            name = term.split()[0].partition(".")[0] if term.strip() else ""
            if one := other._fields.get(name):
                self.reached(field, other._name, name)
                self.todo.append((ORDER, one))


def _steps(registry, name, path):
    """The fields on a path, and whether each is of a record that hangs on the one
    before it."""
    hanging = False
    for step in path.split("."):
        field = registry[name]._fields.get(step)
        if field is None:
            return
        yield field, hanging
        if not field.relational or field.comodel_name not in registry:
            return
        name, hanging = field.comodel_name, hangs_on_it(field)


def _last(env, name, path):
    """:return: the field at the end of a path, or None if there is no such path"""
    found = [field for field, _hanging in _steps(env.registry, name, path)]
    return found[-1] if len(found) == path.count(".") + 1 else None


def hangs_on_it(field):
    """Whether a relation leads to what hangs on the record, such as its activities."""
    return (
        field.comodel_name in closed_models.FOLLOWERS
        and getattr(field, "inverse_name", None) == "res_id"
    )


def is_own_copy(registry, field):
    """Whether the table of a related field keeps it, by way of records that its own
    could not be without."""
    if not field.store:
        return False
    path = _steps(registry, field.model_name, field.related)
    links = [f for f, _hanging in path][:-1]
    return all(
        link.type == "many2one" and (link.required or link.ondelete == "cascade")
        for link in links
    )
