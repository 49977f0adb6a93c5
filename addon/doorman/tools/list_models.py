"""Which models there are for a connection, and which of them a person means."""

from ..policy import inherited_models, menu_words
from . import row_counts
from .arguments import only, text
from .operations import METADATA_SCOPE, operation

# Letters of what models are looked for by, and models whose menus are told.
MAX_QUERY, MAX_MENUS = 100, 20


@operation(
    "models",
    tool="list_models",
    reads=True,
    needs_model=False,
    scope=METADATA_SCOPE,
    rows=row_counts.none,
)
def models(call):
    """The models that this connection may use and its user may read.

    Not ``ir.model.get_available_models``: it knows neither the allow list nor the
    floor, and its answer has to be cut before it leaves Odoo.

    :return: rows; with a query those that it finds, the best first, with the menu that
        opens them and the domain that the menu adds
    """
    only(call.kwargs, "query")
    guard, IrModel = call.guard, call.env["ir.model"]
    query = text(call.kwargs, "query", MAX_QUERY)
    called = _called(guard, query) if query else None
    names = guard.env.registry if called is None else called
    names = [
        name
        for name in names
        if guard.may_use(name) and IrModel._is_valid_for_model_selector(name)
    ]
    rows = {row["model"]: row for row in IrModel._display_name_for(names)}
    for name, row in rows.items():
        model = guard.env[name]
        open_ = guard.may_write(name)
        is_file = inherited_models.is_file(guard.env, name)
        may = guard.rules.may if guard.rules else lambda _name, _operation: True
        row["create"] = (
            open_ and not is_file and may(name, "create") and model.has_access("create")
        )
        row["write"] = open_ and may(name, "write") and model.has_access("write")
        row["unlink"] = open_ and may(name, "delete") and model.has_access("unlink")
    rows = [rows[name] for name in names if name in rows]
    for row in rows[:MAX_MENUS] if called else ():
        row |= menu_words.menu_of(guard, called[row["model"]])
    return rows


def _called(guard, query):
    """The models that a query finds: by what people call them, and by a part of their
    technical name or label.

    :return: Called (policy/menu_words.py) by model, the best first
    """
    found = {one.model: one for one in menu_words.models_called(guard, query)}
    part = query.casefold()
    rows = guard.env["ir.model"]._display_name_for(list(guard.env.registry))
    for row in sorted(rows, key=lambda row: row["model"]):
        name = row["model"]
        if part in name or part in row["display_name"].casefold():
            found.setdefault(name, menu_words.Called(name, 0, None))
    return found
