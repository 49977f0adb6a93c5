"""The rules per model, where Odoo itself meets them.

Odoo's rights govern what code does, the policy what the caller names and what leaves.
So the rules are in force on a cursor while a connection's call runs on it, for its
user, and not in a stretch of Odoo's own code: while a field is worked out, or a change
runs.
"""

from contextlib import contextmanager, nullcontext

from . import ledger, masks
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
        # Of the connection and its version: what Odoo caches for it is nobody else's.
        self.key = key
        self.domains = {}
        # How many stretches of Odoo's code have begun and not ended.
        self.paused = 0

    def domain(self, env, model):
        """:return: as ``Rules.domain``, worked out once"""
        key = (model, *values_of(env).values()) if self.rules.is_partly(model) else None
        if key is None:
            return None
        key = tuple(map(str, key))
        if key not in self.domains:
            self.domains[key] = self.rules.domain(env, model)
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


def of(env):
    """:return: the InForce of an environment, or None"""
    found = getattr(env.cr, ATTRIBUTE, None)
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
    found = getattr(cr, ATTRIBUTE, None)
    return NOTHING if found is None else _paused(found)


# ---- what leaves ----


def name_of(record):
    """What a record is called, as text, as far as the caller may know that."""
    return called(record, str(record.display_name or ""))


def called(record, name):
    """:param str name: what a record is called in Odoo
    :return: what is told of that
    """
    found = of(record.env)
    if found is None:
        return name
    if record.id and found.rules.is_partly(record._name):
        if not _seen(record.env, record._name, (record.id,)):
            return NOT_SHOWN
    return _name(found.rules, record._name, record.id, name)


def _name(rules, model, ident, name):
    closed = rules.names.get(model)
    if closed is None:
        return name
    if closed.how == HIDDEN:
        return f"{model} {ident}"
    return masks.mask(closed.how, name)


def _seen(env, model, ids):
    """Those of some ids whose records there are for the connection."""
    known = env[model].with_context(active_test=False)
    return set(known.search([("id", "in", list(ids))]).ids)


def values(found, records, rows):
    """What is told of the rows that Odoo has read.

    :param found: the InForce
    :param records: whose values they are, or the empty recordset of their model
    :param rows: dicts by field name; they are changed
    """
    model, rules = records._name, found.rules
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
        elif field.relational:
            _linked(records.env, rules, field, rows)
    return rows


def value_of(closed, held):
    """What is told of the value of a closed field."""
    return False if closed.how == HIDDEN else masks.mask(closed.how, held)


def groups(model, rows, specs):
    """The same for groups, which are called by linked records.

    :param model: the empty recordset that is grouped
    :param specs: what it is grouped by
    """
    found = of(model.env)
    for spec in specs if found is not None else ():
        field = model._fields.get(spec)
        if field is not None and field.relational:
            pairs(model.env, found.rules, field.comodel_name, rows, spec)


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


def _linked(env, rules, field, rows):
    other, name = field.comodel_name, field.name
    partly = rules.is_partly(other)
    if not partly and other not in rules.names:
        return
    if field.type != "many2one":
        if partly:
            seen = _seen(env, other, {i for row in rows for i in row[name] or ()})
            for row in rows:
                row[name] = [i for i in row[name] or () if i in seen]
        return
    pairs(env, rules, other, rows, name)


def pairs(env, rules, model, rows, key):
    """The same for ``[id, name]`` of a linked record.

    :param model: of the linked records
    :param key: of the pair in each row
    """
    held = [row[key] for row in rows if isinstance(row.get(key), list | tuple)]
    seen = None
    if rules.is_partly(model):
        seen = _seen(env, model, {pair[0] for pair in held})
    for row in rows:
        pair = row.get(key)
        if not isinstance(pair, list | tuple) or len(pair) < 2:
            continue
        name = _name(rules, model, pair[0], pair[1])
        if seen is not None and pair[0] not in seen:
            name = NOT_SHOWN
        row[key] = type(pair)((pair[0], name, *pair[2:]))
