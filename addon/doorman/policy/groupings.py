"""What groups and measures may be made of, by the type of a field."""

from odoo.fields import Domain
from odoo.orm.models import READ_GROUP_AGGREGATE
from odoo.orm.utils import (
    READ_GROUP_NUMBER_GRANULARITY,
    READ_GROUP_TIME_GRANULARITY,
)

from .field_values import NUMBERS
from .refusal import Refusal, _lt
from .suggestions import near_hint

# What Odoo raises for a malformed domain.
NO_DOMAIN = (ValueError, TypeError, AttributeError, RecursionError)
DATES = ("date", "datetime")
# Odoo's own conversion of amounts, which is none of the functions above.
SUM_CURRENCY = "sum_currency"
STEPS = [*READ_GROUP_TIME_GRANULARITY, *READ_GROUP_NUMBER_GRANULARITY]
# Types that a function works on; the others work on all.
WORK_ON = {
    **dict.fromkeys(("sum", "avg"), NUMBERS),
    SUM_CURRENCY: ("monetary",),
    **dict.fromkeys(("bool_and", "bool_or"), ("boolean",)),
    **dict.fromkeys(
        ("min", "max"), (*NUMBERS, *DATES, "char", "text", "selection", "many2one")
    ),
}
COMPARE = ("=", "!=", "<", ">", "<=", ">=", "in", "not in")


def check_group(model, field, spec, how):
    """:param how: what follows the colon, or None"""
    name = f"{model._name}.{field.name}"
    if field.type == "properties":
        return  # by one of them, whose type its own definition tells
    if how and field.type not in DATES:
        raise Refusal(
            "not_groupable",
            _lt(
                "%(field)s is not a date, so it cannot be grouped by %(how)s.",
                field=name,
                how=how[:40],
            ),
            _lt("Group by %(bare)s only.", bare=field.name),
        )
    if how and how not in STEPS:
        raise Refusal(
            "not_groupable",
            _lt("%(field)s cannot be grouped by %(how)r.", field=name, how=how[:40]),
            near_hint(how, STEPS, every=True),
        )
    if not how and "." not in spec and not field._description_groupable(model.env):
        raise Refusal(
            "not_groupable",
            _lt(
                "You cannot group by %(field)s: Odoo does not store it as one value.",
                field=name,
            ),
            _lt("Call describe_model to see which fields you can group by."),
        )


def check_measure(model, field, how):
    """:param how: the function, or None"""
    name = f"{model._name}.{field.name}"
    known = [*READ_GROUP_AGGREGATE, SUM_CURRENCY]
    if how not in known:
        raise Refusal(
            "not_measurable",
            _lt(
                "%(field)s needs an aggregate function, such as %(bare)s:sum.",
                field=name,
                bare=field.name,
            ),
            near_hint(how or "", known, every=True),
        )
    if field.type not in WORK_ON.get(how, (field.type,)):
        raise Refusal(
            "not_measurable",
            _lt(
                "%(how)s does not work on %(field)s: its type is %(type)s.",
                how=how,
                field=name,
                type=field.type,
            ),
            _lt(
                "Use %(bare)s:count_distinct to count distinct values.",
                bare=field.name,
            ),
        )


def malformed():
    """:return: the refusal of a malformed domain"""
    return Refusal(
        "malformed_domain",
        _lt("The domain is malformed."),
        _lt(
            'A condition is [field, operator, value]; "&", "|" and "!" come before '
            "the conditions they join."
        ),
    )


def check_having(having, known):
    """Check a domain over measures.

    :param known: the measures that it may name
    """
    try:
        conditions = list(Domain(having).iter_conditions())
    except NO_DOMAIN as exc:
        raise malformed() from exc
    for condition in conditions:
        _check_compared(condition)
        if condition.field_expr not in known:
            raise Refusal(
                "malformed_having",
                _lt("%(field)r is not among the measures.", field=condition.field_expr),
            )


def _check_compared(condition):
    name, operator, value = (
        condition.field_expr,
        condition.operator,
        condition.value,
    )
    if operator not in COMPARE:
        raise Refusal(
            "malformed_having",
            _lt(
                "%(field)s of a group cannot be compared with the operator "
                "%(operator)r.",
                field=name,
                operator=operator,
            ),
            _lt("Available: %(choices)s.", choices=", ".join(COMPARE)),
        )
    many = operator in ("in", "not in")
    values = list(value) if many and isinstance(value, list | tuple | set) else [value]
    if (many and not isinstance(value, list | tuple | set)) or not all(
        isinstance(one, int | float) and not isinstance(one, bool) for one in values
    ):
        raise Refusal(
            "malformed_having",
            _lt(
                "%(field)s of a group must be compared with a list of numbers.",
                field=name,
            )
            if many
            else _lt(
                "%(field)s of a group must be compared with a number.", field=name
            ),
        )
