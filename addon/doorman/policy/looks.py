"""Whether a connection may look where a field looks (reach.py): by its list of models,
and by its rules per model.

Reads, conditions, orders, groups, measures, exports and name searches (looks_names.py)
all ask here.
"""

from . import closed_fields, reach, shared
from .model_rules import CREATE, HIDDEN, READ, WRITE
from .refusal import Refusal, _lt

# What a field does where it is named.
VALUE, CONDITION, ORDER = reach.VALUE, reach.CONDITION, reach.ORDER
TREE, LEADS, NAMES = "tree", "leads", "names"


def is_limited(guard):
    """Whether a connection has a policy by which one model may tell of another one that
    is closed. For all others nothing is looked up."""
    return bool(
        guard.allowed is not None or guard.rules is not None or guard.asks_to_read
    )


def why_not(guard, model, reached, closes=True):
    """Whether a connection may look at something that a field leads to.

    :param guard: the rules of the connection
    :param model: the empty recordset of the field's own model
    :param reached: what the field leads to, as reach.py tells it
    :param bool closes: whether fields count that a rule closes
    :return: why not, as the end of a sentence, in words that Odoo can translate; "" if
        it may
    """
    for one in sorted(reached):
        if guard.rules is not None and (why := _why_closed(guard.rules, one, closes)):
            return why
        if one.model == model._name:
            continue
        if closed_fields.is_withheld(one.field):
            return _lt(
                "%(model)s.%(field)s, which is withheld from AI tools",
                model=one.model,
                field=one.field,
            )
        limited = guard.allowed is not None or guard.rules is not None
        if limited and not guard.may_use(one.model):
            return _lt("%(model)s, which this connection cannot use", model=one.model)
        if one.model in guard.asks_to_read:
            return _lt(
                "%(model)s, which cannot be read without approval",
                model=one.model,
            )
    return ""


def _why_closed(rules, one, closes):
    """The same, by the rules per model."""
    if one.linked and rules.is_partly(one.model):
        return partly(one.model)
    if not closes:
        return ""
    closed = rules.closed(one.model, one.field)
    if closed:
        return by_rule(one.model, one.field)
    if not one.field and rules.closes_any(one.model):
        return _lt(
            "%(model)s, some of whose fields a rule of this connection blocks",
            model=one.model,
        )
    if one.field == reach.NAME and one.model in rules.names:
        return _lt(
            "names of %(model)s, which a rule of this connection blocks",
            model=one.model,
        )
    return ""


def partly(model):
    """:return: the end of a sentence about a model whose domain leaves out records"""
    return _lt(
        "%(model)s, of which this connection can see only some records", model=model
    )


def by_rule(model, field):
    """:return: the end of a sentence about a field that a rule closes"""
    return _lt(
        "%(model)s.%(field)s, which a rule of this connection blocks",
        model=model,
        field=field,
    )


def _check_closed(guard, model, field, masked):
    """:return: whether it is masked, and that will do
    :raise Refusal: if a rule closes the field itself
    """
    closed = guard.rules.closed(model._name, field.name)
    if closed is None or (masked and closed.how != HIDDEN):
        return closed is not None
    is_hidden = closed.how == HIDDEN
    what = f"{model._name}.{field.name}"
    if is_hidden:
        words = _lt("A rule of this connection's policy hides %(what)s.", what=what)
    else:
        words = _lt("A rule of this connection's policy masks %(what)s.", what=what)
    if closed.named != what:
        words = _lt(
            "%(words)s It shows what is in %(named)s.", words=words, named=closed.named
        )
    raise Refusal(
        "field_closed_by_rule",
        words,
        _lt("Leave it out.") if is_hidden else _lt("It can only be read."),
        model=model._name,
        field=field.name,
    )


def check_value(guard, model, field, masked=False):
    """:param bool masked: whether it may be one whose value is told masked
    :raise Refusal: if the field shows what this connection may not look at
    """
    is_closed = guard.rules is not None and _check_closed(guard, model, field, masked)
    reached = reach.of_value(guard.env, field)
    if why := why_not(guard, model, reached, closes=not is_closed):
        raise refusal(model, field, VALUE, why)


def closed(guard, model, field):
    """Why a field is not read, as a sentence in English; "" if it is."""
    try:
        check_value(guard, model, field, masked=True)
    except Refusal as refusal:
        return refusal.message
    return ""


def described(guard, model, field, told):
    """What is said of a field that is read.

    :param dict told: by Odoo
    """
    rules = guard.rules
    if rules is not None and rules.closed(model._name, field.name):
        return told | {
            "searchable": False,
            "sortable": False,
            "groupable": False,
            "aggregator": False,
            "readonly": True,
        }
    if is_limited(guard) and told.get("searchable") and field.name != reach.NAME:
        reached = reach.of_condition(guard.env, field)
        return told | {"searchable": not why_not(guard, model, reached)}
    return told


def check_operation(guard, name, operation):
    """:param str name: technical name of a model
    :param str operation: of model_rules.OPERATIONS
    :raise Refusal: if a rule does not let it pass
    """
    if guard.rules is None or guard.rules.may(name, operation):
        return
    if operation == READ:
        words = _lt(
            "The rules of this connection do not let it read %(model)s.", model=name
        )
    elif operation == CREATE:
        words = _lt(
            "The rules of this connection do not let it create records of %(model)s.",
            model=name,
        )
    elif operation == WRITE:
        words = _lt(
            "The rules of this connection do not let it change records of %(model)s.",
            model=name,
        )
    else:
        words = _lt(
            "The rules of this connection do not let it delete records of %(model)s.",
            model=name,
        )
    hint = _lt("Call list_models to see what is allowed on each model.")
    raise Refusal("operation_not_allowed", words, hint)


def is_closed(guard, name, field):
    """Whether a rule hides or masks a field.

    :param str name: technical name of its model
    :param str field: its name
    """
    return guard.rules is not None and guard.rules.closed(name, field) is not None


def is_told(guard, name, field):
    """Whether the value of a field may be told, masked or not.

    :param str name: technical name of its model
    :param str field: its name
    """
    if closed_fields.is_withheld(field):
        return False
    closed = guard.rules and guard.rules.closed(name, field)
    return not closed or closed.how != HIDDEN


def check_exported(guard, field):
    """Odoo exports the names of linked records without its record rules.

    :raise Refusal: if a column would tell those of records that are not there
    """
    if guard.rules is not None and field.type == "many2one":
        model = guard.env[field.model_name]
        _check_all_seen(guard, model, field, NAMES, field.comodel_name)


def _check_all_seen(guard, model, field, how, name):
    """:param str how: as for ``refusal``
    :param str name: technical name of the model that the field leads to
    :raise Refusal: if the connection sees only some records of that model
    """
    if guard.rules.leaves_out(name) and not reach.hangs_on_it(field):
        raise refusal(model, field, how, partly(name))


def check_tree(guard, model, field, operator):
    """Odoo goes up and down a tree of records without its record rules.

    :raise Refusal: if only some of these records are there for the connection
    """
    if guard.rules is None or operator not in ("child_of", "parent_of"):
        return
    name = field.comodel_name if field.relational else model._name
    parent = guard.env[name]._parent_name
    if is_closed(guard, name, parent):
        raise refusal(model, field, TREE, by_rule(name, parent))
    _check_all_seen(guard, model, field, TREE, name)


def sorts_by_closed(guard, model, terms):
    """Whether a rule closes what Odoo would sort by, if nobody named an order.

    :param terms: fields, or what is grouped by
    """
    if guard.rules is None:
        return False
    for term in terms:
        name = term.partition(":")[0].partition(".")[0]
        field = model._fields.get(name)
        if field is None:
            continue
        if is_closed(guard, model._name, name):
            return True
        if why_not(guard, model, reach.of_order(guard.env, field)):
            return True
    return False


def check_sorted(guard, model, order):
    """What stands for itself in an order, such as a group, may be closed as well.

    :param str order: as it was checked
    :raise Refusal: if a rule closes what it sorts by
    """
    terms = [term.split()[0] for term in order.split(",") if term.strip()]
    if sorts_by_closed(guard, model, terms):
        raise Refusal(
            "field_closed_by_rule",
            _lt(
                "%(order)r sorts by something that a rule of this connection's "
                "policy blocks.",
                order=order[:80],
            ),
            _lt("Leave the order out."),
        )


def check_steps(guard, model, path):
    """Odoo sorts, groups and measures along a path without its record rules.

    :raise Refusal: if a path leads to records of which only some are there
    """
    *steps, _last = path.split(".")
    for step in steps if guard.rules is not None else ():
        field = model._fields[step]
        if not field.relational:
            return
        _check_all_seen(guard, model, field, LEADS, field.comodel_name)
        model = guard.env[field.comodel_name]


def check_condition(guard, model, field):
    """:raise Refusal: if a condition on it looks where this connection may not"""
    if not is_limited(guard):
        return
    if why := why_not(guard, model, reach.of_condition(guard.env, field)):
        raise refusal(model, field, CONDITION, why)


def check_order(guard, model, field):
    """:raise Refusal: if the field sorts by what this connection may not look at"""
    if not is_limited(guard):
        return
    if why := why_not(guard, model, reach.of_order(guard.env, field)):
        raise refusal(model, field, ORDER, why)


def refusal(model, field, how, why):
    """:param str how: what the field does there, one of the words above
    :param why: as ``why_not`` gives it
    :return: Refusal
    """
    name = f"{model._name}.{field.name}"
    words = {
        VALUE: _lt("%(name)s reveals part of %(why)s.", name=name, why=why),
        CONDITION: _lt("%(name)s looks into %(why)s.", name=name, why=why),
        TREE: _lt(
            "%(name)s with child_of or parent_of looks into %(why)s.",
            name=name,
            why=why,
        ),
        ORDER: _lt("%(name)s sorts by %(why)s.", name=name, why=why),
        LEADS: _lt("%(name)s leads to %(why)s.", name=name, why=why),
        NAMES: _lt("%(name)s reveals names of %(why)s.", name=name, why=why),
    }
    facts = {"model": model._name, "field": field.name}
    return Refusal("looks_too_far", words[how], _lt(shared.SAY_LEAVE_OUT), **facts)
