"""A search by name over the models worth it."""

import time

from odoo.fields import Domain

from ..policy import inherited_models, name_search
from ..policy.in_force import name_of
from ..policy.redact_links import withhold_links_in
from ..policy.refusal import Refusal, _lt
from ..policy.shared import MAX_HITS, MAX_HITS_QUERY
from ..policy.time_limit import within
from . import row_counts
from .arguments import number, only, text
from .operations import operation

MAX_MODELS = 120
# Seconds for all of them, and milliseconds for one: a table without an index on its
# name must not keep the others from being searched.
DEADLINE = 5
ONE_TIMEOUT = 1_500
# How many near names are told where nothing has the name.
MAX_NEAREST = 8
# How many records are looked at for those that have the words as they were typed.
MORE = 4


@operation(
    "search_everywhere",
    tool="search_everywhere",
    reads=True,
    needs_model=False,
    rows=row_counts.found,
)
def search_everywhere(call):
    """Records whose name holds a text.

    :return: ``{found: [{model, label, records, has_more}], searched, not_searched,
        nearest: [{model, label, id, name}]}``; the last only if nothing is found;
        with ``most`` if the connection gets no more
    """
    guard, kwargs = call.guard, call.kwargs
    only(kwargs, "query", "models", "limit")
    query = text(kwargs, "query", MAX_HITS_QUERY, needed=True)
    if len(query) < 2:
        raise Refusal(
            "query_too_short", _lt("query must be text of at least 2 characters.")
        )
    limit = number(kwargs, "limit", 5, MAX_HITS)
    names = _named(guard, kwargs["models"]) if kwargs.get("models") else worth(guard)
    until = time.monotonic() + DEADLINE
    answer = find(guard, query, names, limit, until)
    if not answer["found"]:
        answer |= near(guard, query, names, limit, until)
    return _cut(call, answer)


def _cut(call, answer):
    """What this connection gets of what was found.

    :return: the answer; with ``most`` where it gets no more
    """
    left = call.most_rows
    if left is None or row_counts.found(None, answer) <= left:
        return answer
    answer["most"] = left
    for hits in answer["found"]:
        if len(hits["records"]) > left:
            hits |= {"records": hits["records"][:left], "has_more": True}
        left -= len(hits["records"])
    answer["found"] = [hits for hits in answer["found"] if hits["records"]]
    if "nearest" in answer:
        answer["nearest"] = answer["nearest"][:left]
    return answer


def find(guard, query, names, limit, until):
    """Search models by name, one after the other.

    :param str query: what a name holds, word by word; or a phone number
    :param names: of the models, each of which may be used
    :param int limit: records of each
    :param float until: when to stop, by the monotonic clock
    :return: as ``search_everywhere``
    """
    found, searched, missed = [], 0, []
    for name in names:
        late = time.monotonic() > until or searched >= MAX_MODELS
        hits = None if late else _hits(guard, name, query, limit)
        if hits is None:
            missed.append(name)
            continue
        searched += 1
        if hits:
            found.append({"model": name} | hits)
    _label(guard, found)
    return withhold_links_in(
        {"found": found, "searched": searched, "not_searched": missed}
    )


def near(guard, query, names, limit, until):
    """What may have been meant, where nothing is called so.

    :return: ``{found}`` of those that have all of the words, but for their accents; or
        else ``{nearest}``, the records of the nearest names, the nearest first
    """
    likely = []
    for name in names:
        if time.monotonic() > until:
            break
        model = guard.env[name]
        nearest = name_search.nearest(guard, model, query, max(limit, MAX_NEAREST))
        likely += [(one, model.browse(one.id)) for one in nearest]
    likely.sort(key=lambda pair: -pair[0].likeness)
    found = {}
    for one, record in likely:
        if one.holds:
            hits = found.setdefault(record._name, {"records": [], "has_more": False})
            hits["records"].append(_told(record))
    if found:
        answer = [{"model": name} | hits for name, hits in found.items()]
        for hits in answer:
            hits["has_more"] = len(hits["records"]) > limit
            hits["records"] = hits["records"][:limit]
        return withhold_links_in({"found": _label(guard, answer)})
    nearest = [
        {"model": record._name} | _told(record) for _one, record in likely[:MAX_NEAREST]
    ]
    return withhold_links_in({"nearest": _label(guard, nearest)} if nearest else {})


def _label(guard, entries):
    """Say of each what people call its model."""
    names = list({entry["model"] for entry in entries})
    labels = {
        row["model"]: row["display_name"]
        for row in guard.env["ir.model"]._display_name_for(names)
    }
    for entry in entries:
        entry["label"] = labels.get(entry["model"], entry["model"])
    return entries


def _told(record):
    return {"id": record.id, "name": name_of(record)[:200]}


def _named(guard, names):
    if not isinstance(names, list) or len(names) > MAX_MODELS:
        raise Refusal(
            "malformed_arguments",
            _lt("models must be a list of at most %(most)s.", most=MAX_MODELS),
        )
    for name in names:
        model = guard.model(name)
        if model._abstract or model._transient:
            raise Refusal(
                "nothing_to_search",
                _lt("%(model)s has no records to search.", model=name),
            )
        if name in guard.asks_to_read:
            raise Refusal(
                "model_needs_approval",
                _lt("Reading %(model)s needs approval.", model=name),
                _lt("Search it separately, with search_records."),
            )
        model.check_access("read")
    return list(dict.fromkeys(names))


def worth(guard):
    """Business documents, first those that a person has a menu for; then what else has
    a menu. No machinery."""
    env = guard.env
    menu = {window.model for window in env["ir.ui.menu"]._doorman_windows()}
    thread = env.registry["mail.thread"]
    threads = {n for n, cls in env.registry.items() if issubclass(cls, thread)}
    IrModel = env["ir.model"]
    names = [
        name
        for name in menu | threads
        if name
        and name in env
        and guard.may_use(name)
        and name not in guard.asks_to_read
        and inherited_models.may_write(env, name)
        and IrModel._is_valid_for_model_selector(name)
        and env[name]._auto
        and env[name]._rec_name
    ]
    return sorted(names, key=lambda n: (n not in threads, n not in menu, n))


def _hits(guard, name, query, limit):
    """:return: ``{records, has_more}``, empty for none; None if it took too long"""
    model = guard.env[name]

    def ask():
        domain = name_search.by_words(guard, model, query)
        domain &= Domain(guard.owner_domain(model) or [])
        records = model.search(domain, limit=limit * MORE + 1)
        if not records:
            records = name_search.by_digits(guard, model, query, limit + 1)
        return _as_typed([_told(record) for record in records], query)

    rows = within(guard.env.cr, ONE_TIMEOUT, ask)
    if rows is None:
        return None
    if not rows:
        return {}
    return {"records": rows[:limit], "has_more": len(rows) > limit}


def _as_typed(rows, query):
    """The rows, those first whose names hold the words as they were typed."""
    query = " ".join(query.casefold().split())
    return sorted(rows, key=lambda row: query not in row["name"].casefold())
