"""Records in groups: how many, and their sums, as the user would see them in Odoo.

checks ── order, having (currencies.py) ── Odoo's own method ── amounts by currency
       ── the days of groups where the user is ── whose records these are
"""

from datetime import UTC, datetime

import babel.dates

from odoo.orm.utils import (
    READ_GROUP_NUMBER_GRANULARITY,
    READ_GROUP_TIME_GRANULARITY,
)
from odoo.tools.misc import get_lang

from ..policy import in_force
from ..policy.groupings import DATES, check_having
from ..policy.own_records import by_company, own_fields
from ..policy.redact_links import withhold_links_in
from ..policy.refusal import Refusal, _lt
from . import row_counts
from .arguments import only
from .currencies import Amounts
from .operations import operation
from .search import _domain, _paging


@operation(
    "formatted_read_group",
    tool="aggregate_records",
    reads=True,
    shares=True,
    rows=row_counts.groups,
)
def formatted_read_group(call):
    """Groups with their measures.

    :return: as Odoo's own method gives them; where ``facts`` are asked for
        ``{groups, ...}``, with the currency of every amount, and what else has to be
        known to understand the numbers (``_facts``), or where there are more
    :raise Refusal: also if amounts of several currencies would be one number
    """
    guard, model, kwargs = call.guard, call.model, dict(call.kwargs)
    only(
        kwargs,
        *("domain", "groupby", "aggregates", "having", "offset", "limit", "order"),
        "facts",
    )
    facts = kwargs.pop("facts", None)
    groupby = kwargs["groupby"] = kwargs.get("groupby") or []
    aggregates = kwargs["aggregates"] = kwargs.get("aggregates") or []
    if not groupby and not aggregates:
        raise Refusal(
            "measure_missing", _lt("Specify what to group by, or what to measure.")
        )
    guard.specs(model, groupby, "group by")
    guard.specs(model, aggregates, "measure")
    check_having(kwargs.get("having") or [], aggregates)
    kwargs = _paging(guard, model, kwargs, (*groupby, *aggregates))
    limit = kwargs["limit"]
    kwargs["limit"], _give = call.page(limit)
    kwargs["domain"] = _domain(guard, model, kwargs)
    amounts = Amounts(guard, model, kwargs, facts)
    groups, more = call.cut(amounts.groups(), limit)
    in_force.groups(model, groups, groupby)
    if not facts:
        return withhold_links_in({"groups": groups} | more if more else groups)
    for spec in dict.fromkeys(groupby):
        tell = _teller(guard, model, spec)
        for group in groups:
            group[spec] = tell(group[spec])
    answer = {"groups": groups} | _facts(guard, model, groupby) | amounts.facts()
    answer |= more
    return withhold_links_in(answer)


# ---- the values of groups ----


def _teller(guard, model, spec):
    """:return: a function that makes of the value of a group what is said about it"""
    path, _colon, how = spec.partition(":")
    _owner, field = guard.path(model, path)
    if field.type not in DATES:
        return lambda value: value
    env = guard.env
    if how in READ_GROUP_NUMBER_GRANULARITY:
        names = _names(env, how)
        return lambda value: _number(value, names)
    if field.type == "datetime" and how in READ_GROUP_TIME_GRANULARITY:
        return lambda value: value and _time(env, how, *value)
    return lambda value: value and dict(zip(("from", "label"), value, strict=True))


def _time(env, how, start, label):
    """:param str start: as Odoo gives it: in UTC, where it may be of the day before"""
    found = datetime.fromisoformat(start).replace(tzinfo=UTC).astimezone(env.tz)
    if how == "hour":
        # Odoo's own has two o'clock twice a day.
        label = babel.dates.format_datetime(
            found, "HH:00 dd MMM", tzinfo=env.tz, locale=get_lang(env).code
        )
    return {"from": found.isoformat(), "label": label}


def _names(env, how):
    """The names of the numbers of a group; none where the number says it all."""
    locale = get_lang(env).code
    if how == "day_of_week":
        # 0 is Sunday in a group, and Monday there.
        days = babel.dates.get_day_names("wide", "stand-alone", locale)
        return {number: days[(number - 1) % 7] for number in range(7)}
    if how == "month_number":
        return babel.dates.get_month_names("wide", "stand-alone", locale)
    return {}


def _number(value, names):
    if value is False or value is None:
        return False
    value = int(value)
    return {"value": value, "label": names[value]} if names else value


# ---- what has to be known besides ----


def _facts(guard, model, groupby):
    """What the numbers are of.

    :return: ``time_zone`` that days are of; ``own``, the labels of the fields by which
        they are of the user's own records alone; ``companies`` that are added up, and
        ``other_companies``, how many more the user has; each only where it matters
    """
    env, facts = guard.env, {}
    if any(
        guard.path(model, s.partition(":")[0])[1].type == "datetime" for s in groupby
    ):
        facts["time_zone"] = str(env.tz)
    own = own_fields(env, model._name)
    if own:
        facts["own"] = sorted(model._fields[n]._description_string(env) for n in own)
    if by_company(env, model._name):
        others = len(set(env.user._get_company_ids()) - set(env.companies.ids))
        if others or len(env.companies) > 1:
            facts["companies"] = env.companies.mapped("name")
            facts["other_companies"] = others
    return facts
