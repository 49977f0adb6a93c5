"""Which columns a model shows that has no table of its own but is a query, such as the
sales analysis: they are columns of other models' tables.

    sale.report ── its query ── FROM sale_order_line l ... l.price_unit ── price_unit

A query is text: of a view, as PostgreSQL tells it, or of the model itself. A column of
the same name counts as the other one's; if there is none, all of its kind do.
"""

import re

from odoo.tools import SQL

VIEWS = """
    SELECT c.relname, pg_get_viewdef(c.oid)
      FROM pg_class c
     WHERE c.relname = ANY(%s) AND c.relkind IN ('v', 'm')
       AND c.relnamespace = current_schema::regnamespace
"""
WORD = re.compile(r"\w+")


def shown(env, alike):
    """What is shown by models without a table.

    :param env: any
    :param alike: a function that tells whether two fields hold values of one kind
    :return: an iterator of fields of models with a table, and for each a field of a
        model without one that may hold the same
    """
    by_table = {
        cls._table: cls
        for cls in env.registry.values()
        if cls._auto and not cls._abstract and not cls._transient
    }
    for name, text in _queries(env):
        columns = [f for f in env[name]._fields.values() if f.store and f.name != "id"]
        words = set(WORD.findall(text))
        for table in words & by_table.keys():
            for field in _named(text, words, by_table[table]):
                same = [f for f in columns if alike(field, f)]
                own = [f for f in same if f.name == field.name]
                yield from ((field, other) for other in own or same)


def _queries(env):
    """:return: an iterator of models without a table, and their queries"""
    models = [
        cls for cls in env.registry.values() if not cls._auto and not cls._abstract
    ]
    env.cr.execute(SQL(VIEWS, [cls._table for cls in models]))
    views = dict(env.cr.fetchall())
    for cls in models:
        text = views.get(cls._table) or _own_query(env, cls._name)
        if text:
            yield cls._name, text


def _own_query(env, name):
    try:
        with env.cr.savepoint(flush=False):
            query = env[name].sudo()._table_query
    except Exception:  # noqa: BLE001 what cannot be made shows nothing, either
        return ""
    return query.code if isinstance(query, SQL) else str(query or "")


def _named(text, words, cls):
    """The fields of a model whose columns a query names, by the model's table or what
    the query calls that; or by no table at all."""
    aliases = "|".join(
        {cls._table}
        | set(re.findall(rf'\b{cls._table}"?\s+(?:AS\s+)?"?(\w+)', text, re.IGNORECASE))
    )
    for field in cls._fields.values():
        if field.store and field.column_type and field.name in words:
            by_table = rf'\b({aliases})"?\."?{field.name}\b'
            alone = rf'(?<![\w."])(?<!\bAS ){field.name}\b'
            if re.search(f"{by_table}|{alone}", text, re.IGNORECASE):
                yield field
