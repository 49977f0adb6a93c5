"""A search by name over the models worth it."""

import time

from odoo.fields import Domain
from odoo.models import BaseModel
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..policy import inherited_models
from ..policy.redact_links import withhold_links_in
from ..policy.refusal import Refusal
from ..policy.shared import MAX_HITS, MAX_HITS_QUERY
from .arguments import number, only, text
from .operations import operation

MAX_MODELS = 120
# Seconds for all of them, and milliseconds for one: a table without an index on its
# name must not keep the others from being searched.
DEADLINE = 5
ONE_TIMEOUT = "1500"


@operation("search_everywhere", tool="search_everywhere", reads=True, needs_model=False)
def search_everywhere(call):
    """Records whose name holds a text.

    :return: ``{found: [{model, label, records, has_more}], searched, not_searched}``
    """
    guard, kwargs = call.guard, call.kwargs
    only(kwargs, "query", "models", "limit")
    query = text(kwargs, "query", MAX_HITS_QUERY, needed=True)
    if len(query) < 2:
        raise Refusal("invalid_input", "query is text of at least 2 letters.")
    limit = number(kwargs, "limit", 5, MAX_HITS)
    names = _named(guard, kwargs["models"]) if kwargs.get("models") else worth(guard)
    return find(guard, query, names, limit, time.monotonic() + DEADLINE)


def find(guard, query, names, limit, until):
    """Search models by name, one after the other.

    :param str query: what a name holds
    :param names: of the models, each of which may be used
    :param int limit: records of each
    :param float until: when to stop, by the monotonic clock
    :return: as ``search_everywhere``
    """
    found, searched, missed = [], 0, []
    guard.env.cr.execute("SELECT current_setting('statement_timeout')")
    [timeout] = guard.env.cr.fetchone()
    for name in names:
        late = time.monotonic() > until
        hits = (
            None if late or searched >= MAX_MODELS else _hits(guard, name, query, limit)
        )
        if hits is None:
            missed.append(name)
            continue
        searched += 1
        if hits:
            found.append({"model": name} | hits)
    guard.env.cr.execute("SELECT set_config('statement_timeout', %s, true)", [timeout])
    labels = {
        row["model"]: row["display_name"]
        for row in guard.env["ir.model"]._display_name_for([f["model"] for f in found])
    }
    for entry in found:
        entry["label"] = labels.get(entry["model"], entry["model"])
    return withhold_links_in(
        {"found": found, "searched": searched, "not_searched": missed}
    )


def _named(guard, names):
    if not isinstance(names, list) or len(names) > MAX_MODELS:
        raise Refusal("invalid_input", f"models is a list of at most {MAX_MODELS}.")
    for name in names:
        model = guard.model(name)
        if model._abstract or model._transient:
            raise Refusal("invalid_input", f"{name} has no records to search.")
        if name in guard.asks_to_read:
            raise Refusal(
                "not_allowed",
                f"To read {name} needs the approval of a person.",
                "Search it alone, with search_records.",
            )
        model.check_access("read")
    return list(dict.fromkeys(names))


def worth(guard):
    """Business documents, first those that a person has a menu for; then what else has
    a menu. No machinery."""
    env = guard.env
    menus = env["ir.ui.menu"].sudo().browse(env["ir.ui.menu"]._visible_menu_ids())
    kind, ids = "ir.actions.act_window", set()
    for row in menus.read(["action"]):
        name, _comma, ident = str(row["action"] or "").partition(",")
        if name == kind and ident.isdecimal():
            ids.add(int(ident))
    menu = set(env[kind].sudo().browse(ids).exists().mapped("res_model"))
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
    model, cr = guard.env[name], guard.env.cr
    domain = Domain(_domain(guard, model, query)) & Domain(
        guard.owner_domain(model) or []
    )
    try:
        with cr.savepoint(flush=False):
            # Undone with the savepoint, where it comes to that.
            cr.execute(
                "SELECT set_config('statement_timeout', %s, true)", [ONE_TIMEOUT]
            )
            records = model.search(domain, limit=limit + 1)
            rows = [
                {"id": r.id, "name": str(r.display_name or "")[:200]}
                for r in records[:limit]
            ]
    except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
        raise
    except Exception:  # noqa: BLE001 one model's own search must not fail all others
        return None
    return {"records": rows, "has_more": len(records) > limit} if rows else {}


def _domain(guard, model, query):
    """As a person would search by name; where that would look into what this connection
    may not, only by what it may."""
    paths = model._rec_names_search or [model._rec_name]
    good = []
    for path in paths:
        try:
            _owner, field = guard.path(model, path)
            if field.relational:
                guard._look_through(_owner, field)
        except Refusal:
            continue
        good.append(path)
    own_search = _searches_its_own_way(model)
    if len(good) == len(paths) and not (own_search and guard.allowed is not None):
        return [("display_name", "ilike", query)]
    return Domain.OR([[(path, "ilike", query)] for path in good])


def _searches_its_own_way(model):
    """Whether a model has a name search of its own, which may look anywhere."""
    return any(
        "_search_display_name" in vars(cls)
        for cls in type(model).__mro__
        if cls is not BaseModel
    )
