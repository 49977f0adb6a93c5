"""The rules per model, where Odoo itself meets them.

Odoo's rights govern what code does, the policy what the caller names and what leaves.
So the rules are in force on a cursor while a connection's call runs on it, for its
user, and not in a stretch of Odoo's own code: while a field is worked out, or a change
runs.
"""

from contextlib import contextmanager, nullcontext

from odoo.fields import Domain

from . import ledger, masks, owners
from .model_rules import HIDDEN, values_of

ATTRIBUTE = "doorman_rules"
NOTHING = nullcontext()
# What a record is called that this connection does not see.
NOT_SHOWN = "(not shown)"


class InForce:
    """The rules of the call that runs on a cursor."""

    def __init__(self, rules, uid, key):
        self.rules = rules
        self.uid = uid
        # The connection and its version: Odoo caches nothing across them.
        self.key = key
        self.domains = {}
        # How many stretches of Odoo's code have begun and not ended.
        self.paused = 0

    def domain(self, env, model):
        """:return: as ``Rules.domain``, worked out once"""
        if not self.rules.leaves_out(model):
            return None
        key = tuple(map(str, (model, *values_of(env).values())))
        if key not in self.domains:
            mine = self.rules.domain(env, model)
            hanging = owners.of_records_there(
                env, model, self.rules.partly, self.domain
            )
            files = owners.not_of_fields(env, model, self.rules)
            parts = [one for one in (mine, hanging, files) if one is not None]
            self.domains[key] = Domain.AND(parts)
        return self.domains[key]


def begin(cr, rules, uid, key):
    """From now on the rules of a call are in force on a cursor.

    :param rules: Rules, or None for a connection without any
    """
    if rules is not None:
        setattr(cr, ATTRIBUTE, InForce(rules, uid, key))
    else:
        end(cr)


def end(cr):
    """No rules are in force any more."""
    if hasattr(cr, ATTRIBUTE):
        delattr(cr, ATTRIBUTE)


@contextmanager
def until_the_end(cr):
    """The time in which one call runs, whatever rules it begins with."""
    try:
        yield
    finally:
        end(cr)


def any_of(cr):
    """:return: the InForce of the call that runs on a cursor, also while Odoo's own
    code works; or None"""
    return getattr(cr, ATTRIBUTE, None)


def of(env):
    """:return: the InForce of an environment, or None"""
    found = any_of(env.cr)
    if found is None or found.paused or env.su or env.uid != found.uid:
        return None
    noted = ledger.of(env.cr)
    if noted is not None and noted.regions:
        return None
    return found


@contextmanager
def _paused(found):
    found.paused += 1
    try:
        yield
    finally:
        found.paused -= 1


def code(cr):
    """The time in which Odoo's own code works, with values of its own."""
    if ledger.of(cr) is not None:
        return ledger.code(cr)
    found = any_of(cr)
    return NOTHING if found is None else _paused(found)


# ---- what leaves ----


def name_of(record):
    """What a record is called, as text, as far as the caller may know that."""
    return called(record, str(record.display_name or ""))


def called(record, name):
    """:param str name: what a record is called in Odoo
    :return: what is said about that
    """
    found = of(record.env)
    if found is None:
        return name
    if record.id and found.rules.leaves_out(record._name):
        if not those_seen(record.env, record._name, (record.id,)):
            return NOT_SHOWN
    return _name(found.rules, record._name, record.id, name)


def _name(rules, model, ident, name):
    closed = rules.names.get(model)
    if closed is None:
        return name
    if closed.how == HIDDEN:
        return f"{model} {ident}"
    return masks.mask(closed.how, name)


def those_seen(env, model, ids):
    """Those of some ids whose records there are for the connection."""
    known = env[model].with_context(active_test=False)
    if not known.has_access("read"):
        return set()
    return set(known.search([("id", "in", list(ids))]).ids)


def values(found, records, rows):
    """What is said about the rows that Odoo has read.

    :param found: the InForce
    :param records: whose values they are, or the empty recordset of their model
    :param rows: dicts by field name; they are changed
    """
    model, rules = records._name, found.rules
    linked = []
    for name in rows[0] if rows else ():
        field = records._fields.get(name)
        if field is None:
            continue
        if closed := rules.closed(model, name):
            for row in rows:
                row[name] = value_of(closed, row.get(name))
        elif name == "display_name":
            for row in rows:
                row[name] = _name(rules, model, row.get("id"), row[name])
        elif field.relational and _is_limited(rules, field.comodel_name):
            linked.append(field)
        elif field.type == "properties":
            for row in rows:
                _properties(rules, row[name])
    if linked:
        seen = _seen_by_model(records.env, rules, linked, rows)
        for field in linked:
            _linked(rules, field, rows, seen.get(field.comodel_name))
    return rows


def _properties(rules, properties):
    """What is said about properties that link to records: no names where rules speak of
    these."""
    for one in properties if isinstance(properties, list) else ():
        if not _is_limited(rules, one.get("comodel")) or not one.get("value"):
            continue
        held = one["value"]
        if one.get("type") == "many2one":
            one["value"] = (held[0], NOT_SHOWN)
        elif one.get("type") == "many2many":
            one["value"] = [(pair[0], NOT_SHOWN) for pair in held]


def _is_limited(rules, model):
    return rules.leaves_out(model) or model in rules.names


def _seen_by_model(env, rules, fields, rows):
    """Which of the linked records there are: one question for each model.

    :return: ``{model: ids}``
    """
    ids = {}
    for field in fields:
        if rules.leaves_out(field.comodel_name):
            some = ids.setdefault(field.comodel_name, set())
            some.update(i for row in rows for i in _ids(row[field.name]))
    return {model: those_seen(env, model, some) for model, some in ids.items()}


def _ids(value):
    """The ids in the value of a relation, as Odoo reads it."""
    if isinstance(value, tuple):
        return value[:1]
    return value if isinstance(value, list) else [value] if value else ()


def value_of(closed, held):
    """What is said about the value of a closed field."""
    return False if closed.how == HIDDEN else masks.mask(closed.how, held)


def groups(model, rows, specs):
    """The same for groups, which are called by linked records.

    :param model: the empty recordset that is grouped
    :param specs: what it is grouped by
    """
    found = of(model.env)
    for spec in specs if found is not None else ():
        other, seen = _grouped_by(model, spec), None
        if not other:
            continue
        if found.rules.leaves_out(other):
            ids = {pair[0] for row in rows if (pair := row.get(spec))}
            seen = those_seen(model.env, other, ids)
        _pairs(found.rules, other, rows, spec, seen)


def _grouped_by(model, spec):
    """:return: the model of the records by which groups are called; "" if by none.
    Groups by ``id`` are called by the record itself."""
    name, _point, rest = spec.partition(".")
    field = model._fields.get(name)
    if name == "id":
        return model._name
    if field is not None and field.type == "properties" and rest:
        path = spec.partition(":")[0]
        return model.get_property_definition(path).get("comodel") or ""
    if field is None or not field.relational:
        return ""
    return (
        _grouped_by(model.env[field.comodel_name], rest) if rest else field.comodel_name
    )


def cell(env, path, field, value):
    """What is told in a cell of an export.

    :param str path: of its column, in Odoo's form
    :param field: at the end of the path
    """
    found = of(env)
    if found is None:
        return value
    if closed := found.rules.closed(field.model_name, field.name):
        return value_of(closed, value)
    named = field.comodel_name if field.relational else field.model_name
    if field.relational or path.endswith("display_name"):
        closed = found.rules.names.get(named)
        if closed and value:
            return NOT_SHOWN if closed.how == HIDDEN else masks.mask(closed.how, value)
    return value


def _linked(rules, field, rows, seen):
    """:param seen: ids of the linked records that exist; None for all"""
    if field.type == "many2one":
        _pairs(rules, field.comodel_name, rows, field.name, seen)
    elif seen is not None:
        for row in rows:
            row[field.name] = [i for i in row[field.name] or () if i in seen]


def _pairs(rules, model, rows, key, seen):
    """What is said about the ``[id, name]`` of a linked record in each row."""
    for row in rows:
        pair = row.get(key)
        if not isinstance(pair, list | tuple) or len(pair) < 2:
            continue
        name = _name(rules, model, pair[0], pair[1])
        if seen is not None and pair[0] not in seen:
            name = NOT_SHOWN
        row[key] = type(pair)((pair[0], name, *pair[2:]))
